//! Text from outside, made safe to print.

mod shared;

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize};
use unicode_segmentation::UnicodeSegmentation;

/// The longest text kept, in characters. Longer text is cut and ends in `…`.
pub const MAX_CHARS: usize = 4096;

/// The most combining marks kept in one grapheme: more is a rendering attack, not a language.
const MAX_MARKS: usize = 4;

/// A string that holds no control, bidirectional, zero-width or other invisible formatting character.
///
/// Replaced characters stay visible (`␛`, `\u{202e}`), so that a hostile name is seen as such. Cloning is cheap.
#[derive(Clone, PartialEq, Eq, Hash, Default, Serialize)]
#[serde(transparent)]
pub struct Clean(Arc<str>);

impl Clean {
    /// Cleans `raw`; line breaks and tabs become a single space.
    pub fn new(raw: &str) -> Self {
        if raw.len() <= MAX_CHARS && raw.bytes().all(|b| (0x20..0x7f).contains(&b)) {
            return Self(raw.into());
        }
        Self(clean(raw, MAX_CHARS).into())
    }

    /// The same; what comes again and again is kept once.
    pub fn shared(raw: &str) -> Self {
        shared::clean(raw)
    }

    /// Cleans `raw` and keeps up to `max` characters of it: for lines of a log, which may be long and still be wanted whole.
    pub fn long(raw: &str, max: usize) -> Self {
        if raw.len() <= max && raw.bytes().all(|b| (0x20..0x7f).contains(&b)) {
            return Self(raw.into());
        }
        Self(clean(raw, max).into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether there is no text.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn clean(raw: &str, max: usize) -> String {
    let mut out = String::with_capacity(raw.len().min(max.saturating_mul(4)));
    let mut left = max;
    for grapheme in raw.graphemes(true) {
        let mut marks = 0;
        for c in grapheme.chars() {
            if left == 0 {
                out.push('…');
                return out;
            }
            left -= 1;
            match c {
                '\n' | '\r' | '\t' => {
                    if !out.ends_with(' ') {
                        out.push(' ');
                    }
                }
                '\u{7f}' => out.push('␡'),
                c if (c as u32) < 0x20 => {
                    out.push(char::from_u32(0x2400 + c as u32).unwrap_or('\u{fffd}'));
                }
                c if is_hidden(c) => out.extend(c.escape_unicode()),
                c if is_mark(c) => {
                    marks += 1;
                    if marks <= MAX_MARKS {
                        out.push(c);
                    }
                }
                c => out.push(c),
            }
        }
    }
    out
}

/// Characters that change how their neighbours look, or that nobody can see.
fn is_hidden(c: char) -> bool {
    matches!(c,
        '\u{80}'..='\u{9f}' | '\u{ad}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{180e}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e0fff}' | '\u{f0000}'..='\u{10ffff}' | '\u{e000}'..='\u{f8ff}')
}

/// Combining marks, by the blocks that hold them.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{591}'..='\u{5bd}' | '\u{610}'..='\u{61a}'
        | '\u{64b}'..='\u{65f}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}'
        | '\u{fe20}'..='\u{fe2f}' | '\u{e31}' | '\u{e34}'..='\u{e3a}' | '\u{e47}'..='\u{e4e}')
}

impl schemars::JsonSchema for Clean {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Clean".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": "string"})
    }
}

impl fmt::Display for Clean {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Clean {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

impl From<&str> for Clean {
    fn from(raw: &str) -> Self {
        Self::new(raw)
    }
}

impl From<String> for Clean {
    fn from(raw: String) -> Self {
        Self::new(&raw)
    }
}

impl<'de> Deserialize<'de> for Clean {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = Clean;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }
            fn visit_str<E>(self, v: &str) -> Result<Clean, E> {
                Ok(shared::clean(v))
            }
        }
        deserializer.deserialize_str(Visitor)
    }
}

impl Ord for Clean {
    /// By the text. The same text is mostly kept once, and then it need not be read: keys of maps begin alike.
    fn cmp(&self, other: &Self) -> Ordering {
        if Arc::ptr_eq(&self.0, &other.0) { Ordering::Equal } else { self.0.cmp(&other.0) }
    }
}

impl PartialOrd for Clean {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq<str> for Clean {
    fn eq(&self, other: &str) -> bool {
        &*self.0 == other
    }
}

impl PartialEq<&str> for Clean {
    fn eq(&self, other: &&str) -> bool {
        &*self.0 == *other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_terminal_obeys_is_left() {
        for raw in
            ["\u{1b}[2J", "a\u{7}b", "\u{9b}31m", "\u{1b}]52;c;eA==\u{7}", "x\u{202e}y", "a\r\nb", "\u{200b}", "\0"]
        {
            let clean = Clean::new(raw);
            assert!(!clean.as_str().chars().any(|c| c.is_control() || is_hidden(c)), "{raw:?} → {clean:?}");
            assert!(!clean.is_empty(), "{raw:?} vanished");
        }
        assert_eq!(Clean::new("\u{1b}[2J"), "␛[2J");
        assert_eq!(Clean::new("x\u{202e}y"), "x\\u{202e}y");
        assert_eq!(Clean::new("one\r\n\ttwo"), "one two");
    }

    #[test]
    fn long_text_is_cut_and_says_so() {
        let clean = Clean::new(&"é".repeat(70_000));
        assert_eq!(clean.as_str().chars().count(), MAX_CHARS + 1);
        assert!(clean.as_str().ends_with('…'));
    }

    #[test]
    fn stacked_marks_are_capped() {
        let clean = Clean::new(&format!("a{}", "\u{301}".repeat(50)));
        assert_eq!(clean.as_str().chars().count(), 1 + MAX_MARKS);
    }

    #[test]
    fn plain_text_is_untouched() {
        for raw in ["payments-778b5d6c7f", "naïve → ok ✓", ""] {
            assert_eq!(Clean::new(raw), raw);
        }
    }
}
