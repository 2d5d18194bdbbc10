//! How a target stands, who owns it, and what comes next.

use std::fmt::Write as _;

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::super::words::{field, wrap};
use super::super::{Ctx, why, words};
use crate::actions::{by_verb, row};
use crate::domain::intent::{ActionId, Params};
use crate::domain::link::LinkState;
use crate::domain::owner::GitOwner;
use crate::domain::rollout::{Observed, Phase};
use crate::model::Target;
use crate::model::query::{BAKING, baking, link_of_target, told_by};
use crate::model::rollback;

/// A label and text of several lines, all in one style.
fn said(ctx: &Ctx<'_>, name: &str, text: &str, style: Style, width: usize, lines: &mut Vec<Line<'static>>) {
    for (n, text) in wrap(text, width.saturating_sub(9)).into_iter().enumerate() {
        lines.push(field(ctx, if n == 0 { name } else { "" }, vec![Span::styled(text, style)]));
    }
}

/// A label and what it names; where that is too wide, in several lines and one style.
fn push(ctx: &Ctx<'_>, name: &str, value: Vec<Span<'static>>, width: usize, lines: &mut Vec<Line<'static>>) {
    let text: String = value.iter().map(|span| span.content.as_ref()).collect();
    let line = field(ctx, name, value);
    if line.width() <= width {
        lines.push(line);
    } else {
        said(ctx, name, &text, Style::new(), width, lines);
    }
}

/// What must be seen first.
pub(super) fn head(ctx: &Ctx<'_>, target: &Target, width: usize) -> Vec<Line<'static>> {
    let theme = ctx.theme;
    let mut lines = Vec::new();
    old(ctx, target, width, &mut lines);
    phase(ctx, target, width, &mut lines);
    if let Some(mark) = why::in_flight_mark(target) {
        said(ctx, "MARKED", &format!("not to be promoted: {mark}"), theme.bad(), width, &mut lines);
    }
    for run in ctx.left_unfinished(Some(target.id())) {
        said(ctx, "plan", &format!("left unfinished: {}", run.plan.title), theme.warn(), width, &mut lines);
    }
    lines
}

/// Version, pods, owner.
pub(super) fn facts(ctx: &Ctx<'_>, target: &Target, width: usize) -> Vec<Line<'static>> {
    let theme = ctx.theme;
    let rollout = &target.rollout;
    let mut lines = Vec::new();
    let mut version = vec![Span::raw(words::version(target))];
    if let Some(revision) = rollout.revision {
        version.push(Span::styled(format!("  revision {revision}, {}", rollout.pod_hash), theme.dim()));
    }
    push(ctx, "version", version, width, &mut lines);
    let r = rollout.replicas;
    let mut pods = vec![Span::raw(format!("{} wanted", r.desired))];
    for (count, word) in [(r.current, "there"), (r.updated, "updated"), (r.ready, "ready"), (r.available, "available")]
    {
        let style = if word == "available" && count < r.desired { theme.warn() } else { Style::new() };
        pods.push(Span::styled(format!(", {count} {word}"), style));
    }
    if rollout.restarting() {
        pods.push(Span::styled(", restarting one after another", theme.busy()));
    }
    push(ctx, "pods", pods, width, &mut lines);
    owner(ctx, target, width, &mut lines);
    lines
}

/// Whether what stands below is what is.
fn old(ctx: &Ctx<'_>, target: &Target, width: usize, lines: &mut Vec<Line<'static>>) {
    let link = link_of_target(ctx.world, target);
    if matches!(link, LinkState::Live) {
        return;
    }
    let heard = told_by(ctx.world, target).and_then(|l| l.heard);
    let since = heard.map_or_else(String::new, |heard| format!(": this was true {} ago", ctx.age(heard)));
    let text = format!("NOT LIVE ({}){since}", words::off(&link));
    lines.extend(wrap(&text, width).into_iter().map(|text| Line::styled(text, ctx.theme.bad())));
}

fn phase(ctx: &Ctx<'_>, target: &Target, width: usize, lines: &mut Vec<Line<'static>>) {
    let theme = ctx.theme;
    let rollout = &target.rollout;
    let (phase, message) = rollout.status();
    let mut text = phase.as_str().to_owned();
    if rollout.deleting {
        text = format!("being deleted ({text})");
    }
    if let Some(since) = rollout.paused_since() {
        let _ = write!(text, " for {}", ctx.age(since));
    }
    if let Some((since, until)) = baking(target, ctx.now) {
        ctx.wake(until);
        let _ = write!(text, ", baking {} of {}m", ctx.age(since), BAKING.as_mins());
    }
    if rollout.spec_paused {
        text.push_str(if phase == Phase::Paused { " by hand (spec.paused)" } else { ", paused by hand (spec.paused)" });
    }
    let said_already = rollout.spec_paused && message == "manually paused";
    if !message.is_empty() && !said_already {
        let _ = write!(text, "  {message}");
    }
    said(ctx, "phase", &text, theme.phase(phase).patch(theme.strong()), width, lines);
    if let Some(deadline) = why::gives_up(ctx, rollout) {
        let text = format!("the controller {deadline}: pods do not come");
        said(ctx, "due", &text, theme.warn(), width, lines);
    }
    if rollout.observed() == Observed::Behind {
        lines.push(Line::styled("the controller has not seen the latest spec yet", theme.warn()));
    }
}

/// Who else writes the spec, where its template is, how far a rollback is quick.
fn owner(ctx: &Ctx<'_>, target: &Target, width: usize, lines: &mut Vec<Line<'static>>) {
    let rollout = &target.rollout;
    let mut text = match &rollout.owner {
        GitOwner::Unknown => "unknown: nothing on it names one".to_owned(),
        owner => owner.to_string(),
    };
    if let Some(reference) = &rollout.workload_ref {
        let _ = write!(text, "; template from {reference}");
        let read = reference.generation.map(|generation| generation.to_string());
        if read.is_some_and(|read| !reference.observed.is_empty() && read != reference.observed.as_str()) {
            text.push_str(" (not yet seen by the controller)");
        }
    }
    if let Some(window) = rollout.rollback_window {
        let _ = write!(text, "; rollback window {}", words::count(usize::try_from(window).unwrap_or(0), "revision"));
    }
    said(ctx, "owner", &text, ctx.theme.dim(), width, lines);
}

/// What comes next by itself or by a person, and how to get back.
pub(super) fn what_next(ctx: &Ctx<'_>, target: &Target, width: usize) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    let rollout = &target.rollout;
    let sight = target.sight();
    if let Some(resume) = by_verb("resume").filter(|resume| (resume.applies)(&sight, &Params::None).is_ok()) {
        let next = (resume.consequence)(&sight, &Params::None).text;
        let when = match rollout.resumes_at() {
            Some(at) if at > ctx.now => format!(" in {}, unless someone acts", ctx.left(at)),
            Some(_) => ", now".to_owned(),
            None => ", once someone resumes it".to_owned(),
        };
        said(ctx, "next", &format!("{next}{when}"), Style::new(), width, &mut lines);
    }
    let abort = row(ActionId::Abort);
    if (abort.applies)(&sight, &Params::None).is_ok() {
        let text = (abort.consequence)(&sight, &Params::None).text;
        said(ctx, "abort", &text, Style::new(), width, &mut lines);
    } else if !rollout.fully_promoted() || baking(target, ctx.now).is_some() {
        let (text, style) = match rollback::plan(target, None, ctx.now) {
            Ok(plan) => (format!("{}: {}", plan.goal.word(), plan.way), Style::new()),
            Err(why) => (why, ctx.theme.dim()),
        };
        said(ctx, "back", &text, style, width, &mut lines);
    }
    lines
}
