//! Where targets stand: by label, on one line, and waiting for it.

use std::time::{Duration, Instant};

use flightdeck::demo::Fault;
use serde_json::{Value, json};

use super::demo;
use crate::program::Program;
use crate::scripted::{Reply, Server, list, rollout, status};

fn labelled(name: &str, labels: &Value) -> Value {
    let mut object = rollout(name, 100);
    object["metadata"]["labels"] = labels.clone();
    object
}

async fn three() -> (Server, Program) {
    let server = Server::start(|asked| {
        asked.lists("/rollouts").then(|| {
            let all = [
                labelled("cart", &json!({"app": "cart", "tier": "web"})),
                labelled("mail", &json!({"app": "mail"})),
                labelled("search", &json!({"app": "search", "tier": "api"})),
            ];
            Reply::Json(200, list(&all, 100, None))
        })
    })
    .await;
    let program = Program::new(&server.kubeconfig(), Some("shop"));
    (server, program)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn targets_are_chosen_by_label_and_printed_in_the_usual_shapes() {
    let (_server, program) = three().await;
    let names = |selector: &str| program.run(&["status", "-l", selector, "-o", "name"]).expect(0).out;
    assert_eq!(names("tier in (web,api)"), "shop/cart\nshop/search\n");
    assert_eq!(names("!tier"), "shop/mail\n");
    assert_eq!(names("app!=cart,tier"), "shop/search\n");
    let wrong = program.run(&["status", "-l", "tier in (web"]).expect(2);
    assert!(wrong.err.contains("parenthesis"), "{wrong:?}");
    let none = program.run(&["status", "--selector", "app=nobody"]).expect(0);
    assert!(none.out.contains("no rollout has such labels"), "{none:?}");
    let document = program.run(&["status", "-l", "app=mail", "-o", "json"]).expect(0).json();
    assert_eq!(document["targets"].as_array().map(Vec::len), Some(1));
    let yaml = program.run(&["status", "-l", "app=mail", "-o", "yaml"]).expect(0).out;
    assert!(yaml.contains("kind: Status") && yaml.contains("name: mail"), "{yaml}");
    let human = program.run(&["status"]).expect(0).out;
    let bare = program.run(&["status", "--no-headers"]).expect(0).out;
    assert_eq!((human.lines().count(), bare.lines().count()), (4, 3), "{human}");
    let wide = program.run(&["status", "-o", "wide"]).expect(0).out;
    assert!(
        wide.lines().next().is_some_and(|titles| titles.contains("IMAGES") && titles.contains("CONTEXT")),
        "{wide}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn targets_are_filtered_by_the_words_that_the_cockpit_takes() {
    let (_server, program) = three().await;
    let names = |words: &str| program.run(&["status", "--filter", words, "-o", "name"]).expect(0).out;
    assert_eq!(names("state:paused env:prod !cart"), "shop/mail\nshop/search\n");
    assert_eq!(names("label:tier=api,tier=web"), "shop/cart\nshop/search\n");
    assert_eq!(names("state:healthy"), "");
    let both = program.run(&["status", "-l", "tier", "--filter", "!search", "-o", "name"]).expect(0);
    assert_eq!(both.out, "shop/cart\n", "labels and words must both hold");
    let document = program.run(&["status", "--filter", "MAIL", "-o", "json"]).expect(0).json();
    assert_eq!(document["targets"].as_array().map(Vec::len), Some(1));
    assert_eq!(document["targets"][0]["name"], "mail");
    let human = program.run(&["status", "--filter", "ns:sh* cart"]).expect(0).out;
    assert!(human.contains("shop/cart") && !human.contains("shop/mail"), "{human}");
    assert_eq!(program.run(&["status", "--filter", "nobody"]).expect(0).out, "none of 3 is like that\n");
    assert_eq!(program.run(&["status", "--oneline", "--filter", "band:needs !cart"]).expect(1).out, "‖ 2\n");
    assert_eq!(program.run(&["status", "--oneline", "--filter", "band:steady"]).expect(0).out, "● 0\n");
    for (wrong, fix) in [
        ("state:broken", "is one of paused, degraded"),
        ("stat:paused", "state"),
        ("ns:", "the namespace"),
        ("!", "!state:healthy"),
        (" ", "leave it out for all"),
    ] {
        let said = program.run(&["status", "--filter", wrong, "-o", "name"]).expect(2);
        assert!(said.err.contains(fix) && said.err.contains("--filter") && said.out.is_empty(), "{wrong}: {said:?}");
    }
    let help = program.run(&["status", "--help"]).expect(0).out;
    assert!(
        help.contains("flightdeck status --filter 'state:paused") && help.contains("band: needs, moving"),
        "{help}"
    );
}

/// Paused for a time, so nobody is needed, but for its errors.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn bands_rest_on_error_rates_also_where_names_alone_are_printed() {
    let (world, _folder, mut program) = super::acts::bad_canary().await;
    let rates = program.config.take();
    let names = |program: &Program| program.run(&["status", "--filter", "band:needs", "-o", "name"]).expect(0);
    assert_eq!(names(&program).out, "", "no rates are configured");
    program.config = rates;
    let over = names(&program);
    assert_eq!((over.out.as_str(), over.err.as_str()), ("shop/checkout\n", ""));
    let rest = program.run(&["status", "--filter", "!band:needs", "-o", "json"]).expect(0).json();
    let rest = rest["targets"].as_array().expect("targets").iter().map(|target| &target["name"]).collect::<Vec<_>>();
    assert_eq!(rest, ["cart", "web"]);
    world.fault(Fault::NoPrometheus);
    let blind = names(&program);
    assert_eq!(blind.out, "");
    assert!(blind.err.contains("the error rates of 3 are not known"), "{blind:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn one_line_says_what_a_status_bar_needs_and_the_exit_code_says_it_too() {
    let (_server, program) = three().await;
    let paused = program.run(&["status", "--oneline"]).expect(1);
    assert_eq!(paused.out, "‖ 3\n", "{paused:?}");
    assert_eq!(program.run(&["--ascii", "status", "--oneline"]).expect(1).out, "| 3\n");
    let one = program.run(&["status", "--oneline", "-l", "app=cart"]).expect(1);
    assert_eq!(one.out, "‖ 1\n");

    let healthy = Server::start(|asked| {
        asked.lists("/rollouts").then(|| {
            let mut broken = rollout("cart", 100);
            broken["status"]["abort"] = true.into();
            broken["status"]["phase"] = "Degraded".into();
            broken["status"]["pauseConditions"] = Value::Null;
            broken["status"]["controllerPause"] = Value::Null;
            Reply::Json(200, list(&[broken], 100, None))
        })
    })
    .await;
    let failing = Program::new(&healthy.kubeconfig(), Some("shop")).run(&["status", "--oneline"]).expect(1);
    assert!(failing.out.starts_with("✗ cart"), "{failing:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn one_line_comes_soon_whatever_the_server_does() {
    let hanging = Server::start(|asked| asked.lists("/rollouts").then_some(Reply::Hang)).await;
    let forbidden = Server::start(|asked| {
        asked.lists("/replicasets").then(|| Reply::Json(403, status(403, "Forbidden", "anna cannot list replicasets")))
    })
    .await;
    for (server, code, says) in [(&hanging, 8, "?"), (&forbidden, 7, "?  ‖ 1")] {
        let program = Program::new(&server.kubeconfig(), Some("shop"));
        // The first run makes the state directory.
        program.run(&["status", "--oneline"]).expect(code);
        let begun = Instant::now();
        let said = program.run(&["status", "--oneline"]).expect(code);
        let took = begun.elapsed();
        assert!(said.out.starts_with(says) && said.out.lines().count() == 1, "{said:?}");
        // 0.8 s and the start of a debug build on a busy machine.
        assert!(took < Duration::from_secs(4), "{took:?}");
    }
    let nothing = Program::new(std::path::Path::new("/nowhere"), None).run(&["status", "--oneline"]).expect(2);
    assert_eq!(nothing.out, "?\n", "{nothing:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn waiting_ends_when_it_is_there_or_cannot_come() {
    let (world, _folder, program) = demo().await;
    let met = program.run(&["wait", "shop/payments", "--for", "paused"]).expect(0);
    assert!(met.out.contains("shop/payments: paused"), "{met:?}");
    let document = program.run(&["wait", "shop/payments", "--for", "step=2", "-o", "json"]).expect(0).json();
    assert_eq!((&document["met"], &document["condition"]), (&json!(true), &json!("step=2")));
    program.run(&["wait", "shop/payments", "--for", "weight=20"]).expect(0);
    let late = program.run(&["wait", "shop/payments", "--for", "done", "--timeout", "500ms"]).expect(5);
    assert!(late.err.contains("not done within") && late.err.contains("Paused"), "{late:?}");
    let late = program.run(&["wait", "shop/payments", "--for", "weight=50", "--timeout", "500ms", "-o", "json"]);
    assert_eq!(late.expect(5).json()["met"], false);
    // Another process moves it; this one sees it.
    let waiting = program
        .command()
        .args(["wait", "shop/payments", "--for", "step=3", "--timeout", "30s"])
        .stdout(std::process::Stdio::null())
        .spawn();
    program.run(&["resume", "shop/payments", "--yes"]).expect(0);
    assert_eq!(waiting.expect("it starts").wait().expect("it ends").code(), Some(0));
    // What is aborted will not get there by itself.
    program.run(&["abort", "shop/payments", "--yes"]).expect(0);
    let never = program.run(&["wait", "shop/payments", "--for", "healthy", "--timeout", "30s"]).expect(1);
    assert!(never.err.contains("Degraded"), "{never:?}");
    program.run(&["wait", "shop/payments", "--for", "degraded"]).expect(0);
    program.run(&["wait", "nobody", "--for", "healthy", "--timeout", "5s"]).expect(10);
    program.run(&["wait", "nobody", "--for", "gone", "--timeout", "5s"]).expect(0);
    program.run(&["wait", "shop/payments", "--for", "someday"]).expect(2);
    drop(world);
}
