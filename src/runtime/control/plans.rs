//! Carries out plans: each step is an act like any other, with its own decision, record and outcome, and the next one
//! begins when the one before has had its effect.
//!
//! The plan itself goes on record first, so that what a dead process left undone can be found and gone on with.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use super::Journal;
use super::told;
use crate::actions::row;
use crate::domain::ids::ActId;
use crate::domain::intent::{Confirmed, Intent};
use crate::domain::outcome::Outcome;
use crate::domain::plan::{OnFailure, Plan, PlanRef, PlanRun, Stage, StageState};
use crate::domain::seen::Seen;
use crate::model::{Event, World};

/// How long a step that rests on the one before waits until it applies: pods may have to start first.
const READY: Duration = Duration::from_mins(15);

/// What plans need on their way.
pub struct Plans {
    /// Where acts go: the same queue as everyone's.
    pub intents: mpsc::Sender<Intent>,
    /// Snapshots.
    pub world: watch::Receiver<Arc<World>>,
    /// Where progress is shown.
    pub events: mpsc::Sender<Event>,
    /// The record.
    pub journal: Journal,
}

/// Takes plans until `stop`. What is under way then is left as it is: the record says which step was the last.
pub async fn run(plans: Plans, mut asked: mpsc::Receiver<Plan>, mut stop: watch::Receiver<bool>) {
    let plans = Arc::new(plans);
    let mut running = JoinSet::new();
    loop {
        tokio::select! {
            () = told(&mut stop) => return,
            plan = asked.recv() => match plan {
                Some(plan) => { running.spawn(carry_out(plans.clone(), plan)); }
                None => return,
            },
            Some(_) = running.join_next() => {}
        }
    }
}

/// A plan under way, each change of which is shown.
struct Under {
    plans: Arc<Plans>,
    run: PlanRun,
}

impl Under {
    async fn set(&mut self, index: usize, state: StageState) {
        self.run.stages[index] = state;
        self.publish().await;
    }

    async fn publish(&self) {
        let _ = self.plans.events.send(Event::Plan(Arc::new(self.run.clone()))).await;
    }

    async fn leave_out(&mut self, from: usize, why: &str) {
        for index in from..self.run.stages.len() {
            self.run.stages[index] = StageState::LeftOut { why: why.to_owned() };
        }
        self.publish().await;
    }
}

impl Plans {
    /// How the log stands, once more was written to it.
    async fn tell_of_the_log(&self) {
        let _ = self.events.send(Event::Audit(self.journal.view().await)).await;
    }
}

async fn carry_out(plans: Arc<Plans>, plan: Plan) {
    let plan = Arc::new(plan);
    let stages = vec![StageState::Waiting; plan.stages.len()];
    let run = PlanRun { plan: plan.clone(), began: Timestamp::now(), stages, ended: None };
    let mut under = Under { plans: plans.clone(), run };
    under.publish().await;
    let recorded = plans.journal.plan_began(&plan).await;
    plans.tell_of_the_log().await;
    if let Err(why) = &recorded
        && plan.confirmed != Confirmed::WithoutRecord
    {
        under.leave_out(0, &format!("the audit log does not take the plan: {why}")).await;
        under.run.ended = Some((Timestamp::now(), false));
        under.publish().await;
        return;
    }
    let all_well = steps(&mut under, &plan).await;
    under.run.ended = Some((Timestamp::now(), all_well));
    if recorded.is_ok()
        && let Err(why) = plans.journal.plan_ended(&under.run).await
    {
        tracing::error!(why, plan = plan.id, "the end of a plan is not in the audit log");
    }
    plans.tell_of_the_log().await;
    under.publish().await;
}

async fn steps(under: &mut Under, plan: &Plan) -> bool {
    let mut all_well = true;
    for (index, stage) in plan.stages.iter().enumerate() {
        let outcome = match step(under, plan, index, stage).await {
            Ok(outcome) => outcome,
            Err(NotNeeded(why)) => {
                under.set(index, StageState::LeftOut { why }).await;
                continue;
            }
        };
        if !matches!(outcome, Outcome::Done { .. }) {
            all_well = false;
            if plan.on_failure == OnFailure::Stop {
                under.leave_out(index + 1, &format!("step {} did not end as done", index + 1)).await;
                break;
            }
        }
    }
    all_well
}

/// A step that there is no need for any more.
struct NotNeeded(String);

async fn step(under: &mut Under, plan: &Plan, index: usize, stage: &Stage) -> Result<Outcome, NotNeeded> {
    let act = ActId(uuid::Uuid::new_v4().to_string());
    let seen = match &stage.seen {
        Some(seen) => seen.clone(),
        None => match under.plans.look(stage).await {
            Look::Ready(seen) => *seen,
            Look::NotNeeded(why) => return Err(NotNeeded(why)),
            Look::Never(outcome) => {
                under.set(index, StageState::Ended { act, outcome: outcome.clone() }).await;
                return Ok(outcome);
            }
        },
    };
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let intent = Intent {
        act: act.clone(),
        action: stage.action,
        params: stage.params.clone(),
        plan: Some(PlanRef { id: plan.id.clone(), step: number(index + 1), of: number(plan.stages.len()) }),
        target: stage.target.clone(),
        context: stage.context.clone(),
        seen,
        actor: plan.actor.clone(),
        reason: plan.reason.clone(),
        confirmed: plan.confirmed.clone(),
    };
    under.set(index, StageState::Running { act: act.clone() }).await;
    let outcome = under.plans.act(intent).await;
    under.set(index, StageState::Ended { act, outcome: outcome.clone() }).await;
    Ok(outcome)
}

enum Look {
    Ready(Box<Seen>),
    NotNeeded(String),
    Never(Outcome),
}

impl Plans {
    /// Waits until a step applies that rests on the one before it.
    async fn look(&self, stage: &Stage) -> Look {
        let mut world = self.world.clone();
        let mut found = None;
        let waited = world.wait_for(|world| {
            found = glance(world, stage);
            found.is_some()
        });
        let in_time = tokio::time::timeout(READY, waited).await.is_ok_and(|w| w.is_ok());
        match found {
            Some(look) if in_time => look,
            _ => Look::Never(Outcome::Failed {
                why: format!("it did not apply within {} min; nothing was sent", READY.as_secs() / 60),
            }),
        }
    }

    async fn act(&self, intent: Intent) -> Outcome {
        let id = intent.act.clone();
        let stopped = || Outcome::Failed { why: "the program is ending; nothing was sent".to_owned() };
        if self.intents.send(intent).await.is_err() {
            return stopped();
        }
        let mut world = self.world.clone();
        let ended =
            world.wait_for(|w| w.act(&id).is_some_and(|act| act.ended.is_some() && act.outcome_recorded.is_some()));
        match ended.await {
            Ok(world) => world.act(&id).and_then(|act| act.ended.clone()).map_or_else(stopped, |(_, outcome)| outcome),
            Err(_) => Outcome::Unknown { why: "interrupted: the program ended before the outcome was seen".to_owned() },
        }
    }
}

/// Whether the step applies on what is there now; `None` while that may still come.
fn glance(world: &World, stage: &Stage) -> Option<Look> {
    let Some(target) = world.targets.get(&stage.target) else {
        return crate::model::query::complete(world)
            .then(|| Look::Never(Outcome::Superseded { what: "the rollout is gone".to_owned() }));
    };
    let rollout = &target.rollout;
    if let Some(only) = &stage.only_on {
        if rollout.pod_hash != *only {
            let what = format!("the version changed to {} meanwhile", rollout.pod_hash);
            return Some(Look::Never(Outcome::Superseded { what }));
        }
        let live = rollout.strategy.blue_green().is_some() && rollout.blue_green.active == *only;
        if !rollout.spec_paused && (live || (rollout.strategy.canary().is_some() && rollout.fully_promoted())) {
            return Some(Look::NotNeeded("not needed: that version has the live traffic".to_owned()));
        }
    }
    let ready = || Look::Ready(Box::new(Seen::of(rollout, Timestamp::now())));
    // Only a version that is on its way may still get there; else what does not apply now is refused, and says why.
    let waits = stage.only_on.is_some();
    let applies = (row(stage.action).applies)(&target.sight(), &stage.params).is_ok();
    (applies || !waits).then(ready)
}
