//! What a rollout owns: ReplicaSets and Pods, as far as a release needs them.

use jiff::Timestamp;
use serde::Serialize;

use super::text::Clean;

/// The annotation on a ReplicaSet that forbids to promote its revision; its value is the reason. On the ReplicaSet because the
/// controller copies a Rollout's annotations around and leaves a ReplicaSet's alone.
pub const DO_NOT_PROMOTE: &str = "flightdeck.dev/do-not-promote";

/// An `apps/v1` ReplicaSet owned by a rollout.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReplicaSet {
    /// Its namespace.
    pub namespace: Clean,
    /// Its name, `<rollout>-<hash>`.
    pub name: Clean,
    /// Its uid.
    pub uid: Clean,
    /// The uid of the rollout that controls it.
    pub owner_uid: Clean,
    /// The version of the object that said this.
    pub resource_version: Clean,
    /// Label `rollouts-pod-template-hash`: the stable identity of a revision.
    pub pod_hash: Clean,
    /// Annotation `rollout.argoproj.io/revision`. Numbers move on an undo; the hash does not.
    pub revision: Option<i64>,
    /// The images of its containers, in order.
    pub images: Vec<Clean>,
    /// `spec.replicas`.
    pub desired: i64,
    /// `status.replicas`.
    pub current: i64,
    /// `status.readyReplicas`.
    pub ready: i64,
    /// `status.availableReplicas`.
    pub available: i64,
    /// When it was created.
    pub created: Option<Timestamp>,
    /// Annotation `scale-down-deadline`: when the controller scales it to zero.
    pub scale_down_deadline: Option<Timestamp>,
    /// Annotation [`DO_NOT_PROMOTE`]: why this revision must not be promoted.
    pub do_not_promote: Option<Clean>,
}

/// A Pod of the focused target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Pod {
    /// Its namespace.
    pub namespace: Clean,
    /// Its name.
    pub name: Clean,
    /// Its uid.
    pub uid: Clean,
    /// Label `rollouts-pod-template-hash`.
    pub pod_hash: Clean,
    /// The status in the words of `kubectl get pods`, e.g. `Running`, `CrashLoopBackOff`, `Terminating`.
    pub status: Clean,
    /// Ready containers.
    pub ready: u32,
    /// Containers.
    pub containers: u32,
    /// Restarts of all containers.
    pub restarts: u64,
    /// When it was created.
    pub created: Option<Timestamp>,
}
