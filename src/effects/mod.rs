//! Writes as data, and the one way in which they leave.
//!
//! A system implements [`Effector`]; it sends through [`plan::send_all`], which takes the authorisation by value,
//! sends each step once, within a deadline, and never again (invariants 1 and 5).

pub mod look;
pub mod plan;

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;

use crate::audit::Authorized;
use crate::domain::ids::TargetId;
use crate::domain::intent::Intent;
use crate::domain::outcome::Answer;
use crate::domain::prepared::{PrepareError, Prepared};
use crate::domain::rehearsal::Said;
use crate::domain::rollout::Rollout;
use crate::domain::workload::ReplicaSet;

/// How long one request may take before its answer counts as lost.
pub const SEND_DEADLINE: Duration = Duration::from_secs(10);

/// How long a fresh read may take.
pub const READ_DEADLINE: Duration = Duration::from_secs(5);

/// Called as a plan goes along; must not block.
pub type OnProgress<'a> = &'a (dyn Fn(Progress) + Send + Sync);

/// How far a plan has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// The request of step `step` (counted from 0) is about to leave.
    Sending {
        /// Which.
        step: usize,
    },
    /// Its answer.
    Answered {
        /// Which.
        step: usize,
        /// What came back.
        answer: Answer,
    },
}

/// Carries out acts on one system.
pub trait Effector: Send + Sync {
    /// Reads the target afresh, compares it with what was seen, and builds the exact requests. Writes nothing.
    fn prepare<'a>(&'a self, intent: &'a Intent) -> BoxFuture<'a, Result<Prepared, PrepareError>>;

    /// Asks the server what it would say of the first step, storing nothing ([`DryRun`]); the others rest on what that
    /// one changes. Whatever comes back, nothing has changed.
    ///
    /// [`DryRun`]: crate::domain::rehearsal::DryRun
    fn rehearse<'a>(&'a self, prepared: &'a Prepared) -> BoxFuture<'a, Vec<Said>>;

    /// Sends each step once, in order, and stops at the first that is not accepted. Returns the answers, one per
    /// step that was sent.
    fn apply<'a>(&'a self, act: Authorized<Prepared>, progress: OnProgress<'a>) -> BoxFuture<'a, Vec<Answer>>;
}

/// Reads one target afresh: for a confirmation, and to settle an act whose answer was lost.
pub trait Reader: Send + Sync {
    /// The target as the server has it now; `Ok(None)` when it is gone. Errors say what failed and the fix.
    fn read<'a>(&'a self, target: &'a TargetId) -> BoxFuture<'a, Result<Option<Arc<Rollout>>, String>>;

    /// The ReplicaSets that a rollout owns, newest revision first.
    fn sets<'a>(&'a self, rollout: &'a Rollout) -> BoxFuture<'a, Result<Vec<Arc<ReplicaSet>>, String>>;
}
