//! Resume: clears what pauses a rollout, and nothing more.

use super::{Consequence, ready_for_more};
use crate::domain::intent::Params;
use crate::domain::rollout::Rollout;
use crate::domain::sight::Sight;
use crate::domain::steps::Step;

pub(super) fn applies(sight: &Sight<'_>, _: &Params) -> Result<(), String> {
    let rollout = sight.rollout;
    ready_for_more(rollout)?;
    if rollout.spec_paused || !rollout.pause_conditions.is_empty() {
        return Ok(());
    }
    if rollout.controller_pause {
        return Err("already resuming".to_owned());
    }
    Err("not paused".to_owned())
}

/// What follows once the pause is over: up to and with the next step that waits.
pub(super) fn consequence(sight: &Sight<'_>, _: &Params) -> Consequence {
    let rollout = sight.rollout;
    let name = rollout.id.name.as_str();
    if rollout.pause_conditions.is_empty() && rollout.fully_promoted() {
        return Consequence::new("nothing is in flight; the next release waits no longer", format!("resume {name}"));
    }
    if rollout.pause_conditions.is_empty() {
        let at = rollout.current_step().map_or_else(String::new, |(i, step)| format!(" from step {}, {step}", i + 1));
        return Consequence::new(format!("goes on{at}"), format!("resume {name}"));
    }
    if let Some(blue_green) = rollout.strategy.blue_green() {
        let version = super::version_of(sight, &rollout.pod_hash);
        let after = if blue_green.post_promotion { ", then the post-promotion analysis" } else { "" };
        let text = format!("live traffic goes to {version}{}{after}", super::readiness(sight, &rollout.pod_hash));
        return Consequence::new(text, format!("live {name}"));
    }
    let next = rollout.current_step().map_or(rollout.steps().len(), |(index, _)| index + 1);
    ladder_from(rollout, next)
}

/// What the ladder does from step `next` on, until it waits again.
pub(super) fn ladder_from(rollout: &Rollout, next: usize) -> Consequence {
    let name = rollout.id.name.as_str();
    let steps = rollout.steps();
    let mut said = Vec::new();
    let mut typed = None;
    for step in &steps[next.min(steps.len())..] {
        said.push(step.to_string());
        if let (None, Step::SetWeight { weight }) = (&typed, step) {
            typed = Some(weight.to_string());
        }
        if matches!(step, Step::Pause { .. } | Step::Analysis | Step::Experiment) {
            return Consequence::new(said.join(", then "), typed.unwrap_or_else(|| format!("resume {name}")));
        }
    }
    said.push("all traffic: the last step".to_owned());
    Consequence::new(said.join(", then "), format!("full {name}"))
}
