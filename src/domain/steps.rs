//! The step ladder of a canary.

use std::fmt;

use serde::Serialize;

use super::text::Clean;

/// One canary step, as `spec.strategy.canary.steps[]` declares it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum Step {
    /// Desired canary weight, in percent of the maximum weight (100 unless the router says otherwise).
    SetWeight {
        /// The weight.
        weight: i64,
    },
    /// A pause; without a duration it waits for a person.
    Pause {
        /// Seconds; `None` waits for ever.
        seconds: Option<i64>,
    },
    /// An analysis that must succeed.
    Analysis,
    /// An experiment that must succeed.
    Experiment,
    /// Scales the canary apart from its weight.
    SetCanaryScale {
        /// The step's own words, e.g. `{weight: 10}`.
        detail: Clean,
    },
    /// Routes by header.
    SetHeaderRoute {
        /// The managed route's name.
        name: Clean,
    },
    /// Mirrors traffic.
    SetMirrorRoute {
        /// The managed route's name.
        name: Clean,
    },
    /// A step plugin.
    Plugin {
        /// The plugin's name.
        name: Clean,
    },
    /// A step that this program does not know (yet).
    Unknown {
        /// The key found.
        key: Clean,
    },
}

impl Step {
    /// Whether it waits until a person says so.
    pub const fn waits_for_a_person(&self) -> bool {
        matches!(self, Self::Pause { seconds: None })
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SetWeight { weight } => write!(f, "weight {weight} %"),
            Self::Pause { seconds: None } => f.write_str("pause, for a person"),
            Self::Pause { seconds: Some(s) } => write!(f, "pause {}", Span(*s)),
            Self::Analysis => f.write_str("analysis"),
            Self::Experiment => f.write_str("experiment"),
            Self::SetCanaryScale { detail } => write!(f, "canary scale {detail}"),
            Self::SetHeaderRoute { name } => write!(f, "header route {name}"),
            Self::SetMirrorRoute { name } => write!(f, "mirror route {name}"),
            Self::Plugin { name } => write!(f, "plugin {name}"),
            Self::Unknown { key } => write!(f, "{key} (unknown step)"),
        }
    }
}

/// Prints whole seconds as people say them: `45s`, `10m`, `1h30m`, `3d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span(
    /// Seconds; negative prints as zero.
    pub i64,
);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let s = self.0.max(0);
        let text = match s {
            0..60 => format!("{s}s"),
            60..3600 if s % 60 == 0 || s >= 600 => format!("{}m", s / 60),
            60..3600 => format!("{}m{}s", s / 60, s % 60),
            3600..86_400 if (s / 60) % 60 == 0 => format!("{}h", s / 3600),
            3600..86_400 => format!("{}h{}m", s / 3600, (s / 60) % 60),
            _ => format!("{}d", s / 86_400),
        };
        f.pad(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_read_as_people_say_them() {
        for (s, text) in [
            (-3, "0s"),
            (0, "0s"),
            (59, "59s"),
            (60, "1m"),
            (61, "1m1s"),
            (600, "10m"),
            (3599, "59m"),
            (3600, "1h"),
            (5400, "1h30m"),
            (86_400, "1d"),
            (260_000, "3d"),
        ] {
            assert_eq!(Span(s).to_string(), text);
        }
    }
}
