//! Questions to the world, asked alike by screen, verb and control.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::actions::row;
use crate::domain::environment::{Environment, Tier};
use crate::domain::facts::Facts;
use crate::domain::ids::{ActId, TargetId};
use crate::domain::intent::{ActionId, Params};
use crate::domain::link::{Link, LinkId, LinkState};
use crate::domain::permissions::Right;
use crate::domain::rollout::{ActualWeight, Phase, Rollout, WeightBasis};
use crate::domain::signal::text::limit;
use crate::domain::signal::{Reading, Signals, Verdict};
use crate::domain::steps::Span;
use crate::domain::text::Clean;

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

/// How long a release stays on watch after its cutover.
pub const BAKING: SignedDuration = SignedDuration::from_mins(60);

/// Since when and until when a release that is through stays on watch; `None` when it does not, or not any more.
pub fn baking(target: &Target, now: Timestamp) -> Option<(Timestamp, Timestamp)> {
    let rollout = &target.rollout;
    let since = rollout.completed_at.filter(|_| rollout.fully_promoted() && !first(target))?;
    let until = since.checked_add(BAKING).ok()?;
    (since <= now && now < until).then_some((since, until))
}

/// Whether there has been one version only: nothing to compare with, nothing to go back to.
fn first(target: &Target) -> bool {
    target.sets.iter().all(|set| set.pod_hash == target.rollout.pod_hash)
}

/// Why the errors of the version that is released, or was, need somebody: only what is certain and of now does.
fn over(target: &Target, now: Timestamp) -> Option<String> {
    let signals = target.signals.as_deref()?;
    let since = signals.over_since.filter(|_| signals.is_about(&target.rollout) && !signals.is_old(now))?;
    let seconds = now.as_second().saturating_sub(since.as_second());
    // Who looks for the first time would read it as having just begun.
    if !signals.over_began && seconds < JUST_SEEN {
        return Some(signals.verdict_text());
    }
    Some(format!("{} {} {}", signals.verdict_text(), signals.lasting(), Span(seconds)))
}

/// *Seen for* less than this says nothing.
const JUST_SEEN: i64 = 5;

/// A timed pause that is over for so long was not ended by the controller, which looks again to the second.
pub const LATE: SignedDuration = SignedDuration::from_secs(10);

/// After so long somebody has to see why.
pub const TOO_LATE: SignedDuration = SignedDuration::from_secs(60);

/// Since when a timed pause is over that the controller did not end; `None` while it may still be about to.
pub fn overdue(rollout: &Rollout, now: Timestamp) -> Option<Timestamp> {
    rollout.resumes_at().filter(|at| now.duration_since(*at) >= LATE && rollout.status().0 == Phase::Paused)
}

/// Its error rates, where the version that is released was last measured over its limit, or may be over it. What has got
/// old is no better, nor is what was taken out of the traffic: until it was measured fine it counts. A Prometheus that is
/// configured and cannot be asked hides all of that.
fn over_limit(world: &World, target: &Target) -> Option<String> {
    let link = signal_link(world, target)?;
    let Some(signals) = target.signals.as_deref().filter(|s| s.is_about(&target.rollout)) else {
        let silent = !matches!(link.state, LinkState::Live | LinkState::Connecting);
        return silent.then(|| "Prometheus cannot be reached, so they are not known".to_owned());
    };
    let blind = matches!(signals.subject.long, Reading::Unreachable { .. } | Reading::WrongQuery { .. });
    if blind && signals.verdict != Verdict::Over {
        return Some(format!("they are not known ({})", signals.subject.long.word()));
    }
    let verdict = signals.verdict_text();
    if signals.verdict == Verdict::NotEnoughData && signals.was_over.is_none() && signals.looked_back == Some(false) {
        return Some(format!("{}: {verdict}, and how it was in the past hour cannot be read", signals.sides(false)));
    }
    let text = match (signals.verdict, signals.was_over) {
        (Verdict::Fine, _) | (Verdict::NotEnoughData, None) => return None,
        (Verdict::Over, _) | (Verdict::Suspect, None) => verdict,
        (Verdict::Suspect | Verdict::NotEnoughData, Some(at)) => {
            let (limit, long) = (limit(signals.rules.limit), Span(i64::from(signals.rules.long)));
            format!("{verdict} now, and over its limit of {limit} in the {long} up to {}", at.strftime("%H:%M:%SZ"))
        }
    };
    Some(format!("{}: {text}", signals.sides(false)))
}

/// Where a target stands among the others: its band, then what is over its limit, then production.
pub fn rank(target: &Target, now: Timestamp) -> Rank {
    // What an abort took the traffic from is still in the window for a while.
    let calm = target.rollout.abort || over(target, now).is_none();
    (band(target, now).0, calm, target.environment.tier)
}

/// What targets are ordered by, the most urgent first.
pub type Rank = (Band, bool, Tier);

/// The band of a target and the reason why, e.g. `paused for a person`.
pub fn band(target: &Target, now: Timestamp) -> (Band, String) {
    let rollout = &target.rollout;
    let (phase, message) = rollout.status();
    if rollout.deleting {
        return (Band::Moving, "being deleted".to_owned());
    }
    if phase != Phase::Degraded
        && let Some(why) = over(target, now)
    {
        return (Band::NeedsYou, why);
    }
    match phase {
        Phase::Degraded => (Band::NeedsYou, message.to_string()),
        Phase::Paused => {
            if rollout.spec_paused {
                return (Band::NeedsYou, "paused by hand".to_owned());
            }
            if let Some(since) = overdue(rollout, now) {
                let late = now.duration_since(since);
                let band = if late >= TOO_LATE { Band::NeedsYou } else { Band::Moving };
                return (band, format!("pause over for {}: nothing moves", Span(late.as_secs())));
            }
            if rollout.resumes_at().is_some() {
                let what = match rollout.current_step() {
                    Some((_, step)) => step.to_string(),
                    None => "preview, promotes itself".to_owned(),
                };
                return (Band::Moving, what);
            }
            match (rollout.current_step(), rollout.pause_conditions.first().map(|c| c.reason.as_str())) {
                (Some((_, step)), Some("CanaryPauseStep")) if step.waits_for_a_person() => {
                    (Band::NeedsYou, "paused for a person".to_owned())
                }
                (_, Some("BlueGreenPause")) => (Band::NeedsYou, "preview waits for a person".to_owned()),
                (_, Some("InconclusiveAnalysisRun")) => (Band::NeedsYou, "the analysis is inconclusive".to_owned()),
                _ => (Band::NeedsYou, message.to_string()),
            }
        }
        Phase::Progressing => (Band::Moving, message.to_string()),
        Phase::Healthy => match baking(target, now) {
            Some((since, _)) => {
                let minutes = now.duration_since(since).as_mins();
                (Band::Moving, format!("baking {minutes}/{}m", BAKING.as_mins()))
            }
            None => (Band::Steady, String::new()),
        },
        Phase::Unknown => (Band::NeedsYou, "the object says no phase that is known".to_owned()),
    }
}

/// The state of the link that a target is read through.
pub fn link_of(world: &World, id: &LinkId) -> LinkState {
    world.links.get(id).map_or(LinkState::Connecting, |link| link.state.clone())
}

/// From this age on it is said how long ago a live context was last heard of, in steps of 15 s.
pub const QUIET: i64 = 30;

/// Coarse, so that a quiet cockpit is drawn four times a minute at most.
const QUIET_STEP: i64 = 15;

/// For how many seconds nothing at all was heard of a context by what lists its targets, where that is so long that it
/// should be seen, and when that number changes. The API server breaks its silence about every minute, so nothing is wrong
/// yet: at 75 s the link is *stale*.
pub fn quiet(world: &World, now: Timestamp) -> (Option<i64>, Option<Timestamp>) {
    let mut heard: BTreeMap<&Clean, Timestamp> = BTreeMap::new();
    for link in world.links.values().filter(|link| lists(&link.id)) {
        if let Some(at) = link.heard {
            heard.entry(&link.id.context).and_modify(|last| *last = at.max(*last)).or_insert(at);
        }
    }
    let Some(oldest) = heard.into_values().min() else { return (None, None) };
    let age = now.duration_since(oldest).as_secs().max(0);
    let next = if age < QUIET { QUIET } else { (age / QUIET_STEP + 1) * QUIET_STEP };
    ((age >= QUIET).then_some(age / QUIET_STEP * QUIET_STEP), oldest.checked_add(SignedDuration::from_secs(next)).ok())
}

/// What the link is called that reads the focused target every few seconds.
pub const FOCUS: &str = "focus";

/// How what is shown of `target` stands: the link it is listed by, or, while it is focused, the worse of that and the
/// one that reads it every few seconds.
pub fn link_of_target(world: &World, target: &Target) -> LinkState {
    told_by(world, target).map_or(LinkState::Connecting, |link| link.state.clone())
}

/// The link that [`link_of_target`] speaks of: its age is the age of what is shown.
pub fn told_by<'a>(world: &'a World, target: &Target) -> Option<&'a Link> {
    let listed = world.links.get(&target.link)?;
    let focus = LinkId::new(&target.context, FOCUS);
    if !listed.state.is_live() || world.focused.get(&focus) != Some(target.id()) {
        return Some(listed);
    }
    match world.links.get(&focus) {
        Some(worse) if !matches!(worse.state, LinkState::Connecting | LinkState::Off) => Some(worse),
        // Its first answer is awaited, and the watch is live.
        _ => Some(listed),
    }
}

/// Since when no traffic goes to the version that an abort took it from, as far as that is known for certain: what was
/// measured of it stays in the window for a while, and says how it was.
pub fn without_traffic_since(world: &World, target: &Target) -> Option<Timestamp> {
    let rollout = &target.rollout;
    let since = rollout.aborted_at.filter(|_| rollout.abort && !rollout.fully_promoted())?;
    let actual = target.actual_weight()?;
    let none = match actual.basis {
        WeightBasis::Router { verified } => actual.weight == 0 && verified != Some(false),
        WeightBasis::Pods { canary, .. } => canary == 0 && !weight_is_old(world, target, &actual),
        WeightBasis::FullyPromoted | WeightBasis::NoPods | WeightBasis::RouterSilent => false,
    };
    (none && link_of_target(world, target).is_live()).then_some(since)
}

/// Whether a weight may no longer be what is: nothing is heard of the target now, or of the ReplicaSets that it was
/// counted from.
pub fn weight_is_old(world: &World, target: &Target, weight: &ActualWeight) -> bool {
    let sets = |l: &&Link| l.id.what == "replicasets" && l.id.context == target.context;
    let ours = |l: &&Link| l.id.scope.is_empty() || l.id.scope == target.id().namespace;
    let link = world.links.values().filter(sets).find(ours);
    let counted = matches!(weight.basis, WeightBasis::Pods { .. });
    counted && link.is_none_or(|l| !l.state.is_live()) || !link_of_target(world, target).is_live()
}

/// What the policy needs to know to decide on `action` for `target`. `rollout` is the version that the person saw:
/// the snapshot's, or one read afresh.
pub fn facts(
    world: &World,
    target: &Target,
    rollout: &Rollout,
    action: ActionId,
    params: &Params,
    except: Option<&ActId>,
) -> Facts {
    let row = row(action);
    let sight = target.sight_of(rollout);
    let permissions = world.permissions.get(&(target.context.clone(), rollout.id.namespace.clone()));
    let missing = |right: &Right| permissions.is_some_and(|p| p.has(*right) == Some(false));
    Facts {
        applies: (row.applies)(&sight, params),
        consequence: (row.consequence)(&sight, params).typed,
        environment: target.environment.clone(),
        link: link_of_target(world, target),
        in_flight: in_flight(world, target.id(), except),
        audit: world.audit.state.clone(),
        missing_rights: (row.rights)(&sight).into_iter().filter(missing).collect(),
        do_not_promote: sight.canary_set().and_then(|set| set.do_not_promote.as_ref()).map(ToString::to_string),
        over_limit: over_limit(world, target),
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
        missing_rights: Vec::new(),
        do_not_promote: None,
        over_limit: None,
    }
}

fn in_flight(world: &World, id: &TargetId, except: Option<&ActId>) -> Option<String> {
    world
        .acts
        .iter()
        .find(|act| act.running() && act.intent.target == *id && Some(act.id()) != except)
        .map(|act| row(act.intent.action).verb.to_owned())
}

/// The link by which a target's error rates come; `None` = not configured.
pub fn signal_link<'a>(world: &'a World, target: &Target) -> Option<&'a Link> {
    world.links.get(&LinkId::new(&target.context, "prometheus"))
}

/// A target's error rates as far as they are of the version that it is about, and of now; else the reason why not.
pub fn signals<'a>(world: &World, target: &'a Target, now: Timestamp) -> Result<&'a Signals, &'static str> {
    let Some(link) = signal_link(world, target) else { return Err("not configured") };
    let Some(signals) = target.signals.as_deref() else {
        return Err(match link.state {
            LinkState::Live | LinkState::Off | LinkState::Connecting => "not read yet",
            LinkState::Backoff { .. } | LinkState::Stale { .. } | LinkState::Denied { .. } => "unreachable",
        });
    };
    if !signals.is_about(&target.rollout) {
        return Err("of another version");
    }
    if signals.is_old(now) { Err("old") } else { Ok(signals) }
}

/// Links that are quiet until a target is focused, or that tell nothing about which targets there are.
const LIST_NO_TARGETS: &[&str] =
    &["pods", FOCUS, "permissions", "analysisruns", "experiments", "events", "prometheus", "witness"];

/// Whether a link lists what every answer needs.
pub fn lists(link: &LinkId) -> bool {
    !LIST_NO_TARGETS.contains(&link.what)
}

/// Whether every link that lists something has done so.
pub fn complete(world: &World) -> bool {
    world.links.keys().any(lists) && world.links.values().filter(|link| lists(&link.id)).all(|link| link.listed)
}

#[cfg(test)]
mod tests;
