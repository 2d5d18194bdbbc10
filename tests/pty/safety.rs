//! Nothing typed by accident acts, byte for byte behind a terminal. The rules, and where each is tested:
//!
//! | rule | test |
//! |---|---|
//! | keys queued before the box is drawn do not count | [`keys_queued_before_the_box_do_not_confirm`] |
//! | nor for 400 ms after, nor one held down since | `what_is_typed_too_early_does_not_count`, `a_key_held_down_since_before…` (`src/tui/tests`) |
//! | pasted text never confirms, marked as pasted or not | [`bytes_that_nobody_typed_do_not_confirm`], [`pasted_text_does_not_confirm_what_is_to_be_typed`] |
//! | a sequence in two parts is an Esc, which leaves | [`a_split_sequence_leaves_the_box_and_no_more`] |
//! | unknown sequences and answers are swallowed with their tails | [`bytes_that_nobody_typed_do_not_confirm`], `src/tui/tail.rs` |
//! | releases and repeats of kitty's keyboard do not confirm | [`bytes_that_nobody_typed_do_not_confirm`] |
//! | clicks do not confirm | [`bytes_that_nobody_typed_do_not_confirm`], `src/tui/tests/mouse.rs` |
//! | after another size the box must stand there anew | [`another_size_makes_the_box_deaf_again`] |
//! | after being suspended, too | [`what_is_typed_behind_a_suspend_does_not_confirm`] |
//! | after the focus was elsewhere, too | [`bytes_that_nobody_typed_do_not_confirm`] |
//!
//! Known hole: crossterm's parser drops `ESC [` and an unknown private mark without a word. Their tail is then typed text; it
//! does not confirm because it comes all at once, but a tail of the single letter `y` would. No terminal sends that.

use std::time::Duration;

use super::{Demo, PAUSED, scenario};
use crate::screen::Screen;

/// The box that takes `y`.
const BOX: &str = "press y to abort";

/// How long after a draw a key is certainly too early, with room for a slow machine.
const EARLY: Duration = Duration::from_millis(300);

fn abort_box(screen: &mut Screen) {
    scenario::find(screen, "shop/payments");
    screen.press("\x0b");
    screen.until("the box", |text| text.contains(BOX));
}

/// The box listens by now: it takes a reason and lets it go again.
fn listening(screen: &mut Screen) {
    scenario::type_reason(screen, "x");
    screen.press("\x7f\t");
    screen.until("the confirmation's field", |text| !text.contains(scenario::WRITING) && text.contains(BOX));
}

fn nothing_was_done(screen: &mut Screen, after: &str) {
    screen.settle(Duration::from_millis(150));
    let text = screen.contents();
    assert!(!text.contains("asked") && !text.contains("on its way"), "after {after:?}\n{text}");
}

#[test]
fn bytes_that_nobody_typed_do_not_confirm() {
    let demo = Demo::new(PAUSED);
    let mut screen = demo.start(&[], &[], 80, 24);
    abort_box(&mut screen);
    listening(&mut screen);
    for bytes in [
        // Text that was pasted, marked and not.
        "\x1b[200~y\x1b[201~",
        "\x1b[200~yes\r\x1b[201~",
        "yes\r",
        "ly",
        "yy",
        // What terminals answer: keyboard flags, device attributes, cursor, colours, version, size.
        "\x1b[?1u\x1b[?62;22c",
        "\x1b[>41;354;0c",
        "\x1b[24;80R",
        "\x1b]11;rgb:yyyy/yyyy/yyyy\x07",
        "\x1b]11;rgb:0000/0000/0000\x1b\\",
        "\x1bP>|yterm(388)\x1b\\",
        "\x1b_Gi=31;y\x1b\\",
        "\x1b[8;24;80t",
        "\x1b[99;99~",
        // A key that is let go, and one that is held down.
        "\x1b[121;1:3u",
        "\x1b[121;1:2u",
        // With Control, with Alt.
        "\x1b[121;5u",
        "\x1by",
        // Clicks, the wheel.
        "\x1b[<0;40;12M\x1b[<0;40;12m",
        "\x1b[<0;10;14M\x1b[<0;10;14m",
        "\x1b[<65;40;12M",
        // Typed for the window that had the focus.
        "\x1b[O\x1b[Iy",
    ] {
        screen.press(bytes);
        nothing_was_done(&mut screen, bytes);
        assert!(screen.contents().contains(BOX), "after {bytes:?}\n{}", screen.contents());
    }
    scenario::yes(&mut screen, "abort");
    screen.until("the outcome", |text| text.contains("done after"));
}

#[test]
fn keys_queued_before_the_box_do_not_confirm() {
    let demo = Demo::new(PAUSED);
    let mut screen = demo.start(&[], &[], 80, 24);
    scenario::find(&mut screen, "shop/payments");
    screen.press("abyyy");
    let drawn = screen.until("the box", |text| text.contains(BOX));
    if screen.press("y") < drawn + EARLY {
        nothing_was_done(&mut screen, "y at once");
    }
    screen.press("\x1b");
    screen.until("the board", |text| !text.contains(BOX));
    // Let go for a moment: text behind an Esc reads as Alt.
    screen.settle(Duration::from_millis(150));
    screen.press("ap50\r50\r");
    screen.until("the box", |text| text.contains("type \"50\" and"));
    nothing_was_done(&mut screen, "ap50");
    assert_eq!(scenario::confirm(&mut screen, "resume"), "50");
    screen.until("the outcome", |text| text.contains("done after"));
}

#[test]
fn pasted_text_does_not_confirm_what_is_to_be_typed() {
    let demo = Demo::new(PAUSED);
    let mut screen = demo.start(&[], &[], 80, 24);
    scenario::find(&mut screen, "shop/payments");
    scenario::menu(&mut screen, "p");
    screen.until("the box", |text| text.contains("type \"50\" and"));
    scenario::type_reason(&mut screen, "x");
    screen.press("\t");
    screen.until("the confirmation's field", |text| !text.contains(scenario::WRITING));
    screen.press("\x1b[200~50\r\x1b[201~");
    screen.until("a word", |text| text.contains("pasted text does not confirm"));
    screen.press("50\r");
    screen.until("a word", |text| text.contains("came all at once"));
    nothing_was_done(&mut screen, "50 and Enter at once");
    screen.press("\r");
    screen.until("the outcome", |text| text.contains("done after"));
}

#[test]
fn a_split_sequence_leaves_the_box_and_no_more() {
    let demo = Demo::new(PAUSED);
    let mut screen = demo.start(&[], &[], 80, 24);
    for rest in ["[A", "[1;5B", "Oy", "[y"] {
        abort_box(&mut screen);
        screen.press("\x1b");
        screen.until("the board", |text| !text.contains(BOX));
        screen.press(rest);
        nothing_was_done(&mut screen, rest);
        // Where the machine was slow the rest was keys, and bare keys look.
        screen.press("\x1b");
        screen.settle(Duration::from_millis(150));
    }
}

#[test]
fn another_size_makes_the_box_deaf_again() {
    let demo = Demo::new(PAUSED);
    let mut screen = demo.start(&[], &[], 80, 24);
    abort_box(&mut screen);
    listening(&mut screen);
    screen.resize(120, 30);
    let drawn = screen.until("the box, anew", |text| text.contains(BOX) && text.lines().count() > 24);
    if screen.press("y") < drawn + EARLY {
        nothing_was_done(&mut screen, "another size");
        scenario::yes(&mut screen, "abort");
    }
    screen.until("the outcome", |text| text.contains("done after"));
}

#[test]
fn what_is_typed_behind_a_suspend_does_not_confirm() {
    let demo = Demo::new(PAUSED);
    let mut screen = demo.start(&[], &[], 80, 24);
    abort_box(&mut screen);
    listening(&mut screen);
    let taken = |screen: &Screen| {
        String::from_utf8_lossy(screen.raw.as_deref().unwrap_or_default()).matches("\x1b[?1049h").count()
    };
    let before = taken(&screen);
    // Nobody controls its job here, so it goes on at once.
    screen.press("\x1ay");
    screen.until("the box, anew", |text| text.contains(BOX));
    nothing_was_done(&mut screen, "a suspend");
    assert_eq!(taken(&screen), before + 1, "it was given back and taken again");
    scenario::yes(&mut screen, "abort");
    screen.until("the outcome", |text| text.contains("done after"));
    screen.press("\x03");
    assert_eq!(screen.ended(), 0);
    scenario::restored(&screen);
}
