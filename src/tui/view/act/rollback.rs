//! The box that confirms a rollback: what the plan rests on, its steps, what stands against it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::super::Ctx;
use super::super::words::{fit, popup, popup_width, wrap};
use super::confirm::{audit, errors, missing};
use super::prompt::{self, labelled, refused};
use super::title;
use crate::domain::decision::{Confirmation, Decision};
use crate::domain::intent::ActionId;
use crate::model::Target;
use crate::model::settle::whereabouts;
use crate::tui::form::revisions;
use crate::tui::rollback::{Made, Ready, Rollback};

pub(in crate::tui::view) fn rollback(ctx: &Ctx<'_>, rollback: &Rollback, area: Rect, buffer: &mut Buffer) {
    let Some(target) = ctx.world.targets.get(&rollback.target) else {
        popup(ctx, Line::raw(" gone "), &[Line::raw("It is no longer there. esc closes.")], area, buffer);
        return;
    };
    let width = popup_width(area);
    let theme = ctx.theme;
    let mut lines = Vec::new();
    let others = revisions(ActionId::Undo, target).map_or(0, |list| list.all.len());
    match &rollback.made {
        Made::Reading => lines.push(Line::styled("reading it afresh …", theme.busy())),
        Made::Not(why) => {
            lines.extend(wrap(why, width).into_iter().map(|text| Line::styled(text, theme.warn())));
            let pick = if others > 0 {
                vec![Span::styled("F2", theme.key()), Span::raw(" picks a revision; ")]
            } else {
                vec![]
            };
            let close = Span::styled("esc closes, nothing was sent", theme.dim());
            lines.push(pick.into_iter().chain([close]).collect::<Vec<_>>().into());
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
            if others > 1 {
                lines.push(Line::from(vec![
                    Span::styled("F2", theme.key()),
                    Span::styled(" picks another revision", theme.dim()),
                ]));
            }
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
