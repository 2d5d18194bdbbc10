//! Verbs. [`TABLE`] has one row per act; keys, footer, help, command-line verbs, confirmations and docs derive from it.

mod forward;
mod marks;
mod pods;
mod resume;
mod revision;
mod stop;
mod table;
#[cfg(test)]
mod tests;

pub use revision::{undo_way, within_window};
pub use table::{Action, Consequence, Danger, Needs, TABLE, by_key, by_verb, row};

use crate::domain::rollout::{Observed, Rollout};
use crate::domain::sight::Sight;

/// What forbids every act that moves a release.
fn ready_for_more(rollout: &Rollout) -> Result<(), String> {
    if rollout.deleting {
        return Err("being deleted".to_owned());
    }
    if rollout.observed() == Observed::Behind {
        return Err("the controller has not seen the latest spec yet".to_owned());
    }
    Ok(())
}

/// A version as people know it: `rev 7`, or its hash.
fn version_of(sight: &Sight<'_>, hash: &crate::domain::text::Clean) -> String {
    let revision = sight.set(hash).and_then(|set| set.revision);
    revision.map_or_else(|| hash.to_string(), |n| format!("rev {n}"))
}

/// How much of a version is up: `10/10 ready`; nothing where its ReplicaSet is not known.
fn readiness(sight: &Sight<'_>, hash: &crate::domain::text::Clean) -> String {
    sight
        .set(hash)
        .map_or_else(String::new, |set| format!(", {}/{} ready", set.available, sight.rollout.replicas.desired))
}
