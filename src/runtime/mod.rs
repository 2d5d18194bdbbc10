//! The running program: one engine that owns the world, the control that carries out acts, the tasks that keep the
//! links alive, and the handle that the faces hold.

pub mod control;
mod engine;
pub mod handle;
mod questions;
mod supervise;
pub mod telemetry;

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::{mpsc, watch};
use tokio::task::{JoinHandle, JoinSet};

use self::control::{Control, Deadlines, Journal, Port};
use self::handle::Handle;
use crate::audit::AuditLog;
use crate::domain::environment::EnvironmentRules;
use crate::domain::intent::Actor;
use crate::model::{Event, State, World};
use crate::policy::Mandate;
use crate::systems::Connected;

/// Room for observations: a slow engine slows the reading of the wire down.
const OBSERVATIONS: usize = 8192;

/// Room for intents, questions and stages of acts.
const QUEUE: usize = 256;

/// What the runtime starts from.
pub struct Parts {
    /// The connected contexts.
    pub systems: Vec<Connected>,
    /// Which environment a target belongs to.
    pub environments: EnvironmentRules,
    /// The policy settings.
    pub mandate: Mandate,
    /// The audit log; `Err` says why there is none, and then nothing moves forward.
    pub audit: Result<Arc<AuditLog>, String>,
    /// Who acts through this process, by face.
    pub actor: Arc<dyn Fn(&'static str) -> Actor + Send + Sync>,
    /// How long to wait for what cannot be forced.
    pub deadlines: Deadlines,
}

/// The running program, without a face.
pub struct Running {
    /// What faces hold.
    pub handle: Handle,
    stop: watch::Sender<bool>,
    control: JoinHandle<()>,
    engine: JoinHandle<()>,
    links: JoinSet<()>,
    questions: JoinHandle<()>,
}

/// Starts the engine, control and the links' tasks.
pub fn start(parts: Parts) -> Running {
    let Parts { systems, environments, mandate, audit, actor, deadlines } = parts;
    let mandate = Arc::new(mandate);
    let (observations, observed) = mpsc::channel(OBSERVATIONS);
    let (events, happened) = mpsc::channel::<Event>(QUEUE);
    let (intents, asked) = mpsc::channel(QUEUE);
    let (queries, questions) = mpsc::channel(QUEUE);
    let (focus, focused) = watch::channel(None);
    let (publish, world) = watch::channel(Arc::new(World::default()));
    let (stop, stopping) = watch::channel(false);

    let mut ports = BTreeMap::new();
    let mut lookers = questions::Lookers::new();
    let mut tasks = Vec::new();
    for system in systems {
        lookers.insert(system.context.clone(), system.looker);
        ports.insert(system.context, Port { effector: system.effector, reader: system.reader });
        tasks.extend(system.links);
    }
    let journal = Journal::new(audit);
    let control = Control {
        ports: ports.clone(),
        world: world.clone(),
        events: events.clone(),
        journal: journal.clone(),
        mandate: mandate.clone(),
        deadlines,
    };
    let links = supervise::spawn(tasks, &observations, &focused);
    drop(observations);
    let engine = tokio::spawn(engine::run(State::new(environments), observed, happened, publish));
    let questions = tokio::spawn(questions::run(questions, ports, lookers, world.clone(), journal, events));
    let control = tokio::spawn(control::run(control, asked, stopping));
    let handle = Handle { world, intents, queries, focus: Arc::new(focus), mandate, actor };
    Running { handle, stop, control, engine, links, questions }
}

impl Running {
    /// Ends it: acts under way get a moment, and what stays open is recorded as *unknown: interrupted*.
    pub async fn shutdown(mut self) {
        self.stop.send_replace(true);
        // A panic inside was reported by the panic hook; the rest still has to end.
        let _ = (&mut self.control).await;
        self.links.shutdown().await;
        self.questions.abort();
        self.engine.abort();
    }
}
