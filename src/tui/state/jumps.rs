//! Where a person was before: each way to another screen or target leaves a spot to come back to.

use super::{Effect, State};
use crate::domain::ids::TargetId;
use crate::model::World;
use crate::tui::find::Painted;
use crate::tui::keys::{Command, Place};

/// How many spots are kept.
const KEPT: usize = 50;

/// A screen, and the target that it was about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Spot {
    place: Place,
    target: Option<TargetId>,
    /// The target that an audit screen was narrowed to.
    about: Option<TargetId>,
    /// Whether the document was a difference.
    diff: bool,
}

impl State {
    fn spot(&self) -> Spot {
        let about = self.audit.about.clone().filter(|_| self.place == Place::Audit);
        let diff = self.place == Place::Text && self.text.as_ref().is_some_and(crate::tui::text::Text::is_diff);
        Spot { place: self.place, target: self.selected.clone(), about, diff }
    }

    /// Notes where we are, before we leave it.
    pub(super) fn leave(&mut self) {
        self.painted = Painted::default();
        let here = self.spot();
        if self.spots.last() != Some(&here) {
            self.spots.push(here);
            if self.spots.len() > KEPT {
                self.spots.remove(0);
            }
        }
    }

    /// Back to the spot before, as far as what it was about is still there.
    pub(super) fn jump_back(&mut self, world: &World) -> Vec<Effect> {
        let here = self.spot();
        while let Some(spot) = self.spots.pop() {
            let there = spot.target.as_ref().is_none_or(|id| world.targets.contains_key(id));
            if spot != here && (there || spot.place == Place::Board) {
                return self.visit(&spot, world);
            }
        }
        self.notice = Some("there is nothing to go back to".to_owned());
        Vec::new()
    }

    /// To a screen of a target; the spot that is left can be come back to.
    pub(super) fn jump_to(&mut self, place: Place, id: &TargetId, world: &World) -> Vec<Effect> {
        self.leave();
        self.visit(&Spot { place, target: Some(id.clone()), about: None, diff: false }, world)
    }

    /// To a screen, about what is selected.
    pub(super) fn jump_to_place(&mut self, place: Place, world: &World) -> Vec<Effect> {
        if self.place == place {
            return Vec::new();
        }
        self.leave();
        self.visit(&Spot { place, target: self.selected.clone(), about: None, diff: false }, world)
    }

    /// Shows a spot as if it had been opened from the board.
    fn visit(&mut self, spot: &Spot, world: &World) -> Vec<Effect> {
        let kept = self.spots.clone();
        let mut effects = Vec::new();
        if self.place == Place::Log {
            self.log = None;
            effects.push(Effect::Logs(None));
        }
        self.back.clear();
        self.place = Place::Board;
        (self.offset, self.scroll) = (0, 0);
        if spot.target.is_some() {
            self.selected.clone_from(&spot.target);
        }
        effects.extend(match spot.place {
            Place::Board => {
                self.settle_cursor(Some(0));
                vec![Effect::Focus(None)]
            }
            Place::Target => self.open_target(),
            Place::Audit => self.open_audit(spot.about.clone()),
            Place::Links | Place::Help => {
                self.go(spot.place);
                Vec::new()
            }
            Place::Log => self.look(Command::Logs, world).unwrap_or_default(),
            Place::Text if spot.diff => self.look(Command::Diff, world).unwrap_or_default(),
            Place::Text => self.look(Command::Yaml, world).unwrap_or_default(),
            Place::Events => self.look(Command::Events, world).unwrap_or_default(),
            Place::History => self.look(Command::History, world).unwrap_or_default(),
        });
        self.spots = kept;
        effects
    }

    /// Opens the target under the cursor.
    pub(super) fn open_target(&mut self) -> Vec<Effect> {
        let Some(id) = self.selected.clone() else { return Vec::new() };
        self.go(Place::Target);
        vec![Effect::Focus(Some(id.clone())), Effect::Records(id)]
    }
}
