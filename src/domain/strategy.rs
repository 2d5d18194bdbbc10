//! How a rollout brings a new version to its users: `spec.strategy`.

use serde::Serialize;

use super::steps::Step;
use super::text::Clean;

/// Who decides how much traffic the new version gets, and by what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum Strategy {
    /// Canary.
    Canary(Canary),
    /// Blue-green.
    BlueGreen(BlueGreen),
    /// Neither is declared: the controller says `InvalidSpec`.
    None,
}

impl Strategy {
    /// The short word.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Canary(_) => "canary",
            Self::BlueGreen(_) => "blue-green",
            Self::None => "no strategy",
        }
    }

    /// The canary, if it is one.
    pub const fn canary(&self) -> Option<&Canary> {
        match self {
            Self::Canary(canary) => Some(canary),
            Self::BlueGreen(_) | Self::None => None,
        }
    }

    /// The blue-green, if it is one.
    pub const fn blue_green(&self) -> Option<&BlueGreen> {
        match self {
            Self::BlueGreen(blue_green) => Some(blue_green),
            Self::Canary(_) | Self::None => None,
        }
    }
}

/// `spec.strategy.canary`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Canary {
    /// The ladder.
    pub steps: Vec<Step>,
    /// The traffic router's key (`nginx`, `istio`, …), `None` = by replica counts.
    pub router: Option<Clean>,
    /// What counts as 100 % (`trafficRouting.maxTrafficWeight`, 100 by default).
    pub max_weight: i64,
    /// `dynamicStableScale`: the stable version shrinks as the canary grows, so going back takes time.
    pub dynamic_stable_scale: bool,
    /// Whether an analysis runs in the background.
    pub background_analysis: bool,
    /// `abortScaleDownDelaySeconds`: how long an aborted canary stays up behind a router; `None` = 30 s.
    pub abort_scale_down_delay: Option<i64>,
    /// The Service that leads to the canary alone (`canaryService`).
    pub canary_service: Option<Clean>,
    /// The Service that leads to the stable version alone (`stableService`).
    pub stable_service: Option<Clean>,
}

impl Default for Canary {
    fn default() -> Self {
        Self {
            steps: Vec::new(),
            router: None,
            max_weight: 100,
            dynamic_stable_scale: false,
            background_analysis: false,
            abort_scale_down_delay: None,
            canary_service: None,
            stable_service: None,
        }
    }
}

/// `spec.strategy.blueGreen`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BlueGreen {
    /// The Service that takes the live traffic.
    pub active_service: Clean,
    /// The Service that shows the new version.
    pub preview_service: Option<Clean>,
    /// `autoPromotionEnabled`: false waits for a person.
    pub auto_promotion: bool,
    /// `autoPromotionSeconds`: how long the preview stands before it is promoted by itself.
    pub auto_promotion_seconds: Option<i64>,
    /// `previewReplicaCount`.
    pub preview_replicas: Option<i64>,
    /// `scaleDownDelaySeconds`: how long the old version stays up after the cutover; 30 by default.
    pub scale_down_delay: i64,
    /// Whether an analysis must succeed before the cutover.
    pub pre_promotion: bool,
    /// Whether one must succeed after it.
    pub post_promotion: bool,
}

impl Default for BlueGreen {
    fn default() -> Self {
        Self {
            active_service: Clean::default(),
            preview_service: None,
            auto_promotion: true,
            auto_promotion_seconds: None,
            preview_replicas: None,
            scale_down_delay: 30,
            pre_promotion: false,
            post_promotion: false,
        }
    }
}

impl BlueGreen {
    /// Seconds after which a pause before the cutover ends by itself; `None` = it waits for a person.
    pub fn promotes_itself_after(&self) -> Option<i64> {
        self.auto_promotion.then_some(self.auto_promotion_seconds.unwrap_or(0))
    }
}

/// `status.canary.weights`: what the controller told the router.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Weights {
    /// The canary's.
    pub canary: i64,
    /// The stable version's.
    pub stable: i64,
    /// What experiments have besides.
    pub additional: i64,
    /// Whether the router confirmed it; `None` = not checked.
    pub verified: Option<bool>,
}
