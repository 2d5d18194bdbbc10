//! The word that was probably meant.

/// From this likeness on (Jaro-Winkler, 0 to 1) a word is worth a hint.
const ALIKE: f64 = 0.8;

/// The known word most like this one, if any is like it at all.
pub(super) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |word: &str| word.to_lowercase().replace('-', "_");
    let word = plain(word);
    let likeness = |known: &'a str| (strsim::jaro_winkler(&word, &plain(known)), known);
    let best = known.into_iter().map(likeness).max_by(|a, b| a.0.total_cmp(&b.0));
    best.filter(|(likeness, _)| *likeness >= ALIKE).map(|(_, known)| known)
}

/// The same as the end of a sentence; empty where nothing is like it.
pub fn did_you_mean<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(word, known).map_or_else(String::new, |near| format!("; did you mean `{near}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_understood_and_strangers_are_not() {
        let known = ["read_only", "reason_in_production", "no_color", "windows"];
        for (word, meant) in [
            ("read_onyl", Some("read_only")),
            ("READ-ONLY", Some("read_only")),
            ("no_colour", Some("no_color")),
            ("reason_in_prod", Some("reason_in_production")),
            ("zebra", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, known), meant, "{word}");
        }
    }
}
