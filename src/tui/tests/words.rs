//! What screens say, read by somebody who knows none of it yet.

use std::sync::Arc;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::rates::{bad, night, signals, with};
use super::releases::{baking, preview, releases};
use super::screens::{Desk, LOOK, text};
use super::worlds::{act, ago, busy, link, payments, world_of};
use crate::domain::intent::ActionId;
use crate::domain::link::LinkState;
use crate::domain::outcome::Outcome;
use crate::domain::rollout::{Phase, Rollout};
use crate::model::{Target, World};
use crate::tui::Look;
use crate::tui::state::{Answer, Effect, RecordLine};

fn changed(target: &Arc<Target>, change: impl FnOnce(&mut Rollout)) -> Arc<Target> {
    let mut rollout = (*target.rollout).clone();
    change(&mut rollout);
    Arc::new(Target { rollout: Arc::new(rollout), ..(**target).clone() })
}

fn aborted(target: &Arc<Target>, why: &str) -> Arc<Target> {
    changed(target, |rollout| {
        rollout.abort = true;
        rollout.step_index = Some(0);
        rollout.phase = Phase::Degraded;
        rollout.message = why.into();
        rollout.pause_conditions.clear();
        rollout.controller_pause = false;
    })
}

fn row(world: World, name: &str, width: u16) -> String {
    let screen = text(&Desk::new(world).draw(width, 24));
    screen.lines().find(|line| line.contains(name)).expect("its row").to_owned()
}

fn opened(world: World, target: &Target, (width, height): (u16, u16)) -> String {
    let mut desk = Desk::new(world);
    desk.state.selected = Some(target.id().clone());
    desk.draw(width, height);
    desk.key(KeyCode::Enter);
    text(&desk.draw(width, height))
}

#[test]
fn the_reason_begins_with_the_word_that_matters_at_every_width() {
    let abort = "RolloutAborted: Rollout aborted update to revision 8: Metric \"error-rate\" assessed Failed";
    let late = "ProgressDeadlineExceeded: ReplicaSet \"payments-778b5d6c7f\" has timed out progressing.";
    for (message, short, long) in [
        (abort, "aborted", "aborted: Metric \"error-rate\" assessed"),
        (late, "pods do not come", "pods do not come: ReplicaSet \"payments"),
    ] {
        let target = aborted(&payments(), message);
        let target = changed(&target, |rollout| rollout.abort = message == abort);
        for (width, says) in [(60, short), (80, short), (120, short), (200, long)] {
            let row = row(world_of(vec![target.clone()]), "shop/payments", width);
            assert!(row.contains(says), "{width}: {row}");
            assert!(!row.contains("RolloutAborted") && !row.contains("DeadlineExceeded"), "{width}: {row}");
        }
    }
    let row = row(night(), "shop/cart", 120);
    assert!(row.contains("over 5 % for 40s"), "{row}");
}

#[test]
fn what_is_over_its_limit_is_said_before_that_it_bakes() {
    let over = signals(&baking().rollout, 912.0, 0.112);
    let mut world = night();
    let target = with(&baking(), over);
    world.targets.insert(target.id().clone(), target.clone());
    let row = row(world, target.id().name.as_str(), 200);
    assert!(row.contains("over its limit of 5 % for 40s, baking "), "{row}");
    assert!(text(&Desk::new(releases()).draw(200, 24)).contains("baking 20m of 60m"), "calm, it bakes");
}

#[test]
fn after_an_abort_no_step_is_said_to_have_failed() {
    let target = aborted(&payments(), "RolloutAborted: Rollout aborted update to revision 8");
    let world = world_of(vec![target.clone()]);
    let line = row(world.clone(), "shop/payments", 200);
    assert!(line.contains("  aborted ") && !line.contains("1/5"), "{line}");
    let screen = opened(world.clone(), &target, (80, 40));
    assert!(screen.contains("aborted: nothing moves") && screen.contains("○  1 weight"), "{screen}");
    assert!(!screen.contains("✗  1") && !screen.contains("stood on step"), "{screen}");
    // What was seen from here is said as that.
    let mut world = world;
    let mut ours = (*act(Some(Outcome::Done { effect: "all traffic is back".to_owned() }))).clone();
    ours.intent.action = ActionId::Abort;
    ours.intent.seen.step_index = Some(3);
    world.acts.push_back(Arc::new(ours));
    let screen = opened(world, &target, (80, 40));
    assert!(screen.contains("stood on step 4 when aborted here"), "{screen}");
}

#[test]
fn nothing_is_done_while_the_traffic_is_not_there_or_it_is_paused() {
    let last = |change: fn(&mut Rollout)| {
        let target = changed(&payments(), |rollout| {
            rollout.step_index = Some(5);
            rollout.pause_conditions.clear();
            rollout.controller_pause = false;
            change(rollout);
        });
        row(world_of(vec![target]), "shop/payments", 200)
    };
    let row = last(|rollout| rollout.spec_paused = true);
    assert!(row.contains("■■■■■ to all ‖") && !row.contains("done"), "{row}");
    let row = last(|rollout| {
        rollout.stable_hash = rollout.pod_hash.clone();
        rollout.spec_paused = true;
    });
    assert!(row.contains("■■■■■ paused ‖") && !row.contains("done"), "{row}");
    let row = last(|rollout| rollout.stable_hash = rollout.pod_hash.clone());
    assert!(row.contains("■■■■■ done"), "{row}");
}

#[test]
fn the_verdict_is_never_among_what_is_hidden() {
    let mut world = night();
    let mut old = signals(&bad().rollout, 912.0, 0.112);
    old.at = ago(120);
    old.notes = vec!["a note".into(), "another one".into(), "and a third".into()];
    world.targets.insert(bad().id().clone(), with(&bad(), old));
    for size in [(104, 26), (120, 30), (140, 30), (200, 60)] {
        let screen = opened(world.clone(), &bad(), size);
        assert!(screen.contains("NOT OF NOW") && screen.contains("verdict  over its limit"), "{size:?}\n{screen}");
    }
}

#[test]
fn an_age_has_its_word_or_is_not_there() {
    let mut world = night();
    let mut aged = signals(&bad().rollout, 1502.0, 0.112);
    aged.subject.age = Some(11);
    world.targets.insert(bad().id().clone(), with(&bad(), aged));
    let narrow = row(world.clone(), "shop/cart", 80);
    assert!(narrow.contains("12.04 % OVER") && !narrow.contains("10s"), "{narrow}");
    let wide = row(world, "shop/cart", 200);
    assert!(wide.contains("12.04 % OVER 10s old"), "{wide}");
}

#[test]
fn what_stands_behind_a_link_is_said_in_words() {
    let mut world = night();
    let why = "could not connect".into();
    let mut down = link("rollouts", LinkState::Backoff { why, tries: 2, until: ago(-5) });
    down.heard = Some(ago(40));
    world.links.insert(down.id.clone(), down);
    let screen = opened(world.clone(), &bad(), (80, 24));
    assert!(screen.contains("NOT LIVE (no connection, tried again): this was true 40s ago"), "{screen}");
    assert!(row(world, "shop/cart", 200).contains("[down 40s]"));
    let mut world = night();
    let focus = link(crate::model::query::FOCUS, LinkState::Live);
    world.links.insert(focus.id.clone(), focus);
    let mut desk = Desk::new(world);
    desk.keys("L");
    assert!(text(&desk.draw(120, 24)).contains("the target that is open, asked by itself"));
    // A version that nothing was read of yet.
    let mut world = night();
    let other = changed(&with(&payments(), signals(&payments().rollout, 52.0, 0.004)), |rollout| {
        rollout.pod_hash = "5d5d5d5d5d".into();
    });
    world.targets.insert(other.id().clone(), other.clone());
    let mut desk = Desk::new(world);
    desk.state.selected = Some(other.id().clone());
    desk.keys("ab");
    desk.answer(Answer::Read(other.id().clone(), Ok(Some(other.rollout.clone()))));
    let screen = text(&desk.draw(120, 30));
    assert!(screen.contains("– not known: what was read is of the version before"), "{screen}");
}

#[test]
fn acts_that_differ_are_confirmed_by_words_that_differ() {
    let typed = |letter: &str| {
        let mut desk = Desk::new(releases());
        desk.state.selected = Some(preview().id().clone());
        desk.keys("a");
        for effect in desk.keys(letter) {
            if let Effect::Read(id) = effect {
                let rollout = desk.world.targets[&id].rollout.clone();
                desk.answer(Answer::Read(id, Ok(Some(rollout))));
            }
        }
        let screen = text(&desk.draw(100, 30));
        let (_, rest) = screen.split_once("type \"").expect("it is typed");
        rest.split_once('"').expect("quotes").0.to_owned()
    };
    let name = preview().id().name.clone();
    assert_eq!((typed("p"), typed("f")), (format!("live {name}"), format!("full {name}")));
}

#[test]
fn signs_stay_apart_in_ascii() {
    let ascii = |desk: &mut Desk| text(&desk.paint(200, 60, Look { ascii: true, ..LOOK }));
    let mut desk = Desk::new(busy());
    let board = ascii(&mut desk);
    assert!(board.contains("enter open") && !board.contains("< open"), "{board}");
    assert!(board.contains("audit + 41 records") && board.contains("* live"), "{board}");
    assert!(board.contains("##... 3/5"), "{board}");
    desk.state.selected = Some(payments().id().clone());
    desk.key(KeyCode::Enter);
    let target = ascii(&mut desk);
    assert!(target.contains("+  1 weight") && target.contains("o  3 weight"), "{target}");
}

#[test]
fn a_find_says_where_it_is_and_esc_ends_it_before_the_screen() {
    let mut desk = Desk::new(busy());
    desk.state.selected = Some(payments().id().clone());
    desk.keys("l");
    let line = |text: &str| crate::runtime::handle::LogLine {
        pod: "p".into(),
        container: "app".into(),
        at: None,
        text: text.into(),
        note: false,
    };
    desk.state.log_lines(["one", "bad two", "three", "BAD four", "bad five"].map(line).to_vec());
    desk.keys("/bad");
    desk.key(KeyCode::Enter);
    desk.keys("n");
    let screen = text(&desk.draw(80, 24));
    assert!(screen.contains(" of 3 \"bad\""), "{screen}");
    desk.state.log_lines(vec![line("bad six")]);
    assert!(text(&desk.draw(80, 24)).contains(" of 4 \"bad\""), "what comes is counted");
    assert!(desk.key(KeyCode::Esc).is_empty());
    assert_eq!(desk.state.place, crate::tui::keys::Place::Log, "the find goes first");
    assert!(!text(&desk.draw(80, 24)).contains("\"bad\""));
    assert!(!desk.key(KeyCode::Esc).is_empty());
    assert_eq!(desk.state.place, crate::tui::keys::Place::Board);
}

#[test]
fn a_board_that_is_longer_than_the_screen_says_which_part_is_shown() {
    let many = (0..40)
        .map(|n| changed(&payments(), |rollout| rollout.id = crate::domain::fixture::id(&format!("svc-{n:02}"))));
    let mut desk = Desk::new(world_of(many.collect()));
    assert!(text(&desk.draw(80, 24)).contains("prod-eu ▸ 1–20 of 40 targets"));
    desk.event(&crossterm::event::Event::Key(KeyEvent::new(KeyCode::Char('G'), KeyModifiers::SHIFT)));
    assert!(text(&desk.draw(80, 24)).contains("–40 of 40 targets"));
    assert!(text(&Desk::new(busy()).draw(80, 24)).contains("prod-eu ▸ 5 targets"));
}

#[test]
fn records_that_others_wrote_are_counted_once_they_were_read() {
    let mut desk = Desk::new(busy());
    desk.keys("A");
    let record = RecordLine { seq: 60, kind: "outcome", ..RecordLine::default() };
    desk.answer(Answer::Audit(None, Ok(vec![record])));
    assert!(text(&desk.draw(80, 24)).contains("audit ✓ 60 records"));
}

#[test]
fn help_has_no_empty_part_and_no_key_twice_in_one() {
    let mut desk = Desk::new(busy());
    desk.keys("?");
    let screen = text(&desk.draw(200, 120));
    let lines: Vec<&str> = screen.lines().collect();
    let parts = crate::tui::keys::PARTS.iter().map(|(part, _)| format!("  {part}"));
    for part in parts.filter(|part| lines.contains(&part.as_str())) {
        let at = lines.iter().position(|line| **line == part).unwrap_or(0);
        assert!(lines[at + 1].starts_with("   "), "{part} is empty: {screen}");
    }
    assert_eq!(lines.iter().filter(|line| line.starts_with("   q ")).count(), 1, "{screen}");
}

#[test]
fn what_begins_to_connect_hides_no_silence_and_what_is_off_is_not_live() {
    let mut world = night();
    for link in world.links.clone().values() {
        let quiet = crate::domain::link::Link { heard: Some(ago(40)), ..link.clone() };
        world.links.insert(quiet.id.clone(), quiet);
    }
    let pods = link("pods", LinkState::Connecting);
    world.links.insert(pods.id.clone(), pods.clone());
    let screen = opened(world.clone(), &bad(), (120, 30));
    assert!(screen.contains("● heard 30s ago") && screen.contains("pods ○ connecting"), "{screen}");
    let mut silent = world.clone();
    silent.unanswered.insert("prod-eu".into());
    for (size, said) in [((120, 30), "✗ the server does not answer"), ((66, 24), "✗ no answer")] {
        let screen = opened(silent.clone(), &bad(), size);
        assert!(screen.lines().next().is_some_and(|head| head.contains(said)), "{screen}");
    }
    let off = crate::domain::link::Link { state: LinkState::Off, heard: None, listed: false, ..pods };
    world.links.insert(off.id.clone(), off);
    let mut desk = Desk::new(world);
    assert!(text(&desk.draw(120, 30)).contains("● heard 30s ago"), "nothing is asked of it, so it is not missing");
    desk.keys("L");
    let screen = text(&desk.draw(120, 30));
    assert!(screen.contains("○ off: no target is open"), "{screen}");
    assert!(screen.contains("● live  heard 40s ago"), "{screen}");
}
