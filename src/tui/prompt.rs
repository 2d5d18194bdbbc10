//! What every confirmation shares: the keys that count, and those that do not.
//!
//! What confirms is a key of its own: pressed by a person who has the box before them. So nothing counts that was typed
//! before the box stood there or for [`DEAF`] after, nor a key that is held down since then, nor one that came together
//! with others: that is pasted text on a terminal that does not mark it, or the rest of an escape sequence.

use std::time::{Duration, Instant};

use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use tui_input::Input;
use tui_input::backend::crossterm::EventHandler as _;

use crate::domain::decision::Confirmation;
use crate::domain::intent::Confirmed;
use crate::domain::text::Clean;

/// Keys count only when the box has been on the screen for this long: what was typed for something else does not.
pub(super) const DEAF: Duration = Duration::from_millis(400);

/// A key that is held down comes at least this often.
pub(super) const HELD: Duration = Duration::from_millis(150);

/// What a key is told that came too early.
const JUST_CAME: &str = "not yet: the box just came up, press again";

/// What a key is told that is held down.
const HELD_DOWN: &str = "not yet: let go of the key, then press it again";

/// The longest reason.
const LONGEST_REASON: usize = 500;

/// Where typed text goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Field {
    #[default]
    Confirmation,
    Reason,
}

/// The part of a box that is typed into.
#[derive(Clone, Debug, Default)]
pub(super) struct Prompt {
    pub typed: Input,
    pub reason: Input,
    pub field: Field,
    /// What changed while the box was open, or why the last key did nothing.
    pub notice: Option<String>,
    /// When this content first stood on the screen.
    drawn: Option<Instant>,
    /// Whether the act is refused without a reason.
    pub reason_needed: bool,
    /// The last key that did not count.
    unheard: Option<Instant>,
    /// Why the last key did not count, for as long as the next one does not either.
    pub not_yet: Option<&'static str>,
    /// Whether the keys of this moment came all at once.
    crowded: bool,
}

impl Prompt {
    /// The content is another one: nothing that was typed for it counts, and it must stand on the screen first.
    pub(super) fn renew(&mut self) {
        self.typed = Input::default();
        self.drawn = None;
    }

    /// The content stands on the screen since `at`.
    pub(super) fn drawn(&mut self, at: Instant) {
        self.drawn.get_or_insert(at);
    }

    /// It has to stand on the screen anew before keys count; what was typed stays.
    pub(super) fn unseen(&mut self) {
        self.drawn = None;
    }

    /// Whether the keys that come now came all at once.
    pub(super) fn crowd(&mut self, crowded: bool) {
        self.crowded = crowded;
    }

    /// Whether keys count.
    pub(super) fn listens(&self, at: Instant) -> bool {
        self.drawn.is_some_and(|drawn| at.saturating_duration_since(drawn) >= DEAF)
    }

    /// A key came that does not count.
    pub(super) fn too_early(&mut self, at: Instant) {
        self.unheard = Some(at);
    }

    /// What is said at `at` to a key that did not count: nothing once keys count again.
    pub(super) fn look(&mut self, at: Instant) {
        let held = self.unheard.is_some_and(|last| at.saturating_duration_since(last) < HELD);
        self.not_yet = match self.unheard {
            Some(_) if !self.listens(at) => Some(JUST_CAME),
            Some(_) if held => Some(HELD_DOWN),
            None | Some(_) => None,
        };
        if self.not_yet.is_none() {
            self.unheard = None;
        }
    }

    /// When keys count again after one that did not.
    pub(super) fn listens_from(&self) -> Option<Instant> {
        let unheard = self.unheard? + HELD;
        self.drawn.map(|drawn| unheard.max(drawn + DEAF))
    }

    /// The reason, if one was given.
    pub(super) fn reason(&self) -> Option<Clean> {
        let reason = self.reason.value().trim();
        (!reason.is_empty()).then(|| Clean::new(reason))
    }

    /// Asks for a reason before anything else.
    pub(super) fn wants_reason(&mut self, why: &str) {
        self.notice = Some(why.to_owned());
        self.field = Field::Reason;
    }

    /// Pasted text may be a reason; it never confirms.
    pub(super) fn paste(&mut self, text: &str, at: Instant) {
        if self.field == Field::Reason && self.listens(at) {
            for c in Clean::new(text).as_str().chars().take(LONGEST_REASON) {
                self.reason.handle(tui_input::InputRequest::InsertChar(c));
            }
        } else {
            self.notice = Some("pasted text does not confirm: type it".to_owned());
        }
    }

    /// What the key confirms, if it does.
    pub(super) fn key(&mut self, key: KeyEvent, at: Instant, asked: &Confirmation) -> Option<Confirmed> {
        let held = self.unheard.is_some_and(|last| at.saturating_duration_since(last) < HELD);
        if !self.listens(at) || held {
            self.unheard = Some(at);
            return None;
        }
        self.unheard = None;
        self.notice = None;
        let confirms = self.field == Field::Confirmation && self.would_confirm(key, asked);
        if confirms && key.kind == KeyEventKind::Repeat {
            self.notice = Some("let go of the key, then press it again".to_owned());
            return None;
        }
        if confirms && self.crowded {
            self.notice = Some("that came all at once, as pasted text does: press it again by itself".to_owned());
            return None;
        }
        match (key.code, self.field) {
            (KeyCode::Tab | KeyCode::BackTab | KeyCode::Down | KeyCode::Up, field) => {
                self.field = if field == Field::Reason { Field::Confirmation } else { Field::Reason };
            }
            (KeyCode::Enter, Field::Reason) if self.reason_needed && self.reason().is_none() => {
                self.notice = Some("write the reason first: without one it is refused".to_owned());
            }
            (KeyCode::Enter, Field::Reason) => self.field = Field::Confirmation,
            (_, Field::Reason) => {
                if self.reason.value().chars().count() < LONGEST_REASON || !matches!(key.code, KeyCode::Char(_)) {
                    self.reason.handle_event(&Event::Key(key));
                }
            }
            (KeyCode::Char('y'), Field::Confirmation) if plain(key) => match asked {
                Confirmation::Press => return Some(Confirmed::Pressed),
                Confirmation::WithoutRecord { .. } => return Some(Confirmed::WithoutRecord),
                Confirmation::Type { .. } => {
                    self.typed.handle_event(&Event::Key(key));
                }
            },
            (KeyCode::Enter, Field::Confirmation) if plain(key) => match asked {
                Confirmation::Type { text } if self.typed.value() == text => return Some(Confirmed::Typed),
                Confirmation::Type { text } => {
                    self.notice = Some(if self.typed.value().is_empty() {
                        format!("type \"{text}\" first")
                    } else {
                        format!("that is not \"{text}\"")
                    });
                    self.typed = Input::default();
                }
                Confirmation::Press | Confirmation::WithoutRecord { .. } => {
                    self.notice = Some("press y to go on, esc to leave it".to_owned());
                }
            },
            (_, Field::Confirmation) => {
                if matches!(asked, Confirmation::Type { .. }) {
                    self.typed.handle_event(&Event::Key(key));
                }
            }
        }
        None
    }

    /// Whether this key is the one that confirms.
    fn would_confirm(&self, key: KeyEvent, asked: &Confirmation) -> bool {
        match asked {
            Confirmation::Type { text } => key.code == KeyCode::Enter && self.typed.value() == text,
            Confirmation::Press | Confirmation::WithoutRecord { .. } => key.code == KeyCode::Char('y'),
        }
    }
}

fn plain(key: KeyEvent) -> bool {
    key.modifiers.difference(KeyModifiers::SHIFT).is_empty()
}
