//! What dead processes left open: intents without an outcome, plans without an end.

use std::collections::BTreeMap;

use super::error::AuditError;
use super::instance;
use super::log::AuditLog;
use super::query::StoredRecord;
use crate::domain::record::{Record, RecordKind};

/// The record with which a plan began, and the word of the outcome that each of its steps had, by number.
pub type OpenPlan = (Record, BTreeMap<u32, String>);

impl AuditLog {
    /// Intents without an outcome whose process is dead. A living process's intents are its own.
    pub fn leftovers(&self) -> Result<Vec<Record>, AuditError> {
        let all = self.all()?;
        Ok(self.open_intents(&all))
    }

    /// Plans that a dead process began and did not end, oldest id first.
    pub fn open_plans(&self) -> Result<Vec<OpenPlan>, AuditError> {
        let mut open: BTreeMap<String, OpenPlan> = BTreeMap::new();
        for StoredRecord { record, .. } in self.all()? {
            let Some(plan) = record.said.plan.clone() else { continue };
            match record.said.kind {
                RecordKind::Plan => {
                    open.insert(plan.id, (record, BTreeMap::new()));
                }
                RecordKind::PlanEnd => {
                    open.remove(&plan.id);
                }
                RecordKind::Outcome | RecordKind::Refusal => {
                    if let (Some((_, steps)), Some(outcome)) = (open.get_mut(&plan.id), &record.said.outcome) {
                        steps.insert(plan.step, outcome.word.clone());
                    }
                }
                RecordKind::Intent | RecordKind::Recovered | RecordKind::Segment => {}
            }
        }
        let dead = |r: &Record| r.instance != self.stamp.instance && instance::is_dead(&self.dir, &r.instance);
        Ok(open.into_values().filter(|(record, _)| dead(record)).collect())
    }

    pub(super) fn open_intents(&self, all: &[StoredRecord]) -> Vec<Record> {
        let mut open: BTreeMap<&str, &Record> = BTreeMap::new();
        for StoredRecord { record, .. } in all {
            match record.said.kind {
                RecordKind::Intent => {
                    open.insert(&record.said.act, record);
                }
                RecordKind::Outcome => {
                    open.remove(record.said.act.as_str());
                }
                RecordKind::Refusal
                | RecordKind::Plan
                | RecordKind::PlanEnd
                | RecordKind::Recovered
                | RecordKind::Segment => {}
            }
        }
        open.into_values()
            .filter(|r| r.instance != self.stamp.instance && instance::is_dead(&self.dir, &r.instance))
            .cloned()
            .collect()
    }
}
