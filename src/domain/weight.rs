//! How much traffic the new version should have, and has.

use schemars::JsonSchema;
use serde::Serialize;

use super::rollout::Rollout;
use super::steps::Step;
use super::strategy::Canary;

impl Rollout {
    /// The weight that the ladder asks for: the plugin's `SetWeight`.
    pub fn desired_weight(&self) -> Option<i64> {
        let Canary { steps, max_weight, .. } = self.strategy.canary()?;
        if self.abort {
            return Some(0);
        }
        let Some((index, _)) = self.current_step() else {
            return Some(*max_weight);
        };
        let set = steps[..=index].iter().rev().find_map(|step| match step {
            Step::SetWeight { weight } => Some(*weight),
            _ => None,
        });
        Some(set.unwrap_or(0))
    }

    /// The weight that the canary has: the plugin's `ActualWeight`, except that all steps being over is not all traffic:
    /// promoted fully with pods that never get ready, the router still has the stable version. `canary_available` is the number of available
    /// pods of the ReplicaSet of [`Rollout::pod_hash`], `None` when that ReplicaSet is not known.
    pub fn actual_weight(&self, canary_available: Option<i64>) -> Option<ActualWeight> {
        let Canary { router, max_weight, .. } = self.strategy.canary()?;
        if self.fully_promoted() {
            return Some(ActualWeight { weight: *max_weight, basis: WeightBasis::FullyPromoted });
        }
        if self.replicas.available <= 0 {
            return Some(ActualWeight { weight: 0, basis: WeightBasis::NoPods });
        }
        if router.is_some() {
            return Some(match &self.weights {
                Some(w) => ActualWeight { weight: w.canary, basis: WeightBasis::Router { verified: w.verified } },
                None => ActualWeight { weight: self.desired_weight().unwrap_or(0), basis: WeightBasis::RouterSilent },
            });
        }
        // Nothing is known of the canary's pods: that is not zero.
        let available = canary_available?;
        Some(ActualWeight {
            weight: available * max_weight / self.replicas.available,
            basis: WeightBasis::Pods { canary: available, all: self.replicas.available },
        })
    }
}

/// A weight and how it is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ActualWeight {
    /// Percent of the maximum weight, rounded down as the plugin does.
    pub weight: i64,
    /// How it is known.
    pub basis: WeightBasis,
}

/// How exact a weight is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "basis", rename_all = "camelCase")]
pub enum WeightBasis {
    /// It is the stable version: nothing else has traffic.
    FullyPromoted,
    /// No pod is available.
    NoPods,
    /// What the controller told the router.
    Router {
        /// Whether the router confirmed it; `None` = not checked.
        verified: Option<bool>,
    },
    /// A router is configured, but the controller has not written weights: the desired weight stands in.
    RouterSilent,
    /// By counting pods: what a load balancer with equal shares would send.
    Pods {
        /// Available canary pods.
        canary: i64,
        /// Available pods in all.
        all: i64,
    },
}
