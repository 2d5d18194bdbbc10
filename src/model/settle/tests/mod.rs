mod acts;

use super::*;
use crate::domain::fixture;
use crate::domain::rollout::Phase;

type Change = fn(&mut Rollout);

fn after(change: Change) -> Option<Outcome> {
    let seen = fixture::paused();
    let intent = fixture::intent(&seen);
    let mut now = seen;
    now.resource_version = "102".into();
    change(&mut now);
    settle(&intent, Written::Version("101"), Some(Sight::of(&now)))
}

fn word(change: Change) -> &'static str {
    after(change).map_or("open", |outcome| outcome.word())
}

#[test]
fn only_the_effect_on_a_newer_version_proves_a_resume() {
    let table: &[(&str, Change, &str)] = &[
        ("nothing yet", |_| {}, "open"),
        ("our own write: conditions gone, controller not yet round", |r| r.pause_conditions.clear(), "open"),
        (
            "the step moved",
            |r| {
                r.pause_conditions.clear();
                r.controller_pause = false;
                r.step_index = Some(2);
            },
            "done",
        ),
        (
            "the step moved, on an older version",
            |r| {
                r.step_index = Some(2);
                r.resource_version = "101".into();
            },
            "open",
        ),
        ("the step moved, and it waits again", |r| r.step_index = Some(3), "done"),
        ("another version", |r| r.pod_hash = "other".into(), "superseded"),
        ("aborted", |r| r.abort = true, "superseded"),
        ("made anew", |r| r.uid = "uid-2".into(), "superseded"),
        ("paused by hand", |r| r.spec_paused = true, "superseded"),
        ("spec changed, not yet observed", |r| r.generation = 9, "open"),
        (
            "paused again at the same step",
            |r| r.pause_conditions = vec![fixture::pause("InconclusiveAnalysisRun", "2026-11-24T10:05:00Z")],
            "no effect",
        ),
        ("all done", |r| r.stable_hash = r.pod_hash.clone(), "done"),
    ];
    for (what, change, expected) in table {
        assert_eq!(word(*change), *expected, "{what}");
    }
}

#[test]
fn a_manual_pause_is_over_when_the_controller_runs() {
    let mut seen = fixture::paused();
    seen.pause_conditions.clear();
    seen.controller_pause = false;
    seen.spec_paused = true;
    seen.message = "manually paused".into();
    let intent = fixture::intent(&seen);
    let mut now = seen;
    now.resource_version = "102".into();
    now.spec_paused = false;
    now.generation = 9;
    assert_eq!(settle(&intent, Written::Version("101"), Some(Sight::of(&now))), None, "not observed yet");
    now.observed_generation = "9".into();
    assert_eq!(settle(&intent, Written::Version("101"), Some(Sight::of(&now))), None, "status still says paused");
    now.phase = Phase::Progressing;
    let done = settle(&intent, Written::Version("101"), Some(Sight::of(&now)));
    assert_eq!(done.map(|o| o.word()), Some("done"));
}

#[test]
fn a_deleted_target_supersedes() {
    let intent = fixture::intent(&fixture::paused());
    assert_eq!(settle(&intent, Written::Version("1"), None).map(|o| o.word()), Some("superseded"));
}

#[test]
fn versions_compare_as_numbers_where_they_are() {
    assert!(newer("10", "9"));
    assert!(!newer("9", "10"));
    assert!(!newer("9", "9"));
    assert!(newer("abc", "abd"));
    assert!(!newer("abc", "abc"));
}

#[test]
fn where_it_stands_says_each_word_once_and_what_is_only_wanted() {
    let mut rollout = fixture::paused();
    assert_eq!(stands(&rollout), "step 2/5, pause, for a person (Paused: CanaryPauseStep)");
    rollout.step_index = Some(2);
    assert_eq!(whereabouts(&rollout), "step 3/5 (weight 50 % wanted)", "the traffic may be anywhere");
    assert_eq!(stands(&fixture::preview()), "Paused: BlueGreenPause");
    assert_eq!(stands(&fixture::settled(fixture::preview())), "Healthy");
}

#[test]
fn what_was_aborted_stands_at_no_step() {
    let mut rollout = fixture::paused();
    rollout.abort = true;
    assert_eq!(super::whereabouts(&rollout), "aborted");
}
