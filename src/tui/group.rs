//! One act on the marked targets: an ordered plan, each target judged for itself, confirmed once.

use std::sync::Arc;
use std::time::Instant;

use crossterm::event::{KeyCode, KeyEvent};
use jiff::Timestamp;

use super::confirm::{Confirm, Ground, Stage};
use super::prompt::{Field, Prompt};
use crate::actions::{Action, Needs, row};
use crate::domain::decision::{Confirmation, Decision};
use crate::domain::environment::Tier;
use crate::domain::ids::TargetId;
use crate::domain::intent::{ActionId, Confirmed};
use crate::domain::plan::{OnFailure, Plan, Stage as PlanStage, title_of_group};
use crate::domain::rollout::Rollout;
use crate::domain::seen::Seen;
use crate::model::choose::{self, Said};
use crate::model::rollback;
use crate::model::{Target, World};
use crate::runtime::handle::Handle;

/// One target of the group.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub target: TargetId,
    /// Cluster, namespace and name, in full.
    pub name: String,
    pub state: MemberState,
}

/// What is known of it.
#[derive(Clone, Debug)]
pub(super) enum MemberState {
    /// It takes no part: what the act needs is not there.
    Out(String),
    /// Judged like a single act.
    Act(Box<Confirm>),
    /// A rollback of its own.
    Rollback(Box<super::rollback::Rollback>),
}

/// The box.
#[derive(Clone, Debug)]
pub(super) struct Group {
    /// The act; `None` = each is rolled back.
    pub action: Option<ActionId>,
    pub members: Vec<Member>,
    pub on_failure: OnFailure,
    pub prompt: Prompt,
    pub scroll: usize,
}

/// What a key led to.
#[derive(Debug)]
pub(super) enum Step {
    Stay,
    Leave,
    Send(Box<Plan>),
}

impl Group {
    pub(super) fn new(action: &Action, targets: &[TargetId], world: &World, now: Timestamp) -> Self {
        let members = members(targets, world, |target| {
            let params = match action.needs {
                Needs::Image => Err("an image is set on one target at a time".to_owned()),
                Needs::Revision if action.id == ActionId::Undo => Err("take r, roll back, for several".to_owned()),
                _ => choose::params(action, target, &Said::default(), now),
            };
            match params.and_then(|params| (action.applies)(&target.sight(), &params).map(|()| params)) {
                Ok(params) => MemberState::Act(Box::new(Confirm::new(action.id, params, target.id().clone()))),
                Err(why) => MemberState::Out(why),
            }
        });
        Self { action: Some(action.id), members, on_failure: OnFailure::Stop, prompt: Prompt::default(), scroll: 0 }
    }

    pub(super) fn rollback(targets: &[TargetId], world: &World, now: Timestamp) -> Self {
        let members = members(targets, world, |target| match rollback::plan(target, None, now) {
            Ok(_) => MemberState::Rollback(Box::new(super::rollback::Rollback::new(target.id().clone(), None))),
            Err(why) => MemberState::Out(why),
        });
        Self { action: None, members, on_failure: OnFailure::Stop, prompt: Prompt::default(), scroll: 0 }
    }

    /// The verb, for people.
    pub(super) fn verb(&self) -> &'static str {
        self.action.map_or("roll back", |id| row(id).verb)
    }

    /// The targets that are to be read afresh.
    pub(super) fn wants(&self) -> impl Iterator<Item = TargetId> {
        self.members.iter().filter(|m| !matches!(m.state, MemberState::Out(_))).map(|m| m.target.clone())
    }

    /// Whether every answer is there.
    pub(super) fn read_all(&self) -> bool {
        self.members.iter().all(|member| match &member.state {
            MemberState::Out(_) => true,
            MemberState::Act(confirm) => !matches!(confirm.stage, Stage::Reading),
            MemberState::Rollback(plan) => !plan.reading(),
        })
    }

    pub(super) fn drawn(&mut self, at: Instant) {
        if self.read_all() {
            self.prompt.drawn(at);
        }
    }

    pub(super) fn read(
        &mut self,
        id: &TargetId,
        answer: &Result<Option<Arc<Rollout>>, String>,
        world: &World,
        ground: &Ground<'_>,
    ) {
        for member in self.members.iter_mut().filter(|m| m.target == *id) {
            match &mut member.state {
                MemberState::Out(_) => {}
                MemberState::Act(confirm) => confirm.read(answer.clone(), world, ground),
                MemberState::Rollback(plan) => plan.read(answer.clone(), world, ground),
            }
        }
        if self.read_all() {
            self.prompt.renew();
            self.prompt.reason_needed = self.needs_reason(world, ground);
            if self.prompt.reason_needed {
                self.prompt.field = Field::Reason;
            }
        }
    }

    /// Whether one of those that take part is refused without a reason.
    fn needs_reason(&self, world: &World, ground: &Ground<'_>) -> bool {
        let production = |member: &Member| {
            world.targets.get(&member.target).is_some_and(|t| {
                t.environment.tier == Tier::Production && ground.mandate.at(&t.context).reason_in_production
            })
        };
        self.action == Some(ActionId::Forbid) || self.members.iter().any(|m| m.takes_part() && production(m))
    }

    /// A new snapshot: each member is judged again; what changed is said, and asked again.
    pub(super) fn take(&mut self, world: &World, ground: &Ground<'_>) {
        let before = self.part();
        let mut changed = None;
        for member in &mut self.members {
            let prompt = match &mut member.state {
                MemberState::Out(_) => continue,
                MemberState::Act(confirm) => {
                    confirm.take(world, ground);
                    &mut confirm.prompt
                }
                MemberState::Rollback(plan) => {
                    plan.take(world, ground);
                    &mut plan.prompt
                }
            };
            if let Some(notice) = prompt.notice.take() {
                changed = Some(format!("{}: {notice}", member.name));
            }
        }
        if changed.is_none() && self.part() != before {
            changed = Some("changed just now: not the same targets can take part".to_owned());
        }
        self.prompt.reason_needed = self.needs_reason(world, ground);
        if let Some(changed) = changed {
            self.prompt.renew();
            self.prompt.notice = Some(changed);
        }
    }

    fn part(&self) -> Vec<bool> {
        self.members.iter().map(Member::takes_part).collect()
    }

    /// How many take part.
    pub(super) fn count(&self) -> usize {
        self.members.iter().filter(|m| m.takes_part()).count()
    }

    /// How it is confirmed: the strictest of what its members ask for.
    pub(super) fn asked(&self) -> Confirmation {
        let mut asked = Confirmation::Press;
        for member in self.members.iter().filter(|m| m.takes_part()) {
            match member.asked() {
                Some(without @ Confirmation::WithoutRecord { .. }) => return without,
                Some(Confirmation::Type { .. }) => {
                    asked = Confirmation::Type { text: format!("{} {}", self.verb(), self.count()) };
                }
                _ => {}
            }
        }
        asked
    }

    pub(super) fn key(&mut self, key: KeyEvent, at: Instant, world: &World, ground: &Ground<'_>) -> Step {
        match key.code {
            KeyCode::Esc => return Step::Leave,
            KeyCode::PageDown => self.scroll += 5,
            KeyCode::PageUp => self.scroll = self.scroll.saturating_sub(5),
            KeyCode::Left | KeyCode::Right if self.prompt.field == Field::Confirmation => {
                self.on_failure = match self.on_failure {
                    OnFailure::Stop => OnFailure::GoOn,
                    OnFailure::GoOn => OnFailure::Stop,
                };
            }
            _ if !self.read_all() => self.prompt.too_early(at),
            _ if self.count() == 0 => {}
            _ => {
                let asked = self.asked();
                if let Some(confirmed) = self.prompt.key(key, at, &asked) {
                    return self.send(confirmed, world, ground);
                }
            }
        }
        Step::Stay
    }

    fn send(&mut self, confirmed: Confirmed, world: &World, ground: &Ground<'_>) -> Step {
        let reason = self.prompt.reason();
        if reason.is_none() && self.needs_reason(world, ground) {
            self.prompt.wants_reason("give a reason: it goes on record with each of them");
            return Step::Stay;
        }
        let stages: Vec<PlanStage> =
            self.members.iter().filter(|m| m.takes_part()).flat_map(|m| m.stages(world)).collect();
        Step::Send(Box::new(Plan {
            id: Handle::new_act().0,
            title: title_of_group(self.verb(), self.count()),
            stages,
            on_failure: self.on_failure,
            actor: (ground.actor)(),
            reason,
            confirmed,
        }))
    }
}

fn members(targets: &[TargetId], world: &World, state: impl Fn(&Target) -> MemberState) -> Vec<Member> {
    let here = targets.iter().filter_map(|id| world.targets.get(id));
    here.map(|target| Member {
        target: target.id().clone(),
        name: format!("{}/{}", target.context, target.id()),
        state: state(target),
    })
    .collect()
}

impl Member {
    /// Whether it is part of what will be sent.
    pub(super) fn takes_part(&self) -> bool {
        match &self.state {
            MemberState::Out(_) => false,
            MemberState::Act(confirm) => {
                matches!(&confirm.stage, Stage::Ready(ready) if !matches!(ready.decision, Decision::Deny { .. }))
            }
            MemberState::Rollback(plan) => plan.can(),
        }
    }

    fn asked(&self) -> Option<Confirmation> {
        match &self.state {
            MemberState::Out(_) => None,
            MemberState::Act(confirm) => match &confirm.stage {
                Stage::Ready(ready) => match &ready.decision {
                    Decision::Confirm(asked) => Some(asked.clone()),
                    Decision::Allow | Decision::Deny { .. } => None,
                },
                Stage::Reading | Stage::Failed(_) => None,
            },
            MemberState::Rollback(plan) => plan.asked(),
        }
    }

    /// What it leads to, or why it takes no part.
    pub(super) fn leads_to(&self) -> Result<String, String> {
        match &self.state {
            MemberState::Out(why) => Err(why.clone()),
            MemberState::Act(confirm) => match &confirm.stage {
                Stage::Reading => Ok("reading it afresh …".to_owned()),
                Stage::Failed(why) => Err(why.clone()),
                Stage::Ready(ready) => match &ready.decision {
                    Decision::Deny { rule, why, .. } => Err(format!("refused ({rule}): {why}")),
                    Decision::Allow | Decision::Confirm(_) => Ok(ready.consequence.text.clone()),
                },
            },
            MemberState::Rollback(plan) => plan.leads_to(),
        }
    }

    fn stages(&self, world: &World) -> Vec<PlanStage> {
        let Some(target) = world.targets.get(&self.target) else { return Vec::new() };
        match &self.state {
            MemberState::Out(_) => Vec::new(),
            MemberState::Rollback(plan) => plan.stages(),
            MemberState::Act(confirm) => {
                let Stage::Ready(ready) = &confirm.stage else { return Vec::new() };
                let seen: Seen = ready.seen.clone();
                vec![PlanStage {
                    title: format!("{} {}", row(confirm.action).verb, self.name),
                    target: self.target.clone(),
                    context: target.context.clone(),
                    action: confirm.action,
                    params: confirm.params.clone(),
                    seen: Some(seen),
                    only_on: None,
                }]
            }
        }
    }
}
