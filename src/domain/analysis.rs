//! AnalysisRuns and Experiments (`argoproj.io/v1alpha1`), as far as a release needs them.

use std::fmt;

use jiff::Timestamp;
use serde::Serialize;

use super::text::Clean;

/// The phase of an analysis, a metric, a measurement or an experiment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub enum RunPhase {
    /// Not begun.
    #[default]
    Pending,
    /// Under way.
    Running,
    /// Ended well.
    Successful,
    /// Neither good nor bad: a person decides.
    Inconclusive,
    /// It could not be measured.
    Error,
    /// Ended badly.
    Failed,
    /// A word that is not known.
    Unknown,
}

impl RunPhase {
    /// Reads the controller's word; nothing yet is [`RunPhase::Pending`].
    pub fn parse(word: &str) -> Self {
        match word {
            "" | "Pending" => Self::Pending,
            "Running" => Self::Running,
            "Successful" => Self::Successful,
            "Inconclusive" => Self::Inconclusive,
            "Error" => Self::Error,
            "Failed" => Self::Failed,
            _ => Self::Unknown,
        }
    }

    /// The controller's word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::Running => "Running",
            Self::Successful => "Successful",
            Self::Inconclusive => "Inconclusive",
            Self::Error => "Error",
            Self::Failed => "Failed",
            Self::Unknown => "Unknown",
        }
    }

    /// Whether it has ended.
    pub const fn completed(self) -> bool {
        matches!(self, Self::Successful | Self::Inconclusive | Self::Error | Self::Failed)
    }
}

impl fmt::Display for RunPhase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What a rollout's status says of one of its analyses (`currentStepAnalysisRunStatus` and its like).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RunRef {
    /// The AnalysisRun's name.
    pub name: Clean,
    /// Its phase.
    pub phase: RunPhase,
    /// Its message.
    pub message: Clean,
}

/// What an analysis is for (label `rollout-type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunKind {
    /// A step of the ladder.
    Step,
    /// In the background of a canary.
    Background,
    /// Before a blue-green cutover.
    PrePromotion,
    /// After it.
    PostPromotion,
    /// Part of an experiment, or not labelled.
    Other,
}

impl RunKind {
    /// Reads the label.
    pub fn parse(label: &str) -> Self {
        match label {
            "Step" => Self::Step,
            "Background" => Self::Background,
            "PrePromotion" => Self::PrePromotion,
            "PostPromotion" => Self::PostPromotion,
            _ => Self::Other,
        }
    }

    /// In the words of the screen.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Step => "step",
            Self::Background => "background",
            Self::PrePromotion => "pre-promotion",
            Self::PostPromotion => "post-promotion",
            Self::Other => "other",
        }
    }
}

/// An AnalysisRun.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AnalysisRun {
    /// Its namespace.
    pub namespace: Clean,
    /// Its name.
    pub name: Clean,
    /// Its uid.
    pub uid: Clean,
    /// The version of the object that said this.
    pub resource_version: Clean,
    /// The uid of the rollout (or experiment) that controls it.
    pub owner_uid: Clean,
    /// What it is for.
    pub kind: RunKind,
    /// Label `step-index`, from 0.
    pub step_index: Option<i64>,
    /// Label `rollouts-pod-template-hash`.
    pub pod_hash: Clean,
    /// Annotation `rollout.argoproj.io/revision`.
    pub revision: Option<i64>,
    /// Its phase.
    pub phase: RunPhase,
    /// Its message.
    pub message: Clean,
    /// When it began.
    pub started: Option<Timestamp>,
    /// When it ended.
    pub completed: Option<Timestamp>,
    /// `spec.terminate`.
    pub terminate: bool,
    /// Its metrics, in the order of the spec.
    pub metrics: Vec<Metric>,
}

/// One metric of an analysis: what is asked, and what came.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Metric {
    /// Its name.
    pub name: Clean,
    /// The provider's key: `prometheus`, `web`, `job`, …
    pub provider: Clean,
    /// The query that ran (`metadata.ResolvedPrometheusQuery`), else the one of the spec.
    pub query: Clean,
    /// `successCondition`.
    pub success: Clean,
    /// `failureCondition`.
    pub failure: Clean,
    /// `failureLimit`, text on the wire too; 0 by default.
    pub failure_limit: Clean,
    /// Whether it counts (`dryRun`).
    pub dry_run: bool,
    /// Its phase.
    pub phase: RunPhase,
    /// Its message.
    pub message: Clean,
    /// Measurements in all, and by result.
    pub counts: Counts,
    /// The latest measurements that the controller kept (10 by default), oldest first.
    pub measurements: Vec<Measurement>,
}

/// How many measurements ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// All but errors, as the controller counts.
    pub count: i64,
    /// Successful.
    pub successful: i64,
    /// Failed.
    pub failed: i64,
    /// Inconclusive.
    pub inconclusive: i64,
    /// Errors.
    pub error: i64,
}

/// One measurement.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Measurement {
    /// Its result.
    pub phase: RunPhase,
    /// The value as the provider wrote it, e.g. `[0.0731]`.
    pub value: Clean,
    /// Why it failed or could not be taken.
    pub message: Clean,
    /// When it ended.
    pub finished: Option<Timestamp>,
}

impl AnalysisRun {
    /// Counts over all metrics: what the plugin prints as `✔ 4,✖ 1`.
    pub fn counts(&self) -> Counts {
        self.metrics.iter().fold(Counts::default(), |sum, metric| Counts {
            count: sum.count + metric.counts.count,
            successful: sum.successful + metric.counts.successful,
            failed: sum.failed + metric.counts.failed,
            inconclusive: sum.inconclusive + metric.counts.inconclusive,
            error: sum.error + metric.counts.error,
        })
    }
}

/// An Experiment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Experiment {
    /// Its namespace.
    pub namespace: Clean,
    /// Its name.
    pub name: Clean,
    /// Its uid.
    pub uid: Clean,
    /// The version of the object that said this.
    pub resource_version: Clean,
    /// The uid of the rollout that controls it.
    pub owner_uid: Clean,
    /// Annotation `rollout.argoproj.io/revision`.
    pub revision: Option<i64>,
    /// Its phase.
    pub phase: RunPhase,
    /// Its message.
    pub message: Clean,
    /// Seconds that it is to run, as the spec says it.
    pub duration: Clean,
    /// When its templates were available.
    pub available_at: Option<Timestamp>,
    /// Its templates: name, phase word, available of wanted replicas.
    pub templates: Vec<ExperimentTemplate>,
    /// Its analyses.
    pub runs: Vec<RunRef>,
}

/// A template of an experiment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ExperimentTemplate {
    /// Its name.
    pub name: Clean,
    /// The controller's word.
    pub status: Clean,
    /// Available replicas.
    pub available: i64,
    /// Replicas.
    pub replicas: i64,
}
