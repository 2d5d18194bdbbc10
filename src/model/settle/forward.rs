//! Effects of acts on the version in flight.

use super::{done, same_version, superseded, version, whereabouts};
use crate::domain::intent::{Intent, Params};
use crate::domain::outcome::Outcome;
use crate::domain::rollout::{Phase, Rollout, Strategy};
use crate::domain::sight::Sight;

pub(super) fn resume(intent: &Intent, now: &Rollout) -> Option<Outcome> {
    let seen = &intent.seen;
    if now.abort && !seen.abort {
        return Some(superseded("it was aborted meanwhile"));
    }
    if let Err(changed) = same_version(intent, now) {
        return Some(changed);
    }
    if now.spec_paused && seen.spec_paused != now.spec_paused {
        return Some(superseded("it was paused by hand meanwhile"));
    }
    let (phase, message) = now.status();
    if seen.pause_conditions.is_empty() {
        let running = !now.spec_paused && (phase != Phase::Paused || !now.pause_conditions.is_empty());
        return (seen.spec_paused && running).then(|| done(whereabouts(now)));
    }
    if now.strategy.blue_green().is_some() {
        return blue_green_resumed(now);
    }
    let moved = now.step_index > seen.step_index || now.fully_promoted();
    let without_steps = now.steps().is_empty() && now.pause_conditions.is_empty() && !now.controller_pause;
    if moved || without_steps {
        return Some(done(whereabouts(now)));
    }
    if !now.pause_conditions.is_empty() && now.pause_conditions != seen.pause_conditions {
        return Some(Outcome::NoEffect { why: format!("paused again: {message}") });
    }
    None
}

/// What a blue-green is resumed for is the live traffic.
fn blue_green_resumed(now: &Rollout) -> Option<Outcome> {
    if now.blue_green.active == now.pod_hash {
        return Some(done(format!("the active service is on {}", now.pod_hash)));
    }
    if now.phase == Phase::Degraded && !now.abort {
        return None;
    }
    now.abort.then(|| superseded("it was aborted meanwhile"))
}

pub(super) fn skip(intent: &Intent, now: &Rollout) -> Option<Outcome> {
    if now.abort {
        return Some(superseded("it was aborted meanwhile"));
    }
    if let Err(changed) = same_version(intent, now) {
        return Some(changed);
    }
    (now.step_index > intent.seen.step_index).then(|| done(whereabouts(now)))
}

pub(super) fn promote_full(intent: &Intent, sight: &Sight<'_>) -> Option<Outcome> {
    let now = sight.rollout;
    if now.abort {
        return Some(superseded("it was aborted meanwhile"));
    }
    if let Err(changed) = same_version(intent, now) {
        return Some(changed);
    }
    let name = version(sight, &now.pod_hash);
    match &now.strategy {
        Strategy::BlueGreen(_) if now.blue_green.active == now.pod_hash => {
            Some(done(format!("the active service is on {name}")))
        }
        Strategy::Canary(_) | Strategy::None if now.fully_promoted() => {
            Some(done(format!("{name} is the stable version")))
        }
        _ => None,
    }
}

pub(super) fn retry(intent: &Intent, now: &Rollout) -> Option<Outcome> {
    if let Err(changed) = same_version(intent, now) {
        return Some(changed);
    }
    // The controller takes both back once it has started again; a flag alone is only the asking.
    let started = !now.abort && now.aborted_at.is_none() && now.phase != Phase::Degraded;
    started.then(|| done(whereabouts(now)))
}

pub(super) fn terminate(intent: &Intent, sight: &Sight<'_>) -> Option<Outcome> {
    let Params::Run { name } = &intent.params else { return None };
    let now = sight.rollout;
    if let Some(run) = sight.runs.and_then(|runs| runs.iter().find(|run| run.name == *name))
        && run.phase.completed()
    {
        return Some(done(format!("analysis {name} ended: {}; {}", run.phase, whereabouts(now))));
    }
    match now.runs().find(|(_, run)| run.name == *name) {
        Some((_, run)) if run.phase.completed() => {
            Some(done(format!("analysis {name} ended: {}; {}", run.phase, whereabouts(now))))
        }
        Some(_) => None,
        // The status lets go of an analysis when its step is over.
        None => Some(done(format!("analysis {name} is over; {}", whereabouts(now)))),
    }
}
