//! Whose error rates are wanted, computed from the snapshot and from what the faces say is on the screen.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;

use crate::domain::ids::TargetId;
use crate::domain::rollout::{Phase, Strategy};
use crate::domain::signal::Role;
use crate::domain::signal::interest::{Interest, Pace, Question, Wanted};
use crate::domain::text::Clean;
use crate::domain::workload::ReplicaSet;
use crate::model::{Target, World, query};
use crate::systems::Focus;

/// How often a new snapshot is looked at, at most; with many targets that takes longer and is done less often.
const PAUSE: Duration = Duration::from_millis(100);

/// The same with more targets than [`MANY`].
const LONG_PAUSE: Duration = Duration::from_millis(500);

/// What matures without a change of the world (a release that is no longer on watch) is seen after this.
const GLANCE: Duration = Duration::from_secs(10);

/// Of more targets than these, those that nobody looks at and that do not move are not asked about.
const MANY: usize = 500;

/// Keeps what is wanted up to date; ends with the engine.
pub(super) async fn run(
    mut world: watch::Receiver<Arc<World>>,
    mut focus: Focus,
    mut visible: watch::Receiver<Vec<TargetId>>,
    out: watch::Sender<Arc<Interest>>,
) {
    loop {
        let snapshot = world.borrow_and_update().clone();
        // Without a link there is nobody to ask.
        if snapshot.links.keys().any(|link| link.what == "prometheus") {
            let focused = focus.borrow_and_update().clone();
            let seen: HashSet<TargetId> = visible.borrow_and_update().iter().cloned().collect();
            let wanted = wanted(&snapshot, focused.as_ref(), &seen, Timestamp::now());
            out.send_if_modified(|old| {
                let changed = **old != wanted;
                if changed {
                    *old = Arc::new(wanted);
                }
                changed
            });
        }
        tokio::select! {
            changed = world.changed() => if changed.is_err() { return },
            Ok(()) = focus.changed() => {}
            Ok(()) = visible.changed() => {}
            () = tokio::time::sleep(GLANCE) => {}
        }
        tokio::time::sleep(if snapshot.targets.len() > MANY { LONG_PAUSE } else { PAUSE }).await;
    }
}

/// What is wanted, from one snapshot.
fn wanted(world: &World, focus: Option<&TargetId>, visible: &HashSet<TargetId>, now: Timestamp) -> Interest {
    let few = world.targets.len() <= MANY;
    let mut interest = Interest::new();
    for (id, target) in &world.targets {
        let released = query::baking(target, now).map(|(since, _)| before(target, since));
        let pace = if focus == Some(id) {
            Pace::Focused
        } else if moves(target) || released.is_some() {
            Pace::Moving
        } else if visible.contains(id) {
            Pace::Visible
        } else if few {
            Pace::Idle
        } else {
            continue;
        };
        if let Some((subject, reference)) = sides(target, released) {
            interest.insert(id.clone(), Wanted { context: target.context.clone(), pace, subject, reference });
        }
    }
    interest
}

/// Whether a release is on its way.
fn moves(target: &Target) -> bool {
    let rollout = &target.rollout;
    !rollout.fully_promoted() && !matches!(rollout.phase, Phase::Healthy)
}

/// The end of the last window that was wholly of the version before: when the new one's ReplicaSet came. One that came
/// back (an undo) is older than that; then the cutover itself is all that is known.
fn before(target: &Target, cutover: Timestamp) -> Timestamp {
    let created = target.set(&target.rollout.pod_hash).and_then(|set| set.created);
    let younger = |than: Timestamp| target.sets.iter().any(|set| set.created.is_some_and(|at| at > than));
    created.filter(|at| *at < cutover && !younger(*at)).unwrap_or(cutover)
}

/// The version before the current one.
fn previous(target: &Target) -> Option<&Arc<ReplicaSet>> {
    let current = target.set(&target.rollout.pod_hash)?.revision?;
    target.sets.iter().filter(|set| set.revision.is_some_and(|r| r < current)).max_by_key(|set| set.revision)
}

/// Which versions are asked about; `None` while the controller has not named one.
fn sides(target: &Target, released: Option<Timestamp>) -> Option<(Question, Option<Question>)> {
    let rollout = &target.rollout;
    if rollout.pod_hash.is_empty() {
        return None;
    }
    let question = |role, hash: &Clean, until| Question {
        role,
        pod_hash: hash.clone(),
        replica_set: target
            .set(hash)
            .map_or_else(|| Clean::new(&format!("{}-{hash}", rollout.id.name)), |set| set.name.clone()),
        service: service(target, role),
        until,
    };
    if rollout.fully_promoted() || rollout.stable_hash.is_empty() {
        let role = if rollout.fully_promoted() { Role::Now } else { Role::New };
        let before =
            released.and_then(|at| previous(target).map(|set| question(Role::Before, &set.pod_hash, Some(at))));
        return Some((question(role, &rollout.pod_hash, None), before));
    }
    Some((question(Role::New, &rollout.pod_hash, None), Some(question(Role::Stable, &rollout.stable_hash, None))))
}

/// The Service that leads to a version, where the strategy names one.
fn service(target: &Target, role: Role) -> Option<Clean> {
    match &target.rollout.strategy {
        Strategy::BlueGreen(services) => match role {
            Role::New => services.preview_service.clone(),
            Role::Stable | Role::Now | Role::Before => Some(services.active_service.clone()),
        },
        Strategy::Canary(canary) => match role {
            Role::New => canary.canary_service.clone(),
            Role::Stable | Role::Now | Role::Before => canary.stable_service.clone(),
        },
        Strategy::None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::environment::Environment;
    use crate::domain::fixture;
    use crate::domain::link::LinkId;
    use crate::domain::rollout::Rollout;

    const CURRENT: &str = "778b5d6c7f";

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).expect("a time")
    }

    fn set(rollout: &Rollout, hash: &str, revision: i64, created: i64) -> Arc<ReplicaSet> {
        Arc::new(ReplicaSet {
            namespace: rollout.id.namespace.clone(),
            name: format!("{}-{hash}", rollout.id.name).as_str().into(),
            uid: format!("uid-{hash}").as_str().into(),
            owner_uid: rollout.uid.clone(),
            resource_version: "90".into(),
            pod_hash: hash.into(),
            revision: Some(revision),
            images: Vec::new(),
            desired: 1,
            current: 1,
            ready: 1,
            available: 1,
            created: Some(at(created)),
            scale_down_deadline: None,
            do_not_promote: None,
        })
    }

    fn world(rollout: Rollout, sets: Vec<Arc<ReplicaSet>>) -> World {
        let mut world = World::default();
        let target = Target {
            rollout: Arc::new(rollout),
            context: "prod-eu".into(),
            environment: Environment::unknown(),
            sets,
            pods: None,
            signals: None,
            runs: None,
            experiments: None,
            events: None,
            managers: None,
            link: LinkId::new(&"prod-eu".into(), "rollouts"),
            changed: at(0),
        };
        world.targets.insert(target.id().clone(), Arc::new(target));
        world
    }

    fn only(world: &World, focus: Option<&TargetId>, visible: &[TargetId], now: i64) -> Option<Wanted> {
        let visible = visible.iter().cloned().collect();
        wanted(world, focus, &visible, at(now)).into_values().next()
    }

    fn done() -> Rollout {
        let mut rollout = fixture::paused();
        rollout.phase = Phase::Healthy;
        rollout.stable_hash = rollout.pod_hash.clone();
        rollout.completed_at = Some(at(300));
        rollout
    }

    #[test]
    fn a_canary_is_read_beside_the_stable_version() {
        let world = world(fixture::paused(), Vec::new());
        let wanted = only(&world, None, &[], 0).expect("wanted");
        assert_eq!(wanted.pace, Pace::Moving);
        assert_eq!((wanted.subject.role, wanted.subject.pod_hash.as_str()), (Role::New, CURRENT));
        assert_eq!(wanted.subject.replica_set.as_str(), "payments-778b5d6c7f");
        let stable = wanted.reference.expect("the stable one");
        assert_eq!((stable.role, stable.pod_hash.as_str(), stable.until), (Role::Stable, "67c4c777c8", None));
    }

    #[test]
    fn after_a_cutover_it_is_read_beside_the_version_before_and_for_an_hour() {
        let rollout = done();
        let sets = vec![set(&rollout, CURRENT, 8, 0), set(&rollout, "67c4c777c8", 7, -9000)];
        let world = world(rollout, sets);
        let baking = only(&world, None, &[], 600).expect("wanted");
        assert_eq!((baking.pace, baking.subject.role), (Pace::Moving, Role::Now));
        let before = baking.reference.expect("the version before");
        assert_eq!((before.role, before.pod_hash.as_str(), before.until), (Role::Before, "67c4c777c8", Some(at(0))));
        let steady = only(&world, None, &[], 3901).expect("wanted");
        assert_eq!((steady.pace, steady.reference), (Pace::Idle, None));
    }

    #[test]
    fn a_first_release_has_no_before_and_one_that_came_back_has_the_cutover() {
        let first = done();
        let sets = vec![set(&first, CURRENT, 1, 0)];
        assert_eq!(only(&world(first, sets), None, &[], 600).and_then(|w| w.reference), None);
        let back = done();
        let sets = vec![set(&back, CURRENT, 9, -9000), set(&back, "67c4c777c8", 8, 0)];
        let until = only(&world(back, sets), None, &[], 600).and_then(|w| w.reference).and_then(|r| r.until);
        assert_eq!(until, Some(at(300)));
    }

    #[test]
    fn who_looks_decides_how_often() {
        let world = world(done(), Vec::new());
        let id = fixture::id("payments");
        let pace = |focus, visible: &[TargetId]| only(&world, focus, visible, 0).map(|w| w.pace);
        assert_eq!(pace(None, &[]), Some(Pace::Idle));
        assert_eq!(pace(None, std::slice::from_ref(&id)), Some(Pace::Visible));
        assert_eq!(pace(Some(&id), &[]), Some(Pace::Focused));
    }

    #[test]
    fn a_rollout_that_no_controller_has_seen_is_not_asked_about() {
        let mut fresh = fixture::paused();
        fresh.pod_hash = "".into();
        assert_eq!(only(&world(fresh, Vec::new()), None, &[], 0), None);
    }
}
