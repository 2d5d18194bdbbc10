//! One script of acts, played against the demo world and against the real cluster. What one side answers, says or
//! shows and the other does not is a defect of the demo world.

mod answers;
pub mod matrix;
mod stands;
mod states;
mod tap;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use flightdeck::domain::rollout::{Observed, Rollout};
use flightdeck::domain::seen::Seen;
use flightdeck::model::Target;
use flightdeck::runtime::control::Deadlines;
use futures::future::BoxFuture;
use jiff::Timestamp;
use kube::Client;
use kube::client::Body;
use serde_json::{Value, json};

use crate::engine::Engine;

/// How long either side may take for anything.
const PATIENCE: Duration = Duration::from_secs(40);

/// One side.
pub struct Side {
    pub client: Client,
    pub kubeconfig: PathBuf,
    pub namespace: String,
    /// The node that pods name, where there is no scheduler.
    pub node: Option<String>,
    /// The Prometheus that analyses ask.
    pub prometheus: Option<String>,
    /// Stops the Rollouts controller (`false`), or lets it go on.
    pub controller: Box<dyn Fn(bool) -> BoxFuture<'static, ()> + Send + Sync>,
}

/// What was asked, answered and seen, one line each, without what differs from run to run.
pub type Transcript = Vec<String>;

const STEPS: &str =
    r#"[{"setWeight": 20}, {"pause": {}}, {"setWeight": 50}, {"pause": {"duration": "1h"}}, {"setWeight": 100}]"#;

impl Side {
    pub async fn send(&self, method: &str, path: &str, content: &str, body: &str) -> (u16, Value) {
        let request = http::Request::builder().method(method).uri(path).header("content-type", content);
        let request = request.body(Body::from(body.as_bytes().to_vec())).expect("a request");
        let answer = self.client.send(request).await.expect("the server answers");
        let code = answer.status().as_u16();
        let body = answer.into_body().collect_bytes().await.expect("an answer");
        (code, serde_json::from_slice(&body).unwrap_or_else(|_| String::from_utf8_lossy(&body).into_owned().into()))
    }

    fn path(&self, name: &str) -> String {
        format!("/apis/argoproj.io/v1alpha1/namespaces/{}/rollouts/{name}", self.namespace)
    }

    async fn get(&self, name: &str) -> Value {
        self.send("GET", &self.path(name), "application/json", "").await.1
    }

    async fn merge(&self, name: &str, part: &str, patch: Value) {
        let (code, said) = self
            .send("PATCH", &format!("{}{part}", self.path(name)), "application/merge-patch+json", &patch.to_string())
            .await;
        assert_eq!(code, 200, "{said:#}");
    }

    async fn image(&self, name: &str, version: u32) {
        let patch = json!([{"op": "replace", "path": "/spec/template/spec/containers/0/image",
            "value": format!("example/app:{version}")}]);
        let (code, said) =
            self.send("PATCH", &self.path(name), "application/json-patch+json", &patch.to_string()).await;
        assert_eq!(code, 200, "{said:#}");
    }

    /// Makes a rollout, and waits until it is healthy.
    async fn make(&self, name: &str, router: bool) {
        let mut canary = json!({"steps": serde_json::from_str::<Value>(STEPS).expect("JSON")});
        if router {
            canary["stableService"] = format!("{name}-stable").into();
            canary["canaryService"] = format!("{name}-canary").into();
            canary["trafficRouting"] = json!({"nginx": {"stableIngress": name}});
        }
        let mut pod =
            json!({"terminationGracePeriodSeconds": 0, "containers": [{"name": "app", "image": "example/app:1"}]});
        if let Some(node) = &self.node {
            pod["nodeName"] = node.clone().into();
        }
        let rollout = json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": name},
            "spec": {
                "replicas": 5, "selector": {"matchLabels": {"app": name}}, "strategy": {"canary": canary},
                "template": {"metadata": {"labels": {"app": name}}, "spec": pod},
            },
        });
        let path = self.path("");
        let (code, said) =
            self.send("POST", path.trim_end_matches('/'), "application/json", &rollout.to_string()).await;
        assert_eq!(code, 201, "{said:#}");
        self.until(name, "Healthy", 5).await;
    }

    async fn until(&self, name: &str, phase: &str, step: i64) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let ro = self.get(name).await;
            let seen = ro["status"]["observedGeneration"].as_str() == Some(&ro["metadata"]["generation"].to_string());
            let paused =
                phase != "Paused" || !ro["status"]["pauseConditions"].is_null() || ro["spec"]["paused"] == true;
            if seen && paused && ro["status"]["phase"] == phase && ro["status"]["currentStepIndex"] == step {
                return ro;
            }
            assert!(Instant::now() < deadline, "{name} did not get to {phase} at {step}: {:#}", ro["status"]);
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    }

    async fn paused(&self, name: &str) -> Value {
        self.make(name, false).await;
        self.image(name, 2).await;
        self.until(name, "Paused", 1).await
    }
}

/// Takes out what differs from run to run: uids, hashes, times, versions, generations.
fn plain(text: &str, names: &[(String, &str)]) -> String {
    let mut text = text.to_owned();
    for (value, name) in names {
        if !value.is_empty() {
            text = text.replace(value.as_str(), name);
        }
    }
    let word = |word: &str| {
        let core = word.trim_matches(|c: char| ",;()".contains(c));
        if core.parse::<Timestamp>().is_ok() {
            return word.replace(core, "TIME");
        }
        // A bare number of three digits is a status code; in brackets it is a version.
        let long = core.len() >= 4 || (word.starts_with('(') && !core.is_empty());
        if long && core.bytes().all(|b| b.is_ascii_digit()) {
            return word.replace(core, "N");
        }
        word.to_owned()
    };
    let mut words: Vec<String> = text.split(' ').map(word).collect();
    // `spec generation was 3, is 4`: the counting begins elsewhere on each side.
    for at in 0..words.len() {
        if words[at] == "generation" && words.get(at + 1).is_some_and(|w| w == "was") {
            for n in [at + 2, at + 4] {
                if let Some(word) = words.get_mut(n) {
                    "G".clone_into(word);
                }
            }
        }
    }
    words.join(" ")
}

fn names(rollout: &Value) -> Vec<(String, &'static str)> {
    let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
    vec![
        (format!("{}/", text(&rollout["metadata"]["namespace"])), "NS/"),
        (text(&rollout["metadata"]["uid"]), "UID"),
        (text(&rollout["status"]["stableRS"]), "STABLE"),
        (text(&rollout["status"]["currentPodHash"]), "CANARY"),
    ]
}

fn said(answer: &(u16, Value)) -> String {
    let (code, body) = answer;
    match body["kind"].as_str() {
        Some("Status") => {
            format!("{code} {} {}", body["reason"].as_str().unwrap_or("-"), body["message"].as_str().unwrap_or("-"))
        }
        Some(kind) => format!("{code} {kind}"),
        None => format!("{code} {body}"),
    }
}

/// What the program makes of the target once nothing moves any more.
async fn settled(side: &Side, engine: &Engine, name: &str, phase: &str, step: i64) -> String {
    side.until(name, phase, step).await;
    let deadline = Instant::now() + PATIENCE;
    loop {
        let ro = side.get(name).await;
        let version = ro["metadata"]["resourceVersion"].as_str().unwrap_or_default().to_owned();
        let count = |field: &str| ro["status"][field].as_i64().unwrap_or(0);
        let rest = count("replicas") == count("availableReplicas") && count("readyReplicas") == count("replicas");
        if rest {
            tokio::time::sleep(Duration::from_millis(700)).await;
            let shows = engine.until(name, |_| true).await;
            if side.get(name).await["metadata"]["resourceVersion"] == version.as_str()
                && shows.rollout.resource_version == version.as_str()
            {
                return shown(&shows);
            }
        }
        assert!(Instant::now() < deadline, "{name} does not come to rest: {:#}", ro["status"]);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn shown(target: &Target) -> String {
    let rollout = &target.rollout;
    let (phase, message) = rollout.status();
    let pauses: Vec<&str> = rollout.pause_conditions.iter().map(|p| p.reason.as_str()).collect();
    let r = rollout.replicas;
    format!(
        "{phase} {message:?} step {:?} want {:?} have {:?} pauses {pauses:?} by hand {} aborted {} pods {}/{}/{}/{} promoted {}",
        rollout.step_index,
        rollout.desired_weight(),
        target.actual_weight(),
        rollout.spec_paused,
        rollout.abort,
        r.desired,
        r.current,
        r.updated,
        r.available,
        rollout.fully_promoted(),
    )
}

/// Presses resume on what was seen, and takes down how it ended.
async fn press(engine: &Engine, target: &Target, seen: Seen, names: &[(String, &str)]) -> String {
    let act = engine.resume(target, seen).await;
    let act = engine.ended(&act).await;
    let outcome = &act.ended.as_ref().expect("an end").1;
    // How far it had come when the effect was seen is a matter of timing.
    let detail = if outcome.word() == "done" { "" } else { outcome.detail() };
    plain(&format!("{} {detail} (accepted: {})", outcome.word(), act.accepted.is_some()), names)
}

fn ready(rollout: &Rollout) -> bool {
    rollout.observed() == Observed::Current
}

/// Times of pauses are whole seconds: two of them must not be the same.
async fn next_second() {
    let second = Timestamp::now().as_second();
    while Timestamp::now().as_second() <= second {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Plays the whole script.
pub async fn play(side: &Side) -> Transcript {
    let mut lines = Transcript::new();
    answers::play(side, &mut lines).await;
    let quick = Deadlines { effect: Some(Duration::from_secs(8)), ..Deadlines::default() };
    let engine = Engine::start(&side.kubeconfig, &side.namespace, quick).await;
    let look = |name: &'static str, step: i64| {
        let engine = &engine;
        async move {
            engine
                .until(name, |r| {
                    let paused = r.steps().get(usize::try_from(step).unwrap_or(0)).is_some();
                    ready(r) && r.step_index == Some(step) && (!paused || !r.pause_conditions.is_empty())
                })
                .await
        }
    };
    let seen = |target: &Target| Seen::of(&target.rollout, Timestamp::now());

    for (name, router) in [("walk", false), ("walk-router", true)] {
        if router && side.node.is_some() {
            ingress(side, name).await;
        }
        side.make(name, router).await;
        let target = look(name, 5).await;
        let names_of = names(&side.get(name).await);
        lines.push(format!("{name}: resume when healthy: {}", press(&engine, &target, seen(&target), &names_of).await));
        side.image(name, 2).await;
        let ro = side.until(name, "Paused", 1).await;
        lines.push(format!("{name}: first pause: {}", settled(side, &engine, name, "Paused", 1).await));
        let target = look(name, 1).await;
        let first = seen(&target);
        next_second().await;
        lines.push(format!("{name}: resume: {}", press(&engine, &target, first.clone(), &names(&ro)).await));
        lines.push(format!("{name}: second pause: {}", settled(side, &engine, name, "Paused", 3).await));
        lines.push(format!("{name}: the same press again: {}", press(&engine, &target, first, &names(&ro)).await));
        let target = look(name, 3).await;
        lines.push(format!(
            "{name}: resume of a timed pause: {}",
            press(&engine, &target, seen(&target), &names(&ro)).await
        ));
        lines.push(format!("{name}: the end: {}", settled(side, &engine, name, "Healthy", 5).await));
    }

    let ro = side.paused("by-hand").await;
    side.merge("by-hand", "", json!({"spec": {"paused": true}})).await;
    lines.push(format!("by hand: {}", settled(side, &engine, "by-hand", "Paused", 1).await));
    let target = engine.until("by-hand", |r| ready(r) && r.spec_paused).await;
    lines.push(format!("by hand: resume: {}", press(&engine, &target, seen(&target), &names(&ro)).await));
    lines.push(format!("by hand: after: {}", settled(side, &engine, "by-hand", "Paused", 3).await));

    let ro = side.paused("abort").await;
    let target = look("abort", 1).await;
    let before = seen(&target);
    side.merge("abort", "/status", json!({"status": {"abort": true}})).await;
    lines.push(format!("abort: {}", settled(side, &engine, "abort", "Degraded", 0).await));
    let target = engine.until("abort", |r| r.abort).await;
    lines.push(format!("abort: resume: {}", press(&engine, &target, seen(&target), &names(&ro)).await));
    next_second().await;
    side.merge("abort", "/status", json!({"status": {"abort": false}})).await;
    lines.push(format!("abort: tried again: {}", settled(side, &engine, "abort", "Paused", 1).await));
    lines.push(format!("abort: resume as seen before: {}", press(&engine, &target, before, &names(&ro)).await));

    let ro = side.paused("image").await;
    let target = look("image", 1).await;
    let before = seen(&target);
    next_second().await;
    side.image("image", 3).await;
    lines.push(format!("image: another version: {}", settled(side, &engine, "image", "Paused", 1).await));
    let mut all = names(&ro);
    all.push((side.get("image").await["status"]["currentPodHash"].as_str().unwrap_or_default().to_owned(), "OTHER"));
    lines.push(format!("image: resume as seen before: {}", press(&engine, &target, before, &all).await));
    side.image("image", 1).await;
    lines.push(format!("image: back to stable: {}", settled(side, &engine, "image", "Healthy", 5).await));

    let ro = side.paused("stopped").await;
    let target = look("stopped", 1).await;
    (side.controller)(false).await;
    lines.push(format!("stopped: resume: {}", press(&engine, &target, seen(&target), &names(&ro)).await));
    let target = engine.until("stopped", |r| r.pause_conditions.is_empty()).await;
    lines.push(format!("stopped: {}", shown(&target)));
    (side.controller)(true).await;
    lines.push(format!("stopped: goes on: {}", settled(side, &engine, "stopped", "Paused", 3).await));
    let target = look("stopped", 3).await;
    (side.controller)(false).await;
    side.image("stopped", 3).await;
    let behind = engine.until("stopped", |r| r.observed() == Observed::Behind).await;
    lines.push(format!("stopped: another version: {}", shown(&behind)));
    lines
        .push(format!("stopped: resume as seen before: {}", press(&engine, &target, seen(&target), &names(&ro)).await));
    lines.push(format!("stopped: resume as seen now: {}", press(&engine, &behind, seen(&behind), &names(&ro)).await));
    (side.controller)(true).await;
    lines.push(format!("stopped: goes on with it: {}", settled(side, &engine, "stopped", "Paused", 1).await));
    let target = look("stopped", 1).await;
    let last = seen(&target);
    let (code, _) = side.send("DELETE", &side.path("stopped"), "application/json", "").await;
    lines.push(format!("deleted: {code}"));
    let gone = engine.handle.wait_for(|w| !w.targets.keys().any(|id| id.name == "stopped"));
    tokio::time::timeout(PATIENCE, gone).await.expect("in time").expect("the engine runs");
    lines.push(format!("deleted: resume: {}", press(&engine, &target, last, &names(&ro)).await));
    engine.end().await;
    lines
}

/// What the real controller needs to play an nginx router.
async fn ingress(side: &Side, name: &str) {
    for role in ["stable", "canary"] {
        let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": format!("{name}-{role}")},
            "spec": {"clusterIP": "None", "selector": {"app": name}, "ports": [{"port": 80}]}});
        let path = format!("/api/v1/namespaces/{}/services", side.namespace);
        assert_eq!(side.send("POST", &path, "application/json", &service.to_string()).await.0, 201);
    }
    let backend = json!({"service": {"name": format!("{name}-stable"), "port": {"number": 80}}});
    let ingress = json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": name},
        "spec": {"ingressClassName": "nginx", "rules": [{"host": "shop.example", "http": {"paths": [
            {"path": "/", "pathType": "Prefix", "backend": backend}]}}]}});
    let path = format!("/apis/networking.k8s.io/v1/namespaces/{}/ingresses", side.namespace);
    assert_eq!(side.send("POST", &path, "application/json", &ingress.to_string()).await.0, 201);
}

/// What the real cluster said when it was last asked (`FLIGHTDECK_TEST_TRANSCRIPTS=tests/parity tests/real/run parity`).
const REAL: &str = include_str!("real.txt");

/// Fails where the demo world and the kept transcript of the real cluster differ.
pub async fn demo_is_as_the_real_one_was() {
    let (_world, _folder, side) = demo().await;
    let real: Transcript = REAL.lines().map(ToOwned::to_owned).collect();
    compare(&play(&side).await, &real);
}

/// The same of every act in every state.
const MATRIX: &str = include_str!("matrix.txt");

/// What was kept of the real cluster's matrix.
pub fn kept_matrix() -> Transcript {
    MATRIX.lines().map(ToOwned::to_owned).collect()
}

/// Fails where the demo world does otherwise than the real cluster did, in any pair of act and state.
pub async fn demo_matrix_is_as_the_real_one_was() {
    let (_world, _folder, side) = demo().await;
    let only = std::env::var("FLIGHTDECK_TEST_PAIRS").unwrap_or_default();
    let real = kept_matrix();
    let real: Transcript = real.into_iter().filter(|line| line.contains(&only)).collect();
    let played = matrix::play(&side, matrix::DEMO, &real, &only).await;
    if let Some(kept) = std::env::var_os("FLIGHTDECK_TEST_TRANSCRIPTS") {
        let file = PathBuf::from(kept).join("demo.txt");
        std::fs::write(file, format!("{}\n", played.join("\n"))).expect("written");
    }
    matrix::compare(&played, &real, matrix::EXCEPTIONS);
}

/// The demo world as a side.
pub async fn demo() -> (std::sync::Arc<flightdeck::demo::World>, tempfile::TempDir, Side) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let scenario = "pod_ready = '200ms'\nbroken_tags = ['bad', 'worse']\n[[rollout]]\nnamespace = 'parity'\nname = 'other'\nimage = 'x'\nversion = '1'\n";
    let scenario = flightdeck::demo::Scenario::parse(scenario).expect("a scenario");
    let world = std::sync::Arc::new(flightdeck::demo::World::start(&scenario, 1).await.expect("a world"));
    let folder = tempfile::tempdir().expect("a temporary folder");
    let kubeconfig = folder.path().join("kubeconfig");
    std::fs::write(&kubeconfig, world.kubeconfig()).expect("a kubeconfig");
    let config = kube::config::Kubeconfig::read_from(&kubeconfig).expect("a kubeconfig");
    let options = kube::config::KubeConfigOptions::default();
    let config = kube::Config::from_custom_kubeconfig(config, &options).await.expect("a usable kubeconfig");
    let brake = world.clone();
    let side = Side {
        client: Client::try_from(config).expect("a client"),
        kubeconfig,
        namespace: "parity".to_owned(),
        node: None,
        prometheus: None,
        controller: Box::new(move |runs| {
            let world = brake.clone();
            Box::pin(async move { world.controller(runs) })
        }),
    };
    (world, folder, side)
}

/// Fails with every line that only one side has.
pub fn compare(demo: &Transcript, real: &Transcript) {
    let mut wrong = Vec::new();
    for line in demo.iter().filter(|line| !real.contains(line)) {
        wrong.push(format!("demo only: {line}"));
    }
    for line in real.iter().filter(|line| !demo.contains(line)) {
        wrong.push(format!("real only: {line}"));
    }
    assert!(wrong.is_empty(), "the demo world is not like the real one:\n{}", wrong.join("\n"));
    assert_eq!(demo, real, "in another order");
}
