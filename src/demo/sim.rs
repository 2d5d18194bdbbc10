//! The world's course: the script's events, the controllers, one step after the other. Pure but for the clock that the
//! caller brings, so that a seed and the times fix everything.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::canary;
use super::patch::merge;
use super::pods::{self, Kubelet};
use super::scenario::{EventAct, EventPlan, Scenario};
use super::store::{Key, Kind, Part, Store};
use super::traffic::Traffic;

/// How long before the first event the rollouts came into the world.
const BEFORE: SignedDuration = SignedDuration::from_hours(26);

/// More rounds than any change takes to come to rest; a model that never rests must not hang the program.
const ROUNDS: usize = 2_000;

#[derive(Clone, Debug)]
struct Planned {
    at: Timestamp,
    event: EventPlan,
}

/// The simulation.
#[derive(Debug)]
pub(super) struct Sim {
    pub store: Store,
    /// Whether the Rollouts controller runs.
    pub controller: bool,
    /// What its Prometheus counts.
    pub traffic: Traffic,
    kubelet: Kubelet,
    events: Vec<Planned>,
}

impl Sim {
    /// The world as it stands at `now`, its past included.
    pub(super) fn new(scenario: &Scenario, seed: u64, now: Timestamp) -> Self {
        let mut store = Store::new(seed);
        let kubelet = Kubelet { ready_after: scenario.pod_ready, broken_tags: scenario.broken_tags.clone() };
        let events: Vec<_> =
            scenario.events.iter().map(|event| Planned { at: now + event.at, event: event.clone() }).collect();
        let first = events.iter().map(|e| e.at).min().unwrap_or(now).min(now);
        let mut at = first - BEFORE;
        let mut namespaces: Vec<&str> = scenario.rollouts.iter().map(|r| r.namespace.as_str()).collect();
        namespaces.extend(["default", "kube-system"]);
        namespaces.sort_unstable();
        namespaces.dedup();
        for name in namespaces {
            let _ = store.create(Key::new(Kind::Namespace, "", name), json!({"status": {"phase": "Active"}}), at);
        }
        for plan in &scenario.rollouts {
            let key = Key::new(Kind::Rollout, &plan.namespace, &plan.name);
            let _ = store.create(key, plan.object.clone(), at);
        }
        let traffic = Traffic::new(scenario.traffic.clone());
        let mut sim = Self { store, controller: true, traffic, kubelet, events };
        while at < now {
            let next = sim.step(at).unwrap_or(now);
            at = next.max(at + SignedDuration::from_millis(1)).min(now);
        }
        sim.step(now);
        sim.store.compact();
        sim
    }

    /// Does all that is due at `now`; returns when something is due next.
    pub(super) fn step(&mut self, now: Timestamp) -> Option<Timestamp> {
        self.play(now);
        let mut next = None;
        for _ in 0..ROUNDS {
            next = self.round(now);
            if next.is_none_or(|at| at > now) {
                break;
            }
        }
        self.traffic.observe(&self.store, now);
        let event = self.events.iter().map(|e| e.at).min();
        [next.filter(|at| *at > now), event].into_iter().flatten().min()
    }

    fn round(&mut self, now: Timestamp) -> Option<Timestamp> {
        let keys = |store: &Store, kind| store.list(kind, None).map(|(key, _)| key.clone()).collect::<Vec<_>>();
        let mut next: Option<Timestamp> = None;
        let mut due = |at: Option<Timestamp>| {
            if let Some(at) = at {
                next = Some(next.map_or(at, |n| n.min(at)));
            }
        };
        for key in keys(&self.store, Kind::ReplicaSet) {
            due(pods::reconcile(&mut self.store, &key, &self.kubelet, now));
        }
        if self.controller {
            for key in keys(&self.store, Kind::Rollout) {
                due(canary::reconcile(&mut self.store, &key, now));
            }
        }
        next
    }

    fn play(&mut self, now: Timestamp) {
        let due: Vec<Planned> = self.events.iter().filter(|e| e.at <= now).cloned().collect();
        self.events.retain(|e| e.at > now);
        for planned in due {
            self.act(&planned.event);
            if let Some(every) = planned.event.every {
                self.events.push(Planned { at: planned.at + every, event: planned.event });
            }
        }
    }

    fn act(&mut self, event: &EventPlan) {
        let key = Key::new(Kind::Rollout, &event.namespace, &event.name);
        let Ok(rollout) = self.store.get(&key).cloned() else { return };
        let (part, patch) = match &event.act {
            EventAct::Release(version) => {
                if event.every.is_some() && rollout["status"]["phase"] != "Healthy" {
                    return;
                }
                let version = version.clone().unwrap_or_else(|| format!("{:07x}", self.store.random() >> 36));
                let mut containers = rollout["spec"]["template"]["spec"]["containers"].clone();
                let image = containers[0]["image"].as_str().unwrap_or_default();
                let name = image.split(':').next().unwrap_or_default();
                containers[0]["image"] = format!("{name}:{version}").into();
                (Part::Main, json!({"spec": {"template": {"spec": {"containers": containers}}}}))
            }
            EventAct::Abort => (Part::Status, json!({"status": {"abort": true}})),
            EventAct::Retry => (Part::Status, json!({"status": {"abort": false}})),
            EventAct::Pause => (Part::Main, json!({"spec": {"paused": true}})),
            EventAct::Unpause => (Part::Main, json!({"spec": {"paused": false}})),
            EventAct::PromoteFull => (Part::Status, json!({"status": {"promoteFull": true}})),
        };
        let mut wanted: Value = rollout;
        merge(&mut wanted, &patch);
        // Nobody else writes between the two lines above.
        let _ = self.store.put(&key, part, wanted);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).expect("a time")
    }

    fn stands(sim: &Sim, name: &str) -> (String, i64) {
        let (_, ro) = sim.store.list(Kind::Rollout, None).find(|(k, _)| k.name == name).expect("it is there");
        let status = &ro["status"];
        (status["phase"].as_str().unwrap_or_default().to_owned(), status["currentStepIndex"].as_i64().unwrap_or(-1))
    }

    #[test]
    fn the_calm_canary_opens_with_something_of_everything() {
        let sim = Sim::new(&Scenario::calm_canary(), 1, at(0));
        assert_eq!(stands(&sim, "payments"), ("Paused".to_owned(), 1));
        assert_eq!(stands(&sim, "ledger"), ("Degraded".to_owned(), 0));
        assert_eq!(stands(&sim, "search").0, "Paused");
        assert_eq!(stands(&sim, "web"), ("Healthy".to_owned(), 3));
        assert_eq!(stands(&sim, "mail"), ("Healthy".to_owned(), 3));
        assert!(stands(&sim, "cart").1 < 7, "cart is on its way");
    }

    #[test]
    fn seed_and_clock_fix_everything() {
        let run = |seed| {
            let mut sim = Sim::new(&Scenario::calm_canary(), seed, at(0));
            let mut told = Vec::new();
            for second in 0..180 {
                let version = sim.store.version();
                sim.step(at(second));
                let changes = sim.store.since(version).expect("kept");
                told.extend(changes.map(|c| format!("{second} {} {}", c.what, c.object)));
            }
            told
        };
        let (one, again, other) = (run(1), run(1), run(2));
        assert_eq!(one, again);
        assert_ne!(one, other);
        assert!(one.len() > 50, "life goes on: {}", one.len());
    }

    #[test]
    fn a_canary_walks_its_ladder_and_ends_healthy() {
        let mut sim = Sim::new(&Scenario::calm_canary(), 1, at(0));
        let mut seen = Vec::new();
        for second in 0..240 {
            sim.step(at(second));
            let stands = stands(&sim, "cart");
            if seen.last() != Some(&stands) {
                seen.push(stands);
            }
        }
        assert!(seen.iter().any(|(phase, _)| phase == "Healthy"), "{seen:?}");
        assert!(seen.windows(2).all(|w| w[1].1 >= w[0].1 || w[1].1 == 0 || w[0].0 == "Healthy"), "{seen:?}");
    }
}
