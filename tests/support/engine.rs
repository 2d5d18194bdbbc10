//! The running program in this process: what the faces use, without a face.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use flightdeck::actions::by_verb;
use flightdeck::audit::{AuditLog, Stamp};
use flightdeck::config::prometheus::PrometheusSection;
use flightdeck::domain::environment::EnvironmentRules;
use flightdeck::domain::ids::{ActId, TargetId};
use flightdeck::domain::intent::{Actor, Confirmed, Intent, Params};
use flightdeck::domain::outcome::Act;
use flightdeck::domain::rollout::Rollout;
use flightdeck::domain::seen::Seen;
use flightdeck::model::Target;
use flightdeck::policy::Mandate;
use flightdeck::runtime::control::{Deadlines, Recording};
use flightdeck::runtime::handle::Handle;
use flightdeck::runtime::settings::Settings;
use flightdeck::runtime::{self, Parts, Running};
use flightdeck::systems::kubernetes::client::ConnectSettings;
use flightdeck::systems::kubernetes::timings::Timings;
use flightdeck::systems::{argo_rollouts, prometheus};
use jiff::Timestamp;

/// How long a test waits for the engine.
const PATIENCE: Duration = Duration::from_secs(40);

pub struct Engine {
    pub running: Running,
    pub handle: Handle,
    state: tempfile::TempDir,
}

/// What the log adds to records of a test.
pub fn stamp(instance: &str) -> Stamp {
    Stamp {
        host: "test-host".to_owned(),
        pid: std::process::id(),
        instance: instance.to_owned(),
        program: "test".to_owned(),
        boot_id: "boot".to_owned(),
        now: Arc::new(|| (Timestamp::now(), 0)),
    }
}

impl Engine {
    pub async fn start(kubeconfig: &Path, namespace: &str, deadlines: Deadlines) -> Self {
        Self::start_with(kubeconfig, namespace, deadlines, Timings::default()).await
    }

    pub async fn start_with(kubeconfig: &Path, namespace: &str, deadlines: Deadlines, timings: Timings) -> Self {
        Self::start_recording(kubeconfig, namespace, deadlines, timings, Recording::default()).await
    }

    /// With these marks on records, and witnesses.
    pub async fn start_recording(
        kubeconfig: &Path,
        namespace: &str,
        deadlines: Deadlines,
        timings: Timings,
        recording: Recording,
    ) -> Self {
        let rates = (PrometheusSection::default(), prometheus::Timings::default());
        Self::start_whole(kubeconfig, namespace, deadlines, timings, recording, rates).await
    }

    /// With error rates too.
    pub async fn start_all(
        kubeconfig: &Path,
        namespace: &str,
        deadlines: Deadlines,
        timings: Timings,
        rates: (PrometheusSection, prometheus::Timings),
    ) -> Self {
        Self::start_whole(kubeconfig, namespace, deadlines, timings, Recording::default(), rates).await
    }

    /// In the state folder that another one left.
    pub async fn start_in(kubeconfig: &Path, namespace: &str, state: tempfile::TempDir) -> Self {
        let rates = (PrometheusSection::default(), prometheus::Timings::default());
        let (deadlines, timings) = (Deadlines::default(), Timings::default());
        let kept = (state, Mandate::default());
        Self::start_at(kubeconfig, namespace, deadlines, timings, Recording::default(), rates, kept).await
    }

    /// With images allowed to be set by hand in what counts as production.
    pub async fn start_free(kubeconfig: &Path, namespace: &str, deadlines: Deadlines) -> Self {
        let mandate = Mandate { set_image_in_production: true, ..Mandate::default() };
        let rates = (PrometheusSection::default(), prometheus::Timings::default());
        let kept = (tempfile::tempdir().expect("a temporary folder"), mandate);
        Self::start_at(kubeconfig, namespace, deadlines, Timings::default(), Recording::default(), rates, kept).await
    }

    async fn start_whole(
        kubeconfig: &Path,
        namespace: &str,
        deadlines: Deadlines,
        timings: Timings,
        recording: Recording,
        rates: (PrometheusSection, prometheus::Timings),
    ) -> Self {
        let state = tempfile::tempdir().expect("a temporary folder");
        let kept = (state, Mandate::default());
        Self::start_at(kubeconfig, namespace, deadlines, timings, recording, rates, kept).await
    }

    async fn start_at(
        kubeconfig: &Path,
        namespace: &str,
        deadlines: Deadlines,
        timings: Timings,
        recording: Recording,
        (section, pace): (PrometheusSection, prometheus::Timings),
        (state, mandate): (tempfile::TempDir, Mandate),
    ) -> Self {
        let settings = ConnectSettings {
            kubeconfig: Some(kubeconfig.to_owned()),
            context: None,
            namespaces: vec![namespace.to_owned()],
            ..ConnectSettings::default()
        };
        Self::start_settings(&[settings], deadlines, timings, recording, (section, pace), (state, mandate)).await
    }

    /// In several contexts.
    pub async fn start_among(settings: &[ConnectSettings], timings: Timings) -> Self {
        let rates = (PrometheusSection::default(), prometheus::Timings::default());
        let kept = (tempfile::tempdir().expect("a temporary folder"), Mandate::default());
        Self::start_settings(settings, Deadlines::default(), timings, Recording::default(), rates, kept).await
    }

    async fn start_settings(
        settings: &[ConnectSettings],
        deadlines: Deadlines,
        timings: Timings,
        recording: Recording,
        (section, pace): (PrometheusSection, prometheus::Timings),
        (state, mandate): (tempfile::TempDir, Mandate),
    ) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut systems = Vec::new();
        for (mut system, cluster) in argo_rollouts::connect_all(settings, timings).await.expect("a usable kubeconfig") {
            if let Some(cluster) = cluster {
                system.links.extend(prometheus::link(&section, &cluster, pace));
            }
            systems.push(system);
        }
        let audit = AuditLog::open(&state.path().join("audit"), stamp(&uuid::Uuid::new_v4().to_string()));
        let running = runtime::start(Parts {
            systems,
            settings: Settings::of(mandate, EnvironmentRules::default()),
            reload: None,
            audit: audit.map(Arc::new).map_err(|e| e.to_string()),
            recording,
            actor: Arc::new(|face| Actor { os_user: "tester".into(), kube_user: None, face }),
            deadlines,
        });
        Self { handle: running.handle.clone(), running, state }
    }

    /// Waits until `is` holds of the target called `name` and its link is live.
    pub async fn until(&self, name: &str, is: impl Fn(&Rollout) -> bool) -> Arc<Target> {
        let found = |w: &flightdeck::model::World| {
            let live = w.links.values().any(|l| l.id.what == "rollouts" && l.state.is_live());
            w.targets.values().find(|t| live && t.id().name == name && is(&t.rollout)).cloned()
        };
        let world = tokio::time::timeout(PATIENCE, self.handle.wait_for(|w| found(w).is_some())).await;
        let world = world.unwrap_or_else(|_| panic!("{name} did not get there: {:#?}", self.handle.world().targets));
        found(&world.expect("the engine runs")).expect("it was there")
    }

    /// Presses resume on what was seen.
    pub async fn resume(&self, target: &Target, seen: Seen) -> ActId {
        self.act("resume", target, seen, Params::None).await
    }

    /// Does `verb` on what was seen.
    pub async fn act(&self, verb: &str, target: &Target, seen: Seen, params: Params) -> ActId {
        let intent = Intent {
            act: Handle::new_act(),
            action: by_verb(verb).expect("it is an act").id,
            params,
            plan: None,
            target: target.id().clone(),
            context: target.context.clone(),
            seen,
            actor: self.handle.actor("tui"),
            reason: None,
            confirmed: Confirmed::Typed,
        };
        self.handle.act(intent).await.expect("the engine runs")
    }

    /// Waits for the outcome, and that it was recorded. An act ends by deadlines of its own, however long they are.
    pub async fn ended(&self, act: &ActId) -> Arc<Act> {
        let ended = tokio::time::timeout(PATIENCE * 5, self.handle.wait_act(act)).await.expect("an outcome in time");
        let act = ended.expect("the engine runs");
        assert!(matches!(act.outcome_recorded, Some(Ok(_))), "not recorded: {act:?}");
        act
    }

    /// The target as the server has it.
    pub async fn read(&self, target: &TargetId) -> Arc<Rollout> {
        self.handle.read(target.clone()).await.expect("an answer").expect("the rollout is there")
    }

    /// Where the audit log is.
    pub fn audit_dir(&self) -> PathBuf {
        self.state.path().join("audit")
    }

    /// Ends it and hands the audit log over.
    pub async fn end_and_keep(self) -> tempfile::TempDir {
        self.running.shutdown().await;
        self.state
    }

    pub async fn end(self) {
        self.running.shutdown().await;
    }
}
