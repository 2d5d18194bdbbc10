//! `--dry-run`: what would be sent, and that nothing is.

use flightdeck::demo::Fault;
use serde_json::json;

use super::demo;
use crate::program::Program;
use crate::scripted::{Reply, Server, status};

fn intents(program: &Program) -> usize {
    program.records().iter().filter(|r| ["intent", "plan"].contains(&r["kind"].as_str().unwrap_or_default())).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn every_act_is_rehearsed_by_the_request_that_it_would_send_and_nothing_changes() {
    let (_world, _folder, program) = demo().await;
    let version = || program.run(&["get", "shop/payments", "-o", "json"]).expect(0).json()["resourceVersion"].clone();
    let before = version();
    for act in [
        &["resume"][..],
        &["promote-full"],
        &["pause"],
        &["abort"],
        &["restart"],
        &["set-image", "shop/payments:9"],
        &["undo", "--to-revision", "1"],
        &["hold", "--to-revision", "1"],
        &["forbid"],
    ] {
        let mut args = vec![act[0], "shop/payments"];
        args.extend(&act[1..]);
        args.extend(["--dry-run", "-o", "json"]);
        let ran = program.run(&args);
        let document = ran.json();
        let request = &document["acts"][0]["requests"][0];
        // Some of these do not apply to what is there; what does is asked of the server.
        if ran.code == 0 {
            assert_eq!(
                (&request["server"], &document["wouldPass"]),
                (&json!("would accept"), &json!(true)),
                "{document:#}"
            );
            let path = request["path"].as_str().expect("a path");
            assert!(path.contains("fieldManager=flightdeck") && !path.contains("dryRun"), "{path}");
            assert!(
                request["body"].as_array().is_some_and(|all| all.iter().any(|o| o["op"] == "test")),
                "{document:#}"
            );
        } else {
            assert!([1, 2, 3, 4].contains(&ran.code), "{document:#}");
        }
        if ["resume", "pause", "abort", "promote-full"].contains(&act[0]) {
            assert_eq!(ran.code, 0, "{document:#}");
        }
    }
    assert_eq!(version(), before, "nothing changed");
    assert_eq!(intents(&program), 0, "a dry run is no act");
    let human = program.run(&["resume", "shop/payments", "--dry-run=server"]).expect(0).out;
    for word in ["DRY RUN", "PATCH /apis/argoproj.io", "test    /metadata/uid", "would accept it"] {
        assert!(human.contains(word), "{word} in {human}");
    }
    program.run(&["resume", "shop/payments", "--dry-run=client"]).expect(2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_dry_run_ends_as_the_act_would() {
    let (world, _folder, program) = demo().await;
    let refused = program.run(&["--read-only", "resume", "shop/payments", "--dry-run"]).expect(3);
    assert!(refused.err.contains("--read-only"), "{refused:?}");
    program.run(&["resume", "shop/payments", "--dry-run", "--expect-revision", "1"]).expect(4);
    program.run(&["retry", "shop/payments", "--dry-run"]).expect(4);
    program.run(&["resume", "shop/nobody", "--dry-run"]).expect(10);
    let several = program.run(&["pause", "shop/payments", "other/payments", "--dry-run", "-o", "json"]).json();
    assert_eq!(several["acts"].as_array().map(Vec::len), Some(2), "{several:#}");
    let back = program.run(&["rollback", "shop/payments", "--dry-run", "-o", "json"]).expect(0).json();
    assert_eq!((&back["kind"], &back["acts"][0]["op"]), (&json!("Rehearsal"), &json!("abort")), "{back:#}");
    world.fault(Fault::RefuseWrites);
    let rejected = program.run(&["resume", "shop/payments", "--dry-run"]);
    assert_ne!(rejected.code, 0, "{rejected:?}");
    assert_eq!(intents(&program), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn no_request_leaves_that_does_not_say_that_it_is_a_rehearsal() {
    let server = Server::start(|asked| {
        (asked.method == "PATCH")
            .then(|| Reply::Json(403, status(403, "Forbidden", "anna cannot patch rollouts/status")))
    })
    .await;
    let program = Program::new(&server.kubeconfig(), Some("shop"));
    let rejected = program.run(&["resume", "payments", "--dry-run"]).expect(1);
    assert!(rejected.err.contains("rollouts/status"), "{rejected:?}");
    let patches: Vec<_> = server.asked().into_iter().filter(|asked| asked.method == "PATCH").collect();
    assert_eq!(patches.len(), 1);
    assert_eq!(patches[0].query("dryRun").as_deref(), Some("All"), "{patches:?}");
    let writes = server.asked().into_iter().filter(|a| !["GET", "PATCH"].contains(&a.method.as_str()));
    // Reviews ask, and store nothing.
    assert!(writes.clone().all(|a| a.path.contains("reviews")), "{:?}", writes.collect::<Vec<_>>());
}
