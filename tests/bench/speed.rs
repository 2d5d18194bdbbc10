//! How fast and how cheap the program is: P1 to P9, P12 and P14. The program runs behind a terminal of 200x60.

use std::time::{Duration, Instant};

use super::fleet::Fleet;
use super::screen::{Screen, usage};
use super::table::{Row, Spread, thousands};
use super::{Mode, cockpit, program};

/// Starts on `fleet` and waits until it is live and at rest.
pub fn at_rest(fleet: &Fleet) -> Screen {
    let mut screen = cockpit(fleet);
    screen.until("row", |text| text.contains("svc-00000"));
    fleet.until_watched();
    screen.settle(Duration::from_millis(500));
    screen
}

#[expect(clippy::cast_precision_loss, reason = "a size to look at")]
fn mib(kib: u64) -> f64 {
    kib as f64 / 1024.0
}

struct Keys {
    first: Spread,
    whole: Spread,
    bytes: usize,
}

/// Key to first byte, and to the whole new frame: the cursor goes down and up again.
fn press(size: usize, rate: u32, times: usize) -> Keys {
    let fleet = Fleet::start(size);
    let mut screen = at_rest(&fleet);
    if rate > 0 {
        fleet.stir(rate);
    }
    // The footer names the row that keys apply to.
    let row = |screen: &Screen| screen.contents().lines().rev().find(|l| l.contains("svc-")).map(ToOwned::to_owned);
    let (mut first, mut whole, mut bytes) = (Vec::new(), Vec::new(), Vec::new());
    for turn in 0..times {
        let before = screen.bytes;
        let footer = row(&screen);
        let at = screen.press(if turn % 2 == 0 { "j" } else { "k" });
        let (mut came, mut last) = (None, None);
        let deadline = Instant::now() + Duration::from_secs(5);
        while row(&screen) == footer {
            assert!(Instant::now() < deadline, "the cursor did not move\n{}", screen.contents());
            if let Some(chunk) = screen.next(Duration::from_millis(100)) {
                came.get_or_insert(chunk);
                last = Some(chunk);
            }
        }
        first.push(came.expect("output").duration_since(at));
        whole.push(last.expect("output").duration_since(at));
        bytes.push(screen.bytes - before);
        if rate == 0 {
            screen.settle(Duration::from_millis(3));
        }
    }
    bytes.sort_unstable();
    Keys { first: Spread::of(&first), whole: Spread::of(&whole), bytes: bytes[times / 2] }
}

/// P1, P2 and the bytes of a key of P9.
pub fn keys(mode: Mode) -> Vec<Row> {
    let times = mode.pick(500, 200);
    let calm = press(1_000, 0, times);
    let busy = press(10_000, 1_000, times);
    vec![
        Row::judged(
            "P1",
            "key → first byte of the new frame, 1,000 rollouts",
            format!("{}; whole frame p50 {:.2}, p99 {:.2}", calm.first, calm.whole.at(0.5), calm.whole.at(0.99)),
            "p50 ≤ 1.0, p99 ≤ 3 ms",
            "cursor down and up, behind a pseudo-terminal",
            calm.first.at(0.5) <= 1.0 && calm.first.at(0.99) <= 3.0,
        ),
        Row::judged(
            "P2",
            "key → frame under 1,000 events/s, 10,000 rollouts",
            busy.whole.to_string(),
            "p99 ≤ 8 ms",
            "the same, until the frame shows the new row",
            busy.whole.at(0.99) <= 8.0,
        ),
        Row::judged(
            "P9",
            "bytes of a cursor move",
            format!("{} (median)", calm.bytes),
            "≤ 300",
            "counted at the pseudo-terminal",
            calm.bytes <= 300,
        ),
    ]
}

/// P3 on a server of our own, and the bytes of one change of P9.
pub fn events(mode: Mode) -> Vec<Row> {
    let fleet = Fleet::start(1_000);
    let mut screen = at_rest(&fleet);
    let (mut times, mut bytes) = (Vec::new(), Vec::new());
    for _ in 0..mode.pick(400, 150) {
        let before = screen.bytes;
        let at = Instant::now();
        let mark = fleet.mark(0);
        times.push(screen.until("mark", |text| text.contains(&mark)).duration_since(at));
        screen.settle(Duration::from_millis(25));
        bytes.push(screen.bytes - before);
    }
    bytes.sort_unstable();
    let (spread, median) = (Spread::of(&times), bytes[bytes.len() / 2]);
    vec![
        Row::judged(
            "P3",
            "event on the wire → its text on the screen, 1,000 rollouts",
            spread.to_string(),
            "p50 ≤ 5, p99 ≤ 25 ms",
            "one event at a time; server and terminal on the same machine",
            spread.at(0.5) <= 5.0 && spread.at(0.99) <= 25.0,
        ),
        Row::judged(
            "P9",
            "bytes of one changed line",
            format!("{median} (median; a new reason of 10 letters)"),
            "≤ 64",
            "counted at the pseudo-terminal",
            median <= 64,
        ),
    ]
}

struct Cost {
    cpu: f64,
    bytes: f64,
    /// Of an idle one: bytes a second that said nothing but how old is what was heard.
    age: f64,
    switches: f64,
    resident: f64,
    seconds: f64,
}

/// The screen but for the words about when the cluster was last heard of: a quiet one is drawn for them.
fn without_age(screen: &Screen) -> String {
    let text = screen.contents();
    let (first, rest) = text.split_once('\n').unwrap_or((text.as_str(), ""));
    let first = first.split_once("k8s ").map_or(first, |(before, _)| before.trim_end());
    format!("{first}\n{rest}")
}

fn cost(size: usize, rate: u32, time: Duration) -> Cost {
    let fleet = Fleet::start(size);
    let mut screen = at_rest(&fleet);
    if rate > 0 {
        fleet.stir(rate);
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(2) {
            screen.next(Duration::from_millis(100));
        }
    }
    let (before, written, begun) = (usage(screen.pid()), screen.bytes, Instant::now());
    let (mut shown, mut age) = (without_age(&screen), 0);
    while begun.elapsed() < time {
        let before = screen.bytes;
        screen.next(time.saturating_sub(begun.elapsed()));
        if rate == 0 {
            let now = without_age(&screen);
            age += if now == shown { screen.bytes - before } else { 0 };
            shown = now;
        }
    }
    let (after, seconds) = (usage(screen.pid()), begun.elapsed().as_secs_f64());
    #[expect(clippy::cast_precision_loss, reason = "a rate to look at")]
    let (bytes, age, switches) = (
        (screen.bytes - written - age) as f64 / seconds,
        age as f64 / seconds,
        after.switches.saturating_sub(before.switches) as f64 / seconds,
    );
    let cpu = after.cpu.saturating_sub(before.cpu).as_secs_f64() / seconds * 100.0;
    Cost { cpu, bytes, age, switches, resident: mib(after.resident_kib), seconds }
}

/// P4 and P5.
pub fn load(mode: Mode) -> Vec<Row> {
    let idle = cost(1_000, 0, Duration::from_secs(mode.pick(120, 20)));
    let busy = cost(10_000, 1_000, Duration::from_secs(mode.pick(60, 10)));
    vec![
        Row::judged(
            "P4",
            "idle, connected, 1,000 rollouts",
            format!(
                "{:.2} % CPU, {:.1} bytes/s, {:.1} more for the age of what was heard, {:.1} wake-ups/s over {:.0} s",
                idle.cpu, idle.bytes, idle.age, idle.switches, idle.seconds
            ),
            "≤ 0.1 %, 0 bytes/s, ≤ 8 for the age",
            "/proc, in ticks of 10 ms; the server sends a bookmark every minute",
            idle.cpu <= 0.1 && idle.bytes == 0.0 && idle.age <= 8.0,
        ),
        Row::judged(
            "P5",
            "1,000 events/s, 10,000 rollouts",
            format!(
                "{:.1} % CPU, {:.0} bytes/s to the terminal, {:.1} MiB, over {:.0} s",
                busy.cpu, busy.bytes, busy.resident, busy.seconds
            ),
            "≤ 5 % of a core",
            "spread over all objects; /proc",
            busy.cpu <= 5.0,
        ),
    ]
}

/// P6.
pub fn memory(_: Mode) -> Vec<Row> {
    let resident: Vec<f64> = [100, 1_000, 10_000]
        .into_iter()
        .map(|size| {
            let fleet = Fleet::start(size);
            mib(usage(at_rest(&fleet).pid()).resident_kib)
        })
        .collect();
    let met = resident.iter().zip([20.0, 24.0, 60.0]).all(|(is, most)| *is <= most);
    vec![Row::judged(
        "P6",
        "resident memory at 100 / 1,000 / 10,000 rollouts, each with a ReplicaSet",
        format!("{:.1} / {:.1} / {:.1} MiB", resident[0], resident[1], resident[2]),
        "20 / 24 / 60 MiB",
        "VmRSS half a second after the last output",
        met,
    )]
}

/// The slope of `(x, y)` by least squares.
fn slope(points: &[(f64, f64)]) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "some thousand points")]
    let n = points.len() as f64;
    let (mx, my) = (points.iter().map(|p| p.0).sum::<f64>() / n, points.iter().map(|p| p.1).sum::<f64>() / n);
    let over: f64 = points.iter().map(|(x, y)| (x - mx) * (y - my)).sum();
    over / points.iter().map(|(x, _)| (x - mx) * (x - mx)).sum::<f64>()
}

/// P7: a day's events, as fast as they are taken.
pub fn growth(mode: Mode) -> Vec<Row> {
    /// 24 hours at 100 events/s.
    const DAY: u64 = 8_640_000;
    let events = if mode.quick { DAY / 24 } else { DAY };
    let fleet = Fleet::start(1_000);
    let mut screen = at_rest(&fleet);
    let begun = Instant::now();
    fleet.flood(events);
    let mut points = Vec::new();
    let mut next = 0;
    let mut stuck = Instant::now();
    while fleet.flooded() < events {
        screen.next(Duration::from_millis(20));
        let sent = fleet.flooded();
        if sent >= next {
            #[expect(clippy::cast_precision_loss, reason = "some millions")]
            points.push((sent as f64, mib(usage(screen.pid()).resident_kib)));
            next = sent + events / 200;
            stuck = Instant::now();
        }
        assert!(stuck.elapsed() < Duration::from_mins(1), "no events are taken any more");
    }
    let seconds = begun.elapsed().as_secs_f64();
    // The first tenth fills caches and the allocator's pools.
    let settled: Vec<(f64, f64)> = points.iter().copied().skip(points.len() / 10).collect();
    #[expect(clippy::cast_precision_loss, reason = "some millions")]
    let grown = slope(&settled) * events as f64;
    let (from, to) = (settled.first().map_or(0.0, |p| p.1), settled.last().map_or(0.0, |p| p.1));
    #[expect(clippy::cast_precision_loss, reason = "some millions")]
    let rate = events as f64 / seconds;
    vec![
        Row::judged(
            "P7",
            if mode.quick { "growth over an hour's events (100/s)" } else { "growth over a day's events (100/s)" },
            format!(
                "{grown:+.2} MiB by regression; {from:.1} → {to:.1} MiB; {} events in {seconds:.0} s, {rate:.0}/s",
                thousands(usize::try_from(events).unwrap_or(0))
            ),
            "≤ 1 MiB",
            "1,000 rollouts that change in turn, events as fast as they are taken; memory 180 times after the first tenth",
            grown <= 1.0 && to - from <= 1.0,
        )
        .quick(mode),
    ]
}

/// P8, and the bytes of the first frame of P9.
pub fn first_frame(mode: Mode) -> Vec<Row> {
    let fleet = Fleet::start(1_000);
    let (mut first, mut live, mut bytes) = (Vec::new(), Vec::new(), Vec::new());
    for turn in 0..mode.pick(43, 18) {
        let mut screen = cockpit(&fleet);
        let started = screen.started;
        let frame = screen.next(Duration::from_secs(10)).expect("a first byte");
        let row = screen.until("row", |text| text.contains("svc-00000"));
        // The first three are there to warm up.
        if turn >= 3 {
            first.push(frame.duration_since(started));
            live.push(row.duration_since(started));
            bytes.push(screen.bytes);
        }
    }
    bytes.sort_unstable();
    let (first, live, bytes) = (Spread::of(&first), Spread::of(&live), bytes[bytes.len() / 2]);
    vec![
        Row::judged(
            "P8",
            "start → first byte / → live list of 1,000",
            format!("{first} / p50 {:.1}, p99 {:.1} ms", live.at(0.5), live.at(0.99)),
            "≤ 30 / ≤ 150 ms",
            "from the start of the process, warm; median",
            first.at(0.5) <= 30.0 && live.at(0.5) <= 150.0,
        ),
        Row::judged(
            "P9",
            "bytes until the full board stands, 200x60",
            format!("{bytes} (median)"),
            "≤ 17,000",
            "all that was written since the start",
            bytes <= 17_000,
        ),
    ]
}

/// P12: what it costs the API server.
pub fn server_cost(mode: Mode) -> Vec<Row> {
    let fleet = Fleet::start(1_000);
    let mut screen = at_rest(&fleet);
    let start = fleet.asked();
    let wait = Duration::from_secs(mode.pick(120, 30));
    let begun = Instant::now();
    while begun.elapsed() < wait {
        screen.next(wait.saturating_sub(begun.elapsed()));
    }
    let after = fleet.asked();
    let kinds: Vec<String> =
        start.iter().map(|(kind, c)| format!("{kind}: {} list, {} watch", c.lists, c.watches)).collect();
    let one_each = start.values().all(|c| c.lists == 1 && c.watches == 1 && c.gets == 0);
    let more: u32 = after
        .iter()
        .map(|(kind, c)| {
            let before = start.get(kind).copied().unwrap_or_default();
            c.lists + c.watches + c.gets - before.lists - before.watches - before.gets
        })
        .sum();
    vec![Row::judged(
        "P12",
        "what the API server is asked: at the start, and then on the board",
        format!("{}; {more} requests in the next {:.0} s", kinds.join("; "), wait.as_secs_f64()),
        "1 list a kind, 0 polls after",
        "counted at the server",
        one_each && more == 0,
    )]
}

/// P14: the program as it is built here.
pub fn size(_: Mode) -> Vec<Row> {
    let bytes = std::fs::metadata(program()).map_or(0, |m| m.len());
    #[expect(clippy::cast_precision_loss, reason = "a size to look at")]
    let megabytes = bytes as f64 / 1e6;
    vec![Row::judged(
        "P14",
        "size of the program, as this bench builds it",
        format!("{megabytes:.1} MB"),
        "≤ 12 MB",
        "release profile: thin LTO, stripped; the `dist` profile is smaller",
        megabytes <= 12.0,
    )]
}
