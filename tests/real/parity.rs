//! The demo world beside the real cluster.

use std::path::Path;
use std::time::Duration;

use crate::parity_script::{Side, compare, demo, kept_matrix, matrix, play};
use crate::stack::{node, stack};

/// The real cluster's.
const PACE: matrix::Pace = matrix::Pace {
    together: 30,
    look: Duration::from_millis(400),
    effect: Duration::from_secs(20),
    expected: Duration::from_secs(1),
    other: Duration::from_secs(8),
    patience: Duration::from_secs(200),
};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_demo_world_is_like_the_real_one() {
    let stack = stack();
    let namespace = stack.sleepy("parity").await;
    // The script stops and continues the controller as it needs it: no other test may need it meanwhile.
    let alone = stack.stopped().await;
    alone.go_on();
    let brake = stack.clone();
    let real = Side {
        client: stack.client().await,
        kubeconfig: stack.kubeconfig.clone(),
        namespace: namespace.name.clone(),
        node: Some(node()),
        instance: namespace.instance,
        prometheus: Some(stack.prometheus()),
        controller: Box::new(move |runs| {
            let stack = brake.clone();
            Box::pin(async move { stack.controller(if runs { "cont" } else { "stop" }) })
        }),
    };
    let (_world, _folder, demo) = demo().await;
    let (real, demo) = tokio::join!(play(&real), play(&demo));
    if let Some(kept) = std::env::var_os("FLIGHTDECK_TEST_TRANSCRIPTS") {
        std::fs::write(Path::new(&kept).join("real.txt"), format!("{}\n", real.join("\n"))).expect("written");
    }
    compare(&demo, &real);
    assert!(real.len() > 50, "the script has {} lines", real.len());
}

/// Every act in every state, held to what was kept of it: the hermetic tests hold the demo world to the same lines.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_act_in_every_state_is_as_it_was_kept() {
    let stack = stack();
    let namespace = stack.sleepy("matrix").await;
    let alone = stack.stopped().await;
    alone.go_on();
    let brake = stack.clone();
    let real = Side {
        client: stack.client().await,
        kubeconfig: stack.kubeconfig.clone(),
        namespace: namespace.name.clone(),
        node: Some(node()),
        instance: namespace.instance,
        prometheus: Some(stack.prometheus()),
        controller: Box::new(move |runs| {
            let stack = brake.clone();
            Box::pin(async move { stack.controller(if runs { "cont" } else { "stop" }) })
        }),
    };
    let only = std::env::var("FLIGHTDECK_TEST_PAIRS").unwrap_or_default();
    let expected: Vec<String> = kept_matrix().into_iter().filter(|line| line.contains(&only)).collect();
    let recording = std::env::var_os("FLIGHTDECK_TEST_TRANSCRIPTS");
    // What is recorded does not lean on what was: it waits long enough to see what comes late.
    let leans_on = if recording.is_some() { &[] } else { expected.as_slice() };
    let lines = matrix::play(&real, PACE, leans_on, &only).await;
    if let Some(kept) = recording {
        std::fs::write(Path::new(&kept).join("matrix.txt"), format!("{}\n", lines.join("\n"))).expect("written");
        return;
    }
    matrix::compare(&lines, &expected, &[]);
}
