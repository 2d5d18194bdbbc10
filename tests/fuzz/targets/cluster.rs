//! What an API server and a Rollouts controller may send.

use http::StatusCode;
use serde_json::{Value, json};

use super::{assert_clean, captured, complaint, plain, raw};
use crate::domain::ids::ClusterId;
use crate::domain::seen::Seen;
use crate::domain::text::Clean;
use crate::systems::argo_rollouts::decode as argo;
use crate::systems::kubernetes::call::CallError;
use crate::systems::kubernetes::timings::Timings;
use crate::systems::kubernetes::watch::Resource;
use crate::systems::kubernetes::{decode, events, history, logs, managed, yaml};

pub(super) fn rollout(input: &[u8]) {
    let Some(raw) = raw(input) else { return };
    match argo::rollout(raw, &ClusterId("c".into())) {
        Ok(rollout) => {
            assert_clean(&rollout);
            // What every screen derives from it.
            plain(rollout.status().1.as_str());
            let _ = (rollout.current_step(), rollout.fully_promoted(), rollout.cut_over(), rollout.first_release());
            assert_clean(&Seen::of(&rollout, jiff::Timestamp::UNIX_EPOCH).evidence());
        }
        Err(bad) => complaint(&bad),
    }
}

pub(super) fn replica_set(input: &[u8]) {
    match raw(input).map(decode::replica_set) {
        Some(Ok(set)) => assert_clean(&set),
        Some(Err(bad)) => complaint(&bad),
        None => {}
    }
}

pub(super) fn pods() -> Vec<Vec<u8>> {
    let mut pod = json!({
        "metadata": {"name": "p", "namespace": "shop", "uid": "u", "creationTimestamp": "2026-11-25T10:00:00Z",
            "labels": {"rollouts-pod-template-hash": "abc"}, "deletionTimestamp": null,
            "ownerReferences": [{"kind": "ReplicaSet", "name": "rs", "uid": "r", "controller": true}]},
        "spec": {"containers": [{"name": "app", "image": "a:1"}], "nodeName": "n"},
        "status": {"phase": "Running", "reason": "Evicted", "startTime": "2026-11-25T10:00:00Z",
            "conditions": [{"type": "Ready", "status": "True"}],
            "containerStatuses": [{"name": "app", "ready": true, "restartCount": 3, "image": "a:1",
                "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}},
                "lastState": {"terminated": {"exitCode": 137, "reason": "OOMKilled", "finishedAt": "2026-11-25T10:00:00Z"}}}]},
    });
    let first = pod.to_string().into_bytes();
    pod["status"]["containerStatuses"][0]["state"] = json!({"running": {"startedAt": "2026-11-25T10:00:00Z"}});
    let mut all = vec![first, pod.to_string().into_bytes()];
    all.extend(captured("replicaSets").into_iter().take(3));
    all
}

pub(super) fn pod(input: &[u8]) {
    match raw(input).map(decode::pod) {
        Some(Ok(pod)) => assert_clean(&pod),
        Some(Err(bad)) => complaint(&bad),
        None => {}
    }
}

/// The uid that the object itself names as its owner's, so that it is one of ours.
pub(super) fn owner(input: &[u8]) -> Clean {
    let value: Value = serde_json::from_slice(input).unwrap_or_default();
    Clean::new(value["metadata"]["ownerReferences"][0]["uid"].as_str().unwrap_or_default())
}

pub(super) fn analysis_run(input: &[u8]) {
    match raw(input).map(|raw| argo::runs::of(raw, &owner(input))) {
        Some(Ok(run)) => assert_clean(&run),
        Some(Err(bad)) => complaint(&bad),
        None => {}
    }
}

pub(super) fn experiment(input: &[u8]) {
    match raw(input).map(|raw| argo::experiments::of(raw, &owner(input))) {
        Some(Ok(experiment)) => assert_clean(&experiment),
        Some(Err(bad)) => complaint(&bad),
        None => {}
    }
}

pub(super) fn event_seeds() -> Vec<Vec<u8>> {
    let old = json!({
        "metadata": {"name": "e", "namespace": "shop", "uid": "u", "creationTimestamp": "2026-11-25T10:00:00Z"},
        "involvedObject": {"kind": "Rollout", "name": "payments", "uid": "uid-1"},
        "reason": "RolloutStepCompleted", "message": "step 2 of 5", "type": "Normal", "source": {"component": "c"},
        "count": 3, "firstTimestamp": "2026-11-25T10:00:00Z", "lastTimestamp": "2026-11-25T10:05:00Z",
    });
    let new = json!({
        "metadata": {"name": "e", "namespace": "shop", "uid": "u"}, "eventTime": "2026-11-25T10:00:00.000001Z",
        "involvedObject": {"kind": "ReplicaSet", "name": "payments-abc"}, "reason": "R", "note": "n", "type": "Warning",
        "series": {"count": 7, "lastObservedTime": "2026-11-25T10:00:00.5Z"}, "reportingController": "c",
    });
    vec![old.to_string().into_bytes(), new.to_string().into_bytes()]
}

pub(super) fn event(input: &[u8]) {
    let Some(raw) = raw(input) else { return };
    match events::of(raw, "payments") {
        Ok(event) => assert_clean(&event),
        Err(bad) => complaint(&bad),
    }
    if let Ok(event) = history::cluster_event(raw) {
        assert_clean(&event);
    }
}

pub(super) fn managed_fields(input: &[u8]) {
    let Some(raw) = raw(input) else { return };
    assert_clean(&managed::managers(raw));
}

pub(super) fn annotations() -> Vec<Vec<u8>> {
    [
        "shop:argoproj.io/Rollout:shop/payments",
        "argocd_shop:argoproj.io/Rollout:shop/payments",
        "a_b_c:apps/Deployment:x/y",
        ":/:/",
    ]
    .map(|text| text.as_bytes().to_vec())
    .into()
}

pub(super) fn argo_cd(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let mut object: Value = serde_json::from_slice(&captured_once()).expect("JSON");
    for key in ["argocd.argoproj.io/tracking-id", "meta.helm.sh/release-name", "rollout.argoproj.io/revision"] {
        object["metadata"]["annotations"][key] = text.as_ref().into();
    }
    object["metadata"]["labels"]["app.kubernetes.io/instance"] = text.as_ref().into();
    rollout(object.to_string().as_bytes());
}

pub(super) fn captured_once() -> Vec<u8> {
    include_bytes!("../../bench/rollout.json").to_vec()
}

pub(super) fn frames() -> Vec<Vec<u8>> {
    let object: Value = serde_json::from_slice(&captured_once()).expect("JSON");
    let mut all: Vec<Vec<u8>> = ["ADDED", "MODIFIED", "DELETED"]
        .iter()
        .map(|kind| json!({"type": kind, "object": object}).to_string().into_bytes())
        .collect();
    all.push(br#"{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"7"}}}"#.to_vec());
    let gone = json!({"kind": "Status", "code": 410, "reason": "Expired", "message": "too old resource version"});
    all.push(json!({"type": "ERROR", "object": gone}).to_string().into_bytes());
    all
}

pub(super) fn frame(input: &[u8]) {
    thread_local! {
        static GROUND: (tokio::runtime::Runtime, kube::Client) = {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            let client = runtime.block_on(async {
                let config = kube::Config::new("http://127.0.0.1:1".parse().expect("an address"));
                kube::Client::try_from(config).expect("a client")
            });
            (runtime, client)
        };
    }
    GROUND.with(|(runtime, client)| {
        let cluster = ClusterId("c".into());
        let decode = |raw: &str| argo::rollout(raw, &cluster).map(Some);
        let resource =
            Resource { client, path: "/x", labels: "", fields: "", decode: &decode, timings: Timings::default() };
        runtime.block_on(async {
            let mut version = "1".to_owned();
            for line in input.split(|b| *b == b'\n') {
                let _ = resource.frame(line, &mut version, &mut async |_| true).await;
            }
        });
    });
}

pub(super) fn errors() -> Vec<Vec<u8>> {
    let status = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": "no",
        "reason": "Forbidden", "code": 403, "details": {"retryAfterSeconds": 3, "causes": [{"message": "m"}]}});
    vec![
        status.to_string().into_bytes(),
        b"<html><h1>502 Bad Gateway</h1></html>".to_vec(),
        br#"{"error":"login"}"#.to_vec(),
    ]
}

pub(super) fn api_error(input: &[u8]) {
    let code = u16::from(input.first().copied().unwrap_or(0)) * 3 + 100;
    let code = StatusCode::from_u16(code.min(999)).expect("three digits");
    let error = CallError::of_answer(code, None, input);
    plain(&error.to_string());
    let _ = Timings::default().wait(&error, u32::try_from(input.len()).unwrap_or(u32::MAX));
    plain(&CallError::of_frame(&String::from_utf8_lossy(input)).to_string());
}

pub(super) fn log_lines() -> Vec<Vec<u8>> {
    vec![
        b"2026-01-01T00:00:01.5Z hello\r\n2026-01-01T00:00:02Z gr\xc3\xb6\xc3\x9fer\nno time here\nlast".to_vec(),
        b"\x1b[2J\xff\xfe\n\n\r\n2026-01-01T00:00:03Z\n".to_vec(),
    ]
}

pub(super) fn log(input: &[u8]) {
    let cut = |size: usize| {
        let mut cutter = logs::Cutter::new(80);
        let mut lines: Vec<_> = input.chunks(size).flat_map(|piece| cutter.put(piece)).collect();
        lines.extend(cutter.rest());
        lines
    };
    let whole = cut(usize::MAX);
    let pieces = cut(1 + input.len() % 7);
    assert!(whole.iter().map(|l| (&l.at, &l.text)).eq(pieces.iter().map(|l| (&l.at, &l.text))), "pieces do not matter");
    for line in &whole {
        plain(line.text.as_str());
    }
}

pub(super) fn as_yaml(input: &[u8]) {
    let Ok(mut value) = serde_json::from_slice::<Value>(input) else { return };
    yaml::fold_managed_fields(&mut value);
    if let Ok(text) = yaml::text(&value) {
        for line in yaml::lines(&text) {
            plain(line.as_str());
        }
    }
}
