//! Effects of acts that change the template, or replace pods.

use super::{done, superseded, version, whereabouts};
use crate::domain::intent::{Intent, Params};
use crate::domain::outcome::Outcome;
use crate::domain::rollout::{Rollout, Strategy};
use crate::domain::sight::Sight;

pub(super) fn undo(intent: &Intent, sight: &Sight<'_>) -> Option<Outcome> {
    let Params::Revision { hash, .. } = &intent.params else { return None };
    let now = sight.rollout;
    if now.pod_hash == intent.seen.pod_hash {
        return None;
    }
    if now.pod_hash != *hash {
        return Some(superseded(format!("the version changed to {} meanwhile", now.pod_hash)));
    }
    let name = version(sight, hash);
    if now.spec_paused {
        return Some(done(format!("the template of {name} is back; nothing moves until the pause by hand ends")));
    }
    match &now.strategy {
        Strategy::BlueGreen(_) if now.blue_green.active == *hash => {
            Some(done(format!("the active service is on {name}")))
        }
        Strategy::BlueGreen(_) if !now.pause_conditions.is_empty() => {
            Some(done(format!("{name} waits at the preview: the live traffic is still on the other version")))
        }
        Strategy::BlueGreen(_) => None,
        Strategy::Canary(_) | Strategy::None if now.fully_promoted() => others_are_gone(intent, sight, &name),
        Strategy::Canary(_) | Strategy::None => Some(done(format!("{name} is being released: {}", whereabouts(now)))),
    }
}

/// The old template is back at once; its traffic when the version that was left has none any more.
fn others_are_gone(intent: &Intent, sight: &Sight<'_>, name: &str) -> Option<Outcome> {
    let now = sight.rollout;
    let gone = match &now.weights {
        // Behind a router the pods may stay up for a while.
        Some(weights) if now.has_router() => weights.stable == now.max_weight() || weights.canary == now.max_weight(),
        _ => sight.set(&intent.seen.pod_hash).is_none_or(|left| left.available == 0),
    };
    gone.then(|| done(format!("{name} has all traffic")))
}

pub(super) fn set_image(intent: &Intent, sight: &Sight<'_>) -> Option<Outcome> {
    let Params::Image { container, image } = &intent.params else { return None };
    let now = sight.rollout;
    if now.pod_hash == intent.seen.pod_hash {
        return None;
    }
    let set = sight.canary_set();
    let in_template = match &now.workload_ref {
        None => now.containers.iter().any(|c| c.name == *container && c.image == *image),
        Some(_) => set?.images.contains(image),
    };
    if !in_template {
        return Some(superseded(format!("another version came meanwhile: {}", now.pod_hash)));
    }
    Some(done(format!("{} is being released: {}", version(sight, &now.pod_hash), whereabouts(now))))
}

pub(super) fn restart(intent: &Intent, now: &Rollout) -> Option<Outcome> {
    let Params::Restart { at } = &intent.params else { return None };
    match now.restart_at {
        Some(asked) if asked > *at => Some(superseded("another restart was asked for meanwhile")),
        Some(asked) if asked == *at && now.restarted_at == Some(asked) => Some(done("all pods are new")),
        Some(_) => None,
        None => Some(superseded("the restart was taken back meanwhile")),
    }
}
