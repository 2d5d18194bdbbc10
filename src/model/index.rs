//! The engine's own bookkeeping beside the world: never cloned into a snapshot.

use std::collections::HashMap;
use std::sync::Arc;

use crate::domain::environment::EnvironmentRules;
use crate::domain::ids::{ClusterId, TargetId};
use crate::domain::text::Clean;
use crate::domain::workload::ReplicaSet;

use super::world::World;

/// A uid on a cluster.
pub(super) type Key = (ClusterId, Clean);

/// World and bookkeeping.
#[derive(Debug, Default)]
pub struct State {
    /// What the faces see.
    pub world: World,
    /// Which environment a target belongs to.
    pub(super) environments: EnvironmentRules,
    /// Rollout uid → target.
    pub(super) by_uid: HashMap<Key, TargetId>,
    /// Rollout uid → its ReplicaSets; they may arrive before their rollout.
    pub(super) sets: HashMap<Key, Vec<Arc<ReplicaSet>>>,
    /// ReplicaSet uid → rollout uid and namespace.
    pub(super) owner: HashMap<Key, (Clean, Clean)>,
}

impl State {
    /// An empty world with these environment rules.
    pub fn new(environments: EnvironmentRules) -> Self {
        Self { environments, ..Self::default() }
    }
}
