//! A rollout with what it owns: what acts are judged by.

use std::sync::Arc;

use super::analysis::AnalysisRun;
use super::rollout::Rollout;
use super::text::Clean;
use super::workload::ReplicaSet;

/// What is known of a target at one moment.
#[derive(Clone, Copy, Debug)]
pub struct Sight<'a> {
    /// The rollout.
    pub rollout: &'a Rollout,
    /// Its ReplicaSets, newest revision first.
    pub sets: &'a [Arc<ReplicaSet>],
    /// Its AnalysisRuns, where they are watched or were asked for.
    pub runs: Option<&'a [AnalysisRun]>,
}

impl<'a> Sight<'a> {
    /// Of a rollout alone.
    pub const fn of(rollout: &'a Rollout) -> Self {
        Self { rollout, sets: &[], runs: None }
    }

    /// The ReplicaSet with this pod-template hash.
    pub fn set(&self, pod_hash: &Clean) -> Option<&'a Arc<ReplicaSet>> {
        self.sets.iter().find(|set| !pod_hash.is_empty() && set.pod_hash == *pod_hash)
    }

    /// The ReplicaSet of the version that is being released.
    pub fn canary_set(&self) -> Option<&'a Arc<ReplicaSet>> {
        self.set(&self.rollout.pod_hash)
    }

    /// The ReplicaSet of the stable version.
    pub fn stable_set(&self) -> Option<&'a Arc<ReplicaSet>> {
        self.set(&self.rollout.stable_hash)
    }
}
