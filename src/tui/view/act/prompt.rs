//! The lines of a box that are typed into.

use ratatui::text::{Line, Span};

use super::super::Ctx;
use super::super::words::{fit, wrap};
use crate::domain::decision::Confirmation;
use crate::tui::prompt::{Field, Prompt};

pub(super) fn label(ctx: &Ctx<'_>, label: &str, text: String) -> Line<'static> {
    Line::from(vec![Span::styled(fit(label, 8), ctx.theme.dim()), Span::raw(text)])
}

/// A label and text of several lines.
pub(super) fn labelled(ctx: &Ctx<'_>, name: &str, text: &str, width: usize, lines: &mut Vec<Line<'static>>) {
    for (n, text) in wrap(text, width.saturating_sub(8)).into_iter().enumerate() {
        lines.push(label(ctx, if n == 0 { name } else { "" }, text));
    }
}

/// Why it is refused, and what to do about it.
pub(super) fn refused(
    ctx: &Ctx<'_>,
    (rule, why, hint): (&str, &str, &str),
    width: usize,
    lines: &mut Vec<Line<'static>>,
) {
    let said = wrap(&format!("refused ({rule}): {why}"), width);
    lines.extend(said.into_iter().map(|text| Line::styled(text, ctx.theme.bad())));
    lines.extend(wrap(&format!("fix: {hint}"), width).into_iter().map(Line::raw));
}

/// Notice, reason and what confirms.
pub(super) fn lines(
    ctx: &Ctx<'_>,
    prompt: &Prompt,
    asked: &Confirmation,
    verb: &str,
    width: usize,
    lines: &mut Vec<Line<'static>>,
) {
    let theme = ctx.theme;
    if let Some(notice) = &prompt.notice {
        lines.extend(wrap(notice, width).into_iter().map(|text| Line::styled(text, theme.warn())));
    }
    let caret = |field| if prompt.field == field { "▏" } else { "" };
    let writing = prompt.field == Field::Reason;
    let empty = prompt.reason.value().is_empty();
    let reason = if empty && !writing && prompt.reason_needed {
        Span::styled("needed here: tab to write it; it goes on record", theme.warn())
    } else if empty && !writing {
        Span::styled("tab to give one; it goes on record", theme.dim())
    } else {
        let from = prompt.reason.value().chars().count().saturating_sub(width.saturating_sub(10));
        let tail: String = prompt.reason.value().chars().skip(from).collect();
        Span::styled(format!("{tail}{}", caret(Field::Reason)), theme.field())
    };
    let mut line = vec![Span::styled(fit("reason", 8), theme.dim()), reason];
    if writing && empty {
        let (text, style) = if prompt.reason_needed {
            ("  needed here; it goes on record", theme.warn())
        } else {
            ("  none is needed; it goes on record", theme.dim())
        };
        line.push(Span::styled(text, style));
    }
    lines.push(Line::from(line));
    if let Confirmation::WithoutRecord { why } = asked {
        let text = format!("NO RECORD can be written now ({why}).");
        lines.extend(wrap(&text, width).into_iter().map(|text| Line::styled(text, theme.bad())));
    }
    if writing {
        let then = match asked {
            Confirmation::Press | Confirmation::WithoutRecord { .. } => "y".to_owned(),
            Confirmation::Type { text } => format!("\"{text}\" and ↵"),
        };
        let text = format!("↵ or tab when the reason is written, then {then} to {verb}");
        lines.extend(wrap(&text, width).into_iter().map(|text| Line::styled(text, theme.dim())));
        lines.push(leave(ctx, prompt));
        return;
    }
    let mut line = match asked {
        Confirmation::Press => {
            vec![Span::raw("press "), Span::styled("y", theme.key()), Span::raw(format!(" to {verb}"))]
        }
        Confirmation::WithoutRecord { .. } => vec![
            Span::raw("press "),
            Span::styled("y", theme.key()),
            Span::raw(format!(" to {verb} all the same; its record follows later")),
        ],
        Confirmation::Type { text } => vec![
            Span::raw("type \""),
            Span::styled(text.clone(), theme.key()),
            Span::raw("\" and "),
            Span::styled("↵", theme.key()),
            Span::raw(format!(" to {verb}: ")),
            Span::styled(format!("{}{}", prompt.typed.value(), caret(Field::Confirmation)), theme.field()),
        ],
    };
    let leave = leave(ctx, prompt);
    if Line::from(line.clone()).width() + 4 + leave.width() <= width {
        line.push(Span::raw("    "));
        line.extend(leave.spans);
        lines.push(Line::from(line));
    } else {
        lines.push(Line::from(line));
        lines.push(leave);
    }
}

const LEAVE: &str = "esc leaves it as it is";

/// How to leave it; while keys do not count, that, because somebody tried.
fn leave(ctx: &Ctx<'_>, prompt: &Prompt) -> Line<'static> {
    Line::from(match prompt.not_yet {
        Some(why) => Span::styled(why, ctx.theme.warn()),
        None => Span::styled(LEAVE, ctx.theme.dim()),
    })
}
