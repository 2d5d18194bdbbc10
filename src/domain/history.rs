//! What the cluster itself remembers of a target: who wrote it, what was said about it, which revisions it had.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::ids::TargetId;
use super::text::Clean;

/// One entry of `metadata.managedFields`: who owns which fields, and when they last wrote.
///
/// The server keeps one entry for each manager, operation and subresource: its time is that of the *last* write, its
/// fields are all that the manager still owns. A field that was taken away leaves no trace (a pause that was cleared).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Manager {
    /// The manager's name, e.g. `kubectl-edit`, `flightdeck`.
    pub manager: Clean,
    /// `Update` or `Apply`.
    pub operation: Clean,
    /// `status`, `scale`; empty = the object itself.
    pub subresource: Clean,
    /// When it last wrote; whole seconds, by the server's clock.
    pub time: Option<Timestamp>,
    /// The fields, as paths: `spec.template.spec.containers[name=app].image`. The last may say how many more there are.
    pub fields: Vec<Clean>,
}

/// A Kubernetes Event about a target. The cluster forgets them, mostly after an hour.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClusterEvent {
    /// Its own uid: the same Event is written again with a higher count.
    pub uid: Clean,
    /// When it last happened.
    pub at: Option<Timestamp>,
    /// Its reason, e.g. `RolloutAborted`.
    pub reason: Clean,
    /// Its message.
    pub message: Clean,
    /// Whether it is a warning.
    pub warning: bool,
    /// How often it happened.
    pub count: i64,
    /// Who says so: the component.
    pub source: Clean,
    /// The instance of that component, e.g. a host.
    pub instance: Clean,
    /// The event's own name.
    pub name: Clean,
    /// What it is about: `Rollout/payments`.
    pub object: Clean,
    /// The uid of what it is about.
    pub object_uid: Clean,
}

/// A revision of a target: one of its `ReplicaSet`s.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PastRevision {
    /// Its number; it moves when an old version comes back.
    pub number: Option<i64>,
    /// When its `ReplicaSet` was made: the first time this version ran.
    pub created: Option<Timestamp>,
    /// The `ReplicaSet`.
    pub name: Clean,
    /// Its images.
    pub images: Vec<Clean>,
}

/// All of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct History {
    /// Whose.
    pub target: TargetId,
    /// The object's uid.
    pub uid: Clean,
    /// Who wrote it.
    pub managers: Vec<Manager>,
    /// What was said about it, oldest first.
    pub events: Vec<ClusterEvent>,
    /// Its revisions, newest first.
    pub revisions: Vec<PastRevision>,
    /// What could not be read, and why: the history is not complete then.
    pub unread: Vec<Clean>,
}
