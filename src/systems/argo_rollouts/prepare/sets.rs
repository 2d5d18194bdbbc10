//! Requests to what a rollout owns: ReplicaSets and AnalysisRuns.

use serde_json::Value;

use super::patch::{add, remove, step, test, token};
use super::{Found, not_applicable};
use crate::domain::intent::Intent;
use crate::domain::prepared::{PlanStep, PrepareError};
use crate::domain::text::Clean;
use crate::domain::workload::DO_NOT_PROMOTE;
use crate::systems::argo_rollouts::{GROUP, read};
use crate::systems::kubernetes::decode::SCALE_DOWN;

impl Found<'_> {
    fn set_path(&self, hash: &Clean) -> String {
        // The controller names them so (`<rollout>-<hash>`); the owner is checked besides.
        format!("/apis/apps/v1/namespaces/{}/replicasets/{}-{hash}", self.target.namespace, self.target.name)
    }

    /// The ReplicaSet of a version, if this rollout owns it.
    pub(super) async fn own_set(&self, hash: &Clean) -> Result<Value, PrepareError> {
        self.own(&self.set_path(hash), &format!("the ReplicaSet of {hash}")).await
    }

    /// Whether the status is about the spec as it is. The generation that the controller says it has observed does not
    /// tell: when another image is set just after it paused, its next write (`patchCondition` in `rollout/sync.go`, for the
    /// condition Paused) carries the new generation beside the old version, step and pause for a moment (seen).
    pub(super) async fn is_about_the_spec(&self) -> Result<(), PrepareError> {
        if self.rollout.workload_ref.is_some() {
            return Ok(());
        }
        let Some(set) = read::set(self.cluster, &self.set_path(&self.rollout.pod_hash)).await? else { return Ok(()) };
        if set.owner_uid != self.rollout.uid || set.images.iter().eq(self.rollout.images()) {
            return Ok(());
        }
        Err(PrepareError::Superseded {
            what: "the spec has another image, which the controller has not taken up yet".to_owned(),
        })
    }

    async fn own(&self, path: &str, what: &str) -> Result<Value, PrepareError> {
        let body = read::object(self.cluster, path, what).await?;
        let object: Value =
            serde_json::from_slice(&body).map_err(|e| PrepareError::Unreadable { why: format!("{what}: {e}") })?;
        let owners = object.pointer("/metadata/ownerReferences").and_then(Value::as_array);
        let ours = owners.is_some_and(|all| all.iter().any(|o| o["uid"] == self.rollout.uid.as_str()));
        if !ours {
            return Err(not_applicable(format!("{what} does not belong to {}", self.target)));
        }
        Ok(object)
    }

    pub(super) async fn terminate(&self, name: &Clean) -> Result<Vec<PlanStep>, PrepareError> {
        let path = format!("{GROUP}/namespaces/{}/analysisruns/{name}", self.target.namespace);
        let run = self.own(&path, &format!("analysis {name}")).await?;
        let phase = run.pointer("/status/phase").and_then(Value::as_str).unwrap_or_default();
        if crate::domain::analysis::RunPhase::parse(phase).completed() {
            return Err(not_applicable(format!("analysis {name} has ended: {phase}")));
        }
        let operations = vec![
            test("/metadata/uid", run["metadata"]["uid"].clone()),
            test("/status/phase", run.pointer("/status/phase").cloned().unwrap_or(Value::Null)),
            test("/spec/terminate", run.pointer("/spec/terminate").cloned().unwrap_or(Value::Null)),
            add("/spec/terminate", true),
        ];
        Ok(vec![step(format!("terminate {name}"), &path, "", operations)])
    }

    pub(super) async fn hold(&self, hash: &Clean, until: jiff::Timestamp) -> Result<Vec<PlanStep>, PrepareError> {
        let set = self.own_set(hash).await?;
        let Some(deadline) = annotation(&set, SCALE_DOWN) else {
            return Err(not_applicable("the controller is not about to scale that version down"));
        };
        if set.pointer("/spec/replicas").and_then(Value::as_i64) == Some(0) {
            return Err(not_applicable("that version is scaled down already"));
        }
        let place = annotation_path(SCALE_DOWN);
        let operations = vec![
            test("/metadata/uid", set["metadata"]["uid"].clone()),
            test(&place, deadline),
            add(&place, until.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()),
        ];
        Ok(vec![step(format!("keep {hash} up until {until}"), &self.set_path(hash), "", operations)])
    }

    pub(super) async fn forbid(&self, hash: &Clean, intent: &Intent) -> Result<Vec<PlanStep>, PrepareError> {
        let set = self.own_set(hash).await?;
        let actor = intent.actor.kube_user.as_ref().unwrap_or(&intent.actor.os_user);
        let why = intent.reason.as_ref().map_or("no reason given", Clean::as_str);
        let place = annotation_path(DO_NOT_PROMOTE);
        let operations = vec![
            test("/metadata/uid", set["metadata"]["uid"].clone()),
            test(&place, annotation(&set, DO_NOT_PROMOTE).unwrap_or(Value::Null)),
            add(&place, format!("{why} ({actor})")),
        ];
        Ok(vec![step(format!("mark {hash}"), &self.set_path(hash), "", operations)])
    }

    pub(super) async fn allow(&self, hash: &Clean) -> Result<Vec<PlanStep>, PrepareError> {
        let set = self.own_set(hash).await?;
        let Some(mark) = annotation(&set, DO_NOT_PROMOTE) else {
            return Err(not_applicable("it is not marked"));
        };
        let place = annotation_path(DO_NOT_PROMOTE);
        let operations =
            vec![test("/metadata/uid", set["metadata"]["uid"].clone()), test(&place, mark), remove(&place)];
        Ok(vec![step(format!("take the mark off {hash}"), &self.set_path(hash), "", operations)])
    }
}

fn annotation(object: &Value, key: &str) -> Option<Value> {
    object.pointer("/metadata/annotations")?.get(key).cloned()
}

fn annotation_path(key: &str) -> String {
    format!("/metadata/annotations/{}", token(key))
}
