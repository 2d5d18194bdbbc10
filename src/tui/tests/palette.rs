//! The command palette: everything has a name, nothing acts by itself, and what is wrong says what is right.

use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};

use proptest::prelude::*;

use super::screens::{Desk, look_at, text};
use super::worlds::{busy, payments};
use crate::actions;
use crate::tui::keys::Place;
use crate::tui::palette::Palette;
use crate::tui::state::{Answer, Effect, Popup};

fn palette(desk: &Desk) -> &Palette {
    match &desk.state.popup {
        Some(Popup::Palette(palette)) => palette,
        other => panic!("no palette: {other:?}"),
    }
}

/// On `payments`, with this typed into the palette.
fn typed(line: &str) -> Desk {
    let mut desk = Desk::new(busy());
    desk.state.selected = Some(payments().id().clone());
    desk.draw(80, 24);
    desk.keys(":");
    desk.keys(line);
    desk
}

/// The same, and Enter.
fn run(line: &str) -> (Desk, Vec<Effect>) {
    let mut desk = typed(line);
    let effects = desk.key(KeyCode::Enter);
    (desk, effects)
}

#[test]
fn what_it_looks_like() {
    look_at("palette", || typed(""));
    look_at("palette_matches", || typed("re"));
    look_at("palette_chosen", || {
        let mut desk = typed("re");
        desk.key(KeyCode::Down);
        desk.key(KeyCode::Down);
        desk
    });
    look_at("palette_target", || typed("target "));
    look_at("palette_wrong", || run("abrot").0);
}

#[test]
fn every_screen_has_its_name() {
    for (line, place) in [
        ("audit", Place::Audit),
        ("links", Place::Links),
        ("help", Place::Help),
        ("events", Place::Events),
        ("logs", Place::Log),
        ("yaml", Place::Text),
        ("diff", Place::Text),
        ("history", Place::History),
        ("target", Place::Target),
        ("target cart", Place::Target),
        ("board", Place::Board),
        ("aud", Place::Audit),
    ] {
        let (desk, _) = run(line);
        assert_eq!(desk.state.place, place, "{line}");
        assert!(desk.state.popup.is_none(), "{line}");
    }
    assert!(matches!(run("quit").1.as_slice(), [Effect::Quit]));
}

#[test]
fn every_act_opens_what_its_letter_opens_and_sends_nothing() {
    let on = |keys: &str| {
        let mut desk = Desk::new(busy());
        desk.state.selected = Some(payments().id().clone());
        desk.draw(80, 24);
        let effects = desk.keys(keys);
        (desk, effects)
    };
    let names = actions::TABLE.iter().map(|action| (action.verb, action.key)).chain([("rollback", 'r')]);
    for (verb, letter) in names {
        let (by_name, effects) = run(verb);
        let (by_key, wanted) = on(&format!("a{letter}"));
        assert_eq!(format!("{effects:?}"), format!("{wanted:?}"), "{verb}");
        assert!(!effects.iter().any(|e| matches!(e, Effect::Act(_) | Effect::Plan(_))), "{verb}");
        let same = match (&by_name.state.popup, &by_key.state.popup) {
            // What does not apply is said; the menu stays open for another letter.
            (None, Some(Popup::Menu(_))) => by_name.state.notice.is_some(),
            (Some(a), Some(b)) => std::mem::discriminant(a) == std::mem::discriminant(b),
            _ => false,
        };
        assert!(same, "{verb}: {:?}", by_name.state.popup);
    }
}

#[test]
fn its_enter_does_not_count_for_the_box_that_it_opens() {
    let (mut desk, effects) = run("abort");
    assert!(matches!(effects.as_slice(), [Effect::Read(_)]), "{effects:?}");
    assert!(desk.keys("y").is_empty(), "it is being read");
    let rollout = payments().rollout.clone();
    desk.answer(Answer::Read(rollout.id.clone(), Ok(Some(rollout))));
    desk.key(KeyCode::Enter);
    assert!(desk.keys("y").is_empty(), "it has not stood on the screen");
    desk.draw(80, 24);
    assert!(matches!(desk.keys("y").as_slice(), [Effect::Act(_)]));
}

#[test]
fn no_act_where_no_target_stands_on_the_screen() {
    let mut desk = Desk::new(busy());
    desk.keys("A:abort");
    assert!(desk.key(KeyCode::Enter).is_empty());
    assert!(palette(&desk).error.as_ref().is_some_and(|why| why.contains("no target stands on this screen")));
}

#[test]
fn pasted_text_is_typed_and_never_runs() {
    let mut desk = typed("");
    assert!(desk.event(&Event::Paste("quit\n".to_owned())).is_empty());
    assert_eq!(palette(&desk).value(), "quit");
    assert!(desk.event(&Event::Paste("\nabort\ny\n".to_owned())).is_empty());
    assert!(palette(&desk).value().starts_with("quit"));
    desk.event(&Event::Paste("\u{1b}[2J".to_owned()));
    assert!(!palette(&desk).value().chars().any(char::is_control));
    assert_eq!(desk.state.place, Place::Board);
}

#[test]
fn what_is_not_known_names_the_nearest_and_stays_to_be_mended() {
    for (line, says) in [
        ("abrot", "did you mean `abort`?"),
        ("re", "`re` may be "),
        ("sort nmae", "did you mean `name`?"),
        ("target paymnets", "did you mean"),
        ("filter stat:paused", "did you mean `state`?"),
        ("copy everything", "cannot be copied"),
        ("plan resume", "no plan was left unfinished"),
        ("plan go", "plan takes nothing, `resume ID` or `dismiss ID`"),
        ("links now", "links takes nothing behind it"),
        ("resume shop/ledger", "resume acts on the row under the cursor; `:target shop/ledger` goes there"),
        ("quit now", "quit takes nothing behind it"),
        ("follow", "there is no command `follow`"),
        ("xyzzy", "there is no command or target `xyzzy`; tab lists what fits"),
    ] {
        let (desk, effects) = run(line);
        assert!(effects.is_empty(), "{line}: {effects:?}");
        let why = palette(&desk).error.clone().unwrap_or_default();
        assert!(why.contains(says), "{line}: {why}");
        assert_eq!(palette(&desk).value(), line, "it can be mended");
    }
}

#[test]
fn a_targets_name_alone_opens_it() {
    for line in ["cart", "shop/cart"] {
        let (desk, effects) = run(line);
        assert_eq!(
            (desk.state.place, effects.iter().any(|e| matches!(e, Effect::Act(_)))),
            (Place::Target, false),
            "{line}"
        );
        assert_eq!(desk.state.selected.as_ref().map(|id| id.name.to_string()).as_deref(), Some("cart"));
    }
    let mut desk = typed("car");
    desk.key(KeyCode::Tab);
    assert_eq!(palette(&desk).value(), "target shop/cart");
    let names: Vec<&str> = palette(&desk).suggestions.iter().map(|s| s.name.as_str()).collect();
    assert_eq!(names, ["shop/cart"]);
    let (desk, _) = run("abort");
    assert_eq!(desk.state.place, Place::Board, "a command comes before a target of its name");
}

#[test]
fn tab_completes_and_goes_on_to_the_next() {
    let mut desk = typed("prom");
    desk.key(KeyCode::Tab);
    assert_eq!(palette(&desk).value(), "promote-full");
    let mut desk = typed("targ");
    desk.key(KeyCode::Tab);
    assert_eq!(palette(&desk).value(), "target ");
    desk.keys("ca");
    desk.key(KeyCode::Tab);
    assert_eq!(palette(&desk).value(), "target shop/cart");
    let mut desk = typed("re");
    desk.key(KeyCode::Tab);
    let first = palette(&desk).value().to_owned();
    desk.key(KeyCode::Tab);
    assert_ne!(palette(&desk).value(), first);
    desk.key(KeyCode::BackTab);
    assert_eq!(palette(&desk).value(), first);
    desk.key(KeyCode::Up);
    assert_eq!(palette(&desk).value(), "re", "back to what was typed");
    let mut desk = typed("filter pay ba");
    desk.key(KeyCode::Tab);
    assert_eq!(palette(&desk).value(), "filter pay band:");
    desk.keys("st");
    desk.key(KeyCode::Tab);
    assert_eq!(palette(&desk).value(), "filter pay band:steady");
    let (desk, _) = run("ns shop");
    assert_eq!(desk.state.filter.value(), "ns:shop");
    assert_eq!(desk.state.board.hidden(), (0, 0));
    let (desk, _) = run("context staging");
    assert_eq!(desk.state.board.hidden(), (5, 2));
}

#[test]
fn what_was_run_comes_back() {
    let (mut desk, _) = run("sort name");
    desk.keys(":sort age");
    desk.key(KeyCode::Enter);
    desk.keys(":li");
    desk.key(KeyCode::Up);
    assert_eq!(palette(&desk).value(), "sort age");
    desk.key(KeyCode::Up);
    desk.key(KeyCode::Up);
    assert_eq!(palette(&desk).value(), "sort name");
    desk.key(KeyCode::Down);
    desk.key(KeyCode::Down);
    assert_eq!(palette(&desk).value(), "li");
}

#[test]
fn it_closes_as_it_was_opened() {
    for close in [KeyCode::Esc, KeyCode::Backspace, KeyCode::Enter] {
        let mut desk = typed("");
        assert!(desk.key(close).is_empty());
        assert!(desk.state.popup.is_none());
    }
    let mut desk = typed("x");
    desk.key(KeyCode::Backspace);
    assert!(desk.state.popup.is_some(), "one letter back is not out");
    let chord = Event::Key(KeyEvent::new(KeyCode::Char('k'), KeyModifiers::CONTROL));
    assert!(desk.event(&chord).is_empty(), "no chord goes through it");
    let quit = Event::Key(KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL));
    assert!(matches!(desk.event(&quit).as_slice(), [Effect::Quit]));
}

#[test]
fn marks_are_what_an_act_is_for() {
    let mut desk = Desk::new(busy());
    desk.keys("*:abort");
    desk.key(KeyCode::Enter);
    assert!(matches!(&desk.state.popup, Some(Popup::Group(_))), "{:?}", desk.state.popup);
}

#[test]
fn a_document_becomes_another() {
    let (mut desk, _) = run("diff");
    desk.keys(":yaml");
    let effects = desk.key(KeyCode::Enter);
    assert!(effects.iter().any(|e| matches!(e, Effect::Yaml(_))), "{effects:?}");
    desk.keys("-");
    desk.keys("-");
    assert!(desk.state.text.as_ref().is_some_and(crate::tui::text::Text::is_diff), "back to the difference");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Whatever is typed and entered: nothing is sent, for no box has stood on the screen.
    #[test]
    fn nothing_that_is_typed_acts(lines in proptest::collection::vec("[a-z:/ -]{0,16}|\\PC{0,8}|abort|rollback|plan resume", 1..12)) {
        let mut desk = Desk::new(busy());
        desk.state.selected = Some(payments().id().clone());
        for line in lines {
            desk.keys(":");
            for effect in desk.keys(&line).into_iter().chain(desk.key(KeyCode::Enter)) {
                prop_assert!(!matches!(effect, Effect::Act(_) | Effect::Plan(_)), "{:?} led to {:?}", line, effect);
                if let Effect::Read(id) = effect {
                    let rollout = desk.world.targets[&id].rollout.clone();
                    desk.answer(Answer::Read(id, Ok(Some(rollout))));
                }
            }
        }
    }
}

#[test]
fn no_size_breaks_it() {
    for (width, height) in [(40, 8), (41, 9), (60, 16), (400, 100)] {
        let mut desk = typed("");
        for _ in 0..60 {
            desk.key(KeyCode::Down);
            desk.draw(width, height);
        }
        assert!(text(&desk.draw(width, height)).contains(':'));
    }
}
