//! `wait`: until targets have got somewhere.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Arc;

use super::args::{Format, Global, WaitArgs};
use super::condition::{Condition, Stand};
use super::dto_watch::{self, WaitedFor};
use super::setup::{Ground, Session, incomplete};
use super::{output, show, targets};
use crate::domain::ids::TargetId;
use crate::error::{Error, Kind};
use crate::model::{Target, World, query};
use crate::runtime::control::Deadlines;

pub(super) async fn run(global: &Global, args: &WaitArgs) -> Result<ExitCode, Error> {
    let session = Session::start(global, &Ground::find(global)?, Deadlines::default()).await?;
    let done = tokio::time::timeout(args.timeout, wait(&session, args)).await;
    let world = session.handle.world();
    session.end().await;
    match done {
        Ok(done) => done,
        Err(_) => late(&world, args),
    }
}

async fn wait(session: &Session, args: &WaitArgs) -> Result<ExitCode, Error> {
    let world = session.settled(args.timeout).await;
    let Some(mut open) = start(&world, args)? else { return said(args, true, Vec::new()) };
    let mut handle = session.handle.clone();
    let mut met = Vec::new();
    loop {
        let world = handle.world();
        let mut still = BTreeMap::new();
        for (id, was) in open {
            match stand(&world, &id, args.condition) {
                Stand::Met => {
                    let now = world.targets.get(&id).map_or_else(|| "gone".to_owned(), |t| show::phase(&world, t));
                    if args.output == Format::Human {
                        output::line(&format!("{id}: {} ({now})", args.condition))?;
                    }
                    met.push(one(&id, true, now));
                }
                Stand::NotYet => {
                    still.insert(id, was);
                }
                Stand::Failed(why) => {
                    met.push(one(&id, false, why.clone()));
                    said(args, false, met)?;
                    let text = format!("{id} will not get to {} by itself: {why}", args.condition);
                    return Err(Error::new(Kind::Failure, text).hint(format!("`flightdeck get {id}` shows it")));
                }
            }
        }
        if still.is_empty() {
            return said(args, true, met);
        }
        open = still;
        if handle.changed().await.is_err() {
            return Err(Error::new(Kind::Failure, "the engine has stopped"));
        }
    }
}

/// What is waited for; `None` = it is gone already.
fn start(world: &World, args: &WaitArgs) -> Result<Option<BTreeMap<TargetId, Arc<Target>>>, Error> {
    let mut all = BTreeMap::new();
    for name in &args.targets {
        match targets::find(world, name) {
            Ok(target) => {
                all.insert(target.id().clone(), target);
            }
            Err(e) if e.kind == Kind::NotFound && args.condition == Condition::Gone => {}
            Err(e) => return Err(e),
        }
    }
    if args.selector.is_some() {
        all.extend(targets::chosen(world, args.selector.as_ref()).map(|t| (t.id().clone(), t.clone())));
        if all.is_empty() {
            if let Some(trouble) = incomplete(world) {
                return Err(trouble);
            }
            if args.condition != Condition::Gone {
                return Err(Error::new(Kind::NotFound, "no rollout has such labels"));
            }
        }
    }
    Ok((!all.is_empty()).then_some(all))
}

/// Only what a live link says counts.
fn stand(world: &World, id: &TargetId, condition: Condition) -> Stand {
    let Some(target) = world.targets.get(id) else {
        return match condition {
            Condition::Gone if query::complete(world) => Stand::Met,
            _ if query::complete(world) => Stand::Failed("it was deleted".to_owned()),
            _ => Stand::NotYet,
        };
    };
    if query::link_of(world, &target.link).is_live() { condition.of(target) } else { Stand::NotYet }
}

fn one(id: &TargetId, met: bool, said: String) -> WaitedFor {
    WaitedFor { namespace: id.namespace.to_string(), name: id.name.to_string(), met, said }
}

fn said(args: &WaitArgs, met: bool, targets: Vec<WaitedFor>) -> Result<ExitCode, Error> {
    if args.output == Format::Json {
        output::json(&dto_watch::waited(args.condition.to_string(), met, targets))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The time is up: what cannot be seen may have got there.
fn late(world: &World, args: &WaitArgs) -> Result<ExitCode, Error> {
    let mut all = BTreeMap::new();
    for name in &args.targets {
        all.extend(world.targets.values().filter(|t| targets::names(t, name)).map(|t| (t.id().clone(), t.clone())));
    }
    if args.selector.is_some() {
        all.extend(targets::chosen(world, args.selector.as_ref()).map(|t| (t.id().clone(), t.clone())));
    }
    let rows: Vec<WaitedFor> = all
        .iter()
        .map(|(id, target)| one(id, stand(world, id, args.condition) == Stand::Met, show::phase(world, target)))
        .collect();
    let where_: Vec<String> =
        rows.iter().filter(|row| !row.met).map(|row| format!("{}/{}: {}", row.namespace, row.name, row.said)).collect();
    said(args, false, rows)?;
    if let Some(trouble) = incomplete(world) {
        return Err(trouble);
    }
    let text = format!("not {} within {}\n  {}", args.condition, span(args), where_.join("\n  "));
    Err(Error::new(Kind::NoEffect, text).hint("--timeout gives it longer"))
}

fn span(args: &WaitArgs) -> String {
    format!("{:#}", jiff::SignedDuration::try_from(args.timeout).unwrap_or_default())
}
