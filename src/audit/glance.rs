//! The log at a glance, read on from where it was read to before.
//!
//! A cockpit looks at its log after every act. What was read and found whole is kept as a few numbers; the next look
//! reads what was appended since. Whatever does not fit (a segment that shrank, was replaced, closed or followed by
//! another one) is read anew from the beginning. A change inside of what was read before is the business of `verify`.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;

use super::chain;
use super::error::AuditError;
use super::fs::Fs;
use super::log::{closed_name, file_name, segments};
use super::query::StoredRecord;
use super::verify;
use crate::domain::record::{Record, RecordKind};

/// How many of the newest leaves are kept: a witness asks for the head that it was told last.
const LEAVES: usize = 256;

/// The end of what was read.
#[derive(Clone, Debug)]
struct Place {
    segment: u32,
    /// Which file it was: another one under the same name is read anew.
    file: u64,
    /// Where the last record begins in the segment, and where it ends.
    begins: u64,
    ends: u64,
}

/// What is known of the log without reading it again.
#[derive(Clone, Debug, Default)]
pub(super) struct Glance {
    /// How many records there are.
    pub records: u64,
    /// The leaf of the first record.
    pub first: String,
    /// Number, time, program and leaf of the last.
    pub last: Option<Last>,
    /// Intents without an outcome, by act.
    pub open: BTreeMap<String, Record>,
    /// Number and leaf of the newest records.
    leaves: VecDeque<(u64, String)>,
    place: Option<Place>,
}

/// The last record.
#[derive(Clone, Debug)]
pub(super) struct Last {
    pub seq: u64,
    pub ts: String,
    pub program: String,
    pub leaf: String,
}

impl Glance {
    /// Reads what was appended since, or everything.
    pub(super) fn refresh(&mut self, fs: &dyn Fs, dir: &Path) -> Result<(), AuditError> {
        if self.read_on(fs, dir).is_some() {
            return Ok(());
        }
        *self = Self::default();
        let whole = verify::whole(fs, dir)?;
        for stored in whole.records {
            let StoredRecord { record, leaf, .. } = stored;
            self.take(record, leaf);
        }
        self.place = whole.end.and_then(|(segment, begins, ends)| {
            let (file, length) = fs.identity(&dir.join(file_name(segment))).ok()?;
            (length >= ends).then_some(Place { segment, file, begins, ends })
        });
        Ok(())
    }

    /// Whether a record with this number and leaf is among the newest; `None` = it is older than those.
    pub(super) fn holds(&self, seq: u64, hash: &str) -> Option<bool> {
        let oldest = self.leaves.front()?.0;
        if seq < oldest {
            return None;
        }
        Some(self.leaves.iter().any(|(number, leaf)| *number == seq && leaf == hash))
    }

    /// `None` when it must be read anew.
    fn read_on(&mut self, fs: &dyn Fs, dir: &Path) -> Option<()> {
        let mut place = self.place.clone()?;
        let names = fs.list(dir).ok()?;
        if segments(&names).last() != Some(&place.segment) || names.contains(&closed_name(place.segment)) {
            return None;
        }
        let path = dir.join(file_name(place.segment));
        let (file, length) = fs.identity(&path).ok()?;
        if file != place.file || length < place.ends {
            return None;
        }
        let bytes = fs.read(&path, place.begins).ok()?;
        let known = usize::try_from(place.ends - place.begins).ok()?;
        let last = self.last.as_ref()?;
        if chain::leaf(bytes.get(..known)?.strip_suffix(b"\n")?) != last.leaf {
            return None;
        }
        let mut rest = &bytes[known..];
        while let Some(end) = rest.iter().position(|b| *b == b'\n') {
            let line = &rest[..end];
            rest = &rest[end + 1..];
            let record: Record = match serde_json::from_slice(line) {
                Ok(record) => record,
                // A record that is being written, or was torn: it is not there yet.
                Err(_) if rest.is_empty() => break,
                Err(_) => return None,
            };
            let before = self.last.as_ref()?;
            if record.prev != before.leaf || record.seq != before.seq + 1 {
                return None;
            }
            place.begins = place.ends;
            place.ends += u64::try_from(end + 1).ok()?;
            self.take(record, chain::leaf(line));
            self.place = Some(place.clone());
        }
        Some(())
    }

    fn take(&mut self, record: Record, leaf: String) {
        self.records += 1;
        if self.first.is_empty() {
            self.first.clone_from(&leaf);
        }
        if self.leaves.len() == LEAVES {
            self.leaves.pop_front();
        }
        self.leaves.push_back((record.seq, leaf.clone()));
        let (seq, ts, program) = (record.seq, record.ts.clone(), record.program.clone());
        self.last = Some(Last { seq, ts, program, leaf });
        match record.said.kind {
            RecordKind::Intent => drop(self.open.insert(record.said.act.clone(), record)),
            RecordKind::Outcome => drop(self.open.remove(&record.said.act)),
            RecordKind::Refusal
            | RecordKind::Plan
            | RecordKind::PlanEnd
            | RecordKind::Recovered
            | RecordKind::Segment => {}
        }
    }
}
