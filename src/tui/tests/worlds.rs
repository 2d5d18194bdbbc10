//! Worlds to look at.

use std::sync::Arc;

use jiff::Timestamp;

use crate::domain::environment::{Environment, Tier};
use crate::domain::fixture;
use crate::domain::ids::ClusterId;
use crate::domain::link::{Link, LinkId, LinkState};
use crate::domain::outcome::{Act, Outcome};
use crate::domain::rollout::{Phase, Rollout, Strategy, Weights};
use crate::domain::workload::{Pod, ReplicaSet};
use crate::model::{Target, Warning, World};

/// The time on every screen.
pub(super) fn now() -> Timestamp {
    "2026-11-24T10:06:30Z".parse().expect("a time")
}

pub(super) fn ago(seconds: i64) -> Timestamp {
    now() - jiff::SignedDuration::from_secs(seconds)
}

pub(super) fn link(what: &'static str, state: LinkState) -> Link {
    let id = LinkId::new(&"prod-eu".into(), what);
    Link { id, state, heard: Some(ago(4)), listed: true, notice: "".into() }
}

pub(super) fn set(rollout: &Rollout, hash: &str, revision: i64, tag: &str, pods: i64) -> Arc<ReplicaSet> {
    Arc::new(ReplicaSet {
        namespace: rollout.id.namespace.clone(),
        name: format!("{}-{hash}", rollout.id.name).as_str().into(),
        uid: format!("uid-{hash}").as_str().into(),
        owner_uid: rollout.uid.clone(),
        resource_version: "90".into(),
        pod_hash: hash.into(),
        revision: Some(revision),
        images: vec![format!("shop/{}:{tag}", rollout.id.name).as_str().into()],
        desired: pods,
        current: pods,
        ready: pods,
        available: pods,
        created: None,
        scale_down_deadline: None,
        do_not_promote: None,
    })
}

pub(super) fn target(rollout: Rollout, sets: Vec<Arc<ReplicaSet>>, tier: Tier) -> Arc<Target> {
    let name = match tier {
        Tier::Production => "production",
        Tier::Staging => "staging",
        Tier::Development => "development",
    };
    Arc::new(Target {
        rollout: Arc::new(rollout),
        context: "prod-eu".into(),
        environment: Environment { name: name.into(), tier, named: true },
        sets,
        pods: None,
        signals: None,
        runs: None,
        experiments: None,
        events: None,
        managers: None,
        link: LinkId::new(&"prod-eu".into(), "rollouts"),
        changed: ago(60),
    })
}

fn other(name: &str) -> Rollout {
    let mut rollout = fixture::paused();
    rollout.id = fixture::id(name);
    rollout.containers[0].image = format!("shop/{name}:c0ffee1").as_str().into();
    rollout.uid = format!("uid-{name}").as_str().into();
    rollout
}

/// The paused canary that the fixture is about.
pub(in crate::tui) fn payments() -> Arc<Target> {
    let rollout = fixture::paused();
    let canary = set(&rollout, "778b5d6c7f", 8, "8ab41e0", 1);
    let stable = set(&rollout, "67c4c777c8", 7, "1f3c9d2", 10);
    target(rollout, vec![canary, stable], Tier::Production)
}

pub(super) fn world_of(targets: Vec<Arc<Target>>) -> World {
    let mut world = World { version: 1, ..World::default() };
    world.clusters.insert("prod-eu".into(), ClusterId("cluster-1".into()));
    for what in ["rollouts", "replicasets"] {
        let link = link(what, LinkState::Live);
        world.links.insert(link.id.clone(), link);
    }
    for target in targets {
        world.targets.insert(target.id().clone(), target);
    }
    world.audit.records = 41;
    world
}

/// A bit of everything.
pub(super) fn busy() -> World {
    let mut healthy = other("web");
    healthy.phase = Phase::Healthy;
    healthy.message = "".into();
    healthy.stable_hash = healthy.pod_hash.clone();
    healthy.step_index = Some(5);
    healthy.pause_conditions.clear();
    healthy.controller_pause = false;

    let mut moving = other("cart");
    moving.phase = Phase::Progressing;
    moving.message = "more replicas need to be updated".into();
    moving.step_index = Some(2);
    moving.pause_conditions.clear();
    moving.controller_pause = false;
    if let Strategy::Canary(canary) = &mut moving.strategy {
        canary.router = Some("nginx".into());
    }
    moving.weights = Some(Weights { canary: 5, stable: 95, additional: 0, verified: None });

    let mut aborted = other("ledger");
    aborted.phase = Phase::Degraded;
    aborted.message = "RolloutAborted: Rollout aborted update to revision 8".into();
    aborted.abort = true;
    aborted.step_index = Some(0);
    aborted.pause_conditions.clear();
    aborted.controller_pause = false;

    let mut timed = other("mail");
    timed.step_index = Some(3);
    timed.pause_conditions = vec![fixture::pause("CanaryPauseStep", "2026-11-24T10:05:00Z")];

    let canary = set(&timed, "778b5d6c7f", 8, "c0ffee1", 5);
    world_of(vec![
        payments(),
        target(healthy, Vec::new(), Tier::Production),
        target(moving, Vec::new(), Tier::Staging),
        target(aborted, Vec::new(), Tier::Production),
        target(timed, vec![canary], Tier::Development),
    ])
}

/// The board's first link is silent, and something could not be read.
pub(super) fn doubtful() -> World {
    let mut world = busy();
    for (what, state) in [
        ("rollouts", LinkState::Stale { since: ago(95) }),
        (
            "replicasets",
            LinkState::Backoff {
                why: "could not connect: Connection refused".into(),
                tries: 3,
                until: now() + jiff::SignedDuration::from_secs(7),
            },
        ),
    ] {
        let mut link = link(what, state);
        link.heard = Some(ago(95));
        world.links.insert(link.id.clone(), link);
    }
    world.warnings.push_back(Warning {
        at: ago(30),
        link: LinkId::new(&"prod-eu".into(), "rollouts"),
        object: "shop/odd".into(),
        why: "missing field `metadata`".into(),
    });
    world
}

pub(super) fn with_pods(world: &mut World) {
    let mut focused = (*payments()).clone();
    let pod = |name: &str, hash: &str, status: &str, ready| Pod {
        namespace: "shop".into(),
        name: name.into(),
        uid: name.into(),
        pod_hash: hash.into(),
        status: status.into(),
        ready,
        containers: 1,
        restarts: u64::from(ready == 0) * 4,
        created: Some(ago(400)),
    };
    focused.pods = Some(Arc::new(vec![
        pod("payments-778b5d6c7f-n9mzx", "778b5d6c7f", "CrashLoopBackOff", 0),
        pod("payments-67c4c777c8-aaaaa", "67c4c777c8", "Running", 1),
        pod("payments-67c4c777c8-bbbbb", "67c4c777c8", "Running", 1),
    ]));
    world.targets.insert(focused.id().clone(), Arc::new(focused));
    let pods = link("pods", LinkState::Live);
    world.links.insert(pods.id.clone(), pods);
}

pub(super) fn act(ended: Option<Outcome>) -> Arc<Act> {
    let intent = fixture::intent(&fixture::paused());
    let at = |millis| ago(20) + jiff::SignedDuration::from_millis(millis);
    let sent = !matches!(ended, Some(Outcome::Refused { .. }));
    Arc::new(Act {
        asked: at(0),
        recorded: sent.then(|| at(4)),
        sent: sent.then(|| at(4)),
        accepted: sent.then(|| (at(93), "101".to_owned())),
        outcome_recorded: ended.is_some().then_some(Ok(43)),
        ended: ended.map(|outcome| (at(1200), outcome)),
        intent,
    })
}
