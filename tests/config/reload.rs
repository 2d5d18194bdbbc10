//! Files that change while the program runs.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use flightdeck::demo::{Scenario, World};

use crate::program::Program;
use crate::pty::scenario;

const SCENARIO: &str = "pod_ready = '200ms'\n\
    [[rollout]]\nnamespace = 'shop'\nname = 'payments'\nimage = 'shop/payments'\nversion = '1'\nreplicas = 5\n\
    steps = ['20%', 'pause', '50%', 'pause 10m', '100%']\n\
    [[event]]\nat = '-6m'\ntarget = 'shop/payments'\ndo = 'release'\nversion = '2'\n";

const STAGING: &str = "[[environment]]\nname = \"here\"\ntier = \"staging\"\nnamespace = \"shop\"\n";
const DEVELOPMENT: &str = "[[environment]]\nname = \"here\"\ntier = \"development\"\nnamespace = \"shop\"\n";

/// Long enough for a busy machine; a change that is heard takes a fraction of a second.
const PATIENCE: Duration = Duration::from_secs(30);

/// `watch -o json` with everything it says, line by line.
struct Watch {
    child: Child,
    lines: Receiver<String>,
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Watch {
    fn start(program: &Program) -> Self {
        let mut command = program.command();
        command.args(["watch", "-o", "json"]).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        let (to, lines) = channel();
        let (out, err) = (child.stdout.take().expect("its output"), child.stderr.take().expect("its notes"));
        let each = to.clone();
        std::thread::spawn(move || BufReader::new(out).lines().map_while(Result::ok).try_for_each(|l| each.send(l)));
        std::thread::spawn(move || BufReader::new(err).lines().map_while(Result::ok).try_for_each(|l| to.send(l)));
        Self { child, lines }
    }

    #[track_caller]
    fn until(&self, what: &str, is: impl Fn(&str) -> bool) -> String {
        let (deadline, mut seen) = (Instant::now() + PATIENCE, Vec::new());
        loop {
            match self.lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) if is(&line) => return line,
                Ok(line) => seen.push(line),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    panic!("{what} did not come; seen:\n{}", seen.join("\n"))
                }
            }
        }
    }

    /// Waits until the target is said to be of this tier and all is said to be well, in either order.
    #[track_caller]
    fn well_and(&self, tier: &str) {
        let (mut well, mut there) = (false, false);
        let tier = format!("\"tier\":\"{tier}\"");
        while !(well && there) {
            let line = self.until("all well", |line| line.contains("sound again") || line.contains(&tier));
            well |= line.contains("sound again");
            there |= line.contains(&tier);
        }
    }

    /// Waits until the target is said to be of this tier.
    #[track_caller]
    fn tier(&self, tier: &str) {
        self.until(tier, |line| line.contains("\"Target\"") && line.contains(&format!("\"tier\":\"{tier}\"")));
    }
}

/// As vim writes: another file in the place of the old one.
fn replace(path: &Path, text: &str) {
    let new = path.with_extension("tmp");
    std::fs::write(&new, text).expect("written");
    std::fs::rename(&new, path).expect("renamed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_change_counts_at_once_and_a_broken_one_leaves_the_last_good_one_in_force() {
    let world = World::start(&Scenario::parse(SCENARIO).expect("a scenario"), 1).await.expect("a world");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let kubeconfig = folder.path().join("kubeconfig");
    std::fs::write(&kubeconfig, world.kubeconfig()).expect("a kubeconfig");
    // In a folder of its own that goes and comes back.
    let place = folder.path().join("conf");
    std::fs::create_dir(&place).expect("a folder");
    let config = place.join("config.toml");
    std::fs::write(&config, STAGING).expect("written");
    let mut program = Program::new(&kubeconfig, None);
    program.config = Some(config.clone());
    let watch = Watch::start(&program);
    watch.tier("staging");

    std::fs::write(&config, DEVELOPMENT).expect("written");
    watch.tier("development");
    replace(&config, STAGING);
    watch.tier("staging");

    replace(&config, "[policy]\nred_only = true\n");
    let note = watch.until("the note", |line| line.contains("not taken"));
    assert!(note.contains("config.toml:2:1") && note.contains("`read_only`"), "{note}");
    replace(&config, &format!("{STAGING}[log]\nlevel = \"debug\"\n"));
    let note = watch.until("what needs a start", |line| line.contains("another start"));
    assert!(note.contains("log.level") && !note.contains("not taken"), "{note}");
    replace(&config, DEVELOPMENT);
    watch.well_and("development");

    // A file that is away says nothing, least of all that everything is allowed.
    std::fs::remove_dir_all(&place).expect("removed");
    let note = watch.until("the note", |line| line.contains("not taken"));
    assert!(note.contains("config.toml") && !note.contains("panicked"), "{note}");
    std::fs::create_dir(&place).expect("a folder");
    std::fs::write(&config, STAGING).expect("written");
    watch.well_and("staging");
    std::fs::write(&config, "").expect("emptied");
    let note = watch.until("the note", |line| line.contains("not taken"));
    assert!(note.contains("gone or empty"), "{note}");
    drop(watch);
    world.stop().await;
}

#[test]
fn the_cockpit_takes_a_stricter_policy_for_the_next_act_and_shows_what_is_wrong_with_a_file() {
    let home = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(home.path().join("scenario.toml"), SCENARIO).expect("a scenario");
    let config = home.path().join("config.toml");
    std::fs::write(&config, "[policy]\nread_only = false\n").expect("written");
    let (scenario, file) = (home.path().join("scenario.toml"), config.to_str().expect("a path"));
    let args = ["demo", "--scenario", scenario.to_str().expect("a path"), "--config", file];
    let mut screen = scenario::start(Path::new(env!("CARGO_BIN_EXE_flightdeck")), &args, home.path(), &[], 200, 60);
    scenario::find(&mut screen, "shop/payments");
    scenario::menu(&mut screen, "");
    screen.until("acts", |text| text.contains("act on") && !text.contains("nothing is written"));

    replace(&config, "[policy]\nread_only = true\n");
    screen.until("the refusal", |text| text.contains("nothing is written, by policy.read_only"));
    screen.press("\x1b");
    replace(&config, "[policy]\nread_only = flase\n");
    screen.until("what is wrong", |text| text.contains("configuration not taken") && text.contains("config.toml:2:"));
    scenario::menu(&mut screen, "");
    screen.until("still refused", |text| text.contains("nothing is written, by policy.read_only"));
    replace(&config, "[policy]\nread_only = false\n");
    screen.until("allowed", |text| text.contains("act on") && !text.contains("nothing is written"));
    screen.press("\x1b");
    screen.until("nothing wrong", |text| !text.contains("configuration not taken") && !text.contains("act on"));
    replace(&config, "[ui]\nascii = true\n[keys]\nlinks = [\"z\"]\n");
    screen.until("other characters", |text| text.contains("demo > "));
    screen.press("z");
    screen.until("the links by their new key", |text| text.contains("demo/rollouts"));
    screen.press("\x03");
    assert_eq!(screen.ended(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn error_rates_are_judged_by_another_limit_without_another_start() {
    let world = World::start(&Scenario::named("bad-canary").expect("it comes along"), 1).await.expect("a world");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let kubeconfig = folder.path().join("kubeconfig");
    std::fs::write(&kubeconfig, world.kubeconfig()).expect("a kubeconfig");
    let config = folder.path().join("config.toml");
    let limited = |limit: u32| {
        format!("[prometheus]\nlimit = {limit}\n[[prometheus.context]]\nurl = \"{}\"\n", world.prometheus())
    };
    std::fs::write(&config, limited(5)).expect("written");
    let mut program = Program::new(&kubeconfig, None);
    program.config = Some(config.clone());
    let watch = Watch::start(&program);
    let checkout = |line: &str, limit: &str| line.contains("\"name\":\"checkout\"") && line.contains(limit);
    watch.until("too many errors", |line| checkout(line, "\"limit\":0.05,") && line.contains("\"verdict\":\"over"));
    replace(&config, &limited(100));
    watch.until("the same as fine", |line| checkout(line, "\"limit\":1.0,") && line.contains("\"verdict\":\"fine"));
    drop(watch);
    world.stop().await;
}
