mod faults;
mod glance;
mod late;
mod memory;
mod witness;

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;

use super::*;
use crate::domain::record::{Digest, Draft, OutcomeRecord, RecordKind};

pub(super) fn stamp(instance: &str) -> Stamp {
    Stamp {
        host: "test-host".to_owned(),
        pid: 1,
        instance: instance.to_owned(),
        program: "0.0.0".to_owned(),
        boot_id: "boot".to_owned(),
        now: Arc::new(|| (Timestamp::UNIX_EPOCH, 1)),
    }
}

pub(super) fn draft(kind: RecordKind, act: &str) -> Draft {
    let mut draft = Draft::new(kind);
    draft.act = act.to_owned();
    draft.op = "resume".to_owned();
    draft.reason = Some("„quiet“ for 10 minutes \u{1b}".to_owned());
    draft
}

fn outcome(act: &str) -> Draft {
    let mut draft = draft(RecordKind::Outcome, act);
    draft.outcome = Some(OutcomeRecord { word: "done".to_owned(), ..OutcomeRecord::default() });
    draft
}

fn log(dir: &Path, instance: &str) -> AuditLog {
    AuditLog::open(dir, stamp(instance)).expect("a log")
}

struct Nothing;

impl Digest for Nothing {
    fn digest(&self) -> String {
        "digest".to_owned()
    }
}

#[test]
fn an_intent_is_in_the_file_before_its_act_may_go() {
    let dir = tempfile::tempdir().expect("a folder");
    let log = log(dir.path(), "one");
    let allowed = log.authorize(draft(RecordKind::Outcome, "a"), Nothing).expect("authorised");
    let text = std::fs::read_to_string(dir.path().join("audit-000001.jsonl")).expect("the log");
    let last: serde_json::Value = serde_json::from_str(text.lines().last().expect("a line")).expect("JSON");
    assert_eq!((last["kind"].as_str(), last["digest"].as_str()), (Some("intent"), Some("digest")));
    assert_eq!(last["seq"].as_u64(), allowed.seq());
}

#[test]
fn lines_are_canonical_and_chained() {
    let dir = tempfile::tempdir().expect("a folder");
    let log = log(dir.path(), "one");
    for n in 0..5 {
        log.append(outcome(&n.to_string())).expect("appended");
    }
    let report = log.verify(true).expect("verified");
    assert!(report.holds(), "{report:?}");
    assert_eq!(report.records, 6, "the segment's own record and five more");
    let text = std::fs::read_to_string(dir.path().join("audit-000001.jsonl")).expect("the log");
    for line in text.lines() {
        let keys: Vec<_> = line.match_indices("\":").map(|(at, _)| at).collect();
        assert!(!keys.is_empty() && line.starts_with("{\"act\"") || line.starts_with("{\"actor\""), "sorted: {line}");
    }
    assert!(!text.contains('\u{1b}'), "control characters are escaped");
}

#[test]
fn every_flipped_byte_is_noticed() {
    let dir = tempfile::tempdir().expect("a folder");
    let log = log(dir.path(), "one");
    for n in 0..4 {
        log.append(outcome(&n.to_string())).expect("appended");
    }
    let path = dir.path().join("audit-000001.jsonl");
    let whole = std::fs::read(&path).expect("the log");
    let head = log.verify(false).expect("verified").head;
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        std::fs::write(&path, &bytes).expect("written");
        let report = log.verify(true).expect("verified");
        // A flip in the last line changes the head; anywhere else it breaks the chain.
        assert!(!report.holds() || report.torn_tail.is_some() || report.head != head, "byte {at}");
    }
}

#[test]
fn a_cut_tail_holds_and_the_report_says_what_it_cannot_prove() {
    let dir = tempfile::tempdir().expect("a folder");
    let log = log(dir.path(), "one");
    for n in 0..4 {
        log.append(outcome(&n.to_string())).expect("appended");
    }
    let path = dir.path().join("audit-000001.jsonl");
    let whole = std::fs::read(&path).expect("the log");
    for (at, _) in whole.iter().enumerate().filter(|(_, b)| **b == b'\n') {
        std::fs::write(&path, &whole[..=at]).expect("written");
        let report = log.verify(true).expect("verified");
        assert!(report.holds());
        assert!(report.not_proven.contains("witness"));
    }
}

#[test]
fn a_torn_tail_is_kept_as_evidence() {
    let dir = tempfile::tempdir().expect("a folder");
    log(dir.path(), "one").append(outcome("a")).expect("appended");
    let path = dir.path().join("audit-000001.jsonl");
    let mut bytes = std::fs::read(&path).expect("the log");
    bytes.extend_from_slice(b"{\"act\":\"half");
    std::fs::write(&path, &bytes).expect("written");
    let again = log(dir.path(), "two");
    assert_eq!(again.verify(true).expect("verified").torn_tail, Some(12));
    again.append(outcome("b")).expect("appended");
    let torn = std::fs::read(dir.path().join("audit.torn-3")).expect("the evidence");
    assert_eq!(torn, b"{\"act\":\"half");
    let report = again.verify(true).expect("verified");
    assert!(report.holds() && report.torn_tail.is_none(), "{report:?}");
    let kinds: Vec<_> = again.read(&ReadQuery::default()).expect("read").iter().map(|s| s.record.said.kind).collect();
    assert_eq!(kinds[1], RecordKind::Recovered);
}

#[test]
fn a_changed_record_stops_the_log() {
    let dir = tempfile::tempdir().expect("a folder");
    let first = log(dir.path(), "one");
    for n in 0..3 {
        first.append(outcome(&n.to_string())).expect("appended");
    }
    let path = dir.path().join("audit-000001.jsonl");
    let text = std::fs::read_to_string(&path).expect("the log").replacen("quiet", "noisy", 1);
    std::fs::write(&path, &text).expect("written");
    let error = log(dir.path(), "two").append(outcome("x")).expect_err("nothing is written after tampering");
    assert!(matches!(error, AuditError::Tampered { .. }), "{error}");
    assert_eq!(std::fs::read_to_string(&path).expect("the log"), text, "left as it is");
}

#[test]
fn only_dead_processes_leave_intents_behind() {
    let dir = tempfile::tempdir().expect("a folder");
    let living = log(dir.path(), "living");
    living.append(draft(RecordKind::Intent, "a")).expect("appended");
    let dying = log(dir.path(), "dying");
    dying.append(draft(RecordKind::Intent, "b")).expect("appended");
    dying.append(draft(RecordKind::Intent, "c")).expect("appended");
    dying.append(outcome("c")).expect("appended");
    let looker = log(dir.path(), "looker");
    assert!(looker.leftovers().expect("read").is_empty(), "both live");
    drop(dying);
    let left: Vec<_> = looker.leftovers().expect("read").into_iter().map(|r| r.said.act).collect();
    assert_eq!(left, ["b"], "only what the dead left open");
    assert_eq!(looker.view().expect("read").open_intents, 1);
}

#[test]
fn many_writers_make_one_chain() {
    const WRITERS: usize = 4;
    const EACH: usize = 250;
    let dir = tempfile::tempdir().expect("a folder");
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let dir = dir.path();
            scope.spawn(move || {
                let log = log(dir, &format!("w{writer}"));
                for n in 0..EACH {
                    log.append(outcome(&format!("{writer}-{n}"))).expect("appended");
                }
            });
        }
    });
    let log = log(dir.path(), "reader");
    let report = log.verify(true).expect("verified");
    assert!(report.holds(), "{report:?}");
    assert_eq!(report.records, (WRITERS * EACH + 1) as u64);
    let acts: HashSet<_> =
        log.read(&ReadQuery::default()).expect("read").into_iter().map(|s| s.record.said.act).collect();
    assert_eq!(acts.len(), WRITERS * EACH + 1);
}

#[test]
fn too_long_a_record_is_refused_and_nothing_is_written() {
    let dir = tempfile::tempdir().expect("a folder");
    let log = log(dir.path(), "one");
    log.append(outcome("a")).expect("appended");
    let mut long = outcome("b");
    long.reason = Some("x".repeat(70_000));
    assert!(matches!(log.append(long), Err(AuditError::TooLong(_))));
    log.append(outcome("c")).expect("the log goes on");
    assert!(log.verify(true).expect("verified").holds());
}

#[test]
fn a_folder_that_others_may_write_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o777)).expect("set");
    let refused = AuditLog::open(dir.path(), stamp("one"));
    assert!(matches!(refused, Err(AuditError::OpenToOthers(_))));
}
