//! Which namespaces may be listed, where all of them may not be.

use std::collections::BTreeSet;

use futures::StreamExt as _;
use serde::Deserialize;

use super::call::{self, CallError};
use super::client::{Cluster, READ};
use crate::domain::text::Clean;

/// The most namespaces that are asked about.
const MOST: usize = 200;

/// Reviews in flight.
const AT_ONCE: usize = 8;

/// The most namespaces that are read.
const PAGE: usize = 5_000;

/// What may be listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// These namespaces.
    pub namespaces: BTreeSet<String>,
    /// How many there are, where that may be known.
    pub of: Option<usize>,
    /// How many were not asked about, being too many.
    pub left_out: usize,
}

impl Found {
    /// What a person should know: that this is not everything, and why.
    pub fn notice(&self) -> String {
        let watched = self.namespaces.len();
        let mut notice = match self.of {
            Some(all) => format!("{watched} of {all} namespaces: no right to list all"),
            None => {
                let s = if watched == 1 { "" } else { "s" };
                format!("{watched} namespace{s}: no right to list all, nor to see which there are")
            }
        };
        if self.left_out > 0 {
            notice.push_str(&format!("; {} were not asked about (name them in kubernetes.namespaces)", self.left_out));
        }
        notice
    }
}

/// Finds them: those of the configuration, and of the context's own and those that can be seen the ones that a review
/// allows.
pub async fn find(cluster: &Cluster, group: &str, plural: &str) -> Result<Found, CallError> {
    let seen = match seen(cluster).await {
        Ok(seen) => Some(seen),
        Err(e) if matches!(e.code(), Some(403 | 404)) => None,
        Err(e) => return Err(e),
    };
    let mut namespaces: BTreeSet<String> = cluster.candidates.iter().cloned().collect();
    let of = seen.as_ref().map(Vec::len);
    let mut ask: Vec<String> = std::iter::once(cluster.home.clone()).chain(seen.unwrap_or_default()).collect();
    let mut known = namespaces.clone();
    ask.retain(|name| known.insert(name.clone()));
    let left_out = ask.len().saturating_sub(MOST);
    ask.truncate(MOST);
    let answers = futures::stream::iter(ask).map(|name| async move {
        // No answer is no right: what cannot be asked about is not watched.
        let may = cluster.may_in(&name, "list", group, plural, "").await.unwrap_or(false);
        may.then_some(name)
    });
    let allowed: Vec<Option<String>> = answers.buffer_unordered(AT_ONCE).collect().await;
    namespaces.extend(allowed.into_iter().flatten());
    Ok(Found { namespaces, of, left_out })
}

/// The namespaces that can be seen.
async fn seen(cluster: &Cluster) -> Result<Vec<String>, CallError> {
    #[derive(Deserialize)]
    struct List {
        #[serde(default)]
        items: Vec<Item>,
    }
    #[derive(Deserialize)]
    struct Item {
        metadata: Meta,
    }
    #[derive(Deserialize)]
    struct Meta {
        name: String,
    }
    let body = call::get(cluster.client(), &format!("/api/v1/namespaces?limit={PAGE}"), READ).await?;
    let list: List = serde_json::from_slice(&body)
        .map_err(|e| CallError::Foreign { code: 200, said: Clean::new(&format!("not a list: {e}")) })?;
    Ok(list.items.into_iter().map(|item| item.metadata.name).filter(|name| is_name(name)).collect())
}

/// Whether this can be a namespace: it goes into a path.
pub fn is_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    !name.is_empty() && name.len() <= 63 && name.chars().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_notice_says_what_is_missing() {
        let found =
            |n: usize, of, left_out| Found { namespaces: (0..n).map(|n| n.to_string()).collect(), of, left_out };
        assert_eq!(found(3, Some(41), 0).notice(), "3 of 41 namespaces: no right to list all");
        assert!(found(1, None, 0).notice().starts_with("1 namespace: no right to list all, nor"));
        assert!(found(1, Some(300), 100).notice().contains("100 were not asked about"));
        assert!(is_name("shop-2") && !is_name("../x") && !is_name("") && !is_name("Shop"));
    }
}
