//! One `[[event]]` of a scenario file.

use jiff::SignedDuration;
use serde::Deserialize;

use super::{duration, target};

/// Something that happens.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::demo) struct EventPlan {
    /// From the start of the world; what is negative has happened before.
    pub at: SignedDuration,
    /// Happens again and again.
    pub every: Option<SignedDuration>,
    /// The target; empty where the event is about the whole world.
    pub namespace: String,
    pub name: String,
    /// Who does it: the manager that the server notes.
    pub by: Option<String>,
    pub act: EventAct,
}

/// What happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::demo) enum EventAct {
    /// A new version is set; when it repeats, only on a rollout that is healthy.
    Release(Option<String>),
    Abort,
    Retry,
    Pause,
    Unpause,
    PromoteFull,
    /// The pause is cleared.
    Resume,
    /// One step is passed over.
    Skip,
    Restart,
    /// The template of an earlier version is put back; of the one before where none is named.
    Undo(Option<String>),
    /// As an autoscaler does it.
    Scale(u32),
    /// The old version's deadline is moved this far from now.
    Hold(SignedDuration),
    /// The running analysis is ended.
    Terminate,
    /// Deleted, and held by a finalizer.
    Delete,
    /// The API swallows everything for a while.
    Silence(SignedDuration),
    /// The API refuses everything for a while.
    Refuse(SignedDuration),
    /// The Rollouts controller does not work for a while.
    StopController(SignedDuration),
}

const WORDS: &str = "release, abort, retry, pause, unpause, promote-full, resume, skip, restart, undo, scale, hold, \
                     terminate, delete, silence, refuse, stop-controller";

/// An `[[event]]` as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    at: String,
    every: Option<String>,
    target: Option<String>,
    #[serde(rename = "do")]
    what: String,
    version: Option<String>,
    by: Option<String>,
    #[serde(rename = "for")]
    length: Option<String>,
    replicas: Option<u32>,
}

pub(super) fn plan(entry: Entry) -> Result<EventPlan, String> {
    let Entry { at, every, target: aim, what, version, by, length, replicas } = entry;
    let on = aim.clone().unwrap_or_else(|| "the world".to_owned());
    let world = matches!(what.as_str(), "silence" | "refuse" | "stop-controller");
    let (namespace, name) = match aim.as_deref() {
        Some(aim) if !world => target("event on", aim)?,
        Some(_) => return Err(format!("event on {on}: {what} is about the whole world: leave target out")),
        None if world => (String::new(), String::new()),
        None => return Err(format!("event {what}: target is missing: write NAMESPACE/NAME")),
    };
    let lasts = || {
        let text = length.as_deref().ok_or_else(|| format!("event on {on}: {what} needs for = \"90s\""))?;
        duration("for", text)
    };
    let act = match what.as_str() {
        "release" => EventAct::Release(version),
        "abort" => EventAct::Abort,
        "retry" => EventAct::Retry,
        "pause" => EventAct::Pause,
        "unpause" => EventAct::Unpause,
        "promote-full" => EventAct::PromoteFull,
        "resume" => EventAct::Resume,
        "skip" => EventAct::Skip,
        "restart" => EventAct::Restart,
        "undo" => EventAct::Undo(version),
        "scale" => EventAct::Scale(replicas.ok_or_else(|| format!("event on {on}: scale needs replicas = 5"))?),
        "hold" => EventAct::Hold(lasts()?),
        "terminate" => EventAct::Terminate,
        "delete" => EventAct::Delete,
        "silence" => EventAct::Silence(lasts()?),
        "refuse" => EventAct::Refuse(lasts()?),
        "stop-controller" => EventAct::StopController(lasts()?),
        other => return Err(format!("event on {on}: do = {other:?}: it is one of {WORDS}")),
    };
    let every = every.as_deref().map(|text| duration("every", text)).transpose()?;
    if every.is_some_and(|every| every < SignedDuration::from_secs(1)) {
        return Err(format!("event on {on}: every must be at least 1s"));
    }
    Ok(EventPlan { at: duration("at", &at)?, every, namespace, name, by, act })
}
