//! Arguments of the verbs that say where targets stand.

use std::time::Duration;

use clap::{Args, ValueEnum};
use clap_complete::ArgValueCompleter;

use super::{Format, duration};
use crate::cli::complete;
use crate::cli::condition::Condition;
use crate::cli::selector::Selector;
use crate::model::filter::{Filter, KEYS};

/// How targets are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Shape {
    /// For people.
    #[default]
    Human,
    /// For people with a wide screen: images, replicas and context too.
    Wide,
    /// NAMESPACE/NAME alone, one a line, as every verb takes it.
    Name,
    /// One JSON document.
    Json,
    /// The same document as YAML.
    Yaml,
}

/// `status`
#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct StatusArgs {
    /// Output format
    #[arg(short, long, value_enum, default_value_t)]
    pub output: Shape,
    /// Only targets with these labels: a=b, a!=b, a, !a, 'a in (b,c)', joined by commas
    #[arg(short = 'l', long, value_name = "SELECTOR")]
    pub selector: Option<Selector>,
    /// Only targets that all these words hold for, as after `/` in the cockpit: 'state:paused env:prod !cart'
    #[arg(long, value_name = "WORDS", value_parser = filter, long_help = words())]
    pub filter: Option<Filter>,
    /// Without the line of titles
    #[arg(long)]
    pub no_headers: bool,
    /// One short line, for a status bar
    ///
    /// `✗` what fails, `‖` how many wait for a person, `▸` how many are on their way, `●` how many are steady. A `?` in
    /// front: not everything could be read in time, or no longer is heard of. The exit code says it too: 0 nothing needs
    /// anybody, 1 something does, 7, 8 and 10 as everywhere (10: a namespace was named that has no rollout).
    #[arg(long, conflicts_with_all = ["output", "no_headers"])]
    pub oneline: bool,
    /// How long to wait for the first answers [default: 10s; with --oneline 800ms]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub timeout: Option<Duration>,
}

/// A filter. One that was left empty by mistake must not let everything through: acts may take what `status` prints.
fn filter(text: &str) -> Result<Filter, String> {
    let filter = Filter::parse(text)?;
    if filter.is_empty() {
        return Err("it has no word: write it as 'state:paused env:prod', or leave it out for all".to_owned());
    }
    Ok(filter)
}

/// What a filter takes, as the cockpit's help says it.
fn words() -> String {
    let keys: String = KEYS.iter().map(|(key, takes)| format!("\n  {key}: {takes}")).collect();
    format!(
        "Only targets that all these words hold for, as after `/` in the cockpit\n\nA plain word is looked for in \
         names, contexts, hashes and images. `!` negates, a,b is either, quotes keep spaces. With -l, both must hold.{keys}"
    )
}

/// How one target is asked about.
#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct How {
    /// Output format
    #[arg(short, long, value_enum, default_value_t)]
    pub output: Format,
    /// How long to wait for the first answers
    #[arg(long, default_value = "10s", value_name = "DURATION", value_parser = duration)]
    pub timeout: Duration,
}

/// `get`
#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct GetArgs {
    /// NAME or NAMESPACE/NAME
    #[arg(add = ArgValueCompleter::new(complete::targets))]
    pub target: String,
    /// Output format
    #[arg(short, long, value_enum, default_value_t)]
    pub output: Shape,
    /// How long to wait for the first answers
    #[arg(long, default_value = "10s", value_name = "DURATION", value_parser = duration)]
    pub timeout: Duration,
}

/// `watch`
#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct WatchArgs {
    /// NAME or NAMESPACE/NAME, also several; all targets when left out
    #[arg(add = ArgValueCompleter::new(complete::targets))]
    pub targets: Vec<String>,
    /// Only targets with these labels, as in `status`
    #[arg(short = 'l', long, value_name = "SELECTOR")]
    pub selector: Option<Selector>,
    /// Output format; JSON: one document a line, of the kinds that `schema` calls Target, `TargetGone`, Link and Heartbeat
    #[arg(short, long, value_enum, default_value_t)]
    pub output: Format,
    /// Say every so often that we are still here, and whether all links are live
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub heartbeat: Option<Duration>,
    /// Stop after this time [default: never]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub timeout: Option<Duration>,
}

/// `wait`
#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct WaitArgs {
    /// NAME or NAMESPACE/NAME; with several all of them must get there
    #[arg(required_unless_present = "selector", add = ArgValueCompleter::new(complete::targets))]
    pub targets: Vec<String>,
    /// All targets with these labels, as in `status`
    #[arg(short = 'l', long, value_name = "SELECTOR", conflicts_with = "targets")]
    pub selector: Option<Selector>,
    /// What for: healthy, paused, progressing, done, degraded, gone, step=N, weight=N, revision=N
    ///
    /// healthy: the controller says so of the latest spec. done: the new version has all traffic. step=N: on step N, or
    /// past it. weight=N: the new version really has N percent, or more: what was only asked for does not count;
    /// weight=0: it has none any more, as after an abort.
    /// revision=N: this revision is the current one.
    #[arg(long = "for", value_name = "CONDITION")]
    pub condition: Condition,
    /// How long at most
    #[arg(long, default_value = "10m", value_name = "DURATION", value_parser = duration)]
    pub timeout: Duration,
    /// Output format
    #[arg(short, long, value_enum, default_value_t)]
    pub output: Format,
}
