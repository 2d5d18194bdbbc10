//! What the reader can show: characters and width.

use std::fmt::Write as _;
use std::sync::OnceLock;

use unicode_width::UnicodeWidthChar as _;

struct Look {
    ascii: bool,
    /// Columns; `None` = a file or another program reads: whole lines.
    width: Option<usize>,
}

static LOOK: OnceLock<Look> = OnceLock::new();

/// Looks at the terminal and the environment once, before anything is printed.
pub(in crate::cli) fn prepare(asked_for_ascii: bool) {
    let _ = LOOK.set(Look { ascii: asked_for_ascii || !locale_is_utf8(locale().as_deref()), width: columns() });
}

/// Whether only ASCII may be printed.
pub(in crate::cli) fn ascii() -> bool {
    LOOK.get().is_some_and(|look| look.ascii)
}

/// How many columns there are; `None` = no limit.
pub(super) fn width() -> Option<usize> {
    LOOK.get().and_then(|look| look.width)
}

/// The locale for characters: the first of these that says something (POSIX, XBD 8.2).
fn locale() -> Option<String> {
    ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|key| std::env::var(key).ok().filter(|value| !value.is_empty()))
}

/// Where nothing is said at all (containers, cron) the reader knows UTF-8 nearly always.
fn locale_is_utf8(locale: Option<&str>) -> bool {
    locale.is_none_or(|locale| {
        let locale = locale.to_ascii_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    })
}

/// `COLUMNS`, else what the terminal says.
fn columns() -> Option<usize> {
    let said = std::env::var("COLUMNS").ok().and_then(|text| text.parse().ok());
    said.or_else(|| rustix::termios::tcgetwinsize(std::io::stdout()).ok().map(|size| usize::from(size.ws_col)))
        .filter(|columns| *columns > 0)
}

/// The same in ASCII, as wide as it was.
pub(in crate::cli) fn to_ascii(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            c if c.is_ascii() => out.push(c),
            '–' | '—' | '─' | '○' => out.push('-'),
            '‖' | '│' => out.push('|'),
            '→' | '▸' => out.push('>'),
            '←' => out.push('<'),
            '…' => out.push('~'),
            '●' | '✓' | '✔' | '◆' => out.push('*'),
            '✗' | '✖' => out.push('x'),
            '·' => out.push('.'),
            '„' | '“' | '”' => out.push('"'),
            '‘' | '’' => out.push('\''),
            other => out.extend(std::iter::repeat_n('?', other.width().unwrap_or(1))),
        }
    }
    out
}

/// JSON with `\u` escapes: it says the same.
pub(super) fn escaped(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if c.is_ascii() {
            out.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_locale_that_says_so_is_not_utf8() {
        assert!(locale_is_utf8(None));
        for yes in ["C.UTF-8", "de_DE.utf8", "en_US.UTF-8@euro"] {
            assert!(locale_is_utf8(Some(yes)), "{yes}");
        }
        for no in ["C", "POSIX", "de_DE.ISO-8859-1", "de_DE"] {
            assert!(!locale_is_utf8(Some(no)), "{no}");
        }
    }

    #[test]
    fn ascii_is_as_wide_as_what_it_stands_for() {
        assert_eq!(to_ascii("50 → 40 % … 日"), "50 > 40 % ~ ??");
    }

    #[test]
    fn escapes_say_the_same() {
        let text = serde_json::json!({"a": "ü → 😀 \u{1}"});
        let escaped = escaped(&text.to_string());
        assert!(escaped.is_ascii());
        assert_eq!(serde_json::from_str::<serde_json::Value>(&escaped).ok(), Some(text));
    }
}
