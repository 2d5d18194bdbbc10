//! What of a line hangs in the chain, read without keeping the rest: a verification looks at each line of a log that may
//! be long, and asks of most of it only that it is a record.

use std::borrow::Cow;
use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::domain::record::{Record, RecordKind};

/// The place of a record in the chain.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Link<'a> {
    /// Its number.
    pub seq: u64,
    /// The leaf of the record before.
    pub prev: Cow<'a, str>,
    /// Whether a segment begins with it.
    pub begins: bool,
}

/// What is kept of a line.
pub(super) trait Keep: Sized {
    /// Reads a line.
    fn read(line: &[u8]) -> Result<(Link<'_>, Self), serde_json::Error>;
}

impl Keep for Record {
    fn read(line: &[u8]) -> Result<(Link<'_>, Self), serde_json::Error> {
        let record: Self = serde_json::from_slice(line)?;
        let begins = record.said.kind == RecordKind::Segment;
        Ok((Link { seq: record.seq, prev: Cow::Owned(record.prev.clone()), begins }, record))
    }
}

/// Nothing but that it holds.
impl Keep for () {
    fn read(line: &[u8]) -> Result<(Link<'_>, Self), serde_json::Error> {
        match quick(line) {
            Some(link) => Ok((link, ())),
            None => Record::read(line).map(|(link, _)| (link, ())),
        }
    }
}

/// The link of a line that is, for certain, a [`Record`]. Whatever is not exactly as we write it, an unknown field among it,
/// is left to the decoder of records: it alone says what is none, and why.
fn quick(line: &[u8]) -> Option<Link<'_>> {
    if line.first() != Some(&b'{') {
        return None;
    }
    let said: Line<'_> = serde_json::from_slice(line).ok()?;
    Some(Link { seq: said.seq, prev: said.prev, begins: said.kind.0 == RecordKind::Segment })
}

/// A [`Record`] with [`Draft`](crate::domain::record::Draft) in it, field by field.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "only whether it can be read is asked")]
struct Line<'a> {
    v: u32,
    seq: u64,
    ts: Text,
    boot_id: Text,
    boottime_ns: Text,
    pid: u32,
    host: Text,
    instance: Text,
    program: Text,
    kind: Kind,
    #[serde(default)]
    act: Text,
    #[serde(default)]
    op: Text,
    #[serde(default)]
    actor: Actor,
    #[serde(default)]
    target: Option<Target>,
    #[serde(default)]
    seen: Texts,
    #[serde(default)]
    reason: Option<Text>,
    #[serde(default)]
    requests: Vec<Request>,
    #[serde(default)]
    digest: Option<Text>,
    #[serde(default)]
    outcome: Option<Outcome>,
    #[serde(default)]
    plan: Option<Plan>,
    #[serde(default)]
    steps: Vec<Step>,
    #[serde(default)]
    params: Texts,
    #[serde(default)]
    policy: Option<Text>,
    #[serde(default)]
    late: bool,
    #[serde(default)]
    meant_for: Option<Text>,
    #[serde(default)]
    late_because: Option<Text>,
    #[serde(borrow)]
    prev: Cow<'a, str>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "only whether it can be read is asked")]
struct Actor {
    os_user: Text,
    #[serde(default)]
    os_uid: Option<u32>,
    #[serde(default)]
    kube_user: Option<Text>,
    #[serde(default)]
    kube_groups: Vec<Text>,
    #[serde(default)]
    proof: Texts,
    face: Text,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only whether it can be read is asked")]
struct Plan {
    id: Text,
    step: u32,
    of: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "only whether it can be read is asked")]
struct Step {
    title: Text,
    op: Text,
    #[serde(default)]
    target: Option<Target>,
    #[serde(default)]
    params: Texts,
    #[serde(default)]
    only_on: Option<Text>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only whether it can be read is asked")]
struct Target {
    cluster: Text,
    context: Text,
    namespace: Text,
    kind: Text,
    name: Text,
    uid: Text,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "only whether it can be read is asked")]
struct Request {
    method: Text,
    path: Text,
    content_type: Text,
    body: Text,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only whether it can be read is asked")]
struct Outcome {
    word: Text,
    detail: Text,
    #[serde(default)]
    evidence: Texts,
}

/// A string.
#[derive(Default)]
struct Text;

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl Visitor<'_> for Any {
            type Value = Text;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }
            fn visit_str<E>(self, _: &str) -> Result<Text, E> {
                Ok(Text)
            }
        }
        deserializer.deserialize_str(Any)
    }
}

/// Strings by strings.
#[derive(Default)]
struct Texts;

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Texts;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map of strings")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Texts, A::Error> {
                while map.next_entry::<Text, Text>()?.is_some() {}
                Ok(Texts)
            }
        }
        deserializer.deserialize_map(Any)
    }
}

/// The kind, as the word that we write.
struct Kind(RecordKind);

impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Word;
        impl Visitor<'_> for Word {
            type Value = Kind;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a word")
            }
            fn visit_str<E: serde::de::Error>(self, word: &str) -> Result<Kind, E> {
                RecordKind::deserialize(serde::de::value::StrDeserializer::new(word)).map(Kind)
            }
        }
        deserializer.deserialize_str(Word)
    }
}

#[cfg(test)]
mod tests;
