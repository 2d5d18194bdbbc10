//! What the policy says to an intent.

use serde::Serialize;

/// How a person confirms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "confirm", rename_all = "kebab-case")]
pub enum Confirmation {
    /// One press of `y`.
    Press,
    /// The consequence, typed.
    Type {
        /// What to type.
        text: String,
    },
    /// One more press of `y`: the audit log takes no records, and this act stops harm.
    WithoutRecord {
        /// Why it takes none.
        why: String,
    },
}

/// A decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "decision", rename_all = "kebab-case")]
pub enum Decision {
    /// It may go ahead.
    Allow,
    /// It may go ahead once a person confirmed in this way.
    Confirm(Confirmation),
    /// It may not.
    Deny {
        /// The rule that forbids it.
        rule: &'static str,
        /// Why, in one line.
        why: String,
        /// What to do about it.
        hint: String,
    },
}
