//! What views paint with: the terminal, the theme, the word in the corner.

use std::io;
use std::sync::Arc;

use super::theme::{Depth, Theme};
use super::view::fit;
use crate::config::Face;
use crate::domain::text::Clean;

/// How wide the word in the corner may be: where we are stands beside it.
const BADGE: usize = 12;

/// How it looks, as far as the terminal and the start decide; the rest is configured.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// Whether colours may be used.
    pub color: bool,
    /// Whether only ASCII may be used.
    pub ascii: bool,
    /// Whether the terminal knows no more, whatever is configured.
    pub only_ascii: bool,
}

/// What views paint with.
#[derive(Clone, Debug)]
pub(super) struct Skin {
    pub look: Look,
    pub theme: Theme,
    /// The word in the corner of every screen and box, as it is configured; none = nothing stands there.
    pub badge: Option<Arc<str>>,
    /// Whether the first keys are told: nobody has been here before.
    pub hint: bool,
}

impl Skin {
    /// What the configuration and the terminal make of it.
    pub(super) fn of(look: Look, face: &Face) -> io::Result<Self> {
        let said = |name: &str| std::env::var(name).ok();
        let depth = Depth::said(said("COLORTERM").as_deref(), said("TERM").as_deref());
        let theme = if look.color { Theme::of(face, depth).map_err(io::Error::other)? } else { Theme::plain() };
        Ok(Self { look, theme, badge: badge(&face.ui.badge), hint: true })
    }
}

/// The word as it can be shown: cleaned, and no wider than it may be.
pub fn badge(said: &str) -> Option<Arc<str>> {
    let clean = Clean::new(said);
    let word = fit(clean.as_str().trim(), BADGE);
    Some(word.trim_end()).filter(|word| !word.is_empty()).map(Into::into)
}

#[cfg(test)]
mod tests {
    use super::badge;

    #[test]
    fn the_word_in_the_corner_is_short_and_clean() {
        for (said, shown) in [
            ("", None),
            ("  ", None),
            (" DEMO ", Some("DEMO")),
            ("training ground", Some("training gr…")),
            ("\u{1b}[2J", Some("␛[2J")),
        ] {
            assert_eq!(badge(said).as_deref(), shown, "{said:?}");
        }
    }
}
