//! The link: one loop that asks for what is due, a few queries at a time, and backs off when there is no answer.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt as _};
use jiff::Timestamp;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::config::prometheus::{PrometheusContext, PrometheusSection, QueryTemplate};
use crate::domain::ids::TargetId;
use crate::domain::link::{LinkId, LinkState};
use crate::domain::observation::Observation;
use crate::domain::signal::interest::{Interest, Wanted};
use crate::domain::signal::{Reading, Signals};
use crate::domain::text::Clean;
use crate::systems::Observations;
use crate::systems::kubernetes::client::Cluster;
use crate::systems::kubernetes::feed::Outlet;

use super::Timings;
use super::book::{Entry, Read, Search};
use super::client::Api;
use super::decode::{Answer, Fault};
use super::query::{self, Joined, Subject};

/// Targets that share one query.
const BATCH: usize = 6;

/// Queries under way at once.
const ABREAST: usize = 3;

/// Asked for as a sign of life.
const ALIVE: &str = "label_replace(vector(1), \"flightdeck\", \"alive\", \"\", \"\")";

/// What the link is made from.
pub(super) struct Source {
    pub settings: PrometheusContext,
    pub section: Arc<PrometheusSection>,
    pub cluster: Arc<Cluster>,
    pub id: LinkId,
    pub timings: Timings,
}

/// What is asked about one target in one query.
struct Job {
    id: TargetId,
    wanted: Wanted,
    kind: Kind,
}

#[derive(Clone)]
enum Kind {
    /// Which of these templates gives anything?
    Probe(Vec<usize>),
    /// The numbers of this template.
    Measure(usize),
}

/// The answer is `None` where nothing had to be asked.
type Asked = BoxFuture<'static, (Vec<Job>, Result<Option<Answer>, Fault>)>;

impl Source {
    pub(super) async fn run(self, to: Observations, mut interest: watch::Receiver<Arc<Interest>>) {
        let outlet = Outlet { id: self.id.clone(), to };
        if !outlet.link(LinkState::Connecting).await {
            return;
        }
        let api = loop {
            match Api::new(&self.settings, self.section.deadline(), &self.cluster).await {
                Ok(api) => break Arc::new(api),
                Err(why) => {
                    if !outlet.link(LinkState::Denied { why: Clean::new(&why) }).await {
                        return;
                    }
                    tokio::time::sleep(self.timings.denied).await;
                }
            }
        };
        let mut link = Link {
            templates: query::templates(&self.section.template),
            entries: BTreeMap::new(),
            open: FuturesUnordered::new(),
            tries: 0,
            live: false,
            heard: None,
            not_before: Instant::now(),
            alive: Instant::now(),
            source: self,
            outlet,
            api,
        };
        link.want(&interest.borrow_and_update().clone());
        loop {
            link.send();
            let next = link.next_due();
            let goes_on = tokio::select! {
                changed = interest.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    let wanted = interest.borrow_and_update().clone();
                    link.want(&wanted);
                    link.tell_blind().await
                }
                Some((jobs, result)) = link.open.next() => link.take(jobs, result).await,
                () = tokio::time::sleep_until(next) => true,
            };
            if !goes_on {
                return;
            }
        }
    }
}

struct Link {
    source: Source,
    outlet: Outlet,
    api: Arc<Api>,
    templates: Vec<QueryTemplate>,
    entries: BTreeMap<TargetId, Entry>,
    open: FuturesUnordered<Asked>,
    /// Failures in a row.
    tries: u32,
    live: bool,
    heard: Option<Timestamp>,
    /// Nothing is sent before.
    not_before: Instant,
    /// When a sign of life is asked for, if nothing else is.
    alive: Instant,
}

impl Link {
    /// Brings the book in line with what is wanted.
    fn want(&mut self, interest: &Interest) {
        let here = |wanted: &Wanted| wanted.context == self.source.id.context;
        self.entries.retain(|id, _| interest.get(id).is_some_and(here));
        let now = Instant::now();
        for (id, wanted) in interest.iter().filter(|(_, wanted)| here(wanted)) {
            match self.entries.get_mut(id) {
                Some(entry) if entry.wanted == *wanted => {}
                Some(entry) => {
                    let sooner = now + self.source.timings.of(wanted.pace);
                    let other = entry.want(wanted.clone());
                    // What somebody begins to look at is read at once if it is older than it may be.
                    entry.due = if other { now } else { entry.due.min(sooner) };
                }
                None => {
                    let entry = Entry::new(id, wanted.clone(), &self.source.section, now);
                    self.entries.insert(id.clone(), entry);
                }
            }
        }
    }

    /// When something is due next.
    fn next_due(&self) -> Instant {
        if self.open.len() >= self.abreast() {
            // An answer comes first, or its deadline.
            return Instant::now() + Duration::from_mins(1);
        }
        let due = self.entries.values().filter(|e| !e.in_flight).map(|e| e.due).min();
        let due = match due {
            Some(due) => due,
            None if self.entries.is_empty() && self.open.is_empty() => self.alive,
            None => Instant::now() + Duration::from_mins(1),
        };
        due.max(self.not_before)
    }

    /// After a failure one query feels its way.
    fn abreast(&self) -> usize {
        if self.tries > 0 { 1 } else { ABREAST }
    }

    /// Sends what is due.
    fn send(&mut self) {
        let now = Instant::now();
        while now >= self.not_before && self.open.len() < self.abreast() {
            let jobs = self.due(now);
            if jobs.is_empty() {
                if self.entries.is_empty() && self.open.is_empty() && now >= self.alive {
                    self.alive = now + self.source.timings.alive;
                    self.ask(Vec::new(), ALIVE.to_owned());
                }
                return;
            }
            let text = self.text(&jobs);
            if text.is_empty() {
                // No template can be filled in: that is an answer too.
                self.open.push(Box::pin(async move { (jobs, Ok(None)) }));
            } else {
                self.ask(jobs, text);
            }
        }
    }

    fn ask(&self, jobs: Vec<Job>, text: String) {
        let api = self.api.clone();
        self.open.push(Box::pin(async move {
            let result = api.query(&text).await;
            (jobs, result.map(Some))
        }));
    }

    /// Takes the targets that are due, at most a batch.
    fn due(&mut self, now: Instant) -> Vec<Job> {
        let mut jobs: Vec<Job> = Vec::new();
        let all: Vec<&str> = self.templates.iter().map(|t| t.name.as_str()).collect();
        for (id, entry) in &mut self.entries {
            if entry.in_flight || entry.due > now {
                continue;
            }
            if entry.alone && !jobs.is_empty() {
                continue;
            }
            entry.in_flight = true;
            let only = self.source.section.of_target(&id.to_string()).and_then(|own| own.template.as_deref());
            let fit: Vec<usize> = (0..all.len()).filter(|i| only.is_none_or(|only| all[*i] == only)).collect();
            let kind = match &entry.search {
                Search::All => Kind::Probe(fit),
                Search::OneByOne { at, .. } => Kind::Probe(fit.get(*at).copied().into_iter().collect()),
                Search::Pinned { template, .. } => Kind::Measure(*template),
            };
            jobs.push(Job { id: id.clone(), wanted: entry.wanted.clone(), kind });
            if entry.alone || jobs.len() >= BATCH {
                break;
            }
        }
        jobs
    }

    /// The query that serves these jobs.
    fn text(&self, jobs: &[Job]) -> String {
        let now = Timestamp::now();
        let mut joined = Joined::default();
        for (nth, job) in jobs.iter().enumerate() {
            let Some(entry) = self.entries.get(&job.id) else { continue };
            let own = self.source.section.of_target(&job.id.to_string());
            for (side, question) in [("s", Some(&job.wanted.subject)), ("r", job.wanted.reference.as_ref())] {
                let Some(question) = question else { continue };
                let subject = Subject { target: &job.id, question, own };
                match &job.kind {
                    Kind::Probe(fit) => {
                        for i in fit {
                            let key = format!("{nth}.{side}.{i}");
                            query::probe(&mut joined, &key, &self.templates[*i], &subject, &entry.rules, now);
                        }
                    }
                    Kind::Measure(i) => {
                        let prefix = format!("{nth}.{side}");
                        query::measure(&mut joined, &prefix, &self.templates[*i], &subject, &entry.rules, now);
                    }
                }
            }
        }
        joined.text().to_owned()
    }

    /// Takes an answer in; false when nobody listens any more.
    async fn take(&mut self, jobs: Vec<Job>, result: Result<Option<Answer>, Fault>) -> bool {
        for job in &jobs {
            if let Some(entry) = self.entries.get_mut(&job.id) {
                entry.in_flight = false;
            }
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
                let nothing = |side: &crate::domain::signal::Side| side.long == Reading::NoData;
                let empty = nothing(&signals.subject) && signals.reference.as_ref().is_none_or(nothing);
                let since = match entry.search {
                    Search::Pinned { empty_since, .. } if empty => Some(empty_since.unwrap_or(now)),
                    _ => None,
                };
                entry.search = match since {
                    Some(since) if now.duration_since(since) >= self.source.timings.repin => Search::All,
                    empty_since => Search::Pinned { template, empty_since },
                };
                self.say(job.id, signals).await
            }
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
        let reading = Reading::Unreachable { why: fault.why().clone() };
        for (id, signals) in self.blind(&reading, true) {
            if !self.say(id, signals).await {
                return false;
            }
        }
        true
    }

    /// Targets that became wanted while there is no answer: they are told what the others were.
    async fn tell_blind(&mut self) -> bool {
        if self.live || self.tries == 0 {
            return true;
        }
        let reading = Reading::Unreachable { why: Clean::new("no answer yet") };
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

fn seconds(length: Duration) -> u32 {
    u32::try_from(length.as_secs()).unwrap_or(u32::MAX).max(1)
}
