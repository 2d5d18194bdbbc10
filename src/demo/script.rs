//! What the people and machines of a scenario do.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::patch::merge;
use super::rates;
use super::rollouts;
use super::scenario::{EventAct, EventPlan};
use super::sim::{Outage, Planned, Sim};
use super::store::{Key, Kind, Part, Store, time};

/// Does what is due.
pub(super) fn play(sim: &mut Sim, now: Timestamp) {
    if sim.events.iter().all(|e| e.at > now) {
        return;
    }
    let mut due: Vec<Planned> = sim.events.iter().filter(|e| e.at <= now).cloned().collect();
    sim.events.retain(|e| e.at > now);
    due.sort_by_key(|planned| planned.at);
    for planned in due {
        act(sim, &planned.event, now);
        if let Some(every) = planned.event.every {
            sim.events.push(Planned { at: planned.at + every, event: planned.event });
        }
    }
}

fn act(sim: &mut Sim, event: &EventPlan, now: Timestamp) {
    match &event.act {
        EventAct::Silence(length) => sim.outage = Some((Outage::Silent, now + *length)),
        EventAct::Refuse(length) => sim.outage = Some((Outage::Refusing, now + *length)),
        EventAct::StopController(length) => sim.stopped_until = Some(now + *length),
        EventAct::Release(version) => release(sim, event, version.as_deref(), now),
        act => {
            sim.store.begin(now, event.by.as_deref().unwrap_or(usual_manager(act)));
            on_rollout(&mut sim.store, event, act, now);
        }
    }
}

const fn usual_manager(act: &EventAct) -> &'static str {
    match act {
        EventAct::Scale(_) => "kube-controller-manager",
        EventAct::Delete => "kubectl",
        _ => "kubectl-argo-rollouts",
    }
}

/// The image of the first container with another version.
fn with_version(template: &Value, version: &str) -> Value {
    let mut template = template.clone();
    let container = &mut template["spec"]["containers"][0];
    let image = container["image"].as_str().unwrap_or_default();
    let name = image.rsplit_once(':').map_or(image, |(name, _)| name).to_owned();
    container["image"] = format!("{name}:{version}").into();
    template
}

fn release(sim: &mut Sim, event: &EventPlan, version: Option<&str>, now: Timestamp) {
    let key = Key::new(Kind::Rollout, &event.namespace, &event.name);
    let Some(rollout) = sim.store.copy(&key) else { return };
    if event.every.is_some() && rollout["status"]["phase"] != "Healthy" {
        return;
    }
    let version = version.map_or_else(|| format!("{:07x}", sim.store.random() >> 36), ToOwned::to_owned);
    sim.store.begin(now, event.by.as_deref().unwrap_or("kubectl-argo-rollouts"));
    if let Some(workload) = rollouts::workload(&rollout) {
        let Some(mut deployment) = sim.store.copy(&workload) else { return };
        deployment["spec"]["template"] = with_version(&deployment["spec"]["template"], &version);
        let _ = sim.store.put(&workload, Part::Main, deployment);
        return;
    }
    let template = with_version(&rollout["spec"]["template"], &version);
    if sim.git.release(&mut sim.store, &key, &template, now) {
        return;
    }
    let mut wanted = rollout;
    wanted["spec"]["template"] = template;
    // Nobody else writes between reading and writing.
    let _ = sim.store.put(&key, Part::Main, wanted);
}

fn on_rollout(store: &mut Store, event: &EventPlan, act: &EventAct, now: Timestamp) {
    let key = Key::new(Kind::Rollout, &event.namespace, &event.name);
    let Some(rollout) = store.copy(&key) else { return };
    let index = rollout["status"]["currentStepIndex"].as_u64().unwrap_or(0);
    let (part, patch) = match act {
        EventAct::Abort => (Part::Status, json!({"status": {"abort": true}})),
        EventAct::Retry => (Part::Status, json!({"status": {"abort": false}})),
        EventAct::Pause => (Part::Main, json!({"spec": {"paused": true}})),
        EventAct::Unpause => (Part::Main, json!({"spec": {"paused": false}})),
        EventAct::PromoteFull => (Part::Status, json!({"status": {"promoteFull": true}})),
        EventAct::Resume => (Part::Status, json!({"status": {"pauseConditions": null}})),
        EventAct::Skip => (Part::Status, json!({"status": {"pauseConditions": null, "currentStepIndex": index + 1}})),
        EventAct::Restart => (Part::Main, json!({"spec": {"restartAt": time(now)}})),
        EventAct::Scale(replicas) => (Part::Main, json!({"spec": {"replicas": replicas}})),
        EventAct::Undo(version) => return undo(store, &key, rollout, version.as_deref()),
        EventAct::Hold(length) => return hold(store, &rollout, now + *length),
        EventAct::Terminate => return terminate(store, &rollout),
        EventAct::Delete => return delete(store, &key, rollout),
        EventAct::Release(_) | EventAct::Silence(_) | EventAct::Refuse(_) | EventAct::StopController(_) => return,
    };
    let mut wanted = rollout;
    merge(&mut wanted, &patch);
    let _ = store.put(&key, part, wanted);
}

/// Puts the template of an earlier revision back: of a version, or of the one before.
fn undo(store: &mut Store, key: &Key, mut rollout: Value, version: Option<&str>) {
    let revision = |set: &Value| {
        let text = set["metadata"]["annotations"]["rollout.argoproj.io/revision"].as_str();
        text.and_then(|r| r.parse::<i64>().ok()).unwrap_or(0)
    };
    let mut sets: Vec<Value> = store.owned_by(&rollout, Kind::ReplicaSet).map(|(_, set)| Value::clone(set)).collect();
    sets.sort_by_key(|set| -revision(set));
    let found = match version {
        Some(version) => sets.iter().find(|set| rates::version(&set["spec"]["template"]) == version),
        None => sets.get(1),
    };
    let Some(found) = found else { return };
    let mut template = found["spec"]["template"].clone();
    if let Some(labels) = template["metadata"]["labels"].as_object_mut() {
        labels.remove("rollouts-pod-template-hash");
    }
    let target = rollouts::workload(&rollout).unwrap_or_else(|| key.clone());
    if target != *key {
        let Some(workload) = store.copy(&target) else { return };
        rollout = workload;
    }
    rollout["spec"]["template"] = template;
    let _ = store.put(&target, Part::Main, rollout);
}

/// Holds the old version up until `until`.
fn hold(store: &mut Store, rollout: &Value, until: Timestamp) {
    let held: Vec<Key> = store
        .owned_by(rollout, Kind::ReplicaSet)
        .filter(|(_, set)| !set["metadata"]["annotations"]["scale-down-deadline"].is_null())
        .map(|(key, _)| key.clone())
        .collect();
    for key in held {
        let Some(mut set) = store.copy(&key) else { continue };
        set["metadata"]["annotations"]["scale-down-deadline"] = time(until).into();
        let _ = store.put(&key, Part::Main, set);
    }
}

fn terminate(store: &mut Store, rollout: &Value) {
    let runs: Vec<Key> = store.owned_by(rollout, Kind::AnalysisRun).map(|(key, _)| key.clone()).collect();
    for key in runs {
        let Some(mut run) = store.copy(&key).filter(|run| run["status"]["phase"] == "Running") else { continue };
        run["spec"]["terminate"] = true.into();
        let _ = store.put(&key, Part::Main, run);
    }
}

/// Deletes a rollout as with `--cascade=foreground` on a cluster whose collector is slow: it stays, marked.
fn delete(store: &mut Store, key: &Key, mut rollout: Value) {
    rollout["metadata"]["finalizers"] = json!(["foregroundDeletion"]);
    let _ = store.put(key, Part::Main, rollout);
    let _ = store.delete(key);
}
