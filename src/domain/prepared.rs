//! An act made ready: the exact requests, and nothing that can still change.

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::intent::Intent;

/// One request, byte for byte.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WriteRequest {
    /// The HTTP method.
    pub method: &'static str,
    /// Path and query.
    pub path: String,
    /// The content type.
    pub content_type: &'static str,
    /// The body.
    pub body: String,
}

/// One step of a plan: a request with its own tests, sent once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlanStep {
    /// What it does, in the words of the screen.
    pub title: String,
    /// The request.
    pub request: WriteRequest,
}

/// An intent with the requests that carry it out, in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Prepared {
    /// The intent.
    pub intent: Intent,
    /// Its steps; at least one.
    pub steps: Vec<PlanStep>,
}

impl super::record::Digest for Prepared {
    /// Over everything that will be sent.
    fn digest(&self) -> String {
        let mut hash = Sha256::new();
        for step in &self.steps {
            for part in [step.request.method, &step.request.path, step.request.content_type, &step.request.body] {
                hash.update((part.len() as u64).to_be_bytes());
                hash.update(part.as_bytes());
            }
        }
        hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Why an act could not be made ready. Nothing was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum PrepareError {
    /// The target is not what was seen.
    Superseded {
        /// What changed.
        what: String,
    },
    /// The act does not apply to the target as it is.
    NotApplicable {
        /// Why.
        why: String,
    },
    /// The target could not be read afresh.
    Unreadable {
        /// What failed, and the fix.
        why: String,
    },
}
