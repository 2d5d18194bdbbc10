//! Reads the log as anyone could, and says what holds.

use std::path::Path;

use schemars::JsonSchema;
use serde::Serialize;

use super::chain::{self, ROOT};
use super::error::AuditError;
use super::fs::Fs;
use super::link::{Keep, Link};
use super::log::{file_name, segments};
use super::query::StoredRecord;
use crate::domain::record::Record;

/// Something that does not hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Finding {
    /// The segment.
    pub file: String,
    /// The line, from 1; 0 = the file as such.
    pub line: usize,
    /// What does not hold.
    pub why: String,
}

/// What a verification found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct VerifyReport {
    /// Records that hold.
    pub records: u64,
    /// Segments read.
    pub segments: usize,
    /// The leaf of the last record.
    pub head: String,
    /// What does not hold; empty = the chain is whole.
    pub findings: Vec<Finding>,
    /// Bytes of a record that was being written when the process or the machine died; kept as evidence at the next
    /// append. No tampering.
    pub torn_tail: Option<u64>,
    /// Records whose write or sync failed: never acknowledged, and no part of the chain.
    pub unacknowledged: u64,
    /// What this cannot prove.
    pub not_proven: &'static str,
}

impl VerifyReport {
    /// Whether the chain is whole.
    pub fn holds(&self) -> bool {
        self.findings.is_empty()
    }
}

/// What no chain can prove by itself.
const NOT_PROVEN: &str = "whether records were cut off at the end: that cannot be detected without a witness";

pub(super) fn tampered(file: &str, line: usize, why: &str) -> AuditError {
    AuditError::Tampered { file: file.to_owned(), line, why: why.to_owned() }
}

/// Checks every segment in `dir`. `strict` also asks for canonical form.
pub fn verify(fs: &dyn Fs, dir: &Path, strict: bool) -> Result<VerifyReport, AuditError> {
    walk::<()>(fs, dir, strict).map(|(report, ..)| report)
}

/// All records that hold, oldest first; an error at the first that does not.
pub(super) fn records(fs: &dyn Fs, dir: &Path) -> Result<Vec<StoredRecord>, AuditError> {
    whole(fs, dir).map(|whole| whole.records)
}

/// All records, and where the last one stands.
pub(super) struct Whole {
    pub records: Vec<StoredRecord>,
    /// The newest segment, where its last record begins, and where it ends; `None` while it holds no record.
    pub end: End,
}

/// The same, and where the last one stands.
pub(super) fn whole(fs: &dyn Fs, dir: &Path) -> Result<Whole, AuditError> {
    let (report, held, end) = walk::<Record>(fs, dir, false)?;
    if let Some(finding) = report.findings.into_iter().next() {
        return Err(tampered(&finding.file, finding.line, &finding.why));
    }
    let stored = |held: Held<Record>| {
        let Held { kept: record, leaf, segment, line, .. } = held;
        StoredRecord { record, file: file_name(segment), line, leaf }
    };
    Ok(Whole { records: held.into_iter().map(stored).collect(), end })
}

/// A line that holds, and what is kept of it.
struct Held<K> {
    seq: u64,
    leaf: String,
    segment: u32,
    line: usize,
    kept: K,
}

/// A segment, and where its last record begins and ends.
type End = Option<(u32, u64, u64)>;

fn walk<K: Keep>(fs: &dyn Fs, dir: &Path, strict: bool) -> Result<(VerifyReport, Vec<Held<K>>, End), AuditError> {
    let names = match fs.list(dir) {
        Ok(names) => names,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        Err(e) => return Err(AuditError::io("list", dir)(e)),
    };
    let existing = segments(&names);
    let mut report = VerifyReport { segments: existing.len(), not_proven: NOT_PROVEN, ..VerifyReport::default() };
    let mut all: Vec<Held<K>> = Vec::new();
    let newest = existing.last().copied();
    let mut end = None;
    for (place, segment) in existing.iter().enumerate() {
        let file = file_name(*segment);
        if u32::try_from(place + 1).ok() != Some(*segment) {
            report.findings.push(Finding { file, line: 0, why: "the segment before it is missing".to_owned() });
            break;
        }
        let path = dir.join(&file);
        let bytes = fs.read(&path, 0).map_err(AuditError::io("read", &path))?;
        let closed = names.contains(&format!("audit-{segment:06}.closed")) || Some(*segment) != newest;
        let before = report.findings.len();
        end = read_segment(&mut report, &mut all, *segment, &bytes, closed, strict)
            .map(|(begins, ends)| (*segment, begins, ends));
        if report.findings.len() > before {
            break;
        }
    }
    report.records = u64::try_from(all.len()).unwrap_or(u64::MAX);
    report.head = all.last().map_or_else(String::new, |held| held.leaf.clone());
    Ok((report, all, end))
}

/// Returns where the last record of the segment begins and ends.
fn read_segment<K: Keep>(
    report: &mut VerifyReport,
    all: &mut Vec<Held<K>>,
    segment: u32,
    bytes: &[u8],
    closed: bool,
    strict: bool,
) -> Option<(u64, u64)> {
    let mut rest = bytes;
    let mut number = 0;
    let mut last_at = None;
    while !rest.is_empty() {
        number += 1;
        let begins = bytes.len() - rest.len();
        let (line, whole) = match memchr::memchr(b'\n', rest) {
            Some(end) => {
                let line = &rest[..end];
                rest = &rest[end + 1..];
                (line, true)
            }
            None => (std::mem::take(&mut rest), false),
        };
        let last = rest.is_empty();
        let mut find = |why: String| {
            report.findings.push(Finding { file: file_name(segment), line: number, why });
            None
        };
        let (Link { seq, prev, begins: opens }, kept) = match K::read(line) {
            Ok(read) if whole => read,
            _ if last => {
                let length = u64::try_from(line.len()).unwrap_or(u64::MAX);
                if closed {
                    report.unacknowledged += 1;
                } else {
                    report.torn_tail = Some(length);
                }
                return last_at;
            }
            Err(e) => return find(format!("not a record: {e}")),
            Ok(_) => return find("not a whole line".to_owned()),
        };
        let follows = |held: &Held<K>| prev == held.leaf && seq == held.seq + 1;
        if number == 1 && opens {
            // Records after the one that is named were never acknowledged: their write or sync had failed.
            let named = all.iter().rposition(follows);
            match named {
                Some(place) => {
                    report.unacknowledged += u64::try_from(all.len() - place - 1).unwrap_or(u64::MAX);
                    if all[place + 1..].iter().any(|held| held.segment != all[all.len() - 1].segment)
                        || all.len() - place > 2
                    {
                        return find("it follows a record far before the end of the segment before".to_owned());
                    }
                    all.truncate(place + 1);
                }
                None if prev == ROOT && seq == 1 && all.len() <= 1 => {
                    report.unacknowledged += u64::try_from(all.len()).unwrap_or(u64::MAX);
                    all.clear();
                }
                None => return find("it follows no record of the segments before".to_owned()),
            }
        } else if number == 1 {
            return find("a segment begins without its first record".to_owned());
        } else if !all.last().is_some_and(follows) {
            return find(
                "it does not follow the record before: one of the two was changed, or one between them is missing"
                    .to_owned(),
            );
        }
        if strict && !chain::is_canonical(line) {
            return find("it is not in canonical form".to_owned());
        }
        all.push(Held { seq, leaf: chain::leaf(line), segment, line: number, kept });
        last_at = Some((begins as u64, (begins + line.len() + 1) as u64));
    }
    last_at
}
