//! What the state asks for, what comes back, and what may stand over the screen.

use std::sync::Arc;

use super::looks::Look;
use crate::domain::ids::{ActId, TargetId};
use crate::domain::intent::Intent;
use crate::domain::plan::Plan;
use crate::domain::rollout::Rollout;
use crate::domain::text::Clean;
use crate::runtime::handle::{LogsOf, YamlOf};
use crate::tui::confirm::Confirm;
use crate::tui::form::Form;
use crate::tui::group::Group;
use crate::tui::palette::Palette;
use crate::tui::resume::Resume;
use crate::tui::rollback::Rollback;

/// What a question to the runtime is about to bring.
#[derive(Clone, Debug)]
pub(in crate::tui) enum Loaded<T> {
    Waiting,
    Here(T),
    Failed(String),
}

/// A record as the screen needs it, and the whole of it as text.
#[derive(Clone, Debug, Default)]
pub(in crate::tui) struct RecordLine {
    pub seq: u64,
    /// Which act it is about.
    pub act: String,
    pub ts: String,
    pub kind: &'static str,
    pub op: String,
    pub target: String,
    /// The uid of the cluster and the kube context: what tells targets of one name apart.
    pub cluster: String,
    pub context: String,
    pub by: String,
    /// How who it was is known, e.g. `anna (API server)`.
    pub who: String,
    /// The plan that it is a step of, and which, e.g. `1c0ffee0… step 2 of 3`.
    pub plan: String,
    pub reason: String,
    pub outcome: String,
    pub whole: String,
}

impl RecordLine {
    /// How it ended; nothing where it only says what is meant: its reason stands beside it.
    pub(in crate::tui) fn ended(&self) -> &str {
        if self.outcome == self.reason { "" } else { &self.outcome }
    }

    /// The vocabulary's word for how it ended.
    pub(in crate::tui) fn word(&self) -> &str {
        self.outcome.split(':').next().unwrap_or_default()
    }
}

/// A box over the screen.
#[derive(Debug)]
pub(in crate::tui) enum Popup {
    /// The act menu, scrolled by so many lines.
    Menu(usize),
    Palette(Box<Palette>),
    Form(Box<Form>),
    Confirm(Box<Confirm>),
    Group(Box<Group>),
    Rollback(Box<Rollback>),
    /// What a process left undone, to be gone on with.
    Resume(Box<Resume>),
    Outcome(ActId),
    /// A plan under way or ended, scrolled by so many lines.
    Progress(String, usize),
}

/// What the loop has to do for the state.
#[derive(Debug)]
pub(in crate::tui) enum Effect {
    /// Read the target afresh for the confirmation.
    Read(TargetId),
    /// Send an act on its way.
    Act(Box<Intent>),
    /// Send a plan on its way.
    Plan(Box<Plan>),
    /// Read the newest records, of this target only where one is named.
    Audit(usize, Option<TargetId>),
    /// Read the records about a target.
    Records(TargetId),
    /// Check the audit log.
    Verify,
    /// Open this log instead of the one that is open; `None` = end it.
    Logs(Option<Box<LogsOf>>),
    /// Read an object as YAML.
    Yaml(Box<YamlOf>),
    /// Compare a revision, by its hash, with the one in the spec.
    Diff(TargetId, Clean),
    /// Read the revisions with their former numbers.
    Revisions(TargetId),
    /// Whose pods are wanted.
    Focus(Option<TargetId>),
    /// Give the terminal this text for its clipboard.
    Copy(String),
    Suspend,
    Quit,
}

/// What came back.
#[derive(Debug)]
pub(in crate::tui) enum Answer {
    Read(TargetId, Result<Option<Arc<Rollout>>, String>),
    /// Records of this target, or the newest of all.
    Audit(Option<TargetId>, Result<Vec<RecordLine>, String>),
    Records(TargetId, Result<Vec<RecordLine>, String>),
    Verify(Result<(bool, String), String>),
    /// For a screen that looks closer at one target.
    Look(Look),
    /// An act could not even be handed over.
    Lost(String),
}
