//! Error rates: what was measured, how old it is, and what may be concluded from it.
//!
//! No data is not zero. Every way in which a number can be missing has its own word ([`Reading`]), and only numbers
//! that bear it lead to *fine* ([`verdict`](verdict::verdict)).

pub mod interest;
pub mod reading;
pub mod text;
pub mod verdict;

use jiff::Timestamp;

use super::rollout::Rollout;
use super::text::Clean;

pub use reading::{Counts, Raw, Reading, Value};
pub use verdict::Verdict;

/// How many past values are kept of a side.
pub const KEPT: usize = 30;

/// Which version a side is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// The version that is being released.
    New,
    /// The stable version beside it.
    Stable,
    /// The one version there is.
    Now,
    /// The version before, in the window before the new one came.
    Before,
}

impl Role {
    /// The word on the screen.
    pub const fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Stable => "stable",
            Self::Now => "now",
            Self::Before => "before",
        }
    }
}

/// What a reading is judged by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rules {
    /// The share of requests that may fail, 0 to 1.
    pub limit: f64,
    /// Below so many requests in the long window there is not enough data.
    pub minimum: u64,
    /// The long window, in seconds.
    pub long: u32,
    /// The short window, in seconds.
    pub short: u32,
}

impl Default for Rules {
    /// 5 %, 100 requests, 5 minutes and 1 minute.
    fn default() -> Self {
        Self { limit: 0.05, minimum: 100, long: 300, short: 60 }
    }
}

impl Rules {
    /// The minimum of the short window: the same density of requests, and never below 20.
    pub fn minimum_short(&self) -> u64 {
        let scaled = self.minimum.saturating_mul(u64::from(self.short)) / u64::from(self.long.max(1));
        scaled.max(20).min(self.minimum)
    }
}

/// The latest counts that were good, kept for when there are none.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Last {
    /// When they were read.
    pub at: Timestamp,
    /// The counts over the long window.
    pub counts: Counts,
}

/// One version's error rate.
#[derive(Clone, Debug, PartialEq)]
pub struct Side {
    /// Which version.
    pub role: Role,
    /// Its pod-template hash: what is shown under another hash is of another version.
    pub pod_hash: Clean,
    /// Over the long window.
    pub long: Reading,
    /// Over the short window.
    pub short: Reading,
    /// Age of its newest sample when it was read, in seconds, by Prometheus' own clock; `None` = no sample, or a
    /// window in the past.
    pub age: Option<u32>,
    /// The rates of the long window so far (0 to 1), oldest first, at most [`KEPT`]; `None` = there was none.
    pub history: Vec<Option<f32>>,
    /// The latest good counts.
    pub last: Option<Last>,
}

/// A target's error rates, read at one evaluation time.
#[derive(Clone, Debug, PartialEq)]
pub struct Signals {
    /// When they were read, by our clock.
    pub at: Timestamp,
    /// How soon they are read again, in seconds.
    pub every: u32,
    /// What they are judged by.
    pub rules: Rules,
    /// The name of the query template that gives data here; `None` = none does.
    pub template: Option<Clean>,
    /// The version in question: the new one, or the only one.
    pub subject: Side,
    /// What it is compared with.
    pub reference: Option<Side>,
    /// How often the series is scraped, in seconds: configured, or as its samples lie.
    pub scrape: Option<u32>,
    /// What may be concluded about the subject.
    pub verdict: Verdict,
    /// Since when the subject is over its limit, reading after reading.
    pub over_since: Option<Timestamp>,
    /// Whether it began then; else it was over when it was first looked at, and may have begun long before.
    pub over_began: bool,
    /// When the subject was last over its limit for certain, where it was not measured fine since: here, or in the past
    /// hour as Prometheus tells it.
    pub was_over: Option<Timestamp>,
    /// Whether that hour could be read; `None` = it was not asked for yet.
    pub looked_back: Option<bool>,
    /// What Prometheus warned of.
    pub notes: Vec<Clean>,
}

impl Signals {
    /// Whether the subject is the version that `rollout` is about now.
    pub fn is_about(&self, rollout: &Rollout) -> bool {
        self.subject.pod_hash == rollout.pod_hash
    }

    /// Age of the subject's newest sample at `now`, in seconds.
    pub fn age(&self, now: Timestamp) -> Option<i64> {
        let since = now.as_second().saturating_sub(self.at.as_second()).max(0);
        self.subject.age.map(|age| since.saturating_add(i64::from(age)))
    }

    /// Whether nothing was read for three times as long as it should take: what is shown is old.
    pub fn is_old(&self, now: Timestamp) -> bool {
        now.as_second().saturating_sub(self.at.as_second()) > 3 * i64::from(self.every)
    }
}

#[cfg(test)]
mod tests;
