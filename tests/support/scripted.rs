//! A Kubernetes API server that does what the test says, byte for byte, and writes down what it was asked.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// A paused canary as a real cluster has it.
pub const ROLLOUT: &str = include_str!("../bench/rollout.json");
const REPLICA_SET: &str = include_str!("../bench/replicaset.json");

/// What was asked.
#[derive(Clone, Debug)]
pub struct Asked {
    pub method: String,
    pub path: String,
    /// The header lines, and the first one.
    pub head: String,
    pub body: String,
    /// How often this method and path (without query) had been asked before.
    pub before: usize,
}

impl Asked {
    pub fn query(&self, key: &str) -> Option<String> {
        let (_, query) = self.path.split_once('?')?;
        query.split('&').find_map(|pair| pair.strip_prefix(&format!("{key}="))).map(ToOwned::to_owned)
    }

    pub fn is(&self, method: &str, ends: &str) -> bool {
        self.method == method && self.path.split('?').next().unwrap_or_default().ends_with(ends)
    }

    pub fn watches(&self, what: &str) -> bool {
        self.is("GET", what) && self.query("watch").as_deref() == Some("true")
    }

    pub fn lists(&self, what: &str) -> bool {
        self.is("GET", what) && self.query("watch").is_none()
    }
}

/// What is answered.
#[derive(Clone, Debug)]
pub enum Reply {
    Json(u16, Value),
    /// With these header lines.
    With(u16, Vec<String>, Value),
    /// Exactly these bytes, then the connection ends.
    Raw(Vec<u8>),
    /// A stream of pieces with pauses between; it stays open.
    Stream(Vec<(Duration, Vec<u8>)>),
    /// The same, and then it ends as it should.
    StreamAndEnd(Vec<(Duration, Vec<u8>)>),
    /// Nothing, for ever.
    Hang,
    /// The connection is reset.
    Reset,
}

pub fn status(code: u16, reason: &str, message: &str) -> Value {
    json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message,
        "reason": reason, "code": code})
}

/// The captured rollout under another name and version.
pub fn rollout(name: &str, version: u64) -> Value {
    let mut object: Value = serde_json::from_str(ROLLOUT).expect("JSON");
    object["metadata"]["name"] = name.into();
    object["metadata"]["namespace"] = "shop".into();
    object["metadata"]["uid"] = format!("uid-{name}").into();
    object["metadata"]["resourceVersion"] = version.to_string().into();
    object
}

pub fn list(items: &[Value], version: u64, next: Option<&str>) -> Value {
    let mut meta = json!({"resourceVersion": version.to_string()});
    if let Some(next) = next {
        meta["continue"] = next.into();
    }
    json!({"kind": "RolloutList", "apiVersion": "argoproj.io/v1alpha1", "metadata": meta, "items": items})
}

pub fn event(kind: &str, object: &Value) -> Vec<u8> {
    format!("{}\n", json!({"type": kind, "object": object})).into_bytes()
}

/// A watch on which nothing happens.
pub fn quiet() -> Reply {
    Reply::Stream(Vec::new())
}

/// What a healthy server with one paused rollout `payments` answers.
fn usual(asked: &Asked) -> Reply {
    let path = asked.path.split('?').next().unwrap_or_default();
    if asked.query("watch").is_some() {
        return quiet();
    }
    match (asked.method.as_str(), path) {
        ("GET", "/api/v1/namespaces/kube-system") => Reply::Json(200, json!({"metadata": {"uid": "the-cluster"}})),
        ("GET", "/version") => Reply::Json(200, json!({"gitVersion": "v1.34.4"})),
        ("GET", "/apis/argoproj.io/v1alpha1") => Reply::Json(200, json!({"resources": [{"name": "rollouts"}]})),
        ("POST", p) if p.ends_with("/selfsubjectreviews") => {
            Reply::Json(201, json!({"status": {"userInfo": {"username": "anna"}}}))
        }
        ("POST", p) if p.ends_with("/selfsubjectaccessreviews") => {
            Reply::Json(201, json!({"status": {"allowed": true}}))
        }
        ("GET", p) if p.ends_with("/rollouts") => Reply::Json(200, list(&[rollout("payments", 100)], 100, None)),
        ("GET", p) if p.ends_with("/rollouts/payments") => Reply::Json(200, rollout("payments", 100)),
        ("GET", p) if p.ends_with("/replicasets") => {
            let mut set: Value = serde_json::from_str(REPLICA_SET).expect("JSON");
            set["metadata"]["namespace"] = "shop".into();
            set["metadata"]["ownerReferences"][0]["uid"] = "uid-payments".into();
            Reply::Json(200, list(&[set], 100, None))
        }
        ("GET", p) if ["/pods", "/analysisruns", "/experiments", "/events"].iter().any(|e| p.ends_with(e)) => {
            Reply::Json(200, list(&[], 100, None))
        }
        _ => Reply::Json(404, status(404, "NotFound", &format!("{path} not found"))),
    }
}

type Script = dyn Fn(&Asked) -> Option<Reply> + Send + Sync;

struct Shared {
    asked: Mutex<Vec<Asked>>,
    script: Box<Script>,
}

/// The server; ends when dropped.
pub struct Server {
    shared: Arc<Shared>,
    folder: TempDir,
    address: SocketAddr,
    _tasks: JoinSet<()>,
}

impl Server {
    /// Answers as `script` says; where it says nothing, as a healthy server does.
    pub async fn start(script: impl Fn(&Asked) -> Option<Reply> + Send + Sync + 'static) -> Self {
        let shared = Arc::new(Shared { asked: Mutex::default(), script: Box::new(script) });
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("its address");
        let mut tasks = JoinSet::new();
        let accepting = shared.clone();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.expect("a connection");
                connections.spawn(serve(stream, accepting.clone()));
            }
        });
        let folder = tempfile::tempdir().expect("a temporary folder");
        let kubeconfig = format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: scripted\n\
             contexts: [{{name: scripted, context: {{cluster: c, user: u}}}}]\n\
             clusters: [{{name: c, cluster: {{server: \"http://{address}\"}}}}]\nusers: [{{name: u, user: {{}}}}]\n"
        );
        std::fs::write(folder.path().join("kubeconfig"), kubeconfig).expect("a kubeconfig");
        Self { shared, folder, address, _tasks: tasks }
    }

    pub fn kubeconfig(&self) -> PathBuf {
        self.folder.path().join("kubeconfig")
    }

    /// Its address as a URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.shared.asked.lock().expect("the list").clone()
    }

    pub fn count(&self, method: &str, ends: &str) -> usize {
        self.asked().iter().filter(|a| a.is(method, ends)).count()
    }
}

async fn serve(mut stream: TcpStream, shared: Arc<Shared>) {
    let mut buffer = Vec::new();
    while let Some((head, body)) = request(&mut stream, &mut buffer).await {
        let mut words = head.split([' ', '\r']).map(ToOwned::to_owned);
        let (Some(method), Some(path)) = (words.next(), words.next()) else { return };
        let asked = {
            let mut all = shared.asked.lock().expect("the list");
            let place = |p: &str| p.split('?').next().unwrap_or_default().to_owned();
            let before = all.iter().filter(|a| a.method == method && place(&a.path) == place(&path)).count();
            let asked = Asked { method, path, head, body, before };
            all.push(asked.clone());
            asked
        };
        let reply = (shared.script)(&asked).unwrap_or_else(|| usual(&asked));
        if !answer(&mut stream, reply).await {
            return;
        }
    }
}

async fn request(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<(String, String)> {
    let mut chunk = vec![0; 8192];
    loop {
        if let Some(end) = buffer.windows(4).position(|w| w == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&buffer[..end]).into_owned();
            let length = head
                .lines()
                .find_map(|l| l.to_lowercase().strip_prefix("content-length:").map(|n| n.trim().parse::<usize>()))
                .and_then(Result::ok)
                .unwrap_or(0);
            if buffer.len() >= end + 4 + length {
                let body = String::from_utf8_lossy(&buffer[end + 4..end + 4 + length]).into_owned();
                buffer.drain(..end + 4 + length);
                return Some((head, body));
            }
        }
        let n = stream.read(&mut chunk).await.ok().filter(|n| *n > 0)?;
        buffer.extend_from_slice(&chunk[..n]);
    }
}

/// Whether the connection can be used again.
async fn answer(stream: &mut TcpStream, reply: Reply) -> bool {
    let (pieces, ends) = match reply {
        Reply::Json(code, body) => return whole(stream, code, &[], &body).await,
        Reply::With(code, headers, body) => return whole(stream, code, &headers, &body).await,
        Reply::Raw(bytes) => {
            let _ = stream.write_all(&bytes).await;
            return false;
        }
        Reply::Hang => {
            // Until the other side has had enough.
            let mut rest = [0; 64];
            while stream.read(&mut rest).await.is_ok_and(|n| n > 0) {}
            return false;
        }
        Reply::Reset => {
            let _ = stream.set_zero_linger();
            return false;
        }
        Reply::Stream(pieces) => (pieces, false),
        Reply::StreamAndEnd(pieces) => (pieces, true),
    };
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
    if stream.write_all(head.as_bytes()).await.is_err() {
        return false;
    }
    for (pause, piece) in pieces {
        tokio::time::sleep(pause).await;
        let chunk = [format!("{:x}\r\n", piece.len()).into_bytes(), piece, b"\r\n".to_vec()].concat();
        if stream.write_all(&chunk).await.is_err() {
            return false;
        }
    }
    if ends {
        return stream.write_all(b"0\r\n\r\n").await.is_ok();
    }
    let mut rest = [0; 64];
    while stream.read(&mut rest).await.is_ok_and(|n| n > 0) {}
    false
}

async fn whole(stream: &mut TcpStream, code: u16, headers: &[String], body: &Value) -> bool {
    let body = body.to_string();
    let more: String = headers.iter().map(|h| format!("{h}\r\n")).collect();
    let head =
        format!("HTTP/1.1 {code} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\n{more}\r\n", body.len());
    stream.write_all([head.as_bytes(), body.as_bytes()].concat().as_slice()).await.is_ok()
}
