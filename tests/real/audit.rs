//! The real cluster as a witness, and what it remembers of others.

use std::process::Command;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::program::Program;
use crate::stack::{Namespace, Stack, stack};

const VERIFY: &[&str] = &["audit", "verify", "--witness", "cluster"];

async fn paused_canary(namespace: &Namespace) {
    let steps = json!([{"setWeight": 20}, {"pause": {}}, {"setWeight": 60}, {"pause": {}}, {"setWeight": 100}]);
    namespace.canary("payments", 5, &steps, false).await;
    namespace.set_image("payments", "2").await;
    namespace.paused_at("payments", 1).await;
}

async fn read(namespace: &Namespace, path: &str) -> Value {
    let path = format!("/api/v1/namespaces/{}/{path}", namespace.name);
    namespace.send("GET", &path, "application/json", &Value::Null).await.unwrap_or(Value::Null)
}

/// A moment that lies in a second of its own: the server's times are whole seconds.
async fn new_second() -> String {
    let second = Timestamp::now().as_second();
    while Timestamp::now().as_second() == second {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Timestamp::from_second(second + 1).expect("a time").to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cluster_is_told_each_act_and_a_cut_tail_is_found() {
    let stack = stack();
    let _running = stack.running().await;
    let namespace = stack.namespace("witness").await;
    paused_canary(&namespace).await;
    let program = Program::new(&stack.kubeconfig, Some(&namespace.name));
    assert_eq!(program.run(&["audit", "verify", "--witness", "cluster"]).code, 0, "no act, and nothing to witness");
    program.run(&["resume", "payments", "--yes"]).expect(0);
    namespace.paused_at("payments", 3).await;

    let map = read(&namespace, "configmaps/flightdeck-witness").await;
    let data = map["data"].as_object().unwrap_or_else(|| panic!("a witness: {map:#}"));
    let head: Value =
        serde_json::from_str(data.values().next().and_then(Value::as_str).expect("a head")).expect("JSON");
    assert_eq!((&head["seq"], &head["by"]), (&json!(3), &json!("admin")), "{head:#}");
    assert_eq!(map["metadata"]["managedFields"][0]["manager"], "flightdeck");
    let uid = namespace.rollout("payments").await["metadata"]["uid"].clone();
    let events = read(&namespace, "events").await;
    let told: Vec<&Value> =
        events["items"].as_array().expect("events").iter().filter(|e| e["reason"] == "FlightdeckAct").collect();
    assert_eq!(told.len(), 1, "{events:#}");
    assert_eq!(told[0]["involvedObject"]["uid"], uid);
    assert_eq!(told[0]["type"], "Normal");
    assert!(told[0]["message"].as_str().is_some_and(|m| m.starts_with("resume by admin: done: ")), "{:#}", told[0]);
    let record = &program.records()[2];
    assert_eq!(record["actor"]["kubeUser"], "admin");
    assert!(record["actor"]["kubeGroups"].as_array().is_some_and(|g| g.contains(&json!("system:masters"))));
    assert!(program.run(VERIFY).expect(0).out.contains("nothing was cut off"));

    let segment = program.state.path().join("state/audit/audit-000001.jsonl");
    let text = std::fs::read_to_string(&segment).expect("the log");
    let cut: String = text.split_inclusive('\n').take(1).collect();
    std::fs::write(&segment, cut).expect("written");
    program.run(&["audit", "verify"]).expect(0);
    let found = program.run(VERIFY).expect(9);
    assert!(found.out.contains("RECORD 3 IS MISSING"), "{found:?}");
    // And the Event alone gives it away, too.
    let account = program.run(&["audit", "reconcile", "payments"]).expect(1);
    assert!(account.out.contains("this log told the cluster of the act"), "{account:?}");

    // An act on the cut log does not overwrite the witness.
    program.run(&["resume", "payments", "--yes"]).expect(0);
    program.run(VERIFY).expect(9);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_passed_here_is_explained_and_an_edit_by_kubectl_is_not() {
    let stack = stack();
    let _running = stack.running().await;
    let namespace = stack.namespace("reconcile").await;
    paused_canary(&namespace).await;
    let program = Program::new(&stack.kubeconfig, Some(&namespace.name));
    let before = program.run(&["audit", "reconcile", "payments"]).expect(1);
    assert!(before.out.contains("someone-else") && before.out.contains("revision 2 began"), "{before:?}");

    let since = new_second().await;
    let since = since.as_str();
    program.run(&["resume", "payments", "--yes"]).expect(0);
    namespace.paused_at("payments", 3).await;
    let ours = program.run(&["audit", "reconcile", "payments", "--since", since, "--strict"]).expect(0);
    assert!(ours.out.contains("resume, record 3") || ours.out.contains("resume, record 2"), "{ours:?}");

    let edited = Command::new(stack.program("kubectl"))
        .arg("--kubeconfig")
        .arg(&stack.kubeconfig)
        .args(["-n", &namespace.name, "edit", "rollout", "payments"])
        .env("KUBE_EDITOR", "sed -i s,example/app:2,example/app:3,")
        .output()
        .expect("kubectl runs");
    assert!(edited.status.success(), "{edited:?}");
    namespace.paused_at("payments", 1).await;
    let found = program.run(&["audit", "reconcile", "payments", "--since", since, "-o", "json"]).expect(1).json();
    let all = found["targets"][0]["found"].as_array().expect("a list").clone();
    let edit = all.iter().find(|f| f["who"] == "kubectl-edit").unwrap_or_else(|| panic!("the edit: {found:#}"));
    assert_eq!(edit["side"], "unexplained");
    assert!(edit["what"].as_str().is_some_and(|w| w.contains("spec.template.spec.containers")), "{edit:#}");
    let revision = all.iter().find(|f| f["who"] == "ReplicaSet").unwrap_or_else(|| panic!("a revision: {found:#}"));
    assert_eq!(revision["side"], "unexplained");
    assert!(revision["because"].as_str().is_some_and(|b| b.contains("kubectl-edit")), "{revision:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_promotion_by_the_plugin_is_not_taken_for_ours() {
    let stack = stack();
    let _running = stack.running().await;
    // Nothing but the controller's Events tells of it, and the controller drops those that its queue has no room for, as
    // it has none while hundreds of other rollouts move: then it is done once more.
    let deadline = Instant::now() + Duration::from_mins(20);
    while !promoted_by_the_plugin(&stack).await {
        assert!(Instant::now() < deadline, "promotions by the plugin left nothing to be seen");
    }
}

/// Whether a promotion by the plugin was seen, as what it is; false when the cluster tells nothing of it.
async fn promoted_by_the_plugin(stack: &Stack) -> bool {
    let namespace = stack.namespace("plugin-act").await;
    paused_canary(&namespace).await;
    let program = Program::new(&stack.kubeconfig, Some(&namespace.name));
    let since = new_second().await;
    let promoted = Command::new(stack.program("kubectl-argo-rollouts"))
        .arg("--kubeconfig")
        .arg(&stack.kubeconfig)
        .args(["-n", &namespace.name, "promote", "payments"])
        .output()
        .expect("the plugin runs");
    assert!(promoted.status.success(), "{promoted:?}");
    namespace.paused_at("payments", 3).await;
    let deadline = Instant::now() + Duration::from_secs(40);
    while Instant::now() < deadline {
        let account = program.run(&["audit", "reconcile", "payments", "--since", &since, "--strict", "-o", "json"]);
        let found = account.json()["targets"][0]["found"].as_array().cloned().unwrap_or_default();
        assert!(found.iter().all(|f| f["side"] != "recorded"), "{found:#?}");
        if !found.is_empty() {
            // The cleared pause itself has no writer; that a pause without an end was over has a sign.
            assert!(found.iter().all(|f| f["side"] == "unexplained"), "{found:#?}");
            assert_eq!(account.code, 1, "{account:?}");
            return true;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    false
}
