//! Verbs that look at one target more closely: `logs`, `yaml`, `diff`, `history`, `events`.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::args::look::{DiffArgs, LogsArgs, ObjectKind, OneArgs, YamlArgs};
use super::args::{Format, Global};
use super::setup::{Ground, Session, interrupted};
use super::targets::find;
use super::{dto, dto_look, output, show};
use crate::domain::history::ClusterEvent;
use crate::domain::link::LinkState;
use crate::domain::text::Clean;
use crate::error::{Error, Kind};
use crate::model::{Target, World};
use crate::runtime::control::Deadlines;
use crate::runtime::handle::{DiffKind, LogLine, LogsOf, Pods, Revision, RevisionName, What, YamlOf};

/// Connects, finds the target, asks `question` about it and ends in order.
async fn about<T>(
    global: &Global,
    target: &str,
    timeout: Duration,
    question: impl AsyncFnOnce(&Session, Arc<Target>) -> Result<T, Error>,
) -> Result<T, Error> {
    let session = Session::start(global, &Ground::find(global)?, Deadlines::default()).await?;
    let world = session.settled(timeout).await;
    let done = match find(&world, target) {
        Ok(target) => question(&session, target).await,
        Err(e) => Err(e),
    };
    session.end().await;
    done
}

fn failed(why: String) -> Error {
    let kind = if why.contains("is not there") || why.contains("no revision") { Kind::NotFound } else { Kind::Failure };
    Error::new(kind, why)
}

/// The pod-template hash of a revision that a person named.
fn hash(target: &Target, name: &str) -> Result<Clean, Error> {
    let wanted = RevisionName::parse(name);
    let fits = |set: &&Arc<crate::domain::workload::ReplicaSet>| match &wanted {
        RevisionName::Number(number) => set.revision == Some(*number),
        RevisionName::Hash(hash) => set.pod_hash == *hash,
    };
    target.sets.iter().find(fits).map(|set| set.pod_hash.clone()).ok_or_else(|| {
        let known: Vec<String> = target.sets.iter().filter_map(|s| s.revision).map(|r| r.to_string()).collect();
        Error::new(Kind::NotFound, format!("{} has no revision {name} with a ReplicaSet", target.id()))
            .hint(format!("it has {}", known.join(", ")))
    })
}

pub(super) async fn logs(global: &Global, args: &LogsArgs) -> Result<ExitCode, Error> {
    about(global, &args.target, args.how.timeout, async |session, target| {
        let pods = match (&args.pod, &args.revision) {
            (Some(pod), _) => Pods::One(Clean::new(pod)),
            (None, Some(revision)) => Pods::Revision(hash(&target, revision)?),
            (None, None) => Pods::All,
        };
        if let (Pods::All, Some(set)) = (&pods, target.canary_set().filter(|set| set.desired == 0 && set.current == 0))
        {
            let which = set.revision.map_or_else(|| set.pod_hash.to_string(), |n| format!("rev {n}"));
            output::note(&format!(
                "{which}, the version in the spec, has no pods any more: these are of what else is there"
            ));
        }
        let mut lines = session.handle.logs(LogsOf {
            target: target.id().clone(),
            pods,
            container: args.container.as_deref().map(Clean::new),
            follow: args.follow,
            previous: args.previous,
            tail: args.tail,
            since: args.since,
        });
        let (mut printed, mut notes) = (0_u64, Vec::new());
        let printing = async {
            while let Some(line) = lines.recv().await {
                if line.note {
                    output::note(&format!("flightdeck: {}", labelled(&line)));
                    notes.push(line.text);
                } else if args.search.as_deref().is_none_or(|text| holds(line.text.as_str(), text)) {
                    printed += 1;
                    match args.how.output {
                        Format::Json => output::json_line(&dto_look::log_line(&line))?,
                        Format::Human if args.pod.is_some() => output::line(line.text.as_str())?,
                        Format::Human => output::line(&labelled(&line))?,
                    }
                }
                if output::gone() {
                    break;
                }
            }
            Ok::<(), Error>(())
        };
        tokio::select! {
            done = printing => done?,
            () = interrupted(), if args.follow => {}
        }
        match notes.into_iter().next() {
            Some(note) if printed == 0 => Err(failed(note.to_string())),
            Some(note) => Err(Error::new(Kind::Partial, format!("the answer is not complete: {note}"))),
            None => Ok(ExitCode::SUCCESS),
        }
    })
    .await
}

fn labelled(line: &LogLine) -> String {
    if line.pod.is_empty() { line.text.to_string() } else { format!("{}/{}  {}", line.pod, line.container, line.text) }
}

/// Whether a line holds a text; capitals matter if the text has any.
fn holds(line: &str, text: &str) -> bool {
    if text.chars().any(char::is_uppercase) { line.contains(text) } else { line.to_lowercase().contains(text) }
}

pub(super) async fn yaml(global: &Global, args: &YamlArgs) -> Result<ExitCode, Error> {
    let lines = about(global, &args.target, args.how.timeout, async |session, target| {
        let revision = || match &args.revision {
            Some(name) => RevisionName::parse(name),
            None => RevisionName::Hash(target.rollout.pod_hash.clone()),
        };
        let name = || {
            let name = args.name.as_deref().map(Clean::new);
            name.ok_or_else(|| Error::new(Kind::Usage, "which one?").hint("give --name"))
        };
        let what = match args.kind {
            ObjectKind::Template => {
                return session.handle.template(target.id().clone(), revision()).await.map_err(failed);
            }
            ObjectKind::Rollout => What::Rollout,
            ObjectKind::Replicaset => What::ReplicaSet(revision()),
            ObjectKind::Analysisrun => What::AnalysisRun(name()?),
            ObjectKind::Experiment => What::Experiment(name()?),
            ObjectKind::Workload => What::Workload,
        };
        let of = YamlOf { target: target.id().clone(), what, managed_fields: args.managed_fields };
        session.handle.yaml(of).await.map_err(failed)
    })
    .await?;
    let text = lines.iter().map(Clean::as_str).collect::<Vec<_>>().join("\n");
    match args.how.output {
        Format::Human => output::line(&text)?,
        Format::Json => {
            output::json(&dto_look::yaml(text))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn diff(global: &Global, args: &DiffArgs) -> Result<ExitCode, Error> {
    let diff = about(global, &args.target, args.how.timeout, async |session, target| {
        let (from, to) = (RevisionName::parse(&args.from), args.to.as_deref().map(RevisionName::parse));
        session.handle.diff(target.id().clone(), from, to).await.map_err(failed)
    })
    .await?;
    match args.how.output {
        Format::Json => output::json(&dto_look::diff(diff))?,
        Format::Human if diff.lines.is_empty() => {
            output::line(&format!("{} and {} have the same pod template", diff.from, diff.to))?;
        }
        Format::Human => {
            output::line(&format!("--- {}\n+++ {}", diff.from, diff.to))?;
            for line in &diff.lines {
                let pad = if line.kind == DiffKind::Place { "" } else { line.kind.sign() };
                output::line(&format!("{pad}{}", line.text))?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn history(global: &Global, args: &OneArgs) -> Result<ExitCode, Error> {
    let (target, revisions) = about(global, &args.target, args.how.timeout, async |session, target| {
        let revisions = session.handle.revisions(target.id().clone()).await.map_err(failed)?;
        Ok((target, revisions))
    })
    .await?;
    match args.how.output {
        Format::Json => output::json(&dto_look::history(&target, &revisions))?,
        Format::Human => output::text(&history_table(&target, &revisions, Timestamp::now(), args.no_headers))?,
    }
    Ok(ExitCode::SUCCESS)
}

fn history_table(target: &Target, revisions: &[Revision], now: Timestamp, no_headers: bool) -> String {
    let mut rows = Vec::new();
    for Revision { set, former } in revisions {
        let pods = if set.desired == 0 { "gone".to_owned() } else { format!("{}/{}", set.available, set.desired) };
        let mark = set.do_not_promote.as_ref().map(|why| format!("do not promote: {why}"));
        let down = set.scale_down_deadline.filter(|_| set.desired > 0).map(|at| format!("goes at {at}"));
        let note: Vec<String> = mark.into_iter().chain(down).collect();
        let former: Vec<String> = former.iter().map(ToString::to_string).collect();
        let images: Vec<&str> = set.images.iter().map(Clean::as_str).collect();
        rows.push(vec![
            set.revision.map_or_else(|| "?".to_owned(), |r| r.to_string()),
            set.pod_hash.to_string(),
            dto::role(target, set).to_owned(),
            pods,
            set.created.map_or_else(|| "?".to_owned(), |at| show::ago(at, now)),
            images.join(", "),
            former.join(", "),
            note.join("; "),
        ]);
    }
    output::headed(&["REV", "HASH", "ROLE", "PODS", "AGE", "IMAGES", "FORMER", "NOTE"], rows, no_headers, &[0, 1])
}

pub(super) async fn events(global: &Global, args: &OneArgs) -> Result<ExitCode, Error> {
    let (id, events) = about(global, &args.target, args.how.timeout, async |session, target| {
        let (id, context) = (target.id().clone(), target.context.clone());
        session.handle.focus(Some(id.clone()));
        let refused = |world: &World| {
            let mut links = world.links.values();
            links.find(|l| l.id.what == "events" && l.id.context == context && !trying(&l.state)).cloned()
        };
        let read = |world: &World| world.targets.get(&id).and_then(|t| t.events.clone());
        let waiting = session.handle.wait_for(|w| read(w).is_some() || refused(w).is_some());
        let Ok(Ok(world)) = tokio::time::timeout(args.how.timeout, waiting).await else {
            return Err(Error::new(Kind::Unreachable, "the Events were not answered in time"));
        };
        match (read(&world), refused(&world)) {
            (Some(events), _) => Ok((id.clone(), events)),
            (None, Some(link)) => Err(Error::new(Kind::Unreachable, format!("{}: {}", link.id, reason(&link.state)))),
            (None, None) => Err(Error::new(Kind::NotFound, format!("{id} is gone"))),
        }
    })
    .await?;
    match args.how.output {
        Format::Json => output::json(&dto_look::events(&id, &events))?,
        Format::Human if events.is_empty() => output::line("no Events (a cluster forgets them, mostly after an hour)")?,
        Format::Human => output::text(&events_table(&events, Timestamp::now(), args.no_headers))?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Whether a link may still get there by itself soon.
fn trying(state: &LinkState) -> bool {
    matches!(state, LinkState::Connecting | LinkState::Off | LinkState::Live | LinkState::Backoff { tries: 0..=2, .. })
}

fn reason(state: &LinkState) -> String {
    match state {
        LinkState::Denied { why } | LinkState::Backoff { why, .. } => why.to_string(),
        other => other.word().to_owned(),
    }
}

fn events_table(events: &[ClusterEvent], now: Timestamp, no_headers: bool) -> String {
    let mut rows = Vec::new();
    for event in events {
        rows.push(vec![
            event.at.map_or_else(|| "?".to_owned(), |at| show::ago(at, now)),
            if event.warning { "Warning" } else { "Normal" }.to_owned(),
            event.reason.to_string(),
            event.object.to_string(),
            event.count.to_string(),
            event.message.to_string(),
        ]);
    }
    output::headed(&["AGE", "TYPE", "REASON", "OBJECT", "COUNT", "MESSAGE"], rows, no_headers, &[2])
}
