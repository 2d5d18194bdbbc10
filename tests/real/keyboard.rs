//! The cockpit on the real cluster, from the keyboard.

use std::path::Path;

use serde_json::json;

use crate::ground::{active_of, canary_weight, hash_of, stable_of};
use crate::scenario;
use crate::stack::stack;

#[tokio::test(flavor = "multi_thread")]
async fn a_canary_is_resumed_from_the_keyboard() {
    let stack = stack();
    let _running = stack.running().await;
    let namespace = stack.namespace("keyboard").await;
    let steps = json!([{"setWeight": 20}, {"pause": {}}, {"setWeight": 60}, {"pause": {"duration": "1h"}}]);
    namespace.canary("payments", 5, &steps, false).await;
    namespace.set_image("payments", "2").await;
    namespace.paused_at("payments", 1).await;
    let home = tempfile::tempdir().expect("a temporary folder");
    let env = [("KUBECONFIG", stack.kubeconfig.to_str().expect("a path"))];
    let args = ["--namespace", namespace.name.as_str()];
    let program = Path::new(env!("CARGO_BIN_EXE_flightdeck"));
    let mut screen = scenario::start(program, &args, home.path(), &env, 80, 24);
    scenario::resume(&mut screen, &format!("{}/payments", namespace.name));
    namespace.paused_at("payments", 3).await;
    screen.press("\x1b");
    screen.until("the next pause", |text| text.contains("4/4") && !text.contains("on record"));
    scenario::audit_holds(&mut screen);
    scenario::leave(&mut screen);
    assert_eq!(screen.ended(), 0);
    scenario::restored(&screen);
}

/// A bad canary at 80x24: the chord aborts it, and the traffic is back on the real controller.
#[tokio::test(flavor = "multi_thread")]
async fn a_canary_is_aborted_by_the_chord() {
    let stack = stack();
    let _running = stack.running().await;
    let namespace = stack.namespace("keyboard").await;
    namespace.waiting_canary("payments", true).await;
    let home = tempfile::tempdir().expect("a temporary folder");
    let env = [("KUBECONFIG", stack.kubeconfig.to_str().expect("a path"))];
    let args = ["--namespace", namespace.name.as_str()];
    let program = Path::new(env!("CARGO_BIN_EXE_flightdeck"));
    let mut screen = scenario::start(program, &args, home.path(), &env, 80, 24);
    scenario::find(&mut screen, &format!("{}/payments", namespace.name));
    screen.press("\x0b");
    scenario::yes(&mut screen, "abort");
    screen.until("the outcome", |text| text.contains("done after") && text.contains("on record as number"));
    assert_eq!(canary_weight(&namespace.degraded("payments").await), Some(0));
    screen.press("\x1b");
    // The words behind the box are there before the box is gone; a key that comes too soon after Esc is taken for its tail.
    screen.until("what came of it", |text| text.contains("aborted") && !text.contains("on record as number"));
    scenario::audit_holds(&mut screen);
    scenario::leave(&mut screen);
    assert_eq!(screen.ended(), 0);
}

/// A blue-green preview is promoted, and rolled back by a plan while the old version is still up.
#[tokio::test(flavor = "multi_thread")]
async fn a_blue_green_is_promoted_and_rolled_back_by_a_plan() {
    let stack = stack();
    let _running = stack.running().await;
    let namespace = stack.namespace("keyboard").await;
    let preview = namespace.waiting_preview("web", &json!({"scaleDownDelaySeconds": 600})).await;
    let (old, new) = (stable_of(&preview), hash_of(&preview));
    let home = tempfile::tempdir().expect("a temporary folder");
    let env = [("KUBECONFIG", stack.kubeconfig.to_str().expect("a path"))];
    let args = ["--namespace", namespace.name.as_str()];
    let program = Path::new(env!("CARGO_BIN_EXE_flightdeck"));
    let mut screen = scenario::start(program, &args, home.path(), &env, 80, 24);
    scenario::find(&mut screen, &format!("{}/web", namespace.name));
    scenario::menu(&mut screen, "p");
    assert_eq!(scenario::confirm(&mut screen, "resume"), "live web");
    screen.until("the outcome", |text| text.contains("done after"));
    assert_eq!(active_of(&namespace.healthy("web").await), new);
    // Without its deadline, which comes a moment later, the old version is not taken for one that can come back at once.
    namespace.until_set("web", &old, |set| set.deadline.is_some()).await;
    screen.press("\x1b");
    screen.until("the switch", |text| text.contains("/web:") && text.contains("rev 2 live"));
    scenario::menu(&mut screen, "r");
    screen.until("the plan", |text| text.contains("step 1") && text.contains("its pods are up"));
    assert_eq!(scenario::confirm(&mut screen, "roll back"), "rev 1");
    screen.until("its end", |text| text.contains("all done after"));
    assert_eq!(active_of(&namespace.healthy("web").await), old);
    screen.press("\x1b");
    screen.until("the old version", |text| text.contains("/web:") && text.contains("rev 3 live"));
    scenario::audit_holds(&mut screen);
    scenario::leave(&mut screen);
    assert_eq!(screen.ended(), 0);
}
