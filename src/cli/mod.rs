//! Verbs: the command line, the wiring of the parts, human and JSON output.
//!
//! Verbs that act come from [`crate::actions::TABLE`] and pass the same steps as keys (invariant 7).

mod act;
mod args;
mod audit;
mod call;
mod complete;
mod condition;
mod config;
mod demo;
mod doctor;
mod dto;
mod dto_look;
mod dto_plan;
mod dto_watch;
mod look;
mod lost;
mod man;
mod oneline;
mod output;
mod plan;
mod plugin;
mod rates;
mod rbac;
mod rehearse;
mod release;
mod schema;
mod selector;
mod settings;
mod setup;
mod show;
mod status;
mod targets;
mod wait;
mod watch;

use std::io::Write as _;
use std::process::ExitCode;

use clap::FromArgMatches as _;

use self::args::{ActArgs, Fixed, Global};
use crate::actions;
use crate::error::{Error, Kind};

/// The most threads that work beside the main one: on a machine with a hundred processors a hundred would sleep here.
const WORKERS: usize = 4;

/// Parses, chooses a face and runs it. One rustls provider is installed before anything can ask for one.
pub fn main() -> ExitCode {
    // Err = somebody installed one already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    if plugin::called_as(plugin::COMPLETER) {
        return complete::for_kubectl();
    }
    complete::answer();
    let matches = match args::command().try_get_matches() {
        Ok(matches) => matches,
        Err(e) => return said(&suggested(e)),
    };
    output::prepare(matches.get_flag("ascii"));
    let threads = std::thread::available_parallelism().map_or(2, |all| all.get().min(WORKERS));
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build() {
        Ok(runtime) => runtime,
        Err(e) => return fail(&Error::new(Kind::Failure, format!("cannot start: {e}"))),
    };
    let done = runtime.block_on(run(&matches));
    // A thread that waits for a key or a disk must not hold the program.
    runtime.shutdown_background();
    match done {
        Ok(code) => code,
        Err(error) => fail(&error),
    }
}

/// The same error, with the verb that was most likely meant: letters that changed places are too far for clap.
fn suggested(mut error: clap::Error) -> clap::Error {
    use clap::error::{ContextKind, ContextValue, ErrorKind};
    let word = match (error.kind(), error.get(ContextKind::InvalidSubcommand)) {
        (ErrorKind::InvalidSubcommand, Some(ContextValue::String(word))) => word.clone(),
        _ => return error,
    };
    if error.get(ContextKind::SuggestedSubcommand).is_none() {
        let tree = args::command();
        let near = crate::domain::nearest::nearest(&word, tree.get_subcommands().map(clap::Command::get_name));
        if let Some(near) = near {
            error.insert(ContextKind::SuggestedSubcommand, ContextValue::Strings(vec![near.to_owned()]));
        }
    }
    error
}

/// Help, the version, or what is wrong with the command line.
fn said(error: &clap::Error) -> ExitCode {
    output::prepare(false);
    // Nobody may be listening.
    let _ = if output::ascii() {
        let text = output::plain(&error.to_string());
        if error.use_stderr() { write!(std::io::stderr(), "{text}") } else { write!(std::io::stdout(), "{text}") }
    } else {
        error.print()
    };
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(Kind::Usage.code()))
}

fn fail(error: &Error) -> ExitCode {
    // Nobody may be listening on the other end of the pipe.
    output::note(&plugin::spoken(&format!("flightdeck: {error}")));
    ExitCode::from(error)
}

async fn run(matches: &clap::ArgMatches) -> Result<ExitCode, Error> {
    let usage = |e: clap::Error| Error::new(Kind::Usage, e.to_string());
    let global = Global::from_arg_matches(matches).map_err(usage)?.with_variables();
    match matches.subcommand() {
        None => setup::cockpit(&global).await,
        Some((verb, of_verb)) => match actions::by_verb(verb) {
            Some(action) => {
                let args = ActArgs::from_arg_matches(of_verb).map_err(usage)?;
                let said = args::said(of_verb, action.needs).map_err(usage)?;
                match args.target.as_slice() {
                    [_] => act::run(&global, action, args, said).await,
                    _ => plan::group(&global, action, &args, &said).await,
                }
            }
            None => match Fixed::from_arg_matches(matches).map_err(usage)? {
                Fixed::Status(args) => status::status(&global, &args).await,
                Fixed::Get(args) => status::get(&global, &args).await,
                Fixed::Watch(args) => watch::watch(&global, &args).await,
                Fixed::Wait(args) => wait::run(&global, &args).await,
                Fixed::Rollback(args) => plan::rollback(&global, &args).await,
                Fixed::Plan { verb } => plan::plans(&global, verb).await,
                Fixed::Audit { verb } => audit::run(&global, verb).await,
                Fixed::Logs(args) => look::logs(&global, &args).await,
                Fixed::Yaml(args) => look::yaml(&global, &args).await,
                Fixed::Diff(args) => look::diff(&global, &args).await,
                Fixed::History(args) => look::history(&global, &args).await,
                Fixed::Events(args) => look::events(&global, &args).await,
                Fixed::Config { verb } => config::run(&global, verb),
                Fixed::Doctor(args) => doctor::run(&global, args.output).await,
                Fixed::Rbac(args) => rbac::run(&global, &args),
                Fixed::Man(args) => man::run(&args),
                Fixed::Schema(args) => schema::run(&args),
                Fixed::Demo(args) => demo::run(&global, &args).await,
                Fixed::Completions { shell, fixed: false } => {
                    output::raw(&complete::script(&shell.to_string())?)?;
                    Ok(ExitCode::SUCCESS)
                }
                Fixed::Completions { shell, fixed: true } => {
                    let mut script = Vec::new();
                    clap_complete::generate(shell, &mut args::command(), "flightdeck", &mut script);
                    output::raw(&script)?;
                    Ok(ExitCode::SUCCESS)
                }
            },
        },
    }
}
