//! Configuration: defaults, then the system's file, the user's, `FLIGHTDECK_*`, flags; see [`Layers`].

mod check;
mod context;
mod env;
mod file;
mod layers;
mod paths;
mod problem;
pub mod prometheus;
mod schema;
mod show;
pub mod theme;
mod tree;

pub use check::{FaceCheck, Surroundings, look_closely};
pub use context::{ContextAudit, ContextKubernetes, ContextPolicy, ContextSection, ContextWitness};
pub use env::{PLACES, SYSTEM, variables};
pub use layers::{Flags, LayerFile, Layers, Loaded, Origins, in_order, load, parse};
pub use problem::{ConfigError, KeyPath, Origin, Problem, Severity, Step};
pub use schema::{Leaf, Takes, describe, leaves, schema};
pub use show::Entry;

pub use file::{
    AuditSection, ConfigFile, EnvironmentSection, KeysSection, KubernetesSection, LogSection, PolicySection, UiSection,
    WitnessSection,
};
pub use paths::{Paths, state_dir};

use std::path::PathBuf;

use crate::domain::environment::{Environment, EnvironmentRule, EnvironmentRules};
use crate::policy::{Exception, Mandate};

/// What the cockpit needs of the configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Face {
    /// `[ui]`
    pub ui: UiSection,
    /// `[keys]`
    pub keys: KeysSection,
    /// Where the user's own themes are; empty = nowhere.
    pub themes: PathBuf,
}

impl ConfigFile {
    /// What the cockpit needs of it.
    pub fn face(&self) -> Face {
        Face { ui: self.ui.clone(), keys: self.keys.clone(), themes: PathBuf::new() }
    }

    /// Which environment a target belongs to.
    pub fn environments(&self) -> EnvironmentRules {
        let rule = |e: &EnvironmentSection| EnvironmentRule {
            environment: Environment { name: e.name.as_str().into(), tier: e.tier, named: true },
            context: e.context.clone(),
            namespace: e.namespace.clone(),
            label: e.label.as_ref().and_then(|l| l.split_once('=')).map(|(k, v)| (k.to_owned(), v.to_owned())),
        };
        EnvironmentRules(self.environment.iter().map(rule).collect())
    }

    /// The policy settings. `origins` tell who says that nothing may be written.
    pub fn mandate(&self, origins: &Origins) -> Mandate {
        let by = |key: &KeyPath, what: &str| match origins.of(key) {
            by @ (Origin::Flag(_) | Origin::Env(_)) => by.to_string(),
            Origin::Default => what.to_owned(),
            file @ Origin::File { .. } => format!("{what} ({file})"),
        };
        let exception = |(nth, rule): (usize, &ContextSection)| Exception {
            context: rule.name.clone(),
            read_only: rule.policy.read_only,
            read_only_by: by(
                &KeyPath::new("context").index(nth).key("policy.read_only"),
                &format!("policy.read_only of the context {:?}", rule.name),
            ),
            stop_only: rule.policy.stop_only,
            stop_only_by: by(
                &KeyPath::new("context").index(nth).key("policy.stop_only"),
                &format!("policy.stop_only of the context {:?}", rule.name),
            ),
            reason_in_production: rule.policy.reason_in_production,
            set_image_in_production: rule.policy.set_image_in_production,
            audit_required: rule.audit.required,
            act_on_insecure: rule.policy.act_on_insecure,
        };
        Mandate {
            read_only: self.policy.read_only,
            read_only_by: by(&KeyPath::new("policy.read_only"), "policy.read_only"),
            stop_only: self.policy.stop_only,
            stop_only_by: by(&KeyPath::new("policy.stop_only"), "policy.stop_only"),
            reason_in_production: self.policy.reason_in_production,
            set_image_in_production: self.policy.set_image_in_production,
            audit_required: self.audit.required,
            insecure: Vec::new(),
            act_on_insecure: self.policy.act_on_insecure,
            exceptions: self.context.iter().enumerate().map(exception).collect(),
        }
    }

    /// What differs from the configuration at the start and counts only after another start.
    pub fn needs_restart(&self, start: &Self) -> Vec<&'static str> {
        let witnesses =
            |c: &Self| c.context.iter().map(|r| (r.name.clone(), r.audit.witness.clone())).collect::<Vec<_>>();
        let scopes = |c: &Self| c.context.iter().map(|r| (r.name.clone(), r.kubernetes.clone())).collect::<Vec<_>>();
        let told = self.audit.witness == start.audit.witness && witnesses(self) == witnesses(start);
        let scoped = self.kubernetes == start.kubernetes && scopes(self) == scopes(start);
        let (new, old) = (&self.prometheus, &start.prometheus);
        let same = [
            ("kubernetes", scoped),
            ("audit.dir", self.audit.dir == start.audit.dir),
            ("audit.witness", told),
            ("log.level", self.log == start.log),
            ("ui.mouse", self.ui.mouse == start.ui.mouse),
            ("ui.title", self.ui.title == start.ui.title),
            ("prometheus.context", new.context == old.context),
            ("prometheus.template", new.template == old.template),
            ("prometheus.target", new.asks_as(old)),
            ("prometheus.windows", new.windows == old.windows),
            ("prometheus.timeout", new.timeout == old.timeout),
            ("prometheus.scrape_interval", new.scrape_interval == old.scrape_interval),
        ];
        same.into_iter().filter(|(_, same)| !same).map(|(key, _)| key).collect()
    }
}
