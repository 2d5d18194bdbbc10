//! What `watch` and `wait` tell programs besides targets.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::dto::{API_VERSION, LinkDto};
use crate::domain::ids::TargetId;
use crate::domain::link::Link;

/// A target that is not there any more.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct TargetGone {
    api_version: &'static str,
    kind: &'static str,
    namespace: String,
    name: String,
}

/// A link whose state changed.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct LinkChanged {
    api_version: &'static str,
    kind: &'static str,
    #[serde(flatten)]
    link: LinkDto,
}

/// A sign of life.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Heartbeat {
    api_version: &'static str,
    kind: &'static str,
    at: String,
    /// Whether every link is live: then what was printed last is what is.
    live: bool,
    /// How many targets are known.
    targets: usize,
}

/// How the waiting ended.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Waited {
    api_version: &'static str,
    kind: &'static str,
    /// What was waited for, as it was written.
    condition: String,
    /// Whether all targets got there.
    met: bool,
    targets: Vec<WaitedFor>,
}

/// How the waiting for one target ended.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct WaitedFor {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) met: bool,
    /// Where it stands.
    pub(super) said: String,
}

pub(super) fn gone(id: &TargetId) -> TargetGone {
    let (namespace, name) = (id.namespace.to_string(), id.name.to_string());
    TargetGone { api_version: API_VERSION, kind: "TargetGone", namespace, name }
}

pub(super) fn link(link: &Link) -> LinkChanged {
    LinkChanged { api_version: API_VERSION, kind: "Link", link: super::dto::link(link) }
}

pub(super) fn heartbeat(at: Timestamp, live: bool, targets: usize) -> Heartbeat {
    Heartbeat { api_version: API_VERSION, kind: "Heartbeat", at: at.to_string(), live, targets }
}

pub(super) fn waited(condition: String, met: bool, targets: Vec<WaitedFor>) -> Waited {
    Waited { api_version: API_VERSION, kind: "Waited", condition, met, targets }
}
