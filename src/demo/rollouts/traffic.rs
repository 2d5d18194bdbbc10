//! Services and the weights of a traffic router.

use serde_json::{Value, json};

use super::cx::{Cx, HASH, Set};
use super::weights;
use crate::demo::store::{Key, Kind, Part, Store};

const MANAGED_BY: &str = "argo-rollouts.argoproj.io/managed-by-rollouts";

/// The hash that a Service selects; `None` where there is no such Service.
pub(super) fn selected(store: &Store, cx: &Cx, service: &Value) -> Option<String> {
    let key = Key::new(Kind::Service, &cx.key.namespace, service.as_str()?);
    let service = store.get(&key).ok()?;
    Some(service["spec"]["selector"][HASH].as_str().unwrap_or_default().to_owned())
}

/// Points a Service at a version.
pub(super) fn point(store: &mut Store, cx: &Cx, service: &Value, hash: &str) {
    let Some(name) = service.as_str() else { return };
    let key = Key::new(Kind::Service, &cx.key.namespace, name);
    let Some(mut object) = store.copy(&key) else { return };
    let was = object["spec"]["selector"][HASH].as_str().unwrap_or_default().to_owned();
    if was == hash {
        return;
    }
    object["spec"]["selector"][HASH] = hash.into();
    object["metadata"]["annotations"][MANAGED_BY] = cx.key.name.clone().into();
    let _ = store.put(&key, Part::Main, object);
    cx.event(store, "SwitchService", &format!("Switched selector for service '{name}' from '{was}' to '{hash}'"));
}

/// Points a canary's Service at a version as soon as that has a pod to show.
fn ensure(store: &mut Store, cx: &Cx, service: &Value, set: Option<&Set>, check: bool) {
    let Some(set) = set else { return };
    if selected(store, cx, service).is_some_and(|now| now != set.hash) && (!check || set.counts.available > 0) {
        point(store, cx, service, &set.hash.clone());
    }
}

/// Both Services of a canary.
pub(super) fn services(store: &mut Store, cx: &Cx) {
    let (stable, canary) = (cx.strategy()["stableService"].clone(), cx.strategy()["canaryService"].clone());
    ensure(store, cx, &stable, cx.stable.as_ref(), true);
    let back = cx.aborted() && !cx.routed();
    ensure(store, cx, &canary, if back { cx.stable.as_ref() } else { Some(&cx.new) }, true);
}

/// The weight on the way back to the stable version, where its pods have to come first.
fn on_the_way_back(cx: &Cx) -> i64 {
    let (true, Some(stable)) = (cx.dynamic() && cx.replicas() > 0, &cx.stable) else { return 0 };
    let desired = weights::desired(cx);
    let able = 100 * stable.counts.available / cx.replicas();
    let expected = (100 - able).max(0);
    let Some(current) = cx.weights["canary"]["weight"].as_i64() else { return expected.max(desired) };
    if desired <= 0 {
        return expected.min(current);
    }
    if able < 100 - desired { current } else { desired.min(current) }
}

/// The canary's hash and the weight that it shall have.
fn wanted(store: &mut Store, cx: &Cx) -> (String, i64) {
    let new = cx.new.hash.clone();
    let previous = cx.weights["canary"]["podTemplateHash"].as_str().unwrap_or_default();
    let back = cx.dynamic() && cx.fully_promoted() && !previous.is_empty() && previous != new;
    if back && cx.new.counts.available < cx.replicas() {
        return (previous.to_owned(), on_the_way_back(cx));
    }
    if cx.fully_promoted() {
        return (new, 0);
    }
    if cx.aborted() {
        let weight = on_the_way_back(cx);
        if !cx.dynamic() || weight == 0 {
            let canary = cx.strategy()["canaryService"].clone();
            ensure(store, cx, &canary, cx.stable.as_ref(), false);
        }
        return (new, weight);
    }
    if cx.new.counts.available == 0 {
        return (new, 0);
    }
    if cx.flag("promoteFull") {
        let now = cx.weights["canary"]["weight"].as_i64().unwrap_or(0);
        let able = 100 * cx.new.counts.available / cx.replicas().max(1);
        return (new, if cx.dynamic() { able } else { now });
    }
    let Some(index) = cx.index() else { return (new, 0) };
    if !weights::reached(cx, &Value::Null) {
        let mut before = cx.steps()[..index.min(cx.steps().len())].iter().rev();
        return (new, before.find_map(|step| step["setWeight"].as_i64()).unwrap_or(0));
    }
    (new, weights::set_weight(cx))
}

/// Sets the weights of the router.
pub(super) fn weigh(store: &mut Store, cx: &mut Cx) {
    if !cx.routed() {
        cx.weights = Value::Null;
        return;
    }
    let (hash, weight) = wanted(store, cx);
    // The stable version must be able to take what is left to it.
    let able = cx.stable.as_ref().is_some_and(|stable| stable.counts.available >= (100 - weight) * cx.replicas() / 100);
    let Some(stable) = cx.stable.as_ref().filter(|_| able) else { return };
    let next = json!({
        "canary": {"weight": weight, "podTemplateHash": hash, "serviceName": cx.strategy()["canaryService"]},
        "stable": {"weight": 100 - weight, "podTemplateHash": stable.hash, "serviceName": cx.strategy()["stableService"]},
    });
    let mut now = cx.weights.clone();
    if let Some(map) = now.as_object_mut() {
        map.remove("verified");
    }
    if now == next {
        return;
    }
    let was = cx.weights["canary"]["weight"].as_i64();
    let said = match was {
        None => format!("to {weight}"),
        Some(was) if was != weight => format!("from {was} to {weight}"),
        Some(_) => String::new(),
    };
    cx.event(store, "TrafficWeightUpdated", &format!("Traffic weight updated {said}"));
    cx.weights = next;
}
