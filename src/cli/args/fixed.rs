//! The verbs that are not acts.

use clap::Subcommand;

use super::about::{DemoArgs, DoctorArgs, ManArgs, RbacArgs, SchemaArgs};
use super::act::{PlanVerb, RollbackArgs};
use super::audit::AuditVerb;
use super::config::ConfigVerb;
use super::look;
use super::status::{GetArgs, StatusArgs, WaitArgs, WatchArgs};

/// Verbs that are not acts.
#[derive(Clone, Debug, Subcommand)]
pub(in crate::cli) enum Fixed {
    /// List all targets and where they stand
    Status(StatusArgs),
    /// Show one target: steps, weights, revisions
    Get(GetArgs),
    /// Print a line whenever a target changes
    Watch(WatchArgs),
    /// Wait until targets have got somewhere
    Wait(WaitArgs),
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
    /// Print Kubernetes roles for people who use Flightdeck, and bind them
    Rbac(RbacArgs),
    /// Open the cockpit on an embedded demo world; nothing real is touched
    ///
    /// Its records go to a log of its own, `demo/audit` in the state directory, which all scenarios share; `flightdeck
    /// --state-dir STATE/demo audit list` reads it. With --serve other programs reach the world by the variables that are
    /// printed: verbs, kubectl, and cockpits in other terminals.
    Demo(DemoArgs),
    /// Print the manual page
    Man(ManArgs),
    /// Print the JSON Schema of a document that `-o json` prints
    Schema(SchemaArgs),
    /// Print a completion script for a shell
    ///
    /// bash: source <(flightdeck completions bash). It completes targets, revisions, contexts and namespaces too: it asks
    /// the cluster for at most 0.7 s, and gives what it said last where that does not answer.
    Completions {
        /// The shell
        shell: clap_complete::Shell,
        /// A script that knows verbs and flags, and asks nobody
        #[arg(long = "static")]
        fixed: bool,
    },
}
