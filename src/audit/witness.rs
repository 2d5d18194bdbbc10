//! The head of the log, told to somebody else, so that a cut tail is found.

use futures::future::BoxFuture;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::error::AuditError;
use super::log::AuditLog;
use super::query::StoredRecord;
use super::verify;

/// The head of a log at one moment: what a witness keeps. Everything in it is public.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Head {
    /// The number of the last record.
    pub seq: u64,
    /// Its leaf hash.
    pub hash: String,
    /// The machine that the log is on.
    pub host: String,
    /// Which log: the beginning of the leaf hash of its first record.
    pub log: String,
    /// Which folder on that machine: the beginning of a hash over its path. Another log in the same place means that
    /// the first was taken away.
    pub place: String,
    /// When it was told, RFC 3339.
    pub time: String,
    /// Who acted.
    pub by: String,
    /// The program's version.
    pub program: String,
}

impl Head {
    /// The key under which a witness keeps it: one per host and log, in letters that a `ConfigMap` takes.
    pub fn key(&self) -> String {
        let host: String =
            self.host.chars().map(|c| if c.is_ascii_alphanumeric() || "-.".contains(c) { c } else { '-' }).collect();
        format!("{}_{}", &host[..host.len().min(100)], self.log)
    }
}

/// An act as a witness is told of it. Cleaned text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ActNote {
    /// The act's id.
    pub act: String,
    /// Its verb.
    pub op: String,
    /// The target's namespace.
    pub namespace: String,
    /// The target's kind.
    pub kind: String,
    /// The target's name.
    pub name: String,
    /// The target's uid.
    pub uid: String,
    /// The log that the act stands in, as [`Head::key`] names it: who reports.
    pub log: String,
    /// One sentence: `resume by anna: done: …`.
    pub message: String,
    /// Whether it did not go as asked.
    pub warning: bool,
    /// When it ended, RFC 3339.
    pub at: String,
}

/// What became of a head that was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Witnessed {
    /// It stands there now.
    Stands,
    /// A later record of the same log stands there, and the log holds it: another process was faster.
    Later,
    /// The head that stands there is not in the log: its tail was cut off, or it was rewritten. It was left standing.
    Missing(Head),
}

/// Why a witness was not told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WitnessError {
    /// This user may not write there. `doctor` says it once; it is no fault.
    #[error("{0}")]
    MayNot(String),
    /// Anything else.
    #[error("{0}")]
    Failed(String),
}

/// Whether the log holds a record with this number and leaf hash.
pub type Holds<'a> = &'a (dyn Fn(u64, &str) -> bool + Send + Sync);

/// Somebody else who is told what stands in the log. Never in the way of an act: it is told afterwards.
pub trait Witness: Send + Sync {
    /// Tells the head, to be kept in `namespace`. A head that stands there and that `holds` denies is left standing.
    fn head<'a>(
        &'a self,
        namespace: &'a str,
        head: &'a Head,
        holds: Holds<'a>,
    ) -> BoxFuture<'a, Result<Witnessed, WitnessError>>;

    /// Tells an act.
    fn act<'a>(&'a self, note: &'a ActNote) -> BoxFuture<'a, Result<(), WitnessError>>;
}

/// What a comparison with witnessed heads found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WitnessReport {
    /// Heads of this log that it holds.
    pub confirmed: Vec<Head>,
    /// Heads of this log, or of an earlier log in the same place, that it does not hold: records are missing.
    pub missing: Vec<Head>,
    /// Heads of other logs: other hosts, other folders. They prove nothing here.
    pub others: Vec<Head>,
    /// Up to which record the witnesses prove the log whole; nothing when no witness knows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proven_to: Option<u64>,
}

impl WitnessReport {
    /// Whether no witness contradicts the log.
    pub fn holds(&self) -> bool {
        self.missing.is_empty()
    }
}

/// Compares what witnesses keep with the log. `place` and `log` name the log at hand; `log` is empty when the log holds
/// no record at all.
pub fn compare(records: &[StoredRecord], (host, place, log): (&str, &str, &str), told: &[Head]) -> WitnessReport {
    let mut report = WitnessReport::default();
    for head in told {
        let ours = !log.is_empty() && head.log == log;
        let same_place = !head.place.is_empty() && head.place == place && head.host == host;
        if ours && holds(records, head.seq, &head.hash) {
            report.proven_to = report.proven_to.max(Some(head.seq));
            report.confirmed.push(head.clone());
        } else if ours || same_place {
            report.missing.push(head.clone());
        } else {
            report.others.push(head.clone());
        }
    }
    report
}

fn holds(records: &[StoredRecord], seq: u64, hash: &str) -> bool {
    records.binary_search_by_key(&seq, |s| s.record.seq).is_ok_and(|at| records[at].leaf == hash)
}

impl AuditLog {
    /// The head as a witness is to keep it, and a way to ask whether a record is in the log as it is now. `None` while
    /// there is no record.
    #[expect(clippy::type_complexity, reason = "a pair, used in one place")]
    pub fn head(
        &self,
        time: &str,
        by: &str,
    ) -> Result<Option<(Head, Box<dyn Fn(u64, &str) -> bool + Send + Sync>)>, AuditError> {
        let glance = self.glance()?.clone();
        let Some(last) = glance.last.clone() else { return Ok(None) };
        let head = Head {
            seq: last.seq,
            hash: last.leaf,
            host: self.host().to_owned(),
            log: log_id(&glance.first),
            place: self.place(),
            time: time.to_owned(),
            by: by.to_owned(),
            program: last.program,
        };
        let (fs, dir) = (self.fs().clone(), self.dir().to_owned());
        // A log that cannot be read denies: then the witness is left as it is.
        let in_all = move |seq, hash: &str| verify::records(&*fs, &dir).is_ok_and(|all| holds(&all, seq, hash));
        let held = move |seq: u64, hash: &str| glance.holds(seq, hash).unwrap_or_else(|| in_all(seq, hash));
        Ok(Some((head, Box::new(held))))
    }

    /// Compares what witnesses keep with this log.
    pub fn compare(&self, told: &[Head]) -> Result<WitnessReport, AuditError> {
        let records = self.all()?;
        let log = records.first().map_or_else(String::new, |first| log_id(&first.leaf));
        Ok(compare(&records, (self.host(), &self.place(), &log), told))
    }
}

/// Which log: the beginning of the leaf hash of its first record.
pub(super) fn log_id(first_leaf: &str) -> String {
    first_leaf.chars().take(16).collect()
}
