//! What the API server says this user may do. It advises; only policy and the server itself forbid.

use serde::Serialize;

/// The answers of permission reviews for one namespace; `None` = not asked, or no answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Permissions {
    /// `patch rollouts`.
    pub patch_rollouts: Option<bool>,
    /// `patch rollouts/status`.
    pub patch_status: Option<bool>,
    /// `patch replicasets.apps`.
    pub patch_sets: Option<bool>,
    /// `patch analysisruns`.
    pub patch_runs: Option<bool>,
    /// `patch deployments.apps`, for what a `workloadRef` names.
    pub patch_deployments: Option<bool>,
}

/// A right that an act needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Right {
    /// `patch rollouts`.
    Rollouts,
    /// `patch rollouts/status`.
    Status,
    /// `patch replicasets.apps`.
    Sets,
    /// `patch analysisruns`.
    Runs,
    /// `patch deployments.apps`.
    Deployments,
}

impl Right {
    /// As `kubectl auth can-i` takes it.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Rollouts => "patch rollouts.argoproj.io",
            Self::Status => "patch rollouts.argoproj.io/status",
            Self::Sets => "patch replicasets.apps",
            Self::Runs => "patch analysisruns.argoproj.io",
            Self::Deployments => "patch deployments.apps",
        }
    }
}

impl Permissions {
    /// What is known of `right`.
    pub const fn has(&self, right: Right) -> Option<bool> {
        match right {
            Right::Rollouts => self.patch_rollouts,
            Right::Status => self.patch_status,
            Right::Sets => self.patch_sets,
            Right::Runs => self.patch_runs,
            Right::Deployments => self.patch_deployments,
        }
    }
}
