//! Acts that move the version in flight: skip a step, promote fully, retry, end an analysis.

use super::resume::ladder_from;
use super::{Consequence, readiness, ready_for_more, version_of};
use crate::domain::analysis::{RunPhase, RunRef};
use crate::domain::intent::Params;
use crate::domain::rollout::Strategy;
use crate::domain::sight::Sight;
use crate::domain::steps::Step;

pub(super) fn skip_applies(sight: &Sight<'_>, _: &Params) -> Result<(), String> {
    let rollout = sight.rollout;
    ready_for_more(rollout)?;
    if rollout.strategy.canary().is_none() {
        return Err("only a canary has steps".to_owned());
    }
    if rollout.abort {
        return Err("aborted: nothing runs; retry starts it again".to_owned());
    }
    if rollout.spec_paused {
        return Err("paused by hand: resume it first".to_owned());
    }
    if !rollout.pause_conditions.is_empty() {
        return Err("paused: resume does it".to_owned());
    }
    // The controller itself moves on by one when it finds its pause cleared: a skip on top would skip two.
    if rollout.controller_pause {
        return Err("already resuming".to_owned());
    }
    if rollout.promote_full {
        return Err("already promoting fully".to_owned());
    }
    if rollout.current_step().is_none() || rollout.fully_promoted() {
        return Err("no step is left".to_owned());
    }
    Ok(())
}

pub(super) fn skip_consequence(sight: &Sight<'_>, _: &Params) -> Consequence {
    let rollout = sight.rollout;
    let Some((index, step)) = rollout.current_step() else { return Consequence::default() };
    let of = rollout.steps().len();
    let next = ladder_from(rollout, index + 1).text;
    Consequence::new(format!("leaves step {}/{of}, {step}; {next}", index + 1), format!("skip {}", index + 1))
}

pub(super) fn full_applies(sight: &Sight<'_>, _: &Params) -> Result<(), String> {
    let rollout = sight.rollout;
    ready_for_more(rollout)?;
    if rollout.abort {
        return Err("aborted: retry starts it again".to_owned());
    }
    if rollout.promote_full {
        return Err("already promoting fully".to_owned());
    }
    if rollout.fully_promoted() {
        return Err("nothing is in flight: this version is the stable one".to_owned());
    }
    Ok(())
}

pub(super) fn full_consequence(sight: &Sight<'_>, _: &Params) -> Consequence {
    let rollout = sight.rollout;
    let version = version_of(sight, &rollout.pod_hash);
    let mut skipped = Vec::new();
    match &rollout.strategy {
        Strategy::Canary(canary) => {
            let left = rollout.current_step().map_or(0, |(index, _)| canary.steps.len() - index);
            let from = canary.steps.len() - left;
            let analyses = canary.steps[from..].iter().filter(|step| matches!(step, Step::Analysis)).count();
            if left > 0 {
                skipped.push(format!("{left} {}", plural("step", left)));
            }
            if analyses > 0 {
                skipped.push(format!("{analyses} {} among them", plural("analysis", analyses)));
            }
            if canary.background_analysis {
                skipped.push("the background analysis".to_owned());
            }
        }
        Strategy::BlueGreen(blue_green) => {
            // What has passed is not skipped.
            let to_come = |run: &Option<RunRef>| run.as_ref().is_none_or(|run| run.phase != RunPhase::Successful);
            let runs = &rollout.blue_green;
            if blue_green.pre_promotion && runs.active != rollout.pod_hash && to_come(&runs.pre_run) {
                skipped.push("the pre-promotion analysis".to_owned());
            }
            if blue_green.post_promotion && to_come(&runs.post_run) {
                skipped.push("the post-promotion analysis".to_owned());
            }
        }
        Strategy::None => {}
    }
    let skips = if skipped.is_empty() { String::new() } else { format!("; skips {}", skipped.join(", ")) };
    let ready = readiness(sight, &rollout.pod_hash);
    Consequence::new(format!("{version} takes all traffic now{ready}{skips}"), format!("full {}", rollout.id.name))
}

fn plural(word: &str, n: usize) -> String {
    match (word, n) {
        (_, 1) => word.to_owned(),
        ("analysis", _) => "analyses".to_owned(),
        _ => format!("{word}s"),
    }
}

pub(super) fn retry_applies(sight: &Sight<'_>, _: &Params) -> Result<(), String> {
    let rollout = sight.rollout;
    ready_for_more(rollout)?;
    if rollout.fully_promoted() {
        return Err("nothing is in flight".to_owned());
    }
    if !rollout.abort {
        return Err("not aborted".to_owned());
    }
    Ok(())
}

pub(super) fn retry_consequence(sight: &Sight<'_>, _: &Params) -> Consequence {
    let rollout = sight.rollout;
    let version = version_of(sight, &rollout.pod_hash);
    let begins = match &rollout.strategy {
        Strategy::Canary(_) => ladder_from(rollout, 0).text,
        // The abort ended the analysis, and what was ended counts as successful: the controller does not run it again.
        Strategy::BlueGreen(_)
            if rollout.blue_green.post_run.as_ref().is_some_and(|run| run.phase == RunPhase::Successful) =>
        {
            "live traffic at once, without another post-promotion analysis".to_owned()
        }
        Strategy::BlueGreen(_) => "its preview".to_owned(),
        Strategy::None => "the beginning".to_owned(),
    };
    Consequence::new(format!("{version} starts again: {begins}"), format!("retry {}", rollout.id.name))
}

pub(super) fn terminate_applies(sight: &Sight<'_>, params: &Params) -> Result<(), String> {
    let rollout = sight.rollout;
    if rollout.deleting {
        return Err("being deleted".to_owned());
    }
    let running: Vec<_> = rollout.runs().filter(|(_, run)| !run.phase.completed()).collect();
    match params {
        Params::Run { name } => match rollout.runs().find(|(_, run)| run.name == *name) {
            Some((_, run)) if run.phase.completed() => Err(format!("analysis {name} has ended: {}", run.phase)),
            Some(_) => Ok(()),
            None => Err(format!("analysis {name} is not one of this release")),
        },
        _ if running.is_empty() => Err("no analysis is running".to_owned()),
        _ => Ok(()),
    }
}

pub(super) fn terminate_consequence(sight: &Sight<'_>, params: &Params) -> Consequence {
    let rollout = sight.rollout;
    let run = match params {
        Params::Run { name } => rollout.runs().find(|(_, run)| run.name == *name),
        _ => rollout.runs().find(|(_, run)| !run.phase.completed()),
    };
    let Some((what, run)) = run else { return Consequence::default() };
    let text = format!("ends the {what} {}: what has not failed counts as passed, and the release goes on", run.name);
    Consequence::new(text, format!("terminate {}", rollout.id.name))
}
