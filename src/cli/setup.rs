//! Wiring: from flags and files to running parts.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use jiff::Timestamp;
use tokio::signal::unix::{SignalKind, signal};

use super::args::{DemoArgs, Global};
use super::{call, output, settings};
use crate::audit::{AuditLog, Stamp};
use crate::config::{ConfigError, ConfigFile, Layers, Loaded, Origins, Paths, Problem};
use crate::domain::ids::TargetId;
use crate::domain::intent::Actor;
use crate::domain::link::LinkState;
use crate::domain::signal::{Reading, Signals, Verdict};
use crate::domain::text::Clean;
use crate::error::{Error, Kind};
use crate::model::{World, query};
use crate::runtime::control::{Deadlines, Identities, Recording};
use crate::runtime::handle::Handle;
use crate::runtime::telemetry::{self, WorkerGuard};
use crate::runtime::{self, Parts, Running};
use crate::systems::argo_rollouts;
use crate::systems::kubernetes::client::{Cluster, ConnectError, ConnectSettings, read_kubeconfig};
use crate::systems::kubernetes::timings::Timings;
use crate::systems::prometheus;
use crate::tui;

/// How long the server may take to say who we are, before an act goes without that.
const WHO: Duration = Duration::from_secs(2);

/// How long a one-shot verb waits for error rates, once everything else is there.
const RATES: Duration = Duration::from_secs(10);

/// How many failures in a row of a link end the waiting of a one-shot verb.
const HOPELESS: u32 = 3;

/// Configuration and places, before anything is connected.
pub(super) struct Ground {
    pub config: ConfigFile,
    /// Where each key is from.
    pub origins: Origins,
    /// What it was read from, to read it again.
    pub(super) layers: Layers,
    /// The files that held something: they must go on to.
    pub(super) held: Vec<PathBuf>,
    /// What may not do what was meant.
    pub(super) warnings: Vec<Problem>,
    /// What is different from the files, whatever they say: the demo's own.
    pub(super) adjust: Arc<dyn Fn(&mut ConfigFile) + Send + Sync>,
    pub state: Option<PathBuf>,
    /// The first context, or the current one.
    pub settings: ConnectSettings,
    /// The contexts asked for; none = the current one.
    pub(super) contexts: Vec<String>,
    /// The namespaces that flags name.
    namespaces: Vec<String>,
    /// All namespaces, whatever is configured.
    all_namespaces: bool,
    pub(super) all_contexts: bool,
    /// Where the user's own themes are.
    pub(super) themes: PathBuf,
    /// How a verb gets at the same log and clusters from elsewhere.
    pub(super) verbs: tui::Verbs,
}

impl Ground {
    /// Reads the configuration and lays flags over it.
    pub(super) fn find(global: &Global) -> Result<Self, Error> {
        let paths = Paths::find(global.config.clone(), global.state_dir.clone());
        let layers = settings::layers(global, &paths);
        let Loaded { config, origins, warnings, found } = layers.load().map_err(settings::unusable)?;
        let held = found.into_iter().filter(|(_, held)| *held).map(|(path, _)| path).collect();
        let kubernetes = &config.kubernetes;
        let mut contexts: Vec<String> = kubernetes.context.iter().chain(&kubernetes.contexts).cloned().collect();
        let mut known = std::collections::BTreeSet::new();
        contexts.retain(|context| known.insert(context.clone()));
        let settings = ConnectSettings {
            kubeconfig: global.kubeconfig.clone().or_else(|| config.kubernetes.kubeconfig.clone()),
            context: contexts.first().cloned(),
            namespaces: Vec::new(),
            candidates: Vec::new(),
            impersonate: global.impersonate.clone(),
            impersonate_groups: global.impersonate_groups.clone(),
        };
        let all_contexts = kubernetes.all_contexts;
        let themes = paths.config.0.parent().map(|folder| folder.join("themes")).unwrap_or_default();
        let mut ground = Self {
            config,
            origins,
            layers,
            held,
            warnings,
            adjust: Arc::new(|_| {}),
            state: paths.state,
            settings,
            contexts,
            namespaces: global.namespace.clone(),
            all_namespaces: global.all_namespaces,
            all_contexts,
            themes,
            verbs: tui::Verbs { call: call::again(global), while_open: false },
        };
        ground.settings = ground.connect_to(ground.settings.context.clone());
        Ok(ground)
    }

    /// How to connect to a context; `None` = the current one. Namespaces that flags name stand above the configured.
    pub(super) fn connect_to(&self, context: Option<String>) -> ConnectSettings {
        let name = context.clone().or_else(|| {
            // Only the kubeconfig knows its name, and only a rule wants to.
            let rules = !self.config.context.is_empty();
            rules.then(|| read_kubeconfig(&self.settings).ok()?.current_context).flatten()
        });
        let here = self.config.at(&name.unwrap_or_default()).kubernetes;
        let namespaces = match self.namespaces.as_slice() {
            _ if self.all_namespaces => Vec::new(),
            [] => here.namespace.into_iter().collect(),
            said => said.to_vec(),
        };
        ConnectSettings { context, namespaces, candidates: here.namespaces, ..self.settings.clone() }
    }

    /// Where to connect to: every context that was asked for.
    pub(super) fn everywhere(&self) -> Result<Vec<ConnectSettings>, ConnectError> {
        let contexts = if self.all_contexts {
            let known = read_kubeconfig(&self.settings)?;
            // The current one first: it shows a cluster to which others lead too.
            let (mut current, others): (Vec<String>, Vec<String>) = known
                .contexts
                .into_iter()
                .map(|c| c.name)
                .partition(|name| Some(name) == known.current_context.as_ref());
            current.extend(others);
            current
        } else {
            self.contexts.clone()
        };
        if contexts.is_empty() {
            return Ok(vec![self.settings.clone()]);
        }
        Ok(contexts.into_iter().map(|context| self.connect_to(Some(context))).collect())
    }

    /// Where the audit log is.
    pub(super) fn audit_dir(&self) -> Result<PathBuf, String> {
        match (&self.config.audit.dir, &self.state) {
            (Some(dir), _) => Ok(dir.clone()),
            (None, Some(state)) => Ok(state.join("audit")),
            (None, None) => Err("there is no state directory: give --state-dir, or set HOME".to_owned()),
        }
    }

    /// Says the word that is configured for the corner of a screen: a verb that acts has none.
    pub(super) fn say_badge(&self) {
        if let Some(word) = tui::badge(&self.config.ui.badge) {
            output::note(&word);
        }
    }

    /// Opens the audit log; nothing is written yet.
    pub(super) fn audit(&self) -> Result<Arc<AuditLog>, String> {
        let dir = self.audit_dir()?;
        AuditLog::open(&dir, stamp()).map(Arc::new).map_err(|e| e.to_string())
    }
}

/// The parts, running.
pub(super) struct Session {
    pub handle: Handle,
    pub running: Running,
    pub(super) clusters: Vec<Arc<Cluster>>,
    /// The namespaces that flags or the configuration name.
    pub(super) named: BTreeSet<String>,
    kube_user: Arc<OnceLock<Clean>>,
    identities: Identities,
    /// Contexts that have a Prometheus.
    rates: usize,
    _log: Option<WorkerGuard>,
}

impl Session {
    /// Connects and starts everything.
    pub(super) async fn start(global: &Global, ground: &Ground, deadlines: Deadlines) -> Result<Self, Error> {
        for warning in &ground.warnings {
            output::note(&format!("flightdeck: {warning}"));
        }
        let log = start_log(ground);
        let settings = ground.everywhere().map_err(|e| not_connected(&e))?;
        let named = settings.iter().flat_map(|one| one.namespaces.iter().cloned()).collect();
        let mut connected =
            argo_rollouts::connect_all(&settings, Timings::default()).await.map_err(|e| not_connected(&e))?;
        let mut rates = 0;
        for (system, cluster) in &mut connected {
            if let Some(cluster) = cluster {
                let link = prometheus::link(&ground.config.prometheus, cluster, prometheus::Timings::default());
                rates += usize::from(link.is_some());
                system.links.extend(link);
            }
        }
        let (mut systems, clusters): (Vec<_>, Vec<_>) = connected.into_iter().unzip();
        let clusters: Vec<Arc<Cluster>> = clusters.into_iter().flatten().collect();
        if global.no_config {
            let contexts: Vec<&str> = clusters.iter().map(|cluster| cluster.context.as_str()).collect();
            output::note(&format!(
                "flightdeck: no configuration file is read (--no-config), on {}: only acts that stop harm go",
                contexts.join(", ")
            ));
        }
        let insecure = clusters.iter().filter(|c| c.insecure).map(|c| c.context.clone()).collect();
        let witness = settings::witness(&ground.config, &mut systems);
        let kube_user = Arc::new(OnceLock::new());
        let identities = Identities::default();
        let parts = Parts {
            systems,
            settings: settings::settings(&ground.config, &ground.origins, &ground.themes, insecure),
            reload: Some(settings::reload(ground)),
            audit: ground.audit(),
            recording: Recording {
                os_uid: Some(rustix::process::getuid().as_raw()),
                os_user_from: os_user().1.map(|variable| format!("the variable {variable}")),
                identities: identities.clone(),
                witness: Some(witness),
            },
            actor: actor(kube_user.clone()),
            deadlines,
        };
        let running = runtime::start(parts);
        Ok(Self { handle: running.handle.clone(), running, clusters, named, kube_user, identities, rates, _log: log })
    }

    /// Asks the servers who we are, so that records say it. No answer is no reason to wait: the record then says less.
    pub(super) async fn learn_user(&self) {
        let ask = |cluster: &Arc<Cluster>| {
            let cluster = cluster.clone();
            async move {
                let answer = tokio::time::timeout(WHO, cluster.identity()).await;
                let mut identity = answer.ok().and_then(Result::ok)?;
                // The record names the one who acts, and the one whose rights were taken.
                if let Some(behind) = tokio::time::timeout(WHO, cluster.behind()).await.unwrap_or(None) {
                    let who = behind.map_or_else(|_| "somebody unknown".to_owned(), |name| name.to_string());
                    identity.name = Clean::new(&format!("{} (impersonated by {who})", identity.name));
                }
                Some((cluster.context.clone(), identity))
            }
        };
        let known: Vec<_> =
            futures::future::join_all(self.clusters.iter().map(ask)).await.into_iter().flatten().collect();
        let name = match known.as_slice() {
            [] => return,
            [(_, one)] if self.clusters.len() == 1 => one.name.clone(),
            several => {
                let names: Vec<String> = several.iter().map(|(context, i)| format!("{} ({context})", i.name)).collect();
                Clean::new(&names.join(", "))
            }
        };
        let _ = self.kube_user.set(name);
        for (context, identity) in known {
            self.identities.learn(context, identity);
        }
    }

    /// Waits until everything was listed, or cannot be, or the time is up.
    pub(super) async fn settled(&self, deadline: Duration) -> Arc<World> {
        match tokio::time::timeout(deadline, self.handle.wait_for(settled)).await {
            Ok(Ok(world)) => world,
            Ok(Err(_)) | Err(_) => self.handle.world(),
        }
    }

    /// Waits until the error rates of these targets were read, or cannot be. Their absence holds nothing up for long:
    /// without a Prometheus there is nothing to wait for.
    pub(super) async fn rated(&self, world: Arc<World>, targets: Vec<TargetId>, deadline: Duration) -> Arc<World> {
        self.rated_until(world, targets, deadline, false).await
    }

    /// The same with how it was in the past hour, where what is measured now does not say it.
    pub(super) async fn judged(&self, world: Arc<World>, targets: Vec<TargetId>, deadline: Duration) -> Arc<World> {
        self.rated_until(world, targets, deadline, true).await
    }

    async fn rated_until(
        &self,
        world: Arc<World>,
        targets: Vec<TargetId>,
        deadline: Duration,
        past: bool,
    ) -> Arc<World> {
        if self.rates == 0 {
            return world;
        }
        self.handle.visible(targets.clone());
        // Of a version that an abort took out of the traffic only the past tells what it was.
        let told = |signals: &Signals| {
            let blind = matches!(signals.subject.long, Reading::WrongQuery { .. } | Reading::Unreachable { .. });
            let certain = matches!(signals.verdict, Verdict::Fine | Verdict::Over);
            !past || signals.looked_back.is_some() || certain || blind || signals.template.is_none()
        };
        let rated = |world: &World| {
            let hopeless = world.links.values().filter(|l| l.id.what == prometheus::LINK).all(|l| {
                matches!(l.state, LinkState::Denied { .. } | LinkState::Backoff { .. } | LinkState::Stale { .. })
            });
            let known = |id: &TargetId| {
                world.targets.get(id).is_none_or(|t| {
                    t.rollout.pod_hash.is_empty()
                        || t.signals.as_deref().is_some_and(|s| t.rollout.fully_promoted() || told(s))
                })
            };
            // A link that has not said anything yet is no Prometheus that is not configured.
            let there = world.links.keys().filter(|link| link.what == prometheus::LINK).count() >= self.rates;
            there && (hopeless || targets.iter().all(known))
        };
        match tokio::time::timeout(deadline.min(RATES), self.handle.wait_for(rated)).await {
            Ok(Ok(world)) => world,
            Ok(Err(_)) | Err(_) => self.handle.world(),
        }
    }

    /// Ends it in order.
    pub(super) async fn end(self) {
        let unwritten = self.running.shutdown().await;
        if !unwritten.is_empty() {
            output::note("flightdeck: these records are NOT in the audit log, which took none; keep them:");
            for line in unwritten {
                output::note(&line);
            }
        }
    }
}

/// Whether a one-shot verb need wait no longer: every list was read and its watch stands, or that is hopeless.
fn settled(world: &World) -> bool {
    world.links.keys().any(query::lists)
        && world.links.values().filter(|l| query::lists(&l.id)).all(|link| match link.state {
            LinkState::Live | LinkState::Denied { .. } | LinkState::Stale { .. } => true,
            LinkState::Backoff { tries, .. } => tries >= HOPELESS,
            LinkState::Connecting | LinkState::Off => false,
        })
}

/// What is wrong when not everything was listed: a partial answer, or none.
pub(super) fn incomplete(world: &World) -> Option<Error> {
    if query::complete(world) {
        return None;
    }
    let open = world.links.values().filter(|l| query::lists(&l.id) && !l.listed);
    let why: Vec<String> = open
        .map(|link| match &link.state {
            LinkState::Denied { why } | LinkState::Backoff { why, .. } => format!("{}: {why}", link.id),
            other => format!("{}: {}, no answer in time", link.id, other.word()),
        })
        .collect();
    let any = world.links.values().any(|l| l.id.what == "rollouts" && l.listed);
    let (kind, what) = if any {
        (Kind::Partial, "the answer is not complete")
    } else {
        (Kind::Unreachable, "the rollouts cannot be read")
    };
    let why = if why.is_empty() { "no link answered in time".to_owned() } else { why.join("\n  ") };
    Some(Error::new(kind, format!("{what}\n  {why}")).hint("`flightdeck doctor` checks the connection step by step"))
}

pub(super) fn not_connected(error: &ConnectError) -> Error {
    let kind = Kind::Usage;
    match error {
        ConnectError::NoKubeconfig(_) => Error::new(kind, error.to_string())
            .hint("set KUBECONFIG or give --kubeconfig; `flightdeck demo` needs no cluster"),
        ConnectError::Unusable { .. } => Error::new(kind, error.to_string())
            .hint("`kubectl config get-contexts` lists them; --context NAME picks one"),
    }
}

/// Logging must never stand in the way of an act: without it the program goes on.
fn start_log(ground: &Ground) -> Option<WorkerGuard> {
    let dir = ground.state.as_ref()?.join("logs");
    match telemetry::start(&dir, &ground.config.log.level) {
        Ok(guard) => Some(guard),
        Err(why) => {
            output::note(&format!("flightdeck: no log file: {why}"));
            None
        }
    }
}

fn actor(kube_user: Arc<OnceLock<Clean>>) -> Arc<dyn Fn(&'static str) -> Actor + Send + Sync> {
    let (os_user, _) = os_user();
    Arc::new(move |face| Actor { os_user: os_user.clone(), kube_user: kube_user.get().cloned(), face })
}

/// The operating system's user: the name is the environment's claim, the number the kernel's. Also which variable
/// claims it.
fn os_user() -> (Clean, Option<&'static str>) {
    let uid = rustix::process::getuid().as_raw();
    let claimed =
        ["USER", "LOGNAME"].iter().find_map(|key| Some((std::env::var(key).ok().filter(|n| !n.is_empty())?, *key)));
    match claimed {
        Some((name, variable)) => (Clean::new(&format!("{name} (uid {uid})")), Some(variable)),
        None => (Clean::new(&format!("uid {uid}")), None),
    }
}

/// What the log adds to each record.
pub(super) fn stamp() -> Stamp {
    let now = || {
        let boot = rustix::time::clock_gettime(BOOT_CLOCK);
        let nanos = u64::try_from(boot.tv_sec).unwrap_or(0) * 1_000_000_000 + u64::try_from(boot.tv_nsec).unwrap_or(0);
        (Timestamp::now(), nanos)
    };
    Stamp {
        host: Clean::new(&rustix::system::uname().nodename().to_string_lossy()).to_string(),
        pid: std::process::id(),
        instance: uuid::Uuid::new_v4().to_string(),
        program: env!("CARGO_PKG_VERSION").to_owned(),
        boot_id: std::fs::read_to_string("/proc/sys/kernel/random/boot_id")
            .map(|id| id.trim().to_owned())
            .unwrap_or_default(),
        now: Arc::new(now),
    }
}

#[cfg(target_os = "linux")]
const BOOT_CLOCK: rustix::time::ClockId = rustix::time::ClockId::Boottime;
#[cfg(not(target_os = "linux"))]
const BOOT_CLOCK: rustix::time::ClockId = rustix::time::ClockId::Monotonic;

/// A bare start: the cockpit on the kube context; the demo world only where there is no kubeconfig at all.
pub(super) async fn cockpit(global: &Global) -> Result<ExitCode, Error> {
    let ground = Ground::find(global)?;
    let pointed_at = ground.settings.kubeconfig.is_some() || std::env::var_os("KUBECONFIG").is_some();
    if !pointed_at && matches!(read_kubeconfig(&ground.settings), Err(ConnectError::NoKubeconfig(_))) {
        return super::demo::run(global, &DemoArgs::plain()).await;
    }
    open(global, &ground).await
}

/// Resolves when the person or the system wants the program to end.
pub(super) async fn interrupted() {
    let (Ok(mut term), Ok(mut hup)) = (signal(SignalKind::terminate()), signal(SignalKind::hangup())) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = term.recv() => {}
        _ = hup.recv() => {}
    }
}

pub(super) async fn open(global: &Global, ground: &Ground) -> Result<ExitCode, Error> {
    use std::io::IsTerminal as _;
    if !std::io::stdout().is_terminal() || !std::io::stdin().is_terminal() {
        return Err(Error::new(Kind::Usage, "the cockpit needs a terminal")
            .hint("verbs work without one: `flightdeck status`, `flightdeck --help`"));
    }
    let face = settings::face(&ground.config, &ground.themes);
    let wrong = settings::face_problems(&face).into_iter().map(|p| ground.origins.locate(p));
    match wrong.collect::<Vec<_>>() {
        none if none.is_empty() => {}
        problems => return Err(settings::unusable(ConfigError { problems })),
    }
    let session = Session::start(global, ground, Deadlines::default()).await?;
    let only_ascii = output::ascii();
    let ascii = ground.config.ui.ascii || only_ascii;
    let look = tui::Look { color: !ground.config.ui.no_color, ascii, only_ascii };
    let cockpit = tui::run(session.handle.clone(), look, face, ground.verbs.clone());
    let (done, ()) = tokio::join!(cockpit, session.learn_user());
    session.end().await;
    done.map_err(|e| Error::new(Kind::Failure, format!("terminal: {e}")))?;
    Ok(ExitCode::SUCCESS)
}
