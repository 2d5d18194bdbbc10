//! What dead processes left of plans, as it can be gone on with.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Journal;
use crate::actions::by_verb;
use crate::audit::OpenPlan;
use crate::domain::ids::{ActId, ClusterId, TargetId, TargetKind};
use crate::domain::intent::{Actor, Confirmed, Params};
use crate::domain::outcome::Outcome;
use crate::domain::plan::{OnFailure, Plan, PlanRun, Stage, StageState};
use crate::domain::record::{PlanStepRecord, Record};
use crate::domain::text::Clean;

impl Journal {
    /// Plans that dead processes left unfinished, newest last. One that does not read is left out, and said in the log file.
    pub(super) async fn unfinished_plans(&self) -> Result<Vec<Arc<PlanRun>>, String> {
        let open = self.open_plans().await?;
        let mut runs: Vec<PlanRun> = open.iter().filter_map(read).collect();
        runs.sort_by_key(|run| run.began);
        Ok(runs.into_iter().map(Arc::new).collect())
    }
}

fn read((began, acts): &OpenPlan) -> Option<PlanRun> {
    // The later record of a step counts: its outcome follows its intent.
    let words = acts.iter().filter_map(|act| {
        let step = act.said.plan.as_ref()?.step;
        act.said.outcome.as_ref().map(|outcome| (step, outcome.word.clone()))
    });
    let run = run_of(began, &words.collect());
    if run.is_none() {
        tracing::warn!(seq = began.seq, "the record of an unfinished plan does not read");
    }
    run
}

/// A plan as its record tells it. What was seen then says nothing any more: each step that is gone on with is looked at anew.
fn run_of(record: &Record, steps: &BTreeMap<u32, String>) -> Option<PlanRun> {
    let said = &record.said;
    let stages: Vec<Stage> = said.steps.iter().map(stage_of).collect::<Option<_>>()?;
    let state = |index: usize| {
        let number = u32::try_from(index + 1).unwrap_or(u32::MAX);
        steps.get(&number).map_or(StageState::Waiting, |word| StageState::Ended {
            act: ActId(String::new()),
            outcome: match word.as_str() {
                "done" => Outcome::Done { effect: "as its record says".to_owned() },
                other => Outcome::Unknown { why: format!("its record says {other}") },
            },
        })
    };
    let states = (0..stages.len()).map(state).collect();
    let on_failure = match said.params.get("onFailure").map(String::as_str) {
        Some("go-on") => OnFailure::GoOn,
        _ => OnFailure::Stop,
    };
    let plan = Plan {
        id: said.plan.as_ref()?.id.clone(),
        title: Clean::new(said.params.get("title")?).to_string(),
        stages,
        on_failure,
        actor: Actor { os_user: Clean::new(&said.actor.os_user), kube_user: None, face: "record" },
        reason: said.reason.as_deref().map(Clean::new),
        confirmed: Confirmed::No,
    };
    Some(PlanRun { plan: Arc::new(plan), began: record.ts.parse().ok()?, stages: states, ended: None })
}

fn stage_of(step: &PlanStepRecord) -> Option<Stage> {
    let action = by_verb(&step.op)?.id;
    let target = step.target.as_ref()?;
    Some(Stage {
        title: Clean::new(&step.title).to_string(),
        target: TargetId {
            cluster: ClusterId(Clean::new(&target.cluster)),
            namespace: Clean::new(&target.namespace),
            kind: TargetKind::Rollout,
            name: Clean::new(&target.name),
        },
        context: Clean::new(&target.context),
        action,
        params: Params::from_evidence(action, &step.params)?,
        seen: None,
        only_on: step.only_on.as_deref().map(Clean::new),
    })
}
