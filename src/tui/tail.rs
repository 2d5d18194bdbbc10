//! Answers of the terminal (OSC, DCS, APC …) that the key parser does not know reach us as `Alt` and a letter, and
//! then as if their text was typed. A sequence that arrives in two parts reaches us as Esc, and then as its rest. None of
//! it may count as a key but the Esc, which only ever leaves something.

use std::time::{Duration, Instant};

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// What belongs to one answer comes without a pause.
const PAUSE: Duration = Duration::from_millis(100);

/// Whether the text of such an answer is coming in.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tail {
    last: Option<Instant>,
    /// When an Esc came that may be the first part of a sequence.
    escape: Option<Instant>,
    /// Inside the rest of such a sequence, up to its final byte.
    rest: bool,
}

impl Tail {
    /// Whether this key is no key.
    pub(super) fn swallows(&mut self, key: KeyEvent, at: Instant) -> bool {
        let split = self.split(key, at);
        self.answer(key, at) || split
    }

    /// `[A`, `[1;5A`, `OP` right behind an Esc. Pressed by hand they do not come that close.
    fn split(&mut self, key: KeyEvent, at: Instant) -> bool {
        let close = self.escape.is_some_and(|last| at.saturating_duration_since(last) < PAUSE);
        let (begun, rest) = (close && !self.rest, close && self.rest);
        self.escape = None;
        self.rest = false;
        match key.code {
            KeyCode::Esc => {
                self.escape = Some(at);
                false
            }
            KeyCode::Char('[' | 'O') if begun => {
                (self.escape, self.rest) = (Some(at), true);
                true
            }
            KeyCode::Char(c) if rest => {
                if !('@'..='~').contains(&c) {
                    (self.escape, self.rest) = (Some(at), true);
                }
                true
            }
            _ => false,
        }
    }

    fn answer(&mut self, key: KeyEvent, at: Instant) -> bool {
        let alt = key.modifiers.contains(KeyModifiers::ALT);
        let begins = alt && matches!(key.code, KeyCode::Char(']' | 'P' | '_' | '^' | 'X'));
        let inside = self.last.is_some_and(|last| at.saturating_duration_since(last) < PAUSE);
        let bell = key.code == KeyCode::Char('g') && key.modifiers.contains(KeyModifiers::CONTROL);
        let ends = bell || (alt && key.code == KeyCode::Char('\\'));
        self.last = ((begins || inside) && !ends).then_some(at);
        begins || inside
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_of_a_split_sequence_is_swallowed() {
        let now = Instant::now();
        let key = |c| KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE);
        for sequence in ["[A", "[1;5B", "OP", "[99;99~"] {
            let mut tail = Tail::default();
            assert!(!tail.swallows(KeyCode::Esc.into(), now), "the Esc counts");
            for c in sequence.chars() {
                assert!(tail.swallows(key(c), now + PAUSE / 2), "{c} of {sequence}");
            }
            assert!(!tail.swallows(key('a'), now + PAUSE / 2), "what follows {sequence}");
        }
        let mut tail = Tail::default();
        tail.swallows(KeyCode::Esc.into(), now);
        assert!(!tail.swallows(key('['), now + PAUSE), "by hand");
        assert!(!tail.swallows(key('A'), now + PAUSE));
    }

    #[test]
    fn a_tail_is_swallowed_and_what_follows_is_not() {
        let mut tail = Tail::default();
        let now = Instant::now();
        let key = |c, modifiers| KeyEvent::new(KeyCode::Char(c), modifiers);
        assert!(!tail.swallows(key('1', KeyModifiers::NONE), now));
        assert!(tail.swallows(key(']', KeyModifiers::ALT), now));
        for c in "11;rgb:0/0/0".chars() {
            assert!(tail.swallows(key(c, KeyModifiers::NONE), now));
        }
        assert!(tail.swallows(key('g', KeyModifiers::CONTROL), now));
        assert!(!tail.swallows(key('5', KeyModifiers::NONE), now));
        assert!(tail.swallows(key('P', KeyModifiers::ALT), now));
        assert!(tail.swallows(key('5', KeyModifiers::NONE), now));
        assert!(tail.swallows(key('\\', KeyModifiers::ALT), now));
        assert!(!tail.swallows(key('5', KeyModifiers::NONE), now));
        assert!(tail.swallows(key('X', KeyModifiers::ALT), now));
        assert!(!tail.swallows(key('5', KeyModifiers::NONE), now + PAUSE), "an answer that never ends");
    }
}
