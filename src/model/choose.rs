//! From what a person says to the parameters of an act, alike for keys and verbs.

use jiff::{SignedDuration, Timestamp};

use super::world::Target;
use crate::actions::{Action, Needs};
use crate::domain::intent::{ActionId, Params};
use crate::domain::text::Clean;
use crate::domain::workload::ReplicaSet;

/// How long `hold` holds where nothing is said.
pub const HOLD: SignedDuration = SignedDuration::from_mins(60);

/// How long for a version that was aborted.
pub const HOLD_ABORTED: SignedDuration = SignedDuration::from_mins(10);

/// The longest that it holds: what is forgotten must not stay up for ever.
pub const LONGEST_HOLD: SignedDuration = SignedDuration::from_hours(7 * 24);

/// The longest for a version that was aborted: the controller scales it down at once when its deadline is further away
/// than its own resync period, 15 minutes (`rollout/replicaset.go`, seen).
pub const LONGEST_HOLD_ABORTED: SignedDuration = SignedDuration::from_mins(14);

/// What a person said besides act and target.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// A container; the only one where nothing is said.
    pub container: Option<String>,
    /// An image.
    pub image: Option<String>,
    /// A revision, by number or by pod-template hash.
    pub revision: Option<String>,
    /// An AnalysisRun; the only running one where nothing is said.
    pub run: Option<String>,
    /// How long.
    pub hold: Option<SignedDuration>,
}

/// The parameters of `action` on `target`. Errors say what to say.
pub fn params(action: &Action, target: &Target, said: &Said, now: Timestamp) -> Result<Params, String> {
    match (action.needs, action.id) {
        (Needs::Nothing, ActionId::Restart) => {
            let at = now.round(jiff::Unit::Second).unwrap_or(now);
            Ok(Params::Restart { at })
        }
        (Needs::Nothing, _) => Ok(Params::None),
        (Needs::Image, _) => image(target, said),
        (Needs::Revision, id) => {
            let set = revision(target, said.revision.as_deref(), id == ActionId::Undo)?;
            Ok(Params::Revision { hash: set.pod_hash.clone(), revision: set.revision })
        }
        (Needs::Run, _) => run(target, said.run.as_deref()),
        (Needs::Duration, _) => hold(target, said, now),
    }
}

fn image(target: &Target, said: &Said) -> Result<Params, String> {
    let image = said.image.as_deref().map(str::trim).filter(|i| !i.is_empty());
    let image = image.ok_or("which image? (`CONTAINER=IMAGE`, or the image alone where there is one container)")?;
    let known: Vec<&Clean> = target.rollout.containers.iter().map(|c| &c.name).collect();
    let container = match (&said.container, known.as_slice()) {
        (Some(container), _) => Clean::new(container),
        (None, [only]) => (*only).clone(),
        (None, []) => return Err(format!("which container of {}?", target.rollout.id.name)),
        (None, several) => {
            let names: Vec<&str> = several.iter().map(|n| n.as_str()).collect();
            return Err(format!("which container? it has {}", names.join(", ")));
        }
    };
    Ok(Params::Image { container, image: Clean::new(image) })
}

/// The revision that was named; the one in flight where nothing was said and it may be meant.
pub fn revision<'a>(target: &'a Target, said: Option<&str>, must_say: bool) -> Result<&'a ReplicaSet, String> {
    let known = || {
        let all = target.sets.iter().filter_map(|set| set.revision).map(|n| n.to_string()).collect::<Vec<_>>();
        if all.is_empty() { "none is known".to_owned() } else { format!("there are {}", all.join(", ")) }
    };
    let Some(said) = said.map(str::trim).filter(|s| !s.is_empty()) else {
        if must_say {
            return Err(format!("to which revision? {}", known()));
        }
        return target.canary_set().map(AsRef::as_ref).ok_or_else(|| "the revision in flight is not known".to_owned());
    };
    let said = said.strip_prefix("rev").unwrap_or(said).trim();
    let found =
        target.sets.iter().find(|set| set.pod_hash == *said || set.revision.is_some_and(|n| n.to_string() == said));
    found.map(AsRef::as_ref).ok_or_else(|| format!("there is no revision {said}; {}", known()))
}

fn run(target: &Target, said: Option<&str>) -> Result<Params, String> {
    let running: Vec<&Clean> =
        target.rollout.runs().filter(|(_, run)| !run.phase.completed()).map(|(_, run)| &run.name).collect();
    match (said, running.as_slice()) {
        (Some(name), _) => Ok(Params::Run { name: Clean::new(name) }),
        (None, [only]) => Ok(Params::Run { name: (*only).clone() }),
        (None, []) => Err("no analysis is running".to_owned()),
        (None, several) => {
            let names: Vec<&str> = several.iter().map(|n| n.as_str()).collect();
            Err(format!("which analysis? running are {}", names.join(", ")))
        }
    }
}

fn hold(target: &Target, said: &Said, now: Timestamp) -> Result<Params, String> {
    let set = match said.revision.as_deref() {
        Some(named) => revision(target, Some(named), true)?,
        None => target
            .sets
            .iter()
            .find(|set| set.desired > 0 && set.scale_down_deadline.is_some())
            .ok_or("no old version is up with a deadline")?,
    };
    let aborted = target.rollout.abort && set.pod_hash == target.rollout.pod_hash;
    let (default, longest) = if aborted { (HOLD_ABORTED, LONGEST_HOLD_ABORTED) } else { (HOLD, LONGEST_HOLD) };
    let long = said.hold.unwrap_or(default);
    if long > longest || long < SignedDuration::from_secs(1) {
        let most = crate::domain::steps::Span(longest.as_secs());
        let version = set.revision.map_or_else(|| format!("rev {}", set.pod_hash), |n| format!("rev {n}"));
        return Err(if aborted {
            format!(
                "this would keep the aborted {version} up; the controller ends it at once beyond {most}: --for 1s to {most}"
            )
        } else {
            format!("{version} can be held for 1s to {most}: --for {most} at most")
        });
    }
    let until =
        now.checked_add(long).map_err(|e| e.to_string())?.round(jiff::Unit::Second).map_err(|e| e.to_string())?;
    Ok(Params::Hold { hash: set.pod_hash.clone(), until })
}
