//! `metadata.managedFields` → who wrote which fields. Pure and bounded: what is too much is cut, and says so.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use crate::domain::history::Manager;
use crate::domain::text::Clean;

/// The most entries that are read of one object.
const MANAGERS: usize = 64;

/// The most fields that are named of one entry.
const FIELDS: usize = 40;

/// The deepest a field may lie; deeper ones are named by their container.
const DEPTH: usize = 24;

#[derive(Deserialize)]
struct Object {
    #[serde(default)]
    metadata: Meta,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Meta {
    managed_fields: Option<Vec<Entry>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Entry {
    manager: Clean,
    operation: Clean,
    subresource: Clean,
    time: Option<Clean>,
    fields_v1: Value,
}

/// Who wrote `object`, the latest first. An object without that, or with something else in its place, has none.
pub fn managers(object: &str) -> Vec<Manager> {
    let Ok(object) = serde_json::from_str::<Object>(object) else { return Vec::new() };
    let entries = object.metadata.managed_fields.unwrap_or_default();
    let mut found: Vec<Manager> = entries.into_iter().take(MANAGERS).map(manager).collect();
    found.sort_by(|a, b| b.time.cmp(&a.time).then_with(|| a.manager.cmp(&b.manager)));
    found
}

fn manager(entry: Entry) -> Manager {
    let mut fields = Vec::new();
    let mut more = 0;
    walk(&entry.fields_v1, &mut String::new(), 0, &mut fields, &mut more);
    if more > 0 {
        fields.push(Clean::new(&format!("and {more} more")));
    }
    Manager {
        manager: entry.manager,
        operation: entry.operation,
        subresource: entry.subresource,
        time: entry.time.and_then(|t| t.as_str().parse::<Timestamp>().ok()),
        fields,
    }
}

/// Names the leaves below `at`. Keys are `f:name` (a field), `k:{…}` (an item by its keys), `v:…` (an item by its
/// value), `i:…` (an item by its place) and `.` (the container itself).
fn walk(at: &Value, path: &mut String, depth: usize, found: &mut Vec<Clean>, more: &mut usize) {
    let inner = at.as_object().filter(|_| depth < DEPTH);
    let mut below = inner.into_iter().flatten().filter(|(key, _)| *key != ".").peekable();
    if below.peek().is_none() {
        if path.is_empty() {
            return;
        }
        if found.len() < FIELDS {
            found.push(Clean::new(path));
        } else {
            *more += 1;
        }
        return;
    }
    for (key, value) in below {
        let length = path.len();
        match key.split_once(':') {
            Some(("f", name)) => {
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(name);
            }
            Some(("k", keys)) => path.push_str(&item(keys)),
            Some(("v", value)) => path.extend(["[=", value, "]"]),
            Some(("i", index)) => path.extend(["[", index, "]"]),
            _ => path.extend(["[", key.as_str(), "]"]),
        }
        walk(value, path, depth + 1, found, more);
        path.truncate(length);
    }
}

/// `{"name":"app"}` → `[name=app]`.
fn item(keys: &str) -> String {
    let Ok(Value::Object(keys)) = serde_json::from_str::<Value>(keys) else { return format!("[{keys}]") };
    let pairs: Vec<String> = keys
        .iter()
        .map(|(key, value)| format!("{key}={}", value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)))
        .collect();
    format!("[{}]", pairs.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(object: &Value) -> Vec<Manager> {
        managers(&object.to_string())
    }

    #[test]
    fn who_wrote_what_and_when_latest_first() {
        let object = serde_json::json!({"metadata": {"managedFields": [
            {"manager": "kubectl-create", "operation": "Update", "apiVersion": "argoproj.io/v1alpha1",
             "time": "2026-11-25T10:00:00Z", "fieldsType": "FieldsV1", "fieldsV1": {
                "f:metadata": {"f:labels": {".": {}, "f:app": {}}},
                "f:spec": {".": {}, "f:replicas": {}, "f:template": {"f:spec": {"f:containers": {
                    "k:{\"name\":\"app\"}": {".": {}, "f:image": {}, "f:ports": {"k:{\"containerPort\":80}": {}}},
                }}}, "f:list": {"v:\"x\"": {}, "i:2": {}}}}},
            {"manager": "rollouts-controller", "operation": "Update", "subresource": "status",
             "time": "2026-11-25T10:05:00Z", "fieldsV1": {"f:status": {"f:phase": {}}}},
        ]}});
        let found = of(&object);
        assert_eq!((found[0].manager.as_str(), found[0].subresource.as_str()), ("rollouts-controller", "status"));
        assert_eq!(found[0].time, "2026-11-25T10:05:00Z".parse().ok());
        assert_eq!(found[0].fields, ["status.phase"]);
        assert_eq!(
            found[1].fields,
            [
                "metadata.labels.app",
                "spec.list[2]",
                "spec.list[=\"x\"]",
                "spec.replicas",
                "spec.template.spec.containers[name=app].image",
                "spec.template.spec.containers[name=app].ports[containerPort=80]",
            ]
        );
    }

    #[test]
    fn too_much_is_cut_and_says_so() {
        let mut many = serde_json::Map::new();
        for n in 0..100 {
            many.insert(format!("f:{n:03}"), serde_json::json!({}));
        }
        let mut deep = serde_json::json!({});
        for _ in 0..60 {
            deep = serde_json::json!({"f:a": deep});
        }
        let entry = |fields: &Value| serde_json::json!({"manager": "m", "fieldsV1": fields});
        let entries: Vec<Value> = (0..80).map(|_| entry(&Value::Object(many.clone()))).collect();
        let found = of(&serde_json::json!({"metadata": {"managedFields": entries}}));
        assert_eq!((found.len(), found[0].fields.len()), (MANAGERS, FIELDS + 1));
        assert_eq!(found[0].fields[FIELDS], "and 60 more");
        let found = of(&serde_json::json!({"metadata": {"managedFields": [entry(&deep)]}}));
        assert_eq!(found[0].fields[0].as_str().matches('a').count(), DEPTH);
    }

    #[test]
    fn odd_objects_have_no_managers_and_hostile_names_are_cleaned() {
        for odd in [
            serde_json::json!({}),
            serde_json::json!(7),
            serde_json::json!({"metadata": {"managedFields": null}}),
            serde_json::json!({"metadata": {"managedFields": {"a": 1}}}),
            serde_json::json!({"metadata": {"managedFields": ["x"]}}),
        ] {
            assert!(of(&odd).is_empty(), "{odd}");
        }
        let object = serde_json::json!({"metadata": {"managedFields": [
            {"manager": "a\u{1b}[2J", "time": "yesterday", "fieldsV1": {"f:x\u{1b}]52;": {}, "odd": 3}}, {}]}});
        let found = of(&object);
        assert_eq!(found.len(), 2);
        let hostile = found.iter().find(|m| !m.manager.is_empty()).expect("it is there");
        assert_eq!((hostile.manager.as_str(), hostile.time), ("a␛[2J", None));
        assert!(!hostile.fields.iter().any(|f| f.as_str().contains('\u{1b}')), "{hostile:?}");
    }
}
