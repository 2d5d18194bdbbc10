//! Acts that change the template: undo and set image.

use super::{Consequence, ready_for_more, share, version_of};
use crate::domain::image::check;
use crate::domain::intent::Params;
use crate::domain::rollout::{BlueGreen, Strategy};
use crate::domain::sight::Sight;
use crate::domain::text::Clean;

pub(super) fn undo_applies(sight: &Sight<'_>, params: &Params) -> Result<(), String> {
    let rollout = sight.rollout;
    ready_for_more(rollout)?;
    match params {
        Params::Revision { hash, .. } if *hash == rollout.pod_hash => {
            Err("that revision is in the spec already".to_owned())
        }
        Params::Revision { hash, revision } => match sight.set(hash) {
            Some(_) => Ok(()),
            None => Err(format!(
                "revision {} is not there any more",
                revision.map_or_else(|| hash.to_string(), |n| n.to_string())
            )),
        },
        _ if sight.sets.iter().all(|set| set.pod_hash == rollout.pod_hash) => {
            Err("there is no other revision".to_owned())
        }
        _ => Ok(()),
    }
}

pub(super) fn undo_consequence(sight: &Sight<'_>, params: &Params) -> Consequence {
    let Params::Revision { hash, revision } = params else { return Consequence::default() };
    let version = version_of(sight, hash);
    let typed = revision.map_or_else(|| format!("rev {hash}"), |n| format!("rev {n}"));
    Consequence::new(format!("{version}'s template comes back: {}", way(sight, hash, false)), typed)
}

/// What the controller makes of the template of `hash`: `rollout/sync.go`, `rollout/bluegreen.go`, protocol reference 2.7.4.
/// As the first step of a plan that promotes what waits at a preview.
pub fn plan_way(sight: &Sight<'_>, hash: &Clean) -> String {
    way(sight, hash, true)
}

fn way(sight: &Sight<'_>, hash: &Clean, promoted: bool) -> String {
    let rollout = sight.rollout;
    let set = sight.set(hash);
    let desired = rollout.replicas.desired;
    let up = set.is_some_and(|set| set.available >= desired && desired > 0);
    let ready = set.map_or_else(String::new, |set| share(set.available, desired));
    match &rollout.strategy {
        Strategy::Canary(_) if *hash == rollout.stable_hash => {
            let when = if follows_pods(sight) { "as its pods start" } else { "at once" };
            format!("back to stable {when}, all steps skipped, {ready}")
        }
        Strategy::Canary(_) if within_window(sight, hash) => {
            format!("within the rollback window: steps and analyses skipped, {ready}")
        }
        Strategy::Canary(canary) if canary.steps.is_empty() => format!("a rolling update, {ready}"),
        Strategy::Canary(canary) => format!("a canary of its own, with all {} steps", canary.steps.len()),
        Strategy::BlueGreen(_) if within_window(sight, hash) => {
            format!("within the rollback window: pause and analyses skipped once its pods are up, {ready}")
        }
        Strategy::BlueGreen(blue_green) => {
            let slow = preview_way(blue_green, promoted);
            let kept = set.is_some_and(|set| set.scale_down_deadline.is_some() || *hash == rollout.stable_hash);
            match (set, smaller_preview(rollout, hash)) {
                // It is fast only with as many pods as a preview has, and by then the deadline is taken off (the same place).
                (Some(set), Some(preview)) if set.available > preview => {
                    let up = share(set.available, desired);
                    format!(
                        "its preview has {preview} of {desired} pods: it is scaled down to that first ({up} now), then it {slow}"
                    )
                }
                // The controller's fast way is open for one look of its own only (protocol reference 2.7.4).
                (Some(set), None) if up && kept => {
                    let up = share(set.available, desired);
                    format!(
                        "its pods are up ({up}): the traffic moves at once if they still are when the controller looks; else it {slow}"
                    )
                }
                _ => format!("its pods must start ({ready}), then it {slow}"),
            }
        }
        Strategy::None => "no strategy is declared".to_owned(),
    }
}

/// Whether the traffic goes back to a canary's stable version only as pods of it start: without a router it is spread over
/// the pods that there are, and with `dynamicStableScale` the weight follows them (`rollout/canary.go`,
/// `rollout/trafficrouting.go`; seen on v1.10.1).
pub fn follows_pods(sight: &Sight<'_>) -> bool {
    let Some(canary) = sight.rollout.strategy.canary() else { return false };
    let missing = sight.stable_set().is_some_and(|set| set.available < sight.rollout.replicas.desired);
    (canary.router.is_none() || canary.dynamic_stable_scale) && missing
}

/// How many pods a version has at a blue-green's preview, where they are fewer than all: what comes back is scaled to that
/// first. The version that has the live traffic is at no preview.
pub fn smaller_preview(rollout: &crate::domain::rollout::Rollout, hash: &Clean) -> Option<i64> {
    let preview = rollout.strategy.blue_green().filter(|_| rollout.blue_green.active != *hash)?.preview_replicas;
    preview.filter(|preview| *preview < rollout.replicas.desired)
}

/// What a blue-green does with a version that does not go live at once.
fn preview_way(blue_green: &BlueGreen, promoted: bool) -> &'static str {
    match (blue_green.pre_promotion, blue_green.promotes_itself_after(), promoted) {
        (true, None, true) => {
            "goes through the preview and the pre-promotion analysis, and the plan promotes it when that is over"
        }
        (true, None, false) => "goes through the preview and the pre-promotion analysis, and waits there for a person",
        (true, Some(_), _) => "goes through the preview and the pre-promotion analysis",
        (false, None, true) => "waits at the preview until the plan promotes it",
        (false, None, false) => "waits at the preview",
        (false, Some(_), _) => "goes through the preview",
    }
}

/// `rollbackWindow.revisions`: the wanted ReplicaSet is older than the stable one, with fewer than that many between them.
pub fn within_window(sight: &Sight<'_>, hash: &Clean) -> bool {
    let Some(window) = sight.rollout.rollback_window else { return false };
    let created = |set: Option<&std::sync::Arc<crate::domain::workload::ReplicaSet>>| set.and_then(|set| set.created);
    let (Some(wanted), Some(stable)) = (created(sight.set(hash)), created(sight.stable_set())) else { return false };
    let between = sight.sets.iter().filter(|set| set.created.is_some_and(|at| at > wanted && at < stable)).count();
    wanted < stable && i64::try_from(between).unwrap_or(i64::MAX) < window
}

pub(super) fn image_applies(sight: &Sight<'_>, params: &Params) -> Result<(), String> {
    let rollout = sight.rollout;
    ready_for_more(rollout)?;
    let Params::Image { container, image } = params else { return Ok(()) };
    check(image.as_str()).map_err(|why| format!("that is no image: {why}"))?;
    // What a workloadRef names is read when the act is made ready.
    if rollout.workload_ref.is_some() {
        return Ok(());
    }
    match rollout.containers.iter().find(|c| c.name == *container) {
        Some(found) if found.image == *image => Err(format!("container {container} runs that image already")),
        Some(_) => Ok(()),
        None => {
            let names: Vec<&str> = rollout.containers.iter().map(|c| c.name.as_str()).collect();
            Err(format!("there is no container {container}; it has {}", names.join(", ")))
        }
    }
}

pub(super) fn image_consequence(sight: &Sight<'_>, params: &Params) -> Consequence {
    let Params::Image { container, image } = params else { return Consequence::default() };
    let nothing_in_flight = sight.rollout.fully_promoted() || sight.rollout.first_release();
    let replaced = if nothing_in_flight { "" } else { "; the release in flight is given up" };
    let (_, tag) = image.as_str().rsplit_once([':', '@']).unwrap_or(("", image.as_str()));
    let typed = tag.chars().rev().take(12).collect::<Vec<_>>().into_iter().rev().collect::<String>();
    Consequence::new(format!("a new release with {container} = {image}{replaced}"), typed)
}
