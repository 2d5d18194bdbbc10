//! The lines of a watch.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

/// A line of a watch.
#[derive(Deserialize)]
pub(super) struct Frame<'a> {
    #[serde(rename = "type", borrow)]
    pub(super) kind: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) object: &'a RawValue,
}

/// Kind and object of a frame that stands as API servers write it, without reading the object: the decoder does, and
/// refuses what is more or less than one.
pub(super) fn as_written(line: &[u8]) -> Option<(&str, &str)> {
    let line = std::str::from_utf8(line).ok()?.trim_end();
    let (kind, rest) = line.strip_prefix(r#"{"type":""#)?.split_once('"')?;
    let object = rest.strip_prefix(r#","object":"#)?.strip_suffix('}')?;
    matches!(kind, "ADDED" | "MODIFIED" | "DELETED").then_some((kind, object))
}

/// The version of an object that is not decoded, or does not keep it.
pub(super) fn version_of(object: &RawValue) -> Option<String> {
    #[derive(Deserialize)]
    struct Versioned {
        metadata: Meta,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Meta {
        resource_version: String,
    }
    serde_json::from_str::<Versioned>(object.get()).ok().map(|v| v.metadata.resource_version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_taken_apart_as_they_are_written_and_no_other_way() {
        let line = |text: &str| as_written(text.as_bytes()).map(|(kind, object)| (kind.to_owned(), object.to_owned()));
        let expect = |kind: &str, object: &str| Some((kind.to_owned(), object.to_owned()));
        assert_eq!(line("{\"type\":\"ADDED\",\"object\":{\"a\":1}}\n"), expect("ADDED", "{\"a\":1}"));
        // What follows the object is left to the decoder, which refuses it: then the frame is read as a whole.
        let more = line(r#"{"type":"DELETED","object":{},"x":{}}"#);
        assert_eq!(more, expect("DELETED", r#"{},"x":{}"#));
        for other in [
            r#"{"type":"BOOKMARK","object":{}}"#,
            r#"{"type":"ERROR","object":{}}"#,
            r#"{ "type":"ADDED","object":{}}"#,
            r#"{"object":{},"type":"ADDED"}"#,
            r#"{"type":"ADDED","object":"#,
            "",
        ] {
            assert_eq!(line(other), None, "{other}");
        }
        assert_eq!(as_written(b"{\"type\":\"ADDED\",\"object\":{\"a\":\"\xff\"}}"), None);
    }
}
