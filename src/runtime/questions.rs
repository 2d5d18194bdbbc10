//! Answers the faces' questions, and settles what dead processes left open.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::{mpsc, watch};

use super::control::{Journal, Port, leftovers};
use super::handle::Query;
use crate::domain::ids::TargetId;
use crate::domain::rollout::Rollout;
use crate::domain::text::Clean;
use crate::effects::READ_DEADLINE;
use crate::model::{Event, World};

pub(super) async fn run(
    mut queries: mpsc::Receiver<Query>,
    ports: BTreeMap<Clean, Port>,
    world: watch::Receiver<Arc<World>>,
    journal: Journal,
    events: mpsc::Sender<Event>,
) {
    let _ = events.send(Event::Audit(journal.view().await)).await;
    let mut open = tokio::task::JoinSet::new();
    open.spawn(leftovers::reconcile(ports.clone(), world.clone(), journal.clone(), events));
    loop {
        tokio::select! {
            query = queries.recv() => match query {
                Some(query) => { open.spawn(answer(query, ports.clone(), world.clone(), journal.clone())); }
                None => return,
            },
            Some(_) = open.join_next() => {}
        }
    }
}

/// An asker that has gone away is no error.
async fn answer(query: Query, ports: BTreeMap<Clean, Port>, world: watch::Receiver<Arc<World>>, journal: Journal) {
    match query {
        Query::Read(target, to) => {
            let _ = to.send(read(&ports, &world, target).await);
        }
        Query::Audit(query, to) => {
            let _ = to.send(journal.read(query).await);
        }
        Query::Verify(to) => {
            let _ = to.send(journal.verify().await);
        }
    }
}

async fn read(
    ports: &BTreeMap<Clean, Port>,
    world: &watch::Receiver<Arc<World>>,
    target: TargetId,
) -> Result<Option<Arc<Rollout>>, String> {
    let context = world.borrow().clusters.iter().find(|(_, id)| **id == target.cluster).map(|(c, _)| c.clone());
    let port = context.and_then(|context| ports.get(&context)).ok_or("its cluster is not connected")?;
    match tokio::time::timeout(READ_DEADLINE, port.reader.read(&target)).await {
        Ok(answer) => answer,
        Err(_) => Err(format!("no answer within {} s", READ_DEADLINE.as_secs())),
    }
}
