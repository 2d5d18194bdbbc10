//! The only writer of the log.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use super::authorized::Authorized;
use super::chain::{self, ROOT};
use super::error::AuditError;
use super::fs::{Disk, Fs};
use super::glance::Glance;
use super::instance::{self, Alive};
use super::query::{ReadQuery, StoredRecord};
use super::verify::{self, VerifyReport};
use crate::domain::record::{Digest, Draft, OutcomeRecord, Record, RecordKind};

/// A segment is closed when it has grown to this size.
const SEGMENT_SIZE: u64 = 64 << 20;

/// What the log adds to a record: taken from the machine by the caller, so that tests are exact.
#[derive(Clone)]
pub struct Stamp {
    /// The machine's name.
    pub host: String,
    /// The process.
    pub pid: u32,
    /// The process instance.
    pub instance: String,
    /// The program's version.
    pub program: String,
    /// The machine's boot.
    pub boot_id: String,
    /// Wall clock, and nanoseconds since boot.
    pub now: Arc<dyn Fn() -> (Timestamp, u64) + Send + Sync>,
}

/// Where the log ends, as this process knows it.
#[derive(Clone, Debug)]
struct Tail {
    segment: u32,
    /// Bytes of the segment that were read and found whole.
    offset: u64,
    lines: usize,
    next: u64,
    leaf: String,
    last: Option<String>,
    /// The segment takes no more records: a write or a sync on it failed.
    closed: bool,
    /// The line whose write or sync failed here, while the others have not been told.
    untold: Option<Vec<u8>>,
}

/// The log in one folder. Share it behind an `Arc`; every call may block on the disk.
pub struct AuditLog {
    pub(super) dir: PathBuf,
    fs: Arc<dyn Fs>,
    pub(super) stamp: Stamp,
    tail: Mutex<Option<Tail>>,
    alive: Mutex<Option<Alive>>,
    glance: Mutex<Glance>,
}

pub(super) fn file_name(segment: u32) -> String {
    format!("audit-{segment:06}.jsonl")
}

pub(super) fn closed_name(segment: u32) -> String {
    format!("audit-{segment:06}.closed")
}

/// The segments in a folder, in order.
pub(super) fn segments(names: &[String]) -> Vec<u32> {
    let mut found: Vec<u32> =
        names.iter().filter_map(|name| name.strip_prefix("audit-")?.strip_suffix(".jsonl")?.parse().ok()).collect();
    found.sort_unstable();
    found
}

impl AuditLog {
    /// The log in `dir`; makes the folder. Nothing is written yet.
    pub fn open(dir: &Path, stamp: Stamp) -> Result<Self, AuditError> {
        Self::open_on(dir, stamp, Arc::new(Disk))
    }

    /// The same on another file system.
    pub fn open_on(dir: &Path, stamp: Stamp, fs: Arc<dyn Fs>) -> Result<Self, AuditError> {
        fs.make_dir(dir).map_err(AuditError::io("make the folder", dir))?;
        if fs.open_to_others(dir).map_err(AuditError::io("look at", dir))? {
            return Err(AuditError::OpenToOthers(dir.to_owned()));
        }
        let (tail, alive, glance) = (Mutex::default(), Mutex::default(), Mutex::default());
        Ok(Self { dir: dir.to_owned(), fs, stamp, tail, alive, glance })
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The machine that this process writes for.
    pub fn host(&self) -> &str {
        &self.stamp.host
    }

    /// The process instance, as its records name it.
    pub fn instance(&self) -> &str {
        &self.stamp.instance
    }

    /// Names the folder without telling its path: the beginning of a hash over it.
    pub fn place(&self) -> String {
        let dir = std::path::absolute(&self.dir).unwrap_or_else(|_| self.dir.clone());
        chain::sha256(dir.as_os_str().as_encoded_bytes()).chars().take(16).collect()
    }

    /// All records that hold, oldest first; an error at the first that does not.
    pub fn all(&self) -> Result<Vec<StoredRecord>, AuditError> {
        verify::records(&*self.fs, &self.dir)
    }

    /// Whether a small file can be written and made durable beside the log: asked before a log that failed is tried
    /// again, since each failed append uses up a segment.
    pub fn has_room(&self) -> Result<(), AuditError> {
        use std::io::Write as _;
        let path = self.dir.join(format!("audit.probe-{}", self.stamp.instance));
        let tried = std::fs::File::create(&path).and_then(|mut file| {
            file.write_all(&[0; 8192])?;
            file.sync_all()
        });
        let _ = std::fs::remove_file(&path);
        tried.map_err(AuditError::io("write a trial file", &path))
    }

    pub(super) fn fs(&self) -> &Arc<dyn Fs> {
        &self.fs
    }

    /// What is known of the log as it is now: only what was appended since the last look is read.
    pub(super) fn glance(&self) -> Result<MutexGuard<'_, Glance>, AuditError> {
        let mut glance = self.glance.lock().unwrap_or_else(PoisonError::into_inner);
        glance.refresh(&*self.fs, &self.dir)?;
        Ok(glance)
    }

    pub(super) fn program(&self) -> &str {
        &self.stamp.program
    }

    /// Appends a record; it is durable when this returns its number.
    pub fn append(&self, draft: Draft) -> Result<u64, AuditError> {
        self.announce()?;
        let mut tail = self.known();
        let lock_path = self.dir.join("audit.lock");
        let _lock = self.fs.lock(&lock_path).map_err(AuditError::io("lock", &lock_path))?;
        // A failure in between forgets what was known, except that a failed line stays untold: it is read again.
        let mut now = match self.catch_up(tail.clone()) {
            Ok(now) => now,
            Err(error) => {
                if tail.as_ref().is_none_or(|t| t.untold.is_none()) {
                    *tail = None;
                }
                return Err(error);
            }
        };
        let written = self.write(&mut now, draft);
        *tail = Some(now);
        written
    }

    /// Appends the intent of `prepared`, and only then lets it be carried out.
    pub fn authorize<T: Digest>(&self, mut intent: Draft, prepared: T) -> Result<Authorized<T>, AuditError> {
        intent.kind = RecordKind::Intent;
        intent.digest = Some(prepared.digest());
        let seq = self.append(intent)?;
        Ok(Authorized::durable(prepared, seq))
    }

    /// Records, newest first.
    pub fn read(&self, query: &ReadQuery) -> Result<Vec<StoredRecord>, AuditError> {
        let mut found: Vec<StoredRecord> =
            self.all()?.into_iter().filter(|stored| query.matches(&stored.record)).collect();
        found.reverse();
        found.truncate(query.limit.unwrap_or(usize::MAX));
        Ok(found)
    }

    /// Checks all of it.
    pub fn verify(&self, strict: bool) -> Result<VerifyReport, AuditError> {
        verify::verify(&*self.fs, &self.dir, strict)
    }

    fn known(&self) -> MutexGuard<'_, Option<Tail>> {
        self.tail.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn announce(&self) -> Result<(), AuditError> {
        let mut alive = self.alive.lock().unwrap_or_else(PoisonError::into_inner);
        if alive.is_none() {
            let held = instance::announce(&self.dir, &self.stamp.instance);
            *alive = Some(held.map_err(AuditError::io("announce this process in", &self.dir))?);
        }
        Ok(())
    }

    /// Under the lock: reads what others appended since, mends a torn tail, and finds the segment to write to.
    fn catch_up(&self, known: Option<Tail>) -> Result<Tail, AuditError> {
        let names = self.fs.list(&self.dir).map_err(AuditError::io("list", &self.dir))?;
        let existing = segments(&names);
        let Some(last) = existing.last().copied() else {
            return self.begin(None, "the log begins");
        };
        let mut tail = match known {
            Some(tail) if tail.segment == last => tail,
            // The first record of a segment names the one before it; it is trusted here and proven by `verify`.
            _ => Tail {
                segment: last,
                offset: 0,
                lines: 0,
                next: 0,
                leaf: String::new(),
                last: None,
                closed: false,
                untold: None,
            },
        };
        if let Some(line) = tail.untold.take() {
            self.tell(&mut tail, &names, &line)?;
        }
        tail.closed = names.contains(&closed_name(last)) || tail.closed;
        self.read_on(&mut tail)?;
        if tail.closed {
            if tail.lines == 0 {
                return self.after_an_empty_segment(&tail, &existing);
            }
            return self.begin(Some(&tail), "the segment before was closed after a failed write or sync");
        }
        if tail.lines == 0 {
            return self.after_an_empty_segment(&tail, &existing);
        }
        if tail.offset >= SEGMENT_SIZE {
            return self.begin(Some(&tail), "the segment before is full");
        }
        Ok(tail)
    }

    /// A segment without a whole record: its creation was interrupted. Its place in the chain is that of the one before.
    fn after_an_empty_segment(&self, empty: &Tail, existing: &[u32]) -> Result<Tail, AuditError> {
        let before = existing.iter().rev().find(|s| **s < empty.segment).copied();
        let Some(before) = before else {
            let start = Tail { next: 1, leaf: ROOT.to_owned(), ..empty.clone() };
            return if empty.closed {
                self.begin(Some(&start), "the log begins")
            } else {
                self.open_with_note(start, "the log begins")
            };
        };
        let mut tail = Tail {
            segment: before,
            offset: 0,
            lines: 0,
            next: 0,
            leaf: String::new(),
            last: None,
            closed: true,
            untold: None,
        };
        self.read_on(&mut tail)?;
        if tail.lines == 0 {
            return self.after_an_empty_segment(&tail, existing);
        }
        let start = Tail { segment: empty.segment, offset: 0, lines: 0, closed: false, ..tail };
        let why = "the segment before was closed";
        if empty.closed { self.begin(Some(&start), why) } else { self.open_with_note(start, why) }
    }

    /// Reads the segment from where it is known; checks each line against the chain.
    fn read_on(&self, tail: &mut Tail) -> Result<(), AuditError> {
        let name = file_name(tail.segment);
        let path = self.dir.join(&name);
        let bytes = self.fs.read(&path, tail.offset).map_err(AuditError::io("read", &path))?;
        let durable = if tail.closed { self.durable_length(tail.segment) } else { None };
        let within = durable.map_or(bytes.len(), |d| usize::try_from(d.saturating_sub(tail.offset)).unwrap_or(0));
        let mut rest = &bytes[..within.min(bytes.len())];
        while let Some(end) = rest.iter().position(|b| *b == b'\n') {
            let line = &rest[..end];
            let is_last = end + 1 == rest.len();
            let record: Record = match serde_json::from_slice(line) {
                Ok(record) => record,
                Err(_) if is_last => break,
                Err(e) => return Err(verify::tampered(&name, tail.lines + 1, &format!("not a record: {e}"))),
            };
            if tail.lines > 0 && (record.prev != tail.leaf || record.seq != tail.next) {
                return Err(verify::tampered(&name, tail.lines + 1, "it does not follow the record before"));
            }
            tail.lines += 1;
            tail.next = record.seq + 1;
            tail.leaf = chain::leaf(line);
            tail.last = Some(record.ts);
            tail.offset += u64::try_from(end + 1).unwrap_or(0);
            rest = &rest[end + 1..];
        }
        if rest.is_empty() || tail.closed {
            return Ok(());
        }
        self.keep_as_evidence(tail, &path, rest)
    }

    /// A torn tail is never just cut off: it is kept beside the log, and a record says so.
    fn keep_as_evidence(&self, tail: &mut Tail, path: &Path, torn: &[u8]) -> Result<(), AuditError> {
        let names = self.fs.list(&self.dir).map_err(AuditError::io("list", &self.dir))?;
        let free = (0..u32::MAX)
            .map(|n| if n == 0 { format!("audit.torn-{}", tail.next) } else { format!("audit.torn-{}.{n}", tail.next) })
            .find(|name| !names.contains(name))
            .unwrap_or_default();
        let evidence = self.dir.join(&free);
        let keep = || -> io::Result<()> {
            self.fs.create(&evidence)?;
            let mut file = self.fs.append(&evidence)?;
            if file.write(torn)? != torn.len() {
                return Err(io::Error::new(io::ErrorKind::WriteZero, "short write"));
            }
            file.sync()?;
            self.fs.sync_dir(&self.dir)
        };
        keep().map_err(AuditError::io("keep a torn record in", &evidence))?;
        self.fs.truncate(path, tail.offset).map_err(AuditError::io("cut a torn record off", path))?;
        if tail.lines == 0 {
            // The segment's own first record was torn: it begins again, and says so then.
            return Ok(());
        }
        let mut draft = Draft::new(RecordKind::Recovered);
        draft.outcome = Some(OutcomeRecord {
            word: "recovered".to_owned(),
            detail: format!("a torn record of {} bytes is kept in {free}", torn.len()),
            evidence: BTreeMap::from([("sha256".to_owned(), chain::sha256(torn)), ("file".to_owned(), free)]),
        });
        self.write(tail, draft).map(drop)
    }

    /// Begins the next segment after `before`.
    fn begin(&self, before: Option<&Tail>, why: &str) -> Result<Tail, AuditError> {
        let tail = match before {
            Some(before) => Tail { segment: before.segment + 1, offset: 0, lines: 0, closed: false, ..before.clone() },
            None => Tail {
                segment: 1,
                offset: 0,
                lines: 0,
                next: 1,
                leaf: ROOT.to_owned(),
                last: None,
                closed: false,
                untold: None,
            },
        };
        let path = self.dir.join(file_name(tail.segment));
        self.fs.create(&path).map_err(AuditError::io("create", &path))?;
        self.open_with_note(tail, why)
    }

    /// The first record of a segment names the last hash known durable: that is its `prev`.
    fn open_with_note(&self, mut tail: Tail, why: &str) -> Result<Tail, AuditError> {
        // Also for a segment found empty: whoever made it may have failed before its entry was durable.
        self.fs.sync_dir(&self.dir).map_err(AuditError::io("make the new segment durable in", &self.dir))?;
        let mut draft = Draft::new(RecordKind::Segment);
        draft.outcome =
            Some(OutcomeRecord { word: "segment".to_owned(), detail: why.to_owned(), evidence: BTreeMap::new() });
        self.write(&mut tail, draft)?;
        Ok(tail)
    }

    /// One write of the whole line, then one sync. Whatever fails closes the segment: the page cache may still show a
    /// record that the disk never got, and a chain built on it would read as tampering later.
    fn write(&self, tail: &mut Tail, said: Draft) -> Result<u64, AuditError> {
        let (now, boottime) = (self.stamp.now)();
        let record = Record {
            v: 1,
            seq: tail.next,
            ts: now.to_string(),
            boot_id: self.stamp.boot_id.clone(),
            boottime_ns: boottime.to_string(),
            pid: self.stamp.pid,
            host: self.stamp.host.clone(),
            instance: self.stamp.instance.clone(),
            program: self.stamp.program.clone(),
            said,
            prev: tail.leaf.clone(),
        };
        let line = chain::line(&record)?;
        let path = self.dir.join(file_name(tail.segment));
        let put = || -> io::Result<()> {
            let mut file = self.fs.append(&path)?;
            if file.write(&line)? != line.len() {
                return Err(io::Error::new(io::ErrorKind::WriteZero, "short write"));
            }
            file.sync()
        };
        if let Err(error) = put() {
            tail.closed = true;
            if self.close(tail.segment, tail.offset).is_err() {
                tail.untold = Some(line);
            }
            return Err(AuditError::io("write a record to", &path)(error));
        }
        tail.offset += u64::try_from(line.len()).unwrap_or(0);
        tail.lines += 1;
        tail.leaf = chain::leaf(&line[..line.len() - 1]);
        tail.last = Some(record.ts);
        tail.next += 1;
        Ok(record.seq)
    }

    /// Tells every process that a segment takes no more records, and up to which byte it is known durable.
    fn close(&self, segment: u32, durable: u64) -> io::Result<()> {
        let marker = self.dir.join(closed_name(segment));
        self.fs.create(&marker)?;
        let text = format!("{durable}\n");
        let mut file = self.fs.append(&marker)?;
        if file.write(text.as_bytes())? != text.len() {
            return Err(io::Error::new(io::ErrorKind::WriteZero, "short write"));
        }
        file.sync()?;
        self.fs.sync_dir(&self.dir)
    }

    /// What the marker of a closed segment says; a marker without a whole line says nothing.
    fn durable_length(&self, segment: u32) -> Option<u64> {
        let text = self.fs.read(&self.dir.join(closed_name(segment)), 0).ok()?;
        std::str::from_utf8(&text).ok()?.strip_suffix('\n')?.parse().ok()
    }

    /// The others could not be told that `line` failed. If nobody wrote since, they are told now; if somebody did, they
    /// took the line for good and made it durable with their own, so the segment goes on.
    fn tell(&self, tail: &mut Tail, names: &[String], line: &[u8]) -> Result<(), AuditError> {
        let path = self.dir.join(file_name(tail.segment));
        let after = self.fs.read(&path, tail.offset).map_err(AuditError::io("read", &path))?;
        if after.len() > line.len() || !line.starts_with(&after) {
            tail.closed = names.contains(&closed_name(tail.segment));
            return Ok(());
        }
        if names.contains(&closed_name(tail.segment)) {
            return Ok(());
        }
        let told = self.close(tail.segment, tail.offset);
        if told.is_err() {
            tail.untold = Some(line.to_vec());
        }
        told.map_err(AuditError::io("close the segment", &path))
    }
}
