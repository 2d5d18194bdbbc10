//! Verbs. [`TABLE`] has one row per act; keys, footer, help, command-line verbs, confirmations and docs derive from it.

mod resume;
mod table;
#[cfg(test)]
mod tests;

pub use table::{Action, Consequence, Danger, TABLE, by_key, by_verb, row};
