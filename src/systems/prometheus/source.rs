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
use crate::domain::signal::interest::{Interest, Wanted};
use crate::domain::text::Clean;
use crate::systems::Observations;
use crate::systems::kubernetes::client::Cluster;
use crate::systems::kubernetes::feed::Outlet;

use super::Timings;
use super::answers::seconds;
use super::book::{Entry, STEP, Search};
use super::client::Api;
use super::decode::{Answer, Fault};
use super::query::{self, Joined, Range, Subject};

/// How many numbers one query asks for, at most: six targets measured, or three for which a template is searched. A URL
/// must hold them, where there is a proxy between.
const BATCH: usize = 72;

/// Queries under way at once.
const ABREAST: usize = 3;

/// Asked for as a sign of life.
pub(super) const ALIVE: &str = "label_replace(vector(1), \"flightdeck\", \"alive\", \"\", \"\")";

/// What the link is made from.
pub(super) struct Source {
    pub settings: PrometheusContext,
    pub section: Arc<PrometheusSection>,
    pub cluster: Arc<Cluster>,
    pub id: LinkId,
    pub timings: Timings,
}

/// What is asked about one target in one query.
pub(super) struct Job {
    pub id: TargetId,
    pub wanted: Wanted,
    pub kind: Kind,
}

#[derive(Clone)]
pub(super) enum Kind {
    /// Which of these templates gives anything?
    Probe(Vec<usize>),
    /// The numbers of this template.
    Measure(usize),
    /// How the rate of this template was before, for those that are looked at.
    Past(usize, Range),
}

/// The answer is `None` where nothing had to be asked.
type Asked = BoxFuture<'static, (Vec<Job>, Result<Option<Answer>, Fault>)>;

impl Source {
    pub(super) async fn run(
        self,
        to: Observations,
        mut interest: watch::Receiver<Arc<Interest>>,
        mut judgement: watch::Receiver<Arc<PrometheusSection>>,
    ) {
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
            templates: super::templates::templates(&self.section.template),
            entries: BTreeMap::new(),
            open: FuturesUnordered::new(),
            tries: 0,
            why: Clean::default(),
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
                Ok(()) = judgement.changed() => {
                    let section = judgement.borrow_and_update().clone();
                    link.judge(&section);
                    true
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

pub(super) struct Link {
    pub source: Source,
    pub outlet: Outlet,
    api: Arc<Api>,
    pub templates: Vec<QueryTemplate>,
    pub entries: BTreeMap<TargetId, Entry>,
    open: FuturesUnordered<Asked>,
    /// Failures in a row.
    pub tries: u32,
    /// What the last failure said.
    pub why: Clean,
    pub live: bool,
    pub heard: Option<Timestamp>,
    /// Nothing is sent before.
    pub not_before: Instant,
    /// When a sign of life is asked for, if nothing else is.
    pub alive: Instant,
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

    /// Judges by these limits from the next reading on. What is asked, and whom, stays as it was.
    fn judge(&mut self, section: &PrometheusSection) {
        let now = Instant::now();
        let source = &mut self.source.section;
        *source = Arc::new(source.judged_by(section));
        for (id, entry) in &mut self.entries {
            let rules = source.rules(&id.to_string());
            if entry.rules != rules {
                entry.judge(rules);
                entry.due = now;
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
        let range = jobs.first().and_then(|job| match &job.kind {
            Kind::Past(_, range) => Some(*range),
            _ => None,
        });
        self.open.push(Box::pin(async move {
            let result = api.query(&text, range).await;
            (jobs, result.map(Some))
        }));
    }

    /// Takes the targets that are due, at most a batch.
    fn due(&mut self, now: Instant) -> Vec<Job> {
        let mut jobs: Vec<Job> = Vec::new();
        let mut numbers = 0;
        let all: Vec<&str> = self.templates.iter().map(|t| t.name.as_str()).collect();
        // What is looked at most goes first; when Prometheus is slow, the others wait, and are shown as old.
        let waiting = self.entries.iter().filter(|(_, e)| !e.in_flight && e.due <= now);
        let mut waiting: Vec<_> = waiting.map(|(id, e)| (e.wanted.pace, e.due, id.clone())).collect();
        waiting.sort_unstable();
        for (_, _, id) in waiting {
            let Some(entry) = self.entries.get_mut(&id) else { continue };
            let past = entry.wants_past() && entry.said.is_some();
            if (entry.alone || past) && !jobs.is_empty() {
                continue;
            }
            let only = self.source.section.of_target(&id.to_string()).and_then(|own| own.template.as_deref());
            let fit: Vec<usize> = (0..all.len()).filter(|i| only.is_none_or(|only| all[*i] == only)).collect();
            let kind = match &entry.search {
                Search::All => Kind::Probe(fit),
                Search::OneByOne { at, .. } => Kind::Probe(fit.get(*at).copied().into_iter().collect()),
                Search::Pinned { template, .. } if past => {
                    let step = seconds(self.source.timings.of(entry.wanted.pace)).max(seconds(STEP));
                    Kind::Past(*template, Range::back(Timestamp::now(), step))
                }
                Search::Pinned { template, .. } => Kind::Measure(*template),
            };
            let past = matches!(kind, Kind::Past(..));
            let weight = match &kind {
                Kind::Probe(fit) => 2 * fit.len(),
                Kind::Measure(_) => 12,
                Kind::Past(..) => 2,
            };
            if !jobs.is_empty() && numbers + weight > BATCH {
                continue;
            }
            numbers += weight;
            entry.in_flight = true;
            jobs.push(Job { id, wanted: entry.wanted.clone(), kind });
            if entry.alone || past || numbers >= BATCH {
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
                    Kind::Past(i, _) => {
                        if side == "s" {
                            let prefix = format!("{nth}.{side}");
                            query::past(&mut joined, &prefix, &self.templates[*i], &subject, &entry.rules);
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
}
