//! Where the cursor is and what part of a list is on the screen.

use super::State;
use crate::domain::ids::TargetId;
use crate::model::World;
use crate::tui::board::Line;
use crate::tui::keys::Place;

impl State {
    /// The cursor stays on its target; where that is gone, it goes to the one that took its place.
    pub(super) fn settle_cursor(&mut self, line: Option<usize>) {
        if let Some(selected) = &self.selected
            && self.board.has(selected)
        {
            return;
        }
        if self.place != Place::Board && self.selected.is_some() {
            return;
        }
        let at = line.unwrap_or(self.offset);
        let lines = self.board.lines();
        let row = |line: &Line| match line {
            Line::Row(id) => Some(id.clone()),
            Line::Title(..) => None,
        };
        let after = lines.iter().skip(at).find_map(row);
        let next = after.or_else(|| lines.iter().rev().find_map(row));
        self.selected = next;
    }

    /// What was drawn: rows on the screen and lines of the list.
    pub(in crate::tui) fn layout(&mut self, page: usize, lines: usize) {
        self.page = page.max(1);
        self.lines = lines;
        self.scroll = self.scroll.min(lines.saturating_sub(self.page));
        if self.place == Place::Board {
            let all = self.board.lines();
            let at = all.iter().position(|l| matches!(l, Line::Row(id) if Some(id) == self.selected.as_ref()));
            if let Some(at) = at {
                // The title above the first row of a band comes along.
                let top = if at > 0 && matches!(all[at - 1], Line::Title(..)) { at - 1 } else { at };
                if top < self.offset {
                    self.offset = top;
                }
                if at >= self.offset + self.page {
                    self.offset = at + 1 - self.page;
                }
            }
            self.offset = self.offset.min(all.len().saturating_sub(self.page));
        } else if self.place == Place::Audit {
            if self.audit.cursor < self.offset {
                self.offset = self.audit.cursor;
            }
            if self.audit.cursor >= self.offset + self.page {
                self.offset = self.audit.cursor + 1 - self.page;
            }
        }
    }

    pub(super) fn step(&mut self, by: isize, world: &World) {
        match self.place {
            Place::Board => {
                let rows: Vec<&TargetId> = self.board.rows().collect();
                let at = rows.iter().position(|id| Some(*id) == self.selected.as_ref()).unwrap_or(0);
                let to = at.saturating_add_signed(by).min(rows.len().saturating_sub(1));
                self.selected = rows.get(to).map(|id| (*id).clone());
            }
            Place::Audit if !self.audit.open => {
                let len = self.audit.shown().len();
                self.audit.cursor = self.audit.cursor.saturating_add_signed(by).min(len.saturating_sub(1));
            }
            Place::Log => {
                let page = self.page;
                if let Some(log) = &mut self.log {
                    log.step(by, page);
                }
            }
            Place::History => self.step_past(by, world),
            Place::Target | Place::Text | Place::Events | Place::Audit | Place::Links | Place::Help => {
                let most = self.lines.saturating_sub(self.page);
                self.scroll = self.scroll.saturating_add_signed(by).min(most);
            }
        }
    }

    /// The targets whose rows are on the screen.
    pub(in crate::tui) fn on_screen(&self) -> Vec<TargetId> {
        if self.place != Place::Board {
            return self.selected.iter().cloned().collect();
        }
        let rows = self.board.lines().iter().skip(self.offset).take(self.page);
        rows.filter_map(|line| if let Line::Row(id) = line { Some(id.clone()) } else { None }).collect()
    }

    /// Which rows of the board are on the screen, from 1, and how many there are; `None` = all of them.
    pub(in crate::tui) fn rows_on_screen(&self) -> Option<(usize, usize, usize)> {
        let lines = self.board.lines().len();
        let from = self.offset.min(lines);
        let to = (from + self.page).min(lines);
        let rows = |lines| self.board.rows_before(lines);
        (to - from < lines).then(|| (rows(from) + 1, rows(to), rows(lines)))
    }

    /// Puts a mark on the target under the cursor or takes it off, and goes on to the next.
    pub(super) fn mark(&mut self, world: &World) {
        if let Some(id) = self.selected.clone() {
            if !self.marked.remove(&id) {
                self.marked.insert(id);
            }
            self.step(1, world);
        }
    }

    /// Marks all that are shown; where all of them are, takes these marks off.
    pub(super) fn mark_all(&mut self) {
        let shown: Vec<TargetId> = self.board.rows().cloned().collect();
        if shown.iter().all(|id| self.marked.contains(id)) {
            for id in &shown {
                self.marked.remove(id);
            }
        } else {
            self.marked.extend(shown);
        }
    }

    /// Whether a target is marked.
    pub(in crate::tui) fn marked(&self, id: &TargetId) -> bool {
        self.marked.contains(id)
    }

    /// The marked targets in the order of the board; those that are gone or filtered out are not acted on.
    pub(in crate::tui) fn group(&self) -> Vec<TargetId> {
        self.board.rows().filter(|id| self.marked.contains(*id)).cloned().collect()
    }

    /// How many marked targets the filter hides: an act leaves them out.
    pub(in crate::tui) fn marks_hidden(&self, world: &World) -> usize {
        self.marked.iter().filter(|id| world.targets.contains_key(*id) && !self.board.has(id)).count()
    }

    /// How many targets are marked that are there and not filtered out.
    pub(in crate::tui) fn marks(&self) -> usize {
        self.marked.iter().filter(|id| self.board.has(id)).count()
    }
}
