//! The board's columns: which there are, in which order, and which fall away where there is no room.

use crate::domain::nearest::hint;
use crate::model::sort::Sort;

/// A column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    Service,
    Environment,
    Context,
    Version,
    Rollout,
    Traffic,
    Errors,
    Curve,
    Age,
    Why,
}

impl Column {
    const ALL: [Self; 10] = [
        Self::Service,
        Self::Environment,
        Self::Context,
        Self::Version,
        Self::Rollout,
        Self::Traffic,
        Self::Errors,
        Self::Curve,
        Self::Age,
        Self::Why,
    ];

    /// Its name in the configuration.
    const fn name(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Environment => "env",
            Self::Context => "context",
            Self::Version => "version",
            Self::Rollout => "rollout",
            Self::Traffic => "traffic",
            Self::Errors => "errors",
            Self::Curve => "curve",
            Self::Age => "age",
            Self::Why => "why",
        }
    }

    /// What rows are sorted by that it shows.
    pub(super) const fn shows(self, sort: Sort) -> bool {
        matches!(
            (self, sort),
            (Self::Service, Sort::Name)
                | (Self::Age, Sort::Age)
                | (Self::Errors, Sort::Errors)
                | (Self::Version, Sort::Version)
        )
    }
}

/// The columns that a person wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Columns {
    /// From left to right.
    shown: Vec<Column>,
    /// Those that may fall away, the most worth first.
    worth: Vec<Column>,
}

impl Default for Columns {
    fn default() -> Self {
        use Column::{Curve, Environment, Errors, Rollout, Service, Traffic, Version, Why};
        Self {
            shown: vec![Service, Environment, Version, Rollout, Traffic, Errors, Curve, Why],
            worth: vec![Environment, Errors, Rollout, Traffic, Version, Curve],
        }
    }
}

/// A column that is shown, and its width; 0 for what stands at the end takes the rest.
pub(super) type Laid = Vec<(Column, usize)>;

/// The least width that is left for the reason.
const LEAST: usize = 14;

/// From this width on there is room for more than the words.
const ROOMY: u16 = 100;

/// From this width on an age says what it is the age of.
const FULL: u16 = 140;

/// What the reason is given before these two columns get any.
const READABLE: usize = 22;

impl Columns {
    /// `ui.columns`: from left to right, and what stands first stays longest. None = the usual ones.
    pub(super) fn configured(names: &[String]) -> Result<Self, String> {
        if names.is_empty() {
            return Ok(Self::default());
        }
        let known = Column::ALL.map(Column::name);
        let mut shown = Vec::new();
        for name in names {
            let column = Column::ALL.into_iter().find(|column| column.name() == name.trim());
            let column =
                column.ok_or_else(|| format!("ui.columns: there is no column `{name}`{}", hint(name, &known)))?;
            if shown.contains(&column) {
                return Err(format!("ui.columns: `{name}` stands there twice"));
            }
            shown.push(column);
        }
        if !shown.contains(&Column::Service) {
            return Err("ui.columns: `service` must be among them: a row needs its name".to_owned());
        }
        let worth = shown.iter().copied().filter(|c| !matches!(c, Column::Service | Column::Why)).collect();
        Ok(Self { shown, worth })
    }

    /// The columns that fit into `width`. `widest` is the width of the widest name.
    pub(super) fn lay(&self, width: u16, errors: bool, widest: usize) -> Laid {
        let (roomy, full) = (width >= ROOMY, width >= FULL);
        let width = usize::from(width);
        let name = widest.clamp(12, (width * if errors { 23 } else { 26 } / 100).clamp(14, 42));
        let why = self.shown.contains(&Column::Why);
        let least = if why { LEAST } else { 0 };
        let mut left = width.saturating_sub(2 + name + 1 + least);
        let kept = if why { READABLE - LEAST } else { 0 };
        let mut laid = vec![(Column::Service, name)];
        for column in &self.worth {
            let wide = match column {
                Column::Errors if full => 20 * usize::from(errors),
                Column::Errors => 16 * usize::from(errors),
                Column::Curve => 10 * usize::from(errors),
                Column::Rollout if left > 60 => 15,
                Column::Rollout => 9,
                Column::Traffic => {
                    if roomy {
                        14
                    } else {
                        11
                    }
                }
                Column::Environment => 5,
                Column::Context => 14,
                // Both versions by their short names.
                Column::Version if left <= 28 + kept => 17,
                Column::Version => 28,
                Column::Age => 7,
                Column::Service | Column::Why => 0,
            };
            let kept = if matches!(column, Column::Version | Column::Curve) { kept } else { 0 };
            if wide > 0 && left > wide + kept {
                laid.push((*column, wide));
                left -= wide + 1;
            }
        }
        if why {
            laid.push((Column::Why, left + LEAST));
        }
        laid.sort_by_key(|(column, _)| self.shown.iter().position(|shown| shown == column));
        laid
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(names: &[&str]) -> Result<Columns, String> {
        Columns::configured(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn what_is_worth_least_falls_away_first() {
        let columns = named(&["env", "service", "rollout", "version", "why"]).expect("good names");
        let shown = |width| columns.lay(width, false, 20).iter().map(|(column, _)| column.name()).collect::<Vec<_>>();
        assert_eq!(shown(200), ["env", "service", "rollout", "version", "why"]);
        assert_eq!(shown(60), ["env", "service", "rollout", "why"]);
    }

    #[test]
    fn no_row_is_wider_than_the_screen() {
        let columns = named(&["service", "context", "age", "errors", "curve", "why", "traffic"]).expect("good names");
        for columns in [columns, Columns::default()] {
            for width in 60..200 {
                let wide: usize = columns.lay(width, true, 50).iter().map(|(_, wide)| wide + 1).sum();
                assert!(wide <= usize::from(width), "{wide} in {width}");
            }
        }
    }

    #[test]
    fn the_reason_can_be_read_before_version_and_curve_get_room() {
        for (width, widest, errors) in (60..200).flat_map(|w| [(w, 14, true), (w, 40, true), (w, 14, false)]) {
            let laid = Columns::default().lay(width, errors, widest);
            let wide = |column| laid.iter().find(|(c, _)| *c == column).map(|(_, wide)| *wide);
            assert!(wide(Column::Environment).is_some(), "{width}: what is production is seen");
            if wide(Column::Version).or(wide(Column::Curve)).is_some() {
                assert!(wide(Column::Why) >= Some(READABLE), "{width}: {laid:?}");
            }
        }
    }

    #[test]
    fn what_is_wrong_names_the_fix() {
        for (names, says) in [
            (&["service", "versoin"] as &[&str], "there is no column `versoin`; did you mean `version`?"),
            (&["service", "why", "why"], "`why` stands there twice"),
            (&["env"], "`service` must be among them"),
        ] {
            let why = named(names).expect_err(says);
            assert!(why.contains(says), "{why}");
        }
    }
}
