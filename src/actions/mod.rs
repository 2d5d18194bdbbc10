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

pub use revision::{follows_pods, plan_way, smaller_preview, within_window};
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

/// `3/10 ready`; more than are wanted, while a version is scaled down, are no share of them.
pub fn share(available: i64, wanted: i64) -> String {
    if available > wanted {
        format!("{available} ready, {wanted} wanted")
    } else {
        format!("{available}/{wanted} ready")
    }
}

/// How much of a version is up: `10/10 ready`; nothing where its ReplicaSet is not known. A preview of fewer pods is scaled
/// up before it gets traffic.
fn readiness(sight: &Sight<'_>, hash: &crate::domain::text::Clean) -> String {
    let rollout = sight.rollout;
    let desired = rollout.replicas.desired;
    let Some(set) = sight.set(hash) else { return String::new() };
    if revision::smaller_preview(rollout, hash).is_some() && *hash == rollout.pod_hash && set.available < desired {
        return format!(": it is scaled from {} to {desired} first", set.available);
    }
    format!(", {}", share(set.available, desired))
}
