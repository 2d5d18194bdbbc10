//! Credentials that are spent, and how new ones are had without a restart.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use flightdeck::domain::link::LinkState;
use flightdeck::model::World;
use serde_json::json;

use super::reads::{start, timings, until};
use crate::scripted::{Asked, Reply, Server, status};

fn has(world: &World, name: &str) -> bool {
    world.targets.keys().any(|id| id.name == name)
        && world.links.values().any(|l| l.id.what == "rollouts" && l.state.is_live())
}

/// A server that takes only one token.
async fn only(token: &Arc<Mutex<&'static str>>) -> Server {
    let token = token.clone();
    Server::start(move |asked: &Asked| {
        let good = asked.token() == *token.lock().expect("the token");
        (!good).then(|| Reply::Json(401, status(401, "Unauthorized", "Unauthorized")))
    })
    .await
}

/// Puts `user` into the server's kubeconfig.
fn user(server: &Server, user: &serde_json::Value) {
    let path = server.kubeconfig();
    let text = std::fs::read_to_string(&path).expect("a kubeconfig");
    let (head, _) = text.split_once("users:").expect("users");
    std::fs::write(&path, format!("{head}users: [{{name: u, user: {user}}}]\n")).expect("written");
}

/// An exec plugin that runs this and counts its runs in `folder`.
fn plugin(server: &Server, folder: &Path, script: &str) {
    let script = format!("echo run >> {}/runs; {script}", folder.display());
    user(
        server,
        &json!({"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "/bin/sh",
        "args": ["-c", script], "interactiveMode": "IfAvailable"}}),
    );
}

fn runs(folder: &Path) -> usize {
    std::fs::read_to_string(folder.join("runs")).unwrap_or_default().lines().count()
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_401_the_exec_plugin_is_asked_again() {
    let token = Arc::new(Mutex::new("first"));
    let server = only(&token).await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("token"), "first").expect("written");
    // No expiry: kube's own client would keep the token for ever.
    let script = format!(
        r#"read x && exit 9; printf '{{"status": {{"token": "%s"}}}}' "$(cat {}/token)""#,
        folder.path().display()
    );
    plugin(&server, folder.path(), &script);
    let engine = start(&server, timings()).await;
    until(&engine, "the list", |w| has(w, "payments")).await;
    assert_eq!(runs(folder.path()), 1, "once for all links");
    std::fs::write(folder.path().join("token"), "second").expect("written");
    *token.lock().expect("the token") = "second";
    let target = engine.until("payments", |_| true).await;
    assert!(engine.handle.read(target.id().clone()).await.is_err(), "the old token is refused once");
    let read = engine.handle.read(target.id().clone()).await.expect("with the new one");
    assert!(read.is_some());
    assert_eq!(runs(folder.path()), 2);
    engine.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_was_made_outside_is_found_in_the_kubeconfig() {
    let token = Arc::new(Mutex::new("first"));
    let server = only(&token).await;
    user(&server, &json!({"token": "first"}));
    let engine = start(&server, timings()).await;
    let target = engine.until("payments", |_| true).await;
    *token.lock().expect("the token") = "second";
    user(&server, &json!({"token": "second"}));
    let _ = engine.handle.read(target.id().clone()).await;
    assert!(engine.handle.read(target.id().clone()).await.is_ok());
    engine.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_plugin_complains_about_is_the_links_reason_and_it_is_not_run_over_and_over() {
    let server = Server::start(|_| None).await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    plugin(&server, folder.path(), r"printf '\033[31mtoken expired: run sso login\n' >&2; echo SECRET; exit 3");
    let engine = start(&server, timings()).await;
    let why = |w: &World| {
        w.links.values().find_map(|l| match &l.state {
            LinkState::Denied { why } if l.id.what == "rollouts" => Some(why.to_string()),
            _ => None,
        })
    };
    let world = until(&engine, "the reason", |w| why(w).is_some()).await;
    let why = why(&world).expect("a reason");
    assert!(why.contains("token expired: run sso login") && why.contains("log in outside"), "{why}");
    assert!(!why.chars().any(char::is_control) && !why.contains("SECRET"), "{why}");
    assert!(server.asked().is_empty(), "nothing was sent");
    assert_eq!(runs(folder.path()), 1);
    engine.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_context_that_leads_elsewhere_after_a_new_login_is_not_followed() {
    let spent = Arc::new(AtomicBool::new(false));
    let is = spent.clone();
    let one = Server::start(move |_| {
        is.load(Ordering::SeqCst).then(|| Reply::Json(401, status(401, "Unauthorized", "Unauthorized")))
    })
    .await;
    let two = Server::start(|_| None).await;
    let engine = start(&one, timings()).await;
    let target = engine.until("payments", |_| true).await;
    std::fs::copy(two.kubeconfig(), one.kubeconfig()).expect("copied");
    spent.store(true, Ordering::SeqCst);
    let _ = engine.handle.read(target.id().clone()).await;
    let error = engine.handle.read(target.id().clone()).await.expect_err("another server");
    assert!(error.contains("another server"), "{error}");
    assert!(two.asked().is_empty());
    engine.end().await;
}
