//! Screens that look closer at one target.

use crossterm::event::KeyCode;

use super::releases::{analysed, releases};
use super::screens::{Desk, look_at, text};
use super::worlds::{ago, busy, payments};
use crate::domain::ids::TargetId;
use crate::domain::text::Clean;
use crate::runtime::handle::{DiffKind, DiffLine, LogLine, Pods, Revision, RevisionName, TemplateDiff, What};
use crate::tui::keys::Place;
use crate::tui::state::{Answer, Effect, Look, RecordLine};

fn on(world: crate::model::World, id: &TargetId, keys: &str) -> (Desk, Vec<Effect>) {
    let mut desk = Desk::new(world);
    desk.state.selected = Some(id.clone());
    desk.draw(80, 24);
    let effects = desk.keys(keys);
    (desk, effects)
}

fn said(pod: &str, text: &str) -> LogLine {
    LogLine { pod: pod.into(), container: "app".into(), at: Some(ago(3)), text: text.into(), note: false }
}

fn log() -> Desk {
    let (mut desk, _) = on(busy(), payments().id(), "l");
    let mut lines: Vec<LogLine> =
        (0..60).map(|n| said("payments-778b5d6c7f-n9mzx", &format!("GET /pay/{n} 200 in {} ms", n % 7 + 3))).collect();
    lines.push(said("payments-778b5d6c7f-n9mzx", &format!("ERROR payment provider said {}", "no ".repeat(40))));
    lines.push(LogLine { note: true, ..said("", "the stream of payments-778b5d6c7f-n9mzx broke: reading it again") });
    desk.state.log_lines(lines);
    desk
}

#[test]
fn logs() {
    look_at("log", log);
    look_at("log_found", || {
        let mut desk = log();
        desk.draw(80, 24);
        desk.keys("/pay/7 ");
        desk.key(KeyCode::Enter);
        desk
    });
    look_at("log_waiting", || on(busy(), payments().id(), "l").0);
}

#[test]
fn documents() {
    look_at("yaml", || {
        let (mut desk, effects) = on(busy(), payments().id(), "y");
        let yaml = ["apiVersion: argoproj.io/v1alpha1", "kind: Rollout", "metadata:", "  name: payments"];
        for effect in effects {
            if let Effect::Yaml(of) = effect {
                desk.answer(Answer::Look(Look::Yaml(*of, Ok(yaml.iter().map(|l| Clean::from(*l)).collect()))));
            }
        }
        desk
    });
    look_at("diff", || {
        let (mut desk, effects) = on(busy(), payments().id(), "d");
        let line = |kind, text: &str| DiffLine { kind, text: text.into() };
        let diff = TemplateDiff {
            from: "revision 7 (67c4c777c8)".into(),
            to: "revision 8 (778b5d6c7f)".into(),
            lines: vec![
                line(DiffKind::Place, "@@ -4,3 +4,3 @@"),
                line(DiffKind::Same, "containers:"),
                line(DiffKind::Removed, "- image: shop/payments:1f3c9d2"),
                line(DiffKind::Added, "- image: shop/payments:8ab41e0"),
            ],
        };
        for effect in effects {
            if let Effect::Diff(id, from) = effect {
                desk.answer(Answer::Look(Look::Diff(id, from, Ok(diff.clone()))));
            }
        }
        desk
    });
    look_at("revisions", || {
        let (mut desk, _) = on(releases(), analysed().id(), "v");
        let former = |set: &crate::domain::workload::ReplicaSet, former| Revision { set: set.clone(), former };
        let all = vec![former(&analysed().sets[0], vec![5]), former(&analysed().sets[1], Vec::new())];
        desk.answer(Answer::Look(Look::Revisions(analysed().id().clone(), Ok(all))));
        desk
    });
    look_at("events", || {
        let (mut desk, _) = on(releases(), analysed().id(), "e");
        let record = RecordLine {
            seq: 12,
            act: "act-9".to_owned(),
            ts: "2026-11-24T10:05:00Z".to_owned(),
            kind: "outcome",
            op: "abort".to_owned(),
            target: "shop/cart".to_owned(),
            cluster: "cluster-1".to_owned(),
            context: "prod-eu".to_owned(),
            by: "ben".to_owned(),
            who: "ben, by tui".to_owned(),
            plan: String::new(),
            reason: String::new(),
            outcome: "done: rev 7 has all traffic".to_owned(),
            whole: String::new(),
        };
        desk.answer(Answer::Records(analysed().id().clone(), Ok(vec![record])));
        desk
    });
}

#[test]
fn a_log_is_of_the_version_in_flight_first_and_ends_when_left() {
    let (mut desk, effects) = on(busy(), payments().id(), "l");
    let [Effect::Focus(Some(_)), Effect::Logs(Some(of))] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!(of.pods, Pods::Revision("778b5d6c7f".into()));
    assert!(of.follow && !of.previous);
    let effects = desk.keys("p");
    let [Effect::Logs(Some(of))] = effects.as_slice() else { panic!("{effects:?}") };
    assert!(of.previous && !of.follow);
    let effects = desk.key(KeyCode::Esc);
    assert!(matches!(effects.as_slice(), [Effect::Logs(None), Effect::Focus(None)]), "{effects:?}");
    assert_eq!(desk.state.place, Place::Board);
}

#[test]
fn what_is_typed_to_be_found_is_no_command() {
    let mut desk = log();
    desk.draw(80, 24);
    desk.keys("/qpf");
    assert_eq!(desk.state.place, Place::Log);
    desk.key(KeyCode::Enter);
    assert!(text(&desk.draw(80, 24)).contains("\"qpf\" is not there"));
    desk.keys("/");
    desk.key(KeyCode::Esc);
    assert_eq!(desk.state.place, Place::Log, "esc ends the search, not the log");
    desk.key(KeyCode::Esc);
    assert_eq!(desk.state.place, Place::Board);
}

#[test]
fn a_log_that_is_followed_shows_its_end_and_one_that_is_not_stands_still() {
    let mut desk = log();
    assert!(text(&desk.draw(80, 24)).contains("the stream of"));
    desk.keys("f");
    let before = text(&desk.draw(80, 24));
    desk.state.log_lines(vec![said("payments-778b5d6c7f-n9mzx", "something new")]);
    let after = text(&desk.draw(80, 24));
    assert!(!after.contains("something new"));
    let body = |text: &str| text.lines().skip(2).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(body(&before), body(&after));
    desk.keys("G");
    assert!(text(&desk.draw(80, 24)).contains("something new"));
}

#[test]
fn an_old_answer_is_not_shown_for_another_object() {
    let (mut desk, effects) = on(busy(), payments().id(), "y");
    let Some(Effect::Yaml(rollout)) = effects.into_iter().last() else { panic!("no question") };
    let effects = desk.keys("s");
    let [Effect::Yaml(set)] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!(set.what, What::ReplicaSet(RevisionName::Hash("778b5d6c7f".into())));
    desk.answer(Answer::Look(Look::Yaml(*rollout, Ok(vec!["kind: Rollout".into()]))));
    assert!(text(&desk.draw(80, 24)).contains("reading"));
}

#[test]
fn revisions_lead_to_their_difference_from_what_is_in_the_spec() {
    let (mut desk, effects) = on(busy(), payments().id(), "v");
    assert!(matches!(effects.as_slice(), [Effect::Focus(Some(_)), Effect::Revisions(_)]), "{effects:?}");
    desk.draw(80, 24);
    assert!(desk.keys("d").is_empty(), "it is the one in the spec");
    desk.keys("j");
    let effects = desk.keys("d");
    let [Effect::Diff(_, from)] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!(*from, "67c4c777c8");
    desk.key(KeyCode::Esc);
    assert_eq!(desk.state.place, Place::History);
}

#[test]
fn the_help_of_every_act_and_sign_is_there_in_full_at_80_columns() {
    let mut desk = Desk::new(busy());
    desk.keys("?");
    let shown = text(&desk.draw(80, 250));
    let all = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    for action in crate::actions::TABLE {
        assert!(all.contains(&format!("{} {} {}", action.key, action.verb, action.help)), "{}\n{shown}", action.verb);
    }
    for sign in ["10s old", "thin", "▁▂▅█", "✓ ✗", "▸ ○", "‖ paused", "●", "baking"] {
        assert!(all.contains(sign), "{sign}\n{shown}");
    }
}

#[test]
fn text_is_found_on_every_screen_of_text() {
    // Near the end the screen cannot begin with what was found; the next one is gone to all the same.
    let mut desk = on(busy(), payments().id(), "?").0;
    desk.draw(80, 24);
    desk.keys("/old");
    desk.key(KeyCode::Enter);
    let mut seen = Vec::new();
    for _ in 0..40 {
        desk.draw(80, 24);
        seen.extend(desk.state.notice.clone());
        desk.keys("n");
    }
    let all: usize = seen[0].split(' ').nth(2).expect("a count").parse().expect("a number");
    assert!((3..40).contains(&all), "{seen:?}");
    for at in 1..=all {
        assert!(seen.contains(&format!("{at} of {all} \"old\"")), "{at} was not gone to: {seen:?}");
    }
    desk.keys("/nowhere at all");
    desk.key(KeyCode::Enter);
    assert_eq!(desk.state.notice.as_deref(), Some("\"nowhere at all\" is not there"));

    // The revisions have a cursor, which goes there.
    let mut desk = on(busy(), payments().id(), "v").0;
    desk.draw(80, 24);
    let first = desk.state.past.cursor.clone().expect("a cursor");
    let last = desk.state.past.rows.last().cloned().expect("rows");
    assert_ne!(first, last);
    desk.keys(&format!("/{last}"));
    desk.draw(80, 24);
    desk.key(KeyCode::Enter);
    assert_eq!(desk.state.past.cursor.as_ref(), Some(&last));

    let mut desk = on(busy(), payments().id(), "e").0;
    desk.draw(80, 24);
    desk.keys("/");
    assert!(text(&desk.draw(80, 24)).contains("/▏"), "it says that it is looked for");
}

#[test]
fn what_is_looked_for_in_another_log_is_said() {
    let mut desk = log();
    desk.draw(80, 24);
    desk.keys("/error");
    desk.key(KeyCode::Enter);
    assert!(text(&desk.draw(80, 24)).contains("1 of 1 \"error\""));
    desk.keys("s");
    assert!(text(&desk.draw(80, 24)).contains("finds \"error\""));
}
