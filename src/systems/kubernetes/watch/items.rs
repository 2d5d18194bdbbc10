//! The items of a list, one by one while the answer comes in: a page of five hundred objects is never held whole.

use serde::Deserialize;

use super::LONGEST_LINE;

/// Takes a list's JSON in pieces and hands out each of its items.
#[derive(Default)]
pub(super) struct Items {
    /// What is not within an item.
    rest: Vec<u8>,
    /// The beginning of an item whose end has not come yet.
    item: Vec<u8>,
    /// Open brackets.
    depth: u32,
    /// Within a string.
    string: bool,
    /// Behind a backslash.
    escaped: bool,
    /// Within the array of items.
    inside: bool,
    odd: Option<&'static str>,
}

/// What a list says of itself.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ListMeta {
    /// The version to watch from.
    pub(super) resource_version: String,
    /// Where the next page begins.
    #[serde(rename = "continue")]
    pub(super) next: Option<String>,
}

impl Items {
    /// Takes `chunk` in and hands out the items that end in it.
    pub(super) fn feed(&mut self, chunk: &[u8], mut each: impl FnMut(&[u8])) {
        let mut from = 0;
        for (at, &byte) in chunk.iter().enumerate() {
            if self.string {
                match byte {
                    _ if self.escaped => self.escaped = false,
                    b'\\' => self.escaped = true,
                    b'"' => self.string = false,
                    _ => {}
                }
                continue;
            }
            let between = self.inside && self.depth == 2;
            match byte {
                b'{' if between => {
                    from = at;
                    self.depth += 1;
                }
                b'}' if self.inside && self.depth == 3 => {
                    self.depth -= 1;
                    if self.item.is_empty() {
                        each(&chunk[from..=at]);
                    } else {
                        self.item.extend_from_slice(&chunk[from..=at]);
                        each(&self.item);
                        self.item.clear();
                    }
                    from = at + 1;
                }
                b']' if between => {
                    self.depth -= 1;
                    self.inside = false;
                    from = at;
                }
                b',' | b' ' | b'\t' | b'\r' | b'\n' if between => {}
                _ if between => self.odd = Some("an item is no object"),
                b'[' if self.depth == 1 => {
                    self.rest.extend_from_slice(&chunk[from..at]);
                    from = at;
                    self.depth += 1;
                    if names_items(&self.rest) {
                        self.rest.push(b'[');
                        from += 1;
                        self.inside = true;
                    }
                }
                b'"' => self.string = true,
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
        }
        let tail = &chunk[from..];
        if !self.inside {
            self.rest.extend_from_slice(tail);
        } else if self.depth > 2 {
            self.item.extend_from_slice(tail);
        }
        if self.rest.len().max(self.item.len()) > LONGEST_LINE {
            self.odd = Some("it is too long");
            self.rest.clear();
            self.item.clear();
        }
    }

    /// What the list says of itself, once all of it was fed. Errors say why it is no list.
    pub(super) fn end(self) -> Result<ListMeta, String> {
        #[derive(Deserialize)]
        struct Rest {
            #[serde(default)]
            metadata: ListMeta,
        }
        match self.odd {
            Some(why) => Err(why.to_owned()),
            // An array would do as well for a decoder of structs.
            None if self.rest.trim_ascii_start().first() == Some(&b'[') => Err("it is an array".to_owned()),
            None => serde_json::from_slice::<Rest>(&self.rest).map(|rest| rest.metadata).map_err(|e| e.to_string()),
        }
    }
}

/// Whether what comes next in a list is the value of its `items`.
fn names_items(before: &[u8]) -> bool {
    let Some(key) = before.trim_ascii_end().strip_suffix(b":") else { return false };
    let Some(before) = key.trim_ascii_end().strip_suffix(b"\"items\"") else { return false };
    matches!(before.trim_ascii_end().last(), Some(b'{' | b','))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn read(pieces: &[&[u8]]) -> (Vec<String>, Result<ListMeta, String>) {
        let (mut items, mut found) = (Items::default(), Vec::new());
        for piece in pieces {
            items.feed(piece, |item| found.push(String::from_utf8_lossy(item).into_owned()));
        }
        (found, items.end())
    }

    fn texts() -> impl Strategy<Value = String> {
        prop_oneof![Just("\"items\":[{".to_owned()), Just("}],\\\"".to_owned()), "[ -~]{0,6}", Just("é漢".to_owned())]
    }

    proptest! {
        #[test]
        fn a_list_is_read_whole_however_it_is_cut(
            values in proptest::collection::vec((texts(), texts()), 0..6),
            pretty in any::<bool>(),
            last in any::<bool>(),
            cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..8),
        ) {
            let objects: Vec<Value> = values
                .iter()
                .map(|(key, text)| json!({"metadata": {key: [text, {"items": [1, {}]}]}, "x": text}))
                .collect();
            let items = ("items", json!(objects));
            let meta = ("metadata", json!({"resourceVersion": "7", "continue": "on", "z": [[]]}));
            let pair = |(key, value): &(&str, Value)| {
                let value = if pretty { serde_json::to_string_pretty(value) } else { serde_json::to_string(value) };
                format!("\"{key}\"{}: {}", if pretty { "\n " } else { "" }, value.expect("JSON"))
            };
            let both = if last { [pair(&meta), pair(&items)] } else { [pair(&items), pair(&meta)] };
            let text = format!("{{\"kind\":\"L\",\"\\\"items\":[0],{}}}\n", both.join(", ")).into_bytes();
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(text.len())).collect();
            cuts.extend([0, text.len()]);
            cuts.sort_unstable();
            let pieces: Vec<&[u8]> = cuts.windows(2).map(|w| &text[w[0]..w[1]]).collect();
            let (found, end) = read(&pieces);
            let found: Vec<Value> = found.iter().map(|item| serde_json::from_str(item).expect("JSON")).collect();
            prop_assert_eq!(found, objects);
            let end = end.expect("a list");
            prop_assert_eq!((end.resource_version.as_str(), end.next.as_deref()), ("7", Some("on")));
        }

        #[test]
        fn whatever_comes_is_survived(pieces in proptest::collection::vec("[\\[\\]{}\",:\\\\a-z ]{0,20}", 0..8)) {
            let bytes: Vec<&[u8]> = pieces.iter().map(String::as_bytes).collect();
            let whole = pieces.concat();
            let (_, end) = read(&bytes);
            prop_assert!(end.is_err() || serde_json::from_str::<Value>(&whole).is_ok() || whole.contains("\"items\""));
        }
    }

    #[test]
    fn what_is_no_list_says_so() {
        for (text, why) in [
            ("", "EOF"),
            ("<html>", "expected value"),
            ("[]", "array"),
            (r#"{"items":[{"a":1},"#, "EOF"),
            (r#"{"items":[{"a":1}"#, "EOF"),
            (r#"{"items":[1]}"#, "no object"),
            (r#"{"items":["a"]}"#, "no object"),
            (r#"{"metadata":5}"#, "invalid type"),
        ] {
            let said = read(&[text.as_bytes()]).1.map(|meta| meta.resource_version).expect_err(text);
            assert!(said.contains(why), "{text}: {said}");
        }
        for none in [r#"{"items":null}"#, r#"{"items":[]}"#, "{}"] {
            let (found, end) = read(&[none.as_bytes()]);
            assert!(found.is_empty() && end.is_ok(), "{none}");
        }
    }
}
