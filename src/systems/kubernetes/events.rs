//! Core v1 Events about the focused target.

use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::decode::{Meta, malformed};
use super::focused::{Aim, Kind};
use super::watch::{Malformed, Timings};
use crate::domain::history::ClusterEvent;
use crate::domain::ids::TargetId;
use crate::domain::link::LinkId;
use crate::domain::observation::{Detail, Observation};
use crate::domain::text::Clean;

/// The most Events that are kept of one target.
const MOST: usize = 500;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    metadata: Meta,
    #[serde(default)]
    involved_object: Involved,
    #[serde(default)]
    reason: Option<Clean>,
    #[serde(default)]
    message: Option<Clean>,
    #[serde(default, rename = "type")]
    kind: Option<Clean>,
    #[serde(default)]
    count: Option<i64>,
    #[serde(default)]
    last_timestamp: Option<Clean>,
    #[serde(default)]
    event_time: Option<Clean>,
    #[serde(default)]
    series: Option<Series>,
    #[serde(default)]
    source: Option<Source>,
    #[serde(default)]
    reporting_component: Option<Clean>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Involved {
    kind: Option<Clean>,
    name: Option<Clean>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Series {
    count: Option<i64>,
    last_observed_time: Option<Clean>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Source {
    component: Option<Clean>,
}

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

    fn decode(&self, aim: &Aim, raw: &RawValue) -> Result<Option<ClusterEvent>, Malformed> {
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
/// Any of an Event's times may be missing; the latest that is there counts.
pub fn of(raw: &RawValue, rollout: &str) -> Result<Option<ClusterEvent>, Malformed> {
    let wire: Wire = serde_json::from_str(raw.get()).map_err(|e| malformed(raw, &e))?;
    let kind = wire.involved_object.kind.unwrap_or_default();
    let name = wire.involved_object.name.unwrap_or_default();
    if !about(kind.as_str(), name.as_str(), rollout) {
        return Ok(None);
    }
    let time = |text: Option<&Clean>| text.and_then(|t| t.as_str().parse::<Timestamp>().ok());
    let series = wire.series.unwrap_or_default();
    let filled = |text: Option<Clean>| text.filter(|t| !t.is_empty());
    Ok(Some(ClusterEvent {
        at: time(series.last_observed_time.as_ref())
            .or_else(|| time(wire.last_timestamp.as_ref()))
            .or_else(|| time(wire.event_time.as_ref()))
            .or_else(|| wire.metadata.created()),
        reason: wire.reason.unwrap_or_default(),
        message: wire.message.unwrap_or_default(),
        warning: wire.kind.is_some_and(|kind| kind == "Warning"),
        count: series.count.or(wire.count).unwrap_or(1),
        source: filled(wire.source.unwrap_or_default().component)
            .or(filled(wire.reporting_component))
            .unwrap_or_default(),
        object: Clean::new(&format!("{kind}/{name}")),
        uid: wire.metadata.uid,
    }))
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
    use serde_json::{Value, json};

    fn event(object: &Value) -> Option<ClusterEvent> {
        of(&serde_json::value::to_raw_value(object).expect("JSON"), "web").expect("decodes")
    }

    #[test]
    fn any_of_the_times_may_be_missing() {
        let about = json!({"kind": "Rollout", "name": "web"});
        let at = |text: &str| text.parse::<Timestamp>().ok();
        let made = json!({"name": "e", "uid": "1", "creationTimestamp": "2026-01-01T00:00:01Z"});
        let of = |more: &str| {
            let mut object: Value = serde_json::from_str(more).expect("JSON");
            object["metadata"] = made.clone();
            object["involvedObject"] = about.clone();
            event(&object).expect("about web")
        };
        assert_eq!(of("{}").at, at("2026-01-01T00:00:01Z"));
        assert_eq!(of(r#"{"eventTime": "2026-01-01T00:00:02.000001Z"}"#).at, at("2026-01-01T00:00:02.000001Z"));
        let last = of(r#"{"eventTime": null, "lastTimestamp": "2026-01-01T00:00:03Z", "count": 4, "type": "Warning"}"#);
        assert_eq!((last.at, last.count, last.warning), (at("2026-01-01T00:00:03Z"), 4, true));
        let series =
            of(r#"{"lastTimestamp": null, "series": {"count": 9, "lastObservedTime": "2026-01-01T00:00:04Z"}}"#);
        assert_eq!((series.at, series.count, series.warning), (at("2026-01-01T00:00:04Z"), 9, false));
    }

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
