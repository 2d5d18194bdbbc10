//! `flightdeck demo`: the embedded demo world, and the cockpit on it.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use super::args::{DemoArgs, Global};
use super::setup::{Ground, interrupted, open};
use super::{call, output};
use crate::config::EnvironmentSection;
use crate::config::prometheus::{PrometheusContext, PrometheusSection};
use crate::demo;
use crate::domain::environment::Tier;
use crate::error::{Error, Kind};
use crate::systems::kubernetes::client::ConnectSettings;
use crate::tui::Verbs;

/// A scenario that comes along, by name, or a file: what looks like a path is one.
fn scenario(said: &str) -> Result<demo::Scenario, Error> {
    let wrong = |why: String| Error::new(Kind::Usage, format!("scenario {said}: {why}"));
    if said.contains('/') || Path::new(said).extension().is_some_and(|e| e == "toml") {
        let text = std::fs::read_to_string(said).map_err(|e| wrong(e.to_string()))?;
        return demo::Scenario::parse(&text).map_err(wrong);
    }
    demo::Scenario::named(said).map_err(|why| Error::new(Kind::Usage, why).hint("a file of your own ends in .toml"))
}

/// The demo world, and the cockpit on it.
pub(super) async fn run(global: &Global, args: &DemoArgs) -> Result<ExitCode, Error> {
    let mut ground = Ground::find(global)?;
    let scenario = scenario(args.scenario.as_deref().unwrap_or("calm-canary"))?;
    let state = ground.state.clone().map_or_else(|| std::env::temp_dir().join("flightdeck-demo"), |s| s.join("demo"));
    let broken = |e: std::io::Error| Error::new(Kind::Failure, format!("demo world: {e}"));
    std::fs::create_dir_all(&state).map_err(broken)?;
    let world = demo::World::start(&scenario, args.seed).await.map_err(broken)?;
    let kubeconfig = state.join(format!("kubeconfig-{}", std::process::id()));
    std::fs::write(&kubeconfig, world.kubeconfig()).map_err(broken)?;
    let _tidy = Tidy(&kubeconfig);
    // A log that is configured is not the demo's: who asks from elsewhere must not read that.
    let call = call::to(&state, &kubeconfig, ground.config.audit.dir.is_some());
    ground.verbs = Verbs { call, while_open: true };
    ground.state = Some(state.clone());
    let prometheus = demo_prometheus(world.prometheus());
    ground.adjust = Arc::new(move |config| {
        config.audit.dir = None;
        config.context.clear();
        config.prometheus = prometheus.clone();
        // The demo's own environments, so that both kinds of confirmation can be met.
        config.environment = demo_environments();
        BADGE.clone_into(&mut config.ui.badge);
    });
    (ground.adjust)(&mut ground.config);
    ground.settings = ConnectSettings {
        kubeconfig: Some(kubeconfig.clone()),
        context: None,
        namespaces: global.namespace.clone(),
        ..ConnectSettings::default()
    };
    (ground.contexts, ground.all_contexts) = (Vec::new(), false);
    if args.serve {
        // Other processes must find the demo's Prometheus and environments too, and not the user's.
        let config = state.join(format!("config-{}.toml", std::process::id()));
        std::fs::write(&config, served(&world.prometheus(), &kubeconfig)?).map_err(broken)?;
        let _tidy = Tidy(&config);
        output::line(&format!(
            "export KUBECONFIG={} FLIGHTDECK_STATE_DIR={} FLIGHTDECK_CONFIG={}\n\
             # serving until Ctrl-C: the cluster and both files end with it; then\n\
             # unset KUBECONFIG FLIGHTDECK_STATE_DIR FLIGHTDECK_CONFIG",
            kubeconfig.display(),
            state.display(),
            config.display()
        ))?;
        interrupted().await;
        world.stop().await;
        return Ok(ExitCode::SUCCESS);
    }
    let done = open(global, &ground).await;
    world.stop().await;
    done
}

fn demo_environments() -> Vec<EnvironmentSection> {
    let rule = |name: &str, tier, namespace: &str| EnvironmentSection {
        name: name.to_owned(),
        tier,
        context: None,
        namespace: Some(namespace.to_owned()),
        label: None,
    };
    vec![rule("staging", Tier::Staging, "platform"), rule("production", Tier::Production, "*")]
}

/// What stands in the corner of every screen and box: this is no real cluster.
const BADGE: &str = "DEMO";

/// The configuration for other processes. It names the kubeconfig, too: the word must not come to stand beside another
/// cluster because the shell's KUBECONFIG changes.
fn served(prometheus: &str, kubeconfig: &Path) -> Result<String, Error> {
    let kubeconfig = serde_json::Value::from(kubeconfig.to_string_lossy());
    let mut text = format!(
        "[kubernetes]\nkubeconfig = {kubeconfig}\n\n[ui]\nbadge = \"{BADGE}\"\n\n[[prometheus.context]]\nurl = \
         \"{prometheus}\"\n"
    );
    for rule in demo_environments() {
        let rule = rule.written().map_err(|e| Error::new(Kind::Failure, format!("demo world: {e}")))?;
        text = format!("{text}\n{rule}");
    }
    Ok(text)
}

/// The demo's own Prometheus, and nothing of the user's.
fn demo_prometheus(url: String) -> PrometheusSection {
    let context = PrometheusContext {
        context: None,
        url: Some(url),
        service: None,
        token_file: None,
        token_env: None,
        ca_file: None,
        headers: BTreeMap::new(),
    };
    PrometheusSection { context: vec![context], ..PrometheusSection::default() }
}

/// Removes a file of the demo when the program ends in order.
struct Tidy<'a>(&'a Path);

impl Drop for Tidy<'_> {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(self.0);
    }
}
