//! Plays the ReplicaSet controller and the kubelets: pods come, get ready after a while, and go.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::store::{Key, Kind, Part, Store, time};

/// A ReplicaSet's pods.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub all: i64,
    pub ready: i64,
    pub available: i64,
}

fn pods_of(store: &Store, set: &Value) -> Vec<Key> {
    let namespace = set["metadata"]["namespace"].as_str().unwrap_or_default();
    store
        .list(Kind::Pod, Some(namespace))
        .filter(|(_, pod)| pod["metadata"]["ownerReferences"][0]["uid"] == set["metadata"]["uid"])
        .map(|(key, _)| key.clone())
        .collect()
}

pub(super) fn counts(set: &Value) -> Counts {
    let status = &set["status"];
    let number = |name: &str| status[name].as_i64().unwrap_or(0);
    Counts { all: number("replicas"), ready: number("readyReplicas"), available: number("availableReplicas") }
}

/// How long a pod takes to get ready, and which images never do.
#[derive(Clone, Debug)]
pub(super) struct Kubelet {
    pub ready_after: SignedDuration,
    pub broken_tags: Vec<String>,
}

/// Brings one ReplicaSet's pods nearer to its size. Returns when the next pod gets ready.
pub(super) fn reconcile(store: &mut Store, key: &Key, kubelet: &Kubelet, now: Timestamp) -> Option<Timestamp> {
    let set = store.get(key).ok()?.clone();
    let version = store.version();
    let mut pods = pods_of(store, &set);
    let wanted = usize::try_from(set["spec"]["replicas"].as_i64().unwrap_or(0)).unwrap_or(0);
    while pods.len() > wanted {
        // Those that are not ready go first.
        let not_ready = pods.iter().position(|key| store.get(key).is_ok_and(|pod| !is_ready(pod)));
        let gone = pods.remove(not_ready.unwrap_or(pods.len() - 1));
        let _ = store.delete(&gone);
    }
    while pods.len() < wanted {
        let name = format!("{}-{}", key.name, store.letters(5));
        let pod = Key::new(Kind::Pod, &key.namespace, &name);
        if store.create(pod.clone(), fresh(&set), now).is_ok() {
            pods.push(pod);
        }
    }
    let mut wake = None;
    let mut ready = 0_i64;
    for pod in &pods {
        let Ok(object) = store.get(pod).cloned() else { continue };
        if is_ready(&object) {
            ready += 1;
            continue;
        }
        let image = object["spec"]["containers"][0]["image"].as_str().unwrap_or_default();
        let broken = kubelet.broken_tags.iter().any(|tag| image.ends_with(&format!(":{tag}")));
        let created: Timestamp =
            object["metadata"]["creationTimestamp"].as_str().and_then(|t| t.parse().ok()).unwrap_or(now);
        let due = created + kubelet.ready_after;
        if broken {
            let _ = store.put(pod, Part::Whole, crashing(object));
        } else if due <= now {
            let _ = store.put(pod, Part::Whole, running(object, now));
            ready += 1;
        } else {
            wake = Some(wake.map_or(due, |w: Timestamp| w.min(due)));
        }
    }
    let mut set = store.get(key).ok()?.clone();
    let count = i64::try_from(pods.len()).unwrap_or(0);
    let number = |n: i64| if n == 0 { Value::Null } else { n.into() };
    set["status"] = json!({
        "replicas": count, "readyReplicas": number(ready), "availableReplicas": number(ready),
        "fullyLabeledReplicas": number(count), "observedGeneration": set["metadata"]["generation"],
    });
    store.put(key, Part::Whole, set).ok()?;
    if store.version() == version { wake } else { Some(now) }
}

fn fresh(set: &Value) -> Value {
    let template = &set["spec"]["template"];
    let image = &template["spec"]["containers"][0]["image"];
    let name = &template["spec"]["containers"][0]["name"];
    json!({
        "metadata": {
            "generateName": format!("{}-", set["metadata"]["name"].as_str().unwrap_or_default()),
            "labels": template["metadata"]["labels"],
            "ownerReferences": [{
                "apiVersion": "apps/v1", "kind": "ReplicaSet", "name": set["metadata"]["name"],
                "uid": set["metadata"]["uid"], "controller": true, "blockOwnerDeletion": true,
            }],
        },
        "spec": template["spec"],
        "status": {
            "phase": "Pending",
            "containerStatuses": [{
                "name": name, "image": image, "ready": false, "restartCount": 0,
                "state": {"waiting": {"reason": "ContainerCreating"}},
            }],
        },
    })
}

fn is_ready(pod: &Value) -> bool {
    pod["status"]["containerStatuses"][0]["ready"] == true
}

fn running(mut pod: Value, now: Timestamp) -> Value {
    pod["status"]["phase"] = "Running".into();
    pod["status"]["startTime"] = time(now).into();
    pod["status"]["conditions"] = json!([{"type": "Ready", "status": "True", "lastTransitionTime": time(now)}]);
    let container = &mut pod["status"]["containerStatuses"][0];
    container["ready"] = true.into();
    container["state"] = json!({"running": {"startedAt": time(now)}});
    pod
}

fn crashing(mut pod: Value) -> Value {
    pod["status"]["phase"] = "Running".into();
    let container = &mut pod["status"]["containerStatuses"][0];
    container["restartCount"] = 5.into();
    container["state"] = json!({"waiting": {"reason": "CrashLoopBackOff"}});
    pod
}
