//! What a script can wait for.

use std::fmt;
use std::str::FromStr;

use crate::domain::rollout::{Observed, Phase, WeightBasis};
use crate::model::Target;

/// Where a target is to get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Condition {
    /// A phase that the controller reports of the latest spec.
    Phase(Phase),
    /// The new version has all traffic.
    Done,
    /// It is not there any more.
    Gone,
    /// On this step, counted from 1, or past it.
    Step(i64),
    /// The new version has at least this weight, and that is known; of 0, no more.
    Weight(i64),
    /// This revision is the current one.
    Revision(i64),
}

/// How a target stands to a condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stand {
    /// It is met.
    Met,
    /// Not yet.
    NotYet,
    /// It will not get there by itself: why.
    Failed(String),
}

const WRITE: &str = "write healthy, paused, progressing, done, degraded, gone, step=N, weight=N or revision=N";

impl FromStr for Condition {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.to_ascii_lowercase();
        if let Some((word, number)) = text.split_once('=') {
            let number = number.trim_end_matches('%').parse::<i64>().map_err(|_| WRITE.to_owned())?;
            return match word {
                "step" if number > 0 => Ok(Self::Step(number)),
                "weight" if (0..=100).contains(&number) => Ok(Self::Weight(number)),
                "revision" if number > 0 => Ok(Self::Revision(number)),
                _ => Err(WRITE.to_owned()),
            };
        }
        match text.as_str() {
            "healthy" => Ok(Self::Phase(Phase::Healthy)),
            "paused" => Ok(Self::Phase(Phase::Paused)),
            "progressing" => Ok(Self::Phase(Phase::Progressing)),
            "degraded" => Ok(Self::Phase(Phase::Degraded)),
            "done" => Ok(Self::Done),
            "gone" | "delete" => Ok(Self::Gone),
            _ => Err(WRITE.to_owned()),
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Phase(phase) => f.write_str(&phase.as_str().to_ascii_lowercase()),
            Self::Done => f.write_str("done"),
            Self::Gone => f.write_str("gone"),
            Self::Step(n) => write!(f, "step={n}"),
            Self::Weight(n) => write!(f, "weight={n}"),
            Self::Revision(n) => write!(f, "revision={n}"),
        }
    }
}

impl Condition {
    /// How `target` stands to it.
    pub(super) fn of(self, target: &Target) -> Stand {
        let rollout = &target.rollout;
        if rollout.observed() == Observed::Behind {
            return Stand::NotYet;
        }
        if let Self::Step(number) = self
            && let Some(why) = no_such_step(target, number)
        {
            return Stand::Failed(why);
        }
        if self == Self::Weight(0) && rollout.fully_promoted() {
            return Stand::Failed("nothing is in flight: the version in the spec has all traffic".to_owned());
        }
        let (phase, message) = rollout.status();
        let met = match self {
            Self::Phase(wanted) => phase == wanted,
            Self::Done => rollout.fully_promoted(),
            Self::Gone => false,
            Self::Step(number) => {
                let at = rollout.current_step().map(|(index, _)| i64::try_from(index + 1).unwrap_or(i64::MAX));
                at.map_or_else(|| rollout.fully_promoted(), |at| at >= number)
            }
            Self::Weight(wanted) => Self::weighs(target, wanted),
            Self::Revision(number) => rollout.revision == Some(number),
        };
        if met {
            return Stand::Met;
        }
        let hopeless = phase == Phase::Degraded && !matches!(self, Self::Gone | Self::Revision(_) | Self::Weight(0));
        if hopeless { Stand::Failed(format!("Degraded: {message}")) } else { Stand::NotYet }
    }

    fn weighs(target: &Target, wanted: i64) -> bool {
        target.actual_weight().is_some_and(|actual| {
            // What a router was asked for is not what it does.
            let known =
                !matches!(actual.basis, WeightBasis::RouterSilent | WeightBasis::Router { verified: Some(false) });
            // Nothing is at least zero always: whoever waits for it waits for the traffic to be back.
            known && if wanted == 0 { actual.weight == 0 } else { actual.weight >= wanted }
        })
    }
}

/// Why a step never comes: there are not so many.
fn no_such_step(target: &Target, number: i64) -> Option<String> {
    let steps = target.rollout.steps().len();
    let there = usize::try_from(number).is_ok_and(|number| number <= steps);
    (!there).then(|| match steps {
        0 => "it has no steps".to_owned(),
        1 => "it has 1 step".to_owned(),
        n => format!("it has {n} steps"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::rollout::{Strategy, Weights};

    #[test]
    fn conditions_are_read_and_said_alike() {
        for text in
            ["healthy", "paused", "progressing", "degraded", "done", "gone", "step=3", "weight=50", "revision=7"]
        {
            assert_eq!(text.parse::<Condition>().expect(text).to_string(), text);
        }
        assert_eq!("Weight=50%".parse(), Ok(Condition::Weight(50)));
        for wrong in ["", "fine", "step", "step=0", "step=x", "weight=101", "phase=1"] {
            assert!(wrong.parse::<Condition>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn no_weight_is_none_and_not_at_least_none() {
        let stand = |rollout: crate::domain::rollout::Rollout| {
            Condition::Weight(0).of(&crate::cli::show::of(rollout, Vec::new()))
        };
        let mut rollout = crate::domain::fixture::paused();
        let Strategy::Canary(canary) = &mut rollout.strategy else { panic!("a canary") };
        canary.router = Some("nginx".into());
        let weights = |canary| Some(Weights { canary, stable: 100 - canary, additional: 0, verified: None });
        rollout.weights = weights(50);
        assert_eq!(stand(rollout.clone()), Stand::NotYet, "half of the traffic is on it");
        // An abort leaves it degraded, and the traffic goes back after that.
        (rollout.abort, rollout.phase) = (true, Phase::Degraded);
        assert_eq!(stand(rollout.clone()), Stand::NotYet);
        rollout.weights = weights(0);
        assert_eq!(stand(rollout.clone()), Stand::Met);
        rollout.stable_hash = rollout.pod_hash.clone();
        assert!(matches!(stand(rollout), Stand::Failed(_)), "the version in the spec has all of it");
    }
}
