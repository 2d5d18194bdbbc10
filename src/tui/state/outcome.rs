//! Keys over the result of an act: it gives way to whatever is pressed next, and its line stays in the footer.

use std::time::Instant;

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::{Effect, Popup, State};
use crate::actions::row;
use crate::domain::ids::ActId;
use crate::domain::outcome::Outcome;
use crate::model::World;
use crate::tui::confirm::Ground;
use crate::tui::prompt::DEAF;

impl State {
    pub(super) fn outcome_key(
        &mut self,
        id: &ActId,
        key: KeyEvent,
        at: Instant,
        world: &World,
        ground: &Ground<'_>,
    ) -> Vec<Effect> {
        if !key.modifiers.difference(KeyModifiers::SHIFT).is_empty() {
            return Vec::new();
        }
        // What confirms is often pressed once more than it takes: that must not close what nobody has read.
        let habit = matches!(key.code, KeyCode::Char('y' | 'Y') | KeyCode::Enter);
        let stood = self.outcome_since.is_some_and(|since| at.saturating_duration_since(since) >= DEAF);
        if habit && (!stood || key.kind == KeyEventKind::Repeat) {
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
