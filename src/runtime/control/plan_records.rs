//! Plans on record: how they begin, how they end, and what dead processes left of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Journal;
use crate::actions::{by_verb, row};
use crate::domain::ids::{ActId, ClusterId, TargetId, TargetKind};
use crate::domain::intent::{Actor, Confirmed, Params};
use crate::domain::outcome::Outcome;
use crate::domain::plan::{OnFailure, Plan, PlanRun, Stage, StageState};
use crate::domain::record::{Draft, OutcomeRecord, PlanRecord, PlanStepRecord, Record, RecordKind, TargetRecord};
use crate::domain::text::Clean;

impl Journal {
    /// The plan, before its first step.
    pub(super) async fn plan_began(&self, plan: &Plan) -> Result<u64, String> {
        let mut draft = self.of_plan(plan, RecordKind::Plan);
        draft.steps = plan.stages.iter().map(step_record).collect();
        self.append(draft).await
    }

    /// How it ended: each step in a word.
    pub(super) async fn plan_ended(&self, run: &PlanRun) -> Result<u64, String> {
        let mut draft = self.of_plan(&run.plan, RecordKind::PlanEnd);
        let said = |state: &StageState| match state {
            StageState::Ended { outcome, .. } => format!("{}: {}", outcome.word(), outcome.detail()),
            StageState::LeftOut { why } => format!("left out: {why}"),
            StageState::Waiting | StageState::Running { .. } => "not ended".to_owned(),
        };
        let evidence: BTreeMap<String, String> =
            run.stages.iter().enumerate().map(|(n, state)| (format!("step{}", n + 1), said(state))).collect();
        let all_well = run.ended.as_ref().is_some_and(|(_, well)| *well);
        let word = if all_well { "done" } else { "failed" };
        draft.outcome = Some(OutcomeRecord { word: word.to_owned(), detail: run.plan.title.clone(), evidence });
        self.append(draft).await
    }

    fn of_plan(&self, plan: &Plan, kind: RecordKind) -> Draft {
        let mut draft =
            self.of_actor(&plan.actor, &plan.stages.first().map(|s| s.context.clone()).unwrap_or_default(), kind);
        let of = u32::try_from(plan.stages.len()).unwrap_or(u32::MAX);
        draft.plan = Some(PlanRecord { id: plan.id.clone(), step: 0, of });
        draft.op.clone_from(&plan.title);
        draft.reason = plan.reason.as_ref().map(ToString::to_string);
        draft.params = BTreeMap::from([(
            "onFailure".to_owned(),
            match plan.on_failure {
                OnFailure::Stop => "stop",
                OnFailure::GoOn => "go on",
            }
            .to_owned(),
        )]);
        let first = plan.stages.first().map(|stage| &stage.target);
        if plan.stages.iter().all(|stage| Some(&stage.target) == first) {
            draft.target = plan.stages.first().map(target_record);
        }
        draft
    }

    /// Plans that dead processes left unfinished, newest last.
    pub(super) async fn open_plans(&self) -> Result<Vec<Arc<PlanRun>>, String> {
        let open = self.plans_left_open().await?;
        let mut runs: Vec<PlanRun> = open.iter().filter_map(|(record, steps)| run_of(record, steps)).collect();
        runs.sort_by_key(|run| run.began);
        Ok(runs.into_iter().map(Arc::new).collect())
    }
}

fn target_record(stage: &Stage) -> TargetRecord {
    TargetRecord {
        cluster: stage.target.cluster.0.to_string(),
        context: stage.context.to_string(),
        namespace: stage.target.namespace.to_string(),
        kind: stage.target.kind.as_str().to_owned(),
        name: stage.target.name.to_string(),
        uid: stage.seen.as_ref().map(|seen| seen.uid.to_string()).unwrap_or_default(),
    }
}

fn step_record(stage: &Stage) -> PlanStepRecord {
    PlanStepRecord {
        title: stage.title.clone(),
        op: row(stage.action).verb.to_owned(),
        only_on: stage.only_on.as_ref().map(ToString::to_string).unwrap_or_default(),
        target: Some(target_record(stage)),
        params: stage.params.evidence(),
    }
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
        Some("go on") => OnFailure::GoOn,
        _ => OnFailure::Stop,
    };
    let plan = Plan {
        id: said.plan.as_ref()?.id.clone(),
        title: Clean::new(&said.op).to_string(),
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
        only_on: (!step.only_on.is_empty()).then(|| Clean::new(&step.only_on)),
    })
}
