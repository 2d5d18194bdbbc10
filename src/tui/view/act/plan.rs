//! Plans: the rollback box, an act on several targets, and how far a plan has come.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::super::Ctx;
use super::super::words::{count, fit, popup, popup_width, wrap};
use super::confirm::{audit, errors, missing};
use super::prompt::{self, label, labelled, refused};
use super::{stages, title};
use crate::domain::decision::{Confirmation, Decision};
use crate::domain::plan::{OnFailure, PlanRun, StageState};
use crate::model::Target;
use crate::model::settle::whereabouts;
use crate::tui::group::Group;
use crate::tui::rollback::{Made, Ready, Rollback};
use crate::tui::state::{Popup, State};

pub(in crate::tui::view) fn rollback(ctx: &Ctx<'_>, rollback: &Rollback, area: Rect, buffer: &mut Buffer) {
    let Some(target) = ctx.world.targets.get(&rollback.target) else {
        popup(ctx, Line::raw(" gone "), &[Line::raw("It is no longer there. esc closes.")], area, buffer);
        return;
    };
    let width = popup_width(area);
    let theme = ctx.theme;
    let mut lines = Vec::new();
    match &rollback.made {
        Made::Reading => lines.push(Line::styled("reading it afresh …", theme.busy())),
        Made::Not(why) => {
            lines.extend(wrap(why, width).into_iter().map(|text| Line::styled(text, theme.warn())));
            lines.push(Line::from(vec![
                Span::styled("p", theme.key()),
                Span::raw(" picks a revision; "),
                Span::styled("esc closes, nothing was sent", theme.dim()),
            ]));
        }
        Made::Ready(ready) => {
            plan_lines(ctx, ready, target, rollback.picked.is_some(), width, &mut lines);
            lines.push(Line::raw(""));
            match &ready.decision {
                Decision::Deny { rule, why, hint } => {
                    refused(ctx, (rule, why, hint), width, &mut lines);
                    lines.push(Line::styled("esc closes", theme.dim()));
                }
                Decision::Confirm(asked) => {
                    prompt::lines(ctx, &rollback.prompt, asked, "roll back", width, &mut lines);
                }
                Decision::Allow => {
                    prompt::lines(ctx, &rollback.prompt, &Confirmation::Press, "roll back", width, &mut lines);
                }
            }
            lines.push(Line::from(vec![
                Span::styled("F2", theme.key()),
                Span::styled(" picks another revision", theme.dim()),
            ]));
        }
    }
    popup(ctx, title(ctx, "roll back", target), &lines, area, buffer);
}

fn plan_lines(
    ctx: &Ctx<'_>,
    ready: &Ready,
    target: &Target,
    picked: bool,
    width: usize,
    lines: &mut Vec<Line<'static>>,
) {
    let by = if picked { "picked" } else { "the last good version" };
    labelled(ctx, "from", &whereabouts(&ready.rollout), width, lines);
    labelled(ctx, "to", &format!("{} ({by}); {}", ready.plan.goal.word(), ready.plan.way), width, lines);
    for (n, stage) in ready.plan.stages.iter().enumerate() {
        let head = format!("step {}", n + 1);
        labelled(ctx, &head, &stage.title, width, lines);
    }
    for note in &ready.plan.notes {
        for (n, text) in wrap(note, width.saturating_sub(8)).into_iter().enumerate() {
            let head = if n == 0 { "note" } else { "" };
            lines.push(Line::from(vec![
                Span::styled(fit(head, 8), ctx.theme.dim()),
                Span::styled(text, ctx.theme.warn()),
            ]));
        }
    }
    errors(ctx, target, width, lines);
    audit(ctx, lines);
    missing(ctx, &ready.missing, width, lines);
}

pub(in crate::tui::view) fn group(ctx: &Ctx<'_>, group: &mut Group, area: Rect, buffer: &mut Buffer) {
    let width = popup_width(area);
    let theme = ctx.theme;
    let verb = group.verb();
    let mut rows = Vec::new();
    for (n, member) in group.members.iter().enumerate() {
        let (sign, text, style) = match member.leads_to() {
            Ok(text) => ("→", text, ratatui::style::Style::new()),
            Err(why) => ("✗", why, theme.dim()),
        };
        let head = format!("{:>2} {} {sign} ", n + 1, fit(&member.name, (width * 2 / 5).clamp(16, 36)));
        let room = width.saturating_sub(unicode_width::UnicodeWidthStr::width(head.as_str()));
        for (line, text) in wrap(&text, room).into_iter().take(2).enumerate() {
            let head = if line == 0 { head.clone() } else { " ".repeat(width - room) };
            rows.push(Line::styled(format!("{head}{text}"), style));
        }
    }
    let mut foot = vec![Line::raw("")];
    let then = match group.on_failure {
        OnFailure::Stop => "stop at the first that does not end well",
        OnFailure::GoOn => "go on with the rest all the same",
    };
    foot.push(Line::from(vec![
        Span::styled(fit("in turn", 8), theme.dim()),
        Span::raw(then),
        Span::styled("  ← → changes that", theme.dim()),
    ]));
    audit(ctx, &mut foot);
    if !group.read_all() {
        foot.push(Line::styled("reading them afresh …", theme.busy()));
    } else if group.count() == 0 {
        foot.push(Line::styled("none of them can: nothing is sent; esc closes", theme.warn()));
    } else {
        let verb = format!("{verb} {} of {}", group.count(), group.members.len());
        prompt::lines(ctx, &group.prompt, &group.asked(), &verb, width, &mut foot);
    }
    let room = usize::from(area.height).saturating_sub(2 + foot.len()).max(1);
    group.scroll = group.scroll.min(rows.len().saturating_sub(room));
    let more = rows.len() > room;
    let mut lines: Vec<Line<'static>> = rows.into_iter().skip(group.scroll).take(room).collect();
    if more {
        foot[0] = Line::styled("PgDn PgUp: there are more", theme.dim());
    }
    lines.extend(foot);
    let title = format!(" {verb} · {} ", count(group.members.len(), "marked target"));
    popup(ctx, Line::styled(title, theme.strong()), &lines, area, buffer);
}

/// How far a plan has come: every step with its own outcome.
pub(in crate::tui::view) fn progress(ctx: &Ctx<'_>, state: &mut State, area: Rect, buffer: &mut Buffer) {
    let Some(Popup::Progress(id, scroll)) = &mut state.popup else { return };
    let width = popup_width(area);
    let Some(run) = ctx.world.plan(id) else {
        popup(ctx, Line::raw(" plan "), &[Line::styled("handing it over …", ctx.theme.busy())], area, buffer);
        return;
    };
    let lines = run_lines(ctx, run, width);
    let room = usize::from(area.height).saturating_sub(2);
    *scroll = (*scroll).min(lines.len().saturating_sub(room));
    let shown: Vec<Line<'static>> = lines.into_iter().skip(*scroll).collect();
    let title = fit(&format!(" {} ", run.plan.title), (width + 2).min(run.plan.title.chars().count() + 2));
    popup(ctx, Line::styled(title, ctx.theme.strong()), &shown, area, buffer);
}

fn run_lines(ctx: &Ctx<'_>, run: &PlanRun, width: usize) -> Vec<Line<'static>> {
    let theme = ctx.theme;
    let mut lines = Vec::new();
    for (n, (stage, state)) in run.plan.stages.iter().zip(&run.stages).enumerate() {
        let (sign, style) = match state {
            StageState::Waiting => ("○", theme.dim()),
            StageState::Running { .. } => ("▸", theme.busy()),
            StageState::Ended { outcome, .. } if outcome.word() == "done" => ("✓", theme.good()),
            StageState::Ended { outcome, .. } => ("✗", theme.outcome(outcome.word())),
            StageState::LeftOut { .. } => ("–", theme.dim()),
        };
        for (line, text) in wrap(&stage.title, width.saturating_sub(6)).into_iter().enumerate() {
            let head = if line == 0 { format!("{sign} {:>2}  ", n + 1) } else { " ".repeat(6) };
            lines.push(Line::from(vec![Span::styled(head, style), Span::styled(text, theme.strong())]));
        }
        let said = match state {
            StageState::Waiting => None,
            StageState::Running { act } => {
                let said = ctx.world.act(act).map(|act| stages(act));
                Some((format!("{} …", said.unwrap_or_else(|| "on its way".to_owned())), theme.busy()))
            }
            StageState::Ended { outcome, .. } => {
                Some((format!("{}: {}", outcome.word(), outcome.detail()), theme.outcome(outcome.word())))
            }
            StageState::LeftOut { why } => Some((format!("left out: {why}"), theme.dim())),
        };
        for text in said.iter().flat_map(|(text, _)| wrap(text, width.saturating_sub(6))) {
            let style = said.as_ref().map_or(theme.dim(), |(_, style)| *style);
            lines.push(Line::styled(format!("      {text}"), style));
        }
    }
    lines.push(Line::raw(""));
    lines.push(match &run.ended {
        None => Line::styled(format!("under way for {}; esc leaves it running", ctx.age(run.began)), theme.busy()),
        Some((at, well)) => {
            let took = super::after(run.began, *at);
            let (text, style) = if *well {
                (format!("all done after {took}"), theme.good())
            } else {
                (format!("ended after {took}, not all of it done"), theme.bad())
            };
            Line::styled(text, style)
        }
    });
    if let Some(reason) = &run.plan.reason {
        lines.push(label(ctx, "reason", reason.to_string()));
    }
    lines
}
