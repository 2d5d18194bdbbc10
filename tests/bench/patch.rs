//! A patch on the real cluster to its text on the screen, beside `kubectl argo rollouts get rollout -w` in the same run.
//!
//! The controller is frozen meanwhile: it would take the mark away again.

#[path = "../support/stack.rs"]
#[expect(dead_code, reason = "shared with the real tests")]
mod stack;

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::json;

use super::Mode;
use super::screen::Screen;
use super::table::{Row, Spread};

const TIMES: usize = 60;

/// P3 on the real cluster, beside the plugin, and what else is installed.
pub fn rows(_: Mode) -> Vec<Row> {
    let what = "patch sent → its text on the screen, real API server";
    let target = "its answer + 5 ms (p50), + 20 ms (p99)";
    if std::env::var_os("FLIGHTDECK_TEST_STACK").is_none() && std::env::var_os("FLIGHTDECK_TEST_KUBECONFIG").is_none() {
        return vec![Row::open("P3", what, "no cluster: `tests/real/run --up` prints what to export first", target)];
    }
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let (patches, ours, theirs) = runtime.block_on(measure());
    let met = ours.at(0.5) <= patches.at(0.5) + 5.0 && ours.at(0.99) <= patches.at(0.99) + 20.0;
    let answer = format!("{ours}; its answer alone: p50 {:.2}, p99 {:.2}", patches.at(0.5), patches.at(0.99));
    vec![
        Row::judged("P3", what, answer, target, "the controller is stopped meanwhile", met),
        Row::note(
            "P3",
            "the same for `kubectl argo rollouts get rollout -w`",
            theirs.to_string(),
            "patches of spec.replicas, which it shows; it draws once a second, and they follow its beat: read it as within a second",
        ),
    ]
}

async fn measure() -> (Spread, Spread, Spread) {
    let stack = stack::stack();
    let namespace = stack.namespace("bench").await;
    let steps = json!([{"setWeight": 50}, {"pause": {}}, {"setWeight": 100}]);
    namespace.canary("payments", 2, &steps, false).await;
    namespace.set_image("payments", "2").await;
    namespace.paused_at("payments", 1).await;
    let _stopped = stack.stopped().await;

    let state = tempfile::tempdir().expect("a temporary folder");
    let env: [(&str, &Path); 2] = [("KUBECONFIG", &stack.kubeconfig), ("FLIGHTDECK_STATE_DIR", state.path())];
    let mut ours = Screen::start(&super::program(), &["--namespace", &namespace.name], &env, 200, 60);
    ours.until("row", |text| text.contains("payments"));
    let plugin = stack.program("kubectl-argo-rollouts");
    let watch = ["-n", &namespace.name, "get", "rollout", "payments", "-w"];
    let mut theirs = Screen::start(&plugin, &watch, &env, 200, 60);
    theirs.until("status", |text| text.contains("Status:"));

    let (mut our_times, mut their_times, mut patches) = (Vec::new(), Vec::new(), Vec::new());
    for turn in 0..TIMES {
        ours.settle(Duration::from_millis(30));
        let mark = format!("mark-{turn:05}");
        let at = Instant::now();
        namespace.patch("payments", "/status", &json!({"status": {"phase": "Degraded", "message": mark}})).await;
        patches.push(at.elapsed());
        our_times.push(ours.until("mark", |text| text.contains(&mark)).duration_since(at));
    }
    // The plugin works the phase out by itself and shows no such message: what it shows of the spec is taken.
    for turn in 0..TIMES {
        theirs.settle(Duration::from_millis(30));
        let wanted = 1000 + turn;
        let at = Instant::now();
        namespace.patch("payments", "", &json!({"spec": {"replicas": wanted}})).await;
        let mark = wanted.to_string();
        their_times.push(theirs.until("wanted", |text| text.contains(&mark)).duration_since(at));
    }
    (Spread::of(&patches), Spread::of(&our_times), Spread::of(&their_times))
}
