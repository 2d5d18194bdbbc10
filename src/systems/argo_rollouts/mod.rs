//! Argo Rollouts: reads Rollouts and their ReplicaSets and pods, and acts on Rollouts.

pub mod controller;
pub mod decode;
mod details;
pub mod effector;
mod focus;
pub mod history;
mod look;
pub mod names;
mod prepare;
mod read;
mod source;
mod unusable;

use std::sync::Arc;

use crate::domain::ids::TargetId;
use crate::systems::Connected;
use crate::systems::kubernetes::claims::Claims;
use crate::systems::kubernetes::client::{Cluster, ConnectError, ConnectSettings};
use crate::systems::kubernetes::timings::Timings;
use crate::systems::kubernetes::witness::ClusterWitness;

/// The API group and version.
const GROUP: &str = "/apis/argoproj.io/v1alpha1";

/// The path of a rollout.
fn path(target: &TargetId) -> String {
    format!("{GROUP}/namespaces/{}/rollouts/{}", target.namespace, target.name)
}

/// Connects to the rollouts of one kube context. Nothing is sent yet: the server need not be up.
pub async fn connect(settings: &ConnectSettings, timings: Timings) -> Result<(Connected, Arc<Cluster>), ConnectError> {
    connect_among(settings, timings, Arc::default(), 0).await
}

/// Connects to the rollouts of several contexts. One that cannot be connected does not stop the others: its link says
/// why. An error only where none can.
pub async fn connect_all(
    settings: &[ConnectSettings],
    timings: Timings,
) -> Result<Vec<(Connected, Option<Arc<Cluster>>)>, ConnectError> {
    let claims: Arc<Claims> = Arc::default();
    let mut all = Vec::new();
    let mut first_error = None;
    for (place, one) in settings.iter().enumerate() {
        match connect_among(one, timings, claims.clone(), place).await {
            Ok((connected, cluster)) => all.push((connected, Some(cluster))),
            Err(error) => {
                claims.failed(place);
                all.push((unusable::connected(one.context.as_deref().unwrap_or("(current)"), &error), None));
                first_error.get_or_insert(error);
            }
        }
    }
    match first_error {
        Some(error) if all.iter().all(|(_, cluster)| cluster.is_none()) => Err(error),
        _ => Ok(all),
    }
}

async fn connect_among(
    settings: &ConnectSettings,
    timings: Timings,
    claims: Arc<Claims>,
    place: usize,
) -> Result<(Connected, Arc<Cluster>), ConnectError> {
    let cluster = Arc::new(Cluster::connect_among(settings, claims, place).await?);
    let effector = Arc::new(effector::RolloutEffector::new(cluster.clone()));
    let connected = Connected {
        context: cluster.context.clone(),
        links: source::links(&cluster, &effector, timings),
        effector: effector.clone(),
        reader: effector,
        looker: Arc::new(look::RolloutLooker::new(cluster.clone())),
        witness: Some(Arc::new(ClusterWitness::new(cluster.clone()))),
    };
    Ok((connected, cluster))
}
