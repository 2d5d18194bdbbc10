use std::sync::Arc;

use super::*;
use crate::domain::analysis::{RunPhase, RunRef};
use crate::domain::fixture;
use crate::domain::intent::{ActionId, Params};
use crate::domain::rollout::Strategy;
use crate::domain::steps::Step;
use crate::domain::workload::ReplicaSet;

fn text(id: ActionId, rollout: &Rollout) -> (String, String) {
    let said = (row(id).consequence)(&Sight::of(rollout), &Params::None);
    (said.text, said.typed)
}

fn applies(id: ActionId, rollout: &Rollout) -> Result<(), String> {
    (row(id).applies)(&Sight::of(rollout), &Params::None)
}

#[test]
fn marks_can_be_made_and_taken_back_on_any_revision_not_only_the_newest() {
    let rollout = fixture::paused();
    let set = |hash: &str, revision, why: &str| {
        let mut set = fixture::set(&rollout, hash, revision, 1);
        set.do_not_promote = (!why.is_empty()).then(|| why.into());
        Arc::new(set)
    };
    let may = |new: &str, old: &str| {
        let sets = [set("778b5d6c7f", 8, new), set("67c4c777c8", 7, old)];
        let sight = Sight { rollout: &rollout, sets: &sets, runs: None };
        [ActionId::Forbid, ActionId::Allow].map(|id| (row(id).applies)(&sight, &Params::None).is_ok())
    };
    assert_eq!(may("", ""), [true, false]);
    assert_eq!(may("leaks", ""), [true, true]);
    assert_eq!(may("", "leaks"), [true, true]);
    assert_eq!(may("leaks", "leaks"), [false, true]);
}

#[test]
fn a_canary_without_a_router_gives_back_only_what_the_stable_version_has_pods_for() {
    let mut rollout = fixture::paused();
    let Strategy::Canary(canary) = &mut rollout.strategy else { panic!("it is a canary") };
    canary.router = None;
    let says = |up: i64, id: ActionId, params: &Params| {
        let sets = [fixture::set(&rollout, "778b5d6c7f", 8, 5), fixture::set(&rollout, "67c4c777c8", 7, up)];
        let sets = sets.map(Arc::new);
        (row(id).consequence)(&Sight { rollout: &rollout, sets: &sets, runs: None }, params).text
    };
    let abort = |up| says(up, ActionId::Abort, &Params::None);
    assert_eq!(abort(10), "rev 7 takes all traffic, 10/10 ready");
    assert_eq!(abort(5), "rev 7 takes all traffic as its pods start, 5/10 ready");
    let back = Params::Revision { hash: "67c4c777c8".into(), revision: Some(7) };
    let undo = says(5, ActionId::Undo, &back);
    assert!(undo.ends_with("back to stable as its pods start, all steps skipped, 5/10 ready"), "{undo}");
}

#[test]
fn resume_says_what_follows_up_to_the_next_stop() {
    let mut rollout = fixture::paused();
    assert_eq!(text(ActionId::Resume, &rollout), ("weight 50 %, then pause 10m".into(), "50".into()));
    rollout.step_index = Some(3);
    let full = ("weight 100 %, then all traffic: the last step".into(), "full payments".into());
    assert_eq!(text(ActionId::Resume, &rollout), full);
    if let Strategy::Canary(canary) = &mut rollout.strategy {
        canary.steps.insert(4, Step::Analysis);
    }
    assert_eq!(text(ActionId::Resume, &rollout), ("analysis".into(), "resume payments".into()));
    let preview = fixture::preview();
    assert_eq!(text(ActionId::Resume, &preview).1, "live payments");
}

#[test]
fn resume_applies_to_what_is_paused_and_seen() {
    let mut rollout = fixture::paused();
    assert_eq!(applies(ActionId::Resume, &rollout), Ok(()));
    rollout.generation += 1;
    assert!(applies(ActionId::Resume, &rollout).is_err());
    rollout.generation -= 1;
    rollout.pause_conditions.clear();
    assert_eq!(applies(ActionId::Resume, &rollout), Err("already resuming".to_owned()));
    rollout.controller_pause = false;
    assert_eq!(applies(ActionId::Resume, &rollout), Err("not paused".to_owned()));
    rollout.spec_paused = true;
    assert_eq!(applies(ActionId::Resume, &rollout), Ok(()));
}

fn running() -> Rollout {
    let mut rollout = fixture::paused();
    rollout.pause_conditions.clear();
    rollout.controller_pause = false;
    rollout.step_index = Some(2);
    rollout
}

fn aborted() -> Rollout {
    let mut rollout = running();
    rollout.abort = true;
    rollout.aborted_at = Some(jiff::Timestamp::UNIX_EPOCH);
    rollout.step_index = Some(0);
    rollout
}

fn with(mut rollout: Rollout, change: impl FnOnce(&mut Rollout)) -> Rollout {
    change(&mut rollout);
    rollout
}

/// Which acts apply in which state, without what their parameters decide.
#[test]
fn every_act_knows_where_it_applies() {
    use ActionId::{Abort, Pause, PromoteFull, Restart, Resume, Retry, SkipStep};
    let paused_by_hand = with(running(), |r| r.spec_paused = true);
    let analysing = with(running(), |r| {
        r.step_run = Some(RunRef { name: "a".into(), phase: RunPhase::Running, message: "".into() });
    });
    let states: &[(&str, Rollout, &[ActionId])] = &[
        ("paused for a person", fixture::paused(), &[Resume, PromoteFull, Pause, Abort, Restart]),
        ("running", running(), &[SkipStep, PromoteFull, Pause, Abort, Restart]),
        ("paused by hand", paused_by_hand, &[Resume, PromoteFull, Abort, Restart]),
        ("analysing", analysing, &[SkipStep, PromoteFull, Pause, Abort, Restart, ActionId::Terminate]),
        ("aborted", aborted(), &[Retry, Restart]),
        ("settled", fixture::settled(fixture::paused()), &[Pause, Restart]),
        ("preview", fixture::preview(), &[Resume, PromoteFull, Pause, Abort, Restart]),
        ("first release", with(running(), |r| r.stable_hash = "".into()), &[SkipStep, PromoteFull, Pause, Restart]),
        ("not observed", with(fixture::paused(), |r| r.generation = 9), &[Pause, Abort]),
        ("being deleted", with(fixture::paused(), |r| r.deleting = true), &[]),
        ("promoting fully", with(running(), |r| r.promote_full = true), &[Pause, Abort, Restart]),
    ];
    // Undo and set image say no without parameters only where nothing could be chosen.
    let asked = ActionId::ALL
        .into_iter()
        .filter(|id| !matches!(id, ActionId::Undo | ActionId::SetImage | ActionId::Forbid | ActionId::Allow));
    let asked: Vec<ActionId> = asked.collect();
    for (state, rollout, expected) in states {
        for id in &asked {
            let says = applies(*id, rollout);
            assert_eq!(says.is_ok(), expected.contains(id), "{id:?} on {state}: {says:?}");
        }
    }
}

#[test]
fn an_abort_after_the_cutover_needs_ready_pods() {
    let mut rollout = fixture::preview();
    rollout.blue_green.active = rollout.pod_hash.clone();
    let sets = |ready| vec![Arc::new(ReplicaSet { available: ready, ..fixture::set(&rollout, "778b5d6c7f", 8, 10) })];
    let says = |sets: &[Arc<ReplicaSet>]| {
        (row(ActionId::Abort).applies)(&Sight { rollout: &rollout, sets, runs: None }, &Params::None)
    };
    assert!(says(&sets(9)).is_err_and(|why| why.contains("roll back instead")));
    assert_eq!(says(&sets(10)), Ok(()));
    assert!(says(&[]).is_err(), "what is not known is not ready");
}

#[test]
fn hold_undo_and_marks_speak_of_revisions() {
    let rollout = fixture::paused();
    let mut old = fixture::set(&rollout, "67c4c777c8", 7, 10);
    old.scale_down_deadline = Some(jiff::Timestamp::from_second(1_900_000_000).expect("a time"));
    let sets = [Arc::new(fixture::set(&rollout, "778b5d6c7f", 8, 1)), Arc::new(old)];
    let sight = Sight { rollout: &rollout, sets: &sets, runs: None };
    let says =
        |id: ActionId, params: &Params| ((row(id).applies)(&sight, params), (row(id).consequence)(&sight, params));
    let hold = |seconds| Params::Hold {
        hash: "67c4c777c8".into(),
        until: jiff::Timestamp::from_second(seconds).expect("a time"),
    };
    assert!(says(ActionId::Hold, &hold(1_800_000_000)).0.is_err_and(|why| why.contains("longer")));
    let (ok, leads) = says(ActionId::Hold, &hold(1_900_003_600));
    assert_eq!(ok, Ok(()));
    assert!(leads.text.starts_with("rev 7 stays up until"), "{leads:?}");
    let to = |hash: &str| Params::Revision { hash: hash.into(), revision: Some(7) };
    let (ok, leads) = says(ActionId::Undo, &to("67c4c777c8"));
    assert_eq!((ok, leads.typed.as_str()), (Ok(()), "rev 7"));
    assert!(leads.text.contains("back to stable at once"), "{leads:?}");
    assert!(says(ActionId::Undo, &to("778b5d6c7f")).0.is_err());
    assert!(says(ActionId::Undo, &to("gone")).0.is_err_and(|why| why.contains("not there any more")));
    assert_eq!(says(ActionId::Forbid, &Params::None).0, Ok(()));
    assert_eq!(says(ActionId::Allow, &Params::None).0, Err("no revision is marked".to_owned()));
    assert_eq!(says(ActionId::Allow, &to("67c4c777c8")).0, Err("it is not marked".to_owned()));
}

#[test]
fn a_pause_with_nothing_in_flight_says_what_waits() {
    let canary = fixture::settled(fixture::paused());
    let waits = text(ActionId::Pause, &canary).0;
    assert_eq!(waits, "the next release waits: no pod of it starts, and nothing scales, until resumed");
    let waits = text(ActionId::Pause, &fixture::settled(fixture::preview())).0;
    assert_eq!(waits, "the next release waits: its pods start, but no traffic goes to them until resumed");
    let by_hand = with(canary, |r| r.spec_paused = true);
    assert_eq!(text(ActionId::Resume, &by_hand).0, "nothing is in flight; the next release waits no longer");
    assert!(text(ActionId::Pause, &running()).0.ends_with("until resumed"), "in flight it is the step that stays");
}

#[test]
fn an_image_is_checked_before_anything_is_sent() {
    let rollout = fixture::paused();
    let says = |container: &str, image: &str| {
        let params = Params::Image { container: container.into(), image: image.into() };
        (row(ActionId::SetImage).applies)(&Sight::of(&rollout), &params)
    };
    assert_eq!(says("app", "shop/payments:new"), Ok(()));
    assert!(says("app", "shop/payments:8ab41e0").is_err_and(|why| why.contains("already")));
    assert!(says("api", "shop/payments:new").is_err_and(|why| why.contains("it has app")));
    for bad in ["BAD IMAGE", "", "shop/payments:8ab41e0shop/payments:new"] {
        assert!(says("app", bad).is_err_and(|why| why.starts_with("that is no image: ")), "{bad}");
    }
    let params = Params::Image { container: "app".into(), image: "shop/payments@sha256:0123456789abcdef".into() };
    assert_eq!((row(ActionId::SetImage).consequence)(&Sight::of(&rollout), &params).typed, "456789abcdef");
}

#[test]
fn a_full_promotion_skips_only_what_is_still_to_come() {
    let run = |phase| Some(RunRef { name: "a".into(), phase, message: "".into() });
    let says = |pre: Option<RunRef>| {
        let rollout = with(fixture::preview(), |r| {
            if let Strategy::BlueGreen(blue_green) = &mut r.strategy {
                (blue_green.pre_promotion, blue_green.post_promotion) = (true, true);
            }
            r.blue_green.pre_run = pre;
        });
        text(ActionId::PromoteFull, &rollout).0
    };
    let (pre, post) = ("the pre-promotion analysis", "the post-promotion analysis");
    for (pre_run, skips) in [
        (None, format!("{pre}, {post}")),
        (run(RunPhase::Running), format!("{pre}, {post}")),
        (run(RunPhase::Inconclusive), format!("{pre}, {post}")),
        (run(RunPhase::Successful), post.to_owned()),
    ] {
        let said = says(pre_run);
        assert!(said.ends_with(&format!("; skips {skips}")), "{said}");
    }
}

#[test]
fn a_share_is_never_more_than_the_whole() {
    assert_eq!((share(3, 10), share(4, 1)), ("3/10 ready".to_owned(), "4 ready, 1 wanted".to_owned()));
    let rollout = with(fixture::preview(), |r| {
        if let Strategy::BlueGreen(blue_green) = &mut r.strategy {
            blue_green.preview_replicas = Some(1);
        }
        r.replicas.desired = 4;
    });
    let says = |pods: i64| {
        let sets = [Arc::new(fixture::set(&rollout, "778b5d6c7f", 2, pods))];
        let sight = Sight { rollout: &rollout, sets: &sets, runs: None };
        (row(ActionId::Resume).consequence)(&sight, &Params::None).text
    };
    assert_eq!(says(1), "live traffic goes to rev 2: it is scaled from 1 to 4 first");
    assert_eq!(says(4), "live traffic goes to rev 2, 4/4 ready");
    // What has the live traffic is not scaled down to anything.
    let active = with(rollout, |r| r.blue_green.active = "67c4c777c8".into());
    assert_eq!(revision::smaller_preview(&active, &"67c4c777c8".into()), None);
    assert_eq!(revision::smaller_preview(&active, &"778b5d6c7f".into()), Some(1));
}
