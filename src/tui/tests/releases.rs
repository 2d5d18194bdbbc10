//! Releases in every state, with all that belongs to them.

use std::sync::Arc;

use super::worlds::{ago, link, now, set, target, world_of};
use crate::domain::analysis::{
    AnalysisRun, Counts, Experiment, ExperimentTemplate, Measurement, Metric, RunKind, RunPhase, RunRef,
};
use crate::domain::environment::Tier;
use crate::domain::fixture;
use crate::domain::history::{ClusterEvent, Manager};
use crate::domain::ids::ActId;
use crate::domain::intent::{ActionId, Confirmed, Params};
use crate::domain::link::LinkState;
use crate::domain::outcome::Outcome;
use crate::domain::owner::GitOwner;
use crate::domain::plan::{OnFailure, Plan, PlanRun, Stage, StageState};
use crate::domain::rollout::{BlueGreen, BlueGreenStatus, Phase, Rollout, Strategy};
use crate::domain::workload::ReplicaSet;
use crate::model::{Target, World};

/// A blue-green with its preview up, waiting for a person.
fn blue_green(name: &str) -> Rollout {
    let mut rollout = fixture::paused();
    rollout.id = fixture::id(name);
    rollout.uid = format!("uid-{name}").as_str().into();
    rollout.containers[0].image = format!("shop/{name}:8ab41e0").as_str().into();
    rollout.strategy = Strategy::BlueGreen(BlueGreen {
        active_service: format!("{name}-active").as_str().into(),
        preview_service: Some(format!("{name}-preview").as_str().into()),
        auto_promotion: false,
        pre_promotion: true,
        ..BlueGreen::default()
    });
    rollout.step_index = None;
    rollout.message = "BlueGreenPause".into();
    rollout.pause_conditions = vec![fixture::pause("BlueGreenPause", "2026-11-24T10:02:00Z")];
    rollout.blue_green = BlueGreenStatus {
        active: rollout.stable_hash.clone(),
        preview: rollout.pod_hash.clone(),
        pre_run: Some(RunRef { name: "pre-8".into(), phase: RunPhase::Successful, message: "".into() }),
        post_run: None,
    };
    rollout
}

fn moving(rollout: &mut Rollout, message: &str) {
    rollout.phase = Phase::Progressing;
    rollout.message = message.into();
    rollout.pause_conditions.clear();
    rollout.controller_pause = false;
}

fn sets(rollout: &Rollout) -> Vec<Arc<ReplicaSet>> {
    vec![set(rollout, "778b5d6c7f", 8, "8ab41e0", 10), set(rollout, "67c4c777c8", 7, "1f3c9d2", 10)]
}

fn with(sets: &mut [Arc<ReplicaSet>], n: usize, change: impl FnOnce(&mut ReplicaSet)) {
    change(Arc::make_mut(&mut sets[n]));
}

pub(super) fn preview() -> Arc<Target> {
    let rollout = blue_green("web");
    let sets = sets(&rollout);
    target(rollout, sets, Tier::Production)
}

fn promotes_itself() -> Arc<Target> {
    let mut rollout = blue_green("till");
    if let Strategy::BlueGreen(blue_green) = &mut rollout.strategy {
        blue_green.auto_promotion = true;
        blue_green.auto_promotion_seconds = Some(300);
    }
    let sets = sets(&rollout);
    target(rollout, sets, Tier::Staging)
}

/// The traffic has moved, the analysis after it runs, the old version goes down soon.
pub(super) fn cut_over() -> Arc<Target> {
    let mut rollout = blue_green("stock");
    if let Strategy::BlueGreen(blue_green) = &mut rollout.strategy {
        blue_green.post_promotion = true;
    }
    moving(&mut rollout, "analysis run in progress");
    rollout.blue_green.active = rollout.pod_hash.clone();
    rollout.blue_green.post_run =
        Some(RunRef { name: "stock-778b5d6c7f-8-post".into(), phase: RunPhase::Running, message: "".into() });
    rollout.owner = GitOwner::ArgoCd { application: "shop-stock".into() };
    let mut sets = sets(&rollout);
    with(&mut sets, 1, |set| set.scale_down_deadline = Some(now() + jiff::SignedDuration::from_secs(25)));
    target(rollout, sets, Tier::Production)
}

/// Through for twenty minutes, the old version still up.
pub(super) fn baking() -> Arc<Target> {
    let mut rollout = blue_green("mail");
    moving(&mut rollout, "");
    rollout.phase = Phase::Healthy;
    rollout.stable_hash = rollout.pod_hash.clone();
    rollout.blue_green.active = rollout.pod_hash.clone();
    rollout.completed_at = Some(ago(20 * 60 + 5));
    let mut sets = sets(&rollout);
    with(&mut sets, 1, |set| set.scale_down_deadline = Some(now() + jiff::SignedDuration::from_secs(600)));
    target(rollout, sets, Tier::Production)
}

fn odd(name: &str, change: impl FnOnce(&mut Rollout)) -> Arc<Target> {
    let mut rollout = fixture::paused();
    rollout.id = fixture::id(name);
    rollout.uid = format!("uid-{name}").as_str().into();
    change(&mut rollout);
    let sets = sets(&rollout);
    target(rollout, sets, Tier::Production)
}

fn measured(values: &[&str], phase: RunPhase) -> Vec<Measurement> {
    let one = |value: &&str| Measurement { phase, value: (*value).into(), message: "".into(), finished: Some(ago(9)) };
    values.iter().map(one).collect()
}

/// A canary whose analysis fails, marked, owned by Git, with all that the cluster says of it.
pub(super) fn analysed() -> Arc<Target> {
    let mut rollout = fixture::paused();
    rollout.id = fixture::id("cart");
    rollout.phase = Phase::Degraded;
    rollout.message =
        "RolloutAborted: Rollout aborted update to revision 8: Step-based analysis phase error/failed: Metric \
        \"error-rate\" assessed Failed due to failed (3) > failureLimit (2)"
            .into();
    rollout.abort = true;
    rollout.pause_conditions.clear();
    rollout.controller_pause = false;
    rollout.owner = GitOwner::PerhapsArgoCd { instance: "shop".into() };
    let mut sets = sets(&rollout);
    with(&mut sets, 0, |set| {
        set.do_not_promote = Some("fails under load (anna)".into());
        set.created = Some(ago(2400));
        set.available = 1;
    });
    let metric = Metric {
        name: "error-rate".into(),
        provider: "prometheus".into(),
        query: "sum(rate(http_requests_total{code=~\"5..\"}[1m])) / sum(rate(http_requests_total[1m]))".into(),
        success: "result[0] < 0.05".into(),
        failure_limit: "2".into(),
        phase: RunPhase::Failed,
        message: "failed (3) > failureLimit (2)".into(),
        counts: Counts { count: 5, successful: 2, failed: 3, ..Counts::default() },
        measurements: measured(&["[0.010]", "[0.012]", "[0.073]", "[0.081]", "[0.112]"], RunPhase::Failed),
        ..Metric::default()
    };
    let run = AnalysisRun {
        namespace: "shop".into(),
        name: "cart-778b5d6c7f-8-1".into(),
        uid: "run-1".into(),
        resource_version: "77".into(),
        owner_uid: rollout.uid.clone(),
        kind: RunKind::Step,
        step_index: Some(1),
        pod_hash: rollout.pod_hash.clone(),
        revision: Some(8),
        phase: RunPhase::Failed,
        message: "Metric \"error-rate\" assessed Failed due to failed (3) > failureLimit (2)".into(),
        started: Some(ago(120)),
        completed: Some(ago(9)),
        terminate: false,
        metrics: vec![metric],
    };
    let experiment = Experiment {
        namespace: "shop".into(),
        name: "cart-778b5d6c7f-8-0".into(),
        uid: "experiment-1".into(),
        resource_version: "78".into(),
        owner_uid: rollout.uid.clone(),
        revision: Some(8),
        phase: RunPhase::Successful,
        message: "".into(),
        duration: "60".into(),
        available_at: Some(ago(300)),
        templates: vec![ExperimentTemplate {
            name: "baseline".into(),
            status: "Successful".into(),
            available: 1,
            replicas: 1,
        }],
        runs: Vec::new(),
    };
    let event = |seconds, reason: &str, message: &str, warning, count| ClusterEvent {
        uid: reason.into(),
        at: Some(ago(seconds)),
        reason: reason.into(),
        message: message.into(),
        warning,
        count,
        source: "rollouts-controller".into(),
        instance: "".into(),
        name: "cart.1".into(),
        object: "Rollout/cart".into(),
        object_uid: rollout.uid.clone(),
    };
    let events = vec![
        event(9, "RolloutAborted", "Rollout aborted update to revision 8", true, 1),
        event(120, "AnalysisRunRunning", "Step Analysis Run 'cart-778b5d6c7f-8-1' is Running", false, 3),
    ];
    let manager = |name: &str, sub: &str, time, fields: &[&str]| Manager {
        manager: name.into(),
        operation: "Update".into(),
        subresource: sub.into(),
        time,
        fields: fields.iter().map(|f| (*f).into()).collect(),
    };
    let managers = vec![
        manager("kubectl-edit", "", Some(ago(2400)), &["spec.template.spec.containers[name=app].image"]),
        manager("rollouts-controller", "status", Some(ago(5)), &["status"]),
        manager("horizontal-pod-autoscaler", "scale", None, &["spec.replicas"]),
    ];
    let mut made = (*target(rollout, sets, Tier::Production)).clone();
    made.runs = Some(Arc::new(vec![run]));
    made.experiments = Some(Arc::new(vec![experiment]));
    made.events = Some(Arc::new(events));
    made.managers = Some(Arc::new(managers));
    Arc::new(made)
}

/// Everything at once, and what a person should know above it.
pub(super) fn releases() -> World {
    let marked = {
        let mut target = (*odd("gate", |_| ())).clone();
        with(&mut target.sets, 0, |set| set.do_not_promote = Some("fails under load (anna)".into()));
        Arc::new(target)
    };
    let mut world = world_of(vec![
        preview(),
        promotes_itself(),
        cut_over(),
        baking(),
        analysed(),
        marked,
        odd("gone", |rollout| rollout.deleting = true),
        odd("hand", |rollout| rollout.spec_paused = true),
        odd("spin", |rollout| {
            rollout.restart_at = Some(ago(10));
            moving(rollout, "rollout is restarting");
        }),
        odd("slow", |rollout| {
            moving(rollout, "more replicas need to be updated");
            rollout.progressing = Some(("ReplicaSetUpdated".into(), ago(400)));
            rollout.replicas.updated = 3;
            rollout.replicas.available = 1;
        }),
    ]);
    world.open_plans.push_back(Arc::new(plan_run(vec![StageState::Waiting, StageState::Waiting], None)));
    world.audit.late = 2;
    world.clocks.insert("prod-eu".into(), 12_400);
    let mut link = link("rollouts", LinkState::Live);
    link.notice = "3 of 41 namespaces: no right to list all".into();
    world.links.insert(link.id.clone(), link);
    world
}

/// A rollback of two steps, as far as `stages` say.
pub(super) fn plan_run(stages: Vec<StageState>, ended: Option<bool>) -> PlanRun {
    let rollout = blue_green("mail");
    let stage = |title: &str, action, params| Stage {
        title: title.to_owned(),
        target: rollout.id.clone(),
        context: "prod-eu".into(),
        action,
        params,
        seen: None,
        only_on: None,
    };
    let plan = Plan {
        id: "plan-1".to_owned(),
        title: "roll back prod-eu/shop/mail to rev 7".to_owned(),
        stages: vec![
            stage(
                "put the template of rev 7 back",
                ActionId::Undo,
                Params::Revision { hash: "67c4c777c8".into(), revision: Some(7) },
            ),
            stage("promote the preview of rev 7 once it is ready", ActionId::Resume, Params::None),
        ],
        on_failure: OnFailure::Stop,
        actor: super::screens::actor(),
        reason: Some("errors over the limit".into()),
        confirmed: Confirmed::Typed,
    };
    PlanRun { plan: Arc::new(plan), began: ago(30), stages, ended: ended.map(|well| (ago(2), well)) }
}

pub(super) fn done(effect: &str) -> StageState {
    StageState::Ended { act: ActId("act-7".to_owned()), outcome: Outcome::Done { effect: effect.to_owned() } }
}

#[test]
fn what_was_aborted_is_not_offered_to_be_held() {
    let screen = |abort: bool| {
        let mut target = (*cut_over()).clone();
        if abort {
            let mut rollout = (*target.rollout).clone();
            rollout.abort = true;
            rollout.pod_hash = target.sets[1].pod_hash.clone();
            target.rollout = Arc::new(rollout);
        }
        let mut desk = super::screens::Desk::new(world_of(vec![Arc::new(target)]));
        desk.draw(80, 24);
        desk.key(crossterm::event::KeyCode::Enter);
        super::screens::text(&desk.draw(80, 24))
    };
    let (old, aborted) = (screen(false), screen(true));
    assert!(old.contains("old      rev 7   down in 0:25    10/10 ready; press a h to hold it"), "{old}");
    assert!(aborted.contains("aborted  rev 7   goes down in 0:25") && !aborted.contains("to hold it"), "{aborted}");
}
