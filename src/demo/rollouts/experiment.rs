//! Experiments as the rollout makes them and waits for them.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::analysis::over;
use super::cx::{Cx, HASH, REVISION};
use crate::demo::store::{Key, Kind, Part, Store};

/// A duration as steps have it: seconds, as a number or a text, or with units.
pub(super) fn seconds(value: &Value) -> Option<SignedDuration> {
    match value {
        Value::Number(n) => n.as_i64().map(SignedDuration::from_secs),
        Value::String(text) => {
            text.parse::<i64>().ok().map(SignedDuration::from_secs).or_else(|| text.parse::<SignedDuration>().ok())
        }
        _ => None,
    }
}

/// The experiment that the status names, and all others of the rollout.
pub(super) fn of(store: &Store, rollout: &Value) -> (Option<Value>, Vec<Value>) {
    let all = store.owned_by(rollout, Kind::Experiment).map(|(_, object)| Value::clone(object));
    let named = &rollout["status"]["canary"]["currentExperiment"];
    let (current, others): (Vec<Value>, Vec<Value>) =
        all.partition(|experiment| named.is_string() && experiment["metadata"]["name"] == *named);
    (current.into_iter().next(), others)
}

fn cancel(store: &mut Store, experiment: &Value) {
    if over(experiment) || experiment["spec"]["terminate"] == true {
        return;
    }
    let text = |field: &str| experiment["metadata"][field].as_str().unwrap_or_default();
    let key = Key::new(Kind::Experiment, text("namespace"), text("name"));
    if let Some(mut stored) = store.copy(&key) {
        stored["spec"]["terminate"] = true.into();
        let _ = store.put(&key, Part::Main, stored);
    }
}

fn create(store: &mut Store, cx: &Cx, step: &Value) -> Option<Value> {
    let stable = cx.stable.as_ref()?;
    let mut labels = cx.ro["metadata"]["labels"].clone();
    labels[HASH] = cx.new.hash.clone().into();
    let template = |template: &Value| {
        let set = if template["specRef"] == "stable" { stable } else { &cx.new };
        let set = store.get(&set.key).ok()?;
        Some(json!({
            "name": template["name"], "replicas": template["replicas"], "template": set["spec"]["template"],
            "selector": set["spec"]["selector"],
        }))
    };
    let templates: Vec<Value> = step["templates"].as_array().into_iter().flatten().filter_map(template).collect();
    let experiment = json!({
        "metadata": {
            "labels": labels, "annotations": {REVISION: cx.revision()},
            "ownerReferences": [{
                "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "name": cx.key.name,
                "uid": cx.ro["metadata"]["uid"], "controller": true, "blockOwnerDeletion": true,
            }],
        },
        "spec": {"duration": step["duration"], "templates": templates},
    });
    let name = format!("{}-{}-{}-{}", cx.key.name, cx.new.hash, cx.revision(), cx.index()?);
    let made = (0..100).find_map(|n| {
        let name = if n == 0 { name.clone() } else { format!("{name}-{n}") };
        let made = store.create(&Key::new(Kind::Experiment, &cx.key.namespace, &name), experiment.clone()).ok()?;
        Some(Value::clone(&made))
    })?;
    let name = made["metadata"]["name"].as_str().unwrap_or_default();
    cx.event(store, "ExperimentCreated", &format!("Created Experiment '{name}'"));
    Some(made)
}

/// Sees to the experiment of the present step.
pub(super) fn look(store: &mut Store, cx: &mut Cx) {
    let stop = cx.aborted() || cx.flag("promoteFull");
    let step = cx.step().map(|step| step["experiment"].clone()).filter(|step| !step.is_null() && !stop);
    for other in cx.other_experiments.clone() {
        cancel(store, &other);
    }
    let Some(step) = step else {
        if let Some(current) = cx.experiment.clone() {
            cancel(store, &current);
        }
        return;
    };
    if cx.pause_condition("InconclusiveAnalysisRun").is_some() {
        return;
    }
    if cx.experiment.is_none() {
        cx.experiment = create(store, cx, &step);
    }
    let Some(current) = &cx.experiment else { return };
    let message = current["status"]["message"].as_str().filter(|m| !m.is_empty());
    match current["status"]["phase"].as_str() {
        Some("Inconclusive") => cx.pause.add.push("InconclusiveExperiment"),
        Some("Failed" | "Error") => {
            let said = "Experiment analysis phase is error/failed";
            cx.pause.abort = Some(message.map_or_else(|| said.to_owned(), |m| format!("{said}: {m}")));
        }
        Some("Successful") => {}
        _ => cx.experiment_name = current["metadata"]["name"].clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_many_forms() {
        for value in [json!(90), json!("90"), json!("90s"), json!("1m30s")] {
            assert_eq!(seconds(&value), Some(SignedDuration::from_secs(90)), "{value}");
        }
        assert_eq!(seconds(&Value::Null), None);
    }
}
