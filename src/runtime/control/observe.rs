//! Waits for the effect of a write in what the systems say, and says what was seen.

use std::sync::Arc;
use std::time::Duration;

use super::{Control, Port};
use crate::domain::ids::TargetId;
use crate::domain::intent::{ActionId, Intent};
use crate::domain::outcome::Outcome;
use crate::domain::rollout::Rollout;
use crate::domain::sight::Sight;
use crate::domain::workload::ReplicaSet;
use crate::effects::READ_DEADLINE;
use crate::model::World;
use crate::model::query;
use crate::model::settle::{Written, settle, stands};

/// What was found when the waiting was over.
pub(super) async fn effect(
    control: &Control,
    port: &Port,
    intent: &Intent,
    written: Written<'_>,
    deadline: Duration,
) -> Outcome {
    let mut world = control.world.clone();
    let mut settled = None;
    let watched = world.wait_for(|w| {
        settled = look(w, intent, written);
        settled.is_some()
    });
    let in_time = tokio::time::timeout(deadline, watched).await.is_ok_and(|seen| seen.is_ok());
    match settled {
        Some(outcome) if in_time => outcome,
        _ => last_look(control, port, intent, written, deadline).await,
    }
}

fn look(world: &World, intent: &Intent, written: Written<'_>) -> Option<Outcome> {
    match world.targets.get(&intent.target) {
        Some(target) => settle(intent, written, Some(target.sight())),
        // Missing counts as deleted only when the link says so now, not while it reconnects.
        None if all_live(world, &intent.target) => settle(intent, written, None),
        None => None,
    }
}

fn all_live(world: &World, target: &TargetId) -> bool {
    world
        .links
        .values()
        .filter(|link| link.id.what == "rollouts" && world.clusters.get(&link.id.context) == Some(&target.cluster))
        .all(|link| link.state.is_live() && link.listed)
}

/// The watch brought nothing in time: one fresh read decides between *no effect* and *unknown*.
async fn last_look(
    control: &Control,
    port: &Port,
    intent: &Intent,
    written: Written<'_>,
    deadline: Duration,
) -> Outcome {
    let read = tokio::time::timeout(READ_DEADLINE, port.reader.read(&intent.target)).await;
    let now: Option<Arc<Rollout>> = match read {
        Ok(Ok(now)) => now,
        Ok(Err(why)) => return unseen(control, intent, &why),
        Err(_) => return unseen(control, intent, "the cluster does not answer"),
    };
    let sets = match &now {
        Some(rollout) => sets_of(port, rollout).await,
        None => Vec::new(),
    };
    let sight = now.as_deref().map(|rollout| Sight { rollout, sets: &sets, runs: None });
    if let Some(outcome) = settle(intent, written, sight) {
        return outcome;
    }
    Outcome::NoEffect { why: not_yet(intent, written, now.as_deref(), deadline) }
}

/// The ReplicaSets read afresh; none where they cannot be read, and then they prove nothing.
pub(super) async fn sets_of(port: &Port, rollout: &Rollout) -> Vec<Arc<ReplicaSet>> {
    tokio::time::timeout(READ_DEADLINE, port.reader.sets(rollout)).await.ok().and_then(Result::ok).unwrap_or_default()
}

fn unseen(control: &Control, intent: &Intent, why: &str) -> Outcome {
    let world = control.world.borrow().clone();
    let link = world.targets.get(&intent.target).map(|t| query::link_of(&world, &t.link).word());
    let link = link.unwrap_or("unknown");
    Outcome::Unknown { why: format!("the effect could not be seen: {why} (link {link})") }
}

/// What is known when the waiting is over and the effect is not there: it is no proof that there will be none.
fn not_yet(intent: &Intent, written: Written<'_>, now: Option<&Rollout>, waited: Duration) -> String {
    let millis = waited.as_millis();
    let waited = if millis < 1000 { format!("{millis} ms") } else { format!("{} s", waited.as_secs()) };
    let accepted = if matches!(written, Written::Version(_)) { "it was accepted and " } else { "it " };
    let Some(now) = now else { return format!("none seen within {waited}: {accepted}may still come") };
    let seen = &intent.seen;
    // What our own write sets proves nothing: a skipped step's number, a cleared pause.
    let stepped = now.step_index != seen.step_index && intent.action != ActionId::SkipStep;
    let moved = stepped || now.pod_hash != seen.pod_hash || now.blue_green.active != seen.active_hash;
    let so_far = if moved { "not the whole of it" } else { "none seen" };
    let comes = if moved { "is under way" } else { "may still come" };
    format!("{so_far} within {waited}: {accepted}{comes}; it stands at {}", stands(now))
}

/// What a look at the target makes of a write whose answer was lost: only the effect itself proves it.
pub(super) fn after_a_lost_answer(seen: Outcome, lost: &str) -> Outcome {
    match seen {
        Outcome::Done { effect } => {
            Outcome::Done { effect: format!("{effect} (the answer was lost: {lost}; the effect was seen)") }
        }
        Outcome::Superseded { what } => {
            Outcome::Unknown { why: format!("the answer was lost: {lost}; meanwhile {what}") }
        }
        Outcome::NoEffect { why } | Outcome::Unknown { why } => {
            Outcome::Unknown { why: format!("the answer was lost: {lost}; {why}") }
        }
        other @ (Outcome::Refused { .. } | Outcome::Failed { .. }) => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fixture;

    #[test]
    fn no_effect_is_no_proof_that_there_will_be_none() {
        let intent = fixture::intent(&fixture::paused());
        let unmoved = fixture::paused();
        let moved = Rollout { step_index: Some(2), ..unmoved.clone() };
        let (accepted, lost) = (Written::Version("101"), Written::After("100"));
        let stands = "it stands at step 2/5, pause, for a person (Paused: CanaryPauseStep)";
        for (written, now, millis, says) in [
            (
                accepted,
                &unmoved,
                30_000,
                format!("none seen within 30 s: it was accepted and may still come; {stands}"),
            ),
            (lost, &unmoved, 30_000, format!("none seen within 30 s: it may still come; {stands}")),
            (
                accepted,
                &moved,
                1,
                "not the whole of it within 1 ms: it was accepted and is under way; it stands at step 3/5 (weight 50 % \
                 wanted) (Paused: CanaryPauseStep)"
                    .to_owned(),
            ),
        ] {
            assert_eq!(not_yet(&intent, written, Some(now), Duration::from_millis(millis)), says);
        }
    }
}
