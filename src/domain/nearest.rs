//! The known name that a person most likely meant.

/// The name nearest to `said`, if one is near enough to be meant: one it begins, or one with few letters between them.
pub fn nearest<'a>(said: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |word: &str| word.to_lowercase().replace('-', "_");
    let said = plain(said);
    let length = said.chars().count();
    let by = |name: &str| {
        let name = plain(name);
        if length >= 2 && name.starts_with(&said) { 0 } else { strsim::osa_distance(&said, &name) }
    };
    let far = length.max(3).div_ceil(3);
    names.into_iter().map(|name| (by(name), name)).filter(|(by, _)| *by <= far).min_by_key(|(by, _)| *by).map(|n| n.1)
}

/// `; did you mean NAME?`; empty where nothing is near.
pub fn did_you_mean<'a>(said: &str, names: impl IntoIterator<Item = &'a str>) -> String {
    nearest(said, names).map_or_else(String::new, |name| format!("; did you mean `{name}`?"))
}

/// `; did you mean NAME?`, or which names there are.
pub fn hint(said: &str, names: &[&str]) -> String {
    match nearest(said, names.iter().copied()) {
        Some(name) => format!("; did you mean `{name}`?"),
        None => format!("; known are {}", names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_understood_and_nonsense_is_not() {
        let names =
            ["resume", "retry", "restart", "rollback", "abort", "read_only", "reason_in_production", "no_color"];
        for (said, meant) in [
            ("abrot", Some("abort")),
            ("resum", Some("resume")),
            ("ROLBACK", Some("rollback")),
            ("roll", Some("rollback")),
            ("read_onyl", Some("read_only")),
            ("READ-ONLY", Some("read_only")),
            ("no_colour", Some("no_color")),
            ("reason_in_prod", Some("reason_in_production")),
            ("xyzzy", None),
            ("", None),
        ] {
            assert_eq!(nearest(said, names), meant, "{said:?}");
        }
        assert_eq!(hint("abrot", &names), "; did you mean `abort`?");
        assert_eq!(did_you_mean("xyzzy", names), "");
        assert_eq!(hint("q", &["a1", "b1"]), "; known are a1, b1");
    }
}
