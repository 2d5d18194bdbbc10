//! The command line.

mod about;
mod act;
mod audit;
mod config;
mod examples;
mod fixed;
pub(super) mod look;
mod needs;
mod status;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Command, Subcommand as _, ValueEnum};
use clap_complete::ArgValueCompleter;
use jiff::Timestamp;

use crate::actions::{Needs, TABLE};
use crate::cli::{complete, plugin};

pub(super) use self::about::{DemoArgs, ManArgs, RbacArgs, Role, SchemaArgs};
pub(super) use self::act::{ActArgs, PlanVerb, RollbackArgs};
pub(super) use self::audit::{AuditVerb, ExportArgs, ExportFormat, ReconcileArgs, WitnessKind};
pub(super) use self::config::ConfigVerb;
pub(super) use self::fixed::Fixed;
pub(super) use self::needs::said;
pub(super) use self::status::{GetArgs, How, Shape, StatusArgs, WaitArgs, WatchArgs};

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
#[derive(Clone, Debug, Default, Args)]
pub(super) struct Global {
    /// The kube context to use instead of the current one; may be given several times
    #[arg(long, global = true, help_heading = HEADING, value_name = "NAME", add = ArgValueCompleter::new(complete::contexts))]
    pub context: Vec<String>,
    /// Every context of the kubeconfig
    #[arg(long, global = true, help_heading = HEADING, conflicts_with = "context")]
    pub all_contexts: bool,
    /// Only this namespace instead of all; may be given several times
    #[arg(short, long, global = true, help_heading = HEADING, value_name = "NAME", add = ArgValueCompleter::new(complete::namespaces))]
    pub namespace: Vec<String>,
    /// All namespaces, even where the configuration names one
    #[arg(short = 'A', long, global = true, help_heading = HEADING, conflicts_with = "namespace")]
    pub all_namespaces: bool,
    /// Act as this user, where the cluster allows it; records name both
    #[arg(long = "as", global = true, help_heading = HEADING, value_name = "USER")]
    pub impersonate: Option<String>,
    /// And as a member of this group; may be given several times
    #[arg(long = "as-group", global = true, help_heading = HEADING, value_name = "GROUP", requires = "impersonate")]
    pub impersonate_groups: Vec<String>,
    /// The kubeconfig to use
    #[arg(long, global = true, help_heading = HEADING, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// The configuration file (also: the variable `FLIGHTDECK_CONFIG`)
    #[arg(long, global = true, help_heading = HEADING, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Read no configuration file: one that is broken must not keep an abort (also: the variable `FLIGHTDECK_NO_CONFIG`)
    ///
    /// What the files say of policy is not known then, so the strictest holds: only acts that stop harm (abort, pause, hold,
    /// forbid) go, in production with a --reason, none without a record. Context and namespaces are the kubeconfig's or those
    /// of flags.
    #[arg(long, global = true, help_heading = HEADING, conflicts_with = "config")]
    pub no_config: bool,
    /// Where the audit log and log files are kept (also: the variable `FLIGHTDECK_STATE_DIR`)
    #[arg(long, global = true, help_heading = HEADING, value_name = "DIR")]
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

impl Global {
    /// The variables that stand for places. Read here and not by clap, whose usage lines would show what is set.
    pub(super) fn with_variables(self) -> Self {
        let said = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        let no = |value: &std::ffi::OsString| value == "0" || value == "false";
        // A file that is named on the command line is meant.
        let no_config =
            self.no_config || (self.config.is_none() && said("FLIGHTDECK_NO_CONFIG").is_some_and(|v| !no(&v)));
        let config = self.config.or_else(|| said("FLIGHTDECK_CONFIG").map(PathBuf::from));
        let state_dir = self.state_dir.or_else(|| said("FLIGHTDECK_STATE_DIR").map(PathBuf::from));
        Self { config, no_config, state_dir, ..self }
    }
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

/// The whole tree. The verbs that act come from the table.
pub(super) fn command() -> Command {
    // The derived parts bring their doc comments along as descriptions, so ours come after them.
    let base = Fixed::augment_subcommands(Global::augment_args(Command::new("flightdeck").bin_name(plugin::name())))
        .version(env!("CARGO_PKG_VERSION"))
        .about("A release cockpit for the terminal")
        .long_about(
            "A release cockpit for the terminal: watch Argo Rollouts live, act on them safely, and keep every act in a \
             tamper-evident audit log. Without a verb it opens the cockpit on the current kube context, or the demo \
             world where there is no kubeconfig at all.",
        )
        .after_help(plugin::spoken(EXAMPLES))
        .after_long_help(plugin::spoken(&format!("{EXAMPLES}\n\n{}", examples::exit_codes())))
        .subcommand_required(false)
        .infer_subcommands(false);
    TABLE.iter().fold(examples::exampled(base, ""), |base, action| {
        let more = match action.needs {
            Needs::Image => " app=shop/payments:8ab41e0",
            Needs::Revision => " --to-revision 7",
            Needs::Duration => " --for 2h",
            Needs::Nothing | Needs::Run => "",
        };
        let verb = action.verb;
        let example = format!(
            "  flightdeck {verb} shop/payments{more} --dry-run\n  \
             flightdeck {verb} shop/payments{more} --yes --reason 'checked the rate'"
        );
        let about = capitalised(action.help);
        let verb = needs::needs(ActArgs::augment_args(Command::new(action.verb)), action.needs)
            .about(about.clone())
            .long_about(about);
        base.subcommand(examples::ended(verb, &example))
    })
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests;
