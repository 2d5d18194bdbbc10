//! The cockpit on the real cluster, from the keyboard.

use std::path::Path;

use serde_json::json;

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
    screen.press("q");
    assert_eq!(screen.ended(), 0);
    scenario::restored(&screen);
}
