//! What the line in the palette may become.

use std::collections::BTreeMap;

use super::commands::{PLACES, TAKE, by_name};
use super::{Popup, State, copy};
use crate::actions;
use crate::model::World;
use crate::model::filter::{KEYS, values};
use crate::model::sort::Sort;
use crate::tui::keys::{Command, TABLE};
use crate::tui::palette::{Suggestion, fits};
use crate::tui::rollback::HELP;

/// The most that are offered.
const MOST: usize = 200;

impl State {
    /// Offers what fits the line as it is.
    pub(super) fn suggest(&mut self, world: &World) {
        let Some(Popup::Palette(palette)) = &self.popup else { return };
        let all = self.suggestions(palette.value(), world);
        if let Some(Popup::Palette(palette)) = &mut self.popup {
            palette.suggest(all);
        }
    }

    fn suggestions(&self, line: &str, world: &World) -> Vec<Suggestion> {
        let line = line.trim_start();
        let Some((word, rest)) = line.split_once(' ') else {
            let mut all = self.all();
            all.extend(opened(line, world));
            return best(all, line);
        };
        let rest = rest.trim_start();
        let of = |head: &str, names: Vec<(String, String)>, typed: &str| {
            let all = names.into_iter().map(|(name, help)| Suggestion {
                line: format!("{head}{name}"),
                name,
                key: String::new(),
                help,
                goes_on: false,
            });
            best(all.collect(), typed)
        };
        let pairs = |known: &[(&str, &str)]| known.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
        match word {
            "target" | "audit" => of(&format!("{word} "), targets(world), rest),
            "sort" => {
                let names = Sort::ALL.map(|sort| (sort.name().to_owned(), String::new()));
                of("sort ", names.to_vec(), rest)
            }
            "copy" => of("copy ", pairs(copy::WHAT), rest),
            "ns" => of("ns ", each(world, |target| target.id().namespace.to_string()), rest),
            "context" => of("context ", each(world, |target| target.context.to_string()), rest),
            "plan" => of("plan ", plans(world), rest),
            "filter" => {
                let (before, last) = rest.rsplit_once(' ').map_or(("", rest), |(before, last)| (before, last));
                let space = if before.is_empty() { "" } else { " " };
                let (not, last) = last.strip_prefix('!').map_or(("", last), |last| ("!", last));
                let names = match last.split_once(':') {
                    Some((key, _)) => values(key).iter().map(|v| (format!("{key}:{v}"), String::new())).collect(),
                    None => KEYS.iter().map(|(key, takes)| (format!("{key}:"), (*takes).to_owned())).collect(),
                };
                of(&format!("filter {before}{space}{not}"), names, last)
            }
            _ => Vec::new(),
        }
    }

    /// Every command that has a name here, with its key.
    fn all(&self) -> Vec<Suggestion> {
        let mut all = Vec::new();
        let mut add = |name: &str, key: String, help: &str, goes_on| {
            all.push(Suggestion { line: name.to_owned(), name: name.to_owned(), key, help: help.to_owned(), goes_on });
        };
        let key = |command: Command| self.keys.label(command).to_owned();
        for (name, _, command, help) in PLACES {
            add(name, key(*command), help, false);
        }
        add("diff", key(Command::Diff), "how the target's new version differs", false);
        for (name, command, help) in TAKE {
            add(name, key(*command), help, true);
        }
        for action in actions::TABLE {
            add(action.verb, format!("{} {}", key(Command::Act), action.key), action.help, false);
        }
        add("rollback", format!("{} r", key(Command::Act)), HELP, false);
        let here = TABLE.iter().filter(|row| row.places.contains(&self.place) && by_name(row.command));
        let mut said = vec![Command::Diff, Command::Quit];
        for row in here {
            if !said.contains(&row.command) {
                said.push(row.command);
                add(row.command.name(), key(row.command), row.help, false);
            }
        }
        add("quit", key(Command::Quit), "leave the cockpit", false);
        all
    }
}

fn targets(world: &World) -> Vec<(String, String)> {
    let several = world.clusters.len() > 1;
    let name = |target: &crate::model::Target| {
        if several { format!("{}/{}", target.context, target.id()) } else { target.id().to_string() }
    };
    world.targets.values().map(|target| (name(target), target.rollout.status().0.to_string())).collect()
}

/// Targets whose names hold what was typed: a name alone opens its target. One letter names nothing.
fn opened(typed: &str, world: &World) -> Vec<Suggestion> {
    let begun = typed.chars().nth(1).is_some();
    let named = targets(world).into_iter().filter(|(name, _)| begun && fits(name, typed).is_some_and(|how| how < 2));
    let open = named.map(|(name, is)| Suggestion {
        line: format!("target {name}"),
        name,
        key: String::new(),
        help: format!("open this target: {is}"),
        goes_on: false,
    });
    open.collect()
}

/// What targets have, each once, with how many have it.
fn each(world: &World, of: impl Fn(&crate::model::Target) -> String) -> Vec<(String, String)> {
    let mut all = BTreeMap::<String, usize>::new();
    for target in world.targets.values() {
        *all.entry(of(target)).or_default() += 1;
    }
    all.into_iter().map(|(name, count)| (name, format!("{count} here"))).collect()
}

fn plans(world: &World) -> Vec<(String, String)> {
    let short = |id: &str| id.chars().take(8).collect::<String>();
    let all = |verb: &'static str| {
        world.open_plans.iter().map(move |run| (format!("{verb} {}", short(&run.plan.id)), run.plan.title.clone()))
    };
    all("resume").chain(all("dismiss")).collect()
}

/// Those that fit, the best first; else in their own order.
fn best(all: Vec<Suggestion>, typed: &str) -> Vec<Suggestion> {
    let mut fit: Vec<(u8, Suggestion)> =
        all.into_iter().filter_map(|one| fits(&one.name, typed).map(|how| (how, one))).collect();
    fit.sort_by_key(|(how, _)| *how);
    fit.into_iter().map(|(_, one)| one).take(MOST).collect()
}
