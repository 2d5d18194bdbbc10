//! The confirmation: what will be sent, on what was read just now, and the keys that count.

use std::sync::Arc;
use std::time::Instant;

use crossterm::event::{KeyCode, KeyEvent};
use jiff::Timestamp;

use super::prompt::{Field, Prompt};
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
    /// Rights that the server says this user lacks; it may still be tried.
    pub missing: Vec<&'static str>,
}

/// The box.
#[derive(Clone, Debug)]
pub(super) struct Confirm {
    pub action: ActionId,
    pub params: Params,
    pub target: TargetId,
    pub stage: Stage,
    pub prompt: Prompt,
}

/// What a key led to.
#[derive(Debug)]
pub(super) enum Step {
    Stay,
    Leave,
    Send(Box<Intent>),
}

impl Confirm {
    pub(super) fn new(action: ActionId, params: Params, target: TargetId) -> Self {
        Self { action, params, target, stage: Stage::Reading, prompt: Prompt::default() }
    }

    /// The content stands on the screen since `at`.
    pub(super) fn drawn(&mut self, at: Instant) {
        if matches!(self.stage, Stage::Ready(_)) {
            self.prompt.drawn(at);
        }
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
        let first = matches!(self.stage, Stage::Reading);
        let (ready, needed) = self.judge(target, rollout, seen, world, ground);
        self.prompt.reason_needed = needed;
        if needed && (first || self.prompt.reason().is_none()) {
            self.prompt.field = Field::Reason;
        }
        self.stage = Stage::Ready(Box::new(ready));
        self.prompt.renew();
    }

    /// A mark without its reason tells the next one nothing.
    fn needs_reason(&self) -> bool {
        self.action == ActionId::Forbid
    }

    /// What the policy says to it, and whether it is refused without a reason.
    fn judge(
        &self,
        target: &Target,
        rollout: Arc<Rollout>,
        seen: Seen,
        world: &World,
        ground: &Ground<'_>,
    ) -> (Ready, bool) {
        let intent = self.intent(target, seen.clone(), Confirmed::No, (ground.actor)());
        let intent = Intent { reason: None, ..intent };
        let facts = query::facts(world, target, &rollout, self.action, &self.params, None);
        let mut decision = policy::decide(&intent, &facts, ground.mandate, ground.now);
        // The reason can still be typed here: control asks for it again.
        let asked_for = matches!(&decision, Decision::Deny { rule: "reason", .. });
        if asked_for {
            let excused = Intent { reason: Some(Clean::from("to be typed")), ..intent };
            decision = policy::decide(&excused, &facts, ground.mandate, ground.now);
        }
        let consequence = (row(self.action).consequence)(&target.sight_of(&rollout), &self.params);
        let missing = facts.missing_rights.iter().map(|right| right.words()).collect();
        (Ready { rollout, seen, decision, consequence, missing }, asked_for || self.needs_reason())
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
            let rollout = ready.rollout.clone();
            self.refresh(rollout, world, ground);
            return;
        }
        let changed = ready.seen.differences(&now, self.action.care());
        if changed.is_empty() {
            self.refresh(now, world, ground);
            return;
        }
        let said: Vec<String> = changed.iter().map(ToString::to_string).collect();
        self.prompt.notice = Some(format!("changed just now: {}", said.join("; ")));
        self.show(now, world, ground);
    }

    /// Nothing changed that the act rests on: the box says what is true now and stays open to keys, unless a link, a mark
    /// or the audit log changed what the policy says.
    fn refresh(&mut self, rollout: Arc<Rollout>, world: &World, ground: &Ground<'_>) {
        let (Stage::Ready(ready), Some(target)) = (&self.stage, world.targets.get(&self.target)) else { return };
        let seen = Seen { read_at: ready.seen.read_at, ..Seen::of(&rollout, ground.now) };
        let (judged, needed) = self.judge(target, rollout.clone(), seen, world, ground);
        let same = judged.decision == ready.decision;
        self.prompt.reason_needed = needed;
        if same {
            self.stage = Stage::Ready(Box::new(judged));
        } else {
            self.show(rollout, world, ground);
        }
    }

    fn intent(&self, target: &Target, seen: Seen, confirmed: Confirmed, actor: Actor) -> Intent {
        Intent {
            act: Handle::new_act(),
            action: self.action,
            params: self.params.clone(),
            plan: None,
            target: self.target.clone(),
            context: target.context.clone(),
            seen,
            actor,
            reason: self.prompt.reason(),
            confirmed,
        }
    }

    pub(super) fn key(&mut self, key: KeyEvent, at: Instant, world: &World, ground: &Ground<'_>) -> Step {
        if key.code == KeyCode::Esc {
            return Step::Leave;
        }
        let Stage::Ready(ready) = &self.stage else {
            self.prompt.too_early(at);
            return Step::Stay;
        };
        let asked = match &ready.decision {
            Decision::Confirm(asked) => asked.clone(),
            Decision::Allow => Confirmation::Press,
            Decision::Deny { .. } => return Step::Stay,
        };
        match self.prompt.key(key, at, &asked) {
            Some(confirmed) => self.send(confirmed, world, ground),
            None => Step::Stay,
        }
    }

    fn send(&mut self, confirmed: Confirmed, world: &World, ground: &Ground<'_>) -> Step {
        let Stage::Ready(ready) = &self.stage else { return Step::Stay };
        let Some(target) = world.targets.get(&self.target) else { return Step::Stay };
        let intent = self.intent(target, ready.seen.clone(), confirmed, (ground.actor)());
        if intent.reason.is_none() {
            if self.needs_reason() {
                self.prompt.wants_reason("say why: it stands on the revision for whoever comes next");
                return Step::Stay;
            }
            let facts = query::facts(world, target, &ready.rollout, self.action, &self.params, None);
            if let Decision::Deny { rule: "reason", why, .. } =
                policy::decide(&intent, &facts, ground.mandate, ground.now)
            {
                self.prompt.wants_reason(&why);
                return Step::Stay;
            }
        }
        Step::Send(Box::new(intent))
    }
}

/// What a decision needs besides the world.
pub(super) struct Ground<'a> {
    pub mandate: &'a Mandate,
    pub actor: &'a dyn Fn() -> Actor,
    pub now: Timestamp,
}
