//! Environments: which rules a target lives under.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::text::Clean;

/// How careful an environment is treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    /// Real users. Also everything that no rule names.
    Production,
    /// The last stop before production.
    Staging,
    /// A place to break things.
    Development,
}

/// An environment, by the user's name for it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Environment {
    /// The user's name, as configured; `production` where nothing names it.
    pub name: Clean,
    /// Its tier, which the policy decides on.
    pub tier: Tier,
    /// Whether a rule named it. An environment that nobody named counts as production, and says so.
    pub named: bool,
}

impl Environment {
    /// What applies where no rule matches.
    pub fn unknown() -> Self {
        Self { name: Clean::new("production"), tier: Tier::Production, named: false }
    }

    /// The short word on the board.
    pub fn badge(&self) -> &'static str {
        match (self.tier, self.named) {
            (Tier::Production, true) => "PROD",
            (Tier::Production, false) => "PROD?",
            (Tier::Staging, _) => "STAGE",
            (Tier::Development, _) => "DEV",
        }
    }
}

/// Names the environment of whatever it matches. A pattern may hold `*`, which stands for any text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EnvironmentRule {
    /// The environment.
    pub environment: Environment,
    /// Pattern on the kube context, `None` = any.
    pub context: Option<String>,
    /// Pattern on the namespace, `None` = any.
    pub namespace: Option<String>,
    /// Label and value pattern that the target must carry, `None` = none asked for.
    pub label: Option<(String, String)>,
}

impl EnvironmentRule {
    fn matches(&self, context: &str, namespace: &str, labels: &[(Clean, Clean)]) -> bool {
        let fits = |pattern: &Option<String>, text: &str| pattern.as_ref().is_none_or(|p| glob(p, text));
        fits(&self.context, context)
            && fits(&self.namespace, namespace)
            && self
                .label
                .as_ref()
                .is_none_or(|(key, value)| labels.iter().any(|(k, v)| k == key.as_str() && glob(value, v.as_str())))
    }
}

/// The rules, in order; the first that matches decides.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct EnvironmentRules(pub Vec<EnvironmentRule>);

impl EnvironmentRules {
    /// The environment of a target. Unknown counts as production.
    pub fn resolve(&self, context: &str, namespace: &str, labels: &[(Clean, Clean)]) -> Environment {
        self.0
            .iter()
            .find(|rule| rule.matches(context, namespace, labels))
            .map_or_else(Environment::unknown, |rule| rule.environment.clone())
    }

    /// What they come to in one context: the rules that decide for a part of it, in order, and what the rest is.
    pub fn within(&self, context: &str) -> (Vec<&EnvironmentRule>, Environment) {
        let mut parts = Vec::new();
        for rule in self.0.iter().filter(|rule| rule.context.as_ref().is_none_or(|p| glob(p, context))) {
            if rule.label.is_none() && rule.namespace.as_ref().is_none_or(|p| matches_all(p)) {
                return (parts, rule.environment.clone());
            }
            parts.push(rule);
        }
        (parts, Environment::unknown())
    }
}

/// Whether a pattern matches any text.
fn matches_all(pattern: &str) -> bool {
    !pattern.is_empty() && pattern.chars().all(|c| c == '*')
}

/// Whether `text` matches `pattern`, in which `*` stands for any text.
pub fn glob(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(first) = parts.next() else {
        return text.is_empty();
    };
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else {
        return rest.is_empty();
    };
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (pattern, text, yes) in [
            ("prod-*", "prod-eu", true),
            ("prod-*", "xprod-eu", false),
            ("*", "", true),
            ("a*b*c", "a--b--c", true),
            ("a*b*c", "a--c--b", false),
            ("exact", "exact", true),
            ("exact", "exactly", false),
            ("ab*ba", "aba", false),
        ] {
            assert_eq!(glob(pattern, text), yes, "{pattern} on {text}");
        }
    }

    #[test]
    fn within_a_context_there_are_parts_and_a_rest() {
        let rule = |name: &str, context: Option<&str>, namespace: Option<&str>| EnvironmentRule {
            environment: Environment { name: name.into(), tier: Tier::Staging, named: true },
            context: context.map(ToOwned::to_owned),
            namespace: namespace.map(ToOwned::to_owned),
            label: None,
        };
        let rules = EnvironmentRules(vec![
            rule("a", Some("st-*"), None),
            rule("b", None, Some("dev-*")),
            rule("c", Some("prod"), Some("*")),
            rule("d", None, Some("late")),
        ]);
        for (context, parts, rest) in
            [("st-eu", [].as_slice(), "a"), ("prod", &["b"], "c"), ("other", &["b", "d"], "production")]
        {
            let (found, left) = rules.within(context);
            let found: Vec<&str> = found.iter().map(|rule| rule.environment.name.as_str()).collect();
            assert_eq!((found.as_slice(), left.name.as_str()), (parts, rest), "{context}");
        }
    }

    #[test]
    fn what_nobody_named_counts_as_production() {
        let rules = EnvironmentRules(vec![EnvironmentRule {
            environment: Environment { name: "dev".into(), tier: Tier::Development, named: true },
            context: None,
            namespace: Some("dev-*".into()),
            label: Some(("tier".into(), "sand*".into())),
        }]);
        let labels = [("tier".into(), "sandbox".into())];
        assert_eq!(rules.resolve("c", "dev-1", &labels).tier, Tier::Development);
        assert_eq!(rules.resolve("c", "dev-1", &[]), Environment::unknown());
        assert_eq!(rules.resolve("c", "shop", &labels).badge(), "PROD?");
    }
}
