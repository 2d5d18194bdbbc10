//! Answers that do not depend on the world: what the API offers, and the reviews.

use http::Method;
use serde_json::{Value, json};

use crate::demo::kinds::{GROUPS, Kind};

fn resource(kind: Kind) -> Vec<Value> {
    let name = kind.plural();
    let verbs = ["get", "list", "watch", "create", "update", "patch", "delete"];
    let short: Vec<&str> = Some(kind.short()).filter(|s| !s.is_empty()).into_iter().collect();
    let part = |part: &str, verbs: &[&str]| {
        json!({
            "name": format!("{name}/{part}"), "singularName": "", "namespaced": kind.namespaced(),
            "kind": kind.word(), "verbs": verbs,
        })
    };
    let mut all = vec![json!({
        "name": name, "singularName": kind.word().to_lowercase(), "namespaced": kind.namespaced(),
        "kind": kind.word(), "verbs": verbs, "shortNames": short,
    })];
    if kind.has_status() {
        all.push(part("status", &["get", "patch", "update"]));
    }
    if kind == Kind::Pod {
        all.push(part("log", &["get"]));
        all.push(part("eviction", &["create"]));
    }
    all
}

fn resources(group: &str, version: &str) -> Value {
    let all: Vec<Value> = Kind::of_group(group, version).flat_map(resource).collect();
    let name = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
    json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": name, "resources": all})
}

fn group(name: &str, version: &str) -> Value {
    let version = json!({"groupVersion": format!("{name}/{version}"), "version": version});
    json!({"name": name, "versions": [version], "preferredVersion": version})
}

/// Answers that do not depend on the world.
pub(super) fn fixed(method: &Method, path: &str, body: &[u8]) -> Option<Value> {
    match (method.as_str(), path.trim_end_matches('/')) {
        ("GET", "/version") => Some(json!({
            "major": "1", "minor": "34", "gitVersion": "v1.34.4", "platform": "demo", "goVersion": "go1.26",
            "gitCommit": "unknown", "gitTreeState": "clean", "buildDate": "2026-01-01T00:00:00Z", "compiler": "gc",
        })),
        ("GET", "/readyz" | "/livez" | "/healthz") => Some("ok".into()),
        ("GET", "/api") => Some(json!({"kind": "APIVersions", "versions": ["v1"]})),
        ("GET", "/apis") => {
            let mut groups: Vec<Value> = GROUPS.iter().map(|(name, version)| group(name, version)).collect();
            groups.push(group("authentication.k8s.io", "v1"));
            groups.push(group("authorization.k8s.io", "v1"));
            Some(json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}))
        }
        ("GET", "/api/v1") => Some(resources("", "v1")),
        ("GET", "/apis/authentication.k8s.io/v1" | "/apis/authorization.k8s.io/v1") => {
            let name = path.trim_start_matches("/apis/").trim_end_matches('/');
            let kinds: &[&str] = match name {
                "authentication.k8s.io/v1" => &["SelfSubjectReview"],
                _ => &["SelfSubjectAccessReview", "SelfSubjectRulesReview"],
            };
            let review = |kind: &&str| {
                let singular = kind.to_lowercase();
                json!({
                    "name": format!("{singular}s"), "singularName": singular, "namespaced": false, "kind": kind,
                    "verbs": ["create"],
                })
            };
            let all: Vec<Value> = kinds.iter().map(review).collect();
            Some(json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": name, "resources": all}))
        }
        ("GET", path) => {
            let (_, rest) = path.split_once("/apis/")?;
            if let Some((name, version)) = rest.split_once('/') {
                return GROUPS.contains(&(name, version)).then(|| resources(name, version));
            }
            let (name, version) = GROUPS.iter().find(|(name, _)| *name == rest)?;
            let mut found = group(name, version);
            found["kind"] = "APIGroup".into();
            found["apiVersion"] = "v1".into();
            Some(found)
        }
        ("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews") => Some(json!({
            "kind": "SelfSubjectReview", "apiVersion": "authentication.k8s.io/v1",
            "metadata": {"creationTimestamp": null},
            "status": {"userInfo": {"username": "demo", "groups": ["system:authenticated"]}},
        })),
        ("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews") => {
            let mut review: Value = serde_json::from_slice(body).unwrap_or_default();
            if !review.is_object() {
                review = json!({});
            }
            review["status"] = json!({"allowed": true});
            Some(review)
        }
        ("POST", "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews") => {
            let rule = json!({"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]});
            Some(json!({
                "kind": "SelfSubjectRulesReview", "apiVersion": "authorization.k8s.io/v1",
                "status": {"resourceRules": [rule], "nonResourceRules": [], "incomplete": false},
            }))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(path: &str) -> Vec<String> {
        let found = fixed(&Method::GET, path, b"").expect("an answer");
        let all = found["resources"].as_array().expect("resources").clone();
        all.iter().filter_map(|r| r["name"].as_str().map(ToOwned::to_owned)).collect()
    }

    #[test]
    fn what_is_there_is_offered() {
        let argo = names("/apis/argoproj.io/v1alpha1");
        for name in ["rollouts", "rollouts/status", "analysisruns", "analysistemplates", "experiments", "applications"]
        {
            assert!(argo.iter().any(|n| n == name), "{name} in {argo:?}");
        }
        assert!(!argo.iter().any(|n| n == "analysisruns/status"));
        assert!(names("/api/v1").iter().any(|n| n == "pods/log"));
        assert!(fixed(&Method::GET, "/apis/nope.io/v1", b"").is_none());
        assert!(fixed(&Method::GET, "/apis/argoproj.io/v1alpha1/rollouts", b"").is_none());
    }
}
