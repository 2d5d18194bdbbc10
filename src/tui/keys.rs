//! The table of keys: what is handled, the footer and the help screen all derive from it.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// Where a key works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Board,
    Target,
    Log,
    Text,
    Events,
    History,
    Audit,
    Links,
    Help,
}

/// What a key does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Command {
    Down,
    Up,
    PageDown,
    PageUp,
    First,
    Last,
    Open,
    Act,
    Mark,
    Abort,
    Logs,
    Yaml,
    Diff,
    Events,
    History,
    Plan,
    Find,
    FindNext,
    FindBack,
    Follow,
    Previous,
    Wrap,
    Whose,
    Container,
    Managed,
    Object,
    Filter,
    Audit,
    Verify,
    Links,
    Help,
    Back,
    Quit,
    Suspend,
}

/// One row.
pub(super) struct Row {
    pub command: Command,
    codes: &'static [KeyCode],
    control: bool,
    /// As it is written on the screen.
    pub label: &'static str,
    /// For the help screen.
    pub help: &'static str,
    /// For the footer; empty = not there.
    pub brief: &'static str,
    pub places: &'static [Place],
}

const EVERYWHERE: &[Place] = &[
    Place::Board,
    Place::Target,
    Place::Log,
    Place::Text,
    Place::Events,
    Place::History,
    Place::Audit,
    Place::Links,
    Place::Help,
];
const NOT_BOARD: &[Place] =
    &[Place::Target, Place::Log, Place::Text, Place::Events, Place::History, Place::Audit, Place::Links, Place::Help];
const TARGETS: &[Place] = &[Place::Board, Place::Target];
/// Where one target is looked at, and more of it can be opened.
const CLOSE: &[Place] = &[Place::Board, Place::Target, Place::History, Place::Events];
const LONG: &[Place] = &[Place::Log, Place::Text];

const fn row(
    command: Command,
    codes: &'static [KeyCode],
    label: &'static str,
    help: &'static str,
    brief: &'static str,
    places: &'static [Place],
) -> Row {
    Row { command, codes, control: false, label, help, brief, places }
}

const fn control(command: Command, codes: &'static [KeyCode], label: &'static str, help: &'static str) -> Row {
    Row { command, codes, control: true, label, help, brief: "", places: EVERYWHERE }
}

/// The parts of the help screen: each has the keys that work in its places and stood in none before.
pub(super) const PARTS: &[(&str, &[Place])] = &[
    ("board and target", TARGETS),
    ("revisions, what happened", &[Place::History, Place::Events]),
    ("a log", &[Place::Log]),
    ("a document: YAML, difference", &[Place::Text]),
    ("audit log", &[Place::Audit]),
];

/// All keys, in the order of the footer and the help screen.
pub(super) const TABLE: &[Row] = &[
    row(
        Command::Open,
        &[KeyCode::Enter, KeyCode::Right],
        "↵",
        "open what the cursor is on",
        "open",
        &[Place::Board, Place::Audit],
    ),
    row(
        Command::Act,
        &[KeyCode::Char('a')],
        "a",
        "the act menu: what can be done here, and what it leads to",
        "act",
        TARGETS,
    ),
    row(
        Command::Mark,
        &[KeyCode::Char(' ')],
        "space",
        "mark for an act on several targets at once; esc takes all marks off",
        "mark",
        &[Place::Board],
    ),
    row(Command::Filter, &[KeyCode::Char('/')], "/", "show only what has this in its name", "filter", &[Place::Board]),
    row(Command::Logs, &[KeyCode::Char('l')], "l", "the logs of its pods", "logs", CLOSE),
    row(Command::Yaml, &[KeyCode::Char('y')], "y", "the object as YAML", "yaml", CLOSE),
    row(Command::Diff, &[KeyCode::Char('d')], "d", "how the new version's template differs", "diff", CLOSE),
    row(Command::History, &[KeyCode::Char('v')], "v", "its revisions", "revisions", TARGETS),
    row(Command::Events, &[KeyCode::Char('e')], "e", "what happened: acts, events, other writers", "events", TARGETS),
    row(Command::Plan, &[KeyCode::Char('P')], "P", "how far the latest plan has come", "", TARGETS),
    row(
        Command::Whose,
        &[KeyCode::Char('s')],
        "s",
        "whose log: each revision, all pods, each pod",
        "pods",
        &[Place::Log],
    ),
    row(Command::Follow, &[KeyCode::Char('f')], "f", "follow the newest line, or stop", "follow", &[Place::Log]),
    row(
        Command::Previous,
        &[KeyCode::Char('p')],
        "p",
        "what the container said before its last restart",
        "previous",
        &[Place::Log],
    ),
    row(Command::Container, &[KeyCode::Char('c')], "c", "the next container", "container", &[Place::Log]),
    row(Command::Wrap, &[KeyCode::Char('w')], "w", "wrap long lines, or cut them", "wrap", LONG),
    row(
        Command::Object,
        &[KeyCode::Char('s')],
        "s",
        "the next object: ReplicaSets, analyses",
        "object",
        &[Place::Text],
    ),
    row(Command::Managed, &[KeyCode::Char('m')], "m", "with managedFields", "managed", &[Place::Text]),
    row(Command::Find, &[KeyCode::Char('/')], "/", "find in it", "find", LONG),
    row(Command::FindNext, &[KeyCode::Char('n')], "n", "the next place that has it", "", LONG),
    row(Command::FindBack, &[KeyCode::Char('N')], "N", "the one before", "", LONG),
    row(
        Command::Verify,
        &[KeyCode::Char('v')],
        "v",
        "check the hash chain of the audit log",
        "verify",
        &[Place::Audit],
    ),
    row(Command::Back, &[KeyCode::Esc, KeyCode::Left], "esc", "back; ends a filter", "back", EVERYWHERE),
    row(Command::Audit, &[KeyCode::Char('A')], "A", "the audit log", "audit", TARGETS),
    row(Command::Links, &[KeyCode::Char('L')], "L", "the links to the outside, and warnings", "links", TARGETS),
    row(Command::Help, &[KeyCode::Char('?'), KeyCode::F(1)], "?", "this help", "keys", EVERYWHERE),
    row(Command::Quit, &[KeyCode::Char('q')], "q", "leave the cockpit", "quit", &[Place::Board]),
    row(Command::Back, &[KeyCode::Char('q')], "q", "back", "", NOT_BOARD),
    row(Command::Down, &[KeyCode::Char('j'), KeyCode::Down], "j ↓", "down", "", EVERYWHERE),
    row(Command::Up, &[KeyCode::Char('k'), KeyCode::Up], "k ↑", "up", "", EVERYWHERE),
    row(Command::PageDown, &[KeyCode::PageDown], "PgDn", "a page down", "", EVERYWHERE),
    row(Command::PageUp, &[KeyCode::PageUp], "PgUp", "a page up", "", EVERYWHERE),
    row(Command::First, &[KeyCode::Char('g'), KeyCode::Home], "g", "to the first", "", EVERYWHERE),
    row(Command::Last, &[KeyCode::Char('G'), KeyCode::End], "G", "to the last", "", EVERYWHERE),
    Row {
        places: TARGETS,
        ..control(Command::Abort, &[KeyCode::Char('k')], "^K", "abort: straight to its confirmation")
    },
    control(Command::Quit, &[KeyCode::Char('c')], "^C", "leave the cockpit from anywhere"),
    control(Command::Suspend, &[KeyCode::Char('z')], "^Z", "back to the shell; `fg` returns"),
];

/// What `key` does at `place`.
pub(super) fn command(place: Place, key: KeyEvent) -> Option<Command> {
    // Two presses of Esc that arrive together read as Alt+Esc.
    let plain = key.code == KeyCode::Esc || key.modifiers.difference(KeyModifiers::SHIFT).is_empty();
    let with_control = key.modifiers.contains(KeyModifiers::CONTROL);
    TABLE
        .iter()
        .find(|row| {
            let modifiers = if row.control { with_control } else { plain };
            modifiers && row.places.contains(&place) && row.codes.contains(&key.code)
        })
        .map(|row| row.command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_has_two_meanings_in_one_place() {
        for (n, row) in TABLE.iter().enumerate() {
            for other in &TABLE[n + 1..] {
                let clash = row.control == other.control
                    && row.codes.iter().any(|c| other.codes.contains(c))
                    && row.places.iter().any(|p| other.places.contains(p));
                assert!(!clash, "{} and {}", row.label, other.label);
            }
        }
    }

    #[test]
    fn a_letter_with_alt_or_control_is_not_the_letter() {
        let key = |c, m| KeyEvent::new(KeyCode::Char(c), m);
        assert_eq!(command(Place::Board, key('a', KeyModifiers::NONE)), Some(Command::Act));
        assert_eq!(command(Place::Board, key('a', KeyModifiers::ALT)), None);
        assert_eq!(command(Place::Board, key('a', KeyModifiers::CONTROL)), None);
        assert_eq!(command(Place::Board, key('G', KeyModifiers::SHIFT)), Some(Command::Last));
        assert_eq!(command(Place::Audit, key('a', KeyModifiers::NONE)), None);
        assert_eq!(command(Place::Help, key('c', KeyModifiers::CONTROL)), Some(Command::Quit));
    }
}
