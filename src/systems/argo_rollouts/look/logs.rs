//! Logs of one pod or of many, merged.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::Duration;

use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt as _, StreamExt as _};
use jiff::Timestamp;
use serde::Deserialize;
use tokio::sync::mpsc;

use super::{RolloutLooker, segment};
use crate::domain::text::Clean;
use crate::effects::READ_DEADLINE;
use crate::effects::look::{LOG_LINE, LOG_PODS, LogLine, LogsOf, Pods};
use crate::systems::kubernetes::call::{self, CallError};
use crate::systems::kubernetes::decode::POD_HASH;
use crate::systems::kubernetes::logs::{Line, Log};
use crate::systems::kubernetes::watch::encode;

/// How long the past is gathered and put in order before what comes is passed on as it comes.
const GATHER: Duration = Duration::from_millis(500);

/// The most lines that are put in order at the beginning.
const GATHERED: usize = 10_000;

/// How often a followed log looks for new pods, and a container that ended for its successor.
const AGAIN: Duration = Duration::from_secs(3);

/// Lines of one log that wait to be merged.
const AHEAD: usize = 64;

/// A container of a pod.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    pod: Clean,
    container: Clean,
}

impl Place {
    fn line(&self, line: Line) -> LogLine {
        LogLine { pod: self.pod.clone(), container: self.container.clone(), at: line.at, text: line.text, note: false }
    }

    fn note(&self, why: &str) -> LogLine {
        LogLine {
            pod: self.pod.clone(),
            container: self.container.clone(),
            at: None,
            text: Clean::new(why),
            note: true,
        }
    }
}

fn remark(why: &str) -> LogLine {
    Place { pod: Clean::default(), container: Clean::default() }.note(why)
}

#[derive(Deserialize)]
struct List {
    #[serde(default)]
    items: Vec<Pod>,
}

#[derive(Deserialize)]
struct Pod {
    metadata: Meta,
    #[serde(default)]
    spec: Spec,
}

#[derive(Deserialize)]
struct Meta {
    name: Clean,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Spec {
    containers: Vec<Named>,
    init_containers: Vec<Named>,
}

#[derive(Deserialize)]
struct Named {
    name: Clean,
}

/// Sends the lines until they end or nobody listens.
pub(super) async fn run(looker: &RolloutLooker, of: LogsOf, to: mpsc::Sender<LogLine>) {
    let places = match places(looker, &of).await {
        Ok((places, left_out)) => {
            if left_out > 0 {
                let _ = to.send(remark(&format!("{left_out} more pods are not read: {LOG_PODS} at once"))).await;
            }
            places
        }
        Err(why) => {
            let _ = to.send(remark(&why)).await;
            return;
        }
    };
    if places.is_empty() {
        let _ = to.send(remark("no pod has such a log")).await;
        if !of.follow {
            return;
        }
    }
    if of.follow { follow(looker, &of, places, &to).await } else { past(looker, &of, &places, &to).await }
}

/// The containers to read, and how many pods are too many.
async fn places(looker: &RolloutLooker, of: &LogsOf) -> Result<(BTreeSet<Place>, usize), String> {
    let namespace = &of.target.namespace;
    let client = looker.cluster.client();
    let mut pods = match &of.pods {
        Pods::One(name) => {
            let path = format!("/api/v1/namespaces/{namespace}/pods/{}", segment(name)?);
            let body = call::get(client, &path, READ_DEADLINE).await.map_err(|e| unreadable(&e, name.as_str()))?;
            vec![serde_json::from_slice(&body).map_err(|e| format!("{name}: not a pod: {e}"))?]
        }
        Pods::All | Pods::Revision(_) => {
            let rollout = looker.rollout(&of.target).await?;
            let mut labels = rollout.selector.to_string();
            if let Pods::Revision(hash) = &of.pods {
                if !labels.is_empty() {
                    labels.push(',');
                }
                let _ = write!(labels, "{POD_HASH}={hash}");
            }
            if labels.is_empty() {
                return Err(format!("{} names no pods", of.target));
            }
            let path = format!("/api/v1/namespaces/{namespace}/pods?labelSelector={}", encode(&labels));
            let body = call::get(client, &path, READ_DEADLINE).await.map_err(|e| unreadable(&e, "pods"))?;
            serde_json::from_slice::<List>(&body).map_err(|e| format!("pods: not a list: {e}"))?.items
        }
    };
    pods.sort_by(|a: &Pod, b: &Pod| a.metadata.name.cmp(&b.metadata.name));
    let left_out = pods.len().saturating_sub(LOG_PODS);
    pods.truncate(LOG_PODS);
    Ok((pods.iter().flat_map(|pod| containers(pod, of.container.as_ref())).collect(), left_out))
}

fn containers(pod: &Pod, only: Option<&Clean>) -> Vec<Place> {
    let place = |c: &Named| Place { pod: pod.metadata.name.clone(), container: c.name.clone() };
    match only {
        None => pod.spec.containers.iter().map(place).collect(),
        Some(name) => {
            let all = pod.spec.containers.iter().chain(&pod.spec.init_containers);
            all.filter(|c| c.name == *name).map(place).collect()
        }
    }
}

fn unreadable(error: &CallError, what: &str) -> String {
    match error {
        CallError::Status { code: 404, .. } => format!("{what}: not there"),
        CallError::Status { code: 403, message, .. } => {
            format!("{what}: no right to read it ({message}); ask for `get` on pods/log and `list` on pods")
        }
        // The kubelet's words (`validateContainerLogStatus` of pkg/kubelet).
        CallError::Status { code: 400, message, .. }
            if message.as_str().starts_with("previous terminated container") =>
        {
            "the container has not restarted: there is no log from before".to_owned()
        }
        other => format!("{what}: {other}"),
    }
}

fn log(of: &LogsOf, place: &Place, after: Option<Timestamp>) -> Log {
    Log {
        namespace: of.target.namespace.clone(),
        pod: place.pod.clone(),
        container: place.container.clone(),
        follow: of.follow,
        previous: of.previous,
        tail: of.tail.filter(|_| after.is_none()),
        since: of.since,
        after,
    }
}

/// All of the past, in the order of its times: each log is in order, so the earliest of the next lines goes first.
async fn past(looker: &RolloutLooker, of: &LogsOf, places: &BTreeSet<Place>, to: &mpsc::Sender<LogLine>) {
    let mut readers = FuturesUnordered::new();
    let mut queues = Vec::new();
    for place in places {
        let (ahead, queue) = mpsc::channel(AHEAD);
        queues.push(queue);
        readers.push(async move {
            let done = log(of, place, None)
                .read(looker.cluster.client(), LOG_LINE, |line| {
                    let ahead = ahead.clone();
                    async move { ahead.send(place.line(line)).await.is_ok() }
                })
                .await;
            if let Err(e) = done {
                let _ = ahead.send(place.note(&unreadable(&e, "its log"))).await;
            }
        });
    }
    let reading = async { while readers.next().await.is_some() {} };
    let merging = async {
        let mut next = Vec::with_capacity(queues.len());
        for queue in &mut queues {
            next.push(queue.recv().await);
        }
        loop {
            let first = next.iter().enumerate().filter_map(|(n, line)| Some((line.as_ref()?.at, n))).min();
            let Some((_, n)) = first else { return };
            let line = std::mem::replace(&mut next[n], queues[n].recv().await);
            if let Some(line) = line
                && to.send(line).await.is_err()
            {
                return;
            }
        }
    };
    tokio::select! {
        ((), ()) = async { tokio::join!(reading, merging) } => {}
        () = to.closed() => {}
    }
}

/// What came and what comes, also of pods that appear later; ends when nobody listens.
async fn follow(looker: &RolloutLooker, of: &LogsOf, first: BTreeSet<Place>, to: &mpsc::Sender<LogLine>) {
    let (lines, mut arrived) = mpsc::channel(AHEAD);
    let reading = read_all(looker, of, first, lines);
    let passing = async {
        let mut gathered = Vec::new();
        let until = tokio::time::Instant::now() + GATHER;
        while gathered.len() < GATHERED {
            match tokio::time::timeout_at(until, arrived.recv()).await {
                Ok(Some(line)) => gathered.push(line),
                Ok(None) | Err(_) => break,
            }
        }
        gathered.sort_by_key(|line: &LogLine| line.at);
        for line in gathered {
            if to.send(line).await.is_err() {
                return;
            }
        }
        while let Some(line) = arrived.recv().await {
            if to.send(line).await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        () = reading => {}
        () = passing => {}
        () = to.closed() => {}
    }
}

/// Reads all logs at once and looks for new pods from time to time.
async fn read_all(looker: &RolloutLooker, of: &LogsOf, first: BTreeSet<Place>, to: mpsc::Sender<LogLine>) {
    // What is read now, and up to when what ended was read.
    let mut open: BTreeSet<Place> = BTreeSet::new();
    let mut read: BTreeMap<Place, Option<Timestamp>> = BTreeMap::new();
    let mut said: BTreeMap<Place, Clean> = BTreeMap::new();
    let mut readers: FuturesUnordered<BoxFuture<'_, Ended>> = FuturesUnordered::new();
    let mut wanted = first;
    loop {
        for place in wanted.iter().filter(|place| !open.contains(*place)).cloned().collect::<Vec<_>>() {
            let after = read.get(&place).copied().flatten();
            open.insert(place.clone());
            readers.push(read_one(looker, of, place, after, to.clone()).boxed());
        }
        let pause = tokio::time::sleep(AGAIN);
        tokio::pin!(pause);
        loop {
            tokio::select! {
                () = &mut pause => break,
                Some((place, last, done)) = readers.next() => {
                    open.remove(&place);
                    if let Err(e) = done {
                        // Waiting for its container: said once, not every few seconds.
                        let why = Clean::new(&unreadable(&e, "its log"));
                        if said.get(&place) != Some(&why) {
                            let _ = to.send(place.note(why.as_str())).await;
                            said.insert(place.clone(), why);
                        }
                    } else {
                        said.remove(&place);
                    }
                    read.insert(place, last);
                }
            }
        }
        // What is gone now stays as it was: there is nothing more to read of it.
        if let Ok((now, _)) = places(looker, of).await {
            read.retain(|place, _| now.contains(place));
            wanted = now;
        }
    }
}

/// A log that ended: which, up to when it was read, and how.
type Ended = (Place, Option<Timestamp>, Result<(), CallError>);

async fn read_one(
    looker: &RolloutLooker,
    of: &LogsOf,
    place: Place,
    after: Option<Timestamp>,
    to: mpsc::Sender<LogLine>,
) -> Ended {
    let mut last = after;
    let done = {
        let (last, place, to) = (&mut last, &place, &to);
        log(of, place, after)
            .read(looker.cluster.client(), LOG_LINE, move |line| {
                *last = line.at.or(*last);
                async move { to.send(place.line(line)).await.is_ok() }
            })
            .await
    };
    (place, last, done)
}
