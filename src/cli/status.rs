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
    let world = match args.output {
        Shape::Name => world,
        Shape::Human | Shape::Wide | Shape::Json | Shape::Yaml => {
            let all = chosen(&world, args.selector.as_ref()).map(|t| t.id().clone()).collect();
            session.rated(world, all, patience).await
        }
    };
    session.end().await;
    let targets: Vec<Arc<Target>> = chosen(&world, args.selector.as_ref()).cloned().collect();
    let trouble = incomplete(&world);
    match args.output {
        Shape::Json => output::json(&dto::status(&world, &targets))?,
        Shape::Yaml => output::yaml(&dto::status(&world, &targets))?,
        Shape::Name => names_of(&targets)?,
        Shape::Human | Shape::Wide if targets.is_empty() => {
            if trouble.is_none() {
                output::line(if world.targets.is_empty() { "no rollouts here" } else { "no rollout has such labels" })?;
            }
        }
        Shape::Human | Shape::Wide => {
            let wide = args.output == Shape::Wide;
            output::text(&show::board(&world, &targets, Timestamp::now(), wide, args.no_headers))?;
        }
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
