//! Themes: what colour each meaning has. Five come along (`assets/themes`); a file `NAME.toml` in the folder `themes`
//! beside the configuration is one more.

use std::path::Path;

use serde::Deserialize;

/// The themes that come along, by name.
const KNOWN: &[(&str, &str)] = &[
    ("dark", include_str!("../../assets/themes/dark.toml")),
    ("light", include_str!("../../assets/themes/light.toml")),
    ("colour-blind", include_str!("../../assets/themes/colour-blind.toml")),
    ("high-contrast", include_str!("../../assets/themes/high-contrast.toml")),
    (SIXTEEN, include_str!("../../assets/themes/16-color.toml")),
];

/// The theme that needs no more than a terminal's own sixteen colours.
pub const SIXTEEN: &str = "16-color";

/// The names by which people call the sixteen colours, in the terminals' order.
const NAMES: [&str; 16] = [
    "black",
    "red",
    "green",
    "yellow",
    "blue",
    "magenta",
    "cyan",
    "gray",
    "dark-gray",
    "light-red",
    "light-green",
    "light-yellow",
    "light-blue",
    "light-magenta",
    "light-cyan",
    "white",
];

/// One colour, as a theme says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Paint {
    /// `terminal`: whatever the terminal has.
    Terminal,
    /// One of the sixteen that every terminal has, by its number.
    Named(u8),
    /// `#rrggbb`.
    Rgb(u8, u8, u8),
}

impl TryFrom<String> for Paint {
    type Error = String;

    fn try_from(said: String) -> Result<Self, String> {
        if said == "terminal" {
            return Ok(Self::Terminal);
        }
        if let Some(n) = (0_u8..).zip(NAMES).find_map(|(n, name)| (name == said).then_some(n)) {
            return Ok(Self::Named(n));
        }
        let hex = said.strip_prefix('#').filter(|hex| hex.len() == 6);
        match hex.and_then(|hex| u32::from_str_radix(hex, 16).ok()) {
            Some(number) => {
                let [_, r, g, b] = number.to_be_bytes();
                Ok(Self::Rgb(r, g, b))
            }
            None => Err(format!("{said:?} is no colour: `#rrggbb`, `terminal`, or one of {}", NAMES.join(", "))),
        }
    }
}

/// A text on a ground of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pair {
    /// The text.
    pub text: Paint,
    /// What it stands on.
    pub background: Paint,
}

/// What colour each meaning has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Theme {
    /// Text without a meaning of its own.
    pub text: Paint,
    /// What everything stands on.
    pub background: Paint,
    /// As it should be.
    pub good: Paint,
    /// Waits, or deserves a look.
    pub warn: Paint,
    /// As it should not be.
    pub bad: Paint,
    /// Under way.
    pub busy: Paint,
    /// Old, secondary or not at hand.
    pub dim: Paint,
    /// A key that can be pressed.
    pub key: Paint,
    /// The word for production.
    pub production: Pair,
    /// The word for staging.
    pub staging: Pair,
    /// The word for development.
    pub development: Pair,
    /// The word in the corner, e.g. `DEMO`.
    pub badge: Pair,
}

impl Default for Theme {
    /// The terminal's own colours: what is left without any theme.
    fn default() -> Self {
        let (plain, pair) = (Paint::Terminal, Pair { text: Paint::Terminal, background: Paint::Terminal });
        Self {
            text: plain,
            background: plain,
            good: plain,
            warn: plain,
            bad: plain,
            busy: plain,
            dim: plain,
            key: plain,
            production: pair,
            staging: pair,
            development: pair,
            badge: pair,
        }
    }
}

/// The names of the themes that come along.
pub fn names() -> impl Iterator<Item = &'static str> {
    KNOWN.iter().map(|(name, _)| *name)
}

/// Parses a theme.
pub fn parse(text: &str) -> Result<Theme, String> {
    toml::from_str(text).map_err(|e| e.to_string().trim_end().to_owned())
}

/// The theme of this name: a file of the user's in `folder` goes before one that comes along. The error names those
/// that there are.
pub fn load(name: &str, folder: &Path) -> Result<Theme, String> {
    let plain = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'));
    if !plain {
        return Err(format!("theme {name:?}: a name is letters, digits, `-`, `_` and `.`; {}", known(folder)));
    }
    let own = folder.join(format!("{name}.toml"));
    match std::fs::read_to_string(&own) {
        Ok(text) => return parse(&text).map_err(|why| format!("theme {}: {why}", own.display())),
        Err(e) if matches!(e.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) => {}
        Err(e) => return Err(format!("theme {}: {e}", own.display())),
    }
    let (_, text) = KNOWN
        .iter()
        .find(|(known, _)| *known == name)
        .ok_or_else(|| format!("no theme {name:?}; {}", known(folder)))?;
    parse(text)
}

fn known(folder: &Path) -> String {
    let mut all: Vec<String> = names().map(str::to_owned).collect();
    let files = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut own: Vec<String> = files
        .filter(|path| path.extension().is_some_and(|e| e == "toml"))
        .filter_map(|path| path.file_stem().map(|name| name.to_string_lossy().into_owned()))
        .filter(|name| !all.contains(name))
        .collect();
    own.sort();
    all.extend(own);
    let more = if folder.as_os_str().is_empty() {
        String::new()
    } else {
        format!("; your own are files NAME.toml in {}", folder.display())
    };
    format!("there are {}{more}", all.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_theme_that_comes_along_can_be_read() {
        for name in names() {
            load(name, Path::new("")).unwrap_or_else(|why| panic!("{name}: {why}"));
        }
    }

    #[test]
    fn the_sixteen_colour_theme_says_no_other_colour() {
        let theme = load(SIXTEEN, Path::new("")).expect("it comes along");
        let pairs = [theme.production, theme.staging, theme.development, theme.badge];
        let single =
            [theme.text, theme.background, theme.good, theme.warn, theme.bad, theme.busy, theme.dim, theme.key];
        for paint in single.into_iter().chain(pairs.into_iter().flat_map(|pair| [pair.text, pair.background])) {
            assert!(!matches!(paint, Paint::Rgb(..)), "{paint:?}");
        }
    }

    #[test]
    fn a_theme_of_ones_own_goes_before_and_an_unknown_one_names_those_there_are() {
        let folder = tempfile::tempdir().expect("a folder");
        let own = KNOWN[0].1.replace("#7bc275", "#00ff00");
        std::fs::write(folder.path().join("dark.toml"), &own).expect("written");
        std::fs::write(folder.path().join("night.toml"), &own).expect("written");
        assert_eq!(load("dark", folder.path()).expect("mine").good, Paint::Rgb(0, 255, 0));
        assert_eq!(load("night", folder.path()).expect("mine").good, Paint::Rgb(0, 255, 0));
        let why = load("drak", folder.path()).expect_err("a typing mistake");
        assert!(why.contains("drak") && why.contains("dark, light, colour-blind") && why.contains("night"), "{why}");
        assert!(load("../night", folder.path()).is_err(), "a name is no path");
    }

    #[test]
    fn a_wrong_theme_is_told_where_and_what_would_be_right() {
        let folder = tempfile::tempdir().expect("a folder");
        for (text, said) in [
            (KNOWN[0].1.replace("\"#7bc275\"", "\"grean\""), "grean"),
            (KNOWN[0].1.replace("good", "gut"), "gut"),
            (KNOWN[0].1.replace("good = \"#7bc275\"", ""), "good"),
        ] {
            std::fs::write(folder.path().join("mine.toml"), text).expect("written");
            let why = load("mine", folder.path()).expect_err("it is wrong");
            assert!(why.contains("mine.toml") && why.contains(said), "{why}");
        }
    }
}
