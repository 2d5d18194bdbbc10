//! What is different between two screens. Mostly that is a few rows: those that are the same are passed over at once.

use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Rect;

use super::cells::Change;
use crate::tui::plain::is_plain;

/// The cells of `next` that are not as in `shown`, row by row, as ratatui finds them.
pub(super) fn changes<'next>(shown: &Buffer, next: &'next Buffer) -> Vec<Change<'next>> {
    let width = usize::from(next.area.width);
    if shown.area != next.area || width == 0 {
        return shown.diff(next);
    }
    let mut changes = Vec::new();
    let rows = shown.content.chunks_exact(width).zip(next.content.chunks_exact(width));
    for (y, (before, now)) in (next.area.y..).zip(rows) {
        if before.iter().zip(now).all(|(before, now)| same(before, now)) {
            continue;
        }
        let cells = (next.area.x..).zip(before.iter().zip(now));
        if before.iter().chain(now).all(is_one_column) {
            changes.extend(cells.filter(|(_, (before, now))| !same(before, now)).map(|(x, (_, now))| (x, y, now)));
            continue;
        }
        // A sign of more than one column covers the cells after it: what that takes ratatui knows.
        let row = |cells: &[Cell]| Buffer { area: Rect { y, height: 1, ..next.area }, content: cells.to_vec() };
        let (before, after) = (row(before), row(now));
        changes.extend(before.diff(&after).into_iter().map(|(x, y, _)| (x, y, &now[usize::from(x - next.area.x)])));
    }
    changes
}

/// Equality of cells whose options nobody sets here; what differs most often comes first.
fn same(a: &Cell, b: &Cell) -> bool {
    let symbols = match (a.symbol().as_bytes(), b.symbol().as_bytes()) {
        ([a], [b]) => a == b,
        (a, b) => a == b,
    };
    symbols && a.fg == b.fg && a.bg == b.bg && a.modifier == b.modifier
}

fn is_one_column(cell: &Cell) -> bool {
    let mut all = cell.symbol().chars();
    matches!((all.next(), all.next()), (Some(c), None) if is_plain(c))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ratatui::style::{Color, Modifier, Style};

    use super::*;

    fn buffer() -> impl Strategy<Value = Buffer> {
        let area = Rect::new(0, 0, 12, 3);
        let text = prop_oneof![
            "[ -~]{0,12}",
            Just("─‖■".to_owned()),
            Just("漢字".to_owned()),
            Just("e\u{301}☀\u{fe0f}".to_owned())
        ];
        let style = prop_oneof![
            Just(Style::new()),
            Just(Style::new().fg(Color::Red)),
            Just(Style::new().bg(Color::Indexed(234)).add_modifier(Modifier::REVERSED)),
        ];
        let put = (0..area.width, 0..area.height, text, style);
        proptest::collection::vec(put, 0..6).prop_map(move |all| {
            let mut buffer = Buffer::empty(area);
            for (x, y, text, style) in all {
                buffer.set_string(x, y, text, style);
            }
            buffer
        })
    }

    proptest! {
        #[test]
        fn they_are_those_that_ratatui_finds(shown in buffer(), mut next in buffer(), keep in 0..4_usize) {
            // Some rows stay as they were.
            let kept = keep * 12;
            next.content[..kept.min(36)].clone_from_slice(&shown.content[..kept.min(36)]);
            prop_assert_eq!(changes(&shown, &next), shown.diff(&next));
        }
    }
}
