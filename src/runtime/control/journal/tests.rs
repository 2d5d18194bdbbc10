//! A log that fails and comes back, under acts.

use super::*;
use crate::domain::fixture;
use crate::domain::ids::ActId;
use crate::domain::prepared::{PlanStep, WriteRequest};
use crate::policy::Mandate;
use crate::runtime::control::Recording;

fn stamp(instance: &str) -> crate::audit::Stamp {
    crate::audit::Stamp {
        host: "h".to_owned(),
        pid: 1,
        instance: instance.to_owned(),
        program: "0".to_owned(),
        boot_id: "b".to_owned(),
        now: Arc::new(|| (Timestamp::now(), 0)),
    }
}

fn journal(dir: &std::path::Path) -> Journal {
    let log = AuditLog::open(dir, stamp("one")).map(Arc::new).map_err(|e| e.to_string());
    let provenance = Provenance::fixed(Recording::default(), &Mandate::default());
    Journal::new(log, provenance, None)
}

fn prepared(act: &str) -> Prepared {
    let mut intent = fixture::intent(&fixture::paused());
    intent.act = ActId(act.to_owned());
    let request = WriteRequest {
        method: "PATCH",
        path: "/x".to_owned(),
        content_type: "application/json",
        body: "[]".to_owned(),
    };
    Prepared { intent, steps: vec![PlanStep { title: "x".to_owned(), request }] }
}

fn ended(act: &str) -> Act {
    let at = Timestamp::now();
    Act {
        intent: prepared(act).intent,
        asked: at,
        recorded: None,
        sent: Some(at),
        accepted: None,
        ended: Some((at, Outcome::Done { effect: "it moved".to_owned() })),
        outcome_recorded: None,
    }
}

/// A file stands where the folder was: nothing can be written, nor read.
fn broken(dir: &std::path::Path) {
    std::fs::rename(dir, dir.with_extension("away")).expect("moved");
    std::fs::write(dir, "no folder").expect("written");
}

fn mended(dir: &std::path::Path) {
    std::fs::remove_file(dir).expect("removed");
    std::fs::rename(dir.with_extension("away"), dir).expect("moved back");
}

#[tokio::test]
async fn an_outcome_that_the_log_did_not_take_is_written_as_soon_as_it_takes_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path().join("audit");
    let journal = journal(&dir);
    let seq = journal.authorize(prepared("a")).await.expect("authorised").seq();
    assert_eq!(seq, Some(2));
    broken(&dir);
    let why = journal.outcome(&ended("a"), true).await.expect_err("the log is away");
    assert!(why.contains("written late"), "{why}");
    let view = journal.view().await;
    assert!(matches!(view.state, AuditState::Failed { .. }) && view.late == 1, "{view:?}");
    journal.authorize(prepared("b")).await.expect_err("nothing moves forward");
    mended(&dir);
    drop(journal.authorize(prepared("c")).await.expect("it takes records again"));
    let view = journal.view().await;
    assert_eq!((view.state, view.late, view.records), (AuditState::Ready, 0, 4));
    let late = journal.read(ReadQuery { act: Some("a".to_owned()), ..ReadQuery::default() }).await.expect("read");
    assert!(late[0].record.said.late && late[0].record.said.kind == RecordKind::Outcome, "{late:#?}");
    assert!(journal.farewell().await.is_empty());
}

#[tokio::test]
async fn the_outcome_of_a_degraded_act_follows_its_intent() {
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path().join("audit");
    let journal = journal(&dir);
    let intent = journal.of_prepared(&prepared("stop"));
    let held = journal.0.late.authorize(intent, prepared("stop"), Timestamp::now(), "disk full").expect("room");
    assert_eq!(held.seq(), None);
    // The log is back before the act ended: the outcome still comes second.
    let seq = journal.outcome(&ended("stop"), true).await.expect("written");
    assert_eq!((seq, journal.late()), (3, 0));
    let records = journal.read(ReadQuery { act: Some("stop".to_owned()), ..ReadQuery::default() }).await.expect("read");
    let kinds: Vec<_> = records.iter().map(|s| (s.record.said.kind, s.record.said.late)).collect();
    assert_eq!(kinds, [(RecordKind::Outcome, true), (RecordKind::Intent, true)], "newest first");
    let looker = AuditLog::open(&dir, stamp("two")).expect("a log");
    assert!(looker.leftovers().expect("read").is_empty());
}

#[tokio::test]
async fn only_acts_that_stop_harm_go_without_a_record_and_none_where_one_is_required() {
    let none = |required| {
        let mandate = Mandate { audit_required: required, ..Mandate::default() };
        let provenance = Provenance::fixed(Recording::default(), &mandate);
        Journal::new(Err("no place for it".to_owned()), provenance, None)
    };
    let forward = none(false).authorize_degraded(prepared("a"), "x").expect_err("resume moves forward");
    assert!(forward.contains("stop harm"), "{forward}");
    let required = none(true).authorize_degraded(prepared("a"), "x").expect_err("it is required");
    assert!(required.contains("audit.required"), "{required}");
}

#[tokio::test]
async fn what_no_log_ever_took_is_handed_over_at_the_end() {
    let provenance = Provenance::fixed(Recording::default(), &Mandate::default());
    let journal = Journal::new(Err("no place for it".to_owned()), provenance, None);
    journal.outcome(&ended("a"), true).await.expect_err("no log");
    let lines = journal.farewell().await;
    assert_eq!(lines.len(), 1);
    let line: serde_json::Value = serde_json::from_str(&lines[0]).expect("JSON");
    assert_eq!((&line["act"], &line["lateBecause"]), (&"a".into(), &"no place for it".into()));
    assert!(journal.farewell().await.is_empty(), "said once");
}

#[tokio::test]
async fn a_plan_is_on_record_with_its_steps_and_is_found_when_its_process_died() {
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path().join("audit");
    let first = journal(&dir);
    let intent = prepared("a").intent;
    let stage = Stage {
        title: "undo to revision 7".to_owned(),
        target: intent.target.clone(),
        context: intent.context.clone(),
        action: crate::domain::intent::ActionId::Undo,
        params: crate::domain::intent::Params::Revision { hash: "67c4c777c8".into(), revision: Some(7) },
        seen: None,
        only_on: Some("778b5d6c7f".into()),
    };
    let plan = Arc::new(Plan {
        id: "plan-1".to_owned(),
        title: "roll back".to_owned(),
        stages: vec![stage.clone(), Stage { seen: Some(intent.seen.clone()), ..stage }],
        on_failure: OnFailure::Stop,
        actor: intent.actor.clone(),
        reason: Some("errors".into()),
        confirmed: intent.confirmed.clone(),
    });
    first.plan_began(&plan).await.expect("recorded");
    let mut act = ended("a");
    act.intent.plan = Some(crate::domain::plan::PlanRef { id: "plan-1".to_owned(), step: 1, of: 2 });
    first.outcome(&act, true).await.expect("recorded");
    let second = AuditLog::open(&dir, stamp("two")).expect("a log");
    assert!(second.open_plans().expect("read").is_empty(), "its process lives");
    drop(first);
    let open = second.open_plans().expect("read");
    let (begun, acts) = &open[0];
    assert_eq!((open.len(), acts.len()), (1, 1));
    assert_eq!(acts[0].said.plan.as_ref().map(|p| (p.step, p.of)), Some((1, 2)));
    assert_eq!(begun.said.steps[0].op, "undo");
    assert_eq!(begun.said.steps[0].params.get("podHash").map(String::as_str), Some("67c4c777c8"));
    assert_eq!(begun.said.steps[0].only_on.as_deref(), Some("778b5d6c7f"));
    assert_eq!(begun.said.target.as_ref().map(|t| t.name.as_str()), Some("payments"));

    let again = journal(&dir);
    let run = PlanRun {
        plan,
        began: Timestamp::now(),
        stages: vec![
            StageState::Ended { act: ActId("a".to_owned()), outcome: Outcome::Done { effect: "moved".to_owned() } },
            StageState::LeftOut { why: "not needed".to_owned() },
        ],
        ended: Some((Timestamp::now(), true)),
    };
    again.plan_ended(&run).await.expect("recorded");
    assert!(second.open_plans().expect("read").is_empty(), "it has ended");
    let last = again.read(ReadQuery { limit: Some(1), ..ReadQuery::default() }).await.expect("read").remove(0).record;
    let outcome = last.said.outcome.expect("an outcome");
    assert_eq!(
        (last.said.kind.as_str(), outcome.word.as_str(), outcome.detail.as_str()),
        ("plan-end", "done", "1 of 2 steps done")
    );
    assert_eq!(outcome.evidence.get("step002").map(String::as_str), Some("left out: not needed"));
}

#[tokio::test]
async fn an_abort_goes_without_a_record_and_is_written_late() {
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path().join("audit");
    let journal = journal(&dir);
    let mut stop = prepared("stop");
    stop.intent.action = crate::domain::intent::ActionId::Abort;
    drop(journal.authorize(prepared("earlier")).await.expect("the log takes records"));
    broken(&dir);
    let why = journal.authorize(stop.clone()).await.expect_err("the log is away");
    let held = journal.authorize_degraded(stop, &why).expect("it stops harm");
    assert!(matches!(held.standing(), crate::audit::Standing::Degraded { .. }));
    drop(held.into_inner());
    journal.outcome(&ended("stop"), true).await.expect_err("still away");
    assert_eq!(journal.view().await.late, 2);
    mended(&dir);
    assert!(journal.mend().await, "nothing ails any more");
    let view = journal.view().await;
    assert_eq!((view.state, view.late, view.records), (AuditState::Ready, 0, 4));
}
