//! How many requests fail, by version: what analyses measure and logs show.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use super::events::hash;
use super::store::{Key, Kind, Store};

/// The share of a version of which the scenario says nothing.
const USUAL: f64 = 0.004;

/// The error shares of a world.
#[derive(Clone, Debug, Default)]
pub(super) struct Errors {
    /// By namespace, rollout and version. NaN: nothing is measured.
    pub shares: BTreeMap<(String, String, String), f64>,
}

/// The tag of the first container's image.
pub(super) fn version(template: &Value) -> &str {
    let image = template["spec"]["containers"][0]["image"].as_str().unwrap_or_default();
    image.rsplit_once(':').map_or("", |(_, tag)| tag)
}

impl Errors {
    /// The share of one version.
    pub(super) fn share(&self, namespace: &str, rollout: &str, version: &str) -> f64 {
        let key = (namespace.to_owned(), rollout.to_owned(), version.to_owned());
        self.shares.get(&key).copied().unwrap_or(USUAL)
    }

    /// The share as it is measured at a moment: near the version's, never twice the same.
    pub(super) fn measured(&self, namespace: &str, rollout: &str, version: &str, now: Timestamp) -> f64 {
        let share = self.share(namespace, rollout, version);
        let random = hash(&format!("{namespace}/{rollout}:{version}@{}", now.as_second())) % 1_000;
        #[expect(clippy::cast_precision_loss, reason = "a share, not money")]
        let near = 0.9 + random as f64 / 5_000.0;
        (share * near * 10_000.0).round() / 10_000.0
    }

    /// The share of what a pod runs.
    pub(super) fn of_pod(&self, store: &Store, namespace: &str, pod: &Value) -> f64 {
        let rollout = Key::owner(pod).and_then(|set| store.get(&set).ok().and_then(|set| Key::owner(set)));
        let name = rollout.map(|rollout| rollout.name).unwrap_or_default();
        let image = serde_json::json!({"spec": pod["spec"]});
        self.share(namespace, &name, version(&image))
    }

    /// The value that a run measures; `None` where there is nothing to measure.
    pub(super) fn of_run(&self, store: &Store, run: &Value, now: Timestamp) -> Option<f64> {
        let rollout = Key::owner(run)?;
        let hash = run["metadata"]["labels"]["rollouts-pod-template-hash"].as_str()?;
        let set = Key::new(Kind::ReplicaSet, &rollout.namespace, &format!("{}-{hash}", rollout.name));
        let template = store.get(&set).ok()?;
        let version = version(&template["spec"]["template"]);
        let value = self.measured(&rollout.namespace, &rollout.name, version, now);
        (!value.is_nan()).then_some(value)
    }
}
