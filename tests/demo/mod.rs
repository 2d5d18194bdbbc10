//! The demo world, from outside.

use std::time::Duration;

use flightdeck::demo::Fault;
use flightdeck::domain::rollout::Phase;
use flightdeck::runtime::control::Deadlines;

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
                let live = world.links.values().filter(|l| l.id.what != "pods").all(|l| l.state.is_live());
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
    let (_world, _folder, side) = parity_script::demo().await;
    let list = "/api/v1/namespaces?limit=1";
    let (code, first) = side.send("GET", list, "application/json", "").await;
    assert_eq!((code, first["items"].as_array().map(Vec::len)), (200, Some(1)), "{first:#}");
    let next = format!("{list}&continue={}", first["metadata"]["continue"].as_str().expect("a token"));
    assert_eq!(side.send("GET", &next, "application/json", "").await.0, 200);
    let namespace = r#"{"metadata": {"name": "aaa"}}"#;
    assert_eq!(side.send("POST", "/api/v1/namespaces", "application/json", namespace).await.0, 201);
    let (code, said) = side.send("GET", &next, "application/json", "").await;
    assert_eq!((code, &said["reason"]), (410, &"Expired".into()), "{said:#}");
}
