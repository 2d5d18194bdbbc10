//! What a verb that acts says before it acts, and how it ends where it may not, or cannot.

use flightdeck::demo::{Scenario, World};

use super::demo;
use crate::program::Program;

/// `shop/checkout` has half of the traffic, and 12 % of its requests fail.
pub(super) async fn bad_canary() -> (World, tempfile::TempDir, Program) {
    let world = World::start(&Scenario::named("bad-canary").expect("a scenario"), 1).await.expect("a world");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = |name: &str, text: String| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("a file");
        path
    };
    let mut program = Program::new(&file("kubeconfig", world.kubeconfig()), Some("shop"));
    program.config = Some(file("config.toml", format!("[[prometheus.context]]\nurl = \"{}\"\n", world.prometheus())));
    (world, folder, program)
}

fn kinds(program: &Program) -> Vec<String> {
    let named = |record: serde_json::Value| record["kind"].as_str().unwrap_or_default().to_owned();
    program.records().into_iter().map(named).filter(|kind| kind != "open" && kind != "start").collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn what_is_over_its_limit_is_not_brought_forward_by_yes_alone() {
    let (_world, _folder, program) = bad_canary().await;
    let rates = |text: &str| text.contains("errors  new ") && text.contains("over its limit of 5 %");
    for act in ["promote-full", "resume"] {
        let refused = program.run(&[act, "shop/checkout", "--yes"]).expect(3);
        assert!(rates(&refused.err), "the rates stand beside the act: {refused:?}");
        assert!(refused.err.contains("refused (over-limit)") && refused.err.contains("--over-limit"), "{refused:?}");
        let rehearsed = program.run(&[act, "shop/checkout", "--yes", "--dry-run"]).expect(3);
        assert!(rehearsed.err.contains("over its limit"), "{rehearsed:?}");
        program.run(&[act, "shop/checkout", "--dry-run"]).expect(0);
    }
    let both = program.run(&["promote-full", "shop/checkout", "shop/cart", "--yes"]).expect(3);
    assert!(rates(&both.err) && both.err.contains("--over-limit"), "{both:?}");
    assert!(!kinds(&program).contains(&"intent".to_owned()), "nothing was sent: {:?}", kinds(&program));
    // What is well goes as before, with its rates beside it; and what stops harm goes at any rate.
    let well = program.run(&["pause", "shop/checkout", "--yes"]).expect(0);
    assert!(!well.err.contains("errors"), "it waits for no rate: {well:?}");
    let known = program.run(&["resume", "shop/checkout", "--yes", "--over-limit"]).expect(0);
    assert!(rates(&known.err), "{known:?}");
    let plan = program.run(&["rollback", "shop/checkout", "--plan-only"]).expect(0);
    assert!(rates(&plan.err), "{plan:?}");
    program.run(&["rollback", "shop/checkout", "--yes"]).expect(0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn what_an_act_needs_and_is_not_so_has_one_code_and_a_record() {
    let (_world, _folder, program) = demo().await;
    let held = program.run(&["hold", "shop/payments", "--yes"]).expect(4);
    assert!(held.err.contains("refused (applies)"), "{held:?}");
    program.run(&["retry", "shop/payments", "--yes"]).expect(4);
    program.run(&["terminate", "shop/payments", "--yes"]).expect(4);
    program.run(&["rollback", "other/payments", "--yes"]).expect(4);
    let done = program.run(&["abort", "shop/payments", "--yes"]).expect(0);
    assert!(done.out.starts_with("shop/payments: aborted, done: "), "{done:?}");
    let again = program.run(&["abort", "shop/payments", "--yes"]).expect(4);
    assert!(again.err.contains("already aborted"), "{again:?}");
    assert_eq!(kinds(&program).iter().filter(|kind| *kind == "refusal").count(), 4, "{:?}", kinds(&program));
    // What was not said is another matter.
    let undo = program.run(&["undo", "shop/payments", "--yes"]).expect(2);
    assert!(undo.err.contains("fix: `--to-revision N`") && undo.err.contains("flightdeck history"), "{undo:?}");
    let unasked = program.run(&["pause", "other/payments"]).expect(3);
    assert!(unasked.err.contains("give `--yes`") && !unasked.err.contains("box"), "{unasked:?}");
    let read_only = program.run(&["--read-only", "pause", "other/payments", "--yes"]).expect(3);
    assert!(read_only.err.contains("refused (read-only): nothing is written: started with"), "{read_only:?}");
    // One name that is not there.
    let slip = program.run(&["pause", "other/payments", "other/paymnets", "--yes"]).expect(10);
    assert!(slip.err.contains("nothing was done, to the other targets neither"), "{slip:?}");
    let others = program.run(&["pause", "other/payments", "other/paymnets", "--yes", "--keep-going"]).expect(10);
    assert!(
        others.err.contains("no rollout \"other/paymnets\"") && others.err.contains("(the others go on)"),
        "{others:?}"
    );
    // It went on: what is paused is not paused again.
    program.run(&["pause", "other/payments", "--yes"]).expect(4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn an_aborted_release_names_both_versions_by_their_role() {
    let (_world, _folder, program) = demo().await;
    let page = program.run(&["get", "shop/payments"]).expect(0).out;
    assert!(page.contains("new shop/payments:2; stable shop/payments:1"), "{page}");
    program.run(&["abort", "shop/payments", "--yes"]).expect(0);
    let page = program.run(&["get", "shop/payments"]).expect(0).out;
    assert!(page.contains("aborted shop/payments:2; stable shop/payments:1"), "{page}");
    assert!(!page.contains("Old pods:"), "the pods that go are those of the new version: {page}");
    let steps = program.run(&["wait", "shop/payments", "--for", "step=9", "--timeout", "30s"]).expect(1);
    assert!(steps.err.contains("it has 5 steps"), "{steps:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn an_abort_does_not_wait_for_a_configuration_to_be_mended() {
    let (_world, folder, program) = demo().await;
    let broken = folder.path().join("broken.toml");
    std::fs::write(&broken, "[policy]\nred_only = true\n").expect("written");
    let run = |args: &[&str]| {
        let done = program.command().env("FLIGHTDECK_CONFIG", &broken).args(args).output().expect("it runs");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        crate::program::Ran { code: done.status.code().unwrap_or(-1), out: text(&done.stdout), err: text(&done.stderr) }
    };
    let stopped = run(&["abort", "shop/payments", "--yes"]).expect(2);
    assert!(stopped.err.contains("red_only") && stopped.err.contains("`--no-config`"), "{stopped:?}");
    let forward = run(&["resume", "shop/payments", "--yes", "--no-config"]).expect(3);
    assert!(forward.err.contains("refused (stop-only)"), "{forward:?}");
    let reason = run(&["abort", "shop/payments", "--yes", "--no-config"]).expect(3);
    assert!(reason.err.contains("--reason"), "never looser than the file may be: {reason:?}");
    let aborted = run(&["abort", "shop/payments", "--yes", "--no-config", "--reason", "errors"]).expect(0);
    assert!(aborted.err.contains("no configuration file is read") && aborted.err.contains("on demo"), "{aborted:?}");
    let both = run(&["--config", "x.toml", "--no-config", "status"]).expect(2);
    assert!(both.err.contains("cannot be used with"), "{both:?}");
    // The check is of the files all the same; and usage lines show what is typed, not what is set.
    run(&["--no-config", "config", "check"]).expect(2);
    let usage = run(&["diff"]).expect(2);
    assert!(!usage.err.contains("--config") && !usage.err.contains("--state-dir"), "{usage:?}");
    let variable =
        program.command().env("FLIGHTDECK_NO_CONFIG", "1").env("FLIGHTDECK_CONFIG", &broken).arg("status").output();
    assert!(variable.expect("it runs").status.success(), "the variable says it, too");
}

/// Nothing is in flight on either.
const SETTLED: &str = r#"
pod_ready = "200ms"
[[rollout]]
namespace = "shop"
name = "cart"
image = "shop/cart"
version = "1"
replicas = 2
steps = ["50%", "pause", "100%"]
[[rollout]]
namespace = "shop"
name = "web"
image = "shop/web"
version = "1"
strategy = "blue-green"
replicas = 2
auto_promotion = "no"
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_pause_with_nothing_in_flight_does_to_the_next_release_what_it_says() {
    let world = World::start(&Scenario::parse(SETTLED).expect("a scenario"), 1).await.expect("a world");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("a file");
        path
    };
    let mut program = Program::new(&file("kubeconfig", &world.kubeconfig()), Some("shop"));
    program.config =
        Some(file("config.toml", "[policy]\nset_image_in_production = true\n[ui]\nbadge = \"TRAINING\"\n"));
    for (name, pods) in [("shop/cart", 0), ("shop/web", 2)] {
        let paused = program.run(&["pause", name, "--yes"]).expect(0);
        assert!(paused.out.contains("nothing is in flight, the next release waits until resumed"), "{paused:?}");
        assert!(paused.err.starts_with("TRAINING\n"), "the word that is configured stands beside an act: {paused:?}");
        let image = format!("app={name}:2");
        program.run(&["set-image", name, &image, "--yes"]).expect(0);
        let until = std::time::Instant::now() + std::time::Duration::from_secs(20);
        loop {
            let target = program.run(&["get", name, "-o", "json"]).expect(0).json();
            let new = target["replicaSets"].as_array().expect("sets").iter().find(|set| set["revision"] == 2).cloned();
            if let Some(new) = new.filter(|set| set["available"] == pods) {
                assert_eq!((&new["desired"], &target["phase"]), (&pods.into(), &"Paused".into()), "{target:#}");
                break;
            }
            assert!(std::time::Instant::now() < until, "{target:#}");
        }
        let human = program.run(&["get", name]).expect(0).out;
        assert!(name == "shop/cart" || human.contains("Active:       rev 1"), "{human}");
        program.run(&["resume", name, "--yes"]).expect(0);
    }
}
