//! Who asks the demo's rollouts for something, and how often that fails: from weights and versions to counted requests.
//!
//! Nothing is recorded sample by sample: each version has a list of moments at which its share of the traffic changed,
//! and counts of any window are computed from that. So ten thousand rollouts cost nothing while they rest.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::Value;

use super::rates::{Errors, version};
use super::store::{Kind, Store};

/// How often the demo's Prometheus scrapes, in seconds.
pub(super) const SCRAPE: i64 = 5;

/// Changes older than this are forgotten.
const KEPT: SignedDuration = SignedDuration::from_hours(3);

/// The traffic of a rollout, as a scenario plans it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct TrafficPlan {
    pub namespace: String,
    pub name: String,
    /// Requests per second, all versions together.
    pub rps: Option<f64>,
    /// Whether anything counts its requests.
    pub counted: bool,
}

/// `[[traffic]]`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TrafficEntry {
    target: String,
    rps: Option<f64>,
    #[serde(default = "yes")]
    counted: bool,
}

const fn yes() -> bool {
    true
}

impl TrafficEntry {
    /// Checks an entry. Errors say what would be right.
    pub(super) fn plan(self) -> Result<TrafficPlan, String> {
        let Self { target, rps, counted } = self;
        let (namespace, name) =
            target.split_once('/').ok_or_else(|| format!("traffic of {target:?}: write NAMESPACE/NAME"))?;
        if rps.is_some_and(|rps| !(0.0..=1e6).contains(&rps)) {
            return Err(format!("traffic of {target}: rps is requests per second, 0 to 1000000"));
        }
        Ok(TrafficPlan { namespace: namespace.to_owned(), name: name.to_owned(), rps, counted })
    }
}

/// From one moment on.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Piece {
    from: Timestamp,
    /// Requests per second; `None` = the series ended.
    rps: Option<f64>,
    /// The share that fails.
    errors: f64,
}

/// One version's series.
#[derive(Clone, Debug, Default)]
struct Flow {
    pieces: Vec<Piece>,
}

/// What a window of a series holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Window {
    /// All requests.
    pub total: f64,
    /// Those that failed.
    pub errors: f64,
    /// Scrapes.
    pub samples: i64,
}

/// All traffic.
#[derive(Clone, Debug, Default)]
pub(super) struct Traffic {
    plans: Vec<TrafficPlan>,
    /// By namespace and pod-template hash.
    flows: BTreeMap<(String, String), Flow>,
    /// Which version a hash was, by namespace and hash.
    versions: BTreeMap<(String, String), String>,
    /// Which hashes a rollout has, by namespace and name.
    hashes: BTreeMap<(String, String), Vec<String>>,
    /// The store's version that was looked at last.
    seen: u64,
}

impl Traffic {
    pub(super) fn new(plans: Vec<TrafficPlan>) -> Self {
        Self { plans, ..Self::default() }
    }

    /// Takes in what changed in the store.
    pub(super) fn observe(&mut self, store: &Store, failing: &Errors, now: Timestamp) {
        if store.version() == self.seen {
            return;
        }
        let changed: Vec<Arc<Value>> = match store.since(self.seen) {
            Ok(changes) => changes
                .filter(|c| c.key.kind == Kind::Rollout && c.what != "DELETED")
                .map(|c| c.object.clone())
                .collect(),
            Err(_) => store.list(Kind::Rollout, None).map(|(_, object)| object.clone()).collect(),
        };
        self.seen = store.version();
        for rollout in changed {
            self.rollout(&rollout, failing, now);
        }
    }

    fn rollout(&mut self, rollout: &Value, failing: &Errors, now: Timestamp) {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (namespace, name) = (text(&rollout["metadata"]["namespace"]), text(&rollout["metadata"]["name"]));
        let status = &rollout["status"];
        let current = text(&status["currentPodHash"]);
        if current.is_empty() {
            return;
        }
        let version = version(&rollout["spec"]["template"]).to_owned();
        let generation = rollout["metadata"]["generation"].to_string();
        if status["observedGeneration"].as_str().is_none_or(|seen| seen == generation) {
            self.versions.insert((namespace.clone(), current.clone()), version);
        }
        let shares = shares(status, &current);
        let known = self.hashes.entry((namespace.clone(), name.clone())).or_default();
        let ended: Vec<String> = known.iter().filter(|hash| !shares.iter().any(|(h, _)| h == *hash)).cloned().collect();
        *known = shares.iter().map(|(hash, _)| hash.clone()).collect();
        for hash in ended {
            self.put(&namespace, &hash, Piece { from: now, rps: None, errors: 0.0 }, now);
        }
        for (hash, share) in shares {
            let version = self.versions.get(&(namespace.clone(), hash.clone())).cloned().unwrap_or_default();
            let Some((rps, errors)) = self.planned(failing, &namespace, &name, &version) else { continue };
            self.put(&namespace, &hash, Piece { from: now, rps: Some(rps * share), errors }, now);
        }
    }

    /// Requests per second of a rollout and the error share of a version; `None` = nothing counts them.
    fn planned(&self, failing: &Errors, namespace: &str, name: &str, version: &str) -> Option<(f64, f64)> {
        let plan = self.plans.iter().find(|plan| plan.namespace == namespace && plan.name == name);
        if plan.is_some_and(|plan| !plan.counted) {
            return None;
        }
        let rps = plan.and_then(|p| p.rps).unwrap_or_else(|| 20.0 + 60.0 * noise(&[namespace, name]));
        let told = failing.shares.get(&(namespace.to_owned(), name.to_owned(), version.to_owned())).copied();
        let share = told.unwrap_or_else(|| 0.001 + 0.004 * noise(&[namespace, name, version]));
        (!share.is_nan()).then_some((rps, share))
    }

    fn put(&mut self, namespace: &str, hash: &str, piece: Piece, now: Timestamp) {
        let pieces = &mut self.flows.entry((namespace.to_owned(), hash.to_owned())).or_default().pieces;
        let same = |last: &Piece| last.rps == piece.rps && last.errors.to_bits() == piece.errors.to_bits();
        if pieces.last().is_some_and(same) {
            return;
        }
        pieces.push(piece);
        while pieces.len() > 1 && pieces[1].from < now - KEPT {
            pieces.remove(0);
        }
    }

    /// When the series of a version was scraped last, at `now`: whole scrapes, the end of the series at the latest.
    /// `None` = there never was such a series, or it is longer gone than Prometheus looks back.
    pub(super) fn newest(&self, namespace: &str, hash: &str, now: Timestamp) -> Option<Timestamp> {
        let flow = self.flow(namespace, hash)?;
        let last = flow.last()?;
        let until = if last.rps.is_none() { last.from.min(now) } else { now };
        let newest = scraped(until);
        (newest >= flow.first()?.from).then_some(newest)
    }

    /// Whether the series has ended.
    pub(super) fn ended(&self, namespace: &str, hash: &str) -> bool {
        self.flow(namespace, hash).and_then(<[Piece]>::last).is_some_and(|last| last.rps.is_none())
    }

    /// What the `seconds` before `end` hold; `None` with fewer than two samples, as for Prometheus.
    pub(super) fn window(&self, namespace: &str, hash: &str, end: Timestamp, seconds: i64) -> Option<Window> {
        let flow = self.flow(namespace, hash)?;
        let end = scraped(end);
        let start = end - SignedDuration::from_secs(seconds);
        let mut window = Window { total: 0.0, errors: 0.0, samples: 0 };
        let mut covered = 0;
        for (nth, piece) in flow.iter().enumerate() {
            let to = flow.get(nth + 1).map_or(end, |next| next.from).min(end).as_second();
            let from = piece.from.max(start).as_second();
            let Some(rps) = piece.rps.filter(|_| to > from) else { continue };
            covered += to - from;
            let mut at = from;
            while at < to {
                // The wind changes every twenty seconds.
                let next = (at.div_euclid(20) * 20 + 20).min(to);
                #[expect(clippy::cast_precision_loss, reason = "a few seconds")]
                let length = (next - at) as f64;
                let bucket = at.div_euclid(20).to_string();
                let requests = rps * length * (0.9 + 0.2 * noise(&[hash, &bucket, "rps"]));
                window.total += requests;
                window.errors += requests * (piece.errors * (0.6 + 0.8 * noise(&[hash, &bucket]))).min(1.0);
                at = next;
            }
        }
        window.samples = covered / SCRAPE;
        (window.samples >= 2).then_some(window)
    }

    fn flow(&self, namespace: &str, hash: &str) -> Option<&[Piece]> {
        self.flows.get(&(namespace.to_owned(), hash.to_owned())).map(|flow| flow.pieces.as_slice())
    }
}

/// The last scrape at or before a moment.
fn scraped(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second().div_euclid(SCRAPE) * SCRAPE).unwrap_or(at)
}

/// Which version gets which share of the requests.
fn shares(status: &Value, current: &str) -> Vec<(String, f64)> {
    let stable = status["stableRS"].as_str().unwrap_or_default();
    if stable.is_empty() || stable == current {
        return vec![(current.to_owned(), 1.0)];
    }
    #[expect(clippy::cast_precision_loss, reason = "weights and replica counts")]
    let number = |value: &Value| value.as_i64().unwrap_or(0).max(0) as f64;
    let weights = &status["canary"]["weights"];
    let new = if let Some(active) = status["blueGreen"]["activeSelector"].as_str() {
        if active == current { 1.0 } else { 0.0 }
    } else if weights.is_object() {
        number(&weights["canary"]["weight"])
            / (number(&weights["canary"]["weight"]) + number(&weights["stable"]["weight"])).max(1.0)
    } else {
        // Equal shares for the pods that are ready, as a Service sends them; those that are not are the new ones.
        let (all, ready) = (number(&status["replicas"]), number(&status["availableReplicas"]));
        let new = (number(&status["updatedReplicas"]) - (all - ready)).max(0.0);
        (new / ready.max(1.0)).min(1.0)
    };
    vec![(current.to_owned(), new), (stable.to_owned(), 1.0 - new)]
}

/// A number from 0 to 1 that the words fix (FNV-1a, stirred).
fn noise(words: &[&str]) -> f64 {
    let mut state = 0xcbf2_9ce4_8422_2325_u64;
    for byte in words.iter().flat_map(|word| word.bytes().chain([0])) {
        state = (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    state ^= state >> 33;
    state = state.wrapping_mul(0xff51_afd7_ed55_8ccd);
    #[expect(clippy::cast_precision_loss, reason = "it is noise")]
    let number = (state >> 40) as f64 / f64::from(1_u32 << 24);
    number
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::scenario::Scenario;
    use crate::demo::sim::Sim;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).expect("a time")
    }

    fn hashes(sim: &Sim, name: &str) -> (String, String) {
        let (_, rollout) = sim.store.list(Kind::Rollout, None).find(|(k, _)| k.name == name).expect("it is there");
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        (text(&rollout["status"]["currentPodHash"]), text(&rollout["status"]["stableRS"]))
    }

    #[test]
    fn requests_follow_the_weight_and_errors_the_version() {
        let sim = Sim::new(&Scenario::calm_canary(), 1, at(0));
        let (new, stable) = hashes(&sim, "payments");
        let window = |hash: &str| sim.traffic.window("shop", hash, at(0), 300).expect("it is counted");
        let (new, stable) = (window(&new), window(&stable));
        let share = new.total / (new.total + stable.total);
        assert!((0.06..0.12).contains(&share), "one of eleven pods: {share}");
        let all = (new.total + stable.total) / 300.0;
        assert!((380.0..460.0).contains(&all), "420 a second: {all}");
        let rate = new.errors / new.total;
        assert!((0.002..0.008).contains(&rate), "0.42 %: {rate}");
        assert_eq!(new.samples, 60);
    }

    #[test]
    fn the_same_moment_counts_the_same_and_time_goes_on() {
        let mut sim = Sim::new(&Scenario::calm_canary(), 1, at(0));
        let (new, _) = hashes(&sim, "payments");
        let window = |sim: &Sim, s| sim.traffic.window("shop", &new, at(s), 60);
        let first = window(&sim, 0);
        for second in 0..60 {
            sim.step(at(second));
        }
        assert_eq!(window(&sim, 0), first);
        assert_ne!(window(&sim, 60), first);
        let newest = sim.traffic.newest("shop", &new, at(62)).expect("a sample");
        assert_eq!(newest, at(60));
    }

    #[test]
    fn a_version_that_is_gone_ends_its_series() {
        let mut sim = Sim::new(&Scenario::calm_canary(), 1, at(0));
        let (_, old) = hashes(&sim, "cart");
        let mut gone = None;
        for second in 0..240 {
            sim.step(at(second));
            if gone.is_none() && sim.traffic.ended("shop", &old) {
                gone = Some(second);
            }
        }
        let gone = gone.expect("the release went through");
        let newest = sim.traffic.newest("shop", &old, at(240)).expect("it was there");
        assert!(newest <= at(gone) && newest > at(gone - 10), "{newest} {gone}");
    }

    #[test]
    fn who_is_not_counted_has_no_series_and_who_is_not_asked_has_zeros() {
        let text = "[[rollout]]\nnamespace = 'a'\nname = 'b'\nimage = 'c'\nversion = '1'\n";
        let run = |traffic: &str| Sim::new(&Scenario::parse(&format!("{text}{traffic}")).expect("sound"), 1, at(0));
        let silent = run("[[traffic]]\ntarget = 'a/b'\ncounted = false");
        let (hash, _) = hashes(&silent, "b");
        assert_eq!(silent.traffic.newest("a", &hash, at(0)), None);
        let idle = run("[[traffic]]\ntarget = 'a/b'\nrps = 0");
        let window = idle.traffic.window("a", &hash, at(0), 300).expect("its series are there");
        assert!(window.total == 0.0 && window.samples > 2);
    }
}
