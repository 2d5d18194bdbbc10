//! Records that the log would not take: kept in memory, told to the other sinks, written late.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use super::authorized::Authorized;
use super::error::AuditError;
use super::log::AuditLog;
use crate::domain::record::{Digest, Draft, RecordKind};

/// The most intents that may wait. One more is not authorised: without room for its record an act does not go.
const INTENTS: usize = 128;

/// The most records that wait in all. Each intent has room for its outcome; refusals beyond this are only counted.
const ROOM: usize = 512;

/// A record that waits for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// What it says.
    pub draft: Draft,
    /// When it was meant to be written.
    pub at: Timestamp,
    /// Why the log did not take it.
    pub why: String,
}

impl Kept {
    /// As it will stand in the log: marked late.
    fn marked(&self) -> Draft {
        let mut draft = self.draft.clone();
        draft.late = true;
        draft.meant_for = Some(self.at.to_string());
        draft.late_because = Some(self.why.clone());
        draft
    }

    /// One line of JSON, for whoever finds it outside of the log.
    fn line(&self) -> String {
        serde_json::to_value(self.marked()).unwrap_or_default().to_string()
    }
}

/// Another place that records of a degraded log are told to. Must not block.
pub trait Sink: Send + Sync {
    /// Takes a record that the log did not.
    fn take(&self, kept: &Kept);
}

#[derive(Default)]
struct Waiting {
    queue: VecDeque<Kept>,
    /// Records that no log will ever take (too long), and how many found no room.
    hopeless: Vec<Kept>,
    no_room: u64,
}

/// The queue of late records. Share it behind an `Arc`.
#[derive(Default)]
pub struct Late {
    waiting: Mutex<Waiting>,
    /// Held while the queue is written: a record is written by one only.
    writing: Mutex<()>,
    sinks: Vec<Arc<dyn Sink>>,
}

impl Late {
    /// Tells each record that is kept to `sinks` as well.
    pub fn new(sinks: Vec<Arc<dyn Sink>>) -> Self {
        Self { sinks, ..Self::default() }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps the intent of `prepared`, which the log did not take because of `why`, and lets it be carried out. The
    /// caller answers for it that the act stops harm. `Err` when too many wait already.
    pub fn authorize<T: Digest>(
        &self,
        mut intent: Draft,
        prepared: T,
        at: Timestamp,
        why: &str,
    ) -> Result<Authorized<T>, String> {
        intent.kind = RecordKind::Intent;
        intent.digest = Some(prepared.digest());
        let kept = Kept { draft: intent, at, why: why.to_owned() };
        {
            let mut waiting = self.waiting();
            let intents = waiting.queue.iter().filter(|k| k.draft.kind == RecordKind::Intent).count();
            if intents >= INTENTS {
                return Err(format!("{intents} acts wait for their record already: there is no room for more"));
            }
            waiting.queue.push_back(kept.clone());
        }
        self.tell(&kept);
        Ok(Authorized::degraded(prepared, why.to_owned()))
    }

    /// Keeps any other record. False when there was no room: it is counted, and lost.
    pub fn keep(&self, draft: Draft, at: Timestamp, why: &str) -> bool {
        let kept = Kept { draft, at, why: why.to_owned() };
        {
            let mut waiting = self.waiting();
            let room = if kept.draft.kind == RecordKind::Outcome { ROOM } else { ROOM - INTENTS };
            if waiting.queue.len() >= room {
                waiting.no_room += 1;
                return false;
            }
            waiting.queue.push_back(kept.clone());
        }
        self.tell(&kept);
        true
    }

    fn tell(&self, kept: &Kept) {
        for sink in &self.sinks {
            sink.take(kept);
        }
    }

    /// How many records are in no log yet.
    pub fn count(&self) -> u64 {
        let waiting = self.waiting();
        u64::try_from(waiting.queue.len() + waiting.hopeless.len()).unwrap_or(u64::MAX)
    }

    /// Whether the intent of `act` waits here: its outcome has to wait behind it.
    pub fn has_intent(&self, act: &str) -> bool {
        self.waiting().queue.iter().any(|k| k.draft.kind == RecordKind::Intent && k.draft.act == act)
    }

    /// Writes what waits, in its order, until the log takes no more. Returns the number of the last that was written.
    pub fn write(&self, log: &AuditLog) -> Result<Option<u64>, AuditError> {
        let _one = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut last = None;
        loop {
            let Some(next) = self.waiting().queue.front().cloned() else { return Ok(last) };
            match log.append(next.marked()) {
                Ok(seq) => {
                    last = Some(seq);
                    self.waiting().queue.pop_front();
                }
                // It would stand in the way of all others for ever.
                Err(AuditError::TooLong(_)) => {
                    let mut waiting = self.waiting();
                    waiting.queue.pop_front();
                    waiting.hopeless.push(next);
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Takes out what was never written, one line of JSON each, to be told in another way before the process ends.
    pub fn unwritten(&self) -> Vec<String> {
        let mut waiting = self.waiting();
        let waiting = &mut *waiting;
        let mut lines: Vec<String> =
            waiting.hopeless.drain(..).chain(waiting.queue.drain(..)).map(|k| k.line()).collect();
        if waiting.no_room > 0 {
            lines.push(format!("{} more records found no room and are lost", waiting.no_room));
        }
        lines
    }
}
