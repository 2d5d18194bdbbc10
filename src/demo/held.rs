//! How the store holds an object: as a value, or, where nobody has touched it, as the text that the server would send.
//! A great fleet that stands still costs its text alone.

use std::fmt::Write as _;
use std::sync::{Arc, OnceLock};

use serde_json::Value;

/// An object of the store.
#[derive(Clone, Debug)]
pub(super) enum Held {
    Value(Arc<Value>),
    /// With the value, once somebody asked for it.
    Text(Arc<str>, OnceLock<Arc<Value>>),
}

impl Held {
    pub(super) fn text(text: String) -> Self {
        Self::Text(text.into(), OnceLock::new())
    }

    /// The value; made from the text on first use.
    pub(super) fn value(&self) -> &Arc<Value> {
        match self {
            Self::Value(value) => value,
            Self::Text(text, value) => value.get_or_init(|| Arc::new(serde_json::from_str(text).unwrap_or_default())),
        }
    }

    /// The value, without keeping it where only the text is held.
    pub(super) fn glance(&self) -> Arc<Value> {
        match self {
            Self::Text(text, value) if value.get().is_none() => {
                Arc::new(serde_json::from_str(text).unwrap_or_default())
            }
            held => held.value().clone(),
        }
    }

    /// Writes it as the server sends it.
    pub(super) fn write(&self, to: &mut String) {
        match self {
            Self::Value(value) => {
                let _ = write!(to, "{value}");
            }
            Self::Text(text, _) => to.push_str(text),
        }
    }
}
