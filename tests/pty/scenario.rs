//! What a person does, on whatever cluster.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::screen::Screen;

/// Starts a program behind a terminal, with a home of its own and nothing else of this machine's settings.
pub fn start(program: &Path, args: &[&str], home: &Path, env: &[(&str, &str)], columns: u16, rows: u16) -> Screen {
    let state = home.join("state");
    let mut all: Vec<(&str, &Path)> = vec![("HOME", home), ("XDG_STATE_HOME", &state)];
    all.extend(env.iter().map(|(key, value)| (*key, Path::new(*value))));
    let mut screen = Screen::start(program, args, &all, columns, rows);
    screen.raw = Some(Vec::new());
    screen
}

/// What follows `type ` in the box that confirms `verb`.
fn asked(text: &str, verb: &str) -> Option<String> {
    let line = text.lines().find(|l| l.contains(&format!(" and ↵ to {verb}")))?;
    let (_, rest) = line.split_once("type ")?;
    Some(rest.split_once(" and ↵")?.0.trim_matches('"').to_owned())
}

/// Puts the cursor on the target by the filter.
pub fn find(screen: &mut Screen, target: &str) {
    screen.until("the target", |text| text.contains(target) && text.contains("live"));
    screen.press("/");
    screen.until("the filter", |text| text.contains("esc clear"));
    screen.press(target);
    screen.until("the filtered board", |text| text.contains(&format!("/{target}▏")));
    screen.press("\r");
    screen.until("the cursor", |text| text.contains(&format!("on {target}:")));
}

/// Opens the act menu and presses a letter of it.
pub fn menu(screen: &mut Screen, letter: &str) {
    screen.press("a");
    screen.until("the act menu", |text| text.contains("act on"));
    screen.press(letter);
}

/// Types what the box asks for `verb`, and Enter.
pub fn confirm(screen: &mut Screen, verb: &str) -> String {
    screen.until("the box", |text| asked(text, verb).is_some());
    let consequence = asked(&screen.contents(), verb).expect("it was there");
    type_it(screen, verb, &consequence);
    screen.press("\r");
    consequence
}

/// Presses `y` until the box has taken it: it is deaf at first.
pub fn yes(screen: &mut Screen, verb: &str) {
    let asks = format!("press y to {verb}");
    screen.until("the box", |text| text.contains(&asks));
    let deadline = Instant::now() + Duration::from_secs(10);
    while screen.contents().contains(&asks) {
        assert!(Instant::now() < deadline, "y is not taken\n{}", screen.contents());
        screen.press("y");
        let taken = Instant::now() + Duration::from_millis(250);
        while Instant::now() < taken && screen.contents().contains(&asks) {
            screen.next(taken - Instant::now());
        }
    }
}

/// Finds the target, opens the act menu, types what the box asks for, and waits for *done*.
pub fn resume(screen: &mut Screen, target: &str) {
    find(screen, target);
    menu(screen, "p");
    confirm(screen, "resume");
    screen.until("the outcome", |text| text.contains("done after") && text.contains("on record as number"));
    let text = screen.contents();
    for stage in ["asked", "recorded", "sent", "accepted"] {
        assert!(text.contains(stage), "no {stage}\n{text}");
    }
}

/// The box is deaf at first: a key that it did not take is pressed again.
fn type_it(screen: &mut Screen, verb: &str, text: &str) {
    let mut typed = String::new();
    let deadline = Instant::now() + Duration::from_secs(10);
    for c in text.chars() {
        typed.push(c);
        // What stands between the verb and the text (how many of how many) is the box's own business.
        let shown =
            |text: &str| text.lines().any(|l| l.contains(&format!("to {verb}")) && l.contains(&format!(" {typed}▏")));
        while !shown(&screen.contents()) {
            assert!(Instant::now() < deadline, "{c:?} is not taken\n{}", screen.contents());
            screen.press(&c.to_string());
            let taken = Instant::now() + Duration::from_millis(250);
            while Instant::now() < taken && !shown(&screen.contents()) {
                screen.next(taken - Instant::now());
            }
        }
    }
}

/// What a box says while the cursor is in its reason.
pub const WRITING: &str = "tab when the reason is written";

/// Leaves from the board: the key asks first.
pub fn leave(screen: &mut Screen) {
    screen.press("q");
    screen.until("the question", |text| text.contains("q again leaves"));
    // At once it would be taken for a key that is held down.
    screen.settle(Duration::from_millis(200));
    screen.press("q");
}

/// Goes to the reason and types there until the box, deaf at first, has taken it.
pub fn type_reason(screen: &mut Screen, text: &str) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !screen.contents().contains(WRITING) {
        assert!(Instant::now() < deadline, "tab is not taken\n{}", screen.contents());
        screen.press("\t");
        screen.settle(Duration::from_millis(250));
    }
    screen.press(text);
    screen.until("the reason", |shown| shown.contains(&format!("{text}▏")));
}

/// Opens the audit screen and checks the chain.
pub fn audit_holds(screen: &mut Screen) {
    screen.press("A");
    screen.until("the records", |text| text.contains("outcome") && text.contains("intent"));
    screen.press("v");
    screen.until("the verdict", |text| text.contains("holds at "));
    screen.press("\x1b");
    screen.until("the board", |text| text.contains("WHY HERE"));
}

/// The last things written take back what was taken: alternate screen, hidden cursor, bracketed paste, focus, mouse,
/// keyboard and title.
pub fn restored(screen: &Screen) {
    let raw = String::from_utf8_lossy(screen.raw.as_deref().unwrap_or_default()).into_owned();
    for (on, off) in [
        ("\x1b[?1049h", "\x1b[?1049l"),
        ("\x1b[?25l", "\x1b[?25h"),
        ("\x1b[?2004h", "\x1b[?2004l"),
        ("\x1b[?1004h", "\x1b[?1004l"),
        ("\x1b[?1000h", "\x1b[?1000l"),
        ("\x1b[?1006h", "\x1b[?1006l"),
        ("\x1b[>1u", "\x1b[<1u"),
        ("\x1b[22;0t", "\x1b[23;0t"),
    ] {
        let (taken, given) = (raw.rfind(on).expect("it was taken"), raw.rfind(off));
        assert!(given > Some(taken), "{off:?} does not follow {on:?}");
    }
}
