//! JSON Patches, and the tests that acts depend on (as the real API server answers them: `tests/real`).

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::domain::prepared::{PlanStep, WriteRequest};
use crate::domain::rollout::Rollout;

const JSON_PATCH: &str = "application/json-patch+json";

/// Who we are in `managedFields`.
const MANAGER: &str = "fieldManager=flightdeck";

pub(super) fn test(path: &str, value: impl Into<Value>) -> Value {
    json!({"op": "test", "path": path, "value": value.into()})
}

/// Sets a field that may be there or not.
pub(super) fn add(path: &str, value: impl Into<Value>) -> Value {
    json!({"op": "add", "path": path, "value": value.into()})
}

pub(super) fn remove(path: &str) -> Value {
    json!({"op": "remove", "path": path})
}

/// A JSON Pointer's reference token (RFC 6901).
pub(super) fn token(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// Values that are tested exactly as the server has them: `false` and absent differ to a `test`, and so would a
/// field of a pause condition that this program does not know.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct AsFound {
    pub pause_conditions: Value,
    pub abort: Value,
    pub promote_full: Value,
    pub controller_pause: Value,
    pub blue_green: Option<ActiveAsFound>,
    #[serde(skip)]
    pub spec: SpecAsFound,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ActiveAsFound {
    pub active_selector: Value,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct SpecAsFound {
    pub paused: Value,
    pub restart_at: Value,
    pub template: Option<TemplateAsFound>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct TemplateAsFound {
    pub spec: PodAsFound,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct PodAsFound {
    pub containers: Vec<ContainerAsFound>,
    pub init_containers: Vec<ContainerAsFound>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct ContainerAsFound {
    pub name: String,
    pub image: Value,
}

impl AsFound {
    pub(super) fn of(raw: &RawValue) -> Self {
        #[derive(Deserialize)]
        struct Wire {
            #[serde(default)]
            spec: Option<SpecAsFound>,
            #[serde(default)]
            status: Option<AsFound>,
        }
        // What cannot be read this way did not pass the decoder either.
        let Ok(wire) = serde_json::from_str::<Wire>(raw.get()) else { return Self::default() };
        Self { spec: wire.spec.unwrap_or_default(), ..wire.status.unwrap_or_default() }
    }
}

/// One request.
pub(super) fn step(title: impl Into<String>, path: &str, subresource: &str, operations: Vec<Value>) -> PlanStep {
    PlanStep {
        title: title.into(),
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
pub(super) fn forward(now: &Rollout, found: &AsFound, generation: i64) -> Vec<Value> {
    let mut tests = vec![
        test("/metadata/uid", now.uid.as_str()),
        test("/metadata/generation", generation),
        test("/status/currentPodHash", now.pod_hash.as_str()),
        // `null` also stands for absent.
        test("/status/currentStepIndex", now.step_index.map_or(Value::Null, Value::from)),
        test("/status/pauseConditions", found.pause_conditions.clone()),
        // A late duplicate must not resume what was aborted or promoted meanwhile.
        test("/status/abort", found.abort.clone()),
        test("/status/promoteFull", found.promote_full.clone()),
    ];
    // A blue-green has no step: who has the live traffic says where it stands.
    if let Some(found) = &found.blue_green
        && now.strategy.blue_green().is_some()
    {
        tests.push(test("/status/blueGreen/activeSelector", found.active_selector.clone()));
    }
    tests
}

/// What acts that stop harm rest on: the object and the version in flight.
pub(super) fn stop(now: &Rollout) -> Vec<Value> {
    vec![test("/metadata/uid", now.uid.as_str()), test("/status/currentPodHash", now.pod_hash.as_str())]
}
