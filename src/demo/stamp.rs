//! Rollouts that stand still are not simulated one by one: one of each shape is brought to rest in a small world of its
//! own, and then stamped as often as it is needed, each time with names, versions and uids of its own.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::rollouts;
use super::scenario::{Scenario, Stamp};
use super::sim::Sim;
use super::store::{Key, Kind, Store};

/// The words of a shape that each stamp replaces.
pub(super) const NAMESPACE: &str = "zz-namespace";
pub(super) const NAME: &str = "zz-name";
pub(super) const VERSION: &str = "zz-version";

/// What stands at one place of a text.
#[derive(Clone, Debug)]
enum Piece {
    Fixed(String),
    /// The nth of the words that differ from stamp to stamp.
    Word(usize),
}

/// A text with its words taken out.
fn cut(text: &str, words: &[String]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = text;
    loop {
        let found = words.iter().enumerate().filter_map(|(n, word)| Some((rest.find(word.as_str())?, n))).min();
        let Some((at, n)) = found else { break };
        pieces.push(Piece::Fixed(rest[..at].to_owned()));
        pieces.push(Piece::Word(n));
        rest = &rest[at + words[n].len()..];
    }
    pieces.push(Piece::Fixed(rest.to_owned()));
    pieces
}

/// One object of a shape.
#[derive(Clone, Debug)]
struct Part {
    kind: Kind,
    name: Vec<Piece>,
    text: Vec<Piece>,
    /// The word that is its owner's uid.
    owner: Option<usize>,
}

/// A rollout at rest, with all that belongs to it.
struct Shape {
    parts: Vec<Part>,
    /// The words in order: namespace, name, version, hash, then the uids, then the ends of pod names.
    words: Vec<String>,
    uids: usize,
    template: serde_json::Value,
}

fn fill(pieces: &[Piece], words: &[String], to: &mut String) {
    for piece in pieces {
        to.push_str(match piece {
            Piece::Fixed(text) => text,
            Piece::Word(n) => &words[*n],
        });
    }
}

/// Where the version of the store is written in a text.
const STORE_VERSION: &str = "zz-store-version";

impl Shape {
    fn of(plan: &Scenario, seed: u64, at: Timestamp) -> Option<Self> {
        let sim = Sim::new(plan, seed, at);
        let (_, rollout) = sim.store.list(Kind::Rollout, None).next()?;
        let text = |v: &serde_json::Value| v.as_str().unwrap_or_default().to_owned();
        let hash = text(&rollout["status"]["currentPodHash"]);
        let kinds = [Kind::Rollout, Kind::ReplicaSet, Kind::Pod, Kind::Service];
        let all: Vec<_> = kinds.into_iter().flat_map(|kind| sim.store.list(kind, None)).collect();
        let mut words = vec![NAMESPACE.to_owned(), NAME.to_owned(), VERSION.to_owned(), hash, STORE_VERSION.to_owned()];
        words.extend(all.iter().map(|(_, object)| text(&object["metadata"]["uid"])));
        let uids = all.len();
        let pods = all.iter().filter(|(key, _)| key.kind == Kind::Pod);
        words.extend(pods.filter_map(|(key, _)| key.name.rsplit_once('-').map(|(_, end)| end.to_owned())));
        let parts = all.iter().map(|(key, object)| {
            let mut object = serde_json::Value::clone(object);
            object["metadata"]["resourceVersion"] = STORE_VERSION.into();
            let owner = text(&object["metadata"]["ownerReferences"][0]["uid"]);
            Part {
                kind: key.kind,
                name: cut(&key.name, &words),
                text: cut(&object.to_string(), &words),
                owner: words.iter().position(|word| *word == owner),
            }
        });
        let parts = parts.collect();
        Some(Self { parts, words, uids, template: rollout["spec"]["template"].clone() })
    }

    fn stamp(&self, store: &mut Store, stamp: &Stamp) {
        let mut template = self.template.to_string();
        for (word, own) in [(NAMESPACE, &stamp.namespace), (NAME, &stamp.name), (VERSION, &stamp.version)] {
            template = template.replace(word, own);
        }
        let template = serde_json::from_str(&template).unwrap_or_default();
        let hash = rollouts::template_hash(&template);
        let mut words = vec![stamp.namespace.clone(), stamp.name.clone(), stamp.version.clone(), hash, String::new()];
        for n in words.len()..self.words.len() {
            let is_uid = n < 5 + self.uids;
            words.push(if is_uid { store.uid() } else { store.letters(5) });
        }
        for (n, part) in self.parts.iter().enumerate() {
            words[4] = (store.version() + 1).to_string();
            let mut name = String::new();
            fill(&part.name, &words, &mut name);
            let mut text = String::with_capacity(4_096);
            fill(&part.text, &words, &mut text);
            let owner = part.owner.map(|n| words[n].as_str());
            store.stamp(Key::new(part.kind, &stamp.namespace, &name), text, owner);
            debug_assert!(n < self.uids);
        }
    }
}

/// Stamps all rollouts of a scenario that stand still.
pub(super) fn all(store: &mut Store, scenario: &Scenario, seed: u64, at: Timestamp) {
    let mut shapes: BTreeMap<usize, Option<Shape>> = BTreeMap::new();
    for stamp in &scenario.stamps {
        let shape = shapes.entry(stamp.shape).or_insert_with(|| Shape::of(&scenario.shapes[stamp.shape], seed, at));
        if let Some(shape) = shape {
            shape.stamp(store, stamp);
        }
    }
}
