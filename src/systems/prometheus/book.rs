//! What is known of each wanted target: which template fits it, what was read so far, what is asked next.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use crate::config::prometheus::PrometheusSection;
use crate::domain::ids::TargetId;
use crate::domain::signal::interest::{Pace, Question, Wanted};
use crate::domain::signal::reading::{Freshness, USUAL_SCRAPE, whole};
use crate::domain::signal::verdict::{proven, verdict};
use crate::domain::signal::{Counts, KEPT, Last, Raw, Reading, Role, Rules, Side, Signals, Verdict};
use crate::domain::text::Clean;

use super::query::Range;

/// Values closer together than this share one place in the history.
pub(super) const STEP: Duration = Duration::from_secs(10);

/// What was read of one version so far.
#[derive(Clone, Debug, Default)]
struct Track {
    history: Vec<Option<f32>>,
    pushed: Option<Timestamp>,
    last: Option<Last>,
}

impl Track {
    /// What was before the first reading.
    fn begin(&mut self, mut before: Vec<Option<f32>>) {
        if self.history.len() > 2 {
            return;
        }
        let known = std::mem::take(&mut self.history);
        while before.first().is_some_and(Option::is_none) {
            before.remove(0);
        }
        before.extend(known);
        before.drain(..before.len().saturating_sub(KEPT));
        self.history = before;
    }

    fn take(&mut self, reading: &Reading, at: Timestamp) {
        let counts = reading.counts().filter(|c| c.rate().is_some());
        if let Some(counts) = counts {
            self.last = Some(Last { at, counts });
        }
        #[expect(clippy::cast_possible_truncation, reason = "a share between 0 and 1, to be drawn")]
        let value = counts.and_then(|c| c.rate()).map(|rate| rate as f32);
        if self.pushed.is_some_and(|pushed| at.duration_since(pushed).unsigned_abs() < STEP) {
            self.history.pop();
        } else {
            self.pushed = Some(at);
        }
        self.history.push(value);
        if self.history.len() > KEPT {
            self.history.remove(0);
        }
    }
}

/// Since when a version is over its limit.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Over {
    since: Timestamp,
    /// Whether it was seen to begin.
    began: bool,
}

impl Over {
    /// As the past says that ends where `self` was first seen. `over_now` = the long window itself is over the limit.
    fn before(self, past: &[Option<f32>], range: Range, limit: f64, over_now: bool) -> Self {
        let over = |value: &Option<f32>| value.is_some_and(|rate| f64::from(rate) > limit);
        let run = past.iter().rev().take_while(|value| over(value)).count();
        let first = past.len() - run;
        // What was measured before, and was not over: there it began. A gap, or the end of what was asked, hides it.
        let began = first.checked_sub(1).is_some_and(|before| past[before].is_some());
        match range.at(first).filter(|_| run > 0) {
            Some(since) => Self { since: since.min(self.since), began },
            // The short window convicts before the long one: since when is not in the past of the long one.
            None => Self { began: began && over_now, ..self },
        }
    }
}

/// Where the search for a template stands.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Search {
    /// All that apply are asked at once.
    All,
    /// One after the other, because one of them is broken: the place in the list, and what was wrong so far.
    OneByOne { at: usize, wrong: Option<Clean> },
    /// Found.
    Pinned { template: usize, empty_since: Option<Instant> },
}

/// One wanted target.
#[derive(Debug)]
pub(super) struct Entry {
    pub wanted: Wanted,
    pub due: Instant,
    pub in_flight: bool,
    /// Asked by itself, because its query spoilt that of others.
    pub alone: bool,
    pub search: Search,
    /// Whether the past of its version is to be read.
    pub past: bool,
    /// Whether it could be.
    past_known: bool,
    pub rules: Rules,
    tracks: BTreeMap<Clean, Track>,
    over: Option<Over>,
    /// When the version was last over its limit for certain, if it was not well since.
    was_over: Option<Timestamp>,
    scrape: Option<u32>,
    /// What was said last.
    pub said: Option<Signals>,
}

/// What a reading rests on beside the raw numbers.
pub(super) struct Read<'a> {
    pub at: Timestamp,
    /// Prometheus' evaluation time.
    pub evaluated: Option<f64>,
    pub every: u32,
    pub template: Option<&'a str>,
    pub notes: Vec<Clean>,
}

impl Entry {
    pub(super) fn new(id: &TargetId, wanted: Wanted, section: &PrometheusSection, due: Instant) -> Self {
        Self {
            wanted,
            due,
            in_flight: false,
            alone: false,
            search: Search::All,
            past: true,
            past_known: false,
            rules: section.rules(&id.to_string()),
            tracks: BTreeMap::new(),
            over: None,
            was_over: None,
            scrape: section.scrape_interval.map(|length| length.0),
            said: None,
        }
    }

    /// Whether the past of its version is still to be read: for what is looked at, and for what is over since nobody knows
    /// when.
    pub(super) fn wants_past(&self) -> bool {
        self.past && (self.wanted.pace != Pace::Idle || self.over.is_some_and(|over| !over.began))
    }

    /// It is judged by other rules from the next reading on, and so is its past.
    pub(super) fn judge(&mut self, rules: Rules) {
        self.rules = rules;
        (self.was_over, self.past) = (None, true);
    }

    /// The target is wanted differently from now on; true when it is about other versions.
    pub(super) fn want(&mut self, wanted: Wanted) -> bool {
        let other = self.wanted.subject != wanted.subject || self.wanted.reference != wanted.reference;
        if self.wanted.subject.pod_hash != wanted.subject.pod_hash {
            (self.over, self.was_over, self.past) = (None, None, true);
        }
        self.wanted = wanted;
        let (subject, reference) = (&self.wanted.subject.pod_hash, self.wanted.reference.as_ref().map(|r| &r.pod_hash));
        self.tracks.retain(|hash, _| hash == subject || Some(hash) == reference);
        other
    }

    /// The signals that the raw numbers of the asked versions make.
    pub(super) fn measured(
        &mut self,
        asked: &Wanted,
        subject: &Raw,
        reference: Option<&Raw>,
        read: Read<'_>,
        configured: bool,
    ) -> Signals {
        let evaluated = read.evaluated.unwrap_or_default();
        if !configured {
            // The shortest that was ever seen: a young or a dying series looks as if it were scraped less often.
            for raw in [Some(subject), reference].into_iter().flatten() {
                if let Some(seen) = raw.scrape(evaluated, &self.rules).map(whole) {
                    self.scrape = Some(self.scrape.map_or(seen, |known| known.min(seen)).max(1));
                }
            }
        }
        let subject = self.side(&asked.subject, subject, evaluated, read.at);
        let reference = match (&asked.reference, reference) {
            (Some(question), Some(raw)) => Some(self.side(question, raw, evaluated, read.at)),
            _ => None,
        };
        self.signals(subject, reference, read)
    }

    /// The signals when nothing could be measured, for one and the same reason on all sides.
    pub(super) fn blind(&mut self, asked: &Wanted, reading: &Reading, read: Read<'_>) -> Signals {
        let subject = self.blind_side(&asked.subject, reading, read.at);
        let reference = asked.reference.as_ref().map(|question| self.blind_side(question, reading, read.at));
        self.signals(subject, reference, read)
    }

    /// The signals said last, with what was before them; `None` = that could not be read.
    pub(super) fn begin(&mut self, before: Option<&[Option<Counts>]>, range: Range) -> Option<Signals> {
        (self.past, self.past_known) = (false, before.is_some());
        let before = before.unwrap_or_default();
        let said = self.said.as_mut()?;
        let track = self.tracks.get_mut(&said.subject.pod_hash)?;
        let proven = |counts: &Option<Counts>| counts.and_then(|counts| proven(counts, &self.rules));
        // The last word that is certain: what was well since counts no longer.
        let last = before.iter().enumerate().rev().find_map(|(nth, counts)| Some((nth, proven(counts)?)));
        if let (Some((nth, Verdict::Over)), false) = (last, said.verdict == Verdict::Fine) {
            self.was_over = self.was_over.max(range.at(nth));
        }
        (said.was_over, said.looked_back) = (self.was_over, Some(self.past_known));
        #[expect(clippy::cast_possible_truncation, reason = "a share between 0 and 1, to be drawn")]
        let before: Vec<Option<f32>> =
            before.iter().map(|counts| counts.and_then(|c| c.rate()).map(|rate| rate as f32)).collect();
        if let Some(over) = self.over.as_mut().filter(|over| !over.began) {
            let limit = self.rules.limit;
            let rate = said.subject.long.counts().and_then(|c| c.rate());
            *over = over.before(&before, range, limit, rate.is_some_and(|rate| rate > limit));
            (said.over_since, said.over_began) = (Some(over.since), over.began);
        }
        track.begin(before);
        said.subject.history.clone_from(&track.history);
        Some(said.clone())
    }

    fn signals(&mut self, subject: Side, reference: Option<Side>, read: Read<'_>) -> Signals {
        let verdict = verdict(&subject.long, &subject.short, &self.rules);
        // Only who saw it before by the same limit saw it begin.
        let known = self.said.as_ref().filter(|s| s.subject.pod_hash == subject.pod_hash && s.rules == self.rules);
        let began = known.is_some_and(|said| said.subject.long.counts().is_some());
        let lasts = self.over.filter(|_| known.is_some());
        self.over = (verdict == Verdict::Over).then(|| lasts.unwrap_or(Over { since: read.at, began }));
        match verdict {
            Verdict::Over => self.was_over = Some(read.at),
            Verdict::Fine => self.was_over = None,
            Verdict::Suspect | Verdict::NotEnoughData => {}
        }
        let signals = Signals {
            at: read.at,
            every: read.every,
            rules: self.rules,
            template: read.template.map(Clean::new),
            subject,
            reference,
            scrape: self.scrape,
            verdict,
            over_since: self.over.map(|over| over.since),
            over_began: self.over.is_some_and(|over| over.began),
            was_over: self.was_over,
            looked_back: (!self.past).then_some(self.past_known),
            notes: read.notes,
        };
        self.said = Some(signals.clone());
        signals
    }

    fn side(&mut self, question: &Question, raw: &Raw, evaluated: f64, at: Timestamp) -> Side {
        let past = question.until.is_some();
        let age = if past { None } else { raw.age(evaluated) };
        let scrape = f64::from(self.scrape.unwrap_or(USUAL_SCRAPE));
        let fresh = if past { Freshness::Past } else { Freshness::Now { age, scrape } };
        let (long, short) = raw.readings(&self.rules, fresh);
        self.put(question, long, short, age.map(whole), at)
    }

    fn blind_side(&mut self, question: &Question, reading: &Reading, at: Timestamp) -> Side {
        self.put(question, reading.clone(), reading.clone(), None, at)
    }

    fn put(&mut self, question: &Question, long: Reading, short: Reading, age: Option<u32>, at: Timestamp) -> Side {
        let track = self.tracks.entry(question.pod_hash.clone()).or_default();
        if question.role != Role::Before || track.history.is_empty() {
            track.take(&long, at);
        }
        Side {
            role: question.role,
            pod_hash: question.pod_hash.clone(),
            long,
            short,
            age,
            history: track.history.clone(),
            last: track.last,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn over_its_limit_began_where_the_past_says_so_and_is_only_seen_where_it_does_not() {
        let range = Range { start: 1_000, end: 1_050, step: 10.0 };
        let seen = Over { since: Timestamp::from_second(1_052).expect("a time"), began: false };
        let (low, high) = (Some(0.01), Some(0.2));
        for (what, past, over_now, since, began) in [
            ("it began in the past", vec![low, low, high, high, high], true, 1_020, true),
            ("over all the while: it may have begun before", vec![high; 5], true, 1_000, false),
            ("a gap hides how it was", vec![high, None, high, high, high], true, 1_020, false),
            ("its first numbers are over", vec![None, None, None, high, high], true, 1_030, false),
            ("over, well, over again", vec![high, high, low, high, high], true, 1_030, true),
            ("well until just now", vec![low; 5], true, 1_052, true),
            ("only the short window is over", vec![low; 5], false, 1_052, false),
            ("a gap just now", vec![high, high, high, high, None], true, 1_052, false),
            ("nothing was before", vec![None; 5], true, 1_052, false),
            ("no answer", Vec::new(), true, 1_052, false),
        ] {
            let over = seen.before(&past, range, 0.05, over_now);
            assert_eq!((over.since.as_second(), over.began), (since, began), "{what}");
        }
    }

    fn entry() -> Entry {
        let question = Question {
            role: Role::New,
            pod_hash: "new".into(),
            replica_set: "payments-new".into(),
            service: None,
            until: None,
        };
        let wanted = Wanted { context: "prod".into(), pace: Pace::Moving, subject: question, reference: None };
        let id = crate::domain::fixture::id("payments");
        Entry::new(&id, wanted, &PrometheusSection::default(), Instant::now())
    }

    fn read(entry: &mut Entry, at: i64, long: Reading, short: Reading) -> Signals {
        let at = Timestamp::from_second(at).expect("a time");
        let asked = entry.wanted.clone();
        let subject = entry.put(&asked.subject, long, short, Some(1), at);
        entry.signals(subject, None, Read { at, evaluated: None, every: 5, template: Some("mine"), notes: Vec::new() })
    }

    #[test]
    fn that_it_was_over_is_known_until_it_is_fine() {
        let of = |errors, total| Reading::Measured(Counts { errors, total });
        let second = |at| Some(Timestamp::from_second(at).expect("a time"));
        let mut entry = entry();
        // A verb that starts a while after the abort: the windows say nothing, the past does.
        let first = read(&mut entry, 4_000, Reading::NoTraffic, Reading::NoTraffic);
        assert_eq!((first.was_over, first.looked_back), (None, None));
        let range = Range { start: 1_000, end: 1_050, step: 10.0 };
        let some = |errors, total| Some(Counts { errors, total });
        let before = [some(1.0, 900.0), some(90.0, 900.0), some(95.0, 900.0), some(3.0, 9.0), None];
        let begun = entry.begin(Some(&before), range).expect("signals");
        assert_eq!((begun.was_over, begun.looked_back), (second(1_020), Some(true)), "three of nine prove nothing");
        let mut well = self::entry();
        read(&mut well, 4_000, Reading::NoTraffic, Reading::NoTraffic);
        let since = [some(90.0, 900.0), some(1.0, 900.0), some(40.0, 900.0), None];
        assert_eq!(
            well.begin(Some(&since), range).expect("signals").was_over,
            None,
            "it was well since, and then a near thing"
        );
        assert_eq!(read(&mut entry, 4_010, Reading::NoTraffic, Reading::NoTraffic).was_over, second(1_020));
        assert_eq!(read(&mut entry, 4_020, of(9.0, 120.0), of(2.0, 30.0)).was_over, second(1_020), "maybe over");
        assert_eq!(read(&mut entry, 4_030, of(90.0, 900.0), of(20.0, 180.0)).was_over, second(4_030));
        assert_eq!(
            read(&mut entry, 4_040, Reading::Unreachable { why: "x".into() }, Reading::NoTraffic).was_over,
            second(4_030)
        );
        assert_eq!(read(&mut entry, 4_050, of(1.0, 9000.0), of(0.0, 900.0)).was_over, None, "fine");
        read(&mut entry, 4_060, of(900.0, 9000.0), of(90.0, 900.0));
        let other = Wanted {
            subject: Question { pod_hash: "newer".into(), ..entry.wanted.subject.clone() },
            ..entry.wanted.clone()
        };
        entry.want(other);
        assert_eq!((entry.was_over, entry.past), (None, true), "of another version nothing is known");
    }

    #[test]
    fn without_an_answer_the_past_was_asked_for_all_the_same() {
        let mut entry = entry();
        read(&mut entry, 4_000, Reading::NoTraffic, Reading::NoTraffic);
        let begun = entry.begin(None, Range { start: 1_000, end: 1_050, step: 10.0 }).expect("signals");
        assert_eq!((begun.was_over, begun.looked_back, entry.past), (None, Some(false), false));
        let later = read(&mut entry, 4_010, Reading::NoTraffic, Reading::NoTraffic);
        assert_eq!(later.looked_back, Some(false), "it is not taken for known later");
    }
}
