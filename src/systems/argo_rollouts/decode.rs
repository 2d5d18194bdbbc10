//! Wire → domain: a Rollout, reading only what is shown or tested.

mod conditions;
pub mod experiments;
pub mod runs;

use serde::Deserialize;

use self::conditions::Condition;
use crate::domain::analysis::{RunPhase, RunRef};
use crate::domain::ids::{ClusterId, TargetId, TargetKind};
use crate::domain::owner::GitOwner;
use crate::domain::rollout::{
    BlueGreen, BlueGreenStatus, Canary, PauseCondition, Phase, Replicas, Rollout, Strategy, Weights, WorkloadRef,
};
use crate::domain::steps::Step;
use crate::domain::text::Clean;
use crate::systems::kubernetes::decode::{Meta, Template, malformed, tight};
use crate::systems::kubernetes::watch::Malformed;

#[derive(Deserialize)]
struct Wire<'a> {
    metadata: Meta,
    #[serde(default)]
    spec: Option<Spec>,
    #[serde(default, borrow)]
    status: Option<Status<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Spec {
    replicas: Option<i64>,
    paused: Option<bool>,
    template: Option<Template>,
    workload_ref: Option<WireWorkload>,
    restart_at: Option<Clean>,
    progress_deadline_seconds: Option<i64>,
    progress_deadline_abort: Option<bool>,
    rollback_window: Option<Window>,
    strategy: Option<WireStrategy>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Window {
    revisions: Option<i64>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct WireWorkload {
    api_version: Clean,
    kind: Clean,
    name: Clean,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct WireStrategy {
    canary: Option<WireCanary>,
    blue_green: Option<WireBlueGreen>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct WireCanary {
    steps: Option<Vec<WireStep>>,
    traffic_routing: Option<Routing>,
    dynamic_stable_scale: Option<bool>,
    analysis: Option<serde::de::IgnoredAny>,
    abort_scale_down_delay_seconds: Option<i64>,
    canary_service: Option<Clean>,
    stable_service: Option<Clean>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct WireBlueGreen {
    active_service: Option<Clean>,
    preview_service: Option<Clean>,
    auto_promotion_enabled: Option<bool>,
    auto_promotion_seconds: Option<i64>,
    preview_replica_count: Option<i64>,
    scale_down_delay_seconds: Option<i64>,
    pre_promotion_analysis: Option<serde::de::IgnoredAny>,
    post_promotion_analysis: Option<serde::de::IgnoredAny>,
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
                while let Some(key) = map.next_key::<Clean>()? {
                    match key.as_str() {
                        "maxTrafficWeight" => found.max_weight = map.next_value()?,
                        "managedRoutes" => {
                            map.next_value::<serde::de::IgnoredAny>()?;
                        }
                        _ => {
                            found.router.get_or_insert_with(|| key.clone());
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
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = WireStep;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a step")
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<WireStep, A::Error> {
                let mut found = None;
                while let Some(key) = map.next_key::<Clean>()? {
                    let value: serde_json::Value = map.next_value()?;
                    if found.is_none() && !value.is_null() {
                        found = Some((key, value));
                    }
                }
                Ok(WireStep(found.map_or_else(|| Step::Unknown { key: Clean::new("empty") }, |(k, v)| step(k, &v))))
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}

fn step(key: Clean, value: &serde_json::Value) -> Step {
    let named = || Clean::new(value.get("name").and_then(|n| n.as_str()).unwrap_or("?"));
    match key.as_str() {
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
        _ => Step::Unknown { key },
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
struct Status<'a> {
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
    blue_green: Option<WireBlueGreenStatus>,
    restarted_at: Option<Clean>,
    workload_observed_generation: Clean,
    #[serde(borrow)]
    conditions: Option<Vec<Condition<'a>>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct WireBlueGreenStatus {
    active_selector: Clean,
    preview_selector: Clean,
    pre_promotion_analysis_run_status: Option<RunStatus>,
    post_promotion_analysis_run_status: Option<RunStatus>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct CanaryStatus {
    weights: Option<WireWeights>,
    current_step_analysis_run_status: Option<RunStatus>,
    current_background_analysis_run_status: Option<RunStatus>,
    current_experiment: Clean,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RunStatus {
    name: Clean,
    status: Clean,
    message: Clean,
}

impl From<RunStatus> for RunRef {
    fn from(wire: RunStatus) -> Self {
        Self { name: wire.name, phase: RunPhase::parse(wire.status.as_str()), message: wire.message }
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct WireWeights {
    canary: Option<Destination>,
    stable: Option<Destination>,
    additional: Option<Vec<Destination>>,
    verified: Option<bool>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Destination {
    weight: Option<i64>,
}

/// Decodes a Rollout of `cluster`.
pub fn rollout(raw: &str, cluster: &ClusterId) -> Result<Rollout, Malformed> {
    let wire: Wire<'_> = serde_json::from_str(raw).map_err(|e| malformed(raw, &e))?;
    if wire.metadata.name.is_empty() || wire.metadata.uid.is_empty() {
        return Err(Malformed { object: wire.metadata.name.clone(), why: Clean::new("it has no name or no uid") });
    }
    let meta = wire.metadata;
    let owner = owner(&meta);
    let spec = wire.spec.unwrap_or_default();
    let status = wire.status.unwrap_or_default();
    let canary = status.canary.unwrap_or_default();
    let blue_green = status.blue_green.unwrap_or_default();
    let conditions = status.conditions.unwrap_or_default();
    let condition = |kind: &str| conditions.iter().find(|c| c.kind.is(kind));
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
        revision: meta.annotations.revision,
        strategy: strategy(spec.strategy),
        owner,
        workload_ref: spec.workload_ref.map(|w| WorkloadRef {
            api_version: w.api_version,
            kind: w.kind,
            name: w.name,
            generation: meta.annotations.workload_generation,
            observed: status.workload_observed_generation,
        }),
        labels: tight(meta.labels.unwrap_or_default().into_iter().collect()),
        containers: spec.template.map(Template::containers).unwrap_or_default(),
        restart_at: time(spec.restart_at.as_ref()),
        restarted_at: time(status.restarted_at.as_ref()),
        rollback_window: spec.rollback_window.and_then(|w| w.revisions),
        progress_deadline: spec.progress_deadline_seconds.unwrap_or(600),
        progress_deadline_abort: spec.progress_deadline_abort.unwrap_or(false),
        spec_paused: spec.paused.unwrap_or(false),
        phase: Phase::parse(status.phase.as_str()),
        message: status.message,
        pod_hash: status.current_pod_hash,
        stable_hash: status.stable_rs,
        step_index: status.current_step_index,
        pause_conditions: tight(status.pause_conditions.unwrap_or_default()),
        controller_pause: status.controller_pause.unwrap_or(false),
        abort: status.abort.unwrap_or(false),
        aborted_at: time(status.aborted_at.as_ref()),
        promote_full: status.promote_full.unwrap_or(false),
        weights: canary.weights.map(|w| Weights {
            canary: w.canary.and_then(|d| d.weight).unwrap_or(0),
            stable: w.stable.and_then(|d| d.weight).unwrap_or(0),
            additional: w.additional.unwrap_or_default().iter().filter_map(|d| d.weight).sum(),
            verified: w.verified,
        }),
        step_run: canary.current_step_analysis_run_status.map(Into::into),
        background_run: canary.current_background_analysis_run_status.map(Into::into),
        experiment: canary.current_experiment,
        blue_green: BlueGreenStatus {
            active: blue_green.active_selector,
            preview: blue_green.preview_selector,
            pre_run: blue_green.pre_promotion_analysis_run_status.map(Into::into),
            post_run: blue_green.post_promotion_analysis_run_status.map(Into::into),
        },
        progressing: condition("Progressing").and_then(|c| c.updated().map(|since| (c.reason.kept(), since))),
        completed_at: condition("Completed").filter(|c| c.status.is("True")).and_then(Condition::turned),
        replicas: Replicas {
            desired: spec.replicas.unwrap_or(1),
            current: status.replicas.unwrap_or(0),
            updated: status.updated_replicas.unwrap_or(0),
            ready: status.ready_replicas.unwrap_or(0),
            available: status.available_replicas.unwrap_or(0),
        },
        selector: of_all_versions(status.selector.as_str()),
    })
}

/// A rollout's label selector without the version: a blue-green's `status.selector` names the active one only, for the
/// autoscaler's sake (`rollout/bluegreen.go`).
fn of_all_versions(selector: &str) -> Clean {
    let Some(at) = selector.find(HASH_REQUIREMENT) else { return Clean::new(selector) };
    let rest = selector[at..].find(',').map_or("", |comma| &selector[at + comma + 1..]);
    let before = selector[..at].trim_end_matches(',');
    let comma = if before.is_empty() || rest.is_empty() { "" } else { "," };
    Clean::new(&format!("{before}{comma}{rest}"))
}

const HASH_REQUIREMENT: &str = "rollouts-pod-template-hash=";

fn time(text: Option<&Clean>) -> Option<jiff::Timestamp> {
    text.and_then(|text| text.as_str().parse().ok())
}

/// Who else writes the spec. Argo CD: `docs/user-guide/resource_tracking`; Flux: the labels of its controllers.
fn owner(meta: &Meta) -> GitOwner {
    if let Some(id) = &meta.annotations.argo_cd {
        let application = id.as_str().split(':').next().unwrap_or_default();
        return GitOwner::ArgoCd { application: Clean::new(application) };
    }
    for label in ["kustomize.toolkit.fluxcd.io/name", "helm.toolkit.fluxcd.io/name"] {
        let name = meta.label(label);
        if !name.is_empty() {
            return GitOwner::Flux { name };
        }
    }
    if let Some(release) = &meta.annotations.helm_release
        && meta.label("app.kubernetes.io/managed-by") == "Helm"
    {
        return GitOwner::Helm { release: release.clone() };
    }
    for label in ["argocd.argoproj.io/instance", "app.kubernetes.io/instance"] {
        let instance = meta.label(label);
        if !instance.is_empty() {
            return GitOwner::PerhapsArgoCd { instance };
        }
    }
    GitOwner::Unknown
}

fn strategy(wire: Option<WireStrategy>) -> Strategy {
    let wire = wire.unwrap_or_default();
    if let Some(canary) = wire.canary {
        let routing = canary.traffic_routing;
        return Strategy::Canary(Canary {
            max_weight: routing.as_ref().and_then(|r| r.max_weight).unwrap_or(100),
            router: routing.and_then(|r| r.router),
            steps: tight(canary.steps.unwrap_or_default().into_iter().map(|s| s.0).collect()),
            dynamic_stable_scale: canary.dynamic_stable_scale.unwrap_or(false),
            background_analysis: canary.analysis.is_some(),
            abort_scale_down_delay: canary.abort_scale_down_delay_seconds,
            canary_service: canary.canary_service,
            stable_service: canary.stable_service,
        });
    }
    match wire.blue_green {
        Some(b) => Strategy::BlueGreen(BlueGreen {
            active_service: b.active_service.unwrap_or_default(),
            preview_service: b.preview_service,
            auto_promotion: b.auto_promotion_enabled.unwrap_or(true),
            auto_promotion_seconds: b.auto_promotion_seconds.filter(|s| *s > 0),
            preview_replicas: b.preview_replica_count,
            scale_down_delay: b.scale_down_delay_seconds.unwrap_or(30),
            pre_promotion: b.pre_promotion_analysis.is_some(),
            post_promotion: b.post_promotion_analysis.is_some(),
        }),
        None => Strategy::None,
    }
}

#[cfg(test)]
mod tests;
