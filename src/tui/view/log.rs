//! A log: only the lines that are on the screen are laid out.

use std::fmt::Write as _;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::Ctx;
use super::words::{Put as _, chop, count, fit};
use crate::model::query::link_of_target;
use crate::runtime::handle::{LogLine, Pods};
use crate::tui::find::Find;
use crate::tui::log::Log;
use crate::tui::state::State;

pub(super) fn paint(ctx: &Ctx<'_>, state: &mut State, area: Rect, buffer: &mut Buffer) {
    let target = state.selected.as_ref().and_then(|id| ctx.world.targets.get(id)).map(AsRef::as_ref);
    let Some(log) = &mut state.log else { return };
    let theme = ctx.theme;
    let mut head = log.whose(target);
    match &log.container {
        Some(name) => _ = write!(head, ", container {name}"),
        None => head.push_str(", all containers"),
    }
    if log.previous {
        head.push_str(", before the last restart");
    }
    let _ = write!(head, " ─ {}", count(log.lines.len(), "line"));
    if log.gone > 0 {
        let _ = write!(head, ", {} older ones let go", log.gone);
    }
    let (word, style) = match (log.ended, log.follow) {
        (true, _) => ("ended", theme.dim()),
        (false, true) => ("following", theme.good()),
        (false, false) => ("standing still", theme.warn()),
    };
    let found = log.find.count().map_or_else(String::new, |count| format!(" ─ {count}"));
    let line = Line::from(vec![
        Span::styled(format!(" {head} ─ "), theme.dim()),
        Span::styled(word, style),
        Span::styled(found, theme.dim()),
    ]);
    line.put(ctx, Rect { height: 1, ..area }, buffer);
    let area = Rect { y: area.y + 1, height: area.height - 1, ..area };
    let rows = usize::from(area.height);
    let width = usize::from(area.width);
    if log.lines.is_empty() {
        let silent =
            target.is_some_and(|t| !link_of_target(ctx.world, t).is_live()) || !ctx.world.unanswered.is_empty();
        let text = match (log.ended, silent) {
            (true, _) => "  nothing was said",
            (false, true) => "  nothing came: the server does not answer, so the pods may have said something",
            (false, false) => "  nothing yet …",
        };
        Line::styled(text, theme.dim()).put(ctx, area, buffer);
    } else {
        let shown = if log.follow { from_end(ctx, log, rows, width) } else { from_top(ctx, log, rows, width) };
        for (y, line) in (area.y..area.bottom()).zip(shown) {
            line.put(ctx, Rect { y, height: 1, ..area }, buffer);
        }
    }
    state.layout(rows, 0);
}

fn from_top(ctx: &Ctx<'_>, log: &Log, rows: usize, width: usize) -> Vec<Line<'static>> {
    let mut lines = Vec::with_capacity(rows);
    for line in log.lines.iter().skip(log.top) {
        if lines.len() >= rows {
            break;
        }
        lines.extend(laid_out(ctx, log, line, rows - lines.len(), width));
    }
    lines
}

fn from_end(ctx: &Ctx<'_>, log: &Log, rows: usize, width: usize) -> Vec<Line<'static>> {
    let mut parts = Vec::new();
    let mut have = 0;
    for line in log.lines.iter().rev() {
        if have >= rows {
            break;
        }
        let part = laid_out(ctx, log, line, rows, width);
        have += part.len();
        parts.push(part);
    }
    parts.into_iter().rev().flatten().skip(have.saturating_sub(rows)).collect()
}

/// A line in as many rows as it takes, at most `rows`.
fn laid_out(ctx: &Ctx<'_>, log: &Log, line: &LogLine, rows: usize, width: usize) -> Vec<Line<'static>> {
    let theme = ctx.theme;
    // One pod needs no name before each line.
    let named = !matches!(log.pods, Pods::One(_));
    let mut head = line.at.map_or_else(String::new, |at| at.strftime("%H:%M:%S ").to_string());
    if named && !line.pod.is_empty() {
        let short = line.pod.as_str().rsplit('-').next().unwrap_or_default();
        let _ = write!(head, "{} ", fit(short, 6));
    }
    if log.container.is_none() && several(log) && !line.container.is_empty() {
        let _ = write!(head, "{} ", fit(line.container.as_str(), 8));
    }
    let indent = head.chars().count();
    let style = if line.note { theme.warn() } else { level(ctx, line.text.as_str()) };
    let room = width.saturating_sub(indent).max(8);
    let parts =
        if log.wrap { chop(line.text.as_str(), room, rows.max(1)) } else { vec![fit(line.text.as_str(), room)] };
    parts
        .into_iter()
        .enumerate()
        .map(|(n, text)| {
            let head = if n == 0 { head.clone() } else { " ".repeat(indent) };
            let mut spans = vec![Span::styled(head, theme.dim())];
            spans.extend(marked(ctx, &log.find, text, style));
            Line::from(spans)
        })
        .collect()
}

/// Whether lines of more than one container stand there.
fn several(log: &Log) -> bool {
    let first = log.lines.front().map(|line| &line.container);
    log.lines.back().map(|line| &line.container) != first
}

/// Words that programs use for what went wrong; they stay readable without colour.
fn level(ctx: &Ctx<'_>, text: &str) -> Style {
    let head: String = text.chars().take(80).collect::<String>().to_lowercase();
    if ["error", "fatal", "panic", "exception"].iter().any(|word| head.contains(word)) {
        ctx.theme.bad()
    } else if head.contains("warn") {
        ctx.theme.warn()
    } else {
        Style::new()
    }
}

/// The text with what is looked for set apart.
pub(super) fn marked(ctx: &Ctx<'_>, find: &Find, text: String, style: Style) -> Vec<Span<'static>> {
    if !find.hits(&text) {
        return vec![Span::styled(text, style)];
    }
    let needle = find.input.value().to_lowercase();
    let lower = text.to_lowercase();
    let Some(at) = lower.find(&needle).filter(|_| lower.len() == text.len()) else {
        return vec![Span::styled(text, style.patch(ctx.theme.found()))];
    };
    let end = at + needle.len();
    let (Some(before), Some(here), Some(after)) = (text.get(..at), text.get(at..end), text.get(end..)) else {
        return vec![Span::styled(text, style.patch(ctx.theme.found()))];
    };
    vec![
        Span::styled(before.to_owned(), style),
        Span::styled(here.to_owned(), ctx.theme.found()),
        Span::styled(after.to_owned(), style),
    ]
}
