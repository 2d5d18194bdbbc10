//! Themes can be read: contrast by WCAG 2.2 (1.4.3, 1.4.6), and three meanings that colour-blind people tell apart.

use std::path::Path;

use super::depth::nearest_of_256;
use super::*;
use crate::config::UiSection;
use crate::config::theme::{Paint, load, names};

type Rgb = [f64; 3];

fn channels(paint: Paint) -> Option<[u8; 3]> {
    match paint {
        Paint::Rgb(r, g, b) => Some([r, g, b]),
        _ => None,
    }
}

/// Linear light, 0 to 1.
fn linear(color: [u8; 3]) -> Rgb {
    color.map(|c| {
        let c = f64::from(c) / 255.0;
        if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
    })
}

fn luminance(color: [u8; 3]) -> f64 {
    let [r, g, b] = linear(color);
    0.2126 * r + 0.7152 * g + 0.0722 * b
}

fn contrast(a: [u8; 3], b: [u8; 3]) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

/// Every text of a theme with what it stands on.
fn pairs(says: &theme::Theme) -> Vec<(&'static str, Paint, Paint)> {
    let on = says.background;
    let mut all = vec![
        ("text", says.text, on),
        ("good", says.good, on),
        ("warn", says.warn, on),
        ("bad", says.bad, on),
        ("busy", says.busy, on),
        ("dim", says.dim, on),
        ("key", says.key, on),
    ];
    for (name, pair) in [
        ("production", says.production),
        ("staging", says.staging),
        ("development", says.development),
        ("badge", says.badge),
    ] {
        all.push((name, pair.text, pair.background));
    }
    all
}

#[test]
fn every_text_stands_out_from_its_ground() {
    for name in names().filter(|name| *name != theme::SIXTEEN) {
        let says = load(name, Path::new("")).expect("it comes along");
        let least = if name == "high-contrast" { 7.0 } else { 4.5 };
        for (what, text, ground) in pairs(&says) {
            let (Some(text), Some(ground)) = (channels(text), channels(ground)) else {
                panic!("{name}: {what} has no colour of its own, so its contrast is not known");
            };
            let full = contrast(text, ground);
            assert!(full >= least, "{name}: {what} has {full:.2}:1");
            let indexed = contrast(nearest_of_256(text).1, nearest_of_256(ground).1);
            assert!(indexed >= least, "{name}: {what} has {indexed:.2}:1 in 256 colours");
        }
    }
}

#[test]
fn nothing_vanishes_where_there_are_sixteen_colours() {
    for name in names() {
        let says = load(name, Path::new("")).expect("it comes along");
        for (what, text, ground) in pairs(&says) {
            let (text, ground) = (Depth::Sixteen.color(text), Depth::Sixteen.color(ground));
            assert!(text != ground || text == Color::Reset, "{name}: {what} is {text:?} on {ground:?}");
        }
    }
}

/// What people see who lack one kind of cone: Machado, Oliveira and Fernandes 2009, severity 1.
const KINDS: [(&str, [Rgb; 3]); 3] = [
    (
        "deuteranopia",
        [[0.367_322, 0.860_646, -0.227_968], [0.280_085, 0.672_501, 0.047_413], [-0.011_820, 0.042_940, 0.968_881]],
    ),
    (
        "protanopia",
        [[0.152_286, 1.052_583, -0.204_868], [0.114_503, 0.786_281, 0.099_216], [-0.003_882, -0.048_116, 1.051_998]],
    ),
    (
        "tritanopia",
        [[1.255_528, -0.076_749, -0.178_779], [-0.078_411, 0.930_809, 0.147_602], [0.004_733, 0.691_367, 0.303_900]],
    ),
];

/// CIE L*a*b*, D65.
fn lab(light: Rgb) -> Rgb {
    // Each row gives one of X, Y, Z, divided by that of white.
    const XYZ: [(Rgb, f64); 3] =
        [([0.4124, 0.3576, 0.1805], 0.950_47), ([0.2126, 0.7152, 0.0722], 1.0), ([0.0193, 0.1192, 0.9505], 1.088_83)];
    let [x, y, z] = XYZ.map(|(row, white)| {
        let part = row.iter().zip(light).map(|(a, b)| a * b).sum::<f64>() / white;
        if part > 0.008_856 { part.cbrt() } else { 7.787 * part + 16.0 / 116.0 }
    });
    [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
}

fn seen(matrix: &[Rgb; 3], color: [u8; 3]) -> Rgb {
    let light = linear(color);
    matrix.map(|row| row.iter().zip(light).map(|(a, b)| a * b).sum::<f64>().clamp(0.0, 1.0))
}

#[test]
fn good_waiting_and_bad_are_told_apart_without_red_green_or_blue() {
    // A difference of about 2 is just seen side by side; these stand far from each other on the screen.
    const LEAST: f64 = 30.0;
    let says = load("colour-blind", Path::new("")).expect("it comes along");
    let of = |paint| channels(paint).expect("a colour of its own");
    let three = [("good", of(says.good)), ("warn", of(says.warn)), ("bad", of(says.bad))];
    for (kind, matrix) in &KINDS {
        for (n, (a, one)) in three.iter().enumerate() {
            for (b, other) in &three[n + 1..] {
                let (one, other) = (lab(seen(matrix, *one)), lab(seen(matrix, *other)));
                let apart = one.iter().zip(other).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
                assert!(apart >= LEAST, "{kind}: {a} and {b} are {apart:.0} apart");
            }
        }
    }
}

#[test]
fn a_terminal_gets_the_colours_it_has() {
    for (colorterm, term, depth) in [
        (Some("truecolor"), Some("xterm"), Depth::True),
        (Some("24bit"), None, Depth::True),
        (Some(""), Some("xterm-256color"), Depth::Indexed),
        (None, Some("screen-256color"), Depth::Indexed),
        (None, Some("xterm-direct"), Depth::True),
        (None, Some("xterm"), Depth::Sixteen),
        (None, Some("linux"), Depth::Sixteen),
        (None, None, Depth::Sixteen),
    ] {
        assert_eq!(Depth::said(colorterm, term), depth, "{colorterm:?} {term:?}");
    }
    assert_eq!(nearest_of_256([255, 0, 0]).0, 196);
    assert_eq!(nearest_of_256([8, 8, 8]).0, 232);
    assert_eq!(Depth::Sixteen.color(Paint::Rgb(250, 10, 10)), Color::LightRed);
    assert_eq!(Depth::True.color(Paint::Named(1)), Color::Red);
}

#[test]
fn the_usual_theme_gives_way_where_there_are_sixteen_colours() {
    let face =
        |name: &str| Face { ui: UiSection { theme: name.to_owned(), ..UiSection::default() }, ..Face::default() };
    let few = Theme::of(&face("dark"), Depth::Sixteen).expect("a theme");
    assert_eq!((few.good().fg, few.says.background), (Some(Color::Green), Color::Reset));
    let many = Theme::of(&face("dark"), Depth::True).expect("a theme");
    assert!(matches!(many.good().fg, Some(Color::Rgb(..))));
    let asked = Theme::of(&face("light"), Depth::Sixteen).expect("a theme");
    assert_eq!(asked.says.background, Color::White);
    assert!(Theme::of(&face("drak"), Depth::True).is_err());
}
