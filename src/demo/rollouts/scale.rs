//! Scaling: which ReplicaSet gets which size now, and which one is kept up for a while.

use jiff::SignedDuration;
use serde_json::Value;

use super::cx::{Cx, Set};
use super::{sets, status, weights};
use crate::demo::store::Store;

/// How long the new version is kept up after an abort; `None` for ever.
pub(super) fn abort_delay(cx: &Cx) -> Option<SignedDuration> {
    match cx.seconds("abortScaleDownDelaySeconds") {
        Some(0) => None,
        seconds => Some(SignedDuration::from_secs(seconds.unwrap_or(30))),
    }
}

/// Whether an aborted version is kept up until its deadline.
pub(super) fn delays_abort(cx: &Cx) -> bool {
    let applies = cx.aborted() && cx.stable.is_some() && (cx.blue_green() || cx.routed());
    let asked = !cx.strategy()["abortScaleDownDelaySeconds"].is_null();
    applies && abort_delay(cx).is_some() && (!cx.dynamic() || asked)
}

/// The size of the new ReplicaSet, without regard to delays.
pub(super) fn new_size(cx: &Cx) -> i64 {
    if !cx.blue_green() {
        return weights::sizes(cx, &cx.weights).0;
    }
    let all = cx.replicas();
    let Some(preview) = cx.seconds("previewReplicaCount") else { return all };
    let active = cx.status()["blueGreen"]["activeSelector"].as_str().and_then(|hash| cx.set(hash));
    let is_active = active.is_none_or(|active| active.hash == cx.new.hash);
    if is_active || cx.flag("promoteFull") {
        return all;
    }
    let known = cx.new.hash == cx.text("currentPodHash");
    let past = cx.status()["blueGreen"]["scaleUpPreviewCheckPoint"] == true && !cx.by_hand() && !cx.has_pause();
    if known && past { all } else { preview }
}

/// Scales the new ReplicaSet. Whether its size changed.
pub(super) fn new_set(store: &mut Store, cx: &mut Cx) -> bool {
    let new = cx.new.clone();
    let mut size = new_size(cx);
    let delays = delays_abort(cx);
    if delays {
        match new.deadline {
            Some(at) if at > cx.now => {
                cx.wake_at(at);
                sets::scale(store, cx, &new, new.size, true);
                return false;
            }
            Some(_) => size = 0,
            None => {
                sets::scale(store, cx, &new, new.size, true);
                let ready = cx.stable.as_ref().is_some_and(|stable| stable.counts.available >= cx.replicas());
                if ready {
                    let delay = abort_delay(cx);
                    sets::deadline(store, cx, &new, delay);
                }
                return false;
            }
        }
    }
    sets::scale(store, cx, &new, size, delays)
}

/// The size of an old ReplicaSet that is kept up for a while. `annotated` counts those that are.
pub(super) fn delayed(store: &mut Store, cx: &mut Cx, set: &Set, annotated: &mut i64, kept: i64) -> i64 {
    let limit = cx.seconds("scaleDownDelayRevisionLimit").unwrap_or(i64::MAX);
    match set.deadline {
        None if *annotated < limit => {
            *annotated += 1;
            let delay = cx.scale_down_delay();
            if delay.is_zero() {
                return 0;
            }
            sets::deadline(store, cx, set, Some(delay));
            set.size
        }
        None => 0,
        Some(at) => {
            *annotated += 1;
            if *annotated > limit || at <= cx.now {
                return 0;
            }
            cx.wake_at(at);
            kept
        }
    }
}

/// Whether a service or the status still names this version.
pub(super) fn referenced(cx: &Cx, set: &Set) -> bool {
    let status = cx.status();
    let weights = &status["canary"]["weights"];
    [
        &status["stableRS"],
        &status["currentPodHash"],
        &status["blueGreen"]["activeSelector"],
        &status["blueGreen"]["previewSelector"],
        &weights["canary"]["podTemplateHash"],
        &weights["stable"]["podTemplateHash"],
    ]
    .iter()
    .any(|hash| **hash == set.hash.as_str())
}

/// Brings ReplicaSets to the number of replicas that was asked for anew, and nothing else.
pub(super) fn replicas_only(store: &mut Store, cx: &mut Cx) {
    let mut next = cx.status().clone();
    let (hpa, available) = if cx.blue_green() {
        super::blue_green::scale(store, cx);
        let active = cx.status()["blueGreen"]["activeSelector"].as_str().and_then(|hash| cx.set(hash));
        active.map_or_else(|| (cx.sum(|c| c.all), cx.sum(|c| c.available)), |a| (a.counts.all, a.counts.available))
    } else {
        super::canary::scale(store, cx);
        (cx.sum(|c| c.all), cx.sum(|c| c.available))
    };
    let selector = next["selector"].as_str().unwrap_or_default().to_owned();
    status::counts(&mut next, hpa, available, selector);
    if next["selector"] == "" {
        next["selector"] = Value::Null;
    }
    // Where sizes may not change now (a pause by hand), the number that is asked for is known all the same.
    if cx.halted() {
        let both = [Some(cx.new.clone()), cx.stable.clone()];
        for set in both.into_iter().flatten() {
            sets::scale(store, cx, &set, set.size, true);
        }
    }
    status::persist(store, cx, next);
}
