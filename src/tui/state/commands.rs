//! Commands by name: what Enter in the palette does. An act opens its confirmation, by the same way as its letter in the
//! menu; nothing here acts.

use std::sync::Arc;

use crossterm::event::KeyEvent;

use super::{Effect, Popup, State, copy};
use crate::actions;
use crate::domain::ids::TargetId;
use crate::domain::nearest::hint;
use crate::model::World;
use crate::model::sort::Sort;
use crate::tui::confirm::Ground;
use crate::tui::keys::{Command, Place, TABLE};
use crate::tui::palette::Step;
use crate::tui::resume::Resume;

/// Screens that have a name of their own, with what they show. `target` needs one to be named or selected.
pub(super) const PLACES: &[(&str, Place, Command, &str)] = &[
    ("board", Place::Board, Command::Back, "all targets, what needs you first"),
    ("audit", Place::Audit, Command::Audit, "the audit log; with a target behind it, its records"),
    ("links", Place::Links, Command::Links, "the links to the outside, and warnings"),
    ("events", Place::Events, Command::Events, "what happened to the target: acts, events, other writers"),
    ("logs", Place::Log, Command::Logs, "the logs of the target's pods"),
    ("yaml", Place::Text, Command::Yaml, "the target's object as YAML"),
    ("history", Place::History, Command::History, "the target's revisions"),
    ("help", Place::Help, Command::Help, "keys, acts and signs"),
];

/// Commands that take something behind their name, with what they do.
pub(super) const TAKE: &[(&str, Command, &str)] = &[
    ("target", Command::Open, "open a target by its name; the name alone does, too"),
    ("filter", Command::Filter, "show only what has these words on the board; alone, all"),
    ("ns", Command::Filter, "show only this namespace on the board; alone, all"),
    ("context", Command::Filter, "show only this kube context on the board; alone, all"),
    ("sort", Command::Sort, "sort the board by urgency, name, age, errors or version"),
    ("copy", Command::Copy, "copy name, image, version, line or record"),
    (
        "plan",
        Command::Plan,
        "how far the latest plan has come; `plan resume ID` goes on with an unfinished one, `plan dismiss ID` hides it",
    ),
];

/// Keys that only move the cursor or have another name here are no commands.
pub(super) fn by_name(row_command: Command) -> bool {
    let moves = matches!(
        row_command,
        Command::Down
            | Command::Up
            | Command::PageDown
            | Command::PageUp
            | Command::First
            | Command::Last
            | Command::Palette
            | Command::Abort
            | Command::Open
    );
    let named = PLACES.iter().any(|(.., command, _)| *command == row_command && row_command != Command::Back)
        || TAKE.iter().any(|(_, command, _)| *command == row_command);
    !moves && !named
}

impl State {
    pub(super) fn open_palette(&mut self, world: &World) {
        self.popup = Some(Popup::Palette(Box::default()));
        self.suggest(world);
    }

    pub(super) fn palette_key(&mut self, key: KeyEvent, world: &World, ground: &Ground<'_>) -> Vec<Effect> {
        let Some(Popup::Palette(palette)) = &mut self.popup else { return Vec::new() };
        match palette.key(key, &self.history) {
            Step::Stay => Vec::new(),
            Step::Changed => {
                self.suggest(world);
                Vec::new()
            }
            Step::Leave => self.close(world, ground),
            Step::Run(line) if line.is_empty() => self.close(world, ground),
            Step::Run(line) => {
                let open = self.popup.take();
                // Rows that stood still while it was open go on.
                self.take(world, ground);
                match self.run(&line, world, ground) {
                    Ok(effects) => {
                        self.history.remember(&line);
                        effects
                    }
                    Err(why) => {
                        if let Some(Popup::Palette(mut palette)) = open {
                            palette.error = Some(why);
                            self.popup = Some(Popup::Palette(palette));
                        }
                        Vec::new()
                    }
                }
            }
        }
    }

    /// Does what a line says. Errors keep the palette open.
    fn run(&mut self, line: &str, world: &World, ground: &Ground<'_>) -> Result<Vec<Effect>, String> {
        let (word, rest) = line.split_once(char::is_whitespace).map_or((line, ""), |(word, rest)| (word, rest.trim()));
        let name = match self.meant(word) {
            Ok(name) => name,
            // A target's name alone opens it.
            Err(why) => return find(line, world).map(|id| self.jump_to(Place::Target, &id, world)).map_err(|_| why),
        };
        let none = |effects| if rest.is_empty() { Ok(effects) } else { Err(nothing_behind(name, rest)) };
        match name {
            "target" => self.run_target(rest, world),
            "audit" if !rest.is_empty() => {
                self.leave();
                if let Ok(id) = find(rest, world) {
                    return Ok(self.open_audit(Some(id)));
                }
                // Its records outlive a target.
                let effects = self.open_audit(None);
                self.audit.only(&format!("target:{rest}"));
                Ok(effects)
            }
            "filter" => self.run_filter(rest, world),
            "ns" | "context" if rest.is_empty() => self.run_filter("", world),
            "ns" | "context" => self.run_filter(&format!("{name}:{rest}"), world),
            "sort" => {
                let sort = if rest.is_empty() { self.board.sort().next() } else { Sort::parse(rest)? };
                let effects = self.jump_to_place(Place::Board, world);
                self.sort_by(sort);
                Ok(effects)
            }
            "copy" => {
                let known: Vec<&str> = copy::WHAT.iter().map(|(what, _)| *what).collect();
                if !rest.is_empty() && !known.contains(&rest) {
                    return Err(format!("{rest:?} cannot be copied{}", hint(rest, &known)));
                }
                Ok(self.copy((!rest.is_empty()).then_some(rest), world))
            }
            "plan" => self.run_plan(rest, world),
            "quit" if rest.is_empty() => Ok(self.quit(world)),
            "quit" => none(Vec::new()),
            "diff" => none(self.run_look(Command::Diff, world)?),
            name => {
                if !rest.is_empty() {
                    return none(Vec::new());
                }
                if let Some((_, place, ..)) = PLACES.iter().find(|(known, ..)| *known == name) {
                    return self.run_place(*place, world);
                }
                if let Some(action) = actions::by_verb(name) {
                    self.acts_here()?;
                    return Ok(if self.acts_on_group() {
                        self.open_group(action, world, ground)
                    } else {
                        self.open_act(action, world, ground)
                    });
                }
                if name == "rollback" {
                    self.acts_here()?;
                    return Ok(self.open_rollback(world, ground));
                }
                self.run_key(name, world)
            }
        }
    }

    /// The command that a word names, or the only one that it begins.
    fn meant(&self, word: &str) -> Result<&'static str, String> {
        let names = self.names();
        let lower = word.to_lowercase();
        if let Some(name) = names.iter().find(|name| **name == lower) {
            return Ok(name);
        }
        let begins: Vec<&str> = names.iter().copied().filter(|name| name.starts_with(&lower)).collect();
        match begins.as_slice() {
            [only] => names.iter().copied().find(|name| name == only).ok_or_else(String::new),
            [] => Err(match crate::domain::nearest::nearest(&lower, names.iter().copied()) {
                Some(near) => format!("there is no command `{word}`; did you mean `{near}`?"),
                None => format!("there is no command or target `{word}`; tab lists what fits"),
            }),
            several => Err(format!("`{word}` may be {}", several.join(", "))),
        }
    }

    /// Everything that has a name.
    pub(super) fn names(&self) -> Vec<&'static str> {
        let mut names: Vec<&'static str> = PLACES.iter().map(|(name, ..)| *name).collect();
        names.push("diff");
        names.extend(TAKE.iter().map(|(name, ..)| *name));
        names.extend(actions::TABLE.iter().map(|action| action.verb));
        names.push("rollback");
        let here = TABLE.iter().filter(|row| row.places.contains(&self.place) && by_name(row.command));
        names.extend(here.map(|row| row.command.name()));
        names.push("quit");
        let mut seen = std::collections::BTreeSet::new();
        names.retain(|name| seen.insert(*name));
        names
    }

    /// Acts are for the target whose name stands on the screen.
    fn acts_here(&self) -> Result<(), String> {
        if matches!(self.place, Place::Audit | Place::Links | Place::Help) {
            return Err("no target stands on this screen: `:board` or `:target NAME` first".to_owned());
        }
        if self.selected.is_none() && !self.acts_on_group() {
            return Err("there is nothing to act on".to_owned());
        }
        Ok(())
    }

    fn run_target(&mut self, name: &str, world: &World) -> Result<Vec<Effect>, String> {
        if name.is_empty() {
            return match self.selected.clone() {
                Some(id) => Ok(self.jump_to(Place::Target, &id, world)),
                None => Err("which target? tab lists them".to_owned()),
            };
        }
        let id = find(name, world)?;
        Ok(self.jump_to(Place::Target, &id, world))
    }

    fn run_filter(&mut self, text: &str, world: &World) -> Result<Vec<Effect>, String> {
        crate::model::filter::Filter::parse(text)?;
        let effects = self.jump_to_place(Place::Board, world);
        self.filter_by(text);
        Ok(effects)
    }

    fn run_place(&mut self, place: Place, world: &World) -> Result<Vec<Effect>, String> {
        let of_target = matches!(place, Place::Log | Place::Text | Place::Events | Place::History);
        if of_target && self.selected.as_ref().is_none_or(|id| !world.targets.contains_key(id)) {
            return Err("no target is selected: `:target NAME` first".to_owned());
        }
        if place == Place::Text && self.place == Place::Text {
            return self.run_look(Command::Yaml, world);
        }
        if place == Place::Audit && self.place == Place::Audit {
            self.leave();
            return Ok(self.open_audit(None));
        }
        Ok(self.jump_to_place(place, world))
    }

    fn run_look(&mut self, command: Command, world: &World) -> Result<Vec<Effect>, String> {
        if self.selected.as_ref().is_none_or(|id| !world.targets.contains_key(id)) {
            return Err("no target is selected: `:target NAME` first".to_owned());
        }
        let mut effects = Vec::new();
        if !matches!(self.place, Place::Board | Place::Target | Place::History | Place::Events) {
            effects = self.jump_to_place(Place::Board, world);
        }
        effects.extend(self.look(command, world).unwrap_or_default());
        Ok(effects)
    }

    fn run_plan(&mut self, rest: &str, world: &World) -> Result<Vec<Effect>, String> {
        match rest.split_once(char::is_whitespace).map_or((rest, ""), |(word, id)| (word, id.trim())) {
            ("", _) => Ok(self.command(Command::Plan, world)),
            ("resume", id) => {
                self.go_on((!id.is_empty()).then_some(id), world);
                match self.notice.take() {
                    Some(why) => Err(why),
                    None => Ok(Vec::new()),
                }
            }
            ("dismiss", id) => {
                let resume = Resume::of((!id.is_empty()).then_some(id), world);
                let run = resume.map_err(|why| why.replace("plan resume", "plan dismiss"))?.run;
                Arc::make_mut(&mut self.dismissed).insert(run.plan.id.clone());
                let key = self.keys.label(Command::GoOn);
                self.notice =
                    Some(format!("hidden until the next start; {key} still goes on with it: {}", run.plan.title));
                Ok(Vec::new())
            }
            (other, _) => Err(format!("plan takes nothing, `resume ID` or `dismiss ID`, not {other:?}")),
        }
    }

    /// A key of this screen, by its name.
    fn run_key(&mut self, name: &str, world: &World) -> Result<Vec<Effect>, String> {
        let row = TABLE.iter().find(|row| row.command.name() == name && row.places.contains(&self.place));
        match row {
            Some(row) => Ok(self.command(row.command, world)),
            None => Err(format!("`{name}` does nothing on this screen")),
        }
    }

    pub(super) fn sort_by(&mut self, sort: Sort) {
        self.board.set_sort(sort);
        self.notice = Some(format!("sorted by {}", sort.name()));
    }

    /// Opens the confirmation of what a dead process left undone: the plan that is named, or the only one.
    pub(super) fn go_on(&mut self, id: Option<&str>, world: &World) {
        match Resume::of(id, world) {
            Ok(resume) => self.popup = Some(Popup::Resume(Box::new(resume))),
            Err(why) => self.notice = Some(why),
        }
    }
}

/// Why a command is not taken with words behind it: who names a target there means to act on it.
fn nothing_behind(name: &str, rest: &str) -> String {
    if actions::by_verb(name).is_some() || name == "rollback" {
        format!("{name} acts on the row under the cursor; `:target {rest}` goes there")
    } else {
        format!("{name} takes nothing behind it")
    }
}

/// The target that is meant: `NAME`, `NAMESPACE/NAME` or `CONTEXT/NAMESPACE/NAME`.
pub(super) fn find(said: &str, world: &World) -> Result<TargetId, String> {
    let named = |target: &crate::model::Target| {
        let id = target.id();
        id.name == said || id.to_string() == said || format!("{}/{id}", target.context) == said
    };
    let found: Vec<_> = world.targets.values().filter(|target| named(target)).collect();
    match found.as_slice() {
        [one] => Ok(one.id().clone()),
        [] => {
            let names: Vec<String> = world.targets.keys().map(ToString::to_string).collect();
            let short: Vec<&str> = world.targets.keys().map(|id| id.name.as_str()).collect();
            let near = crate::domain::nearest::nearest(said, names.iter().map(String::as_str).chain(short));
            Err(near.map_or_else(
                || format!("there is no target {said:?}; tab lists them"),
                |near| format!("there is no target {said:?}; did you mean {near}?"),
            ))
        }
        several => {
            let names: Vec<String> = several.iter().map(|t| format!("{}/{}", t.context, t.id())).collect();
            Err(format!("{said:?} is several: {}", names.join(", ")))
        }
    }
}
