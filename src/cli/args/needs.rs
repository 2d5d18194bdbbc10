//! What acts must be told besides their target, as flags.

use std::time::Duration;

use clap::{ArgMatches, Args, Command, FromArgMatches as _};
use clap_complete::ArgValueCompleter;

use super::duration;
use crate::actions::Needs;
use crate::cli::complete;
use crate::model::choose::Said;

/// What an act must be told besides its target.
pub(super) fn needs(verb: Command, needs: Needs) -> Command {
    match needs {
        Needs::Nothing => verb,
        Needs::Image => ImageArgs::augment_args(verb),
        Needs::Revision => RevisionArgs::augment_args(verb),
        Needs::Run => RunArgs::augment_args(verb),
        Needs::Duration => HoldArgs::augment_args(verb),
    }
}

/// What was said besides the target.
pub(in crate::cli) fn said(matches: &ArgMatches, needs: Needs) -> Result<Said, clap::Error> {
    let mut said = Said::default();
    match needs {
        Needs::Nothing => {}
        Needs::Image => {
            let args = ImageArgs::from_arg_matches(matches)?;
            match args.image.split_once('=') {
                Some((container, image)) => {
                    said.container = Some(container.to_owned());
                    said.image = Some(image.to_owned());
                }
                None => said.image = Some(args.image),
            }
        }
        Needs::Revision => said.revision = RevisionArgs::from_arg_matches(matches)?.to_revision,
        Needs::Run => said.run = RunArgs::from_arg_matches(matches)?.analysis,
        Needs::Duration => {
            let args = HoldArgs::from_arg_matches(matches)?;
            said.hold = args.duration.and_then(|d| jiff::SignedDuration::try_from(d).ok());
            said.revision = args.to_revision;
        }
    }
    Ok(said)
}

/// `set-image`
#[derive(Clone, Debug, Args)]
struct ImageArgs {
    /// CONTAINER=IMAGE, or the image alone where there is one container
    #[arg(value_name = "CONTAINER=IMAGE")]
    image: String,
}

/// `undo`, `forbid`, `allow`
#[derive(Clone, Debug, Args)]
struct RevisionArgs {
    /// The revision, by number or by pod-template hash
    #[arg(long, alias = "revision", value_name = "N|HASH", add = ArgValueCompleter::new(complete::revisions))]
    to_revision: Option<String>,
}

/// `terminate`
#[derive(Clone, Debug, Args)]
struct RunArgs {
    /// The AnalysisRun [default: the one that is running]
    #[arg(long, value_name = "NAME")]
    analysis: Option<String>,
}

/// `hold`
#[derive(Clone, Debug, Args)]
struct HoldArgs {
    /// How long [default: 1h]
    #[arg(long = "for", value_name = "DURATION", value_parser = duration)]
    duration: Option<Duration>,
    /// Which revision [default: the one that is about to be scaled down]
    #[arg(long, alias = "revision", value_name = "N|HASH", add = ArgValueCompleter::new(complete::revisions))]
    to_revision: Option<String>,
}
