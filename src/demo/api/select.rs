//! Label and field selectors, as far as clients of these kinds write them.

use serde_json::Value;

use super::place::Query;
use crate::demo::answer::{self, Refusal};
use crate::demo::held::Held;

/// Fields that may be selected by.
const FIELDS: &[&str] = &[
    "metadata.name",
    "metadata.namespace",
    "involvedObject.kind",
    "involvedObject.namespace",
    "involvedObject.name",
    "involvedObject.uid",
    "involvedObject.apiVersion",
    "reason",
    "type",
    "status.phase",
    "spec.nodeName",
];

/// One term of a selector.
#[derive(Debug, PartialEq, Eq)]
enum Term {
    Is(String, String),
    IsNot(String, String),
    There(String),
    Absent(String),
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
}

/// What a list or a watch is narrowed to.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Selector {
    labels: Vec<Term>,
    fields: Vec<Term>,
}

/// Splits at commas that stand outside of brackets.
fn terms(text: &str) -> Vec<&str> {
    let mut depth = 0;
    let parts = text.split(|c| {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        c == ',' && depth == 0
    });
    parts.map(str::trim).filter(|s| !s.is_empty()).collect()
}

fn term(text: &str) -> Term {
    let own = |s: &str| s.trim().to_owned();
    if let Some((key, list)) = text.split_once('(') {
        let values = list.trim_end_matches(')').split(',').map(own).collect();
        let key = key.trim();
        return match key.strip_suffix(" notin") {
            Some(key) => Term::NotIn(own(key), values),
            None => Term::In(own(key.strip_suffix(" in").unwrap_or(key)), values),
        };
    }
    if let Some((key, value)) = text.split_once("!=") {
        return Term::IsNot(own(key), own(value));
    }
    match text.split_once('=') {
        Some((key, value)) => Term::Is(own(key), own(value.trim_start_matches('='))),
        None => match text.strip_prefix('!') {
            Some(key) => Term::Absent(own(key)),
            None => Term::There(own(text)),
        },
    }
}

impl Selector {
    pub(super) fn of(query: &Query) -> Result<Self, Refusal> {
        let all = |key: &str| terms(query.get(key).unwrap_or_default()).into_iter().map(term).collect::<Vec<_>>();
        let fields = all("fieldSelector");
        for field in &fields {
            let known = matches!(field, Term::Is(key, _) | Term::IsNot(key, _) if FIELDS.contains(&key.as_str()));
            if !known {
                return Err(answer::bad_request(&format!("field label not supported: {field:?}")));
            }
        }
        Ok(Self { labels: all("labelSelector"), fields })
    }

    /// The same of an object as the store holds it: what selects everything need not read it.
    pub(super) fn matches_held(&self, object: &Held) -> bool {
        (self.labels.is_empty() && self.fields.is_empty()) || self.matches(&object.glance())
    }

    pub(super) fn matches(&self, object: &Value) -> bool {
        let labels = &object["metadata"]["labels"];
        let field = |path: &str| path.split('.').fold(object, |at, part| &at[part]);
        self.labels.iter().all(|t| t.holds(|key| &labels[key])) && self.fields.iter().all(|t| t.holds(field))
    }
}

impl Term {
    fn holds<'a>(&self, value: impl Fn(&str) -> &'a Value) -> bool {
        let text = |key: &str| value(key).as_str();
        match self {
            Self::Is(key, wanted) => text(key).unwrap_or_default() == wanted,
            Self::IsNot(key, wanted) => text(key).unwrap_or_default() != wanted,
            Self::There(key) => text(key).is_some(),
            Self::Absent(key) => text(key).is_none(),
            Self::In(key, all) => text(key).is_some_and(|v| all.iter().any(|a| a == v)),
            Self::NotIn(key, all) => text(key).is_none_or(|v| all.iter().all(|a| a != v)),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn selects(query: &str, object: &Value) -> bool {
        let uri: http::Uri = format!("/x?{query}").parse().expect("a URI");
        Selector::of(&Query::of(&uri)).expect("a selector").matches(object)
    }

    #[test]
    fn selectors_select() {
        let pod = json!({"metadata": {"name": "p", "labels": {"app": "web", "tier": "front"}}});
        for (selector, wanted) in [
            ("", true),
            ("app=web", true),
            ("app==web,tier=front", true),
            ("app=api", false),
            ("tier", true),
            ("!tier", false),
            ("app!=web", false),
            ("app%20in%20(api,web)", true),
            ("app%20notin%20(api,web),tier", false),
        ] {
            assert_eq!(selects(&format!("labelSelector={selector}"), &pod), wanted, "{selector}");
        }
        let event = json!({"metadata": {"name": "e"}, "involvedObject": {"kind": "Rollout", "name": "web"}});
        for (selector, wanted) in [
            ("metadata.name=e", true),
            ("involvedObject.kind=Rollout,involvedObject.name=web", true),
            ("involvedObject.name=api", false),
            ("reason=x", false),
        ] {
            assert_eq!(selects(&format!("fieldSelector={selector}"), &event), wanted, "{selector}");
        }
        let uri: http::Uri = "/x?fieldSelector=spec.colour=red".parse().expect("a URI");
        assert_eq!(Selector::of(&Query::of(&uri)).expect_err("refused").code, 400);
    }
}
