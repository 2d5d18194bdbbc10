//! Arguments of the verbs about the program itself.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::Format;

/// `doctor`
#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct DoctorArgs {
    /// Output format
    #[arg(short, long, value_enum, default_value_t)]
    pub output: Format,
}

/// `demo`
#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct DemoArgs {
    /// The seed of everything random in the demo world
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// calm-canary (as when left out), bad-canary, blue-green, stuck-analysis, outage, git-undo, fleet-N (N rollouts), or
    /// a scenario file of your own (….toml)
    #[arg(long, value_name = "NAME|FILE")]
    pub scenario: Option<String>,
    /// Serve the demo world until Ctrl-C, without the cockpit, and print the variables by which others reach it
    #[arg(long)]
    pub serve: bool,
}

impl DemoArgs {
    /// As a bare start has them.
    pub(in crate::cli) const fn plain() -> Self {
        Self { seed: 1, scenario: None, serve: false }
    }
}

/// `man`
#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct ManArgs {
    /// The verb whose page is wanted, e.g. `audit verify`; the program's own when left out
    #[arg(conflicts_with = "out")]
    pub verb: Vec<String>,
    /// Write all pages into this folder, one for each verb
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

/// `schema`
#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct SchemaArgs {
    /// The `kind` of the document; lists all when left out
    #[arg(conflicts_with = "out")]
    pub name: Option<String>,
    /// Write all schemas into this folder
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

/// What somebody may do, as a set of RBAC rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Role {
    /// Looks at everything that the cockpit shows, and changes nothing.
    Viewer,
    /// Also steers what is under way: resume, skip, promote, abort, retry, terminate, hold, forbid, and the rollback of what
    /// is under way. Not pause: RBAC cannot tell it from setting another image.
    Operator,
    /// Does everything: also pause, restart, set an image, undo, every rollback.
    Releaser,
}

/// `rbac`
#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct RbacArgs {
    /// The role
    #[arg(value_enum)]
    pub role: Role,
    /// Bind it to this user; may be given several times
    #[arg(long, value_name = "NAME")]
    pub user: Vec<String>,
    /// Bind it to this group; may be given several times
    #[arg(long, value_name = "NAME")]
    pub group: Vec<String>,
    /// Bind it to this service account, as NAMESPACE:NAME; may be given several times
    #[arg(long, value_name = "NAMESPACE:NAME")]
    pub serviceaccount: Vec<String>,
}
