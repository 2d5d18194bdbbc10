//! Objects as YAML, for people.

use serde_json::Value;

use crate::domain::text::Clean;

/// The most lines of one object; an object of etcd is at most some megabytes.
const LINES: usize = 50_000;

/// Takes `metadata.managedFields` out: long, and of interest to few.
pub fn fold_managed_fields(object: &mut Value) {
    if let Some(meta) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        meta.remove("managedFields");
    }
}

/// `value` as YAML. Keys are sorted; long strings are not wrapped, so that a diff shows what changed and no more.
pub fn text(value: &Value) -> Result<String, String> {
    let options = serde_saphyr::ser_options! { folded_wrap_chars: usize::MAX };
    serde_saphyr::to_string_with_options(value, options).map_err(|e| format!("cannot be written as YAML: {e}"))
}

/// Line by line, each cleaned.
pub fn lines(text: &str) -> Vec<Clean> {
    text.lines().take(LINES).map(Clean::new).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_comes_out_as_it_was_and_cannot_harm_a_terminal() {
        let value = serde_json::json!({
            "a": "yes", "b": "1", "c": [1, null, true, {"x": "y: z"}], "d": "one\ntwo\n", "e": "x".repeat(500) + " y",
            "f": "\u{1b}[2J", "g": {}, "h": "- #", "i": format!("{} {}", "word ".repeat(60), "end"),
        });
        let text = text(&value).expect("YAML");
        let back: Value = serde_saphyr::from_str(&text).expect("YAML again");
        assert_eq!(back, value, "{text}");
        let lines = lines(&text);
        assert!(lines.iter().all(|l| !l.as_str().chars().any(char::is_control)), "{lines:?}");
        assert!(lines.iter().any(|l| l.as_str().ends_with("word  end")), "a long line stays one line: {lines:?}");
    }

    #[test]
    fn managed_fields_are_folded_away() {
        let mut object = serde_json::json!({"metadata": {"name": "x", "managedFields": [{"manager": "m"}]}});
        fold_managed_fields(&mut object);
        assert_eq!(object, serde_json::json!({"metadata": {"name": "x"}}));
        let mut odd = serde_json::json!(5);
        fold_managed_fields(&mut odd);
    }
}
