//! What the person looks at: screens, cursor, boxes. Pure: every key, answer and snapshot comes with its time.

mod audit;
mod boxes;
mod commands;
mod copy;
mod cursor;
pub(super) mod guard;
mod jumps;
mod looks;
mod mouse;
mod outcome;
mod suggest;
mod types;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use crossterm::event::{Event, KeyEvent, KeyEventKind, KeyModifiers, MouseEventKind};
use ratatui::layout::Rect;

pub(super) use looks::{Look, Past};
pub(super) use types::{Answer, Effect, Loaded, Popup, RecordLine};

use super::audit::AuditPane;
use super::board::Board;
use super::columns::Columns;
use super::confirm::Ground;
use super::filter_line::{FilterLine, Typed};
use super::find::Painted;
use super::keymap::Keymap;
use super::keys::{Command, Place};
use super::log::Log;
use super::palette::History;
use super::prompt::Prompt;
use super::tail::Tail;
use super::text::Text;
use crate::config::Face;
use crate::domain::ids::TargetId;
use crate::model::World;
use crate::model::filter::Filter;
use crate::model::sort::Sort;
use guard::Leaving;
use jumps::Spot;

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
    pub filter: FilterLine,
    /// The keys as they are configured.
    pub keys: Arc<Keymap>,
    /// The board's columns as they are configured.
    pub columns: Columns,
    pub popup: Option<Popup>,
    pub audit: AuditPane,
    /// The number of the newest record that was read.
    pub newest_record: u64,
    pub log: Option<Log>,
    pub text: Option<Text>,
    pub past: Past,
    /// What is looked for on the other screens that are text.
    pub painted: Painted,
    /// The audit records about the open target.
    records: Option<(TargetId, Loaded<Vec<RecordLine>>)>,
    /// One line that answers a key which did nothing else.
    pub notice: Option<String>,
    /// Unfinished plans that the person does not want to be told of any more.
    pub dismissed: Arc<BTreeSet<String>>,
    tail: Tail,
    /// Whether the window is too small to see what a key does, as far as is known.
    cramped: bool,
    /// When the last key came, and when one first asked to leave.
    heard: Option<Instant>,
    leaving: Option<Leaving>,
    /// When the result that is open first stood on the screen, and when a key came that does not close it.
    result_since: Option<Instant>,
    habit_at: Option<Instant>,
    /// Whether the keys of this moment came all at once.
    crowded: bool,
    /// Where the person was before, the latest last.
    spots: Vec<Spot>,
    /// What was run from the palette.
    history: History,
    /// Whether a person did anything yet.
    touched: bool,
    /// The target that was selected for a person who chose none.
    followed: Option<TargetId>,
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
            filter: FilterLine::default(),
            keys: Arc::default(),
            columns: Columns::default(),
            popup: None,
            records: None,
            log: None,
            text: None,
            past: Past::default(),
            painted: Painted::default(),
            audit: AuditPane::new(),
            newest_record: 0,
            notice: None,
            dismissed: Arc::default(),
            tail: Tail::default(),
            cramped: false,
            heard: None,
            leaving: None,
            result_since: None,
            habit_at: None,
            crowded: false,
            spots: Vec::new(),
            history: History::default(),
            touched: false,
            followed: None,
            page: 1,
            list: Rect::default(),
            lines: 0,
        }
    }

    /// As the configuration wants it. Errors name the fix.
    pub(super) fn configured(face: &Face) -> Result<Self, String> {
        let mut state = Self::new();
        state.configure(face)?;
        if let Some(sort) = &face.ui.sort {
            state.board.set_sort(Sort::parse(sort).map_err(|why| format!("ui.sort: {why}"))?);
        }
        Ok(state)
    }

    /// Takes keys and columns of another configuration; a bad one leaves them as they are. How rows are sorted is the
    /// person's by now.
    pub(super) fn configure(&mut self, face: &Face) -> Result<(), String> {
        let keys = Keymap::configured(&face.keys)?;
        self.columns = Columns::configured(&face.ui.columns)?;
        self.keys = Arc::new(keys);
        Ok(())
    }

    /// A new snapshot. While a box is open the rows stay where they are. Returns whether the targets look different now.
    pub(super) fn take(&mut self, world: &World, ground: &Ground<'_>) -> bool {
        match &mut self.popup {
            Some(Popup::Confirm(confirm)) => confirm.take(world, ground),
            Some(Popup::Group(group)) => group.take(world, ground),
            Some(Popup::Rollback(plan)) => plan.take(world, ground),
            Some(Popup::Resume(resume)) => resume.take(world),
            _ => {}
        }
        if self.popup.is_none() {
            let mut looks_different = self.board.take(world, ground.now, self.offset, self.page);
            if !self.touched && self.selected == self.followed {
                // Nobody has chosen anything yet: lists and error rates still move what is first.
                let first = self.board.rows().next().cloned();
                looks_different = looks_different || first != self.followed;
                self.selected.clone_from(&first);
                self.followed = first;
            }
            self.settle_cursor(None);
            return looks_different || self.place != Place::Board;
        }
        true
    }

    /// The screen stands since `at`.
    pub(super) fn drawn(&mut self, at: Instant) {
        if self.cramped {
            return;
        }
        match &mut self.popup {
            Some(Popup::Confirm(confirm)) => confirm.drawn(at),
            Some(Popup::Group(group)) => group.drawn(at),
            Some(Popup::Rollback(plan)) => plan.drawn(at),
            Some(Popup::Resume(resume)) => resume.drawn(at),
            Some(Popup::Outcome(_) | Popup::Progress(..)) => {
                self.result_since.get_or_insert(at);
            }
            _ => {}
        }
    }

    /// It is `at` now: what is said for a moment goes.
    pub(super) fn tick(&mut self, at: Instant) {
        if let Some(prompt) = self.prompt() {
            prompt.look(at);
        }
        self.forget_leaving(at);
    }

    /// When the screen changes by itself.
    pub(super) fn wakes(&mut self, at: Instant) -> Option<Instant> {
        let listens = self.prompt().and_then(|prompt| prompt.listens_from());
        [listens, self.asks_until()].into_iter().flatten().filter(|then| *then > at).min()
    }

    /// Whether the keys that come next came all at once.
    pub(super) fn crowd(&mut self, crowded: bool) {
        self.crowded = crowded;
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
            Some(Popup::Resume(resume)) => Some(&mut resume.prompt),
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
            Answer::Audit(about, records) => self.take_records(about.as_ref(), records),
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
        self.touched = self.touched || by_a_person(event);
        match event {
            Event::Key(key) if key.kind != KeyEventKind::Release => {
                if self.tail.swallows(*key, at) {
                    Vec::new()
                } else {
                    self.key(*key, at, world, ground)
                }
            }
            Event::Paste(_) | Event::Mouse(_) if self.cramped => Vec::new(),
            Event::Paste(text) => {
                self.paste(text, at, world);
                Vec::new()
            }
            Event::Mouse(mouse) => self.mouse(*mouse, world),
            // Keys that were on their way to another window, or to what stood there before, are not for the box.
            Event::Resize(width, height) => {
                self.resized(*width, *height);
                Vec::new()
            }
            Event::FocusGained => {
                self.unseen();
                Vec::new()
            }
            Event::FocusLost | Event::Key(_) => Vec::new(),
        }
    }

    fn paste(&mut self, text: &str, at: Instant, world: &World) {
        match &mut self.popup {
            Some(Popup::Confirm(confirm)) => confirm.prompt.paste(text, at),
            Some(Popup::Group(group)) => group.prompt.paste(text, at),
            Some(Popup::Rollback(plan)) => plan.prompt.paste(text, at),
            Some(Popup::Resume(resume)) => resume.prompt.paste(text, at),
            Some(Popup::Form(form)) => form.paste(text),
            Some(Popup::Palette(palette)) => {
                palette.paste(text);
                self.suggest(world);
            }
            None if self.filter.open && self.place == Place::Board => {
                self.filter.paste(text);
                self.refilter();
            }
            None if self.audit.filter.open && self.place == Place::Audit => {
                self.audit.filter.paste(text);
                self.audit.refilter();
            }
            _ => self.notice = Some("pasted text does nothing here".to_owned()),
        }
    }

    fn key(&mut self, key: KeyEvent, at: Instant, world: &World, ground: &Ground<'_>) -> Vec<Effect> {
        self.notice = None;
        self.heard = Some(at);
        if self.cramped {
            return self.cramped_key(key, world);
        }
        if key.modifiers.contains(KeyModifiers::CONTROL) {
            match self.keys.command(self.place, key) {
                Some(Command::Quit) => return self.quit(world),
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
        if self.filter.open && self.place == Place::Board {
            if self.filter.key(key) == Typed::Changed {
                self.refilter();
            }
            return Vec::new();
        }
        if self.audit.filter.open && self.place == Place::Audit {
            if self.audit.filter.key(key) == Typed::Changed {
                self.audit.refilter();
            }
            return Vec::new();
        }
        if self.finding() {
            self.find_key(key);
            return Vec::new();
        }
        match self.keys.command(self.place, key) {
            Some(Command::Quit) => self.quit_by_key(key, world),
            Some(command) => {
                self.leaving = None;
                self.command(command, world)
            }
            None => {
                let acts = matches!(self.keys.command(Place::Board, key), Some(Command::Act | Command::Abort));
                if acts {
                    self.notice = Some("no target stands on this screen: nothing to act on".to_owned());
                }
                Vec::new()
            }
        }
    }

    /// What was typed on the board has changed.
    fn refilter(&mut self) {
        let (filter, wrong) = Filter::so_far(self.filter.value());
        self.filter.error = wrong;
        self.board.set_filter(filter);
        self.offset = 0;
        self.settle_cursor(Some(0));
    }

    /// Shows only what has these words.
    fn filter_by(&mut self, text: &str) {
        self.filter.set(text);
        self.refilter();
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
            Command::Open if self.place == Place::Audit => self.audit.open = self.audit.selected().is_some(),
            Command::Open => return self.open_target(),
            Command::Act if self.selected.is_some() => self.popup = Some(Popup::Menu(0)),
            Command::Mark => self.mark(world),
            Command::MarkAll => self.mark_all(),
            Command::GoOn => self.go_on(None, world),
            Command::Plan => match world.plans.back() {
                Some(run) => self.show_result(Popup::Progress(run.plan.id.clone(), 0)),
                None => self.notice = Some("no plan was made from here".to_owned()),
            },
            Command::Act => self.notice = Some("there is nothing to act on".to_owned()),
            Command::Filter if self.place == Place::Audit => {
                self.audit.open = false;
                self.audit.filter.open = true;
            }
            Command::Filter => self.filter.open = true,
            Command::Sort => self.sort_by(self.board.sort().next()),
            Command::Palette => self.open_palette(world),
            Command::Copy => return self.copy(None, world),
            Command::Audit => {
                let about = self.selected.clone().filter(|_| self.place == Place::Target);
                return self.open_audit(about);
            }
            Command::SameAct | Command::SamePlan | Command::ToTarget => return self.leads_on(command, world),
            Command::JumpBack => return self.jump_back(world),
            Command::Verify => {
                self.audit.verified = Some(Loaded::Waiting);
                return vec![Effect::Verify];
            }
            Command::Links => self.go(Place::Links),
            Command::Help => self.go(Place::Help),
            Command::Back => return self.back(),
            Command::Quit => return self.quit(world),
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
            self.leave();
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
        if self.place == Place::Audit && self.audit.filter.active() {
            self.audit.only("");
            return Vec::new();
        }
        if let Some(find) = self.find().filter(|find| find.active()) {
            find.clear();
            return Vec::new();
        }
        if self.back.is_empty() {
            if self.filter.active() {
                self.filter_by("");
            } else {
                self.marked.clear();
            }
            return Vec::new();
        }
        self.leave();
        let place = self.back.pop().unwrap_or(Place::Board);
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

/// Whether somebody did something: a moved mouse or another size is nothing.
fn by_a_person(event: &Event) -> bool {
    match event {
        Event::Key(key) => key.kind != KeyEventKind::Release,
        Event::Mouse(mouse) => mouse.kind != MouseEventKind::Moved,
        Event::Paste(_) => true,
        Event::Resize(..) | Event::FocusGained | Event::FocusLost => false,
    }
}
