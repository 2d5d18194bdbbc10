//! A record of the audit log: plain data. How it is stored and chained is the business of `audit`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::text::Clean;

/// What a record says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum RecordKind {
    /// An act is about to be sent. Durable before its first request leaves.
    Intent,
    /// What became of it.
    Outcome,
    /// An act that was not sent: refused, superseded or failed before anything left.
    Refusal,
    /// A plan begins: several acts that belong together. Each act has its own intent and outcome.
    Plan,
    /// How a plan ended.
    #[serde(rename = "plan-end")]
    PlanEnd,
    /// The log was mended after a crash; what was cut off is kept as evidence.
    Recovered,
    /// A new segment begins.
    Segment,
}

impl RecordKind {
    /// The word in the log.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Intent => "intent",
            Self::Outcome => "outcome",
            Self::Refusal => "refusal",
            Self::Plan => "plan",
            Self::PlanEnd => "plan-end",
            Self::Recovered => "recovered",
            Self::Segment => "segment",
        }
    }
}

/// Who, and how that is known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ActorRecord {
    /// The operating system's user: a claim.
    pub os_user: String,
    /// The number of the process's user: the kernel's word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub os_uid: Option<u32>,
    /// The user as the API server knows it, when it was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kube_user: Option<String>,
    /// The groups that the API server knows that user by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kube_groups: Vec<String>,
    /// How each of these is known, by field: `osUser`, `osUid`, `kubeUser`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub proof: BTreeMap<String, String>,
    /// `tui`, `verb`.
    pub face: String,
}

/// A user as an API server knows it (`SelfSubjectReview`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KubeIdentity {
    /// The name.
    pub name: Clean,
    /// The groups.
    pub groups: Vec<Clean>,
}

/// That an act is one of several that were asked for together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlanRecord {
    /// Which plan.
    pub id: String,
    /// Which of its steps, counted from 1.
    pub step: u32,
    /// How many steps it has.
    pub of: u32,
}

/// One step of a plan, as it was meant when the plan began.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlanStepRecord {
    /// In the words of the screen.
    pub title: String,
    /// The act's verb.
    pub op: String,
    /// On what.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<TargetRecord>,
    /// What the act takes besides its target, e.g. an image.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub params: BTreeMap<String, String>,
    /// The version that the step acts on, by pod-template hash, where it rests on the step before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only_on: Option<String>,
}

/// On what.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TargetRecord {
    /// The uid of the cluster's `kube-system`.
    pub cluster: String,
    /// The kube context: a label.
    pub context: String,
    /// Namespace.
    pub namespace: String,
    /// Kind.
    pub kind: String,
    /// Name.
    pub name: String,
    /// The object's uid.
    pub uid: String,
}

/// One request, as it leaves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RequestRecord {
    /// Method.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// Content type.
    pub content_type: String,
    /// Body.
    pub body: String,
}

/// How it ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OutcomeRecord {
    /// The vocabulary's word: `done`, `no effect`, `superseded`, `refused`, `failed`, `unknown`.
    pub word: String,
    /// What was seen.
    pub detail: String,
    /// When which stage was reached, and other facts.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub evidence: BTreeMap<String, String>,
}

/// What a caller says; the log adds the rest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Draft {
    /// What kind of record.
    pub kind: RecordKind,
    /// Which act; links intent and outcome.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub act: String,
    /// The act's verb.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub op: String,
    /// Who.
    #[serde(default)]
    pub actor: ActorRecord,
    /// On what.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<TargetRecord>,
    /// What was seen when it was asked.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub seen: BTreeMap<String, String>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The requests of an intent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requests: Vec<RequestRecord>,
    /// SHA-256 over the requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// How it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<OutcomeRecord>,
    /// Which plan the act is a step of; of a plan's own records, the plan (step 0).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<PlanRecord>,
    /// The steps of a plan that begins.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<PlanStepRecord>,
    /// What the act takes besides its target, e.g. an image or a revision.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub params: BTreeMap<String, String>,
    /// The policy that was in force: the beginning of the SHA-256 over mandate and environment rules.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// Written late: the log took no records when this happened.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub late: bool,
    /// When a late record was meant to be written; its `ts` says when it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meant_for: Option<String>,
    /// Why a late record is late.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late_because: Option<String>,
}

impl Draft {
    /// An empty record of this kind.
    pub fn new(kind: RecordKind) -> Self {
        Self {
            kind,
            act: String::new(),
            op: String::new(),
            actor: ActorRecord::default(),
            target: None,
            seen: BTreeMap::new(),
            reason: None,
            requests: Vec::new(),
            digest: None,
            outcome: None,
            plan: None,
            steps: Vec::new(),
            params: BTreeMap::new(),
            policy: None,
            late: false,
            meant_for: None,
            late_because: None,
        }
    }
}

/// A record as it is stored, one JSON object a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// The format's version.
    pub v: u32,
    /// Its number; the order of the log. Wall clocks are only information.
    pub seq: u64,
    /// RFC 3339, UTC.
    pub ts: String,
    /// Which boot of the machine.
    pub boot_id: String,
    /// Nanoseconds since that boot.
    pub boottime_ns: String,
    /// The process.
    pub pid: u32,
    /// The machine.
    pub host: String,
    /// The process instance: tells a dead process's open intents from a living one's.
    pub instance: String,
    /// The program's version.
    pub program: String,
    /// What is said.
    #[serde(flatten)]
    pub said: Draft,
    /// Hash of the record before, in hex; 64 zeros for the first.
    pub prev: String,
}

/// Something whose exact content goes on record.
pub trait Digest {
    /// SHA-256 in hex.
    fn digest(&self) -> String;
}
