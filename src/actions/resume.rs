//! Resume: clears what pauses a rollout, and nothing more.

use super::Consequence;
use crate::domain::rollout::{Observed, Rollout};
use crate::domain::steps::Step;

pub(super) fn applies(rollout: &Rollout) -> Result<(), String> {
    if rollout.deleting {
        return Err("being deleted".to_owned());
    }
    if rollout.observed() == Observed::Behind {
        return Err("the controller has not seen the latest spec yet".to_owned());
    }
    if rollout.spec_paused || !rollout.pause_conditions.is_empty() {
        return Ok(());
    }
    if rollout.controller_pause {
        return Err("already resuming".to_owned());
    }
    Err("not paused".to_owned())
}

/// What the ladder does once the pause is over: up to and with the next step that waits.
pub(super) fn consequence(rollout: &Rollout) -> Consequence {
    let name = rollout.id.name.as_str();
    if rollout.pause_conditions.is_empty() {
        let at = rollout.current_step().map_or_else(String::new, |(i, step)| format!(" from step {}, {step}", i + 1));
        return Consequence { text: format!("goes on{at}"), typed: format!("resume {name}") };
    }
    let steps = rollout.steps();
    let next = rollout.current_step().map_or(steps.len(), |(index, _)| index + 1);
    let mut said = Vec::new();
    let mut typed = None;
    for step in &steps[next.min(steps.len())..] {
        said.push(step.to_string());
        if let (None, Step::SetWeight { weight }) = (&typed, step) {
            typed = Some(weight.to_string());
        }
        if matches!(step, Step::Pause { .. } | Step::Analysis | Step::Experiment) {
            return Consequence {
                text: said.join(", then "),
                typed: typed.unwrap_or_else(|| format!("resume {name}")),
            };
        }
    }
    said.push("all traffic: the last step".to_owned());
    let text = said.join(", then ");
    Consequence { text, typed: format!("full {name}") }
}
