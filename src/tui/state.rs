//! What the person looks at: screens, cursor, boxes. Pure: every key, answer and snapshot comes with its time.

use std::sync::Arc;
use std::time::Instant;

use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use tui_input::Input;
use tui_input::backend::crossterm::EventHandler as _;

use super::board::{Board, Line};
use super::confirm::{Confirm, Ground, Step};
use super::keys::{self, Command, Place};
use super::tail::Tail;
use crate::actions::by_key;
use crate::domain::ids::{ActId, TargetId};
use crate::domain::intent::{Intent, Params};
use crate::domain::rollout::Rollout;
use crate::model::{World, query};

/// How many audit records are asked for.
const RECORDS: usize = 500;

/// What a question to the runtime is about to bring.
#[derive(Clone, Debug)]
pub(super) enum Loaded<T> {
    Waiting,
    Here(T),
    Failed(String),
}

/// A record as the screen needs it, and the whole of it as text.
#[derive(Clone, Debug)]
pub(super) struct RecordLine {
    pub seq: u64,
    pub ts: String,
    pub kind: &'static str,
    pub op: String,
    pub target: String,
    pub by: String,
    pub outcome: String,
    pub whole: String,
}

/// The audit screen.
#[derive(Clone, Debug)]
pub(super) struct AuditPane {
    pub records: Loaded<Vec<RecordLine>>,
    /// What the last verification said, and whether the chain holds.
    pub verified: Option<Loaded<(bool, String)>>,
    pub cursor: usize,
    pub open: bool,
}

/// A box over the screen.
#[derive(Debug)]
pub(super) enum Popup {
    Menu,
    Confirm(Box<Confirm>),
    Outcome(ActId),
}

/// What the loop has to do for the state.
#[derive(Debug)]
pub(super) enum Effect {
    /// Read the target afresh for the confirmation.
    Read(TargetId),
    /// Send an act on its way.
    Act(Box<Intent>),
    /// Read the newest records.
    Audit(usize),
    /// Check the audit log.
    Verify,
    /// Whose pods are wanted.
    Focus(Option<TargetId>),
    Suspend,
    Quit,
}

/// What came back.
#[derive(Debug)]
pub(super) enum Answer {
    Read(TargetId, Result<Option<Arc<Rollout>>, String>),
    Audit(Result<Vec<RecordLine>, String>),
    Verify(Result<(bool, String), String>),
    /// An act could not even be handed over.
    Lost(String),
}

/// The state.
pub(super) struct State {
    pub place: Place,
    back: Vec<Place>,
    pub board: Board,
    pub selected: Option<TargetId>,
    /// The first line of the list that is on the screen.
    pub offset: usize,
    /// How far a screen of text is scrolled.
    pub scroll: usize,
    pub filter: Input,
    pub filtering: bool,
    pub popup: Option<Popup>,
    pub audit: AuditPane,
    /// One line that answers a key which did nothing else.
    pub notice: Option<String>,
    tail: Tail,
    complete: bool,
    page: usize,
    /// Lines that the list has, as of the last layout.
    lines: usize,
}

impl State {
    pub(super) fn new() -> Self {
        Self {
            place: Place::Board,
            back: Vec::new(),
            board: Board::default(),
            selected: None,
            offset: 0,
            scroll: 0,
            filter: Input::default(),
            filtering: false,
            popup: None,
            audit: AuditPane { records: Loaded::Waiting, verified: None, cursor: 0, open: false },
            notice: None,
            tail: Tail::default(),
            complete: false,
            page: 1,
            lines: 0,
        }
    }

    /// A new snapshot. While a box is open the rows stay where they are. Returns whether the targets look different now.
    pub(super) fn take(&mut self, world: &World, ground: &Ground<'_>) -> bool {
        if let Some(Popup::Confirm(confirm)) = &mut self.popup {
            confirm.take(world, ground);
        }
        if self.popup.is_none() {
            let touched = self.board.take(world, ground.now, self.offset, self.page);
            let complete = self.complete;
            if !self.complete {
                // While the first lists come in nobody has chosen anything yet.
                self.complete = query::complete(world);
                self.selected = self.board.rows().next().cloned();
            }
            self.settle_cursor(None);
            return touched || !complete || self.place != Place::Board;
        }
        true
    }

    /// The cursor stays on its target; where that is gone, it goes to the one that took its place.
    fn settle_cursor(&mut self, line: Option<usize>) {
        if let Some(selected) = &self.selected
            && self.board.has(selected)
        {
            return;
        }
        if self.place == Place::Target && self.selected.is_some() {
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
    pub(super) fn layout(&mut self, page: usize, lines: usize) {
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

    /// The screen stands since `at`.
    pub(super) fn drawn(&mut self, at: Instant) {
        if let Some(Popup::Confirm(confirm)) = &mut self.popup {
            confirm.drawn(at);
        }
    }

    /// When the screen changes by itself.
    pub(super) fn wakes(&self, at: Instant) -> Option<Instant> {
        match &self.popup {
            Some(Popup::Confirm(confirm)) => confirm.listens_from().filter(|from| *from > at),
            _ => None,
        }
    }

    pub(super) fn answer(&mut self, answer: Answer, world: &World, ground: &Ground<'_>) {
        match answer {
            Answer::Read(target, rollout) => {
                if let Some(Popup::Confirm(confirm)) = &mut self.popup
                    && confirm.target == target
                {
                    confirm.read(rollout, world, ground);
                }
            }
            Answer::Audit(Ok(records)) => {
                self.audit.cursor = self.audit.cursor.min(records.len().saturating_sub(1));
                self.audit.records = Loaded::Here(records);
            }
            Answer::Audit(Err(why)) => self.audit.records = Loaded::Failed(why),
            Answer::Verify(Ok(said)) => self.audit.verified = Some(Loaded::Here(said)),
            Answer::Verify(Err(why)) => self.audit.verified = Some(Loaded::Failed(why)),
            Answer::Lost(why) => self.notice = Some(why),
        }
    }

    pub(super) fn event(&mut self, event: &Event, at: Instant, world: &World, ground: &Ground<'_>) -> Vec<Effect> {
        match event {
            Event::Key(key) if key.kind != KeyEventKind::Release => {
                if self.tail.swallows(*key, at) {
                    Vec::new()
                } else {
                    self.key(*key, at, world, ground)
                }
            }
            Event::Paste(text) => {
                self.paste(text, at);
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    fn paste(&mut self, text: &str, at: Instant) {
        match &mut self.popup {
            Some(Popup::Confirm(confirm)) => confirm.paste(text, at),
            None if self.filtering => {
                for c in crate::domain::text::Clean::new(text).as_str().chars().take(100) {
                    self.filter.handle(tui_input::InputRequest::InsertChar(c));
                }
                self.refilter();
            }
            _ => self.notice = Some("pasted text does nothing here".to_owned()),
        }
    }

    fn key(&mut self, key: KeyEvent, at: Instant, world: &World, ground: &Ground<'_>) -> Vec<Effect> {
        self.notice = None;
        if key.modifiers.contains(KeyModifiers::CONTROL) {
            match keys::command(self.place, key) {
                Some(Command::Quit) => return vec![Effect::Quit],
                Some(Command::Suspend) => return vec![Effect::Suspend],
                _ => {}
            }
        }
        match &mut self.popup {
            Some(Popup::Confirm(confirm)) => {
                let step = confirm.key(key, at, world, ground);
                match step {
                    Step::Stay => Vec::new(),
                    Step::Leave => {
                        self.popup = None;
                        self.take(world, ground);
                        Vec::new()
                    }
                    Step::Send(intent) => {
                        self.popup = Some(Popup::Outcome(intent.act.clone()));
                        vec![Effect::Act(intent)]
                    }
                }
            }
            Some(Popup::Menu) => self.menu_key(key, world, ground),
            Some(Popup::Outcome(_)) => {
                if matches!(key.code, KeyCode::Esc | KeyCode::Enter | KeyCode::Char('q')) {
                    self.popup = None;
                    self.take(world, ground);
                }
                Vec::new()
            }
            None if self.filtering => self.filter_key(key),
            None => keys::command(self.place, key).map_or_else(Vec::new, |command| self.command(command)),
        }
    }

    fn menu_key(&mut self, key: KeyEvent, world: &World, ground: &Ground<'_>) -> Vec<Effect> {
        let letter = match key.code {
            KeyCode::Esc => {
                self.popup = None;
                self.take(world, ground);
                return Vec::new();
            }
            KeyCode::Char(letter) if key.modifiers.is_empty() => letter,
            _ => return Vec::new(),
        };
        let (Some(action), Some(target)) =
            (by_key(letter), self.selected.as_ref().and_then(|id| world.targets.get(id)))
        else {
            return Vec::new();
        };
        if let Err(why) = (action.applies)(&target.sight(), &Params::None) {
            self.notice = Some(format!("cannot {}: {why}", action.verb));
            return Vec::new();
        }
        let id = target.id().clone();
        self.popup = Some(Popup::Confirm(Box::new(Confirm::new(action.id, id.clone()))));
        vec![Effect::Read(id)]
    }

    fn filter_key(&mut self, key: KeyEvent) -> Vec<Effect> {
        match key.code {
            KeyCode::Enter | KeyCode::Down | KeyCode::Up => self.filtering = false,
            KeyCode::Esc => {
                self.filter = Input::default();
                self.filtering = false;
                self.refilter();
            }
            _ => {
                self.filter.handle_event(&Event::Key(key));
                self.refilter();
            }
        }
        Vec::new()
    }

    fn refilter(&mut self) {
        self.board.set_filter(self.filter.value());
        self.offset = 0;
        self.settle_cursor(Some(0));
    }

    fn command(&mut self, command: Command) -> Vec<Effect> {
        match command {
            Command::Down => self.step(1),
            Command::Up => self.step(-1),
            Command::PageDown => self.step(isize::try_from(self.page).unwrap_or(isize::MAX)),
            Command::PageUp => self.step(-isize::try_from(self.page).unwrap_or(isize::MAX)),
            Command::First => self.step(isize::MIN),
            Command::Last => self.step(isize::MAX),
            Command::Open if self.place == Place::Audit => self.audit.open = true,
            Command::Open => {
                if let Some(id) = self.selected.clone() {
                    self.go(Place::Target);
                    return vec![Effect::Focus(Some(id))];
                }
            }
            Command::Act if self.selected.is_some() => self.popup = Some(Popup::Menu),
            Command::Act => self.notice = Some("there is nothing to act on".to_owned()),
            Command::Filter => self.filtering = true,
            Command::Audit => {
                self.go(Place::Audit);
                self.audit.records = Loaded::Waiting;
                self.audit.cursor = 0;
                return vec![Effect::Audit(RECORDS)];
            }
            Command::Verify => {
                self.audit.verified = Some(Loaded::Waiting);
                return vec![Effect::Verify];
            }
            Command::Links => self.go(Place::Links),
            Command::Help => self.go(Place::Help),
            Command::Back => return self.back(),
            Command::Quit => return vec![Effect::Quit],
            Command::Suspend => return vec![Effect::Suspend],
        }
        Vec::new()
    }

    fn go(&mut self, place: Place) {
        if self.place != place {
            self.back.push(std::mem::replace(&mut self.place, place));
            self.offset = 0;
            self.scroll = 0;
        }
    }

    fn back(&mut self) -> Vec<Effect> {
        if self.place == Place::Audit && self.audit.open {
            self.audit.open = false;
            return Vec::new();
        }
        let Some(place) = self.back.pop() else {
            if !self.filter.value().is_empty() {
                self.filter = Input::default();
                self.refilter();
            }
            return Vec::new();
        };
        let left = std::mem::replace(&mut self.place, place);
        self.offset = 0;
        self.scroll = 0;
        if left == Place::Target {
            self.settle_cursor(None);
            return vec![Effect::Focus(None)];
        }
        Vec::new()
    }

    fn step(&mut self, by: isize) {
        match self.place {
            Place::Board => {
                let rows: Vec<&TargetId> = self.board.rows().collect();
                let at = rows.iter().position(|id| Some(*id) == self.selected.as_ref()).unwrap_or(0);
                let to = at.saturating_add_signed(by).min(rows.len().saturating_sub(1));
                self.selected = rows.get(to).map(|id| (*id).clone());
            }
            Place::Audit if !self.audit.open => {
                let len = if let Loaded::Here(records) = &self.audit.records { records.len() } else { 0 };
                self.audit.cursor = self.audit.cursor.saturating_add_signed(by).min(len.saturating_sub(1));
            }
            Place::Target | Place::Audit | Place::Links | Place::Help => {
                let most = self.lines.saturating_sub(self.page);
                self.scroll = self.scroll.saturating_add_signed(by).min(most);
            }
        }
    }
}
