//! From what a watch says to observations.

use std::sync::Arc;

use jiff::Timestamp;

use super::call::CallError;
use super::client::Cluster;
use super::watch::{Decode, Resource, Said, Timings, Versioned, follow};
use crate::domain::ids::ClusterId;
use crate::domain::link::{LinkId, LinkState};
use crate::domain::observation::{Arrived, Observation};
use crate::domain::text::Clean;
use crate::systems::Observations;

/// Where the observations of one link go.
#[derive(Clone)]
pub struct Outlet {
    /// The link.
    pub id: LinkId,
    /// The engine's queue.
    pub to: Observations,
}

impl Outlet {
    /// Sends one observation; false when nobody listens.
    pub async fn say(&self, what: Observation) -> bool {
        self.to.send(Arrived { at: Timestamp::now(), what }).await.is_ok()
    }

    /// Says how the link stands.
    pub async fn link(&self, state: LinkState) -> bool {
        self.say(Observation::Link { id: self.id.clone(), state }).await
    }
}

/// How the objects of one resource become observations.
pub struct Mapping<T> {
    /// The whole list.
    pub all: Box<dyn Fn(LinkId, ClusterId, Vec<T>) -> Observation + Send + Sync>,
    /// One object.
    pub put: Box<dyn Fn(LinkId, ClusterId, T) -> Observation + Send + Sync>,
    /// One that is gone.
    pub gone: Box<dyn Fn(LinkId, ClusterId, T) -> Observation + Send + Sync>,
}

/// Makes the decoder, once it is known which cluster it is.
pub type DecodeFor<T> = Box<dyn Fn(&ClusterId) -> Box<Decode<'static, T>> + Send + Sync>;

/// Keeps one link alive: identifies the cluster, lists, watches.
pub async fn run<T>(
    cluster: Arc<Cluster>,
    outlet: Outlet,
    path: String,
    decode: DecodeFor<T>,
    mapping: Mapping<T>,
    timings: Timings,
) where
    T: Send + Versioned,
{
    if !outlet.link(LinkState::Connecting).await {
        return;
    }
    let Some(id) = identify(&cluster, &outlet, timings).await else { return };
    let context = cluster.context.clone();
    if !outlet.say(Observation::Cluster { context, cluster: id.clone() }).await {
        return;
    }
    let decode = decode(&id);
    let resource =
        Resource { client: cluster.client(), path: &path, labels: "", fields: "", decode: &*decode, timings };
    let (mapping, id, outlet) = (&mapping, &id, &outlet);
    follow(resource, |said| async move {
        let link = outlet.id.clone();
        match said {
            Said::All(all) => outlet.say((mapping.all)(link, id.clone(), all)).await,
            Said::Put(object) => outlet.say((mapping.put)(link, id.clone(), object)).await,
            Said::Gone(object) => outlet.say((mapping.gone)(link, id.clone(), object)).await,
            other => state(outlet, other).await,
        }
    })
    .await;
}

/// Says what is not about an object.
pub async fn state<T>(outlet: &Outlet, said: Said<T>) -> bool {
    let id = outlet.id.clone();
    match said {
        Said::Heard => outlet.say(Observation::Heard { id }).await,
        Said::Malformed(bad) => outlet.say(Observation::Malformed { id, object: bad.object, why: bad.why }).await,
        Said::Live => outlet.link(LinkState::Live).await,
        Said::Silent(since) => outlet.link(LinkState::Stale { since }).await,
        Said::Failed { error, tries, wait } => {
            tracing::warn!(link = %outlet.id, tries, %error, "link failed");
            outlet.link(failed(&error, tries, wait)).await
        }
        Said::All(_) | Said::Put(_) | Said::Gone(_) => true,
    }
}

/// Waits until the cluster says who it is.
pub async fn identify(cluster: &Cluster, outlet: &Outlet, timings: Timings) -> Option<ClusterId> {
    let mut tries = 0;
    loop {
        match cluster.id().await {
            Ok(id) => return Some(id),
            Err(error) => {
                tries += 1;
                let wait = timings.wait(&error, tries);
                if !outlet.link(failed(&error, tries, wait)).await {
                    return None;
                }
                tokio::time::sleep(wait).await;
            }
        }
    }
}

/// The state of a link after a failure, with the fix where we know it.
fn failed(error: &CallError, tries: u32, wait: std::time::Duration) -> LinkState {
    let fix = match error.code() {
        Some(401) => Some("log in again (the kubeconfig's credentials are not accepted)"),
        Some(403) => Some("ask for the right to list and watch it (`flightdeck doctor` lists what is needed)"),
        Some(404) => Some("install Argo Rollouts on this cluster (its CRDs are not there)"),
        _ => None,
    };
    if let Some(fix) = fix {
        return LinkState::Denied { why: Clean::new(&format!("{error}; {fix}")) };
    }
    let now = Timestamp::now();
    let until = now.checked_add(wait).unwrap_or(now);
    LinkState::Backoff { why: Clean::new(&error.to_string()), tries, until }
}
