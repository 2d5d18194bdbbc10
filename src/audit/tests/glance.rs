//! The log at a glance says what the whole log says, and reads only what is new.

use std::any::Any;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

/// The disk, counting the bytes that are read.
#[derive(Default)]
struct Counting(AtomicUsize);

impl Fs for Counting {
    fn make_dir(&self, dir: &Path) -> io::Result<()> {
        Disk.make_dir(dir)
    }
    fn open_to_others(&self, dir: &Path) -> io::Result<bool> {
        Disk.open_to_others(dir)
    }
    fn lock(&self, path: &Path) -> io::Result<Box<dyn Any + Send>> {
        Disk.lock(path)
    }
    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        Disk.list(dir)
    }
    fn read(&self, path: &Path, from: u64) -> io::Result<Vec<u8>> {
        let bytes = Disk.read(path, from)?;
        self.0.fetch_add(bytes.len(), Ordering::SeqCst);
        Ok(bytes)
    }
    fn identity(&self, path: &Path) -> io::Result<(u64, u64)> {
        Disk.identity(path)
    }
    fn create(&self, path: &Path) -> io::Result<()> {
        Disk.create(path)
    }
    fn append(&self, path: &Path) -> io::Result<Box<dyn Handle>> {
        Disk.append(path)
    }
    fn truncate(&self, path: &Path, len: u64) -> io::Result<()> {
        Disk.truncate(path, len)
    }
    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        Disk.sync_dir(dir)
    }
}

/// What somebody who never looked before sees.
fn afresh(dir: &Path) -> LogView {
    log(dir, "newcomer").view().expect("read")
}

fn segment(dir: &Path) -> std::path::PathBuf {
    dir.join("audit-000001.jsonl")
}

#[test]
fn it_sees_what_everyone_wrote() {
    let dir = tempfile::tempdir().expect("a folder");
    let (looker, other) = (log(dir.path(), "looker"), log(dir.path(), "other"));
    assert_eq!(looker.view().expect("read"), LogView::default());
    for n in 0..40 {
        let writer = if n % 3 == 0 { &looker } else { &other };
        let draft = if n % 2 == 0 { draft(RecordKind::Intent, &n.to_string()) } else { outcome(&(n - 1).to_string()) };
        writer.append(draft).expect("appended");
        let view = looker.view().expect("read");
        assert_eq!(view, afresh(dir.path()));
        assert_eq!((view.records, view.open_intents), (n + 2, 0), "all of them live");
    }
    looker.append(draft(RecordKind::Intent, "mine")).expect("appended");
    other.append(draft(RecordKind::Intent, "theirs")).expect("appended");
    drop(other);
    assert_eq!(looker.view().expect("read").open_intents, 1);
    assert_eq!(looker.leftovers().expect("read")[0].said.act, "theirs");
}

#[test]
fn only_what_is_new_is_read() {
    let dir = tempfile::tempdir().expect("a folder");
    let disk = Arc::new(Counting::default());
    let looker = AuditLog::open_on(dir.path(), stamp("looker"), disk.clone()).expect("a log");
    let writer = log(dir.path(), "writer");
    for n in 0..300 {
        writer.append(outcome(&n.to_string())).expect("appended");
    }
    looker.view().expect("read");
    let whole = disk.0.swap(0, Ordering::SeqCst);
    for n in 0..10 {
        writer.append(outcome(&n.to_string())).expect("appended");
        looker.view().expect("read");
        drop(looker.head("2026-11-25T10:00:00Z", "anna").expect("read").expect("a head"));
    }
    let read = disk.0.load(Ordering::SeqCst);
    assert!(read < whole / 10, "{read} bytes for ten looks at one new record each, of {whole}");
}

#[test]
fn what_shrank_was_replaced_or_changed_at_its_end_is_read_anew() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = segment(dir.path());
    let writer = log(dir.path(), "one");
    let looker = log(dir.path(), "looker");
    for n in 0..5 {
        writer.append(draft(RecordKind::Intent, &n.to_string())).expect("appended");
    }
    let whole = std::fs::read(&path).expect("the log");
    let ends: Vec<usize> = whole.iter().enumerate().filter(|(_, b)| **b == b'\n').map(|(at, _)| at + 1).collect();
    assert_eq!(looker.view().expect("read").records, 6);
    // Cut in place.
    std::fs::write(&path, &whole[..ends[2]]).expect("written");
    assert_eq!(looker.view().expect("read"), afresh(dir.path()));
    assert_eq!(looker.view().expect("read").records, 3);
    // Another file, as long as the first.
    let other = tempfile::tempdir().expect("a folder");
    let elsewhere = log(other.path(), "two");
    for n in 0..5 {
        elsewhere.append(draft(RecordKind::Intent, &(9 - n).to_string())).expect("appended");
    }
    std::fs::rename(segment(other.path()), &path).expect("moved");
    assert_eq!(looker.view().expect("read"), afresh(dir.path()));
    // The last record, changed in place.
    let last = std::fs::read_to_string(&path).expect("the log");
    let at = last.trim_end().rfind("quiet").expect("its reason");
    std::fs::write(&path, [&last[..at], "noisy", &last[at + 5..]].concat()).expect("written");
    assert_eq!(looker.view().expect("read"), afresh(dir.path()));
    // Damage before the end of what is new is damage.
    let mut bytes = std::fs::read(&path).expect("the log");
    bytes.extend_from_slice(b"{}\n{}\n");
    std::fs::write(&path, &bytes).expect("written");
    assert!(matches!(looker.view(), Err(AuditError::Tampered { .. })));
    std::fs::write(&path, &whole).expect("written");
    assert_eq!(looker.view().expect("read"), afresh(dir.path()), "it recovers");
}

#[test]
fn half_a_record_is_none_yet_and_a_new_segment_is_followed() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = segment(dir.path());
    let (writer, looker) = (log(dir.path(), "one"), log(dir.path(), "looker"));
    writer.append(outcome("a")).expect("appended");
    assert_eq!(looker.view().expect("read").records, 2);
    let whole = std::fs::read(&path).expect("the log");
    writer.append(outcome("b")).expect("appended");
    let more = std::fs::read(&path).expect("the log");
    std::fs::write(&path, &more[..whole.len() + 20]).expect("written");
    assert_eq!(looker.view().expect("read").records, 2);
    std::fs::write(&path, &more).expect("written");
    assert_eq!(looker.view().expect("read").records, 3);
    std::fs::write(dir.path().join("audit-000001.closed"), format!("{}\n", more.len())).expect("written");
    writer.append(outcome("c")).expect("appended");
    assert!(dir.path().join("audit-000002.jsonl").exists());
    assert_eq!(looker.view().expect("read"), afresh(dir.path()));
    writer.append(outcome("d")).expect("appended");
    assert_eq!(looker.view().expect("read"), afresh(dir.path()));
    assert_eq!(looker.view().expect("read").records, 6);
}

#[test]
fn a_head_of_long_ago_is_still_known() {
    let dir = tempfile::tempdir().expect("a folder");
    let log = log(dir.path(), "one");
    log.append(outcome("first")).expect("appended");
    let early = log.head("2026-11-25T10:00:00Z", "anna").expect("read").expect("a head").0;
    for n in 0..300 {
        log.append(outcome(&n.to_string())).expect("appended");
    }
    let (late, holds) = log.head("2026-11-25T10:00:00Z", "anna").expect("read").expect("a head");
    for (seq, hash, held) in [
        (early.seq, early.hash.as_str(), true),
        (early.seq, late.hash.as_str(), false),
        (late.seq, late.hash.as_str(), true),
        (late.seq, early.hash.as_str(), false),
        (late.seq + 1, late.hash.as_str(), false),
    ] {
        assert_eq!(holds(seq, hash), held, "{seq}");
    }
}
