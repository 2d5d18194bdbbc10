//! What programs of the command line do where there is no terminal, no reader, no UTF-8, little width; and as a plugin.

use std::io::Read as _;
use std::process::{Command, Stdio};

use flightdeck::demo::Fault;

use super::demo;
use crate::program::{Program, Ran};

fn with(program: &Program, variables: &[(&str, &str)], args: &[&str]) -> Ran {
    let mut command = program.command();
    command.envs(variables.iter().copied()).args(args);
    ran(&mut command)
}

fn ran(command: &mut Command) -> Ran {
    let done = command.output().expect("the program starts");
    Ran {
        code: done.status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&done.stdout).into_owned(),
        err: String::from_utf8_lossy(&done.stderr).into_owned(),
    }
}

/// Runs it with nobody at the other end of standard output.
fn unread(program: &Program, args: &[&str]) -> (i32, String) {
    let mut child =
        program.command().args(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
    drop(child.stdout.take());
    let code = child.wait().expect("it ends").code().unwrap_or(-1);
    let mut said = String::new();
    child.stderr.take().expect("its errors").read_to_string(&mut said).expect("text");
    (code, said)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn without_a_reader_a_verb_keeps_its_exit_code() {
    let (_world, _folder, program) = demo().await;
    assert_eq!(unread(&program, &["status"]), (0, String::new()));
    // A watch that nobody reads ends, at the latest with its next beat.
    assert_eq!(unread(&program, &["watch", "-o", "json", "--heartbeat", "50ms"]).0, 0);
    let (code, said) = unread(&program, &["--read-only", "resume", "shop/payments", "--yes", "-o", "json"]);
    assert_eq!((code, said.contains("panicked")), (3, false), "{said}");
    assert_eq!(unread(&program, &["--help"]).0, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn without_a_terminal_nothing_is_asked_and_nothing_is_coloured() {
    let (_world, _folder, program) = demo().await;
    let refused = program.run(&["pause", "shop/payments"]).expect(3);
    assert!(refused.err.contains("--yes"), "it says what to add: {refused:?}");
    for several in [&["pause", "shop/payments", "other/payments"][..], &["rollback", "shop/payments"]] {
        let refused = program.run(several).expect(3);
        assert!(refused.err.contains("--yes"), "{refused:?}");
    }
    for verb in [&["status"][..], &["get", "shop/payments"], &["--help"], &["nonsense"]] {
        let said = with(&program, &[("TERM", "xterm-256color"), ("COLORTERM", "truecolor")], verb);
        assert!(!said.out.contains('\u{1b}') && !said.err.contains('\u{1b}'), "{said:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_locale_without_utf8_gets_ascii_that_says_the_same() {
    let (_world, _folder, program) = demo().await;
    let usual = program.run(&["status"]).expect(0).out;
    assert!(usual.contains('–'), "{usual}");
    for locale in [("LC_ALL", "C"), ("LANG", "de_DE.ISO-8859-1"), ("LC_CTYPE", "POSIX")] {
        let status = with(&program, &[locale], &["status"]).expect(0).out;
        assert!(status.is_ascii() && status.contains("shop/payments") && status.contains("20 % ("), "{status}");
    }
    assert!(program.run(&["--ascii", "status"]).expect(0).out.is_ascii());
    let document = with(&program, &[("LC_ALL", "C")], &["get", "shop/payments", "-o", "json"]).expect(0);
    assert!(document.out.is_ascii());
    document.json();
    let help = with(&program, &[("LC_ALL", "C")], &["status", "--help"]).expect(0).out;
    assert!(help.is_ascii() && help.contains("--oneline"), "{help}");
    let utf8 = with(&program, &[("LC_ALL", "C"), ("LC_ALL", "C.UTF-8")], &["status"]).expect(0).out;
    assert_eq!(utf8.lines().count(), usual.lines().count());
    assert!(utf8.contains('–'));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_narrow_terminal_gets_lines_that_fit_and_a_file_whole_ones() {
    let (_world, _folder, program) = demo().await;
    let whole = program.run(&["status"]).expect(0).out;
    assert!(whole.lines().any(|line| line.chars().count() > 80), "{whole}");
    for columns in ["80", "60"] {
        let narrow = with(&program, &[("COLUMNS", columns)], &["status"]).expect(0).out;
        let limit: usize = columns.parse().expect("a number");
        assert!(narrow.lines().all(|line| line.chars().count() <= limit), "{narrow}");
        assert!(limit < 80 || narrow.contains("shop/payments "), "what is typed again is whole: {narrow}");
        assert!(narrow.contains("Paused  ") && narrow.contains("Healthy"), "no phase is cut: {narrow}");
        assert!(narrow.contains("paused for a pers"), "nor what it waits for: {narrow}");
        let left_out = with(&program, &[("COLUMNS", columns)], &["status"]).expect(0).err;
        assert!(left_out.contains("too narrow for REV, WEIGHT"), "what is left out is said: {left_out}");
        let page = with(&program, &[("COLUMNS", columns)], &["get", "shop/payments"]).expect(0).out;
        let facts = page.split("\nSteps:").next().expect("the facts");
        assert!(facts.lines().all(|line| line.chars().count() <= limit), "{facts}");
        assert!(facts.contains("available 5"), "nothing of a fact is lost: {facts}");
    }
}

/// The program under another name, as an installation would link it.
fn linked(program: &Program, name: &str) -> Command {
    let link = program.state.path().join(name);
    if !link.exists() {
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_flightdeck"), &link).expect("a link");
    }
    let mut command = Command::new(link);
    let as_usual = program.command();
    command.env_clear().envs(as_usual.get_envs().filter_map(|(k, v)| v.map(|v| (k, v)))).stdin(Stdio::null());
    command
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn as_a_kubectl_plugin_it_says_so() {
    let (_world, _folder, program) = demo().await;
    let help = ran(linked(&program, "kubectl-flightdeck").arg("--help")).expect(0).out;
    assert!(help.contains("Usage: kubectl flightdeck"), "{help}");
    assert!(help.contains("  kubectl flightdeck status -n shop") && !help.contains("  flightdeck "), "{help}");
    let resume = ran(linked(&program, "kubectl-flightdeck").args(["resume", "--help"])).expect(0).out;
    assert!(resume.contains("Usage: kubectl flightdeck resume"), "{resume}");
    assert!(resume.contains("  kubectl flightdeck resume shop/payments"), "{resume}");
    let missing = ran(linked(&program, "kubectl-flightdeck").args(["get", "nobody"])).expect(10);
    assert!(missing.err.contains("`kubectl flightdeck status`"), "{missing:?}");
    // kubectl's own flags.
    let one = ran(linked(&program, "kubectl-flightdeck").args(["status", "-n", "shop", "-o", "name"])).expect(0);
    assert_eq!(one.out, "shop/payments\n");
    let all = ran(linked(&program, "kubectl-flightdeck").args(["status", "-A", "-o", "name"])).expect(0);
    assert_eq!(all.out, "shop/payments\nother/payments\n", "in the order of the table");
    ran(linked(&program, "kubectl-flightdeck").args(["status", "-A", "-n", "shop"])).expect(2);
    // What kubectl asks when a word is completed.
    let words = ran(linked(&program, "kubectl_complete-flightdeck").args(["get", "sh"])).expect(0).out;
    assert_eq!(words, "shop/payments\n:4\n");
    let verbs = ran(linked(&program, "kubectl_complete-flightdeck").arg("res")).expect(0).out;
    assert!(verbs.contains("resume\t") && verbs.ends_with(":4\n"), "{verbs}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn what_cannot_be_printed_is_no_reason_to_forget_what_happened() {
    let (world, _folder, program) = demo().await;
    world.fault(Fault::None);
    let (code, _) = unread(&program, &["resume", "shop/payments", "--yes"]);
    assert_eq!(code, 0);
    let last = program.records().pop().expect("records");
    assert_eq!(last["outcome"]["word"], "done", "{last:#}");
}
