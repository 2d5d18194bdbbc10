//! What a decision rests on besides the intent itself. `model::query` fills it.

use serde::Serialize;

use super::environment::Environment;
use super::link::LinkState;
use super::permissions::Right;

/// Whether the audit log takes records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "lowercase")]
pub enum AuditState {
    /// It does.
    Ready,
    /// It does not.
    Failed {
        /// Why, and the fix.
        why: String,
    },
}

/// The facts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Facts {
    /// Whether the act applies to the target as last seen; why not, else.
    pub applies: Result<(), String>,
    /// What a person types to confirm it where typing is asked for, e.g. the weight that follows.
    pub consequence: String,
    /// The target's environment.
    pub environment: Environment,
    /// The link that the target is read through.
    pub link: LinkState,
    /// Whether another act of this process is under way on the same target.
    pub in_flight: Option<String>,
    /// Whether the audit log takes records.
    pub audit: AuditState,
    /// Rights that the act needs and that the server says are missing. They advise; the server itself decides.
    pub missing_rights: Vec<Right>,
    /// Why the version that the act would promote must not be promoted, if someone said so.
    pub do_not_promote: Option<String>,
    /// The error rates, where the version that the act is about was last measured over its limit.
    pub over_limit: Option<String>,
}
