//! JSON Patches with the tests that each act depends on (`testbed.md`, tried on the real server).

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::domain::prepared::{PlanStep, WriteRequest};
use crate::domain::rollout::Rollout;

const JSON_PATCH: &str = "application/json-patch+json";

/// Who we are in `managedFields`.
const MANAGER: &str = "fieldManager=flightdeck";

fn test(path: &str, value: impl Into<Value>) -> Value {
    json!({"op": "test", "path": path, "value": value.into()})
}

fn add(path: &str, value: impl Into<Value>) -> Value {
    json!({"op": "add", "path": path, "value": value.into()})
}

/// Values that are tested exactly as the server has them: `false` and absent differ to a `test`, and so would a
/// field of a pause condition that this program does not know.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct AsFound {
    pause_conditions: Value,
    abort: Value,
    promote_full: Value,
}

impl AsFound {
    pub(super) fn of(raw: &RawValue) -> Self {
        #[derive(Deserialize)]
        struct Wire {
            #[serde(default)]
            status: Option<AsFound>,
        }
        serde_json::from_str::<Wire>(raw.get()).ok().and_then(|w| w.status).unwrap_or_default()
    }
}

/// A request to the rollout itself (`""`) or to its `/status`.
fn step(title: &str, path: &str, subresource: &str, operations: Vec<Value>) -> PlanStep {
    PlanStep {
        title: title.to_owned(),
        request: WriteRequest {
            method: "PATCH",
            path: format!("{path}{subresource}?{MANAGER}"),
            content_type: JSON_PATCH,
            body: Value::Array(operations).to_string(),
        },
    }
}

/// What every act that moves a release forward rests on. `generation` is the one that the request must find: an
/// earlier step of the same plan may have raised it.
fn forward_tests(now: &Rollout, found: &AsFound, generation: i64) -> Vec<Value> {
    vec![
        test("/metadata/uid", now.uid.as_str()),
        test("/metadata/generation", generation),
        test("/status/currentPodHash", now.pod_hash.as_str()),
        // `null` also stands for absent.
        test("/status/currentStepIndex", now.step_index.map_or(Value::Null, Value::from)),
        test("/status/pauseConditions", found.pause_conditions.clone()),
        // A late duplicate must not resume what was aborted or promoted meanwhile.
        test("/status/abort", found.abort.clone()),
        test("/status/promoteFull", found.promote_full.clone()),
    ]
}

/// Resume: one request per thing that pauses.
pub(super) fn resume(path: &str, now: &Rollout, found: &AsFound) -> Vec<PlanStep> {
    let mut steps = Vec::new();
    let mut generation = now.generation;
    if now.spec_paused {
        let mut operations = forward_tests(now, found, generation);
        operations.push(test("/spec/paused", true));
        operations.push(add("/spec/paused", false));
        steps.push(step("end the pause by hand", path, "", operations));
        generation += 1;
    }
    if !now.pause_conditions.is_empty() {
        let mut operations = forward_tests(now, found, generation);
        operations.push(add("/status/pauseConditions", Value::Null));
        // Clearing an inconclusive analysis without moving on would start the same analysis again.
        if now.step_analysis_inconclusive && now.controller_pause && !now.steps().is_empty() {
            let next = (now.step_index.unwrap_or(0) + 1).min(i64::try_from(now.steps().len()).unwrap_or(i64::MAX));
            operations.push(add("/status/controllerPause", false));
            operations.push(add("/status/currentStepIndex", next));
        }
        steps.push(step("clear the pause", path, "/status", operations));
    }
    steps
}
