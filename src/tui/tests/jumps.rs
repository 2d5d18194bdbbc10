//! Ways back, what is copied, records that lead on, and a plan that is gone on with.

use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};

use super::releases::{done, plan_run, releases};
use super::screens::{Desk, look_at, text};
use super::worlds::{busy, payments};
use crate::domain::intent::Confirmed;
use crate::domain::plan::StageState;
use crate::tui::keys::Place;
use crate::tui::state::{Answer, Effect, Popup, RecordLine};

fn name(desk: &Desk) -> &str {
    desk.state.selected.as_ref().map_or("", |id| id.name.as_str())
}

fn run(desk: &mut Desk, line: &str) -> Vec<Effect> {
    desk.keys(":");
    desk.keys(line);
    desk.key(KeyCode::Enter)
}

#[test]
fn each_way_leaves_a_spot_to_come_back_to() {
    let mut desk = Desk::new(busy());
    desk.state.selected = Some(payments().id().clone());
    desk.key(KeyCode::Enter);
    run(&mut desk, "target cart");
    assert_eq!((desk.state.place, name(&desk)), (Place::Target, "cart"));
    run(&mut desk, "links");
    assert!(desk.keys("-").iter().any(|e| matches!(e, Effect::Focus(Some(id)) if id.name == "cart")));
    assert_eq!((desk.state.place, name(&desk)), (Place::Target, "cart"));
    let chord = Event::Key(KeyEvent::new(KeyCode::Char('o'), KeyModifiers::CONTROL));
    desk.event(&chord);
    assert_eq!((desk.state.place, name(&desk)), (Place::Target, "payments"));
    assert!(desk.key(KeyCode::Backspace).iter().any(|e| matches!(e, Effect::Focus(None))));
    assert_eq!(desk.state.place, Place::Board);
    desk.keys("-");
    assert!(text(&desk.draw(80, 24)).contains("there is nothing to go back to"));
}

#[test]
fn a_target_that_was_left_is_one_key_away() {
    let mut desk = Desk::new(busy());
    desk.state.selected = Some(payments().id().clone());
    desk.keys("l");
    let effects = desk.key(KeyCode::Esc);
    assert!(matches!(effects.as_slice(), [Effect::Logs(None), Effect::Focus(None)]), "{effects:?}");
    desk.keys("j");
    let effects = desk.keys("-");
    assert_eq!((desk.state.place, name(&desk)), (Place::Log, "payments"));
    assert!(effects.iter().any(|e| matches!(e, Effect::Logs(Some(_)))), "{effects:?}");
    let effects = desk.keys("-");
    assert!(effects.iter().any(|e| matches!(e, Effect::Logs(None))), "{effects:?}");
}

#[test]
fn what_is_gone_is_passed_over() {
    let mut desk = Desk::new(busy());
    run(&mut desk, "target cart");
    run(&mut desk, "target mail");
    let cart = desk.world.targets.keys().find(|id| id.name == "cart").expect("cart").clone();
    desk.world.targets.remove(&cart);
    desk.take();
    desk.keys("-");
    assert_eq!(desk.state.place, Place::Board);
}

#[test]
fn what_the_screen_is_about_is_copied() {
    let copied = |desk: &mut Desk, keys: &str| match desk.keys(keys).pop() {
        Some(Effect::Copy(text)) => text,
        other => panic!("{keys}: {other:?}"),
    };
    let mut desk = Desk::new(busy());
    desk.state.selected = Some(payments().id().clone());
    assert_eq!(copied(&mut desk, "Y"), "shop/payments");
    assert!(text(&desk.draw(80, 24)).contains("clipboard: shop/payments"));
    let effects = run(&mut desk, "copy image");
    assert!(matches!(effects.as_slice(), [Effect::Copy(text)] if text == "shop/payments:8ab41e0"), "{effects:?}");
    let effects = run(&mut desk, "copy version");
    assert!(matches!(effects.as_slice(), [Effect::Copy(text)] if text == "778b5d6c7f"), "{effects:?}");
    assert!(run(&mut desk, "copy record").is_empty(), "there is none here");
    desk.keys("y");
    assert!(desk.keys("Y").is_empty(), "it is being read");
    desk.key(KeyCode::Esc);
    desk.keys("A");
    let mut hostile = record(3, "intent", "");
    hostile.whole = "{\n  \"reason\": \"\u{1b}]52;c;eA==\u{7}\u{202e}\"\n}".to_owned();
    desk.answer(Answer::Audit(None, Ok(vec![hostile])));
    let text = copied(&mut desk, "Y");
    assert!(!text.chars().any(|c| (c.is_control() && c != '\n') || c == '\u{202e}'), "{text:?}");
    let mut long = record(3, "intent", "");
    long.whole = "x".repeat(100_000);
    desk.answer(Answer::Audit(None, Ok(vec![long])));
    assert!(desk.keys("Y").is_empty());
}

fn record(seq: u64, kind: &'static str, plan: &str) -> RecordLine {
    RecordLine {
        seq,
        act: if kind == "plan" { String::new() } else { format!("act-{}", seq / 2) },
        ts: "2026-11-24T10:06:10Z".to_owned(),
        kind,
        op: "resume".to_owned(),
        target: "shop/payments".to_owned(),
        cluster: payments().id().cluster.0.to_string(),
        context: "prod-eu".to_owned(),
        by: "anna".to_owned(),
        who: "anna (API server), as anna (claimed), by tui".to_owned(),
        plan: plan.to_owned(),
        reason: "canary quiet for 10 minutes".to_owned(),
        outcome: if kind == "outcome" { "done: step 3/5, weight 50 %".to_owned() } else { "canary quiet".to_owned() },
        whole: "{\n  \"seq\": 3\n}".to_owned(),
    }
}

/// The audit screen, with records of a plan.
fn log() -> Desk {
    let mut desk = Desk::new(busy());
    desk.keys("A");
    let mut other = record(1, "refusal", "");
    other.outcome = "refused: read-only".to_owned();
    other.by = "ben".to_owned();
    let all = vec![
        record(5, "outcome", "1c0ffee0-1, step 1 of 2"),
        record(4, "intent", "1c0ffee0-1, step 1 of 2"),
        record(3, "plan", "1c0ffee0-1"),
        other,
    ];
    desk.answer(Answer::Audit(None, Ok(all)));
    desk
}

fn shown(desk: &Desk) -> Vec<u64> {
    desk.state.audit.shown().iter().map(|record| record.seq).collect()
}

#[test]
fn records_are_filtered_by_what_they_say() {
    look_at("audit_filtered", || {
        let mut desk = log();
        desk.keys("/outcome:done by:anna");
        desk.key(KeyCode::Enter);
        desk
    });
    for (filter, wanted) in [
        ("outcome:done", [5].as_slice()),
        ("outcome:refused", &[1]),
        ("kind:intent", &[4]),
        ("by:ben", &[1]),
        ("!by:ben", &[5, 4, 3]),
        ("plan:1c0ffee0", &[5, 4, 3]),
        ("act:act-2", &[5, 4]),
        ("read-only", &[1]),
        ("target:cart", &[]),
    ] {
        let mut desk = log();
        desk.keys("/");
        desk.keys(filter);
        desk.key(KeyCode::Enter);
        assert_eq!(shown(&desk), wanted, "{filter}");
        desk.draw(80, 24);
    }
    let mut desk = log();
    desk.keys("/outcme:done");
    assert_eq!(shown(&desk).len(), 4);
    assert!(text(&desk.draw(100, 24)).contains("did you mean `outcome`?"));
}

#[test]
fn a_record_leads_to_its_act_its_plan_and_its_target() {
    let mut desk = log();
    desk.keys("js");
    assert_eq!(shown(&desk), [5, 4]);
    assert_eq!(desk.state.audit.selected().map(|record| record.seq), Some(4), "the cursor stays on it");
    desk.key(KeyCode::Esc);
    assert_eq!(shown(&desk).len(), 4, "esc shows all again");
    desk.keys("p");
    assert_eq!(shown(&desk), [5, 4, 3]);
    let effects = desk.keys("t");
    assert!(matches!(effects.as_slice(), [Effect::Focus(Some(_)), Effect::Records(_)]), "{effects:?}");
    assert_eq!((desk.state.place, name(&desk)), (Place::Target, "payments"));
    desk.keys("-");
    assert_eq!(desk.state.place, Place::Audit);
}

#[test]
fn the_log_of_one_target_asks_for_its_records() {
    let mut desk = Desk::new(busy());
    desk.state.selected = Some(payments().id().clone());
    desk.key(KeyCode::Enter);
    let effects = desk.keys("A");
    assert!(matches!(effects.as_slice(), [Effect::Audit(_, Some(id))] if id == payments().id()), "{effects:?}");
    desk.answer(Answer::Audit(None, Ok(vec![record(9, "intent", "")])));
    assert!(shown(&desk).is_empty(), "an answer to another question");
    desk.answer(Answer::Audit(Some(payments().id().clone()), Ok(vec![record(4, "intent", "")])));
    assert_eq!(shown(&desk), [4]);
    assert!(text(&desk.draw(80, 24)).contains("only prod-eu/shop/payments"));
    let effects = run(&mut desk, "audit shop/cart");
    assert!(matches!(effects.as_slice(), [Effect::Audit(_, Some(id))] if id.name == "cart"), "{effects:?}");
    let effects = run(&mut desk, "audit shop/gone");
    assert!(matches!(effects.as_slice(), [Effect::Audit(_, None)]), "its records outlive a target: {effects:?}");
    assert_eq!(desk.state.audit.filter.value(), "target:shop/gone");
}

#[test]
fn a_plan_that_was_left_is_gone_on_with_after_its_confirmation() {
    let open = || {
        let mut world = releases();
        world.open_plans.clear();
        let half = plan_run(vec![done("the spec names rev 7"), StageState::Waiting], None);
        world.open_plans.push_back(std::sync::Arc::new(half));
        let mut desk = Desk::new(world);
        desk.draw(80, 24);
        desk.keys("R");
        desk
    };
    look_at("plan_resume", open);
    let mut desk = open();
    desk.keys("plan-1");
    assert!(desk.key(KeyCode::Enter).is_empty(), "it has not stood on the screen");
    desk.draw(80, 24);
    desk.keys("y");
    assert!(desk.key(KeyCode::Enter).is_empty());
    desk.event(&Event::Paste("plan-1".to_owned()));
    assert!(desk.key(KeyCode::Enter).is_empty(), "pasted text does not confirm");
    desk.keys("plan-1");
    let effects = desk.key(KeyCode::Enter);
    let [Effect::Plan(plan)] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!((plan.id.as_str(), plan.stages.len()), ("plan-1", 1), "what is done is not done again");
    assert_eq!(plan.confirmed, Confirmed::Typed);
    assert_eq!(plan.reason.as_ref().map(ToString::to_string).as_deref(), Some("errors over the limit"));
    assert!(matches!(&desk.state.popup, Some(Popup::Progress(id, _)) if id == "plan-1"));
    let mut desk = open();
    desk.draw(80, 24);
    desk.world.open_plans.clear();
    desk.take();
    desk.keys("plan-1");
    assert!(desk.key(KeyCode::Enter).is_empty(), "somebody else went on with it");
}

#[test]
fn a_plan_that_was_left_is_told_of_until_it_is_dismissed_or_done_by_another() {
    let begin = || {
        let mut desk = Desk::new(releases());
        let id = desk.world.targets.keys().find(|id| id.name == "mail").expect("mail").clone();
        desk.state.selected = Some(id);
        desk
    };
    let told = |desk: &mut Desk| text(&desk.draw(200, 60)).matches("left unfinished").count();
    let mut desk = begin();
    assert_eq!(told(&mut desk), 2, "above the board, and in its row");
    desk.keys(":plan d");
    assert!(text(&desk.draw(120, 30)).contains("dismiss plan-1"));
    desk.key(KeyCode::Esc);
    run(&mut desk, "plan dismiss plan");
    assert!(desk.state.notice.take().is_some_and(|said| said.contains("hidden until the next start")));
    assert_eq!(told(&mut desk), 0);
    let again = |title: &str, ended: Option<bool>| {
        let mut later = plan_run(vec![done("1"), done("2")], ended);
        let mut plan = (*later.plan).clone();
        (plan.id, plan.title) = ("plan-2".to_owned(), title.to_owned());
        later.plan = std::sync::Arc::new(plan);
        later.began += jiff::SignedDuration::from_secs(5);
        let mut desk = begin();
        desk.world.plans.push_back(std::sync::Arc::new(later));
        told(&mut desk)
    };
    let title = "roll back prod-eu/shop/mail to rev 7";
    assert_eq!((again(title, Some(true)), again(title, Some(false)), again("another", Some(true))), (0, 2, 2));
}
