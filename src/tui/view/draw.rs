//! Lines of text into the buffer. Most of a screen is plain: ASCII and our own signs, where every character is a cell. That
//! needs no search for graphemes, which is most of what a frame costs otherwise.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;
use ratatui::widgets::Widget;

use crate::tui::plain::is_plain;

/// Draws a line that starts at the left, as ratatui's own widget does.
pub(super) fn draw(line: &Line<'_>, area: Rect, buffer: &mut Buffer) {
    let area = Rect { height: 1, ..area }.intersection(*buffer.area());
    if area.is_empty() || line.spans.iter().all(|span| span.content.is_empty()) {
        return;
    }
    if line.style != Style::new() {
        buffer.set_style(area, line.style);
    }
    let mut x = area.x;
    for span in &line.spans {
        let rest = Rect { x, width: area.right() - x, ..area };
        if rest.is_empty() {
            return;
        }
        if !span.content.chars().all(is_plain) {
            let wide = u16::try_from(span.width()).unwrap_or(u16::MAX);
            Widget::render(span, rest, buffer);
            x = x.saturating_add(wide).min(area.right());
            continue;
        }
        let from = buffer.index_of(x, area.y);
        let cells = &mut buffer.content[from..from + usize::from(rest.width)];
        for (c, cell) in span.content.chars().zip(cells) {
            if c != ' ' || cell.symbol() != " " {
                cell.set_char(c);
            }
            cell.set_style(span.style);
            x += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ratatui::style::{Color, Modifier, Style};
    use ratatui::text::Span;

    use super::*;

    fn line() -> impl Strategy<Value = Line<'static>> {
        let text = prop_oneof![
            "[ -~]{0,12}",
            Just("─▌■‖…".to_owned()),
            "[ -~─-▟■□●○◆▸‖–…←↑→↓↵✓✗·]{0,12}",
            "[a─■✓漢][─■●…✓a\u{300}\u{fe0f}\u{200d}🇩漢]{0,8}",
            Just("漢字 kanji".to_owned()),
            Just("e\u{301}é".to_owned()),
            Just(String::new()),
        ];
        let style = prop_oneof![
            Just(Style::new()),
            Just(Style::new().fg(Color::Red)),
            Just(Style::new().bg(Color::Blue).add_modifier(Modifier::BOLD)),
        ];
        let spans = proptest::collection::vec((text, style.clone()).prop_map(|(t, s)| Span::styled(t, s)), 0..6);
        (spans, style).prop_map(|(spans, style)| Line::from(spans).style(style))
    }

    proptest! {
        #[test]
        fn it_draws_as_ratatui_does(lines in proptest::collection::vec(line(), 1..4), x in 0..30_u16, width in 0..40_u16) {
            let area = Rect::new(0, 0, 36, 2);
            let (mut ours, mut theirs) = (Buffer::empty(area), Buffer::empty(area));
            let place = Rect { x, y: 1, width, height: 1 };
            // One over the other: what was there must not shine through in another way.
            for line in lines {
                draw(&line, place, &mut ours);
                Widget::render(line, place, &mut theirs);
                prop_assert_eq!(&ours, &theirs);
            }
        }
    }
}
