//! Plans on the demo world: rollbacks, one act on several targets, and what a dead process leaves.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use flightdeck::actions::by_verb;
use flightdeck::demo::{Scenario, World};
use flightdeck::domain::intent::{Confirmed, Params};
use flightdeck::domain::outcome::Outcome;
use flightdeck::domain::plan::{OnFailure, Plan, PlanRun, Stage, StageState};
use flightdeck::domain::rollout::Phase;
use flightdeck::domain::seen::Seen;
use flightdeck::model::rollback::{self, Goal};
use flightdeck::model::{Target, settle::whereabouts};
use flightdeck::runtime::control::Deadlines;
use jiff::Timestamp;

use crate::engine::Engine;

const WORLD: &str = r#"
pod_ready = "100ms"

[[rollout]]
namespace = "shop"
name = "one"
image = "shop/one"
version = "1"
replicas = 4
router = "nginx"
steps = ["25%", "pause", "100%"]

[[rollout]]
namespace = "shop"
name = "two"
image = "shop/two"
version = "1"
replicas = 4
steps = ["25%", "pause", "100%"]

[[rollout]]
namespace = "shop"
name = "rest"
image = "shop/rest"
version = "1"
replicas = 2
steps = ["50%", "pause", "100%"]

[[rollout]]
namespace = "shop"
name = "green"
image = "shop/green"
version = "1"
replicas = 2
strategy = "blue-green"
auto_promotion = "no"
scale_down = "1s"

[[event]]
at = "-60s"
target = "shop/one"
do = "release"
version = "2"

[[event]]
at = "-60s"
target = "shop/two"
do = "release"
version = "2"

[[event]]
at = "-60s"
target = "shop/green"
do = "release"
version = "2"

[[event]]
at = "-30s"
target = "shop/green"
do = "promote-full"
"#;

struct Stand {
    world: World,
    _folder: tempfile::TempDir,
    kubeconfig: PathBuf,
}

async fn stand() -> Stand {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let scenario = Scenario::parse(WORLD).expect("a sound scenario");
    let world = World::start(&scenario, 1).await.expect("a demo world");
    let folder = tempfile::tempdir().expect("a folder");
    let kubeconfig = folder.path().join("kubeconfig");
    std::fs::write(&kubeconfig, world.kubeconfig()).expect("written");
    Stand { world, _folder: folder, kubeconfig }
}

fn plan(engine: &Engine, stages: Vec<Stage>, on_failure: OnFailure) -> Plan {
    Plan {
        id: uuid::Uuid::new_v4().to_string(),
        title: "a plan".to_owned(),
        stages,
        on_failure,
        actor: engine.handle.actor("tui"),
        reason: None,
        confirmed: Confirmed::Typed,
    }
}

fn stage(target: &Target, verb: &str) -> Stage {
    Stage {
        title: format!("{verb} {}", target.id()),
        target: target.id().clone(),
        context: target.context.clone(),
        action: by_verb(verb).expect("an act").id,
        params: Params::None,
        seen: Some(Seen::of(&target.rollout, Timestamp::now())),
        only_on: None,
    }
}

async fn carried_out(engine: &Engine, plan: Plan) -> Arc<PlanRun> {
    let id = engine.handle.plan(plan).await.expect("the engine runs");
    let ended = tokio::time::timeout(Duration::from_secs(40), engine.handle.wait_plan(&id)).await;
    ended.unwrap_or_else(|_| panic!("no end in time: {:#?}", engine.handle.world().plan(&id))).expect("the engine runs")
}

fn words(run: &PlanRun) -> Vec<&'static str> {
    let word = |state: &StageState| match state {
        StageState::Ended { outcome, .. } => outcome.word(),
        StageState::LeftOut { .. } => "left out",
        StageState::Waiting => "waiting",
        StageState::Running { .. } => "running",
    };
    run.stages.iter().map(word).collect()
}

fn paused(rollout: &flightdeck::domain::rollout::Rollout) -> bool {
    rollout.phase == Phase::Paused && rollout.step_index == Some(1)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_stops_at_the_first_failure_or_goes_on_and_each_step_has_its_record() {
    let stand = stand().await;
    let engine = Engine::start(&stand.kubeconfig, "shop", Deadlines::default()).await;
    let one = engine.until("one", paused).await;
    let two = engine.until("two", paused).await;
    let rest = engine.until("rest", |r| r.phase == Phase::Healthy).await;
    // Nothing is in flight on `rest`: its abort is refused.
    let stages = |of: [&Arc<Target>; 3]| of.iter().map(|t| stage(t, "abort")).collect::<Vec<_>>();
    let run = carried_out(&engine, plan(&engine, stages([&one, &rest, &two]), OnFailure::Stop)).await;
    assert_eq!(words(&run), ["done", "refused", "left out"]);
    assert_eq!(run.ended.map(|(_, well)| well), Some(false));
    assert_eq!(engine.read(two.id()).await.phase, Phase::Paused, "what was left out was left alone");
    let run = carried_out(&engine, plan(&engine, stages([&rest, &two, &two]), OnFailure::GoOn)).await;
    assert_eq!(words(&run)[..2], ["refused", "done"]);
    let now = engine.read(two.id()).await;
    assert!(now.abort, "{}", whereabouts(&now));
    let records = engine.handle.audit(flightdeck::runtime::handle::ReadQuery::default()).await.expect("records");
    let mut kinds: Vec<(String, u32)> = records
        .iter()
        .filter_map(|r| {
            let said = &r.record.said;
            said.plan.as_ref().filter(|p| p.id == run.plan.id).map(|p| (said.kind.as_str().to_owned(), p.step))
        })
        .collect();
    kinds.reverse();
    let kinds: Vec<_> = kinds.iter().map(|(kind, step)| (kind.as_str(), *step)).collect();
    assert_eq!(kinds[..4], [("plan", 0), ("refusal", 1), ("intent", 2), ("outcome", 2)], "{kinds:?}");
    assert_eq!(kinds.last(), Some(&("plan-end", 0)));
    let all = u64::try_from(records.len()).expect("a count");
    let known = engine.handle.wait_for(|world| world.audit.records == all);
    tokio::time::timeout(Duration::from_secs(10), known)
        .await
        .expect("the corner says what there is")
        .expect("it runs");
    engine.end().await;
    stand.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_canary_that_went_wrong_is_rolled_back() {
    let stand = stand().await;
    let engine = Engine::start(&stand.kubeconfig, "shop", Deadlines::default()).await;
    let target = engine.until("one", paused).await;
    let made = rollback::plan(&target, None, Timestamp::now()).expect("a plan");
    let run = carried_out(&engine, plan(&engine, made.stages, rollback::ON_FAILURE)).await;
    assert_eq!(words(&run), ["done"], "{run:#?}");
    let now = engine.read(target.id()).await;
    assert_eq!(now.weights.as_ref().map(|w| w.canary), Some(0), "{now:#?}");
    engine.end().await;
    stand.world.stop().await;
}

/// The old version's pods are gone: the undo stops at the preview, and the plan promotes it once it is ready.
#[tokio::test(flavor = "multi_thread")]
async fn a_blue_green_that_was_cut_over_long_ago_is_rolled_back_in_two_steps() {
    let stand = stand().await;
    let engine = Engine::start(&stand.kubeconfig, "shop", Deadlines::default()).await;
    let settled = |t: &Target| {
        let old = t.sets.iter().find(|s| s.pod_hash != t.rollout.pod_hash);
        t.rollout.phase == Phase::Healthy && old.is_some_and(|s| s.desired == 0 && s.available == 0)
    };
    engine.until("green", |r| r.fully_promoted() && r.phase == Phase::Healthy).await;
    let find = |w: &flightdeck::model::World| w.targets.values().find(|t| t.id().name == "green").cloned();
    let world =
        tokio::time::timeout(Duration::from_secs(20), engine.handle.wait_for(|w| find(w).is_some_and(|t| settled(&t))))
            .await
            .expect("in time")
            .expect("the engine runs");
    let target = find(&world).expect("it is there");
    let old = target.sets.iter().find(|s| s.pod_hash != target.rollout.pod_hash).expect("an old version").clone();
    let goal = Goal { hash: old.pod_hash.clone(), revision: old.revision };
    let made = rollback::plan(&target, Some(&goal), Timestamp::now()).expect("a plan");
    assert_eq!(made.stages.len(), 2, "{made:#?}");
    let run = carried_out(&engine, plan(&engine, made.stages, rollback::ON_FAILURE)).await;
    assert_eq!(words(&run), ["done", "done"], "{run:#?}");
    assert_eq!(engine.read(target.id()).await.blue_green.active, old.pod_hash);
    engine.end().await;
    stand.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_dead_process_left_of_a_plan_is_found_and_can_be_gone_on_with() {
    let stand = stand().await;
    let engine = Engine::start(&stand.kubeconfig, "shop", Deadlines::default()).await;
    let one = engine.until("one", paused).await;
    let two = engine.until("two", paused).await;
    let stages = vec![stage(&one, "abort"), stage(&two, "abort")];
    let asked = plan(&engine, stages, OnFailure::Stop);
    let id = asked.id.clone();
    engine.handle.plan(asked).await.expect("the engine runs");
    // The process ends once the first step has had its effect, before the second one has.
    stand.world.controller(true);
    let first_done = |w: &flightdeck::model::World| {
        w.plan(&id).is_some_and(|run| matches!(&run.stages[0], StageState::Ended { outcome: Outcome::Done { .. }, .. }))
    };
    tokio::time::timeout(Duration::from_secs(20), engine.handle.wait_for(first_done))
        .await
        .expect("in time")
        .expect("runs");
    stand.world.controller(false);
    let state = engine.end_and_keep().await;

    let engine = Engine::start_in(&stand.kubeconfig, "shop", state).await;
    let found = tokio::time::timeout(Duration::from_secs(20), engine.handle.wait_for(|w| !w.open_plans.is_empty()))
        .await
        .expect("in time")
        .expect("runs");
    let left = found.open_plans[0].clone();
    assert_eq!(left.plan.id, id);
    assert_eq!(words(&left)[0], "done");
    stand.world.controller(true);
    engine.until("two", |r| r.phase != Phase::Unknown).await;
    let rest: Vec<Stage> = left.plan.stages.iter().skip(1).cloned().collect();
    let again = Plan { id: id.clone(), ..plan(&engine, rest, OnFailure::Stop) };
    let run = carried_out(&engine, again).await;
    // The second abort may have been sent before the process ended: then there is nothing left to do.
    assert!(matches!(words(&run)[..], ["done" | "failed" | "refused" | "superseded"]), "{run:#?}");
    assert!(engine.read(two.id()).await.abort);
    engine.end().await;
    stand.world.stop().await;
}
