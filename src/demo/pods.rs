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
    store.begin(now, "kube-controller-manager");
    let set = store.get(key).ok()?.clone();
    let mut pods: Vec<Key> = store.owned_by(&set, Kind::Pod).map(|(key, _)| key.clone()).collect();
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
        if store.create(&pod, fresh(&set)).is_ok() {
            pods.push(pod);
        }
    }
    let mut wake: Option<Timestamp> = None;
    let mut ready = 0_i64;
    for pod in &pods {
        let Ok(object) = store.get(pod).cloned() else { continue };
        if is_ready(&object) {
            ready += 1;
            continue;
        }
        // Someone turned it unready: it stays so, as with a fake kubelet on a real cluster.
        if said_unready(&object) {
            continue;
        }
        let image = object["spec"]["containers"][0]["image"].as_str().unwrap_or_default();
        let broken = kubelet.broken_tags.iter().any(|tag| image.rsplit_once(':').is_some_and(|(_, t)| t == tag));
        let created: Timestamp =
            object["metadata"]["creationTimestamp"].as_str().and_then(|t| t.parse().ok()).unwrap_or(now);
        let due = created + kubelet.ready_after;
        if due > now {
            wake = Some(wake.map_or(due, |w| w.min(due)));
        } else if broken {
            let _ = store.put(pod, Part::Whole, crashing(Value::clone(&object), created));
        } else {
            let _ = store.put(pod, Part::Whole, running(Value::clone(&object), now));
            ready += 1;
        }
    }
    let count = i64::try_from(pods.len()).unwrap_or(0);
    let number = |n: i64| if n == 0 { Value::Null } else { n.into() };
    let mut set = Value::clone(&set);
    set["status"] = json!({
        "replicas": count, "readyReplicas": number(ready), "availableReplicas": number(ready),
        "fullyLabeledReplicas": number(count), "observedGeneration": set["metadata"]["generation"],
    });
    store.put(key, Part::Status, set).ok()?;
    wake
}

/// Plays as much of the Deployment controller as a rollout that takes its template from one shows: its spec is seen.
pub(super) fn deployment(store: &mut Store, key: &Key, now: Timestamp) {
    store.begin(now, "kube-controller-manager");
    let Some(mut deployment) = store.copy(key) else { return };
    let replicas = deployment["spec"]["replicas"].as_i64().unwrap_or(1);
    let count = if replicas == 0 { Value::Null } else { replicas.into() };
    deployment["status"] = json!({
        "observedGeneration": deployment["metadata"]["generation"], "replicas": count, "updatedReplicas": count,
        "readyReplicas": count, "availableReplicas": count,
    });
    let _ = store.put(key, Part::Status, deployment);
}

fn fresh(set: &Value) -> Value {
    let template = &set["spec"]["template"];
    let waiting = |container: &Value| {
        json!({
            "name": container["name"], "image": container["image"], "ready": false, "restartCount": 0,
            "state": {"waiting": {"reason": "ContainerCreating"}},
        })
    };
    let containers = template["spec"]["containers"].as_array().into_iter().flatten();
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
        "status": {"phase": "Pending", "containerStatuses": containers.map(waiting).collect::<Vec<_>>()},
    })
}

fn said_unready(pod: &Value) -> bool {
    let conditions = pod["status"]["conditions"].as_array();
    conditions.is_some_and(|all| all.iter().any(|c| c["type"] == "Ready" && c["status"] == "False"))
}

/// Whether a pod counts.
pub(super) fn is_ready(pod: &Value) -> bool {
    !said_unready(pod)
        && pod["status"]["containerStatuses"].as_array().is_some_and(|all| all.iter().all(|c| c["ready"] == true))
}

fn containers(pod: &mut Value) -> impl Iterator<Item = &mut Value> {
    pod["status"]["containerStatuses"].as_array_mut().into_iter().flatten()
}

fn running(mut pod: Value, now: Timestamp) -> Value {
    pod["status"]["phase"] = "Running".into();
    pod["status"]["startTime"] = time(now).into();
    pod["status"]["conditions"] = json!([{"type": "Ready", "status": "True", "lastTransitionTime": time(now)}]);
    for container in containers(&mut pod) {
        container["ready"] = true.into();
        container["state"] = json!({"running": {"startedAt": time(now)}});
    }
    pod
}

fn crashing(mut pod: Value, since: Timestamp) -> Value {
    let ended = since + SignedDuration::from_secs(4);
    pod["status"]["phase"] = "Running".into();
    pod["status"]["startTime"] = time(since).into();
    for container in containers(&mut pod) {
        container["restartCount"] = 5.into();
        container["state"] = json!({"waiting": {"reason": "CrashLoopBackOff"}});
        let last = json!({"exitCode": 1, "reason": "Error", "startedAt": time(since), "finishedAt": time(ended)});
        container["lastState"] = json!({"terminated": last});
    }
    pod
}
