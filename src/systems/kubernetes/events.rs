//! Core v1 Events about the focused target.

use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;

use super::decode::malformed;
use super::focused::{Aim, Kind};
use super::history::cluster_event;
use super::timings::Timings;
use super::watch::Malformed;
use crate::domain::history::ClusterEvent;
use crate::domain::ids::TargetId;
use crate::domain::link::LinkId;
use crate::domain::observation::{Detail, Observation};
use crate::domain::text::Clean;

/// The most Events that are kept of one target.
const MOST: usize = 500;

/// The Events about the focused target, and the warnings about what it made.
pub struct Events;

impl Kind for Events {
    type Object = ClusterEvent;

    fn aim(&self, target: TargetId) -> BoxFuture<'static, Result<Option<Aim>, String>> {
        let aim = Aim {
            path: format!("/api/v1/namespaces/{}/events", target.namespace),
            labels: String::new(),
            fields: format!("involvedObject.kind={},involvedObject.name={}", target.kind.as_str(), target.name),
            more_fields: "type=Warning,involvedObject.kind!=Pod".to_owned(),
            owner: target.name,
        };
        async move { Ok(Some(aim)) }.boxed()
    }

    fn decode(&self, aim: &Aim, raw: &str) -> Result<Option<ClusterEvent>, Malformed> {
        of(raw, aim.owner.as_str())
    }

    fn key(&self, event: &ClusterEvent) -> Clean {
        event.uid.clone()
    }

    fn said(&self, id: LinkId, target: TargetId, all: Option<Vec<ClusterEvent>>) -> Observation {
        let all = all.map(|mut all| {
            all.sort_by(|a, b| b.at.cmp(&a.at).then_with(|| a.uid.cmp(&b.uid)));
            all.truncate(MOST);
            all
        });
        Observation::Detail { id, target, detail: Detail::Events(all) }
    }
}

/// The API server keeps no cache of Events and so sends no bookmarks on their watch: it is closed before its silence
/// would count.
pub fn timings(timings: Timings) -> Timings {
    let watch = timings.watch.min(timings.silence.mul_f64(0.6)).max(Duration::from_secs(1));
    Timings { watch, ..timings }
}

/// Decodes an Event about `rollout`, or about a ReplicaSet, AnalysisRun or Experiment that is called as its are.
pub fn of(raw: &str, rollout: &str) -> Result<Option<ClusterEvent>, Malformed> {
    let event = cluster_event(raw).map_err(|e| malformed(raw, &e))?;
    let (kind, name) = event.object.as_str().split_once('/').unwrap_or_default();
    let ours = about(kind, name, rollout);
    Ok(ours.then_some(event))
}

/// Whether an object of this kind and name is the rollout, or is called as those that it makes: `<rollout>-<hash>`,
/// then `-<revision>` and more for an AnalysisRun. The hash is of an alphabet without vowels.
fn about(kind: &str, name: &str, rollout: &str) -> bool {
    if kind == "Rollout" {
        return name == rollout;
    }
    if !matches!(kind, "ReplicaSet" | "AnalysisRun" | "Experiment") {
        return false;
    }
    let Some(rest) = name.strip_prefix(rollout).and_then(|rest| rest.strip_prefix('-')) else { return false };
    let (hash, more) = rest.split_once('-').unwrap_or((rest, ""));
    let hashed =
        !hash.is_empty() && hash.len() <= 10 && hash.chars().all(|c| "bcdfghjklmnpqrstvwxz2456789".contains(c));
    let revision = more.split('-').next().unwrap_or_default();
    hashed && if kind == "ReplicaSet" { more.is_empty() } else { revision.parse::<u32>().is_ok() }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn only_what_is_about_the_rollout_and_what_it_made() {
        for (kind, name, ours) in [
            ("Rollout", "web", true),
            ("Rollout", "web-2", false),
            ("ReplicaSet", "web-5f6d7c8b9", true),
            ("ReplicaSet", "web-api-5f6d7c8b9", false),
            ("AnalysisRun", "web-5f6d7c8b9-3-1", true),
            ("AnalysisRun", "web-5f6d7c8b9-3-1.2", true),
            ("AnalysisRun", "web-5f6d7c8b9", false),
            ("AnalysisRun", "website-5f6d7c8b9-3", false),
            ("Pod", "web-5f6d7c8b9-abcde", false),
        ] {
            assert_eq!(about(kind, name, "web"), ours, "{kind} {name}");
        }
    }
}
