//! Answers of the terminal (OSC, DCS, APC …) that the key parser does not know reach us as `Alt` and a letter, and
//! then as if their text was typed. None of it may count as a key.

use std::time::{Duration, Instant};

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// What belongs to one answer comes without a pause.
const PAUSE: Duration = Duration::from_millis(100);

/// Whether the text of such an answer is coming in.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tail {
    last: Option<Instant>,
}

impl Tail {
    /// Whether this key is no key.
    pub(super) fn swallows(&mut self, key: KeyEvent, at: Instant) -> bool {
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
