//! Requests that change the pod template: of the Rollout itself, or of the Deployment that its `workloadRef` names.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::patch::{SpecAsFound, forward, step, test};
use super::{Found, not_applicable};
use crate::domain::prepared::{PlanStep, PrepareError};
use crate::domain::text::Clean;
use crate::systems::argo_rollouts::read;
use crate::systems::kubernetes::decode::POD_HASH;

/// Annotation of a ReplicaSet: what the controller put into its pod template besides (`canaryMetadata` and its like).
const EPHEMERAL: &str = "rollout.argoproj.io/ephemeral-metadata";

/// Where the template stands that a release comes from, and what a write to it must test.
struct Holder {
    path: String,
    tests: Vec<Value>,
    spec: SpecAsFound,
}

#[derive(Deserialize)]
struct Workload {
    metadata: WorkloadMeta,
    #[serde(default)]
    spec: SpecAsFound,
}

#[derive(Deserialize)]
struct WorkloadMeta {
    uid: String,
    generation: i64,
}

impl Found<'_> {
    /// With a `workloadRef` the template is the Deployment's: its own uid and generation are tested, since one request can
    /// only test the object that it changes.
    async fn holder(&self) -> Result<Holder, PrepareError> {
        let Some(workload) = &self.rollout.workload_ref else {
            let spec = SpecAsFound { template: None, ..SpecAsFound::default() };
            let tests = forward(&self.rollout, &self.raw, self.rollout.generation);
            return Ok(Holder { path: self.path.clone(), tests, spec });
        };
        if workload.kind != "Deployment" || workload.api_version != "apps/v1" {
            let why = format!("the template is in {workload}; only that of an apps/v1 Deployment can be changed here");
            return Err(not_applicable(why));
        }
        let path = format!("/apis/apps/v1/namespaces/{}/deployments/{}", self.target.namespace, workload.name);
        let body = read::object(self.cluster, &path, &workload.to_string()).await?;
        let found: Workload =
            serde_json::from_slice(&body).map_err(|e| PrepareError::Unreadable { why: format!("{workload}: {e}") })?;
        let tests =
            vec![test("/metadata/uid", found.metadata.uid), test("/metadata/generation", found.metadata.generation)];
        Ok(Holder { path, tests, spec: found.spec })
    }

    pub(super) async fn set_image(&self, container: &Clean, image: &Clean) -> Result<Vec<PlanStep>, PrepareError> {
        let holder = self.holder().await?;
        let template = match &self.rollout.workload_ref {
            None => self.raw.spec.template.as_ref(),
            Some(_) => holder.spec.template.as_ref(),
        };
        let spec = template.map(|t| &t.spec).ok_or_else(|| not_applicable("it has no pod template"))?;
        let lists = [("containers", &spec.containers), ("initContainers", &spec.init_containers)];
        let place = lists.iter().find_map(|(list, all)| {
            all.iter().position(|c| c.name == container.as_str()).map(|index| (list, index, &all[index].image))
        });
        let Some((list, index, old)) = place else {
            let names: Vec<&str> = lists.iter().flat_map(|(_, all)| all.iter().map(|c| c.name.as_str())).collect();
            return Err(not_applicable(format!("there is no container {container}; it has {}", names.join(", "))));
        };
        if old == image.as_str() {
            return Err(not_applicable(format!("container {container} runs that image already")));
        }
        let at = format!("/spec/template/spec/{list}/{index}");
        let mut operations = holder.tests;
        operations.push(test(&format!("{at}/name"), container.as_str()));
        operations.push(test(&format!("{at}/image"), old.clone()));
        operations.push(super::patch::add(&format!("{at}/image"), image.as_str()));
        Ok(vec![step(format!("set {container} to {image}"), &holder.path, "", operations)])
    }

    pub(super) async fn undo(&self, hash: &Clean) -> Result<Vec<PlanStep>, PrepareError> {
        if *hash == self.rollout.pod_hash {
            return Err(not_applicable("that revision is in the spec already"));
        }
        let set = self.own_set(hash).await?;
        let template = pristine(&set)
            .ok_or_else(|| PrepareError::Unreadable { why: format!("the ReplicaSet of {hash} has no pod template") })?;
        let holder = self.holder().await?;
        let mut operations = holder.tests;
        operations.push(super::patch::add("/spec/template", template));
        Ok(vec![step(format!("put the template of {hash} back"), &holder.path, "", operations)])
    }
}

/// A ReplicaSet's pod template as the spec had it: without the hash label and without what the controller put in. Left
/// in, the controller would take it for a new version and the ReplicaSet that is still up would not be used again.
fn pristine(set: &Value) -> Option<Value> {
    let mut template = set.pointer("/spec/template")?.clone();
    let injected: Value = set
        .pointer("/metadata/annotations")
        .and_then(|all| all.get(EPHEMERAL))
        .and_then(Value::as_str)
        .and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or(Value::Null);
    for part in ["labels", "annotations"] {
        let Some(fields) = template.pointer_mut(&format!("/metadata/{part}")).and_then(Value::as_object_mut) else {
            continue;
        };
        fields.remove(POD_HASH);
        for key in injected.get(part).and_then(Value::as_object).into_iter().flat_map(Map::keys) {
            fields.remove(key);
        }
        if fields.is_empty()
            && let Some(metadata) = template.pointer_mut("/metadata").and_then(Value::as_object_mut)
        {
            metadata.remove(part);
        }
    }
    Some(template)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_template_loses_what_the_controller_put_in() {
        let set = json!({
            "metadata": {"annotations": {EPHEMERAL: r#"{"labels":{"role":"canary"},"annotations":{"note":"x"}}"#}},
            "spec": {"template": {
                "metadata": {"labels": {"app": "a", "role": "canary", POD_HASH: "abc"}, "annotations": {"note": "x"}},
                "spec": {"containers": []},
            }},
        });
        let expected = json!({"metadata": {"labels": {"app": "a"}}, "spec": {"containers": []}});
        assert_eq!(pristine(&set), Some(expected));
        assert_eq!(pristine(&json!({})), None);
    }
}
