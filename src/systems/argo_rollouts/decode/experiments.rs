//! Wire → domain: an Experiment.

use serde::Deserialize;
use serde_json::Value;

use super::runs::{phase, text};
use crate::domain::analysis::{Experiment, ExperimentTemplate, RunRef};
use crate::domain::text::Clean;
use crate::systems::kubernetes::decode::{Meta, malformed};
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
#[serde(default)]
struct Spec {
    duration: Option<Value>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Status {
    phase: Option<Clean>,
    message: Option<Clean>,
    available_at: Option<Clean>,
    template_statuses: Option<Vec<Template>>,
    analysis_runs: Option<Vec<Run>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Template {
    name: Clean,
    status: Option<Clean>,
    replicas: i64,
    available_replicas: i64,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Run {
    name: Clean,
    #[serde(rename = "analysisRun")]
    of: Option<Clean>,
    phase: Option<Clean>,
    message: Option<Clean>,
}

/// Decodes an Experiment of the Rollout with this uid; others are not ours.
pub fn of(raw: &str, owner: &Clean) -> Result<Option<Experiment>, Malformed> {
    let wire: Wire = serde_json::from_str(raw).map_err(|e| malformed(raw, &e))?;
    let Some(owner_uid) = wire.metadata.controller("Rollout").filter(|uid| uid == owner) else { return Ok(None) };
    let status = wire.status.unwrap_or_default();
    let template = |t: Template| ExperimentTemplate {
        name: t.name,
        status: t.status.unwrap_or_default(),
        available: t.available_replicas,
        replicas: t.replicas,
    };
    let run = |r: Run| RunRef {
        phase: phase(r.phase.as_ref()),
        message: r.message.unwrap_or_default(),
        name: r.of.filter(|name| !name.is_empty()).unwrap_or(r.name),
    };
    let meta = wire.metadata;
    Ok(Some(Experiment {
        owner_uid,
        revision: meta.annotations.revision,
        phase: phase(status.phase.as_ref()),
        message: status.message.unwrap_or_default(),
        duration: text(wire.spec.unwrap_or_default().duration),
        available_at: status.available_at.and_then(|t| t.as_str().parse().ok()),
        templates: status.template_statuses.unwrap_or_default().into_iter().map(template).collect(),
        runs: status.analysis_runs.unwrap_or_default().into_iter().map(run).collect(),
        namespace: meta.namespace,
        name: meta.name,
        uid: meta.uid,
        resource_version: meta.resource_version,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::analysis::RunPhase;
    use serde_json::json;

    #[test]
    fn an_experiment_with_its_templates_and_runs() {
        let object = json!({"metadata": {"name": "web-abc-2-0", "namespace": "shop", "uid": "e",
                "ownerReferences": [{"kind": "Rollout", "uid": "u", "controller": true}]},
            "spec": {"duration": "10m"},
            "status": {"phase": "Running", "availableAt": "2026-01-01T00:00:00Z",
                "templateStatuses": [{"name": "canary", "status": "Running", "replicas": 2, "availableReplicas": 1}],
                "analysisRuns": [{"name": "a", "analysisRun": "web-abc-2-0-a", "phase": "Error", "message": "m"}]}});
        let raw = object.to_string();
        let one = of(&raw, &"u".into()).expect("decodes").expect("is ours");
        assert_eq!((one.phase, one.duration.as_str()), (RunPhase::Running, "10m"));
        assert_eq!((one.templates[0].available, one.templates[0].replicas), (1, 2));
        assert_eq!((one.runs[0].name.as_str(), one.runs[0].phase), ("web-abc-2-0-a", RunPhase::Error));
        assert_eq!(of(&raw, &"other".into()).expect("decodes"), None);
        let odd = json!({"metadata": {"name": "x"}, "status": 5}).to_string();
        assert!(of(&odd, &"u".into()).is_err());
    }
}
