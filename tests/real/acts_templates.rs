//! Acts that bring another version: undo and set image, on the Rollout's own template and on that of a Deployment; and marks.

use serde_json::{Value, json};

use crate::ground::{active_of, blue_green, canary, canary_weight, hash_of, ladder, stable_of, text};
use crate::stack::{Namespace, stack};

async fn image_of(ns: &Namespace, name: &str) -> String {
    text(&ns.rollout(name).await["spec"]["template"]["spec"]["containers"][0]["image"])
}

#[tokio::test(flavor = "multi_thread")]
async fn set_image_begins_a_release_and_never_in_production_unasked() {
    let stack = stack();
    let _running = stack.running().await;
    let ns = stack.namespace("image").await;
    ns.make("payments", &canary("payments", &ladder(), false), 3, &json!({})).await;
    // No rule names this namespace: it counts as production.
    ns.program().refused(&["set-image", "payments", "app=example/app:2"], "set-image", "not set by hand");
    let program = ns.free_program();
    program.refused(&["set-image", "payments", "other=example/app:2"], "applies", "no container other");
    program.refused(&["set-image", "payments", "app=example/app:1"], "applies", "runs that image already");
    program.refused(&["set-image", "payments", "app=not an image"], "applies", "no image");
    assert_eq!(image_of(&ns, "payments").await, "example/app:1");
    // The only container need not be named.
    program.act(&["set-image", "payments", "example/app:2"], "done");
    assert_eq!(image_of(&ns, "payments").await, "example/app:2");
    let first = hash_of(&ns.paused_at("payments", 1).await);
    let done = program.act(&["set-image", "payments", "app=example/app:3"], "done");
    assert!(done.contains("rev 3"), "{done}");
    assert_ne!(hash_of(&ns.paused_at("payments", 1).await), first);
}

#[tokio::test(flavor = "multi_thread")]
async fn undo_to_stable_while_a_canary_is_in_flight_skips_its_steps() {
    let stack = stack();
    let _running = stack.running().await;
    for (router, aborted) in [(false, false), (true, false), (false, true)] {
        let ns = stack.namespace("undo").await;
        let before = ns.waiting_canary("payments", router).await;
        let program = ns.program();
        if aborted {
            program.act(&["abort", "payments"], "done");
        }
        let done = program.act(&["undo", "payments", "--to-revision", "1"], "done");
        assert!(done.contains("all traffic"), "{done}");
        let stands = ns.healthy("payments").await;
        assert_eq!((hash_of(&stands), stable_of(&stands)), (stable_of(&before), stable_of(&before)));
        assert_eq!(image_of(&ns, "payments").await, "example/app:1");
        assert!(!router || canary_weight(&stands) == Some(0), "{stands:#}");
        assert!(stands["status"]["abort"].is_null());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn undo_after_completion_is_a_canary_of_its_own() {
    let stack = stack();
    let _running = stack.running().await;
    let ns = stack.namespace("undo-after").await;
    let before = ns.waiting_canary("payments", false).await;
    let program = ns.program();
    program.act(&["promote-full", "payments"], "done");
    ns.healthy("payments").await;
    let none = program.ask(&["undo", "payments"]);
    assert!(none.code == 2 && none.err.contains("to which revision"), "{none:#?}");
    let done = program.act(&["undo", "payments", "--to-revision", "1"], "done");
    assert!(done.contains("is being released"), "{done}");
    let stands = ns.paused_at("payments", 1).await;
    assert_eq!((hash_of(&stands), stable_of(&stands)), (stable_of(&before), hash_of(&before)));
}

/// What the controller puts into a ReplicaSet's template besides must not come back with it: the hash would be another.
#[tokio::test(flavor = "multi_thread")]
async fn undo_leaves_out_what_the_controller_added_to_the_template() {
    let stack = stack();
    let _running = stack.running().await;
    let ns = stack.namespace("undo-metadata").await;
    let mut strategy = canary("payments", &ladder(), true);
    strategy["canary"]["stableMetadata"] = json!({"labels": {"role": "stable"}, "annotations": {"note": "old"}});
    strategy["canary"]["canaryMetadata"] = json!({"labels": {"role": "canary"}, "annotations": {"note": "new"}});
    ns.make("payments", &strategy, 3, &json!({})).await;
    ns.set_image("payments", "2").await;
    let stable = stable_of(&ns.paused_at("payments", 1).await);
    let done = ns.program().act(&["undo", "payments", "--to-revision", "1"], "done");
    assert!(done.contains("all traffic"), "{done}");
    let stands = ns.healthy("payments").await;
    assert_eq!(hash_of(&stands), stable, "the old ReplicaSet was used again");
    let metadata = stands["spec"]["template"]["metadata"].clone();
    assert!(metadata["labels"]["role"].is_null() && metadata["annotations"]["note"].is_null(), "{metadata:#}");
    assert_eq!(ns.sets("payments").await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn undo_to_a_revision_in_the_rollback_window_skips_the_steps() {
    let stack = stack();
    let _running = stack.running().await;
    let ns = stack.namespace("undo-window").await;
    let window = json!({"rollbackWindow": {"revisions": 3}});
    ns.make("payments", &canary("payments", &ladder(), false), 3, &window).await;
    // The window compares whole seconds of the ReplicaSets' ages.
    let made = |set: &Value| text(&set["metadata"]["creationTimestamp"]);
    let path = format!("/apis/apps/v1/namespaces/{}/replicasets", ns.name);
    let first = made(&ns.list(&path).await[0]);
    let now = || jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    ns.until("payments", |_| now() > first).await;
    ns.set_image("payments", "2").await;
    let before = ns.paused_at("payments", 1).await;
    ns.program().act(&["promote-full", "payments"], "done");
    ns.healthy("payments").await;
    ns.program().act(&["undo", "payments", "--to-revision", "1"], "done");
    let stands = ns.healthy("payments").await;
    assert_eq!((hash_of(&stands), stable_of(&stands)), (stable_of(&before), stable_of(&before)));
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_workload_ref_the_deployment_is_written() {
    let stack = stack();
    let _running = stack.running().await;
    for (strategy, is_canary) in [
        (canary("search", &ladder(), false), true),
        (blue_green("search", &json!({"autoPromotionEnabled": false})), false),
    ] {
        let ns = stack.namespace("workload").await;
        ns.workload("search", &strategy).await;
        let stable = stable_of(&ns.rollout("search").await);
        let path = format!("/apis/apps/v1/namespaces/{}/deployments/search", ns.name);
        let program = ns.free_program();
        let wrong = program.ask(&["set-image", "search", "other=example/app:2"]);
        assert_ne!(wrong.code, 0, "{wrong:#?}");
        let done = program.act(&["set-image", "search", "app=example/app:2"], "done");
        assert!(done.contains("rev 2"), "{done}");
        let deployment = ns.send("GET", &path, "application/json", &Value::Null).await.expect("the Deployment");
        let image = &deployment["spec"]["template"]["spec"]["containers"][0]["image"];
        assert_eq!(image, "example/app:2");
        if is_canary {
            ns.paused_at("search", 1).await;
        } else {
            ns.previewing("search").await;
        }
        program.act(&["undo", "search", "--to-revision", "1"], "done");
        let stands = ns.healthy("search").await;
        assert_eq!((hash_of(&stands), stable_of(&stands)), (stable.clone(), stable.clone()));
        assert!(is_canary || active_of(&stands) == stable);
        let intents: Vec<Value> = program.records().into_iter().filter(|r| r["kind"] == "intent").collect();
        for intent in &intents {
            assert!(text(&intent["requests"][0]["path"]).contains("/deployments/search"), "{intent:#}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_marked_revision_is_not_brought_forward_until_the_mark_is_taken_back() {
    let stack = stack();
    let _running = stack.running().await;
    let ns = stack.namespace("mark").await;
    let hash = hash_of(&ns.waiting_canary("payments", false).await);
    let program = ns.program();
    program.refused(&["allow", "payments"], "applies", "not marked");
    program.act(&["forbid", "payments", "--reason", "leaks memory"], "done");
    let set = ns.set("payments", &hash).await;
    assert!(set.annotations.to_string().contains("leaks memory"), "{set:#?}");
    program.refused(&["forbid", "payments"], "applies", "marked already");
    // Another host, which never heard of it.
    let other = ns.program();
    for forward in ["resume", "promote-full"] {
        other.refused(&[forward, "payments"], "do-not-promote", "leaks memory");
    }
    other.act(&["abort", "payments"], "done");
    other.refused(&["retry", "payments"], "do-not-promote", "leaks memory");
    // The mark stays through other releases and when the revision gets another number.
    ns.set_image("payments", "3").await;
    ns.paused_at("payments", 1).await;
    ns.set_image("payments", "2").await;
    ns.paused_at("payments", 1).await;
    other.refused(&["resume", "payments"], "do-not-promote", "leaks memory");
    other.act(&["allow", "payments"], "done");
    other.act(&["resume", "payments"], "done");
    ns.paused_at("payments", 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hold_keeps_an_aborted_canary_up() {
    let stack = stack();
    let _running = stack.running().await;
    let ns = stack.namespace("hold").await;
    let hash = hash_of(&ns.waiting_canary("payments", true).await);
    let program = ns.program();
    program.act(&["abort", "payments"], "done");
    let before = ns.until_set("payments", &hash, |set| set.deadline.is_some()).await;
    // Further away than its own resync period, the controller scales an aborted version down at once.
    let long = program.ask(&["hold", "payments", "--for", "2h"]);
    assert!(long.code == 2 && long.err.contains("1s to 14m"), "{long:#?}");
    program.act(&["hold", "payments", "--for", "14m", "--to-revision", "2"], "done");
    // A whole round of the controller later.
    ns.patch("payments", "", &json!({"metadata": {"labels": {"looked": "again"}}})).await;
    ns.patch("payments", "", &json!({"spec": {"minReadySeconds": 1}})).await;
    ns.degraded("payments").await;
    let after = ns.set("payments", &hash).await;
    assert!(after.deadline > before.deadline && after.desired == before.desired, "{before:?} {after:?}");
}
