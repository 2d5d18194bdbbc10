//! Which observation proves which act. Never a 200, never a condition word: only the fact that the act is for, on an
//! object version newer than the write.

use crate::domain::intent::{ActionId, Intent};
use crate::domain::outcome::Outcome;
use crate::domain::rollout::{Observed, Phase, Rollout};

/// What is known of the write whose effect is awaited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written<'a> {
    /// The server accepted it and made this object version.
    Version(&'a str),
    /// The answer was lost; the object as it was seen before had this version.
    After(&'a str),
}

/// Looks at the target (`None` = gone) and says how the act ended, or `None` while that is open.
pub fn settle(intent: &Intent, written: Written<'_>, target: Option<&Rollout>) -> Option<Outcome> {
    let Some(rollout) = target else {
        return Some(Outcome::Superseded { what: "the rollout was deleted".to_owned() });
    };
    if rollout.uid != intent.seen.uid {
        return Some(Outcome::Superseded { what: "it was deleted and made anew".to_owned() });
    }
    let (Written::Version(version) | Written::After(version)) = written;
    if !newer(rollout.resource_version.as_str(), version) {
        return None;
    }
    match intent.action {
        ActionId::Resume => resume(intent, rollout),
    }
}

fn resume(intent: &Intent, now: &Rollout) -> Option<Outcome> {
    let seen = &intent.seen;
    if now.abort && !seen.abort {
        return Some(Outcome::Superseded { what: "it was aborted meanwhile".to_owned() });
    }
    if now.pod_hash != seen.pod_hash {
        return Some(Outcome::Superseded {
            what: format!("the version changed from {} to {}", seen.pod_hash, now.pod_hash),
        });
    }
    if now.observed() == Observed::Behind {
        return None;
    }
    if now.spec_paused && seen.spec_paused != now.spec_paused {
        return Some(Outcome::Superseded { what: "it was paused by hand meanwhile".to_owned() });
    }
    let (phase, message) = now.status();
    if seen.pause_conditions.is_empty() {
        let running = !now.spec_paused && (phase != Phase::Paused || !now.pause_conditions.is_empty());
        return (seen.spec_paused && running).then(|| Outcome::Done { effect: whereabouts(now) });
    }
    let moved = now.step_index > seen.step_index || now.fully_promoted();
    let blue_green_runs = now.steps().is_empty() && now.pause_conditions.is_empty() && !now.controller_pause;
    if moved || blue_green_runs {
        return Some(Outcome::Done { effect: whereabouts(now) });
    }
    if !now.pause_conditions.is_empty() && now.pause_conditions != seen.pause_conditions {
        return Some(Outcome::NoEffect { why: format!("paused again: {message}") });
    }
    None
}

/// Where a rollout stands, e.g. `step 3/5, weight 50 %`.
pub fn whereabouts(rollout: &Rollout) -> String {
    let steps = rollout.steps().len();
    match rollout.current_step() {
        Some((index, step)) => format!("step {}/{steps}, {step}", index + 1),
        None if steps > 0 => format!("all {steps} steps done"),
        None => {
            let (phase, message) = rollout.status();
            if message.is_empty() { phase.to_string() } else { format!("{phase}, {message}") }
        }
    }
}

/// Whether resource version `a` is newer than `b`. The API server's versions are rising numbers (promised since
/// Kubernetes 1.35, true of etcd always); anything else compares as newer when it differs.
pub fn newer(a: &str, b: &str) -> bool {
    match (a.parse::<u128>(), b.parse::<u128>()) {
        (Ok(a), Ok(b)) => a > b,
        _ => a != b,
    }
}

#[cfg(test)]
mod tests;
