//! What counts as production, context by context: `config check` says it.

use schemars::JsonSchema;
use serde::Serialize;

use super::super::output;
use crate::config::ConfigFile;
use crate::domain::environment::{Environment, EnvironmentRule, Tier};
use crate::error::Error;
use crate::systems::kubernetes::client::{ConnectSettings, read_kubeconfig};

/// An environment, for scripts.
#[derive(Clone, Serialize, JsonSchema, PartialEq, Eq)]
struct TierDto {
    /// Its name.
    name: String,
    /// How careful it is treated.
    tier: Tier,
    /// Whether a rule names it; what none names counts as production.
    named: bool,
}

impl From<&Environment> for TierDto {
    fn from(environment: &Environment) -> Self {
        Self { name: environment.name.to_string(), tier: environment.tier, named: environment.named }
    }
}

impl TierDto {
    /// `sandbox (development)`, `production`, `production (no rule names it)`.
    fn said(&self) -> String {
        let tier = match self.tier {
            Tier::Production => "production",
            Tier::Staging => "staging",
            Tier::Development => "development",
        };
        match (self.named, self.name == tier) {
            (false, _) => format!("{tier} (no rule names it)"),
            (true, true) => tier.to_owned(),
            (true, false) => format!("{} ({tier})", self.name),
        }
    }
}

/// A part of a context that a rule decides on.
#[derive(Clone, Serialize, JsonSchema, PartialEq, Eq)]
struct PartDto {
    /// The pattern on the namespace; absent = any.
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<String>,
    /// `key=pattern` on the target's labels; absent = any.
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<String>,
    /// What it is.
    environment: TierDto,
}

impl From<&EnvironmentRule> for PartDto {
    fn from(rule: &EnvironmentRule) -> Self {
        let label = rule.label.as_ref().map(|(key, pattern)| format!("{key}={pattern}"));
        Self { namespace: rule.namespace.clone(), label, environment: (&rule.environment).into() }
    }
}

impl PartDto {
    fn said(&self) -> String {
        let namespace = self.namespace.as_ref().map(|pattern| format!("namespace {pattern}"));
        let label = self.label.as_ref().map(|label| format!("label {label}"));
        let what: Vec<String> = namespace.into_iter().chain(label).collect();
        format!("{} is {}", what.join(" with "), self.environment.said())
    }
}

/// What is in a kube context.
#[derive(Clone, Serialize, JsonSchema)]
pub(super) struct ContextDto {
    /// Its name.
    context: String,
    /// What rules say of parts of it; the first that matches decides.
    parts: Vec<PartDto>,
    /// What everything else in it is.
    rest: TierDto,
}

impl ContextDto {
    fn said(&self) -> String {
        let parts = self.parts.iter().map(PartDto::said);
        let rest = self.rest.said();
        let rest = if self.parts.is_empty() { rest } else { format!("else {rest}") };
        parts.chain([rest]).collect::<Vec<_>>().join("; ")
    }
}

/// What the rules come to in each context of the kubeconfig; none where it cannot be read.
pub(super) fn of(config: &ConfigFile, settings: &ConnectSettings) -> Vec<ContextDto> {
    let Ok(known) = read_kubeconfig(settings) else { return Vec::new() };
    let rules = config.environments();
    let context = |name: String| {
        let (parts, rest) = rules.within(&name);
        let (parts, rest) = (parts.into_iter().map(Into::into).collect(), (&rest).into());
        ContextDto { context: name, parts, rest }
    };
    known.contexts.into_iter().map(|known| context(known.name)).collect()
}

/// Contexts of which the same is said share a line.
pub(super) fn print(contexts: &[ContextDto]) -> Result<(), Error> {
    let mut lines: Vec<(Vec<&str>, String)> = Vec::new();
    for context in contexts {
        let said = context.said();
        match lines.iter_mut().find(|(_, same)| *same == said) {
            Some((names, _)) => names.push(&context.context),
            None => lines.push((vec![&context.context], said)),
        }
    }
    for (names, said) in lines {
        let word = if names.len() == 1 { "context" } else { "contexts" };
        let names: Vec<&str> = names.iter().take(MOST).copied().chain((names.len() > MOST).then_some("…")).collect();
        output::line(crate::domain::text::Clean::new(&format!("{word} {}: {said}", names.join(", "))).as_str())?;
    }
    Ok(())
}

/// The most contexts that are named in a line.
const MOST: usize = 8;
