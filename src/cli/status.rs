//! `status`, `get`, and how verbs find the target that is meant.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::args::{GetArgs, Global, Shape, StatusArgs};
use super::selector::Selector;
use super::setup::{Ground, Session, incomplete};
use super::{dto, oneline, output, show};
use crate::error::{Error, Kind};
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
        let all = asked(&world, args.selector.as_ref(), filter, Timestamp::now()).map(|t| t.id().clone()).collect();
        session.rated(world, all, patience).await
    } else {
        world
    };
    session.end().await;
    let now = Timestamp::now();
    let targets: Vec<Arc<Target>> = asked(&world, args.selector.as_ref(), args.filter.as_ref(), now).cloned().collect();
    let trouble = incomplete(&world);
    match args.output {
        Shape::Json => output::json(&dto::status(&world, &targets))?,
        Shape::Yaml => output::yaml(&dto::status(&world, &targets))?,
        Shape::Name => names_of(&targets)?,
        Shape::Human | Shape::Wide if targets.is_empty() => {
            if trouble.is_none() {
                output::line(&none(&world, args))?;
            }
        }
        Shape::Human | Shape::Wide => {
            let wide = args.output == Shape::Wide;
            output::text(&show::board(&world, &targets, now, wide, args.no_headers))?;
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
    trouble.map_or(Ok(ExitCode::SUCCESS), Err)
}

/// The targets that a selector leaves.
pub(super) fn chosen<'a>(
    world: &'a World,
    selector: Option<&'a Selector>,
) -> impl Iterator<Item = &'a Arc<Target>> + use<'a> {
    world.targets.values().filter(move |t| selector.is_none_or(|s| s.fits(&t.rollout.labels)))
}

/// The targets that a selector and a filter leave.
pub(super) fn asked<'a>(
    world: &'a World,
    selector: Option<&'a Selector>,
    filter: Option<&'a Filter>,
    now: Timestamp,
) -> impl Iterator<Item = &'a Arc<Target>> + use<'a> {
    chosen(world, selector).filter(move |target| filter.is_none_or(|filter| filter.matches(target, now)))
}

/// Why nothing is listed, where everything was read.
fn none(world: &World, args: &StatusArgs) -> String {
    match (world.targets.len(), &args.filter) {
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
            && query::signals(world, target, now).is_err()
    };
    match chosen(world, selector).filter(unknown).count() {
        0 => None,
        n => Some(format!(
            "note: band: the error rates of {n} are not known; one that is over its limit does not count as needing you"
        )),
    }
}

fn names_of(targets: &[Arc<Target>]) -> Result<(), Error> {
    targets.iter().try_for_each(|target| output::line(&target.id().to_string()))
}

pub(super) async fn get(global: &Global, args: &GetArgs) -> Result<ExitCode, Error> {
    let session = Session::start(global, &Ground::find(global)?, Deadlines::default()).await?;
    let mut world = session.settled(args.timeout).await;
    if let Ok(target) = find(&world, &args.target)
        && args.output != Shape::Name
    {
        world = session.rated(world, vec![target.id().clone()], args.timeout).await;
    }
    session.end().await;
    let target = find(&world, &args.target)?;
    match args.output {
        Shape::Json => output::json(&dto::got(&world, &target))?,
        Shape::Yaml => output::yaml(&dto::got(&world, &target))?,
        Shape::Name => output::line(&target.id().to_string())?,
        Shape::Human | Shape::Wide => output::text(&show::target(&world, &target, Timestamp::now()))?,
    }
    incomplete(&world).map_or(Ok(ExitCode::SUCCESS), Err)
}

/// Whether NAME or NAMESPACE/NAME means this target.
pub(super) fn names(target: &Target, wanted: &str) -> bool {
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
