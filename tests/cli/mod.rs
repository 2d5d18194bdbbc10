//! The verbs as scripts use them: exit codes, documents, errors.

mod acts;
mod audit;
mod complete;
mod doctor;
mod habits;
mod looks;
mod namespaces;
mod rehearse;

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::Stdio;
use std::sync::Arc;

use flightdeck::demo::{Fault, Scenario, World};
use serde_json::{Value, json};

use crate::program::Program;
use crate::scripted::{Reply, Server, list, rollout, status};

const PAUSED: &str = "pod_ready = '200ms'\n\
    [[rollout]]\nnamespace = 'shop'\nname = 'payments'\nimage = 'shop/payments'\nversion = '1'\nreplicas = 5\n\
    steps = ['20%', 'pause', '50%', 'pause 10m', '100%']\n\
    [[rollout]]\nnamespace = 'other'\nname = 'payments'\nimage = 'other/payments'\nversion = '1'\n\
    [[event]]\nat = '-6m'\ntarget = 'shop/payments'\ndo = 'release'\nversion = '2'\n";

/// The demo world and a program on it.
async fn demo() -> (Arc<World>, tempfile::TempDir, Program) {
    let world = Arc::new(World::start(&Scenario::parse(PAUSED).expect("a scenario"), 1).await.expect("a world"));
    let folder = tempfile::tempdir().expect("a temporary folder");
    let kubeconfig = folder.path().join("kubeconfig");
    std::fs::write(&kubeconfig, world.kubeconfig()).expect("a kubeconfig");
    let program = Program::new(&kubeconfig, None);
    (world, folder, program)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn done_is_zero_and_the_documents_say_what_they_are() {
    let (_world, _folder, program) = demo().await;
    let status = program.run(&["status", "-o", "json"]).expect(0).json();
    assert_eq!((&status["apiVersion"], &status["kind"]), (&json!("flightdeck/v1alpha1"), &json!("Status")));
    assert_eq!(status["complete"], true);
    assert_eq!(status["targets"].as_array().map(Vec::len), Some(2));
    for link in status["links"].as_array().expect("links") {
        let opened =
            ["pods", "focus", "analysisruns", "experiments", "events"].contains(&link["what"].as_str().expect("what"));
        assert_eq!(link["state"], if opened { "off" } else { "live" }, "{link:#}");
    }
    let target = program.run(&["get", "shop/payments", "-o", "json"]).expect(0).json();
    assert_eq!(target["kind"], "Target");
    assert!(target["why"].as_str().is_some_and(|why| why.starts_with("paused for a person, 6m")), "{target:#}");
    assert_eq!(target["environment"]["named"], false);
    assert_eq!(target["step"], json!({"number": 2, "of": 5, "text": "pause, for a person"}));
    let human = program.run(&["status"]).expect(0);
    assert!(human.out.contains("needs you") && human.out.contains("shop/payments"), "{human:?}");
    assert!(!human.out.contains('\u{1b}'), "no escape sequences in what scripts read");
    let done = program.run(&["resume", "shop/payments", "--yes", "-o", "json"]).expect(0).json();
    assert_eq!((&done["kind"], &done["outcome"]), (&json!("Outcome"), &json!("done")));
    assert!(program.run(&["audit", "verify", "--strict"]).expect(0).out.contains("holds"));
    let paused = program.run(&["pause", "shop/payments", "--yes"]).expect(0);
    let number = done["record"].as_u64().expect("a number") + 2;
    assert!(paused.err.contains(&format!("on record as number {number}\n")), "{paused:?}");
    let shown = program.run(&["audit", "show", "2", "-o", "json"]).expect(0).json();
    assert_eq!(shown["records"][0]["record"]["kind"], "intent", "{shown:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn every_way_to_fail_has_its_code_and_names_the_fix() {
    let (world, _folder, program) = demo().await;
    // 2: usage
    for wrong in [&["resume"][..], &["explode"], &["status", "-o", "xml"], &["resume", "a/b", "--wait", "soon"]] {
        program.run(wrong).expect(2);
    }
    let verb = program.run(&["gte", "shop/payments"]).expect(2);
    assert!(verb.err.contains("'get'"), "{verb:?}");
    let ambiguous = program.run(&["get", "payments"]).expect(2);
    assert!(ambiguous.err.contains("shop/payments") && ambiguous.err.contains("NAMESPACE/NAME"), "{ambiguous:?}");
    program.run(&["--context", "nope", "status"]).expect(2);
    program.run(&["--config", "/nowhere/config.toml", "status"]).expect(2);
    // 3: refused
    let read_only = program.run(&["--read-only", "resume", "shop/payments", "--yes"]).expect(3);
    assert!(read_only.err.contains("--read-only") && read_only.err.contains("fix:"), "{read_only:?}");
    // 4: superseded
    program.run(&["resume", "shop/payments", "--yes", "--expect-revision", "1"]).expect(4);
    // 10: not found
    let missing = program.run(&["get", "shop/paymets"]).expect(10);
    assert!(missing.err.contains("did you mean shop/payments?"), "{missing:?}");
    let strange = program.run(&["get", "shop/warehouse"]).expect(10);
    assert!(strange.err.contains("flightdeck status"), "{strange:?}");
    program.run(&["audit", "show", "999"]).expect(10);
    // 1: the server says no
    world.fault(Fault::RefuseWrites);
    world.controller(false);
    // 5: no effect, with the controller asleep
    world.fault(Fault::None);
    let nothing = program.run(&["resume", "shop/payments", "--yes", "--wait", "500ms"]).expect(5);
    assert!(nothing.err.contains("blindly"), "{nothing:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn an_answer_that_is_lost_is_unknown() {
    let (world, _folder, program) = demo().await;
    world.controller(false);
    world.fault(Fault::LoseAnswers);
    let unknown = program.run(&["resume", "shop/payments", "--yes"]).expect(6);
    assert!(unknown.err.contains("the answer was lost"), "{unknown:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_part_of_the_answer_is_not_the_answer() {
    let server = Server::start(|asked| {
        asked.lists("/replicasets").then(|| Reply::Json(403, status(403, "Forbidden", "anna cannot list replicasets")))
    })
    .await;
    let program = Program::new(&server.kubeconfig(), Some("shop"));
    let partial = program.run(&["status"]).expect(7);
    assert!(partial.out.contains("payments") && partial.err.contains("anna cannot list"), "{partial:?}");
    for verb in [&["status", "-o", "json"][..], &["get", "payments", "-o", "json"]] {
        let partial = program.run(verb).expect(7).json();
        assert_eq!(partial["complete"], false, "{partial:#}");
        let missing = &partial["missing"][0];
        assert_eq!(missing["link"], "scripted/replicasets", "{partial:#}");
        assert!(missing["why"].as_str().is_some_and(|why| why.contains("anna cannot list")), "{partial:#}");
    }
    program.run(&["watch", "--timeout", "1s"]).expect(7);
    program.run(&["status", "-o", "name"]).expect(7);
    let doctor = program.run(&["doctor"]).expect(0);
    assert!(doctor.out.contains("api server: v1.34.4") && doctor.out.contains("user: anna"), "{doctor:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn what_cannot_be_reached_is_said_with_the_way_to_find_out() {
    let port = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.local_addr().expect("its address").port()
    };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let kubeconfig = folder.path().join("kubeconfig");
    let text = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: c\ncontexts: [{{name: c, context: {{cluster: c, user: u}}}}]\n\
         clusters: [{{name: c, cluster: {{server: \"http://127.0.0.1:{port}\"}}}}]\nusers: [{{name: u, user: {{}}}}]\n"
    );
    std::fs::write(&kubeconfig, text).expect("a kubeconfig");
    let program = Program::new(&kubeconfig, None);
    let unreachable = program.run(&["status", "--timeout", "5s"]).expect(8);
    assert!(unreachable.err.contains("could not connect") && unreachable.err.contains("doctor"), "{unreachable:?}");
    let doctor = program.run(&["doctor"]).expect(8);
    assert!(doctor.out.contains("FAIL"), "{doctor:?}");
    let nothing = Program::new(&folder.path().join("missing"), None);
    let missing = nothing.run(&["status"]).expect(2);
    assert!(missing.err.contains("flightdeck demo"), "{missing:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_refusal_of_the_server_is_a_failure_that_names_the_right() {
    let server = Server::start(|asked| {
        (asked.method == "PATCH")
            .then(|| Reply::Json(403, status(403, "Forbidden", "anna cannot patch resource \"rollouts/status\"")))
    })
    .await;
    let program = Program::new(&server.kubeconfig(), Some("shop"));
    let failed = program.run(&["resume", "payments", "--yes"]).expect(1);
    assert!(failed.err.contains("rollouts/status") && failed.err.contains("shop/payments"), "{failed:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_changed_record_is_found_and_stops_the_log() {
    let (_world, _folder, program) = demo().await;
    for _ in 0..3 {
        program.run(&["resume", "shop/payments"]).expect(3);
    }
    let file = program.state.path().join("state/audit/audit-000001.jsonl");
    let text = std::fs::read_to_string(&file).expect("the log");
    std::fs::write(&file, text.replacen("\"refusal\"", "\"refused\"", 1)).expect("written");
    let verdict = program.run(&["audit", "verify"]).expect(9);
    assert!(verdict.out.contains("line 2") || verdict.err.contains("line 2"), "{verdict:?}");
    program.run(&["resume", "shop/payments", "--yes"]).expect(3);
    program.run(&["doctor"]).expect(1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn several_processes_write_one_chain() {
    let (_world, _folder, program) = demo().await;
    let children: Vec<_> = (0..8)
        .map(|_| {
            program
                .command()
                .args(["resume", "shop/payments", "--yes", "--expect-step", "9"])
                .stderr(Stdio::null())
                .spawn()
                .expect("the program starts")
        })
        .collect();
    for mut child in children {
        assert_eq!(child.wait().expect("it ends").code(), Some(4));
    }
    let records = program.records();
    assert_eq!(records.iter().filter(|r| r["kind"] == "refusal").count(), 8, "{records:#?}");
    program.run(&["audit", "verify", "--strict"]).expect(0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn watch_prints_one_document_a_line() {
    let server = Server::start(|asked| {
        asked.watches("/rollouts").then(|| {
            let mut moved = rollout("payments", 101);
            moved["status"]["currentStepIndex"] = 2.into();
            let pause = std::time::Duration::from_millis(300);
            Reply::Stream(vec![
                (pause, crate::scripted::event("MODIFIED", &moved)),
                (pause, crate::scripted::event("DELETED", &moved)),
            ])
        })
    })
    .await;
    let program = Program::new(&server.kubeconfig(), Some("shop"));
    let mut child = program
        .command()
        .args(["watch", "-o", "json", "--heartbeat", "100ms"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    let lines = BufReader::new(child.stdout.take().expect("its output")).lines();
    let documents = lines.map(|l| serde_json::from_str::<Value>(&l.expect("text")).expect("JSON"));
    let mut steps = Vec::new();
    let mut kinds = std::collections::BTreeSet::new();
    for document in documents {
        crate::program::as_its_schema_says(&document);
        let kind = document["kind"].as_str().expect("a kind").to_owned();
        kinds.insert(kind.clone());
        match kind.as_str() {
            "TargetGone" => break,
            "Target" => steps.push(document["step"]["number"].clone()),
            _ => {}
        }
    }
    steps.dedup();
    assert!(kinds.contains("Link") && kinds.contains("Heartbeat"), "{kinds:?}");
    assert_eq!(steps, [json!(2), json!(3)]);
    child.kill().expect("it can be ended");
    child.wait().expect("it ended");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_reader_that_goes_away_is_no_panic() {
    let server = Server::start(|asked| {
        asked.lists("/rollouts").then(|| {
            let all: Vec<Value> = (0..400).map(|n| rollout(&format!("svc-{n}"), 100)).collect();
            Reply::Json(200, list(&all, 100, None))
        })
    })
    .await;
    let program = Program::new(&server.kubeconfig(), Some("shop"));
    let mut child = program
        .command()
        .args(["status", "-o", "json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    drop(child.stdout.take());
    child.wait().expect("it ends");
    let mut said = String::new();
    child.stderr.take().expect("its errors").read_to_string(&mut said).expect("text");
    assert!(!said.contains("panicked"), "{said}");
}

#[test]
fn the_demo_world_can_be_served_to_other_programs_and_leaves_nothing_behind() {
    let program = Program::new(std::path::Path::new("/nowhere"), None);
    let mut child = program
        .command()
        .env_remove("KUBECONFIG")
        .args(["demo", "--serve", "--seed", "7"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut line = String::new();
    let mut output = BufReader::new(child.stdout.take().expect("its output"));
    output.read_line(&mut line).expect("a line");
    let file = |name: &str| {
        let said = line.split(&format!("{name}=")).nth(1).and_then(|rest| rest.split_whitespace().next());
        std::path::PathBuf::from(said.expect("a path"))
    };
    let (kubeconfig, config) = (file("KUBECONFIG"), file("FLIGHTDECK_CONFIG"));
    let status = Program::new(&kubeconfig, None).run(&["status", "-o", "json"]).expect(0).json();
    assert_eq!(status["targets"].as_array().map(Vec::len), Some(6), "{status:#}");
    let configured = ["--config", config.to_str().expect("a path"), "status"];
    let status = Program::new(&kubeconfig, None).run(&configured).expect(0).out;
    assert!(status.contains("PROD ") && !status.contains("PROD?"), "{status}");
    let paused = ["--config", config.to_str().expect("a path"), "pause", "shop/web", "--yes"];
    // Whatever the shell's KUBECONFIG is by now: the word never stands beside another cluster.
    let paused = Program::new(std::path::Path::new("/nowhere"), None).run(&paused).expect(0);
    assert!(paused.err.starts_with("DEMO\n"), "{paused:?}");
    let ended = std::process::Command::new("kill").arg(child.id().to_string()).status().expect("kill runs");
    assert!(ended.success());
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
    assert!(!kubeconfig.exists() && !config.exists());
    let after = Program::new(&kubeconfig, None).run(&configured).expect(2);
    assert!(after.err.contains("demo --serve") && after.err.contains("unset FLIGHTDECK_CONFIG"), "{after:?}");
}

#[test]
fn help_and_completions() {
    let program = Program::new(std::path::Path::new("/nowhere"), None);
    let help = program.run(&["--help"]).expect(0).out;
    for word in ["Examples:", "Exit codes:", "resume", "demo", "NO_COLOR"] {
        assert!(help.contains(word), "{word} in {help}");
    }
    for line in help.lines() {
        assert!(line.chars().count() <= 110, "{line:?}");
    }
    let resume = program.run(&["resume", "--help"]).expect(0).out;
    assert!(resume.contains("--expect-step") && resume.contains("Examples:"), "{resume}");
    for shell in ["bash", "zsh", "fish"] {
        assert!(program.run(&["completions", shell, "--static"]).expect(0).out.contains("resume"), "{shell}");
    }
    // The exit codes that README promises are those that the program prints.
    let readme = include_str!("../../README.md");
    let codes = help.split("Exit codes:").nth(1).expect("codes");
    for line in codes.lines().filter(|l| !l.trim().is_empty()) {
        let (code, meaning) = line.trim().split_once("  ").expect("a code and its meaning");
        assert!(readme.contains(&format!("| {code} | {} |", meaning.trim())), "README lacks {line:?}");
    }
    let cockpit = program.run(&[]).expect(2);
    assert!(cockpit.err.contains("terminal") || cockpit.err.contains("kubeconfig"), "{cockpit:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn error_rates_come_with_their_word_and_are_not_configured_without_a_prometheus() {
    let (world, folder, program) = demo().await;
    let target = program.run(&["get", "shop/payments", "-o", "json"]).expect(0).json();
    assert_eq!(target["errors"], json!({"state": "not configured"}));
    assert!(program.run(&["status"]).expect(0).out.contains("– not configured"));
    let config = folder.path().join("config.toml");
    std::fs::write(&config, format!("[[prometheus.context]]\nurl = \"{}\"\n", world.prometheus())).expect("written");
    let config = config.to_str().expect("UTF-8");
    let target = program.run(&["--config", config, "get", "shop/payments", "-o", "json"]).expect(0).json();
    let errors = &target["errors"];
    assert_eq!((&errors["state"], &errors["template"]), (&json!("read"), &json!("http-hash")), "{errors:#}");
    assert_eq!((&errors["subject"]["role"], &errors["reference"]["role"]), (&json!("new"), &json!("stable")));
    let long = &errors["subject"]["long"];
    assert_eq!(long["word"], "measured", "{errors:#}");
    assert!(
        long["rate"].as_f64().is_some_and(|rate| rate < 0.05) && long["total"].as_f64() > Some(100.0),
        "{errors:#}"
    );
    let status = program.run(&["--config", config, "status", "-o", "json"]).expect(0).json();
    assert_eq!(status["complete"], true);
    assert!(
        status["targets"].as_array().expect("targets").iter().all(|t| t["errors"]["state"] == "read"),
        "{status:#}"
    );
    assert!(program.run(&["--config", config, "doctor"]).out.contains("prometheus: answers queries"));
    // Without it everything else is there, and the answer is whole.
    world.fault(Fault::NoPrometheus);
    let human = program.run(&["--config", config, "status"]).expect(0);
    assert!(human.out.contains("– unreachable"), "{human:?}");
    let why = program.run(&["--config", config, "get", "shop/payments"]).expect(0);
    assert!(why.out.contains("503 from something that is not a Prometheus"), "{why:?}");
}
