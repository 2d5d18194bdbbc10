//! `man`: the pages, made from the command line's own description.

use std::path::Path;
use std::process::ExitCode;

use clap::Command;
use clap_mangen::Man;

use super::args::{ManArgs, command};
use super::output;
use crate::error::{Error, Kind};

pub(super) fn run(args: &ManArgs) -> Result<ExitCode, Error> {
    let mut tree = command();
    tree.build();
    match (&args.out, args.verb.as_slice()) {
        (Some(folder), _) => {
            std::fs::create_dir_all(folder)
                .map_err(|e| Error::new(Kind::Failure, format!("{}: {e}", folder.display())))?;
            write(folder, &tree)?;
        }
        (None, []) => output::raw(&page(&tree)?)?,
        (None, verbs) => output::raw(&page(find(&tree, verbs)?)?)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn find<'a>(tree: &'a Command, verbs: &[String]) -> Result<&'a Command, Error> {
    verbs.iter().try_fold(tree, |command, verb| {
        command.find_subcommand(verb).ok_or_else(|| {
            Error::new(Kind::NotFound, format!("there is no verb {verb}")).hint("`flightdeck --help` lists them")
        })
    })
}

fn page(command: &Command) -> Result<Vec<u8>, Error> {
    let name = command.get_display_name().unwrap_or(command.get_name()).to_owned();
    let mut page = Vec::new();
    // No date: the pages of one version are the same on every day.
    let man = Man::new(command.clone())
        .title(name.to_uppercase())
        .section("1")
        .manual("Flightdeck")
        .source(concat!("flightdeck ", env!("CARGO_PKG_VERSION")));
    man.render(&mut page).map_err(|e| Error::new(Kind::Failure, format!("man page {name}: {e}")))?;
    Ok(page)
}

/// One page for the program and one for each verb, as `flightdeck-audit-verify.1`.
fn write(folder: &Path, command: &Command) -> Result<(), Error> {
    let name = command.get_display_name().unwrap_or(command.get_name());
    let file = folder.join(format!("{name}.1"));
    std::fs::write(&file, page(command)?).map_err(|e| Error::new(Kind::Failure, format!("{}: {e}", file.display())))?;
    command.get_subcommands().filter(|verb| verb.get_name() != "help").try_for_each(|verb| write(folder, verb))
}
