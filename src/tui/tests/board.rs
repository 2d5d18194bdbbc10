//! The board's list: filter, sort, marks, columns, and where the cursor begins.

use std::sync::Arc;

use crossterm::event::{Event, KeyCode};

use super::releases::releases;
use super::screens::{Desk, look_at, text};
use super::worlds::{ago, busy, payments};
use crate::config::{Face, KeysSection, UiSection};
use crate::domain::rollout::Phase;
use crate::tui::state::State;

fn names(desk: &Desk) -> Vec<&str> {
    desk.state.board.rows().map(|id| id.name.as_str()).collect()
}

fn change(desk: &mut Desk, name: &str, change: impl FnOnce(&mut crate::domain::rollout::Rollout)) {
    let id = desk.world.targets.keys().find(|id| id.name == name).expect(name).clone();
    let mut target = (*desk.world.targets[&id]).clone();
    let mut rollout = (*target.rollout).clone();
    change(&mut rollout);
    target.rollout = Arc::new(rollout);
    desk.world.targets.insert(id, Arc::new(target));
    desk.take();
}

fn configured(ui: UiSection, keys: KeysSection) -> Desk {
    let mut desk = Desk::new(busy());
    desk.state = State::configured(&Face { ui, keys, ..Face::default() }).expect("a good configuration");
    desk.take();
    desk
}

#[test]
fn what_it_looks_like() {
    look_at("board_filter_kept", || {
        let mut desk = Desk::new(busy());
        desk.keys("/state:progressing,healthy");
        desk.key(KeyCode::Enter);
        desk
    });
    look_at("board_filter_wrong", || {
        let mut desk = Desk::new(busy());
        desk.keys("/stat:paused");
        desk
    });
    look_at("board_filter_none", || {
        let mut desk = Desk::new(busy());
        desk.keys("/env:qa");
        desk.key(KeyCode::Enter);
        desk
    });
    look_at("board_sorted", || {
        let mut desk = Desk::new(releases());
        desk.keys("o");
        desk
    });
    look_at("board_marked", || {
        let mut desk = Desk::new(busy());
        desk.keys("*/ma");
        desk.key(KeyCode::Enter);
        desk
    });
    look_at("board_columns", || {
        let columns = ["env", "service", "why", "age", "rollout"].map(str::to_owned).to_vec();
        let ui = UiSection { columns, sort: Some("age".to_owned()), ..UiSection::default() };
        let keys = [("open".to_owned(), vec!["enter".to_owned(), "x".to_owned()])];
        configured(ui, KeysSection(keys.into_iter().collect()))
    });
}

#[test]
fn what_is_not_understood_of_a_filter_is_left_out_and_said() {
    let mut desk = Desk::new(busy());
    desk.keys("/state:paused");
    let before = names(&desk).into_iter().map(str::to_owned).collect::<Vec<_>>();
    desk.keys(" bnad:needs");
    assert_eq!(names(&desk), before);
    assert!(text(&desk.draw(120, 30)).contains("did you mean `band`?"));
    desk.key(KeyCode::Enter);
    assert!(desk.state.filter.open, "it cannot be kept like that");
    for _ in 0.." bnad:needs".len() {
        desk.key(KeyCode::Backspace);
    }
    desk.key(KeyCode::Enter);
    assert!(!desk.state.filter.open);
    assert_eq!(names(&desk), before);
}

#[test]
fn what_becomes_otherwise_comes_and_goes() {
    let mut desk = Desk::new(busy());
    desk.keys("/state:degraded");
    desk.key(KeyCode::Enter);
    assert_eq!(names(&desk), ["ledger"]);
    // The band stays the same: only the filter sees the difference.
    change(&mut desk, "payments", |rollout| {
        rollout.phase = Phase::Degraded;
        rollout.controller_pause = false;
        rollout.pause_conditions.clear();
    });
    assert_eq!(names(&desk), ["ledger", "payments"]);
    change(&mut desk, "ledger", |rollout| rollout.phase = Phase::Progressing);
    assert_eq!(names(&desk), ["payments"]);
}

#[test]
fn those_that_need_a_person_and_are_hidden_are_counted() {
    let mut desk = Desk::new(busy());
    desk.keys("/!band:needs");
    desk.key(KeyCode::Enter);
    assert_eq!(desk.state.board.hidden(), (2, 2));
    assert!(text(&desk.draw(80, 24)).contains("3 of 5  ! 2 that need you are hidden"));
    desk.key(KeyCode::Esc);
    assert_eq!(desk.state.board.hidden(), (0, 0));
}

#[test]
fn labels_can_be_asked_for() {
    let mut desk = Desk::new(busy());
    change(&mut desk, "web", |rollout| rollout.labels = vec![("team".into(), "front".into())]);
    desk.keys("/label:team=fr*");
    assert_eq!(names(&desk), ["web"]);
}

#[test]
fn sorting_stays_within_the_bands() {
    let mut desk = Desk::new(busy());
    assert_eq!(names(&desk), ["ledger", "payments", "cart", "mail", "web"]);
    change(&mut desk, "ledger", |rollout| rollout.aborted_at = Some(ago(10)));
    desk.keys("o");
    assert_eq!(names(&desk), ["ledger", "payments", "cart", "mail", "web"], "by name");
    desk.keys("o");
    assert_eq!(names(&desk), ["payments", "ledger", "mail", "cart", "web"], "what stands longest comes first");
    let here = desk.state.selected.clone();
    desk.keys("ooo");
    assert_eq!(desk.state.board.sort().name(), "urgency");
    assert_eq!(desk.state.selected, here, "the cursor stays on its target");
}

#[test]
fn rows_stand_still_while_a_box_is_open_however_they_are_sorted() {
    let mut desk = Desk::new(busy());
    desk.keys("oo");
    for open in ["a", ":"] {
        desk.keys(open);
        let before = names(&desk).into_iter().map(str::to_owned).collect::<Vec<_>>();
        change(&mut desk, "web", |rollout| rollout.phase = Phase::Degraded);
        assert_eq!(names(&desk), before);
        desk.key(KeyCode::Esc);
        assert_ne!(names(&desk), before);
        change(&mut desk, "web", |rollout| rollout.phase = Phase::Healthy);
    }
}

#[test]
fn all_that_are_shown_are_marked_and_unmarked() {
    let mut desk = Desk::new(busy());
    desk.keys("/state:paused");
    desk.key(KeyCode::Enter);
    desk.keys("*");
    assert_eq!(desk.state.marks(), 2);
    desk.key(KeyCode::Esc);
    assert_eq!(desk.state.marks(), 2, "esc ends the filter first");
    desk.keys("*");
    assert_eq!(desk.state.marks(), 5);
    desk.keys("*");
    assert_eq!(desk.state.marks(), 0);
    desk.keys("*/state:paused");
    desk.key(KeyCode::Enter);
    assert_eq!((desk.state.marks(), desk.state.marks_hidden(&desk.world)), (2, 3));
    assert!(text(&desk.draw(120, 30)).contains("2 marked targets (+3 hidden, not acted on)"));
}

#[test]
fn the_cursor_begins_on_the_first_row_until_somebody_does_something() {
    let mut desk = Desk::new(busy());
    assert_eq!(desk.state.selected.as_ref().map(|id| id.name.as_str()), Some("ledger"));
    // What comes in later moves another row to the top.
    change(&mut desk, "ledger", |rollout| rollout.phase = Phase::Progressing);
    assert_eq!(desk.state.selected.as_ref(), Some(payments().id()));
    desk.event(&Event::FocusGained);
    change(&mut desk, "payments", |rollout| rollout.deleting = true);
    assert_eq!(desk.state.selected.as_ref(), desk.state.board.rows().next());
    let chosen = desk.state.selected.clone();
    desk.key(KeyCode::Up);
    change(&mut desk, "cart", |rollout| rollout.phase = Phase::Degraded);
    assert_ne!(desk.state.board.rows().next(), chosen.as_ref());
    assert_eq!(desk.state.selected, chosen, "somebody is there");
}

#[test]
fn a_bad_configuration_says_what_is_wrong_with_it() {
    let ui = |columns: &[&str], sort: Option<&str>| UiSection {
        columns: columns.iter().map(|c| (*c).to_owned()).collect(),
        sort: sort.map(str::to_owned),
        ..UiSection::default()
    };
    for (ui, says) in [
        (ui(&["service", "wyh"], None), "did you mean `why`?"),
        (ui(&[], Some("erors")), "ui.sort: nothing is sorted by \"erors\"; did you mean `errors`?"),
    ] {
        let why = crate::tui::check(&Face { ui, ..Face::default() }).expect_err(says);
        assert!(why.contains(says), "{why}");
    }
    assert_eq!(crate::tui::check(&Face::default()), Ok(()));
    let mut desk = Desk::new(busy());
    let bad = Face { ui: ui(&["service", "wyh"], None), ..Face::default() };
    let before = desk.state.columns.clone();
    assert!(desk.state.configure(&bad).is_err());
    assert_eq!(desk.state.columns, before, "the last good one stays");
}

#[test]
fn configured_keys_work_and_stand_where_keys_are_told() {
    let keys = [("open".to_owned(), vec!["x".to_owned()]), ("links".to_owned(), vec!["ctrl-l".to_owned()])];
    let mut desk = configured(UiSection::default(), KeysSection(keys.into_iter().collect()));
    let screen = text(&desk.draw(200, 60));
    assert!(screen.contains("x open") && screen.contains("^L links"), "{screen}");
    desk.keys("?");
    let help = text(&desk.draw(200, 60));
    assert!(help.contains("x             open what the cursor is on"), "{help}");
    desk.key(KeyCode::Esc);
    assert!(desk.key(KeyCode::Enter).is_empty(), "the usual key is replaced");
    assert!(!desk.keys("x").is_empty());
}
