//! Which keys run which command: the table, with what `[keys]` of the configuration replaces in it.
//!
//! Some things hold whatever is configured: acts have no key of their own on a screen, `ctrl-k` opens the confirmation
//! of an abort, `ctrl-c` leaves, and no key means two things in one place.

use std::borrow::Cow;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::keys::{Command, Place, Row, TABLE};
use crate::actions;
use crate::config::KeysSection;
use crate::domain::nearest::hint;

/// A key, with or without control.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key {
    code: KeyCode,
    control: bool,
}

/// A row of the table with the keys that it has now.
#[derive(Clone, Debug)]
pub(super) struct Bound {
    pub row: &'static Row,
    keys: Vec<Key>,
    /// As the keys are written on the screen.
    pub label: Cow<'static, str>,
}

/// All keys, in the order of the footer and the help screen.
#[derive(Clone, Debug)]
pub(super) struct Keymap(Vec<Bound>);

impl Default for Keymap {
    fn default() -> Self {
        Self(TABLE.iter().map(Bound::usual).collect())
    }
}

impl Bound {
    fn usual(row: &'static Row) -> Self {
        let keys = row.codes.iter().map(|code| Key { code: *code, control: row.control }).collect();
        Self { row, keys, label: Cow::Borrowed(row.label) }
    }

    fn hears(&self, place: Place, key: KeyEvent) -> bool {
        // Two presses of Esc that arrive together read as Alt+Esc.
        let plain = key.code == KeyCode::Esc || key.modifiers.difference(KeyModifiers::SHIFT).is_empty();
        let with_control = key.modifiers.contains(KeyModifiers::CONTROL);
        self.row.places.contains(&place)
            && self.keys.iter().any(|k| k.code == key.code && if k.control { with_control } else { plain })
    }
}

impl Keymap {
    /// The table with the keys of the configuration. Errors name the fix.
    pub(super) fn configured(section: &KeysSection) -> Result<Self, String> {
        let mut map = Self::default();
        for (name, keys) in &section.0 {
            let command = command(name)?;
            let keys = keys.iter().map(|key| parse(key)).collect::<Result<Vec<_>, _>>();
            let keys = keys.map_err(|why| format!("[keys] {name}: {why}"))?;
            map.rebind(command, &keys).map_err(|why| format!("[keys] {name}: {why}"))?;
        }
        map.clashes()?;
        Ok(map)
    }

    /// The first row of the command takes the keys, its others go; what must not be lost stays.
    fn rebind(&mut self, command: Command, keys: &[Key]) -> Result<(), String> {
        if keys.is_empty() {
            return Err("no key is named; take the line out to have the usual one".to_owned());
        }
        let chord = command == Command::Abort;
        if chord && let Some(bare) = keys.iter().find(|key| !key.control) {
            return Err(format!("a bare key never acts: write ctrl-{}", written(*bare)));
        }
        let stays = |bound: &Bound| matches!(command, Command::Abort | Command::Quit) && bound.row.control;
        let mut given = false;
        self.0.retain_mut(|bound| {
            if bound.row.command != command {
                return true;
            }
            if stays(bound) && !chord {
                return true;
            }
            if std::mem::replace(&mut given, true) {
                return false;
            }
            let mut all = if chord { bound.keys.clone() } else { Vec::new() };
            all.extend(keys.iter().filter(|key| !bound.keys.contains(key) || !chord));
            bound.label = Cow::Owned(all.iter().map(|key| written(*key)).collect::<Vec<_>>().join(" "));
            bound.keys = all;
            true
        });
        Ok(())
    }

    fn clashes(&self) -> Result<(), String> {
        for (n, bound) in self.0.iter().enumerate() {
            for other in &self.0[n + 1..] {
                let place = bound.row.places.iter().find(|place| other.row.places.contains(place));
                let key = bound.keys.iter().find(|key| other.keys.contains(key));
                if let (Some(place), Some(key)) = (place, key)
                    && bound.row.command != other.row.command
                {
                    return Err(format!(
                        "[keys] {} is both `{}` and `{}` on the {} screen: give one of them another key",
                        written(*key),
                        bound.row.command.name(),
                        other.row.command.name(),
                        place.name()
                    ));
                }
            }
        }
        Ok(())
    }

    /// What `key` does at `place`.
    pub(super) fn command(&self, place: Place, key: KeyEvent) -> Option<Command> {
        self.0.iter().find(|bound| bound.hears(place, key)).map(|bound| bound.row.command)
    }

    /// All rows.
    pub(super) fn rows(&self) -> impl Iterator<Item = &Bound> {
        self.0.iter()
    }

    /// How the first key of a command is written.
    pub(super) fn label(&self, command: Command) -> &str {
        let first = self.0.iter().find(|bound| bound.row.command == command);
        first.map_or("", |bound| bound.label.split(' ').next().unwrap_or_default())
    }
}

/// The command of this name.
fn command(name: &str) -> Result<Command, String> {
    if let Some(row) = TABLE.iter().find(|row| row.command.name() == name) {
        return Ok(row.command);
    }
    if actions::by_verb(name).is_some() || name == "rollback" {
        return Err(format!("[keys] {name}: acts have no key of their own: `act` opens the menu, then its letter"));
    }
    let mut names: Vec<&str> = TABLE.iter().map(|row| row.command.name()).collect();
    names.dedup();
    Err(format!("[keys] there is no command `{name}`{}", hint(name, &names)))
}

/// Keys that have a name.
const NAMED: &[(&str, KeyCode, &str)] = &[
    ("enter", KeyCode::Enter, "↵"),
    ("esc", KeyCode::Esc, "esc"),
    ("space", KeyCode::Char(' '), "space"),
    ("tab", KeyCode::Tab, "tab"),
    ("backspace", KeyCode::Backspace, "bksp"),
    ("delete", KeyCode::Delete, "del"),
    ("insert", KeyCode::Insert, "ins"),
    ("left", KeyCode::Left, "←"),
    ("right", KeyCode::Right, "→"),
    ("up", KeyCode::Up, "↑"),
    ("down", KeyCode::Down, "↓"),
    ("home", KeyCode::Home, "home"),
    ("end", KeyCode::End, "end"),
    ("pageup", KeyCode::PageUp, "PgUp"),
    ("pagedown", KeyCode::PageDown, "PgDn"),
];

/// `enter`, `x`, `G`, `f5`, `ctrl-o`.
fn parse(name: &str) -> Result<Key, String> {
    let lower = name.to_lowercase();
    let control = ["ctrl-", "ctrl+", "^"].iter().find(|with| lower.starts_with(**with) && lower.len() > with.len());
    let rest = control.map_or(name, |with| &name[with.len()..]);
    let code = code(rest)?;
    let code = match (control, code) {
        (Some(_), KeyCode::Char(c)) => KeyCode::Char(c.to_ascii_lowercase()),
        (_, code) => code,
    };
    Ok(Key { code, control: control.is_some() })
}

fn code(name: &str) -> Result<KeyCode, String> {
    let mut chars = name.chars();
    if let (Some(c), None) = (chars.next(), chars.next())
        && !c.is_control()
    {
        return Ok(KeyCode::Char(c));
    }
    let lower = name.to_lowercase();
    if let Some((_, code, _)) = NAMED.iter().find(|(known, ..)| *known == lower) {
        return Ok(*code);
    }
    if let Some(n) = lower.strip_prefix('f').and_then(|n| n.parse::<u8>().ok()).filter(|n| (1..=12).contains(n)) {
        return Ok(KeyCode::F(n));
    }
    let mut names: Vec<&str> = NAMED.iter().map(|(known, ..)| *known).collect();
    names.extend(["f1", "ctrl-x"]);
    Err(format!("there is no key {name:?}{}; a single character is itself", hint(name, &names)))
}

/// As it stands on the screen.
fn written(key: Key) -> String {
    let name = match key.code {
        KeyCode::F(n) => format!("F{n}"),
        KeyCode::Char(c) if key.control => c.to_ascii_uppercase().to_string(),
        code => match NAMED.iter().find(|(_, known, _)| *known == code) {
            Some((.., sign)) => (*sign).to_owned(),
            None => code.to_string(),
        },
    };
    if key.control { format!("^{name}") } else { name }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn with(lines: &[(&str, &[&str])]) -> Result<Keymap, String> {
        let lines = lines
            .iter()
            .map(|(name, keys)| ((*name).to_owned(), keys.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>()));
        Keymap::configured(&KeysSection(lines.collect::<BTreeMap<_, _>>()))
    }

    fn key(code: KeyCode, control: bool) -> KeyEvent {
        KeyEvent::new(code, if control { KeyModifiers::CONTROL } else { KeyModifiers::NONE })
    }

    #[test]
    fn no_key_has_two_meanings_in_one_place() {
        Keymap::default().clashes().expect("the usual keys");
    }

    #[test]
    fn a_letter_with_alt_or_control_is_not_the_letter() {
        let map = Keymap::default();
        let key = |c, m| KeyEvent::new(KeyCode::Char(c), m);
        assert_eq!(map.command(Place::Board, key('a', KeyModifiers::NONE)), Some(Command::Act));
        assert_eq!(map.command(Place::Board, key('a', KeyModifiers::ALT)), None);
        assert_eq!(map.command(Place::Board, key('a', KeyModifiers::CONTROL)), None);
        assert_eq!(map.command(Place::Board, key('G', KeyModifiers::SHIFT)), Some(Command::Last));
        assert_eq!(map.command(Place::Audit, key('a', KeyModifiers::NONE)), None);
        assert_eq!(map.command(Place::Help, key('c', KeyModifiers::CONTROL)), Some(Command::Quit));
    }

    #[test]
    fn configured_keys_replace_the_usual_ones() {
        let map = with(&[("open", &["o", "Enter"]), ("sort", &["ctrl-s"]), ("back", &["h"])]).expect("good keys");
        assert_eq!(map.command(Place::Board, key(KeyCode::Char('o'), false)), Some(Command::Open));
        assert_eq!(map.command(Place::Board, key(KeyCode::Enter, false)), Some(Command::Open));
        assert_eq!(map.command(Place::Board, key(KeyCode::Right, false)), None, "the usual one is replaced");
        assert_eq!(map.command(Place::Board, key(KeyCode::Char('s'), true)), Some(Command::Sort));
        assert_eq!(map.command(Place::Help, key(KeyCode::Char('q'), false)), None, "every row of `back`");
        assert_eq!(map.label(Command::Open), "o");
        assert_eq!(map.label(Command::Sort), "^S");
    }

    #[test]
    fn the_way_out_and_the_abort_stay() {
        let map = with(&[("quit", &["Q"]), ("abort", &["ctrl-x"])]).expect("good keys");
        assert_eq!(map.command(Place::Board, key(KeyCode::Char('Q'), false)), Some(Command::Quit));
        assert_eq!(map.command(Place::Board, key(KeyCode::Char('c'), true)), Some(Command::Quit));
        for c in ['k', 'x'] {
            assert_eq!(map.command(Place::Target, key(KeyCode::Char(c), true)), Some(Command::Abort));
        }
    }

    #[test]
    fn what_is_wrong_names_the_fix() {
        for (name, keys, says) in [
            ("opne", &["x"] as &[&str], "no command `opne`; did you mean `open`?"),
            ("open", &["entre"] as &[&str], "[keys] open: there is no key \"entre\"; did you mean `enter`?"),
            ("open", &[] as &[&str], "no key is named"),
            ("abort", &["b"] as &[&str], "a bare key never acts: write ctrl-b"),
            ("resume", &["p"] as &[&str], "acts have no key of their own"),
            ("rollback", &["ctrl-r"] as &[&str], "acts have no key of their own"),
            ("links", &["o"] as &[&str], "o is both `sort` and `links` on the board screen"),
            ("links", &["ctrl-c"] as &[&str], "^C is both `links` and `quit`"),
            ("links", &["ctrl-K"] as &[&str], "^K is both `links` and `abort`"),
        ] {
            let why = with(&[(name, keys)]).expect_err(says);
            assert!(why.contains(says), "{why}");
        }
    }
}
