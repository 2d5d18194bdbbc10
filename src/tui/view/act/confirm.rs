//! The confirmation of one act.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::super::Ctx;
use super::super::rates::sentence;
use super::super::words::{fit, popup, popup_width, wrap};
use super::prompt::{self, label, labelled, refused};
use super::title;
use crate::actions::row;
use crate::domain::decision::{Confirmation, Decision};
use crate::domain::facts::AuditState;
use crate::model::Target;
use crate::model::settle::stands;
use crate::tui::confirm::{Confirm, Ready, Stage};

pub(in crate::tui::view) fn confirm(ctx: &Ctx<'_>, confirm: &Confirm, area: Rect, buffer: &mut Buffer) {
    let action = row(confirm.action);
    let Some(target) = ctx.world.targets.get(&confirm.target) else {
        popup(ctx, Line::raw(" gone "), &[Line::raw("It is no longer there. esc closes.")], area, buffer);
        return;
    };
    let width = popup_width(area);
    let mut lines = Vec::new();
    match &confirm.stage {
        Stage::Reading => lines.push(Line::styled("reading it afresh …", ctx.theme.busy())),
        Stage::Failed(why) => {
            lines.extend(wrap(why, width).into_iter().map(|text| Line::styled(text, ctx.theme.bad())));
            lines.push(Line::styled("nothing was sent; esc closes", ctx.theme.dim()));
        }
        Stage::Ready(ready) => ready_lines(ctx, confirm, ready, target, width, &mut lines),
    }
    popup(ctx, title(ctx, action.verb, target), &lines, area, buffer);
}

fn ready_lines(
    ctx: &Ctx<'_>,
    confirm: &Confirm,
    ready: &Ready,
    target: &Target,
    width: usize,
    lines: &mut Vec<Line<'static>>,
) {
    let theme = ctx.theme;
    let action = row(confirm.action);
    let seen = &ready.seen;
    labelled(ctx, "from", &stands(&ready.rollout), width, lines);
    labelled(ctx, "to", &ready.consequence.text, width, lines);
    let revision = seen.revision.map_or_else(|| "revision ?".to_owned(), |r| format!("revision {r}"));
    let age = ctx.now.duration_since(seen.read_at).as_secs();
    let read =
        if age < 2 { "read just now".to_owned() } else { format!("read {} ago, watched since", ctx.age(seen.read_at)) };
    lines.push(label(ctx, "seen", format!("{revision} ({}), {read}", seen.pod_hash)));
    errors(ctx, target, width, lines);
    audit(ctx, lines);
    missing(ctx, &ready.missing, width, lines);
    lines.push(Line::raw(""));
    match &ready.decision {
        Decision::Deny { why, hint, rule } => {
            refused(ctx, (rule, why, hint), width, lines);
            lines.push(Line::styled("esc closes", theme.dim()));
            return;
        }
        Decision::Confirm(asked) => prompt::lines(ctx, &confirm.prompt, asked, action.verb, width, lines),
        Decision::Allow => prompt::lines(ctx, &confirm.prompt, &Confirmation::Press, action.verb, width, lines),
    }
    if !target.environment.named {
        lines.push(Line::styled("no rule names this environment: it counts as production", theme.dim()));
    }
}

/// The error rates of both sides, as they are now.
pub(super) fn errors(ctx: &Ctx<'_>, target: &Target, width: usize, lines: &mut Vec<Line<'static>>) {
    let Some((text, style)) = sentence(ctx, target) else { return };
    for (n, text) in wrap(&text, width.saturating_sub(8)).into_iter().enumerate() {
        let head = Span::styled(fit(if n == 0 { "errors" } else { "" }, 8), ctx.theme.dim());
        lines.push(Line::from(vec![head, Span::styled(text, style)]));
    }
}

/// Whether the log takes records.
pub(super) fn audit(ctx: &Ctx<'_>, lines: &mut Vec<Line<'static>>) {
    lines.push(match &ctx.world.audit.state {
        AuditState::Ready => label(ctx, "audit", format!("ready, {} records", ctx.records)),
        AuditState::Failed { why } => Line::styled(format!("audit   takes no records: {why}"), ctx.theme.bad()),
    });
}

/// What the server says that this user may not do: advice, the act may still be tried.
pub(super) fn missing(ctx: &Ctx<'_>, rights: &[&'static str], width: usize, lines: &mut Vec<Line<'static>>) {
    if rights.is_empty() {
        return;
    }
    let text = format!("rights  the server says you may not {}: it will most likely refuse", rights.join(", "));
    lines.extend(wrap(&text, width).into_iter().map(|text| Line::styled(text, ctx.theme.warn())));
}
