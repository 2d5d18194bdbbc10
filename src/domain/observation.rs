//! What the systems tell the engine.

use std::sync::Arc;

use jiff::Timestamp;

use super::analysis::{AnalysisRun, Experiment};
use super::history::{ClusterEvent, Manager};
use super::ids::{ClusterId, TargetId};
use super::link::{LinkId, LinkState};
use super::permissions::Permissions;
use super::rollout::Rollout;
use super::signal::Signals;
use super::text::Clean;
use super::workload::{Pod, ReplicaSet};

/// What is only watched for the focused target. Each is the whole truth of its kind.
#[derive(Clone, Debug)]
pub enum Detail {
    /// Its AnalysisRuns, newest first.
    Runs(Option<Vec<AnalysisRun>>),
    /// Its Experiments, newest first.
    Experiments(Option<Vec<Experiment>>),
    /// Events about it, newest first.
    Events(Option<Vec<ClusterEvent>>),
    /// Who wrote it.
    Managers(Option<Vec<Manager>>),
}

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
    /// Something about the focused target; `None` in it when nobody looks any more.
    Detail {
        /// Which link said so.
        id: LinkId,
        /// Whose.
        target: TargetId,
        /// What.
        detail: Detail,
    },
    /// Which target a `focus` link reads every few seconds; `None` when none of its cluster is looked at.
    Focused {
        /// Which link.
        id: LinkId,
        /// Which target.
        target: Option<TargetId>,
    },
    /// A link is not used any more: what it said goes with it.
    LinkGone {
        /// Which.
        id: LinkId,
    },
    /// What the user may do in a namespace.
    Permissions {
        /// The kube context.
        context: Clean,
        /// The namespace.
        namespace: Clean,
        /// The answers.
        permissions: Permissions,
    },
    /// How far the server's clock (its `Date` header) is ahead of ours, in milliseconds; its header counts whole seconds.
    Clock {
        /// The kube context.
        context: Clean,
        /// The difference.
        ahead_ms: i64,
    },
    /// Something that a person should know about a link that works all the same, e.g. that only some namespaces are
    /// watched; an empty text takes it back.
    Notice {
        /// Which link.
        id: LinkId,
        /// In one line.
        text: Clean,
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
