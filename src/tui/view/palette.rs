//! The command palette: what the line may become, above the line itself.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Clear, Widget as _};

use super::Ctx;
use super::words::{Put as _, fit};
use crate::tui::palette::Palette;

/// The most lines of the list.
const MOST: usize = 12;

pub(super) fn paint(ctx: &Ctx<'_>, palette: &Palette, area: Rect, buffer: &mut Buffer) {
    let room = MOST.min(usize::from(area.height).saturating_sub(2));
    let count = palette.suggestions.len();
    let rows = count.min(room);
    if rows == 0 {
        return;
    }
    let high = u16::try_from(rows + 2).unwrap_or(area.height);
    let place = Rect { y: area.bottom() - high, height: high, width: area.width.min(110), ..area };
    Clear.render(place, buffer);
    let first = palette.chosen.map_or(0, |at| (at + 1).saturating_sub(rows));
    let title = if count > rows { format!(" {} to {} of {count} ", first + 1, first + rows) } else { String::new() };
    let block = Block::bordered().border_type(BorderType::Plain).border_style(ctx.theme.dim()).title(title);
    let inner = block.inner(place);
    block.render(place, buffer);
    let name = palette.suggestions.iter().map(|s| s.name.chars().count()).max().unwrap_or(0).min(40);
    for (n, (y, one)) in (inner.y..inner.bottom()).zip(palette.suggestions.iter().skip(first)).enumerate() {
        let chosen = palette.chosen == Some(first + n);
        let key = if one.key.is_empty() { String::new() } else { fit(&one.key, 6) };
        let style = if chosen { ctx.theme.found() } else { ctx.theme.strong() };
        let used = 4 + name + key.chars().count();
        let line = Line::from(vec![
            Span::raw(if chosen { "▸" } else { " " }),
            Span::styled(fit(&one.name, name), style),
            Span::styled(format!("  {key}"), ctx.theme.key()),
            Span::styled(fit(&one.help, usize::from(inner.width).saturating_sub(used)), ctx.theme.dim()),
        ]);
        line.put(ctx, Rect { y, height: 1, ..inner }, buffer);
    }
}
