//! `FLIGHTDECK_<SECTION>_<KEY>`: one variable for every key that a name can lead to.

use super::problem::{KeyPath, Origin, Problem};
use super::schema::{Leaf, Takes, leaves};
use super::tree::{Node, Value};
use crate::domain::nearest::did_you_mean;

/// What all begin with.
const PREFIX: &str = "FLIGHTDECK_";

/// Variables that are no keys: places, which the program must know before it reads a file.
pub const PLACES: [&str; 4] = ["FLIGHTDECK_CONFIG", "FLIGHTDECK_NO_CONFIG", "FLIGHTDECK_STATE_DIR", SYSTEM];

/// Where the system's file is, instead of the usual place; empty = there is none.
pub const SYSTEM: &str = "FLIGHTDECK_SYSTEM_CONFIG";

/// What Kubernetes puts into a pod for a Service called `flightdeck`, and what tests of this program use.
const FOREIGN: [&str; 3] = ["FLIGHTDECK_SERVICE_", "FLIGHTDECK_PORT", "FLIGHTDECK_TEST_"];

/// The variable of a key; `None` where no single name leads to it.
pub fn variable(leaf: &Leaf) -> Option<String> {
    (!leaf.in_list()).then(|| format!("{PREFIX}{}", leaf.path.join("_").to_uppercase()))
}

/// Every variable and its key.
pub fn variables() -> impl Iterator<Item = (String, &'static Leaf)> {
    leaves().iter().filter_map(|leaf| variable(leaf).map(|name| (name, leaf)))
}

/// One key that was said outside of files.
pub(super) struct Said {
    pub path: Vec<String>,
    pub value: Value,
    pub by: Origin,
}

/// Whoever misspells one of these would act without the rule that was meant.
const SAFETY: [&str; 2] = ["FLIGHTDECK_POLICY_", "FLIGHTDECK_AUDIT_"];

/// What the environment says; a name that is no key gets a warning, and an error where it was meant to keep from harm. An
/// empty variable says nothing.
pub(super) fn read(
    environment: &[(String, String)],
    warnings: &mut Vec<Problem>,
    wrong: &mut Vec<Problem>,
) -> Vec<Said> {
    let mut said = Vec::new();
    for (name, value) in environment.iter().filter(|(name, _)| name.starts_with(PREFIX)) {
        if PLACES.contains(&name.as_str()) || FOREIGN.iter().any(|foreign| name.starts_with(foreign)) {
            continue;
        }
        let by = Origin::Env(name.as_str().into());
        match variables().find(|(known, _)| known == name) {
            Some(_) if value.is_empty() => {}
            Some((_, leaf)) => said.push(Said { path: leaf.path.clone(), value: parse(leaf.takes, value, &by), by }),
            None => {
                let known: Vec<String> = variables().map(|(known, _)| known).collect();
                let known = known.iter().map(String::as_str).chain(PLACES);
                let why = format!("no key has this variable{}", did_you_mean(name, known));
                if SAFETY.iter().any(|safety| why.contains(safety)) {
                    wrong.push(Problem::error(KeyPath::default(), why).at(by));
                } else {
                    warnings.push(Problem::warning(KeyPath::default(), why).at(by));
                }
            }
        }
    }
    said
}

/// As the key takes it; text that is nothing of the kind stays text, and the check of shapes says so.
fn parse(takes: Takes, text: &str, by: &Origin) -> Value {
    let as_text = || Value::Text(text.to_owned());
    match takes {
        Takes::Bool => match text {
            "true" | "1" => Value::Bool(true),
            "false" | "0" => Value::Bool(false),
            _ => as_text(),
        },
        Takes::Int => text.parse().map_or_else(|_| as_text(), Value::Int),
        Takes::Number => text.parse().map_or_else(|_| as_text(), Value::Float),
        Takes::Text => as_text(),
        Takes::Texts => {
            let each = text.split(',').map(str::trim).filter(|each| !each.is_empty());
            Value::List(each.map(|each| Node::said(Value::Text(each.to_owned()), by.clone())).collect())
        }
    }
}
