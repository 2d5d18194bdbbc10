//! Acts that the server refuses, and acts on what cannot answer any more.

use serde_json::{Value, json};

use crate::ground::{canary, ladder};
use crate::program::Program;
use crate::stack::stack;

/// What each act needs to be sent, with the server's word for the right that is missing.
const ACTS: &[(&[&str], &str)] = &[
    (&["resume", "payments"], "rollouts/status"),
    (&["promote-full", "payments"], "rollouts/status"),
    (&["abort", "payments"], "rollouts/status"),
    (&["pause", "payments"], "\"rollouts\""),
    (&["restart", "payments"], "\"rollouts\""),
    (&["undo", "payments", "--to-revision", "1"], "\"rollouts\""),
    (&["set-image", "payments", "example/app:9"], "\"rollouts\""),
    (&["forbid", "payments"], "replicasets"),
];

#[tokio::test(flavor = "multi_thread")]
async fn who_may_only_look_is_told_by_the_server_what_is_missing_for_each_act() {
    let stack = stack();
    let _running = stack.running().await;
    let ns = stack.namespace("forbidden").await;
    ns.waiting_canary("payments", false).await;
    let before = ns.rollout("payments").await;
    let viewer = ns.user("viewer", &[]).await;
    let mut program = ns.free_program();
    program.kubeconfig = viewer.path().to_owned();
    for (verb, right) in ACTS {
        let said = program.act(verb, "failed");
        assert!(said.contains("403") && said.contains(right), "{verb:?}: {said}");
    }
    let after = ns.rollout("payments").await;
    // The controller may still have had a word to say.
    assert_eq!(after["spec"], before["spec"], "nothing was written");
    assert_eq!(after["status"]["pauseConditions"], before["status"]["pauseConditions"]);
    program.run(&["audit", "verify", "--strict"]).expect(0);
}

/// With the right on the status alone a pause by hand cannot be ended: the first request is refused, and nothing is half done.
#[tokio::test(flavor = "multi_thread")]
async fn a_right_that_is_missing_for_the_second_half_is_no_half_act() {
    let stack = stack();
    let _running = stack.running().await;
    let ns = stack.namespace("half").await;
    ns.waiting_canary("payments", false).await;
    ns.patch("payments", "", &json!({"spec": {"paused": true}})).await;
    ns.until("payments", |r| r["status"]["message"] == "manually paused").await;
    let rule = json!({"apiGroups": ["argoproj.io"], "resources": ["rollouts/status"], "verbs": ["patch"]});
    let user = ns.user("half", &[rule]).await;
    let program = Program::new(user.path(), Some(&ns.name));
    let said = program.act(&["resume", "payments"], "failed");
    assert!(said.contains("403"), "{said}");
    let stands = ns.rollout("payments").await;
    assert_eq!(stands["status"]["pauseConditions"][0]["reason"], "CanaryPauseStep", "nothing was cleared");
    assert_eq!(stands["spec"]["paused"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_being_deleted_takes_no_act() {
    let stack = stack();
    let _running = stack.running().await;
    let ns = stack.namespace("deleting").await;
    ns.waiting_canary("payments", false).await;
    ns.keep_when_deleted("payments").await;
    let path = ns.rollout_path("payments");
    ns.send("DELETE", &path, "application/json", &Value::Null).await.expect("deleted");
    let program = ns.free_program();
    for (verb, _) in ACTS.iter().filter(|(verb, _)| verb[0] != "forbid") {
        program.refused(verb, "applies", "being deleted");
    }
    let stands = ns.rollout("payments").await;
    assert!(stands["status"]["abort"].is_null() && stands["spec"]["paused"].is_null(), "{stands:#}");
    ns.let_go("payments").await;
    let gone = program.ask(&["resume", "payments"]);
    assert_ne!(gone.code, 0, "{gone:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn read_only_and_a_missing_confirmation_send_nothing() {
    let stack = stack();
    let _running = stack.running().await;
    let ns = stack.namespace("read-only").await;
    ns.make("payments", &canary("payments", &ladder(), false), 2, &json!({})).await;
    let program = ns.program();
    program.refused(&["--read-only", "restart", "payments"], "read-only", "read-only");
    let unconfirmed = program.run(&["restart", "payments"]).expect(3);
    assert!(unconfirmed.err.contains("--yes"), "{unconfirmed:#?}");
    assert!(ns.rollout("payments").await["spec"]["restartAt"].is_null());
}
