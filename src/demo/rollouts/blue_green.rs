//! One look at a blue-green rollout.

use jiff::SignedDuration;
use serde_json::Value;

use super::cx::{Cx, Set};
use super::{analysis, restart, scale as scaling, sets, status, traffic};
use crate::demo::store::Store;

const PAUSE: &str = "BlueGreenPause";

/// One look at a blue-green rollout.
pub(super) fn look(store: &mut Store, cx: &mut Cx) {
    let (preview, active) = (cx.strategy()["previewService"].clone(), cx.strategy()["activeService"].clone());
    if !cx.halted() {
        let hash = cx.new.hash.clone();
        traffic::point(store, cx, &preview, &hash);
    }
    if status::new_template(cx) {
        return finish(store, cx);
    }
    restart::pods(store, cx);
    scale(store, cx);
    sets::clean_up(store, cx);
    pause(store, cx, &active);
    switch(store, cx, &active);
    analysis::blue_green(store, cx);
    finish(store, cx);
}

/// Brings ReplicaSets to their sizes.
pub(super) fn scale(store: &mut Store, cx: &mut Cx) {
    sets::drop_deadlines(store, cx);
    if let Some(stable) = cx.stable.clone().filter(|stable| stable.hash != cx.new.hash) {
        let size = cx.replicas();
        sets::scale(store, cx, &stable, size, false);
    }
    scaling::new_set(store, cx);
    others(store, cx);
}

/// Whether old versions must wait for the analysis after the switch: they are the way back.
fn held_by_analysis(cx: &Cx) -> bool {
    let analysed = !cx.strategy()["postPromotionAnalysis"].is_null();
    let asked = !cx.strategy()["scaleDownDelaySeconds"].is_null();
    let over = cx.runs.post.as_ref().is_some_and(|run| run["status"]["phase"] == "Successful");
    analysed && !asked && !over && !analysis::skips_post(cx)
}

fn others(store: &mut Store, cx: &mut Cx) {
    if cx.pause_condition("InconclusiveAnalysisRun").is_some() || held_by_analysis(cx) {
        return;
    }
    let mut old: Vec<Set> = cx.others.iter().filter(|set| set.size > 0).cloned().collect();
    old.sort_by_key(|set| std::cmp::Reverse(set.revision));
    let mut annotated = 0;
    for set in old {
        if scaling::referenced(cx, &set) || selected(store, cx, &set) {
            continue;
        }
        let kept = cx.replicas();
        let size = scaling::delayed(store, cx, &set, &mut annotated, kept);
        if size != set.size {
            sets::scale(store, cx, &set, size, false);
        }
    }
}

fn selected(store: &Store, cx: &Cx, set: &Set) -> bool {
    let services = ["activeService", "previewService"].map(|service| &cx.strategy()[service]);
    services.into_iter().any(|service| traffic::selected(store, cx, service).as_deref() == Some(&set.hash))
}

/// Whether the new version has as many pods as it shall have before the switch.
fn ready_for_pause(cx: &Cx) -> bool {
    let wanted = scaling::new_size(cx);
    cx.new.size == wanted && cx.new.counts.available == wanted
}

/// Whether pauses and analyses are passed over.
fn fast(store: &Store, cx: &Cx, active: &Value) -> bool {
    let now = traffic::selected(store, cx, active).unwrap_or_default();
    cx.fast_rollback() || cx.flag("promoteFull") || now.is_empty() || now == cx.new.hash
}

fn auto(cx: &Cx) -> bool {
    cx.strategy()["autoPromotionEnabled"] != false
}

fn auto_seconds(cx: &Cx) -> i64 {
    cx.seconds("autoPromotionSeconds").unwrap_or(0)
}

fn check_point(cx: &Cx) -> bool {
    cx.status()["blueGreen"]["scaleUpPreviewCheckPoint"] == true
}

fn pre_is_over(cx: &Cx) -> bool {
    cx.strategy()["prePromotionAnalysis"].is_null()
        || cx.runs.pre.as_ref().is_some_and(|run| run["status"]["phase"] == "Successful")
}

/// Whether the pause before the switch is over: by hand, by time, or because none is asked for.
fn pause_is_over(cx: &Cx) -> bool {
    if !cx.pause.add.is_empty() {
        return false;
    }
    if check_point(cx) {
        return true;
    }
    let since = cx.pause_condition(PAUSE);
    if !auto(cx) {
        return cx.flag("controllerPause") && since.is_none();
    }
    let length = auto_seconds(cx);
    length == 0 || since.is_some_and(|since| since + SignedDuration::from_secs(length) <= cx.now)
}

fn pause(store: &Store, cx: &mut Cx, active: &Value) {
    if cx.flag("abort") || !ready_for_pause(cx) || cx.halted() {
        return;
    }
    let asked = !auto(cx) || auto_seconds(cx) > 0;
    if fast(store, cx, active) || check_point(cx) || !asked {
        cx.pause.remove.push(PAUSE);
        return;
    }
    if !pre_is_over(cx) {
        return;
    }
    match cx.pause_condition(PAUSE) {
        Some(_) if pause_is_over(cx) => cx.pause.remove.push(PAUSE),
        Some(since) if auto(cx) => cx.wake_at(since + SignedDuration::from_secs(auto_seconds(cx))),
        None if !cx.flag("controllerPause") => cx.pause.add.push(PAUSE),
        Some(_) | None => {}
    }
}

/// Points the active Service at the new version, or back at the stable one.
///
/// The way back after an abort stands behind the same check of the *new* pods: where they are not ready, the Service
/// stays on them. That is the real controller's trap.
fn switch(store: &mut Store, cx: &mut Cx, active: &Value) {
    if cx.halted() || !ready_for_pause(cx) || !cx.saturated(&cx.new) {
        return;
    }
    let mut hash = traffic::selected(store, cx, active).unwrap_or_default();
    if fast(store, cx, active) || (pause_is_over(cx) && pre_is_over(cx)) {
        hash.clone_from(&cx.new.hash);
    }
    if cx.flag("abort") {
        cx.text("stableRS").clone_into(&mut hash);
    }
    traffic::point(store, cx, active, &hash);
}

/// Why the new version becomes the stable one now, if it does.
fn promotes(cx: &Cx, active: &str) -> Option<&'static str> {
    if cx.stable.is_none() || active.is_empty() {
        return Some("Initial deploy");
    }
    if active != cx.new.hash {
        return None;
    }
    if cx.flag("promoteFull") {
        return Some("Full promotion requested");
    }
    if cx.fast_rollback() {
        return Some(if cx.within_window() { "Rollback within window" } else { "Fast rollback" });
    }
    if cx.aborted() {
        return None;
    }
    let analysed = !cx.strategy()["postPromotionAnalysis"].is_null();
    let over = cx.runs.post.as_ref().is_some_and(|run| run["status"]["phase"] == "Successful");
    (!analysed || over).then_some("Completed blue-green update")
}

fn reaches_check_point(cx: &Cx) -> bool {
    let Some(preview) = cx.seconds("previewReplicaCount") else { return false };
    check_point(cx) || (pre_is_over(cx) && pause_is_over(cx) && cx.new.counts.available == preview)
}

fn finish(store: &mut Store, cx: &mut Cx) {
    let mut next = status::base(cx);
    let hash = |service: &str| traffic::selected(store, cx, &cx.strategy()[service]).filter(|hash| !hash.is_empty());
    let (preview, active) = (hash("previewService"), hash("activeService"));
    next["blueGreen"]["prePromotionAnalysisRunStatus"] = analysis::told(cx.runs.pre.as_ref());
    next["blueGreen"]["postPromotionAnalysisRunStatus"] = analysis::told(cx.runs.post.as_ref());
    if status::new_template(cx) {
        status::reset(cx, &mut next);
    }
    if cx.flag("promoteFull") || cx.within_window() {
        cx.pause.clear = true;
        cx.pause.remove_abort = true;
        cx.pause.abort = None;
    }
    next["blueGreen"]["previewSelector"] = preview.map_or(Value::Null, Into::into);
    next["blueGreen"]["activeSelector"] = active.clone().map_or(Value::Null, Into::into);
    let active = active.unwrap_or_default();
    if let Some(reason) = promotes(cx, &active) {
        status::promote(store, cx, &mut next, reason);
    } else if reaches_check_point(cx) && !status::new_template(cx) {
        next["blueGreen"]["scaleUpPreviewCheckPoint"] = true.into();
    }
    // Only the pods that get the traffic count.
    let counted = cx.set(&active).map(|set| (set.counts, set.key.clone()));
    if let Some((counts, key)) = counted {
        let selector = store.get(&key).map(|set| status::selector(&set["spec"]["selector"])).unwrap_or_default();
        status::counts(&mut next, counts.all, counts.available, selector);
        next["readyReplicas"] = if counts.ready == 0 { Value::Null } else { counts.ready.into() };
    } else {
        let selector = status::selector(&cx.ro["spec"]["selector"]);
        status::counts(&mut next, cx.sum(|c| c.all), cx.sum(|c| c.available), selector);
    }
    status::persist(store, cx, next);
}
