//! Several acts in order, each recorded for itself: a rollback of several steps, or one act on a group of targets.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ids::{ActId, TargetId};
use super::intent::{ActionId, Actor, Confirmed, Params};
use super::outcome::Outcome;
use super::seen::Seen;
use super::text::Clean;

/// Which step of which plan an act is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanRef {
    /// The plan.
    pub id: String,
    /// Its step, counted from 1.
    pub step: u32,
    /// How many there are.
    pub of: u32,
}

/// What becomes of the rest when a step does not end well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnFailure {
    /// The rest is left alone.
    Stop,
    /// The rest is done all the same.
    GoOn,
}

/// One step: an act like any other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Stage {
    /// What it does, in the words of the screen.
    pub title: String,
    /// On what.
    pub target: TargetId,
    /// The label of the cluster.
    pub context: Clean,
    /// The act.
    pub action: ActionId,
    /// Its parameters.
    pub params: Params,
    /// What the person saw; `None` for a step that rests on the outcome of the one before, which is looked at when its
    /// turn comes.
    pub seen: Option<Seen>,
    /// Such a step acts only on this version.
    pub only_on: Option<Clean>,
}

/// A plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// Its name, in records and for going on with it.
    pub id: String,
    /// E.g. `roll back prod-eu/shop/mail to revision 7`.
    pub title: String,
    /// Its steps; at least one.
    pub stages: Vec<Stage>,
    /// What becomes of the rest when a step does not end well.
    pub on_failure: OnFailure,
    /// Who asks.
    pub actor: Actor,
    /// Why.
    pub reason: Option<Clean>,
    /// How it was confirmed, once for all its steps.
    pub confirmed: Confirmed,
}

/// How far a step has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum StageState {
    /// Its turn has not come.
    Waiting,
    /// Under way as this act.
    Running {
        /// The act.
        act: ActId,
    },
    /// Ended.
    Ended {
        /// The act.
        act: ActId,
        /// How.
        outcome: Outcome,
    },
    /// Not needed any more, or left alone after a failure.
    LeftOut {
        /// Why.
        why: String,
    },
}

/// A plan under way, or ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlanRun {
    /// The plan.
    pub plan: std::sync::Arc<Plan>,
    /// When it began.
    pub began: Timestamp,
    /// Its steps, as far as they have come.
    pub stages: Vec<StageState>,
    /// When it ended, and whether every step that was needed ended as *done*.
    pub ended: Option<(Timestamp, bool)>,
}

impl PlanRun {
    /// Whether it is still under way.
    pub const fn running(&self) -> bool {
        self.ended.is_none()
    }

    /// What is left of it: from the first step on that has not ended as done.
    pub fn rest(&self) -> Vec<Stage> {
        let done = |state: &StageState| matches!(state, StageState::Ended { outcome: Outcome::Done { .. }, .. });
        let steps = self.plan.stages.iter().zip(&self.stages);
        steps.skip_while(|(_, state)| done(state)).map(|(stage, _)| stage.clone()).collect()
    }
}

/// What a plan of one act on several targets is called: `abort 3 targets`.
pub fn title_of_group(verb: &str, targets: usize) -> String {
    format!("{verb} {targets} {}", if targets == 1 { "target" } else { "targets" })
}
