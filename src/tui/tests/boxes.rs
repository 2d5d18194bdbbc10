//! Acts that ask something first, rollbacks, and acts on several targets.

use std::sync::Arc;

use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};

use super::releases::{analysed, baking, cut_over, done, plan_run, preview, releases};
use super::screens::{Desk, look_at, text};
use super::worlds::{act, busy, payments, world_of};
use crate::domain::facts::AuditState;
use crate::domain::ids::TargetId;
use crate::domain::intent::{ActionId, Confirmed, Params};
use crate::domain::outcome::Outcome;
use crate::domain::permissions::Permissions;
use crate::domain::plan::{OnFailure, StageState};
use crate::tui::confirm::Stage;
use crate::tui::keys::Place;
use crate::tui::state::{Answer, Effect, Popup};

/// Opened on one target, its reads answered.
fn at(world: crate::model::World, id: &TargetId, keys: &str) -> Desk {
    let mut desk = Desk::new(world);
    desk.state.selected = Some(id.clone());
    desk.draw(80, 24);
    let effects = desk.keys(keys);
    answer(&mut desk, effects);
    desk
}

fn answer(desk: &mut Desk, effects: Vec<Effect>) {
    for effect in effects {
        if let Effect::Read(id) = effect {
            let rollout = desk.world.targets[&id].rollout.clone();
            desk.answer(Answer::Read(id, Ok(Some(rollout))));
        }
    }
}

fn enter(desk: &mut Desk) {
    let effects = desk.key(KeyCode::Enter);
    answer(desk, effects);
}

fn chord(c: char) -> Event {
    Event::Key(KeyEvent::new(KeyCode::Char(c), KeyModifiers::CONTROL))
}

#[test]
fn boards_of_releases() {
    look_at("board_releases", || Desk::new(releases()));
}

#[test]
fn targets_of_releases() {
    look_at("target_preview", || {
        let mut desk = at(releases(), preview().id(), "");
        desk.key(KeyCode::Enter);
        desk
    });
    look_at("target_cut_over", || {
        let mut desk = at(releases(), cut_over().id(), "");
        desk.key(KeyCode::Enter);
        desk
    });
    look_at("target_baking", || {
        let mut desk = at(releases(), baking().id(), "");
        desk.key(KeyCode::Enter);
        desk
    });
    look_at("target_analysed", || {
        let mut desk = at(releases(), analysed().id(), "");
        desk.key(KeyCode::Enter);
        desk
    });
    look_at("target_analysed_end", || {
        let mut desk = at(releases(), analysed().id(), "");
        desk.key(KeyCode::Enter);
        desk.draw(80, 24);
        desk.keys("G");
        desk
    });
}

#[test]
fn what_is_asked_first() {
    look_at("form_undo", || at(busy(), payments().id(), "au"));
    look_at("form_image", || at(busy(), payments().id(), "ai"));
    look_at("form_hold", || at(releases(), cut_over().id(), "ah"));
    look_at("confirm_forbid", || {
        let mut desk = at(busy(), payments().id(), "am");
        enter(&mut desk);
        desk
    });
    look_at("confirm_rights", || {
        let mut world = busy();
        let none = Permissions { patch_status: Some(false), ..Permissions::default() };
        world.permissions.insert(("prod-eu".into(), "shop".into()), none);
        at(world, payments().id(), "ap")
    });
    look_at("confirm_abort_without_record", || {
        let mut world = busy();
        world.audit.state = AuditState::Failed { why: "No space left on device".to_owned() };
        at(world, payments().id(), "ab")
    });
}

#[test]
fn plans() {
    look_at("rollback", || at(releases(), baking().id(), "ar"));
    look_at("rollback_abort", || at(busy(), payments().id(), "ar"));
    look_at("group", || {
        let mut desk = Desk::new(busy());
        desk.keys("    ");
        desk.draw(80, 24);
        let effects = desk.event(&chord('k'));
        answer(&mut desk, effects);
        desk
    });
    look_at("group_menu", || {
        let mut desk = Desk::new(busy());
        desk.keys("    a");
        desk
    });
    look_at("progress", || {
        let mut world = releases();
        let running = plan_run(vec![done("the spec names rev 7"), StageState::Waiting], None);
        world.plans.push_back(Arc::new(running));
        let mut desk = Desk::new(world);
        desk.state.popup = Some(Popup::Progress("plan-1".to_owned(), 0));
        desk
    });
    look_at("progress_ended", || {
        let mut world = releases();
        let failed = StageState::Ended {
            act: act(None).id().clone(),
            outcome: Outcome::Superseded { what: "version was 778b5d6c7f, is 67c4c777c8".to_owned() },
        };
        let left = StageState::LeftOut { why: "the step before did not end well".to_owned() };
        world.plans.push_back(Arc::new(plan_run(vec![failed, left], Some(false))));
        let mut desk = Desk::new(world);
        desk.state.popup = Some(Popup::Progress("plan-1".to_owned(), 0));
        desk
    });
}

#[test]
fn the_chord_opens_the_confirmation_of_an_abort_and_no_more() {
    for open in [false, true] {
        let mut desk = at(busy(), payments().id(), "");
        if open {
            desk.key(KeyCode::Enter);
            assert_eq!(desk.state.place, Place::Target);
        }
        let effects = desk.event(&chord('k'));
        assert!(matches!(effects.as_slice(), [Effect::Read(_)]), "{effects:?}");
        answer(&mut desk, effects);
        assert!(desk.keys("y").is_empty(), "not before it stood on the screen");
        desk.draw(80, 24);
        let effects = desk.keys("y");
        let [Effect::Act(intent)] = effects.as_slice() else { panic!("{effects:?}") };
        assert_eq!(intent.action, ActionId::Abort);
        assert_eq!(intent.confirmed, Confirmed::Pressed);
    }
    let mut desk = at(busy(), payments().id(), "A");
    assert!(desk.event(&chord('k')).is_empty(), "the audit screen names no target");
}

#[test]
fn a_step_that_moves_does_not_turn_an_abort_away() {
    let mut desk = at(busy(), payments().id(), "ab");
    desk.draw(80, 24);
    let mut changed = (*payments()).clone();
    let mut rollout = (*changed.rollout).clone();
    rollout.resource_version = "101".into();
    rollout.step_index = Some(3);
    changed.rollout = Arc::new(rollout);
    desk.world.targets.insert(changed.id().clone(), Arc::new(changed));
    desk.take();
    assert!(text(&desk.draw(80, 24)).contains("step 4/5"), "the box says what is true now");
    let effects = desk.keys("y");
    let [Effect::Act(intent)] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!(intent.seen.step_index, Some(3), "what was on the screen");
}

#[test]
fn another_version_turns_an_abort_away() {
    let mut desk = at(busy(), payments().id(), "ab");
    desk.draw(80, 24);
    let mut changed = (*payments()).clone();
    let mut rollout = (*changed.rollout).clone();
    rollout.resource_version = "101".into();
    rollout.pod_hash = "aaaaaaaaaa".into();
    changed.rollout = Arc::new(rollout);
    desk.world.targets.insert(changed.id().clone(), Arc::new(changed));
    desk.take();
    assert!(desk.keys("y").is_empty());
    assert!(text(&desk.draw(80, 24)).contains("changed just now"));
}

#[test]
fn a_revision_is_picked_and_confirmed_by_its_number() {
    let mut desk = at(busy(), payments().id(), "au");
    assert!(matches!(&desk.state.popup, Some(Popup::Form(_))));
    enter(&mut desk);
    desk.draw(80, 24);
    desk.keys("rev 7");
    let effects = desk.key(KeyCode::Enter);
    let [Effect::Act(intent)] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!(intent.params, Params::Revision { hash: "67c4c777c8".into(), revision: Some(7) });
}

#[test]
fn an_image_is_typed_or_pasted_and_refused_in_production() {
    let mut desk = at(busy(), payments().id(), "ai");
    desk.key(KeyCode::Enter);
    assert!(text(&desk.draw(80, 24)).contains("runs that image already"));
    desk.event(&Event::Paste("-fix".to_owned()));
    enter(&mut desk);
    let screen = text(&desk.draw(80, 24));
    assert!(screen.contains("refused (set-image)") && screen.contains("shop/payments:8ab41e0-fix"), "{screen}");
}

#[test]
fn a_mark_needs_its_reason_first() {
    let mut desk = at(busy(), payments().id(), "am");
    enter(&mut desk);
    desk.draw(80, 24);
    desk.key(KeyCode::Tab);
    assert!(desk.keys("y").is_empty(), "no reason yet");
    desk.keys("fails under load");
    desk.key(KeyCode::Enter);
    let effects = desk.keys("y");
    let [Effect::Act(intent)] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!(intent.reason.as_ref().map(ToString::to_string).as_deref(), Some("fails under load"));
}

#[test]
fn hold_takes_how_long() {
    let mut desk = at(releases(), cut_over().id(), "ah");
    desk.key(KeyCode::Backspace);
    desk.keys("x");
    desk.key(KeyCode::Enter);
    assert!(text(&desk.draw(80, 24)).contains("no length of time"));
    desk.key(KeyCode::Backspace);
    desk.keys("h");
    enter(&mut desk);
    desk.draw(80, 24);
    let effects = desk.keys("y");
    let [Effect::Act(intent)] = effects.as_slice() else { panic!("{effects:?}") };
    let until = super::worlds::now() + jiff::SignedDuration::from_hours(1);
    assert_eq!(intent.params, Params::Hold { hash: "67c4c777c8".into(), until });
}

#[test]
fn a_rollback_in_production_is_typed_and_sent_as_a_plan() {
    let mut desk = at(releases(), baking().id(), "ar");
    desk.draw(80, 24);
    desk.keys("rev 8");
    assert!(desk.key(KeyCode::Enter).is_empty(), "that is the bad one");
    desk.keys("rev 7");
    let effects = desk.key(KeyCode::Enter);
    let [Effect::Plan(plan)] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!(plan.title, "roll back prod-eu/shop/mail to rev 7");
    assert_eq!(plan.stages.iter().map(|s| s.action).collect::<Vec<_>>(), [ActionId::Undo, ActionId::Resume]);
    assert!(plan.stages[0].seen.is_some() && plan.stages[1].seen.is_none());
    assert!(matches!(&desk.state.popup, Some(Popup::Progress(id, _)) if *id == plan.id));
}

#[test]
fn a_plan_that_becomes_another_is_said_and_asked_again() {
    let mut desk = at(releases(), baking().id(), "ar");
    desk.draw(80, 24);
    let mut gone = (*baking()).clone();
    gone.sets.remove(1);
    desk.world.targets.insert(gone.id().clone(), Arc::new(gone));
    desk.take();
    desk.keys("rev 7");
    assert!(desk.key(KeyCode::Enter).is_empty());
    assert!(text(&desk.draw(80, 24)).contains("there is no other revision"));
}

#[test]
fn a_group_act_is_one_plan_in_the_order_of_the_board() {
    let mut desk = Desk::new(busy());
    desk.keys("    ");
    desk.draw(80, 24);
    let effects = desk.event(&chord('k'));
    // The one that is aborted already takes no part and is not read.
    assert_eq!(effects.len(), 3, "{effects:?}");
    answer(&mut desk, effects);
    desk.draw(80, 24);
    desk.key(KeyCode::Right);
    let effects = desk.keys("y");
    let [Effect::Plan(plan)] = effects.as_slice() else { panic!("{effects:?}") };
    let names: Vec<&str> = plan.stages.iter().map(|s| s.target.name.as_str()).collect();
    assert_eq!(names, ["payments", "cart", "mail"]);
    assert_eq!(plan.on_failure, OnFailure::GoOn);
    assert!(plan.stages.iter().all(|s| s.action == ActionId::Abort && s.seen.is_some()));
    desk.key(KeyCode::Esc);
    assert_eq!(desk.state.marks(), 0);
}

#[test]
fn a_group_that_goes_forward_in_production_is_typed_with_its_count() {
    let mut desk = Desk::new(world_of(vec![payments(), preview()]));
    desk.keys("  ");
    desk.draw(80, 24);
    let effects = desk.keys("ap");
    answer(&mut desk, effects);
    desk.draw(80, 24);
    assert!(desk.keys("y").is_empty());
    desk.key(KeyCode::Enter);
    desk.keys("resume 2");
    let effects = desk.key(KeyCode::Enter);
    let [Effect::Plan(plan)] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!((plan.stages.len(), plan.confirmed.clone()), (2, Confirmed::Typed));
}

#[test]
fn a_member_that_fails_to_be_read_takes_no_part() {
    let mut desk = Desk::new(world_of(vec![payments(), preview()]));
    desk.keys("  ");
    let effects = desk.event(&chord('k'));
    assert_eq!(effects.len(), 2);
    let rollout = payments().rollout.clone();
    desk.answer(Answer::Read(rollout.id.clone(), Ok(Some(rollout))));
    desk.draw(80, 24);
    assert!(desk.keys("y").is_empty(), "one answer is still awaited");
    desk.answer(Answer::Read(preview().id().clone(), Err("no answer within 5 s".to_owned())));
    desk.draw(80, 24);
    let effects = desk.keys("y");
    let [Effect::Plan(plan)] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!(plan.stages.len(), 1);
}

#[test]
fn baking_ends_by_itself() {
    let mut desk = Desk::new(releases());
    let titles = |desk: &mut Desk| text(&desk.draw(200, 60));
    assert!(titles(&mut desk).contains("baking 20m of 60m"));
    desk.later = jiff::SignedDuration::from_mins(41);
    assert!(desk.take(), "a row moved with nothing else changed");
    let screen = titles(&mut desk);
    assert!(!screen.contains("baking") && screen.contains("steady"), "{screen}");
}

#[test]
fn an_answer_that_failed_says_so() {
    let mut desk = Desk::new(busy());
    desk.state.selected = Some(payments().id().clone());
    desk.keys("ab");
    desk.answer(Answer::Read(payments().id().clone(), Ok(None)));
    assert!(matches!(&desk.state.popup, Some(Popup::Confirm(c)) if matches!(&c.stage, Stage::Failed(_))));
}
