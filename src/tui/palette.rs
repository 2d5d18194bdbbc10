//! The command palette: what is typed after `:`, what it may become, and what was typed before.

use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};
use tui_input::Input;
use tui_input::backend::crossterm::EventHandler as _;

use super::filter_line::insert;

/// The longest command.
const LONGEST: usize = 300;

/// How many commands are remembered.
const REMEMBERED: usize = 100;

/// Something that the line may become.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Suggestion {
    /// The whole line.
    pub line: String,
    /// As it stands in the list.
    pub name: String,
    /// The key that does the same.
    pub key: String,
    /// What it does.
    pub help: String,
    /// Whether more is to be said behind it.
    pub goes_on: bool,
}

/// The box.
#[derive(Clone, Debug, Default)]
pub(super) struct Palette {
    pub input: Input,
    /// What was typed may become one of these.
    pub suggestions: Vec<Suggestion>,
    /// The one that stands in the line.
    pub chosen: Option<usize>,
    /// Why the last command did nothing.
    pub error: Option<String>,
    /// What was typed, while something else stands in the line.
    typed: String,
    /// How far back in what was typed before.
    back: usize,
}

/// What a key led to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    Stay,
    /// The text is another one: it may become something else.
    Changed,
    Leave,
    Run(String),
}

/// What was run before, the latest last.
#[derive(Clone, Debug, Default)]
pub(super) struct History(Vec<String>);

impl History {
    pub(super) fn remember(&mut self, line: &str) {
        self.0.retain(|before| before != line);
        self.0.push(line.to_owned());
        if self.0.len() > REMEMBERED {
            self.0.remove(0);
        }
    }

    fn back(&self, by: usize) -> Option<&str> {
        let at = self.0.len().checked_sub(by)?;
        self.0.get(at).map(String::as_str)
    }
}

impl Palette {
    pub(super) fn value(&self) -> &str {
        self.input.value()
    }

    /// Pasted text is typed; it never runs.
    pub(super) fn paste(&mut self, text: &str) {
        insert(&mut self.input, text, LONGEST);
        self.changed();
    }

    fn changed(&mut self) {
        self.chosen = None;
        self.back = 0;
        self.error = None;
        self.input.value().clone_into(&mut self.typed);
    }

    /// What may become of the line now.
    pub(super) fn suggest(&mut self, suggestions: Vec<Suggestion>) {
        self.suggestions = suggestions;
    }

    pub(super) fn key(&mut self, key: KeyEvent, history: &History) -> Step {
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Esc => return Step::Leave,
            KeyCode::Enter => return Step::Run(self.value().trim().to_owned()),
            // A command that was deleted to its beginning is left, as in vi.
            KeyCode::Backspace if self.value().is_empty() => return Step::Leave,
            KeyCode::Tab if self.suggestions.len() == 1 => {
                self.take(0);
                self.changed();
                return Step::Changed;
            }
            KeyCode::Tab | KeyCode::Down if self.back == 0 => self.choose(true),
            KeyCode::BackTab => self.choose(false),
            KeyCode::Up if self.chosen.is_some() => self.choose(false),
            KeyCode::Up => self.recall(1, history),
            KeyCode::Down => self.recall(-1, history),
            KeyCode::Char('p') if control => self.recall(1, history),
            KeyCode::Char('n') if control => self.recall(-1, history),
            KeyCode::Char(_) if self.value().chars().count() >= LONGEST => {}
            _ => {
                self.input.handle_event(&Event::Key(key));
                self.changed();
                return Step::Changed;
            }
        }
        Step::Stay
    }

    /// Through the suggestions, and back to what was typed.
    fn choose(&mut self, forward: bool) {
        let len = self.suggestions.len();
        let next = match (self.chosen, forward) {
            (None, true) if len > 0 => Some(0),
            (None, false) => len.checked_sub(1),
            (Some(at), true) if at + 1 < len => Some(at + 1),
            (Some(at), false) => at.checked_sub(1),
            _ => None,
        };
        match next {
            Some(at) => self.take(at),
            None => self.input = Input::new(self.typed.clone()),
        }
        self.chosen = next;
        self.error = None;
    }

    fn take(&mut self, at: usize) {
        if let Some(suggestion) = self.suggestions.get(at) {
            let space = if suggestion.goes_on { " " } else { "" };
            self.input = Input::new(format!("{}{space}", suggestion.line));
        }
    }

    fn recall(&mut self, by: isize, history: &History) {
        let to = self.back.saturating_add_signed(by);
        let line = if to == 0 { Some(self.typed.as_str()) } else { history.back(to) };
        if let Some(line) = line {
            self.input = Input::new(line.to_owned());
            self.back = to;
            self.chosen = None;
            self.error = None;
        }
    }
}

/// How well `name` fits what was typed: it begins with it, holds it, or has its letters in this order.
pub(super) fn fits(name: &str, typed: &str) -> Option<u8> {
    let (name, typed) = (name.to_lowercase(), typed.to_lowercase());
    if name.starts_with(&typed) {
        return Some(0);
    }
    if name.contains(&typed) {
        return Some(1);
    }
    let mut letters = name.chars();
    typed.chars().all(|c| letters.any(|letter| letter == c)).then_some(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_better_fit_comes_first() {
        assert_eq!(fits("promote-full", "pro"), Some(0));
        assert_eq!(fits("promote-full", "full"), Some(1));
        assert_eq!(fits("promote-full", "pf"), Some(2));
        assert_eq!(fits("promote-full", "fp"), None);
        assert_eq!(fits("anything", ""), Some(0));
    }

    #[test]
    fn what_was_run_comes_back_once_and_the_latest_first() {
        let mut history = History::default();
        for line in ["board", "audit", "board"] {
            history.remember(line);
        }
        assert_eq!(history.back(1), Some("board"));
        assert_eq!(history.back(2), Some("audit"));
        assert_eq!(history.back(3), None);
    }
}
