//! The cluster as a witness of the audit log, and what is found by it.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use flightdeck::domain::seen::Seen;
use flightdeck::runtime::control::{Deadlines, Recording, WitnessSettings};
use flightdeck::systems::kubernetes::timings::Timings;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::engine::Engine;
use crate::program::Program;
use crate::scripted::{Asked, Reply, Server, list, rollout, status};

/// The witness of a scripted cluster: one `ConfigMap`, with versions and conflicts.
#[derive(Default)]
struct Kept {
    map: Mutex<Option<(u64, Value)>>,
    /// So many of the next writes come too late: somebody else writes in between.
    too_late: Mutex<usize>,
}

impl Kept {
    fn answer(&self, asked: &Asked) -> Option<Reply> {
        if !asked.path.contains("/configmaps") {
            return (asked.is("POST", "/events")).then(|| Reply::Json(201, json!({"metadata": {"name": "e"}})));
        }
        let mut map = self.map.lock().expect("the map");
        let body: Value = serde_json::from_str(&asked.body).unwrap_or_default();
        let shown = |map: &(u64, Value)| {
            let mut shown = map.1.clone();
            shown["metadata"]["resourceVersion"] = map.0.to_string().into();
            shown["metadata"]["namespace"] = "shop".into();
            shown
        };
        let mut late = self.too_late.lock().expect("the count");
        if asked.method != "GET" && *late > 0 {
            *late -= 1;
            if let Some(map) = map.as_mut() {
                map.0 += 1;
            }
            return Some(Reply::Json(409, status(409, "Conflict", "the object has been modified")));
        }
        Some(match (asked.method.as_str(), map.as_mut()) {
            ("GET", found) if asked.path.contains("fieldSelector") => {
                Reply::Json(200, list(&found.map(|m| shown(m)).into_iter().collect::<Vec<_>>(), 1, None))
            }
            ("GET", Some(found)) => Reply::Json(200, shown(found)),
            ("GET", None) => Reply::Json(404, status(404, "NotFound", "not found")),
            ("POST", None) => {
                *map = Some((1, body.clone()));
                Reply::Json(201, body)
            }
            ("PUT", Some(found)) if body["metadata"]["resourceVersion"].as_str() == Some(&found.0.to_string()) => {
                *found = (found.0 + 1, body.clone());
                Reply::Json(200, body)
            }
            _ => Reply::Json(409, status(409, "Conflict", "the object has been modified")),
        })
    }

    fn data(&self) -> Value {
        self.map.lock().expect("the map").as_ref().map_or(Value::Null, |(_, map)| map["data"].clone())
    }
}

async fn cluster() -> (Arc<Kept>, Server, Program) {
    let kept = Arc::new(Kept::default());
    let keeping = kept.clone();
    let server = Server::start(move |asked| {
        if asked.method == "PATCH" {
            return Some(Reply::Json(200, rollout("payments", 101)));
        }
        keeping.answer(asked)
    })
    .await;
    let program = Program::new(&server.kubeconfig(), Some("shop"));
    (kept, server, program)
}

/// One act that is sent; nothing comes of it on a scripted server.
fn act(program: &Program) {
    program.run(&["resume", "payments", "--yes", "--wait", "100ms"]).expect(5);
}

fn segment(program: &Program) -> PathBuf {
    program.state.path().join("state/audit/audit-000001.jsonl")
}

fn cut(program: &Program, records: usize) {
    let text = std::fs::read_to_string(segment(program)).expect("the log");
    let kept: String = text.split_inclusive('\n').take(text.lines().count() - records).collect();
    std::fs::write(segment(program), kept).expect("written");
}

const VERIFY: &[&str] = &["audit", "verify", "--witness", "cluster"];

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn an_act_is_told_and_a_cut_tail_is_found() {
    let (kept, server, program) = cluster().await;
    act(&program);
    let event = server.asked().into_iter().find(|a| a.is("POST", "/namespaces/shop/events")).expect("an Event");
    let event: Value = serde_json::from_str(&event.body).expect("JSON");
    assert_eq!(event["involvedObject"]["uid"], "uid-payments");
    assert_eq!((&event["reason"], &event["type"]), (&json!("FlightdeckAct"), &json!("Warning")));
    let message = event["message"].as_str().expect("a message");
    assert!(message.starts_with("resume by anna: no effect: none seen within"), "{message}");
    let records = program.records();
    assert_eq!(records[1]["actor"]["proof"]["kubeUser"], "SelfSubjectReview", "{:#}", records[1]);
    assert!(records[1]["actor"]["osUid"].is_u64() && records[1]["policy"].is_string(), "{:#}", records[1]);
    let whole = program.run(VERIFY).expect(0);
    assert!(whole.out.contains("nothing was cut off") && whole.out.contains("record 3"), "{whole:?}");
    let json = program.run(&[VERIFY, &["-o", "json"]].concat()).expect(0).json();
    assert_eq!(json["witness"]["report"]["provenTo"], 3);

    cut(&program, 1);
    program.run(&["audit", "verify"]).expect(0);
    let found = program.run(VERIFY).expect(9);
    assert!(found.out.contains("RECORD 3 IS MISSING") && found.out.contains("by anna"), "{found:?}");

    // The next act does not cover it up: the witness that contradicts the log is left standing.
    let before = kept.data();
    act(&program);
    assert_eq!(kept.data(), before);
    let found = program.run(VERIFY).expect(9);
    assert!(found.out.contains("RECORD 3 IS MISSING"), "{found:?}");
    assert_eq!(program.run(&[VERIFY, &["-o", "json"]].concat()).expect(9).json()["holds"], false);

    std::fs::remove_file(segment(&program)).expect("removed");
    let found = program.run(VERIFY).expect(9);
    assert!(found.out.contains("IS MISSING"), "a log taken away is found too: {found:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn heads_of_other_logs_stay_and_writes_in_between_are_looked_at_again() {
    let (kept, server, program) = cluster().await;
    act(&program);
    let other = Program::new(&server.kubeconfig(), Some("shop"));
    *kept.too_late.lock().expect("the count") = 2;
    act(&other);
    assert_eq!(server.count("PUT", "/configmaps/flightdeck-witness"), 3, "two came too late");
    let data = kept.data();
    assert_eq!(data.as_object().map(serde_json::Map::len), Some(2), "{data:#}");
    for program in [&program, &other] {
        let whole = program.run(VERIFY).expect(0);
        assert!(whole.out.contains("nothing was cut off") && whole.out.contains("another log"), "{whole:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_witness_that_is_not_there_is_said_and_proves_nothing() {
    let (_kept, server, program) = cluster().await;
    let config = program.state.path().join("config.toml");
    std::fs::write(&config, "[audit.witness]\nenabled = false\n").expect("written");
    let config = config.to_str().expect("a path");
    program.run(&["--config", config, "resume", "payments", "--yes", "--wait", "100ms"]).expect(5);
    assert_eq!(
        server.asked().iter().filter(|a| a.path.contains("configmaps") || a.path.contains("/events")).count(),
        0
    );
    let unknown = program.run(VERIFY).expect(7);
    assert!(unknown.out.contains("no witness knows this log") && unknown.out.contains("holds"), "{unknown:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn refused_acts_are_not_told() {
    let (_kept, server, program) = cluster().await;
    program.run(&["resume", "payments"]).expect(3);
    program.run(&["--read-only", "resume", "payments", "--yes"]).expect(3);
    assert_eq!(server.asked().iter().filter(|a| a.method == "PUT" || a.path.contains("configmaps")).count(), 0);
    assert_eq!(server.count("POST", "/events"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_witness_that_fails_is_a_warning_and_never_in_the_way() {
    for (reply, warns) in [
        (Reply::Json(500, status(500, "InternalError", "etcd is gone")), true),
        (Reply::Reset, true),
        // `doctor` says this once.
        (Reply::Json(403, status(403, "Forbidden", "anna cannot create configmaps")), false),
    ] {
        let refuse = reply.clone();
        let server = Server::start(move |asked| {
            if asked.method == "PATCH" {
                return Some(Reply::Json(200, rollout("payments", 101)));
            }
            (asked.path.contains("configmaps") || asked.is("POST", "/events")).then(|| refuse.clone())
        })
        .await;
        let quick = Deadlines { effect: Some(Duration::from_millis(100)), ..Deadlines::default() };
        let recording = Recording { witness: Some(WitnessSettings::default()), ..Recording::default() };
        let engine = Engine::start_recording(&server.kubeconfig(), "shop", quick, Timings::default(), recording).await;
        let target = engine.until("payments", |r| !r.pause_conditions.is_empty()).await;
        let act = engine.resume(&target, Seen::of(&target.rollout, Timestamp::now())).await;
        let act = engine.ended(&act).await;
        assert_eq!(act.ended.as_ref().expect("an end").1.word(), "no effect");
        let told = |w: &flightdeck::model::World| w.warnings.iter().any(|w| w.link.what == "witness");
        if warns {
            let seen = tokio::time::timeout(Duration::from_secs(20), engine.handle.wait_for(told)).await;
            seen.expect("a warning in time").expect("the engine runs");
        }
        let handle = engine.handle.clone();
        engine.end().await;
        let warnings = handle.world().warnings.iter().filter(|w| w.link.what == "witness").count();
        assert_eq!(warnings, usize::from(warns), "one, however many failed: {reply:?}");
        assert!(server.count("POST", "/events") >= 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn an_abort_goes_without_a_log_and_everybody_else_is_told() {
    let (kept, server, program) = cluster().await;
    std::fs::create_dir_all(program.state.path().join("state")).expect("a folder");
    std::fs::write(program.state.path().join("state/audit"), "no folder").expect("written");
    let patches = || server.asked().iter().filter(|a| a.method == "PATCH").count();
    let refused = program.run(&["abort", "payments", "--yes"]).expect(3);
    assert!(refused.err.contains("--without-record"), "{refused:?}");
    program.run(&["resume", "payments", "--without-record"]).expect(3);
    let required = program.state.path().join("config.toml");
    std::fs::write(&required, "[audit]\nrequired = true\n").expect("written");
    let required = required.to_str().expect("a path");
    program.run(&["--config", required, "abort", "payments", "--without-record"]).expect(3);
    assert_eq!(patches(), 0);

    let went = program.run(&["abort", "payments", "--without-record", "--wait", "100ms"]).expect(5);
    assert_eq!(patches(), 1);
    assert!(went.err.contains("ms  sent") && !went.err.contains("ms  recorded"), "{went:?}");
    // On standard error, for whoever runs it.
    let lines: Vec<Value> =
        went.err.lines().filter(|l| l.starts_with('{')).map(|l| serde_json::from_str(l).expect("JSON")).collect();
    let kinds: Vec<_> = lines.iter().map(|l| (l["kind"].as_str(), l["late"].as_bool())).collect();
    assert_eq!(kinds, [(Some("intent"), Some(true)), (Some("outcome"), Some(true))], "{went:?}");
    assert!(lines[0]["requests"][0]["body"].as_str().is_some_and(|b| b.contains("abort")), "{:#}", lines[0]);
    // And in the cluster.
    let events: Vec<Value> = server
        .asked()
        .iter()
        .filter(|a| a.is("POST", "/events"))
        .map(|a| serde_json::from_str(&a.body).expect("JSON"))
        .collect();
    let act = lines[0]["act"].as_str().expect("an id");
    let names: Vec<_> = events.iter().filter_map(|e| e["metadata"]["name"].as_str()).collect();
    assert_eq!(names, [format!("flightdeck.intent.{act}"), format!("flightdeck.{act}")], "{events:#?}");
    for event in &events {
        assert!(event["message"].as_str().is_some_and(|m| m.contains("not yet in the audit log")), "{event:#}");
    }
    assert!(kept.data().is_null(), "there is no head to tell");
}
