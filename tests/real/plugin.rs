//! What Flightdeck says of a canary is what `kubectl argo rollouts` says of it.

use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::program::Program;
use crate::stack::{Namespace, stack};

#[derive(Debug, PartialEq, Eq)]
struct Told {
    phase: String,
    message: String,
    step: String,
    desired: String,
    actual: String,
}

fn plugin(namespace: &Namespace, name: &str) -> Told {
    let said = Command::new(namespace.stack.program("kubectl-argo-rollouts"))
        .arg("--kubeconfig")
        .arg(&namespace.stack.kubeconfig)
        .args(["-n", &namespace.name, "get", "rollout", name, "--no-color"])
        .output()
        .expect("the plugin runs");
    assert!(said.status.success(), "{said:?}");
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    let field = |key: &str| {
        let line = said.lines().find_map(|l| l.trim().strip_prefix(key));
        line.unwrap_or_default().trim().to_owned()
    };
    // `Status:          ॥ Paused`
    let phase = field("Status:").split_whitespace().last().unwrap_or_default().to_owned();
    Told {
        phase,
        message: field("Message:"),
        step: field("Step:"),
        desired: field("SetWeight:"),
        actual: field("ActualWeight:"),
    }
}

fn ours(program: &Program, name: &str) -> Told {
    let said = program.run(&["get", name, "-o", "json"]).expect(0).json();
    let text = |v: &Value| match v {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let all = said["steps"].as_array().map_or(0, Vec::len);
    // The plugin counts the steps that are over.
    let step = match said["step"]["number"].as_u64() {
        Some(number) => format!("{}/{all}", number - 1),
        None => format!("{all}/{all}"),
    };
    Told {
        phase: text(&said["phase"]),
        message: text(&said["message"]),
        step,
        desired: text(&said["weight"]["desired"]),
        actual: text(&said["weight"]["actual"]["weight"]),
    }
}

/// Both may look at different moments of something that moves: they have to agree in the end.
fn agree(program: &Program, namespace: &Namespace, state: &str) {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let (theirs, ours) = (plugin(namespace, "payments"), ours(program, "payments"));
        if theirs == ours {
            return;
        }
        assert!(Instant::now() < deadline, "{state}: the plugin says {theirs:#?}, we say {ours:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn phase_message_step_and_weights_are_the_plugins() {
    let stack = stack();
    let _running = stack.running().await;
    let steps = json!([
        {"setWeight": 5}, {"pause": {}}, {"setWeight": 50}, {"pause": {"duration": "1h"}}, {"setWeight": 100},
    ]);
    for router in [false, true] {
        let namespace = stack.namespace("plugin").await;
        let ns = &namespace;
        ns.canary("payments", 10, &steps, router).await;
        let program = Program::new(&stack.kubeconfig, Some(&ns.name));
        agree(&program, ns, "healthy");

        ns.set_image("payments", "2").await;
        ns.paused_at("payments", 1).await;
        agree(&program, ns, "paused for a person");
        let told = plugin(ns, "payments");
        assert_eq!((told.desired.as_str(), told.actual.as_str()), ("5", if router { "5" } else { "9" }));

        program.run(&["resume", "payments", "--yes"]).expect(0);
        ns.paused_at("payments", 3).await;
        agree(&program, ns, "paused for a time");

        ns.patch("payments", "", &json!({"spec": {"paused": true}})).await;
        agree(&program, ns, "paused by hand");
        ns.patch("payments", "", &json!({"spec": {"paused": false}})).await;
        agree(&program, ns, "no longer paused by hand");

        ns.patch("payments", "/status", &json!({"status": {"abort": true}})).await;
        ns.until("payments", |r| r["status"]["phase"] == "Degraded").await;
        agree(&program, ns, "aborted");

        ns.patch("payments", "/status", &json!({"status": {"abort": false}})).await;
        ns.paused_at("payments", 1).await;
        agree(&program, ns, "tried again");

        ns.patch("payments", "/status", &json!({"status": {"promoteFull": true}})).await;
        ns.until("payments", |r| r["status"]["phase"] == "Healthy").await;
        agree(&program, ns, "promoted");

        ns.patch("payments", "", &json!({"spec": {"replicas": 0}})).await;
        agree(&program, ns, "scaled to nothing");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spec_that_the_controller_refuses_is_told_as_the_plugin_tells_it() {
    let stack = stack();
    let _running = stack.running().await;
    let namespace = stack.namespace("invalid").await;
    namespace.canary("payments", 1, &json!([{"setWeight": 50}, {"pause": {}}]), false).await;
    let broken = json!({"spec": {"strategy": {"canary": {"steps": [{"setWeight": 101}]}}}});
    namespace.patch("payments", "", &broken).await;
    namespace
        .until("payments", |r| {
            r["status"]["conditions"].as_array().is_some_and(|all| all.iter().any(|c| c["type"] == "InvalidSpec"))
        })
        .await;
    let program = Program::new(&stack.kubeconfig, Some(&namespace.name));
    // The plugin counts on from the steps that were there before: `2/1`.
    let (theirs, ours) = (plugin(&namespace, "payments"), ours(&program, "payments"));
    assert!(theirs.message.contains("setWeight"), "{theirs:?}");
    assert_eq!(Told { step: ours.step.clone(), ..theirs }, ours);
}
