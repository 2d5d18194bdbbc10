//! A document: YAML, or how two revisions differ.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::Ctx;
use super::log::marked;
use super::words::{Put as _, chop, fit, wrap};
use crate::runtime::handle::DiffKind;
use crate::tui::state::{Loaded, State};

pub(super) fn paint(ctx: &Ctx<'_>, state: &mut State, area: Rect, buffer: &mut Buffer) {
    let theme = ctx.theme;
    let head = Rect { height: 1, ..area };
    let area = Rect { y: area.y + 1, height: area.height - 1, ..area };
    let width = usize::from(area.width).saturating_sub(2);
    let (fits, count) = fits(state, usize::from(area.height), width);
    state.layout(fits, count);
    let Some(text) = &state.text else { return };
    let count = text.find.count().map_or_else(String::new, |count| format!(" ─ {count}"));
    Line::styled(format!(" {}{count}", text.head), theme.dim()).put(ctx, head, buffer);
    let say = |text: &str, style: Style, buffer: &mut Buffer| {
        for (y, text) in (area.y..area.bottom()).zip(wrap(text, usize::from(area.width) - 4)) {
            Line::styled(format!("  {text}"), style).put(ctx, Rect { y, height: 1, ..area }, buffer);
        }
    };
    let lines = match &text.lines {
        Loaded::Waiting => return say("reading …", theme.busy(), buffer),
        Loaded::Failed(why) => return say(&format!("cannot be read: {why}"), theme.bad(), buffer),
        Loaded::Here(lines) if lines.is_empty() => {
            return say("nothing differs but the label with the hash", theme.dim(), buffer);
        }
        Loaded::Here(lines) => lines,
    };
    let rows = lines.iter().skip(state.scroll).flat_map(|line| {
        let style = match line.kind {
            DiffKind::Place => theme.busy(),
            DiffKind::Same => Style::new(),
            DiffKind::Removed => theme.bad(),
            DiffKind::Added => theme.good(),
        };
        let sign = if text.is_diff() && line.kind != DiffKind::Place { line.kind.sign() } else { "" };
        let room = width.saturating_sub(sign.len()).max(1);
        let pieces = if text.wrap {
            chop(line.text.as_str(), room, usize::from(area.height))
        } else {
            vec![fit(line.text.as_str(), room)]
        };
        pieces.into_iter().enumerate().map(move |(n, piece)| {
            let lead = if n == 0 { sign.to_owned() } else { " ".repeat(sign.len()) };
            let mut spans = vec![Span::raw(" "), Span::styled(lead, style)];
            spans.extend(marked(ctx, &text.find, piece, style));
            Line::from(spans)
        })
    });
    for (y, line) in (area.y..area.bottom()).zip(rows) {
        line.put(ctx, Rect { y, height: 1, ..area }, buffer);
    }
}

/// How many lines fit into `rows` from where it is scrolled to, and how many there are.
fn fits(state: &State, rows: usize, width: usize) -> (usize, usize) {
    let Some((text, Loaded::Here(lines))) = state.text.as_ref().map(|text| (text, &text.lines)) else {
        return (rows, 0);
    };
    if !text.wrap {
        return (rows, lines.len());
    }
    let sign = usize::from(text.is_diff());
    let room = width.saturating_sub(sign).max(1);
    let mut left = rows;
    let fit = lines.iter().skip(state.scroll.min(lines.len().saturating_sub(1))).take_while(|line| {
        let high = chop(line.text.as_str(), room, rows).len();
        let fits = high <= left;
        left = left.saturating_sub(high);
        fits
    });
    (fit.count().max(1), lines.len())
}
