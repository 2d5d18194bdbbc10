//! The log at a glance, and what dead processes left open in it.

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
        let glance = self.glance()?;
        let left = glance.open.values().filter(|intent| self.is_left(intent)).count();
        Ok(LogView {
            records: glance.records,
            last: glance.last.as_ref().map(|l| l.ts.clone()),
            head: glance.last.as_ref().map_or_else(String::new, |l| l.leaf.clone()),
            open_intents: u64::try_from(left).unwrap_or(u64::MAX),
        })
    }

    /// Intents without an outcome whose process is dead. A living process's intents are its own.
    pub fn leftovers(&self) -> Result<Vec<Record>, AuditError> {
        Ok(self.glance()?.open.values().filter(|intent| self.is_left(intent)).cloned().collect())
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
}
