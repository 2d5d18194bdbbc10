//! Error rates as people read them, the same on every screen.

use super::reading::{Counts, Reading};
use super::verdict::{Verdict, wilson};
use super::{Rules, Side, Signals};
use crate::domain::steps::Span;

/// `7.31 %`, `0.42 %`, `100 %`.
pub fn percent(share: f64) -> String {
    let hundredths = (share * 10_000.0).round();
    // What is not zero is not written as zero.
    if share > 0.0 && hundredths == 0.0 {
        return "<0.01 %".to_owned();
    }
    if hundredths >= 10_000.0 { "100 %".to_owned() } else { format!("{:.2} %", hundredths / 100.0) }
}

/// `5 %`, `0.5 %`: a limit as it was configured.
pub fn limit(share: f64) -> String {
    let text = format!("{:.2}", share * 100.0);
    format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
}

/// `12,480`. A number that is not zero does not round to it.
pub fn count(number: f64) -> String {
    if !number.is_finite() {
        return "?".to_owned();
    }
    if number > 0.0 && number < 0.5 {
        return "<1".to_owned();
    }
    let digits = format!("{:.0}", number.max(0.0));
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `912 of 12,480`.
pub fn counts(counts: Counts) -> String {
    format!("{} of {}", count(counts.errors), count(counts.total))
}

impl Reading {
    /// For a narrow column: `7.31 %`, or a dash and the reason: `– no requests`, `– stale 40s`, `– thin (12)`.
    pub fn cell(&self) -> String {
        match self {
            Self::Measured(counts) => counts.rate().map_or_else(|| "– no requests".to_owned(), percent),
            Self::Thin(counts) => format!("– thin ({})", count(counts.total)),
            Self::Stale { age: Some(age), .. } => format!("– stale {}", Span(i64::from(*age))),
            other => format!("– {}", other.word()),
        }
    }

    /// In full: `7.31 %, 912 of 12,480`, or what is missing and why.
    pub fn sentence(&self, rules: &Rules) -> String {
        match self {
            Self::Measured(c) => format!("{}, {}", self.cell(), counts(*c)),
            Self::Thin(c) => format!("thin: {}, not enough data (needs {})", counts(*c), rules.minimum),
            Self::NoTraffic => "no requests: its series are there, and count none".to_owned(),
            Self::NoData => "no data: no series matches".to_owned(),
            Self::NotANumber => "the answer is not a number".to_owned(),
            Self::Stale { age, scrape, counts: was } => {
                let age = age
                    .map_or_else(|| "no sample left".to_owned(), |a| format!("newest sample {} old", Span(a.into())));
                let was = was.map(|c| format!("; was {}", counts(c))).unwrap_or_default();
                format!("stale: {age}, scraped every {}{was}", Span(i64::from(*scrape)))
            }
            Self::Unreachable { why } => format!("unreachable: {why}"),
            Self::WrongQuery { why } => format!("wrong query: {why}"),
        }
    }
}

impl Signals {
    /// For a narrow column: the subject's rate over the long window.
    pub fn cell(&self) -> String {
        self.subject.long.cell()
    }

    /// Both sides in a line: `new 7.31 % of 418, stable 0.12 % of 8,713`. `was`: nobody is sent to the subject any more.
    pub fn sides(&self, was: bool) -> String {
        let one = |side: &Side| match side.long.measured() {
            Some(c) => format!("{} of {}", side.long.cell(), count(c.total)),
            None => side.long.cell(),
        };
        let was = if was && self.subject.long.measured().is_some() { " was" } else { "" };
        let subject = format!("{}{was} {}", self.subject.role.word(), one(&self.subject));
        match &self.reference {
            Some(reference) => format!("{subject}, {} {}", reference.role.word(), one(reference)),
            None => subject,
        }
    }

    /// `fine (99 % sure below 5 %)`, `over its limit of 5 %`, `not enough data`.
    pub fn verdict_text(&self) -> String {
        let limit = limit(self.rules.limit);
        match self.verdict {
            Verdict::Fine => format!("fine (99 % sure below {limit})"),
            Verdict::Over => format!("over its limit of {limit}"),
            Verdict::Suspect => format!("maybe over its limit of {limit}"),
            Verdict::NotEnoughData => "not enough data".to_owned(),
        }
    }

    /// `99 % sure above 8.6 %`, where the long window is: how far from chance it is.
    pub fn sure_above(&self) -> Option<String> {
        let (lower, _) = self.subject.long.measured().and_then(wilson)?;
        (self.verdict == Verdict::Over && lower > self.rules.limit)
            .then(|| format!("99 % sure above {}", percent(lower)))
    }

    /// The word before how long it is over its limit: since it began, or only since it was seen.
    pub const fn lasting(&self) -> &'static str {
        if self.over_began { "for" } else { "seen for" }
    }

    /// The verdict, or what it was where nobody is sent to the version any more; `gone` is for how long.
    pub fn verdict_of_then(&self, gone: Option<&str>) -> String {
        match gone {
            // Its last minute is empty by now; the last certain word stands.
            Some(gone) if self.was_over.is_some() => {
                format!("was over its limit of {}, no traffic for {gone}", limit(self.rules.limit))
            }
            Some(gone) => match self.verdict {
                Verdict::NotEnoughData => format!("not enough data, no traffic for {gone}"),
                _ => format!("was {}, no traffic for {gone}", self.verdict_text()),
            },
            None => self.verdict_text(),
        }
    }
}

/// The eight heights of a sparkline.
pub const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// The same in ASCII.
pub const ASCII_BARS: [char; 8] = ['_', '.', '.', '-', '-', '=', '=', '#'];

impl Side {
    /// The last `width` values as heights 0 to 7; `None` = there was no value. The limit lies in the middle unless a
    /// value is more than twice as high.
    pub fn heights(&self, width: usize, limit: f64) -> Vec<Option<usize>> {
        let shown = &self.history[self.history.len().saturating_sub(width)..];
        let most = shown.iter().flatten().fold(limit * 2.0, |most, v| most.max(f64::from(*v)));
        shown.iter().map(|value| value.map(|v| height(f64::from(v), most))).collect()
    }

    /// A sparkline of the last `width` values; what is missing is a space.
    pub fn sparkline(&self, width: usize, limit: f64, ascii: bool) -> String {
        let bars = if ascii { &ASCII_BARS } else { &BARS };
        self.heights(width, limit).into_iter().map(|h| h.map_or(' ', |h| bars[h])).collect()
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0..=7")]
fn height(value: f64, most: f64) -> usize {
    if most > 0.0 { (value / most * 7.999).clamp(0.0, 7.0) as usize } else { 0 }
}
