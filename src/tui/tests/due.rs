//! What is said of time: how old what is heard is, what is overdue, and that a pause by hand counts nothing down.

use std::sync::Arc;

use crossterm::event::KeyCode;
use jiff::SignedDuration;

use super::screens::{Desk, text};
use super::worlds::{ago, busy, payments, world_of};
use crate::domain::fixture;
use crate::domain::rollout::{Rollout, Strategy};
use crate::model::{Target, World};

/// The payments target, its rollout changed.
fn changed(change: impl FnOnce(&mut Rollout)) -> Target {
    let mut target = (*payments()).clone();
    change(Arc::make_mut(&mut target.rollout));
    target
}

fn page(target: Target) -> String {
    let mut desk = Desk::new(world_of(vec![Arc::new(target)]));
    desk.draw(120, 40);
    desk.key(KeyCode::Enter);
    text(&desk.draw(120, 40))
}

fn heard(world: &mut World, seconds: i64) {
    let all: Vec<_> = world.links.keys().cloned().collect();
    for id in all {
        world.links.get_mut(&id).expect("a link").heard = Some(ago(seconds));
    }
}

#[test]
fn the_corner_says_from_half_a_minute_on_when_the_cluster_was_last_heard_of() {
    for (seconds, said) in [
        (0, "k8s ● live"),
        (29, "k8s ● live"),
        (30, "k8s ● heard 30s ago"),
        (44, "k8s ● heard 30s ago"),
        (45, "k8s ● heard 45s ago"),
        (74, "k8s ● heard 60s ago"),
    ] {
        let mut world = busy();
        heard(&mut world, seconds);
        let screen = text(&Desk::new(world).draw(120, 30));
        let first = screen.lines().next().unwrap_or_default();
        assert!(first.contains(said), "{seconds}s: {first}");
    }
}

#[test]
fn a_timed_pause_that_nobody_ends_says_so_and_then_needs_a_person() {
    // It is over at 10:15:00, eight and a half minutes from now.
    for (after, heard_since, says, band) in [
        (5, true, "pause 10m: over", "moving"),
        (15, true, "pause over for 15s: the controller does not act", "moving"),
        (15, false, "pause over for 15s: nothing heard since", "moving"),
        (59, true, "pause over for 59s: the controller does not act", "moving"),
        (60, true, "pause over for 1m: the controller does not act", "needs you"),
    ] {
        let mut world = busy();
        heard(&mut world, if heard_since { 1 - 510 - after } else { 4 - 510 });
        let mut desk = Desk::new(world);
        desk.later = SignedDuration::from_secs(510 + after);
        desk.take();
        let screen = text(&desk.draw(160, 30));
        let place = screen.lines().position(|line| line.contains("shop/mail"));
        let line = screen.lines().nth(place.unwrap_or_default()).unwrap_or_default();
        assert!(line.contains(says), "{after}s: {line}\n{screen}");
        let above = screen.lines().take(place.unwrap_or_default());
        let title = above.filter(|l| ["needs you", "moving", "steady"].iter().any(|b| l.contains(b))).last();
        assert!(title.is_some_and(|title| title.contains(band)), "{after}s: {title:?}\n{screen}");
    }
}

#[test]
fn a_pause_by_hand_counts_nothing_down_and_is_said_once() {
    let by_hand = |rollout: &mut Rollout| {
        rollout.step_index = Some(3);
        rollout.pause_conditions = vec![fixture::pause("CanaryPauseStep", "2026-11-24T10:05:00Z")];
        rollout.spec_paused = true;
        rollout.message = "manually paused".into();
    };
    let screen = page(changed(by_hand));
    assert!(screen.contains("Paused by hand (spec.paused)"), "{screen}");
    assert!(!screen.contains("manually paused") && !screen.contains(" left"), "{screen}");
    assert!(
        screen.contains("next     weight 100 %, then all traffic: the last step, once someone resumes it"),
        "{screen}"
    );
    assert!(screen.contains("4 pause 10m, held by hand  "), "{screen}");
    let mut desk = Desk::new(world_of(vec![Arc::new(changed(by_hand))]));
    let board = text(&desk.draw(160, 30));
    let line = board.lines().find(|line| line.contains("shop/payments")).unwrap_or_default();
    assert!(line.contains("paused by hand") && !line.contains("paused by hand,"), "{line}");
    // Not held: the pause ends by itself.
    let timed = page(changed(|rollout| {
        by_hand(rollout);
        (rollout.spec_paused, rollout.message) = (false, "CanaryPauseStep".into());
    }));
    assert!(timed.contains("pause 10m, 8:30 left"), "{timed}");
}

#[test]
fn a_preview_of_fewer_pods_is_never_more_than_it_should_be() {
    let preview = |ready: i64| {
        let mut target = changed(|rollout| {
            *rollout = Rollout { id: rollout.id.clone(), ..fixture::preview() };
            if let Strategy::BlueGreen(blue_green) = &mut rollout.strategy {
                blue_green.preview_replicas = Some(1);
            }
            rollout.replicas.desired = 4;
        });
        let set = Arc::make_mut(&mut target.sets[0]);
        (set.available, set.desired) = (ready, if ready > 1 { 4 } else { 1 });
        page(target)
    };
    let waits = preview(1);
    assert!(waits.contains("is up behind the preview, 1/1 ready"), "{waits}");
    assert!(waits.contains("live traffic goes to rev 8: it is scaled from 1 to 4 first"), "{waits}");
    let grows = preview(3);
    assert!(grows.contains("is up behind the preview, 3/4 ready") && !grows.contains("3/1"), "{grows}");
}

#[test]
fn what_was_over_before_it_was_looked_at_is_only_said_to_be_seen() {
    let mut target = (*super::rates::bad()).clone();
    let mut signals = target.signals.as_deref().expect("its rates").clone();
    signals.over_began = false;
    target.signals = Some(Arc::new(signals));
    let board = |width: u16| text(&Desk::new(world_of(vec![Arc::new(target.clone())])).draw(width, 40));
    let wide = board(200);
    assert!(wide.contains("over its limit of 5 % seen for 40s"), "{wide}");
    // The time itself is the last that goes.
    for width in 100..200 {
        let screen = board(width);
        assert!(screen.contains("seen for 40s") || screen.contains("seen 40s"), "{width}: {screen}");
    }
}
