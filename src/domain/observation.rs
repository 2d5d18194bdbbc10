//! What the systems tell the engine.

use std::sync::Arc;

use jiff::Timestamp;

use super::ids::{ClusterId, TargetId};
use super::link::{LinkId, LinkState};
use super::rollout::Rollout;
use super::signal::Signals;
use super::text::Clean;
use super::workload::{Pod, ReplicaSet};

/// One thing learnt.
#[derive(Clone, Debug)]
pub enum Observation {
    /// Which cluster a context leads to.
    Cluster {
        /// The kube context.
        context: Clean,
        /// The cluster's identity.
        cluster: ClusterId,
    },
    /// A link changed its state.
    Link {
        /// Which.
        id: LinkId,
        /// Its state now.
        state: LinkState,
    },
    /// Something arrived on a link that changed nothing (a bookmark): it is alive.
    Heard {
        /// Which.
        id: LinkId,
    },
    /// All rollouts that a link sees, at once: what is missing is gone.
    Rollouts {
        /// Which link listed them.
        id: LinkId,
        /// The cluster.
        cluster: ClusterId,
        /// All of them.
        all: Vec<Arc<Rollout>>,
    },
    /// A rollout as it is now.
    Rollout {
        /// Which link said so.
        id: LinkId,
        /// The rollout.
        rollout: Arc<Rollout>,
    },
    /// A rollout is gone.
    RolloutGone {
        /// Which link said so.
        id: LinkId,
        /// Which rollout.
        target: TargetId,
    },
    /// All ReplicaSets that a link sees, at once.
    ReplicaSets {
        /// Which link listed them.
        id: LinkId,
        /// The cluster.
        cluster: ClusterId,
        /// All of them.
        all: Vec<Arc<ReplicaSet>>,
    },
    /// A ReplicaSet as it is now.
    ReplicaSet {
        /// Which link said so.
        id: LinkId,
        /// The cluster.
        cluster: ClusterId,
        /// The ReplicaSet.
        set: Arc<ReplicaSet>,
    },
    /// A ReplicaSet is gone.
    ReplicaSetGone {
        /// Which link said so.
        id: LinkId,
        /// The cluster.
        cluster: ClusterId,
        /// Its uid.
        uid: Clean,
    },
    /// The pods of the focused target, all of them; `None` when nobody looks any more.
    Pods {
        /// Which link said so.
        id: LinkId,
        /// Whose.
        target: TargetId,
        /// All of them, by name.
        all: Option<Vec<Pod>>,
    },
    /// A target's error rates, as they were read.
    Signals {
        /// Which link said so.
        id: LinkId,
        /// Whose.
        target: TargetId,
        /// The rates.
        signals: Arc<Signals>,
    },
    /// An object that could not be read; shown, never fatal (invariant 10).
    Malformed {
        /// Which link said so.
        id: LinkId,
        /// Which object, as well as it can be named.
        object: Clean,
        /// What is wrong with it.
        why: Clean,
    },
}

/// An observation with the time it arrived.
#[derive(Clone, Debug)]
pub struct Arrived {
    /// When.
    pub at: Timestamp,
    /// What.
    pub what: Observation,
}
