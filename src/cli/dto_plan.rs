//! Plans as scripts read them.

use schemars::JsonSchema;
use serde::Serialize;

use super::dto::API_VERSION;
use super::plan::word;
use crate::actions::row;
use crate::domain::plan::{PlanRun, Stage, StageState};
use crate::model::Target;
use crate::model::rollback::RollBack;

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct PlanDto {
    api_version: &'static str,
    kind: &'static str,
    id: String,
    title: String,
    began: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended: Option<String>,
    done: bool,
    steps: Vec<StepDto>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct StepDto {
    title: String,
    op: &'static str,
    namespace: String,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct PlansDto {
    api_version: &'static str,
    kind: &'static str,
    plans: Vec<PlanDto>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct RollBackDto {
    api_version: &'static str,
    kind: &'static str,
    namespace: String,
    name: String,
    to: String,
    pod_hash: String,
    way: String,
    steps: Vec<StepDto>,
    notes: Vec<String>,
}

fn step(stage: &Stage, state: Option<&StageState>) -> StepDto {
    let detail = state.and_then(|state| match state {
        StageState::Ended { outcome, .. } => Some(outcome.detail().to_owned()),
        StageState::LeftOut { why } => Some(why.clone()),
        StageState::Waiting | StageState::Running { .. } => None,
    });
    StepDto {
        title: stage.title.clone(),
        op: row(stage.action).verb,
        namespace: stage.target.namespace.to_string(),
        name: stage.target.name.to_string(),
        state: state.map(word),
        detail,
    }
}

pub(super) fn plan(run: &PlanRun) -> PlanDto {
    PlanDto {
        api_version: API_VERSION,
        kind: "Plan",
        id: run.plan.id.clone(),
        title: run.plan.title.clone(),
        began: run.began.to_string(),
        ended: run.ended.map(|(at, _)| at.to_string()),
        done: run.ended.is_some_and(|(_, well)| well),
        steps: run.plan.stages.iter().zip(&run.stages).map(|(stage, state)| step(stage, Some(state))).collect(),
    }
}

pub(super) fn plans<'a>(runs: impl Iterator<Item = &'a PlanRun>) -> PlansDto {
    PlansDto { api_version: API_VERSION, kind: "Plans", plans: runs.map(plan).collect() }
}

pub(super) fn rollback(target: &Target, made: &RollBack) -> RollBackDto {
    RollBackDto {
        api_version: API_VERSION,
        kind: "RollBackPlan",
        namespace: target.id().namespace.to_string(),
        name: target.id().name.to_string(),
        to: made.goal.word(),
        pod_hash: made.goal.hash.to_string(),
        way: made.way.clone(),
        steps: made.stages.iter().map(|stage| step(stage, None)).collect(),
        notes: made.notes.clone(),
    }
}
