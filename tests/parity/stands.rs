//! Where a rollout stands, in one line, without what differs from run to run.

use std::fmt::Write as _;

use flightdeck::domain::rollout::{ActualWeight, Observed, WeightBasis};
use flightdeck::domain::text::Clean;
use flightdeck::domain::workload::ReplicaSet;
use flightdeck::model::Target;
use serde_json::Value;

/// A version as the script knows it.
pub(super) fn tag(set: &ReplicaSet) -> &str {
    let image = set.images.first().map_or("", |image| image.as_str());
    image.rsplit_once(':').map_or("?", |(_, tag)| tag)
}

/// Versions by their tags in the place of their hashes, and `NAME` for the rollout's own name.
pub(super) fn plain_hashes(text: &str, target: &Target) -> String {
    let mut text = text.to_owned();
    for set in target.sets.iter().filter(|set| !set.pod_hash.is_empty()) {
        text = text.replace(set.pod_hash.as_str(), tag(set));
    }
    text.replace(target.id().name.as_str(), "NAME")
}

fn basis(have: &ActualWeight) -> String {
    let by = match &have.basis {
        WeightBasis::Router { .. } => "by router".to_owned(),
        WeightBasis::RouterSilent => "router silent".to_owned(),
        WeightBasis::Pods { canary, all } => format!("by pods {canary}/{all}"),
        WeightBasis::FullyPromoted => "all".to_owned(),
        WeightBasis::NoPods => "no pods".to_owned(),
    };
    format!("{} {by}", have.weight)
}

/// Where a rollout stands, in one line.
pub(super) fn stands(target: &Target, runs: &[Value]) -> String {
    let rollout = &*target.rollout;
    let (phase, message) = rollout.status();
    let mut text = format!("{phase}");
    if !message.is_empty() {
        let _ = write!(text, " {:?}", message.as_str());
    }
    if let Some(index) = rollout.step_index {
        let _ = write!(text, " step {index}/{}", rollout.steps().len());
    }
    if let Some(weight) = rollout.desired_weight() {
        let have = target.actual_weight().map_or_else(|| "?".to_owned(), |have| basis(&have));
        let _ = write!(text, " weight {weight} have {have}");
    }
    for pause in &rollout.pause_conditions {
        let _ = write!(text, " [{}]", pause.reason);
    }
    for (is, word) in [
        (rollout.controller_pause && rollout.pause_conditions.is_empty(), "controller-pause"),
        (rollout.spec_paused, "by-hand"),
        (rollout.abort, "abort"),
        (rollout.aborted_at.is_some(), "aborted-at"),
        (rollout.promote_full, "promote-full"),
        (rollout.restarting(), "restarting"),
        (rollout.deleting, "deleting"),
        (rollout.observed() == Observed::Behind, "behind"),
    ] {
        if is {
            let _ = write!(text, " {word}");
        }
    }
    let name_of = |hash: &Clean| {
        let set = target.sets.iter().find(|set| set.pod_hash == *hash);
        set.map_or_else(|| if hash.is_empty() { "none" } else { "?" }, |set| tag(set))
    };
    let _ = write!(text, " | new {} stable {}", name_of(&rollout.pod_hash), name_of(&rollout.stable_hash));
    if rollout.strategy.blue_green().is_some() {
        let roles = &rollout.blue_green;
        let _ = write!(text, " active {} preview {}", name_of(&roles.active), name_of(&roles.preview));
    }
    let r = rollout.replicas;
    let _ = write!(text, " pods {}/{}/{}/{}", r.desired, r.current, r.updated, r.available);
    let mut sets: Vec<_> = target.sets.iter().collect();
    sets.sort_by_key(|set| (set.revision, tag(set).to_owned()));
    for set in sets {
        let revision = set.revision.map_or_else(|| "?".to_owned(), |n| n.to_string());
        let _ = write!(text, " | {} rev {revision} {}/{}", tag(set), set.available, set.desired);
        if set.scale_down_deadline.is_some() {
            text.push_str(" deadline");
        }
    }
    // Rollout, hash, revision and what it is for: the hash is another one on each side.
    let short = |run: &Value| {
        let name = run["metadata"]["name"].as_str().unwrap_or_default();
        name.splitn(3, '-').nth(2).unwrap_or(name).to_owned()
    };
    let mut runs: Vec<&Value> = runs.iter().collect();
    runs.sort_by_key(|run| short(run));
    for run in runs {
        let name = short(run);
        let said = |field: &str| run["status"][field].as_str().unwrap_or_default();
        let _ = write!(text, " | run {name} {}", said("phase"));
        if !said("message").is_empty() {
            let _ = write!(text, " {:?}", said("message"));
        }
    }
    plain_hashes(&text, target)
}
