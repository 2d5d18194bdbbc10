//! Dry runs on the real API server: it says what it would say, and stores nothing.

use serde_json::{Value, json};

use crate::stack::stack;

/// What must not change: the version moves with every write that is stored.
fn stored(rollout: &Value) -> (Value, Value) {
    (rollout["metadata"]["resourceVersion"].clone(), rollout["metadata"]["managedFields"].clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_would_accept_each_act_and_nothing_is_changed() {
    let stack = stack();
    let running = stack.awake().await;
    let namespace = stack.sleepy("rehearse").await;
    namespace.waiting_canary("payments", false).await;
    drop(running);
    // Else the controller writes when it likes, and the version says nothing of us.
    let _stopped = stack.stopped().await;
    let before = stored(&namespace.rollout("payments").await);
    let sets = namespace.sets("payments").await;
    let program = namespace.free_program();
    for act in [
        &["resume", "payments"][..],
        &["promote-full", "payments"],
        &["pause", "payments"],
        &["abort", "payments"],
        &["restart", "payments"],
        &["set-image", "payments", "example/app:9"],
        &["undo", "payments", "--to-revision", "1"],
        &["forbid", "payments"],
        &["rollback", "payments"],
    ] {
        let mut args = act.to_vec();
        args.extend(["--dry-run", "-o", "json"]);
        let said = program.run(&args).expect(0).json();
        assert_eq!(said["wouldPass"], true, "{said:#}");
        assert_eq!(said["acts"][0]["requests"][0]["server"], "would accept", "{said:#}");
    }
    assert_eq!(stored(&namespace.rollout("payments").await), before);
    assert_eq!(namespace.sets("payments").await.len(), sets.len());
    let superseded = program.run(&["resume", "payments", "--dry-run", "--expect-step", "4"]).expect(4);
    assert!(superseded.err.contains("step"), "{superseded:?}");
    assert_eq!(program.records(), Vec::<Value>::new(), "a dry run is no act, and a refused one neither");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_rests_on_an_earlier_request_is_shown_and_not_asked() {
    let stack = stack();
    let running = stack.awake().await;
    let namespace = stack.sleepy("rehearse-two").await;
    namespace.waiting_canary("payments", false).await;
    namespace.patch("payments", "", &json!({"spec": {"paused": true}})).await;
    namespace
        .until("payments", |r| {
            r["status"]["observedGeneration"].as_str() == Some(&r["metadata"]["generation"].to_string())
        })
        .await;
    drop(running);
    let _stopped = stack.stopped().await;
    let before = stored(&namespace.rollout("payments").await);
    let said = namespace.program().run(&["resume", "payments", "--dry-run", "-o", "json"]).expect(0).json();
    let requests = &said["acts"][0]["requests"];
    assert_eq!((&requests[0]["server"], &requests[1]["server"]), (&json!("would accept"), &json!("not asked")));
    assert_eq!(stored(&namespace.rollout("payments").await), before);
}
