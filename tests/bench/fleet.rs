//! A server with as many rollouts as a measurement asks for: copies of one captured from a real cluster, with events
//! at a given rate or as fast as they are taken, and a network that can go silent. It counts what it is asked.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use bytes::Bytes;
use futures::StreamExt as _;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::sync::broadcast;

const ROLLOUT: &str = include_str!("rollout.json");
const REPLICA_SET: &str = include_str!("replicaset.json");

/// The first version; that of object `i` is this plus `i`.
const FIRST: u64 = 1_000_000;

/// By object: its two states, each what stands before and behind the version.
type Lines = Vec<[(Bytes, Bytes); 2]>;

struct Shared {
    size: usize,
    rollout: Value,
    replica_set: Value,
    rollouts: Vec<String>,
    replica_sets: Vec<String>,
    events: broadcast::Sender<Bytes>,
    version: AtomicU64,
    marks: AtomicU32,
    watches: AtomicU32,
    /// Events that are still to be sent as fast as they are taken, and how many were.
    flood: AtomicU64,
    sent: AtomicU64,
    /// Both states between which a flood changes each object, cut in two where the version stands.
    lines: Mutex<Option<Arc<Lines>>>,
    silent: AtomicBool,
    asked: Mutex<BTreeMap<String, Counts>>,
}

/// What was asked of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub lists: u32,
    pub watches: u32,
    pub gets: u32,
}

/// The server, its runtime, and the kubeconfig that leads to it.
pub struct Fleet {
    shared: Arc<Shared>,
    runtime: Runtime,
    folder: TempDir,
}

fn copy(of: &Value, index: usize, version: u64, suffix: &str) -> Value {
    let mut object = of.clone();
    let name = format!("svc-{index:05}");
    object["metadata"]["name"] = format!("{name}{suffix}").into();
    object["metadata"]["namespace"] = format!("team-{:02}", index % 20).into();
    object["metadata"]["uid"] = format!("00000000-0000-4000-8000-{index:012}").into();
    object["metadata"]["resourceVersion"] = version.to_string().into();
    if let Some(owner) = object["metadata"]["ownerReferences"].as_array_mut().and_then(|all| all.first_mut()) {
        owner["name"] = name.into();
        owner["uid"] = format!("00000000-0000-4000-8000-{index:012}").into();
    }
    object
}

/// One page of a list, as a real server cuts it: at most `limit` items, and where to go on.
fn list(kind: &str, api: &str, items: &[String], query: &str, version: u64) -> Bytes {
    let asked = |key: &str| {
        let value = query.split('&').find_map(|pair| pair.strip_prefix(key)?.strip_prefix('='));
        value.and_then(|v| v.parse::<usize>().ok())
    };
    let from = asked("continue").unwrap_or(0).min(items.len());
    let to = asked("limit").map_or(items.len(), |limit| from.saturating_add(limit).min(items.len()));
    let mut meta = json!({"resourceVersion": version.to_string()});
    if to < items.len() {
        meta["continue"] = to.to_string().into();
    }
    let page = items[from..to].join(",");
    Bytes::from(format!(r#"{{"kind":"{kind}","apiVersion":"{api}","metadata":{meta},"items":[{page}]}}"#))
}

impl Fleet {
    /// Serves `size` rollouts.
    pub fn start(size: usize) -> Self {
        let rollout: Value = serde_json::from_str(ROLLOUT).expect("JSON");
        let replica_set: Value = serde_json::from_str(REPLICA_SET).expect("JSON");
        let version = FIRST + size as u64;
        let rollouts: Vec<_> = (0..size).map(|i| copy(&rollout, i, FIRST + i as u64, "").to_string()).collect();
        let sets: Vec<_> = (0..size).map(|i| copy(&replica_set, i, FIRST + i as u64, "-rs").to_string()).collect();
        let (events, _) = broadcast::channel(1 << 16);
        let shared = Arc::new(Shared {
            size,
            rollouts,
            replica_sets: sets,
            rollout,
            replica_set,
            events,
            version: AtomicU64::new(version),
            marks: AtomicU32::new(0),
            watches: AtomicU32::new(0),
            flood: AtomicU64::new(0),
            sent: AtomicU64::new(0),
            lines: Mutex::default(),
            silent: AtomicBool::new(false),
            asked: Mutex::default(),
        });
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).expect("a port");
        let address = listener.local_addr().expect("its address");
        let router = axum::Router::new().fallback(answer).with_state(shared.clone());
        runtime.spawn(async move { axum::serve(listener, router).await });
        let folder = tempfile::tempdir().expect("a temporary folder");
        let kubeconfig = format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: fleet\n\
             contexts: [{{name: fleet, context: {{cluster: c, user: u}}}}]\n\
             clusters: [{{name: c, cluster: {{server: \"http://{address}\"}}}}]\nusers: [{{name: u, user: {{}}}}]\n"
        );
        std::fs::write(folder.path().join("kubeconfig"), kubeconfig).expect("a kubeconfig");
        Self { shared, runtime, folder }
    }

    pub fn kubeconfig(&self) -> PathBuf {
        self.folder.path().join("kubeconfig")
    }

    pub fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    /// Waits until the rollouts and the ReplicaSets are watched.
    pub fn until_watched(&self) {
        let deadline = std::time::Instant::now() + Duration::from_mins(1);
        while self.shared.watches.load(Ordering::SeqCst) < 2 {
            assert!(std::time::Instant::now() < deadline, "nobody watches");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Sends `rate` events a second, spread over all objects, until the fleet ends.
    pub fn stir(&self, rate: u32) {
        let shared = self.shared.clone();
        self.runtime.spawn(async move {
            let mut beat = tokio::time::interval(Duration::from_millis(10));
            let mut at = 0;
            loop {
                beat.tick().await;
                for _ in 0..rate / 100 {
                    at = (at + 7919) % shared.size;
                    shared.change(at, None);
                }
            }
        });
    }

    /// Sends so many events as fast as they are taken. Each changes one rollout, in turn.
    pub fn flood(&self, events: u64) {
        let shared = &self.shared;
        let cut = |index: usize, mark: Option<&str>| {
            let mut object = shared.object(index, 0, mark);
            object["metadata"]["resourceVersion"] = "@".into();
            let line = line("MODIFIED", &object);
            let (before, after) = line.split_once("\"resourceVersion\":\"@").expect("the version");
            (Bytes::from(format!("{before}\"resourceVersion\":\"")), Bytes::from(after.to_owned()))
        };
        let lines = (0..shared.size).map(|i| [cut(i, None), cut(i, Some("progress deadline exceeded"))]).collect();
        *shared.lines.lock().expect("the lines") = Some(Arc::new(lines));
        shared.flood.store(events, Ordering::SeqCst);
        // The streams look at the flood once they are woken.
        shared.change(0, None);
    }

    /// How many events of a flood were sent.
    pub fn flooded(&self) -> u64 {
        self.shared.sent.load(Ordering::SeqCst)
    }

    /// From now on nothing is answered, nothing is sent and nothing is closed.
    pub fn fall_silent(&self) {
        self.shared.silent.store(true, Ordering::SeqCst);
    }

    /// What was asked so far, by kind.
    pub fn asked(&self) -> BTreeMap<String, Counts> {
        self.shared.asked.lock().expect("the counts").clone()
    }

    /// Changes the message of rollout `index` to something that was not there before, and returns it.
    pub fn mark(&self, index: usize) -> String {
        let mark = format!("mark-{:05}", self.shared.marks.fetch_add(1, Ordering::SeqCst));
        self.shared.change(index, Some(&mark));
        mark
    }
}

impl Shared {
    fn object(&self, index: usize, version: u64, mark: Option<&str>) -> Value {
        let mut object = copy(&self.rollout, index, version, "");
        if let Some(mark) = mark {
            // A phase whose message the board shows.
            object["status"]["phase"] = "Degraded".into();
            object["status"]["message"] = mark.into();
        }
        object
    }

    fn change(&self, index: usize, mark: Option<&str>) {
        let version = self.version.fetch_add(1, Ordering::SeqCst) + 1;
        let object = self.object(index, version, mark);
        let line = line("MODIFIED", &object);
        // Err = nobody watches yet.
        let _ = self.events.send(Bytes::from(line));
    }
}

impl Shared {
    fn count(&self, path: &str, watch: bool) {
        let mut words = path.rsplit('/');
        let (last, before) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let kinds = ["rollouts", "replicasets", "pods", "analysisruns", "experiments", "events"];
        let mut asked = self.asked.lock().expect("the counts");
        if kinds.contains(&last) {
            let counts = asked.entry(last.to_owned()).or_default();
            if watch { counts.watches += 1 } else { counts.lists += 1 }
        } else if kinds.contains(&before) {
            asked.entry(before.to_owned()).or_default().gets += 1;
        }
    }

    /// The version that the lists are of.
    fn first_end(&self) -> u64 {
        FIRST + self.size as u64
    }

    async fn spoken(&self) {
        if self.silent.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
    }
}

async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let query = request.uri().query().unwrap_or_default().to_owned();
    let watch = query.contains("watch=true");
    // The pages of a list are one list.
    if !query.contains("continue=") {
        shared.count(&path, watch);
    }
    shared.spoken().await;
    let body = match path.as_str() {
        "/apis/argoproj.io/v1alpha1/rollouts" if watch => {
            shared.watches.fetch_add(1, Ordering::SeqCst);
            Body::from_stream(stream_of(shared.clone(), shared.events.subscribe()))
        }
        "/apis/argoproj.io/v1alpha1/rollouts" => {
            Body::from(list("RolloutList", "argoproj.io/v1alpha1", &shared.rollouts, &query, shared.first_end()))
        }
        "/apis/apps/v1/replicasets" if watch => {
            shared.watches.fetch_add(1, Ordering::SeqCst);
            Body::from_stream(calm(shared.clone()))
        }
        "/apis/apps/v1/replicasets" => {
            Body::from(list("ReplicaSetList", "apps/v1", &shared.replica_sets, &query, shared.first_end()))
        }
        "/api/v1/namespaces/kube-system" => {
            Body::from(json!({"metadata": {"name": "kube-system", "uid": "fleet"}}).to_string())
        }
        _ if path.contains("/rollouts/") => {
            let name = path.rsplit('-').next().unwrap_or_default();
            let index = name.parse().unwrap_or(0);
            Body::from(copy(&shared.rollout, index, FIRST + index as u64, "").to_string())
        }
        _ if ["/pods", "/analysisruns", "/experiments", "/events"].iter().any(|kind| path.ends_with(kind)) => {
            if watch {
                Body::from_stream(futures::stream::pending::<Result<Bytes, Infallible>>())
            } else {
                Body::from(list("List", "v1", &[], "", FIRST))
            }
        }
        _ => {
            let _ = &shared.replica_set;
            let status = json!({"kind": "Status", "code": 404, "reason": "NotFound", "message": "not here"});
            return Response::builder()
                .status(404)
                .header("content-type", "application/json")
                .body(Body::from(status.to_string()))
                .expect("an answer");
        }
    };
    Response::builder().header("content-type", "application/json").body(body).expect("an answer")
}

/// A real server breaks its silence about every minute.
const BOOKMARK: Duration = Duration::from_mins(1);

/// A line of a watch, its type first, as API servers write it.
fn line(kind: &str, object: &Value) -> String {
    format!("{{\"type\":\"{kind}\",\"object\":{object}}}\n")
}

/// The line that does so.
fn bookmark(api: &str, kind: &str, version: u64) -> Bytes {
    let object = json!({"apiVersion": api, "kind": kind, "metadata": {"resourceVersion": version.to_string()}});
    Bytes::from(line("BOOKMARK", &object))
}

/// A watch on which nothing happens.
fn calm(shared: Arc<Shared>) -> impl futures::Stream<Item = Result<Bytes, Infallible>> {
    futures::stream::unfold(shared, |shared| async move {
        tokio::time::sleep(BOOKMARK).await;
        shared.spoken().await;
        let line = bookmark("apps/v1", "ReplicaSet", shared.first_end());
        Some((Ok(line), shared))
    })
    .boxed()
}

/// How many events of a flood go out in one piece.
const PIECE: u64 = 16;

impl Shared {
    /// The next piece of a flood.
    fn piece(&self) -> Option<Bytes> {
        let left = self.flood.load(Ordering::SeqCst);
        let count = left.min(PIECE);
        if count == 0 {
            return None;
        }
        let lines = self.lines.lock().expect("the lines").clone()?;
        let mut piece = Vec::with_capacity(256 << 10);
        for _ in 0..count {
            let number = self.sent.fetch_add(1, Ordering::SeqCst);
            let version = self.version.fetch_add(1, Ordering::SeqCst) + 1;
            let size = lines.len() as u64;
            let place = usize::try_from(number % size).expect("small");
            let (before, after) = &lines[place][usize::from((number / size).is_multiple_of(2))];
            piece.extend_from_slice(before);
            piece.extend_from_slice(version.to_string().as_bytes());
            piece.extend_from_slice(after);
        }
        self.flood.fetch_sub(count, Ordering::SeqCst);
        Some(Bytes::from(piece))
    }
}

/// The events as they come; a reader that is too slow misses some, as behind a real server's cache. Those of a flood wait
/// for the reader.
fn stream_of(
    shared: Arc<Shared>,
    events: broadcast::Receiver<Bytes>,
) -> impl futures::Stream<Item = Result<Bytes, Infallible>> {
    futures::stream::unfold((shared, events), |(shared, mut events)| async move {
        loop {
            if let Some(piece) = shared.piece() {
                return Some((Ok(piece), (shared, events)));
            }
            let line = match tokio::time::timeout(BOOKMARK, events.recv()).await {
                Ok(Ok(line)) => line,
                Ok(Err(broadcast::error::RecvError::Lagged(_))) => continue,
                Ok(Err(broadcast::error::RecvError::Closed)) => return None,
                Err(_) => bookmark("argoproj.io/v1alpha1", "Rollout", shared.version.load(Ordering::SeqCst)),
            };
            shared.spoken().await;
            return Some((Ok(line), (shared, events)));
        }
    })
    .boxed()
}
