//! `status --oneline`: one short line for a status bar, soon, whatever happens.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::args::{Global, StatusArgs};
use super::setup::{Ground, Session, incomplete};
use super::{lost, output, targets};
use crate::domain::rollout::Phase;
use crate::error::{Error, Kind};
use crate::model::query::{self, Band};
use crate::model::{Target, World};
use crate::runtime::control::Deadlines;

/// A status bar asks again and again, and waits for none of its parts.
const PATIENCE: Duration = Duration::from_millis(800);

/// How long the parts may take to end.
const FAREWELL: Duration = Duration::from_millis(100);

/// How long a name may be.
const NAME: usize = 24;

pub(super) async fn run(global: &Global, args: &StatusArgs) -> Result<ExitCode, Error> {
    let patience = args.timeout.unwrap_or(PATIENCE);
    let started = async {
        let session = Session::start(global, &Ground::find(global)?, Deadlines::default()).await?;
        let world = session.settled(patience).await;
        let all = world.targets.keys().cloned().collect();
        let world = session.rated(world, all, patience / 4).await;
        Ok::<_, Error>((session, world))
    };
    // Connecting may run a slow exec plugin.
    let (session, world) = match tokio::time::timeout(patience + patience / 4, started).await {
        Ok(Ok(started)) => started,
        Ok(Err(e)) => {
            output::line("?")?;
            return Err(e);
        }
        Err(_) => {
            output::line("?")?;
            return Ok(ExitCode::from(Kind::Unreachable.code()));
        }
    };
    let named = session.named.clone();
    let _ = tokio::time::timeout(FAREWELL, session.end()).await;
    let now = Timestamp::now();
    let targets: Vec<&Arc<Target>> =
        targets::asked(&world, args.selector.as_ref(), args.filter.as_ref(), now).collect();
    let lost = lost::empty(&world, &named);
    output::line(&line(&world, &targets, &lost, now))?;
    let trouble = incomplete(&world).map(|e| e.kind);
    let kind = trouble.or_else(|| doubtful(&world).then_some(Kind::Partial));
    let kind = kind.or_else(|| (!lost.is_empty()).then_some(Kind::NotFound));
    let waiting = targets.iter().any(|t| query::band(t, now).0 == Band::NeedsYou);
    Ok(match kind {
        Some(kind) => ExitCode::from(kind.code()),
        None if waiting => ExitCode::from(Kind::Failure.code()),
        None => ExitCode::SUCCESS,
    })
}

/// Whether something that was heard once is not heard of now.
fn doubtful(world: &World) -> bool {
    !query::complete(world) || world.links.values().any(|l| query::lists(&l.id) && !l.state.is_live())
}

/// `✗ cart 7.31 %  ‖ 2  ▸ 1  ● 11`. A namespace that was named and has nothing in it is no good news.
fn line(world: &World, targets: &[&Arc<Target>], lost: &[String], now: Timestamp) -> String {
    let mut ranked = targets.to_vec();
    ranked.sort_by_key(|t| (query::rank(t, now), t.id().clone()));
    let failing: Vec<&Arc<Target>> = ranked.iter().copied().filter(|t| fails(t, now)).collect();
    let in_band = |wanted: Band| ranked.iter().filter(|t| query::band(t, now).0 == wanted && !fails(t, now)).count();
    let mut parts = Vec::new();
    if doubtful(world) {
        parts.push("?".to_owned());
    }
    if !lost.is_empty() {
        parts.push(format!("? no rollouts in {}", lost.join(", ")));
    }
    if let Some(worst) = failing.first() {
        let name: String = worst.id().name.as_str().chars().take(NAME).collect();
        let rate = query::signals(world, worst, now).ok().map(|s| s.subject.long.cell());
        let rate = rate.filter(|cell| !cell.starts_with('–')).map(|cell| format!(" {cell}")).unwrap_or_default();
        let more = if failing.len() > 1 { format!(" +{}", failing.len() - 1) } else { String::new() };
        parts.push(format!("✗ {name}{rate}{more}"));
    }
    for (sign, band) in [("‖", Band::NeedsYou), ("▸", Band::Moving), ("●", Band::Steady)] {
        match in_band(band) {
            0 => {}
            n => parts.push(format!("{sign} {n}")),
        }
    }
    if parts.is_empty() {
        parts.push("● 0".to_owned());
    }
    parts.join("  ")
}

/// Broken, as against waiting for somebody's decision.
fn fails(target: &Target, now: Timestamp) -> bool {
    let (phase, _) = target.rollout.status();
    let (_, calm, _) = query::rank(target, now);
    phase == Phase::Degraded || !calm
}
