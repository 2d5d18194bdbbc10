//! A log that takes no records, and takes them again.

use std::path::Path;
use std::sync::Mutex;

use super::memory::{Fault, Memory};
use super::*;
use crate::audit::{Kept, Late, Sink, Standing};

#[derive(Default)]
struct Heard(Mutex<Vec<String>>);

impl Sink for Heard {
    fn take(&self, kept: &Kept) {
        self.0.lock().expect("the list").push(format!("{} {}", kept.draft.kind.as_str(), kept.draft.act));
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("a time")
}

fn all(log: &AuditLog) -> Vec<crate::domain::record::Record> {
    log.all().expect("read").into_iter().map(|s| s.record).collect()
}

#[test]
fn records_wait_are_told_and_are_written_late_in_their_order() {
    let dir = tempfile::tempdir().expect("a folder");
    let log = log(dir.path(), "one");
    let heard = Arc::new(Heard::default());
    let late = Late::new(vec![heard.clone()]);
    let allowed = late.authorize(draft(RecordKind::Outcome, "a"), Nothing, at(5), "disk full").expect("room");
    assert_eq!(allowed.standing(), &Standing::Degraded { why: "disk full".to_owned() });
    assert_eq!((allowed.seq(), late.count(), late.has_intent("a")), (None, 1, true));
    assert!(late.keep(outcome("a"), at(6), "disk full"));
    assert_eq!(*heard.0.lock().expect("the list"), ["intent a", "outcome a"]);
    let last = late.write(&log).expect("written");
    assert_eq!((last, late.count(), late.has_intent("a")), (Some(3), 0, false));
    let records = all(&log);
    assert_eq!(records[1].said.kind, RecordKind::Intent);
    assert_eq!(records[1].said.digest.as_deref(), Some("digest"));
    assert_eq!(records[2].said.kind, RecordKind::Outcome);
    for (record, meant) in records[1..].iter().zip([at(5), at(6)]) {
        assert!(record.said.late, "{record:?}");
        assert_eq!(record.said.meant_for, Some(meant.to_string()));
        assert_eq!(record.said.late_because.as_deref(), Some("disk full"));
    }
    assert!(log.verify(true).expect("verified").holds());
    assert_eq!(late.write(&log).expect("nothing left"), None);
    assert!(late.unwritten().is_empty());
}

#[test]
fn there_is_a_bound_and_beyond_it_no_act_goes() {
    let late = Late::default();
    let mut allowed = 0;
    while let Ok(one) = late.authorize(draft(RecordKind::Intent, "a"), Nothing, at(1), "x") {
        assert_eq!(one.seq(), None);
        allowed += 1;
        assert!(allowed < 10_000, "no bound");
    }
    for _ in 0..allowed {
        assert!(late.keep(outcome("a"), at(1), "x"), "each act has room for its outcome");
    }
    let mut refusals = 0;
    while late.keep(draft(RecordKind::Refusal, "r"), at(1), "x") {
        refusals += 1;
        assert!(refusals < 10_000, "no bound");
    }
    let lines = late.unwritten();
    assert_eq!(lines.len(), allowed * 2 + refusals + 1);
    assert!(lines.last().is_some_and(|l| l.starts_with("1 more records")), "{:?}", lines.last());
    let first: serde_json::Value = serde_json::from_str(&lines[0]).expect("JSON");
    assert_eq!((&first["late"], &first["act"]), (&true.into(), &"a".into()));
}

#[test]
fn one_that_no_log_takes_does_not_stand_in_the_way() {
    let dir = tempfile::tempdir().expect("a folder");
    let log = log(dir.path(), "one");
    let late = Late::default();
    let mut long = outcome("long");
    long.reason = Some("x".repeat(70_000));
    assert!(late.keep(long, at(1), "x") && late.keep(outcome("b"), at(2), "x"));
    late.write(&log).expect("the other is written");
    assert_eq!(all(&log).last().expect("a record").said.act, "b");
    assert_eq!(late.count(), 1, "it is still said that one is in no log");
    assert!(late.unwritten()[0].contains("\"long\""));
}

#[test]
fn whatever_breaks_while_late_records_are_written_none_is_lost_or_doubled() {
    let folder = tempfile::tempdir().expect("a folder");
    let dir: &Path = folder.path();
    let open = |memory: &Memory, instance: &str| {
        AuditLog::open_on(dir, stamp(instance), Arc::new(memory.clone())).expect("opening writes nothing")
    };
    let start = Memory::default();
    open(&start, "earlier").append(draft(RecordKind::Intent, "earlier")).expect("appended");
    let whole = start.copy();
    let fill = |late: &Late| {
        for n in 0..4 {
            assert!(late.keep(outcome(&n.to_string()), at(n), "x"));
        }
    };
    let late = Late::default();
    fill(&late);
    late.write(&open(&whole, "one")).expect("written");
    let mut points = 0;
    for call in 0..whole.calls() {
        for fault in [Fault::Eio, Fault::Enospc, Fault::ShortWrite] {
            let machine = start.breaking(call, fault);
            let late = Late::default();
            fill(&late);
            let log = open(&machine, "one");
            // The disk breaks once; the second try finds it mended.
            if late.write(&log).is_err() {
                late.write(&log).unwrap_or_else(|e| panic!("{fault:?} at {call}: {e}"));
            }
            let acts: Vec<String> = all(&log).into_iter().filter(|r| r.said.late).map(|r| r.said.act).collect();
            assert_eq!(acts, ["0", "1", "2", "3"], "{fault:?} at {call}");
            assert!(log.verify(true).expect("verified").holds(), "{fault:?} at {call}");
            points += 1;
        }
    }
    assert!(points >= 60, "only {points} points");
}
