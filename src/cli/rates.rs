//! Error rates, for people and for scripts. What is missing is named, never written as a number.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::domain::link::LinkState;
use crate::domain::signal::text::{counts, limit};
use crate::domain::signal::verdict::wilson;
use crate::domain::signal::{Counts, Reading, Side, Signals, Verdict};
use crate::domain::steps::Span;
use crate::model::{Target, World, query};

/// A target's error rates.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ErrorsDto {
    /// `read`, or why the rest is missing or not of now: `not configured`, `not read yet`, `unreachable`,
    /// `of another version`, `old`.
    state: &'static str,
    #[serde(flatten)]
    read: Option<ReadDto>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ReadDto {
    at: String,
    /// The query template that gives data; absent: none does.
    #[serde(skip_serializing_if = "Option::is_none")]
    template: Option<String>,
    /// A share, 0 to 1.
    limit: f64,
    minimum: u64,
    long_seconds: u32,
    short_seconds: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    scrape_seconds: Option<u32>,
    verdict: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    over_since: Option<String>,
    /// Whether it began at `overSince`; false = it was over when it was first looked at, and may have begun before.
    #[serde(skip_serializing_if = "Option::is_none")]
    over_began: Option<bool>,
    /// When it was last over its limit for certain, where it was not measured fine since; looked for in the past hour.
    #[serde(skip_serializing_if = "Option::is_none")]
    was_over: Option<String>,
    subject: SideDto,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<SideDto>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<String>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct SideDto {
    role: &'static str,
    pod_hash: String,
    long: ReadingDto,
    short: ReadingDto,
    /// Age of the newest sample when it was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    age_seconds: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last: Option<LastDto>,
}

#[derive(Serialize, JsonSchema)]
struct LastDto {
    at: String,
    #[serde(flatten)]
    counts: CountsDto,
}

#[derive(Serialize, JsonSchema)]
struct ReadingDto {
    word: &'static str,
    #[serde(flatten)]
    counts: Option<CountsDto>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct CountsDto {
    /// A share, 0 to 1; absent where there were no requests.
    #[serde(skip_serializing_if = "Option::is_none")]
    rate: Option<f64>,
    errors: f64,
    total: f64,
    /// The bounds between which the true share lies with 99 % certainty (Wilson score interval).
    #[serde(skip_serializing_if = "Option::is_none")]
    at_least: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    at_most: Option<f64>,
}

impl From<Counts> for CountsDto {
    fn from(counts: Counts) -> Self {
        // Prometheus extrapolates; more than two digits of that say nothing.
        let round = |number: f64| (number * 100.0).round() / 100.0;
        let (at_least, at_most) = wilson(counts).unzip();
        Self { rate: counts.rate(), errors: round(counts.errors), total: round(counts.total), at_least, at_most }
    }
}

impl From<&Reading> for ReadingDto {
    fn from(reading: &Reading) -> Self {
        // Counts that are stale are in `last`, not here.
        Self {
            word: reading.word(),
            counts: reading.counts().map(Into::into),
            why: reading.why().map(ToString::to_string),
        }
    }
}

impl From<&Side> for SideDto {
    fn from(side: &Side) -> Self {
        Self {
            role: side.role.word(),
            pod_hash: side.pod_hash.to_string(),
            long: (&side.long).into(),
            short: (&side.short).into(),
            age_seconds: side.age,
            last: side.last.map(|last| LastDto { at: last.at.to_string(), counts: last.counts.into() }),
        }
    }
}

impl From<&Signals> for ReadDto {
    fn from(signals: &Signals) -> Self {
        Self {
            at: signals.at.to_string(),
            template: signals.template.as_ref().map(ToString::to_string),
            limit: signals.rules.limit,
            minimum: signals.rules.minimum,
            long_seconds: signals.rules.long,
            short_seconds: signals.rules.short,
            scrape_seconds: signals.scrape,
            verdict: signals.verdict.word(),
            over_since: signals.over_since.map(|t| t.to_string()),
            over_began: signals.over_since.map(|_| signals.over_began),
            was_over: signals.was_over.map(|t| t.to_string()),
            subject: (&signals.subject).into(),
            reference: signals.reference.as_ref().map(Into::into),
            notes: signals.notes.iter().map(ToString::to_string).collect(),
        }
    }
}

pub(super) fn dto(world: &World, target: &Target) -> ErrorsDto {
    let state = query::signals(world, target, Timestamp::now()).err().unwrap_or("read");
    ErrorsDto { state, read: target.signals.as_deref().map(Into::into) }
}

/// For the board: `7.31 % over, 3s`, `– no requests`, `– not configured`.
pub(super) fn cell(world: &World, target: &Target, now: Timestamp) -> String {
    let signals = match query::signals(world, target, now) {
        Ok(signals) => signals,
        Err(why) => return format!("– {why}"),
    };
    let mut cell = signals.cell();
    if signals.subject.long.measured().is_some() && query::without_traffic_since(world, target).is_some() {
        return format!("was {cell}");
    }
    if signals.subject.long.measured().is_some() {
        cell.push_str(match signals.verdict {
            Verdict::Over => " over",
            Verdict::Suspect => " maybe over",
            Verdict::NotEnoughData => " not sure",
            Verdict::Fine => " fine",
        });
    }
    match signals.age(now) {
        Some(age) if signals.subject.long.counts().is_some() => format!("{cell}, {}", Span(age)),
        _ => cell,
    }
}

/// What must change for a watching script to be told: the words, not each new number.
pub(super) fn key(world: &World, target: &Target) -> String {
    let Some(signals) = &target.signals else { return String::new() };
    let side = |side: &Side| format!("{} {}", side.long.word(), side.short.word());
    let state = query::signals(world, target, signals.at).err().unwrap_or("read");
    let reference = signals.reference.as_ref().map(side).unwrap_or_default();
    format!("{state} {} {} {reference}", signals.verdict.word(), side(&signals.subject))
}

/// The rows of one target's page.
pub(super) fn rows(world: &World, target: &Target, now: Timestamp) -> Vec<Vec<String>> {
    let row = |name: &str, text: String| vec![name.to_owned(), text];
    let (signals, doubt) = match (query::signals(world, target, now), target.signals.as_deref()) {
        (Ok(signals), _) => (signals, String::new()),
        (Err(why), Some(signals)) => (signals, format!(" [{why}, read {} ago]", ago(signals, now))),
        (Err(why), None) => {
            // The link knows more than the word.
            let more = match query::signal_link(world, target).map(|link| &link.state) {
                Some(LinkState::Backoff { why, .. } | LinkState::Denied { why }) => format!(": {why}"),
                _ => String::new(),
            };
            return vec![row("Errors:", format!("{why}{more}"))];
        }
    };
    // What stands in the window is how it was, once nobody is sent there any more.
    let gone = query::without_traffic_since(world, target);
    let mut rows = vec![row("Errors:", format!("{}{doubt}", side(&signals.subject, signals, gone.is_some(), now)))];
    if let Some(reference) = &signals.reference {
        rows.push(row("", side(reference, signals, false, now)));
    }
    let long = Span(i64::from(signals.rules.long));
    let template = signals.template.as_ref().map_or_else(|| "no template".to_owned(), ToString::to_string);
    let verdict = signals.verdict_of_then(gone.map(|since| super::show::ago(since, now)).as_deref());
    let sure = signals.sure_above().filter(|_| gone.is_none()).map_or_else(String::new, |sure| format!(" ({sure})"));
    rows.push(row("", format!("{verdict}{sure}; limit {}, over {long}, {template}", limit(signals.rules.limit))));
    rows.extend(signals.notes.iter().map(|note| row("", format!("Prometheus warns: {note}"))));
    rows
}

/// Beside an act: `errors  new 12.35 % of 418, stable 0.12 % of 8,713: over its limit of 5 %`. `None` = not configured.
pub(super) fn beside(world: &World, target: &Target, now: Timestamp) -> Option<String> {
    let signals = match query::signals(world, target, now) {
        Ok(signals) => signals,
        Err("not configured") => return None,
        Err(why) => return Some(format!("errors  – {why}: not known")),
    };
    let gone = query::without_traffic_since(world, target);
    let verdict = signals.verdict_of_then(gone.map(|since| super::show::ago(since, now)).as_deref());
    Some(format!("errors  {}: {verdict}", signals.sides(gone.is_some())))
}

fn ago(signals: &Signals, now: Timestamp) -> String {
    super::show::ago(signals.at, now)
}

fn side(side: &Side, signals: &Signals, gone: bool, now: Timestamp) -> String {
    let was = if gone && side.long.measured().is_some() { " was" } else { "" };
    let mut text = format!("{}{was} {}", side.role.word(), side.long.sentence(&signals.rules));
    if side.long.counts().is_some() {
        let short = Span(i64::from(signals.rules.short));
        text = format!("{text}; last {short} {}", side.short.cell());
    } else if let Some(last) = &side.last {
        let rate = last.counts.rate().map(crate::domain::signal::text::percent).unwrap_or_default();
        text = format!("{text}; was {rate}, {}, {} ago", counts(last.counts), super::show::ago(last.at, now));
    }
    if let Some(age) = side.age {
        let since = now.as_second().saturating_sub(signals.at.as_second()).max(0);
        text = format!("{text}, age {}", Span(since + i64::from(age)));
    }
    text
}
