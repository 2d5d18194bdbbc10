//! Questions about a target on the real server: logs, YAML, revisions and their difference; and what may be listed.

use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use flightdeck::runtime::control::Deadlines;
use flightdeck::runtime::handle::{DiffKind, LogsOf, Pods, RevisionName, What, YamlOf};
use serde_json::json;

use crate::engine::Engine;
use crate::ground::{analysis, canary, hash_of, ladder, text};
use crate::program::Program;
use crate::stack::{Namespace, stack};

/// A log file that all pods of the namespace are given by kwok's kubelet.
struct Log(PathBuf);

impl Drop for Log {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

impl Log {
    fn of(ns: &Namespace, which: &str) -> Self {
        Self(ns.stack.dir("podlogs").join(format!("{}-{which}.log", ns.name)))
    }

    /// In the form in which a container runtime writes.
    fn say(&self, second: u32, text: &str) {
        let mut file = std::fs::File::options().create(true).append(true).open(&self.0).expect("a log file");
        writeln!(file, "2026-11-25T10:00:{second:02}.000000000Z stdout F {text}").expect("written");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_of_all_pods_of_a_revision_come_through_the_api_server_and_are_followed() {
    let stack = stack();
    if !stack.ours() {
        return;
    }
    let _running = stack.running().await;
    let ns = stack.namespace("logs").await;
    let (now, before) = (Log::of(&ns, "now"), Log::of(&ns, "before"));
    now.say(1, "listening on :8080");
    now.say(2, "GET /pay 500 \u{1b}[31mred\u{1b}[0m");
    before.say(0, "panic: out of memory");
    let files = json!([{"logsFile": now.0, "previousLogsFile": before.0, "follow": true}]);
    let logs = json!({
        "apiVersion": "kwok.x-k8s.io/v1alpha1", "kind": "ClusterLogs", "metadata": {"name": ns.name},
        "spec": {"selector": {"matchNamespaces": [ns.name]}, "logs": files},
    });
    let path = "/apis/kwok.x-k8s.io/v1alpha1/clusterlogs";
    ns.send("POST", path, "application/json", &logs).await.expect("kwok's logs");

    ns.make("payments", &canary("payments", &ladder(), false), 10, &json!({})).await;
    ns.set_image("payments", "2").await;
    let hash = hash_of(&ns.paused_at("payments", 1).await);
    let engine = Engine::start(&stack.kubeconfig, &ns.name, Deadlines::default()).await;
    let target = engine.until("payments", |r| r.step_index == Some(1)).await;
    let of = |pods, follow, previous| LogsOf {
        target: target.id().clone(),
        pods,
        container: None,
        follow,
        previous,
        tail: None,
        since: None,
    };
    let pods = ns.pods(&hash).await;
    assert_eq!(pods.len(), 2);
    // kwok reads its objects a moment after they were made.
    let deadline = std::time::Instant::now() + crate::stack::PATIENCE;
    let lines = loop {
        let mut lines = engine.handle.logs(of(Pods::Revision(hash.as_str().into()), false, false));
        let mut all = Vec::new();
        while let Some(line) = lines.recv().await {
            all.push(line);
        }
        if all.iter().filter(|line| !line.note).count() == 4 {
            break all;
        }
        assert!(std::time::Instant::now() < deadline, "two lines of each of two pods: {all:#?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    for pod in &pods {
        let said: Vec<&str> =
            lines.iter().filter(|l| l.pod.as_str() == pod && !l.note).map(|l| l.text.as_str()).collect();
        assert!(said.len() == 2 && said[0] == "listening on :8080", "{said:?}");
        assert!(said[1].contains("red") && !said[1].contains('\u{1b}'), "{said:?}");
    }
    let mut previous = engine.handle.logs(of(Pods::One(pods[0].as_str().into()), false, true));
    assert_eq!(previous.recv().await.map(|line| line.text.to_string()).as_deref(), Some("panic: out of memory"));

    let mut followed = engine.handle.logs(of(Pods::One(pods[0].as_str().into()), true, false));
    let mut next = async || {
        let line = tokio::time::timeout(crate::stack::PATIENCE, followed.recv()).await;
        line.expect("a line in time").expect("the log goes on").text.to_string()
    };
    assert_eq!(next().await, "listening on :8080");
    next().await;
    now.say(3, "POST /pay 200");
    assert_eq!(next().await, "POST /pay 200");
    let gone = ns.send("DELETE", &format!("{path}/{}", ns.name), "application/json", &serde_json::Value::Null).await;
    gone.expect("deleted");
    engine.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn yaml_revisions_and_their_difference_are_those_of_the_server() {
    let stack = stack();
    let _running = stack.running().await;
    let ns = stack.namespace("yaml").await;
    ns.analysis("vector(0.01)", &json!({})).await;
    let steps = json!([{"setWeight": 20}, {"analysis": analysis()}, {"pause": {}}]);
    ns.make("payments", &canary("payments", &steps, false), 3, &json!({})).await;
    ns.set_image("payments", "2").await;
    let run = ns.measuring().await;
    let engine = Engine::start(&stack.kubeconfig, &ns.name, Deadlines::default()).await;
    let id = engine.until("payments", |r| r.step_index == Some(1)).await.id().clone();

    let yaml = |what| engine.handle.yaml(YamlOf { target: id.clone(), what, managed_fields: false });
    let has = |lines: &[flightdeck::domain::text::Clean], words: &str| lines.iter().any(|l| l.as_str().contains(words));
    let rollout = yaml(What::Rollout).await.expect("the Rollout");
    assert!(has(&rollout, "kind: Rollout") && !has(&rollout, "managedFields"), "{rollout:#?}");
    let analysis = yaml(What::AnalysisRun(run.as_str().into())).await.expect("the AnalysisRun");
    assert!(has(&analysis, "ResolvedPrometheusQuery"), "{analysis:#?}");

    let diff = engine.handle.diff(id.clone(), RevisionName::Number(1), None).await.expect("a difference");
    let changed: Vec<(DiffKind, &str)> = diff
        .lines
        .iter()
        .filter(|line| matches!(line.kind, DiffKind::Added | DiffKind::Removed))
        .map(|line| (line.kind, line.text.as_str().trim().trim_start_matches("- ")))
        .collect();
    let expected = [(DiffKind::Removed, "image: example/app:1"), (DiffKind::Added, "image: example/app:2")];
    assert_eq!(changed, expected, "{:#?}", diff.lines);

    // Going back and forth: numbers move, and the former ones are remembered.
    let program = ns.program();
    program.act(&["undo", "payments", "--to-revision", "1"], "done");
    ns.healthy("payments").await;
    let revisions = engine.handle.revisions(id.clone()).await.expect("revisions");
    let numbers: Vec<(Option<i64>, Vec<i64>)> = revisions.iter().map(|r| (r.set.revision, r.former.clone())).collect();
    assert_eq!(numbers, [(Some(3), vec![1]), (Some(2), vec![])]);
    engine.end().await;
}

/// Who may not list all namespaces sees those that are granted, and is told that it is not everything.
#[tokio::test(flavor = "multi_thread")]
async fn with_rights_in_one_namespace_only_that_one_is_shown_and_said() {
    let stack = stack();
    let _running = stack.running().await;
    let (ns, other) = (stack.namespace("scoped").await, stack.namespace("unseen").await);
    ns.make("payments", &canary("payments", &ladder(), false), 1, &json!({})).await;
    other.make("secret", &canary("secret", &ladder(), false), 1, &json!({})).await;
    let user = ns.user("scoped", &[]).await;
    let mut kubeconfig: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(user.path()).expect("a kubeconfig")).expect("JSON");
    kubeconfig["contexts"][0]["context"]["namespace"] = ns.name.as_str().into();
    std::fs::write(user.path(), kubeconfig.to_string()).expect("written");
    let program = Program::new(user.path(), None);
    let said = program.run(&["status", "-o", "json"]);
    let status = said.json();
    let names: Vec<String> =
        status["targets"].as_array().expect("targets").iter().map(|target| text(&target["name"])).collect();
    assert_eq!(names, ["payments"], "{said:#?}");
    assert!(said.out.contains("no right to list all"), "{said:#?}");
}
