//! `status`, `get`, `watch`.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Arc;

use jiff::Timestamp;

use super::args::{Format, GetArgs, Global, StatusArgs, WatchArgs};
use super::setup::{Ground, Session, incomplete};
use super::{dto, errors, output, show};
use crate::domain::ids::TargetId;
use crate::error::{Error, Kind};
use crate::model::{Target, World, query};
use crate::runtime::control::Deadlines;

pub(super) async fn status(global: &Global, args: &StatusArgs) -> Result<ExitCode, Error> {
    let session = Session::start(global, &Ground::find(global)?, Deadlines::default()).await?;
    let world = session.settled(args.timeout).await;
    let all = world.targets.keys().cloned().collect();
    let world = session.rated(world, all, args.timeout).await;
    session.end().await;
    let trouble = incomplete(&world);
    match args.output {
        Format::Json => output::json(&dto::status(&world, trouble.is_none()))?,
        Format::Human if world.targets.is_empty() => {
            if trouble.is_none() {
                output::line("no rollouts here")?;
            }
        }
        Format::Human => output::raw(show::board(&world, Timestamp::now()).as_bytes())?,
    }
    for link in world.links.values().filter(|l| !l.notice.is_empty()) {
        output::note(&format!("note: {}: {}", link.id, link.notice));
    }
    for warning in &world.warnings {
        output::note(&format!("warning: {}: {}", warning.object, warning.why));
    }
    trouble.map_or(Ok(ExitCode::SUCCESS), Err)
}

pub(super) async fn get(global: &Global, args: &GetArgs) -> Result<ExitCode, Error> {
    let session = Session::start(global, &Ground::find(global)?, Deadlines::default()).await?;
    let mut world = session.settled(args.how.timeout).await;
    if let Ok(target) = find(&world, &args.target) {
        world = session.rated(world, vec![target.id().clone()], args.how.timeout).await;
    }
    session.end().await;
    let target = find(&world, &args.target)?;
    match args.how.output {
        Format::Json => output::json(&dto::target(&world, &target))?,
        Format::Human => output::raw(show::target(&world, &target, Timestamp::now()).as_bytes())?,
    }
    incomplete(&world).map_or(Ok(ExitCode::SUCCESS), Err)
}

pub(super) async fn watch(global: &Global, args: &WatchArgs) -> Result<ExitCode, Error> {
    let session = Session::start(global, &Ground::find(global)?, Deadlines::default()).await?;
    let watching = follow(&session, args);
    let done = match args.timeout {
        Some(limit) => tokio::time::timeout(limit, watching).await.unwrap_or(Ok(())),
        None => watching.await,
    };
    let world = session.handle.world();
    session.end().await;
    done?;
    incomplete(&world).map_or(Ok(ExitCode::SUCCESS), Err)
}

async fn follow(session: &Session, args: &WatchArgs) -> Result<(), Error> {
    let mut handle = session.handle.clone();
    let mut printed: BTreeMap<TargetId, String> = BTreeMap::new();
    let mut links = String::new();
    let mut notes = imbl::Vector::new();
    loop {
        let world = handle.world();
        let said: Vec<String> = world
            .links
            .values()
            .filter(|l| crate::model::query::lists(&l.id))
            .map(|l| format!("{} {}", l.id, l.state.word()))
            .collect();
        let said = said.join(", ");
        if said != links {
            output::note(&format!("links: {said}"));
            links = said;
        }
        if world.configuration != notes {
            let sound = world.configuration.is_empty();
            world.configuration.iter().for_each(|note| output::note(&note.to_string()));
            if sound {
                output::note("configuration: sound again, and in force");
            }
            notes = world.configuration.clone();
        }
        for (id, target) in &world.targets {
            if args.target.as_ref().is_some_and(|wanted| !names(target, wanted)) {
                continue;
            }
            let (key, line) = match args.output {
                Format::Human => {
                    let line = format!(
                        "{id}  {}  {}  {}",
                        show::step(target),
                        show::weight(&world, target),
                        show::phase(&world, target)
                    );
                    let key = format!("{line}  {}", errors::key(&world, target));
                    let line = format!("{line}  errors {}", errors::cell(&world, target, Timestamp::now()));
                    (key, format!("{}  {line}", Timestamp::now().round(jiff::Unit::Second).unwrap_or_default()))
                }
                Format::Json => {
                    let mut document = serde_json::to_value(dto::target(&world, target)).unwrap_or_default();
                    let line = document.to_string();
                    // Each new number is not a change; another word is.
                    document["errors"] = errors::key(&world, target).into();
                    (document.to_string(), line)
                }
            };
            if printed.get(id) != Some(&key) {
                output::line(&line)?;
                printed.insert(id.clone(), key);
            }
        }
        let gone: Vec<TargetId> = printed.keys().filter(|id| !world.targets.contains_key(*id)).cloned().collect();
        for id in gone {
            printed.remove(&id);
            match args.output {
                Format::Human => output::line(&format!("{id}  gone"))?,
                Format::Json => output::json_line(&serde_json::json!({
                    "apiVersion": dto::API_VERSION, "kind": "TargetGone",
                    "namespace": id.namespace, "name": id.name,
                }))?,
            }
        }
        if handle.changed().await.is_err() {
            return Ok(());
        }
    }
}

fn names(target: &Target, wanted: &str) -> bool {
    match wanted.split_once('/') {
        Some((namespace, name)) => target.id().namespace == namespace && target.id().name == name,
        None => target.id().name == wanted,
    }
}

/// The one target that is meant.
pub(super) fn find(world: &World, wanted: &str) -> Result<Arc<Target>, Error> {
    let mut found = world.targets.values().filter(|t| names(t, wanted));
    match (found.next(), found.next()) {
        (Some(target), None) => Ok(target.clone()),
        (Some(_), Some(_)) => {
            let all: Vec<String> =
                world.targets.values().filter(|t| names(t, wanted)).map(|t| t.id().to_string()).collect();
            Err(Error::new(Kind::Usage, format!("{wanted:?} names several targets: {}", all.join(", ")))
                .hint("write NAMESPACE/NAME, or give --namespace"))
        }
        (None, _) if query::complete(world) => {
            let similar: Vec<String> = world
                .targets
                .keys()
                .filter(|id| id.to_string().contains(wanted) || wanted.contains(id.name.as_str()))
                .take(3)
                .map(ToString::to_string)
                .collect();
            let hint = if similar.is_empty() {
                "`flightdeck status` lists what is there".to_owned()
            } else {
                format!("did you mean {}?", similar.join(" or "))
            };
            Err(Error::new(Kind::NotFound, format!("no rollout {wanted:?}")).hint(hint))
        }
        (None, _) => {
            Err(incomplete(world).unwrap_or_else(|| Error::new(Kind::NotFound, format!("no rollout {wanted:?}"))))
        }
    }
}
