//! One namespace, several, all, or those that may be listed; one context or several.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use flightdeck::domain::link::LinkState;
use flightdeck::model::{World, query};
use flightdeck::systems::kubernetes::client::ConnectSettings;
use flightdeck::systems::kubernetes::timings::Timings;
use serde_json::{Value, json};

use super::reads::{timings, until};
use crate::engine::Engine;
use crate::scripted::{Asked, Reply, Server, list, rollout, status};

fn at(server: &Server, namespaces: &[&str]) -> ConnectSettings {
    ConnectSettings {
        kubeconfig: Some(server.kubeconfig()),
        namespaces: namespaces.iter().map(|n| (*n).to_owned()).collect(),
        ..ConnectSettings::default()
    }
}

async fn start(settings: &[ConnectSettings], timings: Timings) -> Engine {
    Engine::start_among(settings, timings).await
}

fn names(world: &World) -> Vec<String> {
    world.targets.keys().map(ToString::to_string).collect()
}

/// `ctx/what in scope state`, of the links that list.
fn lists(world: &World) -> Vec<String> {
    let listing = world.links.values().filter(|l| query::lists(&l.id));
    listing.map(|l| format!("{} {}", l.id, l.state.word())).collect()
}

fn settled(world: &World) -> bool {
    !world.targets.is_empty()
        && query::complete(world)
        && world.links.values().all(|l| matches!(l.state, LinkState::Live | LinkState::Off))
}

fn namespace(asked: &Asked) -> Option<&str> {
    let rest = asked.path.split_once("/namespaces/")?.1;
    rest.split(['/', '?']).next()
}

fn forbidden(what: &str) -> Reply {
    Reply::Json(403, status(403, "Forbidden", &format!("{what} is forbidden: anna cannot list it at cluster scope")))
}

/// Rollout `web` in every namespace, no ReplicaSets.
fn web(asked: &Asked) -> Option<Reply> {
    let namespace = namespace(asked)?;
    if asked.lists("/rollouts") {
        let mut object = rollout("web", 100);
        object["metadata"]["namespace"] = namespace.into();
        object["metadata"]["uid"] = format!("uid-{namespace}").into();
        return Some(Reply::Json(200, list(&[object], 100, None)));
    }
    asked.lists("/replicasets").then(|| Reply::Json(200, list(&[], 100, None)))
}

/// Nothing may be listed at cluster scope; `web` and `shop` may be.
fn some_rights(asked: &Asked, all: bool) -> Option<Reply> {
    if asked.is("POST", "/selfsubjectaccessreviews") {
        let of: Value = serde_json::from_str(&asked.body).expect("JSON");
        let namespace = &of["spec"]["resourceAttributes"]["namespace"];
        let allowed = namespace == "shop" || namespace == "web" || (all && namespace.is_null());
        return Some(Reply::Json(201, json!({"status": {"allowed": allowed}})));
    }
    if asked.lists("/namespaces") {
        let named = |name: &str| json!({"metadata": {"name": name}});
        return Some(Reply::Json(200, list(&["shop", "web", "secret", "kube-system"].map(named), 100, None)));
    }
    let at_large = asked.lists("/rollouts") || asked.lists("/replicasets");
    if at_large && namespace(asked).is_none() && !all {
        return Some(forbidden("rollouts"));
    }
    web(asked)
}

#[tokio::test(flavor = "multi_thread")]
async fn several_namespaces_are_a_link_each_and_one_does_not_touch_the_other() {
    let server = Server::start(|asked| {
        if asked.lists("/rollouts") && namespace(asked) == Some("shop") && asked.before < 3 {
            return Some(Reply::Json(500, status(500, "InternalError", "not yet")));
        }
        web(asked)
    })
    .await;
    let engine = start(&[at(&server, &["web", "shop"])], timings()).await;
    let world = until(&engine, "both", settled).await;
    assert_eq!(names(&world), ["shop/web", "web/web"]);
    assert_eq!(
        lists(&world),
        [
            "scripted/replicasets in shop live",
            "scripted/replicasets in web live",
            "scripted/rollouts in shop live",
            "scripted/rollouts in web live"
        ]
    );
    engine.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_all_may_not_be_listed_those_are_that_may_be_and_it_is_said() {
    let server = Server::start(|asked| some_rights(asked, false)).await;
    let named = ConnectSettings { candidates: vec!["team".to_owned()], ..at(&server, &[]) };
    let engine = start(&[named], timings()).await;
    let world = until(&engine, "three namespaces", settled).await;
    assert_eq!(names(&world), ["shop/web", "team/web", "web/web"], "and not `secret`");
    let notices: Vec<&str> = world.links.values().map(|l| l.notice.as_str()).filter(|n| !n.is_empty()).collect();
    assert_eq!(notices, ["3 of 4 namespaces: no right to list all"]);
    engine.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn when_all_may_be_listed_later_all_are() {
    let all = Arc::new(AtomicBool::new(false));
    let now = all.clone();
    let server = Server::start(move |asked| some_rights(asked, now.load(Ordering::SeqCst))).await;
    let engine = start(&[at(&server, &[])], Timings { rediscover: Duration::from_millis(200), ..timings() }).await;
    let world = until(&engine, "two namespaces", settled).await;
    assert_eq!(world.targets.len(), 2);
    all.store(true, Ordering::SeqCst);
    // One kind after the other changes over.
    let wanted = ["scripted/replicasets live", "scripted/rollouts live"];
    let world = until(&engine, "all", |w| settled(w) && lists(w) == wanted).await;
    assert_eq!(names(&world), ["shop/payments"]);
    assert!(world.links.values().all(|l| l.notice.is_empty()));
    engine.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nothing_may_be_listed_the_refusal_is_said_and_tried_again() {
    let rights = Arc::new(AtomicBool::new(false));
    let now = rights.clone();
    let server = Server::start(move |asked| {
        if now.load(Ordering::SeqCst) {
            return some_rights(asked, false);
        }
        if asked.is("POST", "/selfsubjectaccessreviews") {
            return Some(Reply::Json(201, json!({"status": {"allowed": false}})));
        }
        let lists = ["/rollouts", "/replicasets", "/namespaces"].iter().any(|what| asked.lists(what));
        lists.then(|| forbidden("it"))
    })
    .await;
    let engine = start(&[at(&server, &[])], timings()).await;
    let world = until(&engine, "the refusal", |w| {
        w.links.values().any(|l| l.id.what == "rollouts" && matches!(l.state, LinkState::Denied { .. }))
    })
    .await;
    let link = world.links.values().find(|l| l.id.what == "rollouts").expect("a link");
    let LinkState::Denied { why } = &link.state else { unreachable!() };
    assert!(why.as_str().contains("anna cannot list it") && why.as_str().contains("ask for the right"), "{why}");
    rights.store(true, Ordering::SeqCst);
    until(&engine, "the namespaces", |w| settled(w) && w.targets.len() == 2).await;
    engine.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_set_of_one_namespace_is_not_gone_because_another_does_not_list_it() {
    let server = Server::start(|asked| {
        if asked.lists("/replicasets") {
            let name = namespace(asked)?;
            let set = json!({"metadata": {"name": "web-1", "namespace": name, "uid": format!("set-{name}"),
                "resourceVersion": "1", "labels": {"rollouts-pod-template-hash": "778b5d6c7f"},
                "ownerReferences": [{"kind": "Rollout", "uid": format!("uid-{name}"), "controller": true}]}});
            return Some(Reply::Json(200, list(&[set], 100, None)));
        }
        web(asked)
    })
    .await;
    let engine = start(&[at(&server, &["web", "shop"])], timings()).await;
    let both = |w: &World| w.targets.len() == 2 && w.targets.values().all(|t| t.sets.len() == 1);
    until(&engine, "both with their sets", |w| settled(w) && both(w)).await;
    engine.end().await;
}

fn context(server: &Server, name: &str) -> String {
    std::fs::read_to_string(server.kubeconfig()).expect("a kubeconfig").replace("scripted", name)
}

/// A kubeconfig with one context for each server.
fn kubeconfig(servers: &[(&str, &Server)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut text = "apiVersion: v1\nkind: Config\n".to_owned();
    for key in ["contexts", "clusters", "users"] {
        text += key;
        text += ":\n";
        for (name, server) in servers {
            let url =
                context(server, name).split("server: \"").nth(1).and_then(|s| s.split('"').next().map(str::to_owned));
            let url = url.expect("its address");
            let line = match key {
                "contexts" => format!("- {{name: {name}, context: {{cluster: {name}, user: {name}}}}}\n"),
                "clusters" => format!("- {{name: {name}, cluster: {{server: \"{url}\"}}}}\n"),
                _ => format!("- {{name: {name}, user: {{}}}}\n"),
            };
            text += &line;
        }
    }
    std::fs::write(folder.path().join("kubeconfig"), text).expect("written");
    folder
}

fn contexts(folder: &tempfile::TempDir, names: &[&str]) -> Vec<ConnectSettings> {
    let of = |name: &&str| ConnectSettings {
        kubeconfig: Some(folder.path().join("kubeconfig")),
        context: Some((*name).to_owned()),
        ..ConnectSettings::default()
    };
    names.iter().map(of).collect()
}

async fn other_cluster() -> Server {
    Server::start(|asked| {
        asked.is("GET", "/namespaces/kube-system").then(|| Reply::Json(200, json!({"metadata": {"uid": "another"}})))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn several_contexts_at_once_and_one_that_cannot_connect_stops_no_other() {
    let (one, two) = (Server::start(|_| None).await, other_cluster().await);
    let folder = kubeconfig(&[("one", &one), ("two", &two)]);
    let engine = start(&contexts(&folder, &["one", "two", "missing"]), timings()).await;
    let world = until(&engine, "both", |w| w.targets.len() == 2).await;
    let clusters: Vec<&str> = world.targets.keys().map(|id| id.cluster.0.as_str()).collect();
    assert_eq!(clusters, ["another", "the-cluster"], "the same name on two clusters is two targets");
    let missing = world.links.values().find(|l| l.id.context == "missing").expect("its link");
    assert!(
        matches!(&missing.state, LinkState::Denied { why } if why.as_str().contains("it has one, two")),
        "{missing:?}"
    );
    engine.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_contexts_of_one_cluster_are_shown_once_and_it_is_said() {
    let server = Server::start(|_| None).await;
    let folder = kubeconfig(&[("admin", &server), ("viewer", &server)]);
    let engine = start(&contexts(&folder, &["admin", "viewer"]), timings()).await;
    let said = |w: &World| w.links.values().any(|l| l.notice.as_str().contains("same cluster as admin"));
    let world = until(&engine, "the notice", |w| w.targets.len() == 1 && said(w) && query::complete(w)).await;
    assert!(world.targets.values().all(|t| t.context == "admin"));
    assert_eq!(server.asked().iter().filter(|a| a.lists("/rollouts")).count(), 1);
    engine.end().await;
}
