//! The log at a glance, and what dead processes left open in it.

use std::collections::BTreeMap;

use super::error::AuditError;
use super::instance;
use super::log::AuditLog;
use super::query::{LogView, StoredRecord};
use crate::domain::record::{Record, RecordKind};

/// The record with which a plan began, and the records of its acts.
pub type OpenPlan = (Record, Vec<Record>);

impl AuditLog {
    /// The log at a glance.
    pub fn view(&self) -> Result<LogView, AuditError> {
        let all = self.all()?;
        let open_intents = u64::try_from(self.open_intents(&all).len()).unwrap_or(u64::MAX);
        let last = all.last();
        Ok(LogView {
            records: u64::try_from(all.len()).unwrap_or(u64::MAX),
            last: last.map(|s| s.record.ts.clone()),
            head: last.map_or_else(String::new, |s| s.leaf.clone()),
            open_intents,
        })
    }

    /// Intents without an outcome whose process is dead. A living process's intents are its own.
    pub fn leftovers(&self) -> Result<Vec<Record>, AuditError> {
        let all = self.all()?;
        Ok(self.open_intents(&all))
    }

    /// Plans that dead processes left without an end, each with the records of its acts.
    pub fn open_plans(&self) -> Result<Vec<OpenPlan>, AuditError> {
        let mut open: Vec<OpenPlan> = Vec::new();
        for StoredRecord { record, .. } in self.all()? {
            let Some(plan) = &record.said.plan else { continue };
            let place = open.iter().position(|(p, _)| p.said.plan.as_ref().is_some_and(|p| p.id == plan.id));
            match (record.said.kind, place) {
                // The same plan, taken up again with the steps that were left: they count from 1 again.
                (RecordKind::Plan, Some(place)) => open[place] = (record, Vec::new()),
                (RecordKind::Plan, None) => open.push((record, Vec::new())),
                (RecordKind::PlanEnd, Some(place)) => drop(open.remove(place)),
                (_, Some(place)) => open[place].1.push(record),
                (_, None) => {}
            }
        }
        open.retain(|(plan, _)| self.is_left(plan));
        Ok(open)
    }

    /// Whether another process wrote it, and is dead. A living process's intents are its own.
    fn is_left(&self, record: &Record) -> bool {
        record.instance != self.stamp.instance && instance::is_dead(&self.dir, &record.instance)
    }

    fn open_intents(&self, all: &[StoredRecord]) -> Vec<Record> {
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
        open.into_values().filter(|r| self.is_left(r)).cloned().collect()
    }
}
