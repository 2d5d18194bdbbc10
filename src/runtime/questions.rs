//! Answers the faces' questions, and settles what dead processes left open.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::sync::{mpsc, watch};

use super::control::rehearse::rehearse;
use super::control::{Journal, Port, leftovers};
use super::handle::{LogLine, Query};
use super::settings::Settings;
use crate::domain::ids::TargetId;
use crate::domain::rollout::Rollout;
use crate::domain::text::Clean;
use crate::effects::READ_DEADLINE;
use crate::effects::look::Looker;
use crate::model::{Event, World};

/// How long a question of several reads may take.
const LOOK_DEADLINE: Duration = Duration::from_secs(15);

/// Who answers questions about targets, by context.
pub(super) type Lookers = BTreeMap<Clean, Arc<dyn Looker>>;

pub(super) async fn run(
    mut queries: mpsc::Receiver<Query>,
    ports: BTreeMap<Clean, Port>,
    lookers: Lookers,
    world: watch::Receiver<Arc<World>>,
    journal: Journal,
    settings: watch::Receiver<Arc<Settings>>,
    events: mpsc::Sender<Event>,
) {
    let _ = events.send(Event::Audit(journal.view().await)).await;
    let lookers = Arc::new(lookers);
    let mut open = tokio::task::JoinSet::new();
    open.spawn(leftovers::reconcile(ports.clone(), world.clone(), journal.clone(), events.clone()));
    loop {
        tokio::select! {
            query = queries.recv() => match query {
                Some(query) => { open.spawn(answer(query, ports.clone(), lookers.clone(), world.clone(), journal.clone(), settings.clone(), events.clone())); }
                None => return,
            },
            Some(_) = open.join_next() => {}
        }
    }
}

/// An asker that has gone away is no error.
async fn answer(
    query: Query,
    ports: BTreeMap<Clean, Port>,
    lookers: Arc<Lookers>,
    world: watch::Receiver<Arc<World>>,
    journal: Journal,
    settings: watch::Receiver<Arc<Settings>>,
    events: mpsc::Sender<Event>,
) {
    let looker = |target: &TargetId| looker(&lookers, &world, target);
    match query {
        Query::Read(target, to) => {
            let _ = to.send(read(&ports, &world, target).await);
        }
        Query::Rehearse(intent, to) => {
            let snapshot = world.borrow().clone();
            let mandate = settings.borrow().mandate.clone();
            let done = rehearse(ports.get(&intent.context), &snapshot, &mandate, *intent).await;
            let _ = to.send(Ok(done));
        }
        Query::Logs(of, to) => match looker(&of.target) {
            Ok(looker) => {
                let listening = to.clone();
                tokio::select! {
                    () = looker.logs(of, to) => {}
                    () = listening.closed() => {}
                }
            }
            Err(why) => {
                let (pod, container) = Default::default();
                let _ = to.send(LogLine { pod, container, at: None, text: Clean::new(&why), note: true }).await;
            }
        },
        Query::Yaml(of, to) => {
            let target = of.target.clone();
            let _ = to.send(look(looker(&target), |l| l.yaml(of)).await);
        }
        Query::Template(target, revision, to) => {
            let _ = to.send(look(looker(&target), |l| l.template(target, revision)).await);
        }
        Query::Diff(target, older, newer, to) => {
            let _ = to.send(look(looker(&target), |l| l.diff(target, older, newer)).await);
        }
        Query::Revisions(target, to) => {
            let _ = to.send(look(looker(&target), |l| l.revisions(target)).await);
        }
        // What others wrote meanwhile is in the answer: the number beside it must not say less.
        Query::Audit(query, to) => {
            let _ = events.send(Event::Audit(journal.view().await)).await;
            let _ = to.send(journal.read(query).await);
        }
        Query::Verify(to) => {
            let _ = events.send(Event::Audit(journal.view().await)).await;
            let _ = to.send(journal.verify().await);
        }
    }
}

/// The context that `target` is read through; else any that leads to its cluster.
fn context_of(world: &World, target: &TargetId) -> Option<Clean> {
    let known = world.targets.get(target).map(|t| t.context.clone());
    known.or_else(|| world.clusters.iter().find(|(_, id)| **id == target.cluster).map(|(c, _)| c.clone()))
}

fn looker<'a>(
    lookers: &'a Lookers,
    world: &watch::Receiver<Arc<World>>,
    target: &TargetId,
) -> Result<&'a Arc<dyn Looker>, String> {
    let context = context_of(&world.borrow(), target);
    context.and_then(|context| lookers.get(&context)).ok_or_else(|| "its cluster is not connected".to_owned())
}

async fn look<'a, T>(
    looker: Result<&'a Arc<dyn Looker>, String>,
    question: impl FnOnce(&'a Arc<dyn Looker>) -> BoxFuture<'a, Result<T, String>>,
) -> Result<T, String> {
    match tokio::time::timeout(LOOK_DEADLINE, question(looker?)).await {
        Ok(answer) => answer,
        Err(_) => Err(format!("no answer within {} s", LOOK_DEADLINE.as_secs())),
    }
}

async fn read(
    ports: &BTreeMap<Clean, Port>,
    world: &watch::Receiver<Arc<World>>,
    target: TargetId,
) -> Result<Option<Arc<Rollout>>, String> {
    let context = context_of(&world.borrow(), &target);
    let port = context.and_then(|context| ports.get(&context)).ok_or("its cluster is not connected")?;
    match tokio::time::timeout(READ_DEADLINE, port.reader.read(&target)).await {
        Ok(answer) => answer,
        Err(_) => Err(format!("no answer within {} s", READ_DEADLINE.as_secs())),
    }
}
