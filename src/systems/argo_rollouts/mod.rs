//! Argo Rollouts: reads Rollouts and their ReplicaSets and pods, and acts on Rollouts.

pub mod decode;
pub mod effector;
pub mod history;
mod look;
mod prepare;
mod read;
mod source;

use std::sync::Arc;

use crate::domain::ids::TargetId;
use crate::systems::Connected;
use crate::systems::kubernetes::client::{Cluster, ConnectError, ConnectSettings};
use crate::systems::kubernetes::watch::Timings;
use crate::systems::kubernetes::witness::ClusterWitness;

/// The API group and version.
const GROUP: &str = "/apis/argoproj.io/v1alpha1";

/// The path of a rollout.
fn path(target: &TargetId) -> String {
    format!("{GROUP}/namespaces/{}/rollouts/{}", target.namespace, target.name)
}

/// Connects to the rollouts of one kube context. Nothing is sent yet: the server need not be up.
pub async fn connect(settings: &ConnectSettings, timings: Timings) -> Result<(Connected, Arc<Cluster>), ConnectError> {
    let cluster = Arc::new(Cluster::connect(settings).await?);
    let effector = Arc::new(effector::RolloutEffector::new(cluster.clone()));
    let connected = Connected {
        context: cluster.context.clone(),
        links: source::links(&cluster, &effector, timings),
        effector: effector.clone(),
        reader: effector,
        witness: Some(Arc::new(ClusterWitness::new(cluster.clone()))),
        looker: Arc::new(look::RolloutLooker::new(cluster.clone())),
    };
    Ok((connected, cluster))
}
