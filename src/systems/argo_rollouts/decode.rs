//! Wire → domain: a Rollout, reading only what is shown or tested.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::domain::ids::{ClusterId, TargetId, TargetKind};
use crate::domain::rollout::{PauseCondition, Phase, Replicas, Rollout, Strategy, Weights};
use crate::domain::steps::Step;
use crate::domain::text::Clean;
use crate::systems::kubernetes::decode::{Meta, Template, malformed};
use crate::systems::kubernetes::watch::Malformed;

#[derive(Deserialize)]
struct Wire {
    metadata: Meta,
    #[serde(default)]
    spec: Option<Spec>,
    #[serde(default)]
    status: Option<Status>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Spec {
    replicas: Option<i64>,
    paused: Option<bool>,
    template: Option<Template>,
    workload_ref: Option<WorkloadRef>,
    strategy: Option<WireStrategy>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct WorkloadRef {
    kind: Clean,
    name: Clean,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct WireStrategy {
    canary: Option<Canary>,
    blue_green: Option<BlueGreen>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Canary {
    steps: Option<Vec<WireStep>>,
    traffic_routing: Option<Routing>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct BlueGreen {
    active_service: Option<Clean>,
    preview_service: Option<Clean>,
}

/// The router's key is the one that is no setting.
#[derive(Default)]
struct Routing {
    router: Option<Clean>,
    max_weight: Option<i64>,
}

impl<'de> Deserialize<'de> for Routing {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Routing;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("trafficRouting")
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Routing, A::Error> {
                let mut found = Routing::default();
                while let Some(key) = map.next_key::<String>()? {
                    match key.as_str() {
                        "maxTrafficWeight" => found.max_weight = map.next_value()?,
                        "managedRoutes" => {
                            map.next_value::<serde::de::IgnoredAny>()?;
                        }
                        router => {
                            found.router.get_or_insert_with(|| Clean::new(router));
                            map.next_value::<serde::de::IgnoredAny>()?;
                        }
                    }
                }
                // An empty `trafficRouting: {}` routes nothing, but the controller takes it for a router.
                found.router.get_or_insert_with(|| Clean::new("none named"));
                Ok(found)
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}

/// One step: an object with exactly one key.
struct WireStep(Step);

impl<'de> Deserialize<'de> for WireStep {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields = serde_json::Map::<String, serde_json::Value>::deserialize(deserializer)?;
        let Some((key, value)) = fields.iter().find(|(_, v)| !v.is_null()) else {
            return Ok(Self(Step::Unknown { key: Clean::new("empty") }));
        };
        let named = || Clean::new(value.get("name").and_then(|n| n.as_str()).unwrap_or("?"));
        Ok(Self(match key.as_str() {
            "setWeight" => match value.as_i64() {
                Some(weight) => Step::SetWeight { weight },
                None => Step::Unknown { key: Clean::new("setWeight without a number") },
            },
            "pause" => match value.get("duration").filter(|d| !d.is_null()) {
                None => Step::Pause { seconds: None },
                Some(duration) => match seconds(duration) {
                    Some(seconds) => Step::Pause { seconds: Some(seconds) },
                    None => Step::Unknown { key: Clean::new(&format!("pause with duration {duration}")) },
                },
            },
            "analysis" => Step::Analysis,
            "experiment" => Step::Experiment,
            "setCanaryScale" => Step::SetCanaryScale { detail: Clean::new(&value.to_string().replace('"', "")) },
            "setHeaderRoute" => Step::SetHeaderRoute { name: named() },
            "setMirrorRoute" => Step::SetMirrorRoute { name: named() },
            "plugin" => Step::Plugin { name: named() },
            other => Step::Unknown { key: Clean::new(other) },
        }))
    }
}

/// A pause's duration: a number of seconds, or text as Go's `time.ParseDuration` takes it (a bare number is seconds).
fn seconds(duration: &serde_json::Value) -> Option<i64> {
    if let Some(n) = duration.as_i64() {
        return Some(n);
    }
    let text = duration.as_str()?;
    if let Ok(n) = text.parse::<i64>() {
        return Some(n);
    }
    let mut total = 0.0_f64;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let letters = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        total += number
            * match &rest[..letters] {
                "h" => 3600.0,
                "m" => 60.0,
                "s" => 1.0,
                "ms" => 0.001,
                "us" | "µs" => 0.000_001,
                "ns" => 0.000_000_001,
                _ => return None,
            };
        rest = &rest[letters..];
    }
    // A pause is far below 2^53 seconds; a fraction of a second is not shown.
    #[expect(clippy::cast_possible_truncation, reason = "checked against a bound on the same line")]
    (total.is_finite() && total.abs() < 1e15).then_some(total as i64)
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Status {
    phase: Clean,
    message: Clean,
    observed_generation: Clean,
    current_pod_hash: Clean,
    #[serde(rename = "stableRS")]
    stable_rs: Clean,
    current_step_index: Option<i64>,
    replicas: Option<i64>,
    updated_replicas: Option<i64>,
    ready_replicas: Option<i64>,
    available_replicas: Option<i64>,
    pause_conditions: Option<Vec<PauseCondition>>,
    controller_pause: Option<bool>,
    abort: Option<bool>,
    aborted_at: Option<Clean>,
    promote_full: Option<bool>,
    selector: Clean,
    canary: Option<CanaryStatus>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct CanaryStatus {
    weights: Option<WireWeights>,
    current_step_analysis_run_status: Option<RunStatus>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RunStatus {
    status: Clean,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct WireWeights {
    canary: Option<Destination>,
    stable: Option<Destination>,
    verified: Option<bool>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Destination {
    weight: Option<i64>,
}

/// Decodes a Rollout of `cluster`.
pub fn rollout(raw: &RawValue, cluster: &ClusterId) -> Result<Rollout, Malformed> {
    let wire: Wire = serde_json::from_str(raw.get()).map_err(|e| malformed(raw, &e))?;
    if wire.metadata.name.is_empty() || wire.metadata.uid.is_empty() {
        return Err(Malformed { object: wire.metadata.name.clone(), why: Clean::new("it has no name or no uid") });
    }
    let meta = wire.metadata;
    let spec = wire.spec.unwrap_or_default();
    let status = wire.status.unwrap_or_default();
    let canary = status.canary.unwrap_or_default();
    Ok(Rollout {
        id: TargetId {
            cluster: cluster.clone(),
            namespace: meta.namespace.clone(),
            kind: TargetKind::Rollout,
            name: meta.name.clone(),
        },
        created: meta.created(),
        deleting: meta.deletion_timestamp.is_some(),
        uid: meta.uid,
        resource_version: meta.resource_version,
        generation: meta.generation,
        observed_generation: status.observed_generation,
        labels: meta.labels.unwrap_or_default().into_iter().collect(),
        revision: meta.annotations.revision,
        strategy: strategy(spec.strategy),
        images: spec.template.map(Template::images).unwrap_or_default(),
        workload_ref: spec.workload_ref.map(|w| Clean::new(&format!("{}/{}", w.kind, w.name))),
        spec_paused: spec.paused.unwrap_or(false),
        phase: Phase::parse(status.phase.as_str()),
        message: status.message,
        pod_hash: status.current_pod_hash,
        stable_hash: status.stable_rs,
        step_index: status.current_step_index,
        pause_conditions: status.pause_conditions.unwrap_or_default(),
        controller_pause: status.controller_pause.unwrap_or(false),
        abort: status.abort.unwrap_or(false),
        aborted_at: status.aborted_at.and_then(|t| t.as_str().parse().ok()),
        promote_full: status.promote_full.unwrap_or(false),
        weights: canary.weights.map(|w| Weights {
            canary: w.canary.and_then(|d| d.weight).unwrap_or(0),
            stable: w.stable.and_then(|d| d.weight).unwrap_or(0),
            verified: w.verified,
        }),
        step_analysis_inconclusive: canary.current_step_analysis_run_status.is_some_and(|r| r.status == "Inconclusive"),
        replicas: Replicas {
            desired: spec.replicas.unwrap_or(1),
            current: status.replicas.unwrap_or(0),
            updated: status.updated_replicas.unwrap_or(0),
            ready: status.ready_replicas.unwrap_or(0),
            available: status.available_replicas.unwrap_or(0),
        },
        selector: status.selector,
    })
}

fn strategy(wire: Option<WireStrategy>) -> Strategy {
    let wire = wire.unwrap_or_default();
    if let Some(canary) = wire.canary {
        let routing = canary.traffic_routing;
        return Strategy::Canary {
            max_weight: routing.as_ref().and_then(|r| r.max_weight).unwrap_or(100),
            router: routing.and_then(|r| r.router),
            steps: canary.steps.unwrap_or_default().into_iter().map(|s| s.0).collect(),
        };
    }
    match wire.blue_green {
        Some(b) => Strategy::BlueGreen {
            active_service: b.active_service.unwrap_or_default(),
            preview_service: b.preview_service,
        },
        None => Strategy::None,
    }
}

#[cfg(test)]
mod tests;
