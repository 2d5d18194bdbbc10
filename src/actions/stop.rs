//! Acts that stop harm: pause and abort.

use super::{Consequence, follows_pods, readiness, version_of};
use crate::domain::intent::Params;
use crate::domain::rollout::Rollout;
use crate::domain::sight::Sight;

pub(super) fn pause_applies(sight: &Sight<'_>, _: &Params) -> Result<(), String> {
    let rollout = sight.rollout;
    if rollout.deleting {
        return Err("being deleted".to_owned());
    }
    if rollout.spec_paused {
        return Err("already paused by hand".to_owned());
    }
    if rollout.abort {
        return Err("aborted: nothing moves".to_owned());
    }
    Ok(())
}

pub(super) fn pause_consequence(sight: &Sight<'_>, _: &Params) -> Consequence {
    let rollout = sight.rollout;
    let text = if rollout.fully_promoted() {
        waits(rollout).to_owned()
    } else {
        match rollout.current_step() {
            Some((index, step)) => {
                format!("stays at step {}/{}, {step}, until resumed", index + 1, rollout.steps().len())
            }
            None => "stays where it is until resumed".to_owned(),
        }
    };
    Consequence::new(text, format!("pause {}", rollout.id.name))
}

/// What a pause by hand does where nothing is in flight. Of a canary the controller then changes no ReplicaSet at all, also
/// not for another number of replicas; of a blue-green it starts the new pods and moves neither Service (`haltProgress` in
/// `rollout/context.go`, and who asks it).
fn waits(rollout: &Rollout) -> &'static str {
    if rollout.strategy.blue_green().is_some() {
        "the next release waits: its pods start, but no traffic goes to them until resumed"
    } else {
        "the next release waits: no pod of it starts, and nothing scales, until resumed"
    }
}

pub(super) fn abort_applies(sight: &Sight<'_>, _: &Params) -> Result<(), String> {
    let rollout = sight.rollout;
    if rollout.deleting {
        return Err("being deleted".to_owned());
    }
    if rollout.abort {
        return Err("already aborted".to_owned());
    }
    if rollout.first_release() {
        return Err("the first release: there is no version to go back to".to_owned());
    }
    if rollout.fully_promoted() {
        return Err("nothing is in flight: roll back instead".to_owned());
    }
    // The controller switches the Service back only behind its check that the new pods are ready
    // (`rollout/service.go`): with failing pods the live traffic would stay on them.
    if rollout.cut_over() && sight.canary_set().is_none_or(|set| set.available < rollout.replicas.desired) {
        return Err(
            "the traffic is already on the new version and its pods are not all ready: an abort would leave it \
                    there; roll back instead"
                .to_owned(),
        );
    }
    Ok(())
}

pub(super) fn abort_consequence(sight: &Sight<'_>, _: &Params) -> Consequence {
    let rollout = sight.rollout;
    let stable = version_of(sight, &rollout.stable_hash);
    let ready = readiness(sight, &rollout.stable_hash);
    let slow = if follows_pods(sight) { " as its pods start" } else { "" };
    let by_hand = if rollout.spec_paused { "; ends the pause by hand" } else { "" };
    Consequence::new(format!("{stable} takes all traffic{slow}{ready}{by_hand}"), format!("abort {}", rollout.id.name))
}
