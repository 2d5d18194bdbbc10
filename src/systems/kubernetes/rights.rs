//! Permission reviews: what this user may do in a namespace. They advise; only policy and the server forbid.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::client::Cluster;
use super::feed::{Outlet, identify};
use super::timings::Timings;
use crate::domain::observation::Observation;
use crate::domain::permissions::Permissions;
use crate::domain::text::Clean;
use crate::systems::Focus;

/// When a review that was not answered is asked for again.
const AGAIN: Duration = Duration::from_secs(30);

const ARGO: &str = "argoproj.io";

impl Cluster {
    /// The five rights that acts need, asked for at once; what is not answered is `None`.
    pub async fn permissions(&self, namespace: &str) -> Permissions {
        let patch =
            |group, resource, sub| async move { self.may_in(namespace, "patch", group, resource, sub).await.ok() };
        let (patch_rollouts, patch_status, patch_sets, patch_runs, patch_deployments) = tokio::join!(
            patch(ARGO, "rollouts", ""),
            patch(ARGO, "rollouts", "status"),
            patch("apps", "replicasets", ""),
            patch(ARGO, "analysisruns", ""),
            patch("apps", "deployments", ""),
        );
        Permissions { patch_rollouts, patch_status, patch_sets, patch_runs, patch_deployments }
    }
}

/// Whether every one was answered.
fn answered(p: Permissions) -> bool {
    [p.patch_rollouts, p.patch_status, p.patch_sets, p.patch_runs, p.patch_deployments].iter().all(Option::is_some)
}

/// Asks for the rights in the focused target's namespace: at first, and again from time to time.
pub async fn run(cluster: Arc<Cluster>, outlet: Outlet, mut focus: Focus, timings: Timings) {
    let Some(here) = identify(&cluster, &outlet, timings).await else { return };
    let mut due: BTreeMap<Clean, Instant> = BTreeMap::new();
    loop {
        let target = focus.borrow_and_update().clone().filter(|t| t.cluster == here);
        let work = async {
            let Some(target) = &target else { return std::future::pending::<bool>().await };
            loop {
                if let Some(due) = due.get(&target.namespace) {
                    tokio::time::sleep_until(*due).await;
                }
                let permissions = Box::pin(cluster.permissions(target.namespace.as_str())).await;
                let wait = if answered(permissions) { timings.review } else { AGAIN.min(timings.review) };
                due.insert(target.namespace.clone(), Instant::now() + wait);
                let (context, namespace) = (cluster.context.clone(), target.namespace.clone());
                if !outlet.say(Observation::Permissions { context, namespace, permissions }).await {
                    return false;
                }
            }
        };
        tokio::select! {
            changed = focus.changed() => if changed.is_err() { return },
            _ = work => return,
        }
    }
}
