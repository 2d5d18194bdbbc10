//! What scripts read. Documents carry `apiVersion`; the world itself is never printed.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;

use crate::actions::row;
use crate::audit::StoredRecord;
use crate::domain::link::{Link, LinkState};
use crate::domain::outcome::{Act, Outcome};
use crate::domain::record::Record;
use crate::domain::rollout::{ActualWeight, Replicas};
use crate::domain::workload::ReplicaSet;
use crate::model::{Target, Warning, World, query};

/// The version of all documents here. It changes when a field changes its meaning or goes away.
pub(super) const API_VERSION: &str = "flightdeck/v1alpha1";

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct StatusDto {
    api_version: &'static str,
    kind: &'static str,
    /// Whether everything was listed; else `missing` says what was not, and the exit code is 7 or 8.
    complete: bool,
    missing: Vec<MissingDto>,
    links: Vec<LinkDto>,
    targets: Vec<TargetDto>,
    warnings: Vec<WarningDto>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct LinkDto {
    context: String,
    what: &'static str,
    /// The namespace, where the link is one among several.
    #[serde(skip_serializing_if = "String::is_empty")]
    scope: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    notice: String,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    heard: Option<String>,
    listed: bool,
}

/// What could not be listed.
#[derive(Serialize, JsonSchema)]
struct MissingDto {
    /// Which link: context, what, and the namespace where it is one among several.
    link: String,
    /// Why.
    why: String,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct WarningDto {
    at: String,
    link: String,
    object: String,
    why: String,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct TargetDto {
    api_version: &'static str,
    kind: &'static str,
    context: String,
    cluster: String,
    namespace: String,
    name: String,
    target_kind: &'static str,
    uid: String,
    resource_version: String,
    generation: i64,
    environment: EnvironmentDto,
    band: &'static str,
    /// Why it stands in its band, in words for people, as when it was printed. Programs read the other fields.
    why: String,
    strategy: &'static str,
    phase: &'static str,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    revision: Option<i64>,
    images: Vec<String>,
    pod_hash: String,
    stable_hash: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Option<StepDto>,
    steps: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    weight: Option<WeightDto>,
    pauses: Vec<PauseDto>,
    paused_by_hand: bool,
    aborted: bool,
    replicas: Replicas,
    replica_sets: Vec<SetDto>,
    errors: super::rates::ErrorsDto,
    /// The state of the link this was read through; anything but `live` means that it may be out of date.
    link: &'static str,
    /// Only in the answer of `get`: as in `Status`.
    #[serde(skip_serializing_if = "Option::is_none")]
    complete: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    missing: Option<Vec<MissingDto>>,
}

#[derive(Serialize, JsonSchema)]
struct EnvironmentDto {
    name: String,
    tier: crate::domain::environment::Tier,
    /// False: no rule names it, so it counts as production.
    named: bool,
}

#[derive(Serialize, JsonSchema)]
struct StepDto {
    /// Counted from 1.
    number: usize,
    of: usize,
    text: String,
}

#[derive(Serialize, JsonSchema)]
struct WeightDto {
    desired: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    actual: Option<ActualWeight>,
    max: i64,
}

#[derive(Serialize, JsonSchema)]
struct PauseDto {
    reason: String,
    since: String,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct SetDto {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    revision: Option<i64>,
    pod_hash: String,
    role: &'static str,
    images: Vec<String>,
    desired: i64,
    ready: i64,
    available: i64,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct OutcomeDto {
    api_version: &'static str,
    kind: &'static str,
    act: String,
    op: &'static str,
    context: String,
    namespace: String,
    name: String,
    outcome: &'static str,
    detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
    asked: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    recorded: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sent: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    accepted: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended: Option<String>,
    /// The number of the outcome's record in the audit log.
    #[serde(skip_serializing_if = "Option::is_none")]
    record: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    not_recorded: Option<String>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct RecordsDto<'a> {
    api_version: &'static str,
    kind: &'static str,
    records: Vec<RecordDto<'a>>,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct RecordDto<'a> {
    file: &'a str,
    line: usize,
    leaf: &'a str,
    record: &'a Record,
}

impl<'a> From<&'a StoredRecord> for RecordDto<'a> {
    fn from(stored: &'a StoredRecord) -> Self {
        Self { file: &stored.file, line: stored.line, leaf: &stored.leaf, record: &stored.record }
    }
}

pub(super) fn records(all: &[StoredRecord]) -> RecordsDto<'_> {
    RecordsDto { api_version: API_VERSION, kind: "AuditRecords", records: all.iter().map(Into::into).collect() }
}

/// One target, as `get` says it.
pub(super) fn got(world: &World, wanted: &Target) -> TargetDto {
    TargetDto { complete: Some(query::complete(world)), missing: Some(missing(world)), ..target(world, wanted) }
}

fn missing(world: &World) -> Vec<MissingDto> {
    let open = world.links.values().filter(|l| query::lists(&l.id) && !l.listed);
    open.map(|l| MissingDto {
        link: l.id.to_string(),
        why: link(l).why.unwrap_or_else(|| format!("{}, no answer in time", l.state.word())),
    })
    .collect()
}

pub(super) fn status(world: &World, targets: &[Arc<Target>]) -> StatusDto {
    StatusDto {
        api_version: API_VERSION,
        kind: "Status",
        complete: query::complete(world),
        missing: missing(world),
        links: world.links.values().map(link).collect(),
        targets: targets.iter().map(|t| target(world, t)).collect(),
        warnings: world
            .warnings
            .iter()
            .map(|Warning { at, link, object, why }| WarningDto {
                at: at.to_string(),
                link: link.to_string(),
                object: object.to_string(),
                why: why.to_string(),
            })
            .collect(),
    }
}

pub(super) fn link(link: &Link) -> LinkDto {
    let why = match &link.state {
        LinkState::Backoff { why, .. } | LinkState::Denied { why } => Some(why.to_string()),
        LinkState::Stale { since } => Some(format!("nothing heard since {since}")),
        LinkState::Connecting | LinkState::Off | LinkState::Live => None,
    };
    LinkDto {
        context: link.id.context.to_string(),
        what: link.id.what,
        scope: link.id.scope.to_string(),
        notice: link.notice.to_string(),
        state: link.state.word(),
        why,
        heard: link.heard.map(|t| t.to_string()),
        listed: link.listed,
    }
}

pub(super) fn target(world: &World, target: &Target) -> TargetDto {
    let (rollout, now) = (&target.rollout, jiff::Timestamp::now());
    let (phase, message) = rollout.status();
    TargetDto {
        api_version: API_VERSION,
        kind: "Target",
        context: target.context.to_string(),
        cluster: rollout.id.cluster.0.to_string(),
        namespace: rollout.id.namespace.to_string(),
        name: rollout.id.name.to_string(),
        target_kind: rollout.id.kind.as_str(),
        uid: rollout.uid.to_string(),
        resource_version: rollout.resource_version.to_string(),
        generation: rollout.generation,
        environment: EnvironmentDto {
            name: target.environment.name.to_string(),
            tier: target.environment.tier,
            named: target.environment.named,
        },
        band: query::band(target, now).0.title(),
        why: super::show::why(target, now),
        strategy: rollout.strategy.word(),
        phase: phase.as_str(),
        message: message.to_string(),
        revision: rollout.revision,
        images: rollout.images().map(ToString::to_string).collect(),
        pod_hash: rollout.pod_hash.to_string(),
        stable_hash: rollout.stable_hash.to_string(),
        step: rollout.current_step().map(|(index, step)| StepDto {
            number: index + 1,
            of: rollout.steps().len(),
            text: step.to_string(),
        }),
        steps: rollout.steps().iter().map(ToString::to_string).collect(),
        weight: rollout.desired_weight().map(|desired| WeightDto {
            desired,
            actual: target.actual_weight(),
            max: rollout.max_weight(),
        }),
        pauses: rollout
            .pause_conditions
            .iter()
            .map(|p| PauseDto { reason: p.reason.to_string(), since: p.start_time.to_string() })
            .collect(),
        paused_by_hand: rollout.spec_paused,
        aborted: rollout.abort,
        replicas: rollout.replicas,
        replica_sets: target.sets.iter().map(|s| set(target, s)).collect(),
        errors: super::rates::dto(world, target),
        link: query::link_of(world, &target.link).word(),
        complete: None,
        missing: None,
    }
}

fn set(target: &Target, set: &ReplicaSet) -> SetDto {
    SetDto {
        name: set.name.to_string(),
        revision: set.revision,
        pod_hash: set.pod_hash.to_string(),
        role: role(target, set),
        images: set.images.iter().map(ToString::to_string).collect(),
        desired: set.desired,
        ready: set.ready,
        available: set.available,
    }
}

/// What a ReplicaSet is to its rollout: `stable`, `canary` or nothing.
pub(super) fn role(target: &Target, set: &ReplicaSet) -> &'static str {
    if set.pod_hash == target.rollout.stable_hash {
        "stable"
    } else if set.pod_hash == target.rollout.pod_hash {
        "canary"
    } else {
        ""
    }
}

pub(super) fn outcome(act: &Act) -> OutcomeDto {
    let (ended, outcome) = act.ended.clone().unzip();
    let (rule, hint) = match &outcome {
        Some(Outcome::Refused { rule, hint, .. }) => (Some(rule.clone()), Some(hint.clone())),
        _ => (None, None),
    };
    OutcomeDto {
        api_version: API_VERSION,
        kind: "Outcome",
        act: act.id().to_string(),
        op: row(act.intent.action).verb,
        context: act.intent.context.to_string(),
        namespace: act.intent.target.namespace.to_string(),
        name: act.intent.target.name.to_string(),
        outcome: outcome.as_ref().map_or("unknown", Outcome::word),
        detail: outcome.as_ref().map_or_else(String::new, |o| o.detail().to_owned()),
        rule,
        hint,
        asked: act.asked.to_string(),
        recorded: act.recorded.map(|t| t.to_string()),
        sent: act.sent.map(|t| t.to_string()),
        accepted: act.accepted.as_ref().map(|(t, _)| t.to_string()),
        ended: ended.map(|t| t.to_string()),
        record: act.outcome_recorded.clone().and_then(Result::ok),
        not_recorded: act.outcome_recorded.clone().and_then(Result::err),
    }
}
