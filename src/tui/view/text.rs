//! A document: YAML, or how two revisions differ.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget as _;

use super::Ctx;
use super::log::marked;
use super::words::{fit, wrap};
use crate::runtime::handle::DiffKind;
use crate::tui::state::{Loaded, State};

pub(super) fn paint(ctx: &Ctx<'_>, state: &mut State, area: Rect, buffer: &mut Buffer) {
    let theme = ctx.theme;
    let count = match state.text.as_ref().map(|text| &text.lines) {
        Some(Loaded::Here(lines)) => lines.len(),
        _ => 0,
    };
    let head = Rect { height: 1, ..area };
    let area = Rect { y: area.y + 1, height: area.height - 1, ..area };
    state.layout(usize::from(area.height), count);
    let Some(text) = &state.text else { return };
    Line::styled(format!(" {}", text.head), theme.dim()).render(head, buffer);
    let say = |text: &str, style: Style, buffer: &mut Buffer| {
        for (y, text) in (area.y..area.bottom()).zip(wrap(text, usize::from(area.width) - 4)) {
            Line::styled(format!("  {text}"), style).render(Rect { y, height: 1, ..area }, buffer);
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
    let width = usize::from(area.width).saturating_sub(2);
    for (y, line) in (area.y..area.bottom()).zip(lines.iter().skip(state.scroll)) {
        let style = match line.kind {
            DiffKind::Place => theme.busy(),
            DiffKind::Same => Style::new(),
            DiffKind::Removed => theme.bad(),
            DiffKind::Added => theme.good(),
        };
        let sign = if text.is_diff() && line.kind != DiffKind::Place { line.kind.sign() } else { "" };
        let mut spans = vec![Span::raw(" "), Span::styled(sign, style)];
        spans.extend(marked(ctx, &text.find, fit(line.text.as_str(), width - sign.len()), style));
        Line::from(spans).render(Rect { y, height: 1, ..area }, buffer);
    }
}
