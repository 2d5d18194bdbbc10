//! First figures: `cargo bench --bench cockpit [-- NAME …]`, see README.md beside this file.

mod fleet;
mod patch;
#[path = "../support/screen.rs"]
#[expect(dead_code, reason = "shared with the tests behind a terminal")]
mod screen;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use fleet::Fleet;
use screen::{Screen, usage};

const WIDE: (u16, u16) = (200, 60);

fn program() -> PathBuf {
    env!("CARGO_BIN_EXE_flightdeck").into()
}

fn cockpit(fleet: &Fleet) -> Screen {
    let (kubeconfig, state) = (fleet.kubeconfig(), fleet.state());
    let env: [(&str, &Path); 2] = [("KUBECONFIG", &kubeconfig), ("FLIGHTDECK_STATE_DIR", &state)];
    Screen::start(&program(), &[], &env, WIDE.0, WIDE.1)
}

/// Starts on `fleet` and waits until it is live and at rest.
fn at_rest(fleet: &Fleet) -> Screen {
    let mut screen = cockpit(fleet);
    screen.until("row", |text| text.contains("svc-00000"));
    fleet.until_watched();
    screen.settle(Duration::from_millis(500));
    screen
}

/// Sorted, in milliseconds.
struct Spread(Vec<f64>);

impl Spread {
    fn of(times: &[Duration]) -> Self {
        let mut all: Vec<f64> = times.iter().map(|t| t.as_secs_f64() * 1000.0).collect();
        all.sort_by(f64::total_cmp);
        Self(all)
    }

    fn at(&self, share: f64) -> f64 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "an index"
        )]
        let index = ((self.0.len() - 1) as f64 * share).round() as usize;
        self.0[index]
    }
}

impl std::fmt::Display for Spread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (p50, p90, p99, max) = (self.at(0.5), self.at(0.9), self.at(0.99), self.at(1.0));
        write!(f, "p50 {p50:.2} ms, p90 {p90:.2}, p99 {p99:.2}, max {max:.2} (n={})", self.0.len())
    }
}

/// Key to first byte, and to the whole new frame: the cursor goes down and up again.
fn keys(size: usize, rate: u32) {
    let fleet = Fleet::start(size);
    let mut screen = at_rest(&fleet);
    if rate > 0 {
        fleet.stir(rate);
    }
    let row = |screen: &Screen| screen.contents().lines().rev().find(|l| l.contains("svc-")).map(ToOwned::to_owned);
    let (mut first, mut whole, mut bytes) = (Vec::new(), Vec::new(), Vec::new());
    for turn in 0..300 {
        let before = screen.bytes;
        // The footer names the row that keys apply to.
        let footer = row(&screen);
        let at = screen.press(if turn % 2 == 0 { "j" } else { "k" });
        let mut came = None;
        let deadline = Instant::now() + Duration::from_secs(5);
        while row(&screen) == footer {
            assert!(Instant::now() < deadline, "the cursor did not move\n{}", screen.contents());
            if let Some(chunk) = screen.next(Duration::from_millis(100)) {
                came.get_or_insert(chunk);
                whole.truncate(turn);
                whole.push(chunk.duration_since(at));
            }
        }
        first.push(came.expect("output").duration_since(at));
        bytes.push(screen.bytes - before);
        if rate == 0 {
            screen.settle(Duration::from_millis(3));
        }
    }
    bytes.sort_unstable();
    let load = if rate > 0 { format!(", {rate} events/s") } else { String::new() };
    if rate == 0 {
        println!("key → first byte, {size} rollouts{load}: {}", Spread::of(&first));
    }
    println!("key → frame, {size} rollouts{load}: {}; {} bytes a key (median)", Spread::of(&whole), bytes[150]);
}

/// What the program costs while nothing changes, and while much does.
fn load(size: usize, rate: u32, time: Duration) {
    let fleet = Fleet::start(size);
    let mut screen = at_rest(&fleet);
    if rate > 0 {
        fleet.stir(rate);
        screen.settle(Duration::from_millis(1));
    }
    let (before, written, begun) = (usage(screen.pid()), screen.bytes, Instant::now());
    while begun.elapsed() < time {
        screen.next(time.saturating_sub(begun.elapsed()));
    }
    let (after, seconds) = (usage(screen.pid()), begun.elapsed().as_secs_f64());
    let cpu = after.cpu.saturating_sub(before.cpu).as_secs_f64() / seconds * 100.0;
    #[expect(clippy::cast_precision_loss, reason = "a rate to look at")]
    let (bytes, switches) =
        ((screen.bytes - written) as f64 / seconds, after.switches.saturating_sub(before.switches) as f64 / seconds);
    println!(
        "{size} rollouts, {rate} events/s for {seconds:.0} s: CPU {cpu:.2} %, {bytes:.1} bytes/s to the terminal, \
         {switches:.1} wake-ups/s, RSS {:.1} MiB",
        mib(after.resident_kib)
    );
}

#[expect(clippy::cast_precision_loss, reason = "a size to look at")]
fn mib(kib: u64) -> f64 {
    kib as f64 / 1024.0
}

fn memory() {
    for size in [100, 1_000, 10_000] {
        let fleet = Fleet::start(size);
        let screen = at_rest(&fleet);
        println!("{size} rollouts, each with a ReplicaSet: RSS {:.1} MiB", mib(usage(screen.pid()).resident_kib));
    }
}

fn first_frame() {
    let fleet = Fleet::start(1_000);
    let (mut first, mut live) = (Vec::new(), Vec::new());
    for _ in 0..20 {
        let mut screen = cockpit(&fleet);
        let started = screen.started;
        let frame = screen.until("first byte", |_| true).max(started);
        let frame = screen.next(Duration::from_secs(10)).unwrap_or(frame);
        first.push(frame.duration_since(started));
        live.push(screen.until("row", |text| text.contains("svc-00000")).duration_since(started));
    }
    println!("start → first byte: {}", Spread::of(&first));
    println!("start → live list of 1000: {}", Spread::of(&live));
}

/// An event on the wire to its text on the screen.
fn events() {
    let fleet = Fleet::start(1_000);
    let mut screen = at_rest(&fleet);
    let mut times = Vec::new();
    for _ in 0..200 {
        let at = Instant::now();
        let mark = fleet.mark(0);
        times.push(screen.until("mark", |text| text.contains(&mark)).duration_since(at));
        screen.settle(Duration::from_millis(25));
    }
    println!("event → screen, 1000 rollouts: {}", Spread::of(&times));
}

fn main() {
    let asked: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    let wanted = |name: &str| asked.is_empty() || asked.iter().any(|a| a == name);
    if wanted("first") {
        first_frame();
    }
    if wanted("keys") {
        keys(1_000, 0);
        keys(10_000, 1_000);
    }
    if wanted("events") {
        events();
    }
    if wanted("idle") {
        load(1_000, 0, Duration::from_secs(30));
    }
    if wanted("busy") {
        load(10_000, 1_000, Duration::from_secs(10));
    }
    if wanted("memory") {
        memory();
    }
    if wanted("patch") {
        patch::run();
    }
}
