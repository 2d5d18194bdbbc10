//! Witnessed heads against logs that were cut, replaced or left alone.

use super::*;
use crate::audit::Head;

fn grown(dir: &Path, records: usize) -> (AuditLog, Vec<Head>) {
    let log = log(dir, "one");
    let mut heads = Vec::new();
    for n in 0..records {
        log.append(outcome(&n.to_string())).expect("appended");
        heads.push(log.head("2026-11-25T10:00:00Z", "anna").expect("read").expect("a head").0);
    }
    (log, heads)
}

#[test]
fn every_cut_behind_which_a_witness_stands_is_found_and_no_other() {
    let dir = tempfile::tempdir().expect("a folder");
    let (log, heads) = grown(dir.path(), 6);
    assert!(heads.iter().all(|h| h.key() == heads[0].key()), "one key for one log");
    let path = dir.path().join("audit-000001.jsonl");
    let whole = std::fs::read(&path).expect("the log");
    let ends: Vec<usize> = whole.iter().enumerate().filter(|(_, b)| **b == b'\n').map(|(at, _)| at + 1).collect();
    for (kept, end) in std::iter::once(0).chain(ends).enumerate() {
        std::fs::write(&path, &whole[..end]).expect("written");
        for head in &heads {
            let report = log.compare(std::slice::from_ref(head)).expect("compared");
            let cut = kept < usize::try_from(head.seq).expect("small");
            assert_eq!(report.holds(), !cut, "{kept} records kept, record {} witnessed", head.seq);
            assert_eq!(report.proven_to, (!cut).then_some(head.seq));
        }
    }
}

#[test]
fn a_log_written_anew_is_not_the_one_that_was_witnessed() {
    let dir = tempfile::tempdir().expect("a folder");
    let (_, heads) = grown(dir.path(), 3);
    let path = dir.path().join("audit-000001.jsonl");
    std::fs::remove_file(&path).expect("removed");
    let again = log(dir.path(), "two");
    for n in 0..5 {
        again.append(outcome(&format!("other {n}"))).expect("appended");
    }
    assert!(again.verify(true).expect("verified").holds(), "the chain alone sees nothing");
    let report = again.compare(&heads[2..]).expect("compared");
    assert_eq!((report.holds(), report.missing.len()), (false, 1));
}

#[test]
fn other_logs_prove_nothing_and_disturb_nothing() {
    let (here, there) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let (log, mut heads) = grown(here.path(), 2);
    let (_, other) = grown(there.path(), 1);
    let far = Head { host: "far".to_owned(), log: "x".to_owned(), ..heads[0].clone() };
    heads.extend([other[0].clone(), far]);
    // The two logs of this test begin with the same record, byte for byte, as no two real ones do.
    heads[2].log = "y".to_owned();
    let report = log.compare(&heads).expect("compared");
    assert!(report.holds());
    assert_eq!((report.confirmed.len(), report.others.len(), report.proven_to), (2, 2, Some(3)));
    assert_eq!(log.compare(&[]).expect("compared").proven_to, None);
}

#[test]
fn a_key_has_only_letters_that_a_config_map_takes() {
    let head =
        Head { host: "höst/with odd:letters".to_owned() + &"x".repeat(300), log: "0a1b".into(), ..Head::default() };
    let key = head.key();
    assert!(key.len() <= 128 && key.ends_with("_0a1b"), "{key}");
    assert!(key.chars().all(|c| c.is_ascii_alphanumeric() || "-._".contains(c)), "{key}");
}
