//! Who may do what, when. Pure: facts in, decision out.

mod rules;

use jiff::Timestamp;

use crate::actions::{Danger, row};
use crate::domain::decision::{Confirmation, Decision};
use crate::domain::environment::Tier;
use crate::domain::facts::{AuditState, Facts};
use crate::domain::intent::{Confirmed, Intent};
use crate::domain::text::Clean;

/// The policy settings.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Mandate {
    /// Nothing may be written.
    pub read_only: bool,
    /// Why, as the person can change it, e.g. `--read-only`.
    pub read_only_by: &'static str,
    /// Acts in production need a reason.
    pub reason_in_production: bool,
    /// Images may be set in production; else a new version comes there by its pipeline only.
    pub set_image_in_production: bool,
    /// Nothing is done without a record, not even what stops harm.
    pub audit_required: bool,
    /// Kube contexts whose server's certificate is not checked: whoever stands in between could answer for it.
    pub insecure: Vec<Clean>,
    /// Acts go there all the same.
    pub act_on_insecure: bool,
}

/// Decides on `intent`. The first rule that forbids wins; a confirmation that was given is checked, not assumed.
pub fn decide(intent: &Intent, facts: &Facts, mandate: &Mandate, now: Timestamp) -> Decision {
    if let Some(denied) = rules::first_denial(intent, facts, mandate, now) {
        return denied;
    }
    let asked = confirmation(intent, facts);
    let given = match (&asked, &intent.confirmed) {
        // It stands for one press more, never for what is to be typed.
        (Confirmation::WithoutRecord { .. } | Confirmation::Press, Confirmed::WithoutRecord)
        | (Confirmation::Press, Confirmed::Pressed | Confirmed::Typed)
        | (Confirmation::Type { .. }, Confirmed::Typed) => true,
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
