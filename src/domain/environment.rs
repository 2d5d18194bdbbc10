//! Environments: which rules a target lives under.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::text::Clean;

/// How careful an environment is treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
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
        Self {
            name: Clean::new("production"),
            tier: Tier::Production,
            named: false,
        }
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

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name.as_str())
    }
}
