//! Completion, asked as the shells ask it.

use std::process::Command;
use std::time::{Duration, Instant};

use super::demo;
use crate::program::Program;
use crate::scripted::{Reply, Server};

/// What the program offers for the last of these words, by the way of a shell's script.
fn offered(program: &Program, shell: &str, words: &[&str]) -> Vec<String> {
    let mut command = program.command();
    command.env("_FLIGHTDECK_COMPLETE", shell);
    match shell {
        "bash" => {
            command
                .env("_CLAP_COMPLETE_INDEX", (words.len() - 1).to_string())
                .env("_CLAP_COMPLETE_COMP_TYPE", "9")
                .env("_CLAP_COMPLETE_SPACE", "true")
                .env("_CLAP_IFS", "\n");
        }
        "zsh" => {
            command.env("_CLAP_COMPLETE_INDEX", (words.len() - 1).to_string()).env("_CLAP_IFS", "\n");
        }
        _ => {}
    }
    let done = command.arg("--").args(words).output().expect("the program starts");
    assert!(done.stderr.is_empty(), "quiet: {}", String::from_utf8_lossy(&done.stderr));
    let out = String::from_utf8(done.stdout).expect("text");
    out.lines().map(|line| line.split(['\t', ':']).next().unwrap_or_default().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn shells_are_offered_targets_revisions_contexts_and_namespaces() {
    let (_world, _folder, program) = demo().await;
    for shell in ["bash", "zsh", "fish"] {
        let all = offered(&program, shell, &["flightdeck", "resume", ""]);
        assert!(all.starts_with(&["other/payments".into(), "shop/payments".into()]), "{shell}: {all:?}");
        assert_eq!(offered(&program, shell, &["flightdeck", "get", "sh"]), ["shop/payments"], "{shell}");
        assert_eq!(offered(&program, shell, &["flightdeck", "-n", "other", "get", "o"]), ["other/payments"], "{shell}");
        // A word that begins as a name is completed to the whole.
        assert_eq!(offered(&program, shell, &["flightdeck", "get", "paym"]).len(), 2, "{shell}");
        let revisions = offered(&program, shell, &["flightdeck", "undo", "shop/payments", "--to-revision", ""]);
        assert_eq!(revisions, ["2", "1"], "{shell}");
        let contexts = offered(&program, shell, &["flightdeck", "status", "--context", ""]);
        assert_eq!(contexts.len(), 1, "{shell}: {contexts:?}");
        let namespaces = offered(&program, shell, &["flightdeck", "status", "-n", "sh"]);
        assert_eq!(namespaces, ["shop"], "{shell}");
        assert!(offered(&program, shell, &["flightdeck", "promote"]).contains(&"promote-full".to_owned()), "{shell}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_server_that_does_not_answer_costs_less_than_a_second_and_what_it_said_last_is_offered() {
    let server = Server::start(|asked| {
        // The first list is answered; later ones never.
        (asked.lists("/rollouts") && asked.before > 0).then_some(Reply::Hang)
    })
    .await;
    let program = Program::new(&server.kubeconfig(), None);
    assert_eq!(offered(&program, "bash", &["flightdeck", "get", ""])[0], "shop/payments");
    assert_eq!(server.count("GET", "/rollouts"), 1);
    assert_eq!(offered(&program, "bash", &["flightdeck", "get", ""])[0], "shop/payments");
    assert_eq!(server.count("GET", "/rollouts"), 1, "a young answer is given again");
    for entry in std::fs::read_dir(program.state.path().join("state/completions")).expect("kept answers") {
        let file = std::fs::File::options().append(true).open(entry.expect("an entry").path()).expect("a file");
        let then = std::time::SystemTime::now() - Duration::from_mins(1);
        file.set_modified(then).expect("an older time");
    }
    let begun = Instant::now();
    assert_eq!(offered(&program, "bash", &["flightdeck", "get", ""])[0], "shop/payments");
    // 0.7 s and the start of a debug build on a busy machine.
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
    let nothing = Program::new(std::path::Path::new("/nowhere"), None);
    assert!(!offered(&nothing, "bash", &["flightdeck", "get", "x"]).contains(&"shop/payments".to_owned()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn bash_itself_completes_with_the_script() {
    let Ok(version) = Command::new("bash").arg("--version").output() else { return };
    assert!(version.status.success());
    let (_world, _folder, program) = demo().await;
    let script = program.run(&["completions", "bash"]).expect(0).out;
    let file = program.state.path().join("script");
    std::fs::write(&file, script).expect("written");
    let folder = std::path::Path::new(env!("CARGO_BIN_EXE_flightdeck")).parent().expect("a folder");
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap_or_default());
    let ask = format!(
        "source {}; COMP_WORDS=(flightdeck resume sh); COMP_CWORD=2; COMP_TYPE=9; \
         $(complete -p flightdeck | sed 's/.*-F \\([^ ]*\\).*/\\1/') flightdeck sh resume; echo \"${{COMPREPLY[@]}}\"",
        file.display()
    );
    let mut command = Command::new("bash");
    let as_usual = program.command();
    command.env_clear().envs(as_usual.get_envs().filter_map(|(k, v)| v.map(|v| (k, v)))).env("PATH", path);
    let done = command.args(["--norc", "--noprofile", "-c", &ask]).output().expect("bash runs");
    let (out, err) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(out.trim_end().ends_with("shop/payments"), "{out} {err}");
}
