//! JSON Patch (RFC 6902) and merge patch (RFC 7386), with the answers of the real API server where the RFC and the
//! server differ: a `test` for `null` holds of a field that is absent, `replace` adds one that is, any failure is the same 422.

use serde::Deserialize;
use serde_json::{Map, Value};

/// The patch does not apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rejected;

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Operation {
    op: String,
    path: String,
    #[serde(default)]
    from: String,
    #[serde(default)]
    value: Value,
}

/// Applies all operations or none.
pub(crate) fn json_patch(document: &Value, operations: &[Operation]) -> Result<Value, Rejected> {
    let mut patched = document.clone();
    for operation in operations {
        apply(&mut patched, operation)?;
    }
    Ok(patched)
}

fn apply(document: &mut Value, operation: &Operation) -> Result<(), Rejected> {
    match operation.op.as_str() {
        "test" => {
            let found = read(document, &operation.path)?;
            if found.unwrap_or(&Value::Null) == &operation.value { Ok(()) } else { Err(Rejected) }
        }
        "add" => write(document, &operation.path, operation.value.clone(), false),
        "replace" => write(document, &operation.path, operation.value.clone(), true),
        "remove" => remove(document, &operation.path).map(|_| ()),
        "copy" => {
            let value = read(document, &operation.from)?.cloned().ok_or(Rejected)?;
            write(document, &operation.path, value, false)
        }
        "move" => {
            let value = remove(document, &operation.from)?;
            write(document, &operation.path, value, false)
        }
        _ => Err(Rejected),
    }
}

fn tokens(path: &str) -> Result<Vec<String>, Rejected> {
    if path.is_empty() {
        return Ok(Vec::new());
    }
    let path = path.strip_prefix('/').ok_or(Rejected)?;
    Ok(path.split('/').map(|token| token.replace("~1", "/").replace("~0", "~")).collect())
}

fn child<'a>(value: &'a Value, token: &str) -> Option<&'a Value> {
    match value {
        Value::Object(map) => map.get(token),
        Value::Array(all) => token.parse::<usize>().ok().and_then(|n| all.get(n)),
        _ => None,
    }
}

/// The value at `path`; `Ok(None)` where only the last part is absent.
fn read<'a>(document: &'a Value, path: &str) -> Result<Option<&'a Value>, Rejected> {
    let tokens = tokens(path)?;
    let Some((last, parents)) = tokens.split_last() else { return Ok(Some(document)) };
    let mut at = document;
    for token in parents {
        at = child(at, token).ok_or(Rejected)?;
    }
    match at {
        Value::Object(map) => Ok(map.get(last)),
        Value::Array(_) => child(at, last).map(Some).ok_or(Rejected),
        _ => Err(Rejected),
    }
}

fn parent<'a>(document: &'a mut Value, parents: &[String]) -> Result<&'a mut Value, Rejected> {
    let mut at = document;
    for token in parents {
        at = match at {
            Value::Object(map) => map.get_mut(token),
            Value::Array(all) => token.parse::<usize>().ok().and_then(|n| all.get_mut(n)),
            _ => None,
        }
        .ok_or(Rejected)?;
    }
    Ok(at)
}

fn write(document: &mut Value, path: &str, value: Value, replace: bool) -> Result<(), Rejected> {
    let tokens = tokens(path)?;
    let Some((last, parents)) = tokens.split_last() else {
        *document = value;
        return Ok(());
    };
    match parent(document, parents)? {
        Value::Object(map) => {
            map.insert(last.clone(), value);
        }
        Value::Array(all) if last == "-" && !replace => all.push(value),
        Value::Array(all) => {
            let n: usize = last.parse().map_err(|_| Rejected)?;
            if replace {
                *all.get_mut(n).ok_or(Rejected)? = value;
            } else if n <= all.len() {
                all.insert(n, value);
            } else {
                return Err(Rejected);
            }
        }
        _ => return Err(Rejected),
    }
    Ok(())
}

fn remove(document: &mut Value, path: &str) -> Result<Value, Rejected> {
    let tokens = tokens(path)?;
    let (last, parents) = tokens.split_last().ok_or(Rejected)?;
    match parent(document, parents)? {
        Value::Object(map) => map.remove(last).ok_or(Rejected),
        Value::Array(all) => {
            let n: usize = last.parse().map_err(|_| Rejected)?;
            if n < all.len() { Ok(all.remove(n)) } else { Err(Rejected) }
        }
        _ => Err(Rejected),
    }
}

/// Lays `patch` over `document`: objects merge, `null` takes away, all else replaces.
pub(crate) fn merge(document: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *document = patch.clone();
        return;
    };
    if !document.is_object() {
        *document = Value::Object(Map::new());
    }
    let Value::Object(map) = document else { return };
    for (key, value) in patch {
        if value.is_null() {
            map.remove(key);
        } else {
            merge(map.entry(key.clone()).or_insert(Value::Null), value);
        }
    }
}

/// Takes out members that are `null`: the server stores them as absent.
pub(crate) fn without_nulls(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|_, v| !v.is_null());
            map.values_mut().for_each(without_nulls);
        }
        Value::Array(all) => all.iter_mut().for_each(without_nulls),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn patch(document: &Value, operations: Value) -> Result<Value, Rejected> {
        json_patch(document, &serde_json::from_value::<Vec<Operation>>(operations).expect("operations"))
    }

    #[test]
    fn tests_answer_as_the_real_server_does() {
        let ro = json!({"metadata": {"uid": "u"}, "status": {"currentStepIndex": 1, "list": [1, 2]}});
        for (operation, holds) in [
            (json!({"op": "test", "path": "/metadata/uid", "value": "u"}), true),
            (json!({"op": "test", "path": "/metadata/uid", "value": "v"}), false),
            (json!({"op": "test", "path": "/status/abort", "value": null}), true),
            (json!({"op": "test", "path": "/status/abort", "value": false}), false),
            (json!({"op": "test", "path": "/status/canary/weights", "value": null}), false),
            (json!({"op": "test", "path": "/status/list", "value": [1, 2]}), true),
            (json!({"op": "test", "path": "/status/list/1", "value": 2}), true),
            (json!({"op": "remove", "path": "/status/nope"}), false),
            (json!({"op": "remove", "path": "/status/list"}), true),
            (json!({"op": "add", "path": "/status/pauseConditions", "value": null}), true),
            (json!({"op": "add", "path": "/nope/deep", "value": 1}), false),
            (json!({"op": "replace", "path": "/status/nope", "value": 1}), true),
            (json!({"op": "invent", "path": "/status", "value": 1}), false),
        ] {
            assert_eq!(patch(&ro, json!([operation])).is_ok(), holds, "{operation}");
        }
    }

    #[test]
    fn all_or_nothing() {
        let ro = json!({"a": 1});
        let failed = patch(
            &ro,
            json!([
                {"op": "add", "path": "/b", "value": 2}, {"op": "test", "path": "/a", "value": 2},
            ]),
        );
        assert_eq!(failed, Err(Rejected));
        let done = patch(
            &ro,
            json!([
                {"op": "add", "path": "/b", "value": [1]}, {"op": "add", "path": "/b/-", "value": 2},
                {"op": "move", "from": "/a", "path": "/c~1d"},
            ]),
        );
        assert_eq!(done, Ok(json!({"b": [1, 2], "c/d": 1})));
    }

    #[test]
    fn merging_takes_away_with_null() {
        let mut document = json!({"a": {"b": 1, "c": 2}, "d": [1]});
        merge(&mut document, &json!({"a": {"b": null, "e": 3}, "d": [2]}));
        assert_eq!(document, json!({"a": {"c": 2, "e": 3}, "d": [2]}));
    }
}
