//! How targets are ordered within a band: by urgency, or by what a person asked for. The bands themselves stay.

use std::cmp::Reverse;

use jiff::Timestamp;

use super::query::{Rank, rank};
use super::world::Target;
use crate::domain::nearest::hint;
use crate::domain::signal::Signals;
use crate::domain::text::Clean;

/// What rows are sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// What is over its limit first, then production.
    #[default]
    Urgency,
    /// The name, then the context.
    Name,
    /// What stands longest as it does, first.
    Age,
    /// The highest error rate first; what is not known last.
    Errors,
    /// The version in the spec.
    Version,
}

impl Sort {
    /// In the order in which a key goes through them.
    pub const ALL: [Self; 5] = [Self::Urgency, Self::Name, Self::Age, Self::Errors, Self::Version];

    /// Its name in the configuration and in commands.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Urgency => "urgency",
            Self::Name => "name",
            Self::Age => "age",
            Self::Errors => "errors",
            Self::Version => "version",
        }
    }

    /// Reads the name; `since` is age, `error-rate` is errors.
    pub fn parse(said: &str) -> Result<Self, String> {
        let said = said.trim().to_lowercase();
        let meant = match said.as_str() {
            "since" => "age",
            "error-rate" | "error rate" => "errors",
            other => other,
        };
        Self::ALL.into_iter().find(|sort| sort.name() == meant).ok_or_else(|| {
            let names = Self::ALL.map(Self::name);
            format!("nothing is sorted by {said:?}{}", hint(&said, &names))
        })
    }

    /// The next one.
    #[must_use]
    pub fn next(self) -> Self {
        let at = Self::ALL.iter().position(|sort| *sort == self).unwrap_or(0);
        Self::ALL[(at + 1) % Self::ALL.len()]
    }

    /// Where `target` stands in this order.
    pub fn order(self, target: &Target, now: Timestamp) -> Order {
        let rank = rank(target, now);
        let by = match self {
            Self::Urgency => By::Rank,
            Self::Name => By::Text(target.rollout.id.namespace.clone(), target.rollout.id.name.clone()),
            Self::Age => By::Number(since(target).as_second()),
            Self::Errors => errors(target, now).map_or(By::NotKnown, |rate| By::Most(Reverse(rate))),
            Self::Version => {
                let version = target.rollout.images().next().map_or("", |image| image.as_str());
                By::Text(version.rsplit([':', '@', '/']).next().unwrap_or_default().into(), Clean::default())
            }
        };
        Order { band: rank.0, by, rank }
    }

    /// What an order rests on that becomes old by itself.
    pub fn rests_on(self, signals: &Signals) -> bool {
        self == Self::Errors || signals.over_since.is_some()
    }
}

/// A place among the others.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Order {
    /// The band comes first, whatever rows are sorted by.
    pub band: super::query::Band,
    by: By,
    rank: Rank,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum By {
    Rank,
    Number(i64),
    Most(Reverse<u64>),
    Text(Clean, Clean),
    NotKnown,
}

/// Since when a target stands as it does, as far as the object says; else since it last changed here.
pub fn since(target: &Target) -> Timestamp {
    let rollout = &target.rollout;
    if rollout.abort && rollout.aborted_at.is_some() {
        return rollout.aborted_at.unwrap_or(target.changed);
    }
    let through = rollout.completed_at.filter(|_| rollout.fully_promoted());
    let moving = rollout.progressing.as_ref().map(|(_, at)| *at);
    rollout.paused_since().or(through).or(moving).unwrap_or(target.changed)
}

/// The share of failed requests of the version in question, in millionths; `None` = not known now.
fn errors(target: &Target, now: Timestamp) -> Option<u64> {
    let signals = target.signals.as_deref().filter(|s| s.is_about(&target.rollout) && !s.is_old(now))?;
    let rate = signals.subject.long.counts()?.rate()?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share between 0 and 1")]
    Some((rate * 1e6).round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_and_lead_around() {
        for sort in Sort::ALL {
            assert_eq!(Sort::parse(sort.name()), Ok(sort));
        }
        assert_eq!(Sort::parse("Since"), Ok(Sort::Age));
        assert!(Sort::parse("nmae").expect_err("a slip").contains("did you mean `name`?"));
        let around = Sort::ALL.iter().fold(Sort::Urgency, |sort, _| sort.next());
        assert_eq!(around, Sort::Urgency);
    }

    #[test]
    fn a_number_that_is_not_known_comes_last() {
        assert!(By::Most(Reverse(5)) < By::Most(Reverse(1)));
        assert!(By::Most(Reverse(0)) < By::NotKnown);
    }
}
