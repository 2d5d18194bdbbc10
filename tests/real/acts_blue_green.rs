//! Acts on blue-greens: their outcome, and who has the live traffic afterwards.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::ground::{active_of, analysis, blue_green, hash_of, stable_of};
use crate::stack::{Namespace, stack};

fn slow() -> Value {
    json!({"scaleDownDelaySeconds": 120, "abortScaleDownDelaySeconds": 120})
}

/// A blue-green whose second version is live, while the analysis after the promotion runs; its hash.
async fn switched(ns: &Namespace) -> (String, String) {
    ns.analysis("vector(0.01)", &json!({})).await;
    let mut more = slow();
    more["postPromotionAnalysis"] = analysis();
    ns.make("checkout", &blue_green("checkout", &more), 3, &json!({})).await;
    ns.set_image("checkout", "2").await;
    ns.measuring().await;
    let stands = ns.rollout("checkout").await;
    assert_eq!(active_of(&stands), hash_of(&stands), "{stands:#}");
    (stable_of(&stands), hash_of(&stands))
}

#[tokio::test(flavor = "multi_thread")]
async fn resume_is_done_when_the_active_service_is_on_the_new_version() {
    let stack = stack();
    let _running = stack.running().await;
    for timed in [false, true] {
        let ns = stack.namespace("bg-resume").await;
        let mut more = slow();
        if timed {
            more["autoPromotionEnabled"] = true.into();
            more["autoPromotionSeconds"] = 3600.into();
        }
        let hash = hash_of(&ns.waiting_preview("checkout", &more).await);
        let program = ns.program();
        program.refused(&["skip-step", "checkout"], "applies", "only a canary has steps");
        let done = program.act(&["resume", "checkout"], "done");
        assert!(done.contains("active service"), "{done}");
        let stands = ns.healthy("checkout").await;
        assert_eq!((active_of(&stands), stable_of(&stands)), (hash.clone(), hash));
        program.refused(&["resume", "checkout"], "applies", "not paused");
        program.refused(&["abort", "checkout"], "applies", "nothing is in flight");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_by_hand_on_top_of_the_preview_is_resumed_with_it() {
    let stack = stack();
    let _running = stack.running().await;
    let ns = stack.namespace("bg-hand").await;
    let hash = hash_of(&ns.waiting_preview("checkout", &slow()).await);
    let program = ns.program();
    program.act(&["pause", "checkout"], "done");
    ns.until("checkout", |r| r["status"]["message"] == "manually paused").await;
    program.act(&["resume", "checkout"], "done");
    assert_eq!(active_of(&ns.healthy("checkout").await), hash);
}

#[tokio::test(flavor = "multi_thread")]
async fn promote_full_skips_the_analysis_before_and_after_and_ends_a_pause_by_hand() {
    let stack = stack();
    let _running = stack.running().await;
    for which in ["prePromotionAnalysis", "postPromotionAnalysis"] {
        let ns = stack.namespace("bg-full").await;
        ns.analysis("vector(0.01)", &json!({})).await;
        ns.make("checkout", &blue_green("checkout", &json!({which: analysis()})), 3, &json!({})).await;
        ns.set_image("checkout", "2").await;
        let run = ns.measuring().await;
        let hash = hash_of(&ns.rollout("checkout").await);
        ns.program().act(&["promote-full", "checkout"], "done");
        let stands = ns.healthy("checkout").await;
        assert_eq!((active_of(&stands), stable_of(&stands)), (hash.clone(), hash));
        assert_eq!(ns.run_of(&run).await.1, "Run Terminated");
    }
    let ns = stack.namespace("bg-full-hand").await;
    let hash = hash_of(&ns.waiting_preview("checkout", &slow()).await);
    ns.program().act(&["pause", "checkout"], "done");
    ns.until("checkout", |r| r["status"]["message"] == "manually paused").await;
    ns.program().act(&["promote-full", "checkout"], "done");
    assert_eq!(active_of(&ns.healthy("checkout").await), hash);
}

#[tokio::test(flavor = "multi_thread")]
async fn promote_full_without_ready_pods_is_no_effect() {
    let stack = stack();
    let _running = stack.running().await;
    let ns = stack.namespace("bg-broken").await;
    ns.make("checkout", &blue_green("checkout", &slow()), 2, &json!({})).await;
    let stable = stable_of(&ns.broken_image("checkout").await);
    ns.program().act(&["promote-full", "checkout", "--wait", "2s"], "no effect");
    assert_eq!(active_of(&ns.rollout("checkout").await), stable);
    // It still stands in the spec, and an abort takes it back.
    ns.program().act(&["abort", "checkout"], "done");
    assert_eq!(active_of(&ns.degraded("checkout").await), stable);
}

#[tokio::test(flavor = "multi_thread")]
async fn abort_before_the_switch_and_retry() {
    let stack = stack();
    let _running = stack.running().await;
    let ns = stack.namespace("bg-abort").await;
    let before = ns.waiting_preview("checkout", &slow()).await;
    let program = ns.program();
    program.act(&["abort", "checkout"], "done");
    let stands = ns.degraded("checkout").await;
    assert_eq!(active_of(&stands), stable_of(&before));
    program.refused(&["resume", "checkout"], "applies", "");
    program.act(&["retry", "checkout"], "done");
    let again = ns.previewing("checkout").await;
    assert_eq!(hash_of(&again), hash_of(&before));
    program.act(&["resume", "checkout"], "done");
    assert_eq!(active_of(&ns.healthy("checkout").await), hash_of(&before));
}

#[tokio::test(flavor = "multi_thread")]
async fn abort_after_the_switch_brings_the_traffic_back_while_the_pods_are_ready() {
    let stack = stack();
    let _running = stack.running().await;
    let ns = stack.namespace("bg-switched").await;
    let (stable, _) = switched(&ns).await;
    let done = ns.program().act(&["abort", "checkout"], "done");
    assert!(done.contains("active service"), "{done}");
    assert_eq!(active_of(&ns.degraded("checkout").await), stable);
}

/// The real controller's abort says Degraded, `RolloutAborted`, and leaves the Service on the failing pods.
#[tokio::test(flavor = "multi_thread")]
async fn abort_after_the_switch_is_refused_when_the_pods_fail_and_undo_brings_the_traffic_back() {
    let stack = stack();
    let _running = stack.running().await;
    let ns = stack.namespace("bg-failing").await;
    let (stable, new) = switched(&ns).await;
    ns.unready("checkout", &new).await;
    let program = ns.program();
    program.refused(&["abort", "checkout"], "applies", "roll back instead");
    // Someone else aborts with kubectl, and nothing comes of it.
    ns.patch("checkout", "/status", &json!({"status": {"abort": true}})).await;
    let stands = ns.degraded("checkout").await;
    assert_eq!(active_of(&stands), new, "the controller switches back now: the refusal is not needed any more");
    ns.back(&program, "checkout", &stable);
    let stands = ns.healthy("checkout").await;
    assert_eq!((active_of(&stands), stable_of(&stands)), (stable.clone(), stable));
}

#[tokio::test(flavor = "multi_thread")]
async fn terminate_before_and_after_the_promotion_counts_as_passed() {
    let stack = stack();
    let _running = stack.running().await;
    for which in ["prePromotionAnalysis", "postPromotionAnalysis"] {
        let ns = stack.namespace("bg-terminate").await;
        ns.analysis("vector(0.01)", &json!({})).await;
        ns.make("checkout", &blue_green("checkout", &json!({which: analysis()})), 3, &json!({})).await;
        ns.set_image("checkout", "2").await;
        let run = ns.measuring().await;
        ns.program().act(&["terminate", "checkout", "--analysis", &run], "done");
        let stands = ns.healthy("checkout").await;
        assert_eq!(active_of(&stands), hash_of(&stands));
        assert_eq!(ns.run_of(&run).await, ("Successful".to_owned(), "Run Terminated".to_owned()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn undo_within_the_delay_is_instant_and_after_it_waits_at_the_preview() {
    let stack = stack();
    let _running = stack.running().await;
    for delay in [120, 1] {
        let ns = stack.namespace("bg-undo").await;
        let before = ns.waiting_preview("checkout", &json!({"scaleDownDelaySeconds": delay})).await;
        let (old, new) = (stable_of(&before), hash_of(&before));
        let program = ns.program();
        program.act(&["resume", "checkout"], "done");
        ns.healthy("checkout").await;
        if delay == 1 {
            ns.until_set("checkout", &old, |set| set.available == 0 && set.deadline.is_none()).await;
        } else {
            ns.until_set("checkout", &old, |set| set.deadline.is_some()).await;
        }
        let current = ns.program().ask(&["undo", "checkout", "--to-revision", "2"]);
        assert_eq!(current.code, 4, "{current:#?}");
        if delay == 1 {
            let done = program.act(&["undo", "checkout", "--to-revision", "1"], "done");
            assert!(done.contains("preview"), "{done}");
            let stands = ns.previewing("checkout").await;
            assert_eq!((active_of(&stands), hash_of(&stands)), (new, old.clone()));
            program.act(&["resume", "checkout"], "done");
        } else {
            ns.back(&program, "checkout", "1");
        }
        let stands = ns.healthy("checkout").await;
        assert_eq!((active_of(&stands), stable_of(&stands)), (old.clone(), old.clone()));
        assert_eq!(ns.set("checkout", &old).await.revision, 3, "its ReplicaSet was used again, under a new number");
        let gone = program.ask(&["undo", "checkout", "--to-revision", "1"]);
        assert!(gone.code == 2 && gone.err.contains("no revision 1"), "{gone:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hold_keeps_the_old_version_up_beyond_its_deadline() {
    let stack = stack();
    let _running = stack.running().await;
    let ns = stack.namespace("bg-hold").await;
    let before = ns.waiting_preview("checkout", &json!({"scaleDownDelaySeconds": 8})).await;
    let old = stable_of(&before);
    let program = ns.program();
    program.refused(&["hold", "checkout"], "applies", "deadline");
    program.act(&["resume", "checkout"], "done");
    ns.healthy("checkout").await;
    let set = ns.until_set("checkout", &old, |set| set.deadline.is_some()).await;
    let original: Timestamp = set.deadline.expect("a deadline").parse().expect("a time");
    program.act(&["hold", "checkout", "--for", "1h"], "done");
    program.refused(&["hold", "checkout", "--for", "30m"], "applies", "longer than that already");
    // The deadline that was: nothing happens when it passes, though the controller looks.
    let beyond = original + SignedDuration::from_secs(3);
    let set = ns.until_set("checkout", &old, |_| Timestamp::now() > beyond).await;
    assert_eq!((set.desired, set.available), (3, 3), "{set:?}");
    let until: Timestamp = set.deadline.expect("a deadline").parse().expect("a time");
    assert!(until > original + SignedDuration::from_mins(50), "{until}");
    ns.back(&program, "checkout", &old);
    assert_eq!(active_of(&ns.rollout("checkout").await), old);
}

#[tokio::test(flavor = "multi_thread")]
async fn restart_replaces_the_pods_of_the_live_version() {
    let stack = stack();
    let _running = stack.running().await;
    let ns = stack.namespace("bg-restart").await;
    ns.make("checkout", &blue_green("checkout", &json!({})), 2, &json!({})).await;
    let hash = hash_of(&ns.rollout("checkout").await);
    let before = ns.pods(&hash).await;
    ns.program().act(&["restart", "checkout"], "done");
    let after = ns.pods(&hash).await;
    assert!(before.iter().all(|pod| !after.contains(pod)), "{before:?} {after:?}");
}
