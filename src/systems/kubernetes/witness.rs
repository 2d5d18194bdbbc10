//! The cluster as a witness: it keeps the heads of audit logs in a `ConfigMap`, and acts as Events.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use serde::Deserialize;
use serde_json::{Value, json};

use super::call::{self, CallError};
use super::client::Cluster;
use super::housekeeping::{WITNESS, Write};
use crate::audit::{ActNote, Head, Holds, Witness, WitnessError, Witnessed};
use crate::domain::text::Clean;

/// How long reading a witness may take.
const READ: Duration = Duration::from_secs(5);

/// How often a write is tried that others were faster with. This is housekeeping, not an act.
const TRIES: usize = 4;

/// The most heads that one `ConfigMap` keeps; beyond that those told longest ago go.
const HEADS: usize = 500;

/// An Event's message may be a little longer than this.
const MESSAGE: usize = 1000;

/// One cluster as a witness.
pub struct ClusterWitness {
    cluster: Arc<Cluster>,
}

/// A head, and the namespace that it stands in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The namespace.
    pub namespace: Clean,
    /// The head.
    pub head: Head,
}

/// What the witnesses of a cluster keep.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Heads {
    /// All heads that could be read.
    pub standing: Vec<Standing>,
    /// What could not be read, and why.
    pub unread: Vec<Clean>,
}

#[derive(Deserialize)]
struct ConfigMap {
    #[serde(default)]
    metadata: Meta,
    #[serde(default)]
    data: Option<BTreeMap<String, String>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Meta {
    namespace: Clean,
}

fn failed(error: &CallError) -> WitnessError {
    match error.code() {
        Some(401 | 403) => WitnessError::MayNot(error.to_string()),
        _ => WitnessError::Failed(error.to_string()),
    }
}

impl ClusterWitness {
    /// On this cluster.
    pub fn new(cluster: Arc<Cluster>) -> Self {
        Self { cluster }
    }

    /// The heads in all namespaces that may be read; where listing them all is not allowed, those in `namespaces`.
    pub async fn heads(&self, namespaces: &[String]) -> Heads {
        #[derive(Deserialize)]
        struct List {
            items: Vec<ConfigMap>,
        }
        let mut heads = Heads::default();
        let all = format!("{}?fieldSelector=metadata.name%3D{WITNESS}", self.cluster.scope("/api/v1", "configmaps"));
        match call::get(self.cluster.client(), &all, READ).await {
            Ok(body) => match serde_json::from_slice::<List>(&body) {
                Ok(list) => list.items.iter().for_each(|map| heads.add(map)),
                Err(e) => heads.unread.push(Clean::new(&format!("the list of {WITNESS}: {e}"))),
            },
            Err(CallError::Status { code: 403, .. }) if self.cluster.namespace.is_none() => {
                for namespace in namespaces {
                    self.heads_in(namespace, &mut heads).await;
                }
            }
            Err(error) => heads.unread.push(Clean::new(&error.to_string())),
        }
        heads
    }

    async fn heads_in(&self, namespace: &str, heads: &mut Heads) {
        match call::get(self.cluster.client(), &path(namespace), READ).await {
            Ok(body) => match serde_json::from_slice::<ConfigMap>(&body) {
                Ok(map) => heads.add(&map),
                Err(e) => heads.unread.push(Clean::new(&format!("{namespace}/{WITNESS}: {e}"))),
            },
            Err(CallError::Status { code: 404, .. }) => {}
            Err(error) => heads.unread.push(Clean::new(&format!("{namespace}/{WITNESS}: {error}"))),
        }
    }

    async fn put(&self, namespace: &str, head: &Head, holds: Holds<'_>) -> Result<Witnessed, WitnessError> {
        let key = head.key();
        let value = serde_json::to_string(head).unwrap_or_default();
        let mut last = None;
        for _ in 0..TRIES {
            let found = call::get(self.cluster.client(), &path(namespace), READ).await;
            let sent = match found {
                Ok(body) => {
                    let mut map: Value = serde_json::from_slice(&body)
                        .map_err(|e| WitnessError::Failed(format!("{namespace}/{WITNESS}: {e}")))?;
                    if let Some(said) = standing(&map, &key, head, holds)? {
                        return Ok(said);
                    }
                    map["data"][&key] = value.clone().into();
                    thin_out(&mut map["data"], &key);
                    self.cluster.housekeep(Write::ReplaceWitness, namespace, &map).await
                }
                Err(CallError::Status { code: 404, .. }) => {
                    let map = json!({
                        "apiVersion": "v1", "kind": "ConfigMap",
                        "metadata": {"name": WITNESS, "namespace": namespace,
                            "labels": {"app.kubernetes.io/managed-by": "flightdeck"}},
                        "data": {&key: &value},
                    });
                    self.cluster.housekeep(Write::CreateWitness, namespace, &map).await
                }
                Err(error) => return Err(failed(&error)),
            };
            match sent {
                Ok(_) => return Ok(Witnessed::Stands),
                // Somebody was faster: look again.
                Err(error @ CallError::Status { code: 409, .. }) => last = Some(error),
                Err(error) => return Err(failed(&error)),
            }
        }
        let why = last.map_or_else(String::new, |e| e.to_string());
        Err(WitnessError::Failed(format!("{namespace}/{WITNESS}: others were faster {TRIES} times ({why})")))
    }

    async fn tell(&self, note: &ActNote) -> Result<(), WitnessError> {
        let event = event(note);
        self.cluster.housekeep(Write::CreateEvent, &note.namespace, &event).await.map(drop).map_err(|e| failed(&e))
    }
}

impl Heads {
    fn add(&mut self, map: &ConfigMap) {
        for (key, value) in map.data.iter().flatten() {
            match serde_json::from_str::<Head>(value) {
                Ok(head) => self.standing.push(Standing { namespace: map.metadata.namespace.clone(), head }),
                Err(e) => {
                    let why = format!("{}/{WITNESS}, {key}: {e}", map.metadata.namespace);
                    self.unread.push(Clean::new(&why));
                }
            }
        }
    }
}

fn path(namespace: &str) -> String {
    format!("/api/v1/namespaces/{namespace}/configmaps/{WITNESS}")
}

/// What the head that stands there already means; `None` = ours may take its place.
fn standing(map: &Value, key: &str, head: &Head, holds: Holds<'_>) -> Result<Option<Witnessed>, WitnessError> {
    let Some(text) = map["data"][key].as_str() else { return Ok(None) };
    let there: Head = serde_json::from_str(text)
        .map_err(|e| WitnessError::Failed(format!("what {WITNESS} keeps of this log cannot be read: {e}")))?;
    Ok(if !holds(there.seq, &there.hash) {
        Some(Witnessed::Missing(there))
    } else if there.seq >= head.seq {
        Some(Witnessed::Later)
    } else {
        None
    })
}

/// Keeps the map from growing for ever: heads told longest ago go first, never the one at hand.
fn thin_out(data: &mut Value, keep: &str) {
    let Some(data) = data.as_object_mut() else { return };
    while data.len() > HEADS {
        let told = |text: &Value| {
            text.as_str().and_then(|t| serde_json::from_str::<Head>(t).ok()).map_or_else(String::new, |h| h.time)
        };
        let oldest = data.iter().filter(|(key, _)| *key != keep).min_by_key(|(_, text)| told(text));
        let Some(oldest) = oldest.map(|(key, _)| key.clone()) else { return };
        data.remove(&oldest);
    }
}

/// An act as a core/v1 Event on its target.
fn event(note: &ActNote) -> Value {
    let api = if note.kind == "Rollout" { "argoproj.io/v1alpha1" } else { "apps/v1" };
    let mut end = note.message.len().min(MESSAGE);
    while !note.message.is_char_boundary(end) {
        end -= 1;
    }
    let at = note.at.parse::<jiff::Timestamp>().ok().and_then(|t| t.round(jiff::Unit::Second).ok());
    let at = at.map_or(Value::Null, |t| t.to_string().into());
    json!({
        "apiVersion": "v1", "kind": "Event",
        "metadata": {"name": format!("flightdeck.{}", note.act), "namespace": note.namespace},
        "involvedObject": {"apiVersion": api, "kind": note.kind, "namespace": note.namespace, "name": note.name,
            "uid": note.uid},
        "reason": "FlightdeckAct", "message": note.message[..end],
        "type": if note.warning { "Warning" } else { "Normal" },
        "action": note.op, "count": 1, "firstTimestamp": at, "lastTimestamp": at,
        "source": {"component": "flightdeck"}, "reportingComponent": "flightdeck",
        "reportingInstance": note.log,
    })
}

impl Witness for ClusterWitness {
    fn head<'a>(
        &'a self,
        namespace: &'a str,
        head: &'a Head,
        holds: Holds<'a>,
    ) -> BoxFuture<'a, Result<Witnessed, WitnessError>> {
        self.put(namespace, head, holds).boxed()
    }

    fn act<'a>(&'a self, note: &'a ActNote) -> BoxFuture<'a, Result<(), WitnessError>> {
        self.tell(note).boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(seq: u64, hash: &str) -> Head {
        Head { seq, hash: hash.into(), host: "h".into(), log: "l".into(), ..Head::default() }
    }

    #[test]
    fn what_stands_there_is_replaced_only_by_a_later_head_of_a_log_that_holds_it() {
        let map = |head: &Head| json!({"data": {"h_l": serde_json::to_string(head).expect("JSON")}});
        let holds = |seq: u64, hash: &str| seq <= 5 && hash == "good";
        let said = |map: &Value| standing(map, "h_l", &head(5, "good"), &holds);
        assert_eq!(said(&json!({})), Ok(None));
        assert_eq!(said(&map(&head(4, "good"))), Ok(None));
        assert_eq!(said(&map(&head(5, "good"))), Ok(Some(Witnessed::Later)));
        assert_eq!(said(&map(&head(4, "bad"))), Ok(Some(Witnessed::Missing(head(4, "bad")))));
        assert_eq!(said(&map(&head(9, "good"))), Ok(Some(Witnessed::Missing(head(9, "good")))));
        assert!(said(&json!({"data": {"h_l": "nonsense"}})).is_err(), "it is not overwritten");
    }

    #[test]
    fn the_oldest_heads_go_first_and_never_ours() {
        let mut data = json!({});
        for n in 0..HEADS + 20 {
            let head = Head { time: format!("2026-01-01T00:{:02}:{:02}Z", n / 60, n % 60), ..head(1, "x") };
            data[format!("key-{n:04}")] = serde_json::to_string(&head).expect("JSON").into();
        }
        thin_out(&mut data, "key-0000");
        let left = data.as_object().expect("a map");
        assert_eq!(left.len(), HEADS);
        assert!(left.contains_key("key-0000") && !left.contains_key("key-0001") && left.contains_key("key-0519"));
    }

    #[test]
    fn a_long_message_is_cut_between_characters() {
        let note = ActNote { message: "ü".repeat(900), ..ActNote::default() };
        let event = event(&note);
        assert_eq!(event["message"].as_str().map(str::len), Some(MESSAGE));
    }
}
