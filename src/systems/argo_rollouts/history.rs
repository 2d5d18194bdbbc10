//! What the cluster remembers of a rollout, read afresh.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{GROUP, path};
use crate::domain::history::{History, PastRevision};
use crate::domain::ids::{TargetId, TargetKind};
use crate::domain::text::Clean;
use crate::effects::READ_DEADLINE;
use crate::systems::kubernetes::call::{self, CallError};
use crate::systems::kubernetes::client::Cluster;
use crate::systems::kubernetes::decode::{Meta, replica_set};
use crate::systems::kubernetes::managed::managers;

#[derive(Deserialize)]
struct List<'a> {
    #[serde(borrow, default)]
    items: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct Named {
    metadata: Meta,
}

fn foreign(error: &serde_json::Error) -> CallError {
    CallError::Foreign { code: 200, said: Clean::new(&error.to_string()) }
}

/// All rollouts in view, by name.
pub async fn targets(cluster: &Cluster) -> Result<Vec<TargetId>, CallError> {
    let id = cluster.id().await?;
    let body = call::get(cluster.client(), &cluster.scope(GROUP, "rollouts"), READ_DEADLINE).await?;
    let list: List<'_> = serde_json::from_slice(&body).map_err(|e| foreign(&e))?;
    let named = list.items.into_iter().filter_map(|raw| serde_json::from_str::<Named>(raw.get()).ok());
    Ok(named
        .map(|named| TargetId {
            cluster: id.clone(),
            namespace: named.metadata.namespace,
            kind: TargetKind::Rollout,
            name: named.metadata.name,
        })
        .collect())
}

/// Who wrote the rollout, which Events tell of it, which revisions it had. Without the object itself there is no
/// history; what else cannot be read is named in it.
pub async fn history(cluster: &Cluster, target: TargetId) -> Result<History, CallError> {
    let body = call::get(cluster.client(), &path(&target), READ_DEADLINE).await?;
    let raw: &RawValue = serde_json::from_slice(&body).map_err(|e| foreign(&e))?;
    let named: Named = serde_json::from_str(raw.get()).map_err(|e| foreign(&e))?;
    let uid = named.metadata.uid;
    let mut unread = Vec::new();
    let events = match cluster.events_of(target.namespace.as_str(), uid.as_str()).await {
        Ok((events, 0)) => events,
        Ok((events, bad)) => {
            unread.push(Clean::new(&format!("{bad} of its Events")));
            events
        }
        Err(error) => {
            unread.push(Clean::new(&format!("its Events: {error}")));
            Vec::new()
        }
    };
    let revisions = match revisions(cluster, &target, &uid).await {
        Ok(revisions) => revisions,
        Err(error) => {
            unread.push(Clean::new(&format!("its ReplicaSets: {error}")));
            Vec::new()
        }
    };
    Ok(History { target, uid, managers: managers(raw.get()), events, revisions, unread })
}

async fn revisions(cluster: &Cluster, target: &TargetId, uid: &Clean) -> Result<Vec<PastRevision>, CallError> {
    let path = format!("/apis/apps/v1/namespaces/{}/replicasets", target.namespace);
    let body = call::get(cluster.client(), &path, READ_DEADLINE).await?;
    let list: List<'_> = serde_json::from_slice(&body).map_err(|e| foreign(&e))?;
    let mut found: Vec<PastRevision> = list
        .items
        .into_iter()
        .filter_map(|raw| {
            let set = replica_set(raw.get()).ok().flatten().filter(|set| set.owner_uid == *uid)?;
            Some(PastRevision { number: set.revision, created: set.created, name: set.name, images: set.images })
        })
        .collect();
    found.sort_by_key(|revision| std::cmp::Reverse(revision.number));
    Ok(found)
}
