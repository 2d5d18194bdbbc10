//! The demo world beside the real cluster.

use std::path::Path;

use crate::parity_script::{Side, compare, demo, play};
use crate::stack::{node, stack};

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
