//! What the person looks at: screens, cursor, boxes. Pure: every key, answer and snapshot comes with its time.

mod boxes;
mod cursor;
mod looks;
mod mouse;
mod types;

use std::collections::BTreeSet;
use std::time::Instant;

use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use ratatui::layout::Rect;
use tui_input::Input;
use tui_input::backend::crossterm::EventHandler as _;

pub(super) use looks::{Look, Past};
pub(super) use types::{Answer, AuditPane, Effect, Loaded, Popup, RecordLine};

use super::board::Board;
use super::confirm::Ground;
use super::keys::{self, Command, Place};
use super::log::Log;
use super::prompt::Prompt;
use super::tail::Tail;
use super::text::Text;
use crate::domain::ids::TargetId;
use crate::model::{World, query};

/// How many audit records are asked for.
const RECORDS: usize = 500;

/// The state.
pub(super) struct State {
    pub place: Place,
    back: Vec<Place>,
    pub board: Board,
    pub selected: Option<TargetId>,
    /// Targets that the next act is for, all of them.
    marked: BTreeSet<TargetId>,
    /// The first line of the list that is on the screen.
    pub offset: usize,
    /// How far a screen of text is scrolled.
    pub scroll: usize,
    pub filter: Input,
    pub filtering: bool,
    pub popup: Option<Popup>,
    pub audit: AuditPane,
    pub log: Option<Log>,
    pub text: Option<Text>,
    pub past: Past,
    /// The audit records about the open target.
    records: Option<(TargetId, Loaded<Vec<RecordLine>>)>,
    /// One line that answers a key which did nothing else.
    pub notice: Option<String>,
    tail: Tail,
    complete: bool,
    page: usize,
    /// Where the list stands on the screen, for clicks.
    list: Rect,
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
            marked: BTreeSet::new(),
            offset: 0,
            scroll: 0,
            filter: Input::default(),
            filtering: false,
            popup: None,
            records: None,
            log: None,
            text: None,
            past: Past::default(),
            audit: AuditPane { records: Loaded::Waiting, verified: None, cursor: 0, open: false },
            notice: None,
            tail: Tail::default(),
            complete: false,
            page: 1,
            list: Rect::default(),
            lines: 0,
        }
    }

    /// A new snapshot. While a box is open the rows stay where they are. Returns whether the targets look different now.
    pub(super) fn take(&mut self, world: &World, ground: &Ground<'_>) -> bool {
        match &mut self.popup {
            Some(Popup::Confirm(confirm)) => confirm.take(world, ground),
            Some(Popup::Group(group)) => group.take(world, ground),
            Some(Popup::Rollback(plan)) => plan.take(world, ground),
            _ => {}
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

    /// The screen stands since `at`.
    pub(super) fn drawn(&mut self, at: Instant) {
        match &mut self.popup {
            Some(Popup::Confirm(confirm)) => confirm.drawn(at),
            Some(Popup::Group(group)) => group.drawn(at),
            Some(Popup::Rollback(plan)) => plan.drawn(at),
            _ => {}
        }
    }

    /// When the screen changes by itself.
    pub(super) fn wakes(&mut self, at: Instant) -> Option<Instant> {
        self.prompt()?.listens_from().filter(|from| *from > at)
    }

    /// Whether the keys that come next came all at once.
    pub(super) fn crowd(&mut self, crowded: bool) {
        if let Some(prompt) = self.prompt() {
            prompt.crowd(crowded);
        }
    }

    /// The part of the open box that confirms.
    fn prompt(&mut self) -> Option<&mut Prompt> {
        match &mut self.popup {
            Some(Popup::Confirm(confirm)) => Some(&mut confirm.prompt),
            Some(Popup::Group(group)) => Some(&mut group.prompt),
            Some(Popup::Rollback(plan)) => Some(&mut plan.prompt),
            _ => None,
        }
    }

    /// The screen was away or moved: what confirms has to stand there anew.
    fn unseen(&mut self) {
        if let Some(prompt) = self.prompt() {
            prompt.unseen();
        }
    }

    pub(super) fn answer(&mut self, answer: Answer, world: &World, ground: &Ground<'_>) {
        match answer {
            Answer::Read(target, rollout) => match &mut self.popup {
                Some(Popup::Confirm(confirm)) if confirm.target == target => confirm.read(rollout, world, ground),
                Some(Popup::Rollback(plan)) if plan.target == target => plan.read(rollout, world, ground),
                Some(Popup::Group(group)) => group.read(&target, &rollout, world, ground),
                _ => {}
            },
            Answer::Audit(Ok(records)) => {
                self.audit.cursor = self.audit.cursor.min(records.len().saturating_sub(1));
                self.audit.records = Loaded::Here(records);
            }
            Answer::Audit(Err(why)) => self.audit.records = Loaded::Failed(why),
            Answer::Records(id, records) => {
                let records = records.map_or_else(Loaded::Failed, Loaded::Here);
                self.records = Some((id, records));
            }
            Answer::Verify(Ok(said)) => self.audit.verified = Some(Loaded::Here(said)),
            Answer::Verify(Err(why)) => self.audit.verified = Some(Loaded::Failed(why)),
            Answer::Look(look) => self.looked(look),
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
            Event::Mouse(mouse) => self.mouse(*mouse, world),
            // Keys that were on their way to another window, or to what stood there before, are not for the box.
            Event::Resize(..) | Event::FocusGained => {
                self.unseen();
                Vec::new()
            }
            Event::FocusLost | Event::Key(_) => Vec::new(),
        }
    }

    fn paste(&mut self, text: &str, at: Instant) {
        match &mut self.popup {
            Some(Popup::Confirm(confirm)) => confirm.prompt.paste(text, at),
            Some(Popup::Group(group)) => group.prompt.paste(text, at),
            Some(Popup::Rollback(plan)) => plan.prompt.paste(text, at),
            Some(Popup::Form(form)) => form.paste(text),
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
                Some(Command::Suspend) => {
                    self.unseen();
                    return vec![Effect::Suspend];
                }
                _ => {}
            }
        }
        if let Some(effects) = self.abort_chord(key, world, ground) {
            return effects;
        }
        if self.popup.is_some() {
            return self.popup_key(key, at, world, ground);
        }
        if self.filtering {
            return self.filter_key(key);
        }
        if self.finding() {
            self.find_key(key);
            return Vec::new();
        }
        keys::command(self.place, key).map_or_else(Vec::new, |command| self.command(command, world))
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

    fn command(&mut self, command: Command, world: &World) -> Vec<Effect> {
        if let Some(effects) = self.look(command, world) {
            return effects;
        }
        match command {
            Command::Down => self.step(1, world),
            Command::Up => self.step(-1, world),
            Command::PageDown => self.step(isize::try_from(self.page).unwrap_or(isize::MAX), world),
            Command::PageUp => self.step(-isize::try_from(self.page).unwrap_or(isize::MAX), world),
            Command::First => self.step(isize::MIN, world),
            Command::Last => self.step(isize::MAX, world),
            Command::Open if self.place == Place::Audit => self.audit.open = true,
            Command::Open => {
                if let Some(id) = self.selected.clone() {
                    self.go(Place::Target);
                    return vec![Effect::Focus(Some(id.clone())), Effect::Records(id)];
                }
            }
            Command::Act if self.selected.is_some() => self.popup = Some(Popup::Menu(0)),
            Command::Mark => self.mark(world),
            Command::Plan => match world.plans.back() {
                Some(run) => self.popup = Some(Popup::Progress(run.plan.id.clone(), 0)),
                None => self.notice = Some("no plan was made from here".to_owned()),
            },
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
            // Those that look closer are taken above; the abort chord before a box gets the key.
            _ => {}
        }
        Vec::new()
    }

    /// The audit records about a target, as far as they were asked for.
    pub(super) fn records_of(&self, id: &TargetId) -> Option<&Loaded<Vec<RecordLine>>> {
        self.records.as_ref().filter(|(of, _)| of == id).map(|(_, records)| records)
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
            if self.filter.value().is_empty() {
                self.marked.clear();
            } else {
                self.filter = Input::default();
                self.refilter();
            }
            return Vec::new();
        };
        let left = std::mem::replace(&mut self.place, place);
        self.offset = 0;
        self.scroll = 0;
        let mut effects = Vec::new();
        if left == Place::Log {
            self.log = None;
            effects.push(Effect::Logs(None));
        }
        if self.place == Place::Board && !matches!(left, Place::Audit | Place::Links | Place::Help) {
            self.settle_cursor(None);
            effects.push(Effect::Focus(None));
        }
        effects
    }
}
