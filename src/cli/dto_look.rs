//! What the verbs that look closer tell programs.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::dto::{API_VERSION, role};
use crate::domain::history::ClusterEvent;
use crate::domain::ids::TargetId;
use crate::model::Target;
use crate::runtime::handle::{DiffLine, LogLine, Revision, TemplateDiff};

/// `yaml`
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct YamlDto {
    api_version: &'static str,
    kind: &'static str,
    text: String,
}

/// `diff`
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct DiffDto {
    api_version: &'static str,
    kind: &'static str,
    from: String,
    to: String,
    /// Whether nothing differs but the label with the hash.
    same: bool,
    lines: Vec<DiffLine>,
}

/// `history`
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct HistoryDto {
    api_version: &'static str,
    kind: &'static str,
    namespace: String,
    name: String,
    revisions: Vec<RevisionDto>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct RevisionDto {
    revision: Option<i64>,
    hash: String,
    role: &'static str,
    images: Vec<String>,
    created: Option<Timestamp>,
    desired: i64,
    available: i64,
    /// Whether its pods are wanted: going back to it is quick then.
    up: bool,
    scale_down_at: Option<Timestamp>,
    /// Why nobody is to promote it.
    do_not_promote: Option<String>,
    /// Its former numbers, oldest first.
    former: Vec<i64>,
}

/// `events`
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct EventsDto<'a> {
    api_version: &'static str,
    kind: &'static str,
    namespace: String,
    name: String,
    events: &'a [ClusterEvent],
}

/// A line of `logs`
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct LogLineDto<'a> {
    api_version: &'static str,
    kind: &'static str,
    #[serde(flatten)]
    line: &'a LogLine,
}

pub(super) fn yaml(text: String) -> YamlDto {
    YamlDto { api_version: API_VERSION, kind: "Yaml", text }
}

pub(super) fn diff(diff: TemplateDiff) -> DiffDto {
    let (from, to) = (diff.from.to_string(), diff.to.to_string());
    DiffDto { api_version: API_VERSION, kind: "Diff", from, to, same: diff.lines.is_empty(), lines: diff.lines }
}

pub(super) fn history(target: &Target, revisions: &[Revision]) -> HistoryDto {
    HistoryDto {
        api_version: API_VERSION,
        kind: "History",
        namespace: target.id().namespace.to_string(),
        name: target.id().name.to_string(),
        revisions: revisions.iter().map(|one| revision(target, one)).collect(),
    }
}

fn revision(target: &Target, one: &Revision) -> RevisionDto {
    let set = &one.set;
    RevisionDto {
        revision: set.revision,
        hash: set.pod_hash.to_string(),
        role: role(target, set),
        images: set.images.iter().map(ToString::to_string).collect(),
        created: set.created,
        desired: set.desired,
        available: set.available,
        up: set.desired > 0,
        scale_down_at: set.scale_down_deadline,
        do_not_promote: set.do_not_promote.as_ref().map(ToString::to_string),
        former: one.former.clone(),
    }
}

pub(super) fn events<'a>(id: &TargetId, events: &'a [ClusterEvent]) -> EventsDto<'a> {
    let (namespace, name) = (id.namespace.to_string(), id.name.to_string());
    EventsDto { api_version: API_VERSION, kind: "Events", namespace, name, events }
}

pub(super) fn log_line(line: &LogLine) -> LogLineDto<'_> {
    LogLineDto { api_version: API_VERSION, kind: "LogLine", line }
}
