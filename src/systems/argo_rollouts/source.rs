//! The links to the rollouts of one cluster.

use std::sync::Arc;

use futures::FutureExt as _;
use futures::future::BoxFuture;

use super::details::{Experiments, Runs};
use super::effector::RolloutEffector;
use super::{GROUP, decode, focus};
use crate::domain::ids::{TargetId, TargetKind};
use crate::domain::link::LinkId;
use crate::domain::observation::Observation;
use crate::domain::rollout::Rollout;
use crate::domain::workload::ReplicaSet;
use crate::effects::Reader as _;
use crate::systems::kubernetes::client::Cluster;
use crate::systems::kubernetes::decode::replica_set;
use crate::systems::kubernetes::events::{self, Events};
use crate::systems::kubernetes::feed::{self, Listed, Mapping, Outlet};
use crate::systems::kubernetes::focused;
use crate::systems::kubernetes::pods::{Pods, Selector};
use crate::systems::kubernetes::rights;
use crate::systems::kubernetes::timings::Timings;
use crate::systems::{Focus, LinkTask};

const ROLLOUTS: Listed = Listed { base: GROUP, group: "argoproj.io", plural: "rollouts" };
const REPLICA_SETS: Listed = Listed { base: "/apis/apps/v1", group: "apps", plural: "replicasets" };

/// Rollouts and their ReplicaSets, and of the focused one all that belongs to it.
pub(super) fn links(cluster: &Arc<Cluster>, reader: &Arc<RolloutEffector>, timings: Timings) -> Vec<LinkTask> {
    let mut links = vec![
        link(cluster, "rollouts", move |cluster, outlet, _| {
            let decode = Box::new(|cluster: &_| {
                let cluster = Clone::clone(cluster);
                Box::new(move |raw: &str| decode::rollout(raw, &cluster).map(Some)) as _
            });
            feed::run(cluster, outlet, ROLLOUTS, decode, rollouts(), timings).boxed()
        }),
        link(cluster, "replicasets", move |cluster, outlet, _| {
            let decode = Box::new(|_: &_| Box::new(replica_set) as _);
            feed::run(cluster, outlet, REPLICA_SETS, decode, replica_sets(), timings).boxed()
        }),
    ];
    links.extend(focused_links(cluster, reader, timings));
    links
}

/// The links that are quiet until a target is looked at.
fn focused_links(cluster: &Arc<Cluster>, reader: &Arc<RolloutEffector>, timings: Timings) -> Vec<LinkTask> {
    let [for_pods, for_runs, for_experiments] = std::array::from_fn(|_| reader.clone());
    let selector: Arc<Selector> = Arc::new(move |target| {
        let reader = for_pods.clone();
        async move { Ok(reader.read(&target).await?.map(|r| r.selector.to_string())) }.boxed()
    });
    vec![
        link(cluster, "focus", move |cluster, outlet, focus| focus::run(cluster, outlet, focus, timings).boxed()),
        link(cluster, "pods", move |cluster, outlet, focus| {
            let kind = Pods { selector: selector.clone() };
            focused::run(cluster, outlet, focus, kind, timings).boxed()
        }),
        link(cluster, "analysisruns", move |cluster, outlet, focus| {
            focused::run(cluster, outlet, focus, Runs(for_runs.clone()), timings).boxed()
        }),
        link(cluster, "experiments", move |cluster, outlet, focus| {
            focused::run(cluster, outlet, focus, Experiments(for_experiments.clone()), timings).boxed()
        }),
        link(cluster, "events", move |cluster, outlet, focus| {
            focused::run(cluster, outlet, focus, Events, events::timings(timings)).boxed()
        }),
        link(cluster, "permissions", move |cluster, outlet, focus| {
            rights::run(cluster, outlet, focus, timings).boxed()
        }),
    ]
}

fn link(
    cluster: &Arc<Cluster>,
    what: &'static str,
    start: impl Fn(Arc<Cluster>, Outlet, Focus) -> BoxFuture<'static, ()> + Send + Sync + 'static,
) -> LinkTask {
    let (cluster, id) = (cluster.clone(), LinkId::new(&cluster.context, what));
    let of_task = id.clone();
    LinkTask {
        id,
        start: Box::new(move |to, wants| start(cluster.clone(), Outlet { id: of_task.clone(), to }, wants.focus)),
    }
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
