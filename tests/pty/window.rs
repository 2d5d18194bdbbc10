//! The window around it: mouse, kitty's keyboard, title, bell, themes.

use std::time::{Duration, Instant};

use super::{Demo, PAUSED, STILL, scenario};
use crate::screen::Screen;

/// A release begins to need a person while somebody sits there.
const NEWS: &str = r#"
pod_ready = "200ms"
[[rollout]]
namespace = "shop"
name = "web"
image = "shop/web"
version = "1"
replicas = 2
steps = ["50%", "pause", "100%"]
[[event]]
at = "4s"
target = "shop/web"
do = "release"
version = "2"
"#;

fn raw(screen: &Screen) -> String {
    String::from_utf8_lossy(screen.raw.as_deref().unwrap_or_default()).into_owned()
}

/// How often the bell rang; titles end with the same byte.
fn bells(screen: &Screen) -> usize {
    let raw = raw(screen);
    raw.matches('\x07').count() - raw.matches("\x1b]0;").count()
}

#[test]
fn keys_of_kitty_are_keys() {
    let demo = Demo::new(PAUSED);
    let mut screen = demo.start(&[], &[], 80, 24);
    scenario::find(&mut screen, "shop/payments");
    screen.press("\x1b[107;5u");
    screen.until("the box", |text| text.contains("press y to abort"));
    screen.press("\x1b[27u");
    screen.until("the board", |text| !text.contains("press y to abort") && text.contains("WHY HERE"));
}

#[test]
fn a_click_opens_and_esc_leads_back() {
    let demo = Demo::new(PAUSED);
    let mut screen = demo.start(&[], &[], 80, 24);
    scenario::find(&mut screen, "shop/payments");
    let row = screen.contents().lines().position(|line| line.contains("▌")).expect("a cursor") + 1;
    screen.press(&format!("\x1b[<0;10;{row}M\x1b[<0;10;{row}m"));
    screen.until("the target", |text| text.contains("ladder"));
    screen.press("\x1b");
    screen.until("the board", |text| text.contains("WHY HERE"));
}

#[test]
fn without_the_mouse_it_is_the_terminals() {
    let demo = Demo::new(PAUSED);
    let mut screen = demo.start(&["--no-mouse"], &[], 80, 24);
    screen.until("a row", |text| text.contains("for a person"));
    scenario::leave(&mut screen);
    assert_eq!(screen.ended(), 0);
    let raw = String::from_utf8_lossy(screen.raw.as_deref().unwrap_or_default()).into_owned();
    assert!(!raw.contains("\x1b[?1000h") && !raw.contains("\x1b[?1006h"));
}

#[test]
fn a_console_gets_neither_title_nor_keyboard_flags() {
    let demo = Demo::new(PAUSED);
    let mut screen = demo.start(&[], &[("TERM", "linux"), ("COLORTERM", "")], 80, 24);
    screen.until("a row", |text| text.contains("for a person"));
    scenario::leave(&mut screen);
    assert_eq!(screen.ended(), 0);
    let raw = String::from_utf8_lossy(screen.raw.as_deref().unwrap_or_default()).into_owned();
    for unknown in ["\x1b[>1u", "\x1b[22;0t", "\x1b]0;", "\x1b]2;", "38;2;", "48;2;"] {
        assert!(!raw.contains(unknown), "{unknown:?}");
    }
}

#[test]
fn the_window_is_named_after_what_needs_a_person() {
    let demo = Demo::new(PAUSED);
    let mut screen = demo.start(&[], &[], 80, 24);
    screen.until("a row", |text| text.contains("for a person"));
    screen.settle(Duration::from_millis(300));
    let raw = String::from_utf8_lossy(screen.raw.as_deref().unwrap_or_default()).into_owned();
    assert!(raw.contains("\x1b]0;‖ payments needs you\x07"), "{raw:?}");
    assert!(!raw.contains("\x1b]0;‖ payments needs you\x07\x07"), "the first lists are no alarm");
}

#[test]
fn the_bell_rings_once_for_what_is_new_unless_somebody_looks() {
    for (name, keys, config, rings) in [
        ("nobody looks", "", "", 1),
        ("the window has the focus", "\x1b[I", "", 0),
        ("off", "", "[ui]\nbell = false\n", 0),
    ] {
        let demo = Demo::new(NEWS);
        let file = demo.home.path().join("config.toml");
        std::fs::write(&file, config).expect("a configuration");
        let mut screen = demo.start(&["--config", file.to_str().expect("a path")], &[], 80, 24);
        screen.until("a row", |text| text.contains("Healthy"));
        screen.press(keys);
        screen.until("the pause", |text| text.contains("for a person"));
        screen.settle(Duration::from_millis(300));
        assert_eq!(bells(&screen), rings, "{name}");
        assert!(raw(&screen).contains("\x1b]0;‖ web needs you\x07"), "{name}");
    }
}

#[test]
fn no_title_where_none_is_wanted() {
    let demo = Demo::new(STILL);
    let file = demo.home.path().join("config.toml");
    std::fs::write(&file, "[ui]\ntitle = false\nmouse = false\n").expect("a configuration");
    let mut screen = demo.start(&["--config", file.to_str().expect("a path")], &[], 80, 24);
    screen.until("a row", |text| text.contains("shop/web"));
    scenario::leave(&mut screen);
    assert_eq!(screen.ended(), 0);
    let raw = raw(&screen);
    assert!(!raw.contains("\x1b]0;") && !raw.contains("\x1b[22;0t") && !raw.contains("\x1b[?1000h"));
}

#[test]
fn the_theme_is_painted_and_an_unknown_one_is_named_before_the_terminal_is_taken() {
    let demo = Demo::new(STILL);
    let file = demo.home.path().join("config.toml");
    let themes = demo.home.path().join("themes");
    std::fs::create_dir(&themes).expect("a folder");
    let light = include_str!("../../assets/themes/light.toml").replace("#fbfaf7", "#fefefe");
    std::fs::write(themes.join("mine.toml"), light).expect("a theme");
    std::fs::write(&file, "[ui]\ntheme = \"mine\"\n").expect("a configuration");
    let start = |env: &[(&str, &str)]| demo.start(&["--config", file.to_str().expect("a path")], env, 80, 24);
    let mut screen = start(&[("COLORTERM", "truecolor")]);
    screen.until("a row", |text| text.contains("shop/web"));
    assert!(raw(&screen).contains("48;2;254;254;254"));
    let mut screen = start(&[("COLORTERM", "")]);
    screen.until("a row", |text| text.contains("shop/web"));
    assert!(raw(&screen).contains("48;5;231") && !raw(&screen).contains("48;2;"));
    std::fs::write(&file, "[ui]\ntheme = \"mien\"\n").expect("a configuration");
    let mut screen = start(&[]);
    assert_ne!(screen.ended(), 0);
    let said = raw(&screen);
    assert!(said.contains("mien") && said.contains("high-contrast") && !said.contains("\x1b[?1049h"), "{said}");
}

#[test]
fn the_first_start_says_the_first_keys_until_one_is_pressed() {
    let demo = Demo::new(STILL);
    let mut screen = demo.start(&[], &[], 80, 24);
    screen.until("the hint", |text| text.contains("new here?") && text.contains("shop/web"));
    screen.press("j");
    screen.until("no hint", |text| !text.contains("new here?") && text.contains("shop/web"));
}

#[test]
fn another_theme_and_the_mouse_given_back_need_no_new_start() {
    let demo = Demo::new(STILL);
    let file = demo.home.path().join("config.toml");
    std::fs::write(&file, "[ui]\ntheme = \"dark\"\n").expect("a configuration");
    let env = [("COLORTERM", "truecolor")];
    let mut screen = demo.start(&["--config", file.to_str().expect("a path")], &env, 80, 24);
    screen.until("a row", |text| text.contains("shop/web"));
    let next = demo.home.path().join("config.next");
    std::fs::write(&next, "[ui]\ntheme = \"light\"\nmouse = false\n").expect("a configuration");
    std::fs::rename(&next, &file).expect("in its place");
    let deadline = Instant::now() + Duration::from_secs(20);
    while !(raw(&screen).contains("48;2;251;250;247") && raw(&screen).contains("\x1b[?1000l")) {
        assert!(Instant::now() < deadline, "it stays as it was\n{}", screen.contents());
        screen.next(Duration::from_millis(100));
    }
    scenario::leave(&mut screen);
    assert_eq!(screen.ended(), 0);
    assert_eq!(raw(&screen).matches("\x1b[?1000h").count(), 1);
}
