//! Configuration: defaults, then the file, then `FLIGHTDECK_*`, then flags.

mod file;
mod paths;
pub mod prometheus;
pub mod theme;

pub use file::{
    AuditSection, ConfigFile, EnvironmentSection, KeysSection, KubernetesSection, LogSection, PolicySection, UiSection,
    WitnessSection,
};
pub use paths::{Paths, state_dir};

use std::path::{Path, PathBuf};

use crate::domain::environment::{Environment, EnvironmentRule, EnvironmentRules};
use crate::policy::Mandate;

/// Why the configuration cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {why}", path.display())]
pub struct ConfigError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong, with line and column where known.
    pub why: String,
}

/// Reads the file at `path`; a file that was not asked for by name may be missing.
pub fn load(path: &Path, asked_for: bool) -> Result<ConfigFile, ConfigError> {
    let error = |why: String| ConfigError { path: path.to_owned(), why };
    match std::fs::read_to_string(path) {
        Ok(text) => parse(&text).map_err(error),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound && !asked_for => Ok(ConfigFile::default()),
        Err(e) => Err(error(e.to_string())),
    }
}

/// Parses a configuration and checks what the types cannot.
pub fn parse(text: &str) -> Result<ConfigFile, String> {
    let config: ConfigFile = toml::from_str(text).map_err(|e| e.to_string().trim_end().to_owned())?;
    for (n, environment) in config.environment.iter().enumerate() {
        if environment.name.trim().is_empty() {
            return Err(format!("environment {}: `name` is empty", n + 1));
        }
        if environment.context.is_none() && environment.namespace.is_none() && environment.label.is_none() {
            return Err(format!(
                "environment {:?}: needs at least one of `context`, `namespace`, `label`, or it would match everything",
                environment.name
            ));
        }
        if environment.label.as_ref().is_some_and(|label| !label.contains('=')) {
            return Err(format!("environment {:?}: `label` is written `key=pattern`", environment.name));
        }
    }
    config.prometheus.check()?;
    Ok(config)
}

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

    /// The policy settings; a flag can only make them stricter.
    pub fn mandate(&self, read_only_flag: bool) -> Mandate {
        Mandate {
            read_only: self.policy.read_only || read_only_flag,
            read_only_by: if read_only_flag { "--read-only" } else { "policy.read_only" },
            reason_in_production: self.policy.reason_in_production,
            set_image_in_production: self.policy.set_image_in_production,
            audit_required: self.audit.required,
            insecure: Vec::new(),
            act_on_insecure: self.policy.act_on_insecure,
        }
    }
}
