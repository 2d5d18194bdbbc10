//! Which observation proves which act. Never a 200, never a condition word: only the fact that the act is for, on an
//! object version newer than the write.

mod forward;
mod marks;
mod revision;
mod stop;
#[cfg(test)]
mod tests;

use crate::domain::intent::{ActionId, Intent};
use crate::domain::outcome::Outcome;
use crate::domain::rollout::{Observed, Rollout};
use crate::domain::sight::Sight;
use crate::domain::steps::Step;

/// What is known of the write whose effect is awaited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written<'a> {
    /// The server accepted it and made this object version.
    Version(&'a str),
    /// The answer was lost; the object as it was seen before had this version.
    After(&'a str),
}

/// Looks at the target (`None` = gone) and says how the act ended, or `None` while that is open.
pub fn settle(intent: &Intent, written: Written<'_>, target: Option<Sight<'_>>) -> Option<Outcome> {
    let Some(sight) = target else {
        return Some(superseded("the rollout was deleted"));
    };
    let rollout = sight.rollout;
    if rollout.uid != intent.seen.uid {
        return Some(superseded("it was deleted and made anew"));
    }
    let (Written::Version(version) | Written::After(version)) = written;
    // These are proven by the ReplicaSet itself, which no controller has to answer for.
    if let ActionId::Hold | ActionId::Forbid | ActionId::Allow = intent.action {
        return marks::settle(intent, written, &sight);
    }
    if !newer(rollout.resource_version.as_str(), version) || rollout.observed() == Observed::Behind {
        return None;
    }
    match intent.action {
        ActionId::Resume => forward::resume(intent, rollout),
        ActionId::SkipStep => forward::skip(intent, rollout),
        ActionId::PromoteFull => forward::promote_full(intent, &sight),
        ActionId::Retry => forward::retry(intent, rollout),
        ActionId::Terminate => forward::terminate(intent, &sight),
        ActionId::Pause => Some(stop::pause(rollout)),
        ActionId::Abort => stop::abort(intent, &sight),
        ActionId::Undo => revision::undo(intent, &sight),
        ActionId::SetImage => revision::set_image(intent, &sight),
        ActionId::Restart => revision::restart(intent, rollout),
        ActionId::Hold | ActionId::Forbid | ActionId::Allow => None,
    }
}

fn superseded(what: impl Into<String>) -> Outcome {
    Outcome::Superseded { what: what.into() }
}

fn done(effect: impl Into<String>) -> Outcome {
    Outcome::Done { effect: effect.into() }
}

/// The version in flight must still be the one that was seen.
fn same_version(intent: &Intent, now: &Rollout) -> Result<(), Outcome> {
    if now.pod_hash == intent.seen.pod_hash {
        return Ok(());
    }
    Err(superseded(format!("the version changed from {} to {}", intent.seen.pod_hash, now.pod_hash)))
}

/// A version as people know it.
fn version(sight: &Sight<'_>, hash: &crate::domain::text::Clean) -> String {
    let revision = sight.set(hash).and_then(|set| set.revision);
    revision.map_or_else(|| hash.to_string(), |n| format!("rev {n}"))
}

/// Where a rollout stands, e.g. `step 3/5, pause 2m`. A step's weight is what it wants, reached or not.
pub fn whereabouts(rollout: &Rollout) -> String {
    let steps = rollout.steps().len();
    match rollout.current_step() {
        // The controller sets the step back to the first: that is where a retry begins, and not where it stands.
        Some(_) if rollout.abort => "aborted".to_owned(),
        Some((index, step @ Step::SetWeight { .. })) => format!("step {}/{steps} ({step} wanted)", index + 1),
        Some((index, step)) => format!("step {}/{steps}, {step}", index + 1),
        None if steps > 0 => format!("all {steps} steps done"),
        None => {
            let (phase, message) = rollout.status();
            if message.is_empty() { phase.to_string() } else { format!("{phase}: {message}") }
        }
    }
}

/// The same, with phase and message, each once: `step 2/5, pause 2m (Paused: CanaryPauseStep)`.
pub fn stands(rollout: &Rollout) -> String {
    let (phase, message) = rollout.status();
    let at = whereabouts(rollout);
    if rollout.steps().is_empty() {
        return at;
    }
    if message.is_empty() { format!("{at} ({phase})") } else { format!("{at} ({phase}: {message})") }
}

/// Whether resource version `a` is newer than `b`. The API server's versions are rising numbers (promised since
/// Kubernetes 1.35, true of etcd always); anything else compares as newer when it differs.
pub fn newer(a: &str, b: &str) -> bool {
    match (a.parse::<u128>(), b.parse::<u128>()) {
        (Ok(a), Ok(b)) => a > b,
        _ => a != b,
    }
}
