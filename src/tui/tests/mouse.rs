//! Clicks look. They never act and never confirm.

use crossterm::event::{Event, KeyCode, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};

use super::screens::{Desk, text};
use super::worlds::{busy, payments};
use crate::tui::keys::Place;
use crate::tui::state::{Answer, Effect, Popup, RecordLine};

fn mouse(kind: MouseEventKind, column: u16, row: u16) -> Event {
    Event::Mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE })
}

fn click(desk: &mut Desk, column: u16, row: u16) -> Vec<Effect> {
    desk.event(&mouse(MouseEventKind::Down(MouseButton::Left), column, row))
}

/// The line of the screen that has this on it.
fn line_of(desk: &mut Desk, what: &str) -> u16 {
    let screen = text(&desk.draw(80, 24));
    let at = screen.lines().position(|line| line.contains(what)).unwrap_or_else(|| panic!("no {what}\n{screen}"));
    u16::try_from(at).expect("a screen")
}

#[test]
fn a_click_selects_a_row_and_another_opens_it() {
    let mut desk = Desk::new(busy());
    let row = line_of(&mut desk, "shop/web");
    assert_ne!(desk.state.selected.as_ref().map(|id| id.name.to_string()), Some("web".to_owned()));
    assert!(click(&mut desk, 10, row).is_empty());
    assert_eq!(desk.state.selected.as_ref().map(|id| id.name.to_string()), Some("web".to_owned()));
    assert_eq!(desk.state.place, Place::Board);
    let effects = click(&mut desk, 10, row);
    assert!(matches!(effects.as_slice(), [Effect::Focus(Some(_)), Effect::Records(_)]), "{effects:?}");
    assert_eq!(desk.state.place, Place::Target);
}

#[test]
fn a_click_beside_the_rows_does_nothing() {
    let mut desk = Desk::new(busy());
    let title = line_of(&mut desk, "needs you");
    let before = desk.state.selected.clone();
    for row in [0, 1, title, 23] {
        assert!(click(&mut desk, 5, row).is_empty());
        assert_eq!((&desk.state.selected, desk.state.place), (&before, Place::Board), "row {row}");
    }
}

#[test]
fn a_record_is_opened_by_clicks() {
    let mut desk = Desk::new(busy());
    desk.keys("A");
    let line = |seq| RecordLine {
        seq,
        act: String::new(),
        ts: "2026-11-24T10:06:10Z".to_owned(),
        kind: "intent",
        op: "resume".to_owned(),
        target: format!("shop/{seq}"),
        by: "anna".to_owned(),
        outcome: String::new(),
        whole: "{}".to_owned(),
        ..RecordLine::default()
    };
    desk.answer(Answer::Audit(None, Ok(vec![line(3), line(2), line(1)])));
    let row = line_of(&mut desk, "shop/2");
    click(&mut desk, 3, row);
    assert_eq!((desk.state.audit.cursor, desk.state.audit.open), (1, false));
    click(&mut desk, 3, row);
    assert!(desk.state.audit.open);
}

/// Below what a filter leaves there is nothing, though there are more records.
#[test]
fn a_click_below_the_records_that_a_filter_leaves_hits_none() {
    let mut desk = Desk::new(busy());
    desk.keys("A");
    let line =
        |seq: u64| RecordLine { seq, target: format!("shop/{seq}"), op: "resume".to_owned(), ..RecordLine::default() };
    desk.answer(Answer::Audit(None, Ok(vec![line(3), line(2), line(1)])));
    desk.keys("/shop/3");
    desk.key(KeyCode::Enter);
    let row = line_of(&mut desk, "resume");
    click(&mut desk, 3, row + 1);
    assert_eq!((desk.state.audit.cursor, desk.state.audit.open), (0, false));
}

#[test]
fn the_wheel_moves_the_cursor_of_a_list_and_scrolls_a_text() {
    let mut desk = Desk::new(busy());
    desk.draw(80, 24);
    let first = desk.state.selected.clone();
    desk.event(&mouse(MouseEventKind::ScrollDown, 10, 10));
    assert_ne!(desk.state.selected, first);
    desk.event(&mouse(MouseEventKind::ScrollUp, 10, 10));
    assert_eq!(desk.state.selected, first);
    desk.keys("?");
    desk.draw(80, 24);
    desk.event(&mouse(MouseEventKind::ScrollDown, 10, 10));
    assert_eq!(desk.state.scroll, 3);
}

#[test]
fn no_click_acts_or_confirms() {
    let kinds = [
        MouseEventKind::Down(MouseButton::Left),
        MouseEventKind::Up(MouseButton::Left),
        MouseEventKind::Down(MouseButton::Middle),
        MouseEventKind::Down(MouseButton::Right),
        MouseEventKind::Drag(MouseButton::Left),
        MouseEventKind::Moved,
    ];
    for open in ["a", "ap", "ab", "ar", "confirm", "typed"] {
        let mut desk = match open {
            "confirm" => Desk::confirmation(busy()),
            "typed" => {
                let mut desk = Desk::confirmation(busy());
                desk.keys("50");
                desk
            }
            keys => {
                let mut desk = Desk::new(busy());
                desk.state.selected = Some(payments().id().clone());
                desk.keys(keys);
                let rollout = payments().rollout.clone();
                desk.answer(Answer::Read(rollout.id.clone(), Ok(Some(rollout))));
                desk
            }
        };
        desk.draw(80, 24);
        let before = text(&desk.draw(80, 24));
        for (column, row) in (0..80).step_by(3).flat_map(|column| (0..24).map(move |row| (column, row))) {
            for kind in kinds {
                let effects = desk.event(&mouse(kind, column, row));
                assert!(effects.is_empty(), "{open}: {kind:?} at {column},{row}: {effects:?}");
            }
        }
        assert_eq!(text(&desk.draw(80, 24)), before, "{open}");
        assert!(desk.state.popup.is_some());
    }
}

#[test]
fn the_wheel_scrolls_a_box_and_nothing_behind_it() {
    let mut desk = Desk::new(busy());
    desk.keys("a");
    desk.draw(80, 24);
    let before = desk.state.selected.clone();
    desk.event(&mouse(MouseEventKind::ScrollDown, 10, 10));
    assert!(matches!(desk.state.popup, Some(Popup::Menu(1))));
    assert_eq!(desk.state.selected, before);
    desk.key(KeyCode::Esc);
}
