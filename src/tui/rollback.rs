//! The rollback box: the plan that brings the last good version back, judged step by step, confirmed once.

use std::sync::Arc;
use std::time::Instant;

use crossterm::event::{KeyCode, KeyEvent};

use super::confirm::Ground;
use super::prompt::{Field, Prompt};
use crate::domain::decision::{Confirmation, Decision};
use crate::domain::environment::Tier;
use crate::domain::ids::TargetId;
use crate::domain::intent::{Confirmed, Intent};
use crate::domain::plan::{Plan, Stage};
use crate::domain::rollout::Rollout;
use crate::domain::text::Clean;
use crate::model::rollback::{self, Goal, ON_FAILURE, RollBack};
use crate::model::settle::newer;
use crate::model::{Target, World, query};
use crate::policy;
use crate::runtime::handle::Handle;

/// What the rollback does.
pub(super) const HELP: &str = "bring the last good version back by the acts that it takes, in order, each recorded";

/// How far the box is.
#[derive(Clone, Debug)]
pub(super) enum Made {
    /// The target is being read afresh.
    Reading,
    /// There is no plan; why, and what a person can do.
    Not(String),
    /// It can be confirmed, or the policy says why not.
    Ready(Box<Ready>),
}

/// What stands in a box that can be confirmed.
#[derive(Clone, Debug)]
pub(super) struct Ready {
    pub plan: RollBack,
    pub rollout: Arc<Rollout>,
    pub context: Clean,
    /// What the policy says to the steps that can be judged now; the first that it refuses counts.
    pub decision: Decision,
    /// Rights that the server says this user lacks.
    pub missing: Vec<&'static str>,
}

/// The box.
#[derive(Clone, Debug)]
pub(super) struct Rollback {
    pub target: TargetId,
    /// The revision that a person picked.
    pub picked: Option<Goal>,
    pub made: Made,
    pub prompt: Prompt,
}

/// What a key led to.
#[derive(Debug)]
pub(super) enum Step {
    Stay,
    Leave,
    /// Another revision is to be picked.
    Pick,
    Send(Box<Plan>),
}

impl Rollback {
    pub(super) fn new(target: TargetId, picked: Option<Goal>) -> Self {
        Self { target, picked, made: Made::Reading, prompt: Prompt::default() }
    }

    pub(super) fn reading(&self) -> bool {
        matches!(self.made, Made::Reading)
    }

    pub(super) fn drawn(&mut self, at: Instant) {
        if matches!(self.made, Made::Ready(_)) {
            self.prompt.drawn(at);
        }
    }

    /// Whether it can be sent once it is confirmed.
    pub(super) fn can(&self) -> bool {
        matches!(&self.made, Made::Ready(ready) if !matches!(ready.decision, Decision::Deny { .. }))
    }

    pub(super) fn asked(&self) -> Option<Confirmation> {
        let Made::Ready(ready) = &self.made else { return None };
        match &ready.decision {
            Decision::Confirm(asked) => Some(asked.clone()),
            Decision::Allow => Some(Confirmation::Press),
            Decision::Deny { .. } => None,
        }
    }

    /// In one line: where it goes and how quick that is, or why not.
    pub(super) fn leads_to(&self) -> Result<String, String> {
        match &self.made {
            Made::Reading => Ok("reading it afresh …".to_owned()),
            Made::Not(why) => Err(why.clone()),
            Made::Ready(ready) => match &ready.decision {
                Decision::Deny { rule, why, .. } => Err(format!("refused ({rule}): {why}")),
                Decision::Allow | Decision::Confirm(_) => {
                    Ok(format!("to {}: {}", ready.plan.goal.word(), ready.plan.way))
                }
            },
        }
    }

    /// The steps, as they would be sent.
    pub(super) fn stages(&self) -> Vec<Stage> {
        if let Made::Ready(ready) = &self.made { ready.plan.stages.clone() } else { Vec::new() }
    }

    /// The fresh read has come.
    pub(super) fn read(&mut self, answer: Result<Option<Arc<Rollout>>, String>, world: &World, ground: &Ground<'_>) {
        self.made = match answer {
            Err(why) => Made::Not(format!("it could not be read afresh: {why}")),
            Ok(None) => Made::Not("the rollout is gone".to_owned()),
            Ok(Some(rollout)) => self.make(rollout, world, ground),
        };
        self.prompt.renew();
    }

    fn make(&mut self, rollout: Arc<Rollout>, world: &World, ground: &Ground<'_>) -> Made {
        let Some(target) = world.targets.get(&self.target) else { return Made::Not("the rollout is gone".to_owned()) };
        let fresh = Target { rollout: rollout.clone(), ..(**target).clone() };
        let plan = match rollback::plan(&fresh, self.picked.as_ref(), ground.now) {
            Ok(plan) => plan,
            Err(why) => return Made::Not(why),
        };
        let (decision, missing) = self.judge(&plan, &fresh, world, ground);
        Made::Ready(Box::new(Ready { plan, rollout, context: target.context.clone(), decision, missing }))
    }

    /// Steps that rest on the outcome of the one before are judged when their turn comes.
    fn judge(
        &mut self,
        plan: &RollBack,
        target: &Target,
        world: &World,
        ground: &Ground<'_>,
    ) -> (Decision, Vec<&'static str>) {
        let typed = target.environment.tier == Tier::Production;
        let mut asked = if typed { Confirmation::Type { text: plan.typed.clone() } } else { Confirmation::Press };
        let mut missing = Vec::new();
        self.prompt.reason_needed = false;
        for stage in &plan.stages {
            let Some(seen) = &stage.seen else { continue };
            let intent = Intent {
                act: Handle::new_act(),
                action: stage.action,
                params: stage.params.clone(),
                plan: None,
                target: stage.target.clone(),
                context: stage.context.clone(),
                seen: seen.clone(),
                actor: (ground.actor)(),
                reason: None,
                confirmed: Confirmed::No,
            };
            let facts = query::facts(world, target, &target.rollout, stage.action, &stage.params, None);
            missing.extend(facts.missing_rights.iter().map(|right| right.words()));
            let mut decision = policy::decide(&intent, &facts, ground.mandate, ground.now);
            if matches!(&decision, Decision::Deny { rule: "reason", .. }) {
                self.prompt.reason_needed = true;
                if matches!(self.made, Made::Reading) {
                    self.prompt.field = Field::Reason;
                }
                let excused = Intent { reason: Some(Clean::from("to be typed")), ..intent };
                decision = policy::decide(&excused, &facts, ground.mandate, ground.now);
            }
            match decision {
                Decision::Deny { .. } => return (decision, missing),
                Decision::Confirm(without @ Confirmation::WithoutRecord { .. }) => asked = without,
                Decision::Confirm(_) | Decision::Allow => {}
            }
        }
        (Decision::Confirm(asked), missing)
    }

    /// A new snapshot: the plan is made again. Where it is another one, that is said and asked again.
    pub(super) fn take(&mut self, world: &World, ground: &Ground<'_>) {
        let Made::Ready(before) = &self.made else { return };
        let before = before.clone();
        let Some(target) = world.targets.get(&self.target) else {
            if query::complete(world) {
                self.made = Made::Not("the rollout is gone".to_owned());
            }
            return;
        };
        let (new, old) = (&target.rollout.resource_version, &before.rollout.resource_version);
        let rollout = if newer(new.as_str(), old.as_str()) { target.rollout.clone() } else { before.rollout.clone() };
        let made = self.make(rollout, world, ground);
        let same = match &made {
            Made::Ready(now) => {
                now.decision == before.decision
                    && now.plan.goal == before.plan.goal
                    && same_acts(&now.plan, &before.plan)
            }
            Made::Reading | Made::Not(_) => false,
        };
        self.made = made;
        if !same {
            self.prompt.renew();
            self.prompt.notice = Some("changed just now: the plan is another one".to_owned());
        }
    }

    pub(super) fn key(&mut self, key: KeyEvent, at: Instant, _: &World, ground: &Ground<'_>) -> Step {
        match key.code {
            KeyCode::Esc => return Step::Leave,
            KeyCode::F(2) if !self.reading() => return Step::Pick,
            _ => {}
        }
        let Some(asked) = self.asked() else {
            self.prompt.too_early(at);
            return Step::Stay;
        };
        match self.prompt.key(key, at, &asked) {
            Some(confirmed) => self.send(confirmed, ground),
            None => Step::Stay,
        }
    }

    fn send(&mut self, confirmed: Confirmed, ground: &Ground<'_>) -> Step {
        let Made::Ready(ready) = &self.made else { return Step::Stay };
        let reason = self.prompt.reason();
        let wanted = ground.mandate.at(&ready.context).reason_in_production && matches!(confirmed, Confirmed::Typed);
        if reason.is_none() && (wanted || self.prompt.reason_needed) {
            self.prompt.wants_reason("production asks for a reason");
            return Step::Stay;
        }
        Step::Send(Box::new(Plan {
            id: Handle::new_act().0,
            title: format!("roll back {}/{} to {}", ready.context, self.target, ready.plan.goal.word()),
            stages: ready.plan.stages.clone(),
            on_failure: ON_FAILURE,
            actor: (ground.actor)(),
            reason,
            confirmed,
        }))
    }
}

/// Whether two plans do the same, whatever they have seen.
fn same_acts(a: &RollBack, b: &RollBack) -> bool {
    let act = |stage: &Stage| (stage.action, stage.params.clone(), stage.only_on.clone());
    a.stages.len() == b.stages.len() && a.stages.iter().zip(&b.stages).all(|(a, b)| act(a) == act(b))
}
