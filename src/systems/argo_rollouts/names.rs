//! What there is by name: short reads, for a shell that completes a word.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::GROUP;
use crate::domain::text::Clean;
use crate::systems::kubernetes::call::{self, CallError};
use crate::systems::kubernetes::client::Cluster;
use crate::systems::kubernetes::decode::{Meta, replica_set};
use crate::systems::kubernetes::scope::is_name;

/// The most that are read: nobody picks from more.
const MOST: usize = 1000;

#[derive(Deserialize)]
struct List<'a> {
    #[serde(borrow, default)]
    items: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct Named {
    metadata: Meta,
}

async fn list(cluster: &Cluster, path: &str, deadline: Duration) -> Result<Vec<Box<RawValue>>, CallError> {
    let joint = if path.contains('?') { '&' } else { '?' };
    let body = call::get(cluster.client(), &format!("{path}{joint}limit={MOST}"), deadline).await?;
    let list: List<'_> = serde_json::from_slice(&body)
        .map_err(|e| CallError::Foreign { code: 200, said: Clean::new(&e.to_string()) })?;
    Ok(list.items.into_iter().map(ToOwned::to_owned).collect())
}

/// `namespace/name` of every rollout in view.
pub async fn rollouts(cluster: &Cluster, deadline: Duration) -> Result<Vec<String>, CallError> {
    let mut found = Vec::new();
    let paths = match cluster.namespaces.as_slice() {
        [] => vec![format!("{GROUP}/rollouts")],
        several => several.iter().map(|namespace| format!("{GROUP}/namespaces/{namespace}/rollouts")).collect(),
    };
    for path in paths {
        let items = list(cluster, &path, deadline).await?;
        let named = items.iter().filter_map(|raw| serde_json::from_str::<Named>(raw.get()).ok());
        found.extend(named.map(|named| format!("{}/{}", named.metadata.namespace, named.metadata.name)));
    }
    Ok(found)
}

/// The revisions of a rollout that still have a ReplicaSet, newest first, each with its images.
pub async fn revisions(
    cluster: &Cluster,
    namespace: &str,
    name: &str,
    deadline: Duration,
) -> Result<Vec<(String, String)>, CallError> {
    let items = list(cluster, &format!("/apis/apps/v1/namespaces/{namespace}/replicasets"), deadline).await?;
    let mut sets: Vec<_> = items.iter().filter_map(|raw| replica_set(raw.get()).ok().flatten()).collect();
    sets.retain(|set| set.name == format!("{name}-{}", set.pod_hash).as_str());
    sets.sort_by_key(|set| std::cmp::Reverse(set.revision));
    let images = |set: &crate::domain::workload::ReplicaSet| {
        set.images.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    };
    Ok(sets.iter().filter_map(|set| Some((set.revision?.to_string(), images(set)))).collect())
}

/// The namespaces that have rollouts, whatever is in view; where all may be listed.
pub async fn with_rollouts(cluster: &Cluster, deadline: Duration) -> Result<BTreeSet<String>, CallError> {
    let items = list(cluster, &format!("{GROUP}/rollouts"), deadline).await?;
    let named = items.iter().filter_map(|raw| serde_json::from_str::<Named>(raw.get()).ok());
    Ok(named.map(|named| named.metadata.namespace.to_string()).collect())
}

/// Whether there is a namespace of this name; `None` = that may not be known.
pub async fn namespace(cluster: &Cluster, name: &str, deadline: Duration) -> Option<bool> {
    if !is_name(name) {
        return Some(false);
    }
    match call::get(cluster.client(), &format!("/api/v1/namespaces/{name}"), deadline).await {
        Ok(_) => Some(true),
        Err(CallError::Status { code: 404, .. }) => Some(false),
        Err(_) => None,
    }
}

/// The names of all namespaces that can be seen.
pub async fn namespaces(cluster: &Cluster, deadline: Duration) -> Result<Vec<String>, CallError> {
    let items = list(cluster, "/api/v1/namespaces", deadline).await?;
    let named = items.iter().filter_map(|raw| serde_json::from_str::<Named>(raw.get()).ok());
    Ok(named.map(|named| named.metadata.name.to_string()).collect())
}
