//! Whether the Rollouts controller is at work, as far as that can be known.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::GROUP;
use crate::domain::rollout::Observed;
use crate::domain::text::Clean;
use crate::systems::kubernetes::call::{self, CallError};
use crate::systems::kubernetes::client::Cluster;

/// The Lease by which controllers elect the one that works (Argo Rollouts v1.10, `controller.go`); those that run with
/// `--leader-elect=false` have none.
const LEASE: &str = "argo-rollouts-controller-lock";

/// How many rollouts are looked at.
const SOME: usize = 100;

const DEADLINE: std::time::Duration = std::time::Duration::from_secs(5);

/// What speaks for it, or against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signs {
    /// A controller holds the Lease.
    Lease {
        /// Which one.
        holder: Clean,
        /// When it renewed it last, by its own clock.
        renewed: Option<Timestamp>,
    },
    /// No Lease can be seen; every rollout that was looked at is observed as it stands.
    Follows {
        /// How many were looked at.
        rollouts: usize,
    },
    /// No Lease can be seen; these rollouts were changed and not observed since.
    Behind {
        /// `namespace/name`.
        rollouts: Vec<String>,
    },
    /// Nothing to tell by: no Lease can be seen, and there is no rollout.
    None,
}

#[derive(Deserialize)]
struct List<'a> {
    #[serde(borrow, default)]
    items: Vec<&'a RawValue>,
}

/// Looks for signs of the controller.
pub async fn signs(cluster: &Cluster) -> Result<Signs, CallError> {
    if let Some(lease) = lease(cluster).await {
        return Ok(lease);
    }
    let namespace = cluster.namespaces.first().map(|n| format!("/namespaces/{n}")).unwrap_or_default();
    let path = format!("{GROUP}{namespace}/rollouts?limit={SOME}");
    let body = call::get(cluster.client(), &path, DEADLINE).await?;
    let list: List<'_> = serde_json::from_slice(&body)
        .map_err(|e| CallError::Foreign { code: 200, said: Clean::new(&e.to_string()) })?;
    let id = cluster.id().await?;
    let rollouts: Vec<_> =
        list.items.into_iter().filter_map(|raw| super::decode::rollout(raw.get(), &id).ok()).collect();
    if rollouts.is_empty() {
        return Ok(Signs::None);
    }
    let behind: Vec<String> =
        rollouts.iter().filter(|r| r.observed() == Observed::Behind).map(|r| r.id.to_string()).collect();
    Ok(if behind.is_empty() { Signs::Follows { rollouts: rollouts.len() } } else { Signs::Behind { rollouts: behind } })
}

async fn lease(cluster: &Cluster) -> Option<Signs> {
    #[derive(Deserialize)]
    struct Leases {
        #[serde(default)]
        items: Vec<Lease>,
    }
    #[derive(Deserialize)]
    struct Lease {
        spec: Spec,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Spec {
        #[serde(default)]
        holder_identity: Clean,
        #[serde(default)]
        renew_time: Option<String>,
    }
    let path = format!("/apis/coordination.k8s.io/v1/leases?fieldSelector=metadata.name%3D{LEASE}");
    let body = call::get(cluster.client(), &path, DEADLINE).await.ok()?;
    let list: Leases = serde_json::from_slice(&body).ok()?;
    let held = list.items.into_iter().filter(|lease| !lease.spec.holder_identity.is_empty());
    // Several installations: the one that was renewed last speaks for them.
    held.map(|lease| Signs::Lease {
        holder: lease.spec.holder_identity,
        renewed: lease.spec.renew_time.and_then(|time| time.parse().ok()),
    })
    .max_by_key(|signs| if let Signs::Lease { renewed, .. } = signs { *renewed } else { None })
}
