//! The cockpit: the only room that knows a terminal.
//!
//! [`run`] waits for keys, snapshots and answers, hands each to `State`, and draws what `view` makes of
//! both. State and views are pure: they take the world, the time and the key as data, so that tests can.

mod alarm;
mod board;
mod confirm;
mod find;
mod form;
mod group;
mod keys;
mod log;
mod prompt;
mod rollback;
mod run;
mod state;
mod tail;
mod terminal;
mod text;
mod theme;
mod view;

#[cfg(test)]
mod tests;

pub use run::run;

/// How it looks, as far as the terminal and the start decide; the rest is configured.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// Whether colours may be used.
    pub color: bool,
    /// Whether only ASCII may be used.
    pub ascii: bool,
    /// A badge in the corner, e.g. `DEMO`.
    pub badge: Option<&'static str>,
}

/// What views paint with.
#[derive(Clone, Copy, Debug)]
struct Skin {
    look: Look,
    theme: theme::Theme,
    /// Whether the first keys are told: nobody has been here before.
    hint: bool,
}
