//! Where keys are not taken at once: in a window that is too small to see what they do, and where leaving would cut a plan off.

use std::time::Duration;

use crossterm::event::KeyEvent;

use super::{Effect, State};
use crate::domain::plan::{PlanRun, StageState};
use crate::model::World;
use crate::tui::SMALLEST;
use crate::tui::keys::Command;

/// For how long a second press means what the first one asked.
const ANEW: Duration = Duration::from_secs(5);

/// The step that a plan stands on, from 1, and how many it has.
pub(in crate::tui) fn step_of(run: &PlanRun) -> (usize, usize) {
    let over = run.stages.iter().take_while(|stage| !matches!(stage, StageState::Waiting | StageState::Running { .. }));
    ((over.count() + 1).min(run.stages.len()), run.stages.len())
}

impl State {
    /// Leaves, but a plan under way only when it is asked for twice: what is left of it would not be done.
    pub(super) fn quit(&mut self, world: &World) -> Vec<Effect> {
        let asked =
            self.leaving.zip(self.heard).is_some_and(|(first, now)| now.saturating_duration_since(first) < ANEW);
        match world.plans.iter().rev().find(|run| run.running()) {
            Some(run) if !asked => {
                let (step, steps) = step_of(run);
                self.notice = Some(format!(
                    "a plan is at step {step} of {steps}; press again to leave: what is left of it is not done"
                ));
                self.leaving = self.heard;
                Vec::new()
            }
            _ => vec![Effect::Quit],
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
            Some(Command::Quit) if chord || self.popup.is_none() && !self.typing() => self.quit(world),
            Some(Command::Suspend) if chord => vec![Effect::Suspend],
            _ => Vec::new(),
        }
    }
}

fn too_small(width: u16, height: u16) -> bool {
    width < SMALLEST.0 || height < SMALLEST.1
}
