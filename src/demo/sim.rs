//! The world's course: the script's events, the controllers, one look after the other at whatever changed. Pure but for
//! the clock that the caller brings, so that a seed and the times fix everything.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::events;
use super::git::Git;
use super::pods::{self, Kubelet};
use super::rates::Errors;
use super::scenario::{EventPlan, RolloutPlan, Scenario};
use super::store::{Change, Key, Kind, Store};
use super::traffic::Traffic;
use super::{experiments, rollouts, runs};

/// How long before the first event the rollouts came into the world.
const BEFORE: SignedDuration = SignedDuration::from_hours(26);

/// More looks than any object takes to come to rest; a model that never rests must not hang the program.
const LOOKS: u32 = 400;

/// How often events that are too old are looked for.
const SWEEP: SignedDuration = SignedDuration::from_mins(1);

#[derive(Clone, Debug)]
pub(super) struct Planned {
    pub at: Timestamp,
    pub event: EventPlan,
}

/// How the API is out of order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outage {
    /// Nothing is answered, nothing is closed.
    Silent,
    /// Everything is answered with 503.
    Refusing,
}

/// The simulation.
#[derive(Debug)]
pub(super) struct Sim {
    pub store: Store,
    pub(super) errors: Errors,
    pub(super) git: Git,
    pub(super) outage: Option<(Outage, Timestamp)>,
    pub(super) events: Vec<Planned>,
    /// Until when the script keeps the Rollouts controller from working.
    pub(super) stopped_until: Option<Timestamp>,
    controller: bool,
    /// What its Prometheus counts.
    pub(super) traffic: Traffic,
    kubelet: Kubelet,
    queue: VecDeque<Key>,
    queued: HashSet<Key>,
    alarms: BTreeSet<(Timestamp, Key)>,
    alarm_of: BTreeMap<Key, Timestamp>,
    swept: Timestamp,
}

impl Sim {
    /// The world as it stands at `now`, its past included.
    pub(super) fn new(scenario: &Scenario, seed: u64, now: Timestamp) -> Self {
        let events: Vec<_> =
            scenario.events.iter().map(|event| Planned { at: now + event.at, event: event.clone() }).collect();
        let first = events.iter().map(|e| e.at).min().unwrap_or(now).min(now);
        let mut at = first - BEFORE;
        let mut store = Store::new(seed);
        store.events_from = now - events::KEPT;
        let mut sim = Self {
            store,
            traffic: Traffic::new(scenario.traffic.clone()),
            errors: scenario.errors(),
            git: Git::default(),
            outage: None,
            events,
            stopped_until: None,
            controller: true,
            kubelet: Kubelet { ready_after: scenario.pod_ready, broken_tags: scenario.broken_tags.clone() },
            queue: VecDeque::new(),
            queued: HashSet::new(),
            alarms: BTreeSet::new(),
            alarm_of: BTreeMap::new(),
            swept: at,
        };
        sim.furnish(scenario, at);
        super::stamp::all(&mut sim.store, scenario, seed, at);
        while at < now {
            let next = sim.step(at).unwrap_or(now);
            at = next.max(at + SignedDuration::from_millis(1)).min(now);
        }
        sim.step(now);
        sim.store.compact();
        sim
    }

    fn furnish(&mut self, scenario: &Scenario, at: Timestamp) {
        let store = self.store.begin(at, "kubectl-client-side-apply");
        let mut namespaces: BTreeSet<&str> = scenario.rollouts.iter().map(|r| r.namespace.as_str()).collect();
        namespaces.extend(scenario.objects.iter().map(|(key, _)| key.namespace.as_str()).filter(|ns| !ns.is_empty()));
        namespaces.extend(scenario.stamps.iter().map(|s| s.namespace.as_str()));
        namespaces.extend(scenario.applications.iter().map(|a| a.namespace.as_str()));
        namespaces.extend(["default", "kube-system"]);
        for name in namespaces {
            let labels = json!({"kubernetes.io/metadata.name": name});
            let object = json!({"metadata": {"labels": labels}, "status": {"phase": "Active"}});
            let _ = store.create(&Key::new(Kind::Namespace, "", name), object);
        }
        for (key, object) in &scenario.objects {
            let _ = store.create(key, object.clone());
        }
        for RolloutPlan { namespace, name, object, .. } in &scenario.rollouts {
            let _ = store.create(&Key::new(Kind::Rollout, namespace, name), object.clone());
        }
        self.git = Git::new(&mut self.store, &scenario.applications);
    }

    /// Stops the Rollouts controller, or lets it go on with everything.
    pub(super) fn run_controller(&mut self, runs: bool) {
        self.controller = runs;
        if runs {
            let controlled = [Kind::Rollout, Kind::AnalysisRun, Kind::Experiment];
            let all: Vec<Key> =
                controlled.iter().flat_map(|kind| self.store.held(*kind, None)).map(|(key, _)| key.clone()).collect();
            for key in all {
                self.enqueue(key);
            }
        }
    }

    /// How many of the requests to a pod fail.
    pub(super) fn error_share(&self, namespace: &str, pod: &Value) -> f64 {
        self.errors.of_pod(&self.store, namespace, pod)
    }

    fn enqueue(&mut self, key: Key) {
        if self.queued.insert(key.clone()) {
            self.queue.push_back(key);
        }
    }

    fn alarm(&mut self, key: &Key, at: Option<Timestamp>) {
        if let Some(old) = self.alarm_of.remove(key) {
            self.alarms.remove(&(old, key.clone()));
        }
        if let Some(at) = at {
            self.alarm_of.insert(key.clone(), at);
            self.alarms.insert((at, key.clone()));
        }
    }

    /// Does all that is due at `now`; returns when something is due next.
    pub(super) fn step(&mut self, now: Timestamp) -> Option<Timestamp> {
        if self.stopped_until.is_some_and(|until| until <= now) {
            self.stopped_until = None;
            self.run_controller(true);
        }
        if self.outage.is_some_and(|(_, until)| until <= now) {
            self.outage = None;
        }
        super::script::play(self, now);
        while let Some((at, key)) = self.alarms.first().cloned().filter(|(at, _)| *at <= now) {
            self.alarms.remove(&(at, key.clone()));
            self.alarm_of.remove(&key);
            self.enqueue(key);
        }
        if self.swept + SWEEP <= now {
            self.swept = now;
            self.store.begin(now, "kube-apiserver");
            events::expire(&mut self.store, now);
        }
        self.settle(now);
        self.traffic.observe(&self.store, &self.errors, now);
        let alarm = self.alarms.first().map(|(at, _)| *at);
        let event = self.events.iter().map(|e| e.at).min();
        [alarm, event, self.outage.map(|(_, until)| until), self.stopped_until].into_iter().flatten().min()
    }

    /// Lets the controllers look until nothing changes any more.
    fn settle(&mut self, now: Timestamp) {
        let mut looks: HashMap<Key, u32> = HashMap::new();
        loop {
            for change in self.store.take_touched() {
                self.route(&change);
            }
            let Some(key) = self.queue.pop_front() else { return };
            self.queued.remove(&key);
            let n = looks.entry(key.clone()).or_default();
            *n += 1;
            if *n > LOOKS {
                tracing::error!(?key, "the demo world's model does not come to rest");
                self.alarm(&key, Some(now + SignedDuration::from_secs(1)));
                continue;
            }
            let next = self.look(&key, now);
            self.alarm(&key, next);
        }
    }

    fn look(&mut self, key: &Key, now: Timestamp) -> Option<Timestamp> {
        let controller = self.controller && self.stopped_until.is_none();
        match key.kind {
            Kind::ReplicaSet => pods::reconcile(&mut self.store, key, &self.kubelet, now),
            Kind::Rollout if controller => rollouts::reconcile(&mut self.store, key, now),
            Kind::AnalysisRun if controller => runs::reconcile(&mut self.store, key, &self.errors, now),
            Kind::Experiment if controller => experiments::reconcile(&mut self.store, key, now),
            Kind::Deployment => {
                pods::deployment(&mut self.store, key, now);
                None
            }
            Kind::Application => self.git.reconcile(&mut self.store, key, now),
            _ => None,
        }
    }

    /// Whom a change concerns.
    fn route(&mut self, change: &Change) {
        let key = &change.key;
        if let Some(owner) = Key::owner(&change.object) {
            self.enqueue(owner);
        }
        if key.kind == Kind::Event || change.what == "DELETED" {
            return;
        }
        self.enqueue(key.clone());
        match key.kind {
            Kind::Service | Kind::Deployment => {
                let concerned = |rollout: &Value| {
                    let strategy = &rollout["spec"]["strategy"]["blueGreen"];
                    let named = ["activeService", "previewService"].iter().any(|s| strategy[*s] == key.name.as_str());
                    rollouts::workload(rollout).as_ref() == Some(key) || (named && key.kind == Kind::Service)
                };
                let all = self.store.list(Kind::Rollout, Some(&key.namespace));
                let all: Vec<Key> = all.filter(|(_, ro)| concerned(ro)).map(|(key, _)| key.clone()).collect();
                for key in all {
                    self.enqueue(key);
                }
            }
            Kind::Rollout => {
                for application in self.git.owners(key) {
                    self.enqueue(application);
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;
