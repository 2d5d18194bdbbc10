//! Lists and watches on a bad day.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use flightdeck::domain::link::{Link, LinkState};
use flightdeck::model::World;
use flightdeck::runtime::control::Deadlines;
use flightdeck::systems::kubernetes::timings::Timings;
use serde_json::json;

use crate::engine::Engine;
use crate::scripted::{Asked, Reply, Server, event, list, quiet, rollout, status};

pub(super) fn timings() -> Timings {
    Timings {
        silence: Duration::from_secs(20),
        shortest: Duration::from_millis(20),
        longest: Duration::from_millis(200),
        denied: Duration::from_millis(200),
        ..Timings::default()
    }
}

pub(super) async fn start(server: &Server, timings: Timings) -> Engine {
    Engine::start_with(&server.kubeconfig(), "shop", Deadlines::default(), timings).await
}

pub(super) async fn until(engine: &Engine, what: &str, is: impl Fn(&World) -> bool) -> Arc<World> {
    let found = tokio::time::timeout(Duration::from_secs(20), engine.handle.wait_for(is)).await;
    let found = found.unwrap_or_else(|_| panic!("{what} did not come: {:#?}", engine.handle.world()));
    found.expect("the engine runs")
}

fn link(world: &World) -> Option<&Link> {
    world.links.values().find(|l| l.id.what == "rollouts")
}

fn live(world: &World) -> bool {
    link(world).is_some_and(|l| l.state.is_live())
}

fn has(world: &World, name: &str) -> bool {
    world.targets.keys().any(|id| id.name == name)
}

const NOW: Duration = Duration::ZERO;

#[tokio::test(flavor = "multi_thread")]
async fn a_list_in_pages_is_read_whole_and_an_expired_one_again() {
    let server = Server::start(|asked| {
        if !asked.lists("/rollouts") {
            return None;
        }
        Some(match (asked.query("continue").as_deref(), asked.before) {
            (None, _) => Reply::Json(200, list(&[rollout("a", 1)], 100, Some("one"))),
            // The first time the token has expired by then.
            (Some("one"), 1) => Reply::Json(410, status(410, "Expired", "the provided continue parameter is too old")),
            (Some("one"), _) => Reply::Json(200, list(&[rollout("b", 2)], 100, Some("two"))),
            _ => Reply::Json(200, list(&[rollout("c", 3)], 100, None)),
        })
    })
    .await;
    let engine = start(&server, timings()).await;
    let world = until(&engine, "three pages", |w| live(w) && has(w, "c")).await;
    assert!(has(&world, "a") && has(&world, "b"));
    assert_eq!(world.targets.len(), 3);
    engine.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bookmark_is_where_the_next_watch_goes_on() {
    let server = Server::start(|asked| {
        (asked.watches("/rollouts") && asked.before == 1).then(|| {
            Reply::StreamAndEnd(vec![(NOW, event("BOOKMARK", &json!({"metadata": {"resourceVersion": "777"}})))])
        })
    })
    .await;
    let engine = start(&server, timings()).await;
    let second = async {
        loop {
            let watches: Vec<Asked> = server.asked().into_iter().filter(|a| a.watches("/rollouts")).collect();
            if let [first, second, ..] = watches.as_slice() {
                return (first.query("resourceVersion"), second.query("resourceVersion"));
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let versions = tokio::time::timeout(Duration::from_secs(10), second).await.expect("a second watch");
    assert_eq!(versions, (Some("100".to_owned()), Some("777".to_owned())));
    assert_eq!(server.asked().iter().filter(|a| a.lists("/rollouts")).count(), 1, "one list");
    engine.end().await;
}

/// The target stays on the screen from the first list on, whatever `first_watch` does.
async fn comes_back_without_an_empty_screen(first_watch: fn() -> Reply) {
    let server = Server::start(move |asked| {
        if asked.watches("/rollouts") {
            return Some(if asked.before == 1 { first_watch() } else { quiet() });
        }
        (asked.lists("/rollouts") && asked.before > 1)
            .then(|| Reply::Json(200, list(&[rollout("payments", 200), rollout("new", 201)], 201, None)))
    })
    .await;
    let engine = start(&server, timings()).await;
    until(&engine, "the first list", |w| has(w, "payments")).await;
    let emptied = Arc::new(AtomicBool::new(false));
    let seen = emptied.clone();
    until(&engine, "the second list", move |w| {
        seen.fetch_or(!has(w, "payments"), Ordering::SeqCst);
        live(w) && has(w, "new")
    })
    .await;
    assert!(!emptied.load(Ordering::SeqCst), "the screen was empty in between");
    engine.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_is_gone_lists_again() {
    comes_back_without_an_empty_screen(|| {
        Reply::StreamAndEnd(vec![(NOW, event("ERROR", &status(410, "Expired", "too old resource version")))])
    })
    .await;
    comes_back_without_an_empty_screen(|| Reply::Json(410, status(410, "Expired", "too old resource version"))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_watch_goes_on_from_where_it_was() {
    let breaks: [fn() -> Reply; 4] = [
        || Reply::Reset,
        || Reply::Raw(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nab".to_vec()),
        || Reply::StreamAndEnd(vec![(NOW, b"this is no frame\n".to_vec())]),
        || Reply::Json(500, status(500, "InternalError", "oops")),
    ];
    for first_watch in breaks {
        let server = Server::start(move |asked| {
            if !asked.watches("/rollouts") {
                return None;
            }
            Some(match asked.before {
                1 => first_watch(),
                2 => Reply::Stream(vec![(NOW, event("ADDED", &rollout("later", 150)))]),
                _ => quiet(),
            })
        })
        .await;
        let engine = start(&server, timings()).await;
        until(&engine, "what came later", |w| live(w) && has(w, "later") && has(w, "payments")).await;
        assert_eq!(server.asked().iter().filter(|a| a.lists("/rollouts")).count(), 1, "no second list");
        engine.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn reads_are_repeated_with_growing_waits_and_the_reason_is_shown() {
    let server = Server::start(|asked| {
        (asked.lists("/rollouts") && asked.before < 4)
            .then(|| Reply::Json(500, status(500, "InternalError", "etcd is gone")))
    })
    .await;
    let engine = start(&server, timings()).await;
    until(&engine, "the reason", |w| {
        link(w).is_some_and(
            |l| matches!(&l.state, LinkState::Backoff { why, .. } if why.as_str().contains("etcd is gone")),
        )
    })
    .await;
    until(&engine, "the list", |w| live(w) && has(w, "payments")).await;
    engine.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_read_is_told_so() {
    for (code, reason, message) in [
        (403, "Forbidden", "rollouts.argoproj.io is forbidden: anna cannot list"),
        (401, "Unauthorized", "Unauthorized"),
    ] {
        let server = Server::start(move |asked| {
            asked.lists("/rollouts").then(|| Reply::Json(code, status(code, reason, message)))
        })
        .await;
        let engine = start(&server, timings()).await;
        let world =
            until(&engine, "the refusal", |w| link(w).is_some_and(|l| matches!(l.state, LinkState::Denied { .. })))
                .await;
        let Some(LinkState::Denied { why }) = link(&world).map(|l| &l.state) else { unreachable!() };
        assert!(why.as_str().contains(message), "{why}");
        engine.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_malformed_object_is_one_warning_and_the_rest_lives() {
    let server = Server::start(|asked| {
        let odd = json!({"metadata": {"name": "odd", "namespace": "shop", "uid": "u", "resourceVersion": "7"}, "spec": {"replicas": "many"}});
        if asked.lists("/rollouts") {
            return Some(Reply::Json(200, list(&[odd, rollout("payments", 100)], 100, None)));
        }
        asked.watches("/rollouts").then(|| {
            Reply::Stream(vec![
                (NOW, event("MODIFIED", &json!({"metadata": {"name": "odd", "namespace": "shop"}, "spec": 5}))),
                (NOW, event("ADDED", &rollout("later", 150))),
            ])
        })
    })
    .await;
    let engine = start(&server, timings()).await;
    let world = until(&engine, "what came later", |w| live(w) && has(w, "later") && has(w, "payments")).await;
    assert_eq!(world.warnings.len(), 1, "one per object: {:#?}", world.warnings);
    assert_eq!(world.warnings[0].object.as_str(), "shop/odd");
    engine.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn frames_may_be_cut_anywhere() {
    let server = Server::start(|asked| {
        asked.watches("/rollouts").then(|| {
            let mut object = rollout("größer", 150);
            object["status"]["message"] = "naïve → 日本".into();
            let line = event("ADDED", &object);
            let pieces = line.chunks(1).map(|b| (NOW, b.to_vec())).collect();
            Reply::Stream(pieces)
        })
    })
    .await;
    let engine = start(&server, timings()).await;
    let world = until(&engine, "the object", |w| has(w, "größer")).await;
    let target = world.targets.values().find(|t| t.id().name == "größer").expect("it is there");
    assert_eq!(target.rollout.message.as_str(), "naïve → 日本");
    engine.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_is_stale_and_is_shown_with_its_age() {
    let server = Server::start(|_| None).await;
    let short = Timings { silence: Duration::from_millis(300), ..timings() };
    let engine = start(&server, short).await;
    until(&engine, "the list", |w| live(w) && has(w, "payments")).await;
    let world = until(&engine, "stale", |w| link(w).is_some_and(|l| matches!(l.state, LinkState::Stale { .. }))).await;
    assert!(has(&world, "payments"), "what was seen stays");
    engine.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_without_an_end_is_not_read_for_ever() {
    let server = Server::start(|asked| {
        (asked.watches("/rollouts") && asked.before == 1)
            .then(|| Reply::Stream((0..9).map(|_| (NOW, vec![b'x'; 1 << 20])).collect()))
    })
    .await;
    let engine = start(&server, timings()).await;
    until(&engine, "the reason", |w| {
        link(w).is_some_and(|l| matches!(&l.state, LinkState::Backoff { why, .. } if why.as_str().contains("too long")))
    })
    .await;
    until(&engine, "life again", live).await;
    engine.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_api_server_is_said_to_be_none() {
    let page = b"HTTP/1.1 200 OK\r\ncontent-length: 21\r\n\r\n<html>log in</html>\r\n".to_vec();
    let server = Server::start(move |asked| asked.lists("/rollouts").then(|| Reply::Raw(page.clone()))).await;
    let engine = start(&server, timings()).await;
    until(&engine, "the reason", |w| {
        link(w).is_some_and(
            |l| matches!(&l.state, LinkState::Backoff { why, .. } if why.as_str().contains("not an API server")),
        )
    })
    .await;
    engine.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn text_from_outside_is_cleaned() {
    let server = Server::start(|asked| {
        asked.lists("/rollouts").then(|| {
            let mut object = rollout("payments", 100);
            object["status"]["message"] = "\u{1b}[2J\u{202e}gone\n".into();
            object["spec"]["template"]["spec"]["containers"][0]["image"] = "app:\u{7}1".into();
            Reply::Json(200, list(&[object], 100, None))
        })
    })
    .await;
    let engine = start(&server, timings()).await;
    let world = until(&engine, "the list", |w| has(w, "payments")).await;
    let rollout = &world.targets.values().next().expect("a target").rollout;
    for text in [&rollout.message, &rollout.containers[0].image] {
        assert!(!text.as_str().chars().any(|c| c.is_control() || c == '\u{202e}'), "{text:?}");
    }
    engine.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pods_are_asked_for_only_while_somebody_looks_at_their_target() {
    let server = Server::start(|_| None).await;
    let engine = start(&server, timings()).await;
    let target = engine.until("payments", |_| true).await;
    assert_eq!(server.count("GET", "/pods"), 0);
    engine.handle.focus(Some(target.id().clone()));
    let world = until(&engine, "its pods", |w| w.targets.values().any(|t| t.pods.is_some())).await;
    assert!(world.targets.values().all(|t| t.pods.as_ref().is_some_and(|p| p.is_empty())));
    let asked = server.asked().into_iter().find(|a| a.lists("/pods")).expect("a list of pods");
    assert_eq!(asked.query("labelSelector").as_deref(), Some("app%3Dpayments"));
    engine.handle.focus(None);
    until(&engine, "no pods", |w| w.targets.values().all(|t| t.pods.is_none())).await;
    engine.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_is_known_by_its_own_uid() {
    let server = Server::start(|_| None).await;
    let engine = start(&server, timings()).await;
    let target = engine.until("payments", |_| true).await;
    assert_eq!(target.id().cluster.0.as_str(), "the-cluster");
    engine.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_without_the_crd_says_so_with_the_fix_and_is_asked_again() {
    let server = Server::start(|asked| {
        (asked.is("GET", "/rollouts") && asked.before < 2)
            .then(|| Reply::Raw(b"HTTP/1.1 404 Not Found\r\ncontent-length: 19\r\n\r\n404 page not found\n".to_vec()))
    })
    .await;
    let engine = start(&server, timings()).await;
    let denied = |w: &World| match link(w).map(|l| l.state.clone()) {
        Some(LinkState::Denied { why }) => Some(why.to_string()),
        _ => None,
    };
    let world = until(&engine, "the refusal", |w| denied(w).is_some()).await;
    let why = denied(&world).expect("a reason");
    assert!(why.contains("install Argo Rollouts") && why.contains("rollouts.argoproj.io"), "{why}");
    until(&engine, "the list once it is installed", |w| live(w) && has(w, "payments")).await;
    engine.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_right_to_list_without_the_right_to_watch_is_shown_and_what_was_listed_stays() {
    let server = Server::start(|asked| {
        let watch = asked.watches("/rollouts");
        watch.then(|| Reply::Json(403, status(403, "Forbidden", "anna cannot watch resource rollouts")))
    })
    .await;
    let engine = start(&server, timings()).await;
    let world = until(&engine, "the refusal", |w| {
        has(w, "payments") && link(w).is_some_and(|l| matches!(l.state, LinkState::Denied { .. }))
    })
    .await;
    let Some(LinkState::Denied { why }) = link(&world).map(|l| &l.state) else { unreachable!() };
    assert!(why.as_str().contains("cannot watch"), "{why}");
    engine.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_goes_away_is_met_again() {
    let gone = Arc::new(AtomicBool::new(false));
    let is = gone.clone();
    let server = Server::start(move |asked| {
        if is.load(Ordering::SeqCst) {
            return Some(Reply::Reset);
        }
        // A watch that ends soon, so that the outage is noticed.
        asked.watches("/rollouts").then(|| Reply::StreamAndEnd(vec![(Duration::from_millis(100), b"\n".to_vec())]))
    })
    .await;
    let engine = start(&server, timings()).await;
    until(&engine, "the list", |w| live(w) && has(w, "payments")).await;
    gone.store(true, Ordering::SeqCst);
    until(&engine, "trouble", |w| link(w).is_some_and(|l| matches!(l.state, LinkState::Backoff { tries: 2.., .. })))
        .await;
    assert!(has(&engine.handle.world(), "payments"), "what was seen stays");
    gone.store(false, Ordering::SeqCst);
    until(&engine, "life again", live).await;
    engine.end().await;
}
