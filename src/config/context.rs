//! `[[context]]`: what differs for some kube contexts.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::file::ConfigFile;
use crate::domain::environment::glob;

/// `[[context]]`: laid over the sections of the same names for every context that `name` matches. Only the first that
/// matches counts, as everywhere. What the environment or a flag says stands above it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ContextSection {
    /// Pattern on the kube context.
    pub name: String,
    /// What may be done there.
    #[serde(default)]
    pub policy: ContextPolicy,
    /// What is listed there.
    #[serde(default)]
    pub kubernetes: ContextKubernetes,
    /// How acts there are recorded.
    #[serde(default)]
    pub audit: ContextAudit,
}

/// `[context.policy]`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ContextPolicy {
    /// As `policy.read_only`.
    pub read_only: Option<bool>,
    /// As `policy.stop_only`.
    pub stop_only: Option<bool>,
    /// As `policy.reason_in_production`.
    pub reason_in_production: Option<bool>,
    /// As `policy.set_image_in_production`.
    pub set_image_in_production: Option<bool>,
    /// As `policy.act_on_insecure`.
    pub act_on_insecure: Option<bool>,
}

/// `[context.kubernetes]`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ContextKubernetes {
    /// As `kubernetes.namespace`.
    pub namespace: Option<String>,
    /// As `kubernetes.namespaces`.
    pub namespaces: Option<Vec<String>>,
}

/// `[context.audit]`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ContextAudit {
    /// As `audit.required`.
    pub required: Option<bool>,
    /// As `audit.witness`.
    pub witness: ContextWitness,
}

/// `[context.audit.witness]`
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ContextWitness {
    /// As `audit.witness.enabled`.
    pub enabled: Option<bool>,
    /// As `audit.witness.namespace`.
    pub namespace: Option<String>,
}

impl ConfigFile {
    /// The place of the `[[context]]` that counts for this kube context.
    pub fn context_rule(&self, context: &str) -> Option<usize> {
        self.context.iter().position(|rule| glob(&rule.name, context))
    }

    /// The configuration as it holds for one kube context.
    #[must_use]
    pub fn at(&self, context: &str) -> Self {
        let mut here = Self { context: Vec::new(), ..self.clone() };
        let Some(rule) = self.context_rule(context).and_then(|nth| self.context.get(nth)) else { return here };
        let ContextSection { name: _, policy, kubernetes, audit } = rule;
        lay(&mut here.policy.read_only, policy.read_only);
        lay(&mut here.policy.stop_only, policy.stop_only);
        lay(&mut here.policy.reason_in_production, policy.reason_in_production);
        lay(&mut here.policy.set_image_in_production, policy.set_image_in_production);
        lay(&mut here.policy.act_on_insecure, policy.act_on_insecure);
        lay(&mut here.kubernetes.namespace, kubernetes.namespace.clone().map(Some));
        lay(&mut here.kubernetes.namespaces, kubernetes.namespaces.clone());
        lay(&mut here.audit.required, audit.required);
        lay(&mut here.audit.witness.enabled, audit.witness.enabled);
        lay(&mut here.audit.witness.namespace, audit.witness.namespace.clone().map(Some));
        here
    }
}

fn lay<T>(below: &mut T, above: Option<T>) {
    if let Some(above) = above {
        *below = above;
    }
}
