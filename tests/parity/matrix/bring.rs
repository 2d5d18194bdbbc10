//! From a state on paper to a rollout that stands in it.

use super::super::ingress;
use super::super::next_second;
use super::super::stands::stands;
use super::super::states::BAD;
use super::super::states::Do;
use super::super::states::State;
use super::Matrix;
use super::key;
use flightdeck::domain::ids::TargetId;
use flightdeck::domain::ids::TargetKind;
use flightdeck::domain::text::Clean;
use flightdeck::model::Target;
use serde_json::Value;
use serde_json::json;
use std::sync::Arc;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::Duration;
use std::time::Instant;

impl Matrix<'_> {
    /// Makes one rollout of a state and brings it there. Its name.
    pub(super) async fn bring(&self, state: State) -> String {
        let name = format!("p{:03}", self.count.fetch_add(1, Ordering::Relaxed));
        let make = state.make;
        let strategy = (make.strategy)().to_string().replace("NAME", &name);
        let strategy: Value = serde_json::from_str(&strategy).expect("JSON");
        if strategy["blueGreen"].is_object() {
            for role in ["active", "preview"] {
                let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": format!("{name}-{role}")},
                    "spec": {"clusterIP": "None", "selector": {"app": name}, "ports": [{"port": 80}]}});
                self.create(&format!("/api/v1/namespaces/{}/services", self.side.namespace), &service).await;
            }
        }
        if strategy["canary"]["trafficRouting"].is_object() && self.side.node.is_some() {
            ingress(self.side, &name).await;
        }
        let mut spec = json!({"replicas": 2, "selector": {"matchLabels": {"app": name}}, "strategy": strategy});
        for (key, value) in (make.more)().as_object().into_iter().flatten() {
            spec[key] = value.clone();
        }
        let template = self.template(&name, make.first);
        if make.workload {
            let deployment = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name},
                "spec": {"replicas": 0, "selector": {"matchLabels": {"app": name}}, "template": template}});
            self.create(&self.apps("deployments"), &deployment).await;
            spec["workloadRef"] =
                json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": name, "scaleDown": "never"});
        } else {
            spec["template"] = template;
        }
        let metadata = json!({"name": name, "labels": self.side.labels()});
        let rollout =
            json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": metadata, "spec": spec});
        self.create(&self.argo("rollouts"), &rollout).await;
        if make.first != BAD {
            self.until(&name, state, "healthy", |ro| ro["status"]["phase"] == "Healthy").await;
        }
        for one in state.moves.concat() {
            self.move_on(&name, state, one).await;
        }
        name
    }

    pub(super) async fn until(&self, name: &str, state: State, what: &str, is: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + self.pace.patience;
        loop {
            let ro = self.side.get(name).await;
            if is(&ro) {
                return ro;
            }
            let where_ = format!("{}: {}", state.kind, state.title);
            assert!(Instant::now() < deadline, "{where_}: {name} is not {what}: {:#}", ro["status"]);
            tokio::time::sleep(self.pace.look).await;
        }
    }

    pub(super) async fn image(&self, name: &str, state: State, version: &str) {
        let path =
            if state.make.workload { format!("{}/{name}", self.apps("deployments")) } else { self.side.path(name) };
        let template = self.template(name, version);
        let patch = json!([{"op": "replace", "path": "/spec/template/spec", "value": template["spec"]}]);
        let (code, said) = self.side.send("PATCH", &path, "application/json-patch+json", &patch.to_string()).await;
        assert_eq!(code, 200, "{said:#}");
    }

    pub(super) async fn sets(&self, name: &str, version: &str) -> Vec<Value> {
        let image = format!("example/app:{version}");
        let selector = format!("{}?labelSelector=app%3D{name}", self.apps("replicasets"));
        let all = self.list(&selector).await;
        all.into_iter()
            .filter(|set| set["spec"]["template"]["spec"]["containers"][0]["image"] == image.as_str())
            .collect()
    }

    pub(super) async fn move_on(&self, name: &str, state: State, one: Do) {
        match one {
            Do::Image(version) => self.image(name, state, version).await,
            Do::Patch(part, patch) => self.side.merge(name, part, patch()).await,
            Do::Until(what, is) => {
                self.until(name, state, what, is).await;
            }
            Do::Unready(version) => self.unready(name, version).await,
            Do::Gone(version) => {
                let deadline = Instant::now() + self.pace.patience;
                while self
                    .sets(name, version)
                    .await
                    .iter()
                    .any(|set| set["spec"]["replicas"] != 0 || set["status"]["replicas"].as_i64().unwrap_or(0) != 0)
                {
                    assert!(Instant::now() < deadline, "{name}: {version} does not go");
                    tokio::time::sleep(Duration::from_millis(200)).await;
                }
            }
            Do::Measured => {
                let deadline = Instant::now() + self.pace.patience;
                while !self.runs_of(name).iter().any(|run| {
                    run["status"]["phase"] == "Running" && run["status"]["metricResults"][0]["measurements"].is_array()
                }) {
                    assert!(Instant::now() < deadline, "{name}: nothing is measured");
                    tokio::time::sleep(self.pace.look).await;
                }
            }
            Do::NextSecond => next_second().await,
            Do::Delete => {
                self.rest(name, "before it is deleted => ").await;
                self.side.merge(name, "", json!({"metadata": {"finalizers": ["flightdeck.dev/test"]}})).await;
                let (code, said) = self.side.send("DELETE", &self.side.path(name), "application/json", "").await;
                assert_eq!(code, 200, "{said:#}");
            }
        }
    }

    pub(super) async fn unready(&self, name: &str, version: &str) {
        let status = json!({"status": {"conditions": [
            {"type": "Ready", "status": "False"}, {"type": "ContainersReady", "status": "False"},
        ]}});
        let hash = self.sets(name, version).await[0]["metadata"]["labels"]["rollouts-pod-template-hash"].clone();
        let hash = hash.as_str().expect("a hash").to_owned();
        let pods = format!("/api/v1/namespaces/{}/pods", self.side.namespace);
        let selector = format!("{pods}?labelSelector=app%3D{name},rollouts-pod-template-hash%3D{hash}");
        for pod in self.list(&selector).await {
            let path = format!("{pods}/{}/status", pod["metadata"]["name"].as_str().expect("a name"));
            let media = "application/strategic-merge-patch+json";
            let (code, said) = self.side.send("PATCH", &path, media, &status.to_string()).await;
            assert_eq!(code, 200, "{said:#}");
        }
        let deadline = Instant::now() + self.pace.patience;
        while self.sets(name, version).await[0]["status"]["availableReplicas"].as_i64().unwrap_or(0) != 0 {
            assert!(Instant::now() < deadline, "{name}: {version} stays ready");
            tokio::time::sleep(self.pace.look).await;
        }
    }

    pub(super) fn runs_of(&self, name: &str) -> Vec<Value> {
        let runs = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        let mut ours: Vec<Value> =
            runs.iter().filter(|run| run["metadata"]["ownerReferences"][0]["name"] == name).cloned().collect();
        ours.sort_by_key(|run| run["metadata"]["name"].as_str().unwrap_or_default().to_owned());
        ours
    }

    pub(super) fn target(&self, name: &str) -> Option<Arc<Target>> {
        let world = self.engine.handle.world();
        let cluster = world.clusters.values().next()?.clone();
        let (namespace, name) = (Clean::new(&self.side.namespace), Clean::new(name));
        world.targets.get(&TargetId { cluster, namespace, kind: TargetKind::Rollout, name }).cloned()
    }

    /// The target as soon as it is no older than what the server has now.
    async fn caught_up(&self, name: &str, deadline: Instant) -> Option<Arc<Target>> {
        let version = |version: &str| version.parse::<u64>().unwrap_or_default();
        let wanted = self.side.get(name).await["metadata"]["resourceVersion"].as_str().map(version)?;
        loop {
            let target = self.target(name)?;
            if version(target.rollout.resource_version.as_str()) >= wanted {
                return Some(target);
            }
            if Instant::now() > deadline {
                return None;
            }
            tokio::time::sleep(self.pace.look).await;
        }
    }

    /// Waits until the rollout is at rest. The line that begins with `begins`, and the target as it was then.
    pub(super) async fn rest(&self, name: &str, begins: &str) -> (String, Option<Arc<Target>>) {
        let expected = self.expected.get(&key(begins));
        let deadline = Instant::now() + self.pace.patience;
        let mut last = (String::new(), Instant::now());
        loop {
            let target = self.target(name);
            let shows = target.as_ref().map_or_else(|| "not there".to_owned(), |t| stands(t, &self.runs_of(name)));
            let line = format!("{begins}{shows}");
            if line != last.0 {
                last = (line, Instant::now());
            }
            let quiet = match expected {
                Some(line) if *line == last.0 => self.pace.expected,
                // What is expected may come late, on a machine that has much to do.
                Some(_) => self.pace.other * 4,
                // Something is still to come, or it waits for what never comes.
                None if last.0.contains("Progressing") => self.pace.other * 2,
                None => self.pace.other,
            };
            if Instant::now() > deadline {
                return (last.0, target);
            }
            if last.1.elapsed() >= quiet && target.is_some() {
                match self.caught_up(name, deadline).await {
                    // Under load the engine may be behind, and what stood still was the past.
                    Some(now) if format!("{begins}{}", stands(&now, &self.runs_of(name))) == last.0 => {
                        return (last.0, Some(now));
                    }
                    _ => last.1 = Instant::now(),
                }
            }
            tokio::time::sleep(self.pace.look).await;
        }
    }
}
