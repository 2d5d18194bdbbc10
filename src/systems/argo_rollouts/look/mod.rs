//! Answers to a face's questions about one rollout: YAML, revisions, how they differ, logs.

mod logs;
mod revisions;

use std::sync::Arc;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use serde_json::Value;
use tokio::sync::mpsc;

use self::revisions::Found;
use super::{GROUP, path, read};
use crate::domain::ids::TargetId;
use crate::domain::rollout::{Rollout, WorkloadRef};
use crate::domain::text::Clean;
use crate::effects::READ_DEADLINE;
use crate::effects::look::{LogLine, LogsOf, Looker, Revision, RevisionName, TemplateDiff, What, YamlOf};
use crate::systems::kubernetes::call::{self, CallError};
use crate::systems::kubernetes::client::Cluster;
use crate::systems::kubernetes::yaml;

/// Answers them for the rollouts of one cluster.
pub(super) struct RolloutLooker {
    cluster: Arc<Cluster>,
}

impl RolloutLooker {
    pub(super) fn new(cluster: Arc<Cluster>) -> Self {
        Self { cluster }
    }

    async fn rollout(&self, target: &TargetId) -> Result<Rollout, String> {
        read::rollout(&self.cluster, target).await?.ok_or_else(|| format!("{target} is not there"))
    }

    async fn object(&self, path: &str, what: &str) -> Result<Value, String> {
        let body = call::get(self.cluster.client(), path, READ_DEADLINE).await.map_err(|e| match e {
            CallError::Status { code: 404, .. } => format!("{what} is not there"),
            CallError::Status { code: 403, ref message, .. } => {
                format!("{what}: no right to read it ({message}); ask for `get` on it")
            }
            other => format!("{what}: {other}"),
        })?;
        serde_json::from_slice(&body).map_err(|e| format!("{what}: not an object: {e}"))
    }

    async fn any(&self, of: &YamlOf) -> Result<Value, String> {
        let target = &of.target;
        let here = self.cluster.id().await.map_err(|e| e.to_string())?;
        if here != target.cluster {
            return Err(format!("context {} leads to another cluster now", self.cluster.context));
        }
        let namespace = &target.namespace;
        match &of.what {
            What::Rollout => self.object(&path(target), &target.to_string()).await,
            What::ReplicaSet(name) => {
                let found = self.find(target).await?;
                Ok(found.pick(name)?.object.clone())
            }
            What::AnalysisRun(name) => {
                let path = format!("{GROUP}/namespaces/{namespace}/analysisruns/{}", segment(name)?);
                self.object(&path, &format!("AnalysisRun {name}")).await
            }
            What::Experiment(name) => {
                let path = format!("{GROUP}/namespaces/{namespace}/experiments/{}", segment(name)?);
                self.object(&path, &format!("Experiment {name}")).await
            }
            What::Workload => {
                let rollout = self.rollout(target).await?;
                let workload = rollout.workload_ref.ok_or_else(|| format!("{target} has no workloadRef"))?;
                self.object(&workload_path(namespace, &workload)?, &workload.to_string()).await
            }
        }
    }

    async fn find(&self, target: &TargetId) -> Result<Found, String> {
        let rollout = self.rollout(target).await?;
        revisions::find(&self.cluster, rollout).await
    }
}

/// A name that may stand in a path: it came from a person or from the cluster.
fn segment(name: &Clean) -> Result<&str, String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    match name.as_str() {
        "" | "." | ".." => Err("a name is missing".to_owned()),
        name if name.chars().all(plain) => Ok(name),
        name => Err(format!("`{name}` is no name of an object")),
    }
}

fn workload_path(namespace: &Clean, workload: &WorkloadRef) -> Result<String, String> {
    let name = segment(&workload.name)?;
    let version = workload.api_version.as_str();
    match workload.kind.as_str() {
        "Deployment" | "" => Ok(format!("/apis/apps/v1/namespaces/{namespace}/deployments/{name}")),
        "ReplicaSet" => Ok(format!("/apis/apps/v1/namespaces/{namespace}/replicasets/{name}")),
        "PodTemplate" => Ok(format!("/api/v1/namespaces/{namespace}/podtemplates/{name}")),
        kind => Err(format!("a workloadRef to {version} {kind} is not known")),
    }
}

impl Looker for RolloutLooker {
    fn logs(&self, of: LogsOf, to: mpsc::Sender<LogLine>) -> BoxFuture<'_, ()> {
        logs::run(self, of, to).boxed()
    }

    fn yaml(&self, of: YamlOf) -> BoxFuture<'_, Result<Vec<Clean>, String>> {
        async move {
            let mut object = self.any(&of).await?;
            if !of.managed_fields {
                yaml::fold_managed_fields(&mut object);
            }
            yaml::text(&object).map(|text| yaml::lines(&text))
        }
        .boxed()
    }

    fn template(&self, target: TargetId, revision: RevisionName) -> BoxFuture<'_, Result<Vec<Clean>, String>> {
        async move {
            let found = self.find(&target).await?;
            let text = yaml::text(&found.pick(&revision)?.template())?;
            Ok(yaml::lines(&text))
        }
        .boxed()
    }

    fn diff(
        &self,
        target: TargetId,
        from: RevisionName,
        to: Option<RevisionName>,
    ) -> BoxFuture<'_, Result<TemplateDiff, String>> {
        async move {
            let found = self.find(&target).await?;
            let newer = match &to {
                Some(name) => found.pick(name)?,
                None => found.current()?,
            };
            revisions::diff(found.pick(&from)?, newer)
        }
        .boxed()
    }

    fn revisions(&self, target: TargetId) -> BoxFuture<'_, Result<Vec<Revision>, String>> {
        async move { Ok(self.find(&target).await?.all.into_iter().map(|one| one.revision).collect()) }.boxed()
    }
}
