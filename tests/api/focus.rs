//! What is only read of the target that somebody looks at.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use flightdeck::domain::link::LinkState;
use flightdeck::domain::permissions::Right;
use flightdeck::model::{Target, World, query};
use flightdeck::systems::kubernetes::timings::Timings;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::reads::{start, timings, until};
use crate::engine::Engine;
use crate::scripted::{Reply, Server, event, list, rollout, status};

fn quick() -> Timings {
    Timings {
        focus_every: Duration::from_millis(100),
        focus_read: Duration::from_millis(200),
        focus_silence: Duration::from_millis(500),
        review: Duration::from_millis(300),
        ..timings()
    }
}

async fn focused(server: &Server, timings: Timings) -> Engine {
    let engine = start(server, timings).await;
    let target = engine.until("payments", |_| true).await;
    engine.handle.focus(Some(target.id().clone()));
    engine
}

fn payments(world: &World) -> Option<&Arc<Target>> {
    world.targets.values().find(|t| t.id().name == "payments")
}

fn state<'a>(world: &'a World, what: &str) -> Option<&'a LinkState> {
    world.links.values().find(|l| l.id.what == what).map(|l| &l.state)
}

fn owned(kind: &str, name: &str, owner: &str, at: &str) -> Value {
    json!({"kind": kind, "metadata": {"name": name, "namespace": "shop", "uid": name, "resourceVersion": "7",
        "ownerReferences": [{"kind": "Rollout", "uid": owner, "controller": true}]},
        "status": {"phase": "Running", "startedAt": at}})
}

fn cluster_event(uid: &str, object: (&str, &str), at: &str) -> Value {
    json!({"metadata": {"name": uid, "namespace": "shop", "uid": uid}, "type": "Warning", "reason": uid,
        "involvedObject": {"kind": object.0, "name": object.1}, "lastTimestamp": at})
}

#[tokio::test(flavor = "multi_thread")]
async fn what_belongs_to_the_focused_target_comes_and_goes_with_the_focus() {
    let server = Server::start(|asked| {
        let own = "uid-payments";
        if asked.lists("/analysisruns") {
            let old = owned("AnalysisRun", "old", own, "2026-01-01T00:00:00Z");
            let new = owned("AnalysisRun", "new", own, "2026-01-02T00:00:00Z");
            let other = owned("AnalysisRun", "other", "uid-web", "2026-01-03T00:00:00Z");
            let odd = json!({"metadata": {"name": "odd", "namespace": "shop"}, "spec": 5});
            return Some(Reply::Json(200, list(&[old, new, other, odd], 100, None)));
        }
        if asked.watches("/analysisruns") {
            let later = owned("AnalysisRun", "later", own, "2026-01-04T00:00:00Z");
            return Some(Reply::Stream(vec![(Duration::from_millis(50), event("ADDED", &later))]));
        }
        if asked.lists("/experiments") {
            let one = owned("Experiment", "try", own, "2026-01-01T00:00:00Z");
            return Some(Reply::Json(200, list(&[one], 100, None)));
        }
        if asked.lists("/events") {
            let about = |kind, name| (kind, name);
            let own = "involvedObject.kind%3DRollout%2CinvolvedObject.name%3Dpayments";
            return Some(if asked.query("fieldSelector")? == own {
                let one = cluster_event("paused", about("Rollout", "payments"), "2026-01-01T00:00:00Z");
                Reply::Json(200, list(&[one], 100, None))
            } else {
                let ours = cluster_event("failed", about("ReplicaSet", "payments-778b5d6c7f"), "2026-01-02T00:00:00Z");
                let other = cluster_event("other", about("ReplicaSet", "web-778b5d6c7f"), "2026-01-03T00:00:00Z");
                Reply::Json(200, list(&[ours, other], 100, None))
            });
        }
        asked.is("GET", "/rollouts/payments").then(|| {
            let mut object = rollout("payments", 100);
            object["metadata"]["managedFields"] = json!([{"manager": "kubectl-edit", "operation": "Update",
                "time": "2026-01-01T00:00:00Z", "fieldsV1": {"f:spec": {"f:paused": {}}}}]);
            Reply::Json(200, object)
        })
    })
    .await;
    let engine = focused(&server, quick()).await;
    let all = |t: &Target| {
        t.runs.as_ref().is_some_and(|r| r.len() == 3)
            && t.experiments.as_ref().is_some_and(|e| e.len() == 1)
            && t.events.as_ref().is_some_and(|e| e.len() == 2)
            && t.managers.as_ref().is_some_and(|m| m.len() == 1)
    };
    let world = until(&engine, "all of it", |w| payments(w).is_some_and(|t| all(t))).await;
    let target = payments(&world).expect("it is there");
    let runs: Vec<&str> = target.runs.as_ref().expect("runs").iter().map(|r| r.name.as_str()).collect();
    assert_eq!(runs, ["later", "new", "old"], "newest first, none of others");
    let events: Vec<&str> = target.events.as_ref().expect("events").iter().map(|e| e.reason.as_str()).collect();
    assert_eq!(events, ["failed", "paused"]);
    assert_eq!(target.managers.as_ref().expect("managers")[0].manager, "kubectl-edit");
    assert_eq!(world.warnings.iter().map(|w| w.object.as_str()).collect::<Vec<_>>(), ["shop/odd"]);
    engine.handle.focus(None);
    let gone = |t: &Target| t.runs.is_none() && t.experiments.is_none() && t.events.is_none() && t.managers.is_none();
    until(&engine, "nothing", |w| payments(w).is_some_and(|t| gone(t)) && w.focused.is_empty()).await;
    engine.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_not_be_read_is_denied_and_the_target_is_there_all_the_same() {
    let server = Server::start(|asked| {
        if asked.is("GET", "/analysisruns") {
            return Some(Reply::Json(404, status(404, "NotFound", "the server could not find the requested resource")));
        }
        let events = asked.is("GET", "/events");
        events.then(|| Reply::Json(403, status(403, "Forbidden", "events is forbidden: anna cannot list")))
    })
    .await;
    let engine = focused(&server, quick()).await;
    let world = until(&engine, "the refusals", |w| {
        let denied = |what| matches!(state(w, what), Some(LinkState::Denied { .. }));
        denied("analysisruns") && denied("events") && matches!(state(w, "experiments"), Some(LinkState::Live))
    })
    .await;
    let why = |what| match state(&world, what) {
        Some(LinkState::Denied { why }) => why.to_string(),
        other => panic!("{what}: {other:?}"),
    };
    assert!(why("analysisruns").contains("analysisruns.argoproj.io") && why("events").contains("events is forbidden"));
    let target = payments(&world).expect("it is there");
    assert!(target.runs.is_none() && target.events.is_none(), "not read is not none");
    assert!(query::complete(&world), "details do not make the list incomplete");
    engine.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_focused_object_is_read_although_its_watch_is_dead() {
    let version = Arc::new(AtomicU64::new(100));
    let now = version.clone();
    let server = Server::start(move |asked| {
        asked.is("GET", "/rollouts/payments").then(|| {
            let version = now.load(Ordering::SeqCst);
            let mut object = rollout("payments", version);
            object["status"]["message"] = format!("version {version}").into();
            Reply::Json(200, object)
        })
    })
    .await;
    let engine = focused(&server, quick()).await;
    let message = |w: &World| payments(w).map(|t| t.rollout.message.to_string()).unwrap_or_default();
    version.store(140, Ordering::SeqCst);
    until(&engine, "what is newer", |w| message(w) == "version 140").await;
    // What is older does not turn the clock back.
    version.store(120, Ordering::SeqCst);
    let before = server.count("GET", "/rollouts/payments");
    let later = async {
        while server.count("GET", "/rollouts/payments") < before + 3 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), later).await.expect("three more reads");
    assert_eq!(message(&engine.handle.world()), "version 140");
    engine.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_focused_target_that_does_not_answer_is_stale_long_before_its_watch_is() {
    let silent = Arc::new(AtomicBool::new(false));
    let is = silent.clone();
    let server = Server::start(move |asked| {
        (is.load(Ordering::SeqCst) && asked.is("GET", "/rollouts/payments")).then_some(Reply::Hang)
    })
    .await;
    let engine = focused(&server, quick()).await;
    let live = |w: &World| matches!(state(w, "focus"), Some(LinkState::Live));
    until(&engine, "life", |w| live(w) && payments(w).is_some_and(|t| query::link_of_target(w, t).is_live())).await;
    silent.store(true, Ordering::SeqCst);
    let stale = |w: &World| {
        payments(w).is_some_and(|t| matches!(query::link_of_target(w, t), LinkState::Stale { .. }))
            && matches!(state(w, "rollouts"), Some(LinkState::Live))
    };
    until(&engine, "stale", stale).await;
    silent.store(false, Ordering::SeqCst);
    until(&engine, "life again", |w| live(w) && payments(w).is_some_and(|t| query::link_of_target(w, t).is_live()))
        .await;
    // Another target is not stale for that.
    engine.handle.focus(None);
    until(&engine, "no focus", |w| w.focused.is_empty()).await;
    engine.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_off_is_told_and_one_that_is_right_is_not() {
    let offset = Arc::new(Mutex::new(Duration::from_secs(90)));
    let by = offset.clone();
    let server = Server::start(move |asked| {
        asked.is("GET", "/rollouts/payments").then(|| {
            let then = Timestamp::now() + *by.lock().expect("an offset");
            let date = jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&then).expect("a date");
            Reply::With(200, vec![format!("date: {date}")], rollout("payments", 100))
        })
    })
    .await;
    let engine = focused(&server, quick()).await;
    let world = until(&engine, "the difference", |w| w.clocks.values().any(|ms| *ms != 0)).await;
    let ahead = *world.clocks.values().next().expect("a clock");
    assert!((88_000..92_000).contains(&ahead), "{ahead}");
    *offset.lock().expect("an offset") = Duration::ZERO;
    until(&engine, "no difference", |w| w.clocks.values().all(|ms| *ms == 0)).await;
    engine.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rights_are_reviewed_in_the_namespace_that_is_looked_at_and_again_later() {
    let server = Server::start(|asked| {
        if !asked.is("POST", "/selfsubjectaccessreviews") {
            return None;
        }
        let of: Value = serde_json::from_str(&asked.body).expect("JSON");
        let of = &of["spec"]["resourceAttributes"];
        assert_eq!(of["namespace"], "shop");
        if of["resource"] == "deployments" {
            return Some(Reply::Json(500, status(500, "InternalError", "no")));
        }
        Some(Reply::Json(201, json!({"status": {"allowed": of["subresource"] != "status"}})))
    })
    .await;
    let engine = start(&server, quick()).await;
    let target = engine.until("payments", |_| true).await;
    assert_eq!(server.count("POST", "/selfsubjectaccessreviews"), 0, "nobody looks");
    engine.handle.focus(Some(target.id().clone()));
    let world = until(&engine, "the answers", |w| !w.permissions.is_empty()).await;
    let (place, permissions) = world.permissions.iter().next().expect("an answer");
    assert_eq!((place.0.as_str(), place.1.as_str()), ("scripted", "shop"));
    assert_eq!(permissions.has(Right::Rollouts), Some(true));
    assert_eq!(permissions.has(Right::Status), Some(false));
    assert_eq!(permissions.has(Right::Deployments), None, "no answer is no refusal");
    let again = async {
        while server.count("POST", "/selfsubjectaccessreviews") < 10 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), again).await.expect("asked again");
    engine.end().await;
}
