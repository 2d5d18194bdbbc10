//! Who is called, when, and by which words.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::rates::bad;
use super::worlds::{act, ago, busy, link, now, payments, world_of};
use crate::domain::ids::TargetId;
use crate::domain::link::LinkState;
use crate::domain::outcome::Outcome;
use crate::domain::rollout::{Phase, Rollout};
use crate::model::{Target, World};
use crate::tui::alarm::{Alarm, Eyes};

const AWAY: Eyes<'static> = Eyes { focused: None, board: true, target: None };

fn at(seconds: i64) -> Timestamp {
    now() + SignedDuration::from_secs(seconds)
}

/// `payments` in another state, put into the world.
fn set(world: &mut World, change: impl FnOnce(&mut Rollout)) {
    let id = payments().id().clone();
    let mut target: Target = (*world.targets[&id]).clone();
    let mut rollout = (*target.rollout).clone();
    change(&mut rollout);
    target.rollout = Arc::new(rollout);
    world.targets.insert(id, Arc::new(target));
}

fn moves(rollout: &mut Rollout) {
    rollout.phase = Phase::Progressing;
    rollout.pause_conditions.clear();
    rollout.controller_pause = false;
    rollout.step_index = Some(2);
}

fn breaks(rollout: &mut Rollout) {
    moves(rollout);
    rollout.phase = Phase::Degraded;
    rollout.message = "ProgressDeadlineExceeded: ReplicaSet has timed out progressing".into();
}

/// A world in which nothing needs anybody, and an alarm that knows it.
fn calm() -> (World, Alarm) {
    let mut world = world_of(vec![payments()]);
    set(&mut world, moves);
    let mut alarm = Alarm::default();
    assert!(!alarm.take(&world, AWAY, at(0)).ring);
    (world, alarm)
}

#[test]
fn what_the_first_lists_bring_is_no_news() {
    let mut alarm = Alarm::default();
    assert!(!alarm.take(&busy(), AWAY, at(0)).ring);
    assert!(!alarm.take(&busy(), AWAY, at(1)).ring);
}

#[test]
fn a_new_need_rings_once() {
    let (mut world, mut alarm) = calm();
    set(&mut world, breaks);
    assert!(alarm.take(&world, AWAY, at(1)).ring);
    assert!(!alarm.take(&world, AWAY, at(2)).ring, "it is known");
    set(&mut world, |rollout| rollout.replicas.ready = 3);
    assert!(!alarm.take(&world, AWAY, at(30)).ring, "the same reason in other numbers");
    set(&mut world, |rollout| rollout.message = "RolloutAborted: by somebody else".into());
    assert!(alarm.take(&world, AWAY, at(40)).ring, "another reason");
}

#[test]
fn many_at_once_are_one_alarm() {
    let (mut world, mut alarm) = calm();
    set(&mut world, breaks);
    assert!(alarm.take(&world, AWAY, at(1)).ring);
    world.targets.insert(bad().id().clone(), bad());
    assert!(!alarm.take(&world, AWAY, at(2)).ring);
    assert!(!alarm.take(&world, AWAY, at(60)).ring, "it was heard of, though nothing rang");
}

#[test]
fn what_comes_back_at_once_was_never_gone() {
    let (mut world, mut alarm) = calm();
    set(&mut world, breaks);
    assert!(alarm.take(&world, AWAY, at(1)).ring);
    set(&mut world, moves);
    assert!(!alarm.take(&world, AWAY, at(20)).ring);
    set(&mut world, breaks);
    assert!(!alarm.take(&world, AWAY, at(40)).ring);
    set(&mut world, moves);
    assert!(!alarm.take(&world, AWAY, at(50)).ring);
    assert!(!alarm.take(&world, AWAY, at(120)).ring);
    set(&mut world, breaks);
    assert!(alarm.take(&world, AWAY, at(130)).ring, "a minute later it is news");
}

#[test]
fn whoever_looks_at_it_is_not_called() {
    let other = bad().id().clone();
    let here = payments().id().clone();
    let eyes = |focused, board, target| Eyes { focused, board, target };
    let cases: [(Eyes<'_>, bool); 6] = [
        (eyes(Some(true), true, None), false),
        (eyes(Some(true), false, Some(&here)), false),
        (eyes(Some(true), false, Some(&other)), true),
        (eyes(Some(true), false, None), true),
        (eyes(Some(false), true, None), true),
        (eyes(None, true, None), true),
    ];
    for (eyes, rings) in cases {
        let (mut world, mut alarm) = calm();
        set(&mut world, breaks);
        assert_eq!(alarm.take(&world, eyes, at(1)).ring, rings, "{eyes:?}");
    }
}

#[test]
fn what_was_done_from_here_is_no_news() {
    let (mut world, mut alarm) = calm();
    world.acts.push_back(act(Some(Outcome::Done { effect: "aborted".to_owned() })));
    set(&mut world, breaks);
    assert!(!alarm.take(&world, AWAY, at(1)).ring);
}

#[test]
fn the_title_says_the_worst_and_how_many() {
    let title = |world: &World, ascii| {
        let mut alarm = Alarm::default();
        alarm.take(world, AWAY, at(0));
        alarm.title(world, ascii, at(0))
    };
    let (mut world, _) = calm();
    assert_eq!(title(&world, false), "flightdeck prod-eu");
    set(&mut world, breaks);
    assert_eq!(title(&world, false), "‖ payments needs you");
    assert_eq!(title(&world, true), "| payments needs you");
    world.targets.insert(bad().id().clone(), bad());
    assert_eq!(title(&world, false), "✗ cart 7.31 % +1");
    assert_eq!(title(&world, true), "x cart 7.31 % +1");
    assert_eq!(title(&busy(), false), "‖ 2 need you");
}

#[test]
fn a_title_that_rests_on_old_news_says_so() {
    let (mut world, mut alarm) = calm();
    let stale = link("rollouts", LinkState::Stale { since: ago(90) });
    world.links.insert(stale.id.clone(), stale);
    alarm.take(&world, AWAY, at(1));
    assert_eq!(alarm.title(&world, false, at(1)), "? not live: flightdeck prod-eu");
}

#[test]
fn a_name_cannot_end_the_title_early() {
    let (mut world, mut alarm) = calm();
    let mut target = (*payments()).clone();
    let mut rollout = (*target.rollout).clone();
    rollout.id = TargetId { name: "a\u{7}\u{1b}]0;x".into(), ..rollout.id };
    target.rollout = Arc::new(rollout);
    world.targets.clear();
    world.targets.insert(target.id().clone(), Arc::new(target));
    alarm.take(&world, AWAY, at(1));
    let title = alarm.title(&world, false, at(1));
    assert!(!title.chars().any(char::is_control), "{title:?}");
}

#[test]
fn a_timed_pause_that_nobody_ends_rings_once_with_nothing_else_changed() {
    let (mut world, mut alarm) = calm();
    set(&mut world, |rollout| {
        rollout.step_index = Some(3);
        rollout.phase = Phase::Paused;
        rollout.pause_conditions = vec![crate::domain::fixture::pause("CanaryPauseStep", "2026-11-24T10:06:30Z")];
    });
    // Ten minutes from now it is over.
    for (seconds, rings) in
        [(1, false), (599, false), (620, false), (659, false), (660, true), (662, false), (900, false)]
    {
        assert_eq!(alarm.take(&world, AWAY, at(seconds)).ring, rings, "after {seconds}s");
    }
}
