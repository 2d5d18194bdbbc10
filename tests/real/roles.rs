//! The roles that `flightdeck rbac` prints, applied as its fix lines say, and tried; and the program behind the real kubectl.

use std::io::Write as _;
use std::process::{Command, Stdio};

use crate::program::{Program, Ran};
use crate::stack::{Namespace, stack};

/// Runs the stack's kubectl; `input` goes to its standard input.
fn kubectl(namespace: &Namespace, args: &[&str], input: &str) {
    let mut child = Command::new(namespace.stack.program("kubectl"))
        .arg("--kubeconfig")
        .arg(&namespace.stack.kubeconfig)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("kubectl runs");
    child.stdin.take().expect("its input").write_all(input.as_bytes()).expect("written");
    assert!(child.wait().expect("it ends").success(), "{args:?}\n{input}");
}

/// Whether the server lets the act pass; what the policy says of it is another matter.
fn allowed(ran: &Ran) -> bool {
    let refused = ran.err.contains("403") || ran.err.contains("no right") || ran.err.contains("rights");
    assert!(ran.code == 0 || refused, "{ran:?}");
    ran.code == 0
}

#[tokio::test(flavor = "multi_thread")]
async fn each_role_may_do_what_it_says_and_no_more() {
    let stack = stack();
    let _running = stack.running().await;
    let namespace = stack.namespace("roles").await;
    namespace.waiting_canary("payments", false).await;
    let admin = namespace.program();
    for role in ["viewer", "operator", "releaser"] {
        let account = namespace.account(role).await;
        let subject = format!("{}:{role}", namespace.name);
        let manifests = admin.run(&["rbac", role, "--serviceaccount", &subject]).expect(0).out;
        kubectl(&namespace, &["apply", "-f", "-"], &manifests);
        let mut program = Program::new(account.path(), Some(&namespace.name));
        let config = program.state.path().join("config.toml");
        std::fs::write(&config, "[policy]\nset_image_in_production = true\n").expect("written");
        program.config = Some(config);

        let shown = program.run(&["get", "payments", "-o", "json"]).expect(0).json();
        assert_eq!(shown["complete"], true, "{role}: {shown:#}");
        let doctor = program.run(&["doctor"]);
        assert!(doctor.out.contains(&format!("rights: {role}")), "{role}: {doctor:?}");
        assert!(!doctor.out.contains("kube-system may not be read"), "{role}: {doctor:?}");

        let may = |act: &[&str]| {
            let mut args = act.to_vec();
            args.push("--dry-run");
            allowed(&program.run(&args))
        };
        let steers = [
            &["resume", "payments"][..],
            &["promote-full", "payments"],
            &["abort", "payments"],
            &["forbid", "payments"],
        ];
        let brings =
            [&["pause", "payments"][..], &["restart", "payments"], &["set-image", "payments", "example/app:9"]];
        for act in steers {
            assert_eq!(may(act), role != "viewer", "{role}: {act:?}");
        }
        for act in brings {
            assert_eq!(may(act), role == "releaser", "{role}: {act:?}");
        }
        match role {
            "operator" => {
                program.run(&["forbid", "payments", "--yes", "--reason", "tried"]).expect(0);
                program.run(&["allow", "payments", "--yes"]).expect(0);
                let held = program.run(&["audit", "verify", "--witness", "cluster"]).expect(0);
                assert!(held.out.contains("nothing was cut off"), "{held:?}");
            }
            "releaser" => {
                program.run(&["pause", "payments", "--yes"]).expect(0);
                program.run(&["abort", "payments", "--yes"]).expect(0);
            }
            _ => {}
        }
        kubectl(&namespace, &["delete", "--ignore-not-found", "-f", "-"], &manifests);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_impersonates_is_on_record_with_the_one_whose_rights_were_taken() {
    let stack = stack();
    let _running = stack.running().await;
    let namespace = stack.namespace("mask").await;
    namespace.waiting_canary("payments", false).await;
    namespace.user("anna", &[]).await;
    let anna = format!("system:serviceaccount:{}:anna", namespace.name);
    let program = namespace.program();
    let refused = program.run(&["resume", "payments", "--yes", "--as", &anna]);
    assert_ne!(refused.code, 0, "{refused:?}");
    let records = program.records();
    let by = records.last().unwrap_or_else(|| panic!("no record: {refused:?}"))["actor"]["kubeUser"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    assert!(by.starts_with(&anna) && by.contains("impersonated by"), "{by}");
    program.run(&["status", "--as-group", "system:masters"]).expect(2);
}

#[tokio::test(flavor = "multi_thread")]
async fn kubectl_runs_it_as_its_plugin() {
    let stack = stack();
    let _running = stack.running().await;
    let namespace = stack.namespace("plugin").await;
    namespace.waiting_canary("payments", false).await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    for name in ["kubectl-flightdeck", "kubectl_complete-flightdeck"] {
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_flightdeck"), folder.path().join(name)).expect("a link");
    }
    let run = |args: &[&str]| {
        let done = Command::new(stack.program("kubectl"))
            .env_clear()
            .env("PATH", folder.path())
            .env("HOME", folder.path())
            .env("KUBECONFIG", &stack.kubeconfig)
            .env("FLIGHTDECK_STATE_DIR", folder.path().join("state"))
            .args(args)
            .output()
            .expect("kubectl runs");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ran { code: done.status.code().unwrap_or(-1), out: text(&done.stdout), err: text(&done.stderr) }
    };
    let names = run(&["flightdeck", "status", "-n", &namespace.name, "-o", "name"]).expect(0).out;
    assert_eq!(names, format!("{}/payments\n", namespace.name));
    let help = run(&["flightdeck", "resume", "--help"]).expect(0).out;
    assert!(help.contains("Usage: kubectl flightdeck resume"), "{help}");
    run(&["flightdeck", "get", "nobody", "-n", &namespace.name]).expect(10);
    let words = run(&["__complete", "flightdeck", "get", "-n", &namespace.name, "pay"]).out;
    assert!(words.contains(&format!("{}/payments", namespace.name)), "{words}");
}
