//! One rollout while it is looked at.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::pause::Pause;
use super::{analysis, sets};
use crate::demo::events;
use crate::demo::pods::{Counts, counts};
use crate::demo::store::{Key, Kind, Store};

pub(super) const HASH: &str = "rollouts-pod-template-hash";
pub(super) const REVISION: &str = "rollout.argoproj.io/revision";
pub(super) const HISTORY: &str = "rollout.argoproj.io/revision-history";
pub(super) const DESIRED: &str = "rollout.argoproj.io/desired-replicas";
pub(super) const DEADLINE: &str = "scale-down-deadline";

/// One revision's ReplicaSet.
#[derive(Clone, Debug)]
pub(super) struct Set {
    pub key: Key,
    pub hash: String,
    pub revision: i64,
    /// `spec.replicas`.
    pub size: i64,
    /// How many replicas the rollout asked for when it was scaled last.
    pub desired: Option<i64>,
    pub counts: Counts,
    pub deadline: Option<Timestamp>,
    pub created: Timestamp,
}

impl Set {
    pub(super) fn of(key: &Key, set: &Value) -> Self {
        let meta = &set["metadata"];
        let annotations = &meta["annotations"];
        let text = |v: &Value| v.as_str().map(ToOwned::to_owned);
        let number = |v: &Value| v.as_str().and_then(|n| n.parse().ok());
        let when = |v: &Value| v.as_str().and_then(|t| t.parse().ok());
        Self {
            key: key.clone(),
            hash: text(&meta["labels"][HASH]).unwrap_or_default(),
            revision: number(&annotations[REVISION]).unwrap_or(0),
            size: set["spec"]["replicas"].as_i64().unwrap_or(0),
            desired: number(&annotations[DESIRED]),
            counts: counts(set),
            deadline: when(&annotations[DEADLINE]),
            created: when(&meta["creationTimestamp"]).unwrap_or(Timestamp::UNIX_EPOCH),
        }
    }
}

/// The `AnalysisRun`s that the rollout is waiting for, and all others of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Runs {
    pub step: Option<Value>,
    pub background: Option<Value>,
    pub pre: Option<Value>,
    pub post: Option<Value>,
    pub others: Vec<Value>,
}

/// One rollout while it is looked at.
pub(super) struct Cx {
    pub key: Key,
    /// As it was read, with the template of the workload that it refers to.
    pub ro: Value,
    pub now: Timestamp,
    pub new: Set,
    pub stable: Option<Set>,
    /// Neither the new nor the stable one.
    pub others: Vec<Set>,
    pub pause: Pause,
    pub runs: Runs,
    pub experiment: Option<Value>,
    pub other_experiments: Vec<Value>,
    /// The weights to be written.
    pub weights: Value,
    pub restarted_at: Value,
    /// The name of the experiment to be written.
    pub experiment_name: Value,
    /// The new ReplicaSet came with a deadline that is not over: a rollback that may be fast.
    pub within_delay: bool,
    pub wake: Option<Timestamp>,
}

impl Cx {
    /// Reads what belongs to a rollout. Makes its new ReplicaSet where there is none; then nothing more is done (`None`).
    pub(super) fn of(store: &mut Store, key: &Key, ro: Value, now: Timestamp) -> Option<Self> {
        let hash = sets::hash(&ro["spec"]["template"]);
        let all: Vec<Set> = store.owned_by(&ro, Kind::ReplicaSet).map(|(key, set)| Set::of(key, set)).collect();
        let Some(new) = all.iter().find(|set| set.hash == hash).cloned() else {
            sets::create(store, key, &ro, &hash, &all);
            return None;
        };
        let stable_hash = ro["status"]["stableRS"].as_str().unwrap_or_default();
        let stable = all.iter().find(|set| !stable_hash.is_empty() && set.hash == stable_hash).cloned();
        let others = all.iter().filter(|set| set.hash != hash && set.hash != stable_hash).cloned().collect();
        let runs = analysis::runs_of(store, &ro);
        let (experiment, other_experiments) = super::experiment::of(store, &ro);
        let fully = !stable_hash.is_empty() && ro["status"]["currentPodHash"] == stable_hash;
        let mut pause = Pause::default();
        if fully && ro["status"]["abort"] == true {
            pause.remove_abort = true;
        }
        Some(Self {
            key: key.clone(),
            within_delay: new.deadline.is_some_and(|at| at > now),
            weights: ro["status"]["canary"]["weights"].clone(),
            restarted_at: ro["status"]["restartedAt"].clone(),
            experiment_name: Value::Null,
            new,
            stable,
            others,
            pause,
            runs,
            experiment,
            other_experiments,
            wake: None,
            now,
            ro,
        })
    }

    pub(super) fn blue_green(&self) -> bool {
        !self.ro["spec"]["strategy"]["blueGreen"].is_null()
    }

    /// The part of the strategy that is used.
    pub(super) fn strategy(&self) -> &Value {
        let strategy = &self.ro["spec"]["strategy"];
        if self.blue_green() { &strategy["blueGreen"] } else { &strategy["canary"] }
    }

    pub(super) fn routed(&self) -> bool {
        !self.blue_green() && !self.strategy()["trafficRouting"].is_null()
    }

    pub(super) fn dynamic(&self) -> bool {
        self.routed() && self.strategy()["dynamicStableScale"] == true
    }

    pub(super) fn replicas(&self) -> i64 {
        self.ro["spec"]["replicas"].as_i64().unwrap_or(1)
    }

    pub(super) fn status(&self) -> &Value {
        &self.ro["status"]
    }

    pub(super) fn flag(&self, name: &str) -> bool {
        self.status()[name] == true
    }

    pub(super) fn text(&self, name: &str) -> &str {
        self.status()[name].as_str().unwrap_or_default()
    }

    pub(super) fn by_hand(&self) -> bool {
        self.ro["spec"]["paused"] == true
    }

    pub(super) fn steps(&self) -> &[Value] {
        self.strategy()["steps"].as_array().map_or(&[], Vec::as_slice)
    }

    /// The step that is under way, if there are steps at all.
    pub(super) fn index(&self) -> Option<usize> {
        if self.blue_green() || self.steps().is_empty() {
            return None;
        }
        let index = self.status()["currentStepIndex"].as_u64().unwrap_or(0);
        Some(usize::try_from(index).unwrap_or(usize::MAX))
    }

    pub(super) fn step(&self) -> Option<&Value> {
        self.steps().get(self.index()?)
    }

    pub(super) fn fully_promoted(&self) -> bool {
        !self.text("stableRS").is_empty() && self.text("stableRS") == self.text("currentPodHash")
    }

    pub(super) fn aborted(&self) -> bool {
        self.pause.aborted(self.flag("abort"))
    }

    pub(super) fn pause_condition(&self, reason: &str) -> Option<Timestamp> {
        let all = self.status()["pauseConditions"].as_array()?;
        let found = all.iter().find(|c| c["reason"] == reason)?;
        Some(found["startTime"].as_str().and_then(|t| t.parse().ok()).unwrap_or(self.now))
    }

    pub(super) fn has_pause(&self) -> bool {
        self.status()["pauseConditions"].as_array().is_some_and(|all| !all.is_empty())
    }

    /// Why nothing moves.
    pub(super) fn halted(&self) -> bool {
        self.by_hand() || self.pause_condition("InconclusiveAnalysisRun").is_some()
    }

    /// All ReplicaSets of the rollout.
    pub(super) fn all(&self) -> impl Iterator<Item = &Set> {
        let stable = self.stable.as_ref().filter(|stable| stable.hash != self.new.hash);
        std::iter::once(&self.new).chain(stable).chain(&self.others)
    }

    /// The ReplicaSet with this hash.
    pub(super) fn set(&self, hash: &str) -> Option<&Set> {
        self.all().find(|set| set.hash == hash)
    }

    pub(super) fn sum(&self, pick: fn(&Counts) -> i64) -> i64 {
        self.all().map(|set| pick(&set.counts)).sum()
    }

    /// Whether a set has all pods that the rollout asks for.
    pub(super) fn saturated(&self, set: &Set) -> bool {
        let wanted = self.replicas();
        set.size == wanted && set.desired == Some(wanted) && set.counts.available == wanted
    }

    /// Whether the number of replicas was changed.
    pub(super) fn scaling(&self) -> bool {
        let seen = [Some(&self.new), self.stable.as_ref()];
        seen.into_iter().flatten().any(|set| set.size > 0 && set.desired.is_some_and(|d| d != self.replicas()))
    }

    /// Looks again at `at`, or before.
    pub(super) fn wake_at(&mut self, at: Timestamp) {
        self.wake = Some(self.wake.map_or(at, |wake| wake.min(at)));
    }

    pub(super) fn event(&self, store: &mut Store, reason: &str, message: &str) {
        events::record(store, &self.ro, false, reason, message);
    }

    pub(super) fn warn(&self, store: &mut Store, reason: &str, message: &str) {
        events::record(store, &self.ro, true, reason, message);
    }

    pub(super) fn revision(&self) -> &str {
        self.ro["metadata"]["annotations"][REVISION].as_str().unwrap_or("0")
    }

    /// A return to a version that was there before the stable one, not far back.
    pub(super) fn within_window(&self) -> bool {
        let Some(stable) = &self.stable else { return false };
        let window = self.ro["spec"]["rollbackWindow"]["revisions"].as_i64().unwrap_or(0);
        let between = self.all().filter(|set| set.created < stable.created && set.created > self.new.created).count();
        window > 0 && self.new.created < stable.created && i64::try_from(between).unwrap_or(i64::MAX) < window
    }

    /// A return that skips pauses and analyses.
    pub(super) fn fast_rollback(&self) -> bool {
        let Some(stable) = &self.stable else { return false };
        let to_stable = self.text("stableRS") == self.new.hash;
        let back = to_stable || self.new.created < stable.created;
        back && (to_stable || self.within_window() || (self.within_delay && self.blue_green()))
    }

    /// Seconds in a field of the strategy.
    pub(super) fn seconds(&self, field: &str) -> Option<i64> {
        self.strategy()[field].as_i64()
    }

    /// How long an old ReplicaSet is kept after the switch.
    pub(super) fn scale_down_delay(&self) -> SignedDuration {
        if !self.blue_green() && !self.routed() {
            return SignedDuration::ZERO;
        }
        SignedDuration::from_secs(self.seconds("scaleDownDelaySeconds").unwrap_or(30))
    }

    /// What is written back of the whole rollout: never the template of the workload it refers to.
    pub(super) fn stored(&self, store: &Store) -> Value {
        store.copy(&self.key).unwrap_or_else(|| json!({}))
    }
}
