//! The world around the acts: a server that dies and comes back, a login that runs out.

use std::io::{BufRead, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::program::Program;
use crate::stack::stack;

/// The rest of the lines of a child process, as JSON.
fn lines(child: &mut std::process::Child) -> impl Iterator<Item = Value> + use<> {
    let lines = BufReader::new(child.stdout.take().expect("its output")).lines();
    lines.map(|line| serde_json::from_str(&line.expect("text")).expect("one JSON object a line"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_was_killed_is_watched_again_and_takes_acts_again() {
    let stack = stack();
    if !stack.ours() {
        return;
    }
    // Nobody else needs the server while this lives.
    let alone = stack.alone().await;
    let ns = alone.namespace("killed-server").await;
    ns.waiting_canary("payments", false).await;
    let program = ns.program();
    let mut child = program
        .command()
        .args(["watch", "-o", "json", "--timeout", "90s"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut lines = lines(&mut child);
    assert!(lines.by_ref().any(|line| line["step"]["number"] == 2), "the canary is seen");
    alone.kill("apiserver");
    let refused = program.ask(&["resume", "payments", "--timeout", "2s"]);
    assert_ne!(refused.code, 0, "{refused:#?}");
    alone.start("apiserver");
    alone.until_ready().await;
    program.act(&["resume", "payments", "--timeout", "20s"], "done");
    assert!(lines.by_ref().any(|line| line["step"]["number"] == 4), "the same watch goes on");
    child.kill().expect("it can be ended");
    child.wait().expect("it ended");
}

/// A kubeconfig whose user is a program that prints a token; which one, a file says.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_runs_out_is_asked_for_again() {
    let stack = stack();
    let _running = stack.running().await;
    let ns = stack.namespace("exec").await;
    ns.waiting_canary("payments", false).await;
    let rule = json!({"apiGroups": ["argoproj.io"], "resources": ["rollouts", "rollouts/status"], "verbs": ["patch"]});
    let _first = ns.user("first", std::slice::from_ref(&rule)).await;
    let _second = ns.user("second", &[rule]).await;
    let home = tempfile::tempdir().expect("a temporary folder");
    let (token, calls, plugin) = (home.path().join("token"), home.path().join("calls"), home.path().join("plugin"));
    std::fs::write(&token, ns.token("first").await).expect("written");
    let script = format!(
        "#!/bin/sh\necho called >> '{}'\nprintf '{{\"apiVersion\":\"client.authentication.k8s.io/v1\",\
         \"kind\":\"ExecCredential\",\"status\":{{\"token\":\"%s\"}}}}' \"$(cat '{}')\"\n",
        calls.display(),
        token.display()
    );
    let mut file = std::fs::File::create(&plugin).expect("a file");
    file.write_all(script.as_bytes()).expect("written");
    file.set_permissions(std::fs::Permissions::from_mode(0o755)).expect("executable");
    drop(file);
    let exec = json!({
        "apiVersion": "client.authentication.k8s.io/v1", "command": plugin, "interactiveMode": "Never",
        "provideClusterInfo": false,
    });
    let kubeconfig = home.path().join("kubeconfig");
    std::fs::write(&kubeconfig, ns.kubeconfig(&json!({"exec": exec})).to_string()).expect("written");

    let program = Program::new(&kubeconfig, Some(&ns.name));
    let mut child = program
        .command()
        .args(["watch", "-o", "json", "--timeout", "90s"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut lines = lines(&mut child);
    assert!(lines.by_ref().any(|line| line["step"]["number"] == 2), "the canary is seen");
    // The first token dies with its account; what it had open goes on, and every new request needs another.
    std::fs::write(&token, ns.token("second").await).expect("written");
    let account = format!("/api/v1/namespaces/{}/serviceaccounts/first", ns.name);
    ns.send("DELETE", &account, "application/json", &Value::Null).await.expect("deleted");
    program.act(&["resume", "payments"], "done");
    assert!(lines.by_ref().any(|line| line["step"]["number"] == 4), "the watch goes on");
    child.kill().expect("it can be ended");
    child.wait().expect("it ended");
    assert!(std::fs::read_to_string(&calls).expect("it was called").lines().count() >= 2);
}
