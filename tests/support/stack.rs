//! The real components: where they are, objects in a namespace of their own, and the Rollouts controller's brake.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use kube::Client;
use kube::client::Body;
use serde_json::{Value, json};
use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

/// How long the real components may take for anything a test waits for.
pub const PATIENCE: Duration = Duration::from_secs(40);

/// Tests that need the controller hold it open; those that stop it hold it alone.
static CONTROLLER: LazyLock<RwLock<()>> = LazyLock::new(RwLock::default);

/// Where the components are: those that `tests/real/run` started, or a cluster that was named.
#[derive(Clone, Debug)]
pub struct Stack {
    pub kubeconfig: PathBuf,
    dir: Option<PathBuf>,
}

/// Finds it; without one the tests cannot run, and say so.
pub fn stack() -> Stack {
    if let Some(kubeconfig) = std::env::var_os("FLIGHTDECK_TEST_KUBECONFIG") {
        return Stack { kubeconfig: kubeconfig.into(), dir: None };
    }
    let Some(dir) = std::env::var_os("FLIGHTDECK_TEST_STACK").map(PathBuf::from) else {
        panic!("no real components: run `tests/real/run`, which starts them and sets FLIGHTDECK_TEST_STACK");
    };
    Stack { kubeconfig: dir.join("kubeconfig"), dir: Some(dir) }
}

/// The fake node that kwok plays pods on: no image is ever pulled.
pub fn node() -> String {
    std::env::var("FLIGHTDECK_TEST_NODE").unwrap_or_else(|_| "kwok-node".to_owned())
}

/// The controller runs for as long as this lives.
pub struct Running(#[expect(dead_code, reason = "held, not read")] RwLockReadGuard<'static, ()>);

/// The controller stands still until this is dropped.
pub struct Stopped {
    stack: Stack,
    _alone: RwLockWriteGuard<'static, ()>,
}

impl Drop for Stopped {
    fn drop(&mut self) {
        self.stack.controller("cont");
    }
}

impl Stopped {
    /// Lets it run again, while no other test may stop it.
    pub fn go_on(&self) {
        self.stack.controller("cont");
    }
}

impl Stack {
    /// A program of the stack, else the one on the PATH.
    pub fn program(&self, name: &str) -> PathBuf {
        let Some(dir) = &self.dir else { return name.into() };
        let env = std::fs::read_to_string(dir.join("env")).expect("the stack's env file");
        let bin = env.lines().find_map(|l| l.strip_prefix("bin='")?.strip_suffix('\'')).expect("bin in env");
        Path::new(bin).join(name)
    }

    /// A folder of the stack: `targets` (what Prometheus scrapes), `podlogs`.
    pub fn dir(&self, name: &str) -> PathBuf {
        self.dir.as_ref().expect("a stack of our own: this test cannot run on a named cluster").join(name)
    }

    /// Where its Prometheus answers: that of the stack, else the one that is named.
    pub fn prometheus(&self) -> String {
        if let Ok(named) = std::env::var("FLIGHTDECK_TEST_PROMETHEUS") {
            return named;
        }
        let env = std::fs::read_to_string(self.dir("env")).expect("the stack's env file");
        let port = env.lines().find_map(|l| l.strip_prefix("prometheus_port=")).expect("prometheus_port in env");
        format!("http://127.0.0.1:{port}")
    }

    pub async fn running(&self) -> Running {
        Running(CONTROLLER.read().await)
    }

    /// Stops the controller, and nothing else.
    pub async fn stopped(&self) -> Stopped {
        let alone = CONTROLLER.write().await;
        self.controller("stop");
        Stopped { stack: self.clone(), _alone: alone }
    }

    /// `stop` or `cont`; only for who holds it alone.
    pub fn controller(&self, what: &str) {
        let done = if let Some(dir) = &self.dir {
            let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/real/stack");
            Command::new(script).arg(what).arg(dir).arg("rollouts").status()
        } else {
            let replicas = if what == "stop" { "--replicas=0" } else { "--replicas=1" };
            let scale = ["-n", "argo-rollouts", "scale", "deployment/argo-rollouts", replicas, "--timeout=60s"];
            let scaled = Command::new("kubectl").arg("--kubeconfig").arg(&self.kubeconfig).args(scale).status();
            let wait = if what == "stop" {
                vec!["wait", "--for=delete", "pod", "-l", "app.kubernetes.io/name=argo-rollouts", "--timeout=60s"]
            } else {
                vec!["rollout", "status", "deployment/argo-rollouts", "--timeout=60s"]
            };
            let waited = Command::new("kubectl")
                .arg("--kubeconfig")
                .arg(&self.kubeconfig)
                .args(["-n", "argo-rollouts"])
                .args(wait)
                .status();
            scaled.and(waited)
        };
        let done = done.expect("the controller can be stopped and continued");
        assert!(done.success() || std::thread::panicking(), "the controller did not {what}: {done}");
    }

    pub async fn client(&self) -> Client {
        client(&self.kubeconfig).await
    }

    /// A namespace that is deleted when the test ends.
    pub async fn namespace(&self, stem: &str) -> Namespace {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("fd-{stem}-{}-{count}", std::process::id());
        let client = self.client().await;
        let made = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        let namespace = Namespace { stack: self.clone(), client, name };
        namespace.send("POST", "/api/v1/namespaces", "application/json", &made).await.expect("a namespace");
        namespace
    }
}

pub async fn client(kubeconfig: &Path) -> Client {
    // Err = another test installed it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let kubeconfig = kube::config::Kubeconfig::read_from(kubeconfig).expect("a kubeconfig");
    let options = kube::config::KubeConfigOptions::default();
    let config = kube::Config::from_custom_kubeconfig(kubeconfig, &options).await.expect("a usable kubeconfig");
    Client::try_from(config).expect("a client")
}

/// One namespace of the real cluster.
pub struct Namespace {
    pub stack: Stack,
    pub client: Client,
    pub name: String,
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let gone = Command::new(self.stack.program("kubectl"))
            .arg("--kubeconfig")
            .arg(&self.stack.kubeconfig)
            .args(["delete", "namespace", &self.name, "--wait=false", "--ignore-not-found"])
            .output();
        assert!(std::thread::panicking() || gone.is_ok_and(|o| o.status.success()), "{} was not deleted", self.name);
    }
}

/// What the server said to a request it refused.
#[derive(Debug)]
#[expect(dead_code, reason = "read by people, in the message of a failed test")]
pub struct Refused {
    pub code: u16,
    pub message: String,
}

impl Namespace {
    pub async fn send(&self, method: &str, path: &str, content: &str, body: &Value) -> Result<Value, Refused> {
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let request = http::Request::builder().method(method).uri(path).header("content-type", content);
        let request = request.body(Body::from(body)).expect("a request");
        let answer = self.client.send(request).await.expect("the API server answers");
        let code = answer.status().as_u16();
        let body = answer.into_body().collect_bytes().await.expect("an answer");
        let said: Value = serde_json::from_slice(&body).expect("JSON");
        if code < 300 {
            return Ok(said);
        }
        Err(Refused { code, message: said["message"].as_str().unwrap_or_default().to_owned() })
    }

    pub fn rollout_path(&self, name: &str) -> String {
        format!("/apis/argoproj.io/v1alpha1/namespaces/{}/rollouts/{name}", self.name)
    }

    pub async fn rollout(&self, name: &str) -> Value {
        self.send("GET", &self.rollout_path(name), "application/json", &Value::Null).await.expect("the rollout")
    }

    /// A merge patch on the rollout (`""`) or its status (`"/status"`), as someone else would send it.
    pub async fn patch(&self, name: &str, subresource: &str, patch: &Value) -> Value {
        let path = format!("{}{subresource}?fieldManager=someone-else", self.rollout_path(name));
        self.send("PATCH", &path, "application/merge-patch+json", patch).await.expect("the patch is accepted")
    }

    /// Makes a canary rollout of `replicas` pods with `steps`, and waits until it is healthy.
    pub async fn canary(&self, name: &str, replicas: u32, steps: &Value, router: bool) {
        let mut canary = json!({"steps": steps});
        if router {
            canary["stableService"] = format!("{name}-stable").into();
            canary["canaryService"] = format!("{name}-canary").into();
            canary["trafficRouting"] = json!({"nginx": {"stableIngress": name}});
            self.router(name).await;
        }
        let pod = json!({
            "nodeName": node(), "terminationGracePeriodSeconds": 0,
            "containers": [{"name": "app", "image": "example/app:1"}],
        });
        let rollout = json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout",
            "metadata": {"name": name, "namespace": self.name},
            "spec": {
                "replicas": replicas, "selector": {"matchLabels": {"app": name}},
                "strategy": {"canary": canary},
                "template": {"metadata": {"labels": {"app": name}}, "spec": pod},
            },
        });
        let path = self.rollout_path("");
        self.send("POST", path.trim_end_matches('/'), "application/json", &rollout).await.expect("a rollout");
        self.until(name, |r| r["status"]["phase"] == "Healthy").await;
    }

    /// What the controller needs to play an nginx router: no nginx itself.
    pub async fn router(&self, name: &str) {
        for role in ["stable", "canary"] {
            let service = json!({
                "apiVersion": "v1", "kind": "Service", "metadata": {"name": format!("{name}-{role}")},
                "spec": {"selector": {"app": name}, "ports": [{"port": 80}]},
            });
            let path = format!("/api/v1/namespaces/{}/services", self.name);
            self.send("POST", &path, "application/json", &service).await.expect("a service");
        }
        let backend = json!({"service": {"name": format!("{name}-stable"), "port": {"number": 80}}});
        let ingress = json!({
            "apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": name},
            "spec": {"ingressClassName": "nginx", "rules": [{"host": "shop.example", "http": {"paths": [
                {"path": "/", "pathType": "Prefix", "backend": backend}]}}]},
        });
        let path = format!("/apis/networking.k8s.io/v1/namespaces/{}/ingresses", self.name);
        self.send("POST", &path, "application/json", &ingress).await.expect("an ingress");
    }

    /// Sets another image, as a deploy does.
    pub async fn set_image(&self, name: &str, tag: &str) {
        let rollout = self.rollout(name).await;
        let image = rollout["spec"]["template"]["spec"]["containers"][0]["image"].as_str().expect("an image");
        let (image, _) = image.rsplit_once(':').expect("a tag");
        // A JSON merge patch would replace the whole list of containers.
        let patch = json!([{
            "op": "replace", "path": "/spec/template/spec/containers/0/image", "value": format!("{image}:{tag}"),
        }]);
        let path = format!("{}?fieldManager=someone-else", self.rollout_path(name));
        self.send("PATCH", &path, "application/json-patch+json", &patch).await.expect("the image is set");
    }

    /// Waits until `is` holds of the rollout.
    pub async fn until(&self, name: &str, is: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let rollout = self.rollout(name).await;
            if is(&rollout) {
                return rollout;
            }
            assert!(Instant::now() < deadline, "{name} did not get there; it stands at {:#}", rollout["status"]);
            tokio::time::sleep(Duration::from_millis(40)).await;
        }
    }

    /// Waits until the controller has said its last word on the step with this index.
    pub async fn paused_at(&self, name: &str, step: i64) -> Value {
        self.until(name, |r| {
            r["status"]["observedGeneration"].as_str() == Some(&r["metadata"]["generation"].to_string())
                && r["status"]["phase"] == "Paused"
                && r["status"]["currentStepIndex"] == step
                && !r["status"]["pauseConditions"].is_null()
        })
        .await
    }
}
