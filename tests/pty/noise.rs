//! Bytes that no keyboard sends: answers of a terminal, whole, broken and cut in pieces.

use std::time::Duration;

use super::{Demo, PAUSED};
use crate::random::Random;

/// What sequences begin with, hold and end with. What they hold would act, if it counted as keys.
const BEGIN: [&str; 12] = [
    "\x1b[",
    "\x1b]",
    "\x1bP",
    "\x1b_",
    "\x1b^",
    "\x1bX",
    "\x1b[?",
    "\x1b[<",
    "\x1b[200~",
    "\x1bO",
    "\x1b[>",
    "\x1b[1;",
];
const HOLD: [&str; 12] = [
    "ap50",
    "ab",
    "y",
    "52;c;YXA1MA==",
    "11;rgb:0000/0000/0000",
    "62;22",
    "99;99",
    "0;10;20",
    "65535;65535;65535",
    "$r0m",
    "Gi=1;OK",
    "\u{1f680}\u{301}",
];
const END: [&str; 9] = ["\x07", "\x1b\\", "M", "~", "c", "R", "\x1b[201~", "", "\u{9c}"];

#[test]
fn noise_from_the_terminal_never_acts_and_the_program_goes_on() {
    let demo = Demo::new(PAUSED);
    let mut screen = demo.start(&[], &[], 80, 24);
    screen.until("a row", |text| text.contains("for a person"));
    let mut random = Random::new(5);
    for turn in 0..150 {
        let sequence = [*random.pick(&BEGIN), random.pick::<&str>(&HOLD), random.pick::<&str>(&END)].concat();
        // Cut anywhere between two characters, as a slow line cuts.
        let cut = random.below(sequence.chars().count() + 1);
        let at = sequence.char_indices().nth(cut).map_or(sequence.len(), |(at, _)| at);
        screen.press(&sequence[..at]);
        screen.press(&sequence[at..]);
        // What is over ends here: nothing joins the next one.
        screen.press("\x07");
        if turn % 10 == 9 {
            screen.settle(Duration::from_millis(120));
            screen.press("\x1b");
            screen.settle(Duration::from_millis(120));
        }
    }
    screen.settle(Duration::from_millis(300));
    // The log is made when the first act is asked for, if any was.
    let mut files = vec![demo.home.path().to_owned()];
    while let Some(path) = files.pop() {
        if path.is_dir() {
            files.extend(std::fs::read_dir(&path).expect("a folder").flatten().map(|f| f.path()));
        } else if path.extension().is_some_and(|e| e == "jsonl") {
            let text = std::fs::read_to_string(&path).expect("the log");
            assert!(!text.contains("\"kind\":\"intent\""), "something was asked for\n{text}\n{}", screen.contents());
        }
    }
    // A paste that began and never ended would swallow all that follows.
    screen.press("\x1b[201~");
    for _ in 0..4 {
        screen.press("\x1b");
        screen.settle(Duration::from_millis(150));
    }
    screen.press("?");
    screen.until("help", |text| text.contains("a bare key only looks"));
}
