//! Every screen in every size: used well where there is room, clear where there is none, never a panic.

use super::rates::night;
use super::screens::{Desk, LOOK, look_at_sizes, on, text};
use super::worlds::{act, busy, doubtful, payments, with_pods, world_of};
use crate::domain::outcome::Outcome;
use crate::model::World;
use crate::tui::Look;
use crate::tui::state::{Answer, Popup, RecordLine};

const MIDDLE: &[(u16, u16)] = &[(120, 30)];

#[test]
fn at_120x30() {
    look_at_sizes("board", MIDDLE, || Desk::new(busy()));
    look_at_sizes("menu", MIDDLE, || on(busy(), "a"));
    look_at_sizes("confirm", MIDDLE, || Desk::confirmation(busy()));
    look_at_sizes("target", MIDDLE, || {
        let mut world = busy();
        with_pods(&mut world);
        world.acts.push_back(act(Some(Outcome::Superseded { what: "step was 2, is 4".to_owned() })));
        on(world, "\n")
    });
    look_at_sizes("night_target", MIDDLE, || {
        let mut desk = Desk::new(night());
        desk.state.selected = Some(super::rates::bad().id().clone());
        desk.draw(80, 24);
        desk.key(crossterm::event::KeyCode::Enter);
        desk
    });
}

#[test]
fn too_small_a_window_says_what_matters_and_which_size_is_needed() {
    look_at_sizes("small", &[(59, 16), (60, 15), (30, 6), (20, 3), (12, 2)], || Desk::new(night()));
    let calm = text(&Desk::new(world_of(Vec::new())).draw(50, 5));
    assert!(calm.contains("nothing needs you") && calm.contains("until it is 60x16"), "{calm}");
    let doubt = text(&Desk::new(World::default()).draw(50, 5));
    assert!(doubt.contains("not all was read yet"), "{doubt}");
    let ascii = Desk::new(busy()).paint(30, 5, Look { ascii: true, ..LOOK });
    assert!(text(&ascii).is_ascii());
}

#[test]
fn the_smallest_window_shows_what_is_asked_and_for_whom() {
    let mut desk = Desk::confirmation(night());
    desk.mandate.reason_in_production = true;
    desk.keys("60");
    desk.key(crossterm::event::KeyCode::Enter);
    let screen = text(&desk.draw(60, 16));
    for said in
        ["resume  PROD  prod-eu/shop/payments", "that is not \"50\"", "type \"50\" and ↵ to resume: ", "esc leaves it"]
    {
        assert!(screen.contains(said), "{said}\n{screen}");
    }
}

/// Every place, and every box over the board.
fn everything() -> Vec<(&'static str, Desk)> {
    let mut all = Vec::new();
    for keys in ["", "\n", "a", "A", "L", "?", "/x", "l", "y", "d", "v", "e", "ai", "ao", "ar", " a", " ab"] {
        let mut world = doubtful();
        with_pods(&mut world);
        world.acts.push_back(act(Some(Outcome::Done { effect: "step 3/5".to_owned() })));
        all.push((keys, on(world, keys)));
    }
    all.push(("night", on(night(), "\n")));
    all.push(("confirm", Desk::confirmation(busy())));
    let mut desk = Desk::confirmation(busy());
    desk.keys("60");
    desk.key(crossterm::event::KeyCode::Enter);
    all.push(("confirm, wrong", desk));
    let mut world = busy();
    let done = act(None);
    world.acts.push_back(done.clone());
    let mut desk = Desk::new(world);
    desk.state.popup = Some(Popup::Outcome(done.id().clone()));
    all.push(("outcome", desk));
    let mut desk = on(busy(), "A");
    let record = RecordLine {
        seq: 7,
        act: String::new(),
        ts: "2026-11-24T10:06:10Z".to_owned(),
        kind: "outcome",
        op: "resume".to_owned(),
        target: payments().id().to_string(),
        by: "anna".to_owned(),
        outcome: "done: step 3/5".to_owned(),
        whole: "{\n  \"seq\": 3\n}".to_owned(),
        ..RecordLine::default()
    };
    desk.answer(Answer::Audit(None, Ok(vec![record; 40])));
    all.push(("audit", desk));
    all
}

#[test]
fn no_size_is_too_small_or_too_large() {
    let widths = (1..=220).filter(|w| *w <= 4 || w % 17 == 0 || (58..=62).contains(w) || [80, 120, 200].contains(w));
    let heights: Vec<u16> =
        (1..=70).filter(|h| *h <= 4 || h % 11 == 0 || (15..=17).contains(h) || [24, 30, 60].contains(h)).collect();
    let mut all = everything();
    for (width, height) in widths.flat_map(|w| heights.iter().map(move |h| (w, *h))) {
        for (_, desk) in &mut all {
            desk.draw(width, height);
        }
    }
    for (_, desk) in &mut all {
        desk.draw(400, 100);
    }
}
