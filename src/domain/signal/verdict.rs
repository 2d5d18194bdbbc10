//! What may be concluded from the counts of two windows.

use super::reading::{Counts, Reading};
use super::{Rules, Side};

/// The normal quantile of 99 % certainty (both ends), by which the Wilson bounds are drawn.
const Z: f64 = 2.575_829;

/// What the short window alone must be sure of, in standard deviations (about 99.997 %, both ends). It is looked at thousands
/// of times a day, so that less would raise false alarms: with 99.95 % they were 7 in 10,000 rollouts a day (R8 of
/// `tests/bench` counts them), where 15 of 100 requests must fail now, and 13 had to then.
const Z_ALONE: f64 = 4.2;

/// Below so many errors nothing is certain, whatever the share.
const FEWEST: f64 = 5.0;

/// At this share a short look is enough: half of all requests fail.
const FLAGRANT: f64 = 0.5;

/// What may be concluded about a version. Only [`Verdict::Fine`] is good news.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// Over its limit, beyond reasonable doubt.
    Over,
    /// A window is over the limit, but it may be chance, or over already.
    Suspect,
    /// Nothing can be concluded: too few requests, or no fresh numbers.
    NotEnoughData,
    /// Below its limit, beyond reasonable doubt.
    Fine,
}

impl Verdict {
    /// The word, the same on every screen and in JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Over => "over its limit",
            Self::Suspect => "maybe over",
            Self::NotEnoughData => "not enough data",
            Self::Fine => "fine",
        }
    }
}

/// The bounds between which the true share lies with 99 % certainty (Wilson score interval).
pub fn wilson(counts: Counts) -> Option<(f64, f64)> {
    bounds(counts, Z)
}

fn bounds(counts: Counts, z: f64) -> Option<(f64, f64)> {
    let rate = counts.rate()?;
    let n = counts.total;
    let z2 = z * z;
    let middle = rate + z2 / (2.0 * n);
    let spread = z * (rate * (1.0 - rate) / n + z2 / (4.0 * n * n)).sqrt();
    let scale = 1.0 + z2 / n;
    Some((((middle - spread) / scale).max(0.0), ((middle + spread) / scale).min(1.0)))
}

/// The verdict on one version: pure, from its two windows.
pub fn verdict(long: &Reading, short: &Reading, rules: &Rules) -> Verdict {
    let over = |reading: &Reading| reading.counts().and_then(|c| c.rate()).is_some_and(|rate| rate > rules.limit);
    if certain(long, short, rules) || sudden(long, short, rules) || flagrant(long, short, rules) {
        return Verdict::Over;
    }
    let (Some(wide), Some(near)) = (long.measured(), short.measured()) else {
        // Thin numbers convict nobody, and acquit nobody.
        let measured_over = long.measured().is_some() && over(long) || short.measured().is_some() && over(short);
        return if measured_over { Verdict::Suspect } else { Verdict::NotEnoughData };
    };
    if over(long) || over(short) {
        return Verdict::Suspect;
    }
    let sure = wilson(wide).is_some_and(|(_, upper)| upper <= rules.limit);
    if sure && near.rate().is_some() { Verdict::Fine } else { Verdict::NotEnoughData }
}

/// What counts of the long window alone prove of a time that is past: over the limit, or fine, beyond doubt; else nothing.
/// What is past lasts no more, so no other window need agree.
pub fn proven(counts: Counts, rules: &Rules) -> Option<Verdict> {
    #[expect(clippy::cast_precision_loss, reason = "a number of requests")]
    let (lower, upper) = wilson(counts).filter(|_| counts.total >= rules.minimum as f64)?;
    if lower > rules.limit && counts.errors >= FEWEST {
        Some(Verdict::Over)
    } else {
        (upper <= rules.limit).then_some(Verdict::Fine)
    }
}

/// Enough errors in the long window that its lower bound is over the limit, and the short window agrees: it lasts.
fn certain(long: &Reading, short: &Reading, rules: &Rules) -> bool {
    let Some(wide) = long.measured().filter(|counts| counts.errors >= FEWEST) else { return false };
    let lasts = short.measured().and_then(|c| c.rate()).is_some_and(|rate| rate > rules.limit);
    lasts && wilson(wide).is_some_and(|(lower, _)| lower > rules.limit)
}

/// The short window alone is surer than both together need be: what begins to fail is not hidden for minutes by the
/// good requests before it.
fn sudden(long: &Reading, short: &Reading, rules: &Rules) -> bool {
    // Where the long window is no number, nothing is certain.
    let near = short.measured().filter(|counts| counts.errors >= FEWEST && long.counts().is_some());
    near.and_then(|counts| bounds(counts, Z_ALONE)).is_some_and(|(lower, _)| lower > rules.limit)
}

/// More than half of the last minute's requests failed, and they are enough for the short window.
fn flagrant(long: &Reading, short: &Reading, rules: &Rules) -> bool {
    let half = short.measured().and_then(|c| c.rate()).is_some_and(|rate| rate > FLAGRANT.max(rules.limit));
    half && long.counts().and_then(|c| c.rate()).is_some_and(|rate| rate > rules.limit)
}

/// The verdict on a side.
pub fn of_side(side: &Side, rules: &Rules) -> Verdict {
    verdict(&side.long, &side.short, rules)
}
