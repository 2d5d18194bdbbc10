//! Someone asking for an act on a target.

use serde::Serialize;

use super::ids::{ActId, TargetId};
use super::plan::PlanRef;
use super::seen::{Care, Seen};
use super::text::Clean;

/// The acts that exist. One row of the table in `actions` each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ActionId {
    /// Clears a pause; never skips a step.
    Resume,
    /// Moves on by one step of the ladder.
    SkipStep,
    /// Skips everything that is left, analyses included.
    PromoteFull,
    /// Stops where it stands.
    Pause,
    /// Gives all traffic back to the stable version.
    Abort,
    /// Starts an aborted release again.
    Retry,
    /// Replaces all pods, one after another.
    Restart,
    /// Sets the image of one container: a new release.
    SetImage,
    /// Ends an analysis early.
    Terminate,
    /// Keeps the old version's pods up for longer.
    Hold,
    /// Puts the template of an earlier revision back.
    Undo,
    /// Forbids to promote a revision, with the reason.
    Forbid,
    /// Takes that back.
    Allow,
}

impl ActionId {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::Resume,
        Self::SkipStep,
        Self::PromoteFull,
        Self::Pause,
        Self::Abort,
        Self::Retry,
        Self::Restart,
        Self::SetImage,
        Self::Terminate,
        Self::Hold,
        Self::Undo,
        Self::Forbid,
        Self::Allow,
    ];

    /// How much of what was seen it rests on.
    pub const fn care(self) -> Care {
        match self {
            Self::Pause | Self::Abort | Self::Hold | Self::Forbid | Self::Allow => Care::Version,
            Self::Resume
            | Self::SkipStep
            | Self::PromoteFull
            | Self::Retry
            | Self::Restart
            | Self::SetImage
            | Self::Terminate
            | Self::Undo => Care::Everything,
        }
    }
}

/// What an act needs to know besides its target.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(tag = "with", rename_all = "kebab-case")]
pub enum Params {
    /// Nothing.
    #[default]
    None,
    /// [`ActionId::SetImage`].
    Image {
        /// The container's name.
        container: Clean,
        /// The image.
        image: Clean,
    },
    /// [`ActionId::Undo`], [`ActionId::Forbid`], [`ActionId::Allow`]: a revision. Its number moves on an undo, its hash does not.
    Revision {
        /// The pod-template hash.
        hash: Clean,
        /// The number, for people.
        revision: Option<i64>,
    },
    /// [`ActionId::Terminate`].
    Run {
        /// The AnalysisRun's name.
        name: Clean,
    },
    /// [`ActionId::Hold`].
    Hold {
        /// Whose ReplicaSet, by pod-template hash.
        hash: Clean,
        /// Until when.
        until: jiff::Timestamp,
    },
    /// [`ActionId::Restart`].
    Restart {
        /// Pods older than this are replaced; whole seconds.
        at: jiff::Timestamp,
    },
}

impl Params {
    /// Reads them back from a record; `None` when something is missing or does not parse.
    pub fn from_evidence(action: ActionId, said: &std::collections::BTreeMap<String, String>) -> Option<Self> {
        let text = |key: &str| said.get(key).map(|value| Clean::new(value));
        let time = |key: &str| said.get(key).and_then(|value| value.parse().ok());
        let revision = said.get("revision").and_then(|n| n.parse().ok());
        match action {
            ActionId::SetImage => Some(Self::Image { container: text("container")?, image: text("image")? }),
            ActionId::Undo | ActionId::Forbid | ActionId::Allow => {
                Some(Self::Revision { hash: text("podHash")?, revision })
            }
            ActionId::Terminate => Some(Self::Run { name: text("analysisRun")? }),
            ActionId::Hold => Some(Self::Hold { hash: text("podHash")?, until: time("until")? }),
            ActionId::Restart => Some(Self::Restart { at: time("restartAt")? }),
            ActionId::Resume
            | ActionId::SkipStep
            | ActionId::PromoteFull
            | ActionId::Pause
            | ActionId::Abort
            | ActionId::Retry => Some(Self::None),
        }
    }

    /// As they go on record.
    pub fn evidence(&self) -> std::collections::BTreeMap<String, String> {
        let pairs: Vec<(&str, String)> = match self {
            Self::None => Vec::new(),
            Self::Image { container, image } => {
                vec![("container", container.to_string()), ("image", image.to_string())]
            }
            Self::Revision { hash, revision } => {
                let number = revision.map(|n| ("revision", n.to_string()));
                std::iter::once(("podHash", hash.to_string())).chain(number).collect()
            }
            Self::Run { name } => vec![("analysisRun", name.to_string())],
            Self::Hold { hash, until } => vec![("podHash", hash.to_string()), ("until", until.to_string())],
            Self::Restart { at } => vec![("restartAt", at.to_string())],
        };
        pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
    }
}

/// Who asks, and how that is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Actor {
    /// The operating system's user name.
    pub os_user: Clean,
    /// The user that the API server knows (`SelfSubjectReview`), when it was asked.
    pub kube_user: Option<Clean>,
    /// Which face the act came through: `tui`, `verb`, `guard`.
    pub face: &'static str,
}

/// An act asked for: data, not yet decided, prepared, recorded or sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Intent {
    /// Which act this is, from asking to outcome.
    pub act: ActId,
    /// What is asked for.
    pub action: ActionId,
    /// Its parameters.
    pub params: Params,
    /// Which step of which plan it is.
    pub plan: Option<PlanRef>,
    /// On what.
    pub target: TargetId,
    /// The label of the cluster, for records and messages.
    pub context: Clean,
    /// What the person saw.
    pub seen: Seen,
    /// Who asks.
    pub actor: Actor,
    /// Why.
    pub reason: Option<Clean>,
    /// What the person confirmed; the policy says which kind it asks for.
    pub confirmed: Confirmed,
}

/// How an intent was confirmed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Confirmed {
    /// Not at all.
    No,
    /// `y` was pressed in the box.
    Pressed,
    /// The consequence was typed in the box (or the verb was given `--yes`, and what the act rests on is not known to be
    /// bad or was spoken of by name).
    Typed,
    /// The verb was given `--yes`: said beforehand, by nobody who saw what the act rests on.
    Unseen,
    /// As asked for, and once more: that no record of it can be written now (`--without-record`).
    WithoutRecord,
}
