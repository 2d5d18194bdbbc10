//! The running program: one engine that owns the world, the control that carries out acts, the tasks that keep the
//! links alive, and the handle that the faces hold.

pub mod control;
mod engine;
pub mod handle;
mod interest;
mod questions;
pub mod settings;
mod supervise;
pub mod telemetry;
mod watcher;
mod witness;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::{JoinHandle, JoinSet};

use self::control::plans::Plans;
use self::control::{Control, Deadlines, Journal, Port, Provenance, Recording};
use self::handle::Handle;
use self::settings::{Reload, Settings};
use crate::audit::AuditLog;
use crate::domain::intent::Actor;
use crate::model::{Event, State, World};
use crate::systems::{Connected, Wants};

/// Room for observations: a slow engine slows the reading of the wire down.
const OBSERVATIONS: usize = 8192;

/// Room for intents, questions and stages of acts.
const QUEUE: usize = 256;

/// How long the end of the program waits for the last acts to be told to the clusters.
const FAREWELL: Duration = Duration::from_secs(2);

/// What the runtime starts from.
pub struct Parts {
    /// The connected contexts.
    pub systems: Vec<Connected>,
    /// Policy, environments, looks and keys, as they are at the start.
    pub settings: Settings,
    /// How they are read again when a file changes; `None` = they stay as they are.
    pub reload: Option<Reload>,
    /// The audit log; `Err` says why there is none, and then nothing moves forward.
    pub audit: Result<Arc<AuditLog>, String>,
    /// What records carry, and who else is told of them.
    pub recording: Recording,
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
    planner: JoinHandle<()>,
    engine: JoinHandle<()>,
    settings: Option<JoinHandle<()>>,
    links: JoinSet<()>,
    questions: JoinHandle<()>,
    journal: Journal,
    mend: JoinHandle<()>,
    /// Tells the clusters of acts, and what ends that.
    witness: Option<(JoinHandle<()>, watch::Sender<bool>)>,
}

/// Starts the engine, control and the links' tasks.
pub fn start(parts: Parts) -> Running {
    let Parts { systems, settings, reload, audit, recording, actor, deadlines } = parts;
    let environments = settings.environments.clone();
    let (judge, judgement) = watch::channel(settings.prometheus.clone());
    let (change, settings) = watch::channel(Arc::new(settings));
    let (observations, observed) = mpsc::channel(OBSERVATIONS);
    let (events, happened) = mpsc::channel::<Event>(QUEUE);
    let (intents, asked) = mpsc::channel(QUEUE);
    let (queries, questions) = mpsc::channel(QUEUE);
    let (plans, planned) = mpsc::channel(QUEUE);
    let (focus, focused) = watch::channel(None);
    let (visible, seen) = watch::channel(Vec::new());
    let (wanted, interest) = watch::channel(Arc::default());
    let (publish, world) = watch::channel(Arc::new(World::default()));
    let (stop, stopping) = watch::channel(false);

    let mut ports = BTreeMap::new();
    let mut lookers = questions::Lookers::new();
    let mut tasks = Vec::new();
    let mut witnesses = BTreeMap::new();
    for system in systems {
        lookers.insert(system.context.clone(), system.looker);
        if let Some(witness) = system.witness {
            witnesses.insert(system.context.clone(), witness);
        }
        ports.insert(system.context, Port { effector: system.effector, reader: system.reader });
        tasks.extend(system.links);
    }
    let telling = recording.witness.clone().filter(|_| !witnesses.is_empty());
    let (teller, told) = witness::channel();
    let provenance = Provenance::new(recording, settings.clone());
    let journal = Journal::new(audit, provenance, telling.is_some().then_some(teller));
    let policy = settings.clone();
    let witness = telling.map(|settings| {
        let (stop, stopping) = watch::channel(false);
        let (journal, events) = (journal.clone(), events.clone());
        let witnesses = witness::Witnesses { by_context: witnesses, journal, settings, policy, events };
        (tokio::spawn(witness::run(witnesses, told, stopping)), stop)
    });
    let mend = tokio::spawn(witness::mend(journal.clone(), events.clone()));
    let control = Control {
        ports: ports.clone(),
        world: world.clone(),
        events: events.clone(),
        journal: journal.clone(),
        settings: settings.clone(),
        deadlines,
    };
    let mut links = supervise::spawn(tasks, &observations, &Wants { focus: focused.clone(), interest, judgement });
    links.spawn(interest::run(world.clone(), focused, seen, wanted));
    drop(observations);
    let engine = tokio::spawn(engine::run(State::new(environments), observed, happened, publish));
    let questions = tokio::spawn(questions::run(
        questions,
        ports,
        lookers,
        world.clone(),
        journal.clone(),
        settings.clone(),
        events,
    ));
    let runner = Plans {
        intents: intents.clone(),
        world: world.clone(),
        events: control.events.clone(),
        journal: journal.clone(),
    };
    let runner_events = control.events.clone();
    let planner = tokio::spawn(control::plans::run(runner, planned, stopping.clone()));
    let control = tokio::spawn(control::run(control, asked, stopping));
    let keep = reload
        .map(|reload| tokio::spawn(settings::run(reload, settings::Tell { change, judge, events: runner_events })));
    let (focus, visible) = (Arc::new(focus), Arc::new(visible));
    let handle = Handle { world, intents, plans, queries, focus, visible, settings, actor };
    Running { handle, stop, control, planner, engine, settings: keep, links, questions, journal, mend, witness }
}

impl Running {
    /// Ends it: acts under way get a moment, and what stays open is recorded as *unknown: interrupted*. Returns the
    /// records that the log never took, one line of JSON each: they are to be told to the person.
    pub async fn shutdown(mut self) -> Vec<String> {
        self.stop.send_replace(true);
        // A panic inside was reported by the panic hook; the rest still has to end.
        let _ = (&mut self.control).await;
        self.planner.abort();
        if let Some(settings) = &self.settings {
            settings.abort();
        }
        self.links.shutdown().await;
        let unwritten = self.journal.farewell().await;
        if let Some((mut task, stop)) = self.witness.take() {
            stop.send_replace(true);
            if tokio::time::timeout(FAREWELL, &mut task).await.is_err() {
                tracing::warn!("the cluster was not told of the last acts in time");
                task.abort();
            }
        }
        self.mend.abort();
        self.questions.abort();
        self.engine.abort();
        unwritten
    }
}
