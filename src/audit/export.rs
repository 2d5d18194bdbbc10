//! Records handed out, so that whoever gets them can check them again.
//!
//! An export is a header and then one line a record: the stored bytes themselves, or, for a record that was not asked
//! for, a stub with its hash. So the chain of an export is whole even where records are withheld.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::chain;
use super::error::AuditError;
use super::log::AuditLog;
use super::query::StoredRecord;
use super::verify::Finding;
use super::witness::log_id;
use crate::domain::record::Record;
use crate::domain::text::Clean;

/// What an export calls itself.
const FORMAT: &str = "flightdeck-audit-export";

/// Which records are exported.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Range {
    /// None before this time.
    pub since: Option<Timestamp>,
    /// None after this time.
    pub until: Option<Timestamp>,
    /// Only records about a target whose name or `namespace/name` is this; the others are withheld.
    pub target: Option<String>,
}

/// The first line of an export.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExportHeader {
    /// `flightdeck-audit-export`.
    pub format: String,
    /// The version of the format.
    pub v: u32,
    /// None before this time, as asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// None after this time, as asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// Only this target, as asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The number of the first record; 0 when there is none.
    pub from: u64,
    /// The number of the last record; 0 when there is none.
    pub to: u64,
    /// How many records follow whole.
    pub records: u64,
    /// How many follow as a hash only.
    pub withheld: u64,
    /// What the first record names as the one before.
    pub prev: String,
    /// The leaf of the last record that follows.
    pub head: String,
    /// The number of the last record of the whole log.
    pub log_seq: u64,
    /// The leaf of the last record of the whole log.
    pub log_head: String,
    /// Which log: the beginning of the leaf of its first record.
    pub log: String,
    /// The machine.
    pub host: String,
    /// The program's version.
    pub program: String,
    /// When this was exported, RFC 3339.
    pub exported_at: String,
}

/// A record that is not shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stub {
    withheld: bool,
    seq: u64,
    prev: String,
    leaf: String,
}

/// An export in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Export {
    /// Its header.
    pub header: ExportHeader,
    /// The records, with the bytes of those that are shown.
    lines: Vec<(StoredRecord, Option<String>)>,
}

/// What checking an export found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExportReport {
    /// The header, if there is one.
    pub header: Option<ExportHeader>,
    /// Whole records that hold.
    pub records: u64,
    /// Stubs.
    pub withheld: u64,
    /// What does not hold.
    pub findings: Vec<Finding>,
    /// What this cannot prove.
    pub not_proven: &'static str,
}

impl ExportReport {
    /// Whether the export is whole.
    pub fn holds(&self) -> bool {
        self.findings.is_empty()
    }
}

/// What no export can prove by itself.
const NOT_PROVEN: &str = "whether the export was made anew as a whole: compare its head with the log or with a witness; what withheld records say; what the first line says of when, where and by which program";

impl AuditLog {
    /// Exports the records of `range`; `now` goes into the header. The range is contiguous: between the first record
    /// that is not before it and the last that is not after it, everything is there, if only as a hash.
    pub fn export(&self, range: &Range, now: Timestamp) -> Result<Export, AuditError> {
        let all = self.all()?;
        let time = |s: &StoredRecord| s.record.ts.parse::<Timestamp>().ok();
        let first = all.iter().position(|s| range.since.is_none_or(|t| time(s).is_some_and(|at| at >= t)));
        let last = all.iter().rposition(|s| range.until.is_none_or(|t| time(s).is_some_and(|at| at <= t)));
        let part = match (first, last) {
            (Some(first), Some(last)) if first <= last => &all[first..=last],
            _ => &[],
        };
        let mut files: BTreeMap<&str, Vec<u8>> = BTreeMap::new();
        let mut lines = Vec::with_capacity(part.len());
        for stored in part {
            let shown = range.target.as_ref().is_none_or(|wanted| stored.is_about(wanted));
            let bytes = if shown {
                if !files.contains_key(stored.file.as_str()) {
                    let path = self.dir().join(&stored.file);
                    let bytes = self.fs().read(&path, 0).map_err(AuditError::io("read", &path))?;
                    files.insert(&stored.file, bytes);
                }
                files.get(stored.file.as_str()).and_then(|bytes| line(bytes, stored.line))
            } else {
                None
            };
            lines.push((stored.clone(), bytes));
        }
        let withheld = lines.iter().filter(|(_, bytes)| bytes.is_none()).count();
        let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        let header = ExportHeader {
            format: FORMAT.to_owned(),
            v: 1,
            since: range.since.map(|t| t.to_string()),
            until: range.until.map(|t| t.to_string()),
            target: range.target.clone(),
            from: part.first().map_or(0, |s| s.record.seq),
            to: part.last().map_or(0, |s| s.record.seq),
            records: count(lines.len() - withheld),
            withheld: count(withheld),
            prev: part.first().map_or_else(String::new, |s| s.record.prev.clone()),
            head: part.last().map_or_else(String::new, |s| s.leaf.clone()),
            log_seq: all.last().map_or(0, |s| s.record.seq),
            log_head: all.last().map_or_else(String::new, |s| s.leaf.clone()),
            log: all.first().map_or_else(String::new, |s| log_id(&s.leaf)),
            host: self.host().to_owned(),
            program: self.program().to_owned(),
            exported_at: now.to_string(),
        };
        Ok(Export { header, lines })
    }
}

/// The line with this number, without its newline.
fn line(bytes: &[u8], number: usize) -> Option<String> {
    let line = bytes.split(|b| *b == b'\n').nth(number.checked_sub(1)?)?;
    String::from_utf8(line.to_vec()).ok()
}

fn json<T: Serialize>(what: &T) -> String {
    serde_json::to_value(what).unwrap_or_default().to_string()
}

impl Export {
    /// As lines of JSON: the header, then the records.
    pub fn jsonl(&self) -> String {
        let mut text = json(&self.header);
        text.push('\n');
        for (stored, bytes) in &self.lines {
            match bytes {
                Some(bytes) => text.push_str(bytes),
                None => text.push_str(&json(&Stub {
                    withheld: true,
                    seq: stored.record.seq,
                    prev: stored.record.prev.clone(),
                    leaf: stored.leaf.clone(),
                })),
            }
            text.push('\n');
        }
        text
    }

    /// As a table for a spreadsheet: the header as `#` lines, then the records that are shown. It cannot be verified.
    pub fn csv(&self) -> String {
        let mut text = format!("# {}\n{}\n", json(&self.header), COLUMNS.join(","));
        for (stored, _) in self.lines.iter().filter(|(_, bytes)| bytes.is_some()) {
            let cells: Vec<String> = cells(stored).iter().map(|text| cell(text)).collect();
            text.push_str(&cells.join(","));
            text.push_str("\r\n");
        }
        text
    }
}

const COLUMNS: [&str; 22] = [
    "seq",
    "time",
    "kind",
    "op",
    "act",
    "osUser",
    "kubeUser",
    "face",
    "context",
    "namespace",
    "target",
    "outcome",
    "detail",
    "reason",
    "plan",
    "step",
    "of",
    "policy",
    "late",
    "host",
    "program",
    "leaf",
];

fn cells(stored: &StoredRecord) -> [String; 22] {
    let StoredRecord { record, leaf, .. } = stored;
    let said = &record.said;
    let target = said.target.clone().unwrap_or_default();
    let outcome = said.outcome.clone().unwrap_or_default();
    let plan = |of: fn(&crate::domain::record::PlanRecord) -> String| said.plan.as_ref().map(of).unwrap_or_default();
    [
        record.seq.to_string(),
        record.ts.clone(),
        said.kind.as_str().to_owned(),
        said.op.clone(),
        said.act.clone(),
        said.actor.os_user.clone(),
        said.actor.kube_user.clone().unwrap_or_default(),
        said.actor.face.clone(),
        target.context,
        target.namespace,
        target.name,
        outcome.word,
        outcome.detail,
        said.reason.clone().unwrap_or_default(),
        plan(|p| p.id.clone()),
        plan(|p| p.step.to_string()),
        plan(|p| p.of.to_string()),
        said.policy.clone().unwrap_or_default(),
        if said.late { said.meant_for.clone().unwrap_or_else(|| "late".to_owned()) } else { String::new() },
        record.host.clone(),
        record.program.clone(),
        leaf.clone(),
    ]
}

/// One cell: cleaned, quoted where it must be, and never a formula.
fn cell(text: &str) -> String {
    let clean = Clean::new(text);
    let text = clean.as_str();
    let formula = text.starts_with(['=', '+', '-', '@']);
    let text = if formula { format!("'{text}") } else { text.to_owned() };
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

/// Checks an export in lines of JSON.
pub fn verify_export(text: &str) -> ExportReport {
    let mut report = ExportReport { not_proven: NOT_PROVEN, ..ExportReport::default() };
    let find = |line: usize, why: String| Finding { file: "export".to_owned(), line, why };
    let mut lines = text.split_inclusive('\n');
    let header = lines.next().and_then(|line| serde_json::from_str::<ExportHeader>(line).ok());
    let Some(header) = header.filter(|h| h.format == FORMAT) else {
        report.findings.push(find(1, "this is no export: its header is missing".to_owned()));
        return report;
    };
    let (mut prev, mut next) = (header.prev.clone(), header.from);
    for (n, line) in lines.enumerate() {
        let Some(line) = line.strip_suffix('\n') else {
            report.findings.push(find(n + 2, "not a whole line".to_owned()));
            break;
        };
        match one(line) {
            Ok((seq, before, leaf, whole)) if before == prev && seq == next => {
                *if whole { &mut report.records } else { &mut report.withheld } += 1;
                (prev, next) = (leaf, next + 1);
            }
            Ok(_) => {
                report.findings.push(find(
                    n + 2,
                    "it does not follow the record before: one of the two was changed, or one between them is missing"
                        .to_owned(),
                ));
                break;
            }
            Err(why) => {
                report.findings.push(find(n + 2, why));
                break;
            }
        }
    }
    if report.findings.is_empty() {
        let all = report.records + report.withheld;
        let last = usize::try_from(all).unwrap_or(usize::MAX).saturating_add(1);
        let any = all > 0 || header.records + header.withheld > 0;
        if any && next != header.to + 1 {
            report.findings.push(find(last, format!("it ends before record {}, which its header names", header.to)));
        } else if any && prev != header.head {
            let why = format!("record {} is not the one that its header names: one of the two was changed", header.to);
            report.findings.push(find(last, why));
        } else if (report.records, report.withheld) != (header.records, header.withheld) {
            report.findings.push(find(last, "it has not the number of records that its header names".to_owned()));
        }
    }
    report.header = Some(header);
    report
}

/// Number, hash before, own hash, and whether it is a whole record.
fn one(line: &str) -> Result<(u64, String, String, bool), String> {
    if let Ok(stub) = serde_json::from_str::<Stub>(line) {
        return Ok((stub.seq, stub.prev, stub.leaf, false));
    }
    let record: Record = serde_json::from_str(line).map_err(|e| format!("not a record: {e}"))?;
    Ok((record.seq, record.prev, chain::leaf(line.as_bytes()), true))
}

#[cfg(test)]
#[path = "tests/export.rs"]
mod tests;
