//! The command line.

mod config;
pub(super) mod look;
mod needs;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Command, Subcommand, ValueEnum};
use jiff::Timestamp;

use crate::actions::{Needs, TABLE};
use crate::error::Kind;

pub(super) use config::ConfigVerb;
pub(super) use needs::said;

const EXAMPLES: &str = "\
Examples:
  flightdeck                                    the cockpit on the current kube context
  flightdeck demo                               the cockpit on an embedded demo world
  flightdeck status -n shop                     what is going on in one namespace
  flightdeck resume shop/payments --yes --reason 'error rate is flat'
  flightdeck watch shop/payments -o json        one JSON object a line, for ever
  flightdeck audit verify                       is the record whole?";

/// Under which the options stand that every verb has.
const HEADING: &str = "Everywhere";

/// How results are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people.
    #[default]
    Human,
    /// For scripts: one JSON document (`watch`: one a line).
    Json,
}

/// What every verb understands.
#[derive(Clone, Debug, Args)]
pub(super) struct Global {
    /// The kube context to use instead of the current one; may be given several times
    #[arg(long, global = true, help_heading = HEADING, value_name = "NAME")]
    pub context: Vec<String>,
    /// Every context of the kubeconfig
    #[arg(long, global = true, help_heading = HEADING, conflicts_with = "context")]
    pub all_contexts: bool,
    /// Only this namespace instead of all; may be given several times
    #[arg(short, long, global = true, help_heading = HEADING, value_name = "NAME")]
    pub namespace: Vec<String>,
    /// The kubeconfig to use
    #[arg(long, global = true, help_heading = HEADING, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// The configuration file
    #[arg(long, global = true, help_heading = HEADING, value_name = "FILE", env = "FLIGHTDECK_CONFIG")]
    pub config: Option<PathBuf>,
    /// Where the audit log and log files are kept
    #[arg(long, global = true, help_heading = HEADING, value_name = "DIR", env = "FLIGHTDECK_STATE_DIR")]
    pub state_dir: Option<PathBuf>,
    /// Never write to a cluster
    #[arg(long, global = true, help_heading = HEADING)]
    pub read_only: bool,
    /// No colours (also: the variable `NO_COLOR`)
    #[arg(long, global = true, help_heading = HEADING)]
    pub no_color: bool,
    /// Only ASCII characters
    #[arg(long, global = true, help_heading = HEADING)]
    pub ascii: bool,
    /// Leave clicks and the wheel to the terminal
    #[arg(long, global = true, help_heading = HEADING)]
    pub no_mouse: bool,
}

/// Verbs that are not acts.
#[derive(Clone, Debug, Subcommand)]
pub(super) enum Fixed {
    /// List all targets and where they stand
    Status(StatusArgs),
    /// Show one target: steps, weights, revisions
    Get(GetArgs),
    /// Print a line whenever a target changes
    Watch(WatchArgs),
    /// Read and verify the audit log
    Audit {
        /// What to do
        #[command(subcommand)]
        verb: AuditVerb,
    },
    /// Bring the last good version back, by a plan of recorded steps
    Rollback(RollbackArgs),
    /// See and go on with plans that a process left unfinished when it died
    Plan {
        /// What to do
        #[command(subcommand)]
        verb: PlanVerb,
    },
    /// Print the logs of a target's pods
    Logs(look::LogsArgs),
    /// Print an object of a target as YAML
    Yaml(look::YamlArgs),
    /// Show how the pod templates of two revisions differ
    Diff(look::DiffArgs),
    /// List the revisions of a target
    History(look::OneArgs),
    /// List the cluster's Events about a target, newest first
    Events(look::OneArgs),
    /// See, check and begin a configuration
    Config {
        /// What to do
        #[command(subcommand)]
        verb: ConfigVerb,
    },
    /// Check what Flightdeck needs, and say how to fix what is missing
    Doctor(DoctorArgs),
    /// Open the cockpit on an embedded demo world; nothing real is touched
    Demo(DemoArgs),
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

/// `status`
#[derive(Clone, Debug, Args)]
pub(super) struct StatusArgs {
    /// Output format
    #[arg(short, long, value_enum, default_value_t)]
    pub output: Format,
    /// How long to wait for the first answers
    #[arg(long, default_value = "10s", value_name = "DURATION", value_parser = duration)]
    pub timeout: Duration,
}

/// `get`
#[derive(Clone, Debug, Args)]
pub(super) struct GetArgs {
    /// NAME or NAMESPACE/NAME
    pub target: String,
    /// How to ask
    #[command(flatten)]
    pub how: StatusArgs,
}

/// `watch`
#[derive(Clone, Debug, Args)]
pub(super) struct WatchArgs {
    /// NAME or NAMESPACE/NAME; all targets when left out
    pub target: Option<String>,
    /// Output format
    #[arg(short, long, value_enum, default_value_t)]
    pub output: Format,
    /// Stop after this time (default: never)
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub timeout: Option<Duration>,
}

/// `rollback`
#[derive(Clone, Debug, Args)]
pub(super) struct RollbackArgs {
    /// NAME or NAMESPACE/NAME
    pub target: String,
    /// The revision, by number or by pod-template hash [default: the last good one, where that is proven]
    #[arg(long, value_name = "N|HASH")]
    pub to_revision: Option<String>,
    /// Only print the plan
    #[arg(long)]
    pub plan_only: bool,
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
pub(super) enum PlanVerb {
    /// List plans that were left unfinished
    List {
        /// Output format
        #[arg(short, long, value_enum, default_value_t)]
        output: Format,
    },
    /// Go on with one: its remaining steps are looked at anew
    Resume {
        /// Its id, or the beginning of it
        id: String,
        /// Confirm without being asked
        #[arg(short, long)]
        yes: bool,
        /// Why; goes on record
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
        /// Output format
        #[arg(short, long, value_enum, default_value_t)]
        output: Format,
    },
}

/// `doctor`
#[derive(Clone, Debug, Args)]
pub(super) struct DoctorArgs {
    /// Output format
    #[arg(short, long, value_enum, default_value_t)]
    pub output: Format,
}

/// `demo`
#[derive(Clone, Debug, Args)]
pub(super) struct DemoArgs {
    /// The seed of everything random in the demo world
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// calm-canary (as when left out), bad-canary, blue-green, stuck-analysis, outage, git-undo, fleet-N (N rollouts), or
    /// a scenario file of your own (….toml)
    #[arg(long, value_name = "NAME|FILE")]
    pub scenario: Option<String>,
    /// Serve the demo world until Ctrl-C and print its kubeconfig, without the cockpit
    #[arg(long)]
    pub serve: bool,
}

impl DemoArgs {
    /// As a bare start has them.
    pub(super) const fn plain() -> Self {
        Self { seed: 1, scenario: None, serve: false }
    }
}

/// `audit …`
#[derive(Clone, Debug, Subcommand)]
pub(super) enum AuditVerb {
    /// List records, newest first
    List {
        /// Only records about this target: NAME or NAMESPACE/NAME
        target: Option<String>,
        /// At most so many
        #[arg(long, default_value_t = 30, value_name = "N")]
        limit: usize,
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
pub(super) enum WitnessKind {
    /// The clusters: a `ConfigMap` called flightdeck-witness.
    Cluster,
}

/// How an export is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum ExportFormat {
    /// The stored lines, chained and verifiable.
    #[default]
    Jsonl,
    /// A table for a spreadsheet; it cannot be verified.
    Csv,
}

/// `audit export`
#[derive(Clone, Debug, Args)]
pub(super) struct ExportArgs {
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
pub(super) struct ReconcileArgs {
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

/// Every act. What only some of them need is added by [`needs`].
#[derive(Clone, Debug, Args)]
pub(super) struct ActArgs {
    /// NAME or NAMESPACE/NAME; several are done one after another, each with its own record
    #[arg(required = true, num_args = 1..)]
    pub target: Vec<String>,
    /// Why; goes on record
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Confirm without being asked
    #[arg(short, long)]
    pub yes: bool,
    /// With several targets: go on with the others when one fails
    #[arg(long)]
    pub keep_going: bool,
    /// How long to wait for the effect once the server accepted [default: what the act is known to need]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub wait: Option<Duration>,
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

fn duration(text: &str) -> Result<Duration, String> {
    let parsed: jiff::SignedDuration = text.parse().map_err(|_| "write it as 10s, 500ms or 2m".to_owned())?;
    Duration::try_from(parsed).map_err(|_| "it must not be negative".to_owned())
}

/// A time, a date (its midnight in UTC), or a duration ago.
fn moment(text: &str) -> Result<Timestamp, String> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(time);
    }
    if let Ok(date) = text.parse::<jiff::civil::Date>() {
        return date.to_zoned(jiff::tz::TimeZone::UTC).map(|zoned| zoned.timestamp()).map_err(|e| e.to_string());
    }
    let ago = duration(text).map_err(|_| "write it as 24h, 2026-11-25 or 2026-11-25T10:00:00Z".to_owned())?;
    Timestamp::now().checked_sub(ago).map_err(|_| "that is too long ago".to_owned())
}

fn exit_codes() -> String {
    let lines = Kind::ALL.iter().map(|kind| format!("  {:>2}  {}", kind.code(), kind.meaning()));
    std::iter::once("Exit codes:\n   0  done".to_owned()).chain(lines).collect::<Vec<_>>().join("\n")
}

/// The whole tree. The verbs that act come from the table.
pub(super) fn command() -> Command {
    // The derived parts bring their doc comments along as descriptions, so ours come after them.
    let base = Fixed::augment_subcommands(Global::augment_args(Command::new("flightdeck")))
        .version(env!("CARGO_PKG_VERSION"))
        .about("A release cockpit for the terminal")
        .long_about(
            "A release cockpit for the terminal: watch Argo Rollouts live, act on them safely, and keep every act in a \
             tamper-evident audit log. Without a verb it opens the cockpit on the current kube context, or the demo \
             world where there is no kubeconfig at all.",
        )
        .after_help(EXAMPLES)
        .after_long_help(format!("{EXAMPLES}\n\n{}", exit_codes()))
        .subcommand_required(false)
        .infer_subcommands(false);
    TABLE.iter().fold(base, |base, action| {
        let more = match action.needs {
            Needs::Image => " app=shop/payments:8ab41e0",
            Needs::Revision => " --to-revision 7",
            Needs::Duration => " --for 2h",
            Needs::Nothing | Needs::Run => "",
        };
        let example =
            format!("Example:\n  flightdeck {} shop/payments{more} --yes --reason 'checked the rate'", action.verb);
        let about = capitalised(action.help);
        let verb = needs::needs(ActArgs::augment_args(Command::new(action.verb)), action.needs)
            .about(about.clone())
            .long_about(about);
        base.subcommand(verb.after_help(example))
    })
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests;
