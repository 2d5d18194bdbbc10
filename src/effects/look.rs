//! Questions that a face asks about one target and that are never kept in the world: logs, YAML, revisions.

use std::time::Duration;

use futures::future::BoxFuture;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use tokio::sync::mpsc;

use crate::domain::ids::TargetId;
use crate::domain::text::Clean;
use crate::domain::workload::ReplicaSet;

/// The most characters kept of one line of a log: 64 KiB of ASCII. What is cut off is said at its end.
pub const LOG_LINE: usize = 64 << 10;

/// The most pods whose logs are read at once.
pub const LOG_PODS: usize = 50;

/// Whose logs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pods {
    /// Of every pod of one revision, by its pod-template hash.
    Revision(Clean),
    /// Of every pod of the target.
    All,
    /// Of this pod.
    One(Clean),
}

/// Which logs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogsOf {
    /// Whose.
    pub target: TargetId,
    /// Of which pods.
    pub pods: Pods,
    /// Of this container; `None` = of each container of each pod.
    pub container: Option<Clean>,
    /// Go on with what comes, also of pods that appear later.
    pub follow: bool,
    /// Of the container before its last restart.
    pub previous: bool,
    /// At most so many lines of the past of each container; `None` = all of them.
    pub tail: Option<u32>,
    /// Not older than this.
    pub since: Option<Duration>,
}

/// What came of a log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LogLine {
    /// The pod that said it.
    pub pod: Clean,
    /// Its container.
    pub container: Clean,
    /// When, by the clock of its node.
    pub at: Option<Timestamp>,
    /// The line. Cleaned: tabs are spaces, control characters are shown.
    pub text: Clean,
    /// True when Flightdeck says it about the log (a pod cannot be read, the stream broke), and not the pod itself.
    pub note: bool,
}

/// Which object of a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// The Rollout itself.
    Rollout,
    /// The ReplicaSet of a revision.
    ReplicaSet(RevisionName),
    /// One of its AnalysisRuns, by name.
    AnalysisRun(Clean),
    /// One of its Experiments, by name.
    Experiment(Clean),
    /// What its `workloadRef` names.
    Workload,
}

/// An object as YAML.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct YamlOf {
    /// Whose.
    pub target: TargetId,
    /// Which.
    pub what: What,
    /// With `metadata.managedFields`, which is long and is left out else.
    pub managed_fields: bool,
}

/// Names a revision of a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RevisionName {
    /// By its number, which moves on an undo.
    Number(i64),
    /// By its pod-template hash.
    Hash(Clean),
}

impl RevisionName {
    /// Reads what a person wrote: digits are a number, all else a hash.
    pub fn parse(text: &str) -> Self {
        text.parse().map_or_else(|_| Self::Hash(Clean::new(text)), Self::Number)
    }
}

/// A revision: its ReplicaSet, and the numbers that it had before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Revision {
    /// Its ReplicaSet.
    pub set: ReplicaSet,
    /// Its former numbers (`rollout.argoproj.io/revision-history`), oldest first: it came back as often.
    pub former: Vec<i64>,
}

/// How the pod templates of two revisions differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TemplateDiff {
    /// The older one, e.g. `revision 6 (7c9d8f)`.
    pub from: Clean,
    /// The newer one.
    pub to: Clean,
    /// The unified diff without its head; empty when nothing differs but the label with the hash.
    pub lines: Vec<DiffLine>,
}

/// A line of a diff.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DiffLine {
    /// Its kind.
    pub kind: DiffKind,
    /// Its text, without the sign.
    pub text: Clean,
}

/// What a line of a diff is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum DiffKind {
    /// `@@ -1,7 +1,7 @@`.
    Place,
    /// In both.
    Same,
    /// Only in the older one.
    Removed,
    /// Only in the newer one.
    Added,
}

impl DiffKind {
    /// The sign at the beginning of its line.
    pub const fn sign(self) -> &'static str {
        match self {
            Self::Place => "",
            Self::Same => " ",
            Self::Removed => "-",
            Self::Added => "+",
        }
    }
}

/// Answers such questions about the targets of one context. Errors say what failed, and the fix where it is known.
pub trait Looker: Send + Sync {
    /// Sends the lines to `to` until they end, or nobody listens any more. What cannot be read is said in between.
    fn logs(&self, of: LogsOf, to: mpsc::Sender<LogLine>) -> BoxFuture<'_, ()>;

    /// An object as YAML, line by line.
    fn yaml(&self, of: YamlOf) -> BoxFuture<'_, Result<Vec<Clean>, String>>;

    /// The pod template of a revision as YAML.
    fn template(&self, target: TargetId, revision: RevisionName) -> BoxFuture<'_, Result<Vec<Clean>, String>>;

    /// How two revisions' templates differ; `to` = the current one when it is left out.
    fn diff(
        &self,
        target: TargetId,
        from: RevisionName,
        to: Option<RevisionName>,
    ) -> BoxFuture<'_, Result<TemplateDiff, String>>;

    /// All revisions that still have a ReplicaSet, newest first.
    fn revisions(&self, target: TargetId) -> BoxFuture<'_, Result<Vec<Revision>, String>>;
}
