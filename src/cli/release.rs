//! What `get` says of a release besides its steps: which versions have the Services, what runs, what ends by itself.

use jiff::Timestamp;

use super::show::{ago, version};
use crate::domain::rollout::Rollout;
use crate::domain::steps::Span;
use crate::model::{Target, query};

/// The rows of one target's page.
pub(super) fn rows(target: &Target, now: Timestamp) -> Vec<Vec<String>> {
    let row = |name: &str, text: String| vec![name.to_owned(), text];
    let rollout = &target.rollout;
    let mut rows = Vec::new();
    if rollout.strategy.blue_green().is_some() {
        rows.push(row("Stage:", stage(target, now)));
        let services = [("Active:", &rollout.blue_green.active), ("Preview:", &rollout.blue_green.preview)];
        for (name, hash) in services.into_iter().filter(|(_, hash)| !hash.is_empty()) {
            let ready = target.sets.iter().find(|set| set.pod_hash == *hash);
            let ready = ready.map_or_else(String::new, |set| format!(", {}/{} available", set.available, set.desired));
            rows.push(row(name, format!("{} ({hash}){ready}", version(target, hash))));
        }
    }
    for set in target.sets.iter().filter(|set| set.desired > 0) {
        if let Some(at) = set.scale_down_deadline {
            // After an abort it is the new version that goes.
            let whose = if set.pod_hash == rollout.pod_hash { "New pods:" } else { "Old pods:" };
            rows.push(row(whose, format!("{} goes at {at} ({})", version(target, &set.pod_hash), left(at, now))));
        }
    }
    if let Some((since, until)) = query::baking(target, now) {
        rows.push(row("Baking:", format!("for {}, until {until} ({})", ago(since, now), left(until, now))));
    }
    let running = rollout.runs().filter(|(_, run)| !run.phase.completed());
    rows.extend(running.map(|(what, run)| row("Analysis:", format!("{what} {}: {}", run.name, run.phase))));
    rows
}

fn left(at: Timestamp, now: Timestamp) -> String {
    match at.as_second() - now.as_second() {
        ..=0 => "now".to_owned(),
        seconds => format!("in {}", Span(seconds)),
    }
}

/// Where a blue-green stands, and what it waits for.
fn stage(target: &Target, now: Timestamp) -> String {
    let rollout = &target.rollout;
    let word = super::show::step(target, now);
    match word.as_str() {
        "preview" => format!("preview{}", waits(rollout, now)),
        "active" if rollout.cut_over() => {
            "active: the live traffic is on it, it is not the stable version yet".to_owned()
        }
        _ => word,
    }
}

fn waits(rollout: &Rollout, now: Timestamp) -> String {
    match rollout.resumes_at() {
        Some(at) => format!(": promotes itself {}", left(at, now)),
        None if rollout.pause_conditions.is_empty() => String::new(),
        None => ": waits for a person, resume promotes it".to_owned(),
    }
}
