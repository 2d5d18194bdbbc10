//! The whole program behind a terminal, on the demo world.

mod acts;
mod noise;
mod safety;
pub mod scenario;
mod window;

use std::path::Path;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::screen::Screen;

/// Nothing moves here but what the test does.
const STILL: &str = r#"
pod_ready = "200ms"
[[rollout]]
namespace = "shop"
name = "web"
image = "shop/web"
version = "1"
replicas = 2
steps = ["50%", "pause", "100%"]
"#;

/// A canary that waits for a person.
const PAUSED: &str = r#"
pod_ready = "200ms"
[[rollout]]
namespace = "shop"
name = "payments"
image = "shop/payments"
version = "1"
replicas = 5
steps = ["20%", "pause", "50%", "pause 10m", "100%"]
[[event]]
at = "-6m"
target = "shop/payments"
do = "release"
version = "2"
"#;

struct Demo {
    home: TempDir,
}

impl Demo {
    fn new(scenario: &str) -> Self {
        let home = tempfile::tempdir().expect("a temporary folder");
        std::fs::write(home.path().join("scenario.toml"), scenario).expect("a scenario");
        Self { home }
    }

    fn start(&self, more: &[&str], env: &[(&str, &str)], columns: u16, rows: u16) -> Screen {
        let scenario = self.home.path().join("scenario.toml");
        let mut args = vec!["demo", "--scenario", scenario.to_str().expect("a path")];
        args.extend(more);
        scenario::start(Path::new(env!("CARGO_BIN_EXE_flightdeck")), &args, self.home.path(), env, columns, rows)
    }
}

fn signal(screen: &Screen, name: &str) {
    let pid = screen.pid().to_string();
    let done = std::process::Command::new("kill").args([name, &pid]).status().expect("kill runs");
    assert!(done.success());
}

#[test]
fn a_canary_is_resumed_from_the_keyboard() {
    for (columns, rows) in [(80, 24), (200, 60)] {
        let demo = Demo::new(PAUSED);
        let mut screen = demo.start(&[], &[], columns, rows);
        scenario::resume(&mut screen, "shop/payments");
        screen.press("\x1b");
        screen.until("the next pause", |text| text.contains("4/5") && !text.contains("on record"));
        scenario::audit_holds(&mut screen);
        scenario::leave(&mut screen);
        assert_eq!(screen.ended(), 0);
        scenario::restored(&screen);
    }
}

#[test]
fn the_world_that_comes_along_opens_and_offers_a_canary_to_resume() {
    let home = tempfile::tempdir().expect("a temporary folder");
    let mut screen = scenario::start(Path::new(env!("CARGO_BIN_EXE_flightdeck")), &["demo"], home.path(), &[], 80, 24);
    scenario::resume(&mut screen, "shop/payments");
    screen.press("\x03");
    assert_eq!(screen.ended(), 0);
    scenario::restored(&screen);
}

#[test]
fn a_start_without_any_kubeconfig_is_the_demo_and_says_so() {
    let home = tempfile::tempdir().expect("a temporary folder");
    let mut screen = scenario::start(Path::new(env!("CARGO_BIN_EXE_flightdeck")), &[], home.path(), &[], 80, 24);
    screen.until("the badge", |text| text.contains("DEMO") && text.contains("shop/payments"));
    scenario::leave(&mut screen);
    assert_eq!(screen.ended(), 0);
}

#[test]
fn the_terminal_is_given_back_when_the_system_ends_the_program() {
    for name in ["-TERM", "-HUP", "-INT", "-QUIT"] {
        let demo = Demo::new(STILL);
        let mut screen = demo.start(&[], &[], 80, 24);
        screen.until("a row", |text| text.contains("shop/web"));
        signal(&screen, name);
        assert_eq!(screen.ended(), 0, "{name}");
        scenario::restored(&screen);
    }
}

#[test]
fn the_witness_of_a_demo_is_asked_by_the_command_that_its_cockpit_names() {
    let demo = Demo::new(PAUSED);
    let mut screen = demo.start(&[], &[], 200, 60);
    scenario::resume(&mut screen, "shop/payments");
    screen.press("\x1b");
    screen.until("the board", |text| !text.contains("on record as number"));
    screen.press("A");
    screen.until("the records", |text| text.contains("outcome") && text.contains("intent"));
    screen.press("v");
    screen.until("the hint", |text| text.contains("while this cockpit is open") && text.contains("asks one"));
    let text = screen.contents().replace('\n', " ");
    let command = text.split('`').nth(1).expect("a command").split_whitespace().collect::<Vec<_>>().join(" ");
    let folder = Path::new(env!("CARGO_BIN_EXE_flightdeck")).parent().expect("a folder");
    let path = format!("{}:/usr/bin:/bin", folder.display());
    // The head is told after the act, so the answer may have to wait for it.
    let until = Instant::now() + Duration::from_secs(20);
    loop {
        let mut shell = std::process::Command::new("/bin/sh");
        let shell = shell.args(["-c", &command]).env_clear().env("HOME", demo.home.path()).env("PATH", &path);
        let said = shell.output().expect("it runs");
        if said.status.success() && String::from_utf8_lossy(&said.stdout).contains("nothing was cut off at the end") {
            break;
        }
        assert!(Instant::now() < until, "{command}: {said:?}");
    }
    screen.press("\x03");
    assert_eq!(screen.ended(), 0);
}

#[test]
fn the_line_discipline_is_what_it_was() {
    let demo = Demo::new(STILL);
    let scenario_file = demo.home.path().join("scenario.toml");
    let line = format!(
        "'{}' demo --scenario '{}'; stty -a",
        env!("CARGO_BIN_EXE_flightdeck"),
        scenario_file.to_str().expect("a path")
    );
    let mut screen = scenario::start(Path::new("/bin/sh"), &["-c", &line], demo.home.path(), &[], 80, 24);
    screen.until("a row", |text| text.contains("shop/web"));
    scenario::leave(&mut screen);
    screen.until("stty's answer", |text| text.contains("icanon"));
    let text = screen.contents();
    assert!(!text.contains("-icanon") && !text.contains("-echo ") && !text.contains("-isig"), "{text}");
}

#[test]
fn nothing_is_written_while_nothing_changes() {
    let demo = Demo::new(STILL);
    let mut screen = demo.start(&[], &[], 80, 24);
    screen.until("a live row", |text| text.contains("shop/web") && text.contains("live") && text.contains("Healthy"));
    screen.settle(Duration::from_millis(500));
    let before = screen.bytes;
    let until = Instant::now() + Duration::from_millis(1500);
    while Instant::now() < until {
        screen.next(until - Instant::now());
    }
    // The age of an error rate may have gone on by a step, once; nothing else is sent.
    let sent = screen.bytes - before;
    assert!(sent < 200, "{sent} bytes\n{}", screen.contents());
}

#[test]
fn no_color_is_no_colour() {
    let demo = Demo::new(PAUSED);
    let mut screen = demo.start(&[], &[("NO_COLOR", "1")], 80, 24);
    screen.until("a row", |text| text.contains("for a person"));
    screen.press("\r");
    screen.until("the ladder", |text| text.contains("weight 50 %"));
    screen.press("q");
    screen.until("the board", |text| text.contains("WHY HERE"));
    scenario::leave(&mut screen);
    screen.ended();
    let raw = String::from_utf8_lossy(screen.raw.as_deref().unwrap_or_default()).into_owned();
    for sgr in raw.split("\x1b[").skip(1).filter_map(|rest| rest.split_once('m').map(|(codes, _)| codes)) {
        if !sgr.bytes().all(|b| b.is_ascii_digit() || b == b';') {
            continue;
        }
        for code in sgr.split(';').filter_map(|c| c.parse::<u16>().ok()) {
            assert!(!(matches!(code, 30..=38 | 40..=48 | 90..=107)), "colour {sgr}");
        }
    }
}

#[test]
fn odd_bytes_from_the_terminal_do_nothing() {
    let demo = Demo::new(PAUSED);
    let mut screen = demo.start(&[], &[], 80, 24);
    screen.until("a row", |text| text.contains("for a person"));
    for odd in [
        "\x1b[99;99~",
        "\x1b]11;rgb:0000/0000/0000\x07",
        "\x1b[?62;22c",
        "\x1bP+r\x1b\\",
        "\u{0}",
        "\x1b[200~ap50\r\x1b[201~",
    ] {
        screen.press(odd);
    }
    screen.settle(Duration::from_millis(300));
    assert!(screen.contents().contains("for a person"), "{}", screen.contents());
    assert!(!screen.contents().contains("asked"), "{}", screen.contents());
    // It still listens.
    screen.press("\x1b");
    // At once it would read as Alt+?.
    screen.settle(Duration::from_millis(150));
    screen.press("?");
    screen.until("help", |text| text.contains("a bare key only looks"));
}

#[test]
fn another_size_is_another_screen() {
    let demo = Demo::new(STILL);
    let mut screen = demo.start(&[], &[], 80, 24);
    screen.until("a row", |text| text.contains("shop/web"));
    screen.resize(200, 60);
    screen.until("the wide board", |text| text.contains("VERSION"));
    screen.resize(30, 6);
    screen.until("a word", |text| text.contains("60x16"));
    screen.resize(80, 24);
    screen.until("a row", |text| text.contains("shop/web"));
}

#[test]
fn an_unreachable_cluster_is_said_and_is_not_the_demo() {
    let home = tempfile::tempdir().expect("a temporary folder");
    let port = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.local_addr().expect("its address").port()
    };
    let kubeconfig = home.path().join("kubeconfig");
    let text = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: gone\ncontexts: [{{name: gone, context: {{cluster: c, user: u}}}}]\n\
         clusters: [{{name: c, cluster: {{server: \"http://127.0.0.1:{port}\"}}}}]\nusers: [{{name: u, user: {{}}}}]\n"
    );
    std::fs::write(&kubeconfig, text).expect("a kubeconfig");
    let env = [("KUBECONFIG", kubeconfig.to_str().expect("a path"))];
    let mut screen = scenario::start(Path::new(env!("CARGO_BIN_EXE_flightdeck")), &[], home.path(), &env, 80, 24);
    screen.until("why", |text| text.contains("cannot be read") && text.contains("could not connect"));
    assert!(!screen.contents().contains("DEMO"), "{}", screen.contents());
    screen.press("L");
    screen.until("the links", |text| text.contains("the next in"));
    screen.press("\x03");
    assert_eq!(screen.ended(), 0);
}
