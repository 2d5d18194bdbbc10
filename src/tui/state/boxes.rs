//! Keys while a box is open.

use std::time::Instant;

use crossterm::event::{KeyCode, KeyEvent};

use super::{Effect, Popup, State};
use crate::actions::{Action, by_key};
use crate::domain::ids::TargetId;
use crate::domain::intent::{ActionId, Params};
use crate::model::World;
use crate::tui::confirm::{Confirm, Ground, Step};
use crate::tui::form::{Chosen, Form, Move};
use crate::tui::group::{self, Group};
use crate::tui::keys::{Command, Place};
use crate::tui::resume;
use crate::tui::rollback::{self, Rollback};

impl State {
    pub(super) fn popup_key(&mut self, key: KeyEvent, at: Instant, world: &World, ground: &Ground<'_>) -> Vec<Effect> {
        match &mut self.popup {
            Some(Popup::Confirm(confirm)) => match confirm.key(key, at, world, ground) {
                Step::Stay => Vec::new(),
                Step::Leave => self.close(world, ground),
                Step::Send(intent) => {
                    self.show_result(Popup::Outcome(intent.act.clone()));
                    vec![Effect::Act(intent)]
                }
            },
            Some(Popup::Group(group)) => match group.key(key, at, world, ground) {
                group::Step::Stay => Vec::new(),
                group::Step::Leave => self.close(world, ground),
                group::Step::Send(plan) => {
                    self.marked.clear();
                    self.show_result(Popup::Progress(plan.id.clone(), 0));
                    vec![Effect::Plan(plan)]
                }
            },
            Some(Popup::Rollback(plan)) => match plan.key(key, at, world, ground) {
                rollback::Step::Stay => Vec::new(),
                rollback::Step::Leave => self.close(world, ground),
                rollback::Step::Pick => self.pick_goal(world, ground),
                rollback::Step::Send(plan) => {
                    self.show_result(Popup::Progress(plan.id.clone(), 0));
                    vec![Effect::Plan(plan)]
                }
            },
            Some(Popup::Resume(resume)) => match resume.key(key, at, ground) {
                resume::Step::Stay => Vec::new(),
                resume::Step::Leave => self.close(world, ground),
                resume::Step::Send(plan) => {
                    self.show_result(Popup::Progress(plan.id.clone(), 0));
                    vec![Effect::Plan(plan)]
                }
            },
            Some(Popup::Palette(_)) => self.palette_key(key, world, ground),
            Some(Popup::Menu(_)) => self.menu_key(key, world, ground),
            Some(Popup::Form(form)) => match form.key(key, world, ground.now) {
                Move::Stay => Vec::new(),
                Move::Leave => self.close(world, ground),
                Move::Chosen(chosen) => {
                    let id = form.target.clone();
                    self.chosen(chosen, id)
                }
            },
            Some(Popup::Progress(_, scroll)) => {
                match key.code {
                    KeyCode::Down | KeyCode::Char('j') => *scroll += 1,
                    KeyCode::Up | KeyCode::Char('k') => *scroll = scroll.saturating_sub(1),
                    KeyCode::Esc | KeyCode::Char('q') => return self.close(world, ground),
                    _ if self.habit(key, at) => {}
                    KeyCode::Enter => return self.close(world, ground),
                    _ => {}
                }
                Vec::new()
            }
            Some(Popup::Outcome(act)) => {
                let act = act.clone();
                self.outcome_key(&act, key, at, world, ground)
            }
            None => Vec::new(),
        }
    }

    pub(super) fn close(&mut self, world: &World, ground: &Ground<'_>) -> Vec<Effect> {
        self.popup = None;
        self.take(world, ground);
        Vec::new()
    }

    /// Whether acts are for the marked targets rather than for the one under the cursor.
    pub(in crate::tui) fn acts_on_group(&self) -> bool {
        self.place == Place::Board && self.marks() > 0
    }

    fn menu_key(&mut self, key: KeyEvent, world: &World, ground: &Ground<'_>) -> Vec<Effect> {
        let letter = match (key.code, &mut self.popup) {
            (KeyCode::Esc, _) => return self.close(world, ground),
            (KeyCode::Down | KeyCode::PageDown, Some(Popup::Menu(scroll))) => {
                *scroll += if key.code == KeyCode::Down { 1 } else { 10 };
                return Vec::new();
            }
            (KeyCode::Up | KeyCode::PageUp, Some(Popup::Menu(scroll))) => {
                *scroll = scroll.saturating_sub(if key.code == KeyCode::Up { 1 } else { 10 });
                return Vec::new();
            }
            (KeyCode::Char(letter), _) if key.modifiers.is_empty() => letter,
            _ => return Vec::new(),
        };
        if letter == 'r' {
            return self.open_rollback(world, ground);
        }
        match by_key(letter) {
            Some(action) if self.acts_on_group() => self.open_group(action, world, ground),
            Some(action) => self.open_act(action, world, ground),
            None => Vec::new(),
        }
    }

    pub(super) fn open_group(&mut self, action: &'static Action, world: &World, ground: &Ground<'_>) -> Vec<Effect> {
        let targets = self.group();
        let group = Group::new(action, &targets, world, ground.now);
        let reads = group.wants().map(Effect::Read).collect();
        self.popup = Some(Popup::Group(Box::new(group)));
        reads
    }

    pub(super) fn open_act(&mut self, action: &'static Action, world: &World, ground: &Ground<'_>) -> Vec<Effect> {
        let Some(target) = self.selected.as_ref().and_then(|id| world.targets.get(id)) else { return Vec::new() };
        if let Err(why) = (action.applies)(&target.sight(), &Params::None) {
            self.notice = Some(format!("cannot {}: {why}", action.verb));
            return Vec::new();
        }
        let id = target.id().clone();
        match Form::for_act(action, target, ground.now) {
            Err(why) => {
                self.notice = Some(format!("cannot {}: {why}", action.verb));
                Vec::new()
            }
            Ok(Ok(params)) => self.chosen(Chosen::Act(action.id, params), id),
            Ok(Err(form)) => {
                self.popup = Some(Popup::Form(Box::new(form)));
                Vec::new()
            }
        }
    }

    pub(super) fn open_rollback(&mut self, world: &World, ground: &Ground<'_>) -> Vec<Effect> {
        if self.acts_on_group() {
            let group = Group::rollback(&self.group(), world, ground.now);
            let reads = group.wants().map(Effect::Read).collect();
            self.popup = Some(Popup::Group(Box::new(group)));
            return reads;
        }
        let Some(target) = self.selected.as_ref().and_then(|id| world.targets.get(id)) else { return Vec::new() };
        let id = target.id().clone();
        self.popup = Some(Popup::Rollback(Box::new(Rollback::new(id.clone(), None))));
        vec![Effect::Read(id)]
    }

    fn pick_goal(&mut self, world: &World, _: &Ground<'_>) -> Vec<Effect> {
        let Some(Popup::Rollback(plan)) = &self.popup else { return Vec::new() };
        let Some(target) = world.targets.get(&plan.target) else { return Vec::new() };
        match Form::for_rollback(target) {
            Ok(form) => self.popup = Some(Popup::Form(Box::new(form))),
            Err(why) => self.notice = Some(why),
        }
        Vec::new()
    }

    /// What was chosen is confirmed next, on the target as it is read now.
    fn chosen(&mut self, chosen: Chosen, id: TargetId) -> Vec<Effect> {
        self.popup = Some(match chosen {
            Chosen::Act(action, params) => Popup::Confirm(Box::new(Confirm::new(action, params, id.clone()))),
            Chosen::Goal(goal) => Popup::Rollback(Box::new(Rollback::new(id.clone(), Some(goal)))),
        });
        vec![Effect::Read(id)]
    }

    /// The one chord: straight to the confirmation of an abort.
    pub(super) fn abort_chord(&mut self, key: KeyEvent, world: &World, ground: &Ground<'_>) -> Option<Vec<Effect>> {
        let chord = self.keys.command(self.place, key) == Some(Command::Abort);
        let here = matches!(self.popup, None | Some(Popup::Menu(_))) && !self.typing();
        if !chord || !here {
            return None;
        }
        let abort = crate::actions::row(ActionId::Abort);
        Some(if self.acts_on_group() {
            self.open_group(abort, world, ground)
        } else {
            self.open_act(abort, world, ground)
        })
    }
}
