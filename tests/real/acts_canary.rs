//! Acts on canaries: their outcome, and what they did to the cluster.

use serde_json::{Value, json};

use crate::ground::{analysis, canary, canary_weight, hash_of, ladder, stable_of, text};
use crate::stack::{Namespace, stack};

/// 20 → an analysis → two pauses → 100.
fn analysed() -> Value {
    json!([{"setWeight": 20}, {"analysis": analysis()}, {"pause": {}}, {"pause": {}}, {"setWeight": 100}])
}

async fn analysing_canary(ns: &Namespace, query: &str, more: &Value) -> String {
    ns.analysis(query, more).await;
    ns.make("payments", &canary("payments", &analysed(), false), 5, &json!({})).await;
    ns.set_image("payments", "2").await;
    let run = ns.measuring().await;
    ns.until("payments", |r| r["status"]["currentStepIndex"] == 1).await;
    run
}

#[tokio::test(flavor = "multi_thread")]
async fn skip_leaves_a_running_analysis_and_stops_at_the_very_next_step() {
    let stack = stack();
    let _running = stack.running().await;
    let ns = stack.namespace("skip").await;
    let run = analysing_canary(&ns, "vector(0.01)", &json!({})).await;
    let program = ns.program();
    let done = program.act(&["skip-step", "payments"], "done");
    assert!(done.contains("step 3/5"), "{done}");
    // The step after it is a pause as well: it must not be skipped along.
    let stands = ns.paused_at("payments", 2).await;
    assert_eq!(stands["status"]["controllerPause"], true);
    assert_eq!(ns.run_of(&run).await, ("Successful".to_owned(), "Run Terminated".to_owned()));
    program.refused(&["skip-step", "payments"], "applies", "paused: resume does it");
    // Two pauses in a row: one resume, one step.
    program.act(&["resume", "payments"], "done");
    ns.paused_at("payments", 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn skip_leaves_a_step_whose_pods_never_get_ready() {
    let stack = stack();
    let _running = stack.running().await;
    let ns = stack.namespace("skip-weight").await;
    ns.make("payments", &canary("payments", &ladder(), true), 5, &json!({})).await;
    ns.broken_image("payments").await;
    ns.program().act(&["skip-step", "payments"], "done");
    let stands = ns.paused_at("payments", 1).await;
    assert_eq!(canary_weight(&stands), Some(0), "no pod is ready: no traffic either");
}

#[tokio::test(flavor = "multi_thread")]
async fn promote_full_is_done_when_the_new_version_is_the_stable_one() {
    let stack = stack();
    let _running = stack.running().await;
    for router in [false, true] {
        let ns = stack.namespace("full").await;
        let hash = hash_of(&ns.waiting_canary("payments", router).await);
        ns.program().act(&["promote-full", "payments"], "done");
        let stands = ns.healthy("payments").await;
        assert_eq!(stable_of(&stands), hash);
        assert_eq!(stands["status"]["currentStepIndex"], 5);
        assert!(stands["status"]["promoteFull"].is_null());
        ns.program().refused(&["promote-full", "payments"], "applies", "nothing is in flight");
        ns.program().refused(&["skip-step", "payments"], "applies", "no step is left");
        ns.program().refused(&["retry", "payments"], "applies", "nothing is in flight");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn promote_full_ends_a_pause_by_hand_too_and_without_ready_pods_it_is_no_effect() {
    let stack = stack();
    let _running = stack.running().await;
    let ns = stack.namespace("full-hand").await;
    let hash = hash_of(&ns.waiting_canary("payments", true).await);
    ns.program().act(&["pause", "payments"], "done");
    ns.until("payments", |r| r["status"]["message"] == "manually paused").await;
    let program = ns.program();
    program.act(&["promote-full", "payments"], "done");
    assert_eq!(stable_of(&ns.healthy("payments").await), hash);
    let intent = program.records().into_iter().find(|r| r["kind"] == "intent").expect("an intent");
    assert_eq!(intent["requests"].as_array().map(Vec::len), Some(2), "{intent:#}");

    let ns = stack.namespace("full-broken").await;
    ns.make("payments", &canary("payments", &ladder(), true), 3, &json!({})).await;
    let before = stable_of(&ns.broken_image("payments").await);
    // All steps are said to be over at once; no pod of the new version is ready.
    ns.program().act(&["promote-full", "payments", "--wait", "3s"], "no effect");
    let stands = ns.rollout("payments").await;
    assert_eq!(stands["status"]["currentStepIndex"], 5);
    assert_eq!((stable_of(&stands), canary_weight(&stands)), (before, Some(0)));
    let shown = ns.program().run(&["get", "payments", "-o", "json"]).expect(0).json();
    assert_eq!(shown["weight"]["actual"]["weight"], 0, "{:#}", shown["weight"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn pause_stops_a_step_and_resume_lets_it_go_on() {
    let stack = stack();
    let _running = stack.running().await;
    let ns = stack.namespace("pause").await;
    ns.make("payments", &canary("payments", &ladder(), false), 5, &json!({})).await;
    let program = ns.program();
    let healthy = program.act(&["pause", "payments"], "done");
    assert!(healthy.contains("paused"), "{healthy}");
    program.refused(&["pause", "payments"], "applies", "already paused by hand");
    // A version that comes now waits without a pod.
    ns.set_image("payments", "2").await;
    let waits = ns.until("payments", |r| r["status"]["currentStepIndex"] == 0).await;
    assert_eq!(ns.set("payments", &hash_of(&waits)).await.desired, 0);
    program.act(&["resume", "payments"], "done");
    ns.paused_at("payments", 1).await;

    // On top of a pause of the ladder: that one stays, and its time goes on.
    program.act(&["pause", "payments"], "done");
    let both = ns.until("payments", |r| r["status"]["message"] == "manually paused").await;
    assert_eq!(both["status"]["pauseConditions"][0]["reason"], "CanaryPauseStep");
    program.refused(&["skip-step", "payments"], "applies", "paused by hand");
    program.act(&["resume", "payments"], "done");
    ns.paused_at("payments", 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn abort_is_done_when_the_new_version_has_no_traffic_and_retry_starts_at_the_first_step() {
    let stack = stack();
    let _running = stack.running().await;
    for router in [false, true] {
        let ns = stack.namespace("abort").await;
        let hash = hash_of(&ns.waiting_canary("payments", router).await);
        let program = ns.program();
        program.refused(&["retry", "payments"], "applies", "not aborted");
        program.act(&["abort", "payments"], "done");
        let stands = ns.degraded("payments").await;
        let set = ns.set("payments", &hash).await;
        if router {
            assert_eq!(canary_weight(&stands), Some(0));
            assert!(set.deadline.is_some(), "behind a router its pods stay for a while: {set:?}");
        } else {
            assert_eq!((set.desired, set.available), (0, 0));
        }
        program.refused(&["abort", "payments"], "applies", "already aborted");
        program.refused(&["pause", "payments"], "applies", "aborted");
        program.refused(&["skip-step", "payments"], "applies", "aborted");
        program.refused(&["promote-full", "payments"], "applies", "aborted");
        program.act(&["retry", "payments"], "done");
        let again = ns.paused_at("payments", 1).await;
        assert_eq!(hash_of(&again), hash);
        program.act(&["resume", "payments"], "done");
        ns.paused_at("payments", 3).await;
    }
}

/// The controller says Degraded, `RolloutAborted`, and leaves pods and Services as they are until the pause by hand ends.
#[tokio::test(flavor = "multi_thread")]
async fn abort_of_what_is_paused_by_hand_ends_that_pause() {
    let stack = stack();
    let _running = stack.running().await;
    for router in [false, true] {
        let ns = stack.namespace("abort-hand").await;
        let hash = hash_of(&ns.waiting_canary("payments", router).await);
        let program = ns.program();
        program.act(&["pause", "payments"], "done");
        ns.until("payments", |r| r["status"]["message"] == "manually paused").await;
        program.act(&["abort", "payments"], "done");
        let stands = ns.degraded("payments").await;
        assert_eq!(stands["spec"]["paused"], false);
        if router {
            assert_eq!(canary_weight(&stands), Some(0));
        } else {
            assert_eq!(ns.set("payments", &hash).await.available, 0);
        }
        let intent = program.records().into_iter().rfind(|r| r["kind"] == "intent").expect("an intent");
        assert_eq!(intent["requests"].as_array().map(Vec::len), Some(2), "{intent:#}");
    }
}

/// Without taking that back in the same request the controller forgets the abort.
#[tokio::test(flavor = "multi_thread")]
async fn abort_takes_back_a_full_promotion_that_is_not_through() {
    let stack = stack();
    let _running = stack.running().await;
    for router in [false, true] {
        let ns = stack.namespace("abort-full").await;
        ns.make("payments", &canary("payments", &ladder(), router), 3, &json!({})).await;
        let hash = hash_of(&ns.broken_image("payments").await);
        ns.patch("payments", "/status", &json!({"status": {"promoteFull": true}})).await;
        ns.until("payments", |r| r["status"]["currentStepIndex"] == 5).await;
        ns.program().act(&["abort", "payments"], "done");
        let stands = ns.degraded("payments").await;
        assert_ne!(stands["status"]["promoteFull"], true);
        assert!(router || ns.set("payments", &hash).await.desired == 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn abort_waits_for_the_weight_and_says_so_when_it_hangs() {
    let stack = stack();
    let _running = stack.running().await;
    for (hangs, more) in [(false, json!({})), (true, json!({"abortScaleDownDelaySeconds": 30}))] {
        let ns = stack.namespace("abort-dynamic").await;
        let mut strategy = canary("payments", &ladder(), true);
        strategy["canary"]["dynamicStableScale"] = true.into();
        crate::ground::merge(&mut strategy["canary"], &more);
        ns.make("payments", &strategy, 5, &json!({})).await;
        ns.set_image("payments", "2").await;
        ns.paused_at("payments", 1).await;
        ns.program().act(&["resume", "payments"], "done");
        let stable = stable_of(&ns.paused_at("payments", 3).await);
        let program = ns.program();
        if hangs {
            // The real controller says Degraded, `RolloutAborted`, and leaves a part of the traffic where it was.
            program.act(&["abort", "payments", "--wait", "4s"], "no effect");
            let stands = ns.degraded("payments").await;
            assert_ne!(canary_weight(&stands), Some(0), "the controller does not hang any more: {stands:#}");
            let first = ns.sets("payments").await[0].hash.clone();
            program.act(&["undo", "payments", "--to-revision", &first], "done");
            assert_eq!(stable_of(&ns.healthy("payments").await), stable);
        } else {
            program.act(&["abort", "payments"], "done");
            assert_eq!(canary_weight(&ns.rollout("payments").await), Some(0));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_analysis_that_failed_aborts_and_one_that_is_inconclusive_is_passed_by_resume() {
    let stack = stack();
    let _running = stack.running().await;
    let ns = stack.namespace("inconclusive").await;
    let never = json!({"failureCondition": "result[0] > 0.5", "count": 1});
    ns.analysis("vector(0.2)", &never).await;
    ns.make("payments", &canary("payments", &analysed(), false), 5, &json!({})).await;
    ns.set_image("payments", "2").await;
    let stands = ns.until("payments", |r| r["status"]["message"] == "InconclusiveAnalysisRun").await;
    assert_eq!(stands["status"]["currentStepIndex"], 1);
    let program = ns.program();
    let shown = program.run(&["get", "payments", "-o", "json"]).expect(0).json();
    assert_eq!((&shown["phase"], &shown["message"]), (&json!("Paused"), &json!("InconclusiveAnalysisRun")));
    program.act(&["resume", "payments"], "done");
    ns.paused_at("payments", 2).await;
    assert_eq!(ns.list(&ns.argo("analysisruns")).await.len(), 1, "the same analysis was not run again");

    let ns = stack.namespace("failed").await;
    ns.analysis("vector(0.2)", &json!({"count": 1})).await;
    ns.make("payments", &canary("payments", &analysed(), false), 5, &json!({})).await;
    ns.set_image("payments", "2").await;
    ns.degraded("payments").await;
    let program = ns.program();
    let shown = program.run(&["get", "payments", "-o", "json"]).expect(0).json();
    assert!(text(&shown["message"]).contains("assessed Failed"), "{shown:#}");
    program.refused(&["resume", "payments"], "applies", "not paused");
    program.refused(&["terminate", "payments", "--analysis", "nothing"], "applies", "");
}

#[tokio::test(flavor = "multi_thread")]
async fn terminate_ends_an_analysis_of_a_step_and_in_the_background() {
    let stack = stack();
    let _running = stack.running().await;
    let ns = stack.namespace("terminate").await;
    // Every measurement fails so far, and the limit is far.
    let run = analysing_canary(&ns, "vector(0.2)", &json!({"failureLimit": 1000})).await;
    let done = ns.program().act(&["terminate", "payments"], "done");
    assert!(done.contains(&run), "{done}");
    ns.paused_at("payments", 2).await;
    assert_eq!(ns.run_of(&run).await, ("Successful".to_owned(), "Run Terminated".to_owned()));
    ns.program().refused(&["terminate", "payments"], "applies", "no analysis is running");

    let ns = stack.namespace("background").await;
    ns.analysis("vector(0.01)", &json!({})).await;
    let mut strategy = canary("payments", &ladder(), false);
    strategy["canary"]["analysis"] = analysis();
    ns.make("payments", &strategy, 5, &json!({})).await;
    ns.set_image("payments", "2").await;
    ns.paused_at("payments", 1).await;
    let run = ns.measuring().await;
    ns.program().act(&["terminate", "payments", "--analysis", &run], "done");
    let stands = ns.rollout("payments").await;
    assert_eq!(stands["status"]["currentStepIndex"], 1, "the canary itself stays where it is");
    assert_eq!(ns.run_of(&run).await.0, "Successful");
}

#[tokio::test(flavor = "multi_thread")]
async fn restart_is_done_when_every_pod_is_new() {
    let stack = stack();
    let _running = stack.running().await;
    let ns = stack.namespace("restart").await;
    let hash = hash_of(&ns.waiting_canary("payments", false).await);
    let old = ns.sets("payments").await[0].hash.clone();
    let mut before = ns.pods(&hash).await;
    before.extend(ns.pods(&old).await);
    assert_eq!(before.len(), 5);
    ns.program().act(&["restart", "payments"], "done");
    let stands = ns.rollout("payments").await;
    assert_eq!(stands["status"]["restartedAt"], stands["spec"]["restartAt"]);
    assert_eq!(stands["status"]["currentStepIndex"], 1, "the canary waits where it did");
    let mut after = ns.pods(&hash).await;
    after.extend(ns.pods(&old).await);
    assert!(before.iter().all(|pod| !after.contains(pod)), "{before:?} {after:?}");
}
