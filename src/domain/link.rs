//! The state of the connection to one outside system.

use std::fmt;

use jiff::Timestamp;
use serde::Serialize;

use super::text::Clean;

/// What a link carries.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct LinkId {
    /// The kube context (or the instance name of another system).
    pub context: Clean,
    /// The system and what is read from it, e.g. `rollouts`.
    pub what: &'static str,
    /// The namespace, where it is one among several; else empty.
    pub scope: Clean,
}

impl LinkId {
    /// A link of a whole context.
    pub fn new(context: &Clean, what: &'static str) -> Self {
        Self { context: context.clone(), what, scope: Clean::default() }
    }
}

impl fmt::Display for LinkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.context, self.what)?;
        if self.scope.is_empty() { Ok(()) } else { write!(f, " in {}", self.scope) }
    }
}

/// Where a link stands. Only [`LinkState::Live`] means that what it said is what is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "lowercase")]
pub enum LinkState {
    /// The first answer is still awaited.
    Connecting,
    /// Nothing is asked for through it: no target is open that it would tell of.
    Off,
    /// Listed, watched, heard of lately.
    Live,
    /// Failed; tried again at `until`.
    Backoff {
        /// What went wrong.
        why: Clean,
        /// How many tries failed in a row.
        tries: u32,
        /// When the next try starts.
        until: Timestamp,
    },
    /// Connected as far as we know, but silent for too long.
    Stale {
        /// The last time that anything arrived.
        since: Timestamp,
    },
    /// The other side refuses: no right, no such resource, no login. Retried slowly.
    Denied {
        /// What was refused, and the fix.
        why: Clean,
    },
}

impl LinkState {
    /// The vocabulary's word.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Off => "off",
            Self::Live => "live",
            Self::Backoff { .. } => "backoff",
            Self::Stale { .. } => "stale",
            Self::Denied { .. } => "denied",
        }
    }

    /// Whether what the link said last may be drawn as the present.
    pub const fn is_live(&self) -> bool {
        matches!(self, Self::Live)
    }
}

/// A link as the world knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Link {
    /// Which.
    pub id: LinkId,
    /// Where it stands.
    pub state: LinkState,
    /// When anything was last heard on it.
    pub heard: Option<Timestamp>,
    /// Whether a complete list has been read since the process started.
    pub listed: bool,
    /// What a person should know although it works, e.g. that only some namespaces are watched; may be empty.
    pub notice: Clean,
}
