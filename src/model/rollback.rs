//! The rollback plan: which acts bring the last good version back, how long that takes, and whether it sticks.

use jiff::Timestamp;

use super::world::Target;
use crate::actions::{follows_pods, plan_way, share, smaller_preview, within_window};
use crate::domain::intent::{ActionId, Params};
use crate::domain::owner::GitOwner;
use crate::domain::plan::{OnFailure, Stage};
use crate::domain::rollout::{Rollout, Strategy};
use crate::domain::seen::Seen;
use crate::domain::sight::Sight;
use crate::domain::steps::Span;
use crate::domain::text::Clean;
use crate::domain::workload::ReplicaSet;

/// A revision that one may go back to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Goal {
    /// Its pod-template hash.
    pub hash: Clean,
    /// Its number, for people.
    pub revision: Option<i64>,
}

impl Goal {
    fn of(set: &ReplicaSet) -> Self {
        Self { hash: set.pod_hash.clone(), revision: set.revision }
    }

    /// `rev 7`, or the hash where no number is known.
    pub fn word(&self) -> String {
        self.revision.map_or_else(|| format!("rev {}", self.hash), |n| format!("rev {n}"))
    }
}

/// A plan that can be confirmed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RollBack {
    /// Where it goes.
    pub goal: Goal,
    /// Its acts, in order.
    pub stages: Vec<Stage>,
    /// How quick it is, e.g. `its pods must start (0/10 ready), then it waits at the preview`.
    pub way: String,
    /// What else a person must know, a line each: what would undo it, what stays as it is.
    pub notes: Vec<String>,
    /// What is typed to confirm it.
    pub typed: String,
}

/// The last good revision: the stable one while another is in flight; afterwards the one that is proven to have been live
/// before. `Err` says why a person has to pick.
pub fn last_good(target: &Target) -> Result<Goal, String> {
    let rollout = &target.rollout;
    if !rollout.fully_promoted() {
        if rollout.first_release() {
            return Err("the first release: there is no version to go back to".to_owned());
        }
        return Ok(target
            .stable_set()
            .map_or_else(|| Goal { hash: rollout.stable_hash.clone(), revision: None }, |set| Goal::of(set)));
    }
    let others: Vec<&ReplicaSet> = target
        .sets
        .iter()
        .map(AsRef::as_ref)
        .filter(|set| set.pod_hash != rollout.pod_hash && set.do_not_promote.is_none())
        .collect();
    // Somebody went back already: neither what was left nor what is older still is proven by that.
    let live = target.sets.iter().find(|set| set.pod_hash == rollout.pod_hash).map(AsRef::as_ref);
    if let Some((live, left)) = live.and_then(|live| Some((live, left_for(live, &others)?))) {
        let (left, live) = (Goal::of(left), Goal::of(live));
        let number = left.revision.map_or_else(|| left.hash.to_string(), |n| n.to_string());
        return Err(format!(
            "{} was left before for the older version that is now {}; it is not taken by itself, only when picked (F2 in the box, --to-revision {number})",
            left.word(),
            live.word()
        ));
    }
    // Only what had the traffic keeps its pods behind a deadline after a cutover; what was aborted went down before.
    let up: Vec<&ReplicaSet> = others.iter().copied().filter(|set| set.available > 0).collect();
    match (others.as_slice(), up.as_slice()) {
        ([], _) => Err("there is no other revision".to_owned()),
        ([only], _) | (_, [only]) => Ok(Goal::of(only)),
        _ => Err("nothing proves which revision was good: pick one".to_owned()),
    }
}

/// The newest version that was left for the live one: made after it, so the live one's ReplicaSet was taken up again
/// (a rollback, or an undo after an abort).
fn left_for<'a>(live: &ReplicaSet, others: &[&'a ReplicaSet]) -> Option<&'a ReplicaSet> {
    let since = live.created?;
    others.iter().copied().filter(|set| set.created.is_some_and(|at| at > since)).max_by_key(|set| set.created)
}

/// Makes the plan. `wanted` is the revision that a person picked; else [`last_good`].
pub fn plan(target: &Target, wanted: Option<&Goal>, now: Timestamp) -> Result<RollBack, String> {
    let rollout = &*target.rollout;
    if rollout.deleting {
        return Err("being deleted".to_owned());
    }
    let goal = match wanted {
        Some(goal) => goal.clone(),
        None => last_good(target)?,
    };
    let sight = target.sight();
    let in_flight = !rollout.fully_promoted() && !rollout.first_release();
    let to_stable = goal.hash == rollout.stable_hash;
    let mut made = Making { target, now, stages: Vec::new(), notes: Vec::new() };
    if in_flight && to_stable && rollout.abort && brought_back(&sight) {
        return Err(
            "it is aborted already: the stable version has all traffic; `undo` puts its template back, too".to_owned()
        );
    }
    let way = if in_flight && to_stable && abort_is_enough(&sight) {
        made.stage(ActionId::Abort, Params::None, format!("abort: {} takes all traffic", goal.word()), true);
        made.notes.push("the spec still names the version that was aborted: a retry would start it again".to_owned());
        match rollout.strategy {
            Strategy::BlueGreen(_) => "it has the live traffic: only the preview goes".to_owned(),
            Strategy::Canary(_) | Strategy::None => canary_way(&sight),
        }
    } else {
        made.undo(&sight, &goal)?;
        plan_way(&sight, &goal.hash)
    };
    made.about_git(rollout);
    made.about_time(&sight, &goal);
    let typed = goal.word();
    Ok(RollBack { goal, stages: made.stages, way, notes: made.notes, typed })
}

/// Whether an abort gives the traffic back: not after a blue-green cutover, where the controller may leave the Service on
/// pods that are not ready and then scales them down; and not with `dynamicStableScale` and a delay, where it hangs (seen on v1.10.1).
fn abort_is_enough(sight: &Sight<'_>) -> bool {
    let rollout = sight.rollout;
    if rollout.abort || rollout.cut_over() {
        return false;
    }
    !rollout.strategy.canary().is_some_and(|c| c.dynamic_stable_scale && c.abort_scale_down_delay.is_some())
}

/// How an aborted canary gives the traffic back.
fn canary_way(sight: &Sight<'_>) -> String {
    let desired = sight.rollout.replicas.desired;
    let Some(up) = sight.stable_set().map(|set| set.available) else {
        return "how many of its pods are up is not known".to_owned();
    };
    let ready = share(up, desired);
    if follows_pods(sight) {
        format!("the traffic moves as its pods start ({ready})")
    } else if up < desired {
        format!("the traffic moves at once, to those of its pods that are up ({ready})")
    } else {
        "its pods are up: the traffic moves at once".to_owned()
    }
}

/// Whether an abort that was done before has had its effect.
fn brought_back(sight: &Sight<'_>) -> bool {
    let rollout = sight.rollout;
    match &rollout.strategy {
        Strategy::BlueGreen(_) => rollout.blue_green.active == rollout.stable_hash,
        Strategy::Canary(canary) if canary.router.is_some() => rollout.weights.as_ref().is_none_or(|w| w.canary == 0),
        Strategy::Canary(_) | Strategy::None => sight.canary_set().is_none_or(|set| set.available == 0),
    }
}

struct Making<'a> {
    target: &'a Target,
    now: Timestamp,
    stages: Vec<Stage>,
    notes: Vec<String>,
}

impl Making<'_> {
    fn stage(&mut self, action: ActionId, params: Params, title: String, rests_on_what_is_seen: bool) {
        let rollout = &self.target.rollout;
        self.stages.push(Stage {
            title,
            target: rollout.id.clone(),
            context: self.target.context.clone(),
            action,
            params,
            seen: rests_on_what_is_seen.then(|| Seen::of(rollout, self.now)),
            only_on: None,
        });
    }

    /// A resume of the wanted version, once the step before has brought it there.
    fn after(&mut self, goal: &Goal, title: String) {
        self.stage(ActionId::Resume, Params::None, title, false);
        if let Some(last) = self.stages.last_mut() {
            last.only_on = Some(goal.hash.clone());
        }
    }

    fn undo(&mut self, sight: &Sight<'_>, goal: &Goal) -> Result<(), String> {
        let rollout = sight.rollout;
        if goal.hash == rollout.pod_hash {
            return Err(format!("{} is the version that is in the spec", goal.word()));
        }
        if sight.set(&goal.hash).is_none() {
            return Err(format!("{} is not there any more", goal.word()));
        }
        if let Some(why) = sight.set(&goal.hash).and_then(|set| set.do_not_promote.as_ref()) {
            return Err(format!("{} is marked as not to be promoted: {why}", goal.word()));
        }
        let params = Params::Revision { hash: goal.hash.clone(), revision: goal.revision };
        self.stage(ActionId::Undo, params, format!("put the template of {} back", goal.word()), true);
        // In this order: unpaused first, the version that is to go would move on for a moment. Paused, the controller takes
        // the template and moves nothing until the pause ends (seen on v1.10.1).
        if rollout.spec_paused {
            self.after(goal, "end the pause by hand: only then does anything move".to_owned());
        }
        // Also where it should move at once: the controller's fast way is open for one look of its own only.
        if waits_for_a_person(sight) {
            let when = if moves_at_once(sight, goal) { "if it waits there" } else { "once it is ready" };
            self.after(goal, format!("promote the preview of {} {when}", goal.word()));
        }
        Ok(())
    }

    /// What a system that keeps the spec equal to Git makes of it.
    fn about_git(&mut self, rollout: &Rollout) {
        let writes_template = self.stages.iter().any(|stage| stage.action == ActionId::Undo);
        let note = match (&rollout.owner, writes_template) {
            (GitOwner::Unknown, true) => {
                "no owner is written on it: if something applies it from Git, revert there too".to_owned()
            }
            (owner, true) if owner.certain() => {
                format!(
                    "{owner} owns the spec: its next sync puts Git's version back. Turn auto-sync off or revert in Git first"
                )
            }
            (owner, true) => format!("{owner}: what it applies next may put the other version back; revert in Git too"),
            (GitOwner::Unknown, false) => return,
            (owner, false) => {
                format!("{owner} keeps the spec: an abort stands until the next change there; revert in Git")
            }
        };
        self.notes.push(note);
    }

    fn about_time(&mut self, sight: &Sight<'_>, goal: &Goal) {
        let Some(deadline) = sight.set(&goal.hash).and_then(|set| set.scale_down_deadline) else { return };
        let left = deadline.duration_since(self.now).as_secs();
        if left > 0 && smaller_preview(sight.rollout, &goal.hash).is_none() {
            self.notes.push(format!(
                "{} stays up for {} more: after that its pods must start first (`hold` keeps them)",
                goal.word(),
                Span(left)
            ));
        }
    }
}

/// Whether a blue-green that stops at its preview waits there for a person.
fn waits_for_a_person(sight: &Sight<'_>) -> bool {
    sight.rollout.strategy.blue_green().is_some_and(|b| b.promotes_itself_after().is_none())
}

/// Whether a blue-green's traffic moves as soon as the template of `goal` is back: its pods are still up, or the rollback
/// window opens the way.
fn moves_at_once(sight: &Sight<'_>, goal: &Goal) -> bool {
    let up = sight.set(&goal.hash).is_some_and(|set| {
        set.available >= sight.rollout.replicas.desired
            && (set.scale_down_deadline.is_some() || goal.hash == sight.rollout.stable_hash)
    });
    up || within_window(sight, &goal.hash)
}

/// What becomes of the rest when a step of a rollback does not end well: it is left alone.
pub const ON_FAILURE: OnFailure = OnFailure::Stop;

#[cfg(test)]
mod tests;
