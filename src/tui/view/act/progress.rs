//! How far a plan has come.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::super::Ctx;
use super::super::words::{fit, popup, popup_width, wrap};
use super::prompt::label;
use super::stages;
use crate::domain::plan::{PlanRun, StageState};
use crate::tui::state::{Popup, State};

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
