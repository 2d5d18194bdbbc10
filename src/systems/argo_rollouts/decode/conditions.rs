//! A rollout's conditions.

use jiff::Timestamp;
use serde::Deserialize;

use crate::systems::kubernetes::seen::Seen;

/// Every object has several, and hardly anything of them is kept.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Condition<'a> {
    #[serde(rename = "type", borrow)]
    pub(super) kind: Seen<'a>,
    #[serde(borrow)]
    pub(super) status: Seen<'a>,
    #[serde(borrow)]
    pub(super) reason: Seen<'a>,
    #[serde(borrow)]
    last_update_time: Option<Seen<'a>>,
    #[serde(borrow)]
    last_transition_time: Option<Seen<'a>>,
}

impl Condition<'_> {
    /// When the controller last wrote it.
    pub(super) fn updated(&self) -> Option<Timestamp> {
        self.last_update_time.as_ref().and_then(|time| time.as_str().parse().ok())
    }

    /// When its status last changed.
    pub(super) fn turned(&self) -> Option<Timestamp> {
        self.last_transition_time.as_ref().and_then(|time| time.as_str().parse().ok())
    }
}
