//! Acts on pods: restart them, keep the old version's up.

use std::sync::Arc;

use super::Consequence;
use crate::domain::intent::Params;
use crate::domain::sight::Sight;
use crate::domain::workload::ReplicaSet;

pub(super) fn restart_applies(sight: &Sight<'_>, _: &Params) -> Result<(), String> {
    let rollout = sight.rollout;
    super::ready_for_more(rollout)?;
    if rollout.restarting() {
        return Err("a restart is under way".to_owned());
    }
    Ok(())
}

pub(super) fn restart_consequence(sight: &Sight<'_>, _: &Params) -> Consequence {
    let rollout = sight.rollout;
    let text = format!("replaces all {} pods, a few at a time", rollout.replicas.current);
    Consequence::new(text, format!("restart {}", rollout.id.name))
}

/// The ReplicaSets that the controller is about to scale down.
fn held<'a>(sight: &'a Sight<'_>) -> impl Iterator<Item = &'a Arc<ReplicaSet>> {
    sight.sets.iter().filter(|set| set.desired > 0 && set.scale_down_deadline.is_some())
}

pub(super) fn hold_applies(sight: &Sight<'_>, params: &Params) -> Result<(), String> {
    if sight.rollout.deleting {
        return Err("being deleted".to_owned());
    }
    match params {
        Params::Hold { hash, until } => {
            let set = held(sight).find(|set| set.pod_hash == *hash);
            let Some(set) = set else { return Err("that version is not up with a deadline".to_owned()) };
            if set.scale_down_deadline.is_some_and(|deadline| deadline >= *until) {
                return Err("it stays up for longer than that already".to_owned());
            }
            Ok(())
        }
        _ if held(sight).next().is_none() => Err("no old version is up with a deadline".to_owned()),
        _ => Ok(()),
    }
}

pub(super) fn hold_consequence(sight: &Sight<'_>, params: &Params) -> Consequence {
    let set = match params {
        Params::Hold { hash, .. } => held(sight).find(|set| set.pod_hash == *hash),
        _ => held(sight).next(),
    };
    let Some(set) = set else { return Consequence::default() };
    let version = super::version_of(sight, &set.pod_hash);
    let was = set.scale_down_deadline.map_or_else(String::new, |at| format!(" instead of {}", clock(at)));
    let until = match params {
        Params::Hold { until, .. } => clock(*until),
        _ => "later".to_owned(),
    };
    let text = format!("{version} stays up until {until}{was}, {}/{} ready", set.available, set.desired);
    Consequence::new(text, format!("hold {}", sight.rollout.id.name))
}

/// A time of day, UTC: pure code knows no time zone of the reader.
fn clock(at: jiff::Timestamp) -> String {
    at.strftime("%H:%M:%SZ").to_string()
}
