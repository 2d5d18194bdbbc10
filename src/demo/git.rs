//! Plays Argo CD for the rollouts that Git owns: it says what is out of sync, and puts Git's template back.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::rollouts::template_hash;
use super::scenario::ApplicationPlan;
use super::store::{Key, Kind, Part, Store, time};

/// The name under which it writes.
pub(super) const MANAGER: &str = "argocd-controller";

type Templates = BTreeMap<Key, Value>;

#[derive(Clone, Debug)]
struct Application {
    key: Key,
    heals_after: SignedDuration,
    /// What Git asks for.
    wanted: Templates,
    revision: String,
    /// What was asked for before, by revision of the repository.
    history: Vec<(String, Templates)>,
    drift_since: Option<Timestamp>,
}

/// All applications.
#[derive(Clone, Debug, Default)]
pub(super) struct Git {
    applications: Vec<Application>,
}

fn sha(store: &mut Store) -> String {
    format!("{:016x}{:016x}{:08x}", store.random(), store.random(), store.random() >> 32)
}

impl Git {
    pub(super) fn new(store: &mut Store, plans: &[ApplicationPlan]) -> Self {
        let mut applications = Vec::new();
        for plan in plans {
            let revision = sha(store);
            let wanted: Templates = plan
                .targets
                .iter()
                .filter_map(|key| Some((key.clone(), store.copy(key)?["spec"]["template"].clone())))
                .collect();
            let key = Key::new(Kind::Application, &plan.namespace, &plan.name);
            let _ = store.create(&key, plan.object.clone());
            applications.push(Application {
                key,
                heals_after: plan.heals_after,
                history: vec![(revision.clone(), wanted.clone())],
                wanted,
                revision,
                drift_since: None,
            });
        }
        Self { applications }
    }

    /// The applications that own a rollout.
    pub(super) fn owners(&self, rollout: &Key) -> Vec<Key> {
        self.applications.iter().filter(|a| a.wanted.contains_key(rollout)).map(|a| a.key.clone()).collect()
    }

    /// Commits another template to Git, and applies it. Whether Git owns the rollout at all.
    pub(super) fn release(&mut self, store: &mut Store, rollout: &Key, template: &Value, now: Timestamp) -> bool {
        let Some(app) = self.applications.iter_mut().find(|a| a.wanted.contains_key(rollout)) else { return false };
        app.wanted.insert(rollout.clone(), template.clone());
        app.revision = sha(store);
        app.history.push((app.revision.clone(), app.wanted.clone()));
        store.begin(now, MANAGER);
        apply(store, &app.wanted);
        app.synced(store, now, &app.revision, true);
        true
    }

    /// Looks at one application. Returns when it acts.
    pub(super) fn reconcile(&mut self, store: &mut Store, key: &Key, now: Timestamp) -> Option<Timestamp> {
        let app = self.applications.iter_mut().find(|a| a.key == *key)?;
        store.begin(now, MANAGER);
        let object = store.copy(key)?;
        if !object["operation"].is_null() {
            app.operate(store, &object, now);
            return None;
        }
        let drifted: Vec<Key> =
            app.wanted.iter().filter(|(key, t)| drifted(store, key, t)).map(|(k, _)| k.clone()).collect();
        let automated = &object["spec"]["syncPolicy"]["automated"];
        let mut wake = None;
        if drifted.is_empty() {
            app.drift_since = None;
        } else {
            let since = *app.drift_since.get_or_insert(now);
            let due = since + app.heals_after;
            if automated["selfHeal"] == true && due <= now {
                app.drift_since = None;
                apply(store, &app.wanted);
                app.synced(store, now, &app.revision, false);
                return None;
            }
            wake = (automated["selfHeal"] == true).then_some(due);
        }
        app.tell(store, object, &drifted, now);
        wake
    }
}

fn drifted(store: &Store, key: &Key, wanted: &Value) -> bool {
    let same = |rollout: &Value| template_hash(&rollout["spec"]["template"]) == template_hash(wanted);
    store.get(key).is_ok_and(|rollout| !same(rollout))
}

/// Puts templates into their rollouts.
fn apply(store: &mut Store, templates: &Templates) {
    for (key, template) in templates {
        let Some(mut rollout) = store.copy(key) else { continue };
        rollout["spec"]["template"] = template.clone();
        let _ = store.put(key, Part::Main, rollout);
    }
}

/// A rollout's phase in Argo CD's words.
fn health(phase: &Value) -> &'static str {
    match phase.as_str() {
        Some("Healthy") => "Healthy",
        Some("Paused") => "Suspended",
        Some("Degraded") => "Degraded",
        Some(_) => "Progressing",
        None => "Missing",
    }
}

impl Application {
    /// Writes down that a sync is done.
    fn synced(&self, store: &mut Store, now: Timestamp, revision: &str, new: bool) {
        let Some(mut object) = store.copy(&self.key) else { return };
        object["operation"] = Value::Null;
        object["status"]["operationState"] = json!({
            "phase": "Succeeded", "message": "successfully synced (all tasks run)",
            "operation": {"sync": {"revision": revision}, "initiatedBy": {"automated": true}},
            "syncResult": {"revision": revision}, "startedAt": time(now), "finishedAt": time(now),
        });
        if new {
            let mut all = object["status"]["history"].as_array().cloned().unwrap_or_default();
            let id = all.last().and_then(|last| last["id"].as_i64()).map_or(0, |id| id + 1);
            all.push(json!({
                "id": id, "revision": revision, "deployedAt": time(now), "initiatedBy": {"automated": true},
                "source": object["spec"]["source"],
            }));
            object["status"]["history"] = Value::Array(all);
        }
        let _ = store.put(&self.key, Part::Whole, object);
    }

    /// Does what the `operation` of the object asks for: a sync, to Git's head or to a revision of the history.
    fn operate(&mut self, store: &mut Store, object: &Value, now: Timestamp) {
        let asked = object["operation"]["sync"]["revision"].as_str().unwrap_or(&self.revision).to_owned();
        let found = self.history.iter().rev().find(|(revision, _)| *revision == asked);
        if let Some((revision, templates)) = found.cloned() {
            apply(store, &templates);
            self.synced(store, now, &revision, true);
            return;
        }
        let mut object = object.clone();
        let operation = object["operation"].take();
        object["status"]["operationState"] = json!({
            "phase": "Failed", "message": format!("revision {asked} not found"), "operation": operation,
            "startedAt": time(now), "finishedAt": time(now),
        });
        let _ = store.put(&self.key, Part::Whole, object);
    }

    fn tell(&self, store: &mut Store, mut object: Value, drifted: &[Key], now: Timestamp) {
        let resource = |key: &Key| {
            let phase = store.get(key).map(|ro| ro["status"]["phase"].clone()).unwrap_or_default();
            json!({
                "group": "argoproj.io", "version": "v1alpha1", "kind": "Rollout", "namespace": key.namespace,
                "name": key.name, "status": if drifted.contains(key) { "OutOfSync" } else { "Synced" },
                "health": {"status": health(&phase)},
            })
        };
        let resources: Vec<Value> = self.wanted.keys().map(resource).collect();
        let order = ["Healthy", "Suspended", "Progressing", "Degraded", "Missing"];
        let worst = resources
            .iter()
            .filter_map(|r| order.iter().position(|word| r["health"]["status"] == *word))
            .max()
            .unwrap_or(0);
        let status = &mut object["status"];
        let sync = if drifted.is_empty() { "Synced" } else { "OutOfSync" };
        status["sync"] = json!({"status": sync, "revision": self.revision});
        status["health"] = json!({"status": order[worst]});
        status["resources"] = Value::Array(resources);
        if status["history"].is_null() {
            status["history"] = json!([{"id": 0, "revision": self.revision, "deployedAt": time(now)}]);
        }
        let _ = store.put(&self.key, Part::Whole, object);
    }
}
