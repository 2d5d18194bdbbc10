//! Whose error rates are wanted, and how often.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::Role;
use crate::domain::ids::TargetId;
use crate::domain::text::Clean;

/// How often a target's rates are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Pace {
    /// Somebody looks at this target alone.
    Focused,
    /// It is being released, or was just now.
    Moving,
    /// It is somewhere on a screen.
    Visible,
    /// Nobody looks.
    Idle,
}

impl Pace {
    /// The time from one reading to the next.
    pub const fn every(self) -> Duration {
        Duration::from_secs(match self {
            Self::Focused => 5,
            Self::Moving => 15,
            Self::Visible => 30,
            Self::Idle => 120,
        })
    }
}

/// One version that is asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// What it is to its target.
    pub role: Role,
    /// Its pod-template hash.
    pub pod_hash: Clean,
    /// The name of its ReplicaSet.
    pub replica_set: Clean,
    /// The Service that leads to it, where the rollout names one.
    pub service: Option<Clean>,
    /// Ask about the windows that ended then, instead of those that end now.
    pub until: Option<Timestamp>,
}

/// One target whose error rates are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The kube context that it is read through.
    pub context: Clean,
    /// How often.
    pub pace: Pace,
    /// The version in question.
    pub subject: Question,
    /// What it is compared with.
    pub reference: Option<Question>,
}

/// Everything that is wanted.
pub type Interest = BTreeMap<TargetId, Wanted>;
