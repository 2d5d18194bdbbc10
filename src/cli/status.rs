//! `status` and `get`.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::args::{GetArgs, Global, Shape, StatusArgs};
use super::lost::{self, Lost};
use super::selector::Selector;
use super::setup::{Ground, Session, incomplete};
use super::{dto, oneline, output, show, targets};
use crate::domain::signal::Reading;
use crate::error::Error;
use crate::model::filter::Filter;
use crate::model::{Target, World, query};
use crate::runtime::control::Deadlines;

/// How long the first answers may take.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) async fn status(global: &Global, args: &StatusArgs) -> Result<ExitCode, Error> {
    if args.oneline {
        return oneline::run(global, args).await;
    }
    let patience = args.timeout.unwrap_or(PATIENCE);
    let session = Session::start(global, &Ground::find(global)?, Deadlines::default()).await?;
    let world = session.settled(patience).await;
    let rests_on_rates = args.filter.as_ref().is_some_and(Filter::rests_on_rates);
    let world = if rests_on_rates || args.output != Shape::Name {
        // Who is left out may depend on the rates: then those of all are read first.
        let filter = args.filter.as_ref().filter(|_| !rests_on_rates);
        let all =
            targets::asked(&world, args.selector.as_ref(), filter, Timestamp::now()).map(|t| t.id().clone()).collect();
        session.rated(world, all, patience).await
    } else {
        world
    };
    let lost = lost::find(&session, &world).await;
    session.end().await;
    let now = Timestamp::now();
    let targets: Vec<Arc<Target>> =
        targets::asked(&world, args.selector.as_ref(), args.filter.as_ref(), now).cloned().collect();
    let trouble = incomplete(&world);
    match args.output {
        Shape::Json => output::json(&dto::status(&world, &targets))?,
        Shape::Yaml => output::yaml(&dto::status(&world, &targets))?,
        Shape::Name => names_of(&targets, now)?,
        Shape::Human | Shape::Wide if targets.is_empty() => {
            if trouble.is_none() {
                output::line(&none(&world, args, &lost))?;
            }
        }
        Shape::Human | Shape::Wide => {
            let wide = args.output == Shape::Wide;
            let (table, left_out) = show::board(&world, &targets, now, wide, args.no_headers);
            output::text(&table)?;
            if !left_out.is_empty() {
                let left_out = left_out.join(", ");
                output::note(&format!("note: too narrow for {left_out}; a wider window or a pipe has them"));
            }
        }
    }
    if rests_on_rates && let Some(doubt) = unrated(&world, args.selector.as_ref(), now) {
        output::note(&doubt);
    }
    for link in world.links.values().filter(|l| !l.notice.is_empty()) {
        output::note(&format!("note: {}: {}", link.id, link.notice));
    }
    for warning in &world.warnings {
        output::note(&format!("warning: {}: {}", warning.object, warning.why));
    }
    let missing = lost.iter().filter_map(|lost| lost.said().map(|warning| output::note(&warning)).err()).collect();
    trouble.or_else(|| several(missing)).map_or(Ok(ExitCode::SUCCESS), Err)
}

/// Several namespaces that are not there, as one error.
fn several(missing: Vec<Error>) -> Option<Error> {
    missing.into_iter().reduce(|all, one| {
        let hint = [all.hint, one.hint].into_iter().flatten().collect::<Vec<_>>().join("; ");
        Error::new(all.kind, format!("{}; {}", all.message, one.message)).hint(hint)
    })
}

/// Why nothing is listed, where everything was read.
fn none(world: &World, args: &StatusArgs, lost: &[Lost]) -> String {
    match (world.targets.len(), &args.filter) {
        (0, _) if !lost.is_empty() => {
            format!("no rollouts in {}", lost.iter().map(|lost| lost.name.as_str()).collect::<Vec<_>>().join(", "))
        }
        (0, _) => "no rollouts here".to_owned(),
        (all, Some(_)) => format!("none of {all} is like that"),
        (_, None) => "no rollout has such labels".to_owned(),
    }
}

/// What is said where a band was asked for and some error rates, on which it rests, are not known.
fn unrated(world: &World, selector: Option<&Selector>, now: Timestamp) -> Option<String> {
    let unknown = |target: &&Arc<Target>| {
        query::signal_link(world, target).is_some()
            && !target.rollout.pod_hash.is_empty()
            && query::signals(world, target, now)
                .map_or(true, |signals| matches!(signals.subject.long, Reading::Unreachable { .. }))
    };
    match targets::chosen(world, selector).filter(unknown).count() {
        0 => None,
        n => Some(format!(
            "note: band: the error rates of {n} are not known; one that is over its limit does not count as needing you"
        )),
    }
}

/// In the order of the table.
fn names_of(targets: &[Arc<Target>], now: Timestamp) -> Result<(), Error> {
    show::in_order(targets, now).into_iter().try_for_each(|target| output::line(&target.id().to_string()))
}

pub(super) async fn get(global: &Global, args: &GetArgs) -> Result<ExitCode, Error> {
    let session = Session::start(global, &Ground::find(global)?, Deadlines::default()).await?;
    let mut world = session.settled(args.timeout).await;
    if let Ok(target) = targets::find(&world, &args.target)
        && args.output != Shape::Name
    {
        world = session.judged(world, vec![target.id().clone()], args.timeout).await;
    }
    session.end().await;
    let target = targets::find(&world, &args.target)?;
    match args.output {
        Shape::Json => output::json(&dto::got(&world, &target))?,
        Shape::Yaml => output::yaml(&dto::got(&world, &target))?,
        Shape::Name => output::line(&target.id().to_string())?,
        Shape::Human | Shape::Wide => output::text(&show::target(&world, &target, Timestamp::now()))?,
    }
    incomplete(&world).map_or(Ok(ExitCode::SUCCESS), Err)
}
