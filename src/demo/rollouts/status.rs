//! The status: what all strategies have in common, and how it is written.

use serde_json::{Value, json};

use super::conditions;
use super::cx::Cx;
use super::sets;
use super::workload;
use crate::demo::events;
use crate::demo::store::{Part, Store};

/// Puts the status into the store, with phase and message. Whether it changed anything.
///
/// A field that the controller means to be empty and that is stored as `false` stays so, as the real one's patches
/// leave it: after a retry `abort` is `false`, not absent.
fn keep(store: &mut Store, cx: &Cx, mut status: Value) -> bool {
    let (phase, message) = conditions::phase(&cx.ro["spec"], &status);
    status["phase"] = phase.into();
    status["message"] = if message.is_empty() { Value::Null } else { message.into() };
    let old = cx.status();
    for (field, value) in old.as_object().into_iter().flatten() {
        let empty = value == false || value == 0 || value == "";
        if empty && status[field].is_null() {
            status[field] = value.clone();
        }
    }
    let mut stored = cx.stored(store);
    stored["status"] = status;
    let version = store.version();
    // Nobody else writes between reading and writing.
    let _ = store.put(&cx.key, Part::Status, stored);
    store.version() != version
}

fn generation(cx: &Cx) -> Value {
    cx.ro["metadata"]["generation"].as_i64().unwrap_or(0).to_string().into()
}

/// Writes the conditions that tell of pauses. Whether anything changed: then the look ends.
pub(super) fn check_paused(store: &mut Store, cx: &Cx) -> bool {
    let mut status = cx.status().clone();
    let progressing = conditions::get(&status, "Progressing")["reason"].as_str().unwrap_or_default().to_owned();
    let paused = cx.has_pause() || cx.by_hand();
    let aborted = progressing == "RolloutAborted";
    let said_paused = conditions::get(&status, "Paused")["status"] == "True";
    let mut news = Vec::new();
    // After the switch, and paused all the same (by hand, or by an inconclusive analysis), the real controller writes the
    // two reasons by turns, some 60 times a second. Nothing depends on which of them it is; the model keeps to one.
    let by_turns = progressing == "NewReplicaSetAvailable" && conditions::healthy(cx, &status);
    if paused != (progressing == "RolloutPaused") && !aborted && !cx.fully_promoted() && !by_turns {
        let (reason, message) =
            if paused { ("RolloutPaused", "Rollout is paused") } else { ("RolloutResumed", "Rollout is resumed") };
        news.push(("Progressing", "Unknown", reason, message));
    }
    if aborted && !cx.flag("abort") {
        news.push(("Progressing", "Unknown", "RolloutRetry", "Retrying Rollout after abort"));
    }
    if paused != said_paused && !aborted {
        news.push(("Paused", if paused { "True" } else { "False" }, "RolloutPaused", "Rollout is paused"));
    }
    let mut changed = false;
    for (kind, is, reason, message) in news {
        changed |= conditions::set(&mut status, kind, is, (reason, message), cx.now);
    }
    if !changed {
        return false;
    }
    status["observedGeneration"] = generation(cx);
    keep(store, cx, status)
}

/// Sees to revision numbers and to the first condition. Whether anything changed: then the look ends.
pub(super) fn revision(store: &mut Store, cx: &mut Cx) -> bool {
    if sets::renumber(store, cx) {
        return true;
    }
    if !conditions::get(cx.status(), "Progressing").is_null() {
        return false;
    }
    let mut stored = cx.stored(store);
    let message = format!("Found new replica set {:?}", cx.new.key.name);
    conditions::set(&mut stored["status"], "Progressing", "True", ("FoundNewReplicaSet", &message), cx.now);
    store.put(&cx.key, Part::Status, stored).is_ok()
}

/// Whether another template is wanted than the status knows.
pub(super) fn new_template(cx: &Cx) -> bool {
    !cx.text("currentPodHash").is_empty() && cx.text("currentPodHash") != cx.new.hash
}

fn count(n: i64) -> Value {
    if n == 0 { Value::Null } else { n.into() }
}

/// The status that both strategies begin with.
pub(super) fn base(cx: &Cx) -> Value {
    let old = cx.status();
    let promote = old["promoteFull"] == true && cx.new.hash != cx.text("stableRS");
    let mut status = json!({
        "currentPodHash": cx.new.hash,
        "stableRS": old["stableRS"],
        "replicas": count(cx.sum(|c| c.all)),
        "updatedReplicas": count(cx.new.counts.all),
        "readyReplicas": count(cx.sum(|c| c.ready)),
        "conditions": old["conditions"],
        "collisionCount": old["collisionCount"],
        "restartedAt": cx.restarted_at,
        "promoteFull": if promote { true.into() } else { Value::Null },
        "blueGreen": {},
        "canary": {},
        "workloadObservedGeneration": old["workloadObservedGeneration"],
    });
    conditions::remove(&mut status, "InvalidSpec");
    status
}

/// Sets the numbers of pods that count for an autoscaler and for availability.
pub(super) fn counts(status: &mut Value, hpa: i64, available: i64, selector: String) {
    status["HPAReplicas"] = count(hpa);
    status["availableReplicas"] = count(available);
    status["selector"] = selector.into();
}

/// A label selector as one text.
pub(super) fn selector(selector: &Value) -> String {
    let labels = selector["matchLabels"].as_object().cloned().unwrap_or_default();
    let all: Vec<String> = labels.iter().map(|(k, v)| format!("{k}={}", v.as_str().unwrap_or_default())).collect();
    all.join(",")
}

/// What another template, or other steps, put back to the beginning.
pub(super) fn reset(cx: &mut Cx, status: &mut Value) {
    cx.pause.clear = true;
    cx.pause.remove_abort = true;
    cx.pause.abort = None;
    status["restartedAt"] = cx.ro["spec"]["restartAt"].clone();
    status["promoteFull"] = Value::Null;
    for field in ["prePromotionAnalysisRunStatus", "postPromotionAnalysisRunStatus", "scaleUpPreviewCheckPoint"] {
        status["blueGreen"][field] = Value::Null;
    }
    for field in ["currentStepAnalysisRunStatus", "currentBackgroundAnalysisRunStatus"] {
        status["canary"][field] = Value::Null;
    }
    status["currentStepIndex"] = if cx.index().is_some() { 0.into() } else { Value::Null };
}

/// Makes the new version the stable one.
pub(super) fn promote(store: &mut Store, cx: &mut Cx, status: &mut Value, reason: &str) {
    cx.pause.clear = true;
    cx.pause.remove_abort = true;
    cx.pause.abort = None;
    status["promoteFull"] = Value::Null;
    status["blueGreen"]["scaleUpPreviewCheckPoint"] = Value::Null;
    if !cx.blue_green() {
        status["currentStepIndex"] = if cx.steps().is_empty() { Value::Null } else { cx.steps().len().into() };
    }
    if status["stableRS"] != status["currentPodHash"] {
        status["stableRS"] = status["currentPodHash"].clone();
        let hash = &cx.new.hash;
        let message = format!("Rollout completed update to revision {} ({hash}): {reason}", cx.revision());
        cx.event(store, "RolloutCompleted", &message);
    }
}

/// Finishes the status and writes it.
pub(super) fn persist(store: &mut Store, cx: &mut Cx, mut status: Value) {
    status["observedGeneration"] = generation(cx);
    status["workloadObservedGeneration"] = workload::observed(&cx.ro);
    conditions::abort_when_stuck(store, cx, &status);
    cx.pause.apply(&cx.ro["status"], &mut status, cx.now);
    conditions::write(store, cx, &mut status);
    let paused = status["pauseConditions"][0]["reason"].as_str().map(ToOwned::to_owned);
    let aborted = !status["abortedAt"].is_null();
    let stuck_at = conditions::stuck_at(cx, &status);
    if keep(store, cx, status) {
        match paused {
            Some(reason) if !cx.has_pause() => {
                cx.event(store, "RolloutPaused", &format!("Rollout is paused ({reason})"));
            }
            None if cx.has_pause() && !aborted => cx.event(store, "RolloutResumed", "Rollout is resumed"),
            _ => {}
        }
        return;
    }
    let counts = !conditions::may_wait(cx) && !cx.has_pause() && !cx.by_hand() && cx.status()["phase"] != "Healthy";
    if let Some(at) = stuck_at.filter(|_| counts) {
        cx.wake_at(at + jiff::SignedDuration::from_secs(1));
    }
}

/// Writes an event on the rollout as it was read.
pub(super) fn tell(store: &mut Store, cx: &Cx, reason: &str, message: &str) {
    events::record(store, &cx.ro, false, reason, message);
}
