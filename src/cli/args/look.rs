//! Arguments of the verbs that look at one target more closely.

use std::time::Duration;

use clap::{Args, ValueEnum};
use clap_complete::ArgValueCompleter;

use super::{How, duration};
use crate::cli::complete;

/// `logs`
#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct LogsArgs {
    /// NAME or NAMESPACE/NAME
    #[arg(add = ArgValueCompleter::new(complete::targets))]
    pub target: String,
    /// Go on with what comes, also of pods that appear later
    #[arg(short, long)]
    pub follow: bool,
    /// Of the containers before their last restart
    #[arg(long, conflicts_with = "follow")]
    pub previous: bool,
    /// Only the pods of this revision, by number or by pod-template hash
    #[arg(long, value_name = "N|HASH", add = ArgValueCompleter::new(complete::revisions))]
    pub revision: Option<String>,
    /// Only this pod
    #[arg(long, value_name = "NAME", conflicts_with = "revision")]
    pub pod: Option<String>,
    /// Only this container
    #[arg(short, long, value_name = "NAME")]
    pub container: Option<String>,
    /// At most so many lines of the past of each container
    #[arg(long, value_name = "N")]
    pub tail: Option<u32>,
    /// Not older than this
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub since: Option<Duration>,
    /// Only lines with this text; capitals matter if it has any
    #[arg(long, value_name = "TEXT")]
    pub search: Option<String>,
    /// How to ask
    #[command(flatten)]
    pub how: How,
}

/// Which object of a target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum ObjectKind {
    /// The Rollout
    #[default]
    Rollout,
    /// The ReplicaSet of a revision (--revision; the current one when left out)
    #[value(alias = "rs")]
    Replicaset,
    /// An AnalysisRun (--name)
    #[value(alias = "ar")]
    Analysisrun,
    /// An Experiment (--name)
    Experiment,
    /// What the Rollout's workloadRef names
    Workload,
    /// The pod template of a revision (--revision; the current one when left out)
    Template,
}

/// `yaml`
#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct YamlArgs {
    /// NAME or NAMESPACE/NAME
    #[arg(add = ArgValueCompleter::new(complete::targets))]
    pub target: String,
    /// Which object
    #[arg(long, value_enum, default_value_t)]
    pub kind: ObjectKind,
    /// The revision, by number or by pod-template hash
    #[arg(long, value_name = "N|HASH", add = ArgValueCompleter::new(complete::revisions))]
    pub revision: Option<String>,
    /// The object's name
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// With metadata.managedFields, which is long and left out else
    #[arg(long)]
    pub managed_fields: bool,
    /// How to ask
    #[command(flatten)]
    pub how: How,
}

/// `diff`
#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct DiffArgs {
    /// NAME or NAMESPACE/NAME
    #[arg(add = ArgValueCompleter::new(complete::targets))]
    pub target: String,
    /// The revision to compare from, by number or by pod-template hash
    #[arg(value_name = "REVISION")]
    pub from: String,
    /// The revision to compare with [default: the current one]
    #[arg(value_name = "REVISION")]
    pub to: Option<String>,
    /// How to ask
    #[command(flatten)]
    pub how: How,
}

/// `history`, `events`
#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct OneArgs {
    /// NAME or NAMESPACE/NAME
    #[arg(add = ArgValueCompleter::new(complete::targets))]
    pub target: String,
    /// Without the line of titles
    #[arg(long)]
    pub no_headers: bool,
    /// How to ask
    #[command(flatten)]
    pub how: How,
}
