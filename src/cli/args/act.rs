//! Arguments of the verbs that act, and of plans made of acts.

use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use clap_complete::ArgValueCompleter;

use super::{Format, duration};
use crate::cli::complete;

/// How an act is rehearsed: as kubectl spells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum DryRunMode {
    /// The server checks it and stores nothing.
    Server,
}

/// Every act. What only some of them need is added by [`needs`].
#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct ActArgs {
    /// NAME or NAMESPACE/NAME; several are done one after another, each with its own record
    #[arg(required = true, num_args = 1.., add = ArgValueCompleter::new(complete::targets))]
    pub target: Vec<String>,
    /// Why; goes on record
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Confirm without being asked
    #[arg(short, long)]
    pub yes: bool,
    /// With --yes: go on although the errors of the new version are over their limit
    ///
    /// What brings a version forward (resume, skip-step, promote-full, retry, terminate) is refused under --yes alone while
    /// that version was last measured over its limit: nobody saw the rates. At a terminal they stand beside the question.
    #[arg(long)]
    pub over_limit: bool,
    /// With several targets: go on with the others when one fails
    #[arg(long)]
    pub keep_going: bool,
    /// How long to wait for the effect once the server accepted [default: what the act is known to need]
    ///
    /// An act always waits: its outcome is its effect, not the server's answer. `wait` waits for more than that.
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub wait: Option<Duration>,
    /// Change nothing: show the exact requests, and what the server would say of them (`dryRun=All`)
    ///
    /// Everything is checked as for the act: policy, what was expected, rights, schema, admission. Nothing is recorded: a dry
    /// run is no act. The exit code is the act's, as far as it can be known before the effect. Without `--yes` the confirmation
    /// is taken for given; with it, error rates over the limit refuse as they would refuse the act.
    #[arg(long, value_enum, num_args = 0..=1, require_equals = true, default_missing_value = "server", value_name = "server")]
    pub dry_run: Option<DryRunMode>,
    /// Go on although no record can be written; only acts that stop harm may
    #[arg(long)]
    pub without_record: bool,
    /// Only if the target runs this revision
    #[arg(long, value_name = "N")]
    pub expect_revision: Option<i64>,
    /// Only if the target runs this pod-template hash
    #[arg(long, value_name = "HASH")]
    pub expect_hash: Option<String>,
    /// Only if the target stands on this step, counted from 1 as on screen
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(1..))]
    pub expect_step: Option<i64>,
    /// Output format
    #[arg(short, long, value_enum, default_value_t)]
    pub output: Format,
    /// How long to wait for the first answers
    #[arg(long, default_value = "10s", value_name = "DURATION", value_parser = duration)]
    pub timeout: Duration,
}

/// `rollback`
#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct RollbackArgs {
    /// NAME or NAMESPACE/NAME
    #[arg(add = ArgValueCompleter::new(complete::targets))]
    pub target: String,
    /// The revision, by number or by pod-template hash [default: the last good one, where that is proven]
    #[arg(long, value_name = "N|HASH", add = ArgValueCompleter::new(complete::revisions))]
    pub to_revision: Option<String>,
    /// Only print the plan
    #[arg(long)]
    pub plan_only: bool,
    /// Change nothing: show the exact requests, and what the server would say of them (`dryRun=All`)
    ///
    /// Everything is checked as for the act: policy, what was expected, rights, schema, admission. Nothing is recorded: a dry
    /// run is no act. The exit code is the act's, as far as it can be known before the effect. Without `--yes` the confirmation
    /// is taken for given.
    #[arg(long, value_enum, num_args = 0..=1, require_equals = true, default_missing_value = "server", value_name = "server", conflicts_with = "plan_only")]
    pub dry_run: Option<DryRunMode>,
    /// Why; goes on record
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Confirm without being asked
    #[arg(short, long)]
    pub yes: bool,
    /// How long each step may take to have its effect [default: what the act is known to need]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub wait: Option<Duration>,
    /// Output format
    #[arg(short, long, value_enum, default_value_t)]
    pub output: Format,
    /// How long to wait for the first answers
    #[arg(long, default_value = "10s", value_name = "DURATION", value_parser = duration)]
    pub timeout: Duration,
}

/// `plan …`
#[derive(Clone, Debug, Subcommand)]
pub(in crate::cli) enum PlanVerb {
    /// List plans that were left unfinished
    List {
        /// Output format
        #[arg(short, long, value_enum, default_value_t)]
        output: Format,
        /// How long to wait for the first answers
        #[arg(long, default_value = "10s", value_name = "DURATION", value_parser = duration)]
        timeout: Duration,
    },
    /// Go on with one: its remaining steps are looked at anew
    Resume {
        /// Its id, or the beginning of it
        id: String,
        /// Confirm without being asked
        #[arg(short, long)]
        yes: bool,
        /// With --yes: go on although the errors of a new version are over their limit
        #[arg(long)]
        over_limit: bool,
        /// Change nothing: show the next step's requests, and what the server would say of them
        #[arg(long, value_enum, num_args = 0..=1, require_equals = true, default_missing_value = "server", value_name = "server")]
        dry_run: Option<DryRunMode>,
        /// Why; goes on record
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
        /// How long each step may take to have its effect [default: what the act is known to need]
        #[arg(long, value_name = "DURATION", value_parser = duration)]
        wait: Option<Duration>,
        /// Output format
        #[arg(short, long, value_enum, default_value_t)]
        output: Format,
        /// How long to wait for the first answers
        #[arg(long, default_value = "10s", value_name = "DURATION", value_parser = duration)]
        timeout: Duration,
    },
}
