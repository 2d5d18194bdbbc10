//! Exports, and what checking them finds.

use super::super::tests::{draft, stamp};
use super::*;
use crate::domain::record::TargetRecord;

fn log(dir: &std::path::Path) -> AuditLog {
    let log = AuditLog::open(dir, stamp("one")).expect("a log");
    for (n, name) in ["web", "=cmd", "web", "api"].iter().enumerate() {
        let mut said = draft(crate::domain::record::RecordKind::Intent, &format!("act-{n}"));
        said.target =
            Some(TargetRecord { namespace: "shop".to_owned(), name: (*name).to_owned(), ..TargetRecord::default() });
        log.append(said).expect("appended");
    }
    log
}

fn whole(log: &AuditLog, target: Option<&str>) -> Export {
    let range = Range { target: target.map(ToOwned::to_owned), ..Range::default() };
    log.export(&range, Timestamp::UNIX_EPOCH).expect("exported")
}

#[test]
fn an_export_holds_the_stored_lines_and_can_be_checked_again() {
    let dir = tempfile::tempdir().expect("a folder");
    let log = log(dir.path());
    let text = whole(&log, None).jsonl();
    let stored = std::fs::read_to_string(dir.path().join("audit-000001.jsonl")).expect("the log");
    assert_eq!(text.split_once('\n').expect("a header").1, stored);
    let report = verify_export(&text);
    assert!(report.holds(), "{report:?}");
    assert_eq!((report.records, report.withheld), (5, 0));
    let header = report.header.expect("a header");
    assert_eq!((header.from, header.to, header.log_seq, header.host.as_str()), (1, 5, 5, "test-host"));
    assert_eq!(header.head, log.verify(true).expect("verified").head);
}

#[test]
fn what_is_withheld_leaves_the_chain_whole() {
    let dir = tempfile::tempdir().expect("a folder");
    let log = log(dir.path());
    for wanted in ["web", "shop/web"] {
        let text = whole(&log, Some(wanted)).jsonl();
        let report = verify_export(&text);
        assert!(report.holds(), "{report:?}");
        assert_eq!((report.records, report.withheld), (2, 3));
        assert!(!text.contains("=cmd") && !text.contains("\"api\""), "{text}");
    }
}

#[test]
fn a_range_without_records_is_an_export_too() {
    let dir = tempfile::tempdir().expect("a folder");
    let log = log(dir.path());
    let range = Range { since: Some(Timestamp::MAX), ..Range::default() };
    let text = log.export(&range, Timestamp::UNIX_EPOCH).expect("exported").jsonl();
    let report = verify_export(&text);
    assert!(report.holds(), "{report:?}");
    assert_eq!((report.records, report.header.expect("a header").to), (0, 0));
}

#[test]
fn every_flipped_byte_of_a_record_and_every_missing_line_is_found() {
    let dir = tempfile::tempdir().expect("a folder");
    let text = whole(&log(dir.path()), Some("web")).jsonl();
    let first = text.find('\n').expect("a header") + 1;
    for at in first..text.len() {
        let mut bytes = text.clone().into_bytes();
        bytes[at] ^= 1;
        if let Ok(flipped) = String::from_utf8(bytes) {
            assert!(!verify_export(&flipped).holds(), "byte {at}");
        }
    }
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    // What was changed at the end is not said to be cut off, and what was cut off not to be changed.
    let last = lines.len();
    let why = |text: &str| verify_export(text).findings.first().map(|f| (f.line, f.why.clone())).expect("a finding");
    let changed =
        format!("{}{}", lines[..last - 1].concat(), lines[last - 1].replacen("\"leaf\":\"", "\"leaf\":\"0", 1));
    assert_ne!(changed, text);
    let (line, said) = why(&changed);
    assert!(line == last && said.contains("changed") && !said.contains("ends before"), "{line}: {said}");
    let (line, said) = why(&lines[..last - 1].concat());
    assert!(line == last - 1 && said.contains("ends before"), "{line}: {said}");
    for gone in 0..lines.len() {
        let rest: String = lines.iter().enumerate().filter(|(n, _)| *n != gone).map(|(_, l)| *l).collect();
        assert!(!verify_export(&rest).holds(), "line {gone}");
    }
    for part in (0..text.len()).filter_map(|cut| text.get(..cut)) {
        assert!(!verify_export(part).holds(), "cut at {}", part.len());
    }
}

#[test]
fn no_export_says_that_it_is_none() {
    for text in ["", "\n", "{}\n", "{\"format\":\"other\"}\n", "\u{1b}[2J"] {
        let report = verify_export(text);
        assert!(report.findings[0].why.contains("no export"), "{report:?}");
    }
}

#[test]
fn a_table_holds_no_formula_and_no_control_character() {
    let dir = tempfile::tempdir().expect("a folder");
    let log = log(dir.path());
    let mut said = draft(crate::domain::record::RecordKind::Intent, "act-9");
    said.reason = Some("a \"quote\", a\nline and \u{1b}[2J".to_owned());
    log.append(said).expect("appended");
    let csv = whole(&log, None).csv();
    assert!(csv.starts_with("# {") && csv.contains(",'=cmd,"), "{csv}");
    assert!(csv.contains("\"a \"\"quote\"\", a line and ␛[2J\""), "{csv}");
    assert!(!csv.contains('\u{1b}'));
    for line in csv.lines().skip(1).filter(|l| !l.contains('"')) {
        assert_eq!(line.split(',').count(), COLUMNS.len(), "{line}");
    }
}
