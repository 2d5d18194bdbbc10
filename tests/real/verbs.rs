//! The verbs on the real cluster.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use serde_json::{Value, json};

use crate::program::Program;
use crate::stack::{Namespace, stack};

fn steps() -> Value {
    json!([{"setWeight": 20}, {"pause": {}}, {"setWeight": 60}, {"pause": {"duration": "1h"}}, {"setWeight": 100}])
}

async fn paused_canary(namespace: &Namespace, router: bool) {
    namespace.canary("payments", 5, &steps(), router).await;
    namespace.set_image("payments", "2").await;
    namespace.paused_at("payments", 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn resume_is_done_seen_and_on_record() {
    let stack = stack();
    let _running = stack.running().await;
    for router in [false, true] {
        let namespace = stack.namespace("resume").await;
        paused_canary(&namespace, router).await;
        let program = Program::new(&stack.kubeconfig, Some(&namespace.name));

        let before = program.run(&["get", "payments", "-o", "json"]).expect(0).json();
        assert_eq!(before["phase"], "Paused", "{before:#}");
        assert_eq!(before["step"]["number"], 2);
        assert_eq!(before["weight"]["desired"], 20);
        assert_eq!(before["weight"]["actual"]["weight"], 20);
        assert_eq!(before["link"], "live");

        let unconfirmed = program.run(&["resume", "payments"]).expect(3);
        assert!(unconfirmed.err.contains("--yes"), "{unconfirmed:?}");

        let done = program.run(&["resume", "payments", "--yes", "--reason", "flat", "-o", "json"]).expect(0).json();
        assert_eq!(done["outcome"], "done", "{done:#}");
        for stage in ["asked", "recorded", "sent", "accepted", "ended"] {
            assert!(done[stage].is_string(), "{stage} in {done:#}");
        }
        namespace.paused_at("payments", 3).await;

        let records = program.records();
        let kinds: Vec<&str> = records.iter().filter_map(|r| r["kind"].as_str()).collect();
        assert_eq!(kinds, ["segment", "refusal", "intent", "outcome"], "{records:#?}");
        assert_eq!(records[2]["reason"], "flat");
        assert_eq!(records[2]["target"]["uid"], before["uid"]);
        assert_eq!(records[3]["outcome"]["word"], "done");
        assert!(records[2]["requests"][0]["body"].as_str().is_some_and(|b| b.contains("pauseConditions")));
        program.run(&["audit", "verify", "--strict"]).expect(0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_expected_but_not_there_is_superseded() {
    let stack = stack();
    let _running = stack.running().await;
    let namespace = stack.namespace("expect").await;
    paused_canary(&namespace, false).await;
    let program = Program::new(&stack.kubeconfig, Some(&namespace.name));
    for wrong in [["--expect-step", "4"], ["--expect-revision", "1"], ["--expect-hash", "abc"]] {
        let refused = program.run(&["resume", "payments", "--yes", wrong[0], wrong[1]]).expect(4);
        assert!(refused.err.contains("superseded"), "{refused:?}");
    }
    let done = program.run(&["resume", "payments", "--yes", "--expect-step", "2", "--expect-revision", "2"]);
    done.expect(0);
    namespace.paused_at("payments", 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_by_hand_on_top_of_a_step_takes_two_requests() {
    let stack = stack();
    let _running = stack.running().await;
    let namespace = stack.namespace("by-hand").await;
    paused_canary(&namespace, false).await;
    namespace.patch("payments", "", &json!({"spec": {"paused": true}})).await;
    namespace
        .until("payments", |r| {
            r["status"]["observedGeneration"].as_str() == Some(&r["metadata"]["generation"].to_string())
        })
        .await;
    let program = Program::new(&stack.kubeconfig, Some(&namespace.name));
    program.run(&["resume", "payments", "--yes"]).expect(0);
    namespace.paused_at("payments", 3).await;
    let intent = program.records().into_iter().find(|r| r["kind"] == "intent").expect("an intent");
    assert_eq!(intent["requests"].as_array().map(Vec::len), Some(2), "{intent:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_only_look_is_told_which_right_is_missing() {
    let stack = stack();
    let _running = stack.running().await;
    let namespace = stack.namespace("viewer").await;
    paused_canary(&namespace, false).await;
    let viewer = namespace.user("viewer", &[]).await;
    let program = Program::new(viewer.path(), Some(&namespace.name));
    program.run(&["get", "payments"]).expect(0);
    let refused = program.run(&["resume", "payments", "--yes"]);
    assert_ne!(refused.code, 0, "{refused:?}");
    assert!(refused.err.contains("403") && refused.err.contains("rollouts/status"), "{refused:?}");
    let records = program.records();
    assert_eq!(records.last().expect("records")["outcome"]["word"], "failed");
    let doctor = program.run(&["doctor"]);
    assert!(doctor.out.contains("patch rollouts/status"), "{doctor:?}");
    assert_eq!(namespace.rollout("payments").await["status"]["currentStepIndex"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn watch_prints_each_change_and_what_is_gone() {
    let stack = stack();
    let _running = stack.running().await;
    let namespace = stack.namespace("watch").await;
    paused_canary(&namespace, false).await;
    let program = Program::new(&stack.kubeconfig, Some(&namespace.name));
    let mut child = program
        .command()
        .args(["watch", "-o", "json", "--timeout", "60s"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
    let mut next = || -> Value {
        let line = lines.next().expect("a line before the time is up").expect("text");
        serde_json::from_str(&line).expect("one JSON object a line")
    };
    while next()["step"]["number"] != 2 {}
    program.run(&["resume", "payments", "--yes"]).expect(0);
    while next()["step"]["number"] != 4 {}
    let path = namespace.rollout_path("payments");
    namespace.send("DELETE", &path, "application/json", &Value::Null).await.expect("deleted");
    while next()["kind"] != "TargetGone" {}
    child.kill().expect("it can be ended");
    child.wait().expect("it ended");
}
