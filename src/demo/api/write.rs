//! Writes: create, replace, patch, delete, scale and evict, each done or refused as the real server does.

use std::sync::Arc;

use http::Method;
use serde_json::{Value, json};

use super::key_of;
use super::place::{Place, Query, Sub};
use crate::demo::Shared;
use crate::demo::answer::{self, Refusal};
use crate::demo::patch::{Operation, json_patch, merge};
use crate::demo::store::{Key, Kind, Part, Store};

/// A write as it was asked for.
pub(super) struct Asked<'a> {
    pub method: &'a Method,
    pub place: &'a Place,
    pub media: &'a str,
    /// The `User-Agent`: the server takes the manager from it when no other is named.
    pub agent: &'a str,
    pub query: &'a Query,
    pub body: &'a [u8],
}

type Done = Result<(u16, Value), Refusal>;

impl Asked<'_> {
    fn manager(&self) -> String {
        let named = self.query.get("fieldManager").filter(|name| !name.is_empty());
        let agent = self.agent.split('/').next().filter(|agent| !agent.is_empty());
        named.or(agent).unwrap_or("unknown").to_owned()
    }

    fn document(&self) -> Result<Value, Refusal> {
        serde_json::from_slice(self.body).map_err(|e| answer::bad_request(&format!("error decoding patch: {e}")))
    }

    fn part(&self) -> Part {
        if self.place.sub == Sub::Status { Part::Status } else { Part::Main }
    }
}

/// The scale of an object, as its path of that name tells it.
pub(super) fn scale_of(object: &Value) -> Value {
    let meta = &object["metadata"];
    json!({
        "kind": "Scale", "apiVersion": "autoscaling/v1",
        "metadata": {
            "name": meta["name"], "namespace": meta["namespace"], "uid": meta["uid"],
            "resourceVersion": meta["resourceVersion"], "creationTimestamp": meta["creationTimestamp"],
        },
        "spec": {"replicas": object["spec"]["replicas"]},
        "status": {
            "replicas": object["status"]["HPAReplicas"].as_i64().or(object["status"]["replicas"].as_i64()).unwrap_or(0),
            "selector": object["status"]["selector"],
        },
    })
}

/// Does one write, or pretends to.
pub(super) fn write(shared: &Shared, asked: &Asked<'_>) -> Done {
    let now = (shared.clock)();
    let manager = asked.manager();
    shared.sim(|sim| {
        if asked.query.get("dryRun") == Some("All") {
            // The way of a write, on a world that is then forgotten.
            return one(sim.store.clone().begin(now, &manager), asked);
        }
        one(sim.store.begin(now, &manager), asked)
    })
}

fn told(code: u16, object: &Arc<Value>) -> (u16, Value) {
    (code, Value::clone(object))
}

fn one(store: &mut Store, asked: &Asked<'_>) -> Done {
    match *asked.method {
        Method::POST if asked.place.sub == Sub::Eviction => {
            store.delete(&key_of(asked.place)?)?;
            Ok((201, json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201})))
        }
        Method::POST if asked.place.name.is_none() => create(store, asked),
        Method::PUT => {
            let key = key_of(asked.place)?;
            if asked.place.sub == Sub::Scale {
                return scale(store, &key, &asked.document()?);
            }
            store.replace(&key, asked.part(), asked.document()?).map(|object| told(200, &object))
        }
        Method::PATCH => patch(store, asked),
        Method::DELETE => delete(store, asked),
        _ => Err(answer::not_allowed()),
    }
}

fn create(store: &mut Store, asked: &Asked<'_>) -> Done {
    let object = asked.document()?;
    let namespace = asked.place.namespace.as_deref().unwrap_or_default();
    if asked.place.kind.namespaced() {
        if namespace.is_empty() {
            return Err(answer::not_allowed());
        }
        store.get(&Key::new(Kind::Namespace, "", namespace))?;
    }
    let mut name = object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    if name.is_empty() {
        let prefix = object["metadata"]["generateName"].as_str().unwrap_or_default();
        if prefix.is_empty() {
            return Err(answer::bad_request("resource name may not be empty"));
        }
        name = format!("{prefix}{}", store.letters(5));
    }
    store.create(&Key::new(asked.place.kind, namespace, &name), object).map(|object| told(201, &object))
}

fn scale(store: &mut Store, key: &Key, wanted: &Value) -> Done {
    let mut object = Value::clone(store.get(key)?);
    let replicas = wanted["spec"]["replicas"].as_i64().filter(|n| *n >= 0);
    object["spec"]["replicas"] = replicas.ok_or_else(answer::unprocessable)?.into();
    let version = &wanted["metadata"]["resourceVersion"];
    if !version.is_null() {
        object["metadata"]["resourceVersion"] = version.clone();
    }
    store.put(key, Part::Main, object).map(|object| (200, scale_of(&object)))
}

fn patch(store: &mut Store, asked: &Asked<'_>) -> Done {
    let key = key_of(asked.place)?;
    let stored = Value::clone(store.get(&key)?);
    let found = if asked.place.sub == Sub::Scale { scale_of(&stored) } else { stored };
    let wanted = match asked.media.split(';').next().unwrap_or_default() {
        "application/json-patch+json" => {
            let operations: Vec<Operation> = serde_json::from_slice(asked.body)
                .map_err(|e| answer::bad_request(&format!("error decoding patch: {e}")))?;
            json_patch(&found, &operations).map_err(|_| answer::unprocessable())?
        }
        // What a strategic merge does differently, lists with keys, is not met on the built-in kinds that are patched here.
        media @ ("application/merge-patch+json" | "application/strategic-merge-patch+json")
            if !(key.kind.custom() && media.contains("strategic")) =>
        {
            let mut wanted = found;
            merge(&mut wanted, &asked.document()?);
            wanted
        }
        _ => return Err(answer::media_type()),
    };
    if asked.place.sub == Sub::Scale {
        return scale(store, &key, &wanted);
    }
    store.put(&key, asked.part(), wanted).map(|object| told(200, &object))
}

fn delete(store: &mut Store, asked: &Asked<'_>) -> Done {
    let key = key_of(asked.place)?;
    let options: Value = serde_json::from_slice(asked.body).unwrap_or_default();
    let object = store.get(&key)?.clone();
    let wanted = &options["preconditions"]["uid"];
    if !wanted.is_null() && *wanted != object["metadata"]["uid"] {
        return Err(answer::conflict(key.kind.plural(), key.kind.group(), &key.name));
    }
    let gone = store.delete(&key)?;
    if store.get(&key).is_ok() {
        return Ok(told(200, &gone));
    }
    let details = json!({
        "name": key.name, "group": key.kind.group(), "kind": key.kind.plural(), "uid": gone["metadata"]["uid"],
    });
    Ok((200, json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details})))
}
