//! What happened here, elsewhere, and neither.

use super::*;
use crate::domain::fixture;
use crate::domain::record::{Draft, RequestRecord, TargetRecord};

fn at(minute: i64, second: i64) -> Timestamp {
    Timestamp::from_second(1_000_000 + minute * 60 + second).expect("a time")
}

fn record(kind: RecordKind, act: &str, when: Timestamp, body: &str) -> StoredRecord {
    let mut said = Draft::new(kind);
    said.act = act.to_owned();
    said.op = "undo".to_owned();
    said.target = Some(TargetRecord { uid: "uid-1".to_owned(), ..TargetRecord::default() });
    said.requests = vec![RequestRecord {
        method: "PATCH".to_owned(),
        path: "/x".to_owned(),
        content_type: "json".to_owned(),
        body: body.to_owned(),
    }];
    let record = Record {
        v: 1,
        seq: 7,
        ts: when.to_string(),
        boot_id: String::new(),
        boottime_ns: String::new(),
        pid: 1,
        host: "here".to_owned(),
        instance: String::new(),
        program: String::new(),
        said,
        prev: String::new(),
    };
    StoredRecord { record, file: String::new(), line: 1, leaf: String::new() }
}

/// An act on the template, from minute 10 to 10:20.
fn log() -> Vec<StoredRecord> {
    vec![
        record(RecordKind::Intent, "act-1", at(10, 0), "[{\"path\":\"/spec/template\"}]"),
        record(RecordKind::Outcome, "act-1", at(10, 20), ""),
        record(RecordKind::Refusal, "act-2", at(30, 0), ""),
    ]
}

fn manager(name: &str, time: Option<Timestamp>) -> Manager {
    Manager {
        manager: name.into(),
        operation: "Update".into(),
        subresource: "".into(),
        time,
        fields: vec!["spec.template".into()],
    }
}

fn event(reason: &str, name: &str, instance: &str, message: &str, at: Timestamp) -> ClusterEvent {
    ClusterEvent {
        uid: name.into(),
        at: Some(at),
        reason: reason.into(),
        message: message.into(),
        warning: false,
        count: 1,
        source: "x".into(),
        instance: instance.into(),
        name: name.into(),
        object: "Rollout/payments".into(),
        object_uid: "uid-1".into(),
    }
}

fn history() -> History {
    History {
        target: fixture::id("payments"),
        uid: "uid-1".into(),
        managers: Vec::new(),
        events: Vec::new(),
        revisions: Vec::new(),
        unread: Vec::new(),
    }
}

fn sides(history: &History) -> Vec<Side> {
    reconcile(history, &log(), "here_log", at(0, 0)).found.into_iter().map(|f| f.side).collect()
}

#[test]
fn a_write_is_ours_only_by_manager_and_time() {
    let of = |name: &str, time| sides(&History { managers: vec![manager(name, time)], ..history() });
    assert_eq!(of("flightdeck", Some(at(10, 5))), [Side::Recorded]);
    assert_eq!(of("flightdeck", Some(at(9, 57))), [Side::Recorded], "the server's clock is a little behind");
    assert_eq!(of("flightdeck", Some(at(9, 50))), [Side::Unexplained]);
    assert_eq!(of("flightdeck", Some(at(10, 40))), [Side::Unexplained]);
    assert_eq!(of("flightdeck", Some(at(30, 0))), [Side::Unexplained], "a refused act sent nothing");
    assert_eq!(of("kubectl-edit", Some(at(10, 5))), [Side::Unexplained], "another manager in our time");
    assert_eq!(of("kubectl", None), [Side::Unclear], "no time may be now or long ago");
    assert!(of("rollouts-controller", Some(at(10, 5))).is_empty());
    let old = History { managers: vec![manager("kubectl-edit", Some(at(5, 0)))], ..history() };
    assert!(reconcile(&old, &log(), "here_log", at(6, 0)).found.is_empty(), "before the window");
}

#[test]
fn another_log_says_so_by_its_event_and_ours_without_a_record_is_found() {
    let write = manager("flightdeck", Some(at(20, 0)));
    let other = event("FlightdeckAct", "flightdeck.act-8", "there_log", "abort by bob: done", at(20, 3));
    let both = History { managers: vec![write], events: vec![other], ..history() };
    assert_eq!(sides(&both), [Side::Elsewhere, Side::Elsewhere]);
    let ours = event("FlightdeckAct", "flightdeck.act-1", "here_log", "undo by anna: done", at(10, 21));
    assert_eq!(sides(&History { events: vec![ours], ..history() }), [Side::Recorded]);
    let cut = event("FlightdeckAct", "flightdeck.act-3", "here_log", "undo by anna: done", at(40, 0));
    let account = reconcile(&History { events: vec![cut], ..history() }, &log(), "here_log", at(0, 0));
    assert_eq!(account.count(Side::Unexplained), 1);
    assert!(account.found[0].because.contains("tail was cut"), "{account:?}");
}

#[test]
fn a_revision_needs_an_act_that_sets_a_template() {
    let begun = |created| PastRevision {
        number: Some(9),
        created: Some(created),
        name: "payments-x".into(),
        images: vec!["shop/payments:9".into()],
    };
    let of = |created| History { revisions: vec![begun(created)], ..history() };
    assert_eq!(sides(&of(at(10, 2))), [Side::Recorded]);
    assert_eq!(sides(&of(at(11, 10))), [Side::Recorded], "the controller was busy");
    assert_eq!(sides(&of(at(20, 0))), [Side::Unexplained]);
    let named = History { managers: vec![manager("kubectl-edit", Some(at(19, 59)))], ..of(at(20, 0)) };
    let account = reconcile(&named, &log(), "here_log", at(0, 0));
    assert!(account.found[1].because.contains("kubectl-edit"), "{account:?}");
    let two = vec![manager("kubectl-create", Some(at(19, 20))), manager("kubectl-edit", Some(at(20, 1)))];
    let account = reconcile(&History { managers: two, ..of(at(20, 0)) }, &log(), "here_log", at(0, 0));
    assert!(account.found.iter().any(|f| f.who == "ReplicaSet" && f.because.contains("kubectl-edit")), "{account:?}");
    let mut plain = log();
    plain[0].record.said.requests[0].body = "[{\"path\":\"/status/pauseConditions\"}]".to_owned();
    let account = reconcile(&of(at(10, 2)), &plain, "here_log", at(0, 0));
    assert_eq!(account.count(Side::Unexplained), 1, "a resume begins no revision");
}

#[test]
fn what_the_controller_says_may_be_its_own_doing() {
    let of = |reason: &str, text: &str, when| {
        sides(&History { events: vec![event(reason, "e", "", text, when)], ..history() })
    };
    assert_eq!(of("RolloutAborted", "aborted update to revision 9", at(10, 3)), [Side::Recorded]);
    assert_eq!(of("RolloutAborted", "aborted update to revision 9", at(20, 0)), [Side::Unclear]);
    assert_eq!(of("RolloutAborted", "metric \"errors\" assessed Failed", at(20, 0)), [Side::Controller]);
    assert_eq!(of("RolloutResumed", "Rollout is resumed", at(20, 0)), [Side::Unclear]);
    let step = |text: &str, when| of("RolloutStepCompleted", text, when);
    assert_eq!(step("Rollout step 2/6 completed (pause)", at(20, 0)), [Side::Unexplained], "it needs a person");
    assert_eq!(step("Rollout step 2/6 completed (pause)", at(10, 2)), [Side::Recorded]);
    assert!(step("Rollout step 4/6 completed (pause: 3s)", at(20, 0)).is_empty());
    assert_eq!(of("RolloutCompleted", "…: Full promotion requested", at(20, 0)), [Side::Unexplained]);
    assert!(of("RolloutCompleted", "…: Completed all 5 canary steps", at(20, 0)).is_empty());
    assert!(of("ScalingReplicaSet", "Scaled up", at(20, 0)).is_empty());
}
