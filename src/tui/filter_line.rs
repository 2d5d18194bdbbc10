//! What is typed after `/` where a list is filtered.

use crossterm::event::{Event, KeyCode, KeyEvent};
use tui_input::Input;
use tui_input::backend::crossterm::EventHandler as _;

use crate::domain::text::Clean;

/// The longest filter.
const LONGEST: usize = 200;

/// The line.
#[derive(Clone, Debug, Default)]
pub(super) struct FilterLine {
    pub input: Input,
    /// Whether keys go into it.
    pub open: bool,
    /// Why a part of what stands there is left out.
    pub error: Option<String>,
}

/// What a key led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Typed {
    /// The text is another one.
    Changed,
    /// It is kept, or there was nothing in the key.
    Same,
}

impl FilterLine {
    pub(super) fn value(&self) -> &str {
        self.input.value()
    }

    /// Whether anything is filtered.
    pub(super) fn active(&self) -> bool {
        !self.value().trim().is_empty()
    }

    pub(super) fn set(&mut self, text: &str) {
        self.input = Input::new(text.to_owned());
        self.error = None;
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(super) fn key(&mut self, key: KeyEvent) -> Typed {
        match key.code {
            // What cannot be used is mended or left, not kept.
            KeyCode::Enter | KeyCode::Down | KeyCode::Up => {
                self.open = self.error.is_some();
                Typed::Same
            }
            KeyCode::Esc => {
                self.clear();
                Typed::Changed
            }
            _ => {
                if self.value().chars().count() < LONGEST || !matches!(key.code, KeyCode::Char(_)) {
                    self.input.handle_event(&Event::Key(key));
                }
                Typed::Changed
            }
        }
    }

    pub(super) fn paste(&mut self, text: &str) {
        insert(&mut self.input, text, LONGEST);
    }
}

/// Types pasted text into a line, cleaned and cut.
pub(super) fn insert(input: &mut Input, text: &str, longest: usize) {
    let room = longest.saturating_sub(input.value().chars().count());
    for c in Clean::new(text.trim_end()).as_str().chars().take(room) {
        input.handle(tui_input::InputRequest::InsertChar(c));
    }
}
