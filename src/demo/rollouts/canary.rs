//! One look at a canary.

use serde_json::Value;

use super::cx::{Cx, Set};
use super::{analysis, experiment, restart, scale as scaling, sets, status, traffic, weights};
use crate::demo::events;
use crate::demo::store::Store;

fn steps_hash(cx: &Cx) -> String {
    crate::demo::store::letters(events::hash(&cx.strategy()["steps"].to_string()), 10)
}

fn begins_anew(cx: &Cx) -> bool {
    status::new_template(cx) || cx.text("currentStepHash") != steps_hash(cx)
}

/// One look at a canary.
pub(super) fn look(store: &mut Store, cx: &mut Cx) {
    if begins_anew(cx) {
        return anew(store, cx);
    }
    if restart::pods(store, cx) > 0 {
        return;
    }
    sets::clean_up(store, cx);
    traffic::services(store, cx);
    traffic::weigh(store, cx);
    experiment::look(store, cx);
    analysis::canary(store, cx);
    let inconclusive = !cx.pause.add.is_empty();
    if !inconclusive && !scale(store, cx) {
        pause(cx);
    }
    finish(store, cx);
}

fn base(cx: &Cx) -> Value {
    let mut next = status::base(cx);
    let selector = status::selector(&cx.ro["spec"]["selector"]);
    status::counts(&mut next, cx.sum(|c| c.all), cx.sum(|c| c.available), selector);
    next["currentStepHash"] = steps_hash(cx).into();
    next["canary"]["weights"] = cx.weights.clone();
    next["canary"]["currentStepAnalysisRunStatus"] = analysis::told(cx.runs.step.as_ref());
    next["canary"]["currentBackgroundAnalysisRunStatus"] = analysis::told(cx.runs.background.as_ref());
    next["canary"]["currentExperiment"] = cx.experiment_name.clone();
    next
}

/// Another template, or other steps.
fn anew(store: &mut Store, cx: &mut Cx) {
    cx.runs.step = None;
    cx.runs.background = None;
    let mut next = base(cx);
    status::reset(cx, &mut next);
    let steps = cx.steps().len();
    if steps > 0 {
        if cx.text("stableRS") == cx.new.hash {
            cx.event(store, "SkipSteps", "Rollback to stable ReplicaSets");
            next["currentStepIndex"] = steps.into();
        } else if cx.within_window() && cx.new.size > 0 {
            cx.event(store, "SkipSteps", "Rollback to active ReplicaSets within RollbackWindow");
            next["currentStepIndex"] = steps.into();
        }
    }
    status::persist(store, cx, next);
}

/// Brings ReplicaSets nearer to their sizes. Whether any changed.
pub(super) fn scale(store: &mut Store, cx: &mut Cx) -> bool {
    if cx.halted() {
        return false;
    }
    sets::drop_deadlines(store, cx);
    if let Some(stable) = cx.stable.clone().filter(|stable| stable.hash != cx.new.hash) {
        // The stable pods follow the weights that were, one look behind.
        let weights = cx.status()["canary"]["weights"].clone();
        let size = weights::sizes(cx, &weights).1;
        if sets::scale(store, cx, &stable, size, false) {
            return true;
        }
    }
    scaling::new_set(store, cx) || others(store, cx)
}

/// Old ReplicaSets go down: at once where their pods get traffic, after a while where a router sees to that.
fn others(store: &mut Store, cx: &mut Cx) -> bool {
    let mut old: Vec<Set> = cx.others.iter().filter(|set| set.size > 0).cloned().collect();
    old.sort_by_key(|set| std::cmp::Reverse(set.revision));
    let mut changed = false;
    for set in &mut old {
        // What is not available is of no use to anybody.
        if set.counts.available < set.size && set.deadline.is_none() {
            changed |= sets::scale(store, cx, set, set.counts.available, false);
            set.size = set.counts.available;
        }
    }
    let mut room = cx.sum(|c| c.available) - (cx.replicas() - weights::unavailable(cx));
    let mut annotated = 0;
    for set in old.into_iter().filter(|set| set.size > 0) {
        if room <= 0 {
            break;
        }
        if cx.routed() && scaling::referenced(cx, &set) {
            continue;
        }
        let size = if !cx.routed() {
            (set.size - room).max(0)
        } else if (cx.fully_promoted() || set.deadline.is_some()) && !cx.dynamic() {
            scaling::delayed(store, cx, &set, &mut annotated, set.size)
        } else {
            0
        };
        if size != set.size {
            changed |= sets::scale(store, cx, &set, size, false);
            room -= set.size - size;
        }
    }
    changed
}

/// Begins a pause, or waits for its end.
fn pause(cx: &mut Cx) {
    if cx.by_hand() || cx.flag("promoteFull") {
        return;
    }
    let Some(step) = cx.step().filter(|step| !step["pause"].is_null()).cloned() else { return };
    match cx.pause_condition("CanaryPauseStep") {
        None if !cx.flag("controllerPause") => cx.pause.add.push("CanaryPauseStep"),
        None => {}
        Some(since) => {
            let ends = experiment::seconds(&step["pause"]["duration"]).map(|length| since + length);
            if let Some(at) = ends.filter(|at| *at > cx.now) {
                cx.wake_at(at);
            }
        }
    }
}

/// Whether the step that is under way is over.
fn step_is_over(cx: &Cx) -> bool {
    let Some(step) = cx.step().filter(|_| !cx.by_hand()) else { return false };
    let is = |kind: &str| !step[kind].is_null();
    if is("pause") {
        let since = cx.pause_condition("CanaryPauseStep");
        let length = experiment::seconds(&step["pause"]["duration"]);
        return match (since, length) {
            (None, _) => cx.flag("controllerPause") && cx.pause.add.is_empty(),
            (Some(since), Some(length)) => since + length <= cx.now,
            (Some(_), None) => false,
        };
    }
    if is("setWeight") {
        return weights::reached(cx, &cx.weights) && cx.weights["verified"] != false;
    }
    if is("setCanaryScale") {
        return weights::reached(cx, &cx.weights);
    }
    let successful = |run: Option<&Value>| run.is_some_and(|run| run["status"]["phase"] == "Successful");
    if is("analysis") {
        return successful(cx.runs.step.as_ref());
    }
    if is("experiment") {
        return successful(cx.experiment.as_ref());
    }
    is("setHeaderRoute") || is("setMirrorRoute")
}

/// A step in the words of the real controller.
fn step_text(step: &Value) -> String {
    let text = |v: &Value| v.as_str().map_or_else(|| v.to_string(), ToOwned::to_owned);
    let Some((kind, value)) = step.as_object().and_then(|map| map.iter().next()) else { return "invalid".to_owned() };
    match kind.as_str() {
        "pause" if value["duration"].is_null() => "pause".to_owned(),
        "pause" => format!("pause: {}", text(&value["duration"])),
        "setWeight" => format!("setWeight: {value}"),
        "setCanaryScale" if value["matchTrafficWeight"] == true => {
            "setCanaryScale{matchTrafficWeight: true}".to_owned()
        }
        "setCanaryScale" if value["weight"].is_null() => format!("setCanaryScale{{replicas: {}}}", value["replicas"]),
        "setCanaryScale" => format!("setCanaryScale{{weight: {}}}", value["weight"]),
        "setHeaderRoute" | "setMirrorRoute" => format!("{kind}: {}", text(&value["name"])),
        kind => kind.to_owned(),
    }
}

/// Why the new version becomes the stable one now, if it does.
fn promotes(cx: &Cx) -> Option<String> {
    if cx.stable.is_none() {
        return Some("Initial deploy".to_owned());
    }
    if cx.aborted() || cx.new.counts.available < cx.replicas() {
        return None;
    }
    if cx.flag("promoteFull") {
        return Some("Full promotion requested".to_owned());
    }
    if cx.fast_rollback() {
        let window = cx.within_window();
        return Some(if window { "Rollback within window" } else { "Fast rollback" }.to_owned());
    }
    let steps = cx.steps().len();
    (steps == 0 || cx.status()["currentStepIndex"] == steps).then(|| format!("Completed all {steps} canary steps"))
}

fn finish(store: &mut Store, cx: &mut Cx) {
    let mut next = base(cx);
    let steps = cx.steps().len();
    let mut index: Value = cx.index().map_or(Value::Null, Into::into);
    if cx.flag("promoteFull") || cx.within_window() {
        cx.pause.clear = true;
        cx.pause.remove_abort = true;
        cx.pause.abort = None;
        if steps > 0 {
            index = steps.into();
        }
    }
    next["currentStepIndex"] = cx.status()["currentStepIndex"].clone();
    if let Some(reason) = promotes(cx) {
        status::promote(store, cx, &mut next, &reason);
        return status::persist(store, cx, next);
    }
    if cx.aborted() {
        if steps > 0 {
            next["currentStepIndex"] = if next["stableRS"] == next["currentPodHash"] { steps } else { 0 }.into();
        }
        return status::persist(store, cx, next);
    }
    if step_is_over(cx) {
        let at = cx.index().unwrap_or(0) + 1;
        let text = cx.step().map(step_text).unwrap_or_default();
        index = at.into();
        next["canary"]["currentStepAnalysisRunStatus"] = Value::Null;
        status::tell(store, cx, "RolloutStepCompleted", &format!("Rollout step {at}/{steps} completed ({text})"));
        cx.pause.remove.push("CanaryPauseStep");
    }
    next["currentStepIndex"] = index;
    status::persist(store, cx, next);
}
