//! A model of the Argo Rollouts controller, for canaries: what v1.10.1 does to ReplicaSets and status, as far as it can
//! be seen from outside. Its own code, held to the real one by the parity test.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::pods::{Counts, counts};
use super::store::{Key, Kind, Part, Store, letters, time};

/// How long an old ReplicaSet behind a router is kept after the switch (`scaleDownDelaySeconds`).
const SCALE_DOWN_DELAY: i64 = 30;

/// Brings one rollout one step nearer to what it asks for. Returns when to look again though nothing changed.
pub(super) fn reconcile(store: &mut Store, key: &Key, now: Timestamp) -> Option<Timestamp> {
    let Ok(rollout) = store.get(key).cloned() else { return None };
    if rollout["spec"]["strategy"]["canary"].is_null() {
        return None;
    }
    let hash = template_hash(&rollout["spec"]["template"]);
    let new = match new_set(store, key, &rollout, &hash) {
        Ok(new) => new,
        Err(set) => {
            store.create(set.0, set.1, now).ok()?;
            return Some(now);
        }
    };
    let rollout = annotated(store, key, rollout, &new);
    let mut canary = Canary::of(store, &rollout, &new, &hash, now);
    canary.observe_template();
    let mut wake = None;
    if canary.flag("abort") {
        canary.abort();
    } else {
        wake = canary.walk();
    }
    let (wanted, later) = canary.scale();
    let mut status = canary.finish();
    let sets = scale_sets(store, &wanted);
    status["HPAReplicas"] = status["replicas"].clone();
    let mut whole = rollout;
    whole["status"] = status;
    let version = store.version();
    store.put(key, Part::Whole, whole).ok()?;
    if sets || store.version() != version {
        return Some(now);
    }
    [wake, later].into_iter().flatten().min()
}

fn template_hash(template: &Value) -> String {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in template.to_string().bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    letters(hash, 10)
}

/// A ReplicaSet, the size it shall have, and when it is to be scaled down.
type Size = (Key, i64, Option<Timestamp>);

/// One revision's ReplicaSet.
#[derive(Clone, Debug)]
struct Set {
    key: Key,
    hash: String,
    revision: i64,
    desired: i64,
    counts: Counts,
    deadline: Option<Timestamp>,
}

fn sets(store: &Store, rollout: &Value) -> Vec<Set> {
    let namespace = rollout["metadata"]["namespace"].as_str().unwrap_or_default();
    store
        .list(Kind::ReplicaSet, Some(namespace))
        .filter(|(_, set)| set["metadata"]["ownerReferences"][0]["uid"] == rollout["metadata"]["uid"])
        .map(|(key, set)| {
            let annotations = &set["metadata"]["annotations"];
            let text = |v: &Value| v.as_str().map(ToOwned::to_owned);
            Set {
                key: key.clone(),
                hash: text(&set["metadata"]["labels"]["rollouts-pod-template-hash"]).unwrap_or_default(),
                revision: text(&annotations["rollout.argoproj.io/revision"]).and_then(|r| r.parse().ok()).unwrap_or(0),
                desired: set["spec"]["replicas"].as_i64().unwrap_or(0),
                counts: counts(set),
                deadline: text(&annotations["scale-down-deadline"]).and_then(|t| t.parse().ok()),
            }
        })
        .collect()
}

/// The ReplicaSet of the wanted template with the highest revision, or the one to make.
fn new_set(store: &mut Store, key: &Key, rollout: &Value, hash: &str) -> Result<Set, (Key, Value)> {
    let all = sets(store, rollout);
    let highest = all.iter().map(|s| s.revision).max().unwrap_or(0);
    let Some(found) = all.iter().find(|s| s.hash == hash).cloned() else {
        return Err((
            Key::new(Kind::ReplicaSet, &key.namespace, &format!("{}-{hash}", key.name)),
            fresh_set(rollout, hash, highest + 1),
        ));
    };
    if found.revision < highest {
        let mut object = store.get(&found.key).cloned().unwrap_or_default();
        object["metadata"]["annotations"]["rollout.argoproj.io/revision"] = (highest + 1).to_string().into();
        // Nobody else writes ReplicaSets here.
        let _ = store.put(&found.key, Part::Whole, object);
        return new_set(store, key, rollout, hash);
    }
    Ok(found)
}

fn fresh_set(rollout: &Value, hash: &str, revision: i64) -> Value {
    let mut template = rollout["spec"]["template"].clone();
    template["metadata"]["labels"]["rollouts-pod-template-hash"] = hash.into();
    let mut selector = rollout["spec"]["selector"].clone();
    selector["matchLabels"]["rollouts-pod-template-hash"] = hash.into();
    let meta = &rollout["metadata"];
    json!({
        "metadata": {
            "labels": template["metadata"]["labels"],
            "annotations": {"rollout.argoproj.io/revision": revision.to_string()},
            "ownerReferences": [{
                "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "name": meta["name"], "uid": meta["uid"],
                "controller": true, "blockOwnerDeletion": true,
            }],
        },
        "spec": {"replicas": 0, "selector": selector, "template": template},
        "status": {"replicas": 0},
    })
}

fn annotated(store: &mut Store, key: &Key, mut rollout: Value, new: &Set) -> Value {
    let revision = new.revision.to_string();
    if rollout["metadata"]["annotations"]["rollout.argoproj.io/revision"] != revision.as_str() {
        rollout["metadata"]["annotations"]["rollout.argoproj.io/revision"] = revision.into();
        if let Ok(written) = store.put(key, Part::Whole, rollout.clone()) {
            return written;
        }
    }
    rollout
}

/// Scales ReplicaSets; whether anything changed.
fn scale_sets(store: &mut Store, wanted: &[Size]) -> bool {
    let version = store.version();
    for (key, replicas, deadline) in wanted {
        let Ok(mut set) = store.get(key).cloned() else { continue };
        set["spec"]["replicas"] = (*replicas).into();
        let deadline = deadline.map_or(Value::Null, |at| time(at).into());
        set["metadata"]["annotations"]["scale-down-deadline"] = deadline;
        let _ = store.put(key, Part::Whole, set);
    }
    store.version() != version
}

/// One rollout while it is looked at.
struct Canary {
    status: Value,
    steps: Vec<Value>,
    spec_paused: bool,
    router: bool,
    replicas: i64,
    generation: i64,
    new_service: Value,
    stable_service: Value,
    steps_hash: String,
    hash: String,
    new: Set,
    all: Vec<Set>,
    selector: String,
    now: Timestamp,
}

impl Canary {
    fn of(store: &Store, rollout: &Value, new: &Set, hash: &str, now: Timestamp) -> Self {
        let spec = &rollout["spec"];
        let strategy = &spec["strategy"]["canary"];
        let steps = strategy["steps"].as_array().cloned().unwrap_or_default();
        let labels = spec["selector"]["matchLabels"].as_object().cloned().unwrap_or_default();
        let selector: Vec<String> =
            labels.iter().map(|(k, v)| format!("{k}={}", v.as_str().unwrap_or_default())).collect();
        Self {
            status: rollout["status"].clone(),
            spec_paused: spec["paused"].as_bool().unwrap_or(false),
            router: !strategy["trafficRouting"].is_null(),
            replicas: spec["replicas"].as_i64().unwrap_or(1),
            generation: rollout["metadata"]["generation"].as_i64().unwrap_or(0),
            new_service: strategy["canaryService"].clone(),
            stable_service: strategy["stableService"].clone(),
            steps_hash: template_hash(&strategy["steps"]),
            hash: hash.to_owned(),
            new: new.clone(),
            all: sets(store, rollout),
            selector: selector.join(","),
            steps,
            now,
        }
    }

    fn flag(&self, name: &str) -> bool {
        self.status[name].as_bool().unwrap_or(false)
    }

    fn text(&self, name: &str) -> &str {
        self.status[name].as_str().unwrap_or_default()
    }

    fn index(&self) -> usize {
        self.status["currentStepIndex"].as_u64().and_then(|i| usize::try_from(i).ok()).unwrap_or(0)
    }

    fn unpause(&mut self) {
        self.status["pauseConditions"] = Value::Null;
        self.status["controllerPause"] = Value::Null;
    }

    /// A first deploy and a return to the stable version take no steps; anything else begins at the first.
    fn start_over(&mut self) {
        let none = self.text("stableRS").is_empty() || self.text("stableRS") == self.hash;
        self.status["currentStepIndex"] = if none { self.steps.len() } else { 0 }.into();
        self.unpause();
        self.status["abort"] = Value::Null;
        self.status["abortedAt"] = Value::Null;
        self.status["promoteFull"] = Value::Null;
    }

    fn observe_template(&mut self) {
        let new_template = self.text("currentPodHash") != self.hash;
        let new_steps = !self.text("currentStepHash").is_empty() && self.text("currentStepHash") != self.steps_hash;
        if new_template || new_steps {
            self.start_over();
        }
        self.status["currentPodHash"] = self.hash.clone().into();
        self.status["currentStepHash"] = self.steps_hash.clone().into();
        if self.status["currentStepIndex"].is_null() && !self.steps.is_empty() {
            self.start_over();
        }
    }

    fn stable(&self) -> Option<&Set> {
        let hash = self.text("stableRS");
        self.all.iter().find(|s| !hash.is_empty() && s.hash == hash)
    }

    fn abort(&mut self) {
        self.unpause();
        self.status["currentStepIndex"] = 0.into();
        if self.status["abortedAt"].is_null() {
            self.status["abortedAt"] = time(self.now).into();
        }
    }

    /// Goes along the steps as far as they are over. Returns when a timed pause ends.
    fn walk(&mut self) -> Option<Timestamp> {
        self.status["abortedAt"] = Value::Null;
        if self.flag("promoteFull") && self.text("stableRS") != self.hash {
            self.unpause();
            self.status["currentStepIndex"] = self.steps.len().into();
        }
        if self.spec_paused {
            return None;
        }
        loop {
            let index = self.index();
            let step = self.steps.get(index)?.clone();
            if let Some(pause) = step.get("pause") {
                let conditions = !self.status["pauseConditions"].is_null();
                if !conditions && !self.flag("controllerPause") {
                    self.status["pauseConditions"] =
                        json!([{"reason": "CanaryPauseStep", "startTime": time(self.now)}]);
                    self.status["controllerPause"] = true.into();
                }
                if conditions || !self.status["pauseConditions"].is_null() {
                    let ends = self.pause_ends(pause);
                    match ends {
                        Some(ends) if ends <= self.now => {}
                        other => return other,
                    }
                }
                // Over, or cleared by a person.
                self.unpause();
            } else if step.get("setWeight").is_some() && !self.reached() {
                return None;
            }
            self.status["currentStepIndex"] = (index + 1).into();
        }
    }

    fn pause_ends(&self, pause: &Value) -> Option<Timestamp> {
        let seconds = match &pause["duration"] {
            Value::Number(n) => n.as_i64(),
            Value::String(text) => {
                text.parse::<i64>().ok().or_else(|| text.parse::<SignedDuration>().ok().map(|d| d.as_secs()))
            }
            _ => None,
        }?;
        let since: Timestamp = self.status["pauseConditions"][0]["startTime"].as_str()?.parse().ok()?;
        Some(since + SignedDuration::from_secs(seconds))
    }

    /// The weight that the steps up to the present one ask for.
    fn weight(&self) -> i64 {
        if self.flag("abort") {
            return 0;
        }
        let index = self.index();
        if index >= self.steps.len() {
            return 100;
        }
        let set = self.steps[..=index].iter().rev().find_map(|step| step["setWeight"].as_i64());
        set.unwrap_or(0)
    }

    /// How many pods the new and the stable version shall have.
    fn wanted(&self) -> (i64, i64) {
        let no_stable = self.text("stableRS").is_empty();
        if no_stable || self.text("stableRS") == self.hash {
            return (self.replicas, 0);
        }
        let weight = self.weight();
        if self.router {
            let canary = (self.replicas * weight + 99) / 100;
            return (canary, if self.promoted() { 0 } else { self.replicas });
        }
        share(self.replicas, weight)
    }

    fn promoted(&self) -> bool {
        self.index() >= self.steps.len() && !self.flag("abort")
    }

    fn reached(&self) -> bool {
        let (canary, stable) = self.wanted();
        let stable_now = self.stable();
        let old: i64 = self.all.iter().filter(|s| s.hash != self.hash).map(|s| s.counts.all).sum();
        self.new.counts.available >= canary
            && self.new.desired == canary
            && stable_now.is_none_or(|s| s.counts.available >= stable && s.desired == stable)
            && (self.router || old <= stable)
    }

    /// The ReplicaSets' sizes, and when a delayed scale-down is due.
    fn scale(&mut self) -> (Vec<Size>, Option<Timestamp>) {
        let (canary, stable) = self.wanted();
        let mut wanted = vec![(self.new.key.clone(), canary, None)];
        let mut wake = None;
        let ready = self.new.counts.available >= canary;
        let was_stable = self.text("stableRS").to_owned();
        if ready && self.promoted() && (self.router || self.all.iter().all(|s| s.hash == self.hash || s.desired == 0)) {
            self.status["stableRS"] = self.hash.clone().into();
            self.status["promoteFull"] = Value::Null;
        }
        for set in self.all.iter().filter(|s| s.hash != self.hash) {
            let target = if set.hash == was_stable { stable } else { 0 };
            // The old ones go down when the new ones can take the load, as `maxUnavailable` has it.
            let grows = target > set.desired;
            let target = if grows || ready || self.flag("abort") { target } else { set.desired };
            let delayed = self.router && target == 0 && set.desired > 0 && !self.flag("abort");
            if delayed {
                let due = set.deadline.unwrap_or(self.now + SignedDuration::from_secs(SCALE_DOWN_DELAY));
                if due > self.now {
                    wanted.push((set.key.clone(), set.desired, Some(due)));
                    wake = Some(wake.map_or(due, |w: Timestamp| w.min(due)));
                    continue;
                }
            }
            wanted.push((set.key.clone(), target, None));
        }
        (wanted, wake)
    }

    /// Counts, weights, phase and message.
    fn finish(mut self) -> Value {
        let sum = |pick: fn(&Counts) -> i64| self.all.iter().map(|s| pick(&s.counts)).sum::<i64>();
        let (all, ready, available) = (sum(|c| c.all), sum(|c| c.ready), sum(|c| c.available));
        let updated = self.new.counts.all;
        for (name, count) in [
            ("replicas", all),
            ("readyReplicas", ready),
            ("availableReplicas", available),
            ("updatedReplicas", updated),
        ] {
            self.status[name] = if count == 0 { Value::Null } else { count.into() };
        }
        if self.router {
            let done = self.text("stableRS") == self.hash;
            let weight = if done { 0 } else { self.weight() };
            let stable = self.text("stableRS").to_owned();
            self.status["canary"]["weights"] = json!({
                "canary": {"weight": weight, "podTemplateHash": self.hash, "serviceName": self.new_service},
                "stable": {"weight": 100 - weight, "podTemplateHash": stable, "serviceName": self.stable_service},
            });
        }
        let (phase, message) = self.phase(all, available, updated);
        self.status["phase"] = phase.into();
        self.status["message"] = message.into();
        if self.status["message"] == "" {
            self.status["message"] = Value::Null;
        }
        self.status["observedGeneration"] = self.generation.to_string().into();
        self.status["selector"] = self.selector.clone().into();
        self.status
    }

    fn phase(&self, all: i64, available: i64, updated: i64) -> (&'static str, String) {
        if self.flag("abort") {
            let revision = self.new.revision;
            return ("Degraded", format!("RolloutAborted: Rollout aborted update to revision {revision}"));
        }
        if self.spec_paused {
            return ("Paused", "manually paused".to_owned());
        }
        if let Some(reason) = self.status["pauseConditions"][0]["reason"].as_str() {
            return ("Paused", reason.to_owned());
        }
        let progressing = if updated < self.replicas {
            "more replicas need to be updated"
        } else if available < updated {
            "updated replicas are still becoming available"
        } else if !self.router && all > updated {
            "old replicas are pending termination"
        } else if self.text("stableRS") != self.hash {
            "waiting for all steps to complete"
        } else {
            return ("Healthy", String::new());
        };
        ("Progressing", progressing.to_owned())
    }
}

/// How many canary and stable pods come nearest to `weight`, where one pod more than asked for may help.
fn share(replicas: i64, weight: i64) -> (i64, i64) {
    if replicas == 0 {
        return (0, 0);
    }
    let ceil = (replicas * weight + 99) / 100;
    let floor = replicas * weight / 100;
    let none_allowed = weight == 100 || weight == 0;
    let mut options = Vec::new();
    for total in [replicas, replicas + 1] {
        if ceil < replicas || none_allowed {
            options.push((ceil, total));
        }
        if floor != 0 || none_allowed {
            options.push((floor, total));
        }
    }
    if none_allowed {
        options.truncate(1);
    }
    let far = |(canary, total): (i64, i64)| (canary * 10_000 / total - weight * 100).abs();
    let best = options.into_iter().reduce(|best, next| if far(next) < far(best) { next } else { best });
    let (canary, total) = best.unwrap_or((1, replicas));
    (canary, total - canary)
}

#[cfg(test)]
mod tests {
    use super::share;

    #[test]
    fn shares_are_those_of_the_real_controller() {
        // Seen on argo-rollouts v1.10.1.
        assert_eq!(share(10, 5), (1, 10));
        assert_eq!(share(5, 20), (1, 4));
        assert_eq!(share(5, 50), (3, 3));
        assert_eq!(share(5, 100), (5, 0));
        assert_eq!(share(10, 0), (0, 10));
        assert_eq!(share(0, 50), (0, 0));
    }
}
