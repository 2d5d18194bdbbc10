//! The audit screen: opened, read, and what leads away from a record.

use super::{Effect, Loaded, RecordLine, State};
use crate::domain::ids::TargetId;
use crate::model::World;
use crate::tui::keys::{Command, Place};

/// How many audit records are asked for.
const RECORDS: usize = 500;

impl State {
    /// Opens the log, on the records of one target where one is named.
    pub(super) fn open_audit(&mut self, about: Option<TargetId>) -> Vec<Effect> {
        self.go(Place::Audit);
        self.offset = 0;
        self.audit.ask(about.clone());
        vec![Effect::Audit(RECORDS, about)]
    }

    /// An answer; one for a question that is over is left.
    pub(super) fn take_records(&mut self, about: Option<&TargetId>, records: Result<Vec<RecordLine>, String>) {
        if let Ok(records) = &records {
            let newest = records.iter().map(|record| record.seq).max().unwrap_or(0);
            self.newest_record = self.newest_record.max(newest);
        }
        if self.audit.about.as_ref() == about {
            self.audit.records = records.map_or_else(Loaded::Failed, Loaded::Here);
            self.audit.cursor = self.audit.cursor.min(self.audit.shown().len().saturating_sub(1));
        }
    }

    /// Where a record leads: its act, its plan, its target.
    pub(super) fn leads_on(&mut self, command: Command, world: &World) -> Vec<Effect> {
        let Some(record) = self.audit.selected() else { return Vec::new() };
        let short = |id: &str| id.chars().take(8).collect::<String>();
        match command {
            Command::SameAct if record.act.is_empty() => self.notice = Some("it is about no act".to_owned()),
            Command::SameAct => {
                let text = format!("act:{}", short(&record.act));
                self.audit.only(&text);
            }
            Command::SamePlan if record.plan.is_empty() => self.notice = Some("it is about no plan".to_owned()),
            Command::SamePlan => {
                let text = format!("plan:{}", short(&record.plan));
                self.audit.only(&text);
            }
            _ => return self.open_target_of_record(world),
        }
        Vec::new()
    }

    fn open_target_of_record(&mut self, world: &World) -> Vec<Effect> {
        let Some(record) = self.audit.selected() else { return Vec::new() };
        if record.target.is_empty() {
            self.notice = Some("it is about no target".to_owned());
            return Vec::new();
        }
        let same = |id: &&TargetId| id.to_string() == record.target && id.cluster.0.as_str() == record.cluster;
        let Some(id) = world.targets.keys().find(same).cloned() else {
            self.notice = Some(format!("{}/{} is not there", record.context, record.target));
            return Vec::new();
        };
        self.jump_to(Place::Target, &id, world)
    }
}
