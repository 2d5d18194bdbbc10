//! Wire → domain: an AnalysisRun.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use crate::domain::analysis::{AnalysisRun, Counts, Measurement, Metric, RunKind, RunPhase};
use crate::domain::text::Clean;
use crate::systems::kubernetes::decode::{Meta, POD_HASH, malformed};
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
    metrics: Option<Vec<WireMetric>>,
    terminate: Option<bool>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct WireMetric {
    name: Clean,
    success_condition: Option<Clean>,
    failure_condition: Option<Clean>,
    failure_limit: Option<Value>,
    provider: Option<BTreeMap<Clean, Option<Provider>>>,
}

/// What a provider is asked: most have a `query`, a web hook has a `url`.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Provider {
    query: Option<Value>,
    url: Option<Value>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Status {
    phase: Option<Clean>,
    message: Option<Clean>,
    started_at: Option<Clean>,
    completed_at: Option<Clean>,
    metric_results: Option<Vec<Outcome>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Outcome {
    name: Clean,
    phase: Option<Clean>,
    message: Option<Clean>,
    measurements: Option<Vec<WireMeasurement>>,
    count: i64,
    successful: i64,
    failed: i64,
    inconclusive: i64,
    error: i64,
    dry_run: bool,
    metadata: Option<BTreeMap<Clean, Clean>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct WireMeasurement {
    phase: Option<Clean>,
    message: Option<Clean>,
    finished_at: Option<Clean>,
    value: Option<Clean>,
}

/// The controller's note of the query that ran.
const RESOLVED: &str = "ResolvedPrometheusQuery";

fn time(text: Option<&Clean>) -> Option<Timestamp> {
    text.and_then(|t| t.as_str().parse().ok())
}

pub(super) fn phase(word: Option<&Clean>) -> RunPhase {
    RunPhase::parse(word.map_or("", Clean::as_str))
}

/// A number or a text, as text.
pub(super) fn text(value: Option<Value>) -> Clean {
    match value {
        None | Some(Value::Null) => Clean::default(),
        Some(Value::String(text)) => Clean::new(&text),
        Some(other) => Clean::new(&other.to_string()),
    }
}

/// Decodes an AnalysisRun of the Rollout with this uid; others are not ours.
pub fn of(raw: &str, owner: &Clean) -> Result<Option<AnalysisRun>, Malformed> {
    let wire: Wire = serde_json::from_str(raw).map_err(|e| malformed(raw, &e))?;
    let Some(owner_uid) = wire.metadata.controller("Rollout").filter(|uid| uid == owner) else { return Ok(None) };
    let spec = wire.spec.unwrap_or_default();
    let status = wire.status.unwrap_or_default();
    let meta = wire.metadata;
    Ok(Some(AnalysisRun {
        owner_uid,
        kind: RunKind::parse(meta.label("rollout-type").as_str()),
        step_index: meta.label("step-index").as_str().parse().ok(),
        pod_hash: meta.label(POD_HASH),
        revision: meta.annotations.revision,
        phase: phase(status.phase.as_ref()),
        message: status.message.unwrap_or_default(),
        started: time(status.started_at.as_ref()).or_else(|| meta.created()),
        completed: time(status.completed_at.as_ref()),
        terminate: spec.terminate.unwrap_or(false),
        metrics: metrics(spec.metrics.unwrap_or_default(), status.metric_results.unwrap_or_default()),
        namespace: meta.namespace,
        name: meta.name,
        uid: meta.uid,
        resource_version: meta.resource_version,
    }))
}

/// The metrics in the order of the spec, each with what came of it.
fn metrics(asked: Vec<WireMetric>, mut came: Vec<Outcome>) -> Vec<Metric> {
    let mut all: Vec<Metric> = asked
        .into_iter()
        .map(|wire| {
            let outcome = came.iter().position(|o| o.name == wire.name).map(|n| came.remove(n));
            metric(wire, outcome.unwrap_or_default())
        })
        .collect();
    all.extend(
        came.into_iter()
            .map(|outcome| metric(WireMetric { name: outcome.name.clone(), ..WireMetric::default() }, outcome)),
    );
    all
}

fn metric(wire: WireMetric, outcome: Outcome) -> Metric {
    let (provider, asked) = wire.provider.unwrap_or_default().into_iter().next().unwrap_or_default();
    let asked = asked.unwrap_or_default();
    let resolved = outcome.metadata.unwrap_or_default().into_iter().find(|(key, _)| key == RESOLVED);
    Metric {
        name: wire.name,
        provider,
        query: resolved.map_or_else(|| text(asked.query.or(asked.url)), |(_, query)| query),
        success: wire.success_condition.unwrap_or_default(),
        failure: wire.failure_condition.unwrap_or_default(),
        failure_limit: wire.failure_limit.map_or_else(|| "0".into(), |limit| text(Some(limit))),
        dry_run: outcome.dry_run,
        phase: phase(outcome.phase.as_ref()),
        message: outcome.message.unwrap_or_default(),
        counts: Counts {
            count: outcome.count,
            successful: outcome.successful,
            failed: outcome.failed,
            inconclusive: outcome.inconclusive,
            error: outcome.error,
        },
        measurements: outcome.measurements.unwrap_or_default().into_iter().map(measurement).collect(),
    }
}

fn measurement(wire: WireMeasurement) -> Measurement {
    Measurement {
        phase: phase(wire.phase.as_ref()),
        value: wire.value.unwrap_or_default(),
        message: wire.message.unwrap_or_default(),
        finished: time(wire.finished_at.as_ref()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn run(spec: &Value, status: &Value) -> Result<Option<AnalysisRun>, Malformed> {
        let object = json!({"metadata": {"name": "web-abc-2-1", "namespace": "shop", "uid": "r", "resourceVersion": "9",
            "labels": {"rollout-type": "Step", "step-index": "1", POD_HASH: "abc"},
            "annotations": {"rollout.argoproj.io/revision": "2"}, "creationTimestamp": "2026-01-01T00:00:00Z",
            "ownerReferences": [{"kind": "Rollout", "uid": "u", "controller": true}]}, "spec": spec, "status": status});
        of(&object.to_string(), &"u".into())
    }

    #[test]
    fn metrics_stand_in_the_order_of_the_spec_with_what_came() {
        let spec = json!({"terminate": true, "metrics": [
            {"name": "errors", "failureLimit": 3, "successCondition": "result[0] < 0.05",
             "provider": {"prometheus": {"address": "http://p", "query": "rate({{args.x}})"}}},
            {"name": "hook", "failureLimit": "2", "provider": {"web": {"url": "http://x", "headers": []}}},
            {"name": "job", "provider": {"job": {"spec": {"template": {}}}}}]});
        let status = json!({"phase": "Running", "startedAt": "2026-01-01T00:00:05Z", "metricResults": [
            {"name": "hook", "phase": "Failed", "failed": 3, "count": 3, "measurements": [
                {"phase": "Failed", "value": "5", "finishedAt": "2026-01-01T00:01:00Z"}]},
            {"name": "errors", "phase": "Running", "count": 2, "successful": 2, "dryRun": true,
             "metadata": {"ResolvedPrometheusQuery": "rate(web)"},
             "measurements": [{"phase": "Successful", "value": "[0.01]"}, {"phase": "Brand-New"}]}]});
        let run = run(&spec, &status).expect("decodes").expect("is ours");
        assert_eq!((run.kind, run.step_index, run.revision), (RunKind::Step, Some(1), Some(2)));
        assert_eq!((run.pod_hash.as_str(), run.phase, run.terminate), ("abc", RunPhase::Running, true));
        let names: Vec<&str> = run.metrics.iter().map(|m| m.name.as_str()).collect();
        assert_eq!(names, ["errors", "hook", "job"]);
        let errors = &run.metrics[0];
        assert_eq!((errors.provider.as_str(), errors.query.as_str()), ("prometheus", "rate(web)"));
        assert_eq!((errors.failure_limit.as_str(), errors.dry_run), ("3", true));
        assert_eq!(errors.measurements[0].value, "[0.01]");
        assert_eq!(errors.measurements[1].phase, RunPhase::Unknown);
        assert_eq!((run.metrics[1].query.as_str(), run.metrics[1].counts.failed), ("http://x", 3));
        assert_eq!((run.metrics[2].phase, run.metrics[2].failure_limit.as_str()), (RunPhase::Pending, "0"));
        assert_eq!(run.counts().failed, 3);
    }

    #[test]
    fn nothing_yet_and_nulls_are_fine_and_other_owners_are_not_ours() {
        let bare = run(&json!(null), &json!(null)).expect("decodes").expect("is ours");
        assert_eq!((bare.phase, bare.metrics.len()), (RunPhase::Pending, 0));
        let nulls = json!({"phase": null, "metricResults": null});
        assert!(run(&json!({"metrics": null}), &nulls).expect("decodes").is_some());
        let raw = json!({"metadata": {"name": "x"}}).to_string();
        assert_eq!(of(&raw, &"u".into()).expect("decodes"), None);
        let odd = run(&json!({"metrics": "many"}), &json!({})).expect_err("malformed");
        assert_eq!(odd.object, "shop/web-abc-2-1");
    }
}
