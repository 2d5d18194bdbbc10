//! The table.

use std::time::Duration;

use super::{forward, marks, pods, resume, revision, stop};
use crate::domain::intent::{ActionId, Params};
use crate::domain::permissions::Right;
use crate::domain::sight::Sight;

/// What an act can do to users if it is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Danger {
    /// Stops harm: confirmed by one key, allowed when the audit log is down.
    Stop,
    /// Moves a release: confirmed by typing its consequence in production.
    Forward,
}

/// What an act needs to be told besides its target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Nothing.
    Nothing,
    /// A container and an image.
    Image,
    /// A revision.
    Revision,
    /// An analysis; the running one where there is just one.
    Run,
    /// How long; an hour where nothing is said.
    Duration,
}

/// What an act leads to, on a given target.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Consequence {
    /// In the words of the menu, e.g. `weight 50 %, then pause 10m`.
    pub text: String,
    /// What is typed to confirm it, e.g. `50`.
    pub typed: String,
}

impl Consequence {
    pub(super) fn new(text: impl Into<String>, typed: impl Into<String>) -> Self {
        Self { text: text.into(), typed: typed.into() }
    }
}

/// One act.
#[derive(Clone, Copy, Debug)]
pub struct Action {
    /// Its id.
    pub id: ActionId,
    /// The verb on the command line and in records.
    pub verb: &'static str,
    /// Its letter in the act menu. `r` is the rollback plan's, which is made of acts.
    pub key: char,
    /// `resuming`.
    pub progressive: &'static str,
    /// `resumed`.
    pub past: &'static str,
    /// One line of help.
    pub help: &'static str,
    /// What it can do.
    pub danger: Danger,
    /// What it needs to be told.
    pub needs: Needs,
    /// Whether it brings the version in flight closer to its users: a revision that must not be promoted refuses it.
    pub promotes: bool,
    /// How long its effect may take once the server accepted it.
    pub patience: Duration,
    /// The rights that it needs on the target as it is.
    pub rights: fn(&Sight<'_>) -> Vec<Right>,
    /// Whether it applies to the target as it is; why not, else. With [`Params::None`] what depends on them is left out.
    pub applies: fn(&Sight<'_>, &Params) -> Result<(), String>,
    /// What it leads to.
    pub consequence: fn(&Sight<'_>, &Params) -> Consequence,
}

const SHORT: Duration = Duration::from_secs(30);
const MINUTES: Duration = Duration::from_mins(2);

fn status(_: &Sight<'_>) -> Vec<Right> {
    vec![Right::Status]
}

/// An abort of what is paused by hand ends that pause as well.
fn aborts(sight: &Sight<'_>) -> Vec<Right> {
    if sight.rollout.spec_paused { vec![Right::Status, Right::Rollouts] } else { vec![Right::Status] }
}

fn sets(_: &Sight<'_>) -> Vec<Right> {
    vec![Right::Sets]
}

fn template(sight: &Sight<'_>) -> Vec<Right> {
    vec![if sight.rollout.workload_ref.is_some() { Right::Deployments } else { Right::Rollouts }]
}

/// A pause by hand stands in the spec, one of the controller in the status.
fn pauses(sight: &Sight<'_>) -> Vec<Right> {
    let mut needed = Vec::new();
    if sight.rollout.spec_paused {
        needed.push(Right::Rollouts);
    }
    if !sight.rollout.pause_conditions.is_empty() || !sight.rollout.spec_paused {
        needed.push(Right::Status);
    }
    needed
}

/// What most rows share.
const ROW: Action = Action {
    id: ActionId::Resume,
    verb: "resume",
    key: 'p',
    progressive: "resuming",
    past: "resumed",
    help: "clear the pause and go on with the next step; never skips a step",
    danger: Danger::Forward,
    needs: Needs::Nothing,
    promotes: true,
    patience: SHORT,
    rights: pauses,
    applies: resume::applies,
    consequence: resume::consequence,
};

/// All acts, in the order of the menu.
pub const TABLE: &[Action] = &[
    ROW,
    Action {
        id: ActionId::SkipStep,
        verb: "skip-step",
        key: 'n',
        progressive: "skipping a step",
        past: "skipped a step",
        help: "leave the step that is running and go on with the next one; an analysis in it does not finish",
        rights: status,
        applies: forward::skip_applies,
        consequence: forward::skip_consequence,
        ..ROW
    },
    Action {
        id: ActionId::PromoteFull,
        verb: "promote-full",
        key: 'f',
        progressive: "promoting fully",
        past: "promoted fully",
        help: "give the new version all traffic now; skips the steps, pauses and analyses that are left",
        patience: MINUTES,
        rights: pauses,
        applies: forward::full_applies,
        consequence: forward::full_consequence,
        ..ROW
    },
    Action {
        id: ActionId::Pause,
        verb: "pause",
        key: 's',
        progressive: "pausing",
        past: "paused",
        help: "stop where it stands until someone resumes it; analyses go on, a canary does not scale",
        danger: Danger::Stop,
        promotes: false,
        rights: |_| vec![Right::Rollouts],
        applies: stop::pause_applies,
        consequence: stop::pause_consequence,
        ..ROW
    },
    Action {
        id: ActionId::Abort,
        verb: "abort",
        key: 'b',
        progressive: "aborting",
        past: "aborted",
        help: "give all traffic back to the stable version at once; the new one stays in the spec until a retry or an undo",
        danger: Danger::Stop,
        promotes: false,
        patience: MINUTES,
        rights: aborts,
        applies: stop::abort_applies,
        consequence: stop::abort_consequence,
        ..ROW
    },
    Action {
        id: ActionId::Retry,
        verb: "retry",
        key: 't',
        progressive: "retrying",
        past: "retried",
        help: "start an aborted release again, from its first step",
        rights: status,
        applies: forward::retry_applies,
        consequence: forward::retry_consequence,
        ..ROW
    },
    Action {
        id: ActionId::Undo,
        verb: "undo",
        key: 'u',
        progressive: "undoing",
        past: "undone",
        help: "put the template of an earlier revision back into the spec; `rollback` plans what is needed besides",
        needs: Needs::Revision,
        promotes: false,
        patience: MINUTES,
        rights: template,
        applies: revision::undo_applies,
        consequence: revision::undo_consequence,
        ..ROW
    },
    Action {
        id: ActionId::SetImage,
        verb: "set-image",
        key: 'i',
        progressive: "setting the image",
        past: "set the image",
        help: "set the image of one container: this begins a new release",
        needs: Needs::Image,
        promotes: false,
        rights: template,
        applies: revision::image_applies,
        consequence: revision::image_consequence,
        ..ROW
    },
    Action {
        id: ActionId::Restart,
        verb: "restart",
        key: 'x',
        progressive: "restarting",
        past: "restarted",
        help: "replace all pods one after another, without a new revision",
        promotes: false,
        patience: Duration::from_mins(5),
        rights: |_| vec![Right::Rollouts],
        applies: pods::restart_applies,
        consequence: pods::restart_consequence,
        ..ROW
    },
    Action {
        id: ActionId::Terminate,
        verb: "terminate",
        key: 'e',
        progressive: "terminating the analysis",
        past: "terminated the analysis",
        help: "end a running analysis early; what has not failed by then counts as successful",
        needs: Needs::Run,
        rights: |_| vec![Right::Runs],
        applies: forward::terminate_applies,
        consequence: forward::terminate_consequence,
        ..ROW
    },
    Action {
        id: ActionId::Hold,
        verb: "hold",
        key: 'h',
        progressive: "holding the old version",
        past: "held the old version",
        help: "keep the old version's pods up for longer, so that going back stays instant",
        danger: Danger::Stop,
        needs: Needs::Duration,
        promotes: false,
        rights: sets,
        applies: pods::hold_applies,
        consequence: pods::hold_consequence,
        ..ROW
    },
    Action {
        id: ActionId::Forbid,
        verb: "forbid",
        key: 'm',
        progressive: "marking as not to be promoted",
        past: "marked as not to be promoted",
        help: "mark a revision as not to be promoted, with the reason; every cockpit refuses to bring it forward",
        danger: Danger::Stop,
        needs: Needs::Revision,
        promotes: false,
        rights: sets,
        applies: marks::forbid_applies,
        consequence: marks::forbid_consequence,
        ..ROW
    },
    Action {
        id: ActionId::Allow,
        verb: "allow",
        key: 'o',
        progressive: "taking the mark back",
        past: "took the mark back",
        help: "take the mark back that forbids to promote a revision",
        needs: Needs::Revision,
        promotes: false,
        rights: sets,
        applies: marks::allow_applies,
        consequence: marks::allow_consequence,
        ..ROW
    },
];

/// The row of `id`.
#[expect(clippy::missing_panics_doc, reason = "a test finds every id in the table")]
pub fn row(id: ActionId) -> &'static Action {
    TABLE.iter().find(|action| action.id == id).expect("every act has a row")
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
        let mut keys = HashSet::from(['r']);
        let mut verbs = HashSet::new();
        for action in TABLE {
            assert!(keys.insert(action.key), "key {}", action.key);
            assert!(verbs.insert(action.verb), "verb {}", action.verb);
            assert_eq!(row(action.id).verb, action.verb);
            assert_eq!(by_key(action.key).map(|a| a.id), Some(action.id));
            assert_eq!(by_verb(action.verb).map(|a| a.id), Some(action.id));
            assert!(!action.help.is_empty() && !action.help.ends_with('.'));
        }
        for id in ActionId::ALL {
            assert_eq!(row(id).id, id);
        }
    }
}
