//! Rows of the table, and how they are printed.

use std::fmt;
use std::time::Duration;

/// How a figure stands to its target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Met,
    Missed,
    /// It could not be taken here: the figure says why.
    Open,
    /// Only to look at: a peer, or a figure without a target.
    Note,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Met => "met",
            Self::Missed => "**MISSED**",
            Self::Open => "not measured",
            Self::Note => "–",
        })
    }
}

/// One figure.
#[derive(Clone, Debug)]
pub struct Row {
    pub id: &'static str,
    pub what: String,
    pub figure: String,
    pub target: String,
    pub how: String,
    pub verdict: Verdict,
}

impl Row {
    pub fn judged(id: &'static str, what: &str, figure: impl Into<String>, target: &str, how: &str, met: bool) -> Self {
        let verdict = if met { Verdict::Met } else { Verdict::Missed };
        Self {
            id,
            what: what.to_owned(),
            figure: figure.into(),
            target: target.to_owned(),
            how: how.to_owned(),
            verdict,
        }
    }

    pub fn open(id: &'static str, what: &str, why: &str, target: &str) -> Self {
        Self { verdict: Verdict::Open, ..Self::judged(id, what, why, target, "–", true) }
    }

    /// Says so when this was the short run.
    pub fn quick(mut self, mode: super::Mode) -> Self {
        if mode.quick {
            self.how.push_str(" (short run)");
        }
        self
    }

    pub fn note(id: &'static str, what: &str, figure: impl Into<String>, how: &str) -> Self {
        Self { verdict: Verdict::Note, ..Self::judged(id, what, figure, "–", how, true) }
    }
}

pub const HEAD: &str = "| # | what | figure | target | | how |\n|---|---|---|---|---|---|";

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cell = |text: &str| text.replace('|', "\\|").replace('\n', " ");
        write!(
            f,
            "| {} | {} | {} | {} | {} | {} |",
            self.id,
            cell(&self.what),
            cell(&self.figure),
            cell(&self.target),
            self.verdict,
            cell(&self.how)
        )
    }
}

/// Times, sorted, in milliseconds.
pub struct Spread(Vec<f64>);

impl Spread {
    pub fn of(times: &[Duration]) -> Self {
        Self::new(times.iter().map(|t| t.as_secs_f64() * 1000.0).collect())
    }

    pub fn new(mut all: Vec<f64>) -> Self {
        all.sort_by(f64::total_cmp);
        Self(all)
    }

    pub fn at(&self, share: f64) -> f64 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "an index"
        )]
        let index = ((self.0.len() - 1) as f64 * share).round() as usize;
        self.0[index]
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (p50, p90, p99, max) = (self.at(0.5), self.at(0.9), self.at(0.99), self.at(1.0));
        write!(f, "p50 {p50:.2} ms, p90 {p90:.2}, p99 {p99:.2}, max {max:.2} (n={})", self.0.len())
    }
}

/// `10,000`.
pub fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
