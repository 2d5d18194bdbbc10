//! How the world changes: every observation and every step of an act, exhaustively.

mod links;

use std::collections::HashSet;
use std::sync::Arc;

use jiff::Timestamp;

use self::links::{heard, set_link, unanswered};
use super::index::State;
use super::query::FOCUS;
use super::world::{AuditView, MAX_ENDED_ACTS, MAX_WARNINGS, Target, Warning};
use crate::domain::environment::EnvironmentRules;
use crate::domain::ids::{ClusterId, TargetId};
use crate::domain::link::LinkId;
use crate::domain::observation::{Arrived, Detail, Observation};
use crate::domain::outcome::Act;
use crate::domain::plan::PlanRun;
use crate::domain::rollout::Rollout;
use crate::domain::text::Clean;
use crate::domain::workload::ReplicaSet;

/// Everything that may change the world arrives as one of these, in one queue, in one order.
#[derive(Clone, Debug)]
pub enum Event {
    /// A system said something.
    Observed(Arrived),
    /// An act came further. The whole act travels: it is small, and the latest is the truth.
    Act(Arc<Act>),
    /// A plan came further.
    Plan(Arc<PlanRun>),
    /// Plans that dead processes left unfinished.
    OpenPlans(Vec<Arc<PlanRun>>),
    /// The audit log changed.
    Audit(AuditView),
    /// Other environment rules hold.
    Environments(EnvironmentRules),
    /// What a person should know of the configuration.
    Configuration(Vec<Clean>),
}

/// Applies `event`; true when a face could see the difference.
pub fn update(state: &mut State, event: Event) -> bool {
    match event {
        Event::Observed(Arrived { at, what }) => observed(state, at, what),
        Event::Act(act) => put_act(state, act),
        Event::Plan(run) => put_plan(state, run),
        Event::OpenPlans(open) => {
            let open = open.into_iter().collect();
            let changed = state.world.open_plans != open;
            state.world.open_plans = open;
            changed
        }
        Event::Audit(view) => {
            let changed = state.world.audit != view;
            state.world.audit = view;
            changed
        }
        Event::Environments(rules) => put_environments(state, rules),
        Event::Configuration(notes) => {
            let notes = notes.into_iter().collect();
            let changed = state.world.configuration != notes;
            state.world.configuration = notes;
            changed
        }
    }
}

fn observed(state: &mut State, at: Timestamp, what: Observation) -> bool {
    match what {
        Observation::Cluster { context, cluster } => {
            state.world.clusters.insert(context, cluster.clone()) != Some(cluster)
        }
        Observation::Link { id, state: link } => {
            let news = unanswered(state, &id, &link);
            set_link(state, id, link, at) || news
        }
        Observation::Heard { id } => {
            heard(state, &id, at, false);
            true
        }
        Observation::Rollouts { id, cluster, all } => {
            let names: HashSet<&TargetId> = all.iter().map(|rollout| &rollout.id).collect();
            let gone: Vec<TargetId> = state
                .world
                .targets
                .iter()
                .filter(|(target, t)| target.cluster == cluster && t.link == id && !names.contains(target))
                .map(|(target, _)| target.clone())
                .collect();
            for target in gone {
                remove_rollout(state, &target);
            }
            for rollout in all {
                put_rollout(state, &id, rollout, at);
            }
            heard(state, &id, at, true);
            true
        }
        Observation::Rollout { id, rollout } => {
            if is_news(state, &id, &rollout) {
                put_rollout(state, &id, rollout, at);
            }
            heard(state, &id, at, false);
            true
        }
        Observation::RolloutGone { id, target } => {
            remove_rollout(state, &target);
            heard(state, &id, at, false);
            true
        }
        Observation::ReplicaSets { id, cluster, all } => {
            let known: HashSet<&Clean> = all.iter().map(|set| &set.uid).collect();
            let gone: Vec<Clean> = state
                .owner
                .iter()
                .filter(|((c, uid), (_, namespace))| *c == cluster && in_scope(&id, namespace) && !known.contains(uid))
                .map(|((_, uid), _)| uid.clone())
                .collect();
            for uid in gone {
                remove_set(state, &cluster, &uid);
            }
            for set in all {
                put_set(state, &cluster, set);
            }
            heard(state, &id, at, true);
            true
        }
        Observation::ReplicaSet { id, cluster, set } => {
            put_set(state, &cluster, set);
            heard(state, &id, at, false);
            true
        }
        Observation::ReplicaSetGone { id, cluster, uid } => {
            remove_set(state, &cluster, &uid);
            heard(state, &id, at, false);
            true
        }
        Observation::Pods { id, target, all } => {
            let told = all.is_some();
            with_target(state, &target, |t| t.pods = all.map(Arc::new));
            if told {
                heard(state, &id, at, false);
            }
            true
        }
        Observation::Signals { id, target, signals } => {
            with_target(state, &target, |t| t.signals = Some(signals));
            heard(state, &id, at, true);
            true
        }
        Observation::Detail { id, target, detail } => {
            let told = match &detail {
                Detail::Runs(all) => all.is_some(),
                Detail::Experiments(all) => all.is_some(),
                Detail::Events(all) => all.is_some(),
                Detail::Managers(all) => all.is_some(),
            };
            with_target(state, &target, |t| match detail {
                Detail::Runs(all) => t.runs = all.map(Arc::new),
                Detail::Experiments(all) => t.experiments = all.map(Arc::new),
                Detail::Events(all) => t.events = all.map(Arc::new),
                Detail::Managers(all) => t.managers = all.map(Arc::new),
            });
            if told {
                heard(state, &id, at, false);
            }
            true
        }
        Observation::Focused { id, target } => {
            let before = match target {
                Some(target) => state.world.focused.insert(id, target.clone()) == Some(target),
                None => state.world.focused.remove(&id).is_none(),
            };
            !before
        }
        Observation::LinkGone { id } => {
            remove_link(state, &id);
            true
        }
        Observation::Permissions { context, namespace, permissions } => {
            state.world.permissions.insert((context, namespace), permissions) != Some(permissions)
        }
        Observation::Clock { context, ahead_ms } => state.world.clocks.insert(context, ahead_ms) != Some(ahead_ms),
        Observation::Notice { id, text } => match state.world.links.get_mut(&id) {
            Some(link) if link.notice != text => {
                link.notice = text;
                true
            }
            _ => false,
        },
        Observation::Malformed { id, object, why } => {
            state.world.warnings.retain(|w| w.link != id || w.object != object);
            while state.world.warnings.len() >= MAX_WARNINGS {
                state.world.warnings.pop_front();
            }
            state.world.warnings.push_back(Warning { at, link: id.clone(), object, why });
            heard(state, &id, at, false);
            true
        }
    }
}

/// Every target belongs where the new rules say.
fn put_environments(state: &mut State, rules: EnvironmentRules) -> bool {
    state.environments = rules;
    let mut moved = Vec::new();
    for (id, target) in &state.world.targets {
        let (namespace, labels) = (id.namespace.as_str(), &target.rollout.labels);
        let environment = state.environments.resolve(target.context.as_str(), namespace, labels);
        if environment != target.environment {
            moved.push((id.clone(), environment));
        }
    }
    let changed = !moved.is_empty();
    for (id, environment) in moved {
        with_target(state, &id, |t| t.environment = environment);
    }
    changed
}

/// Whether a link that lists one namespace among several, or all of them, speaks of this one.
fn in_scope(id: &LinkId, namespace: &Clean) -> bool {
    id.scope.is_empty() || id.scope == *namespace
}

/// Whether a single version of a rollout may replace what is known. Two links tell of the focused one, and the slower
/// must not turn the clock back; and a target comes and goes only by the link that lists.
fn is_news(state: &State, link: &LinkId, rollout: &Rollout) -> bool {
    let Some(known) = state.world.targets.get(&rollout.id) else { return link.what != FOCUS };
    let known = &known.rollout;
    if known.uid != rollout.uid {
        return link.what != FOCUS;
    }
    let number = |version: &Clean| version.as_str().parse::<u64>().ok();
    match (number(&known.resource_version), number(&rollout.resource_version)) {
        (Some(known), Some(new)) => new >= known,
        // Versions are opaque where they are no numbers: then only the link that lists is believed.
        _ => link.what != FOCUS,
    }
}

fn remove_link(state: &mut State, id: &LinkId) {
    state.world.links.remove(id);
    state.world.focused.remove(id);
    state.world.warnings.retain(|w| w.link != *id);
    let gone = state.world.targets.iter().filter(|(_, t)| t.link == *id).map(|(target, _)| target.clone());
    for target in gone.collect::<Vec<_>>() {
        remove_rollout(state, &target);
    }
    if id.what != "replicasets" {
        return;
    }
    let Some(cluster) = state.world.clusters.get(&id.context).cloned() else { return };
    let gone = state.owner.iter().filter(|((c, _), (_, namespace))| *c == cluster && in_scope(id, namespace));
    for uid in gone.map(|((_, uid), _)| uid.clone()).collect::<Vec<_>>() {
        remove_set(state, &cluster, &uid);
    }
}

fn with_target(state: &mut State, id: &TargetId, change: impl FnOnce(&mut Target)) {
    if let Some(target) = state.world.targets.get_mut(id) {
        change(Arc::make_mut(target));
    }
}

fn put_rollout(state: &mut State, link: &LinkId, rollout: Arc<Rollout>, at: Timestamp) {
    let id = rollout.id.clone();
    let key = (id.cluster.clone(), rollout.uid.clone());
    let old = state.world.targets.get(&id);
    if let Some(old) = old
        && old.rollout.uid == rollout.uid
    {
        let unchanged = *old.rollout == *rollout;
        with_target(state, &id, |t| {
            t.rollout = rollout;
            if link.what != FOCUS {
                t.link = link.clone();
            }
            if !unchanged {
                t.changed = at;
            }
        });
        return;
    }
    if let Some(other) = old.map(|old| old.rollout.uid.clone()) {
        state.by_uid.remove(&(id.cluster.clone(), other));
    }
    let environment = state.environments.resolve(link.context.as_str(), id.namespace.as_str(), &rollout.labels);
    let sets = state.sets.get(&key).cloned().unwrap_or_default();
    let target = Target {
        rollout,
        context: link.context.clone(),
        environment,
        sets,
        pods: None,
        signals: None,
        runs: None,
        experiments: None,
        events: None,
        managers: None,
        link: link.clone(),
        changed: at,
    };
    state.by_uid.insert(key, id.clone());
    state.world.targets.insert(id, Arc::new(target));
}

fn remove_rollout(state: &mut State, id: &TargetId) {
    if let Some(target) = state.world.targets.remove(id) {
        state.by_uid.remove(&(id.cluster.clone(), target.rollout.uid.clone()));
    }
}

fn put_set(state: &mut State, cluster: &ClusterId, set: Arc<ReplicaSet>) {
    let key = (cluster.clone(), set.owner_uid.clone());
    let uid = (cluster.clone(), set.uid.clone());
    if let Some((previous, _)) = state.owner.insert(uid, (set.owner_uid.clone(), set.namespace.clone()))
        && previous != set.owner_uid
    {
        drop_from_owner(state, &(cluster.clone(), previous), &set.uid);
    }
    let sets = state.sets.entry(key.clone()).or_default();
    match sets.iter_mut().find(|s| s.uid == set.uid) {
        Some(place) => *place = set,
        None => sets.push(set),
    }
    sets.sort_by(|a, b| b.revision.cmp(&a.revision).then_with(|| a.name.cmp(&b.name)));
    join_sets(state, &key);
}

fn remove_set(state: &mut State, cluster: &ClusterId, uid: &Clean) {
    if let Some((owner, _)) = state.owner.remove(&(cluster.clone(), uid.clone())) {
        drop_from_owner(state, &(cluster.clone(), owner), uid);
    }
}

fn drop_from_owner(state: &mut State, owner: &(ClusterId, Clean), uid: &Clean) {
    if let Some(sets) = state.sets.get_mut(owner) {
        sets.retain(|set| set.uid != *uid);
        if sets.is_empty() {
            state.sets.remove(owner);
        }
    }
    join_sets(state, owner);
}

fn join_sets(state: &mut State, owner: &(ClusterId, Clean)) {
    let Some(id) = state.by_uid.get(owner).cloned() else {
        return;
    };
    let sets = state.sets.get(owner).cloned().unwrap_or_default();
    with_target(state, &id, |t| t.sets = sets);
}

fn put_plan(state: &mut State, run: Arc<PlanRun>) -> bool {
    let plans = &mut state.world.plans;
    if let Some(place) = plans.iter().position(|r| r.plan.id == run.plan.id) {
        let changed = plans.get(place) != Some(&run);
        plans.set(place, run);
        return changed;
    }
    if plans.len() >= MAX_ENDED_ACTS
        && let Some(oldest) = plans.iter().position(|r| !r.running())
    {
        plans.remove(oldest);
    }
    plans.push_back(run);
    true
}

fn put_act(state: &mut State, act: Arc<Act>) -> bool {
    let acts = &mut state.world.acts;
    if let Some(place) = acts.iter().position(|a| a.id() == act.id()) {
        let changed = acts.get(place) != Some(&act);
        acts.set(place, act);
        return changed;
    }
    if acts.len() >= MAX_ENDED_ACTS
        && let Some(oldest) = acts.iter().position(|a| !a.running())
    {
        acts.remove(oldest);
    }
    acts.push_back(act);
    true
}

#[cfg(test)]
mod tests;
