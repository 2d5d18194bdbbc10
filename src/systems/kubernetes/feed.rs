//! From what a watch says to observations.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use futures::StreamExt as _;
use futures::future::{AbortHandle, abortable};
use futures::stream::FuturesUnordered;
use jiff::Timestamp;

use super::call::CallError;
use super::client::Cluster;
use super::scope::{self, Found};
use super::timings::Timings;
use super::watch::{Decode, Resource, Said, Versioned, follow};
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

/// What is listed.
#[derive(Clone, Copy, Debug)]
pub struct Listed {
    /// Where the group is served: `/apis/…` or `/api/v1`.
    pub base: &'static str,
    /// Its API group, as permission reviews take it.
    pub group: &'static str,
    /// The resource.
    pub plural: &'static str,
}

/// Keeps one resource's links alive: identifies the cluster, lists, watches. All namespaces are one link; several
/// are one link each.
pub async fn run<T>(
    cluster: Arc<Cluster>,
    outlet: Outlet,
    listed: Listed,
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
    let feed = Feed { cluster: &cluster, outlet: &outlet, listed, id, decode: &*decode, mapping: &mapping, timings };
    let _: Result<(), Unheard> = match cluster.namespaces.as_slice() {
        [] => feed.all().await,
        [one] => {
            feed.notice(&outlet, String::new()).await;
            feed.one(&outlet, Some(one)).await.map(drop)
        }
        several => feed.several(several.iter().cloned().collect(), None).await,
    };
}

/// Nobody listens.
struct Unheard;

/// All namespaces may not be listed.
struct Refused(CallError);

/// The links of one resource.
struct Feed<'a, T> {
    cluster: &'a Cluster,
    /// The link of the whole context.
    outlet: &'a Outlet,
    listed: Listed,
    id: ClusterId,
    decode: &'a Decode<'a, T>,
    mapping: &'a Mapping<T>,
    timings: Timings,
}

impl<T: Send + Versioned> Feed<'_, T> {
    /// Lists and watches one namespace or all. Ends when nobody listens, or when all may not be listed.
    async fn one(&self, outlet: &Outlet, namespace: Option<&str>) -> Result<Refused, Unheard> {
        let Listed { base, plural, .. } = self.listed;
        let path = match namespace {
            Some(namespace) => format!("{base}/namespaces/{namespace}/{plural}"),
            None => format!("{base}/{plural}"),
        };
        let resource = Resource {
            client: self.cluster.client(),
            path: &path,
            labels: "",
            fields: "",
            decode: self.decode,
            timings: self.timings,
        };
        let refused: Mutex<Option<CallError>> = Mutex::new(None);
        let listed = AtomicBool::new(false);
        let (refused_in, listed_in) = (&refused, &listed);
        follow(resource, |said| async move {
            let link = outlet.id.clone();
            match said {
                Said::All(all) => {
                    listed_in.store(true, Ordering::Relaxed);
                    outlet.say((self.mapping.all)(link, self.id.clone(), all)).await
                }
                Said::Put(object) => outlet.say((self.mapping.put)(link, self.id.clone(), object)).await,
                Said::Gone(object) => outlet.say((self.mapping.gone)(link, self.id.clone(), object)).await,
                Said::Failed { error, .. }
                    if error.code() == Some(403) && namespace.is_none() && !listed_in.load(Ordering::Relaxed) =>
                {
                    if let Ok(mut place) = refused_in.lock() {
                        *place = Some(error);
                    }
                    false
                }
                other => state(outlet, other).await,
            }
        })
        .await;
        refused.into_inner().ok().flatten().map(Refused).ok_or(Unheard)
    }

    /// All namespaces in one link; where that is refused, those that may be listed.
    async fn all(&self) -> Result<(), Unheard> {
        let mut tries = 0;
        loop {
            self.notice(self.outlet, String::new()).await;
            let Refused(error) = self.one(self.outlet, None).await?;
            tries += 1;
            let why = match scope::find(self.cluster, self.listed.group, self.listed.plural).await {
                Ok(found) if !found.namespaces.is_empty() => {
                    tries = 0;
                    self.several(found.namespaces.clone(), Some(found)).await?;
                    continue;
                }
                Ok(_) => error,
                Err(why) => why,
            };
            let wait = self.timings.wait(&why, tries);
            heard(self.outlet.link(failed(&why, self.outlet.id.what, tries, wait)).await)?;
            tokio::time::sleep(wait).await;
        }
    }

    /// Several namespaces, a link each. Where they were `found`, it is looked from time to time whether there are
    /// others; ends when all may be listed.
    async fn several(&self, namespaces: BTreeSet<String>, mut found: Option<Found>) -> Result<(), Unheard> {
        let mut running = FuturesUnordered::new();
        let mut handles: BTreeMap<String, AbortHandle> = BTreeMap::new();
        let mut wanted = namespaces;
        let mut first_round = true;
        loop {
            for gone in handles.keys().filter(|name| !wanted.contains(*name)).cloned().collect::<Vec<_>>() {
                if let Some(handle) = handles.remove(&gone) {
                    handle.abort();
                }
                self.gone(&gone).await?;
            }
            for name in &wanted {
                if handles.contains_key(name) {
                    continue;
                }
                let outlet = self.scoped(name);
                heard(outlet.link(LinkState::Connecting).await)?;
                let name = name.clone();
                let (work, handle) = abortable({
                    let name = name.clone();
                    async move { self.one(&outlet, Some(&name)).await.map(drop) }
                });
                running.push(work);
                handles.insert(name, handle);
            }
            // Only now, so that there is always one that says that not all is there yet.
            if std::mem::take(&mut first_round) {
                self.gone("").await?;
            }
            if let Some(first) = wanted.first() {
                self.notice(&self.scoped(first), found.as_ref().map(Found::notice).unwrap_or_default()).await;
            }
            let again = tokio::time::sleep(self.timings.rediscover);
            tokio::pin!(again);
            loop {
                tokio::select! {
                    Some(ended) = running.next() => if let Ok(Err(Unheard)) = ended {
                        return Err(Unheard);
                    },
                    () = &mut again, if found.is_some() => break,
                }
            }
            let Listed { group, plural, .. } = self.listed;
            if self.cluster.may_in("", "list", group, plural, "").await == Ok(true) {
                heard(self.outlet.link(LinkState::Connecting).await)?;
                for name in handles.keys() {
                    self.gone(name).await?;
                }
                return Ok(());
            }
            if let Ok(now) = scope::find(self.cluster, group, plural).await
                && !now.namespaces.is_empty()
            {
                wanted.clone_from(&now.namespaces);
                found = Some(now);
            }
        }
    }

    fn scoped(&self, namespace: &str) -> Outlet {
        let id = LinkId { scope: Clean::new(namespace), ..self.outlet.id.clone() };
        Outlet { id, to: self.outlet.to.clone() }
    }

    async fn gone(&self, namespace: &str) -> Result<(), Unheard> {
        heard(self.outlet.say(Observation::LinkGone { id: self.scoped(namespace).id }).await)
    }

    /// What a person should know of the link: once for each context, on its rollouts.
    async fn notice(&self, outlet: &Outlet, mut text: String) {
        if outlet.id.what != "rollouts" {
            return;
        }
        if self.cluster.insecure {
            let sep = if text.is_empty() { "" } else { "; " };
            text.push_str(sep);
            text.push_str(INSECURE);
        }
        outlet.say(Observation::Notice { id: outlet.id.clone(), text: Clean::new(&text) }).await;
    }
}

fn heard(said: bool) -> Result<(), Unheard> {
    said.then_some(()).ok_or(Unheard)
}

/// Said of a context whose server's certificate is not checked.
pub const INSECURE: &str = "the server's certificate is not checked (insecure-skip-tls-verify)";

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
            outlet.link(failed(&error, outlet.id.what, tries, wait)).await
        }
        Said::All(_) | Said::Put(_) | Said::Gone(_) => true,
    }
}

/// Waits until the cluster says who it is. Never returns where another context shows the same cluster: that is said,
/// and nothing is asked through this one.
pub async fn identify(cluster: &Cluster, outlet: &Outlet, timings: Timings) -> Option<ClusterId> {
    let mut tries = 0;
    let id = loop {
        match cluster.id().await {
            Ok(id) => break id,
            Err(error) => {
                cluster.unclaimed();
                tries += 1;
                let wait = timings.wait(&error, tries);
                if !outlet.link(failed(&error, outlet.id.what, tries, wait)).await {
                    return None;
                }
                tokio::time::sleep(wait).await;
            }
        }
    };
    let Err(shown_by) = cluster.claim(&id).await else { return Some(id) };
    // Nothing is asked for, so nothing can be missing.
    outlet.say(Observation::Cluster { context: cluster.context.clone(), cluster: id }).await;
    outlet.link(LinkState::Live).await;
    if outlet.id.what == "rollouts" {
        let text = Clean::new(&format!("leads to the same cluster as {shown_by}, and is not shown twice"));
        outlet.say(Observation::Notice { id: outlet.id.clone(), text }).await;
    }
    std::future::pending().await
}

/// The state of a link after a failure, with the fix where we know it.
fn failed(error: &CallError, what: &str, tries: u32, wait: std::time::Duration) -> LinkState {
    if matches!(error, CallError::NoLogin { .. }) {
        let why = format!("{error}; log in outside (it is tried again by itself)");
        return LinkState::Denied { why: Clean::new(&why) };
    }
    let fix = match error.code() {
        Some(401) => "log in again (the kubeconfig's credentials are not accepted)".to_owned(),
        Some(403) => format!("ask for the right to list and watch {what} (`flightdeck doctor` lists what is needed)"),
        Some(404) if matches!(what, "rollouts" | "analysisruns" | "experiments") => {
            format!("install Argo Rollouts on this cluster (it has no CRD {what}.argoproj.io), or pick another context")
        }
        Some(404) => format!("the server has no {what}"),
        _ => {
            let now = Timestamp::now();
            let until = now.checked_add(wait).unwrap_or(now);
            return LinkState::Backoff { why: Clean::new(&error.to_string()), tries, until };
        }
    };
    LinkState::Denied { why: Clean::new(&format!("{error}; {fix}")) }
}
