//! Arguments of `audit …`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use jiff::Timestamp;

use super::{Format, moment};

/// `audit …`
#[derive(Clone, Debug, Subcommand)]
pub(in crate::cli) enum AuditVerb {
    /// List records, newest first
    List {
        /// Only records about this target: NAME or NAMESPACE/NAME
        target: Option<String>,
        /// At most so many
        #[arg(long, default_value_t = 30, value_name = "N")]
        limit: usize,
        /// Without the line of titles
        #[arg(long)]
        no_headers: bool,
        /// Output format
        #[arg(short, long, value_enum, default_value_t)]
        output: Format,
    },
    /// Show one record whole
    Show {
        /// Its number
        seq: u64,
        /// Output format
        #[arg(short, long, value_enum, default_value_t)]
        output: Format,
    },
    /// Check that no record was altered, reordered, inserted or taken out
    ///
    /// With `--witness cluster` also that no record was cut off at the end: the clusters keep the head of the log as it
    /// was after each act. Exit code 9: something does not hold, or a witnessed record is missing. 7: no witness knows
    /// this log although it has acts, or not every cluster could be asked.
    Verify {
        /// Also ask for canonical form of every line
        #[arg(long)]
        strict: bool,
        /// Also compare with what others keep of this log
        #[arg(long, value_enum, value_name = "WHO", conflicts_with = "file")]
        witness: Option<WitnessKind>,
        /// Check an export instead of the log
        #[arg(long, value_name = "FILE", conflicts_with = "strict")]
        file: Option<PathBuf>,
        /// Output format
        #[arg(short, long, value_enum, default_value_t)]
        output: Format,
    },
    /// Hand records out; as JSON lines they can be verified again with `audit verify --file`
    Export(ExportArgs),
    /// Say what happened to targets that did not pass here: other writers, Events, revisions
    ///
    /// Exit code 0: every write that the cluster remembers is explained by this log or by an Event of another
    /// Flightdeck. 1: something did not pass here. 7: not everything could be read.
    Reconcile(ReconcileArgs),
}

/// Who else keeps heads of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum WitnessKind {
    /// The clusters: a `ConfigMap` called flightdeck-witness.
    Cluster,
}

/// How an export is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum ExportFormat {
    /// The stored lines, chained and verifiable.
    #[default]
    Jsonl,
    /// A table for a spreadsheet; it cannot be verified.
    Csv,
}

/// `audit export`
#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct ExportArgs {
    /// None before this: a time (RFC 3339), a date, or a duration ago, e.g. 24h
    #[arg(long, value_name = "WHEN", value_parser = moment)]
    pub since: Option<Timestamp>,
    /// None after this
    #[arg(long, value_name = "WHEN", value_parser = moment)]
    pub until: Option<Timestamp>,
    /// Only records about NAME or NAMESPACE/NAME; of the others only their hashes, so that the chain stays whole
    #[arg(long)]
    pub target: Option<String>,
    /// How it is written
    #[arg(long, value_enum, default_value_t)]
    pub format: ExportFormat,
    /// Into a new file, for its owner alone, instead of standard output
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Replace the file if it is there
    #[arg(long, requires = "out")]
    pub force: bool,
}

/// `audit reconcile`
#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct ReconcileArgs {
    /// NAME or NAMESPACE/NAME; all targets when left out
    pub targets: Vec<String>,
    /// How far to look back: a duration, a time or a date
    #[arg(long, value_name = "WHEN", default_value = "24h", value_parser = moment)]
    pub since: Timestamp,
    /// Count what may have been a person, or the controller by itself, as unexplained
    #[arg(long)]
    pub strict: bool,
    /// Output format
    #[arg(short, long, value_enum, default_value_t)]
    pub output: Format,
}
