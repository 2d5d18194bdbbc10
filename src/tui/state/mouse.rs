//! Clicks and the wheel: they look, like bare keys. None of them acts, and none reaches into a box but to scroll it.

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::{Position, Rect};

use super::{Effect, Popup, State};
use crate::model::World;
use crate::tui::board::Line;
use crate::tui::keys::{Command, Place};

/// How many lines of a text the wheel moves; in a list it moves the cursor by one.
const NOTCH: isize = 3;

impl State {
    /// Where the rows of the list stand that was just drawn.
    pub(in crate::tui) fn list_at(&mut self, area: Rect) {
        self.list = area;
    }

    pub(super) fn mouse(&mut self, mouse: MouseEvent, world: &World) -> Vec<Effect> {
        match mouse.kind {
            MouseEventKind::ScrollDown => self.wheel(1, world),
            MouseEventKind::ScrollUp => self.wheel(-1, world),
            MouseEventKind::Down(MouseButton::Left) if self.popup.is_none() => {
                return self.click(Position { x: mouse.column, y: mouse.row }, world);
            }
            _ => {}
        }
        Vec::new()
    }

    fn wheel(&mut self, way: isize, world: &World) {
        match &mut self.popup {
            Some(Popup::Menu(scroll) | Popup::Progress(_, scroll)) => *scroll = scroll.saturating_add_signed(way),
            Some(Popup::Group(group)) => group.scroll = group.scroll.saturating_add_signed(way),
            Some(_) => {}
            None => {
                let list = match self.place {
                    Place::Board | Place::History => true,
                    Place::Audit => !self.audit.open,
                    _ => false,
                };
                self.step(if list { way } else { way * NOTCH }, world);
            }
        }
    }

    /// A click puts the cursor there; on the row that has it already, it opens that row.
    fn click(&mut self, at: Position, world: &World) -> Vec<Effect> {
        if !self.list.contains(at) {
            return Vec::new();
        }
        let row = self.offset + usize::from(at.y - self.list.y);
        match self.place {
            Place::Board => {
                let Some(Line::Row(id)) = self.board.lines().get(row) else { return Vec::new() };
                if self.selected.as_ref() == Some(id) {
                    return self.command(Command::Open, world);
                }
                self.selected = Some(id.clone());
            }
            Place::Audit if !self.audit.open => {
                // Those that the filter leaves: the rows are theirs.
                if row >= self.audit.shown().len() {
                    return Vec::new();
                }
                if self.audit.cursor == row {
                    return self.command(Command::Open, world);
                }
                self.audit.cursor = row;
            }
            _ => {}
        }
        Vec::new()
    }
}
