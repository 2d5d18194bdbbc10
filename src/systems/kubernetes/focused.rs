//! What is only watched of the focused target: its pods, its analyses, the Events about it.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::future::BoxFuture;
use tokio::sync::Mutex;

use super::client::Cluster;
use super::feed::{Outlet, identify, state};
use super::timings::Timings;
use super::watch::{Malformed, Resource, Said, Versioned, follow};
use crate::domain::ids::TargetId;
use crate::domain::link::{LinkId, LinkState};
use crate::domain::observation::Observation;
use crate::domain::text::Clean;
use crate::systems::Focus;

/// Where to look for what belongs to a target.
#[derive(Clone, Debug, Default)]
pub struct Aim {
    /// The collection's path.
    pub path: String,
    /// A label selector, may be empty.
    pub labels: String,
    /// A field selector, may be empty.
    pub fields: String,
    /// A second field selector, for what the first does not reach; may be empty. When it fails nothing is said.
    pub more_fields: String,
    /// What the decoder compares with to know its own: a uid or a name.
    pub owner: Clean,
}

/// One kind of object that is watched so.
pub trait Kind: Send + Sync {
    /// The object.
    type Object: Versioned + Clone + Send + Sync;

    /// Where those of `target` are; `Ok(None)` when there are none (yet), e.g. as it is gone.
    fn aim(&self, target: TargetId) -> BoxFuture<'static, Result<Option<Aim>, String>>;

    /// Decodes one; `Ok(None)` = not one of the target's.
    fn decode(&self, aim: &Aim, raw: &str) -> Result<Option<Self::Object>, Malformed>;

    /// What tells them apart.
    fn key(&self, object: &Self::Object) -> Clean;

    /// All of them, as they are told; `None` when nobody looks.
    fn said(&self, id: LinkId, target: TargetId, all: Option<Vec<Self::Object>>) -> Observation;
}

/// Watches those of whatever target is focused; quiet while none is.
pub async fn run<K: Kind>(cluster: Arc<Cluster>, outlet: Outlet, mut focus: Focus, kind: K, timings: Timings) {
    let Some(here) = identify(&cluster, &outlet, timings).await else { return };
    loop {
        let target = focus.borrow_and_update().clone().filter(|t| t.cluster == here);
        let work = async {
            if let Some(target) = &target {
                return watch(&cluster, &outlet, target, &kind, timings).await;
            }
            outlet.link(LinkState::Off).await;
            std::future::pending::<()>().await;
        };
        tokio::select! {
            changed = focus.changed() => if changed.is_err() { return },
            () = work => return,
        }
        // What is no longer watched may not be shown as if it were.
        if let Some(target) = target {
            outlet.say(kind.said(outlet.id.clone(), target, None)).await;
        }
    }
}

async fn watch<K: Kind>(cluster: &Cluster, outlet: &Outlet, target: &TargetId, kind: &K, timings: Timings) {
    let mut tries = 0;
    let aim = loop {
        tries += 1;
        let why = match kind.aim(target.clone()).await {
            Ok(Some(aim)) => break aim,
            Ok(None) => "the target names none (yet)".to_owned(),
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
    let decode = |raw: &str| kind.decode(&aim, raw);
    let resource = |fields| Resource {
        client: cluster.client(),
        path: &aim.path,
        labels: &aim.labels,
        fields,
        decode: &decode,
        timings,
    };
    // What each of the two watches knows: a list replaces its own.
    let known: Mutex<[BTreeMap<Clean, K::Object>; 2]> = Mutex::default();
    let known = &known;
    let put = |which: usize, said: Said<K::Object>| async move {
        let mut known = known.lock().await;
        match said {
            Said::All(all) => known[which] = all.into_iter().map(|object| (kind.key(&object), object)).collect(),
            Said::Put(object) => {
                known[which].insert(kind.key(&object), object);
            }
            Said::Gone(object) => {
                known[which].remove(&kind.key(&object));
            }
            other if which == 0 => return state(outlet, other).await,
            Said::Malformed(bad) => return state(outlet, Said::<K::Object>::Malformed(bad)).await,
            _ => return true,
        }
        let mut all = known[1].clone();
        all.extend(known[0].clone());
        let all = all.into_values().collect();
        outlet.say(kind.said(outlet.id.clone(), target.clone(), Some(all))).await
    };
    let first = follow(resource(&aim.fields), |said| put(0, said));
    if aim.more_fields.is_empty() {
        return first.await;
    }
    let second = follow(resource(&aim.more_fields), |said| put(1, said));
    tokio::select! {
        () = first => {}
        () = second => {}
    }
}
