//! Plays the part of the controller that carries out Experiments. Its pods are not played: the templates' counts are
//! told as if they were there.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::events;
use super::store::{Key, Part, Store, time};

fn length(value: &Value) -> Option<SignedDuration> {
    let text = value.as_str()?;
    text.parse::<i64>().ok().map(SignedDuration::from_secs).or_else(|| text.parse().ok())
}

fn template(template: &Value, phase: &str, now: Timestamp) -> Value {
    let replicas = if phase == "Running" { template["replicas"].as_i64().unwrap_or(1) } else { 0 };
    let count = if replicas == 0 { Value::Null } else { replicas.into() };
    json!({
        "name": template["name"], "status": phase, "replicas": replicas, "updatedReplicas": replicas,
        "readyReplicas": count, "availableReplicas": count, "lastTransitionTime": time(now),
        "podTemplateHash": template["template"]["metadata"]["labels"]["rollouts-pod-template-hash"],
    })
}

/// Brings one experiment one step on. Returns when it is over.
pub(super) fn reconcile(store: &mut Store, key: &Key, now: Timestamp) -> Option<Timestamp> {
    store.begin(now, super::rollouts::MANAGER);
    let mut experiment = store.copy(key)?;
    let was = experiment["status"]["phase"].as_str().unwrap_or_default().to_owned();
    let since = experiment["status"]["availableAt"].as_str().and_then(|t| t.parse::<Timestamp>().ok());
    let end = since.and_then(|since| length(&experiment["spec"]["duration"]).map(|length| since + length));
    let stopped = experiment["spec"]["terminate"] == true;
    let phase = match was.as_str() {
        "" => "Pending",
        "Pending" => "Running",
        "Running" if stopped || end.is_some_and(|end| end <= now) => "Successful",
        "Running" => return end,
        _ => return None,
    };
    let said = if was.is_empty() { "New" } else { was.as_str() };
    let status = &mut experiment["status"];
    status["phase"] = phase.into();
    if phase == "Running" {
        status["availableAt"] = time(now).into();
    }
    let templates = experiment["spec"]["templates"].as_array().cloned().unwrap_or_default();
    let all: Vec<Value> = templates.iter().map(|t| template(t, phase, now)).collect();
    experiment["status"]["templateStatuses"] = Value::Array(all);
    let message = format!("Experiment transitioned from {said} -> {phase}");
    events::record(store, &experiment, false, &format!("Experiment{phase}"), &message);
    let _ = store.put(key, Part::Whole, experiment);
    None
}
