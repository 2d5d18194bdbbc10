//! Changed cells in few bytes: over a slow link they are what a person waits for. What is already set is not set again,
//! the cursor is moved within its row by the column alone, and the end of a frame is one reset.

use std::fmt::{Display, Write as _};
use std::io::{self, Write};

use crossterm::cursor::{MoveTo, MoveToColumn};
use crossterm::queue;
use crossterm::style::{Attribute, Colored, Print, SetAttribute};
use crossterm::terminal::{Clear, ClearType};
use ratatui::backend::IntoCrossterm as _;
use ratatui::buffer::Cell;
use ratatui::style::{Color, Modifier};

/// A cell that differs, and where it stands.
pub(super) type Change<'c> = (u16, u16, &'c Cell);

/// Fewer blanks than this are as well written as erased.
const FEW: usize = 4;

/// What can be seen of a cell without a sign.
const SEEN_WHEN_BLANK: Modifier = Modifier::REVERSED
    .union(Modifier::UNDERLINED)
    .union(Modifier::CROSSED_OUT)
    .union(Modifier::SLOW_BLINK)
    .union(Modifier::RAPID_BLINK);

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

/// Writes `cells`, which come row by row, to a terminal that has neither colours nor modifiers set, and leaves it so. With
/// `edge`, the last column of a terminal that erases in the colour that is set, blanks up to there are erased, not written.
pub(super) fn write(out: &mut impl Write, cells: &[Change<'_>], edge: Option<u16>) -> io::Result<()> {
    let (mut fg, mut bg, mut modifier) = (Color::Reset, Color::Reset, Modifier::empty());
    let mut last: Option<(u16, u16)> = None;
    for row in cells.chunk_by(|(_, a, _), (_, b, _)| a == b) {
        let written = row.len() - edge.map_or(0, |edge| blanks_up_to(edge, row));
        for (n, (x, y, cell)) in row.iter().take(written + 1).enumerate() {
            match last {
                Some((before, row)) if row == *y && before + 1 == *x => {}
                Some((_, row)) if row == *y => queue!(out, MoveToColumn(*x))?,
                _ => queue!(out, MoveTo(*x, *y))?,
            }
            last = Some((*x, *y));
            let mut codes = Codes::default();
            if cell.modifier != modifier {
                codes.switch(modifier, cell.modifier);
                modifier = cell.modifier;
            }
            if cell.fg != fg {
                codes.put(Colored::ForegroundColor(cell.fg.into_crossterm()));
                fg = cell.fg;
            }
            if cell.bg != bg {
                codes.put(Colored::BackgroundColor(cell.bg.into_crossterm()));
                bg = cell.bg;
            }
            codes.send(out)?;
            if n < written {
                queue!(out, Print(cell.symbol()))?;
            } else {
                queue!(out, Clear(ClearType::UntilNewLine))?;
            }
        }
    }
    if (fg, bg, modifier) != (Color::Reset, Color::Reset, Modifier::empty()) {
        queue!(out, SetAttribute(Attribute::Reset))?;
    }
    Ok(())
}

/// How many cells at the end of `row` are blanks that look alike and reach `edge`; none where they are few.
fn blanks_up_to(edge: u16, row: &[Change<'_>]) -> usize {
    let Some((_, _, end)) = row.last().filter(|(x, ..)| *x == edge) else { return 0 };
    let blank = |cell: &Cell| cell.symbol() == " " && cell.bg == end.bg && !cell.modifier.intersects(SEEN_WHEN_BLANK);
    let places = (0..=edge).rev();
    let run = row.iter().rev().zip(places).take_while(|((x, _, cell), place)| x == place && blank(cell)).count();
    if run < FEW { 0 } else { run }
}

/// What one sequence sets, each behind a `;`.
#[derive(Default)]
struct Codes(String);

impl Codes {
    fn put(&mut self, code: impl Display) {
        let before = self.0.len();
        let _ = write!(self.0, ";{code}");
        // Colours that are switched off say nothing, and nothing would mean a reset.
        if self.0.len() == before + 1 {
            self.0.truncate(before);
        }
    }

    fn switch(&mut self, from: Modifier, to: Modifier) {
        let mut standing = from;
        for (modifier, _, off) in ATTRIBUTES {
            if standing.contains(modifier) && !to.contains(modifier) {
                self.put(off.sgr());
                let ended = ATTRIBUTES.iter().filter(|(_, _, same)| *same == off);
                standing -= ended.fold(Modifier::empty(), |all, (also, ..)| all | *also);
            }
        }
        for (modifier, on, _) in ATTRIBUTES {
            if to.contains(modifier) && !standing.contains(modifier) {
                self.put(on.sgr());
            }
        }
    }

    fn send(&self, out: &mut impl Write) -> io::Result<()> {
        match self.0.strip_prefix(';') {
            Some(codes) => write!(out, "\x1b[{codes}m"),
            None => Ok(()),
        }
    }
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
                buffer.set_style(Rect::new(x, y, AREA.width - x, 1), style);
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
                write(&mut few, &changes, None).expect("into memory");
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

    /// What is seen of a cell: of one without a sign only its ground.
    fn seen(screen: &vt100::Screen, row: u16, column: u16) -> (String, Option<vt100::Cell>, vt100::Color) {
        let cell = screen.cell(row, column).expect("a cell");
        let plain = matches!(cell.contents(), "" | " ") && !cell.inverse() && !cell.underline();
        (cell.contents().trim_end().to_owned(), (!plain).then(|| cell.clone()), cell.bgcolor())
    }

    proptest! {
        #[test]
        fn what_is_erased_looks_as_if_it_was_written(frames in proptest::collection::vec(buffer(), 1..6)) {
            let (mut ours, mut theirs) = (screen(), screen());
            let mut shown = Buffer::empty(AREA);
            for next in frames {
                let changes = shown.diff(&next);
                let (mut few, mut many) = (Vec::new(), Vec::new());
                write(&mut few, &changes, Some(AREA.width - 1)).expect("into memory");
                write(&mut many, &changes, None).expect("into memory");
                prop_assert!(few.len() <= many.len());
                ours.process(&few);
                theirs.process(&many);
                for row in 0..AREA.height {
                    for column in 0..AREA.width {
                        prop_assert_eq!(seen(ours.screen(), row, column), seen(theirs.screen(), row, column));
                    }
                }
                shown = next;
            }
        }
    }

    #[test]
    fn a_ground_costs_a_few_bytes_a_row() {
        let (before, mut after) = (Buffer::empty(AREA), Buffer::empty(AREA));
        after.set_style(Rect { height: 1, ..AREA }, Style::new().bg(Color::Indexed(234)));
        after.set_string(0, 0, "a word", Style::new());
        let mut out = Vec::new();
        write(&mut out, &before.diff(&after), Some(AREA.width - 1)).expect("into memory");
        assert_eq!(String::from_utf8(out).expect("text"), "\x1b[1;1H\x1b[48;5;234ma word\x1b[K\x1b[0m");
    }

    #[test]
    fn a_changed_word_costs_its_place_its_color_and_one_reset() {
        let (before, mut after) = (Buffer::empty(AREA), Buffer::empty(AREA));
        after.set_string(3, 2, "word", Style::new().fg(Color::Red));
        let mut out = Vec::new();
        write(&mut out, &before.diff(&after), None).expect("into memory");
        assert_eq!(String::from_utf8(out).expect("text"), "\x1b[3;4H\x1b[38;5;1mword\x1b[0m");
    }
}
