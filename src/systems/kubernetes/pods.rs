//! The pods of the focused target, and of no other.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::future::BoxFuture;
use serde_json::value::RawValue;
use tokio::sync::Mutex;

use super::client::Cluster;
use super::decode::pod;
use super::feed::{Outlet, identify, state};
use super::watch::{Malformed, Resource, Said, Timings, follow};
use crate::domain::ids::TargetId;
use crate::domain::link::{LinkId, LinkState};
use crate::domain::observation::Observation;
use crate::domain::text::Clean;
use crate::domain::workload::Pod;
use crate::systems::{Focus, Observations};

/// Finds the label selector of a target's pods; `Ok(None)` when the target is gone.
pub type Selector = dyn Fn(TargetId) -> BoxFuture<'static, Result<Option<String>, String>> + Send + Sync;

/// Watches the pods of whatever target is focused; quiet while none is.
pub async fn run(
    cluster: Arc<Cluster>,
    id: LinkId,
    to: Observations,
    mut focus: Focus,
    selector: Arc<Selector>,
    timings: Timings,
) {
    let outlet = Outlet { id, to };
    let Some(here) = identify(&cluster, &outlet, timings).await else { return };
    loop {
        let target = focus.borrow_and_update().clone().filter(|t| t.cluster == here);
        let work = async {
            if let Some(target) = &target {
                return watch(&cluster, &outlet, target, &selector, timings).await;
            }
            // Nothing is asked for, so nothing can be missing.
            outlet.link(LinkState::Live).await;
            std::future::pending::<()>().await;
        };
        tokio::select! {
            changed = focus.changed() => if changed.is_err() { return },
            () = work => return,
        }
        // What is no longer watched may not be shown as if it were.
        if let Some(target) = target {
            outlet.say(Observation::Pods { id: outlet.id.clone(), target, all: None }).await;
        }
    }
}

async fn watch(cluster: &Cluster, outlet: &Outlet, target: &TargetId, selector: &Arc<Selector>, timings: Timings) {
    let mut tries = 0;
    let labels = loop {
        tries += 1;
        let why = match selector(target.clone()).await {
            Ok(Some(labels)) if !labels.is_empty() => break labels,
            Ok(Some(_) | None) => "the target names no pods (yet)".to_owned(),
            Err(why) => why,
        };
        let wait = timings.shortest.saturating_mul(tries).min(timings.longest);
        let now = jiff::Timestamp::now();
        let until = now.checked_add(wait).unwrap_or(now);
        if !outlet.link(LinkState::Backoff { why: Clean::new(&why), tries, until }).await {
            return;
        }
        tokio::time::sleep(wait).await;
    };
    let path = format!("/api/v1/namespaces/{}/pods", target.namespace);
    let decode = |raw: &RawValue| -> Result<Option<Pod>, Malformed> { pod(raw) };
    let resource = Resource { client: cluster.client(), path: &path, labels: &labels, decode: &decode, timings };
    let known: Mutex<BTreeMap<Clean, Pod>> = Mutex::default();
    let known = &known;
    follow(resource, |said| async move {
        let mut pods = known.lock().await;
        match said {
            Said::All(all) => *pods = all.into_iter().map(|p| (p.name.clone(), p)).collect(),
            Said::Put(pod) => {
                pods.insert(pod.name.clone(), pod);
            }
            Said::Gone(pod) => {
                pods.remove(&pod.name);
            }
            other => return state(outlet, other).await,
        }
        let all = pods.values().cloned().collect();
        outlet.say(Observation::Pods { id: outlet.id.clone(), target: target.clone(), all: Some(all) }).await
    })
    .await;
}
