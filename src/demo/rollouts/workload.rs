//! `spec.workloadRef`: the template is that of a Deployment.

use serde_json::Value;

use crate::demo::store::{Key, Kind, Part, Store};

/// The annotation with the generation of the workload that was seen.
pub(super) const GENERATION: &str = "rollout.argoproj.io/workload-generation";

/// The key of the Deployment that a rollout takes its template from.
pub(in crate::demo) fn of(rollout: &Value) -> Option<Key> {
    let reference = &rollout["spec"]["workloadRef"];
    let namespace = rollout["metadata"]["namespace"].as_str()?;
    Some(Key::new(Kind::Deployment, namespace, reference["name"].as_str()?))
}

/// Takes the template into the rollout that is looked at, and notes the workload's generation on the stored one.
pub(super) fn resolve(store: &mut Store, key: &Key, rollout: &mut Value) -> Result<(), String> {
    let Some(workload) = of(rollout) else { return Ok(()) };
    if !rollout["spec"]["template"]["spec"]["containers"].is_null() {
        return Err("template must be empty for workload reference rollout".to_owned());
    }
    let Ok(found) = store.get(&workload).cloned() else {
        return Err(format!("deployments.apps {:?} not found", workload.name));
    };
    let generation: Value = found["metadata"]["generation"].as_i64().unwrap_or(1).to_string().into();
    if rollout["metadata"]["annotations"][GENERATION] != generation {
        let mut stored = store.copy(key).unwrap_or_default();
        stored["metadata"]["annotations"][GENERATION] = generation;
        if let Ok(written) = store.put(key, Part::Main, stored) {
            *rollout = Value::clone(&written);
        }
    }
    rollout["spec"]["template"] = found["spec"]["template"].clone();
    if rollout["spec"]["selector"].is_null() {
        rollout["spec"]["selector"] = found["spec"]["selector"].clone();
    }
    Ok(())
}

/// The generation of the workload, as the status has it.
pub(super) fn observed(rollout: &Value) -> Value {
    if rollout["spec"]["workloadRef"].is_null() {
        return Value::Null;
    }
    rollout["metadata"]["annotations"][GENERATION].clone()
}
