//! Nothing typed by accident acts: the rules that need no terminal. Those in which bytes matter, and the list of all of
//! them, stand in `tests/pty/safety.rs`.

use std::time::Duration;

use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::screens::{Desk, LOOK};
use super::worlds::{busy, payments};
use crate::tui::prompt::{DEAF, HELD};
use crate::tui::state::{Answer, Effect, Popup};

/// The box that takes `y`: the abort of a canary in development.
fn pressed() -> Desk {
    let mut desk = Desk::new(busy());
    desk.state.selected = Some(payments().id().clone());
    desk.keys("ab");
    let rollout = payments().rollout.clone();
    desk.answer(Answer::Read(rollout.id.clone(), Ok(Some(rollout))));
    desk.draw(80, 24);
    desk
}

fn of_kind(kind: KeyEventKind, code: KeyCode) -> Event {
    Event::Key(KeyEvent { kind, ..KeyEvent::new(code, KeyModifiers::NONE) })
}

fn acts(effects: &[Effect]) -> bool {
    effects.iter().any(|effect| matches!(effect, Effect::Act(_) | Effect::Plan(_)))
}

#[test]
fn y_confirms_a_stop_act_that_has_been_on_the_screen() {
    assert!(acts(&pressed().keys("y")), "or the tests below prove nothing");
}

#[test]
fn a_key_that_is_released_or_held_down_confirms_nothing() {
    for kind in [KeyEventKind::Release, KeyEventKind::Repeat] {
        let mut desk = pressed();
        assert!(!acts(&desk.event(&of_kind(kind, KeyCode::Char('y')))), "{kind:?}");
        let mut desk = Desk::confirmation(busy());
        desk.keys("50");
        assert!(!acts(&desk.event(&of_kind(kind, KeyCode::Enter))), "{kind:?}");
        assert!(acts(&desk.key(KeyCode::Enter)));
    }
}

#[test]
fn a_key_held_down_since_before_the_box_stood_there_counts_only_after_a_pause() {
    let mut desk = pressed();
    // As after a change: drawn anew, while the key comes 30 times a second on a terminal that tells no repeats.
    desk.event(&Event::Resize(80, 24));
    desk.paint(80, 24, LOOK);
    for _ in 0..60 {
        assert!(!acts(&desk.keys("y")));
        desk.at += Duration::from_millis(33);
    }
    desk.at += HELD;
    assert!(acts(&desk.keys("y")));
}

#[test]
fn what_came_all_at_once_does_not_confirm() {
    let mut desk = pressed();
    desk.state.crowd(true);
    assert!(!acts(&desk.keys("y")));
    desk.state.crowd(false);
    assert!(acts(&desk.keys("y")));
    let mut desk = Desk::confirmation(busy());
    desk.state.crowd(true);
    desk.keys("50");
    assert!(!acts(&desk.key(KeyCode::Enter)));
    desk.state.crowd(false);
    assert!(acts(&desk.key(KeyCode::Enter)), "the text stays, Enter is pressed by itself");
}

#[test]
fn a_box_that_was_moved_or_away_has_to_stand_there_anew() {
    for event in [Event::Resize(120, 30), Event::FocusGained] {
        let mut desk = Desk::confirmation(busy());
        desk.keys("50");
        desk.event(&event);
        assert!(!acts(&desk.key(KeyCode::Enter)), "{event:?}: before it was drawn");
        desk.paint(120, 30, LOOK);
        desk.at += DEAF.saturating_sub(Duration::from_millis(1));
        assert!(!acts(&desk.key(KeyCode::Enter)), "{event:?}: too soon");
        desk.at += HELD;
        assert!(acts(&desk.key(KeyCode::Enter)), "{event:?}: what was typed stays");
    }
}

#[test]
fn a_box_that_was_suspended_has_to_stand_there_anew() {
    let mut desk = Desk::confirmation(busy());
    desk.keys("50");
    let suspend = Event::Key(KeyEvent::new(KeyCode::Char('z'), KeyModifiers::CONTROL));
    assert!(matches!(desk.event(&suspend).as_slice(), [Effect::Suspend]));
    assert!(!acts(&desk.key(KeyCode::Enter)));
    desk.draw(80, 24);
    assert!(acts(&desk.key(KeyCode::Enter)));
}

#[test]
fn the_window_that_loses_the_focus_keeps_its_box() {
    let mut desk = Desk::confirmation(busy());
    desk.keys("50");
    desk.event(&Event::FocusLost);
    assert!(matches!(desk.state.popup, Some(Popup::Confirm(_))));
    desk.event(&Event::FocusGained);
    desk.draw(80, 24);
    assert!(acts(&desk.key(KeyCode::Enter)));
}

#[test]
fn a_letter_with_a_modifier_is_not_the_letter() {
    for modifiers in [KeyModifiers::CONTROL, KeyModifiers::ALT, KeyModifiers::SUPER, KeyModifiers::META] {
        let mut desk = pressed();
        assert!(!acts(&desk.event(&Event::Key(KeyEvent::new(KeyCode::Char('y'), modifiers)))), "{modifiers:?}");
        let mut desk = Desk::confirmation(busy());
        desk.keys("50");
        assert!(!acts(&desk.event(&Event::Key(KeyEvent::new(KeyCode::Enter, modifiers)))), "{modifiers:?}");
    }
}
