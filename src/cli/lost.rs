//! A namespace that was named and has no rollout in it: a slip of the pen, most likely, and no good news.

use std::collections::BTreeSet;
use std::time::Duration;

use super::setup::Session;
use crate::domain::nearest::nearest;
use crate::error::{Error, Kind};
use crate::model::{World, query};
use crate::systems::argo_rollouts::names;

/// How long it may take to find out more. The answer is there without.
const DEADLINE: Duration = Duration::from_secs(3);

/// How many namespaces are named.
const MOST: usize = 6;

/// A namespace without rollouts.
pub(super) struct Lost {
    /// Its name.
    pub name: String,
    /// Whether there is such a namespace; `None` = that may not be known.
    there: Option<bool>,
    /// The namespaces that have rollouts, where that may be known.
    others: Vec<String>,
}

/// The namespaces that flags or the configuration name and that have no rollout; none while that is not certain.
pub(super) fn empty(world: &World, named: &BTreeSet<String>) -> Vec<String> {
    if !query::complete(world) {
        return Vec::new();
    }
    let has = |name: &&String| world.targets.keys().any(|id| id.namespace == name.as_str());
    named.iter().filter(|name| !has(name)).cloned().collect()
}

/// The same, and what the clusters say of them.
pub(super) async fn find(session: &Session, world: &World) -> Vec<Lost> {
    let empty = empty(world, &session.named);
    if empty.is_empty() {
        return Vec::new();
    }
    let mut others = BTreeSet::new();
    for cluster in &session.clusters {
        others.extend(names::with_rollouts(cluster, DEADLINE).await.unwrap_or_default());
    }
    let mut found = Vec::new();
    for name in empty {
        let mut there = Some(false);
        for cluster in &session.clusters {
            there = match (there, names::namespace(cluster, &name, DEADLINE).await) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (None, _) | (_, None) => None,
                (Some(false), Some(false)) => Some(false),
            };
        }
        found.push(Lost { name, there, others: others.iter().cloned().collect() });
    }
    found
}

impl Lost {
    /// An error where there is no such namespace; else a warning, which is text alone.
    pub(super) fn said(&self) -> Result<String, Error> {
        let elsewhere = self.elsewhere();
        if self.there == Some(false) {
            let hint = if elsewhere.is_empty() { "`kubectl get namespaces` lists them".to_owned() } else { elsewhere };
            return Err(Error::new(Kind::NotFound, format!("there is no namespace {:?}", self.name)).hint(hint));
        }
        let elsewhere = if elsewhere.is_empty() { elsewhere } else { format!("; {elsewhere}") };
        Ok(format!("warning: no rollouts in {}{elsewhere}", self.name))
    }

    fn elsewhere(&self) -> String {
        if let Some(near) = nearest(&self.name, self.others.iter().map(String::as_str)) {
            return format!("did you mean {near}? it has rollouts");
        }
        let more = match self.others.len() {
            0 => return String::new(),
            n if n > MOST => format!(" and {} more", n - MOST),
            _ => String::new(),
        };
        let some: Vec<&str> = self.others.iter().take(MOST).map(String::as_str).collect();
        format!("rollouts are in {}{more}", some.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_an_error_with_what_was_meant_and_an_empty_namespace_a_warning() {
        let lost = |name: &str, there, others: &[&str]| Lost {
            name: name.to_owned(),
            there,
            others: others.iter().map(|&one| one.to_owned()).collect(),
        };
        let slip = lost("shpo", Some(false), &["shop", "web"]).said().expect_err("no such namespace");
        assert_eq!((slip.kind, slip.hint.as_deref()), (Kind::NotFound, Some("did you mean shop? it has rollouts")));
        for there in [Some(true), None] {
            let said = lost("nosuch", there, &["shop", "web"]).said().expect("a warning");
            assert_eq!(said, "warning: no rollouts in nosuch; rollouts are in shop, web");
        }
        let many: Vec<String> = (0..9).map(|n| format!("team-{n}")).collect();
        let many = lost("x", None, &many.iter().map(String::as_str).collect::<Vec<_>>()).said().expect("a warning");
        assert!(many.ends_with("team-5 and 3 more"), "{many}");
        assert_eq!(lost("x", None, &[]).said().expect("a warning"), "warning: no rollouts in x");
    }
}
