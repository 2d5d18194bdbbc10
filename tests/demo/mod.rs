//! The demo world, from outside.

mod api;
mod plans;

use std::time::Duration;

use flightdeck::config;
use flightdeck::demo::{Fault, Scenario, World};
use flightdeck::domain::link::LinkState;
use flightdeck::domain::rollout::Phase;
use flightdeck::domain::signal::{Reading, Verdict};
use flightdeck::domain::text::Clean;
use flightdeck::runtime::control::Deadlines;
use flightdeck::systems::kubernetes::timings;
use flightdeck::systems::prometheus;

use crate::engine::Engine;
use crate::parity_script;

#[tokio::test(flavor = "multi_thread")]
async fn it_is_as_the_real_cluster_was() {
    parity_script::demo_is_as_the_real_one_was().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_act_in_every_state_is_as_on_the_real_cluster() {
    parity_script::demo_matrix_is_as_the_real_one_was().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn watches_that_end_and_versions_that_are_gone_change_nothing_on_the_screen() {
    let (world, _folder, side) = parity_script::demo().await;
    let engine = Engine::start(&side.kubeconfig, &side.namespace, Deadlines::default()).await;
    engine.until("other", |r| r.phase == Phase::Healthy).await;
    let mut handle = engine.handle.clone();
    handle.changed().await.expect("the engine runs");
    for fault in [Fault::EndWatches, Fault::Forget, Fault::EndWatches] {
        world.fault(fault);
        let version = engine.handle.world().version;
        // Whatever it says meanwhile, the target stays on the screen, and the link comes back to life.
        let back = async {
            loop {
                let world = handle.world();
                assert!(!world.targets.is_empty(), "after {fault:?} the screen was empty");
                let live = world.links.values().all(|l| matches!(l.state, LinkState::Live | LinkState::Off));
                if live && world.version >= version {
                    break;
                }
                handle.changed().await.expect("the engine runs");
            }
        };
        tokio::time::timeout(Duration::from_secs(20), back).await.expect("in time");
    }
    engine.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_a_list_are_of_one_moment() {
    let (world, _folder, side) = parity_script::demo().await;
    let list = "/api/v1/namespaces?limit=1";
    let (code, first) = side.send("GET", list, "application/json", "").await;
    assert_eq!((code, first["items"].as_array().map(Vec::len)), (200, Some(1)), "{first:#}");
    let all = 1 + first["metadata"]["remainingItemCount"].as_u64().expect("more are left");
    let next = format!("/api/v1/namespaces?continue={}", first["metadata"]["continue"].as_str().expect("a token"));
    for name in ["aaa", "zzz"] {
        let namespace = format!(r#"{{"metadata": {{"name": "{name}"}}}}"#);
        assert_eq!(side.send("POST", "/api/v1/namespaces", "application/json", &namespace).await.0, 201);
    }
    // What came after the first page is on none of this list.
    let (code, rest) = side.send("GET", &next, "application/json", "").await;
    assert_eq!((code, &rest["metadata"]["resourceVersion"]), (200, &first["metadata"]["resourceVersion"]));
    assert_eq!(rest["items"].as_array().map(|items| items.len() as u64), Some(all - 1));
    world.fault(Fault::Forget);
    let (code, said) = side.send("GET", &next, "application/json", "").await;
    assert_eq!((code, &said["reason"]), (410, &"Expired".into()), "{said:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn its_prometheus_says_what_its_traffic_is() {
    let world = World::start(&Scenario::calm_canary(), 1).await.expect("a world");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let kubeconfig = folder.path().join("kubeconfig");
    std::fs::write(&kubeconfig, world.kubeconfig()).expect("a kubeconfig");
    let text = format!("[[prometheus.context]]\nurl = \"{}\"\n", world.prometheus());
    let rates = (config::parse(&text).expect("sound").prometheus, prometheus::Timings::default());
    let engine = Engine::start_all(&kubeconfig, "shop", Deadlines::default(), timings::Timings::default(), rates).await;
    let signals = |name: &str, w: &flightdeck::model::World| {
        w.targets.values().find(|t| t.id().name == name).and_then(|t| t.signals.clone())
    };
    let both = |w: &flightdeck::model::World| signals("payments", w).is_some() && signals("ledger", w).is_some();
    let found = tokio::time::timeout(Duration::from_secs(20), engine.handle.wait_for(both)).await.expect("in time");
    let found = found.expect("the engine runs");
    let payments = signals("payments", &found).expect("it was there");
    assert_eq!(payments.template.as_ref().map(Clean::as_str), Some("http-hash"), "{payments:#?}");
    assert_eq!(payments.verdict, Verdict::Fine, "{payments:#?}");
    assert_eq!(payments.reference.as_ref().map(|r| r.long.word()), Some("measured"));
    // Aborted three hours ago: its pods are gone, or idle, and that is not zero errors.
    let ledger = signals("ledger", &found).expect("it was there");
    assert!(matches!(ledger.subject.long, Reading::NoTraffic | Reading::NoData), "{ledger:#?}");
    world.fault(Fault::NoPrometheus);
    let target = found.targets.keys().find(|id| id.name == "payments").expect("it is there");
    engine.handle.focus(Some(target.clone()));
    let gone =
        |w: &flightdeck::model::World| signals("payments", w).is_some_and(|s| s.subject.long.word() == "unreachable");
    let found = tokio::time::timeout(Duration::from_secs(20), engine.handle.wait_for(gone)).await.expect("in time");
    let last = signals("payments", &found.expect("the engine runs")).and_then(|s| s.subject.last);
    assert!(last.is_some(), "what it was is kept, as past");
    engine.end().await;
    world.fault(Fault::None);
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    for (query, code) in [("sum(rate(http_requests_total[5m]))", 400), ("up", 400), ("", 400)] {
        let asked = client.get(format!("{}/api/v1/query", world.prometheus())).query(&[("query", query)]);
        let answer = asked.send().await.expect("an answer");
        assert_eq!(answer.status().as_u16(), code, "{query}");
        let said: serde_json::Value = answer.json().await.expect("JSON");
        assert_eq!(said["errorType"], "bad_data", "{said}");
    }
    let ready = client.get(format!("{}/-/ready", world.prometheus())).send().await.expect("an answer");
    assert!(ready.status().is_success());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_reads_every_scenario_without_a_warning() {
    for (name, namespace, target, message) in [
        ("bad-canary", "shop", "checkout", "CanaryPauseStep"),
        ("blue-green", "clinic", "portal", "BlueGreenPause"),
        ("stuck-analysis", "shop", "pricing", "InconclusiveAnalysisRun"),
        ("git-undo", "shop", "cart", "CanaryPauseStep"),
    ] {
        let scenario = flightdeck::demo::Scenario::named(name).expect("it comes along");
        let world = flightdeck::demo::World::start(&scenario, 1).await.expect("a world");
        let folder = tempfile::tempdir().expect("a temporary folder");
        let kubeconfig = folder.path().join("kubeconfig");
        std::fs::write(&kubeconfig, world.kubeconfig()).expect("a kubeconfig");
        let engine = Engine::start(&kubeconfig, namespace, Deadlines::default()).await;
        let shown = engine.until(target, |r| r.phase == Phase::Paused).await;
        assert_eq!(shown.rollout.status().1.to_string(), message, "{name}");
        let warnings = engine.handle.world().warnings.clone();
        assert!(warnings.is_empty(), "{name}: {warnings:?}");
        engine.end().await;
        world.stop().await;
    }
}
