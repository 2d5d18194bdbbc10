use super::*;
use crate::domain::environment::Environment;
use crate::domain::fixture;
use crate::domain::link::{Link, LinkId, LinkState};
use crate::domain::rollout::{Rollout, Strategy, Weights};
use crate::domain::workload::ReplicaSet;

fn now() -> Timestamp {
    Timestamp::from_second(1_900_000_000).expect("a time")
}

pub(in crate::cli) fn of(rollout: Rollout, sets: Vec<ReplicaSet>) -> Target {
    Target {
        rollout: Arc::new(rollout),
        context: "prod-eu".into(),
        environment: Environment::unknown(),
        sets: sets.into_iter().map(Arc::new).collect(),
        pods: None,
        signals: None,
        runs: None,
        experiments: None,
        events: None,
        managers: None,
        link: LinkId::new(&"prod-eu".into(), "rollouts"),
        changed: now(),
    }
}

#[test]
fn a_weight_reads_as_what_is_not_as_a_movement() {
    let mut world = World::default();
    let id = LinkId::new(&"prod-eu".into(), "rollouts");
    let live = Link { id: id.clone(), state: LinkState::Live, heard: None, listed: true, notice: "".into() };
    world.links.insert(id.clone(), live);
    let mut rollout = fixture::paused();
    rollout.weights = Some(Weights { canary: 5, stable: 95, additional: 0, verified: Some(true) });
    let Strategy::Canary(canary) = &mut rollout.strategy else { panic!("a canary") };
    canary.router = Some("nginx".into());
    assert_eq!(weight(&world, &of(rollout.clone(), Vec::new())), "5 % (router, verified)");
    rollout.step_index = Some(2);
    assert_eq!(weight(&world, &of(rollout.clone(), Vec::new())), "5 % (want 50 %; router, verified)");
    let silent = LinkState::Stale { since: now() };
    world.links.get_mut(&id).expect("the link").state = silent;
    assert_eq!(weight(&world, &of(rollout.clone(), Vec::new())), "5 % (want 50 %; router, verified, OLD)");
    rollout.weights = None;
    assert_eq!(weight(&world, &of(rollout, Vec::new())), "? % (want 50 %; router silent)");
    assert_eq!(weight(&world, &of(fixture::paused(), Vec::new())), "? % (want 5 %)");
}

#[test]
fn an_aborted_release_is_on_no_step() {
    let mut rollout = fixture::paused();
    (rollout.abort, rollout.step_index) = (true, Some(0));
    let target = of(rollout, Vec::new());
    assert_eq!(step(&target, now()), "aborted");
    let page = super::target(&World::default(), &target, now());
    assert!(page.contains("Steps: (aborted") && !page.contains("  > "), "{page}");
}

#[test]
fn a_blue_green_says_its_stage_what_has_the_services_and_what_ends_when() {
    let world = World::default();
    let rollout = fixture::preview();
    let mut old = fixture::set(&rollout, "67c4c777c8", 7, 10);
    let new = fixture::set(&rollout, "778b5d6c7f", 8, 10);
    let previewing = of(rollout.clone(), vec![new.clone(), old.clone()]);
    assert_eq!((step(&previewing, now()).as_str(), weight(&world, &previewing).as_str()), ("preview", "live: rev 7"));
    let page = super::target(&world, &previewing, now());
    for words in ["waits for a person, resume promotes it", "rev 7 (67c4c777c8), 10/10", "rev 8 (778b5d6c7f), 10/10"] {
        assert!(page.contains(words), "{words}: {page}");
    }

    let mut through = fixture::settled(rollout);
    through.completed_at = Some(now() - jiff::SignedDuration::from_mins(20));
    old.scale_down_deadline = Some(now() + jiff::SignedDuration::from_mins(10));
    let baking = of(through.clone(), vec![new.clone(), old.clone()]);
    assert_eq!((step(&baking, now()).as_str(), step_now(&baking, now()).as_str()), ("baking", "baking 20m"));
    let page = super::target(&world, &baking, now());
    assert!(page.contains("rev 7 goes at") && page.contains("(in 10m)") && page.contains("(in 40m)"), "{page}");

    through.completed_at = None;
    assert_eq!(step(&of(through, vec![new, old]), now()), "active");
}

#[test]
fn the_pods_that_go_after_an_abort_are_the_new_versions() {
    let mut rollout = fixture::paused();
    rollout.abort = true;
    let mut set = fixture::set(&rollout, rollout.pod_hash.as_str(), 8, 5);
    set.scale_down_deadline = Some(now() + jiff::SignedDuration::from_secs(25));
    let page = super::target(&World::default(), &of(rollout, vec![set]), now());
    assert!(page.contains("New pods:") && page.contains("rev 8 goes at") && !page.contains("Old pods:"), "{page}");
}
