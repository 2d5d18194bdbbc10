//! How long the links to an API server wait: for a sign of life, for an answer, before the next try.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::time::Duration;

use super::call::CallError;

/// How long the links to an API server wait for what.
#[derive(Clone, Copy, Debug)]
pub struct Timings {
    /// Nothing heard for this long, bookmarks included: stale. The API server sends a bookmark about every minute.
    pub silence: Duration,
    /// How long one page of a list may take.
    pub list: Duration,
    /// The first wait after a failure; doubles.
    pub shortest: Duration,
    /// The longest wait after a failure.
    pub longest: Duration,
    /// The wait after a refusal (no right, no such resource).
    pub denied: Duration,
    /// How long the server is asked to keep a watch open.
    pub watch: Duration,
    /// How often the focused object is read.
    pub focus_every: Duration,
    /// How long that read may take.
    pub focus_read: Duration,
    /// The focused object was not heard of for this long: stale.
    pub focus_silence: Duration,
    /// How often it is looked whether other namespaces may be listed, where not all may be.
    pub rediscover: Duration,
    /// How often permission reviews are asked for while a target is focused.
    pub review: Duration,
}

impl Default for Timings {
    fn default() -> Self {
        Self {
            silence: Duration::from_secs(75),
            list: Duration::from_secs(30),
            shortest: Duration::from_millis(500),
            longest: Duration::from_secs(30),
            denied: Duration::from_secs(30),
            watch: Duration::from_secs(290),
            focus_every: Duration::from_secs(4),
            focus_read: Duration::from_secs(5),
            focus_silence: Duration::from_secs(10),
            rediscover: Duration::from_mins(5),
            review: Duration::from_mins(5),
        }
    }
}

impl Timings {
    /// How long to wait after the `tries`th failure in a row.
    pub fn wait(&self, error: &CallError, tries: u32) -> Duration {
        if let CallError::Status { retry_after: Some(asked), .. } = error {
            return (*asked).clamp(self.shortest, self.longest);
        }
        if matches!(error.code(), Some(401 | 403 | 404)) || matches!(error, CallError::NoLogin { .. }) {
            return self.denied;
        }
        let doubled = self.shortest.saturating_mul(1 << tries.saturating_sub(1).min(16)).min(self.longest);
        // Between half and all of it, so that many clients do not come back at once.
        let share = RandomState::new().hash_one(tries) % 512;
        doubled / 2 + doubled.mul_f64(f64::from(u32::try_from(share).unwrap_or(0)) / 1024.0)
    }
}
