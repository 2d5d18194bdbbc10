//! The confirmation: what will be sent, on what was read just now, and the keys that count.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};
use jiff::Timestamp;
use tui_input::Input;
use tui_input::backend::crossterm::EventHandler as _;

use crate::actions::{Consequence, row};
use crate::domain::decision::{Confirmation, Decision};
use crate::domain::ids::TargetId;
use crate::domain::intent::{ActionId, Actor, Confirmed, Intent, Params};
use crate::domain::rollout::Rollout;
use crate::domain::seen::Seen;
use crate::domain::text::Clean;
use crate::model::settle::newer;
use crate::model::{Target, World, query};
use crate::policy::{self, Mandate};
use crate::runtime::handle::Handle;

/// Keys count only when the box has been on the screen for this long: what was typed for something else does not.
pub(super) const DEAF: Duration = Duration::from_millis(400);

/// The longest reason.
const LONGEST_REASON: usize = 500;

/// Where typed text goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Confirmation,
    Reason,
}

/// How far the box is.
#[derive(Clone, Debug)]
pub(super) enum Stage {
    /// The target is being read afresh.
    Reading,
    /// It could not be read, or is gone.
    Failed(String),
    /// It can be confirmed, or the policy says why not.
    Ready(Box<Ready>),
}

/// What stands in a box that can be confirmed.
#[derive(Clone, Debug)]
pub(super) struct Ready {
    pub rollout: Arc<Rollout>,
    pub seen: Seen,
    pub decision: Decision,
    pub consequence: Consequence,
}

/// The box.
#[derive(Clone, Debug)]
pub(super) struct Confirm {
    pub action: ActionId,
    pub params: Params,
    pub target: TargetId,
    pub stage: Stage,
    pub typed: Input,
    pub reason: Input,
    pub field: Field,
    /// What changed while the box was open, or why the last key did nothing.
    pub notice: Option<String>,
    /// When this content first stood on the screen.
    drawn: Option<Instant>,
}

/// What a key led to.
#[derive(Debug)]
pub(super) enum Step {
    Stay,
    Leave,
    Send(Box<Intent>),
}

impl Confirm {
    pub(super) fn new(action: ActionId, target: TargetId) -> Self {
        Self {
            action,
            params: Params::None,
            target,
            stage: Stage::Reading,
            typed: Input::default(),
            reason: Input::default(),
            field: Field::Confirmation,
            notice: None,
            drawn: None,
        }
    }

    /// The content stands on the screen since `at`.
    pub(super) fn drawn(&mut self, at: Instant) {
        if matches!(self.stage, Stage::Ready(_)) {
            self.drawn.get_or_insert(at);
        }
    }

    /// Whether keys count.
    pub(super) fn listens(&self, at: Instant) -> bool {
        self.drawn.is_some_and(|drawn| at.saturating_duration_since(drawn) >= DEAF)
    }

    /// When keys begin to count.
    pub(super) fn listens_from(&self) -> Option<Instant> {
        self.drawn.map(|drawn| drawn + DEAF)
    }

    /// The fresh read has come.
    pub(super) fn read(&mut self, answer: Result<Option<Arc<Rollout>>, String>, world: &World, ground: &Ground<'_>) {
        match answer {
            Ok(Some(rollout)) => self.show(rollout, world, ground),
            Ok(None) => self.stage = Stage::Failed("the rollout is gone".to_owned()),
            Err(why) => self.stage = Stage::Failed(format!("it could not be read afresh: {why}")),
        }
    }

    fn show(&mut self, rollout: Arc<Rollout>, world: &World, ground: &Ground<'_>) {
        let Some(target) = world.targets.get(&self.target) else {
            self.stage = Stage::Failed("the rollout is gone".to_owned());
            return;
        };
        let seen = Seen::of(&rollout, ground.now);
        let intent = self.intent(target, seen.clone(), Confirmed::No, (ground.actor)());
        let facts = query::facts(world, target, &rollout, self.action, &self.params, None);
        let mut decision = policy::decide(&intent, &facts, ground.mandate, ground.now);
        // The reason can still be typed here: control asks for it again.
        if matches!(&decision, Decision::Deny { rule: "reason", .. }) {
            let excused = Intent { reason: Some("to be typed".into()), ..intent };
            decision = policy::decide(&excused, &facts, ground.mandate, ground.now);
            self.field = Field::Reason;
        }
        let consequence = (row(self.action).consequence)(&target.sight_of(&rollout), &self.params);
        self.stage = Stage::Ready(Box::new(Ready { rollout, seen, decision, consequence }));
        self.typed = Input::default();
        self.drawn = None;
    }

    /// A new snapshot: what was read may no longer be what is.
    pub(super) fn take(&mut self, world: &World, ground: &Ground<'_>) {
        let Stage::Ready(ready) = &self.stage else { return };
        let Some(target) = world.targets.get(&self.target) else {
            if query::complete(world) {
                self.stage = Stage::Failed("the rollout is gone".to_owned());
            }
            return;
        };
        let now = target.rollout.clone();
        if !newer(now.resource_version.as_str(), ready.seen.resource_version.as_str()) {
            self.judge_again(world, ground);
            return;
        }
        let changed = ready.seen.differences(&now, self.action.care());
        if changed.is_empty() {
            self.judge_again(world, ground);
            return;
        }
        let said: Vec<String> = changed.iter().map(ToString::to_string).collect();
        self.notice = Some(format!("changed just now: {}", said.join("; ")));
        self.show(now, world, ground);
    }

    /// The object is the same, but a link or the audit log may have changed what the policy says.
    fn judge_again(&mut self, world: &World, ground: &Ground<'_>) {
        let (Stage::Ready(ready), Some(target)) = (&self.stage, world.targets.get(&self.target)) else { return };
        let reason = Some(Clean::from("to be typed"));
        let intent = Intent { reason, ..self.intent(target, ready.seen.clone(), Confirmed::No, (ground.actor)()) };
        let facts = query::facts(world, target, &ready.rollout, self.action, &self.params, None);
        let decision = policy::decide(&intent, &facts, ground.mandate, ground.now);
        if decision != ready.decision {
            let rollout = ready.rollout.clone();
            self.show(rollout, world, ground);
        }
    }

    fn intent(&self, target: &Target, seen: Seen, confirmed: Confirmed, actor: Actor) -> Intent {
        let reason = self.reason.value().trim();
        Intent {
            act: Handle::new_act(),
            action: self.action,
            params: self.params.clone(),
            plan: None,
            target: self.target.clone(),
            context: target.context.clone(),
            seen,
            actor,
            reason: (!reason.is_empty()).then(|| Clean::new(reason)),
            confirmed,
        }
    }

    /// Pasted text may be a reason; it never confirms.
    pub(super) fn paste(&mut self, text: &str, at: Instant) {
        if self.field == Field::Reason && self.listens(at) {
            for c in Clean::new(text).as_str().chars().take(LONGEST_REASON) {
                self.reason.handle(tui_input::InputRequest::InsertChar(c));
            }
        } else {
            self.notice = Some("pasted text does not confirm: type it".to_owned());
        }
    }

    pub(super) fn key(&mut self, key: KeyEvent, at: Instant, world: &World, ground: &Ground<'_>) -> Step {
        if key.code == KeyCode::Esc {
            return Step::Leave;
        }
        let Stage::Ready(ready) = &self.stage else { return Step::Stay };
        let asked = match &ready.decision {
            Decision::Confirm(asked) => asked.clone(),
            Decision::Allow => Confirmation::Press,
            Decision::Deny { .. } => return Step::Stay,
        };
        if !self.listens(at) {
            return Step::Stay;
        }
        self.notice = None;
        match (key.code, self.field) {
            (KeyCode::Tab | KeyCode::BackTab | KeyCode::Down | KeyCode::Up, field) => {
                self.field = if field == Field::Reason { Field::Confirmation } else { Field::Reason };
            }
            (KeyCode::Enter, Field::Reason) => self.field = Field::Confirmation,
            (_, Field::Reason) => {
                if self.reason.value().chars().count() < LONGEST_REASON || !matches!(key.code, KeyCode::Char(_)) {
                    self.reason.handle_event(&Event::Key(key));
                }
            }
            (KeyCode::Char('y'), Field::Confirmation) if asked == Confirmation::Press && plain(key) => {
                return self.send(Confirmed::Pressed, world, ground);
            }
            (KeyCode::Char('y'), Field::Confirmation)
                if matches!(asked, Confirmation::WithoutRecord { .. }) && plain(key) =>
            {
                return self.send(Confirmed::WithoutRecord, world, ground);
            }
            (KeyCode::Enter, Field::Confirmation) => match asked {
                Confirmation::Type { text } if self.typed.value() == text => {
                    return self.send(Confirmed::Typed, world, ground);
                }
                Confirmation::Type { text } => {
                    self.notice = Some(if self.typed.value().is_empty() {
                        format!("type {text} first")
                    } else {
                        format!("that is not {text}")
                    });
                    self.typed = Input::default();
                }
                Confirmation::Press | Confirmation::WithoutRecord { .. } => {
                    self.notice = Some("press y to go on, esc to leave it".to_owned());
                }
            },
            (_, Field::Confirmation) => {
                if matches!(asked, Confirmation::Type { .. }) {
                    self.typed.handle_event(&Event::Key(key));
                }
            }
        }
        Step::Stay
    }

    fn send(&mut self, confirmed: Confirmed, world: &World, ground: &Ground<'_>) -> Step {
        let Stage::Ready(ready) = &self.stage else { return Step::Stay };
        let Some(target) = world.targets.get(&self.target) else { return Step::Stay };
        if ground.mandate.reason_in_production && self.reason.value().trim().is_empty() {
            let intent = self.intent(target, ready.seen.clone(), confirmed.clone(), (ground.actor)());
            let facts = query::facts(world, target, &ready.rollout, self.action, &self.params, None);
            if let Decision::Deny { why, .. } = policy::decide(&intent, &facts, ground.mandate, ground.now) {
                self.notice = Some(why);
                self.field = Field::Reason;
                return Step::Stay;
            }
        }
        Step::Send(Box::new(self.intent(target, ready.seen.clone(), confirmed, (ground.actor)())))
    }
}

fn plain(key: KeyEvent) -> bool {
    key.modifiers.difference(KeyModifiers::SHIFT).is_empty()
}

/// What a decision needs besides the world.
pub(super) struct Ground<'a> {
    pub mandate: &'a Mandate,
    pub actor: &'a dyn Fn() -> Actor,
    pub now: Timestamp,
}
