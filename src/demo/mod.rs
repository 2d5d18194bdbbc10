//! The embedded demo world: a loopback server that speaks the Kubernetes API as the production code uses it, and a
//! model of the Argo Rollouts controller behind it. Nothing outside this room knows that it is not a real cluster; the
//! parity test holds it to one.

mod answer;
mod api;
mod events;
mod experiments;
mod git;
mod held;
mod kinds;
mod managed;
pub(crate) mod patch;
mod pods;
mod prometheus;
mod rates;
mod rollouts;
mod runs;
mod scenario;
mod script;
mod sim;
mod stamp;
mod store;
mod traffic;

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

pub use scenario::Scenario;

use answer::Refusal;
use sim::{Outage, Sim};

/// Where the world takes its time from.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The world looks at its clock at least so often: a clock that tests move must be seen to move.
const GLANCE: Duration = Duration::from_millis(200);

/// What can go wrong on the wire, for tests and demonstrations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Writes are done, and their connection ends without an answer.
    LoseAnswers,
    /// Writes are refused with 503.
    RefuseWrites,
    /// Nothing is answered and nothing is closed, watches included: the network swallows everything.
    Silence,
    /// Everything is refused with 503.
    RefuseAll,
    /// A proxy's page comes in the place of Prometheus.
    NoPrometheus,
    /// All works again.
    None,
    /// All watches end now, once.
    EndWatches,
    /// What changed so far is forgotten, once: older versions cannot be watched from (`410 Gone`).
    Forget,
}

pub(crate) struct Shared {
    sim: Mutex<Sim>,
    clock: Clock,
    fault: Mutex<Fault>,
    /// The store's version.
    news: watch::Sender<u64>,
    /// Counts the times that all watches ended.
    ended: watch::Sender<u64>,
    poked: Notify,
}

impl Shared {
    fn sim<T>(&self, work: impl FnOnce(&mut Sim) -> T) -> T {
        // A panic in a model must not take the whole demo with it.
        work(&mut self.sim.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn fault(&self) -> Fault {
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn before_write(&self) -> Option<Refusal> {
        (self.fault() == Fault::RefuseWrites).then(answer::unavailable)
    }

    fn loses_answers(&self) -> bool {
        self.fault() == Fault::LoseAnswers
    }

    fn outage(&self) -> Option<Outage> {
        match self.fault() {
            Fault::Silence => Some(Outage::Silent),
            Fault::RefuseAll => Some(Outage::Refusing),
            _ => self.sim(|sim| sim.outage.map(|(outage, _)| outage)),
        }
    }

    /// Returns once the world may speak.
    async fn spoken(&self) {
        while self.outage() == Some(Outage::Silent) {
            tokio::time::sleep(GLANCE).await;
        }
    }

    fn refuses(&self) -> bool {
        self.outage() == Some(Outage::Refusing)
    }

    /// Something was written: the watches are told, and the controllers look.
    fn poke(&self) {
        self.tell();
        self.poked.notify_one();
    }

    fn tell(&self) {
        let version = self.sim(|sim| sim.store.version());
        self.news.send_if_modified(|told| std::mem::replace(told, version) != version);
    }

    async fn live(self: Arc<Self>) {
        loop {
            let now = (self.clock)();
            let next = self.sim(|sim| sim.step(now));
            self.tell();
            let wait = next.map_or(GLANCE, |at| Duration::try_from(at.duration_since(now)).unwrap_or_default());
            tokio::select! {
                () = self.poked.notified() => {}
                () = tokio::time::sleep(wait.clamp(Duration::from_millis(1), GLANCE)) => {}
            }
        }
    }
}

/// The running world.
pub struct World {
    shared: Arc<Shared>,
    address: SocketAddr,
    prometheus: SocketAddr,
    tasks: JoinSet<()>,
}

impl World {
    /// Starts it on a free port of the loopback interface. The same scenario and seed make the same world.
    pub async fn start(scenario: &Scenario, seed: u64) -> io::Result<Self> {
        Self::start_with(scenario, seed, Arc::new(Timestamp::now)).await
    }

    /// Starts it with a clock of the caller's.
    pub async fn start_with(scenario: &Scenario, seed: u64, clock: Clock) -> io::Result<Self> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let sim = Sim::new(scenario, seed, clock());
        let (news, _) = watch::channel(sim.store.version());
        let (ended, _) = watch::channel(0);
        let shared = Arc::new(Shared {
            sim: Mutex::new(sim),
            clock,
            fault: Mutex::new(Fault::None),
            news,
            ended,
            poked: Notify::new(),
        });
        let mut tasks = JoinSet::new();
        let router = axum::Router::new().fallback(api::answer).with_state(shared.clone());
        tasks.spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                tracing::error!(%error, "the demo world's server ended");
            }
        });
        let measured = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let prometheus = measured.local_addr()?;
        let router = prometheus::router(shared.clone());
        tasks.spawn(async move {
            if let Err(error) = axum::serve(measured, router).await {
                tracing::error!(%error, "the demo world's Prometheus ended");
            }
        });
        tasks.spawn(shared.clone().live());
        Ok(Self { shared, address, prometheus, tasks })
    }

    /// A kubeconfig that leads to it.
    pub fn kubeconfig(&self) -> String {
        format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: demo\n\
             contexts: [{{name: demo, context: {{cluster: demo, user: demo}}}}]\n\
             clusters: [{{name: demo, cluster: {{server: \"http://{}\"}}}}]\n\
             users: [{{name: demo, user: {{}}}}]\n",
            self.address
        )
    }

    /// Where its Prometheus answers.
    pub fn prometheus(&self) -> String {
        format!("http://{}", self.prometheus)
    }

    /// Stops the Rollouts controller, or lets it go on.
    pub fn controller(&self, runs: bool) {
        self.shared.sim(|sim| sim.run_controller(runs));
        self.shared.poked.notify_one();
    }

    /// Lets something go wrong on the wire.
    pub fn fault(&self, fault: Fault) {
        match fault {
            Fault::EndWatches => self.shared.ended.send_modify(|n| *n += 1),
            Fault::Forget => self.shared.sim(|sim| sim.store.compact()),
            kept => *self.shared.fault.lock().unwrap_or_else(PoisonError::into_inner) = kept,
        }
    }

    /// Ends it.
    pub async fn stop(mut self) {
        self.tasks.shutdown().await;
    }
}
