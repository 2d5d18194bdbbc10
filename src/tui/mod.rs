//! The cockpit: the only room that knows a terminal.
//!
//! [`run`] waits for keys, snapshots and answers, hands each to `State`, and draws what `view` makes of
//! both. State and views are pure: they take the world, the time and the key as data, so that tests can.

mod alarm;
mod audit;
mod board;
mod columns;
mod confirm;
mod filter_line;
mod find;
mod form;
mod group;
mod keymap;
mod keys;
mod log;
mod palette;
mod plain;
mod prompt;
mod records;
mod resume;
mod rollback;
mod run;
mod skin;
mod state;
mod tail;
mod terminal;
mod text;
mod theme;
mod view;

#[cfg(test)]
mod tests;

pub use records::Verbs;
pub use run::run;
use skin::Skin;
pub use skin::{Look, badge};

/// The smallest screen that is drawn and takes keys: columns and rows.
const SMALLEST: (u16, u16) = (60, 16);

/// Whether keys, columns and sorting are configured so that they can be used. Errors name the fix.
pub fn check(face: &crate::config::Face) -> Result<(), String> {
    state::State::configured(face).map(drop)
}
