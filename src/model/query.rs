//! Questions to the world, asked alike by screen, verb and control.

use jiff::Timestamp;

use crate::actions::row;
use crate::domain::environment::Environment;
use crate::domain::facts::Facts;
use crate::domain::ids::{ActId, TargetId};
use crate::domain::intent::ActionId;
use crate::domain::link::{Link, LinkId, LinkState};
use crate::domain::rollout::{ActualWeight, Phase, Rollout, WeightBasis};
use crate::domain::signal::Signals;

use super::world::{Target, World};

/// Which band of the board a target belongs to, most urgent first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Band {
    /// A person must do something.
    NeedsYou,
    /// On its way by itself.
    Moving,
    /// Nothing is happening.
    Steady,
}

impl Band {
    /// The band's title.
    pub const fn title(self) -> &'static str {
        match self {
            Self::NeedsYou => "needs you",
            Self::Moving => "moving",
            Self::Steady => "steady",
        }
    }
}

/// The band of a target and the reason why, e.g. `paused for a person`.
pub fn band(target: &Target) -> (Band, String) {
    let rollout = &target.rollout;
    let (phase, message) = rollout.status();
    match phase {
        Phase::Degraded => (Band::NeedsYou, message.to_string()),
        Phase::Paused => {
            if rollout.spec_paused {
                return (Band::NeedsYou, "paused by hand".to_owned());
            }
            match rollout.current_step() {
                Some((_, step @ crate::domain::steps::Step::Pause { seconds: Some(_) }))
                    if rollout.pause_conditions.iter().all(|c| c.reason == "CanaryPauseStep") =>
                {
                    (Band::Moving, step.to_string())
                }
                Some((_, step)) if step.waits_for_a_person() => (Band::NeedsYou, "paused for a person".to_owned()),
                _ => (Band::NeedsYou, message.to_string()),
            }
        }
        Phase::Progressing => (Band::Moving, message.to_string()),
        Phase::Healthy => (Band::Steady, String::new()),
        Phase::Unknown => (Band::NeedsYou, "the object says no phase that is known".to_owned()),
    }
}

/// The state of the link that a target is read through.
pub fn link_of(world: &World, id: &LinkId) -> LinkState {
    world.links.get(id).map_or(LinkState::Connecting, |link| link.state.clone())
}

/// Whether a weight was counted from ReplicaSets that are not heard of now: it may no longer be what is.
pub fn weight_is_old(world: &World, target: &Target, weight: &ActualWeight) -> bool {
    let link = world.links.values().find(|l| l.id.what == "replicasets" && l.id.context == target.context);
    matches!(weight.basis, WeightBasis::Pods { .. }) && link.is_none_or(|l| !l.state.is_live())
}

/// What the policy needs to know to decide on `action` for `target`. `rollout` is the version that the person saw:
/// the snapshot's, or one read afresh.
pub fn facts(world: &World, target: &Target, rollout: &Rollout, action: ActionId, except: Option<&ActId>) -> Facts {
    let row = row(action);
    Facts {
        applies: (row.applies)(rollout),
        consequence: (row.consequence)(rollout).typed,
        environment: target.environment.clone(),
        link: link_of(world, &target.link),
        in_flight: in_flight(world, target.id(), except),
        audit: world.audit.state.clone(),
    }
}

/// The facts about a target that is not there.
pub fn facts_of_nothing(world: &World, id: &TargetId) -> Facts {
    Facts {
        applies: Err(format!("{id} is not there")),
        consequence: String::new(),
        environment: Environment::unknown(),
        link: LinkState::Live,
        in_flight: None,
        audit: world.audit.state.clone(),
    }
}

fn in_flight(world: &World, id: &TargetId, except: Option<&ActId>) -> Option<String> {
    world
        .acts
        .iter()
        .find(|act| act.running() && act.intent.target == *id && Some(act.id()) != except)
        .map(|act| row(act.intent.action).verb.to_owned())
}

/// Whether a link lists objects that every answer needs. Pods and error rates are asked for one by one.
pub fn lists(link: &LinkId) -> bool {
    !matches!(link.what, "pods" | "prometheus")
}

/// The link by which a target's error rates come; `None` = not configured.
pub fn signal_link<'a>(world: &'a World, target: &Target) -> Option<&'a Link> {
    world.links.get(&LinkId { context: target.context.clone(), what: "prometheus" })
}

/// A target's error rates as far as they are of the version that it is about, and of now; else the reason why not.
pub fn signals<'a>(world: &World, target: &'a Target, now: Timestamp) -> Result<&'a Signals, &'static str> {
    let Some(link) = signal_link(world, target) else { return Err("not configured") };
    let Some(signals) = target.signals.as_deref() else {
        return Err(match link.state {
            LinkState::Live | LinkState::Connecting => "not read yet",
            LinkState::Backoff { .. } | LinkState::Stale { .. } | LinkState::Denied { .. } => "unreachable",
        });
    };
    if !signals.is_about(&target.rollout) {
        return Err("of another version");
    }
    if signals.is_old(now) { Err("old") } else { Ok(signals) }
}

/// Whether every link that lists something has done so.
pub fn complete(world: &World) -> bool {
    world.links.keys().any(lists) && world.links.values().filter(|link| lists(&link.id)).all(|link| link.listed)
}
