//! Keys over the result of an act: it gives way to whatever is pressed next, and its line stays in the footer.

use std::time::{Duration, Instant};

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::{Effect, Popup, State};
use crate::actions::row;
use crate::domain::ids::ActId;
use crate::domain::outcome::Outcome;
use crate::model::World;
use crate::tui::confirm::Ground;
use crate::tui::keys::Command;
use crate::tui::prompt::HELD;

/// So long a result has to stand there before Enter closes it. It is longer than any keyboard waits before a key that is
/// held down repeats.
const READ: Duration = Duration::from_secs(1);

impl State {
    /// Whether the key is what confirmed, pressed once more or still held down: that must not close what nobody has read.
    pub(super) fn habit(&mut self, key: KeyEvent, at: Instant) -> bool {
        let enter = match key.code {
            KeyCode::Char('y' | 'Y') => false,
            KeyCode::Enter => true,
            _ => return false,
        };
        let stood = self.result_since.is_some_and(|since| at.saturating_duration_since(since) >= READ);
        let held = self.habit_at.is_some_and(|last| at.saturating_duration_since(last) < HELD);
        if enter && stood && !held && key.kind != KeyEventKind::Repeat {
            return false;
        }
        self.habit_at = Some(at);
        self.notice = Some(
            if enter { "the result just came: esc closes it" } else { "y does not close it: esc does" }.to_owned(),
        );
        true
    }

    /// Opens what became of it: nobody has read it yet.
    pub(super) fn show_result(&mut self, popup: Popup) {
        self.popup = Some(popup);
        (self.result_since, self.habit_at) = (None, None);
    }

    pub(super) fn outcome_key(
        &mut self,
        id: &ActId,
        key: KeyEvent,
        at: Instant,
        world: &World,
        ground: &Ground<'_>,
    ) -> Vec<Effect> {
        let abort = self.keys.command(self.place, key) == Some(Command::Abort);
        if !abort && !key.modifiers.difference(KeyModifiers::SHIFT).is_empty() {
            return Vec::new();
        }
        if self.habit(key, at) {
            return Vec::new();
        }
        let mut effects = self.close(world, ground);
        if !matches!(key.code, KeyCode::Esc | KeyCode::Enter | KeyCode::Char('q')) {
            effects.extend(self.key(key, at, world, ground));
        }
        // Where text is typed, the footer is for that.
        if matches!(self.popup, None | Some(Popup::Menu(_))) && !self.typing() && self.notice.is_none() {
            self.notice = said(id, world);
        }
        effects
    }
}

/// `paused shop/web: done, record 15`.
fn said(id: &ActId, world: &World) -> Option<String> {
    let act = world.act(id)?;
    let row = row(act.intent.action);
    let done = matches!(act.ended, Some((_, Outcome::Done { .. })));
    let what = format!("{} {}", if done { row.past } else { row.verb }, act.intent.target);
    Some(match (&act.ended, &act.outcome_recorded) {
        (None, _) => format!("{what}: under way, waiting to see its effect"),
        (Some((_, outcome)), Some(Ok(seq))) => format!("{what}: {}, record {seq}", outcome.word()),
        (Some((_, outcome)), Some(Err(_))) => format!("{what}: {}, NOT in the audit log", outcome.word()),
        (Some((_, outcome)), None) => format!("{what}: {}", outcome.word()),
    })
}
