//! Someone asking for an act on a target.

use serde::Serialize;

use super::ids::{ActId, TargetId};
use super::seen::Seen;
use super::text::Clean;

/// The acts that exist. One row of the table in `actions` each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ActionId {
    /// Clears a pause; never skips a step.
    Resume,
}

/// Who asks, and how that is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Actor {
    /// The operating system's user name.
    pub os_user: Clean,
    /// The user that the API server knows (`SelfSubjectReview`), when it was asked.
    pub kube_user: Option<Clean>,
    /// Which face the act came through: `tui`, `verb`, `guard`.
    pub face: &'static str,
}

/// An act asked for: data, not yet decided, prepared, recorded or sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Intent {
    /// Which act this is, from asking to outcome.
    pub act: ActId,
    /// What is asked for.
    pub action: ActionId,
    /// On what.
    pub target: TargetId,
    /// The label of the cluster, for records and messages.
    pub context: Clean,
    /// What the person saw.
    pub seen: Seen,
    /// Who asks.
    pub actor: Actor,
    /// Why.
    pub reason: Option<Clean>,
    /// What the person confirmed; the policy says which kind it asks for.
    pub confirmed: Confirmed,
}

/// How an intent was confirmed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Confirmed {
    /// Not at all.
    No,
    /// `y` was pressed in the box.
    Pressed,
    /// The consequence was typed in the box (or the verb was given `--yes`).
    Typed,
}
