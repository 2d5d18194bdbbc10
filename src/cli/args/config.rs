//! `config …`

use std::path::PathBuf;

use clap::Subcommand;

use super::Format;

/// `config …`
#[derive(Clone, Debug, Subcommand)]
pub(in crate::cli) enum ConfigVerb {
    /// Print what holds, key by key, and where each value is from
    ///
    /// Secrets are never shown. With --context: what holds in that context, after its [[context]] rules.
    Show {
        /// Only what differs from the defaults
        #[arg(long)]
        changed: bool,
        /// Output format
        #[arg(short, long, value_enum, default_value_t)]
        output: Format,
    },
    /// Check the configuration: errors, and what may not do what was meant
    ///
    /// Exit code 0: it can be used, there may be warnings. 2: there are errors.
    Check {
        /// This file instead of the user's
        file: Option<PathBuf>,
        /// Output format
        #[arg(short, long, value_enum, default_value_t)]
        output: Format,
    },
    /// Print where the configuration file is, or would be
    Path {
        /// Every place that is read, later ones over earlier ones
        #[arg(long)]
        all: bool,
    },
    /// Write a commented configuration to its place; a file that is there is left alone
    Init,
    /// Print the JSON Schema of the file, for editors
    Schema,
    /// Print the variables that stand for keys
    Env,
}
