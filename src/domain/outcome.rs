//! What became of an act.

use jiff::Timestamp;
use serde::Serialize;

use super::ids::ActId;
use super::intent::Intent;

/// The end of an act.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum Outcome {
    /// Its effect was seen on an object version newer than the write.
    Done {
        /// What was seen.
        effect: String,
    },
    /// It was accepted, but its effect did not come in time.
    NoEffect {
        /// What is there instead.
        why: String,
    },
    /// The target is no longer what was seen: someone else was first.
    Superseded {
        /// What changed.
        what: String,
    },
    /// The policy or the audit log said no. Nothing was sent.
    Refused {
        /// The rule.
        rule: String,
        /// Why.
        why: String,
        /// What to do about it.
        hint: String,
    },
    /// It could not be made ready, or the server said no. Nothing changed.
    Failed {
        /// What failed, and the fix.
        why: String,
    },
    /// The request left and its answer was lost, or the process ended between: it may or may not have happened.
    Unknown {
        /// What is known.
        why: String,
    },
}

impl Outcome {
    /// The vocabulary's word, as it stands in records and on screen.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Done { .. } => "done",
            Self::NoEffect { .. } => "no effect",
            Self::Superseded { .. } => "superseded",
            Self::Refused { .. } => "refused",
            Self::Failed { .. } => "failed",
            Self::Unknown { .. } => "unknown",
        }
    }

    /// What there is to say besides the word.
    pub fn detail(&self) -> &str {
        match self {
            Self::Done { effect } => effect,
            Self::Superseded { what } => what,
            Self::NoEffect { why } | Self::Refused { why, .. } | Self::Failed { why } | Self::Unknown { why } => why,
        }
    }
}

/// How far an act has come; each with its time, so that the screen can say how long each step took.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Act {
    /// What was asked.
    pub intent: Intent,
    /// When it was asked.
    pub asked: Timestamp,
    /// When its intent was durable on disk.
    pub recorded: Option<Timestamp>,
    /// When its (last) request left.
    pub sent: Option<Timestamp>,
    /// When the server accepted it, and the object version that the write made.
    pub accepted: Option<(Timestamp, String)>,
    /// When and how it ended.
    pub ended: Option<(Timestamp, Outcome)>,
    /// Whether the outcome is in the audit log (a failure to write it is shown, never hidden).
    pub outcome_recorded: Option<Result<u64, String>>,
}

impl Act {
    /// Its id.
    pub fn id(&self) -> &ActId {
        &self.intent.act
    }

    /// Whether it is still under way.
    pub fn running(&self) -> bool {
        self.ended.is_none()
    }
}

/// What one request came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// 2xx, with the object's new resource version.
    Accepted {
        /// `metadata.resourceVersion` of the answer.
        resource_version: String,
    },
    /// A `test` failed or the version was stale: the target is not what was seen.
    PreconditionFailed {
        /// The server's words.
        message: String,
    },
    /// The server said no.
    Rejected {
        /// Status, the server's words, the fix.
        message: String,
    },
    /// No answer that can be trusted: the deadline passed, the connection broke, or a proxy spoke for the server.
    Lost {
        /// What happened.
        why: String,
    },
}
