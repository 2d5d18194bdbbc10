//! A model of the Argo Rollouts controller: what v1.10.1 does to ReplicaSets, Services, `AnalysisRun`s and status, as far as
//! it can be seen from outside. Its own code, held to the real one by the parity test.
//!
//! As there, a rollout is looked at whenever something of it changed; one look takes one step and writes the status once.

mod analysis;
mod blue_green;
mod canary;
mod conditions;
mod cx;
mod experiment;
mod pause;
mod restart;
mod scale;
mod sets;
mod status;
mod traffic;
mod validate;
mod weights;
mod workload;

use jiff::Timestamp;
use serde_json::Value;

use super::store::{Key, Part, Store};
use cx::Cx;
pub(super) use sets::hash as template_hash;
pub(super) use workload::of as workload;

/// The name under which it writes.
pub(super) const MANAGER: &str = "rollouts-controller";

/// Brings one rollout one step nearer to what it asks for. Returns when to look again though nothing changed.
pub(super) fn reconcile(store: &mut Store, key: &Key, now: Timestamp) -> Option<Timestamp> {
    store.begin(now, MANAGER);
    let mut rollout = Value::clone(store.get(key).ok()?);
    if !rollout["metadata"]["deletionTimestamp"].is_null() {
        return None;
    }
    if let Err(refused) = workload::resolve(store, key, &mut rollout).and_then(|()| validate::check(store, &rollout)) {
        return validate::refuse(store, key, &rollout, &refused);
    }
    if rollout["spec"]["replicas"].is_null() {
        let mut stored = store.copy(key)?;
        stored["spec"]["replicas"] = 1.into();
        store.put(key, Part::Main, stored).ok()?;
        return None;
    }
    let mut cx = Cx::of(store, key, rollout, now)?;
    if status::check_paused(store, &cx) || status::revision(store, &mut cx) {
        return None;
    }
    if cx.scaling() {
        scale::replicas_only(store, &mut cx);
    } else if cx.blue_green() {
        blue_green::look(store, &mut cx);
    } else {
        canary::look(store, &mut cx);
    }
    cx.wake
}
