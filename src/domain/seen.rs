//! What a person saw when they asked for an act. Every write tests the parts of it that the act depends on.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::Serialize;

use super::rollout::{Observed, PauseCondition, Rollout};
use super::text::Clean;

/// What was on screen (or what a verb read, or was told to expect).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Seen {
    /// `metadata.uid`.
    pub uid: Clean,
    /// `metadata.resourceVersion`: evidence only. A rollout's version moves on every status write, so no write tests it.
    pub resource_version: Clean,
    /// `metadata.generation`.
    pub generation: i64,
    /// Whether the controller had seen that generation.
    pub observed: Observed,
    /// `status.currentPodHash`.
    pub pod_hash: Clean,
    /// `status.stableRS`.
    pub stable_hash: Clean,
    /// Revision number, for people.
    pub revision: Option<i64>,
    /// `status.currentStepIndex`.
    pub step_index: Option<i64>,
    /// `status.pauseConditions`, whole.
    pub pause_conditions: Vec<PauseCondition>,
    /// `status.controllerPause`.
    pub controller_pause: bool,
    /// `status.blueGreen.activeSelector`: who has the live traffic.
    pub active_hash: Clean,
    /// `spec.paused`.
    pub spec_paused: bool,
    /// `status.abort`.
    pub abort: bool,
    /// `status.promoteFull`.
    pub promote_full: bool,
    /// When this was read.
    pub read_at: Timestamp,
}

/// How much of what was seen an act rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Care {
    /// All that says where a release stands: acts that move it forward.
    Everything,
    /// The object and the version in flight: acts that stop harm. A timed pause that ends while a person decides must not
    /// turn an abort away.
    Version,
}

/// What differs between what was seen and what is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// In the words of the screen, e.g. `step`.
    pub what: &'static str,
    /// What was seen.
    pub seen: String,
    /// What is there now.
    pub now: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} was {}, is {}", self.what, self.seen, self.now)
    }
}

impl Seen {
    /// Takes down what `rollout` shows.
    pub fn of(rollout: &Rollout, read_at: Timestamp) -> Self {
        Self {
            uid: rollout.uid.clone(),
            resource_version: rollout.resource_version.clone(),
            generation: rollout.generation,
            observed: rollout.observed(),
            pod_hash: rollout.pod_hash.clone(),
            stable_hash: rollout.stable_hash.clone(),
            revision: rollout.revision,
            step_index: rollout.step_index,
            pause_conditions: rollout.pause_conditions.clone(),
            controller_pause: rollout.controller_pause,
            active_hash: rollout.blue_green.active.clone(),
            spec_paused: rollout.spec_paused,
            abort: rollout.abort,
            promote_full: rollout.promote_full,
            read_at,
        }
    }

    /// What changed in `now`, as far as an act with this `care` depends on it.
    ///
    /// The replica counts and the resource version are not compared: they move all the time and mean nothing here.
    pub fn differences(&self, now: &Rollout, care: Care) -> Vec<Difference> {
        let mut found = Vec::new();
        let mut compare = |what, seen: String, now: String| {
            if seen != now {
                found.push(Difference { what, seen, now });
            }
        };
        compare("object", self.uid.to_string(), now.uid.to_string());
        compare("version", or_none(&self.pod_hash), or_none(&now.pod_hash));
        if care == Care::Version {
            return found;
        }
        compare("active version", or_none(&self.active_hash), or_none(&now.blue_green.active));
        compare("step", step(self.step_index), step(now.step_index));
        compare("pause", pauses(&self.pause_conditions), pauses(&now.pause_conditions));
        compare("manual pause", yes(self.spec_paused), yes(now.spec_paused));
        compare("aborted", yes(self.abort), yes(now.abort));
        compare("full promotion", yes(self.promote_full), yes(now.promote_full));
        compare("spec generation", self.generation.to_string(), now.generation.to_string());
        found
    }

    /// The evidence that goes on record, all as strings.
    pub fn evidence(&self) -> BTreeMap<String, String> {
        let mut map = BTreeMap::new();
        let mut put = |key: &str, value: String| map.insert(key.to_owned(), value);
        put("uid", self.uid.to_string());
        put("resourceVersion", self.resource_version.to_string());
        put("generation", self.generation.to_string());
        put("podHash", self.pod_hash.to_string());
        put("stableHash", self.stable_hash.to_string());
        if let Some(revision) = self.revision {
            put("revision", revision.to_string());
        }
        if let Some(step) = self.step_index {
            put("stepIndex", step.to_string());
        }
        if !self.active_hash.is_empty() {
            put("activeHash", self.active_hash.to_string());
        }
        put("pauses", pauses(&self.pause_conditions));
        put("manualPause", yes(self.spec_paused));
        put("aborted", yes(self.abort));
        put("readAt", self.read_at.to_string());
        map
    }
}

fn or_none(text: &Clean) -> String {
    if text.is_empty() { "none".to_owned() } else { text.to_string() }
}

/// Counted from 1, as on screen.
fn step(index: Option<i64>) -> String {
    index.map_or_else(|| "none".to_owned(), |index| (index + 1).to_string())
}

fn yes(b: bool) -> String {
    if b { "yes" } else { "no" }.to_owned()
}

fn pauses(conditions: &[PauseCondition]) -> String {
    if conditions.is_empty() {
        return "none".to_owned();
    }
    conditions.iter().map(|c| format!("{} since {}", c.reason, c.start_time)).collect::<Vec<_>>().join(", ")
}
