//! What proves each act, and what does not.

use std::sync::Arc;

use super::super::*;
use crate::domain::fixture;
use crate::domain::intent::Params;
use crate::domain::rollout::{Phase, Strategy, Weights};
use crate::domain::workload::ReplicaSet;

struct Scene {
    intent: Intent,
    now: Rollout,
    sets: Vec<Arc<ReplicaSet>>,
}

fn scene(action: ActionId, params: Params, seen: Rollout) -> Scene {
    let mut intent = fixture::intent(&seen);
    (intent.action, intent.params) = (action, params);
    let mut now = seen;
    now.resource_version = "102".into();
    let sets =
        vec![Arc::new(fixture::set(&now, "778b5d6c7f", 8, 1)), Arc::new(fixture::set(&now, "67c4c777c8", 7, 10))];
    Scene { intent, now, sets }
}

impl Scene {
    fn word(&self) -> &'static str {
        let sight = Sight { rollout: &self.now, sets: &self.sets, runs: None };
        settle(&self.intent, Written::Version("101"), Some(sight)).map_or("open", |outcome| outcome.word())
    }

    fn pods(&mut self, hash: &str, pods: i64) {
        for set in &mut self.sets {
            if set.pod_hash == *hash {
                let set = Arc::make_mut(set);
                (set.desired, set.current, set.ready, set.available) = (pods, pods, pods, pods);
            }
        }
    }
}

fn running() -> Rollout {
    let mut rollout = fixture::paused();
    rollout.pause_conditions.clear();
    rollout.controller_pause = false;
    rollout.step_index = Some(2);
    rollout
}

fn routed(canary: i64) -> Rollout {
    let mut rollout = running();
    if let Strategy::Canary(c) = &mut rollout.strategy {
        c.router = Some("nginx".into());
    }
    rollout.weights = Some(Weights { canary, stable: 100 - canary, additional: 0, verified: None });
    rollout
}

#[test]
fn an_abort_is_done_when_the_traffic_is_back_and_not_when_a_condition_says_aborted() {
    let mut plain = scene(ActionId::Abort, Params::None, running());
    plain.now.abort = true;
    assert_eq!(plain.word(), "open", "our own write");
    plain.now.aborted_at = Some(jiff::Timestamp::UNIX_EPOCH);
    plain.now.phase = Phase::Degraded;
    assert_eq!(plain.word(), "open", "the canary's pod still has its share");
    plain.pods("778b5d6c7f", 0);
    assert_eq!(plain.word(), "done");

    let mut router = scene(ActionId::Abort, Params::None, routed(50));
    (router.now.abort, router.now.aborted_at) = (true, Some(jiff::Timestamp::UNIX_EPOCH));
    router.now.phase = Phase::Degraded;
    assert_eq!(router.word(), "open", "dynamicStableScale: aborted, and half of the traffic is still there");
    router.now.weights = Some(Weights { canary: 0, stable: 100, additional: 0, verified: None });
    assert_eq!(router.word(), "done");

    let mut blue_green = scene(ActionId::Abort, Params::None, fixture::preview());
    blue_green.now.blue_green.active = blue_green.now.pod_hash.clone();
    (blue_green.now.abort, blue_green.now.aborted_at) = (true, Some(jiff::Timestamp::UNIX_EPOCH));
    assert_eq!(blue_green.word(), "open", "the service stays on the new version");
    blue_green.now.blue_green.active = blue_green.now.stable_hash.clone();
    assert_eq!(blue_green.word(), "done");

    let mut late = scene(ActionId::Abort, Params::None, running());
    late.now = fixture::settled(late.now);
    assert_eq!(late.word(), "superseded");
}

#[test]
fn promoting_fully_is_done_when_the_version_is_stable_or_active() {
    let mut canary = scene(ActionId::PromoteFull, Params::None, running());
    canary.now.promote_full = true;
    canary.now.step_index = Some(5);
    assert_eq!(canary.word(), "open", "the last step says nothing: the pods may never be ready");
    canary.now = fixture::settled(canary.now);
    assert_eq!(canary.word(), "done");
    let mut blue_green = scene(ActionId::PromoteFull, Params::None, fixture::preview());
    blue_green.now.promote_full = true;
    assert_eq!(blue_green.word(), "open");
    blue_green.now.blue_green.active = blue_green.now.pod_hash.clone();
    assert_eq!(blue_green.word(), "done");
    blue_green.now.abort = true;
    assert_eq!(blue_green.word(), "superseded");
}

#[test]
fn a_pause_a_skip_and_a_retry() {
    let mut pause = scene(ActionId::Pause, Params::None, running());
    assert_eq!(pause.word(), "superseded", "someone resumed it at once");
    pause.now.spec_paused = true;
    assert_eq!(pause.word(), "done");
    pause.now.generation = 9;
    assert_eq!(pause.word(), "open", "not observed yet");

    let mut skip = scene(ActionId::SkipStep, Params::None, running());
    assert_eq!(skip.word(), "open");
    skip.now.step_index = Some(3);
    assert_eq!(skip.word(), "done");
    skip.now.pod_hash = "other".into();
    assert_eq!(skip.word(), "superseded");

    let mut seen = running();
    (seen.abort, seen.aborted_at, seen.phase) = (true, Some(jiff::Timestamp::UNIX_EPOCH), Phase::Degraded);
    let mut retry = scene(ActionId::Retry, Params::None, seen);
    retry.now.abort = false;
    assert_eq!(retry.word(), "open", "the flag alone is only the asking");
    (retry.now.aborted_at, retry.now.phase) = (None, Phase::Progressing);
    assert_eq!(retry.word(), "done");
}

#[test]
fn an_undo_is_done_when_the_traffic_is_on_the_wanted_version() {
    let to = |hash: &str| Params::Revision { hash: hash.into(), revision: Some(7) };
    let mut canary = scene(ActionId::Undo, to("67c4c777c8"), running());
    assert_eq!(canary.word(), "open");
    canary.now.pod_hash = "67c4c777c8".into();
    assert_eq!(canary.word(), "open", "the template is back, the other version's pod still has its share");
    canary.pods("778b5d6c7f", 0);
    assert_eq!(canary.word(), "done");
    canary.now.pod_hash = "third".into();
    assert_eq!(canary.word(), "superseded");

    let mut blue_green = scene(ActionId::Undo, to("67c4c777c8"), fixture::settled(fixture::preview()));
    blue_green.now.pod_hash = "67c4c777c8".into();
    assert_eq!(blue_green.word(), "open");
    blue_green.now.pause_conditions = vec![fixture::pause("BlueGreenPause", "2026-11-24T10:00:00Z")];
    assert_eq!(blue_green.word(), "done", "it waits at the preview, and the effect says so");
    blue_green.now.blue_green.active = "67c4c777c8".into();
    assert_eq!(blue_green.word(), "done");
}

#[test]
fn an_image_is_set_when_it_is_in_the_template_of_a_new_version() {
    let params = Params::Image { container: "app".into(), image: "shop/payments:new".into() };
    let mut set = scene(ActionId::SetImage, params, running());
    set.now.containers[0].image = "shop/payments:new".into();
    assert_eq!(set.word(), "open", "the controller has not made a version of it");
    set.now.pod_hash = "newhash".into();
    assert_eq!(set.word(), "done");
    set.now.containers[0].image = "shop/payments:other".into();
    assert_eq!(set.word(), "superseded");
}

#[test]
fn a_restart_is_done_when_its_time_is_answered() {
    let at: jiff::Timestamp = "2026-11-24T10:05:00Z".parse().expect("a time");
    let mut restart = scene(ActionId::Restart, Params::Restart { at }, running());
    restart.now.restart_at = Some(at);
    assert_eq!(restart.word(), "open");
    restart.now.restarted_at = Some(at);
    assert_eq!(restart.word(), "done");
    restart.now.restart_at = Some(at + jiff::SignedDuration::from_secs(5));
    assert_eq!(restart.word(), "superseded");
}

#[test]
fn marks_and_holds_are_seen_on_the_replica_set_itself() {
    let until: jiff::Timestamp = "2026-11-24T11:00:00Z".parse().expect("a time");
    let params = Params::Hold { hash: "67c4c777c8".into(), until };
    let mut hold = scene(ActionId::Hold, params, running());
    hold.now.resource_version = "50".into();
    assert_eq!(hold.word(), "open", "the ReplicaSet is older than the write");
    {
        let set = Arc::make_mut(&mut hold.sets[1]);
        set.resource_version = "101".into();
        set.scale_down_deadline = Some(until);
    }
    assert_eq!(hold.word(), "done", "the write itself is the effect");
    Arc::make_mut(&mut hold.sets[1]).desired = 0;
    assert_eq!(hold.word(), "no effect");
    hold.sets.remove(1);
    assert_eq!(hold.word(), "superseded");

    let params = Params::Revision { hash: "778b5d6c7f".into(), revision: Some(8) };
    let mut mark = scene(ActionId::Forbid, params, running());
    Arc::make_mut(&mut mark.sets[0]).resource_version = "103".into();
    assert_eq!(mark.word(), "open");
    Arc::make_mut(&mut mark.sets[0]).do_not_promote = Some("leaks".into());
    assert_eq!(mark.word(), "done");
    mark.intent.action = ActionId::Allow;
    assert_eq!(mark.word(), "open");
}
