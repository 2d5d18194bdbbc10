//! What a shell offers when a word is completed: targets, revisions, contexts, namespaces.
//!
//! A person waits with a finger on the Tab key: everything is soon or not at all, and what goes wrong is quiet.

use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use clap::FromArgMatches as _;
use clap_complete::CompletionCandidate;
use clap_complete::env::{CompleteEnv, Shells};

use super::args::{self, Global};
use super::plugin::{self, COMPLETER};
use super::setup::Ground;
use crate::error::{Error, Kind};
use crate::systems::argo_rollouts::names;
use crate::systems::kubernetes::client::{Cluster, ConnectSettings, read_kubeconfig};

/// The variable by which a shell's script calls.
const VARIABLE: &str = "_FLIGHTDECK_COMPLETE";

/// How long a server may take.
const DEADLINE: Duration = Duration::from_millis(700);

/// An answer this young is given again without asking.
const FRESH: Duration = Duration::from_secs(10);

/// An answer this old is better than none, where the server does not answer.
const OLD: Duration = Duration::from_hours(24);

/// Answers a shell that asks for completions, and ends the program then.
pub(super) fn answer() {
    CompleteEnv::with_factory(args::command).var(VARIABLE).complete();
}

/// The script that makes a shell ask.
pub(super) fn script(shell: &str) -> Result<Vec<u8>, Error> {
    let failed = |why: String| Error::new(Kind::Failure, format!("completions for {shell}: {why}"));
    let shells = Shells::builtins();
    let shell = shells.completer(shell).ok_or_else(|| failed("this shell is not known".to_owned()))?;
    let mut script = Vec::new();
    shell
        .write_registration(VARIABLE, "flightdeck", "flightdeck", "flightdeck", &mut script)
        .map_err(|e| failed(e.to_string()))?;
    Ok(script)
}

/// Answers kubectl, which runs `kubectl_complete-flightdeck` with the words so far: candidates, each with its help behind
/// a tab, and `:4`, which says that file names are no answer.
pub(super) fn for_kubectl() -> ExitCode {
    let words: Vec<OsString> =
        std::iter::once(OsString::from("flightdeck")).chain(std::env::args_os().skip(1)).collect();
    let mut tree = args::command();
    let last = words.len() - 1;
    let found = clap_complete::engine::complete(&mut tree, words, last, None).unwrap_or_default();
    let mut text = String::new();
    for one in found {
        let help = one.get_help().map(|help| format!("\t{}", help.to_string().lines().next().unwrap_or_default()));
        let _ = writeln!(text, "{}{}", one.get_value().to_string_lossy(), help.unwrap_or_default());
    }
    text.push_str(":4\n");
    let _ = super::output::raw(text.as_bytes());
    ExitCode::SUCCESS
}

/// What was typed so far, read as far as it goes.
struct Typed {
    ground: Ground,
    target: Option<String>,
}

fn typed() -> Option<Typed> {
    let words = std::env::args_os().skip(1);
    // A shell's script puts the line behind `--`; kubectl gives it as it is.
    let words: Vec<OsString> = if plugin::called_as(COMPLETER) {
        std::iter::once("flightdeck".into()).chain(words).collect()
    } else {
        words.skip_while(|word| word != "--").skip(1).collect()
    };
    let matches = args::command().ignore_errors(true).try_get_matches_from(words).ok()?;
    let global = Global::from_arg_matches(&matches).ok()?.with_variables();
    let target = matches.subcommand().and_then(|(_, of)| {
        let mut raw = of.try_get_raw("target").ok().flatten()?;
        raw.next().map(|word| word.to_string_lossy().into_owned())
    });
    Some(Typed { ground: Ground::find(&global).ok()?, target })
}

/// Runs one short question to its end, or to the deadline.
fn ask<T>(question: impl Future<Output = Option<T>>) -> Option<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
    let answer = runtime.block_on(async { tokio::time::timeout(DEADLINE, question).await.ok().flatten() });
    // A login helper that still runs must not hold the shell.
    runtime.shutdown_background();
    answer
}

fn candidates(found: impl IntoIterator<Item = String>, begun: &str) -> Vec<CompletionCandidate> {
    found.into_iter().filter(|one| one.starts_with(begun)).map(CompletionCandidate::new).collect()
}

/// Targets, as NAMESPACE/NAME; by their name alone where that is how the word begins.
pub(super) fn targets(begun: &OsStr) -> Vec<CompletionCandidate> {
    let begun = begun.to_string_lossy();
    let Some(all) = typed().and_then(|typed| known(&typed.ground)) else { return Vec::new() };
    let whole = candidates(all.clone(), &begun);
    if !whole.is_empty() {
        return whole;
    }
    let names = all.iter().filter_map(|id| id.split_once('/')).filter(|(_, name)| name.starts_with(&*begun));
    names.map(|(namespace, name)| CompletionCandidate::new(format!("{namespace}/{name}"))).collect()
}

/// All targets: from the server, or as it said last.
fn known(ground: &Ground) -> Option<Vec<String>> {
    let kept = kept(ground);
    if let Some(fresh) = kept.as_deref().and_then(|file| remembered(file, FRESH)) {
        return Some(fresh);
    }
    let settings = ground.everywhere().ok()?;
    let asked = ask(async {
        let mut all = Vec::new();
        for one in &settings {
            let cluster = Cluster::connect(one).await.ok()?;
            all.extend(names::rollouts(&cluster, DEADLINE).await.ok()?);
        }
        Some(all)
    });
    match (asked, kept) {
        (Some(all), kept) => {
            if let Some(file) = kept {
                remember(&file, &all);
            }
            Some(all)
        }
        (None, Some(file)) => remembered(&file, OLD),
        (None, None) => None,
    }
}

/// Where the answer is kept: one file for each place that is asked.
fn kept(ground: &Ground) -> Option<PathBuf> {
    use sha2::{Digest as _, Sha256};
    let asked: Vec<&ConnectSettings> = vec![&ground.settings];
    let place = format!("{asked:?} {:?} {} {:?}", ground.contexts, ground.all_contexts, std::env::var_os("KUBECONFIG"));
    let name: String = Sha256::digest(place.as_bytes()).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    Some(ground.state.as_ref()?.join("completions").join(name))
}

fn remembered(file: &Path, age: Duration) -> Option<Vec<String>> {
    let changed = std::fs::metadata(file).ok()?.modified().ok()?;
    // A time in the future is no age.
    let young = SystemTime::now().duration_since(changed).is_ok_and(|since| since < age);
    young
        .then(|| std::fs::read_to_string(file).ok())
        .flatten()
        .map(|text| text.lines().map(ToOwned::to_owned).collect())
}

fn remember(file: &Path, all: &[String]) {
    let Some(folder) = file.parent() else { return };
    let part = file.with_extension(std::process::id().to_string());
    let written = std::fs::create_dir_all(folder).and_then(|()| std::fs::write(&part, all.join("\n")));
    let _ = written.and_then(|()| std::fs::rename(&part, file));
}

/// The revisions of the target that was typed before.
pub(super) fn revisions(begun: &OsStr) -> Vec<CompletionCandidate> {
    let begun = begun.to_string_lossy();
    let Some(Typed { ground, target: Some(target) }) = typed() else { return Vec::new() };
    let Some(all) = known(&ground) else { return Vec::new() };
    let id = all.iter().find(|id| **id == target || id.split_once('/').is_some_and(|(_, name)| name == target));
    let Some((namespace, name)) = id.and_then(|id| id.split_once('/')) else { return Vec::new() };
    let found = ask(async {
        let cluster = Cluster::connect(&ground.settings).await.ok()?;
        names::revisions(&cluster, namespace, name, DEADLINE).await.ok()
    });
    let fits = found.unwrap_or_default().into_iter().filter(|(number, _)| number.starts_with(&*begun));
    fits.enumerate()
        .map(|(place, (number, images))| {
            CompletionCandidate::new(number).help(Some(images.into())).display_order(Some(place))
        })
        .collect()
}

/// The contexts of the kubeconfig.
pub(super) fn contexts(begun: &OsStr) -> Vec<CompletionCandidate> {
    let Some(Typed { ground, .. }) = typed() else { return Vec::new() };
    let known = read_kubeconfig(&ground.settings).map(|known| known.contexts).unwrap_or_default();
    candidates(known.into_iter().map(|context| context.name), &begun.to_string_lossy())
}

/// The namespaces that can be seen, else those that have targets.
pub(super) fn namespaces(begun: &OsStr) -> Vec<CompletionCandidate> {
    let Some(Typed { mut ground, .. }) = typed() else { return Vec::new() };
    let seen = ask(async {
        let cluster = Cluster::connect(&ground.settings).await.ok()?;
        names::namespaces(&cluster, DEADLINE).await.ok()
    });
    let found = seen.or_else(|| {
        // The one that is being typed must not narrow what is looked at.
        ground.settings.namespaces.clear();
        let mut found: Vec<String> = known(&ground)?
            .iter()
            .filter_map(|id| id.split_once('/'))
            .map(|(namespace, _)| namespace.to_owned())
            .collect();
        found.dedup();
        Some(found)
    });
    candidates(found.unwrap_or_default(), &begun.to_string_lossy())
}
