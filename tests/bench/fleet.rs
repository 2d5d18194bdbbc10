//! A server with as many rollouts as a bench asks for: copies of one captured from a real cluster, and events at a
//! given rate.

use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
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

struct Shared {
    size: usize,
    rollout: Value,
    replica_set: Value,
    rollouts: Bytes,
    replica_sets: Bytes,
    events: broadcast::Sender<Bytes>,
    version: AtomicU64,
    marks: AtomicU32,
    watches: AtomicU32,
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

fn list(kind: &str, api: &str, items: &[Value], version: u64) -> Bytes {
    let list = json!({
        "kind": kind, "apiVersion": api, "metadata": {"resourceVersion": version.to_string()}, "items": items,
    });
    Bytes::from(list.to_string())
}

impl Fleet {
    /// Serves `size` rollouts.
    pub fn start(size: usize) -> Self {
        let rollout: Value = serde_json::from_str(ROLLOUT).expect("JSON");
        let replica_set: Value = serde_json::from_str(REPLICA_SET).expect("JSON");
        let version = FIRST + size as u64;
        let rollouts: Vec<_> = (0..size).map(|i| copy(&rollout, i, FIRST + i as u64, "")).collect();
        let sets: Vec<_> = (0..size).map(|i| copy(&replica_set, i, FIRST + i as u64, "-rs")).collect();
        let (events, _) = broadcast::channel(1 << 16);
        let shared = Arc::new(Shared {
            size,
            rollouts: list("RolloutList", "argoproj.io/v1alpha1", &rollouts, version),
            replica_sets: list("ReplicaSetList", "apps/v1", &sets, version),
            rollout,
            replica_set,
            events,
            version: AtomicU64::new(version),
            marks: AtomicU32::new(0),
            watches: AtomicU32::new(0),
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

    /// Changes the message of rollout `index` to something that was not there before, and returns it.
    pub fn mark(&self, index: usize) -> String {
        let mark = format!("mark-{:05}", self.shared.marks.fetch_add(1, Ordering::SeqCst));
        self.shared.change(index, Some(&mark));
        mark
    }
}

impl Shared {
    fn change(&self, index: usize, mark: Option<&str>) {
        let version = self.version.fetch_add(1, Ordering::SeqCst) + 1;
        let mut object = copy(&self.rollout, index, version, "");
        if let Some(mark) = mark {
            // A phase whose message the board shows.
            object["status"]["phase"] = "Degraded".into();
            object["status"]["message"] = mark.into();
        }
        let line = format!("{}\n", json!({"type": "MODIFIED", "object": object}));
        // Err = nobody watches yet.
        let _ = self.events.send(Bytes::from(line));
    }
}

async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let watch = request.uri().query().is_some_and(|q| q.contains("watch=true"));
    let body = match path.as_str() {
        "/apis/argoproj.io/v1alpha1/rollouts" if watch => {
            shared.watches.fetch_add(1, Ordering::SeqCst);
            let stream = tokio_stream_of(shared.events.subscribe());
            Body::from_stream(stream)
        }
        "/apis/argoproj.io/v1alpha1/rollouts" => Body::from(shared.rollouts.clone()),
        "/apis/apps/v1/replicasets" if watch => {
            shared.watches.fetch_add(1, Ordering::SeqCst);
            Body::from_stream(futures::stream::pending::<Result<Bytes, Infallible>>())
        }
        "/apis/apps/v1/replicasets" => Body::from(shared.replica_sets.clone()),
        "/api/v1/namespaces/kube-system" => {
            Body::from(json!({"metadata": {"name": "kube-system", "uid": "fleet"}}).to_string())
        }
        _ if path.contains("/rollouts/") => {
            let name = path.rsplit('-').next().unwrap_or_default();
            let index = name.parse().unwrap_or(0);
            Body::from(copy(&shared.rollout, index, FIRST + index as u64, "").to_string())
        }
        _ if path.ends_with("/pods") && watch => {
            Body::from_stream(futures::stream::pending::<Result<Bytes, Infallible>>())
        }
        _ if path.ends_with("/pods") => Body::from(list("PodList", "v1", &[], FIRST)),
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

/// The events as they come; a reader that is too slow misses some, as behind a real server's cache.
fn tokio_stream_of(events: broadcast::Receiver<Bytes>) -> impl futures::Stream<Item = Result<Bytes, Infallible>> {
    futures::stream::unfold(events, |mut events| async move {
        loop {
            match events.recv().await {
                Ok(line) => return Some((Ok(line), events)),
                Err(broadcast::error::RecvError::Lagged(_)) => {}
                Err(broadcast::error::RecvError::Closed) => return None,
            }
        }
    })
    .boxed()
}
