//! Changed cells in few bytes: over a slow link they are what a person waits for. What is already set is not set again,
//! the cursor is moved within its row by the column alone, and the end of a frame is one reset.

use std::io::{self, Write};

use crossterm::cursor::{MoveTo, MoveToColumn};
use crossterm::queue;
use crossterm::style::{Attribute, Colors, Print, SetAttribute, SetColors};
use ratatui::backend::IntoCrossterm as _;
use ratatui::buffer::Cell;
use ratatui::style::{Color, Modifier};

/// How each modifier is switched on and off. Bold and dim are ended together.
const ATTRIBUTES: [(Modifier, Attribute, Attribute); 9] = [
    (Modifier::BOLD, Attribute::Bold, Attribute::NormalIntensity),
    (Modifier::DIM, Attribute::Dim, Attribute::NormalIntensity),
    (Modifier::ITALIC, Attribute::Italic, Attribute::NoItalic),
    (Modifier::UNDERLINED, Attribute::Underlined, Attribute::NoUnderline),
    (Modifier::SLOW_BLINK, Attribute::SlowBlink, Attribute::NoBlink),
    (Modifier::RAPID_BLINK, Attribute::RapidBlink, Attribute::NoBlink),
    (Modifier::REVERSED, Attribute::Reverse, Attribute::NoReverse),
    (Modifier::HIDDEN, Attribute::Hidden, Attribute::NoHidden),
    (Modifier::CROSSED_OUT, Attribute::CrossedOut, Attribute::NotCrossedOut),
];

/// Writes `cells`, which come row by row, to a terminal that has neither colours nor modifiers set, and leaves it so.
pub(super) fn write<'c>(out: &mut impl Write, cells: impl IntoIterator<Item = (u16, u16, &'c Cell)>) -> io::Result<()> {
    let (mut fg, mut bg, mut modifier) = (Color::Reset, Color::Reset, Modifier::empty());
    let mut last: Option<(u16, u16)> = None;
    for (x, y, cell) in cells {
        match last {
            Some((before, row)) if row == y && before + 1 == x => {}
            Some((_, row)) if row == y => queue!(out, MoveToColumn(x))?,
            _ => queue!(out, MoveTo(x, y))?,
        }
        last = Some((x, y));
        if cell.modifier != modifier {
            switch(out, modifier, cell.modifier)?;
            modifier = cell.modifier;
        }
        if cell.fg != fg || cell.bg != bg {
            let foreground = (cell.fg != fg).then(|| cell.fg.into_crossterm());
            let background = (cell.bg != bg).then(|| cell.bg.into_crossterm());
            queue!(out, SetColors(Colors { foreground, background }))?;
            (fg, bg) = (cell.fg, cell.bg);
        }
        queue!(out, Print(cell.symbol()))?;
    }
    if (fg, bg, modifier) != (Color::Reset, Color::Reset, Modifier::empty()) {
        queue!(out, SetAttribute(Attribute::Reset))?;
    }
    Ok(())
}

fn switch(out: &mut impl Write, from: Modifier, to: Modifier) -> io::Result<()> {
    let mut standing = from;
    for (modifier, _, off) in ATTRIBUTES {
        if standing.contains(modifier) && !to.contains(modifier) {
            queue!(out, SetAttribute(off))?;
            let ended = ATTRIBUTES.iter().filter(|(_, _, same)| *same == off);
            standing -= ended.fold(Modifier::empty(), |all, (also, ..)| all | *also);
        }
    }
    for (modifier, on, _) in ATTRIBUTES {
        if to.contains(modifier) && !standing.contains(modifier) {
            queue!(out, SetAttribute(on))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ratatui::backend::{Backend as _, CrosstermBackend};
    use ratatui::buffer::Buffer;
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    use super::*;

    const AREA: Rect = Rect::new(0, 0, 24, 4);

    fn style() -> impl Strategy<Value = Style> {
        let color = || prop_oneof![Just(Color::Reset), Just(Color::Red), Just(Color::Indexed(234)), Just(Color::White)];
        let modifier = prop_oneof![
            Just(Modifier::empty()),
            Just(Modifier::BOLD),
            Just(Modifier::BOLD | Modifier::DIM),
            Just(Modifier::DIM | Modifier::REVERSED),
            Just(Modifier::UNDERLINED | Modifier::ITALIC),
        ];
        (color(), color(), modifier).prop_map(|(fg, bg, modifier)| Style::new().fg(fg).bg(bg).add_modifier(modifier))
    }

    fn buffer() -> impl Strategy<Value = Buffer> {
        let text =
            prop_oneof![Just("x"), Just(" "), Just("two words"), Just("漢字"), Just("──‖"), Just("to the end of it")];
        let put = (0..AREA.width, 0..AREA.height, text, style());
        proptest::collection::vec(put, 0..12).prop_map(|all| {
            let mut buffer = Buffer::empty(AREA);
            for (x, y, text, style) in all {
                buffer.set_string(x, y, text, style);
            }
            buffer
        })
    }

    fn screen() -> vt100::Parser {
        vt100::Parser::new(AREA.height, AREA.width, 0)
    }

    proptest! {
        #[test]
        fn it_looks_as_ratatui_would_have_it_in_no_more_bytes(frames in proptest::collection::vec(buffer(), 1..6)) {
            let (mut ours, mut theirs) = (screen(), screen());
            let mut shown = Buffer::empty(AREA);
            for next in frames {
                let changes = shown.diff(&next);
                let (mut few, mut many) = (Vec::new(), Vec::new());
                write(&mut few, changes.iter().copied()).expect("into memory");
                CrosstermBackend::new(&mut many).draw(changes.iter().copied()).expect("into memory");
                prop_assert!(few.len() <= many.len());
                ours.process(&few);
                theirs.process(&many);
                for row in 0..AREA.height {
                    for column in 0..AREA.width {
                        prop_assert_eq!(ours.screen().cell(row, column), theirs.screen().cell(row, column));
                    }
                }
                shown = next;
            }
        }
    }

    #[test]
    fn a_changed_word_costs_its_place_its_color_and_one_reset() {
        let (before, mut after) = (Buffer::empty(AREA), Buffer::empty(AREA));
        after.set_string(3, 2, "word", Style::new().fg(Color::Red));
        let mut out = Vec::new();
        write(&mut out, before.diff(&after)).expect("into memory");
        assert_eq!(String::from_utf8(out).expect("text"), "\x1b[3;4H\x1b[38;5;1mword\x1b[0m");
    }
}
