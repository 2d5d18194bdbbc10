//! What was read of one version over one window, and the words for when it cannot be had.

use super::super::text::Clean;
use super::Rules;

/// The scrape interval that is assumed where neither configuration nor samples tell: Prometheus' own default.
pub const USUAL_SCRAPE: u32 = 60;

/// Requests in a window. Prometheus extrapolates, so neither number need be whole.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Counts {
    /// Failed requests.
    pub errors: f64,
    /// All requests.
    pub total: f64,
}

impl Counts {
    /// The share that failed, 0 to 1; zero requests have none.
    pub fn rate(&self) -> Option<f64> {
        (self.total > 0.0).then(|| (self.errors / self.total).clamp(0.0, 1.0))
    }
}

/// One version's error rate over one window.
#[derive(Clone, Debug, PartialEq)]
pub enum Reading {
    /// Enough requests, fresh.
    Measured(Counts),
    /// Fewer requests than the minimum: not enough data.
    Thin(Counts),
    /// The series is there, and there were no requests.
    NoTraffic,
    /// No series.
    NoData,
    /// The answer is not a number.
    NotANumber,
    /// The newest sample is older than two scrape intervals: what the window says is past.
    Stale {
        /// Age of the newest sample in seconds; `None` = no sample in the long window.
        age: Option<u32>,
        /// The scrape interval in seconds.
        scrape: u32,
        /// What the window says all the same.
        counts: Option<Counts>,
    },
    /// Prometheus could not be asked.
    Unreachable {
        /// Why.
        why: Clean,
    },
    /// Prometheus refuses the query, or answers with what it should not.
    WrongQuery {
        /// Why.
        why: Clean,
    },
}

impl Reading {
    /// The word, the same on every screen and in JSON.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Measured(_) => "measured",
            Self::Thin(_) => "thin",
            Self::NoTraffic => "no requests",
            Self::NoData => "no data",
            Self::NotANumber => "not a number",
            Self::Stale { .. } => "stale",
            Self::Unreachable { .. } => "unreachable",
            Self::WrongQuery { .. } => "wrong query",
        }
    }

    /// The counts, if they are of now.
    pub const fn counts(&self) -> Option<Counts> {
        match self {
            Self::Measured(counts) | Self::Thin(counts) => Some(*counts),
            _ => None,
        }
    }

    /// The counts, if there are enough of them and they are of now.
    pub const fn measured(&self) -> Option<Counts> {
        match self {
            Self::Measured(counts) => Some(*counts),
            _ => None,
        }
    }

    /// Why there is nothing, where that needs more than the word.
    pub fn why(&self) -> Option<&Clean> {
        match self {
            Self::Unreachable { why } | Self::WrongQuery { why } => Some(why),
            _ => None,
        }
    }
}

/// One number of an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Value {
    /// The answer does not hold it.
    #[default]
    Absent,
    /// One number (which may be no number).
    One(f64),
    /// Several series where one is expected.
    Many(usize),
}

impl Value {
    /// Takes one more number in.
    pub fn add(&mut self, number: f64) {
        *self = match *self {
            Self::Absent => Self::One(number),
            Self::One(_) => Self::Many(2),
            Self::Many(n) => Self::Many(n + 1),
        };
    }

    /// The number, if it is one and only one.
    pub fn finite(self) -> Option<f64> {
        match self {
            Self::One(number) if number.is_finite() => Some(number),
            _ => None,
        }
    }
}

/// What an answer says of one version.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Raw {
    /// Failed requests in the long window.
    pub errors_long: Value,
    /// All requests in the long window.
    pub total_long: Value,
    /// Failed requests in the short window.
    pub errors_short: Value,
    /// All requests in the short window.
    pub total_short: Value,
    /// Time of the newest sample, in seconds.
    pub newest: Value,
    /// The most samples that one of its series has in the long window.
    pub samples: Value,
}

/// How fresh a version's samples are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Freshness {
    /// The window lies in the past: it does not age.
    Past,
    /// It is of now.
    Now {
        /// Age of the newest sample, in seconds.
        age: Option<f64>,
        /// The scrape interval, in seconds.
        scrape: f64,
    },
}

impl Raw {
    /// Age of the newest sample at evaluation time `at`.
    pub fn age(&self, at: f64) -> Option<f64> {
        self.newest.finite().map(|newest| (at - newest).max(0.0))
    }

    /// The scrape interval as the samples lie: those of the longest series fill the window up to its newest one.
    /// Young series make it too long, so the shortest that was ever seen counts, and never more than the usual.
    pub fn scrape(&self, at: f64, rules: &Rules) -> Option<f64> {
        let samples = self.samples.finite().filter(|n| *n >= 2.0)?;
        let covered = f64::from(rules.long) - self.age(at)?;
        (covered > 0.0).then(|| (covered / samples).clamp(1.0, f64::from(USUAL_SCRAPE)))
    }

    /// The readings of the long and the short window.
    pub fn readings(&self, rules: &Rules, fresh: Freshness) -> (Reading, Reading) {
        let long = reading(self.errors_long, self.total_long, rules.minimum, fresh);
        let minimum = rules.minimum_short();
        let short = reading(self.errors_short, self.total_short, minimum, fresh);
        (long, short)
    }
}

fn reading(errors: Value, total: Value, minimum: u64, fresh: Freshness) -> Reading {
    let wrong = |why: String| Reading::WrongQuery { why: Clean::new(&why) };
    let total = match total {
        Value::Absent => {
            return match errors {
                Value::Absent => Reading::NoData,
                _ => wrong("it counts errors, but no requests".to_owned()),
            };
        }
        Value::Many(n) => return wrong(format!("{n} series where one is expected")),
        Value::One(total) => total,
    };
    let errors = match errors {
        // A series that counts errors begins with the first of them; that its label exists is the template's promise.
        Value::Absent => 0.0,
        Value::Many(n) => return wrong(format!("{n} series of errors where one is expected")),
        Value::One(errors) => errors,
    };
    if !total.is_finite() || !errors.is_finite() {
        return Reading::NotANumber;
    }
    if total < 0.0 || errors < 0.0 {
        return wrong("a count below zero".to_owned());
    }
    if errors > total * 1.05 + 1.0 {
        return wrong("it counts more errors than requests".to_owned());
    }
    let counts = Counts { errors, total };
    if let Freshness::Now { age, scrape } = fresh
        && age.is_none_or(|age| age > 2.0 * scrape)
    {
        let counts = (total > 0.0).then_some(counts);
        return Reading::Stale { age: age.map(whole), scrape: whole(scrape), counts };
    }
    if total == 0.0 {
        return Reading::NoTraffic;
    }
    #[expect(clippy::cast_precision_loss, reason = "a minimum of more than 2^52 requests means nothing")]
    let minimum = minimum as f64;
    if total < minimum { Reading::Thin(counts) } else { Reading::Measured(counts) }
}

/// Whole seconds.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
pub fn whole(seconds: f64) -> u32 {
    if seconds.is_finite() { seconds.round().clamp(0.0, f64::from(u32::MAX)) as u32 } else { 0 }
}
