//! The table.

use super::resume;
use crate::domain::intent::ActionId;
use crate::domain::rollout::Rollout;

/// What an act can do to users if it is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Danger {
    /// Stops harm: confirmed by one key, allowed when the audit log is down.
    Stop,
    /// Moves a release forward: confirmed by typing its consequence in production.
    Forward,
}

/// What an act leads to, on a given target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consequence {
    /// In the words of the menu, e.g. `weight 50 %, then pause 10m`.
    pub text: String,
    /// What is typed to confirm it, e.g. `50`.
    pub typed: String,
}

/// One act.
#[derive(Clone, Copy, Debug)]
pub struct Action {
    /// Its id.
    pub id: ActionId,
    /// The verb on the command line and in records.
    pub verb: &'static str,
    /// Its letter in the act menu.
    pub key: char,
    /// `resuming`.
    pub progressive: &'static str,
    /// `resumed`.
    pub past: &'static str,
    /// One line of help.
    pub help: &'static str,
    /// What it can do.
    pub danger: Danger,
    /// Whether it applies to the target as it is; why not, else.
    pub applies: fn(&Rollout) -> Result<(), String>,
    /// What it leads to.
    pub consequence: fn(&Rollout) -> Consequence,
}

/// All acts, in the order of the menu.
pub const TABLE: &[Action] = &[Action {
    id: ActionId::Resume,
    verb: "resume",
    key: 'p',
    progressive: "resuming",
    past: "resumed",
    help: "clear the pause and go on with the next step; never skips a step",
    danger: Danger::Forward,
    applies: resume::applies,
    consequence: resume::consequence,
}];

/// The row of `id`.
pub fn row(id: ActionId) -> &'static Action {
    match id {
        ActionId::Resume => &TABLE[0],
    }
}

/// The row with this key in the act menu.
pub fn by_key(key: char) -> Option<&'static Action> {
    TABLE.iter().find(|action| action.key == key)
}

/// The row with this verb.
pub fn by_verb(verb: &str) -> Option<&'static Action> {
    TABLE.iter().find(|action| action.verb == verb)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn keys_and_verbs_are_unique_and_rows_find_themselves() {
        let mut keys = HashSet::new();
        let mut verbs = HashSet::new();
        for action in TABLE {
            assert!(keys.insert(action.key), "key {}", action.key);
            assert!(verbs.insert(action.verb), "verb {}", action.verb);
            assert_eq!(row(action.id).verb, action.verb);
            assert_eq!(by_key(action.key).map(|a| a.id), Some(action.id));
            assert_eq!(by_verb(action.verb).map(|a| a.id), Some(action.id));
            assert!(!action.help.is_empty() && !action.help.ends_with('.'));
        }
    }
}
