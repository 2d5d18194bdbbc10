use std::sync::Arc;

use super::*;
use crate::domain::environment::Environment;
use crate::domain::fixture;
use crate::domain::link::LinkId;
use crate::domain::rollout::Weights;

fn now() -> Timestamp {
    Timestamp::from_second(1_900_000_000).expect("a time")
}

fn target(rollout: Rollout, sets: Vec<ReplicaSet>) -> Target {
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

fn sets(rollout: &Rollout) -> Vec<ReplicaSet> {
    vec![fixture::set(rollout, "778b5d6c7f", 8, 1), fixture::set(rollout, "67c4c777c8", 7, 10)]
}

fn acts(made: &RollBack) -> Vec<ActionId> {
    made.stages.iter().map(|stage| stage.action).collect()
}

#[test]
fn a_canary_in_flight_is_aborted() {
    let rollout = fixture::paused();
    let sets = sets(&rollout);
    let made = plan(&target(rollout, sets), None, now()).expect("a plan");
    assert_eq!((acts(&made), made.typed.as_str()), (vec![ActionId::Abort], "rev 7"));
    assert!(made.notes.iter().any(|n| n.contains("spec still names")), "{:?}", made.notes);
    assert!(made.stages[0].seen.is_some(), "it rests on what is seen");
}

#[test]
fn a_canary_whose_stable_version_was_scaled_down_says_that_the_traffic_follows_its_pods() {
    let way = |rollout: &Rollout, up: i64| {
        let owned = vec![fixture::set(rollout, "778b5d6c7f", 8, 5), fixture::set(rollout, "67c4c777c8", 7, up)];
        plan(&target(rollout.clone(), owned), None, now()).expect("a plan").way
    };
    let mut by_pods = fixture::paused();
    let Strategy::Canary(canary) = &mut by_pods.strategy else { panic!("it is a canary") };
    let router = canary.router.take();
    assert_eq!(way(&by_pods, 10), "its pods are up: the traffic moves at once");
    assert_eq!(way(&by_pods, 5), "the traffic moves as its pods start (5/10 ready)");
    // A router needs no pods to move the traffic.
    let mut routed = by_pods.clone();
    let Strategy::Canary(canary) = &mut routed.strategy else { panic!("it is a canary") };
    canary.router = router.or_else(|| Some("nginx".into()));
    assert_eq!(way(&routed, 5), "the traffic moves at once, to those of its pods that are up (5/10 ready)");
    let Strategy::Canary(canary) = &mut routed.strategy else { panic!("it is a canary") };
    canary.dynamic_stable_scale = true;
    assert_eq!(way(&routed, 5), "the traffic moves as its pods start (5/10 ready)");
}

#[test]
fn an_abort_that_would_hang_or_leave_the_traffic_is_an_undo_instead() {
    let mut rollout = fixture::paused();
    if let Strategy::Canary(canary) = &mut rollout.strategy {
        canary.dynamic_stable_scale = true;
        canary.abort_scale_down_delay = Some(8);
    }
    let owned = sets(&rollout);
    assert_eq!(acts(&plan(&target(rollout, owned), None, now()).expect("a plan")), [ActionId::Undo]);

    let mut cut_over = fixture::preview();
    cut_over.blue_green.active = cut_over.pod_hash.clone();
    let owned = sets(&cut_over);
    let made = plan(&target(cut_over, owned), None, now()).expect("a plan");
    assert_eq!(acts(&made), [ActionId::Undo, ActionId::Resume]);
    assert!(made.way.contains("at once"), "{}", made.way);
}

#[test]
fn after_a_cutover_the_old_version_is_undone_to_while_its_pods_are_up() {
    let rollout = fixture::settled(fixture::preview());
    let mut owned = sets(&rollout);
    owned[1].scale_down_deadline = Some(now() + jiff::SignedDuration::from_secs(25));
    let made = plan(&target(rollout.clone(), owned.clone()), None, now()).expect("a plan");
    assert_eq!(acts(&made), [ActionId::Undo, ActionId::Resume]);
    assert!(made.stages[1].title.contains("if it waits there"), "{}", made.stages[1].title);
    assert!(made.notes.iter().any(|n| n.contains("25s more")), "{:?}", made.notes);

    // Its pods are gone: the undo is a release of its own that stops at the preview.
    owned[1].scale_down_deadline = None;
    (owned[1].desired, owned[1].available) = (0, 0);
    let made = plan(&target(rollout, owned), None, now()).expect("a plan");
    assert_eq!(acts(&made), [ActionId::Undo, ActionId::Resume]);
    assert_eq!(made.stages[1].only_on.as_ref().map(Clean::as_str), Some("67c4c777c8"));
    assert!(made.stages[1].title.contains("once it is ready"), "{}", made.stages[1].title);
    assert_eq!(made.stages[1].seen, None, "it rests on the undo's outcome");
    assert!(made.way.contains("waits at the preview"), "{}", made.way);
}

#[test]
fn a_person_picks_where_nothing_proves_which_revision_was_good() {
    let rollout = fixture::settled(fixture::paused());
    let mut owned = sets(&rollout);
    owned.push(fixture::set(&rollout, "third", 6, 0));
    owned[1].available = 0;
    let subject = target(rollout, owned);
    assert!(plan(&subject, None, now()).is_err_and(|why| why.contains("pick one")));
    let goal = Goal { hash: "third".into(), revision: Some(6) };
    let made = plan(&subject, Some(&goal), now()).expect("a plan");
    assert_eq!((acts(&made), made.typed.as_str()), (vec![ActionId::Undo], "rev 6"));
    assert!(made.way.contains("all 5 steps"), "{}", made.way);
}

#[test]
fn what_cannot_be_rolled_back_says_why() {
    let mut first = fixture::paused();
    first.stable_hash = "".into();
    let owned = vec![fixture::set(&first, "778b5d6c7f", 1, 1)];
    assert!(plan(&target(first, owned), None, now()).is_err_and(|why| why.contains("first release")));

    let mut aborted = fixture::paused();
    aborted.abort = true;
    aborted.weights = Some(Weights { canary: 0, stable: 100, additional: 0, verified: None });
    let mut owned = sets(&aborted);
    owned[0].available = 0;
    assert!(plan(&target(aborted, owned), None, now()).is_err_and(|why| why.contains("aborted already")));

    let rollout = fixture::settled(fixture::paused());
    let mut owned = sets(&rollout);
    owned[1].do_not_promote = Some("leaks".into());
    let goal = Goal { hash: "67c4c777c8".into(), revision: Some(7) };
    assert!(plan(&target(rollout, owned), Some(&goal), now()).is_err_and(|why| why.contains("leaks")));
}

#[test]
fn who_owns_the_spec_in_git_is_said() {
    let mut rollout = fixture::settled(fixture::paused());
    rollout.owner = GitOwner::ArgoCd { application: "payments".into() };
    let owned = sets(&rollout);
    let made = plan(&target(rollout.clone(), owned.clone()), None, now()).expect("a plan");
    assert!(made.notes.iter().any(|n| n.contains("Argo CD application payments owns")), "{:?}", made.notes);
    rollout.owner = GitOwner::Unknown;
    let made = plan(&target(rollout, owned), None, now()).expect("a plan");
    assert!(made.notes.iter().any(|n| n.contains("no owner is written")), "{:?}", made.notes);
}

#[test]
fn a_pause_by_hand_is_ended_once_the_old_template_is_back() {
    let mut rollout = fixture::settled(fixture::paused());
    rollout.spec_paused = true;
    let owned = sets(&rollout);
    let made = plan(&target(rollout, owned), None, now()).expect("a plan");
    assert_eq!(acts(&made), [ActionId::Undo, ActionId::Resume]);
    assert!(made.stages[0].seen.is_some() && made.stages[1].seen.is_none());
}

#[test]
fn what_was_left_by_a_rollback_is_not_taken_by_itself() {
    for rollout in [fixture::settled(fixture::paused()), fixture::settled(fixture::preview())] {
        // Rev 1 came back as rev 3: its ReplicaSet is the old one, rev 2 was made after it and is still up.
        let mut live = fixture::set(&rollout, "778b5d6c7f", 1, 10);
        live.revision = Some(3);
        let mut bad = fixture::set(&rollout, "bad", 2, 10);
        bad.scale_down_deadline = Some(now() + jiff::SignedDuration::from_secs(25));
        let oldest = fixture::set(&rollout, "oldest", 0, 0);
        for owned in [vec![live.clone(), bad.clone()], vec![live.clone(), bad.clone(), oldest.clone()]] {
            let subject = target(rollout.clone(), owned);
            let why = plan(&subject, None, now()).expect_err("nothing is proven");
            assert!(why.contains("rev 2 was left before") && why.contains("--to-revision 2"), "{why}");
            let goal = Goal { hash: "bad".into(), revision: Some(2) };
            assert_eq!(plan(&subject, Some(&goal), now()).expect("a person may").typed, "rev 2");
        }
        bad.do_not_promote = Some("leaks".into());
        assert!(plan(&target(rollout.clone(), vec![live, bad]), None, now()).is_err_and(|w| w.contains("no other")));

        // The usual: a new bad version over an old good one.
        let new = fixture::set(&rollout, "778b5d6c7f", 2, 10);
        let good = fixture::set(&rollout, "good", 1, 10);
        assert_eq!(last_good(&target(rollout.clone(), vec![new.clone(), good.clone()])), Ok(Goal::of(&good)));
        assert_eq!(last_good(&target(rollout, vec![new, good.clone(), oldest])), Ok(Goal::of(&good)));
    }
}

#[test]
fn a_blue_green_says_what_may_come_before_its_traffic_moves() {
    let mut rollout = fixture::settled(fixture::preview());
    let mut owned = sets(&rollout);
    owned[1].scale_down_deadline = Some(now() + jiff::SignedDuration::from_secs(25));
    let way = |rollout: &Rollout, owned: &[ReplicaSet]| {
        plan(&target(rollout.clone(), owned.to_vec()), None, now()).expect("a plan").way
    };
    let up = "its pods are up (10/10 ready): the traffic moves at once if they still are when the controller looks";
    assert_eq!(way(&rollout, &owned), format!("{up}; else it waits at the preview until the plan promotes it"));
    if let Strategy::BlueGreen(blue_green) = &mut rollout.strategy {
        (blue_green.pre_promotion, blue_green.auto_promotion) = (true, true);
    }
    let through = "goes through the preview and the pre-promotion analysis";
    assert_eq!(way(&rollout, &owned), format!("{up}; else it {through}"));
    // A smaller preview is never the fast way: what is up goes down first.
    let mut smaller = rollout.clone();
    if let Strategy::BlueGreen(blue_green) = &mut smaller.strategy {
        blue_green.preview_replicas = Some(1);
    }
    let made = plan(&target(smaller, owned.clone()), None, now()).expect("a plan");
    let first = "its preview has 1 of 10 pods: it is scaled down to that first (10/10 ready now)";
    assert_eq!(made.way, format!("{first}, then it {through}"));
    assert!(!made.notes.iter().any(|note| note.contains("stays up")), "{:?}", made.notes);
    owned[1].available = 9;
    assert_eq!(way(&rollout, &owned), format!("its pods must start (9/10 ready), then it {through}"));
}
