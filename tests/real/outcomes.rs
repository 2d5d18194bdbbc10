//! Every way in which a resume can end, made to happen on the real cluster.

use std::time::Duration;

use flightdeck::domain::outcome::Outcome;
use flightdeck::domain::seen::Seen;
use flightdeck::runtime::control::Deadlines;
use jiff::Timestamp;
use serde_json::json;

use crate::engine::Engine;
use crate::program::Program;
use crate::proxy::{Fault, Proxy};
use crate::stack::{Namespace, stack};

async fn paused_canary(namespace: &Namespace, timed: bool) {
    let pause = if timed { json!({"pause": {"duration": "1h"}}) } else { json!({"pause": {}}) };
    let steps = json!([{"setWeight": 20}, pause, {"setWeight": 60}, {"pause": {"duration": "1h"}}, {"setWeight": 100}]);
    namespace.canary("payments", 5, &steps, false).await;
    namespace.set_image("payments", "2").await;
    namespace.paused_at("payments", 1).await;
}

fn outcome(act: &flightdeck::domain::outcome::Act) -> &Outcome {
    &act.ended.as_ref().expect("an end").1
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_press_skips_nothing() {
    let stack = stack();
    let _running = stack.running().await;
    let namespace = stack.namespace("second").await;
    paused_canary(&namespace, true).await;
    // Two cockpits, one screen content, two presses.
    let (one, two) = tokio::join!(
        Engine::start(&stack.kubeconfig, &namespace.name, Deadlines::default()),
        Engine::start(&stack.kubeconfig, &namespace.name, Deadlines::default()),
    );
    let on_pause = |r: &flightdeck::domain::rollout::Rollout| r.step_index == Some(1) && !r.pause_conditions.is_empty();
    let (a, b) = tokio::join!(one.until("payments", on_pause), two.until("payments", on_pause));
    let (seen_a, seen_b) = (Seen::of(&a.rollout, Timestamp::now()), Seen::of(&b.rollout, Timestamp::now()));
    let (first, second) = tokio::join!(one.resume(&a, seen_a.clone()), two.resume(&b, seen_b));
    let (first, second) = tokio::join!(one.ended(&first), two.ended(&second));
    let words = [outcome(&first).word(), outcome(&second).word()];
    // The loser may also have been told by its own snapshot.
    assert!(words.contains(&"done") && words.contains(&"superseded"), "{first:#?}\n{second:#?}");
    // A third, late: what it saw is long gone.
    let third = one.resume(&a, seen_a).await;
    let third = one.ended(&third).await;
    assert_eq!(outcome(&third).word(), "superseded", "{third:#?}");
    let stands = namespace.paused_at("payments", 3).await;
    assert_eq!(stands["status"]["currentStepIndex"], 3, "the timed pause of step 4 was not skipped");
    one.end().await;
    two.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_set_while_the_controller_sleeps_supersedes() {
    let stack = stack();
    let namespace = stack.sleepy("sleeping").await;
    {
        let _running = stack.awake().await;
        paused_canary(&namespace, false).await;
    }
    let engine = Engine::start(&stack.kubeconfig, &namespace.name, Deadlines::default()).await;
    let target = engine.until("payments", |r| r.step_index == Some(1) && !r.pause_conditions.is_empty()).await;
    let seen = Seen::of(&target.rollout, Timestamp::now());
    let stopped = stack.stopped().await;
    namespace.set_image("payments", "3").await;
    // The status is what was seen, to the last field: the generation alone tells.
    let now = engine.read(target.id()).await;
    assert_eq!((&now.pod_hash, now.step_index), (&target.rollout.pod_hash, target.rollout.step_index));
    let act = engine.resume(&target, seen).await;
    let act = engine.ended(&act).await;
    let Outcome::Superseded { what } = outcome(&act) else { panic!("{act:#?}") };
    assert!(what.contains("generation"), "{what}");
    assert!(act.sent.is_none());
    drop(stopped);
    let stands = namespace.paused_at("payments", 1).await;
    assert_eq!(
        stands["spec"]["template"]["spec"]["containers"][0]["image"].as_str().map(|i| i.ends_with(":3")),
        Some(true)
    );
    engine.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_abort_and_retry_in_between_supersedes() {
    let stack = stack();
    let _running = stack.running().await;
    let namespace = stack.namespace("retry").await;
    paused_canary(&namespace, false).await;
    let engine = Engine::start(&stack.kubeconfig, &namespace.name, Deadlines::default()).await;
    let target = engine.until("payments", |r| r.step_index == Some(1) && !r.pause_conditions.is_empty()).await;
    let seen = Seen::of(&target.rollout, Timestamp::now());
    namespace.patch("payments", "/status", &json!({"status": {"abort": true}})).await;
    namespace.until("payments", |r| r["status"]["phase"] == "Degraded").await;
    // Pause conditions carry seconds.
    let second = Timestamp::now().as_second();
    while Timestamp::now().as_second() == second {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    namespace.patch("payments", "/status", &json!({"status": {"abort": false}})).await;
    namespace.paused_at("payments", 1).await;
    let now = engine.read(target.id()).await;
    assert_eq!(
        (&now.uid, &now.pod_hash, now.step_index, now.generation),
        (&seen.uid, &seen.pod_hash, seen.step_index, seen.generation),
        "all but the time of the pause came back"
    );
    let act = engine.resume(&target, seen).await;
    let act = engine.ended(&act).await;
    let Outcome::Superseded { what } = outcome(&act) else { panic!("{act:#?}") };
    assert!(what.contains("pause was"), "{what}");
    namespace.paused_at("payments", 1).await;
    engine.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn accepted_without_an_effect_is_no_effect_and_not_done() {
    let stack = stack();
    let namespace = stack.sleepy("no-effect").await;
    {
        let _running = stack.awake().await;
        paused_canary(&namespace, false).await;
    }
    let program = Program::new(&stack.kubeconfig, Some(&namespace.name));
    let stopped = stack.stopped().await;
    let nothing = program.run(&["resume", "payments", "--yes", "--wait", "1500ms", "-o", "json"]).expect(5).json();
    assert_eq!(nothing["outcome"], "no effect", "{nothing:#}");
    assert!(nothing["accepted"].is_string());
    stopped.go_on();
    namespace.paused_at("payments", 3).await;
    let again = program.run(&["resume", "payments", "--yes", "--expect-step", "2"]);
    again.expect(4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_is_settled_by_what_is_seen() {
    let stack = stack();
    let _running = stack.running().await;
    let namespace = stack.namespace("lost").await;
    paused_canary(&namespace, false).await;
    let proxy = Proxy::start(stack.client().await).await;
    let program = Program::new(&proxy.kubeconfig(), Some(&namespace.name));

    proxy.set(Fault::LoseAnswer);
    let done = program.run(&["resume", "payments", "--yes", "-o", "json"]).expect(0).json();
    assert_eq!(done["outcome"], "done", "{done:#}");
    assert!(done["detail"].as_str().is_some_and(|d| d.contains("the answer was lost")), "{done:#}");
    assert!(done["accepted"].is_null());
    assert_eq!(proxy.writes(), 1, "sent once");
    namespace.paused_at("payments", 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_request_stays_unknown_and_is_not_sent_again() {
    let stack = stack();
    let _running = stack.running().await;
    let namespace = stack.namespace("unsent").await;
    paused_canary(&namespace, false).await;
    let proxy = Proxy::start(stack.client().await).await;
    proxy.set(Fault::LoseRequest);
    let quick = Deadlines { lost: Duration::from_millis(800), ..Deadlines::default() };
    let engine = Engine::start(&proxy.kubeconfig(), &namespace.name, quick).await;
    let target = engine.until("payments", |r| r.step_index == Some(1) && !r.pause_conditions.is_empty()).await;
    let act = engine.resume(&target, Seen::of(&target.rollout, Timestamp::now())).await;
    let act = engine.ended(&act).await;
    let Outcome::Unknown { why } = outcome(&act) else { panic!("{act:#?}") };
    assert!(why.contains("the answer was lost") && why.contains("step 2/5"), "{why}");
    assert_eq!(proxy.writes(), 1, "sent once");
    engine.end().await;
    assert_eq!(namespace.rollout("payments").await["status"]["currentStepIndex"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_falls_silent_after_the_write_leaves_it_unknown() {
    let stack = stack();
    let _running = stack.running().await;
    let namespace = stack.namespace("dark").await;
    paused_canary(&namespace, false).await;
    let proxy = Proxy::start(stack.client().await).await;
    proxy.set(Fault::GoDark);
    let quick = Deadlines { lost: Duration::from_millis(300), ..Deadlines::default() };
    let engine = Engine::start(&proxy.kubeconfig(), &namespace.name, quick).await;
    let target = engine.until("payments", |r| r.step_index == Some(1) && !r.pause_conditions.is_empty()).await;
    let act = engine.resume(&target, Seen::of(&target.rollout, Timestamp::now())).await;
    let act = engine.ended(&act).await;
    // The watch that stood before may still have brought the effect.
    assert!(matches!(outcome(&act).word(), "unknown" | "done"), "{act:#?}");
    assert_eq!(proxy.writes(), 1, "sent once");
    engine.end().await;
    namespace.paused_at("payments", 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_process_leaves_an_intent_that_the_next_one_settles() {
    let stack = stack();
    let namespace = stack.sleepy("killed").await;
    {
        let _running = stack.awake().await;
        paused_canary(&namespace, false).await;
    }
    let program = Program::new(&stack.kubeconfig, Some(&namespace.name));
    let stopped = stack.stopped().await;
    let mut child = program
        .command()
        .args(["resume", "payments", "--yes", "--wait", "60s"])
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("the program starts");
    // Accepted, and its effect never comes: the moment to die.
    namespace.until("payments", |r| r["status"]["pauseConditions"].is_null()).await;
    child.kill().expect("it can be killed");
    child.wait().expect("it ended");
    stopped.go_on();
    namespace.paused_at("payments", 3).await;
    let deadline = std::time::Instant::now() + Duration::from_secs(30);
    loop {
        program.run(&["watch", "--timeout", "1500ms"]);
        let records = program.records();
        let settled = records.iter().find(|r| r["kind"] == "outcome");
        if let Some(settled) = settled {
            assert_eq!(settled["outcome"]["word"], "unknown", "{settled:#}");
            let detail = settled["outcome"]["detail"].as_str().unwrap_or_default();
            assert!(detail.contains("interrupted") && detail.contains("moved on to step 4/5"), "{detail}");
            break;
        }
        assert!(std::time::Instant::now() < deadline, "{records:#?}");
    }
    program.run(&["audit", "verify", "--strict"]).expect(0);
}
