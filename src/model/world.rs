//! The world: a persistent map, cheap to clone, handed to the faces as a snapshot.

use std::sync::Arc;

use imbl::{OrdMap, OrdSet, Vector};
use jiff::Timestamp;
use serde::Serialize;

use crate::domain::analysis::{AnalysisRun, Experiment};
use crate::domain::environment::Environment;
use crate::domain::facts::AuditState;
use crate::domain::history::{ClusterEvent, Manager};
use crate::domain::ids::{ActId, ClusterId, TargetId};
use crate::domain::link::{Link, LinkId};
use crate::domain::outcome::Act;
use crate::domain::permissions::Permissions;
use crate::domain::plan::PlanRun;
use crate::domain::rollout::{ActualWeight, Rollout};
use crate::domain::sight::Sight;
use crate::domain::signal::Signals;
use crate::domain::text::Clean;
use crate::domain::workload::{Pod, ReplicaSet};

/// The most warnings kept; the oldest go first.
pub const MAX_WARNINGS: usize = 200;

/// The most ended acts kept for the screen; the audit log keeps them all.
pub const MAX_ENDED_ACTS: usize = 200;

/// One target, joined from all that is known of it.
#[derive(Clone, Debug)]
pub struct Target {
    /// The rollout.
    pub rollout: Arc<Rollout>,
    /// The kube context it was read through: the cluster's label.
    pub context: Clean,
    /// Its environment.
    pub environment: Environment,
    /// Its ReplicaSets, newest revision first.
    pub sets: Vec<Arc<ReplicaSet>>,
    /// Its pods, while it is focused.
    pub pods: Option<Arc<Vec<Pod>>>,
    /// Its error rates; `None` = none were read (not configured, not wanted yet).
    pub signals: Option<Arc<Signals>>,
    /// Its AnalysisRuns, newest first, while it is focused.
    pub runs: Option<Arc<Vec<AnalysisRun>>>,
    /// Its Experiments, newest first, while it is focused.
    pub experiments: Option<Arc<Vec<Experiment>>>,
    /// Kubernetes Events about it, newest first, while it is focused.
    pub events: Option<Arc<Vec<ClusterEvent>>>,
    /// Who wrote it, while it is focused.
    pub managers: Option<Arc<Vec<Manager>>>,
    /// The link that it is read through.
    pub link: LinkId,
    /// When the rollout last changed here.
    pub changed: Timestamp,
}

impl PartialEq for Target {
    /// Two snapshots share what did not change, and telling them apart looks at dozens of targets for each that did:
    /// the same one is known by its place in memory, not by reading it.
    fn eq(&self, other: &Self) -> bool {
        if std::ptr::eq(self, other) {
            return true;
        }
        let Self {
            rollout,
            context,
            environment,
            sets,
            pods,
            signals,
            runs,
            experiments,
            events,
            managers,
            link,
            changed,
        } = self;
        *rollout == other.rollout
            && *context == other.context
            && *environment == other.environment
            && *sets == other.sets
            && *pods == other.pods
            && *signals == other.signals
            && *runs == other.runs
            && *experiments == other.experiments
            && *events == other.events
            && *managers == other.managers
            && *link == other.link
            && *changed == other.changed
    }
}

impl Target {
    /// Its identity.
    pub fn id(&self) -> &TargetId {
        &self.rollout.id
    }

    /// What acts are judged by.
    pub fn sight(&self) -> Sight<'_> {
        self.sight_of(&self.rollout)
    }

    /// The same, with a rollout that was read afresh.
    pub fn sight_of<'a>(&'a self, rollout: &'a Rollout) -> Sight<'a> {
        Sight { rollout, sets: &self.sets, runs: self.runs.as_ref().map(|runs| runs.as_slice()) }
    }

    /// The ReplicaSet with this pod-template hash.
    pub fn set(&self, pod_hash: &Clean) -> Option<&Arc<ReplicaSet>> {
        self.sets.iter().find(|set| !pod_hash.is_empty() && set.pod_hash == *pod_hash)
    }

    /// The ReplicaSet of the version that is being released.
    pub fn canary_set(&self) -> Option<&Arc<ReplicaSet>> {
        self.set(&self.rollout.pod_hash)
    }

    /// The ReplicaSet of the stable version.
    pub fn stable_set(&self) -> Option<&Arc<ReplicaSet>> {
        self.set(&self.rollout.stable_hash)
    }

    /// The weight that the canary has now, and how that is known.
    pub fn actual_weight(&self) -> Option<ActualWeight> {
        self.rollout.actual_weight(self.canary_set().map(|set| set.available))
    }
}

/// Something that could not be read, or otherwise deserves a look.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Warning {
    /// When it was last seen.
    pub at: Timestamp,
    /// Which link it came by.
    pub link: LinkId,
    /// Which object.
    pub object: Clean,
    /// What is wrong.
    pub why: Clean,
}

/// The audit log, as the screen shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AuditView {
    /// Whether it takes records.
    pub state: AuditState,
    /// How many records it holds.
    pub records: u64,
    /// The time of the last.
    pub last: Option<Timestamp>,
    /// Intents of processes that ended without writing an outcome.
    pub open_intents: u64,
    /// Records that are in no log yet: kept in memory, written late.
    pub late: u64,
}

/// The world.
#[derive(Clone, Debug)]
pub struct World {
    /// Rises with every published change.
    pub version: u64,
    /// Which cluster each context leads to.
    pub clusters: OrdMap<Clean, ClusterId>,
    /// The links.
    pub links: OrdMap<LinkId, Link>,
    /// The targets.
    pub targets: OrdMap<TargetId, Arc<Target>>,
    /// Acts under way and the latest that ended, oldest first.
    pub acts: Vector<Arc<Act>>,
    /// Plans under way and the latest that ended, oldest first.
    pub plans: Vector<Arc<PlanRun>>,
    /// Plans that a process left unfinished when it died: they can be gone on with.
    pub open_plans: Vector<Arc<PlanRun>>,
    /// What the user may do, by context and namespace.
    pub permissions: OrdMap<(Clean, Clean), Permissions>,
    /// Contexts whose server left a question about the focused target unanswered, until anything is heard of them: a watch
    /// cannot know for a minute, and whoever looks elsewhere must not be told that all is live.
    pub unanswered: OrdSet<Clean>,
    /// Which target each `focus` link reads.
    pub focused: OrdMap<LinkId, TargetId>,
    /// How far each context's server clock is ahead of ours, in milliseconds.
    pub clocks: OrdMap<Clean, i64>,
    /// Warnings, oldest first, one per object.
    pub warnings: Vector<Warning>,
    /// The audit log.
    pub audit: AuditView,
    /// What a person should know of the configuration: an error in a file, what needs another start.
    pub configuration: Vector<Clean>,
}

impl Default for World {
    fn default() -> Self {
        Self {
            version: 0,
            clusters: OrdMap::new(),
            links: OrdMap::new(),
            targets: OrdMap::new(),
            acts: Vector::new(),
            plans: Vector::new(),
            open_plans: Vector::new(),
            permissions: OrdMap::new(),
            unanswered: OrdSet::new(),
            focused: OrdMap::new(),
            clocks: OrdMap::new(),
            warnings: Vector::new(),
            audit: AuditView { state: AuditState::Ready, records: 0, last: None, open_intents: 0, late: 0 },
            configuration: Vector::new(),
        }
    }
}

impl World {
    /// The act with this id.
    pub fn act(&self, id: &ActId) -> Option<&Arc<Act>> {
        self.acts.iter().rev().find(|act| act.id() == id)
    }

    /// The act under way on `target`.
    pub fn running_act(&self, target: &TargetId) -> Option<&Arc<Act>> {
        self.acts.iter().rev().find(|act| act.running() && act.intent.target == *target)
    }

    /// The plan with this id.
    pub fn plan(&self, id: &str) -> Option<&Arc<PlanRun>> {
        self.plans.iter().rev().find(|run| run.plan.id == id)
    }

    /// The latest act on `target`.
    pub fn last_act(&self, target: &TargetId) -> Option<&Arc<Act>> {
        self.acts.iter().rev().find(|act| act.intent.target == *target)
    }
}
