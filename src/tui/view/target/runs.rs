//! Analyses and experiments: what is asked, what came, and what is wrong.

use std::fmt::Write as _;

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::super::Ctx;
use super::super::words::{fit, wrap};
use crate::domain::analysis::{AnalysisRun, Experiment, Metric, RunPhase};

/// The latest values that are written out.
const VALUES: usize = 6;

pub(super) fn style(ctx: &Ctx<'_>, phase: RunPhase) -> Style {
    match phase {
        RunPhase::Successful => ctx.theme.good(),
        RunPhase::Pending | RunPhase::Running => ctx.theme.busy(),
        RunPhase::Inconclusive | RunPhase::Unknown => ctx.theme.warn(),
        RunPhase::Error | RunPhase::Failed => ctx.theme.bad(),
    }
}

/// `✓5 ✗1`, and what else there is.
fn counts(counts: &crate::domain::analysis::Counts) -> String {
    let mut text = format!("✓{} ✗{}", counts.successful, counts.failed);
    for (n, word) in [(counts.inconclusive, "inconclusive"), (counts.error, "errors")] {
        if n > 0 {
            let _ = write!(text, " {n} {word}");
        }
    }
    text
}

pub(super) fn run(ctx: &Ctx<'_>, run: &AnalysisRun, width: usize) -> Vec<Line<'static>> {
    let theme = ctx.theme;
    let age = run.started.map_or_else(|| "not begun".to_owned(), |at| ctx.age(at));
    let ends = if run.terminate && !run.phase.completed() { ", being ended" } else { "" };
    let what = match run.step_index {
        Some(index) => format!("of step {}", index + 1),
        None => run.kind.word().to_owned(),
    };
    let mut lines = vec![Line::from(vec![
        Span::styled("  analysis ", theme.dim()),
        Span::raw(format!("{what} ")),
        Span::styled(format!("{}{ends} ", run.phase), style(ctx, run.phase)),
        Span::raw(counts(&run.counts())),
        Span::styled(format!("  {age}  {}", run.name), theme.dim()),
    ])];
    if !run.message.is_empty() {
        lines.extend(indented(run.message.as_str(), width, style(ctx, run.phase)));
    }
    for metric in &run.metrics {
        lines.extend(one_metric(ctx, metric, width));
    }
    lines
}

fn indented(text: &str, width: usize, style: Style) -> Vec<Line<'static>> {
    let lines = wrap(text, width.saturating_sub(6));
    lines.into_iter().map(|text| Line::styled(format!("      {text}"), style)).collect()
}

fn one_metric(ctx: &Ctx<'_>, metric: &Metric, width: usize) -> Vec<Line<'static>> {
    let theme = ctx.theme;
    let from = metric.measurements.len().saturating_sub(VALUES);
    let values: Vec<&str> = metric.measurements[from..].iter().map(|m| m.value.as_str()).collect();
    let dry = if metric.dry_run { " (dry run)" } else { "" };
    let mut lines = vec![Line::from(vec![
        Span::raw("    "),
        Span::styled(fit(&format!("{}{dry}", metric.name), 22), theme.strong()),
        Span::styled(format!(" {} ", counts(&metric.counts)), style(ctx, metric.phase)),
        Span::raw(if values.is_empty() { "no value yet".to_owned() } else { values.join(" ") }),
    ])];
    let mut conditions = Vec::new();
    for (word, condition) in [("good if", &metric.success), ("bad if", &metric.failure)] {
        if !condition.is_empty() {
            conditions.push(format!("{word} {condition}"));
        }
    }
    if !metric.failure_limit.is_empty() && metric.failure_limit != "0" {
        conditions.push(format!("may fail {} times", metric.failure_limit));
    }
    if !conditions.is_empty() {
        lines.extend(indented(&conditions.join(", "), width, theme.dim()));
    }
    if !metric.query.is_empty() {
        let query = format!("{}: {}", metric.provider, metric.query);
        lines.extend(indented(&query, width, theme.dim()).into_iter().take(3));
    }
    let said = metric.measurements.iter().rev().find(|m| !m.message.is_empty()).map(|m| &m.message);
    for message in [Some(&metric.message), said].into_iter().flatten().filter(|m| !m.is_empty()) {
        lines.extend(indented(message.as_str(), width, style(ctx, metric.phase)));
    }
    lines
}

pub(super) fn experiment(ctx: &Ctx<'_>, experiment: &Experiment, width: usize) -> Vec<Line<'static>> {
    let theme = ctx.theme;
    let revision = experiment.revision.map_or_else(String::new, |n| format!(" of rev {n}"));
    let mut lines = vec![Line::from(vec![
        Span::styled("experiment ", theme.dim()),
        Span::styled(format!("{} ", experiment.phase), style(ctx, experiment.phase)),
        Span::styled(format!("{}{revision}", experiment.name), theme.dim()),
    ])];
    if !experiment.message.is_empty() {
        lines.extend(indented(experiment.message.as_str(), width, style(ctx, experiment.phase)));
    }
    for template in &experiment.templates {
        let fine = template.available >= template.replicas;
        lines.push(Line::from(vec![
            Span::raw(format!("  {} ", fit(template.name.as_str(), 14))),
            Span::styled(
                format!("{}/{} up  {}", template.available, template.replicas, template.status),
                if fine { theme.good() } else { theme.warn() },
            ),
        ]));
    }
    for run in &experiment.runs {
        lines.push(Line::from(vec![
            Span::styled("  analysis ", theme.dim()),
            Span::styled(format!("{} ", run.phase), style(ctx, run.phase)),
            Span::raw(run.name.to_string()),
        ]));
    }
    lines
}
