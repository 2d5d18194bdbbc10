//! A plain-HTTP proxy before the real API server that can lose what passes through it.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use kube::Client;
use tempfile::TempDir;
use tokio::task::JoinHandle;

/// What happens to writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Fault {
    None,
    /// The server gets it, its answer is lost.
    LoseAnswer,
    /// The server never sees it.
    LoseRequest,
    /// The server gets it, and everything after it is refused: what came of it cannot be seen.
    GoDark,
}

struct Shared {
    client: Client,
    fault: AtomicU8,
    dark: AtomicU8,
    writes: AtomicU32,
}

/// The proxy; ends when dropped.
pub struct Proxy {
    shared: Arc<Shared>,
    task: JoinHandle<()>,
    folder: TempDir,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Proxy {
    pub async fn start(client: Client) -> Self {
        let shared = Arc::new(Shared {
            client,
            fault: AtomicU8::new(Fault::None as u8),
            dark: AtomicU8::new(0),
            writes: AtomicU32::new(0),
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("its address");
        let router = axum::Router::new().fallback(pass).with_state(shared.clone());
        let task = tokio::spawn(async move { axum::serve(listener, router).await.expect("it serves") });
        let folder = tempfile::tempdir().expect("a temporary folder");
        let kubeconfig = format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: proxied\n\
             contexts: [{{name: proxied, context: {{cluster: c, user: u}}}}]\n\
             clusters: [{{name: c, cluster: {{server: \"http://{address}\"}}}}]\nusers: [{{name: u, user: {{}}}}]\n"
        );
        std::fs::write(folder.path().join("kubeconfig"), kubeconfig).expect("a kubeconfig");
        Self { shared, task, folder }
    }

    pub fn kubeconfig(&self) -> PathBuf {
        self.folder.path().join("kubeconfig")
    }

    pub fn set(&self, fault: Fault) {
        self.shared.fault.store(fault as u8, Ordering::SeqCst);
    }

    /// How many patches came by.
    pub fn writes(&self) -> u32 {
        self.shared.writes.load(Ordering::SeqCst)
    }
}

/// Drops the connection without a word: the panic hook is not asked.
fn hang_up() -> ! {
    std::panic::resume_unwind(Box::new("the proxy hangs up"))
}

async fn pass(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let write = request.method() == http::Method::PATCH;
    if shared.dark.load(Ordering::SeqCst) != 0 {
        hang_up();
    }
    let fault = shared.fault.load(Ordering::SeqCst);
    if write {
        shared.writes.fetch_add(1, Ordering::SeqCst);
        if fault == Fault::LoseRequest as u8 {
            hang_up();
        }
    }
    let (mut parts, body) = request.into_parts();
    parts.headers.remove("host");
    let path = parts.uri.path_and_query().map_or("/", |p| p.as_str());
    parts.uri = path.parse().expect("a path");
    let body = axum::body::to_bytes(body, 1 << 20).await.expect("a body");
    let request = http::Request::from_parts(parts, kube::client::Body::from(body.to_vec()));
    let answer = shared.client.send(request).await.expect("the API server answers");
    if write && fault == Fault::GoDark as u8 {
        shared.dark.store(1, Ordering::SeqCst);
    }
    if write && (fault == Fault::LoseAnswer as u8 || fault == Fault::GoDark as u8) {
        hang_up();
    }
    answer.map(Body::new)
}
