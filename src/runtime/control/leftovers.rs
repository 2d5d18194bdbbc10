//! Settles the intents that dead processes left without an outcome, by what their targets show now.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};

use super::{Journal, Port};
use crate::domain::record::Record;
use crate::domain::rollout::Rollout;
use crate::domain::text::Clean;
use crate::effects::READ_DEADLINE;
use crate::model::settle::whereabouts;
use crate::model::{Event, World};

/// How long to wait for a cluster to say who it is.
const PATIENCE: Duration = Duration::from_secs(20);

/// Looks at each target once and records what is found; what cannot be looked at stays open for the next start.
pub async fn reconcile(
    ports: BTreeMap<Clean, Port>,
    mut world: watch::Receiver<Arc<World>>,
    journal: Journal,
    events: mpsc::Sender<Event>,
) {
    match journal.unfinished_plans().await {
        Ok(open) if open.is_empty() => {}
        Ok(open) => {
            let _ = events.send(Event::OpenPlans(open)).await;
        }
        Err(why) => tracing::warn!(why, "the audit log could not be searched for unfinished plans"),
    }
    let open = match journal.leftovers().await {
        Ok(open) if !open.is_empty() => open,
        Ok(_) => return,
        Err(why) => {
            tracing::warn!(why, "the audit log could not be searched for open intents");
            return;
        }
    };
    let known = tokio::time::timeout(PATIENCE, world.wait_for(|w| !w.clusters.is_empty())).await;
    let Ok(Ok(world)) = known.map(|w| w.map(|w| w.clone())) else { return };
    for intent in open {
        let Some((context, target)) = find(&world, &intent) else { continue };
        let Some(port) = ports.get(&context) else { continue };
        let Ok(Ok(now)) = tokio::time::timeout(READ_DEADLINE, port.reader.read(&target)).await else { continue };
        let detail =
            format!("interrupted: its process ended before the outcome was seen; {}", found(&intent, now.as_deref()));
        if let Err(why) = journal.leftover(&intent, "unknown", detail).await {
            tracing::warn!(why, seq = intent.seq, "an open intent could not be settled");
        }
    }
    let _ = events.send(Event::Audit(journal.view().await)).await;
}

fn find(world: &World, intent: &Record) -> Option<(Clean, crate::domain::ids::TargetId)> {
    let said = intent.said.target.as_ref()?;
    let (context, cluster) = world.clusters.iter().find(|(_, id)| id.0 == said.cluster.as_str())?;
    let target = crate::domain::ids::TargetId {
        cluster: cluster.clone(),
        namespace: Clean::new(&said.namespace),
        kind: crate::domain::ids::TargetKind::Rollout,
        name: Clean::new(&said.name),
    };
    Some((context.clone(), target))
}

/// What the target shows now, beside what was seen then.
fn found(intent: &Record, now: Option<&Rollout>) -> String {
    let Some(now) = now else { return "the rollout is gone".to_owned() };
    let seen = |key: &str| intent.said.seen.get(key).map_or("", String::as_str);
    if now.uid != seen("uid") {
        return "the rollout was deleted and made anew".to_owned();
    }
    if now.pod_hash != seen("podHash") {
        return format!("it runs another version now ({})", now.pod_hash);
    }
    let step = now.step_index.map(|s| s.to_string()).unwrap_or_default();
    let moved = if step == seen("stepIndex") { "it still stands at" } else { "it moved on to" };
    format!("{moved} {}", whereabouts(now))
}
