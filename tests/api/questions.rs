//! Questions about one target: logs, YAML, revisions, how they differ.

use std::time::Duration;

use flightdeck::domain::ids::TargetId;
use flightdeck::domain::text::Clean;
use flightdeck::runtime::handle::{DiffKind, LogLine, LogsOf, Pods, RevisionName, What, YamlOf};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::reads::{start, timings};
use crate::engine::Engine;
use crate::scripted::{Asked, Reply, Server, list, rollout, status};

fn pod(name: &str, hash: &str) -> Value {
    json!({"metadata": {"name": name, "namespace": "shop", "labels": {"rollouts-pod-template-hash": hash}},
        "spec": {"containers": [{"name": "app"}]}})
}

fn text(body: &str) -> Reply {
    Reply::Raw(format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes())
}

fn pods(asked: &Asked) -> Option<Reply> {
    if asked.lists("/pods") {
        let all = [pod("a", "old"), pod("b", "new")];
        let wanted = asked.query("labelSelector").unwrap_or_default();
        let hash = wanted.split("hash%3D").nth(1).map(ToOwned::to_owned);
        let fits =
            |p: &&Value| hash.as_ref().is_none_or(|h| p["metadata"]["labels"]["rollouts-pod-template-hash"] == **h);
        return Some(Reply::Json(200, list(&all.iter().filter(fits).cloned().collect::<Vec<_>>(), 100, None)));
    }
    asked.is("GET", "/pods/a").then(|| Reply::Json(200, pod("a", "old")))
}

async fn engine(server: &Server) -> (Engine, TargetId) {
    let engine = start(server, timings()).await;
    let target = engine.until("payments", |_| true).await;
    (engine, target.id().clone())
}

fn of(target: &TargetId, pods: Pods) -> LogsOf {
    LogsOf { target: target.clone(), pods, container: None, follow: false, previous: false, tail: None, since: None }
}

async fn all(mut lines: mpsc::Receiver<LogLine>) -> Vec<LogLine> {
    let mut all = Vec::new();
    while let Ok(Some(line)) = tokio::time::timeout(Duration::from_secs(20), lines.recv()).await {
        all.push(line);
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn the_logs_of_all_pods_come_in_the_order_of_their_times_and_clean() {
    let server = Server::start(|asked| match () {
        () if asked.is("GET", "/pods/a/log") => {
            Some(text("2026-01-01T00:00:01Z one\n2026-01-01T00:00:03Z thr\u{1b}[2Jee\n"))
        }
        () if asked.is("GET", "/pods/b/log") => Some(text("2026-01-01T00:00:02Z two\n2026-01-01T00:00:04Z four\n")),
        () => pods(asked),
    })
    .await;
    let (engine, target) = engine(&server).await;
    let mut asked = of(&target, Pods::All);
    asked.tail = Some(10);
    asked.since = Some(Duration::from_mins(1));
    let lines = all(engine.handle.logs(asked)).await;
    let said: Vec<(&str, &str)> = lines.iter().map(|l| (l.pod.as_str(), l.text.as_str())).collect();
    assert_eq!(said, [("a", "one"), ("b", "two"), ("a", "thr␛[2Jee"), ("b", "four")]);
    let log = server.asked().into_iter().find(|a| a.is("GET", "/pods/a/log")).expect("it was asked");
    assert_eq!((log.query("tailLines").as_deref(), log.query("sinceSeconds").as_deref()), (Some("10"), Some("60")));
    assert_eq!((log.query("container").as_deref(), log.query("follow")), (Some("app"), None));
    let one = all(engine.handle.logs(of(&target, Pods::Revision("new".into())))).await;
    assert!(one.len() == 2 && one.iter().all(|l| l.pod == "b"), "{one:?}");
    engine.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_may_not_be_read_is_a_note_and_the_others_come() {
    let server = Server::start(|asked| match () {
        () if asked.is("GET", "/pods/a/log") => {
            Some(Reply::Json(403, status(403, "Forbidden", "pods/log is forbidden")))
        }
        () if asked.is("GET", "/pods/b/log") => Some(text("2026-01-01T00:00:02Z two\n")),
        () => pods(asked),
    })
    .await;
    let (engine, target) = engine(&server).await;
    let lines = all(engine.handle.logs(of(&target, Pods::All))).await;
    let note = lines.iter().find(|l| l.note).expect("a note");
    assert!(note.pod == "a" && note.text.as_str().contains("pods/log is forbidden"), "{note:?}");
    assert!(lines.iter().any(|l| l.text == "two" && !l.note));
    let odd = all(engine.handle.logs(of(&target, Pods::One("../secrets".into())))).await;
    assert!(odd.len() == 1 && odd[0].note, "{odd:?}");
    assert!(!server.asked().iter().any(|a| a.path.contains("secrets")));
    engine.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_not_restarted_has_no_log_from_before_and_that_is_no_error_code() {
    let server = Server::start(|asked| match () {
        () if asked.is("GET", "/pods/a/log") => {
            assert_eq!(asked.query("previous").as_deref(), Some("true"));
            let said = "previous terminated container \"app\" in pod \"a\" not found";
            Some(Reply::Json(400, status(400, "BadRequest", said)))
        }
        () => pods(asked),
    })
    .await;
    let (engine, target) = engine(&server).await;
    let lines = all(engine.handle.logs(LogsOf { previous: true, ..of(&target, Pods::One("a".into())) })).await;
    let said: Vec<(&str, bool)> = lines.iter().map(|l| (l.text.as_str(), l.note)).collect();
    assert_eq!(said, [("the container has not restarted: there is no log from before", true)]);
    engine.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_followed_log_goes_on_and_ends_when_nobody_listens() {
    let server = Server::start(|asked| match () {
        () if asked.is("GET", "/pods/a/log") => Some(Reply::Stream(vec![
            (Duration::ZERO, b"2026-01-01T00:00:01Z one\n".to_vec()),
            (Duration::from_millis(900), b"2026-01-01T00:00:03Z three\n".to_vec()),
        ])),
        () => pods(asked),
    })
    .await;
    let (engine, target) = engine(&server).await;
    let mut lines = engine.handle.logs(LogsOf { follow: true, ..of(&target, Pods::One("a".into())) });
    for expected in ["one", "three"] {
        let line = tokio::time::timeout(Duration::from_secs(10), lines.recv()).await.expect("in time");
        assert_eq!(line.expect("a line").text, expected);
    }
    drop(lines);
    engine.end().await;
}

fn set(number: i64, hash: &str, image: &str, former: &str) -> Value {
    json!({"metadata": {"name": format!("payments-{hash}"), "namespace": "shop", "uid": hash, "resourceVersion": "1",
            "labels": {"rollouts-pod-template-hash": hash}, "managedFields": [{"manager": "m"}],
            "annotations": {"rollout.argoproj.io/revision": number.to_string(),
                "rollout.argoproj.io/revision-history": former},
            "ownerReferences": [{"kind": "Rollout", "uid": "uid-payments", "controller": true}]},
        "spec": {"replicas": 1, "template": {"metadata": {"labels": {"rollouts-pod-template-hash": hash}},
            "spec": {"containers": [{"name": "app", "image": image}]}}}})
}

#[tokio::test(flavor = "multi_thread")]
async fn revisions_their_templates_and_how_they_differ() {
    let current: Value = serde_json::from_str(crate::scripted::ROLLOUT).expect("JSON");
    let hash = current["status"]["currentPodHash"].as_str().expect("a hash").to_owned();
    let now = hash.clone();
    let server = Server::start(move |asked| {
        let sets = [set(7, "old", "app:1", ""), set(8, &now, "app:2", "3,5")];
        asked.lists("/replicasets").then(|| Reply::Json(200, list(&sets, 100, None)))
    })
    .await;
    let (engine, target) = engine(&server).await;
    let revisions = engine.handle.revisions(target.clone()).await.expect("revisions");
    assert_eq!(revisions.iter().map(|r| r.set.revision).collect::<Vec<_>>(), [Some(8), Some(7)]);
    assert_eq!(revisions[0].former, [3, 5]);
    let diff = engine.handle.diff(target.clone(), RevisionName::Number(7), None).await.expect("a diff");
    assert_eq!((diff.from.as_str(), diff.to.as_str()), ("revision 7 (old)", &*format!("revision 8 ({hash})")));
    let changed: Vec<&str> = diff.lines.iter().filter(|l| l.kind == DiffKind::Added).map(|l| l.text.as_str()).collect();
    assert!(changed.len() == 1 && changed[0].contains("image: app:2"), "{changed:?}");
    let template = engine.handle.template(target.clone(), RevisionName::Hash("old".into())).await.expect("a template");
    assert!(template.iter().any(|l| l.as_str().contains("app:1")), "{template:?}");
    let error = engine.handle.diff(target, RevisionName::Number(1), None).await.expect_err("no such revision");
    assert!(error.contains("there are revision 8"), "{error}");
    engine.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_as_yaml_without_what_is_long_and_of_no_interest() {
    let server = Server::start(|asked| {
        asked.is("GET", "/rollouts/payments").then(|| {
            let mut object = rollout("payments", 100);
            object["metadata"]["managedFields"] = json!([{"manager": "kubectl"}]);
            object["status"]["message"] = "\u{1b}[2Jhostile".into();
            Reply::Json(200, object)
        })
    })
    .await;
    let (engine, target) = engine(&server).await;
    let of = |what, managed_fields| YamlOf { target: target.clone(), what, managed_fields };
    let lines = engine.handle.yaml(of(What::Rollout, false)).await.expect("YAML");
    let text = lines.iter().map(Clean::as_str).collect::<Vec<_>>().join("\n");
    assert!(text.contains("kind: Rollout") && !text.contains("managedFields"), "{text}");
    assert!(!lines.iter().any(|l| l.as_str().chars().any(char::is_control)));
    let whole = engine.handle.yaml(of(What::Rollout, true)).await.expect("YAML");
    assert!(whole.iter().any(|l| l.as_str().contains("managedFields")));
    let none = engine.handle.yaml(of(What::AnalysisRun("gone".into()), false)).await.expect_err("not there");
    assert!(none.contains("AnalysisRun gone is not there"), "{none}");
    assert!(engine.handle.yaml(of(What::Workload, false)).await.expect_err("none").contains("no workloadRef"));
    engine.end().await;
}
