//! Whose error rates are wanted, computed from the snapshot and from what the faces say is on the screen.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

use crate::domain::ids::TargetId;
use crate::domain::rollout::{Phase, Strategy};
use crate::domain::signal::Role;
use crate::domain::signal::interest::{Interest, Pace, Question, Wanted};
use crate::domain::text::Clean;
use crate::domain::workload::ReplicaSet;
use crate::model::{Target, World};
use crate::systems::Focus;

/// How often a new snapshot is looked at, at most.
const PAUSE: Duration = Duration::from_millis(250);

/// What matures without a change of the world (a release that is no longer on watch) is seen after this.
const GLANCE: Duration = Duration::from_secs(10);

/// How long a release stays on watch after its cutover.
const BAKING: SignedDuration = SignedDuration::from_mins(60);

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
        tokio::time::sleep(PAUSE).await;
    }
}

/// What is wanted, from one snapshot.
fn wanted(world: &World, focus: Option<&TargetId>, visible: &HashSet<TargetId>, now: Timestamp) -> Interest {
    let few = world.targets.len() <= MANY;
    let mut interest = Interest::new();
    for (id, target) in &world.targets {
        let released = cutover(target).filter(|at| now.duration_since(*at) < BAKING);
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

/// When the only version there is took over, as well as that is known: nothing was of it before its ReplicaSet came.
/// A ReplicaSet that came back (an undo) is older than the one it took over from, and says nothing.
fn cutover(target: &Target) -> Option<Timestamp> {
    let rollout = &target.rollout;
    if !rollout.fully_promoted() {
        return None;
    }
    let created = target.set(&rollout.pod_hash)?.created?;
    let younger = target.sets.iter().any(|set| set.created.is_some_and(|at| at > created));
    (!younger && previous(target).is_some()).then_some(created)
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
        Strategy::BlueGreen { active_service, preview_service } => match role {
            Role::New => preview_service.clone(),
            Role::Stable | Role::Now | Role::Before => Some(active_service.clone()),
        },
        Strategy::Canary { .. } | Strategy::None => None,
    }
}
