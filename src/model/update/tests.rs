use std::sync::Arc;

use super::*;
use crate::domain::environment::{Environment, EnvironmentRule, Tier};
use crate::domain::fixture;
use crate::domain::link::LinkState;
use crate::model::query::FOCUS;
use crate::model::query::{self, Band};

fn link() -> LinkId {
    LinkId::new(&"prod-eu".into(), "rollouts")
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).expect("a time")
}

fn cluster() -> ClusterId {
    fixture::id("x").cluster
}

fn see(state: &mut State, second: i64, what: Observation) -> bool {
    update(state, Event::Observed(Arrived { at: at(second), what }))
}

fn set(owner: &str, name: &str, revision: i64, hash: &str) -> Arc<ReplicaSet> {
    Arc::new(ReplicaSet {
        namespace: "shop".into(),
        name: name.into(),
        uid: name.into(),
        owner_uid: owner.into(),
        resource_version: "1".into(),
        pod_hash: hash.into(),
        revision: Some(revision),
        images: Vec::new(),
        desired: 1,
        current: 1,
        ready: 1,
        available: 1,
        created: None,
        scale_down_deadline: None,
        do_not_promote: None,
    })
}

fn listed() -> State {
    let mut state = State::default();
    see(&mut state, 0, Observation::Link { id: link(), state: LinkState::Connecting });
    let mut other = fixture::paused();
    other.id = fixture::id("cart");
    other.uid = "uid-2".into();
    let all = vec![Arc::new(fixture::paused()), Arc::new(other)];
    see(&mut state, 1, Observation::Rollouts { id: link(), cluster: cluster(), all });
    see(&mut state, 1, Observation::Link { id: link(), state: LinkState::Live });
    state
}

#[test]
fn a_list_replaces_what_was_there() {
    let mut state = listed();
    assert_eq!(state.world.targets.len(), 2);
    let all = vec![Arc::new(fixture::paused())];
    see(&mut state, 2, Observation::Rollouts { id: link(), cluster: cluster(), all });
    assert_eq!(state.world.targets.len(), 1, "what a list does not name is gone");
    assert!(state.by_uid.len() == 1);
}

#[test]
fn sets_join_their_rollout_whoever_comes_first() {
    let mut state = State::default();
    let sets = LinkId::new(&"prod-eu".into(), "replicasets");
    let all = vec![set("uid-1", "payments-a", 7, "67c4c777c8"), set("uid-1", "payments-b", 8, "778b5d6c7f")];
    see(&mut state, 0, Observation::ReplicaSets { id: sets.clone(), cluster: cluster(), all });
    see(&mut state, 1, Observation::Rollout { id: link(), rollout: Arc::new(fixture::paused()) });
    let target = state.world.targets.get(&fixture::id("payments")).expect("the target").clone();
    assert_eq!(target.sets.iter().map(|s| s.revision).collect::<Vec<_>>(), [Some(8), Some(7)]);
    assert_eq!(target.actual_weight().map(|w| w.weight), Some(9), "1 of 11 pods, as the plugin counts");
    see(&mut state, 2, Observation::ReplicaSetGone { id: sets, cluster: cluster(), uid: "payments-b".into() });
    assert_eq!(state.world.targets.get(&fixture::id("payments")).map(|t| t.sets.len()), Some(1));
}

#[test]
fn a_target_made_anew_forgets_the_old_one() {
    let mut state = listed();
    let sets = LinkId::new(&"prod-eu".into(), "replicasets");
    let old = set("uid-1", "payments-a", 7, "67c4c777c8");
    see(&mut state, 2, Observation::ReplicaSet { id: sets, cluster: cluster(), set: old });
    let mut anew = fixture::paused();
    anew.uid = "uid-9".into();
    see(&mut state, 3, Observation::Rollout { id: link(), rollout: Arc::new(anew) });
    let target = state.world.targets.get(&fixture::id("payments")).expect("the target");
    assert!(target.sets.is_empty(), "the old one's ReplicaSets are not its own");
}

#[test]
fn one_malformed_object_is_one_warning() {
    let mut state = listed();
    for second in 0..5 {
        let what = Observation::Malformed { id: link(), object: "shop/bad".into(), why: "no spec".into() };
        see(&mut state, second, what);
    }
    assert_eq!(state.world.warnings.len(), 1);
    assert_eq!(state.world.warnings[0].at, at(4));
    assert_eq!(state.world.targets.len(), 2);
}

#[test]
fn a_link_that_falls_silent_keeps_the_time_it_was_heard() {
    let mut state = listed();
    see(&mut state, 80, Observation::Link { id: link(), state: LinkState::Stale { since: at(1) } });
    let known = state.world.links.get(&link()).expect("the link");
    assert_eq!(known.heard, Some(at(1)));
    assert!(known.listed && !known.state.is_live());
    assert!(!query::link_of(&state.world, &link()).is_live());
}

#[test]
fn bands_follow_what_a_person_must_do() {
    let mut state = listed();
    let target = |state: &State| state.world.targets.get(&fixture::id("payments")).expect("the target").clone();
    assert_eq!(
        query::band(&target(&state), jiff::Timestamp::UNIX_EPOCH),
        (Band::NeedsYou, "paused for a person".to_owned())
    );
    let mut timed = fixture::paused();
    timed.step_index = Some(3);
    see(&mut state, 2, Observation::Rollout { id: link(), rollout: Arc::new(timed) });
    assert_eq!(query::band(&target(&state), jiff::Timestamp::UNIX_EPOCH).0, Band::Moving);
    let mut healthy = fixture::paused();
    healthy.pause_conditions.clear();
    healthy.controller_pause = false;
    healthy.phase = crate::domain::rollout::Phase::Healthy;
    see(&mut state, 3, Observation::Rollout { id: link(), rollout: Arc::new(healthy) });
    assert_eq!(query::band(&target(&state), jiff::Timestamp::UNIX_EPOCH).0, Band::Steady);
}

#[test]
fn other_environment_rules_move_targets_at_once() {
    let mut state = listed();
    let tier = |state: &State| state.world.targets.get(&fixture::id("payments")).map(|t| t.environment.tier);
    assert_eq!(tier(&state), Some(Tier::Production));
    let rules = EnvironmentRules(vec![EnvironmentRule {
        environment: Environment { name: "here".into(), tier: Tier::Staging, named: true },
        context: None,
        namespace: Some("*".into()),
        label: None,
    }]);
    assert!(update(&mut state, Event::Environments(rules.clone())));
    assert_eq!(tier(&state), Some(Tier::Staging));
    assert!(!update(&mut state, Event::Environments(rules)), "nothing new, nothing to draw");
    assert!(update(&mut state, Event::Environments(EnvironmentRules::default())));
    assert_eq!(tier(&state), Some(Tier::Production), "what no rule names counts as production again");
    let notes = vec![Clean::new("a note")];
    assert!(update(&mut state, Event::Configuration(notes.clone())));
    assert!(!update(&mut state, Event::Configuration(notes)));
}

#[test]
fn a_server_that_did_not_answer_is_remembered_until_something_is_heard_of_it() {
    let mut state = State::default();
    let focus = LinkId::new(&"prod-eu".into(), FOCUS);
    let rollout = Arc::new(fixture::paused());
    let id = rollout.id.clone();
    see(&mut state, 0, Observation::Link { id: link(), state: LinkState::Live });
    see(&mut state, 0, Observation::Rollouts { id: link(), cluster: cluster(), all: vec![rollout.clone()] });
    let silent = |state: &State| state.world.unanswered.contains(&Clean::new("prod-eu"));
    see(&mut state, 1, Observation::Link { id: focus.clone(), state: LinkState::Live });
    assert!(!silent(&state));
    assert!(see(&mut state, 9, Observation::Link { id: focus.clone(), state: LinkState::Stale { since: at(1) } }));
    assert!(silent(&state));
    // The target is left: nothing is asked any more, so nothing was answered either.
    let pods = LinkId::new(&"prod-eu".into(), "pods");
    see(&mut state, 10, Observation::Pods { id: pods, target: id.clone(), all: None });
    see(&mut state, 10, Observation::Focused { id: focus.clone(), target: None });
    see(&mut state, 10, Observation::Link { id: focus.clone(), state: LinkState::Off });
    assert!(silent(&state));
    // Prometheus is another server.
    see(&mut state, 11, Observation::Heard { id: LinkId::new(&"prod-eu".into(), "prometheus") });
    assert!(silent(&state));
    see(&mut state, 12, Observation::Heard { id: link() });
    assert!(!silent(&state));
    see(&mut state, 13, Observation::Link { id: focus.clone(), state: LinkState::Stale { since: at(12) } });
    see(&mut state, 14, Observation::Rollout { id: focus, rollout });
    assert!(!silent(&state), "it answered");
}

#[test]
fn who_begins_to_ask_in_the_silence_heard_nothing_yet() {
    let mut state = State::default();
    let focus = LinkId::new(&"prod-eu".into(), FOCUS);
    let pods = LinkId::new(&"prod-eu".into(), "pods");
    let prometheus = LinkId::new(&"prod-eu".into(), "prometheus");
    see(&mut state, 1, Observation::Link { id: link(), state: LinkState::Live });
    see(&mut state, 5, Observation::Heard { id: link() });
    // Nothing was heard by what is asked nothing.
    see(&mut state, 20, Observation::Link { id: focus.clone(), state: LinkState::Off });
    see(&mut state, 20, Observation::Link { id: pods.clone(), state: LinkState::Off });
    let known = |state: &State, id: &LinkId| state.world.links.get(id).map(|l| (l.heard, l.listed));
    assert_eq!(known(&state, &pods), Some((None, false)));
    see(&mut state, 50, Observation::Heard { id: prometheus });
    // The target is opened at 50, nothing comes, and at 59 that is said.
    see(&mut state, 50, Observation::Link { id: focus.clone(), state: LinkState::Connecting });
    see(&mut state, 59, Observation::Link { id: focus.clone(), state: LinkState::Stale { since: at(50) } });
    let since = state.world.links.get(&focus).map(|l| l.state.clone());
    assert_eq!(since, Some(LinkState::Stale { since: at(5) }), "opening it made nothing younger");
}
