//! What happened to a target that did not pass here: the cluster's memory less what the records explain.

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;

use super::query::StoredRecord;
use crate::domain::history::{ClusterEvent, History, Manager, PastRevision};
use crate::domain::record::{Record, RecordKind};

/// How far the server's clock and ours may be apart, and managedFields round.
const SKEW: SignedDuration = SignedDuration::from_secs(5);

/// How long after an act the controller may still be answering it.
const ECHO: SignedDuration = SignedDuration::from_secs(60);

/// Our field manager, and the reason of our Events.
const OURS: &str = "flightdeck";
const ACT: &str = "FlightdeckAct";

/// Writers that are no people: they follow what others wrote.
const MACHINES: &[&str] =
    &["rollouts-controller", "argo-rollouts", "kube-controller-manager", "horizontal-pod-autoscaler"];

/// Where something that happened came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// An act of this log.
    Recorded,
    /// An act of a Flightdeck with another log: its Event says so.
    Elsewhere,
    /// The controller by itself.
    Controller,
    /// It may have been the controller by itself, or a person: the cluster does not keep which.
    Unclear,
    /// It did not pass here.
    Unexplained,
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Found {
    /// When, by the server's clock.
    pub at: Option<Timestamp>,
    /// Who: a field manager or a component.
    pub who: String,
    /// What.
    pub what: String,
    /// Where it came from.
    pub side: Side,
    /// What makes us say so.
    pub because: String,
}

/// What happened to one target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Account {
    /// `namespace/name`.
    pub target: String,
    /// All of it, oldest first.
    pub found: Vec<Found>,
    /// What could not be read.
    pub unread: Vec<String>,
}

impl Account {
    /// How many of the things found have this origin.
    pub fn count(&self, side: Side) -> usize {
        self.found.iter().filter(|f| f.side == side).count()
    }
}

/// An act of ours on the target, with the time in which its traces may lie.
struct Ours<'a> {
    seq: u64,
    op: &'a str,
    act: &'a str,
    from: Timestamp,
    until: Timestamp,
    template: bool,
}

struct Sources<'a> {
    ours: Vec<Ours<'a>>,
    /// Events of other logs: when, and who.
    elsewhere: Vec<(Timestamp, &'a ClusterEvent)>,
    foreign: Vec<&'a Manager>,
}

/// Compares the cluster's memory of a target, from `since` on, with the records. `log` names the log at hand, as our
/// Events do.
pub fn reconcile(history: &History, records: &[StoredRecord], log: &str, since: Timestamp) -> Account {
    let ours = acts(records, history.uid.as_str());
    let recent = |at: Option<Timestamp>| at.is_none_or(|at| at >= since);
    let told = |event: &ClusterEvent| ours.iter().any(|o| event.name.as_str().ends_with(o.act));
    let elsewhere = history
        .events
        .iter()
        .filter(|e| e.reason == ACT && !told(e) && e.instance != log)
        .filter_map(|e| e.at.map(|at| (at, e)))
        .collect();
    let foreign = history.managers.iter().filter(|m| m.manager != OURS && !is_machine(m)).collect();
    let sources = Sources { ours, elsewhere, foreign };
    let mut found: Vec<Found> = Vec::new();
    found.extend(history.managers.iter().filter(|m| recent(m.time) && !is_machine(m)).map(|m| written(&sources, m)));
    found.extend(history.revisions.iter().filter(|r| recent(r.created)).map(|r| begun(&sources, r)));
    found.extend(history.events.iter().filter(|e| recent(e.at)).filter_map(|e| said(&sources, e, log)));
    found.sort_by_key(|f| f.at);
    Account {
        target: history.target.to_string(),
        found,
        unread: history.unread.iter().map(ToString::to_string).collect(),
    }
}

fn is_machine(manager: &Manager) -> bool {
    MACHINES.contains(&manager.manager.as_str())
}

/// Our acts on the object: each from its intent to its outcome.
fn acts<'a>(records: &'a [StoredRecord], uid: &str) -> Vec<Ours<'a>> {
    let time = |r: &Record| r.said.meant_for.as_ref().unwrap_or(&r.ts).parse::<Timestamp>().ok();
    let mut acts: Vec<Ours<'a>> = Vec::new();
    let of_target = |r: &&Record| r.said.target.as_ref().is_some_and(|t| t.uid == uid);
    for record in records.iter().map(|s| &s.record).filter(of_target) {
        let Some(at) = time(record) else { continue };
        match record.said.kind {
            RecordKind::Intent => acts.push(Ours {
                seq: record.seq,
                op: &record.said.op,
                act: &record.said.act,
                from: at,
                until: later(at, ECHO),
                template: record.said.requests.iter().any(|r| r.body.contains("/spec/template")),
            }),
            RecordKind::Outcome => {
                if let Some(act) = acts.iter_mut().rev().find(|a| a.act == record.said.act) {
                    act.until = at;
                }
            }
            RecordKind::Refusal
            | RecordKind::Plan
            | RecordKind::PlanEnd
            | RecordKind::Recovered
            | RecordKind::Segment => {}
        }
    }
    acts
}

fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

fn earlier(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_sub(by).unwrap_or(Timestamp::MIN)
}

impl Sources<'_> {
    /// An act of ours that lies around `at`; its traces may follow it for `echo`.
    fn act_at(&self, at: Option<Timestamp>, echo: SignedDuration) -> Option<&Ours<'_>> {
        let at = at?;
        self.ours.iter().rev().find(|o| earlier(o.from, SKEW) <= at && at <= later(later(o.until, SKEW), echo))
    }

    /// An act of another log. Its Event follows its end, which may be half a minute after its request.
    fn elsewhere_at(&self, at: Option<Timestamp>) -> Option<&ClusterEvent> {
        let at = at?;
        let near = |told: Timestamp| earlier(told, ECHO) <= at && at <= later(told, ECHO);
        self.elsewhere.iter().find(|(told, _)| near(*told)).map(|(_, event)| *event)
    }

    /// Somebody else's write around `at`: the nearest.
    fn foreign_at(&self, at: Option<Timestamp>) -> Option<&Manager> {
        let at = at?;
        let near = |wrote: Timestamp| earlier(at, ECHO) <= wrote && wrote <= later(at, SKEW);
        let wrote = |m: &Manager| m.time.filter(|wrote| near(*wrote)).map(|wrote| at.duration_since(wrote).abs());
        self.foreign.iter().filter_map(|m| Some((wrote(m)?, *m))).min_by_key(|(away, _)| *away).map(|(_, m)| m)
    }
}

fn recorded(act: &Ours<'_>) -> (Side, String) {
    (Side::Recorded, format!("{}, record {}", act.op, act.seq))
}

fn elsewhere(event: &ClusterEvent) -> (Side, String) {
    (Side::Elsewhere, format!("{}: {}", event.instance, event.message))
}

/// Someone wrote the object.
fn written(sources: &Sources<'_>, manager: &Manager) -> Found {
    let (side, because) = if manager.time.is_none() {
        // `kubectl scale` on the real server: its entry has none.
        (Side::Unclear, "the server keeps no time of it: it may be long ago".to_owned())
    } else if manager.manager != OURS {
        (Side::Unexplained, format!("{} is not Flightdeck", manager.manager))
    } else if let Some(act) = sources.act_at(manager.time, SignedDuration::ZERO) {
        recorded(act)
    } else if let Some(event) = sources.elsewhere_at(manager.time) {
        elsewhere(event)
    } else {
        let because = "Flightdeck wrote it, and neither this log nor an Event of another knows of that";
        (Side::Unexplained, because.to_owned())
    };
    let place = if manager.subresource.is_empty() { String::new() } else { format!(" ({})", manager.subresource) };
    let fields = manager.fields.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let fields = if fields.is_empty() { "it owns no field any more".to_owned() } else { format!("it owns {fields}") };
    Found {
        at: manager.time,
        who: manager.manager.to_string(),
        what: format!("last wrote the object{place}; {fields}"),
        side,
        because,
    }
}

/// A version ran for the first time.
fn begun(sources: &Sources<'_>, revision: &PastRevision) -> Found {
    let ours = sources.act_at(revision.created, ECHO).filter(|act| act.template);
    let (side, because) = if let Some(act) = ours {
        recorded(act)
    } else if let Some(event) = sources.elsewhere_at(revision.created) {
        elsewhere(event)
    } else if let Some(manager) = sources.foreign_at(revision.created) {
        (Side::Unexplained, format!("{} wrote the object about then", manager.manager))
    } else {
        (Side::Unexplained, "no act of this log set it; whoever did wrote the object again since".to_owned())
    };
    let number = revision.number.map_or_else(String::new, |n| format!("{n} "));
    let images = revision.images.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    Found {
        at: revision.created,
        who: "ReplicaSet".to_owned(),
        what: format!("revision {number}began: {images} ({})", revision.name),
        side,
        because,
    }
}

/// Something was said about it that a person may stand behind.
fn said(sources: &Sources<'_>, event: &ClusterEvent, log: &str) -> Option<Found> {
    let (side, because) =
        if event.reason == ACT { of_flightdeck(sources, event, log) } else { of_controller(sources, event)? };
    let what = format!("{}: {}", event.reason, event.message);
    Some(Found { at: event.at, who: event.source.to_string(), what, side, because })
}

fn of_flightdeck(sources: &Sources<'_>, event: &ClusterEvent, log: &str) -> (Side, String) {
    if let Some(act) = sources.ours.iter().find(|o| event.name.as_str().ends_with(o.act)) {
        return recorded(act);
    }
    if !log.is_empty() && event.instance == log {
        let because = "this log told the cluster of the act, and has no record of it: its tail was cut, or it waits to be written late";
        return (Side::Unexplained, because.to_owned());
    }
    (Side::Elsewhere, format!("the log of {}", event.instance))
}

fn of_controller(sources: &Sources<'_>, event: &ClusterEvent) -> Option<(Side, String)> {
    let text = event.message.as_str();
    // These two need a person: a pause without a duration ends only so. The controller tells of no other sign of it.
    let full = event.reason == "RolloutCompleted" && text.contains("Full promotion requested");
    let cleared = event.reason == "RolloutStepCompleted" && text.ends_with("(pause)");
    if !full && !cleared && event.reason != "RolloutAborted" && event.reason != "RolloutResumed" {
        return None;
    }
    if let Some(act) = sources.act_at(event.at, ECHO) {
        return Some(recorded(act));
    }
    if let Some(told) = sources.elsewhere_at(event.at) {
        return Some(elsewhere(told));
    }
    Some(if full || cleared {
        (Side::Unexplained, "somebody asked for it, and not here".to_owned())
    } else if ["nalysis", "etric", "eadline"].iter().any(|word| text.contains(word)) {
        (Side::Controller, "the message says why".to_owned())
    } else {
        let because = if event.reason == "RolloutResumed" {
            "a timed pause ends by itself; a pause that somebody cleared leaves no trace on the object"
        } else {
            "by an analysis, a deadline, or somebody"
        };
        (Side::Unclear, because.to_owned())
    })
}

#[cfg(test)]
#[path = "tests/reconcile.rs"]
mod tests;
