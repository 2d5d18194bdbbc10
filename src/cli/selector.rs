//! Label selectors, in kubectl's words.

use std::str::FromStr;

use crate::domain::text::Clean;

/// What labels must be like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Selector(Vec<Requirement>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Requirement {
    key: String,
    wanted: Wanted,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Wanted {
    There,
    Missing,
    In(Vec<String>),
    NotIn(Vec<String>),
}

impl Selector {
    /// Whether the labels are as wanted. As in Kubernetes, what must not have a value may also be missing.
    pub(super) fn fits(&self, labels: &[(Clean, Clean)]) -> bool {
        self.0.iter().all(|requirement| {
            let value = labels.iter().find(|(key, _)| *key == requirement.key.as_str()).map(|(_, value)| value);
            let among = |all: &[String]| value.is_some_and(|v| all.iter().any(|one| *v == one.as_str()));
            match &requirement.wanted {
                Wanted::There => value.is_some(),
                Wanted::Missing => value.is_none(),
                Wanted::In(all) => among(all),
                Wanted::NotIn(all) => !among(all),
            }
        })
    }
}

impl FromStr for Selector {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts: Vec<&str> = parts(text).into_iter().map(str::trim).filter(|part| !part.is_empty()).collect();
        if parts.is_empty() {
            return Err("write it as app=payments, or 'tier in (web,api),!canary'".to_owned());
        }
        parts.into_iter().map(requirement).collect::<Result<_, _>>().map(Self)
    }
}

/// Splits at commas outside parentheses.
fn parts(text: &str) -> Vec<&str> {
    let (mut depth, mut from, mut parts) = (0_i32, 0, Vec::new());
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&text[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[from..]);
    parts
}

fn requirement(part: &str) -> Result<Requirement, String> {
    let (key, wanted) = if let Some(key) = part.strip_prefix('!') {
        (key, Wanted::Missing)
    } else if let Some((key, value)) = part.split_once("!=") {
        (key, Wanted::NotIn(vec![value.trim().to_owned()]))
    } else if let Some((key, value)) = part.split_once("==").or_else(|| part.split_once('=')) {
        (key, Wanted::In(vec![value.trim().to_owned()]))
    } else if let Some((head, set)) = part.split_once('(') {
        let set = set.strip_suffix(')').ok_or_else(|| format!("`{part}` has no closing parenthesis"))?;
        let values = set.split(',').map(|value| value.trim().to_owned()).collect();
        match head.split_whitespace().collect::<Vec<_>>()[..] {
            [key, "in"] => (key, Wanted::In(values)),
            [key, "notin"] => (key, Wanted::NotIn(values)),
            _ => return Err(format!("`{part}`: write `KEY in (A,B)` or `KEY notin (A,B)`")),
        }
    } else {
        (part, Wanted::There)
    };
    let key = key.trim();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    if key.is_empty() || !key.chars().all(plain) {
        return Err(format!("`{key}` is no name of a label"));
    }
    Ok(Requirement { key: key.to_owned(), wanted })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_what_kubectl_says() {
        let labels: Vec<(Clean, Clean)> = vec![("app".into(), "cart".into()), ("tier".into(), "web".into())];
        for (text, fits) in [
            ("app=cart", true),
            ("app==cart,tier=web", true),
            ("app=shop", false),
            ("app!=shop", true),
            ("team!=a", true),
            ("app", true),
            ("!app", false),
            ("!team", true),
            ("tier in (web, api)", true),
            ("tier in (web,api),app notin (cart)", false),
            ("team notin (a)", true),
        ] {
            assert_eq!(text.parse::<Selector>().expect(text).fits(&labels), fits, "{text}");
        }
        for wrong in ["", ",", "a b", "tier in (web", "tier among (web)", "=x"] {
            assert!(wrong.parse::<Selector>().is_err(), "{wrong}");
        }
    }
}
