//! Kubernetes Events as controllers write them: one object for each happening of a kind, counted when it repeats, gone
//! after an hour.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::store::{Key, Kind, Part, Store, letters, time};

/// How long the server keeps an event.
pub(super) const KEPT: SignedDuration = SignedDuration::from_hours(1);

/// Writes an event about `object`. `warning` as Kubernetes has two types.
pub(super) fn record(store: &mut Store, object: &Value, warning: bool, reason: &str, message: &str) {
    let now = store.now();
    if now < store.events_from {
        return;
    }
    let meta = &object["metadata"];
    let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
    let (namespace, name) = (text(&meta["namespace"]), text(&meta["name"]));
    let number = hash(&format!("{}{reason}{message}", text(&meta["uid"])));
    let key = Key::new(Kind::Event, &namespace, &format!("{name}.{}", letters(number, 12)));
    if let Some(mut again) = store.copy(&key) {
        again["count"] = (again["count"].as_i64().unwrap_or(1) + 1).into();
        again["lastTimestamp"] = time(now).into();
        // Nobody else writes between reading and writing.
        let _ = store.put(&key, Part::Whole, again);
        return;
    }
    let by = store.writer().to_owned();
    let event = json!({
        "involvedObject": {
            "apiVersion": object["apiVersion"], "kind": object["kind"], "namespace": namespace, "name": name,
            "uid": meta["uid"], "resourceVersion": meta["resourceVersion"],
        },
        "reason": reason, "message": message, "type": if warning { "Warning" } else { "Normal" }, "count": 1,
        "firstTimestamp": time(now), "lastTimestamp": time(now), "source": {"component": by},
        "reportingComponent": by, "reportingInstance": "",
    });
    let _ = store.create(&key, event);
}

/// Takes away what is older than an hour.
pub(super) fn expire(store: &mut Store, now: Timestamp) {
    let old = |event: &Value| {
        let last = event["lastTimestamp"].as_str().and_then(|t| t.parse::<Timestamp>().ok());
        last.is_some_and(|last| last + KEPT < now)
    };
    let gone: Vec<Key> = store.list(Kind::Event, None).filter(|(_, e)| old(e)).map(|(key, _)| key.clone()).collect();
    for key in gone {
        let _ = store.delete(&key);
    }
}

/// A number for a text, the same on every machine.
pub(super) fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
