//! Events as the cluster keeps them.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::call;
use super::client::Cluster;
use crate::domain::history::ClusterEvent;
use crate::domain::text::Clean;

/// How long reading them may take.
const READ: std::time::Duration = std::time::Duration::from_secs(5);

/// The most Events that are read of one object.
const EVENTS: usize = 500;

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Wire {
    metadata: Meta,
    involved_object: Involved,
    reason: Option<Clean>,
    message: Option<Clean>,
    #[serde(rename = "type")]
    kind: Option<Clean>,
    count: Option<i64>,
    first_timestamp: Option<Clean>,
    last_timestamp: Option<Clean>,
    event_time: Option<Clean>,
    series: Option<Series>,
    source: Option<Source>,
    reporting_component: Option<Clean>,
    reporting_instance: Option<Clean>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Meta {
    name: Clean,
    uid: Clean,
    creation_timestamp: Option<Clean>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Involved {
    kind: Option<Clean>,
    name: Option<Clean>,
    uid: Option<Clean>,
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
    host: Option<Clean>,
}

/// Reads one Event (core/v1). Any of its times may be missing; the latest that is there counts.
pub fn cluster_event(raw: &str) -> Result<ClusterEvent, serde_json::Error> {
    let event: Wire = serde_json::from_str(raw)?;
    let time = |text: Option<&Clean>| text.and_then(|t| t.as_str().parse::<Timestamp>().ok());
    let series = event.series.as_ref();
    let at = time(series.and_then(|s| s.last_observed_time.as_ref()))
        .or_else(|| time(event.last_timestamp.as_ref()))
        .or_else(|| time(event.event_time.as_ref()))
        .or_else(|| time(event.first_timestamp.as_ref()))
        .or_else(|| time(event.metadata.creation_timestamp.as_ref()));
    let source = event.source.unwrap_or_default();
    let filled = |text: Option<Clean>| text.filter(|t| !t.is_empty());
    let kind = event.involved_object.kind.unwrap_or_default();
    let name = event.involved_object.name.unwrap_or_default();
    Ok(ClusterEvent {
        uid: event.metadata.uid,
        at,
        reason: event.reason.unwrap_or_default(),
        message: event.message.unwrap_or_default(),
        warning: event.kind.is_some_and(|kind| kind == "Warning"),
        count: series.and_then(|s| s.count).or(event.count).unwrap_or(1),
        source: filled(source.component).or(filled(event.reporting_component)).unwrap_or_default(),
        instance: filled(event.reporting_instance).or(filled(source.host)).unwrap_or_default(),
        name: event.metadata.name,
        object: Clean::new(&format!("{kind}/{name}")),
        object_uid: event.involved_object.uid.unwrap_or_default(),
    })
}

impl Cluster {
    /// The Events about the object with this uid, oldest first; at most some hundred, the latest. Also says how many
    /// could not be read.
    pub async fn events_of(&self, namespace: &str, uid: &str) -> Result<(Vec<ClusterEvent>, usize), call::CallError> {
        #[derive(Deserialize)]
        struct List<'a> {
            #[serde(borrow, default)]
            items: Vec<&'a RawValue>,
        }
        let path = format!("/api/v1/namespaces/{namespace}/events?fieldSelector=involvedObject.uid%3D{uid}");
        let body = call::get(self.client(), &path, READ).await?;
        let list: List<'_> = serde_json::from_slice(&body)
            .map_err(|e| call::CallError::Foreign { code: 200, said: Clean::new(&e.to_string()) })?;
        let all = list.items.len();
        let mut events: Vec<ClusterEvent> =
            list.items.into_iter().filter_map(|raw| cluster_event(raw.get()).ok()).collect();
        let bad = all - events.len();
        // A server that does not select by uid tells everything.
        events.retain(|event| event.object_uid == uid);
        events.sort_by_key(|event| event.at);
        let extra = events.len().saturating_sub(EVENTS);
        events.drain(..extra);
        Ok((events, bad))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(event: &serde_json::Value) -> ClusterEvent {
        cluster_event(&event.to_string()).expect("an Event")
    }

    #[test]
    fn any_of_the_times_may_be_missing() {
        let at = |text: &str| text.parse::<Timestamp>().ok();
        let old = of(&serde_json::json!({"metadata": {"name": "e", "creationTimestamp": "2026-01-01T00:00:00Z"},
            "firstTimestamp": "2026-01-01T00:00:01Z", "lastTimestamp": "2026-01-01T00:00:09Z", "eventTime": null,
            "count": 4, "type": "Warning", "reason": "RolloutAborted", "message": "m", "source": {"component": "c"},
            "involvedObject": {"kind": "Rollout", "name": "web", "uid": "u"}}));
        assert_eq!((old.at, old.count, old.warning), (at("2026-01-01T00:00:09Z"), 4, true));
        assert_eq!((old.object.as_str(), old.object_uid.as_str(), old.source.as_str()), ("Rollout/web", "u", "c"));
        let new = of(&serde_json::json!({"metadata": {"name": "e"}, "lastTimestamp": null,
            "eventTime": "2026-01-01T00:00:03.123456Z", "series": {"count": 7, "lastObservedTime": null},
            "source": {}, "reportingComponent": "x", "reportingInstance": "i"}));
        assert_eq!((new.at, new.count, new.warning), (at("2026-01-01T00:00:03.123456Z"), 7, false));
        assert_eq!((new.source.as_str(), new.instance.as_str()), ("x", "i"));
        assert_eq!(of(&serde_json::json!({})).at, None);
    }
}
