//! The links to the rollouts of one cluster.

use std::sync::Arc;

use super::effector::RolloutEffector;
use super::{GROUP, decode};
use crate::domain::ids::{TargetId, TargetKind};
use crate::domain::link::LinkId;
use crate::domain::observation::Observation;
use crate::domain::rollout::Rollout;
use crate::domain::workload::ReplicaSet;
use crate::effects::Reader;
use crate::systems::LinkTask;
use crate::systems::kubernetes::client::Cluster;
use crate::systems::kubernetes::decode::replica_set;
use crate::systems::kubernetes::feed::{self, Mapping, Outlet};
use crate::systems::kubernetes::pods::{self, Selector};
use crate::systems::kubernetes::watch::Timings;

/// Rollouts, their ReplicaSets, and the pods of the focused one.
pub(super) fn links(cluster: &Arc<Cluster>, reader: &Arc<RolloutEffector>, timings: Timings) -> Vec<LinkTask> {
    let id = |what| LinkId::new(&cluster.context, what);
    let (a, b, c) = (cluster.clone(), cluster.clone(), cluster.clone());
    let reader = reader.clone();
    vec![
        LinkTask {
            id: id("rollouts"),
            start: Box::new(move |to, _| {
                let path = a.scope(GROUP, "rollouts");
                let outlet = Outlet { id: LinkId::new(&a.context, "rollouts"), to };
                let decode = Box::new(|cluster: &_| {
                    let cluster = Clone::clone(cluster);
                    Box::new(move |raw: &_| decode::rollout(raw, &cluster).map(Some)) as _
                });
                Box::pin(feed::run(a.clone(), outlet, path, decode, rollouts(), timings))
            }),
        },
        LinkTask {
            id: id("replicasets"),
            start: Box::new(move |to, _| {
                let path = b.scope("/apis/apps/v1", "replicasets");
                let outlet = Outlet { id: LinkId::new(&b.context, "replicasets"), to };
                let decode = Box::new(|_: &_| Box::new(replica_set) as _);
                Box::pin(feed::run(b.clone(), outlet, path, decode, replica_sets(), timings))
            }),
        },
        LinkTask {
            id: id("pods"),
            start: Box::new(move |to, wants| {
                let reader = reader.clone();
                let selector: Arc<Selector> = Arc::new(move |target| {
                    let reader = reader.clone();
                    Box::pin(async move {
                        let rollout = reader.read(&target).await?;
                        Ok(rollout.map(|r| r.selector.to_string()))
                    })
                });
                let id = LinkId::new(&c.context, "pods");
                Box::pin(pods::run(c.clone(), id, to, wants.focus, selector, timings))
            }),
        },
    ]
}

fn rollouts() -> Mapping<Rollout> {
    Mapping {
        all: Box::new(|id, cluster, all| Observation::Rollouts {
            id,
            cluster,
            all: all.into_iter().map(Arc::new).collect(),
        }),
        put: Box::new(|id, _, rollout| Observation::Rollout { id, rollout: Arc::new(rollout) }),
        gone: Box::new(|id, cluster, rollout| Observation::RolloutGone {
            id,
            target: TargetId {
                cluster,
                namespace: rollout.id.namespace,
                kind: TargetKind::Rollout,
                name: rollout.id.name,
            },
        }),
    }
}

fn replica_sets() -> Mapping<ReplicaSet> {
    Mapping {
        all: Box::new(|id, cluster, all| Observation::ReplicaSets {
            id,
            cluster,
            all: all.into_iter().map(Arc::new).collect(),
        }),
        put: Box::new(|id, cluster, set| Observation::ReplicaSet { id, cluster, set: Arc::new(set) }),
        gone: Box::new(|id, cluster, set| Observation::ReplicaSetGone { id, cluster, uid: set.uid }),
    }
}
