//! `metadata.managedFields`: who wrote which field when, as far as clients ask for it.

use serde_json::{Map, Value, json};

/// How deep fields are told apart; below, a field is one.
const DEPTH: usize = 7;

/// The fields in which `after` differs from `before`, in the form of `FieldsV1`.
fn changed(before: &Value, after: &Value, depth: usize) -> Option<Value> {
    if before == after {
        return None;
    }
    let (Value::Object(old), Value::Object(new)) = (before, after) else {
        if depth > 0 && before.is_null() && after.is_object() {
            return changed(&json!({}), after, depth).or_else(|| Some(json!({})));
        }
        return named(before, after, depth).or_else(|| Some(json!({})));
    };
    if depth == 0 {
        return Some(json!({}));
    }
    let mut fields = Map::new();
    for (key, value) in new {
        if let Some(inner) = changed(old.get(key).unwrap_or(&Value::Null), value, depth - 1) {
            fields.insert(format!("f:{key}"), inner);
        }
    }
    for key in old.keys().filter(|key| !new.contains_key(*key)) {
        fields.insert(format!("f:{key}"), json!({}));
    }
    Some(Value::Object(fields))
}

/// Lists whose members have names (containers) are told apart by them.
fn named(before: &Value, after: &Value, depth: usize) -> Option<Value> {
    let list = after.as_array()?;
    if depth == 0 || list.is_empty() || !list.iter().all(|item| item["name"].is_string() && item["image"].is_string()) {
        return None;
    }
    let mut fields = Map::new();
    for item in list {
        let old = before.as_array().and_then(|old| old.iter().find(|o| o["name"] == item["name"]));
        if let Some(inner) = changed(old.unwrap_or(&Value::Null), item, depth - 1) {
            fields.insert(format!("k:{{\"name\":{}}}", item["name"]), inner);
        }
    }
    Some(Value::Object(fields))
}

/// Takes out of `owned` what `taken` names. Whether anything is left.
fn take(owned: &mut Value, taken: &Value) -> bool {
    let (Value::Object(mine), Value::Object(theirs)) = (owned, taken) else { return false };
    if theirs.is_empty() {
        return false;
    }
    for (key, inner) in theirs {
        if mine.get_mut(key).is_some_and(|own| !take(own, inner)) {
            mine.remove(key);
        }
    }
    !mine.is_empty()
}

fn add(owned: &mut Value, more: &Value) {
    let (Value::Object(mine), Value::Object(more)) = (owned, more) else { return };
    for (key, inner) in more {
        add(mine.entry(key.clone()).or_insert_with(|| json!({})), inner);
    }
}

/// What counts as a field of the object: neither the server's own metadata nor the list itself.
fn plain(object: &Value) -> Value {
    let Value::Object(map) = object else { return json!({}) };
    let mut plain: Map<String, Value> =
        map.iter().filter(|(k, _)| !matches!(k.as_str(), "metadata" | "apiVersion" | "kind")).map(own).collect();
    let kept = ["annotations", "labels", "ownerReferences", "finalizers"];
    let meta: Map<String, Value> = object["metadata"]
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(k, _)| kept.contains(&k.as_str()))
        .map(own)
        .collect();
    if !meta.is_empty() {
        plain.insert("metadata".to_owned(), Value::Object(meta));
    }
    Value::Object(plain)
}

fn own((key, value): (&String, &Value)) -> (String, Value) {
    (key.clone(), value.clone())
}

/// Writes down in `after` that `manager` made of it what differs from `before`.
pub(super) fn note(before: &Value, after: &mut Value, manager: &str, status: bool, time: &str) {
    let fields = match changed(&plain(before), &plain(after), DEPTH) {
        Some(fields) if fields != json!({}) => fields,
        _ => return,
    };
    let version = after["apiVersion"].clone();
    let mut entries = before["metadata"]["managedFields"].as_array().cloned().unwrap_or_default();
    let is_own = |e: &Value| e["manager"] == manager && (e["subresource"] == "status") == status;
    for entry in entries.iter_mut().filter(|e| !is_own(e)) {
        if !take(&mut entry["fieldsV1"], &fields) {
            entry["fieldsV1"] = Value::Null;
        }
    }
    entries.retain(|e| !e["fieldsV1"].is_null());
    if let Some(entry) = entries.iter_mut().find(|e| is_own(e)) {
        add(&mut entry["fieldsV1"], &fields);
        entry["time"] = time.into();
    } else {
        let mut entry = json!({
            "manager": manager, "operation": "Update", "apiVersion": version, "time": time,
            "fieldsType": "FieldsV1", "fieldsV1": fields,
        });
        if status {
            entry["subresource"] = "status".into();
        }
        entries.push(entry);
    }
    after["metadata"]["managedFields"] = Value::Array(entries);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn managers(object: &Value) -> Vec<(String, String)> {
        let all = object["metadata"]["managedFields"].as_array().cloned().unwrap_or_default();
        let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
        all.iter().map(|e| (text(&e["manager"]), e["fieldsV1"].to_string())).collect()
    }

    #[test]
    fn a_field_belongs_to_who_changed_it_last() {
        let image = |tag: &str| json!({"apiVersion": "v1", "spec": {"replicas": 1, "containers": [{"name": "app", "image": tag}]}});
        let mut first = image("a:1");
        note(&Value::Null, &mut first, "kubectl", false, "t1");
        let mut second = image("a:2");
        note(&first, &mut second, "flightdeck", false, "t2");
        let mut third = second.clone();
        third["status"] = json!({"phase": "Healthy"});
        note(&second, &mut third, "rollouts-controller", true, "t3");
        let container = r#"{"f:spec":{"f:containers":{"k:{\"name\":\"app\"}":{"f:image":{}}}}}"#;
        let found = managers(&third);
        assert_eq!(found[1], ("flightdeck".to_owned(), container.to_owned()));
        assert!(!found[0].1.contains("f:image") && found[0].1.contains("f:replicas"), "{found:?}");
        assert_eq!(found[2], ("rollouts-controller".to_owned(), r#"{"f:status":{"f:phase":{}}}"#.to_owned()));
        assert_eq!(third["metadata"]["managedFields"][2]["subresource"], "status");
    }
}
