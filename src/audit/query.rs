//! What is asked of the log, and what it answers.

use crate::domain::record::Record;

/// Which records are wanted, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadQuery {
    /// At most so many.
    pub limit: Option<usize>,
    /// Only the record with this number.
    pub seq: Option<u64>,
    /// Only records about a target whose `namespace/name` is or ends with this.
    pub target: Option<String>,
    /// Only records of this act.
    pub act: Option<String>,
}

/// A record and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRecord {
    /// The record.
    pub record: Record,
    /// Its segment.
    pub file: String,
    /// Its line, from 1.
    pub line: usize,
    /// Its leaf hash.
    pub leaf: String,
}

/// The log at a glance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogView {
    /// How many records there are.
    pub records: u64,
    /// The time of the last.
    pub last: Option<String>,
    /// The leaf of the last.
    pub head: String,
    /// Intents of dead processes without an outcome.
    pub open_intents: u64,
}

impl ReadQuery {
    pub(super) fn matches(&self, record: &Record) -> bool {
        self.seq.is_none_or(|seq| record.seq == seq)
            && self.act.as_ref().is_none_or(|act| record.said.act == *act)
            && self.target.as_ref().is_none_or(|wanted| is_about(record, wanted))
    }
}

impl StoredRecord {
    /// Whether it is about a target whose name or `namespace/name` is `wanted`.
    pub fn is_about(&self, wanted: &str) -> bool {
        is_about(&self.record, wanted)
    }
}

fn is_about(record: &Record, wanted: &str) -> bool {
    record.said.target.as_ref().is_some_and(|t| t.name == wanted || format!("{}/{}", t.namespace, t.name) == wanted)
}
