//! Words for people, the same on every verb.

use std::fmt::Write as _;
use std::sync::Arc;

use jiff::Timestamp;

use super::dto::role;
use super::output::{Fit, facts, fitted, table};
use super::{rates, release};
use crate::domain::rollout::{ActualWeight, Phase, WeightBasis};
use crate::domain::steps::Span;
use crate::domain::text::Clean;
use crate::model::{Target, World, query};

/// `40 % (want 50 %; by pods 2/5)`: actual, desired where it differs, and how the actual one is known. Of a blue-green, which
/// version has the traffic.
pub(super) fn weight(world: &World, target: &Target) -> String {
    if target.rollout.strategy.blue_green().is_some() {
        return match &target.rollout.blue_green.active {
            hash if hash.is_empty() => "-".to_owned(),
            hash => format!("live: {}", version(target, hash)),
        };
    }
    let Some(desired) = target.rollout.desired_weight() else { return "-".to_owned() };
    let Some(actual) = target.actual_weight() else { return format!("? % (want {desired} %)") };
    let known = basis(&actual);
    let old = if query::weight_is_old(world, target, &actual) { ", OLD" } else { "" };
    match actual.basis {
        WeightBasis::RouterSilent => format!("? % (want {desired} %; {known})"),
        _ if actual.weight == desired => format!("{desired} % ({known}{old})"),
        _ => format!("{} % (want {desired} %; {known}{old})", actual.weight),
    }
}

/// `rev 7`, or the hash where no number is known.
pub(super) fn version(target: &Target, hash: &Clean) -> String {
    let set = target.sets.iter().find(|set| set.pod_hash == *hash);
    set.and_then(|set| set.revision).map_or_else(|| format!("rev {hash}"), |n| format!("rev {n}"))
}

fn basis(actual: &ActualWeight) -> String {
    match actual.basis {
        WeightBasis::FullyPromoted => "all steps done".to_owned(),
        WeightBasis::NoPods => "no pods".to_owned(),
        WeightBasis::Router { verified: Some(true) } => "router, verified".to_owned(),
        WeightBasis::Router { verified: Some(false) } => "router, not confirmed".to_owned(),
        WeightBasis::Router { verified: None } => "router".to_owned(),
        WeightBasis::RouterSilent => "router silent".to_owned(),
        WeightBasis::Pods { canary, all } => format!("by pods {canary}/{all}"),
    }
}

/// `4/8`, `aborted`; of a blue-green `preview` or `active`, and `baking` once it is through.
pub(super) fn step(target: &Target, now: Timestamp) -> String {
    let rollout = &target.rollout;
    if rollout.abort && !rollout.fully_promoted() {
        return "aborted".to_owned();
    }
    if rollout.strategy.blue_green().is_some() {
        let word = match () {
            () if query::baking(target, now).is_some() => "baking",
            () if rollout.fully_promoted() || rollout.cut_over() => "active",
            () if rollout.first_release() => "first",
            () => "preview",
        };
        return word.to_owned();
    }
    let steps = rollout.steps().len();
    match rollout.current_step() {
        Some((index, _)) => format!("{}/{steps}", index + 1),
        None if steps > 0 => format!("{steps}/{steps}"),
        None => "-".to_owned(),
    }
}

/// The same, and for how long it bakes: no word for lines that are printed when something changes.
fn step_now(target: &Target, now: Timestamp) -> String {
    match (step(target, now), query::baking(target, now)) {
        (word, Some((since, _))) if word == "baking" => format!("baking {}", ago(since, now)),
        (word, _) => word,
    }
}

/// Phase and message, and what makes them doubtful.
pub(super) fn phase(world: &World, target: &Target) -> String {
    let (phase, message) = target.rollout.status();
    let link = query::link_of(world, &target.link);
    let doubt = if link.is_live() { String::new() } else { format!(" [{}]", link.word()) };
    if message.is_empty() { format!("{phase}{doubt}") } else { format!("{phase}: {message}{doubt}") }
}

/// The phase alone, and what makes it doubtful.
fn phase_word(world: &World, target: &Target) -> String {
    let (phase, _) = target.rollout.status();
    let link = query::link_of(world, &target.link);
    if link.is_live() { phase.to_string() } else { format!("{phase} [{}]", link.word()) }
}

/// Why it stands where it stands: for whom or what it waits, and since when or for how long still.
pub(super) fn why(target: &Target, now: Timestamp) -> String {
    let rollout = &target.rollout;
    let (_, text) = query::band(target, now);
    let over = target.signals.as_ref().is_some_and(|s| s.over_since.is_some() && s.is_about(rollout));
    if rollout.deleting || (over && rollout.status().0 != Phase::Degraded) {
        // How long it lasts is in the text.
        return text;
    }
    match (rollout.resumes_at(), rollout.paused_since()) {
        (Some(at), _) if at > now => format!("{text}: {} left", Span(at.as_second() - now.as_second())),
        (Some(_), _) => format!("{text}: over"),
        (None, Some(since)) => format!("{text}, {}", ago(since, now)),
        (None, None) => text,
    }
}

/// A time to the second, cut off.
pub(super) fn second(at: Timestamp) -> Timestamp {
    at.round(jiff::TimestampRound::new().smallest(jiff::Unit::Second).mode(jiff::RoundMode::Trunc)).unwrap_or(at)
}

/// How long ago.
pub(super) fn ago(then: Timestamp, now: Timestamp) -> String {
    Span(now.as_second() - then.as_second()).to_string()
}

/// These targets, most urgent first.
pub(super) fn in_order(targets: &[Arc<Target>], now: Timestamp) -> Vec<&Arc<Target>> {
    let mut targets: Vec<_> = targets.iter().collect();
    targets.sort_by_key(|t| (query::rank(t, now), t.id().clone()));
    targets
}

/// The columns of the board, and which of them go first where there is no room: names, phases and what is being waited for
/// stay; the phase is never cut, and of what it is said why only last.
const BOARD: &[&str] = &[
    "BAND", "TARGET", "ENV", "REV", "STEP", "WEIGHT", "ERRORS", "PHASE", "WHY", "PODS", "STRATEGY", "IMAGES", "CONTEXT",
];
const FIT: Fit<'static> = Fit {
    whole: &["TARGET", "ENV", "PHASE"],
    least: &[("WHY", 16)],
    drop: &["IMAGES", "STRATEGY", "PODS", "CONTEXT", "REV", "WEIGHT", "BAND", "STEP", "ERRORS", "ENV", "WHY"],
};

/// The same as a table, and which columns were left out of it.
pub(super) fn board(
    world: &World,
    targets: &[Arc<Target>],
    now: Timestamp,
    wide: bool,
    no_headers: bool,
) -> (String, Vec<&'static str>) {
    let rows = in_order(targets, now).into_iter().map(|target| {
        let mut row = vec![
            query::band(target, now).0.title().to_owned(),
            target.id().to_string(),
            target.environment.badge().to_owned(),
            target.rollout.revision.map_or_else(|| "-".to_owned(), |r| r.to_string()),
            step_now(target, now),
            weight(world, target),
            rates::cell(world, target, now),
            phase_word(world, target),
            why(target, now),
        ];
        if wide {
            let r = target.rollout.replicas;
            row.push(format!("{}/{}", r.available, r.desired));
            row.push(target.rollout.strategy.word().to_owned());
            row.push(target.rollout.images().map(Clean::as_str).collect::<Vec<_>>().join(","));
            row.push(target.context.to_string());
        }
        row
    });
    let heading = if wide { BOARD } else { &BOARD[..9] };
    fitted(heading, rows.collect(), no_headers, &FIT)
}

/// The images; of two versions side by side each with its role.
fn images(target: &Target) -> String {
    let rollout = &target.rollout;
    let list = |all: &mut dyn Iterator<Item = &Clean>| all.map(Clean::as_str).collect::<Vec<_>>().join(", ");
    let new = list(&mut rollout.images());
    let stable = target.sets.iter().find(|set| set.pod_hash == rollout.stable_hash);
    match stable.filter(|set| set.pod_hash != rollout.pod_hash && !rollout.fully_promoted()) {
        None => new,
        Some(set) => {
            let word = if rollout.abort { "aborted" } else { "new" };
            format!("{word} {new}; stable {}", list(&mut set.images.iter()))
        }
    }
}

/// One target, whole.
pub(super) fn target(world: &World, target: &Target, now: Timestamp) -> String {
    let rollout = &target.rollout;
    let mut rows = vec![
        vec!["Target:".to_owned(), format!("{} ({} on {})", target.id(), target.id().kind.as_str(), target.context)],
        vec!["Environment:".to_owned(), format!("{} ({})", target.environment, target.environment.badge())],
        vec!["Status:".to_owned(), phase(world, target)],
        vec!["Strategy:".to_owned(), rollout.strategy.word().to_owned()],
    ];
    if rollout.desired_weight().is_some() {
        rows.push(vec!["Step:".to_owned(), step_now(target, now)]);
        rows.push(vec!["Weight:".to_owned(), weight(world, target)]);
    }
    rows.extend(release::rows(target, now));
    if let Some(since) = rollout.paused_since() {
        let reasons: Vec<&str> = rollout.pause_conditions.iter().map(|p| p.reason.as_str()).collect();
        rows.push(vec!["Paused:".to_owned(), format!("{} ago ({})", ago(since, now), reasons.join(", "))]);
    }
    rows.extend(rates::rows(world, target, now));
    rows.push(vec!["Images:".to_owned(), images(target)]);
    let r = rollout.replicas;
    rows.push(vec![
        "Replicas:".to_owned(),
        format!(
            "desired {}, current {}, updated {}, ready {}, available {}",
            r.desired, r.current, r.updated, r.ready, r.available
        ),
    ]);
    let mut text = facts(&rows);
    if !rollout.steps().is_empty() {
        let aborted = rollout.abort && !rollout.fully_promoted();
        let note = if aborted { " (aborted: nothing moves until a retry or an undo)" } else { "" };
        let _ = writeln!(text, "\nSteps:{note}");
        let at = rollout.current_step().map(|(index, _)| index);
        for (index, step) in rollout.steps().iter().enumerate() {
            let mark = match at {
                _ if aborted => ' ',
                Some(at) if index == at => '>',
                Some(at) if index > at => ' ',
                _ => '+',
            };
            let _ = writeln!(text, "  {mark} {:>2}  {step}", index + 1);
        }
    }
    if !target.sets.is_empty() {
        text.push_str("\nRevisions:\n");
        let mut rows = Vec::new();
        for set in &target.sets {
            let images: Vec<&str> = set.images.iter().map(Clean::as_str).collect();
            rows.push(vec![
                format!("  {}", set.revision.map_or_else(|| "-".to_owned(), |r| r.to_string())),
                set.pod_hash.to_string(),
                role(target, set).to_owned(),
                format!("{}/{}", set.available, set.desired),
                images.join(", "),
            ]);
        }
        text.push_str(&table(&rows));
    }
    text
}

#[cfg(test)]
pub(super) use tests::of;
#[cfg(test)]
mod tests;
