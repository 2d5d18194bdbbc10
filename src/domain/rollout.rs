//! An Argo Rollout, as far as a release needs it, and what the controller's own client would say of it.
//!
//! The derived words and numbers follow Argo Rollouts v1.10.1: `utils/rollout/rolloututil.go` for phase and
//! message, `pkg/kubectl-argo-rollouts/info` and `utils/replicaset/canary.go` for the weights.

use std::fmt;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::analysis::{RunPhase, RunRef};
use super::ids::TargetId;
use super::owner::GitOwner;
use super::steps::Step;
pub use super::strategy::{BlueGreen, Canary, Strategy, Weights};
use super::text::Clean;
pub use super::weight::{ActualWeight, WeightBasis};

/// The phase of a rollout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub enum Phase {
    /// Fully promoted and available.
    Healthy,
    /// On its way.
    Progressing,
    /// Waiting.
    Paused,
    /// Failed, aborted or invalid.
    Degraded,
    /// The object says nothing, or a word that is not known.
    Unknown,
}

impl Phase {
    /// Reads the controller's word.
    pub fn parse(word: &str) -> Self {
        match word {
            "Healthy" => Self::Healthy,
            "Progressing" => Self::Progressing,
            "Paused" => Self::Paused,
            "Degraded" => Self::Degraded,
            _ => Self::Unknown,
        }
    }

    /// The controller's word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Healthy => "Healthy",
            Self::Progressing => "Progressing",
            Self::Paused => "Paused",
            Self::Degraded => "Degraded",
            Self::Unknown => "Unknown",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// One entry of `status.pauseConditions`.
///
/// The start time is part of what a person saw: abort and retry bring back the same reason with another time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PauseCondition {
    /// `CanaryPauseStep`, `BlueGreenPause`, `InconclusiveAnalysisRun`, `InconclusiveExperiment`.
    pub reason: Clean,
    /// Since when, exactly as the server wrote it (it is sent back in a `test`).
    pub start_time: Clean,
}

impl PauseCondition {
    /// Since when.
    pub fn since(&self) -> Option<Timestamp> {
        self.start_time.as_str().parse().ok()
    }
}

/// A container of the pod template.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Container {
    /// Its name.
    pub name: Clean,
    /// Its image.
    pub image: Clean,
}

/// `spec.workloadRef`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WorkloadRef {
    /// E.g. `apps/v1`.
    pub api_version: Clean,
    /// E.g. `Deployment`.
    pub kind: Clean,
    /// Its name.
    pub name: Clean,
    /// Annotation `rollout.argoproj.io/workload-generation`: the generation that the controller read.
    pub generation: Option<i64>,
    /// `status.workloadObservedGeneration`, a string on the wire.
    pub observed: Clean,
}

impl fmt::Display for WorkloadRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind, self.name)
    }
}

/// `status.blueGreen`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BlueGreenStatus {
    /// `activeSelector`: the pod-template hash that has the live traffic.
    pub active: Clean,
    /// `previewSelector`.
    pub preview: Clean,
    /// `prePromotionAnalysisRunStatus`.
    pub pre_run: Option<RunRef>,
    /// `postPromotionAnalysisRunStatus`.
    pub post_run: Option<RunRef>,
}

/// Replica counts of a rollout's status.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Replicas {
    /// `spec.replicas` (1 when unset).
    pub desired: i64,
    /// `status.replicas`.
    pub current: i64,
    /// `status.updatedReplicas`.
    pub updated: i64,
    /// `status.readyReplicas`.
    pub ready: i64,
    /// `status.availableReplicas`.
    pub available: i64,
}

/// Whether the controller has seen the spec that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Observed {
    /// `status.observedGeneration` equals `metadata.generation` (or is not a number, as old controllers write it).
    Current,
    /// The spec changed since: everything else the status says is about the spec before.
    Behind,
}

/// A Rollout.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rollout {
    /// Its identity.
    pub id: TargetId,
    /// Its uid.
    pub uid: Clean,
    /// The version of the object that said this.
    pub resource_version: Clean,
    /// `metadata.generation`.
    pub generation: i64,
    /// `status.observedGeneration`, a string on the wire.
    pub observed_generation: Clean,
    /// When it was created.
    pub created: Option<Timestamp>,
    /// Whether it is being deleted.
    pub deleting: bool,
    /// `metadata.labels` that environment rules may name.
    pub labels: Vec<(Clean, Clean)>,
    /// Annotation `rollout.argoproj.io/revision`.
    pub revision: Option<i64>,
    /// Its strategy.
    pub strategy: Strategy,
    /// The containers of `spec.template`, in order; empty with `workloadRef`.
    pub containers: Vec<Container>,
    /// `spec.workloadRef`: the object that holds the template instead.
    pub workload_ref: Option<WorkloadRef>,
    /// Who else writes the spec.
    pub owner: GitOwner,
    /// `spec.restartAt`.
    pub restart_at: Option<Timestamp>,
    /// `status.restartedAt`: equals `restart_at` when that restart is through.
    pub restarted_at: Option<Timestamp>,
    /// `spec.rollbackWindow.revisions`: so many revisions back need no steps, pauses and analyses.
    pub rollback_window: Option<i64>,
    /// `spec.progressDeadlineSeconds`, 600 by default.
    pub progress_deadline: i64,
    /// `spec.progressDeadlineAbort`: whether it is aborted when that time is over.
    pub progress_deadline_abort: bool,
    /// `spec.paused`.
    pub spec_paused: bool,
    /// `status.phase`.
    pub phase: Phase,
    /// `status.message`.
    pub message: Clean,
    /// `status.currentPodHash`.
    pub pod_hash: Clean,
    /// `status.stableRS`: a pod-template hash; empty before the first release completed.
    pub stable_hash: Clean,
    /// `status.currentStepIndex`.
    pub step_index: Option<i64>,
    /// `status.pauseConditions`.
    pub pause_conditions: Vec<PauseCondition>,
    /// `status.controllerPause`.
    pub controller_pause: bool,
    /// `status.abort`.
    pub abort: bool,
    /// `status.abortedAt`.
    pub aborted_at: Option<Timestamp>,
    /// `status.promoteFull`.
    pub promote_full: bool,
    /// `status.canary.weights`; absent without a traffic router.
    pub weights: Option<Weights>,
    /// `status.canary.currentStepAnalysisRunStatus`.
    pub step_run: Option<RunRef>,
    /// `status.canary.currentBackgroundAnalysisRunStatus`.
    pub background_run: Option<RunRef>,
    /// `status.canary.currentExperiment`.
    pub experiment: Clean,
    /// `status.blueGreen`.
    pub blue_green: BlueGreenStatus,
    /// Since when the `Progressing` condition says what it says, and its reason: what the progress deadline counts from.
    pub progressing: Option<(Clean, Timestamp)>,
    /// Since when the `Completed` condition is true: when the release that is live was through.
    pub completed_at: Option<Timestamp>,
    /// Replica counts.
    pub replicas: Replicas,
    /// Label selector of its pods, of all versions (`status.selector`).
    pub selector: Clean,
}

impl Rollout {
    /// Whether the controller has seen the spec.
    pub fn observed(&self) -> Observed {
        match self.observed_generation.as_str().parse::<i64>() {
            Ok(seen) if seen < self.generation => Observed::Behind,
            _ => Observed::Current,
        }
    }

    /// Phase and message as `kubectl argo rollouts get` says them.
    pub fn status(&self) -> (Phase, Clean) {
        if self.observed() == Observed::Behind {
            return (Phase::Progressing, Clean::new("waiting for rollout spec update to be observed"));
        }
        if self.controller_pause && self.pause_conditions.is_empty() {
            return (Phase::Progressing, Clean::new("waiting for rollout to unpause"));
        }
        (self.phase, self.message.clone())
    }

    /// The steps of a canary, else none.
    pub fn steps(&self) -> &[Step] {
        self.strategy.canary().map_or(&[], |canary| &canary.steps)
    }

    /// Index and step that the canary stands on; `None` when there is none left (or no ladder).
    pub fn current_step(&self) -> Option<(usize, &Step)> {
        let index = usize::try_from(self.step_index.unwrap_or(0)).ok()?;
        self.steps().get(index).map(|step| (index, step))
    }

    /// What counts as all traffic.
    pub fn max_weight(&self) -> i64 {
        self.strategy.canary().map_or(100, |canary| canary.max_weight)
    }

    /// Whether traffic is split by a router rather than by pod counts.
    pub fn has_router(&self) -> bool {
        self.strategy.canary().is_some_and(|canary| canary.router.is_some())
    }

    /// Whether the desired version is the stable one: nothing is in flight.
    pub fn fully_promoted(&self) -> bool {
        !self.pod_hash.is_empty() && self.pod_hash == self.stable_hash
    }

    /// Whether this is the first release: it goes out without steps, pauses and analyses.
    pub fn first_release(&self) -> bool {
        self.stable_hash.is_empty()
    }

    /// Whether the live traffic of a blue-green is on the new version, which is not the stable one yet.
    pub fn cut_over(&self) -> bool {
        self.strategy.blue_green().is_some()
            && !self.fully_promoted()
            && !self.pod_hash.is_empty()
            && self.blue_green.active == self.pod_hash
    }

    /// Its images, in container order.
    pub fn images(&self) -> impl Iterator<Item = &Clean> {
        self.containers.iter().map(|container| &container.image)
    }

    /// Whether a restart of its pods is under way (or planned).
    pub fn restarting(&self) -> bool {
        self.restart_at.is_some() && self.restart_at != self.restarted_at
    }

    /// Whether the step's analysis is inconclusive.
    pub fn step_inconclusive(&self) -> bool {
        self.step_run.as_ref().is_some_and(|run| run.phase == RunPhase::Inconclusive)
    }

    /// The analyses that the status names, with what each is for.
    pub fn runs(&self) -> impl Iterator<Item = (&'static str, &RunRef)> {
        [
            ("step analysis", &self.step_run),
            ("background analysis", &self.background_run),
            ("pre-promotion analysis", &self.blue_green.pre_run),
            ("post-promotion analysis", &self.blue_green.post_run),
        ]
        .into_iter()
        .filter_map(|(what, run)| run.as_ref().map(|run| (what, run)))
    }

    /// When a timed pause ends by itself; `None` when it waits for a person, or nothing pauses.
    ///
    /// A canary's pause step counts from its condition's start (`rollout/pause.go`), a blue-green's preview likewise with
    /// `autoPromotionSeconds`. A pause by hand, or an inconclusive analysis, holds on regardless.
    pub fn resumes_at(&self) -> Option<Timestamp> {
        if self.spec_paused || self.abort {
            return None;
        }
        let [condition] = self.pause_conditions.as_slice() else { return None };
        let seconds = match condition.reason.as_str() {
            "CanaryPauseStep" => match self.current_step() {
                Some((_, Step::Pause { seconds })) => *seconds,
                _ => None,
            },
            "BlueGreenPause" => self.strategy.blue_green()?.promotes_itself_after(),
            _ => None,
        }?;
        condition.since()?.checked_add(jiff::SignedDuration::from_secs(seconds)).ok()
    }

    /// When the controller gives up waiting for pods (`ProgressDeadlineExceeded`); `None` while nothing runs against it.
    pub fn gives_up_at(&self) -> Option<Timestamp> {
        let (reason, since) = self.progressing.as_ref()?;
        let counts = matches!(
            reason.as_str(),
            "NewReplicaSetCreated" | "FoundNewReplicaSet" | "ReplicaSetUpdated" | "RolloutResumed" | "RolloutRetry"
        );
        let under_way = self.phase == Phase::Progressing
            && self.replicas.updated > self.replicas.available.min(self.replicas.updated);
        (counts && under_way)
            .then(|| since.checked_add(jiff::SignedDuration::from_secs(self.progress_deadline)).ok())?
    }

    /// Since when it is paused, the oldest condition counting. Of a pause by hand nothing on the object says when it was
    /// made, and the conditions beside it are older or younger than it.
    pub fn paused_since(&self) -> Option<Timestamp> {
        if self.spec_paused {
            return None;
        }
        self.pause_conditions.iter().filter_map(PauseCondition::since).min()
    }
}
