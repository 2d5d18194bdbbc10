//! Nouns. Plain data that every room may speak of: no I/O, no async, no clock.
//!
//! Text that came from outside is [`text::Clean`] from here on: the decoders make it once, at the boundary,
//! and nothing that reaches a terminal or a log line can hold a control character (invariant 8).

pub mod analysis;
pub mod decision;
pub mod environment;
pub mod facts;
#[cfg(test)]
pub(crate) mod fixture;
pub mod history;
pub mod ids;
pub mod image;
pub mod intent;
pub mod link;
pub mod nearest;
pub mod observation;
pub mod outcome;
pub mod owner;
pub mod permissions;
pub mod plan;
pub mod prepared;
pub mod record;
pub mod rehearsal;
pub mod rollout;
pub mod seen;
pub mod sight;
pub mod signal;
pub mod steps;
pub mod strategy;
pub mod text;
pub mod weight;
pub mod workload;
