//! What happened to a target besides our own acts: who wrote it, and what the cluster reported.

use jiff::Timestamp;
use serde::Serialize;

use super::text::Clean;

/// One entry of `metadata.managedFields`: a writer, and when it wrote last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Manager {
    /// The field manager, e.g. `kubectl-edit`, `rollouts-controller`, `flightdeck`.
    pub manager: Clean,
    /// `Apply` or `Update`.
    pub operation: Clean,
    /// `status`, `scale`, or nothing.
    pub subresource: Clean,
    /// When it wrote last.
    pub time: Option<Timestamp>,
    /// What it owns, as short paths (`spec.template`, `spec.paused`), bounded.
    pub fields: Vec<Clean>,
}

/// A Kubernetes Event about the target or what it owns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ClusterEvent {
    /// Its uid: the same event is written again with a higher count.
    pub uid: Clean,
    /// When it happened last.
    pub at: Option<Timestamp>,
    /// `RolloutPaused`, …
    pub reason: Clean,
    /// Its text.
    pub message: Clean,
    /// Whether it is a warning.
    pub warning: bool,
    /// How often.
    pub count: i64,
    /// Who says so.
    pub source: Clean,
    /// About what, as `Kind/name`.
    pub object: Clean,
}
