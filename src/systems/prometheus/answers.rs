//! What the link makes of an answer, or of none.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use crate::domain::ids::TargetId;
use crate::domain::link::LinkState;
use crate::domain::observation::Observation;
use crate::domain::signal::{Reading, Side, Signals};
use crate::domain::text::Clean;

use super::book::{Read, Search};
use super::decode::{Answer, Fault};
use super::query::{self, Range};
use super::source::{Job, Kind, Link};

impl Link {
    /// Takes an answer in; false when nobody listens any more.
    pub(super) async fn take(&mut self, jobs: Vec<Job>, result: Result<Option<Answer>, Fault>) -> bool {
        for job in &jobs {
            if let Some(entry) = self.entries.get_mut(&job.id) {
                entry.in_flight = false;
            }
        }
        if let [Job { id, kind: Kind::Past(_, range), .. }] = jobs.as_slice() {
            return self.begun(id.clone(), *range, result.ok().flatten()).await;
        }
        match result {
            Ok(answer) => {
                if answer.is_some() && !self.well().await {
                    return false;
                }
                let answer = answer.unwrap_or_default();
                for (nth, job) in jobs.into_iter().enumerate() {
                    if !self.answered(nth, job, &answer).await {
                        return false;
                    }
                }
                true
            }
            Err(Fault::WrongQuery { why }) => self.well().await && self.refused(jobs, why).await,
            Err(fault) => self.failed(&fault).await,
        }
    }

    /// The past of a target came, or did not: it is asked for once, and says nothing about the link. That it did not come is
    /// told, for who acts unseen has only it to go by.
    async fn begun(&mut self, id: TargetId, range: Range, answer: Option<Answer>) -> bool {
        let Some(entry) = self.entries.get_mut(&id) else { return true };
        entry.due = Instant::now() + self.source.timings.of(entry.wanted.pace);
        let before = answer.map(|answer| query::before(&answer, "0.s", range));
        let begun = entry.begin(before.as_deref(), range);
        match begun {
            Some(signals) => self.say(id, signals).await,
            None => true,
        }
    }

    /// The link answers.
    async fn well(&mut self) -> bool {
        self.heard = Some(Timestamp::now());
        self.tries = 0;
        let was = std::mem::replace(&mut self.live, true);
        if was {
            return self.outlet.say(Observation::Heard { id: self.source.id.clone() }).await;
        }
        // What could not be read meanwhile is due.
        let now = Instant::now();
        for entry in self.entries.values_mut().filter(|e| !e.in_flight) {
            entry.due = entry.due.min(now);
        }
        self.outlet.link(LinkState::Live).await
    }

    async fn answered(&mut self, nth: usize, job: Job, answer: &Answer) -> bool {
        let Some(entry) = self.entries.get_mut(&job.id) else { return true };
        let now = Instant::now();
        let every = self.source.timings.of(entry.wanted.pace);
        match &job.kind {
            Kind::Probe(fit) => {
                let found = fit
                    .iter()
                    .copied()
                    .find(|i| ["s", "r"].iter().any(|side| query::found(answer, &format!("{nth}.{side}.{i}"))));
                if let Some(template) = found {
                    entry.search = Search::Pinned { template, empty_since: None };
                    entry.due = now;
                    return true;
                }
                self.not_found(&job, &answer.notes).await
            }
            Kind::Measure(template) => {
                let template = *template;
                entry.due = now + every;
                let raw = query::raw(answer, &format!("{nth}.s"));
                let reference = job.wanted.reference.as_ref().map(|_| query::raw(answer, &format!("{nth}.r")));
                let read = Read {
                    at: Timestamp::now(),
                    evaluated: answer.at,
                    every: seconds(every),
                    template: Some(&self.templates[template].name),
                    notes: answer.notes.clone(),
                };
                let configured = self.source.section.scrape_interval.is_some();
                let signals = entry.measured(&job.wanted, &raw, reference.as_ref(), read, configured);
                let nothing = |side: &Side| side.long == Reading::NoData;
                let empty = nothing(&signals.subject) && signals.reference.as_ref().is_none_or(nothing);
                let since = match entry.search {
                    Search::Pinned { empty_since, .. } if empty => Some(empty_since.unwrap_or(now)),
                    _ => None,
                };
                entry.search = match since {
                    Some(since) if now.duration_since(since) >= self.source.timings.repin => Search::All,
                    empty_since => Search::Pinned { template, empty_since },
                };
                if entry.wants_past() {
                    entry.due = now;
                }
                self.say(job.id, signals).await
            }
            // Taken before.
            Kind::Past(..) => true,
        }
    }

    /// No template gave anything for the target, of those that were asked.
    async fn not_found(&mut self, job: &Job, notes: &[Clean]) -> bool {
        let Some(entry) = self.entries.get_mut(&job.id) else { return true };
        if let Search::OneByOne { at, wrong } = &entry.search
            && !matches!(&job.kind, Kind::Probe(fit) if fit.is_empty())
        {
            entry.search = Search::OneByOne { at: at + 1, wrong: wrong.clone() };
            entry.due = Instant::now();
            return true;
        }
        let reading = match &entry.search {
            Search::OneByOne { wrong: Some(why), .. } => Reading::WrongQuery { why: why.clone() },
            Search::All if matches!(&job.kind, Kind::Probe(fit) if fit.is_empty()) => {
                Reading::WrongQuery { why: Clean::new("no template has the name that its configuration gives") }
            }
            _ => Reading::NoData,
        };
        entry.search = Search::All;
        let every = self.source.timings.of(entry.wanted.pace).max(self.source.timings.search);
        entry.due = Instant::now() + every;
        let read = Read {
            at: Timestamp::now(),
            evaluated: None,
            every: seconds(every),
            template: None,
            notes: notes.to_vec(),
        };
        let signals = entry.blind(&job.wanted, &reading, read);
        self.say(job.id.clone(), signals).await
    }

    /// Prometheus refuses the query. One that serves several is asked again in parts.
    async fn refused(&mut self, jobs: Vec<Job>, why: Clean) -> bool {
        let several = jobs.len() > 1;
        for job in jobs {
            let Some(entry) = self.entries.get_mut(&job.id) else { continue };
            let now = Instant::now();
            entry.due = now;
            match &job.kind {
                _ if several => entry.alone = true,
                // Taken before.
                Kind::Past(..) => {}
                Kind::Probe(fit) => {
                    entry.search = match &entry.search {
                        Search::OneByOne { at, wrong } => {
                            let name = fit.first().map_or("?", |i| self.templates[*i].name.as_str());
                            let said = wrong.clone().unwrap_or_else(|| Clean::new(&format!("template {name}: {why}")));
                            Search::OneByOne { at: at + 1, wrong: Some(said) }
                        }
                        _ => Search::OneByOne { at: 0, wrong: None },
                    };
                }
                Kind::Measure(template) => {
                    let every = self.source.timings.of(entry.wanted.pace);
                    entry.due = now + every;
                    let read = Read {
                        at: Timestamp::now(),
                        evaluated: None,
                        every: seconds(every),
                        template: Some(&self.templates[*template].name),
                        notes: Vec::new(),
                    };
                    let reading = Reading::WrongQuery { why: why.clone() };
                    let signals = entry.blind(&job.wanted, &reading, read);
                    if !self.say(job.id, signals).await {
                        return false;
                    }
                }
            }
        }
        true
    }

    /// There is no answer: waits, says so, and takes back what was said as the present.
    async fn failed(&mut self, fault: &Fault) -> bool {
        self.tries += 1;
        let timings = &self.source.timings;
        let wait = match fault {
            Fault::Denied { .. } => timings.denied,
            _ => timings.shortest.saturating_mul(1 << self.tries.saturating_sub(1).min(10)).min(timings.longest),
        };
        // A fifth either way, so that many cockpits do not come back at once.
        let wait = wait.mul_f64(0.8 + f64::from(Timestamp::now().subsec_nanosecond().unsigned_abs() % 1000) / 2500.0);
        self.not_before = Instant::now() + wait;
        self.alive = self.not_before;
        let (now, why) = (Timestamp::now(), fault.why().clone());
        let state = match (fault, self.heard) {
            (Fault::Denied { .. }, _) => LinkState::Denied { why },
            (Fault::Silent { .. }, Some(since)) => LinkState::Stale { since },
            _ => LinkState::Backoff { why, tries: self.tries, until: now.checked_add(wait).unwrap_or(now) },
        };
        tracing::warn!(link = %self.source.id, tries = self.tries, why = %fault.why(), "no error rates");
        self.live = false;
        if !self.outlet.link(state).await {
            return false;
        }
        self.why = fault.why().clone();
        let reading = Reading::Unreachable { why: self.why.clone() };
        for (id, signals) in self.blind(&reading, true) {
            if !self.say(id, signals).await {
                return false;
            }
        }
        true
    }

    /// Targets that became wanted while there is no answer: they are told what the others were.
    pub(super) async fn tell_blind(&mut self) -> bool {
        if self.live || self.tries == 0 {
            return true;
        }
        let reading = Reading::Unreachable { why: self.why.clone() };
        for (id, signals) in self.blind(&reading, false) {
            if !self.say(id, signals).await {
                return false;
            }
        }
        true
    }

    fn blind(&mut self, reading: &Reading, all: bool) -> Vec<(TargetId, Signals)> {
        let mut said = Vec::new();
        for (id, entry) in &mut self.entries {
            let known = entry.said.as_ref();
            let same = known
                .is_some_and(|s| s.subject.long == *reading && s.subject.pod_hash == entry.wanted.subject.pod_hash);
            if same || (!all && known.is_some()) {
                continue;
            }
            let template = match &entry.search {
                Search::Pinned { template, .. } => Some(self.templates[*template].name.as_str()),
                _ => None,
            };
            let every = seconds(self.source.timings.of(entry.wanted.pace));
            let read = Read { at: Timestamp::now(), evaluated: None, every, template, notes: Vec::new() };
            let asked = entry.wanted.clone();
            said.push((id.clone(), entry.blind(&asked, reading, read)));
        }
        said
    }

    async fn say(&mut self, target: TargetId, signals: Signals) -> bool {
        let id = self.source.id.clone();
        self.outlet.say(Observation::Signals { id, target, signals: Arc::new(signals) }).await
    }
}

pub(super) fn seconds(length: Duration) -> u32 {
    u32::try_from(length.as_secs()).unwrap_or(u32::MAX).max(1)
}
