//! The commands and the keys that they have by themselves: what is handled, the footer, the help screen and the palette all derive from it. What a person
//! configured replaces keys of it, see [`keymap`](super::keymap).

use crossterm::event::KeyCode;

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

impl Place {
    /// Its name in messages and in the palette.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Board => "board",
            Self::Target => "target",
            Self::Log => "logs",
            Self::Text => "yaml",
            Self::Events => "events",
            Self::History => "history",
            Self::Audit => "audit",
            Self::Links => "links",
            Self::Help => "help",
        }
    }
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
    MarkAll,
    Abort,
    Logs,
    Yaml,
    Diff,
    Events,
    History,
    Plan,
    GoOn,
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
    Sort,
    Palette,
    Copy,
    Audit,
    Verify,
    SameAct,
    SamePlan,
    ToTarget,
    Links,
    Help,
    Back,
    JumpBack,
    Quit,
    Suspend,
}

impl Command {
    /// Its name in the configuration and in the palette.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Down => "down",
            Self::Up => "up",
            Self::PageDown => "page-down",
            Self::PageUp => "page-up",
            Self::First => "first",
            Self::Last => "last",
            Self::Open => "open",
            Self::Act => "act",
            Self::Mark => "mark",
            Self::MarkAll => "mark-all",
            Self::Abort => "abort",
            Self::Logs => "logs",
            Self::Yaml => "yaml",
            Self::Diff => "diff",
            Self::Events => "events",
            Self::History => "history",
            Self::Plan => "plan",
            Self::GoOn => "go-on",
            Self::Find => "find",
            Self::FindNext => "find-next",
            Self::FindBack => "find-back",
            Self::Follow => "follow",
            Self::Previous => "previous",
            Self::Wrap => "wrap",
            Self::Whose => "pods",
            Self::Container => "container",
            Self::Managed => "managed-fields",
            Self::Object => "object",
            Self::Filter => "filter",
            Self::Sort => "sort",
            Self::Palette => "command",
            Self::Copy => "copy",
            Self::Audit => "audit",
            Self::Verify => "verify",
            Self::SameAct => "same-act",
            Self::SamePlan => "same-plan",
            Self::ToTarget => "to-target",
            Self::Links => "links",
            Self::Help => "help",
            Self::Back => "back",
            Self::JumpBack => "jump-back",
            Self::Quit => "quit",
            Self::Suspend => "suspend",
        }
    }
}

/// One row.
#[derive(Debug)]
pub(super) struct Row {
    pub command: Command,
    pub codes: &'static [KeyCode],
    pub control: bool,
    /// As it is written on the screen.
    pub label: &'static str,
    /// For the help screen; empty = another row says it.
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
const NOT_TARGETS: &[Place] =
    &[Place::Log, Place::Text, Place::Events, Place::History, Place::Audit, Place::Links, Place::Help];
const TARGETS: &[Place] = &[Place::Board, Place::Target];
/// Where one target is looked at, and more of it can be opened.
const CLOSE: &[Place] = &[Place::Board, Place::Target, Place::History, Place::Events];
const LONG: &[Place] = &[Place::Log, Place::Text];
/// Where text can be looked for.
const SEARCHED: &[Place] = &[Place::Log, Place::Text, Place::Events, Place::History, Place::Links, Place::Help];
/// Where a target stands on the screen that can be acted on.
const ACTS: &[Place] = &[Place::Board, Place::Target, Place::Log, Place::Text, Place::Events, Place::History];
/// Where something can be copied.
const COPIES: &[Place] =
    &[Place::Board, Place::Target, Place::Log, Place::Text, Place::Events, Place::History, Place::Audit];

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
    ("what happened, revisions, links, these keys, logs, documents", &[Place::History, Place::Events]),
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
        ACTS,
    ),
    row(
        Command::Mark,
        &[KeyCode::Char(' ')],
        "space",
        "mark for an act on several targets at once; esc takes all marks off",
        "mark",
        &[Place::Board],
    ),
    row(
        Command::Filter,
        &[KeyCode::Char('/')],
        "/",
        "show only what has these words, or state: env: band: ns: context: label: image: version:",
        "filter",
        &[Place::Board],
    ),
    row(
        Command::Palette,
        &[KeyCode::Char(':')],
        ":",
        "a command by its name: a screen, an act, a target, filter, sort",
        "command",
        TARGETS,
    ),
    row(
        Command::Palette,
        &[KeyCode::Char(':')],
        ":",
        "a command by its name: a screen, an act, a target, filter, sort",
        "",
        NOT_TARGETS,
    ),
    row(Command::Logs, &[KeyCode::Char('l')], "l", "the logs of its pods", "logs", CLOSE),
    row(Command::Yaml, &[KeyCode::Char('y')], "y", "the object as YAML", "yaml", CLOSE),
    row(Command::Diff, &[KeyCode::Char('d')], "d", "how the new version's template differs", "diff", CLOSE),
    row(Command::History, &[KeyCode::Char('v')], "v", "its revisions", "revisions", TARGETS),
    row(Command::Events, &[KeyCode::Char('e')], "e", "what happened: acts, events, other writers", "events", TARGETS),
    row(
        Command::Sort,
        &[KeyCode::Char('o')],
        "o",
        "sort by urgency, name, age, errors, version in turn",
        "",
        &[Place::Board],
    ),
    row(
        Command::MarkAll,
        &[KeyCode::Char('*')],
        "*",
        "mark all that are shown, or take these marks off",
        "",
        &[Place::Board],
    ),
    row(
        Command::Copy,
        &[KeyCode::Char('Y')],
        "Y",
        "copy its name; here and there the record, the revision or the line",
        "",
        COPIES,
    ),
    row(Command::GoOn, &[KeyCode::Char('R')], "R", "go on with a plan that was left unfinished", "", TARGETS),
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
    row(Command::Find, &[KeyCode::Char('/')], "/", "find text on this screen", "find", SEARCHED),
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
    row(Command::FindNext, &[KeyCode::Char('n')], "n", "the next place that has it", "", SEARCHED),
    row(Command::FindBack, &[KeyCode::Char('N')], "N", "the one before", "", SEARCHED),
    row(
        Command::Verify,
        &[KeyCode::Char('v')],
        "v",
        "check the hash chain of the audit log",
        "verify",
        &[Place::Audit],
    ),
    row(
        Command::Filter,
        &[KeyCode::Char('/')],
        "/",
        "show only records with these words, or target: outcome: kind: by: op: act: plan:",
        "filter",
        &[Place::Audit],
    ),
    row(
        Command::SameAct,
        &[KeyCode::Char('s')],
        "s",
        "only the records of the same act: intent, outcome",
        "",
        &[Place::Audit],
    ),
    row(Command::SamePlan, &[KeyCode::Char('p')], "p", "only the records of the same plan", "", &[Place::Audit]),
    row(Command::ToTarget, &[KeyCode::Char('t')], "t", "to the target that it is about", "target", &[Place::Audit]),
    row(
        Command::Back,
        &[KeyCode::Esc, KeyCode::Left],
        "esc",
        "back; ends a filter or a find first",
        "back",
        EVERYWHERE,
    ),
    row(
        Command::JumpBack,
        &[KeyCode::Char('-'), KeyCode::Backspace],
        "- ^O",
        "to the screen and target before, as after :target",
        "",
        EVERYWHERE,
    ),
    row(Command::Audit, &[KeyCode::Char('A')], "A", "the audit log; of an open target, its records", "audit", TARGETS),
    row(
        Command::Links,
        &[KeyCode::Char('L')],
        "L",
        "links = connections to the API servers and Prometheus: how each stands; and warnings",
        "links",
        TARGETS,
    ),
    row(Command::Help, &[KeyCode::Char('?'), KeyCode::F(1)], "?", "this help", "keys", EVERYWHERE),
    row(
        Command::Quit,
        &[KeyCode::Char('q')],
        "q",
        "back; on the board it asks, and pressed again it leaves the cockpit",
        "quit",
        &[Place::Board],
    ),
    row(Command::Back, &[KeyCode::Char('q')], "q", "", "", NOT_BOARD),
    row(Command::Down, &[KeyCode::Char('j'), KeyCode::Down], "j ↓", "down", "", EVERYWHERE),
    row(Command::Up, &[KeyCode::Char('k'), KeyCode::Up], "k ↑", "up", "", EVERYWHERE),
    row(Command::PageDown, &[KeyCode::PageDown], "PgDn ^F", "a page down", "", EVERYWHERE),
    row(Command::PageUp, &[KeyCode::PageUp], "PgUp ^B", "a page up", "", EVERYWHERE),
    row(Command::First, &[KeyCode::Char('g'), KeyCode::Home], "g", "to the first", "", EVERYWHERE),
    row(Command::Last, &[KeyCode::Char('G'), KeyCode::End], "G", "to the last", "", EVERYWHERE),
    Row {
        places: ACTS,
        ..control(
            Command::Abort,
            &[KeyCode::Char('k')],
            "^K",
            "abort the target on the screen: straight to its confirmation",
        )
    },
    control(Command::PageDown, &[KeyCode::Char('f'), KeyCode::Char('d')], "^F", "a page down"),
    control(Command::PageUp, &[KeyCode::Char('b'), KeyCode::Char('u')], "^B", "a page up"),
    control(Command::JumpBack, &[KeyCode::Char('o')], "^O", "to the screen and target before, as after :target"),
    control(Command::Quit, &[KeyCode::Char('c')], "^C", "leave the cockpit at once, from anywhere, as :quit does"),
    control(Command::Suspend, &[KeyCode::Char('z')], "^Z", "back to the shell; `fg` returns"),
];
