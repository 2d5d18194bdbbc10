//! A dry run of an act: everything up to the server's own checks, and nothing changed.
//!
//! It is no act. It has no record, no [`super::outcome::Act`] and no [`super::outcome::Answer`]: nothing that judges acts
//! can take it for one.

use super::intent::Intent;
use super::outcome::Outcome;
use super::prepared::{PlanStep, WriteRequest};

/// One request as it is sent for a dry run. Only [`DryRun::of`] makes one, and it always says `dryRun=All`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DryRun(WriteRequest);

impl DryRun {
    /// The dry run of a step.
    pub fn of(step: &PlanStep) -> Self {
        let request = step.request.clone();
        let joint = if request.path.contains('?') { '&' } else { '?' };
        Self(WriteRequest { path: format!("{}{joint}dryRun=All", request.path), ..request })
    }

    /// The request. The server checks it as the real one (rights, tests, schema, admission) and stores nothing.
    pub fn request(self) -> WriteRequest {
        self.0
    }
}

/// What the server said of one step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// It would take it.
    WouldAccept,
    /// A test would not hold: the target is not what was seen.
    WouldNotMatch(String),
    /// It would refuse it: a right, the schema, an admission webhook.
    WouldReject(String),
    /// It did not say. Nothing has changed whatever it did.
    NoAnswer(String),
    /// It was not asked: the step rests on what the one before it changes.
    NotAsked,
}

/// What came of a dry run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rehearsal {
    /// What was asked for.
    pub intent: Intent,
    /// The steps with what was said of each; none where it did not get that far.
    pub steps: Vec<(PlanStep, Said)>,
    /// How the act would end before its effect is waited for; `None` = it would be accepted.
    pub end: Option<Outcome>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dry_run_always_says_so() {
        for path in ["/apis/x", "/apis/x?fieldManager=flightdeck"] {
            let request = WriteRequest { method: "PATCH", path: path.into(), content_type: "", body: String::new() };
            let dry = DryRun::of(&PlanStep { title: String::new(), request }).request();
            let (place, query) = dry.path.split_once('?').expect("a query");
            assert_eq!(place, "/apis/x");
            assert!(query.split('&').any(|pair| pair == "dryRun=All"), "{query}");
        }
    }
}
