//! Where keys are not taken at once: in a window that is too small to see what they do, and where leaving would cut a plan off.

use std::time::{Duration, Instant};

use crossterm::event::{KeyEvent, KeyEventKind};

use super::{Effect, State};
use crate::domain::plan::{PlanRun, StageState};
use crate::model::World;
use crate::tui::SMALLEST;
use crate::tui::keys::Command;
use crate::tui::prompt::HELD;

/// For how long a second press means what the first one asked, where a plan would be cut off.
const ANEW: Duration = Duration::from_secs(5);

/// The same where nothing is lost: one key too many on the way back to the board.
const AGAIN: Duration = Duration::from_secs(2);

/// A first press that asked to leave.
#[derive(Clone, Debug)]
pub(super) struct Leaving {
    /// What it was told.
    question: String,
    /// When it came.
    at: Instant,
    /// Until when a second one leaves.
    until: Instant,
}

/// The step that a plan stands on, from 1, and how many it has.
pub(in crate::tui) fn step_of(run: &PlanRun) -> (usize, usize) {
    let over = run.stages.iter().take_while(|stage| !matches!(stage, StageState::Waiting | StageState::Running { .. }));
    ((over.count() + 1).min(run.stages.len()), run.stages.len())
}

impl State {
    /// Leaves, but a plan under way only when it is asked for twice: what is left of it would not be done.
    pub(super) fn quit(&mut self, world: &World) -> Vec<Effect> {
        let asked = self.leaving.as_ref().zip(self.heard).is_some_and(|(first, now)| now < first.until);
        match world.plans.iter().rev().find(|run| run.running()) {
            Some(run) if !asked => {
                let (step, steps) = step_of(run);
                let question = format!(
                    "a plan is at step {step} of {steps}; press again to leave: what is left of it is not done"
                );
                self.ask_to_leave(question, ANEW)
            }
            _ => vec![Effect::Quit],
        }
    }

    fn ask_to_leave(&mut self, question: String, long: Duration) -> Vec<Effect> {
        self.notice = Some(question.clone());
        self.leaving = self.heard.map(|at| Leaving { question, at, until: at + long });
        Vec::new()
    }

    /// The key that leaves from the board is the one that leads back to it: one too many only asks. One that is held
    /// down, or that came together with others, asks anew.
    pub(super) fn quit_by_key(&mut self, key: KeyEvent, world: &World) -> Vec<Effect> {
        let first = self.leaving.take().zip(self.heard).filter(|(first, now)| *now < first.until);
        let by_itself = key.kind != KeyEventKind::Repeat && !self.crowded;
        if first.is_some_and(|(first, now)| by_itself && now.saturating_duration_since(first.at) >= HELD) {
            return vec![Effect::Quit];
        }
        if world.plans.iter().any(|run| run.running()) {
            return self.quit(world);
        }
        self.ask_to_leave(format!("{} again leaves the cockpit", self.keys.label(Command::Quit)), AGAIN)
    }

    /// Until when it is asked whether to leave.
    pub(super) fn asks_until(&self) -> Option<Instant> {
        self.leaving.as_ref().map(|leaving| leaving.until)
    }

    /// Nobody pressed again: it is asked no more.
    pub(super) fn forget_leaving(&mut self, at: Instant) {
        if let Some(over) = self.leaving.take_if(|leaving| at >= leaving.until)
            && self.notice.as_ref() == Some(&over.question)
        {
            self.notice = None;
        }
    }

    /// Another size of the window. Only what is drawn at a good one takes keys again.
    pub(super) fn resized(&mut self, width: u16, height: u16) {
        self.cramped = self.cramped || too_small(width, height);
        self.unseen();
    }

    /// The screen is being drawn at this size; true when it is too small, so that nobody sees what a key would do.
    pub(in crate::tui) fn drawn_at(&mut self, width: u16, height: u16) -> bool {
        self.cramped = too_small(width, height);
        if self.cramped {
            self.unseen();
        }
        self.cramped
    }

    /// Whether keys are text now.
    pub(super) fn typing(&mut self) -> bool {
        let filter = match self.place {
            crate::tui::keys::Place::Board => self.filter.open,
            crate::tui::keys::Place::Audit => self.audit.filter.open,
            _ => false,
        };
        filter || self.finding()
    }

    /// A key in a window that is too small: the only ones that work leave it.
    pub(super) fn cramped_key(&mut self, key: KeyEvent, world: &World) -> Vec<Effect> {
        let chord = key.modifiers.contains(crossterm::event::KeyModifiers::CONTROL);
        match self.keys.command(self.place, key) {
            Some(Command::Quit) if chord => self.quit(world),
            Some(Command::Quit) if self.popup.is_none() && !self.typing() => self.quit_by_key(key, world),
            Some(Command::Suspend) if chord => vec![Effect::Suspend],
            _ => Vec::new(),
        }
    }
}

fn too_small(width: u16, height: u16) -> bool {
    width < SMALLEST.0 || height < SMALLEST.1
}
