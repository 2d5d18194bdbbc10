//! The rules of the keys: what acts, what does not, and when.

use std::sync::Arc;
use std::time::Duration;

use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};

use super::screens::{Desk, text};
use super::worlds::{busy, link, payments, target, world_of};
use crate::domain::environment::Tier;
use crate::domain::intent::Confirmed;
use crate::domain::link::LinkState;
use crate::domain::rollout::Phase;
use crate::domain::text::Clean;
use crate::tui::confirm::Stage;
use crate::tui::keys::Place;
use crate::tui::prompt::{DEAF, Field, HELD};
use crate::tui::state::{Answer, Effect, Popup};

fn confirm(desk: &Desk) -> &crate::tui::confirm::Confirm {
    match &desk.state.popup {
        Some(Popup::Confirm(confirm)) => confirm,
        other => panic!("no confirmation: {other:?}"),
    }
}

#[test]
fn no_bare_key_acts_on_board_or_target() {
    for open in [false, true] {
        let mut desk = Desk::new(busy());
        if open {
            desk.key(KeyCode::Enter);
        }
        let mut effects = Vec::new();
        for c in (' '..='~').filter(|c| *c != 'a') {
            effects.extend(desk.keys(&c.to_string()));
            effects.extend(desk.key(KeyCode::Esc));
        }
        assert!(!effects.iter().any(|e| matches!(e, Effect::Act(_) | Effect::Read(_))), "{effects:?}");
    }
}

#[test]
fn the_typed_consequence_and_enter_send_what_was_seen() {
    let mut desk = Desk::confirmation(busy());
    desk.keys("50");
    let effects = desk.key(KeyCode::Enter);
    let [Effect::Act(intent)] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!(intent.target, *payments().id());
    assert_eq!(intent.confirmed, Confirmed::Typed);
    assert_eq!(intent.seen.pause_conditions, payments().rollout.pause_conditions);
    assert!(matches!(&desk.state.popup, Some(Popup::Outcome(act)) if *act == intent.act));
}

#[test]
fn anything_else_typed_sends_nothing() {
    for typed in ["", "5", "500", "y", "050"] {
        let mut desk = Desk::confirmation(busy());
        desk.keys(typed);
        assert!(desk.key(KeyCode::Enter).is_empty(), "{typed:?}");
        assert!(confirm(&desk).prompt.notice.is_some());
    }
}

#[test]
fn what_is_typed_too_early_does_not_count() {
    let mut desk = Desk::new(busy());
    desk.state.selected = Some(payments().id().clone());
    desk.keys("ap50");
    assert!(desk.key(KeyCode::Enter).is_empty(), "while it is being read");
    let rollout = payments().rollout.clone();
    desk.answer(Answer::Read(rollout.id.clone(), Ok(Some(rollout))));
    desk.keys("50");
    assert!(desk.key(KeyCode::Enter).is_empty(), "before it was drawn");
    desk.paint(80, 24, super::screens::LOOK);
    desk.at += DEAF.saturating_sub(Duration::from_millis(1));
    desk.keys("50");
    assert!(desk.key(KeyCode::Enter).is_empty(), "too soon after it was drawn");
    assert_eq!(confirm(&desk).prompt.typed.value(), "");
    desk.at += Duration::from_millis(1);
    desk.keys("5");
    assert_eq!(confirm(&desk).prompt.typed.value(), "", "it is still held down");
    desk.at += HELD;
    desk.keys("50");
    assert_eq!(desk.key(KeyCode::Enter).len(), 1);
}

#[test]
fn pasted_text_never_confirms() {
    let mut desk = Desk::confirmation(busy());
    assert!(desk.event(&Event::Paste("50\n".to_owned())).is_empty());
    assert_eq!(confirm(&desk).prompt.typed.value(), "");
    desk.key(KeyCode::Tab);
    desk.event(&Event::Paste("quiet\nfor \u{1b}[1m10 minutes".to_owned()));
    assert_eq!(confirm(&desk).prompt.field, Field::Reason);
    assert_eq!(confirm(&desk).prompt.reason.value(), "quiet for ␛[1m10 minutes");
    desk.key(KeyCode::Tab);
    desk.keys("50");
    let effects = desk.key(KeyCode::Enter);
    let [Effect::Act(intent)] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!(intent.reason.as_ref().map(Clean::as_str), Some("quiet for ␛[1m10 minutes"));
}

#[test]
fn what_changes_while_the_box_is_open_is_said_and_asked_again() {
    let mut desk = Desk::confirmation(busy());
    desk.keys("5");
    let mut changed = (*payments()).clone();
    let mut rollout = (*changed.rollout).clone();
    rollout.resource_version = "101".into();
    rollout.step_index = Some(3);
    changed.rollout = Arc::new(rollout);
    desk.world.targets.insert(changed.id().clone(), Arc::new(changed));
    desk.take();
    assert!(
        confirm(&desk).prompt.notice.as_ref().is_some_and(|n| n.contains("step was 2, is 4")),
        "{:?}",
        confirm(&desk)
    );
    desk.keys("50");
    assert!(desk.key(KeyCode::Enter).is_empty(), "the new content has not been on the screen");
    let screen = text(&desk.draw(80, 24));
    assert!(screen.contains("changed just now"), "{screen}");
    desk.keys("50");
    assert!(desk.key(KeyCode::Enter).is_empty(), "50 is no longer what follows");
    desk.keys("full payments");
    assert_eq!(desk.key(KeyCode::Enter).len(), 1);
}

#[test]
fn a_change_that_means_nothing_does_not_disturb() {
    let mut desk = Desk::confirmation(busy());
    desk.keys("50");
    let mut changed = (*payments()).clone();
    let mut rollout = (*changed.rollout).clone();
    rollout.resource_version = "101".into();
    rollout.replicas.available = 9;
    changed.rollout = Arc::new(rollout);
    desk.world.targets.insert(changed.id().clone(), Arc::new(changed));
    desk.take();
    assert_eq!(desk.key(KeyCode::Enter).len(), 1);
}

#[test]
fn a_link_that_falls_silent_while_the_box_is_open_forbids() {
    let mut desk = Desk::confirmation(busy());
    desk.keys("50");
    let stale = link("rollouts", LinkState::Stale { since: super::worlds::ago(80) });
    desk.world.links.insert(stale.id.clone(), stale);
    desk.take();
    assert!(desk.key(KeyCode::Enter).is_empty());
    let screen = text(&desk.draw(80, 24));
    assert!(screen.contains("refused (link)"), "{screen}");
}

#[test]
fn outside_production_one_key_confirms_and_only_that_one() {
    let mut world = busy();
    let staging = target((*payments().rollout).clone(), payments().sets.clone(), Tier::Staging);
    world.targets.insert(staging.id().clone(), staging);
    let mut desk = Desk::confirmation(world);
    for key in [KeyCode::Enter, KeyCode::Char('Y'), KeyCode::Char('j'), KeyCode::Char(' ')] {
        assert!(desk.key(key).is_empty(), "{key:?}");
    }
    let alt = Event::Key(KeyEvent::new(KeyCode::Char('y'), KeyModifiers::ALT));
    assert!(desk.event(&alt).is_empty(), "the tail of an escape sequence is no y");
    let effects = desk.keys("y");
    let [Effect::Act(intent)] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!(intent.confirmed, Confirmed::Pressed);
}

#[test]
fn a_reason_is_asked_for_where_the_policy_wants_one() {
    let mut desk = Desk::new(busy());
    desk.mandate.reason_in_production = true;
    desk.state.selected = Some(payments().id().clone());
    desk.keys("ap");
    let rollout = payments().rollout.clone();
    desk.answer(Answer::Read(rollout.id.clone(), Ok(Some(rollout))));
    desk.draw(80, 24);
    assert_eq!(confirm(&desk).prompt.field, Field::Reason);
    desk.key(KeyCode::Tab);
    desk.keys("50");
    assert!(desk.key(KeyCode::Enter).is_empty(), "no reason yet");
    desk.keys("quiet");
    desk.key(KeyCode::Enter);
    assert_eq!(confirm(&desk).prompt.reason.value(), "quiet");
    assert_eq!(confirm(&desk).prompt.typed.value(), "50");
    let effects = desk.key(KeyCode::Enter);
    let [Effect::Act(intent)] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!(intent.reason.as_ref().map(Clean::as_str), Some("quiet"));
}

#[test]
fn esc_leaves_it_as_it_is() {
    for keys in ["a", "ap"] {
        let mut desk = Desk::new(busy());
        desk.state.selected = Some(payments().id().clone());
        desk.keys(keys);
        assert!(desk.key(KeyCode::Esc).is_empty());
        assert!(desk.state.popup.is_none());
    }
}

#[test]
fn an_answer_for_another_target_is_not_taken_for_this_one() {
    let mut desk = Desk::new(busy());
    desk.state.selected = Some(payments().id().clone());
    desk.keys("ap");
    let web = desk.world.targets.values().find(|t| t.id().name == "web").expect("web").rollout.clone();
    desk.answer(Answer::Read(web.id.clone(), Ok(Some(web))));
    assert!(matches!(confirm(&desk).stage, Stage::Reading));
    desk.answer(Answer::Read(payments().id().clone(), Err("no answer within 5 s".to_owned())));
    assert!(matches!(&confirm(&desk).stage, Stage::Failed(why) if why.contains("no answer")));
}

#[test]
fn the_cursor_stays_on_its_target_when_rows_move() {
    let mut desk = Desk::new(busy());
    desk.draw(80, 24);
    let web = desk.world.targets.keys().find(|id| id.name == "web").expect("web").clone();
    desk.state.selected = Some(web.clone());
    let mut failed = (*desk.world.targets[&web]).clone();
    let mut rollout = (*failed.rollout).clone();
    rollout.phase = Phase::Degraded;
    rollout.message = "ProgressDeadlineExceeded".into();
    failed.rollout = Arc::new(rollout);
    desk.world.targets.insert(web.clone(), Arc::new(failed));
    desk.take();
    assert_eq!(desk.state.selected.as_ref(), Some(&web));
    assert!(desk.state.board.rows().position(|id| *id == web) < Some(3), "it is among those that need you");
}

#[test]
fn only_what_is_on_the_screen_asks_to_be_drawn() {
    let mut world = busy();
    let web = world.targets.values().find(|target| target.id().name == "web").expect("web").clone();
    for n in 0..12 {
        let mut rollout = (*web.rollout).clone();
        rollout.id.name = format!("a{n}").as_str().into();
        let target = crate::model::Target { rollout: Arc::new(rollout), ..(*web).clone() };
        world.targets.insert(target.id().clone(), Arc::new(target));
    }
    let mut desk = Desk::new(world);
    desk.draw(80, 24);
    assert!(!desk.take(), "nothing changed");
    let change = |desk: &mut Desk, name: &str, version: &str| {
        let id = desk.world.targets.keys().find(|id| id.name == name).expect(name).clone();
        let mut target = (*desk.world.targets[&id]).clone();
        let mut rollout = (*target.rollout).clone();
        rollout.resource_version = version.into();
        target.rollout = Arc::new(rollout);
        desk.world.targets.insert(id, Arc::new(target));
        desk.take()
    };
    assert!(change(&mut desk, "web", "101"), "the last row is on the screen");
    desk.draw(80, 16);
    assert!(!change(&mut desk, "web", "102"), "it is below the edge of a low one");
    assert!(change(&mut desk, "ledger", "102"));
    desk.keys("a");
    assert!(change(&mut desk, "web", "103"), "while a box is open everything is drawn");
}

#[test]
fn rows_stand_still_while_a_box_is_open() {
    let mut desk = Desk::new(busy());
    desk.draw(80, 24);
    desk.keys("a");
    let before: Vec<_> = desk.state.board.rows().cloned().collect();
    let gone = before[0].clone();
    desk.world.targets.remove(&gone);
    desk.take();
    assert_eq!(desk.state.board.rows().cloned().collect::<Vec<_>>(), before);
    desk.key(KeyCode::Esc);
    assert!(!desk.state.board.rows().any(|id| *id == gone));
}

#[test]
fn a_target_that_is_gone_gives_the_cursor_to_its_neighbour() {
    let mut desk = Desk::new(busy());
    let rows: Vec<_> = desk.state.board.rows().cloned().collect();
    desk.state.selected = Some(rows[0].clone());
    desk.world.targets.remove(&rows[0]);
    desk.take();
    assert_eq!(desk.state.selected.as_ref(), Some(&rows[1]));
    desk.world = world_of(Vec::new());
    desk.take();
    assert_eq!(desk.state.selected, None);
    desk.keys("a");
    assert!(desk.state.popup.is_none());
}

#[test]
fn the_filter_narrows_and_esc_ends_it() {
    let mut desk = Desk::new(busy());
    let all = desk.state.board.rows().count();
    desk.keys("/MA");
    assert_eq!(desk.state.board.rows().map(|id| id.name.as_str()).collect::<Vec<_>>(), ["mail"]);
    assert_eq!(desk.state.selected.as_ref().map(|id| id.name.as_str()), Some("mail"));
    desk.key(KeyCode::Enter);
    desk.keys("a");
    assert!(desk.state.popup.is_some(), "after Enter keys are keys again");
    desk.key(KeyCode::Esc);
    desk.key(KeyCode::Esc);
    assert_eq!(desk.state.board.rows().count(), all);
}

#[test]
fn screens_open_and_lead_back() {
    let mut desk = Desk::new(busy());
    let effects = desk.key(KeyCode::Enter);
    assert!(matches!(effects.as_slice(), [Effect::Focus(Some(_)), Effect::Records(_)]), "{effects:?}");
    desk.keys("?");
    desk.keys("q");
    assert_eq!(desk.state.place, Place::Target);
    assert!(matches!(desk.key(KeyCode::Esc).as_slice(), [Effect::Focus(None)]));
    assert_eq!(desk.state.place, Place::Board);
    assert!(desk.keys("q").is_empty(), "it asks");
    desk.at += HELD;
    assert!(matches!(desk.keys("q").as_slice(), [Effect::Quit]));
    let control = Event::Key(KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL));
    let mut desk = Desk::confirmation(busy());
    assert!(matches!(desk.event(&control).as_slice(), [Effect::Quit]), "from anywhere");
}
