//! Nothing typed by accident acts: the rules that need no terminal. Those in which bytes matter, and the list of all of
//! them, stand in `tests/pty/safety.rs`.

use std::time::Duration;

use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::releases::{done, plan_run, releases};
use super::screens::{Desk, LOOK, text};
use super::worlds::{act, busy, payments};
use crate::domain::outcome::Outcome;
use crate::domain::plan::StageState;
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

#[test]
fn no_keys_act_in_a_window_that_is_too_small() {
    let resize = |width, height| Event::Resize(width, height);
    let all = |desk: &mut Desk, text: &str| {
        let mut effects = desk.keys(text);
        effects.extend(desk.key(KeyCode::Enter));
        effects
    };
    // What acts in a good window, key by key with all the time there is.
    for (keys, typed) in
        [("ab", "y"), ("ap", "50"), ("ar", "rev 7"), (" ab", "y"), (" ap", "resume 1"), (":abort\n", "y")]
    {
        let mut desk = Desk::new(busy());
        desk.state.selected = Some(payments().id().clone());
        desk.draw(40, 10);
        for c in keys.chars().chain(typed.chars()).chain("y\n".chars()) {
            let effects = if c == '\n' { desk.key(KeyCode::Enter) } else { desk.keys(&c.to_string()) };
            assert!(effects.is_empty(), "{keys} {c:?}: {effects:?}");
            let rollout = payments().rollout.clone();
            desk.answer(Answer::Read(rollout.id.clone(), Ok(Some(rollout))));
            desk.draw(40, 10);
        }
        assert!(desk.state.popup.is_none(), "{keys}: nothing was opened that a larger window would show");
    }
    // A box that stood there before: shrunk, it takes nothing, whether that was drawn or not.
    for drawn in [true, false] {
        let (mut press, mut text) = (pressed(), Desk::confirmation(busy()));
        for desk in [&mut press, &mut text] {
            desk.event(&resize(40, 10));
            if drawn {
                desk.draw(40, 10);
            }
            desk.at += HELD + DEAF;
            assert!(all(desk, "y").is_empty() && all(desk, "50").is_empty());
        }
    }
    let mut desk = pressed();
    desk.draw(40, 10);
    let screen = text(&desk.draw(40, 10)).replace('\n', " ");
    assert!(screen.contains("keys are off until it is 60x16"), "{screen}");
    let control = |c| Event::Key(KeyEvent::new(KeyCode::Char(c), KeyModifiers::CONTROL));
    assert!(matches!(desk.event(&control('z')).as_slice(), [Effect::Suspend]));
    assert!(matches!(desk.event(&control('c')).as_slice(), [Effect::Quit]));
    desk.event(&control('k'));
    assert!(!acts(&desk.keys("y")));
}

#[test]
fn a_window_that_grows_again_counts_no_key_that_was_on_its_way() {
    let mut desk = pressed();
    desk.event(&Event::Resize(40, 10));
    desk.draw(40, 10);
    assert!(!acts(&desk.keys("yy")));
    desk.event(&Event::Resize(80, 24));
    desk.at += HELD + DEAF;
    assert!(!acts(&desk.keys("y")), "it was not drawn yet");
    desk.paint(80, 24, LOOK);
    assert!(!acts(&desk.keys("y")), "too soon");
    desk.at += DEAF.saturating_sub(Duration::from_millis(1));
    assert!(!acts(&desk.keys("y")), "too soon");
    desk.at += HELD;
    assert!(acts(&desk.keys("y")));
    // Without a box: what is opened by it has to stand there like any other.
    let mut desk = Desk::new(busy());
    desk.state.selected = Some(payments().id().clone());
    desk.draw(40, 10);
    desk.event(&Event::Resize(80, 24));
    assert!(desk.keys("ab").is_empty() && desk.state.popup.is_none());
}

#[test]
fn a_plan_under_way_is_left_only_when_that_is_asked_twice() {
    let control = Event::Key(KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL));
    let begin = || {
        let mut world = releases();
        let stages = vec![done("the spec names rev 7"), StageState::Waiting];
        world.plans.push_back(std::sync::Arc::new(plan_run(stages, None)));
        Desk::new(world)
    };
    let mut desk = begin();
    assert!(text(&desk.draw(80, 24)).contains("plan 2/2 (P)"));
    assert!(desk.event(&control).is_empty());
    let screen = text(&desk.draw(80, 24));
    assert!(
        screen.contains("a plan is at step 2 of 2; press again to leave: what is left of it is not done"),
        "{screen}"
    );
    assert!(matches!(desk.keys("q").as_slice(), [Effect::Quit]), "either key is the second press");
    let mut desk = begin();
    desk.state.popup = Some(Popup::Progress("plan-1".to_owned(), 0));
    assert!(!text(&desk.draw(80, 24)).contains("plan 2/2 (P)"));
    assert!(desk.event(&control).is_empty(), "over its own box, too");
    desk.at += Duration::from_secs(6);
    assert!(desk.event(&control).is_empty(), "the first press is forgotten");
    assert!(matches!(desk.event(&control).as_slice(), [Effect::Quit]));
    let mut desk = begin();
    assert!(desk.keys("q").is_empty(), "the key asks the same question");
    assert!(text(&desk.draw(80, 24)).contains("a plan is at step 2 of 2; press again"));
    desk.at += Duration::from_secs(3);
    assert!(matches!(desk.keys("q").as_slice(), [Effect::Quit]));
}

#[test]
fn one_key_too_many_on_the_way_back_does_not_leave() {
    let again = "q again leaves the cockpit";
    let mut desk = Desk::new(busy());
    assert!(desk.keys("q").is_empty());
    assert!(text(&desk.paint(80, 24, LOOK)).contains(again));
    // Held down since, on a terminal that tells no repeats: it never leaves, however long.
    for _ in 0..60 {
        desk.at += Duration::from_millis(33);
        assert!(desk.keys("q").is_empty());
    }
    assert!(desk.event(&of_kind(KeyEventKind::Repeat, KeyCode::Char('q'))).is_empty());
    desk.at += HELD;
    assert!(matches!(desk.keys("q").as_slice(), [Effect::Quit]), "let go, and pressed again");
    // All at once, as pasted text comes.
    let mut desk = Desk::new(busy());
    desk.state.crowd(true);
    assert!(desk.keys("q").is_empty());
    desk.at += HELD;
    assert!(desk.keys("q").is_empty());
    // Later, or after something else, it is asked anew; the question goes by itself.
    for between in ["", "j"] {
        let mut desk = Desk::new(busy());
        desk.keys("q");
        assert!(desk.state.wakes(desk.at).is_some());
        desk.at += if between.is_empty() { Duration::from_secs(2) } else { HELD };
        desk.keys(between);
        assert!(!text(&desk.paint(80, 24, LOOK)).contains(again), "{between:?}");
        desk.at += HELD;
        assert!(desk.keys("q").is_empty(), "{between:?}");
    }
    let control = Event::Key(KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL));
    assert!(matches!(Desk::new(busy()).event(&control).as_slice(), [Effect::Quit]), "at once");
}

#[test]
fn a_key_that_came_too_early_is_said_until_keys_count() {
    let soon = "not yet: the box just came up, press again";
    let mut desk = pressed();
    desk.event(&Event::Resize(80, 24));
    assert!(!text(&desk.paint(80, 24, LOOK)).contains(soon), "nobody pressed anything");
    assert!(!acts(&desk.keys("y")));
    let screen = text(&desk.paint(80, 24, LOOK));
    assert!(screen.contains(soon) && screen.contains("press y to abort"), "{screen}");
    let wakes = desk.state.wakes(desk.at).expect("it is drawn again when keys count");
    desk.at = wakes;
    let screen = text(&desk.paint(80, 24, LOOK));
    assert!(!screen.contains(soon) && screen.contains("esc leaves it as it is"), "{screen}");
    assert_eq!(desk.state.wakes(desk.at), None);
    // One that is held down is told so for as long as it is.
    desk.event(&Event::Resize(80, 24));
    desk.paint(80, 24, LOOK);
    for _ in 0..30 {
        desk.at += Duration::from_millis(33);
        assert!(!acts(&desk.keys("y")));
    }
    assert!(text(&desk.paint(80, 24, LOOK)).contains("not yet: let go of the key"));
    desk.at += HELD;
    assert!(!text(&desk.paint(80, 24, LOOK)).contains("not yet"));
    // The same where the consequence is typed, and while it is still being read.
    let mut desk = Desk::new(busy());
    desk.state.selected = Some(payments().id().clone());
    desk.keys("ap5");
    let rollout = payments().rollout.clone();
    desk.answer(Answer::Read(rollout.id.clone(), Ok(Some(rollout))));
    assert!(text(&desk.paint(80, 24, LOOK)).contains(soon));
}

#[test]
fn the_result_of_an_act_gives_way_to_the_next_key_but_not_to_a_habit() {
    let begin = || {
        let mut world = busy();
        let act = act(Some(Outcome::Done { effect: "step 3/5".to_owned() }));
        world.acts.push_back(act.clone());
        let mut desk = Desk::new(world);
        desk.state.selected = Some(payments().id().clone());
        desk.state.popup = Some(Popup::Outcome(act.id().clone()));
        desk.paint(80, 24, LOOK);
        desk
    };
    let open = |desk: &Desk| matches!(desk.state.popup, Some(Popup::Outcome(_)));
    let mut desk = begin();
    for code in [KeyCode::Char('y'), KeyCode::Char('Y'), KeyCode::Enter] {
        assert!(desk.key(code).is_empty() && open(&desk), "{code:?}: from habit");
    }
    let mut desk = begin();
    desk.keys("a");
    assert!(matches!(desk.state.popup, Some(Popup::Menu(_))), "the key is not lost");
    let screen = text(&desk.draw(80, 24));
    assert!(screen.contains("resumed shop/payments: done, record 43"), "{screen}");
    let mut desk = begin();
    desk.event(&Event::Key(KeyEvent::new(KeyCode::Char('k'), KeyModifiers::CONTROL)));
    assert!(!open(&desk) && desk.state.popup.is_some(), "an abort is at hand behind it");
    let mut desk = begin();
    desk.key(KeyCode::Down);
    assert!(!open(&desk) && desk.state.selected.as_ref() != Some(payments().id()));
    // What confirmed is held down: the keyboard waits half a second, then it comes thirty times a second.
    for code in [KeyCode::Char('y'), KeyCode::Enter] {
        let mut desk = begin();
        desk.at += Duration::from_millis(660);
        for _ in 0..90 {
            assert!(desk.key(code).is_empty() && open(&desk), "{code:?} held down");
            desk.at += Duration::from_millis(33);
        }
        assert!(desk.event(&of_kind(KeyEventKind::Repeat, code)).is_empty() && open(&desk));
    }
    // `y` never closes it: it would open another screen.
    let mut desk = begin();
    desk.at += Duration::from_mins(1);
    assert!(desk.keys("y").is_empty() && open(&desk));
    assert!(text(&desk.draw(80, 24)).contains("y does not close it: esc does"));
    for code in [KeyCode::Esc, KeyCode::Char('q'), KeyCode::Enter] {
        let mut desk = begin();
        desk.at += Duration::from_secs(1);
        assert!(desk.key(code).is_empty() && desk.state.popup.is_none(), "{code:?}");
        assert_eq!(desk.state.notice.as_deref(), Some("resumed shop/payments: done, record 43"));
    }
    let mut desk = begin();
    desk.keys(":");
    assert!(matches!(desk.state.popup, Some(Popup::Palette(_))) && desk.state.notice.is_none());
    // That of a plan, too.
    let mut desk = Desk::new(releases());
    let stages = vec![done("the spec names rev 7"), StageState::Waiting];
    desk.world.plans.push_back(std::sync::Arc::new(plan_run(stages, None)));
    desk.keys("P");
    desk.paint(80, 24, LOOK);
    for code in [KeyCode::Char('y'), KeyCode::Enter] {
        desk.key(code);
        assert!(matches!(desk.state.popup, Some(Popup::Progress(..))), "{code:?}");
    }
    desk.at += Duration::from_secs(1);
    desk.key(KeyCode::Enter);
    assert!(desk.state.popup.is_none());
}

#[test]
fn an_abort_is_at_hand_where_one_decides_to() {
    let chord = Event::Key(KeyEvent::new(KeyCode::Char('k'), KeyModifiers::CONTROL));
    for place in ["l", "y", "d", "v", "e", "\n"] {
        let open = || {
            let mut desk = Desk::new(busy());
            desk.state.selected = Some(payments().id().clone());
            // Marks are of the board: what is looked at is the one that is acted on.
            desk.keys(" k");
            desk.state.selected = Some(payments().id().clone());
            desk.draw(80, 24);
            if place == "\n" {
                desk.key(KeyCode::Enter)
            } else {
                desk.keys(place)
            };
            desk.draw(80, 24);
            desk
        };
        let mut desk = open();
        assert!(text(&desk.draw(80, 24)).contains("a act"), "{place}: the footer says it");
        let effects = desk.event(&chord);
        assert!(matches!(effects.as_slice(), [Effect::Read(id)] if id == payments().id()), "{place}: {effects:?}");
        let mut desk = open();
        desk.keys("a");
        assert!(matches!(desk.state.popup, Some(Popup::Menu(_))), "{place}");
        assert!(matches!(desk.keys("b").as_slice(), [Effect::Read(id)] if id == payments().id()), "{place}");
    }
    let mut desk = Desk::new(busy());
    desk.keys("y/abc");
    assert!(desk.event(&chord).is_empty() && desk.state.popup.is_none(), "it edits what is typed there");
    for place in ["A", "L", "?"] {
        let mut desk = Desk::new(busy());
        desk.keys(place);
        assert!(desk.event(&chord).is_empty() && desk.state.popup.is_none());
        assert_eq!(desk.state.notice.as_deref(), Some("no target stands on this screen: nothing to act on"), "{place}");
    }
}

#[test]
fn a_reason_that_is_needed_is_asked_for_before_anything_is_pressed() {
    let mut desk = Desk::new(busy());
    desk.mandate.reason_in_production = true;
    desk.state.selected = Some(payments().id().clone());
    desk.keys("ab");
    let rollout = payments().rollout.clone();
    desk.answer(Answer::Read(rollout.id.clone(), Ok(Some(rollout))));
    let screen = text(&desk.draw(80, 24));
    assert!(screen.contains("▏  needed here; it goes on record"), "{screen}");
    assert!(screen.contains("↵ or tab when the reason is written, then y to abort"), "{screen}");
    assert!(!screen.contains("press y"), "{screen}");
    desk.key(KeyCode::Enter);
    assert!(text(&desk.draw(80, 24)).contains("write the reason first: without one it is refused"));
    desk.key(KeyCode::Tab);
    let screen = text(&desk.draw(80, 24));
    assert!(screen.contains("needed here: tab to write it") && screen.contains("press y to abort"), "{screen}");
    assert!(desk.keys("y").is_empty());
    assert!(text(&desk.draw(80, 24)).contains("production asks for a reason"));
    // As quick as it can be: the reason, Enter, y.
    desk.keys("bad");
    desk.key(KeyCode::Enter);
    let effects = desk.keys("y");
    assert!(matches!(effects.as_slice(), [Effect::Act(intent)] if intent.reason == Some("bad".into())), "{effects:?}");
    // Where none is needed the field says that, too.
    let mut desk = pressed();
    desk.key(KeyCode::Tab);
    assert!(text(&desk.draw(80, 24)).contains("none is needed; it goes on record"));
}
