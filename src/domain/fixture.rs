//! Rollouts for tests.

use super::ids::{ClusterId, TargetId, TargetKind};
use super::intent::{ActionId, Actor, Confirmed, Intent, Params};
use super::owner::GitOwner;
use super::rollout::{
    BlueGreen, BlueGreenStatus, Canary, Container, PauseCondition, Phase, Replicas, Rollout, Strategy,
};
use super::seen::Seen;
use super::steps::Step;
use super::text::Clean;
use super::workload::ReplicaSet;

pub(crate) fn id(name: &str) -> TargetId {
    TargetId {
        cluster: ClusterId("cluster-1".into()),
        namespace: "shop".into(),
        kind: TargetKind::Rollout,
        name: name.into(),
    }
}

pub(crate) fn pause(reason: &str, since: &str) -> PauseCondition {
    PauseCondition { reason: reason.into(), start_time: since.into() }
}

/// A canary 5 → pause → 50 → pause 10m → 100, ten replicas, paused for a person at step 2.
pub(crate) fn paused() -> Rollout {
    Rollout {
        id: id("payments"),
        uid: "uid-1".into(),
        resource_version: "100".into(),
        generation: 8,
        observed_generation: "8".into(),
        created: None,
        deleting: false,
        labels: Vec::new(),
        revision: Some(8),
        strategy: Strategy::Canary(Canary {
            steps: vec![
                Step::SetWeight { weight: 5 },
                Step::Pause { seconds: None },
                Step::SetWeight { weight: 50 },
                Step::Pause { seconds: Some(600) },
                Step::SetWeight { weight: 100 },
            ],
            ..Canary::default()
        }),
        containers: vec![Container { name: "app".into(), image: "shop/payments:8ab41e0".into() }],
        workload_ref: None,
        owner: GitOwner::Unknown,
        restart_at: None,
        restarted_at: None,
        rollback_window: None,
        progress_deadline: 600,
        progress_deadline_abort: false,
        spec_paused: false,
        phase: Phase::Paused,
        message: "CanaryPauseStep".into(),
        pod_hash: "778b5d6c7f".into(),
        stable_hash: "67c4c777c8".into(),
        step_index: Some(1),
        pause_conditions: vec![pause("CanaryPauseStep", "2026-11-24T10:00:00Z")],
        controller_pause: true,
        abort: false,
        aborted_at: None,
        promote_full: false,
        weights: None,
        step_run: None,
        background_run: None,
        experiment: Clean::default(),
        blue_green: BlueGreenStatus::default(),
        progressing: None,
        completed_at: None,
        replicas: Replicas { desired: 10, current: 11, updated: 1, ready: 11, available: 11 },
        selector: Clean::new("app=payments"),
    }
}

pub(crate) fn intent(rollout: &Rollout) -> Intent {
    Intent {
        act: super::ids::ActId("act-1".to_owned()),
        action: ActionId::Resume,
        params: Params::None,
        plan: None,
        target: rollout.id.clone(),
        context: "prod-eu".into(),
        seen: Seen::of(rollout, jiff::Timestamp::UNIX_EPOCH),
        actor: Actor { os_user: "anna".into(), kube_user: None, face: "tui" },
        reason: None,
        confirmed: Confirmed::Typed,
    }
}

/// A blue-green whose preview waits for a person: the active service is on the stable version.
pub(crate) fn preview() -> Rollout {
    let mut rollout = paused();
    rollout.strategy = Strategy::BlueGreen(BlueGreen {
        active_service: "payments".into(),
        preview_service: Some("payments-preview".into()),
        auto_promotion: false,
        ..BlueGreen::default()
    });
    rollout.step_index = None;
    rollout.message = "BlueGreenPause".into();
    rollout.pause_conditions = vec![pause("BlueGreenPause", "2026-11-24T10:00:00Z")];
    rollout.blue_green.active = rollout.stable_hash.clone();
    rollout.blue_green.preview = rollout.pod_hash.clone();
    rollout
}

/// The same once nothing is in flight.
pub(crate) fn settled(mut rollout: Rollout) -> Rollout {
    rollout.stable_hash = rollout.pod_hash.clone();
    if rollout.strategy.blue_green().is_some() {
        rollout.blue_green.active = rollout.pod_hash.clone();
    }
    rollout.step_index = rollout.step_index.map(|_| i64::try_from(rollout.steps().len()).unwrap_or(0));
    rollout.phase = Phase::Healthy;
    rollout.message = Clean::default();
    rollout.pause_conditions.clear();
    rollout.controller_pause = false;
    rollout
}

/// A ReplicaSet of `rollout`.
pub(crate) fn set(rollout: &Rollout, hash: &str, revision: i64, pods: i64) -> ReplicaSet {
    ReplicaSet {
        namespace: rollout.id.namespace.clone(),
        name: Clean::new(&format!("{}-{hash}", rollout.id.name)),
        uid: Clean::new(&format!("uid-{hash}")),
        owner_uid: rollout.uid.clone(),
        resource_version: "90".into(),
        pod_hash: hash.into(),
        revision: Some(revision),
        images: vec![Clean::new(&format!("shop/payments:{revision}"))],
        desired: pods,
        current: pods,
        ready: pods,
        available: pods,
        created: jiff::Timestamp::from_second(1_800_000_000 + revision * 60).ok(),
        scale_down_deadline: None,
        do_not_promote: None,
    }
}
