//! Acts when the controller does not answer, when something else moved first, and when two come at once.

use flightdeck::domain::intent::Params;
use flightdeck::domain::outcome::Outcome;
use flightdeck::domain::rollout::Rollout;
use flightdeck::domain::seen::Seen;
use flightdeck::runtime::control::Deadlines;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::engine::Engine;
use crate::ground::{analysis, canary, hash_of, ladder};
use crate::stack::{Namespace, stack};

fn waiting(rollout: &Rollout) -> bool {
    rollout.step_index == Some(1) && !rollout.pause_conditions.is_empty()
}

/// The server says 200 to each, and no word of the controller follows: none of them is done.
#[tokio::test(flavor = "multi_thread")]
async fn no_act_is_done_while_the_controller_sleeps() {
    let stack = stack();
    let ns = stack.sleepy("asleep").await;
    {
        let _running = stack.awake().await;
        let aborted = async {
            ns.waiting_canary("retry", false).await;
            ns.patch("retry", "/status", &json!({"status": {"abort": true}})).await;
            ns.degraded("retry").await;
        };
        let analysed = async {
            ns.analysis("vector(0.01)", &json!({})).await;
            let steps = json!([{"setWeight": 20}, {"analysis": analysis()}, {"pause": {}}]);
            ns.make("skip-step", &canary("skip-step", &steps, false), 5, &json!({})).await;
            ns.set_image("skip-step", "2").await;
            ns.measuring().await;
        };
        tokio::join!(
            aborted,
            analysed,
            ns.waiting_canary("abort", false),
            ns.waiting_canary("promote-full", false),
            ns.waiting_canary("pause", false),
            ns.waiting_canary("restart", false),
            ns.waiting_canary("undo", false),
            ns.waiting_canary("set-image", false),
        );
    }
    let stopped = stack.stopped().await;
    let acts: &[&[&str]] = &[
        &["retry", "retry"],
        &["skip-step", "skip-step"],
        &["abort", "abort"],
        &["promote-full", "promote-full"],
        &["pause", "pause"],
        &["restart", "restart"],
        &["undo", "undo", "--to-revision", "1"],
        &["set-image", "set-image", "example/app:9"],
    ];
    let ns = &ns;
    std::thread::scope(|scope| {
        for verb in acts {
            scope.spawn(move || {
                let mut all = verb.to_vec();
                all.extend(["--wait", "1500ms"]);
                ns.free_program().act(&all, "no effect");
            });
        }
    });
    stopped.go_on();
    // Asked for is asked for: it happens once the controller is back.
    ns.degraded("abort").await;
    ns.healthy("promote-full").await;
    ns.until("pause", |r| r["status"]["message"] == "manually paused").await;
    ns.paused_at("retry", 1).await;
    ns.paused_at("skip-step", 2).await;
    ns.healthy("undo").await;
}

/// For one round of the controller the generation that it says it has observed is newer than what its status is about.
#[tokio::test(flavor = "multi_thread")]
async fn a_status_about_the_version_before_supersedes_though_the_generation_agrees() {
    let stack = stack();
    let ns = stack.sleepy("half-seen").await;
    let hash = {
        let _running = stack.awake().await;
        hash_of(&ns.waiting_canary("payments", false).await)
    };
    let stopped = stack.stopped().await;
    ns.set_image("payments", "3").await;
    let generation = ns.rollout("payments").await["metadata"]["generation"].to_string();
    ns.patch("payments", "/status", &json!({"status": {"observedGeneration": generation}})).await;
    let said = ns.program().act(&["resume", "payments"], "superseded");
    assert!(said.contains("another image"), "{said}");
    let stands = ns.rollout("payments").await;
    assert_eq!((hash_of(&stands), stands["status"]["pauseConditions"].is_array()), (hash, true));
    stopped.go_on();
    ns.paused_at("payments", 1).await;
}

async fn scaled(ns: &Namespace, replicas: u32) -> Value {
    let path = format!("{}/scale?fieldManager=horizontal-pod-autoscaler", ns.rollout_path("payments"));
    let patch = json!({"spec": {"replicas": replicas}});
    ns.send("PATCH", &path, "application/merge-patch+json", &patch).await.expect("scaled");
    ns.until("payments", |r| {
        crate::ground::answered(r) && r["status"]["HPAReplicas"].as_u64() >= Some(u64::from(replicas))
    })
    .await
}

/// A forward act rests on all that was seen; one that stops harm must not be turned away by what moved by itself.
#[tokio::test(flavor = "multi_thread")]
async fn what_an_autoscaler_or_the_clock_moved_turns_away_forward_acts_only() {
    let stack = stack();
    let _running = stack.running().await;
    let ns = stack.namespace("moved").await;
    let steps = json!([{"setWeight": 20}, {"pause": {"duration": "4s"}}, {"setWeight": 60}, {"pause": {}}]);
    ns.make("payments", &canary("payments", &steps, false), 5, &json!({})).await;
    let engine = Engine::start(&stack.kubeconfig, &ns.name, Deadlines::default()).await;
    ns.set_image("payments", "2").await;
    let target = engine.until("payments", waiting).await;
    let seen = Seen::of(&target.rollout, Timestamp::now());
    // The pause ends by itself while the person decides, and an autoscaler moves the generation.
    ns.paused_at("payments", 3).await;
    scaled(&ns, 7).await;
    let now = engine.until("payments", |r| r.step_index == Some(3) && r.replicas.desired == 7).await;
    let act = engine.act("resume", &target, seen.clone(), Params::None).await;
    let act = engine.ended(&act).await;
    assert_eq!(act.ended.as_ref().map(|e| e.1.word()), Some("superseded"), "{act:#?}");
    assert_eq!(ns.rollout("payments").await["status"]["currentStepIndex"], 3);
    let act = engine.act("abort", &now, seen, Params::None).await;
    let act = engine.ended(&act).await;
    assert_eq!(act.ended.as_ref().map(|e| e.1.word()), Some("done"), "{act:#?}");
    ns.degraded("payments").await;
    engine.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_cockpits_that_press_the_same_at_once_do_it_once() {
    let stack = stack();
    let _running = stack.running().await;
    for verb in ["abort", "promote-full", "pause"] {
        let ns = stack.namespace("twice").await;
        ns.waiting_canary("payments", false).await;
        let (one, two) = tokio::join!(
            Engine::start(&stack.kubeconfig, &ns.name, Deadlines::default()),
            Engine::start(&stack.kubeconfig, &ns.name, Deadlines::default()),
        );
        let (a, b) = tokio::join!(one.until("payments", waiting), two.until("payments", waiting));
        let seen = |r: &Rollout| Seen::of(r, Timestamp::now());
        let (first, second) = tokio::join!(
            one.act(verb, &a, seen(&a.rollout), Params::None),
            two.act(verb, &b, seen(&b.rollout), Params::None),
        );
        let (first, second) = tokio::join!(one.ended(&first), two.ended(&second));
        let outcome = |act: &flightdeck::domain::outcome::Act| act.ended.as_ref().map(|e| e.1.clone()).expect("an end");
        let ends = [outcome(&first), outcome(&second)];
        let accepted = [&first, &second].iter().filter(|act| act.accepted.is_some()).count();
        assert!(ends.iter().any(|e| matches!(e, Outcome::Done { .. })), "{verb}: {ends:#?}");
        assert_eq!(accepted, 1, "{verb}: the server took just one of them: {ends:#?}");
        one.end().await;
        two.end().await;
    }
}

/// Marks the ladder as it was: the same uid, version and step come back after an abort and a retry.
#[tokio::test(flavor = "multi_thread")]
async fn promote_full_as_seen_before_an_abort_and_retry_is_superseded() {
    let stack = stack();
    let _running = stack.running().await;
    let ns = stack.namespace("retried").await;
    ns.make("payments", &canary("payments", &ladder(), false), 5, &json!({})).await;
    let engine = Engine::start(&stack.kubeconfig, &ns.name, Deadlines::default()).await;
    ns.set_image("payments", "2").await;
    let target = engine.until("payments", waiting).await;
    let seen = Seen::of(&target.rollout, Timestamp::now());
    let program = ns.program();
    program.act(&["abort", "payments"], "done");
    // Pause conditions carry seconds.
    let second = Timestamp::now().as_second();
    ns.until("payments", |_| Timestamp::now().as_second() > second).await;
    program.act(&["retry", "payments"], "done");
    let now = ns.paused_at("payments", 1).await;
    assert_eq!(hash_of(&now), seen.pod_hash.as_str());
    let act = engine.act("promote-full", &target, seen, Params::None).await;
    let act = engine.ended(&act).await;
    assert_eq!(act.ended.as_ref().map(|e| e.1.word()), Some("superseded"), "{act:#?}");
    ns.paused_at("payments", 1).await;
    engine.end().await;
}
