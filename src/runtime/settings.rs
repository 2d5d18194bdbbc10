//! What may change while the program runs: the policy, the environments, looks and keys, the judgement of error rates.
//!
//! The files are watched, not polled. A change counts from the next decision on. A configuration with an error in it
//! changes nothing: what held before holds on, and every face says so until it is mended.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::control::policy_mark;
use super::watcher::Watcher;
use crate::config::Face;
use crate::config::prometheus::PrometheusSection;
use crate::domain::environment::EnvironmentRules;
use crate::domain::text::Clean;
use crate::model::Event;
use crate::policy::Mandate;

/// A file counts as written once nothing happened to it for so long: editors write in several steps.
const QUIET: Duration = Duration::from_millis(150);

/// But something that never comes to rest is read all the same.
const PATIENCE: Duration = Duration::from_secs(2);

/// What holds now.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    /// The policy settings.
    pub mandate: Arc<Mandate>,
    /// Which environment a target belongs to.
    pub environments: EnvironmentRules,
    /// Looks and keys.
    pub face: Face,
    /// By what error rates are judged.
    pub prometheus: Arc<PrometheusSection>,
}

impl Settings {
    /// A policy and nothing else out of the ordinary.
    pub fn of(mandate: Mandate, environments: EnvironmentRules) -> Self {
        Self { mandate: Arc::new(mandate), environments, ..Self::default() }
    }

    /// The mark of the policy, as records carry it.
    pub fn policy(&self) -> String {
        policy_mark(&self.mandate, &self.environments)
    }
}

/// How the configuration is read again.
pub struct Reload {
    /// The files it is made of, whether they are there or not.
    pub files: Vec<PathBuf>,
    /// Reads them. `Err` = it cannot be used, and why, for the screen.
    pub read: Arc<dyn Fn() -> Result<Reread, String> + Send + Sync>,
}

/// A configuration that was read again.
pub struct Reread {
    /// What holds from now on.
    pub settings: Settings,
    /// The keys that differ from the start and count only after another start.
    pub restart: Vec<&'static str>,
    /// What may not do what was meant.
    pub warnings: Vec<String>,
}

/// Who is told of a change.
pub(super) struct Tell {
    /// Everyone who decides or draws.
    pub change: watch::Sender<Arc<Settings>>,
    /// Those who read error rates.
    pub judge: watch::Sender<Arc<PrometheusSection>>,
    /// The engine.
    pub events: mpsc::Sender<Event>,
}

/// Keeps the settings as the files have them, for as long as the program runs.
pub(super) async fn run(reload: Reload, tell: Tell) {
    let (happened, mut happenings) = mpsc::channel(1);
    let mut watcher = match Watcher::new(&reload.files, happened) {
        Ok(watcher) => watcher,
        Err(why) => {
            tracing::warn!(why, "the configuration is not watched");
            let note = format!("configuration: not watched ({why}); a change counts after another start");
            let _ = tell.events.send(Event::Configuration(vec![Clean::new(&note)])).await;
            return;
        }
    };
    let mut said = Vec::new();
    loop {
        // Before it is read: what is written after this is heard.
        watcher.watch();
        let read = reload.read.clone();
        let Ok(reread) = tokio::task::spawn_blocking(move || read()).await else { return };
        let notes = take(reread, &tell).await;
        if notes != said {
            said.clone_from(&notes);
            if tell.events.send(Event::Configuration(notes)).await.is_err() {
                return;
            }
        }
        if !rest(&mut happenings).await {
            return;
        }
    }
}

/// Waits for a change, and until it has come to rest; false when there will be none any more.
async fn rest(happenings: &mut mpsc::Receiver<()>) -> bool {
    if happenings.recv().await.is_none() {
        return false;
    }
    let end = Instant::now() + PATIENCE;
    while let Ok(Some(())) = tokio::time::timeout_at(end.min(Instant::now() + QUIET), happenings.recv()).await {}
    true
}

/// Puts what was read in force; returns what is to be said of it.
async fn take(reread: Result<Reread, String>, tell: &Tell) -> Vec<Clean> {
    let Reread { settings: new, restart, warnings } = match reread {
        Ok(reread) => reread,
        Err(why) => {
            tracing::warn!(why, "the configuration cannot be used; what held before holds on");
            let first = why.lines().next().unwrap_or_default();
            let more = match why.lines().count() {
                0 | 1 => String::new(),
                n => format!(" (and {} more: `flightdeck config check`)", n - 1),
            };
            return vec![Clean::new(&format!("configuration not taken, the last good one holds: {first}{more}"))];
        }
    };
    let old = tell.change.borrow().clone();
    // Which certificates are checked is known from the connections, not from the files.
    let insecure = old.mandate.insecure.clone();
    let mandate = Arc::new(Mandate { insecure, ..(*new.mandate).clone() });
    let new = Settings { mandate, ..new };
    if new != *old {
        tracing::info!(before = old.policy(), policy = new.policy(), "the configuration was taken anew");
        let environments = (new.environments != old.environments).then(|| new.environments.clone());
        if new.prometheus != old.prometheus {
            tell.judge.send_replace(new.prometheus.clone());
        }
        tell.change.send_replace(Arc::new(new));
        if let Some(environments) = environments {
            let _ = tell.events.send(Event::Environments(environments)).await;
        }
    }
    let restart =
        (!restart.is_empty()).then(|| format!("configuration: another start is needed for {}", restart.join(", ")));
    restart.into_iter().chain(warnings).map(|text| Clean::new(&text)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::prometheus::Percent;
    use crate::domain::environment::{Environment, EnvironmentRule};

    fn reread(settings: Settings) -> Result<Reread, String> {
        Ok(Reread { settings, restart: Vec::new(), warnings: Vec::new() })
    }

    fn text(notes: &[Clean]) -> String {
        notes.iter().map(ToString::to_string).collect::<Vec<_>>().join(" | ")
    }

    #[tokio::test]
    async fn what_was_read_is_in_force_and_what_cannot_be_used_changes_nothing() {
        let insecure = Mandate { insecure: vec!["lab".into()], ..Mandate::default() };
        let start = Settings::of(insecure, EnvironmentRules::default());
        let before = start.policy();
        let (change, now) = watch::channel(Arc::new(start));
        let (judge, judged) = watch::channel(Arc::default());
        let (events, mut told) = mpsc::channel(8);
        let tell = Tell { change, judge, events };

        let strict = Mandate { read_only: true, ..Mandate::default() };
        let notes = take(reread(Settings::of(strict.clone(), EnvironmentRules::default())), &tell).await;
        assert!(notes.is_empty() && now.borrow().mandate.read_only);
        assert_eq!(now.borrow().mandate.insecure, [Clean::new("lab")], "that is not the files' to say");
        assert_ne!(now.borrow().policy(), before, "records carry another mark");
        assert!(told.try_recv().is_err() && !judged.has_changed().expect("open"), "nobody else is concerned");

        let notes = take(Err("a.toml:1:2: x: unknown key\n  a.toml:2:1: y: unknown key".to_owned()), &tell).await;
        assert!(now.borrow().mandate.read_only, "what held holds on");
        let said = text(&notes);
        assert!(said.contains("a.toml:1:2") && said.contains("the last good one holds") && said.contains("1 more"));

        let rule = EnvironmentRule {
            environment: Environment::unknown(),
            context: None,
            namespace: Some("*".into()),
            label: None,
        };
        let section = PrometheusSection { limit: Percent(100), ..PrometheusSection::default() };
        let settings = Settings { prometheus: Arc::new(section), ..Settings::of(strict, EnvironmentRules(vec![rule])) };
        let restart = Reread { settings, restart: vec!["log.level"], warnings: vec!["look".to_owned()] };
        let said = text(&take(Ok(restart), &tell).await);
        assert!(said.contains("log.level") && said.ends_with("| look"), "{said}");
        assert!(matches!(told.try_recv(), Ok(Event::Environments(rules)) if rules.0.len() == 1));
        assert!((judged.borrow().limit.share() - 0.01).abs() < 1e-9);
    }
}
