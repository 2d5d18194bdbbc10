//! The audit screen: its records, which of them are shown, and what belongs together.

use super::filter_line::FilterLine;
use super::state::{Loaded, RecordLine};
use crate::domain::ids::TargetId;
use crate::domain::nearest::hint;
use crate::model::filter::{Word, words};

/// What may be asked of a record.
const KEYS: &[&str] = &["target", "outcome", "kind", "by", "op", "act", "plan"];

/// The screen.
#[derive(Clone, Debug)]
pub(super) struct AuditPane {
    pub records: Loaded<Vec<RecordLine>>,
    /// The target whose records were asked for; `None` = the newest of all.
    pub about: Option<TargetId>,
    /// What the last verification said, and whether the chain holds.
    pub verified: Option<Loaded<(bool, String)>>,
    /// Which of the records that are shown.
    pub cursor: usize,
    /// Whether one record is shown alone.
    pub open: bool,
    pub filter: FilterLine,
    terms: Vec<Word>,
}

impl AuditPane {
    pub(super) fn new() -> Self {
        Self {
            records: Loaded::Waiting,
            about: None,
            verified: None,
            cursor: 0,
            open: false,
            filter: FilterLine::default(),
            terms: Vec::new(),
        }
    }

    /// Another question: what was filtered and opened before is over.
    pub(super) fn ask(&mut self, about: Option<TargetId>) {
        let verified = self.verified.take();
        *self = Self { about, verified, ..Self::new() };
    }

    /// What was typed has changed.
    pub(super) fn refilter(&mut self) {
        let (good, wrong): (Vec<_>, Vec<_>) = words(self.filter.value()).into_iter().map(term).partition(Result::is_ok);
        self.terms = good.into_iter().filter_map(Result::ok).collect();
        self.filter.error = wrong.into_iter().find_map(Result::err);
        self.cursor = 0;
    }

    /// Shows only records with these words.
    pub(super) fn only(&mut self, text: &str) {
        let here = self.selected().map(|record| record.seq);
        self.filter.set(text);
        self.open = false;
        self.refilter();
        let at = self.shown().iter().position(|record| Some(record.seq) == here);
        self.cursor = at.unwrap_or(0);
    }

    pub(super) fn all(&self) -> &[RecordLine] {
        if let Loaded::Here(records) = &self.records { records } else { &[] }
    }

    /// The records that are shown.
    pub(super) fn shown(&self) -> Vec<&RecordLine> {
        self.all().iter().filter(|record| self.terms.iter().all(|term| holds(term, record))).collect()
    }

    /// The record under the cursor.
    pub(super) fn selected(&self) -> Option<&RecordLine> {
        self.shown().get(self.cursor).copied()
    }

    /// The numbers of the other records of its act, oldest first.
    pub(super) fn same_act(&self, record: &RecordLine) -> Vec<(u64, &'static str)> {
        let same = |other: &&RecordLine| !record.act.is_empty() && other.act == record.act && other.seq != record.seq;
        let mut all: Vec<_> = self.all().iter().filter(same).map(|other| (other.seq, other.kind)).collect();
        all.sort_unstable();
        all
    }
}

/// A word that can be asked of a record. Errors name the fix.
fn term(word: Word) -> Result<Word, String> {
    match &word.key {
        Some(key) if !KEYS.contains(&key.as_str()) => {
            Err(format!("no key `{key}:`{} (quotes make it text)", hint(key, KEYS)))
        }
        Some(key) if word.value.is_empty() => Err(format!("{key}: takes a part of what is looked for")),
        None if word.value.is_empty() => Err("`!` negates the word behind it".to_owned()),
        _ => Ok(word),
    }
}

fn holds(term: &Word, record: &RecordLine) -> bool {
    let wanted = term.value.to_lowercase();
    let has = |text: &str| text.to_lowercase().contains(&wanted);
    let found = match term.key.as_deref() {
        None => {
            has(&record.target)
                || has(&record.by)
                || has(&record.op)
                || has(record.kind)
                || has(&record.outcome)
                || has(&record.plan)
        }
        Some("target") => has(&record.target),
        Some("outcome") => record.kind != "intent" && has(record.word()),
        Some("kind") => has(record.kind),
        Some("by") => has(&record.by),
        Some("op") => has(&record.op),
        Some("act") => record.act.starts_with(&term.value),
        Some(_) => record.plan.starts_with(&term.value),
    };
    found != term.negated
}
