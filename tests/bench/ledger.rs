//! The audit log: R1 to R4, and P13.

#[path = "../../src/audit/tests/faults.rs"]
#[expect(dead_code, reason = "shared with the crate's own tests")]
mod faults;
#[path = "../../src/audit/tests/memory.rs"]
mod memory;

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use flightdeck::audit::{AuditLog, Fs as _, Head, ReadQuery, Stamp};
use flightdeck::domain::record::{Draft, OutcomeRecord, RecordKind};
use jiff::Timestamp;

use super::Mode;
use super::random::Random;
use super::table::{Row, Spread, thousands};

fn stamp(instance: &str) -> Stamp {
    Stamp {
        host: "proof".to_owned(),
        pid: std::process::id(),
        instance: instance.to_owned(),
        program: "proof".to_owned(),
        boot_id: "boot".to_owned(),
        now: Arc::new(|| (Timestamp::now(), 0)),
    }
}

fn draft(kind: RecordKind, act: &str) -> Draft {
    let mut draft = Draft::new(kind);
    act.clone_into(&mut draft.act);
    "resume".clone_into(&mut draft.op);
    draft.reason = Some("error rate fine for 10 minutes".to_owned());
    if kind == RecordKind::Outcome {
        draft.outcome = Some(OutcomeRecord { word: "done".to_owned(), ..OutcomeRecord::default() });
    }
    draft
}

fn open(dir: &Path, instance: &str) -> AuditLog {
    AuditLog::open(dir, stamp(instance)).expect("a log")
}

/// What a child process does: appends, and tells each act that was acknowledged on a line of its own.
pub fn child(dir: &Path, name: &str, times: usize) {
    let log = open(dir, name);
    let mut out = std::io::stdout();
    for n in 0..times {
        let act = format!("{name}-{n}");
        if log.append(draft(RecordKind::Intent, &act)).is_ok() {
            // Nobody may listen any more: that is no matter of the log.
            let _ = out.write_all(format!("{act}\n").as_bytes());
        }
    }
}

fn spawn(before: &[String], dir: &Path, name: &str, times: usize) -> Child {
    let own = std::env::current_exe().expect("this program").to_string_lossy().into_owned();
    let mut words = before.to_vec();
    words.extend([own, "child".into(), dir.to_string_lossy().into_owned(), name.into(), times.to_string()]);
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    command.spawn().expect("it starts")
}

fn told(child: &mut Child) -> Vec<String> {
    let out = child.stdout.take().expect("its output");
    // A last line that was cut by the kill was not told.
    let mut lines = Vec::new();
    let mut reader = BufReader::new(out);
    let mut line = String::new();
    while reader.read_line(&mut line).is_ok_and(|n| n > 0) {
        if line.ends_with('\n') {
            lines.push(line.trim_end().to_owned());
        }
        line.clear();
    }
    lines
}

/// How many acknowledged acts the log does not hold exactly once; panics when it does not go on or does not verify.
fn lost(dir: &Path, acknowledged: &[String], what: &str) -> usize {
    let log = open(dir, "after");
    for n in 0..2 {
        log.append(draft(RecordKind::Intent, &format!("after-{n}"))).unwrap_or_else(|e| panic!("{what}: {e}"));
    }
    let report = log.verify(true).expect("it can be read");
    assert!(report.holds(), "{what}: false alarm: {report:?}");
    let mut found: HashMap<String, usize> = HashMap::new();
    for stored in log.read(&ReadQuery::default()).expect("read") {
        *found.entry(stored.record.said.act).or_default() += 1;
    }
    acknowledged.iter().filter(|act| found.get(*act) != Some(&1)).count()
}

/// The calls by which the log touches the disk.
const CALLS: [&str; 10] =
    ["openat", "write", "fdatasync", "fsync", "ftruncate", "flock", "getdents64", "read", "lseek", "statx"];

/// How often each call is made by a child that appends so many times.
fn counted(dir: &Path, times: usize) -> HashMap<String, usize> {
    let trace = dir.join("trace");
    let log = dir.join("log");
    let before = ["strace", "-f", "-qq", "-o", &trace.to_string_lossy(), "-e", &format!("trace={}", CALLS.join(","))]
        .map(ToOwned::to_owned);
    let mut child = spawn(&before, &log, "one", times);
    told(&mut child);
    child.wait().expect("it ends");
    let text = std::fs::read_to_string(&trace).expect("a trace");
    let mut found = HashMap::new();
    for line in text.lines() {
        let name = line.split_whitespace().nth(1).and_then(|w| w.split('(').next()).unwrap_or_default();
        if CALLS.contains(&name) {
            *found.entry(name.to_owned()).or_default() += 1;
        }
    }
    found
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    let permissions = <std::fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o700);
    std::fs::set_permissions(to, permissions).expect("its own");
    for file in std::fs::read_dir(from).expect("the state").flatten() {
        if file.file_type().is_ok_and(|t| t.is_file()) {
            std::fs::copy(file.path(), to.join(file.file_name())).expect("copied");
        }
    }
}

/// Every call of a real process on the real disk: killed before it, and failed with EIO and ENOSPC.
fn traced(every: usize) -> Option<(usize, usize)> {
    const TIMES: usize = 3;
    if Command::new("strace").arg("-V").stdout(Stdio::null()).stderr(Stdio::null()).status().is_err() {
        return None;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let states = folder.path().join("states");
    let written = states.join("written");
    std::fs::create_dir_all(states.join("empty")).expect("a folder");
    open(&written, "earlier").append(draft(RecordKind::Intent, "earlier")).expect("appended");
    copy(&written, &states.join("torn"));
    let torn = states.join("torn/audit-000001.jsonl");
    let mut bytes = std::fs::read(&torn).expect("a segment");
    bytes.extend_from_slice(b"{\"act\":\"half");
    std::fs::write(&torn, bytes).expect("written");

    let idle = {
        let counted_in = tempfile::tempdir().expect("a folder");
        counted(counted_in.path(), 0)
    };
    let mut work = Vec::new();
    for state in ["empty", "written", "torn"] {
        let counted_in = tempfile::tempdir().expect("a folder");
        copy(&states.join(state), &counted_in.path().join("log"));
        let all = counted(counted_in.path(), TIMES);
        for call in CALLS {
            let from = idle.get(call).copied().unwrap_or(0) + 1;
            for at in from..=all.get(call).copied().unwrap_or(0) {
                for what in ["signal=KILL", "error=EIO", "error=ENOSPC"] {
                    work.push((state, call, at, what));
                }
            }
        }
    }
    let (next, lost_in_all) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let chosen: Vec<_> = work.into_iter().step_by(every).collect();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some((state, call, at, what)) = chosen.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let here = tempfile::tempdir().expect("a folder");
                    let log = here.path().join("log");
                    copy(&states.join(state), &log);
                    let inject = format!("inject={call}:{what}:when={at}");
                    let trace = format!("trace={call}");
                    let before = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", &trace, "-e", &inject];
                    let mut child = spawn(&before.map(ToOwned::to_owned), &log, "one", TIMES);
                    let acknowledged = told(&mut child);
                    child.wait().expect("it ends");
                    let name = format!("{state}, {what} at {call} {at}");
                    lost_in_all.fetch_add(lost(&log, &acknowledged, &name), Ordering::SeqCst);
                }
            });
        }
    });
    Some((chosen.len(), lost_in_all.into_inner()))
}

/// Processes killed at any moment, several in one log after another.
fn killed(times: usize) -> (usize, usize) {
    let mut random = Random::new(7);
    let (mut lost_in_all, mut acknowledged_in_all) = (0, 0);
    let mut left = times;
    while left > 0 {
        let dir = tempfile::tempdir().expect("a folder");
        let log = dir.path().join("log");
        let mut acknowledged = Vec::new();
        for turn in 0..20.min(left) {
            let mut child = spawn(&[], &log, &format!("k{turn}"), usize::MAX);
            std::thread::sleep(Duration::from_micros(1000 + random.next() % 14_000));
            child.kill().expect("killed");
            acknowledged.extend(told(&mut child));
            child.wait().expect("it ends");
        }
        left = left.saturating_sub(20);
        acknowledged_in_all += acknowledged.len();
        lost_in_all += lost(&log, &acknowledged, "killed");
    }
    (acknowledged_in_all, lost_in_all)
}

/// R1: crash points.
pub fn crashes(mode: Mode) -> Vec<Row> {
    let dir = tempfile::tempdir().expect("a folder");
    let in_memory = faults::enumerate(dir.path());
    let traced = traced(mode.pick(1, 6));
    let kills = mode.pick(2_000, 100);
    let (acknowledged, lost_by_kill) = killed(kills);
    let (on_disk, lost_on_disk) = traced.unwrap_or_default();
    let points = in_memory + on_disk + kills;
    let lost = lost_on_disk + lost_by_kill;
    let figure = format!(
        "{} points, {lost} lost: {} in memory (kill, EIO, ENOSPC, short write at each call; with and without power loss), \
         {} on disk at each system call{}, {} kills at any time with {} records acknowledged",
        thousands(points),
        thousands(in_memory),
        thousands(on_disk),
        if traced.is_none() { " (no strace here)" } else { "" },
        thousands(kills),
        thousands(acknowledged),
    );
    vec![Row::judged(
        "R1",
        "crash points of the audit log; acknowledged records lost, or a false alarm",
        figure,
        "≥ 2,000 points, 0 lost",
        "fault-injecting file layer; `strace -e inject` and SIGKILL on real processes",
        points >= 2_000 && lost == 0,
    )]
}

/// R2: what a power loss takes of what was not synced, by chance.
pub fn lost_pages(mode: Mode) -> Vec<Row> {
    let seeds = mode.pick(10_000, 2_000);
    let dir = tempfile::tempdir().expect("a folder");
    let starts = faults::states(dir.path());
    for seed in 0..seeds {
        let mut random = Random::new(seed as u64);
        faults::lose_pages(dir.path(), &starts, |end| random.below(end));
    }
    vec![
        Row::judged(
            "R2",
            "power losses that keep a random part of what was not synced; acknowledged records lost",
            format!("{} seeds, 0 lost", thousands(seeds)),
            "≥ 10,000 seeds, 0 lost",
            "file layer in memory; each seed also breaks one call before",
            true,
        )
        .quick(mode),
    ]
}

fn grown(dir: &Path, memory: &memory::Memory, records: usize) -> (AuditLog, Head) {
    let log = AuditLog::open_on(dir, stamp("one"), Arc::new(memory.clone())).expect("a log");
    for n in 0..records {
        let kind = if n % 2 == 0 { RecordKind::Intent } else { RecordKind::Outcome };
        log.append(draft(kind, &(n / 2).to_string())).expect("appended");
    }
    let head = log.head("2026-11-25T10:00:00Z", "anna").expect("read").expect("a head").0;
    (log, head)
}

/// R3: flipped bytes and cut tails.
pub fn flips(mode: Mode) -> Vec<Row> {
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path();
    let start = memory::Memory::default();
    let (log, head) = grown(dir, &start, mode.pick(300, 100));
    let path = dir.join("audit-000001.jsonl");
    let whole = start.read(&path, 0).expect("the log");
    let last_begins = whole[..whole.len() - 1].iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
    drop(log);
    let masks: &[u8] = if mode.quick { &[1] } else { &[1, 0x20, 0x80] };
    let [next, missed, by_chain, inside, cuts, cuts_missed] = std::array::from_fn(|_| AtomicUsize::new(0));
    let step = 64;
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let memory = start.copy();
                let log = AuditLog::open_on(dir, stamp("reader"), Arc::new(memory.clone())).expect("a log");
                loop {
                    let from = next.fetch_add(step, Ordering::SeqCst);
                    if from >= whole.len() {
                        return;
                    }
                    for at in from..(from + step).min(whole.len()) {
                        for mask in masks {
                            let mut bytes = whole.clone();
                            bytes[at] ^= mask;
                            memory.put(&path, &bytes);
                            let report = log.verify(true).expect("read");
                            let chain = !report.holds() || report.torn_tail.is_some();
                            by_chain.fetch_add(usize::from(chain && at < last_begins), Ordering::SeqCst);
                            inside.fetch_add(usize::from(at < last_begins), Ordering::SeqCst);
                            let witness = || log.compare(std::slice::from_ref(&head)).is_ok_and(|r| r.holds());
                            missed.fetch_add(usize::from(!chain && witness()), Ordering::SeqCst);
                        }
                        // The file ends here.
                        memory.put(&path, &whole[..at]);
                        let report = log.verify(true).expect("read");
                        let chain = !report.holds() || report.torn_tail.is_some();
                        let witness = || log.compare(std::slice::from_ref(&head)).is_ok_and(|r| r.holds());
                        cuts.fetch_add(1, Ordering::SeqCst);
                        cuts_missed.fetch_add(usize::from(!chain && witness()), Ordering::SeqCst);
                    }
                }
            });
        }
    });
    let get = |n: &AtomicUsize| n.load(Ordering::SeqCst);
    let flips = whole.len() * masks.len();
    let met = get(&missed) == 0 && get(&cuts_missed) == 0 && get(&by_chain) == get(&inside);
    vec![Row::judged(
        "R3",
        "flipped bytes and cut tails that go unnoticed",
        format!(
            "{} of {} flips, {} of {} cuts; before the last record the chain alone finds all {} flips",
            get(&missed),
            thousands(flips),
            get(&cuts_missed),
            thousands(get(&cuts)),
            thousands(get(&inside)),
        ),
        "0 (tail: with the witness's head)",
        &format!(
            "every byte of a log of {} records, {} flips each, and the file cut before it",
            mode.pick(301, 101),
            masks.len()
        ),
        met,
    )]
}

/// R4: many processes, one chain.
pub fn writers(mode: Mode) -> Vec<Row> {
    const PROCESSES: usize = 8;
    let each = mode.pick(10_000, 500);
    let dir = tempfile::tempdir().expect("a folder");
    let log = dir.path().join("log");
    let begun = Instant::now();
    let children: Vec<Child> = (0..PROCESSES).map(|n| spawn(&[], &log, &format!("w{n}"), each)).collect();
    let readers: Vec<_> = children
        .into_iter()
        .map(|mut child| {
            std::thread::spawn(move || {
                let told = told(&mut child);
                child.wait().expect("it ends");
                told
            })
        })
        .collect();
    let acknowledged: Vec<String> = readers.into_iter().flat_map(|r| r.join().expect("told")).collect();
    let took = begun.elapsed();
    let report = open(&log, "reader").verify(true).expect("read");
    let missing = lost(&log, &acknowledged, "together");
    let met = report.holds() && missing == 0 && acknowledged.len() == PROCESSES * each;
    vec![
        Row::judged(
            "R4",
            "parallel writers on one chain: forks, gaps, lost records",
            format!(
                "{} records by {PROCESSES} processes in {:.1} s: {} findings, {missing} lost",
                thousands(acknowledged.len()),
                took.as_secs_f64(),
                report.findings.len(),
            ),
            "8 × 10,000: 0",
            "real processes on the real disk, then `verify --strict`",
            met,
        )
        .quick(mode),
    ]
}

/// P13: append and verify.
pub fn speed(mode: Mode) -> Vec<Row> {
    let count = mode.pick(30_000, 3_000);
    let dir = tempfile::tempdir().expect("a folder");
    let log = open(&dir.path().join("log"), "one");
    log.append(draft(RecordKind::Intent, "first")).expect("appended");
    let mut times = Vec::with_capacity(count);
    let begun = Instant::now();
    for n in 0..count {
        let at = Instant::now();
        log.append(draft(RecordKind::Intent, &n.to_string())).expect("appended");
        times.push(at.elapsed());
    }
    let seconds = begun.elapsed().as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "a rate to look at")]
    let per_second = |n: usize, seconds: f64| n as f64 / seconds;
    let rate = per_second(count, seconds);
    let spread = Spread::of(&times);

    let at = Instant::now();
    let report = log.verify(false).expect("read");
    let verify = per_second(usize::try_from(report.records).unwrap_or(0), at.elapsed().as_secs_f64());

    log.view().expect("read");
    let mut views = Vec::new();
    for n in 0..200 {
        log.append(draft(RecordKind::Outcome, &n.to_string())).expect("appended");
        let at = Instant::now();
        log.view().expect("read");
        views.push(at.elapsed());
    }
    // One flush of the disk, by itself.
    let flush = {
        let mut file = std::fs::File::create(dir.path().join("floor")).expect("a file");
        let mut times = Vec::new();
        for _ in 0..500 {
            file.write_all(&[b'x'; 500]).expect("written");
            let at = Instant::now();
            file.sync_data().expect("synced");
            times.push(at.elapsed());
        }
        Spread::of(&times)
    };
    vec![
        Row::judged(
            "P13",
            "durable audit appends, one after another",
            format!(
                "{rate:.0}/s; {spread}; the disk's own flush: p50 {:.2} ms, p99 {:.2}",
                flush.at(0.5),
                flush.at(0.99)
            ),
            "≥ 5,000/s; p99 ≤ 1 ms + flush",
            "one process, each with lock, write and fdatasync",
            rate >= 5_000.0 && spread.at(0.99) <= 1.0 + flush.at(0.99),
        ),
        Row::judged(
            "P13",
            "verify",
            format!("{verify:.0} records/s on one core"),
            "≥ 400,000/s",
            "the same log, from the disk's cache",
            verify >= 400_000.0,
        ),
        Row::note(
            "P13",
            "the log at a glance after an act",
            format!("p50 {:.3} ms with {} records", Spread::of(&views).at(0.5), thousands(count)),
            "reads what was appended since",
        ),
    ]
}
