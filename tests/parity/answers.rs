//! Single requests, and what the server says to them word for word.

use serde_json::{Value, json};

use super::{Side, Transcript, names, plain, said};

/// The answers to single requests, right and wrong.
pub(super) async fn play(side: &Side, lines: &mut Transcript) {
    let ro = side.paused("raw").await;
    let names = names(&ro);
    let status = &ro["status"];
    let test = |path: &str, value: Value| json!({"op": "test", "path": path, "value": value});
    let clear = json!({"op": "add", "path": "/status/pauseConditions", "value": null});
    let tests = [
        ("uid", test("/metadata/uid", ro["metadata"]["uid"].clone()), test("/metadata/uid", "other".into())),
        (
            "generation",
            test("/metadata/generation", ro["metadata"]["generation"].clone()),
            test("/metadata/generation", 1000.into()),
        ),
        (
            "pod hash",
            test("/status/currentPodHash", status["currentPodHash"].clone()),
            test("/status/currentPodHash", "other".into()),
        ),
        (
            "step",
            test("/status/currentStepIndex", status["currentStepIndex"].clone()),
            test("/status/currentStepIndex", 3.into()),
        ),
        (
            "pause",
            test("/status/pauseConditions", status["pauseConditions"].clone()),
            test("/status/pauseConditions", json!([])),
        ),
        ("abort", test("/status/abort", status["abort"].clone()), test("/status/abort", true.into())),
    ];
    let json_patch = "application/json-patch+json";
    let of_status = format!("{}/status?fieldManager=flightdeck", side.path("raw"));
    for (wrong, _, _) in &tests {
        let mut operations: Vec<Value> = tests
            .iter()
            .map(|(name, right, other)| if name == wrong { other.clone() } else { right.clone() })
            .collect();
        operations.push(clear.clone());
        let answer = side.send("PATCH", &of_status, json_patch, &Value::Array(operations).to_string()).await;
        lines.push(plain(&format!("resume with a wrong {wrong}: {}", said(&answer)), &names));
    }
    for (what, part, operations) in [
        ("a test for null on an absent field", "/status", json!([test("/status/nope", Value::Null)])),
        ("a test for false on an absent field", "/status", json!([test("/status/abort", false.into())])),
        ("a test under an absent parent", "/status", json!([test("/status/nope/deeper", Value::Null)])),
        ("removing what is not there", "/status", json!([{"op": "remove", "path": "/status/nope"}])),
        (
            "replacing what is not there",
            "/status",
            json!([{"op": "replace", "path": "/status/abortedAt", "value": "2026-01-01T00:00:00Z"}]),
        ),
        ("the status tested on the main resource", "", json!([test("/status/currentStepIndex", 1.into())])),
        ("the status changed on the main resource", "", json!([{"op": "add", "path": "/status/abort", "value": true}])),
        ("the spec changed on the status", "/status", json!([{"op": "add", "path": "/spec/paused", "value": true}])),
        (
            "an annotation on the status",
            "/status",
            json!([{"op": "add", "path": "/metadata/annotations/x", "value": "y"}]),
        ),
    ] {
        let path = format!("{}{part}", side.path("raw"));
        let answer = side.send("PATCH", &path, json_patch, &operations.to_string()).await;
        let ro = &answer.1;
        let left = format!(
            "aborted {} paused {} x {}",
            ro["status"]["abort"], ro["spec"]["paused"], ro["metadata"]["annotations"]["x"]
        );
        let left = if answer.0 == 200 { left } else { String::new() };
        lines.push(plain(&format!("{what}: {} {left}", said(&answer)), &names));
    }
    let merge = "application/merge-patch+json";
    let old = json!({"metadata": {"resourceVersion": "1"}, "status": {"message": "x"}}).to_string();
    let dry = json!({"spec": {"paused": true}}).to_string();
    let list = side.path("");
    let list = list.trim_end_matches('/').to_owned();
    let again = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": "raw"},
        "spec": {"selector": {"matchLabels": {"a": "b"}}}});
    for (what, method, path, content, body) in [
        ("an old version", "PATCH", format!("{}/status", side.path("raw")), merge, old.as_str()),
        ("a dry run", "PATCH", format!("{}?dryRun=All", side.path("raw")), merge, dry.as_str()),
        ("a patch of nothing", "PATCH", side.path("nope"), json_patch, "[]"),
        ("a read of nothing", "GET", side.path("nope"), json_patch, ""),
        ("a deletion of nothing", "DELETE", side.path("nope"), json_patch, ""),
        ("a second of the same name", "POST", list.clone(), "application/json", &again.to_string()),
        ("another media type", "PATCH", side.path("raw"), "text/plain", "x"),
        ("no such namespace", "GET", "/api/v1/namespaces/nope".to_owned(), merge, ""),
        ("no such path", "GET", "/nope/nope".to_owned(), merge, ""),
        ("a watch from long ago", "GET", format!("{list}?watch=true&resourceVersion=1&timeoutSeconds=1"), merge, ""),
    ] {
        let answer = side.send(method, &path, content, body).await;
        let answer = match answer.1["type"].as_str() {
            Some(kind) => format!("{kind} {}", said(&(answer.0, answer.1["object"].clone()))),
            None => said(&answer),
        };
        lines.push(plain(&format!("{what}: {answer}"), &names));
    }
    let kept = side.get("raw").await;
    lines.push(format!("after it all: paused {} step {}", kept["spec"]["paused"], kept["status"]["currentStepIndex"]));
}
