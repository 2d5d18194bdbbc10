//! How many colours a terminal has, and the nearest of them.

use ratatui::style::Color;

use crate::config::theme::Paint;

/// How many colours a terminal has, as far as its environment says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tui) enum Depth {
    /// Any.
    True,
    /// The 256 of xterm.
    Indexed,
    /// The sixteen that all have.
    Sixteen,
}

/// The sixteen, as xterm has them; people choose others, so they are the last resort.
const SIXTEEN: [(Color, [u8; 3]); 16] = [
    (Color::Black, [0, 0, 0]),
    (Color::Red, [205, 0, 0]),
    (Color::Green, [0, 205, 0]),
    (Color::Yellow, [205, 205, 0]),
    (Color::Blue, [0, 0, 238]),
    (Color::Magenta, [205, 0, 205]),
    (Color::Cyan, [0, 205, 205]),
    (Color::Gray, [229, 229, 229]),
    (Color::DarkGray, [127, 127, 127]),
    (Color::LightRed, [255, 0, 0]),
    (Color::LightGreen, [0, 255, 0]),
    (Color::LightYellow, [255, 255, 0]),
    (Color::LightBlue, [92, 92, 255]),
    (Color::LightMagenta, [255, 0, 255]),
    (Color::LightCyan, [0, 255, 255]),
    (Color::White, [255, 255, 255]),
];

/// The steps of each channel in xterm's 6x6x6 cube, which begins at 16; its greys begin at 232.
const CUBE: [u8; 6] = [0, 95, 135, 175, 215, 255];

impl Depth {
    /// What `COLORTERM` and `TERM` say. Nobody is asked: an answer that comes late reads like keys.
    pub(in crate::tui) fn said(colorterm: Option<&str>, term: Option<&str>) -> Self {
        if colorterm.is_some_and(|said| matches!(said, "truecolor" | "24bit")) {
            return Self::True;
        }
        let term = term.unwrap_or_default();
        if term.ends_with("-direct") {
            Self::True
        } else if term.contains("256color") {
            Self::Indexed
        } else {
            Self::Sixteen
        }
    }

    /// The nearest colour that there is.
    pub(super) fn color(self, paint: Paint) -> Color {
        match (paint, self) {
            (Paint::Terminal, _) => Color::Reset,
            (Paint::Named(n), _) => SIXTEEN.get(usize::from(n)).map_or(Color::Reset, |(color, _)| *color),
            (Paint::Rgb(r, g, b), Self::True) => Color::Rgb(r, g, b),
            (Paint::Rgb(r, g, b), Self::Indexed) => Color::Indexed(nearest_of_256([r, g, b]).0),
            (Paint::Rgb(r, g, b), Self::Sixteen) => {
                let near = SIXTEEN.iter().min_by_key(|(_, one)| distance(*one, [r, g, b]));
                near.map_or(Color::Reset, |(color, _)| *color)
            }
        }
    }
}

fn distance(a: [u8; 3], b: [u8; 3]) -> u32 {
    a.into_iter().zip(b).map(|(a, b)| u32::from(a.abs_diff(b)).pow(2)).sum()
}

/// Its number, and what it looks like.
pub(super) fn nearest_of_256(wanted: [u8; 3]) -> (u8, [u8; 3]) {
    let steps = wanted.map(|channel| {
        let near = (0_u8..).zip(CUBE).min_by_key(|(_, step)| step.abs_diff(channel));
        near.unwrap_or_default()
    });
    let [(r, red), (g, green), (b, blue)] = steps;
    let cube = (16 + 36 * r + 6 * g + b, [red, green, blue]);
    let greys = (0..24_u8).map(|n| (232 + n, [8 + 10 * n; 3]));
    greys.chain([cube]).min_by_key(|(_, one)| distance(*one, wanted)).unwrap_or(cube)
}
