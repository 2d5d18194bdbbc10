//! Every call of the write path, broken in every way, from every state that a log can be in.

use std::path::Path;
use std::sync::Arc;

use super::memory::{FAULTS, Fault, Memory};
use super::{draft, stamp};
use crate::audit::{AuditLog, ReadQuery};
use crate::domain::record::RecordKind;

/// What this enumerated when it was written: fewer means that the write path escapes the test.
const AT_LEAST: usize = 2_460;

fn open(dir: &Path, memory: &Memory, instance: &str) -> AuditLog {
    AuditLog::open_on(dir, stamp(instance), Arc::new(memory.clone())).expect("opening does not touch the log")
}

/// Two processes, six appends. Returns the acts whose append was acknowledged.
fn work(dir: &Path, memory: &Memory) -> Vec<String> {
    let mut acknowledged = Vec::new();
    let (first, second) = (open(dir, memory, "first"), open(dir, memory, "second"));
    for (n, log) in [&first, &first, &second, &first, &second, &second].into_iter().enumerate() {
        let act = format!("act-{n}");
        if log.append(draft(RecordKind::Intent, &act)).is_ok() {
            acknowledged.push(act);
        }
    }
    acknowledged
}

/// The states to start from.
pub(super) fn states(dir: &Path) -> Vec<(&'static str, Memory)> {
    let segment = dir.join("audit-000001.jsonl");
    let empty = Memory::default();
    let written = Memory::default();
    open(dir, &written, "earlier").append(draft(RecordKind::Intent, "earlier")).expect("appended");
    let torn = written.copy();
    {
        use crate::audit::Fs as _;
        let mut bytes = torn.read(&segment, 0).expect("the segment");
        bytes.extend_from_slice(b"{\"act\":\"half");
        torn.put(&segment, &bytes);
    }
    let closed = written.copy();
    {
        use crate::audit::Fs as _;
        let length = closed.read(&segment, 0).expect("the segment").len();
        closed.put(&dir.join("audit-000001.closed"), format!("{length}\n").as_bytes());
    }
    let begun = written.copy();
    begun.put(&dir.join("audit-000002.jsonl"), b"");
    let newborn = Memory::default();
    newborn.put(&segment, b"");
    vec![
        ("empty", empty),
        ("written", written),
        ("torn", torn),
        ("closed", closed),
        ("a new segment begun", begun),
        ("the first segment begun", newborn),
    ]
}

fn check(dir: &Path, machine: &Memory, acknowledged: &[String], what: &str) {
    let log = open(dir, machine, "after");
    for n in 0..2 {
        let appended = log.append(draft(RecordKind::Intent, &format!("after-{n}")));
        assert!(appended.is_ok(), "{what}: the log does not go on: {appended:?}");
    }
    let report = log.verify(true).expect("verified");
    assert!(report.holds(), "{what}: false alarm: {report:?}");
    let acts: Vec<String> =
        log.read(&ReadQuery::default()).expect("read").into_iter().map(|s| s.record.said.act).collect();
    for act in acknowledged {
        assert_eq!(acts.iter().filter(|a| *a == act).count(), 1, "{what}: {act} was acknowledged; log: {acts:?}");
    }
}

/// Every call of the work, from every state, broken in every way; each looked at with the page cache kept and after a
/// power loss. Returns how many points that were.
pub(super) fn enumerate(dir: &Path) -> usize {
    let mut points = 0;
    for (state, start) in states(dir) {
        let whole = start.copy();
        work(dir, &whole);
        for at in 0..whole.calls() {
            for fault in FAULTS {
                let machine = start.breaking(at, fault);
                let acknowledged = work(dir, &machine);
                let what = format!("{state}, {fault:?} at call {at}");
                check(dir, &machine.copy(), &acknowledged, &format!("{what}, page cache kept"));
                check(dir, &machine.after_power_loss(|_| 0), &acknowledged, &format!("{what}, power lost"));
                if matches!(fault, Fault::KillBefore | Fault::KillAfter) {
                    assert!(machine.dead(), "{what}: the call was not reached");
                }
                points += 2;
            }
        }
    }
    points
}

/// One machine that loses power in the middle of the work, or after it, and keeps some of what was not synced, as
/// `below` says; the call at which something breaks before is of its choice too.
pub(super) fn lose_pages(dir: &Path, starts: &[(&'static str, Memory)], mut below: impl FnMut(usize) -> usize) {
    let (state, start) = &starts[below(starts.len())];
    // No run of the work makes many more calls than this.
    let (at, fault) = (below(140), FAULTS[below(FAULTS.len())]);
    let machine = start.breaking(at, fault);
    let acknowledged = work(dir, &machine);
    let after = machine.after_power_loss(below);
    check(dir, &after, &acknowledged, &format!("{state}, {fault:?} at call {at}, some pages lost"));
}

#[test]
fn no_acknowledged_record_is_lost_and_nothing_reads_as_tampering() {
    let folder = tempfile::tempdir().expect("a folder");
    let points = enumerate(folder.path());
    println!("{points} points enumerated");
    assert!(points >= AT_LEAST, "only {points} points: the write path escapes the test");
}

#[test]
fn whichever_pages_a_power_loss_takes_no_acknowledged_record_is_lost() {
    let folder = tempfile::tempdir().expect("a folder");
    let starts = states(folder.path());
    let mut seed = 1_u64;
    for _ in 0..300 {
        lose_pages(folder.path(), &starts, |end| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from((seed >> 33) % end as u64).expect("small")
        });
    }
}
