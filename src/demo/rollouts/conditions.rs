//! Conditions, phase and message, in the words of the real controller.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::cx::Cx;
use crate::demo::store::{Store, time};

/// The condition of a type; `null` where there is none.
pub(super) fn get<'a>(status: &'a Value, kind: &str) -> &'a Value {
    static NONE: Value = Value::Null;
    status["conditions"].as_array().and_then(|all| all.iter().find(|c| c["type"] == kind)).unwrap_or(&NONE)
}

/// Takes a condition out.
pub(super) fn remove(status: &mut Value, kind: &str) {
    if let Some(all) = status["conditions"].as_array_mut() {
        all.retain(|c| c["type"] != kind);
    }
}

/// Sets a condition, unless it says the same already. Whether it changed.
pub(super) fn set(status: &mut Value, kind: &str, is: &str, (reason, message): (&str, &str), now: Timestamp) -> bool {
    let found = get(status, kind);
    if found["status"] == is && found["reason"] == reason {
        return false;
    }
    let since = if found["status"] == is { found["lastTransitionTime"].clone() } else { time(now).into() };
    remove(status, kind);
    let condition = json!({
        "type": kind, "status": is, "reason": reason, "message": message, "lastUpdateTime": time(now),
        "lastTransitionTime": since,
    });
    match status["conditions"].as_array_mut() {
        Some(all) => all.push(condition),
        None => status["conditions"] = json!([condition]),
    }
    true
}

fn number(status: &Value, field: &str) -> i64 {
    status[field].as_i64().unwrap_or(0)
}

fn text<'a>(status: &'a Value, field: &str) -> &'a str {
    status[field].as_str().unwrap_or_default()
}

fn completed(status: &Value) -> bool {
    !text(status, "stableRS").is_empty() && status["stableRS"] == status["currentPodHash"]
}

/// Whether all that was asked for is there, whatever is still to be analysed.
pub(super) fn healthy(cx: &Cx, status: &Value) -> bool {
    let wanted = cx.replicas();
    let strategy = if cx.blue_green() {
        let hash = &status["currentPodHash"];
        let preview = cx.strategy()["previewService"].is_null() || status["blueGreen"]["previewSelector"] == *hash;
        status["blueGreen"]["activeSelector"] == *hash && preview
    } else {
        let steps = cx.steps().len();
        let all = steps == 0 || status["currentStepIndex"].is_null() || status["currentStepIndex"] == steps;
        all && completed(status) && number(status, "replicas") == wanted
    };
    let seen = cx.status()["observedGeneration"].as_str().and_then(|g| g.parse::<i64>().ok());
    number(status, "updatedReplicas") == wanted
        && number(status, "availableReplicas") == wanted
        && seen == cx.ro["metadata"]["generation"].as_i64()
        && strategy
}

/// Whether anything came nearer since the status that was read.
fn moved(cx: &Cx, status: &Value) -> bool {
    let old = cx.status();
    let strategy = if cx.blue_green() {
        let of = |status: &Value, field: &str| text(&status["blueGreen"], field).to_owned();
        ["activeSelector", "previewSelector"].iter().any(|field| of(old, field) != of(status, field))
    } else {
        let both = !old["currentStepIndex"].is_null() && !status["currentStepIndex"].is_null();
        text(old, "stableRS") != text(status, "stableRS")
            || text(old, "currentStepHash") != text(status, "currentStepHash")
            || (both && old["currentStepIndex"] != status["currentStepIndex"])
    };
    let grew = |field: &str| number(status, field) > number(old, field);
    let rest = |status: &Value| number(status, "replicas") - number(status, "updatedReplicas");
    strategy
        || number(status, "updatedReplicas") != number(old, "updatedReplicas")
        || rest(status) < rest(old)
        || grew("readyReplicas")
        || grew("availableReplicas")
}

/// The moment at which the deadline for progress is over, while one runs.
pub(super) fn stuck_at(cx: &Cx, status: &Value) -> Option<Timestamp> {
    let condition = get(status, "Progressing");
    let waits =
        matches!(text(condition, "reason"), "" | "RolloutAborted" | "RolloutPaused" | "ProgressDeadlineExceeded");
    let since: Timestamp = condition["lastUpdateTime"].as_str()?.parse().ok()?;
    let seconds = cx.ro["spec"]["progressDeadlineSeconds"].as_i64().unwrap_or(600);
    (!waits).then(|| since + SignedDuration::from_secs(seconds))
}

/// Steps and pauses that may last as long as they like, and old pods that are about to go.
pub(super) fn may_wait(cx: &Cx) -> bool {
    let endless = |step: &Value| ["experiment", "analysis", "pause"].iter().any(|kind| !step[*kind].is_null());
    cx.step().is_some_and(endless)
        || get(cx.status(), "Paused")["status"] == "True"
        || cx.others.iter().any(|set| set.deadline.is_some())
}

fn timed_out(cx: &Cx, status: &Value) -> bool {
    get(status, "Progressing")["reason"] == "ProgressDeadlineExceeded"
        || stuck_at(cx, status).is_some_and(|at| at < cx.now)
}

/// Aborts what got stuck, where the spec wants that.
pub(super) fn abort_when_stuck(store: &mut Store, cx: &mut Cx, status: &Value) {
    let wanted = cx.ro["spec"]["progressDeadlineAbort"] == true && !cx.aborted() && !completed(status);
    if wanted && !moved(cx, status) && !may_wait(cx) && timed_out(cx, cx.status()) {
        let message = format!("ReplicaSet {:?} has timed out progressing.", cx.new.key.name);
        cx.warn(store, "RolloutAborted", &message);
        cx.pause.abort = Some(message);
    }
}

/// Writes the conditions that follow from `status`.
pub(super) fn write(store: &mut Store, cx: &Cx, status: &mut Value) {
    let now = cx.now;
    let paused = status["pauseConditions"].as_array().is_some_and(|all| !all.is_empty()) || cx.by_hand();
    let mut fell_ill = false;
    if !paused && healthy(cx, status) {
        set(status, "Healthy", "True", ("RolloutHealthy", "Rollout is healthy"), now);
    } else if !get(cx.status(), "Healthy").is_null() {
        fell_ill = set(status, "Healthy", "False", ("RolloutHealthy", "Rollout is not healthy"), now);
    }
    if cx.aborted() {
        let mut message = format!("Rollout aborted update to revision {}", cx.revision());
        if let Some(why) = cx.pause.abort.as_ref().filter(|why| !why.is_empty()) {
            message = format!("{message}: {why}");
        }
        if set(status, "Progressing", "False", ("RolloutAborted", &message), now) {
            cx.warn(store, "RolloutAborted", &message);
        }
    } else {
        progress(cx, status, fell_ill);
    }
    let available = if cx.blue_green() {
        cx.set(text(&status["blueGreen"], "activeSelector")).is_some_and(|active| cx.saturated(active))
    } else {
        cx.sum(|c| c.available) >= cx.replicas()
    };
    if available {
        set(status, "Available", "True", ("AvailableReason", "Rollout has minimum availability"), now);
    } else {
        set(status, "Available", "False", ("AvailableReason", "Rollout does not have minimum availability"), now);
    }
    if completed(status) {
        set(status, "Completed", "True", ("RolloutCompleted", "RolloutCompleted"), now);
    } else if set(status, "Completed", "False", ("RolloutCompleted", "RolloutCompleted"), now) {
        let hash = text(status, "currentPodHash");
        let message = format!("Rollout not completed, started update to revision {} ({hash})", cx.revision());
        cx.event(store, "RolloutNotCompleted", &message);
    }
}

fn progress(cx: &Cx, status: &mut Value, fell_ill: bool) {
    let now = cx.now;
    let set_name = &cx.new.key.name;
    if healthy(cx, status) {
        let message = format!("ReplicaSet {set_name:?} has successfully progressed.");
        set(status, "Progressing", "True", ("NewReplicaSetAvailable", &message), now);
    } else if moved(cx, status) || fell_ill {
        let message = format!("ReplicaSet {set_name:?} is progressing.");
        let (reason, message) = if completed(status) && fell_ill {
            ("ReplicaSetNotAvailable", "Rollout does not have minimum availability")
        } else {
            ("ReplicaSetUpdated", message.as_str())
        };
        // Progress is written down even where the condition says it already: the deadline counts from it.
        let old = get(cx.status(), "Progressing");
        let since = if old["status"] == "True" { old["lastTransitionTime"].clone() } else { Value::Null };
        remove(status, "Progressing");
        set(status, "Progressing", "True", (reason, message), now);
        if let Some(last) =
            status["conditions"].as_array_mut().and_then(|all| all.last_mut()).filter(|_| !since.is_null())
        {
            last["lastTransitionTime"] = since;
        }
    } else if !may_wait(cx) && timed_out(cx, status) {
        let message = format!("ReplicaSet {set_name:?} has timed out progressing.");
        set(status, "Progressing", "False", ("ProgressDeadlineExceeded", &message), now);
    }
}

/// Phase and message.
pub(super) fn phase(spec: &Value, status: &Value) -> (&'static str, String) {
    for condition in status["conditions"].as_array().into_iter().flatten() {
        let (reason, message) = (text(condition, "reason"), text(condition, "message"));
        if condition["type"] == "InvalidSpec" {
            return ("Degraded", format!("InvalidSpec: {message}"));
        }
        if matches!(reason, "RolloutAborted" | "ProgressDeadlineExceeded") {
            return ("Degraded", format!("{reason}: {message}"));
        }
    }
    if spec["paused"] == true {
        return ("Paused", "manually paused".to_owned());
    }
    if let Some(reason) = status["pauseConditions"][0]["reason"].as_str() {
        return ("Paused", reason.to_owned());
    }
    progressing(spec, status).map_or(("Healthy", String::new()), |said| ("Progressing", said.to_owned()))
}

fn progressing(spec: &Value, status: &Value) -> Option<&'static str> {
    let updated = number(status, "updatedReplicas");
    let promoted = completed(status);
    if !spec["restartAt"].is_null() && spec["restartAt"] != status["restartedAt"] {
        return Some("rollout is restarting");
    }
    if updated < spec["replicas"].as_i64().unwrap_or(1) {
        return Some("more replicas need to be updated");
    }
    if number(status, "availableReplicas") < updated {
        return Some("updated replicas are still becoming available");
    }
    let blue_green = &spec["strategy"]["blueGreen"];
    if !blue_green.is_null() {
        let active = text(&status["blueGreen"], "activeSelector");
        if active.is_empty() || active != text(status, "currentPodHash") {
            return Some("active service cutover pending");
        }
        if !promoted {
            let run = &status["blueGreen"]["postPromotionAnalysisRunStatus"];
            let over = matches!(text(run, "status"), "Successful" | "Failed" | "Error" | "Inconclusive");
            if !blue_green["postPromotionAnalysis"].is_null() && !over {
                return Some("waiting for analysis to complete");
            }
            return Some("waiting for post-promotion verification to complete");
        }
        return None;
    }
    if spec["strategy"]["canary"]["trafficRouting"].is_null() && number(status, "replicas") > updated {
        return Some("old replicas are pending termination");
    }
    (!promoted).then_some("waiting for all steps to complete")
}
