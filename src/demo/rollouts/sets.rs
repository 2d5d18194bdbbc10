//! ReplicaSets: found by the hash of their template, made, numbered, scaled, kept for a while, and cleaned up.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::conditions;
use super::cx::{Cx, DEADLINE, DESIRED, HASH, HISTORY, REVISION, Set};
use crate::demo::events;
use crate::demo::store::{Key, Kind, Part, Store, letters, time};

/// Annotations of a rollout that do not go on to its ReplicaSets.
const NOT_COPIED: &[&str] = &[
    "kubectl.kubernetes.io/last-applied-configuration",
    REVISION,
    HISTORY,
    DESIRED,
    "notified.notifications.argoproj.io",
];

/// Takes out what says nothing: clients that know the types write `"resources": {}` where others leave it out.
fn bare(value: &mut Value) {
    let says = |value: &Value| match value {
        Value::Null => false,
        Value::Object(map) => !map.is_empty(),
        Value::Array(all) => !all.is_empty(),
        _ => true,
    };
    match value {
        Value::Object(map) => {
            map.values_mut().for_each(bare);
            map.retain(|_, value| says(value));
        }
        Value::Array(all) => all.iter_mut().for_each(bare),
        _ => {}
    }
}

/// The hash of a template, without the label that holds it.
pub(in crate::demo) fn hash(template: &Value) -> String {
    let mut template = template.clone();
    if let Some(labels) = template["metadata"]["labels"].as_object_mut() {
        labels.remove(HASH);
    }
    bare(&mut template);
    letters(events::hash(&template.to_string()), 10)
}

fn copied(rollout: &Value) -> Value {
    let all = rollout["metadata"]["annotations"].as_object().cloned().unwrap_or_default();
    Value::Object(all.into_iter().filter(|(key, _)| !NOT_COPIED.contains(&key.as_str())).collect())
}

/// Makes the ReplicaSet of the wanted template.
pub(super) fn create(store: &mut Store, key: &Key, rollout: &Value, hash: &str, all: &[Set]) {
    let revision = all.iter().map(|set| set.revision).max().unwrap_or(0) + 1;
    let mut template = rollout["spec"]["template"].clone();
    template["metadata"]["labels"][HASH] = hash.into();
    let mut selector = rollout["spec"]["selector"].clone();
    selector["matchLabels"][HASH] = hash.into();
    let mut annotations = copied(rollout);
    annotations[REVISION] = revision.to_string().into();
    annotations[DESIRED] = rollout["spec"]["replicas"].as_i64().unwrap_or(1).to_string().into();
    let meta = &rollout["metadata"];
    let set = json!({
        "metadata": {
            "labels": template["metadata"]["labels"], "annotations": annotations,
            "ownerReferences": [{
                "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "name": meta["name"], "uid": meta["uid"],
                "controller": true, "blockOwnerDeletion": true,
            }],
        },
        "spec": {"replicas": 0, "selector": selector, "template": template},
        "status": {"replicas": 0},
    });
    let name = format!("{}-{hash}", key.name);
    // A ReplicaSet of this name that is another's would be a collision; the names here have none.
    let _ = store.create(&Key::new(Kind::ReplicaSet, &key.namespace, &name), set);
    number(store, key, revision);
    events::record(
        store,
        rollout,
        false,
        "NewReplicaSetCreated",
        &format!("Created ReplicaSet {name} (revision {revision})"),
    );
    if let Some(mut stored) = store.copy(key) {
        let message = format!("Created new replica set {name:?}");
        conditions::set(&mut stored["status"], "Progressing", "True", ("NewReplicaSetCreated", &message), store.now());
        let _ = store.put(key, Part::Status, stored);
    }
}

/// Writes the revision on the rollout. Whether that changed anything.
fn number(store: &mut Store, key: &Key, revision: i64) -> bool {
    let Some(mut stored) = store.copy(key) else { return false };
    let revision = revision.to_string();
    if stored["metadata"]["annotations"][REVISION] == revision.as_str() {
        return false;
    }
    stored["metadata"]["annotations"][REVISION] = revision.clone().into();
    if store.put(key, Part::Main, stored.clone()).is_err() {
        return false;
    }
    events::record(store, &stored, false, "RolloutUpdated", &format!("Rollout updated to revision {revision}"));
    true
}

/// Sees to it that the new ReplicaSet has the highest revision, and the rollout's annotations. Whether anything changed.
pub(super) fn renumber(store: &mut Store, cx: &Cx) -> bool {
    let highest = cx.all().filter(|set| set.hash != cx.new.hash).map(|set| set.revision).max().unwrap_or(0);
    let Some(mut set) = store.copy(&cx.new.key) else { return false };
    let annotations = &mut set["metadata"]["annotations"];
    let mut changed = false;
    for (key, value) in copied(&cx.ro).as_object().into_iter().flatten() {
        if &annotations[key] != value {
            annotations[key] = value.clone();
            changed = true;
        }
    }
    if cx.new.revision < highest + 1 {
        annotations[REVISION] = (highest + 1).to_string().into();
        changed = true;
    }
    if changed {
        // The real one counts a change of any annotation here: seen as "2,2,2" on a rollout that was annotated.
        let old = cx.new.revision.to_string();
        let history = annotations[HISTORY].as_str().filter(|h| !h.is_empty());
        annotations[HISTORY] = history.map_or_else(|| old.clone(), |history| format!("{history},{old}")).into();
        return store.put(&cx.new.key, Part::Main, set).is_ok();
    }
    number(store, &cx.key, cx.new.revision)
}

/// Scales a ReplicaSet, and says so. Whether its size changed.
pub(super) fn scale(store: &mut Store, cx: &Cx, set: &Set, size: i64, keep_deadline: bool) -> bool {
    let wanted = cx.replicas();
    if set.size == size && set.desired == Some(wanted) {
        return false;
    }
    let Some(mut object) = store.copy(&set.key) else { return false };
    object["spec"]["replicas"] = size.into();
    object["metadata"]["annotations"][DESIRED] = wanted.to_string().into();
    if size == 0 && !keep_deadline {
        object["metadata"]["annotations"][DEADLINE] = Value::Null;
    }
    let _ = store.put(&set.key, Part::Main, object);
    if set.size == size {
        return false;
    }
    let way = if set.size < size { "up" } else { "down" };
    let (name, revision, from) = (&set.key.name, set.revision, set.size);
    let message = format!("Scaled {way} ReplicaSet {name} (revision {revision}) from {from} to {size}");
    cx.event(store, "ScalingReplicaSet", &message);
    true
}

/// Writes the moment at which a ReplicaSet is to go down, or takes it off.
pub(super) fn deadline(store: &mut Store, cx: &mut Cx, set: &Set, delay: Option<SignedDuration>) {
    let Some(mut object) = store.copy(&set.key) else { return };
    let at = delay.filter(|delay| !delay.is_zero()).map(|delay| cx.now + delay);
    object["metadata"]["annotations"][DEADLINE] = at.map_or(Value::Null, |at| time(at).into());
    let _ = store.put(&set.key, Part::Main, object);
    if let Some(at) = at {
        cx.wake_at(at);
    }
}

/// Takes the deadline off the new and the stable ReplicaSet: somebody went back to them.
pub(super) fn drop_deadlines(store: &mut Store, cx: &mut Cx) {
    let keep_new = super::scale::delays_abort(cx);
    let both = [Some(cx.new.clone()).filter(|_| !keep_new), cx.stable.clone()];
    for set in both.into_iter().flatten() {
        let is_new_kept = keep_new && set.hash == cx.new.hash;
        if set.deadline.is_some() && !is_new_kept {
            deadline(store, cx, &set, None);
        }
    }
}

/// Removes old ReplicaSets beyond the history that is to be kept.
pub(super) fn clean_up(store: &mut Store, cx: &Cx) {
    let limit = cx.ro["spec"]["revisionHistoryLimit"].as_u64().and_then(|n| usize::try_from(n).ok()).unwrap_or(10);
    let mut old: Vec<&Set> = cx.others.iter().collect();
    old.sort_by_key(|set| (set.created, set.revision));
    let beyond = old.len().saturating_sub(limit);
    for set in old.into_iter().take(beyond).filter(|set| set.size == 0 && set.counts.all == 0) {
        let _ = store.delete(&set.key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_of_what_is_said() {
        let template = json!({"metadata": {"labels": {"app": "x"}}, "spec": {"containers": [{"image": "x:1"}]}});
        let mut typed = template.clone();
        typed["metadata"]["labels"][HASH] = "abc".into();
        typed["metadata"]["creationTimestamp"] = Value::Null;
        typed["spec"]["containers"][0]["resources"] = json!({});
        assert_eq!(hash(&template), hash(&typed));
        typed["spec"]["containers"][0]["image"] = "x:2".into();
        assert_ne!(hash(&template), hash(&typed));
    }
}
