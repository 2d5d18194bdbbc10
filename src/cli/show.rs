//! Words for people, the same on every verb.

use std::fmt::Write as _;
use std::sync::Arc;

use jiff::Timestamp;

use super::dto::role;
use super::output::{facts, headed, table};
use super::rates;
use crate::domain::rollout::{ActualWeight, WeightBasis};
use crate::domain::steps::Span;
use crate::domain::text::Clean;
use crate::model::{Target, World, query};

/// `50 → 40 % (by pods 2/5)`: desired, actual, and how the actual one is known.
pub(super) fn weight(world: &World, target: &Target) -> String {
    let Some(desired) = target.rollout.desired_weight() else { return "-".to_owned() };
    match target.actual_weight() {
        Some(actual) => {
            let old = if query::weight_is_old(world, target, &actual) { ", OLD" } else { "" };
            format!("{desired} → {} % ({}{old})", actual.weight, basis(&actual))
        }
        None => format!("{desired} → ? %"),
    }
}

fn basis(actual: &ActualWeight) -> String {
    match actual.basis {
        WeightBasis::FullyPromoted => "all steps done".to_owned(),
        WeightBasis::NoPods => "no pods".to_owned(),
        WeightBasis::Router { verified: Some(true) } => "router, verified".to_owned(),
        WeightBasis::Router { verified: Some(false) } => "router, not confirmed".to_owned(),
        WeightBasis::Router { verified: None } => "router".to_owned(),
        WeightBasis::RouterSilent => "router silent: desired only".to_owned(),
        WeightBasis::Pods { canary, all } => format!("by pods {canary}/{all}"),
    }
}

/// `4/8`.
pub(super) fn step(target: &Target) -> String {
    let steps = target.rollout.steps().len();
    match target.rollout.current_step() {
        Some((index, _)) => format!("{}/{steps}", index + 1),
        None if steps > 0 => format!("{steps}/{steps}"),
        None => "-".to_owned(),
    }
}

/// Phase and message, and what makes them doubtful.
pub(super) fn phase(world: &World, target: &Target) -> String {
    let (phase, message) = target.rollout.status();
    let link = query::link_of(world, &target.link);
    let doubt = if link.is_live() { String::new() } else { format!(" [{}]", link.word()) };
    if message.is_empty() { format!("{phase}{doubt}") } else { format!("{phase}: {message}{doubt}") }
}

/// How long ago.
pub(super) fn ago(then: Timestamp, now: Timestamp) -> String {
    Span(now.as_second() - then.as_second()).to_string()
}

/// These targets, most urgent first.
pub(super) fn board(world: &World, targets: &[Arc<Target>], now: Timestamp, wide: bool, no_headers: bool) -> String {
    let mut targets: Vec<_> = targets.iter().collect();
    targets.sort_by_key(|t| (query::rank(t, now), t.id().clone()));
    let rows = targets.into_iter().map(|target| {
        let mut row = vec![
            query::band(target, now).0.title().to_owned(),
            target.id().to_string(),
            target.environment.badge().to_owned(),
            target.rollout.revision.map_or_else(|| "-".to_owned(), |r| r.to_string()),
            step(target),
            weight(world, target),
            rates::cell(world, target, now),
            phase(world, target),
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
    let mut heading = vec!["BAND", "TARGET", "ENV", "REV", "STEP", "WEIGHT", "ERRORS", "PHASE"];
    if wide {
        heading.extend(["PODS", "STRATEGY", "IMAGES", "CONTEXT"]);
    }
    headed(&heading, rows.collect(), no_headers, &[1])
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
        rows.push(vec!["Step:".to_owned(), step(target)]);
        rows.push(vec!["Weight:".to_owned(), weight(world, target)]);
    }
    if let Some(since) = rollout.paused_since() {
        let reasons: Vec<&str> = rollout.pause_conditions.iter().map(|p| p.reason.as_str()).collect();
        rows.push(vec!["Paused:".to_owned(), format!("{} ago ({})", ago(since, now), reasons.join(", "))]);
    }
    rows.extend(rates::rows(world, target, now));
    let images: Vec<&str> = rollout.images().map(Clean::as_str).collect();
    rows.push(vec!["Images:".to_owned(), images.join(", ")]);
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
        text.push_str("\nSteps:\n");
        let at = rollout.current_step().map(|(index, _)| index);
        for (index, step) in rollout.steps().iter().enumerate() {
            let mark = match at {
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
