//! Stands between the program and the server, and takes down what the server answers to the program's writes.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use kube::Client;
use serde_json::Value;
use tokio::task::JoinHandle;

/// One write of the program: its path, and the answer.
struct Written {
    path: String,
    said: String,
}

impl Written {
    fn concerns(&self, name: &str) -> bool {
        let is_own = |part: &str| part == name || part.strip_prefix(name).is_some_and(|rest| rest.starts_with('-'));
        self.path.split(['/', '?']).any(is_own)
    }
}

struct Shared {
    client: Client,
    written: Mutex<Vec<Written>>,
}

/// The tap; ends when dropped.
pub struct Tap {
    shared: Arc<Shared>,
    task: JoinHandle<()>,
    folder: tempfile::TempDir,
}

impl Drop for Tap {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Tap {
    pub async fn start(client: Client) -> Self {
        let shared = Arc::new(Shared { client, written: Mutex::default() });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("its address");
        let router = axum::Router::new().fallback(pass).with_state(shared.clone());
        let task = tokio::spawn(async move { axum::serve(listener, router).await.expect("it serves") });
        let folder = tempfile::tempdir().expect("a temporary folder");
        let kubeconfig = format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: tapped\n\
             contexts: [{{name: tapped, context: {{cluster: c, user: u}}}}]\n\
             clusters: [{{name: c, cluster: {{server: \"http://{address}\"}}}}]\nusers: [{{name: u, user: {{}}}}]\n"
        );
        std::fs::write(folder.path().join("kubeconfig"), kubeconfig).expect("a kubeconfig");
        Self { shared, task, folder }
    }

    pub fn kubeconfig(&self) -> PathBuf {
        self.folder.path().join("kubeconfig")
    }

    /// What was answered to the writes to the rollout called `name` and to what it owns, since this was asked last.
    pub fn take(&self, name: &str) -> Vec<String> {
        let mut written = self.shared.written.lock().unwrap_or_else(PoisonError::into_inner);
        let (taken, left) = std::mem::take(&mut *written).into_iter().partition(|one| one.concerns(name));
        *written = left;
        let taken: Vec<Written> = taken;
        taken.into_iter().map(|one| one.said).collect()
    }

    /// Whether anything was written to it since then.
    pub fn wrote(&self, name: &str) -> bool {
        let written = self.shared.written.lock().unwrap_or_else(PoisonError::into_inner);
        written.iter().any(|one| one.concerns(name))
    }
}

/// E.g. `rollout/status 200`, `replicaset 422 Invalid`.
fn said(path: &str, code: u16, body: &[u8]) -> String {
    let parts: Vec<&str> = path.split('?').next().unwrap_or_default().split('/').collect();
    // /apis/GROUP/VERSION/namespaces/NS/KIND/NAME[/SUBRESOURCE]
    let kind = parts.get(6).unwrap_or(&"?").trim_end_matches('s');
    let part = parts.get(8).map_or_else(String::new, |part| format!("/{part}"));
    let reason = match serde_json::from_slice::<Value>(body) {
        Ok(status) if code >= 300 => format!(" {}", status["reason"].as_str().unwrap_or("-")),
        _ => String::new(),
    };
    format!("{kind}{part} {code}{reason}")
}

async fn pass(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    let write = parts.method == http::Method::PATCH;
    parts.headers.remove("host");
    let path = parts.uri.path_and_query().map_or("/", |p| p.as_str()).to_owned();
    parts.uri = path.parse().expect("a path");
    let body = axum::body::to_bytes(body, 1 << 20).await.expect("a body");
    let request = http::Request::from_parts(parts, kube::client::Body::from(body.to_vec()));
    let answer = shared.client.send(request).await.expect("the server answers");
    if !write {
        return answer.map(Body::new);
    }
    let (mut parts, body) = answer.into_parts();
    // The body goes on in one piece, whatever pieces it came in.
    for header in ["transfer-encoding", "content-length"] {
        parts.headers.remove(header);
    }
    let body = axum::body::to_bytes(Body::new(body), 1 << 22).await.expect("an answer");
    let said = said(&path, parts.status.as_u16(), &body);
    shared.written.lock().unwrap_or_else(PoisonError::into_inner).push(Written { path, said });
    Response::from_parts(parts, Body::from(body))
}
