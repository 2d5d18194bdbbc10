//! A write is sent once, whatever the server does; and what each answer means.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use flightdeck::domain::outcome::Outcome;
use flightdeck::domain::seen::Seen;
use flightdeck::runtime::control::Deadlines;
use futures::future::join_all;
use jiff::Timestamp;
use serde_json::json;

use crate::engine::Engine;
use crate::scripted::{Reply, Server, rollout, status};

fn quick() -> Deadlines {
    Deadlines {
        effect: Some(Duration::from_millis(300)),
        lost: Duration::from_millis(300),
        farewell: Duration::from_millis(100),
    }
}

/// One way to answer a write.
pub struct Case {
    pub name: &'static str,
    pub reply: Reply,
    word: &'static str,
    /// What the outcome must say.
    says: &'static str,
}

pub fn cases() -> Vec<Case> {
    let case = |name, reply, word, says| Case { name, reply, word, says };
    let failed = |code, reason: &str, message: &str| Reply::Json(code, status(code, reason, message));
    let rejected = "the server rejected our request due to an error in our request";
    vec![
        case(
            "429",
            Reply::With(429, vec!["retry-after: 1".to_owned()], status(429, "TooManyRequests", "slow down")),
            "failed",
            "429: the server is busy",
        ),
        case("500", failed(500, "InternalError", "etcd is gone"), "unknown", "the answer was lost: 500"),
        case(
            "503",
            Reply::With(503, vec!["retry-after: 1".to_owned()], status(503, "ServiceUnavailable", "leader change")),
            "unknown",
            "the answer was lost: 503",
        ),
        case("504", failed(504, "Timeout", "request timed out"), "unknown", "the answer was lost: 504"),
        case(
            "502 of a proxy",
            Reply::Raw(b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 4\r\n\r\noops".to_vec()),
            "unknown",
            "not an API server",
        ),
        case("hang", Reply::Hang, "unknown", "no answer within 10 s"),
        case("reset", Reply::Reset, "unknown", "the answer was lost"),
        case("closed", Reply::Raw(Vec::new()), "unknown", "the answer was lost"),
        case(
            "cut in the middle",
            Reply::Raw(b"HTTP/1.1 200 OK\r\ncontent-length: 400\r\n\r\n{\"metadata\":".to_vec()),
            "unknown",
            "the answer was lost",
        ),
        case("garbage", Reply::Raw(b"\x00\x01\x02 hello\r\n\r\n".to_vec()), "unknown", "the answer was lost"),
        case(
            "a success that is none",
            Reply::Raw(b"HTTP/1.1 200 OK\r\ncontent-length: 15\r\n\r\n<html>hi</html>".to_vec()),
            "unknown",
            "without the object",
        ),
        case(
            "redirect",
            Reply::With(307, vec!["location: /elsewhere".to_owned()], json!({})),
            "unknown",
            "the answer was lost: 307",
        ),
        case(
            "403",
            failed(403, "Forbidden", "anna cannot patch resource \"rollouts/status\""),
            "failed",
            "403 Forbidden",
        ),
        case("401", failed(401, "Unauthorized", "Unauthorized"), "failed", "log in again"),
        case("409", failed(409, "Conflict", "the object has been modified"), "superseded", "it changed while"),
        case("422 of a test", failed(422, "Invalid", rejected), "superseded", "it changed while"),
        case("422 of the schema", failed(422, "Invalid", "Rollout is invalid: status.x"), "failed", "is invalid"),
        case(
            "404",
            failed(404, "NotFound", "rollouts.argoproj.io \"payments\" not found"),
            "superseded",
            "it changed while",
        ),
        case("accepted and nothing more", Reply::Json(200, rollout("payments", 101)), "no effect", "none seen within"),
    ]
}

async fn play(case: Case) {
    let audit: Arc<OnceLock<PathBuf>> = Arc::default();
    let durable: Arc<Mutex<Vec<bool>>> = Arc::default();
    let (looked_at, found) = (audit.clone(), durable.clone());
    let reply = case.reply.clone();
    let server = Server::start(move |asked| {
        if asked.method != "PATCH" {
            return None;
        }
        // What the disk holds at the moment at which the request is here.
        let folder = looked_at.get().expect("the engine has started");
        let written = std::fs::read_dir(folder)
            .expect("the log")
            .flatten()
            .any(|file| std::fs::read_to_string(file.path()).is_ok_and(|text| text.contains("\"kind\":\"intent\"")));
        found.lock().expect("the list").push(written);
        Some(reply.clone())
    })
    .await;
    let engine = Engine::start(&server.kubeconfig(), "shop", quick()).await;
    audit.set(engine.audit_dir()).expect("set once");
    let target = engine.until("payments", |r| !r.pause_conditions.is_empty()).await;
    let act = engine.resume(&target, Seen::of(&target.rollout, Timestamp::now())).await;
    let act = engine.ended(&act).await;
    let outcome = &act.ended.as_ref().expect("an end").1;
    assert_eq!(outcome.word(), case.word, "{}: {outcome:?}", case.name);
    assert!(outcome.detail().contains(case.says), "{}: {outcome:?}", case.name);
    assert_eq!(*durable.lock().expect("the list"), [true], "{}: the record comes first, and one request", case.name);
    engine.end().await;
    let writes: Vec<_> = server.asked().into_iter().filter(|a| a.method != "GET").collect();
    assert_eq!(writes.len(), 1, "{}: {writes:#?}", case.name);
    assert_eq!(server.count("PATCH", "/elsewhere") + server.count("GET", "/elsewhere"), 0, "{}", case.name);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_write_is_sent_exactly_once_whatever_the_answer() {
    let cases = cases();
    assert!(cases.len() >= 19);
    join_all(cases.into_iter().map(play)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_request_tests_all_that_was_seen() {
    let server =
        Server::start(|asked| (asked.method == "PATCH").then(|| Reply::Json(200, rollout("payments", 101)))).await;
    let engine = Engine::start(&server.kubeconfig(), "shop", quick()).await;
    let target = engine.until("payments", |r| !r.pause_conditions.is_empty()).await;
    let act = engine.resume(&target, Seen::of(&target.rollout, Timestamp::now())).await;
    engine.ended(&act).await;
    engine.end().await;
    let sent = server.asked().into_iter().find(|a| a.method == "PATCH").expect("a patch");
    assert!(sent.path.ends_with("/namespaces/shop/rollouts/payments/status?fieldManager=flightdeck"), "{}", sent.path);
    let operations: Vec<serde_json::Value> = serde_json::from_str(&sent.body).expect("JSON");
    let tests: Vec<&str> = operations.iter().filter(|o| o["op"] == "test").filter_map(|o| o["path"].as_str()).collect();
    assert_eq!(
        tests,
        [
            "/metadata/uid",
            "/metadata/generation",
            "/status/currentPodHash",
            "/status/currentStepIndex",
            "/status/pauseConditions",
            "/status/abort",
            "/status/promoteFull",
        ]
    );
    let rest: Vec<_> = operations.iter().filter(|o| o["op"] != "test").collect();
    assert_eq!(rest, [&json!({"op": "add", "path": "/status/pauseConditions", "value": null})]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changed_between_the_screen_and_the_request_supersedes() {
    let server = Server::start(|asked| {
        asked.is("GET", "/rollouts/payments").then(|| {
            let mut moved = rollout("payments", 105);
            moved["status"]["currentStepIndex"] = 3.into();
            Reply::Json(200, moved)
        })
    })
    .await;
    let engine = Engine::start(&server.kubeconfig(), "shop", quick()).await;
    let target = engine.until("payments", |r| !r.pause_conditions.is_empty()).await;
    let act = engine.resume(&target, Seen::of(&target.rollout, Timestamp::now())).await;
    let act = engine.ended(&act).await;
    assert_eq!(act.ended.as_ref().expect("an end").1, Outcome::Superseded { what: "step was 2, is 4".to_owned() });
    engine.end().await;
    assert_eq!(server.asked().iter().filter(|a| a.method == "PATCH").count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_act_waits_for_the_one_before_it_on_the_same_target() {
    let server = Server::start(|asked| (asked.method == "PATCH").then_some(Reply::Hang)).await;
    let engine = Engine::start(&server.kubeconfig(), "shop", quick()).await;
    let target = engine.until("payments", |r| !r.pause_conditions.is_empty()).await;
    let seen = Seen::of(&target.rollout, Timestamp::now());
    let first = engine.resume(&target, seen.clone()).await;
    let second = engine.resume(&target, seen).await;
    let second = engine.ended(&second).await;
    let Outcome::Refused { rule, .. } = &second.ended.as_ref().expect("an end").1 else { panic!("{second:#?}") };
    assert_eq!(rule, "in-flight");
    let handle = engine.handle.clone();
    engine.end().await;
    // The end of the program ends the first: it may or may not have happened.
    let world = handle.world();
    let first = world.act(&first).expect("the act");
    let Some((_, Outcome::Unknown { why })) = &first.ended else { panic!("{first:#?}") };
    assert!(why.contains("interrupted"), "{why}");
    assert_eq!(server.asked().iter().filter(|a| a.method == "PATCH").count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_act_is_on_record_as_unknown() {
    let server = Server::start(|asked| (asked.method == "PATCH").then_some(Reply::Hang)).await;
    let engine = Engine::start(&server.kubeconfig(), "shop", quick()).await;
    let target = engine.until("payments", |r| !r.pause_conditions.is_empty()).await;
    engine.resume(&target, Seen::of(&target.rollout, Timestamp::now())).await;
    let sent = async {
        while server.asked().iter().all(|a| a.method != "PATCH") {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), sent).await.expect("it is sent");
    let folder = engine.end_and_keep().await;
    let text = std::fs::read_to_string(folder.path().join("audit/audit-000001.jsonl")).expect("the log");
    let last = text.lines().last().expect("a record");
    assert!(last.contains("\"kind\":\"outcome\"") && last.contains("interrupted"), "{last}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_log_nothing_moves_forward() {
    let server =
        Server::start(|asked| (asked.method == "PATCH").then(|| Reply::Json(200, rollout("payments", 101)))).await;
    let engine = Engine::start(&server.kubeconfig(), "shop", quick()).await;
    let target = engine.until("payments", |r| !r.pause_conditions.is_empty()).await;
    // Something else stands in the log's place.
    std::fs::remove_dir_all(engine.audit_dir()).expect("removed");
    std::fs::write(engine.audit_dir(), "no folder").expect("written");
    let act = engine.resume(&target, Seen::of(&target.rollout, Timestamp::now())).await;
    let ended = tokio::time::timeout(Duration::from_secs(20), engine.handle.wait_act(&act)).await.expect("in time");
    let act = ended.expect("the engine runs");
    let Outcome::Refused { rule, .. } = &act.ended.as_ref().expect("an end").1 else { panic!("{act:#?}") };
    assert_eq!(rule, "audit");
    assert!(matches!(act.outcome_recorded, Some(Err(_))), "and that it is not on record is said");
    engine.end().await;
    assert_eq!(server.asked().iter().filter(|a| a.method == "PATCH").count(), 0);
}
