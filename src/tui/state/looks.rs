//! Screens that look closer at one target: its log, its YAML, what happened, its revisions and how they differ.

use crossterm::event::{Event, KeyCode, KeyEvent};
use tui_input::backend::crossterm::EventHandler as _;

use super::{Effect, Loaded, State};
use crate::domain::ids::TargetId;
use crate::domain::text::Clean;
use crate::model::{Target, World};
use crate::runtime::handle::{LogLine, Revision, RevisionName, TemplateDiff, What, YamlOf};
use crate::tui::find::Find;
use crate::tui::keys::{Command, Place};
use crate::tui::log::Log;
use crate::tui::text::{Source, Text};

/// The revisions of a target: the cursor by hash, and their former numbers.
#[derive(Debug, Default)]
pub(in crate::tui) struct Past {
    pub cursor: Option<Clean>,
    pub answer: Option<Loaded<Vec<Revision>>>,
    /// The hashes of the rows, as they were drawn last.
    pub rows: Vec<Clean>,
}

/// What came back for one of these screens.
#[derive(Debug)]
pub(in crate::tui) enum Look {
    Yaml(YamlOf, Result<Vec<Clean>, String>),
    Diff(TargetId, Clean, Result<TemplateDiff, String>),
    Revisions(TargetId, Result<Vec<Revision>, String>),
}

/// Where a command does not apply.
const NOTHING: Vec<Effect> = Vec::new();

impl State {
    /// Commands of these screens; `None` = it is none of them.
    pub(super) fn look(&mut self, command: Command, world: &World) -> Option<Vec<Effect>> {
        let effects = match command {
            Command::Logs => self.open_log(world),
            Command::Yaml => self.open_yaml(world),
            Command::Diff => self.open_diff(world),
            Command::Events => self.open_events(),
            Command::History => self.open_history(),
            Command::Find => {
                if let Some(find) = self.find() {
                    // As in less and vim: what was looked for before is not gone on with.
                    find.clear();
                    find.open = true;
                }
                NOTHING
            }
            Command::FindNext | Command::FindBack => {
                self.find_next(command == Command::FindNext);
                NOTHING
            }
            Command::Wrap if self.place == Place::Text => {
                if let Some(text) = &mut self.text {
                    text.wrap = !text.wrap;
                }
                NOTHING
            }
            Command::Follow | Command::Previous | Command::Wrap | Command::Whose | Command::Container => {
                self.change_log(command, world)
            }
            Command::Managed | Command::Object => self.change_yaml(command, world),
            _ => return None,
        };
        Some(effects)
    }

    fn target<'a>(&self, world: &'a World) -> Option<&'a Target> {
        self.selected.as_ref().and_then(|id| world.targets.get(id)).map(AsRef::as_ref)
    }

    /// What is opened from the board watches the target as if it were open.
    fn focus(&mut self, id: &TargetId, place: Place) -> Vec<Effect> {
        let from_board = self.place == Place::Board;
        self.go(place);
        if from_board { vec![Effect::Focus(Some(id.clone()))] } else { NOTHING }
    }

    fn open_log(&mut self, world: &World) -> Vec<Effect> {
        let Some(target) = self.target(world) else { return NOTHING };
        let log = Log::of(target);
        let mut effects = self.focus(target.id(), Place::Log);
        effects.push(Effect::Logs(Some(Box::new(log.query()))));
        self.log = Some(log);
        effects
    }

    fn change_log(&mut self, command: Command, world: &World) -> Vec<Effect> {
        let target = self.target(world);
        let (Some(log), page) = (&mut self.log, self.page) else { return NOTHING };
        match (command, target) {
            (Command::Follow, _) if log.follow => {
                log.follow = false;
                log.top = log.lines.len().saturating_sub(page);
                return NOTHING;
            }
            (Command::Follow, _) => {
                log.follow = true;
                return NOTHING;
            }
            (Command::Wrap, _) => {
                log.wrap = !log.wrap;
                return NOTHING;
            }
            (Command::Previous, _) => log.previous = !log.previous,
            (Command::Whose, Some(target)) => log.next_pods(target),
            (Command::Container, Some(target)) => log.next_container(target),
            _ => return NOTHING,
        }
        log.begin();
        vec![Effect::Logs(Some(Box::new(log.query())))]
    }

    /// Lines of the log that is on the screen.
    pub(in crate::tui) fn log_lines(&mut self, lines: Vec<LogLine>) {
        if let Some(log) = &mut self.log {
            log.take(lines);
        }
    }

    pub(in crate::tui) fn log_ended(&mut self) {
        if let Some(log) = &mut self.log {
            log.ended = true;
        }
    }

    fn open_yaml(&mut self, world: &World) -> Vec<Effect> {
        let Some(target) = self.target(world) else { return NOTHING };
        let what = match (self.place, &self.past.cursor) {
            (Place::History, Some(hash)) => What::ReplicaSet(RevisionName::Hash(hash.clone())),
            _ => What::Rollout,
        };
        self.open_text(target, Text::yaml(target.id().clone(), what))
    }

    fn open_diff(&mut self, world: &World) -> Vec<Effect> {
        let Some(target) = self.target(world) else { return NOTHING };
        let text = match (self.place, &self.past.cursor) {
            (Place::History, Some(hash)) if *hash == target.rollout.pod_hash => {
                Err("that is the version in the spec: choose another to compare it with".to_owned())
            }
            (Place::History, Some(hash)) => Ok(Text::diff_from(target.id().clone(), hash.clone())),
            _ => Text::diff(target),
        };
        match text {
            Ok(text) => self.open_text(target, text),
            Err(why) => {
                self.notice = Some(why);
                NOTHING
            }
        }
    }

    fn open_text(&mut self, target: &Target, text: Text) -> Vec<Effect> {
        let mut effects = self.focus(target.id(), Place::Text);
        effects.extend(ask(&text));
        self.text = Some(text);
        effects
    }

    fn change_yaml(&mut self, command: Command, world: &World) -> Vec<Effect> {
        let target = self.target(world);
        let Some(text) = &mut self.text else { return NOTHING };
        match (command, target) {
            (Command::Managed, _) => text.toggle_managed(),
            (Command::Object, Some(target)) => text.next_object(target),
            _ => return NOTHING,
        }
        self.scroll = 0;
        ask(text).into_iter().collect()
    }

    fn open_events(&mut self) -> Vec<Effect> {
        let Some(id) = self.selected.clone() else { return NOTHING };
        let mut effects = self.focus(&id, Place::Events);
        effects.push(Effect::Records(id));
        effects
    }

    fn open_history(&mut self) -> Vec<Effect> {
        let Some(id) = self.selected.clone() else { return NOTHING };
        let mut effects = self.focus(&id, Place::History);
        self.past = Past { answer: Some(Loaded::Waiting), ..Past::default() };
        effects.push(Effect::Revisions(id));
        effects
    }

    /// The cursor of the revisions moves.
    pub(super) fn step_past(&mut self, by: isize, world: &World) {
        let Some(target) = self.target(world) else { return };
        let at = target.sets.iter().position(|set| Some(&set.pod_hash) == self.past.cursor.as_ref()).unwrap_or(0);
        let to = at.saturating_add_signed(by).min(target.sets.len().saturating_sub(1));
        self.past.cursor = target.sets.get(to).map(|set| set.pod_hash.clone());
    }

    pub(in crate::tui) fn looked(&mut self, look: Look) {
        match look {
            Look::Yaml(of, answer) => {
                if let Some(text) = &mut self.text {
                    text.take_yaml(&of, answer);
                }
            }
            Look::Diff(target, from, answer) => {
                if let Some(text) = &mut self.text {
                    text.take_diff(&target, &from, answer);
                }
            }
            Look::Revisions(target, answer) if self.selected.as_ref() == Some(&target) => {
                self.past.answer = Some(answer.map_or_else(Loaded::Failed, Loaded::Here));
            }
            Look::Revisions(..) => {}
        }
    }

    /// What is looked for on the screen that is open.
    pub(in crate::tui) fn find(&mut self) -> Option<&mut Find> {
        match self.place {
            Place::Log => self.log.as_mut().map(|log| &mut log.find),
            Place::Text => self.text.as_mut().map(|text| &mut text.find),
            Place::Events | Place::History | Place::Links | Place::Help => Some(&mut self.painted.find),
            Place::Board | Place::Target | Place::Audit => None,
        }
    }

    /// Whether keys go into what is looked for.
    pub(super) fn finding(&mut self) -> bool {
        self.find().is_some_and(|find| find.open)
    }

    pub(super) fn find_key(&mut self, key: KeyEvent) {
        let Some(find) = self.find() else { return };
        match key.code {
            KeyCode::Esc => find.clear(),
            KeyCode::Enter | KeyCode::Down | KeyCode::Up => {
                find.open = false;
                self.find_next(key.code != KeyCode::Up);
            }
            _ => {
                find.input.handle_event(&Event::Key(key));
                find.changed();
            }
        }
    }

    fn find_next(&mut self, forward: bool) {
        let page = self.page;
        let found = match self.place {
            Place::Log => self.log.as_mut().is_some_and(|log| log.find_next(forward, page)),
            Place::Text => {
                let found = self.text.as_mut().and_then(|text| text.find_next(self.scroll, page, forward));
                if let Some(found) = found {
                    self.scroll = found;
                }
                found.is_some()
            }
            Place::History => {
                let at = self.past.rows.iter().position(|row| Some(row) == self.past.cursor.as_ref()).unwrap_or(0);
                let found = self.painted.next(at, forward);
                if let Some(row) = found.and_then(|found| self.past.rows.get(found)) {
                    self.past.cursor = Some(row.clone());
                }
                found.is_some()
            }
            Place::Events | Place::Links | Place::Help => {
                let found = self.painted.next(self.painted.find.from(self.scroll, page), forward);
                self.scroll = found.unwrap_or(self.scroll);
                found.is_some()
            }
            Place::Board | Place::Target | Place::Audit => true,
        };
        // Logs and documents count in their first line; the other screens have none to spare.
        let counted = !matches!(self.place, Place::Log | Place::Text);
        let Some(find) = self.find() else { return };
        if found {
            let count = find.count().filter(|_| counted);
            self.notice = count.or_else(|| self.notice.take());
        } else {
            let text = find.input.value().to_owned();
            self.notice = Some(if text.is_empty() {
                "nothing is looked for: / begins".to_owned()
            } else {
                format!("{text:?} is not there")
            });
        }
    }
}

fn ask(text: &Text) -> Option<Effect> {
    match &text.source {
        Source::Yaml { .. } => text.query().map(|of| Effect::Yaml(Box::new(of))),
        Source::Diff { from, .. } => Some(Effect::Diff(text.target.clone(), from.clone())),
    }
}
