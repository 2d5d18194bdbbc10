//! What tests of acts stand on: rollouts of every strategy in every state, and what the cluster says of them.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::program::{Program, Ran};
use crate::stack::{Namespace, PATIENCE, node};

/// A node that is not there: pods on it never get ready.
pub const NOWHERE: &str = "no-such-node";

const MERGE: &str = "application/merge-patch+json";
const PATCH: &str = "application/json-patch+json";

/// 20 → a person → 60 → an hour → 100.
pub fn ladder() -> Value {
    json!([{"setWeight": 20}, {"pause": {}}, {"setWeight": 60}, {"pause": {"duration": "1h"}}, {"setWeight": 100}])
}

/// Runs the template called `long` of [`Namespace::analysis`].
pub fn analysis() -> Value {
    json!({"templates": [{"templateName": "long"}]})
}

/// A canary's strategy; with `router` the controller's nginx.
pub fn canary(name: &str, steps: &Value, router: bool) -> Value {
    let mut canary = json!({"steps": steps});
    if router {
        canary["stableService"] = format!("{name}-stable").into();
        canary["canaryService"] = format!("{name}-canary").into();
        canary["trafficRouting"] = json!({"nginx": {"stableIngress": name}});
    }
    json!({"canary": canary})
}

/// A blue-green's strategy with `more` in it.
pub fn blue_green(name: &str, more: &Value) -> Value {
    let mut blue_green =
        json!({"activeService": format!("{name}-active"), "previewService": format!("{name}-preview")});
    merge(&mut blue_green, more);
    json!({"blueGreen": blue_green})
}

/// Lays the fields of `more` over `object`.
pub fn merge(object: &mut Value, more: &Value) {
    for (key, value) in more.as_object().into_iter().flatten() {
        object[key] = value.clone();
    }
}

/// Where the number of a revision stands on a ReplicaSet.
const REVISION: &str = "rollout.argoproj.io/revision";

/// One revision, as its ReplicaSet says it.
#[derive(Clone, Debug)]
pub struct Set {
    pub hash: String,
    pub revision: u64,
    pub desired: u64,
    pub available: u64,
    pub deadline: Option<String>,
    pub annotations: Value,
}

impl Set {
    fn of(set: &Value) -> Self {
        let annotations = set["metadata"]["annotations"].clone();
        Self {
            hash: text(&set["metadata"]["labels"]["rollouts-pod-template-hash"]),
            revision: text(&annotations[REVISION]).parse().unwrap_or(0),
            desired: set["spec"]["replicas"].as_u64().unwrap_or(0),
            available: set["status"]["availableReplicas"].as_u64().unwrap_or(0),
            deadline: annotations["scale-down-deadline"].as_str().map(ToOwned::to_owned),
            annotations,
        }
    }
}

pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

impl Namespace {
    fn apps(&self, plural: &str) -> String {
        format!("/apis/apps/v1/namespaces/{}/{plural}", self.name)
    }

    pub fn argo(&self, plural: &str) -> String {
        format!("/apis/argoproj.io/v1alpha1/namespaces/{}/{plural}", self.name)
    }

    async fn create(&self, path: &str, object: &Value) {
        self.send("POST", path, "application/json", object).await.expect("it is created");
    }

    pub async fn list(&self, path: &str) -> Vec<Value> {
        let list = self.send("GET", path, "application/json", &Value::Null).await.expect("a list");
        list["items"].as_array().cloned().unwrap_or_default()
    }

    async fn service(&self, name: &str, app: &str) {
        let spec = json!({"selector": {"app": app}, "ports": [{"port": 80}]});
        let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec});
        self.create(&format!("/api/v1/namespaces/{}/services", self.name), &service).await;
    }

    fn template(app: &str) -> Value {
        let container = json!({"name": "app", "image": "example/app:1"});
        let pod = json!({"nodeName": node(), "terminationGracePeriodSeconds": 0, "containers": [container]});
        json!({"metadata": {"labels": {"app": app}}, "spec": pod})
    }

    /// Makes a rollout with `strategy`, `more` laid over its spec, and waits until it is healthy.
    pub async fn make(&self, name: &str, strategy: &Value, replicas: u32, more: &Value) {
        if let Some(services) = strategy.get("blueGreen") {
            for role in ["activeService", "previewService"] {
                self.service(&text(&services[role]), name).await;
            }
        } else if strategy["canary"]["trafficRouting"].is_object() {
            self.router(name).await;
        }
        let mut spec = json!({
            "replicas": replicas, "selector": {"matchLabels": {"app": name}}, "strategy": strategy,
        });
        if more.get("workloadRef").is_none() {
            spec["template"] = Self::template(name);
        }
        merge(&mut spec, more);
        let rollout = json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": self.metadata(name), "spec": spec,
        });
        self.create(&self.argo("rollouts"), &rollout).await;
        self.healthy(name).await;
    }

    /// A canary whose first release has pods that never get ready.
    pub async fn first_release(&self, name: &str) -> Value {
        let mut template = Self::template(name);
        template["spec"]["nodeName"] = NOWHERE.into();
        let spec = json!({
            "replicas": 2, "selector": {"matchLabels": {"app": name}}, "strategy": canary(name, &ladder(), false),
            "template": template,
        });
        let rollout = json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": self.metadata(name), "spec": spec,
        });
        self.create(&self.argo("rollouts"), &rollout).await;
        self.until(name, |r| answered(r) && r["status"]["updatedReplicas"] == 2).await
    }

    /// A canary on [`ladder`] that waits for a person at its first pause, with the second version in flight.
    pub async fn waiting_canary(&self, name: &str, router: bool) -> Value {
        self.make(name, &canary(name, &ladder(), router), 5, &json!({})).await;
        self.set_image(name, "2").await;
        self.paused_at(name, 1).await
    }

    /// A blue-green that waits at its preview, with the second version in flight.
    pub async fn waiting_preview(&self, name: &str, more: &Value) -> Value {
        let mut all = json!({"autoPromotionEnabled": false});
        merge(&mut all, more);
        self.make(name, &blue_green(name, &all), 3, &json!({})).await;
        self.set_image(name, "2").await;
        self.previewing(name).await
    }

    /// A Deployment that only holds a template, and a rollout that takes it from there.
    pub async fn workload(&self, name: &str, strategy: &Value) {
        let spec = json!({"replicas": 0, "selector": {"matchLabels": {"app": name}}, "template": Self::template(name)});
        let deployment =
            json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec});
        self.create(&self.apps("deployments"), &deployment).await;
        let from = json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": name, "scaleDown": "never"});
        self.make(name, strategy, 3, &json!({"workloadRef": from})).await;
    }

    /// An `AnalysisTemplate` called `long` that measures `query` every second, a thousand times.
    pub async fn analysis(&self, query: &str, more: &Value) {
        let prometheus = json!({"address": self.stack.prometheus(), "query": query});
        let mut metric = json!({
            "name": "error-rate", "interval": "1s", "count": 1000, "successCondition": "result[0] < 0.05",
            "provider": {"prometheus": prometheus},
        });
        merge(&mut metric, more);
        let template = json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "AnalysisTemplate", "metadata": self.metadata("long"),
            "spec": {"metrics": [metric]},
        });
        self.create(&self.argo("analysistemplates"), &template).await;
    }

    /// Waits for an AnalysisRun that is running and has measured; its name.
    pub async fn measuring(&self) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let runs = self.list(&self.argo("analysisruns")).await;
            let measuring = runs.iter().find(|run| {
                run["status"]["phase"] == "Running" && run["status"]["metricResults"][0]["measurements"].is_array()
            });
            if let Some(run) = measuring {
                return text(&run["metadata"]["name"]);
            }
            assert!(Instant::now() < deadline, "no analysis runs: {runs:#?}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Phase and message of an AnalysisRun.
    pub async fn run_of(&self, name: &str) -> (String, String) {
        let path = format!("{}/{name}", self.argo("analysisruns"));
        let run = self.send("GET", &path, "application/json", &Value::Null).await.expect("the run");
        (text(&run["status"]["phase"]), text(&run["status"]["message"]))
    }

    /// Waits until an AnalysisRun has ended; its phase and message.
    pub async fn run_ended(&self, name: &str) -> (String, String) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let (phase, message) = self.run_of(name).await;
            if phase != "Running" && phase != "Pending" {
                return (phase, message);
            }
            assert!(Instant::now() < deadline, "{name} is still {phase}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Waits until the only experiment is in one of these phases.
    pub async fn experiment_in(&self, phases: &[&str]) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let all = self.list(&self.argo("experiments")).await;
            let phase = all.first().map(|one| text(&one["status"]["phase"])).unwrap_or_default();
            if phases.contains(&phase.as_str()) {
                return;
            }
            assert!(Instant::now() < deadline, "the experiment is {phase:?}, not {phases:?}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Waits until the controller has answered to the whole spec and says Healthy.
    pub async fn healthy(&self, name: &str) -> Value {
        self.until(name, |r| answered(r) && r["status"]["phase"] == "Healthy").await
    }

    /// Waits until the preview waits for someone.
    pub async fn previewing(&self, name: &str) -> Value {
        self.until(name, |r| answered(r) && r["status"]["message"] == "BlueGreenPause").await
    }

    /// Undoes a blue-green to a version that is still up. Its traffic moves at once, mostly: the controller looks once,
    /// at a mark that it takes off itself, and where it was not ready just then the old version waits at the preview.
    #[expect(clippy::unused_self, reason = "it reads as what is done in the namespace")]
    pub fn back(&self, program: &Program, name: &str, revision: &str) {
        let done = program.act(&["undo", name, "--to-revision", revision], "done");
        if done.contains("waits at the preview") {
            program.act(&["resume", name], "done");
        } else {
            assert!(done.contains("active service"), "{done}");
        }
    }

    /// Waits until an abort is through as far as the controller's words go.
    pub async fn degraded(&self, name: &str) -> Value {
        self.until(name, |r| answered(r) && r["status"]["phase"] == "Degraded").await
    }

    /// Sets the second image on a node that is not there: its pods never get ready.
    pub async fn broken_image(&self, name: &str) -> Value {
        let patch = json!([
            {"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": "example/app:2"},
            {"op": "replace", "path": "/spec/template/spec/nodeName", "value": NOWHERE},
        ]);
        self.send("PATCH", &self.rollout_path(name), PATCH, &patch).await.expect("the image is set");
        self.until(name, |r| answered(r) && r["status"]["updatedReplicas"].as_u64() > Some(0)).await
    }

    /// The revisions of a rollout, oldest first.
    pub async fn sets(&self, name: &str) -> Vec<Set> {
        let uid = self.rollout(name).await["metadata"]["uid"].clone();
        let all = self.list(&self.apps("replicasets")).await;
        let ours = all.iter().filter(|set| set["metadata"]["ownerReferences"][0]["uid"] == uid);
        let mut sets: Vec<Set> = ours.map(Set::of).collect();
        sets.sort_by_key(|set| set.revision);
        sets
    }

    /// The revision with this hash.
    pub async fn set(&self, name: &str, hash: &str) -> Set {
        self.sets(name).await.into_iter().find(|set| set.hash == hash).expect("its ReplicaSet")
    }

    /// Waits until `is` holds of the revision with this hash.
    pub async fn until_set(&self, name: &str, hash: &str, is: impl Fn(&Set) -> bool) -> Set {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let set = self.set(name, hash).await;
            if is(&set) {
                return set;
            }
            assert!(Instant::now() < deadline, "{name}-{hash} did not get there: {set:#?}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    pub async fn pods(&self, hash: &str) -> Vec<String> {
        let path = format!("/api/v1/namespaces/{}/pods?labelSelector=rollouts-pod-template-hash%3D{hash}", self.name);
        self.list(&path).await.iter().map(|pod| text(&pod["metadata"]["name"])).collect()
    }

    /// Turns all pods of a version unready, and waits until its ReplicaSet knows.
    pub async fn unready(&self, name: &str, hash: &str) {
        let status = json!({"status": {"conditions": [
            {"type": "Ready", "status": "False"}, {"type": "ContainersReady", "status": "False"},
        ]}});
        for pod in self.pods(hash).await {
            let path = format!("/api/v1/namespaces/{}/pods/{pod}/status", self.name);
            let patched = self.send("PATCH", &path, "application/strategic-merge-patch+json", &status).await;
            patched.expect("the pod turns unready");
        }
        self.until_set(name, hash, |set| set.available == 0).await;
        self.until(name, |r| r["status"]["availableReplicas"].as_u64().unwrap_or(0) == 0).await;
    }

    /// Keeps an object from going away when it is deleted.
    pub async fn keep_when_deleted(&self, name: &str) {
        let patch = json!({"metadata": {"finalizers": ["flightdeck.dev/test"]}});
        self.send("PATCH", &self.rollout_path(name), MERGE, &patch).await.expect("a finalizer");
    }

    /// Lets it go.
    pub async fn let_go(&self, name: &str) {
        let patch = json!({"metadata": {"finalizers": null}});
        self.send("PATCH", &self.rollout_path(name), MERGE, &patch).await.expect("no finalizer");
    }

    /// A kubeconfig of a user who may look in this namespace, and what `more` rules grant besides.
    pub async fn user(&self, name: &str, more: &[Value]) -> tempfile::NamedTempFile {
        let ns = &self.name;
        let file = self.account(name).await;
        let read = ["get", "list", "watch"];
        let mut rules = vec![
            json!({"apiGroups": ["argoproj.io"], "resources": ["rollouts", "analysisruns", "experiments"], "verbs": read}),
            json!({"apiGroups": ["apps"], "resources": ["replicasets", "deployments"], "verbs": read}),
            json!({"apiGroups": [""], "resources": ["pods", "events"], "verbs": read}),
        ];
        rules.extend_from_slice(more);
        let role = json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": name}, "rules": rules,
        });
        let binding = json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": name},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name},
            "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": ns}],
        });
        let rbac = format!("/apis/rbac.authorization.k8s.io/v1/namespaces/{ns}");
        self.create(&format!("{rbac}/roles"), &role).await;
        self.create(&format!("{rbac}/rolebindings"), &binding).await;
        self.until_may(name).await;
        file
    }

    /// Waits until the server's authorizer knows of an account's new rights: it hears of them by a watch of its own.
    async fn until_may(&self, name: &str) {
        let ns = &self.name;
        let path = format!("/apis/authorization.k8s.io/v1/namespaces/{ns}/localsubjectaccessreviews");
        let review = json!({
            "apiVersion": "authorization.k8s.io/v1", "kind": "LocalSubjectAccessReview",
            "metadata": {"namespace": ns},
            "spec": {
                "user": format!("system:serviceaccount:{ns}:{name}"),
                "resourceAttributes": {"namespace": ns, "verb": "list", "group": "argoproj.io", "resource": "rollouts"},
            },
        });
        let deadline = Instant::now() + PATIENCE;
        loop {
            let said = self.send("POST", &path, "application/json", &review).await.expect("a review");
            if said["status"]["allowed"] == true {
                return;
            }
            assert!(Instant::now() < deadline, "{name} has no rights: {said}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// A kubeconfig of a service account that may do nothing yet.
    pub async fn account(&self, name: &str) -> tempfile::NamedTempFile {
        let account = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name}});
        self.create(&format!("/api/v1/namespaces/{}/serviceaccounts", self.name), &account).await;
        let file = tempfile::NamedTempFile::new().expect("a file");
        let token = json!({"token": self.token(name).await});
        std::fs::write(file.path(), self.kubeconfig(&token).to_string()).expect("written");
        file
    }

    /// A token of a service account.
    pub async fn token(&self, account: &str) -> String {
        let ask = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}});
        let path = format!("/api/v1/namespaces/{}/serviceaccounts/{account}/token", self.name);
        let token = self.send("POST", &path, "application/json", &ask).await.expect("a token");
        text(&token["status"]["token"])
    }

    /// The cluster's kubeconfig with `user` in the place of who is in it.
    pub fn kubeconfig(&self, user: &Value) -> Value {
        let kubeconfig = kube::config::Kubeconfig::read_from(&self.stack.kubeconfig).expect("a kubeconfig");
        let mut kubeconfig = serde_json::to_value(&kubeconfig).expect("a kubeconfig");
        for entry in kubeconfig["users"].as_array_mut().into_iter().flatten() {
            entry["user"] = user.clone();
        }
        kubeconfig
    }

    pub fn program(&self) -> Program {
        Program::new(&self.stack.kubeconfig, Some(&self.name))
    }

    /// The program, with images allowed to be set by hand in what counts as production.
    pub fn free_program(&self) -> Program {
        let mut program = self.program();
        let config = program.state.path().join("config.toml");
        std::fs::write(&config, "[policy]\nset_image_in_production = true\n").expect("written");
        program.config = Some(config);
        program
    }
}

/// Whether the controller has seen the spec as it is.
pub fn answered(rollout: &Value) -> bool {
    rollout["status"]["observedGeneration"].as_str() == Some(&rollout["metadata"]["generation"].to_string())
}

pub fn hash_of(rollout: &Value) -> String {
    text(&rollout["status"]["currentPodHash"])
}

pub fn stable_of(rollout: &Value) -> String {
    text(&rollout["status"]["stableRS"])
}

pub fn active_of(rollout: &Value) -> String {
    text(&rollout["status"]["blueGreen"]["activeSelector"])
}

/// The weight that the controller gave the new version's side of the router.
pub fn canary_weight(rollout: &Value) -> Option<i64> {
    rollout["status"]["canary"]["weights"]["canary"]["weight"].as_i64()
}

impl Program {
    /// Does an act with `--yes` and expects its outcome to be `word`; what the outcome says.
    #[track_caller]
    pub fn act(&self, verb: &[&str], word: &str) -> String {
        let ran = self.ask(verb);
        let said: Value = if ran.out.is_empty() { Value::Null } else { ran.json() };
        assert_eq!(said["outcome"], word, "{verb:?}: {ran:#?}");
        let code = match word {
            "done" => 0,
            "failed" => 1,
            "refused" => 3,
            "superseded" => 4,
            "no effect" => 5,
            "unknown" => 6,
            other => panic!("no outcome is called {other}"),
        };
        assert_eq!(ran.code, code, "{verb:?}: {ran:#?}");
        let last = self.records().pop().expect("a record");
        assert_eq!(last["outcome"]["word"], word, "{verb:?}: on record is {last:#}");
        text(&said["detail"])
    }

    /// Does an act with `--yes`, however it ends.
    pub fn ask(&self, verb: &[&str]) -> Ran {
        let mut all = verb.to_vec();
        all.extend(["--yes", "-o", "json"]);
        self.run(&all)
    }

    /// Expects that policy refuses the act by `rule`, with `why` in its words, and that nothing was sent.
    #[track_caller]
    pub fn refused(&self, verb: &[&str], rule: &str, why: &str) {
        let ran = self.ask(verb);
        // What the act needs is not so has a code of its own.
        assert_eq!(ran.code, if rule == "applies" { 4 } else { 3 }, "{verb:?}: {ran:#?}");
        let said = ran.json();
        assert_eq!(said["rule"], rule, "{verb:?}: {ran:#?}");
        assert!(text(&said["detail"]).contains(why), "{verb:?}: {why:?} is not in {ran:#?}");
        assert!(said["sent"].is_null(), "{verb:?}: {ran:#?}");
        let last = self.records().pop().expect("a record");
        assert_eq!(last["kind"], "refusal", "{last:#}");
    }
}
