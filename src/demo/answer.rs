//! What the API server says when it says no, word for word as kube-apiserver v1.34 says it.

use serde_json::{Value, json};

/// A refusal.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Refusal {
    pub code: u16,
    pub body: Value,
}

fn failure(code: u16, reason: &str, message: &str, details: Option<Value>) -> Refusal {
    let mut body = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": message, "reason": reason, "code": code,
    });
    if let Some(details) = details {
        body["details"] = details;
    }
    Refusal { code, body }
}

/// `rollouts.argoproj.io`, or `pods` in the core group.
fn full(plural: &str, group: &str) -> String {
    if group.is_empty() { plural.to_owned() } else { format!("{plural}.{group}") }
}

fn details(name: &str, plural: &str, group: &str) -> Value {
    if group.is_empty() {
        json!({"name": name, "kind": plural})
    } else {
        json!({"name": name, "group": group, "kind": plural})
    }
}

pub(super) fn not_found(plural: &str, group: &str, name: &str) -> Refusal {
    let message = format!("{} \"{name}\" not found", full(plural, group));
    failure(404, "NotFound", &message, Some(details(name, plural, group)))
}

pub(super) fn exists(plural: &str, group: &str, name: &str) -> Refusal {
    let message = format!("{} \"{name}\" already exists", full(plural, group));
    failure(409, "AlreadyExists", &message, Some(details(name, plural, group)))
}

pub(super) fn conflict(plural: &str, group: &str, name: &str) -> Refusal {
    let message = format!(
        "Operation cannot be fulfilled on {} \"{name}\": the object has been modified; please apply your changes to \
         the latest version and try again",
        full(plural, group)
    );
    failure(409, "Conflict", &message, Some(details(name, plural, group)))
}

/// A patch that does not apply: no field is named.
pub(super) fn unprocessable() -> Refusal {
    let message = "the server rejected our request due to an error in our request";
    failure(422, "Invalid", message, Some(json!({})))
}

pub(super) fn bad_request(message: &str) -> Refusal {
    failure(400, "BadRequest", message, None)
}

pub(super) fn media_type() -> Refusal {
    let message = "the body of the request was in an unknown format - accepted media types include: \
                   application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml";
    failure(415, "UnsupportedMediaType", message, None)
}

/// The version asked for is older than what is kept.
pub(super) fn too_old(asked: u64, oldest: u64) -> Refusal {
    failure(410, "Expired", &format!("too old resource version: {asked} ({oldest})"), None)
}

/// The list that a continue token belongs to is no longer what is there.
pub(super) fn token_expired() -> Refusal {
    let message = "The provided continue parameter is too old to display a consistent list result. You can start a new \
                   list without the continue parameter.";
    failure(410, "Expired", message, None)
}

pub(super) fn unavailable() -> Refusal {
    failure(503, "ServiceUnavailable", "the server is currently unable to handle the request", None)
}

/// An update of a custom resource that does not say which version it replaces.
pub(super) fn must_say_version(plural: &str, group: &str, name: &str) -> Refusal {
    let said = "metadata.resourceVersion: Invalid value: 0: must be specified for an update";
    let mut details = details(name, plural, group);
    details["causes"] = json!([{
        "reason": "FieldValueInvalid", "message": "Invalid value: 0: must be specified for an update",
        "field": "metadata.resourceVersion",
    }]);
    failure(422, "Invalid", &format!("{} \"{name}\" is invalid: {said}", full(plural, group)), Some(details))
}

pub(super) fn not_allowed() -> Refusal {
    failure(405, "MethodNotAllowed", "the server does not allow this method on the requested resource", Some(json!({})))
}
