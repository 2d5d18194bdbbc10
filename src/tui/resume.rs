//! The box of a plan that a dead process left undone: what is left of it, confirmed as the verb `plan resume` is.

use std::sync::Arc;
use std::time::Instant;

use crossterm::event::{KeyCode, KeyEvent};

use super::confirm::Ground;
use super::prompt::Prompt;
use crate::domain::decision::Confirmation;
use crate::domain::intent::Confirmed;
use crate::domain::plan::{Plan, PlanRun};
use crate::model::World;

/// How much of a plan's name is typed.
const SHORT: usize = 8;

/// The box.
#[derive(Clone, Debug)]
pub(super) struct Resume {
    pub run: Arc<PlanRun>,
    /// Somebody else went on with it.
    pub gone: bool,
    pub prompt: Prompt,
}

/// What a key led to.
#[derive(Debug)]
pub(super) enum Step {
    Stay,
    Leave,
    Send(Box<Plan>),
}

impl Resume {
    /// The plan whose name begins so, or the only one there is.
    pub(super) fn of(id: Option<&str>, world: &World) -> Result<Self, String> {
        let fit: Vec<&Arc<PlanRun>> =
            world.open_plans.iter().filter(|run| id.is_none_or(|id| run.plan.id.starts_with(id))).collect();
        match (fit.as_slice(), id) {
            ([run], _) => Ok(Self { run: (*run).clone(), gone: false, prompt: Prompt::default() }),
            ([], None) => Err("no plan was left unfinished".to_owned()),
            ([], Some(id)) => Err(format!("no unfinished plan {id}; tab lists them")),
            (several, _) => {
                let names: Vec<String> = several.iter().map(|run| short(&run.plan.id)).collect();
                Err(format!("several were left: `:plan resume ID` with one of {}", names.join(", ")))
            }
        }
    }

    /// What is typed to confirm it.
    pub(super) fn typed(&self) -> String {
        short(&self.run.plan.id)
    }

    pub(super) fn drawn(&mut self, at: Instant) {
        self.prompt.drawn(at);
    }

    /// A new snapshot: the plan may be somebody's now.
    pub(super) fn take(&mut self, world: &World) {
        let now = world.open_plans.iter().find(|run| run.plan.id == self.run.plan.id);
        match now {
            None => self.gone = true,
            Some(now) if !Arc::ptr_eq(now, &self.run) && **now != *self.run => {
                self.run = now.clone();
                self.prompt.renew();
                self.prompt.notice = Some("changed just now: another part of it is left".to_owned());
            }
            Some(_) => {}
        }
    }

    pub(super) fn key(&mut self, key: KeyEvent, at: Instant, ground: &Ground<'_>) -> Step {
        if key.code == KeyCode::Esc {
            return Step::Leave;
        }
        if self.gone {
            return Step::Stay;
        }
        let asked = Confirmation::Type { text: self.typed() };
        match self.prompt.key(key, at, &asked) {
            Some(confirmed) => self.send(confirmed, ground),
            None => Step::Stay,
        }
    }

    fn send(&self, confirmed: Confirmed, ground: &Ground<'_>) -> Step {
        let plan = &self.run.plan;
        Step::Send(Box::new(Plan {
            id: plan.id.clone(),
            title: plan.title.clone(),
            stages: self.run.rest(),
            on_failure: plan.on_failure,
            actor: (ground.actor)(),
            reason: self.prompt.reason().or_else(|| plan.reason.clone()),
            confirmed,
        }))
    }
}

fn short(id: &str) -> String {
    id.chars().take(SHORT).collect()
}
