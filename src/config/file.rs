//! The configuration file, section by section. `config.example.toml` documents each key; a test holds them together.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::context::ContextSection;
use super::prometheus::PrometheusSection;
use crate::domain::environment::Tier;

/// The whole file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ConfigFile {
    /// Where to connect to.
    pub kubernetes: KubernetesSection,
    /// Environment rules, in order.
    pub environment: Vec<EnvironmentSection>,
    /// What may be done.
    pub policy: PolicySection,
    /// What differs for some kube contexts; the first that matches.
    pub context: Vec<ContextSection>,
    /// Error rates.
    pub prometheus: PrometheusSection,
    /// The terminal.
    pub ui: UiSection,
    /// The keys.
    pub keys: KeysSection,
    /// The audit log.
    pub audit: AuditSection,
    /// The log file.
    pub log: LogSection,
}

/// `[kubernetes]`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct KubernetesSection {
    /// A kubeconfig other than `$KUBECONFIG` or the usual one.
    pub kubeconfig: Option<PathBuf>,
    /// A context other than the current one.
    pub context: Option<String>,
    /// Several contexts at once.
    pub contexts: Vec<String>,
    /// Every context of the kubeconfig.
    pub all_contexts: bool,
    /// One namespace instead of all.
    pub namespace: Option<String>,
    /// Where all namespaces may not be listed: these, besides those that can be found.
    pub namespaces: Vec<String>,
}

/// `[[environment]]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EnvironmentSection {
    /// Its name.
    pub name: String,
    /// How careful it is treated.
    pub tier: Tier,
    /// Pattern on the kube context.
    pub context: Option<String>,
    /// Pattern on the namespace.
    pub namespace: Option<String>,
    /// `key=pattern` on the target's labels.
    pub label: Option<String>,
}

impl EnvironmentSection {
    /// The section as it stands in a file.
    pub fn written(&self) -> Result<String, String> {
        toml::to_string(self).map(|rule| format!("[[environment]]\n{rule}")).map_err(|e| e.to_string())
    }
}

/// `[policy]`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PolicySection {
    /// Nothing may be written.
    pub read_only: bool,
    /// Only acts that stop harm go: abort, pause, hold, forbid.
    pub stop_only: bool,
    /// Acts in production need a reason.
    pub reason_in_production: bool,
    /// Images may be set by hand in production.
    pub set_image_in_production: bool,
    /// Acts go to servers whose certificate is not checked.
    pub act_on_insecure: bool,
}

/// `[ui]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct UiSection {
    /// Only ASCII characters.
    pub ascii: bool,
    /// No colours (as `NO_COLOR`).
    pub no_color: bool,
    /// The name of the theme.
    pub theme: String,
    /// Whether clicks and the wheel are taken.
    pub mouse: bool,
    /// Whether the terminal's bell rings when something begins to need a person.
    pub bell: bool,
    /// Whether the window's title says what needs a person.
    pub title: bool,
    /// The columns of the board, in order of worth; none = those that fit, in our order.
    pub columns: Vec<String>,
    /// How rows are sorted within a band at the start; none = by urgency.
    pub sort: Option<String>,
    /// A short word that stands in the corner of every screen and in every box; empty = none.
    pub badge: String,
}

impl Default for UiSection {
    fn default() -> Self {
        Self {
            ascii: false,
            no_color: false,
            theme: "dark".to_owned(),
            mouse: true,
            bell: true,
            title: true,
            columns: Vec::new(),
            sort: None,
            badge: String::new(),
        }
    }
}

/// `[keys]`: which keys run a command of the cockpit, by its name; they replace the usual ones.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct KeysSection(pub BTreeMap<String, Vec<String>>);

/// `[audit]`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AuditSection {
    /// Another folder for the log than the one in the state directory.
    pub dir: Option<PathBuf>,
    /// Nothing goes without a durable record, not even an act that stops harm.
    pub required: bool,
    /// Who else is told what stands in the log.
    pub witness: WitnessSection,
}

/// `[audit.witness]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct WitnessSection {
    /// Whether the cluster is told of acts and of the log's head.
    pub enabled: bool,
    /// The namespace of the `ConfigMap` that keeps the heads, instead of the target's own.
    pub namespace: Option<String>,
}

impl Default for WitnessSection {
    fn default() -> Self {
        Self { enabled: true, namespace: None }
    }
}

/// `[log]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LogSection {
    /// A `tracing` filter, e.g. `info` or `flightdeck=debug`.
    pub level: String,
}

impl Default for LogSection {
    fn default() -> Self {
        Self { level: "info".to_owned() }
    }
}
