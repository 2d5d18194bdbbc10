//! Effects of acts that stop harm.

use super::{done, same_version, superseded, version, whereabouts};
use crate::domain::intent::Intent;
use crate::domain::outcome::Outcome;
use crate::domain::rollout::{Rollout, Strategy};
use crate::domain::sight::Sight;

pub(super) fn pause(now: &Rollout) -> Outcome {
    // The write itself set it: a newer version without it is someone's resume.
    if !now.spec_paused {
        return superseded("it was resumed meanwhile");
    }
    if now.fully_promoted() {
        return done("paused by hand; nothing is in flight, the next release waits until resumed");
    }
    done(format!("paused at {}", whereabouts(now)))
}

pub(super) fn abort(intent: &Intent, sight: &Sight<'_>) -> Option<Outcome> {
    let now = sight.rollout;
    if let Err(changed) = same_version(intent, now) {
        return Some(changed);
    }
    if now.fully_promoted() {
        return Some(superseded("the release was through before; roll back instead"));
    }
    if !now.abort && now.aborted_at.is_none() {
        // Another's retry came between; before the controller's answer the flag stands as the write left it.
        return Some(superseded("it was started again meanwhile"));
    }
    now.aborted_at?;
    let stable = version(sight, &now.stable_hash);
    match &now.strategy {
        Strategy::BlueGreen(_) => {
            (now.blue_green.active == now.stable_hash).then(|| done(format!("the active service is on {stable}")))
        }
        Strategy::Canary(canary) if canary.router.is_some() => {
            let weight = now.weights.as_ref().map_or(0, |weights| weights.canary);
            (weight == 0).then(|| done(format!("weight 0 %: {stable} has all traffic")))
        }
        Strategy::Canary(_) | Strategy::None => {
            let canary = sight.canary_set()?;
            (canary.desired == 0 && canary.available == 0)
                .then(|| done(format!("{stable} has all pods and all traffic")))
        }
    }
}
