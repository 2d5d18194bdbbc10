//! Single reads: a rollout, its ReplicaSets, and other objects that an act needs.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{decode, path};
use crate::domain::ids::TargetId;
use crate::domain::prepared::PrepareError;
use crate::domain::rollout::Rollout;
use crate::domain::workload::ReplicaSet;
use crate::effects::READ_DEADLINE;
use crate::systems::kubernetes::call::{self, CallError};
use crate::systems::kubernetes::client::Cluster;
use crate::systems::kubernetes::decode::replica_set;

/// The rollout's text; `Ok(None)` when it is gone.
pub(super) async fn rollout_body(cluster: &Cluster, target: &TargetId) -> Result<Option<Bytes>, String> {
    let id = cluster.id().await.map_err(|e| e.to_string())?;
    if id != target.cluster {
        return Err(format!(
            "context {} leads to another cluster now ({}, was {})",
            cluster.context, id.0, target.cluster.0
        ));
    }
    match call::get(cluster.client(), &path(target), READ_DEADLINE).await {
        Ok(body) => Ok(Some(body)),
        Err(CallError::Status { code: 404, .. }) => Ok(None),
        Err(e) => Err(format!("{target}: {e}")),
    }
}

/// Decodes it.
pub(super) fn decoded(raw: &str, target: &TargetId) -> Result<Rollout, String> {
    decode::rollout(raw, &target.cluster).map_err(|bad| format!("{target}: {}", bad.why))
}

/// The rollout as the server has it now.
pub(super) async fn rollout(cluster: &Cluster, target: &TargetId) -> Result<Option<Rollout>, String> {
    let Some(body) = rollout_body(cluster, target).await? else { return Ok(None) };
    let raw: &RawValue = serde_json::from_slice(&body).map_err(|e| format!("{target}: not an object: {e}"))?;
    decoded(raw.get(), target).map(Some)
}

/// The ReplicaSets that `rollout` owns, newest revision first.
pub(super) async fn sets(cluster: &Cluster, rollout: &Rollout) -> Result<Vec<ReplicaSet>, String> {
    #[derive(Deserialize)]
    struct List<'a> {
        #[serde(borrow, default)]
        items: Vec<&'a RawValue>,
    }
    let path = format!("/apis/apps/v1/namespaces/{}/replicasets", rollout.id.namespace);
    let body = call::get(cluster.client(), &path, READ_DEADLINE).await.map_err(|e| e.to_string())?;
    let list: List<'_> = serde_json::from_slice(&body).map_err(|e| format!("ReplicaSets: not a list: {e}"))?;
    // One that cannot be read is a warning of the watch, not a reason to see none.
    let all = list.items.into_iter().filter_map(|item| replica_set(item.get()).ok().flatten());
    let mut ours: Vec<_> = all.filter(|set| set.owner_uid == rollout.uid).collect();
    ours.sort_by(|a, b| b.revision.cmp(&a.revision).then_with(|| a.name.cmp(&b.name)));
    Ok(ours)
}

/// One ReplicaSet; `Ok(None)` when it is not there, or may not be read.
pub(super) async fn set(cluster: &Cluster, path: &str) -> Result<Option<ReplicaSet>, PrepareError> {
    match call::get(cluster.client(), path, READ_DEADLINE).await {
        Ok(body) => {
            let raw: Option<&RawValue> = serde_json::from_slice(&body).ok();
            Ok(raw.and_then(|raw| replica_set(raw.get()).ok().flatten()))
        }
        Err(CallError::Status { code: 403 | 404, .. }) => Ok(None),
        Err(e) => Err(PrepareError::Unreadable { why: format!("the ReplicaSet: {e}") }),
    }
}

/// Any object that an act cannot be made ready without.
pub(super) async fn object(cluster: &Cluster, path: &str, what: &str) -> Result<Bytes, PrepareError> {
    match call::get(cluster.client(), path, READ_DEADLINE).await {
        Ok(body) => Ok(body),
        Err(CallError::Status { code: 404, .. }) => {
            Err(PrepareError::NotApplicable { why: format!("{what} is not there") })
        }
        Err(e) => Err(PrepareError::Unreadable { why: format!("{what}: {e}") }),
    }
}
