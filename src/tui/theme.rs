//! One colour per meaning, and never colour alone: each stands beside a shape or a word.

use ratatui::style::{Color, Modifier, Style};

use crate::domain::environment::Tier;
use crate::domain::rollout::Phase;

/// The styles. Without colour only weight is left.
#[derive(Clone, Copy, Debug)]
pub(super) struct Theme {
    pub color: bool,
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
        self.fg(Color::Green)
    }

    pub(super) fn warn(self) -> Style {
        self.fg(Color::Yellow)
    }

    pub(super) fn bad(self) -> Style {
        self.fg(Color::Red).add_modifier(Modifier::BOLD)
    }

    pub(super) fn busy(self) -> Style {
        self.fg(Color::Cyan)
    }

    /// Old, secondary or not at hand.
    pub(super) fn dim(self) -> Style {
        if self.color { Style::new().fg(Color::DarkGray) } else { Style::new().add_modifier(Modifier::DIM) }
    }

    /// A key that can be pressed.
    pub(super) fn key(self) -> Style {
        self.fg(Color::Cyan).add_modifier(Modifier::BOLD)
    }

    pub(super) fn tier(self, tier: Tier) -> Style {
        let style = Style::new().add_modifier(Modifier::BOLD);
        match (self.color, tier) {
            (false, Tier::Production) => style.add_modifier(Modifier::REVERSED),
            (false, _) => style,
            (true, Tier::Production) => style.fg(Color::White).bg(Color::Red),
            (true, Tier::Staging) => style.fg(Color::Black).bg(Color::Yellow),
            (true, Tier::Development) => style.fg(Color::Black).bg(Color::Green),
        }
    }

    pub(super) fn badge(self) -> Style {
        let style = Style::new().add_modifier(Modifier::BOLD);
        if self.color { style.fg(Color::Black).bg(Color::Magenta) } else { style.add_modifier(Modifier::REVERSED) }
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
}
