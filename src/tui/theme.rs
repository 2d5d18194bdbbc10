//! One colour per meaning, and never colour alone: each stands beside a shape or a word.
//!
//! A theme says a colour once ([`config::theme`](crate::config::theme)); what the terminal cannot show becomes the
//! nearest that it can.

mod depth;
#[cfg(test)]
mod tests;

use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier, Style};

pub(super) use depth::Depth;

use crate::config::Face;
use crate::config::theme::{self, Pair};
use crate::domain::environment::Tier;
use crate::domain::rollout::Phase;

/// The usual theme. Where the terminal has sixteen colours only, theirs takes its place.
const USUAL: &str = "dark";

/// The styles. Without colour only weight is left.
#[derive(Clone, Copy, Debug)]
pub(super) struct Theme {
    color: bool,
    says: Says,
}

/// What the theme says, as this terminal can show it: looked for once, for each frame asks for hundreds of styles.
#[derive(Clone, Copy, Debug)]
struct Says {
    text: Color,
    background: Color,
    good: Color,
    warn: Color,
    bad: Color,
    busy: Color,
    dim: Color,
    key: Color,
    production: OnGround,
    staging: OnGround,
    development: OnGround,
    badge: OnGround,
}

/// A colour, and what it stands on.
type OnGround = (Color, Color);

impl Says {
    fn of(theme: &theme::Theme, depth: Depth) -> Self {
        let pair = |pair: Pair| (depth.color(pair.text), depth.color(pair.background));
        Self {
            text: depth.color(theme.text),
            background: depth.color(theme.background),
            good: depth.color(theme.good),
            warn: depth.color(theme.warn),
            bad: depth.color(theme.bad),
            busy: depth.color(theme.busy),
            dim: depth.color(theme.dim),
            key: depth.color(theme.key),
            production: pair(theme.production),
            staging: pair(theme.staging),
            development: pair(theme.development),
            badge: pair(theme.badge),
        }
    }
}

impl Theme {
    /// No colours.
    pub(super) fn plain() -> Self {
        Self { color: false, says: Says::of(&theme::Theme::default(), Depth::Sixteen) }
    }

    /// The theme that is configured, as this terminal can show it.
    pub(super) fn of(face: &Face, depth: Depth) -> Result<Self, String> {
        let name = if depth == Depth::Sixteen && face.ui.theme == USUAL { theme::SIXTEEN } else { &face.ui.theme };
        Ok(Self { color: true, says: Says::of(&theme::load(name, &face.themes)?, depth) })
    }
}

#[expect(clippy::unused_self, reason = "callers need not know which styles depend on colour")]
impl Theme {
    pub(super) fn strong(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// What was looked for.
    pub(super) fn found(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    /// A field that takes text.
    pub(super) fn field(self) -> Style {
        Style::new().add_modifier(Modifier::UNDERLINED)
    }
}

impl Theme {
    fn fg(self, color: Color) -> Style {
        if self.color { Style::new().fg(color) } else { Style::new() }
    }

    pub(super) fn good(self) -> Style {
        self.fg(self.says.good)
    }

    pub(super) fn warn(self) -> Style {
        self.fg(self.says.warn)
    }

    pub(super) fn bad(self) -> Style {
        self.fg(self.says.bad).add_modifier(Modifier::BOLD)
    }

    pub(super) fn busy(self) -> Style {
        self.fg(self.says.busy)
    }

    /// Old, secondary or not at hand.
    pub(super) fn dim(self) -> Style {
        if self.color { self.fg(self.says.dim) } else { Style::new().add_modifier(Modifier::DIM) }
    }

    /// A key that can be pressed.
    pub(super) fn key(self) -> Style {
        self.fg(self.says.key).add_modifier(Modifier::BOLD)
    }

    fn pair(self, (text, ground): OnGround) -> Style {
        self.fg(text).bg(ground).add_modifier(Modifier::BOLD)
    }

    pub(super) fn tier(self, tier: Tier) -> Style {
        let style = Style::new().add_modifier(Modifier::BOLD);
        match (self.color, tier) {
            (false, Tier::Production) => style.add_modifier(Modifier::REVERSED),
            (false, _) => style,
            (true, Tier::Production) => self.pair(self.says.production),
            (true, Tier::Staging) => self.pair(self.says.staging),
            (true, Tier::Development) => self.pair(self.says.development),
        }
    }

    pub(super) fn badge(self) -> Style {
        if self.color {
            self.pair(self.says.badge)
        } else {
            Style::new().add_modifier(Modifier::BOLD | Modifier::REVERSED)
        }
    }

    pub(super) fn phase(self, phase: Phase) -> Style {
        match phase {
            Phase::Healthy => self.good(),
            Phase::Progressing => self.busy(),
            Phase::Paused => self.warn(),
            Phase::Degraded | Phase::Unknown => self.bad(),
        }
    }

    pub(super) fn outcome(self, word: &str) -> Style {
        match word {
            "done" => self.good(),
            "refused" | "superseded" => self.warn(),
            _ => self.bad(),
        }
    }

    /// What no view gave a colour gets the theme's own text and ground: a theme can be read on any terminal.
    pub(super) fn ground(self, buffer: &mut Buffer) {
        if !self.color {
            return;
        }
        let (text, background) = (self.says.text, self.says.background);
        if text == Color::Reset && background == Color::Reset {
            return;
        }
        for cell in &mut buffer.content {
            if cell.fg == Color::Reset {
                cell.fg = text;
            }
            if cell.bg == Color::Reset {
                cell.bg = background;
            }
        }
    }
}
