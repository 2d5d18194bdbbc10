//! Who may do what, when. Pure: facts in, decision out.

mod rules;

use std::borrow::Cow;

use jiff::Timestamp;

use crate::actions::{Danger, row};
use crate::domain::decision::{Confirmation, Decision};
use crate::domain::environment::{Tier, glob};
use crate::domain::facts::{AuditState, Facts};
use crate::domain::intent::{Confirmed, Intent};
use crate::domain::text::Clean;

/// The policy settings.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Mandate {
    /// Nothing may be written.
    pub read_only: bool,
    /// Who says so, as the person can change it, e.g. `--read-only`. No part of the policy itself.
    #[serde(skip)]
    pub read_only_by: String,
    /// Acts in production need a reason.
    pub reason_in_production: bool,
    /// Images may be set in production; else a new version comes there by its pipeline only.
    pub set_image_in_production: bool,
    /// Only what stops harm may be done.
    pub stop_only: bool,
    /// Who says so. No part of the policy itself.
    #[serde(skip)]
    pub stop_only_by: String,
    /// Nothing is done without a record, not even what stops harm.
    pub audit_required: bool,
    /// Kube contexts whose server's certificate is not checked: whoever stands in between could answer for it.
    pub insecure: Vec<Clean>,
    /// Acts go there all the same.
    pub act_on_insecure: bool,
    /// What differs for some kube contexts; the first that matches.
    pub exceptions: Vec<Exception>,
}

/// What differs for the kube contexts that a pattern matches.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Exception {
    /// The pattern.
    pub context: String,
    /// As in [`Mandate`]; `None` = as everywhere.
    pub read_only: Option<bool>,
    /// As in [`Mandate`].
    #[serde(skip)]
    pub read_only_by: String,
    /// As in [`Mandate`].
    pub reason_in_production: Option<bool>,
    /// As in [`Mandate`].
    pub set_image_in_production: Option<bool>,
    /// As in [`Mandate`].
    pub stop_only: Option<bool>,
    /// As in [`Mandate`].
    #[serde(skip)]
    pub stop_only_by: String,
    /// As in [`Mandate`].
    pub audit_required: Option<bool>,
    /// As in [`Mandate`].
    pub act_on_insecure: Option<bool>,
}

impl Mandate {
    /// The policy as it holds in one kube context.
    pub fn at(&self, context: &Clean) -> Cow<'_, Self> {
        let Some(other) = self.exceptions.iter().find(|e| glob(&e.context, context.as_str())) else {
            return Cow::Borrowed(self);
        };
        let by = if other.read_only.is_some() { &other.read_only_by } else { &self.read_only_by };
        Cow::Owned(Self {
            read_only: other.read_only.unwrap_or(self.read_only),
            read_only_by: by.clone(),
            reason_in_production: other.reason_in_production.unwrap_or(self.reason_in_production),
            set_image_in_production: other.set_image_in_production.unwrap_or(self.set_image_in_production),
            stop_only: other.stop_only.unwrap_or(self.stop_only),
            stop_only_by: if other.stop_only.is_some() { &other.stop_only_by } else { &self.stop_only_by }.clone(),
            audit_required: other.audit_required.unwrap_or(self.audit_required),
            insecure: self.insecure.clone(),
            act_on_insecure: other.act_on_insecure.unwrap_or(self.act_on_insecure),
            exceptions: Vec::new(),
        })
    }
}

/// Decides on `intent`, by what holds in its context. The first rule that forbids wins; a confirmation that was given is checked, not assumed.
pub fn decide(intent: &Intent, facts: &Facts, mandate: &Mandate, now: Timestamp) -> Decision {
    if let Some(denied) = rules::first_denial(intent, facts, &mandate.at(&intent.context), now) {
        return denied;
    }
    let asked = confirmation(intent, facts);
    let given = match (&asked, &intent.confirmed) {
        // It stands for one press more, never for what is to be typed.
        (Confirmation::WithoutRecord { .. } | Confirmation::Press, Confirmed::WithoutRecord)
        | (Confirmation::Press, Confirmed::Pressed)
        | (Confirmation::Press | Confirmation::Type { .. }, Confirmed::Typed | Confirmed::Unseen) => true,
        (Confirmation::Press | Confirmation::Type { .. } | Confirmation::WithoutRecord { .. }, _) => false,
    };
    if given { Decision::Allow } else { Decision::Confirm(asked) }
}

/// How this act is to be confirmed: forward acts in production by typing their consequence, all else by one key; what
/// stops harm while no record can be written by one more.
fn confirmation(intent: &Intent, facts: &Facts) -> Confirmation {
    match (row(intent.action).danger, facts.environment.tier, &facts.audit) {
        (Danger::Stop, _, AuditState::Failed { why }) => Confirmation::WithoutRecord { why: why.clone() },
        (Danger::Forward, Tier::Production, _) => Confirmation::Type { text: facts.consequence.clone() },
        (Danger::Forward, Tier::Staging | Tier::Development, _) | (Danger::Stop, _, AuditState::Ready) => {
            Confirmation::Press
        }
    }
}

#[cfg(test)]
mod tests;
