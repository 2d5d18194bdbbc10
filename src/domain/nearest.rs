//! The known name that a person most likely meant.

/// The name nearest to `said`, if one is near enough to be meant: one it begins with, or one with few letters between them.
pub fn nearest<'a>(said: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let said = said.to_lowercase();
    let near = |name: &str| {
        if said.chars().count() >= 2 && name.starts_with(&said) { 0 } else { distance(&said, &name.to_lowercase()) }
    };
    let far = (said.chars().count().max(3)).div_ceil(3);
    names.into_iter().map(|name| (near(name), name)).filter(|(by, _)| *by <= far).min_by_key(|(by, _)| *by).map(|n| n.1)
}

/// `; did you mean NAME?`, or which names there are.
pub fn hint(said: &str, names: &[&str]) -> String {
    match nearest(said, names.iter().copied()) {
        Some(name) => format!("; did you mean `{name}`?"),
        None => format!("; known are {}", names.join(", ")),
    }
}

/// How many letters are to be put in, taken out, changed or swapped with their neighbour.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().take(64).collect(), b.chars().take(64).collect());
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let mut least = (last[j] + usize::from(x != y)).min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                least = least.min(before[j - 1] + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_understood_and_nonsense_is_not() {
        let names = ["resume", "retry", "restart", "rollback", "abort"];
        for (said, meant) in [
            ("abrot", Some("abort")),
            ("resum", Some("resume")),
            ("ROLBACK", Some("rollback")),
            ("roll", Some("rollback")),
            ("xyzzy", None),
            ("", None),
        ] {
            assert_eq!(nearest(said, names), meant, "{said:?}");
        }
        assert_eq!(hint("abrot", &names), "; did you mean `abort`?");
        assert_eq!(hint("q", &["a1", "b1"]), "; known are a1, b1");
    }
}
