//! An Argo Rollout, as far as a release needs it, and what the controller's own client would say of it.
//!
//! The derived words and numbers follow Argo Rollouts v1.10.1: `utils/rollout/rolloututil.go` for phase and
//! message, `pkg/kubectl-argo-rollouts/info` and `utils/replicaset/canary.go` for the weights.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ids::TargetId;
use super::steps::Step;
use super::text::Clean;

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

/// Who decides how much traffic the canary gets, and by what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum Strategy {
    /// Canary.
    Canary {
        /// The ladder.
        steps: Vec<Step>,
        /// The traffic router's key (`nginx`, `istio`, …), `None` = by replica counts.
        router: Option<Clean>,
        /// What counts as 100 % (`trafficRouting.maxTrafficWeight`, 100 by default).
        max_weight: i64,
    },
    /// Blue-green.
    BlueGreen {
        /// The Service that takes the live traffic.
        active_service: Clean,
        /// The Service that shows the new version.
        preview_service: Option<Clean>,
    },
    /// Neither is declared: the controller says `InvalidSpec`.
    None,
}

impl Strategy {
    /// The short word.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Canary { .. } => "canary",
            Self::BlueGreen { .. } => "blue-green",
            Self::None => "no strategy",
        }
    }
}

/// `status.canary.weights`: what the controller told the router.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Weights {
    /// The canary's.
    pub canary: i64,
    /// The stable version's.
    pub stable: i64,
    /// Whether the router confirmed it; `None` = not checked.
    pub verified: Option<bool>,
}

/// Replica counts of a rollout's status.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
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
    /// The images of `spec.template`, in container order; empty with `workloadRef`.
    pub images: Vec<Clean>,
    /// `spec.workloadRef` as `Kind/name`.
    pub workload_ref: Option<Clean>,
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
    /// Whether the step's analysis is inconclusive (`status.canary.currentStepAnalysisRunStatus.status`).
    pub step_analysis_inconclusive: bool,
    /// Replica counts.
    pub replicas: Replicas,
    /// Label selector of its pods (`status.selector`).
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
        match &self.strategy {
            Strategy::Canary { steps, .. } => steps,
            Strategy::BlueGreen { .. } | Strategy::None => &[],
        }
    }

    /// Index and step that the canary stands on; `None` when there is none left (or no ladder).
    pub fn current_step(&self) -> Option<(usize, &Step)> {
        let index = usize::try_from(self.step_index.unwrap_or(0)).ok()?;
        self.steps().get(index).map(|step| (index, step))
    }

    /// What counts as all traffic.
    pub fn max_weight(&self) -> i64 {
        match self.strategy {
            Strategy::Canary { max_weight, .. } => max_weight,
            Strategy::BlueGreen { .. } | Strategy::None => 100,
        }
    }

    /// Whether traffic is split by a router rather than by pod counts.
    pub fn has_router(&self) -> bool {
        matches!(self.strategy, Strategy::Canary { router: Some(_), .. })
    }

    /// Whether the desired version is the stable one: nothing is in flight.
    pub fn fully_promoted(&self) -> bool {
        !self.pod_hash.is_empty() && self.pod_hash == self.stable_hash
    }

    /// The weight that the ladder asks for: the plugin's `SetWeight`.
    pub fn desired_weight(&self) -> Option<i64> {
        let Strategy::Canary { steps, max_weight, .. } = &self.strategy else {
            return None;
        };
        if self.abort {
            return Some(0);
        }
        let Some((index, _)) = self.current_step() else {
            return Some(*max_weight);
        };
        let set = steps[..=index].iter().rev().find_map(|step| match step {
            Step::SetWeight { weight } => Some(*weight),
            _ => None,
        });
        Some(set.unwrap_or(0))
    }

    /// The weight that the canary has: the plugin's `ActualWeight`. `canary_available` is the number of available
    /// pods of the ReplicaSet of [`Rollout::pod_hash`], `None` when that ReplicaSet is not known.
    pub fn actual_weight(&self, canary_available: Option<i64>) -> Option<ActualWeight> {
        let Strategy::Canary { router, max_weight, .. } = &self.strategy else {
            return None;
        };
        if self.current_step().is_none() {
            return Some(ActualWeight { weight: *max_weight, basis: WeightBasis::FullyPromoted });
        }
        if self.replicas.available <= 0 {
            return Some(ActualWeight { weight: 0, basis: WeightBasis::NoPods });
        }
        if router.is_some() {
            return Some(match &self.weights {
                Some(w) => ActualWeight { weight: w.canary, basis: WeightBasis::Router { verified: w.verified } },
                None => ActualWeight { weight: self.desired_weight().unwrap_or(0), basis: WeightBasis::RouterSilent },
            });
        }
        // Nothing is known of the canary's pods: that is not zero.
        let available = canary_available?;
        Some(ActualWeight {
            weight: available * max_weight / self.replicas.available,
            basis: WeightBasis::Pods { canary: available, all: self.replicas.available },
        })
    }

    /// Since when it is paused, the oldest condition counting.
    pub fn paused_since(&self) -> Option<Timestamp> {
        self.pause_conditions.iter().filter_map(PauseCondition::since).min()
    }
}

/// A weight and how it is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ActualWeight {
    /// Percent of the maximum weight, rounded down as the plugin does.
    pub weight: i64,
    /// How it is known.
    pub basis: WeightBasis,
}

/// How exact a weight is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "basis", rename_all = "camelCase")]
pub enum WeightBasis {
    /// All steps are done.
    FullyPromoted,
    /// No pod is available.
    NoPods,
    /// What the controller told the router.
    Router {
        /// Whether the router confirmed it; `None` = not checked.
        verified: Option<bool>,
    },
    /// A router is configured, but the controller has not written weights: the desired weight stands in.
    RouterSilent,
    /// By counting pods: what a load balancer with equal shares would send.
    Pods {
        /// Available canary pods.
        canary: i64,
        /// Available pods in all.
        all: i64,
    },
}
