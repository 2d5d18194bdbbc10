//! Rollback plans and acts on several targets: every step recorded, the traffic where it was promised.

use serde_json::{Value, json};

use crate::ground::{active_of, analysis, blue_green, canary, canary_weight, hash_of, ladder, stable_of, text};
use crate::program::Program;
use crate::stack::stack;

/// Rolls back and expects that every step is done; the verbs of the steps.
#[track_caller]
fn roll_back(program: &Program, name: &str, more: &[&str]) -> Vec<String> {
    let mut verb = vec!["rollback", name, "--yes", "--reason", "errors", "-o", "json"];
    verb.extend(more);
    let ran = program.run(&verb);
    let said = ran.json();
    assert_eq!((ran.code, &said["done"]), (0, &json!(true)), "{said:#}");
    // The last step of a blue-green's plan is there in case it stops at the preview, and mostly left out.
    let done = |step: &&Value| step["state"] == "done" || (step["state"] != "left out" && panic!("{said:#}"));
    said["steps"].as_array().expect("steps").iter().filter(done).map(|step| text(&step["op"])).collect()
}

fn intents(program: &Program) -> Vec<Value> {
    program.records().into_iter().filter(|record| record["kind"] == "intent").collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_canary_in_flight_is_rolled_back_by_an_abort() {
    let stack = stack();
    let _running = stack.running().await;
    let ns = stack.namespace("back-canary").await;
    ns.waiting_canary("payments", true).await;
    let program = ns.program();
    let plan = program.run(&["rollback", "payments", "--plan-only", "-o", "json"]).expect(0).json();
    assert_eq!(plan["steps"].as_array().map(Vec::len), Some(1), "{plan:#}");
    assert!(intents(&program).is_empty(), "a plan that is only looked at sends nothing");
    assert_eq!(roll_back(&program, "payments", &[]), ["abort"]);
    assert_eq!(canary_weight(&ns.degraded("payments").await), Some(0));
    let intents = intents(&program);
    assert_eq!(intents.len(), 1);
    assert_eq!(intents[0]["plan"]["of"], 1, "{:#}", intents[0]);
    assert_eq!(intents[0]["reason"], "errors");
    program.run(&["audit", "verify", "--strict"]).expect(0);
    let again = program.run(&["rollback", "payments", "--yes"]);
    assert_ne!(again.code, 0, "{again:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_canary_that_is_through_is_rolled_back_by_an_undo_to_the_revision_that_was_picked() {
    let stack = stack();
    let _running = stack.running().await;
    let ns = stack.namespace("back-done").await;
    let before = ns.waiting_canary("payments", false).await;
    let program = ns.program();
    program.act(&["promote-full", "payments"], "done");
    ns.healthy("payments").await;
    let steps = roll_back(&program, "payments", &["--to-revision", "1"]);
    assert_eq!(steps, ["undo"]);
    let stands = ns.paused_at("payments", 1).await;
    assert_eq!(hash_of(&stands), stable_of(&before));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blue_green_is_rolled_back_at_once_while_the_old_version_is_up() {
    let stack = stack();
    let _running = stack.running().await;
    let ns = stack.namespace("back-bg").await;
    let before = ns.waiting_preview("checkout", &json!({"scaleDownDelaySeconds": 120})).await;
    let program = ns.program();
    program.act(&["resume", "checkout"], "done");
    ns.healthy("checkout").await;
    ns.until_set("checkout", &stable_of(&before), |set| set.deadline.is_some()).await;
    assert_eq!(roll_back(&program, "checkout", &[])[0], "undo");
    let stands = ns.healthy("checkout").await;
    assert_eq!((active_of(&stands), stable_of(&stands)), (stable_of(&before), stable_of(&before)));
}

/// The preview of the old version would wait for a person: the plan's second step is that person.
#[tokio::test(flavor = "multi_thread")]
async fn a_blue_green_whose_old_version_is_down_is_rolled_back_through_its_preview() {
    let stack = stack();
    let _running = stack.running().await;
    let ns = stack.namespace("back-down").await;
    let before = ns.waiting_preview("checkout", &json!({"scaleDownDelaySeconds": 1})).await;
    let program = ns.program();
    program.act(&["resume", "checkout"], "done");
    ns.healthy("checkout").await;
    ns.until_set("checkout", &stable_of(&before), |set| set.available == 0 && set.deadline.is_none()).await;
    assert_eq!(roll_back(&program, "checkout", &["--to-revision", "1"]), ["undo", "resume"]);
    let stands = ns.healthy("checkout").await;
    assert_eq!((active_of(&stands), stable_of(&stands)), (stable_of(&before), stable_of(&before)));
    let steps: Vec<Value> = intents(&program).iter().map(|i| i["plan"]["step"].clone()).collect();
    assert_eq!(steps[steps.len() - 2..], [json!(1), json!(2)], "{steps:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_cutover_onto_failing_pods_the_plan_is_an_undo_and_not_an_abort() {
    let stack = stack();
    let _running = stack.running().await;
    let ns = stack.namespace("back-failing").await;
    ns.analysis("vector(0.01)", &json!({})).await;
    let more = json!({"postPromotionAnalysis": analysis(), "scaleDownDelaySeconds": 120});
    ns.make("checkout", &blue_green("checkout", &more), 3, &json!({})).await;
    ns.set_image("checkout", "2").await;
    ns.measuring().await;
    let before = ns.rollout("checkout").await;
    ns.unready("checkout", &hash_of(&before)).await;
    assert_eq!(roll_back(&ns.program(), "checkout", &[])[0], "undo");
    assert_eq!(active_of(&ns.healthy("checkout").await), stable_of(&before));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_abort_that_hangs_is_rolled_back_by_an_undo() {
    let stack = stack();
    let _running = stack.running().await;
    let ns = stack.namespace("back-hangs").await;
    let mut strategy = canary("payments", &ladder(), true);
    strategy["canary"]["dynamicStableScale"] = true.into();
    strategy["canary"]["abortScaleDownDelaySeconds"] = 30.into();
    ns.make("payments", &strategy, 5, &json!({})).await;
    ns.set_image("payments", "2").await;
    let before = ns.paused_at("payments", 1).await;
    assert_eq!(roll_back(&ns.program(), "payments", &[]), ["undo"]);
    let stands = ns.healthy("payments").await;
    assert_eq!((stable_of(&stands), canary_weight(&stands)), (stable_of(&before), Some(0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_act_on_several_targets_in_order_stops_at_the_first_that_fails_unless_told_to_keep_going() {
    let stack = stack();
    let _running = stack.running().await;
    for keeps_going in [false, true] {
        let ns = stack.namespace("group").await;
        let (strategy, nothing_more) = (canary("two", &ladder(), false), json!({}));
        tokio::join!(
            ns.waiting_canary("one", false),
            ns.make("two", &strategy, 2, &nothing_more),
            ns.waiting_canary("three", false),
        );
        let program = ns.program();
        let mut verb = vec!["abort", "one", "two", "three", "--yes", "-o", "json"];
        if keeps_going {
            verb.push("--keep-going");
        }
        // The second has nothing in flight.
        let said = program.run(&verb).expect(4).json();
        let states: Vec<String> =
            said["steps"].as_array().expect("steps").iter().map(|step| text(&step["state"])).collect();
        let third = if keeps_going { "done" } else { "left out" };
        assert_eq!(states, ["done", "refused", third], "{said:#}");
        ns.degraded("one").await;
        let three = ns.rollout("three").await;
        assert_eq!(three["status"]["abort"] == true, keeps_going, "{three:#}");
        assert_eq!(intents(&program).len(), if keeps_going { 2 } else { 1 }, "a record each");
        program.run(&["audit", "verify", "--strict"]).expect(0);
    }
}
