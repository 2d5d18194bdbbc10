//! Texts of which most are not kept.

use std::borrow::Cow;

use serde::Deserialize;

use crate::domain::text::Clean;

/// A text that is looked at where it stands.
#[derive(Default)]
pub struct Seen<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Seen<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Cow<'de, str>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a string")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Cow<'de, str>, E> {
                Ok(Cow::Borrowed(text))
            }
            fn visit_str<E>(self, text: &str) -> Result<Cow<'de, str>, E> {
                Ok(Cow::Owned(text.to_owned()))
            }
        }
        deserializer.deserialize_str(Visitor).map(Seen)
    }
}

impl Seen<'_> {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is this word.
    pub fn is(&self, word: &str) -> bool {
        self.0 == word
    }

    /// The text, to be kept.
    pub fn kept(&self) -> Clean {
        Clean::shared(&self.0)
    }
}
