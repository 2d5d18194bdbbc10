//! The objects, their versions, and what changed since which.

use std::collections::{BTreeMap, VecDeque};

use jiff::{Timestamp, Unit};
use serde_json::{Value, json};

use super::answer::{Refusal, conflict, exists, not_found, too_old};
use super::patch::without_nulls;

/// How many changes can be watched back; older versions are gone (`410`).
const KEPT: usize = 5_000;

/// The kinds that the demo world has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Kind {
    Namespace,
    Rollout,
    ReplicaSet,
    Pod,
}

impl Kind {
    pub(super) const fn plural(self) -> &'static str {
        match self {
            Self::Namespace => "namespaces",
            Self::Rollout => "rollouts",
            Self::ReplicaSet => "replicasets",
            Self::Pod => "pods",
        }
    }

    pub(super) const fn group(self) -> &'static str {
        match self {
            Self::Namespace | Self::Pod => "",
            Self::Rollout => "argoproj.io",
            Self::ReplicaSet => "apps",
        }
    }

    pub(super) const fn api_version(self) -> &'static str {
        match self {
            Self::Namespace | Self::Pod => "v1",
            Self::Rollout => "argoproj.io/v1alpha1",
            Self::ReplicaSet => "apps/v1",
        }
    }

    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Namespace => "Namespace",
            Self::Rollout => "Rollout",
            Self::ReplicaSet => "ReplicaSet",
            Self::Pod => "Pod",
        }
    }
}

/// Names one object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Key {
    pub kind: Kind,
    pub namespace: String,
    pub name: String,
}

impl Key {
    pub(super) fn new(kind: Kind, namespace: &str, name: &str) -> Self {
        Self { kind, namespace: namespace.to_owned(), name: name.to_owned() }
    }

    fn missing(&self) -> Refusal {
        not_found(self.kind.plural(), self.kind.group(), &self.name)
    }
}

/// A change, as a watch tells it.
#[derive(Clone, Debug)]
pub(super) struct Change {
    pub version: u64,
    pub key: Key,
    /// `ADDED`, `MODIFIED`, `DELETED`.
    pub what: &'static str,
    pub object: Value,
}

/// What a write is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Everything but the status, which is ignored.
    Main,
    /// The status alone; metadata and spec are ignored.
    Status,
    /// Everything: the controllers' own way in.
    Whole,
}

/// The store.
#[derive(Clone, Debug)]
pub(super) struct Store {
    version: u64,
    objects: BTreeMap<Key, Value>,
    changes: VecDeque<Change>,
    random: u64,
}

/// RFC 3339 with whole seconds, as Kubernetes writes times.
pub(super) fn time(now: Timestamp) -> String {
    now.round(jiff::TimestampRound::new().smallest(Unit::Second).mode(jiff::RoundMode::Trunc))
        .unwrap_or(now)
        .to_string()
}

impl Store {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            version: 1_000,
            objects: BTreeMap::new(),
            changes: VecDeque::new(),
            random: seed ^ 0x9e37_79b9_7f4a_7c15,
        }
    }

    /// The next number of the sequence that the seed fixes (`SplitMix64`).
    pub(super) fn random(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// `n` letters as Kubernetes puts behind generated names.
    pub(super) fn letters(&mut self, n: usize) -> String {
        letters(self.random(), n)
    }

    fn uid(&mut self) -> String {
        let (a, b) = (self.random(), self.random());
        format!(
            "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
            a >> 32,
            (a >> 16) & 0xffff,
            a & 0xfff,
            b >> 52,
            b & 0xffff_ffff_ffff
        )
    }

    pub(super) fn version(&self) -> u64 {
        self.version
    }

    pub(super) fn get(&self, key: &Key) -> Result<&Value, Refusal> {
        self.objects.get(key).ok_or_else(|| key.missing())
    }

    /// The objects of a kind, in all namespaces or one, in the order of the server.
    pub(super) fn list<'a>(
        &'a self,
        kind: Kind,
        namespace: Option<&'a str>,
    ) -> impl Iterator<Item = (&'a Key, &'a Value)> {
        self.objects
            .iter()
            .filter(move |(key, _)| key.kind == kind && namespace.is_none_or(|wanted| key.namespace == wanted))
    }

    /// What changed after `version`.
    pub(super) fn since(&self, version: u64) -> Result<impl Iterator<Item = &Change>, Refusal> {
        let oldest = self.changes.front().map_or(self.version, |c| c.version - 1);
        if version < oldest {
            return Err(too_old(version, oldest));
        }
        Ok(self.changes.iter().filter(move |c| c.version > version))
    }

    /// Forgets what changed, as a compaction does: older versions can no longer be watched from.
    pub(super) fn compact(&mut self) {
        self.changes.clear();
    }

    fn tell(&mut self, key: Key, what: &'static str, object: Value) {
        self.changes.push_back(Change { version: self.version, key, what, object });
        if self.changes.len() > KEPT {
            self.changes.pop_front();
        }
    }

    /// Makes an object; the server fills in what is its own.
    pub(super) fn create(&mut self, key: Key, mut object: Value, now: Timestamp) -> Result<Value, Refusal> {
        if self.objects.contains_key(&key) {
            return Err(exists(key.kind.plural(), key.kind.group(), &key.name));
        }
        let uid = self.uid();
        self.version += 1;
        if !object.is_object() {
            object = json!({});
        }
        object["apiVersion"] = key.kind.api_version().into();
        object["kind"] = key.kind.word().into();
        let meta = &mut object["metadata"];
        meta["name"] = key.name.clone().into();
        if !key.namespace.is_empty() {
            meta["namespace"] = key.namespace.clone().into();
        }
        meta["uid"] = uid.into();
        meta["creationTimestamp"] = time(now).into();
        meta["generation"] = 1.into();
        meta["resourceVersion"] = self.version.to_string().into();
        without_nulls(&mut object);
        self.objects.insert(key.clone(), object.clone());
        self.tell(key, "ADDED", object.clone());
        Ok(object)
    }

    /// Puts `wanted` in the place of an object, as far as `part` goes. What changes nothing makes no version.
    pub(super) fn put(&mut self, key: &Key, part: Part, mut wanted: Value) -> Result<Value, Refusal> {
        let now = self.objects.get(key).ok_or_else(|| key.missing())?;
        let asked = &wanted["metadata"]["resourceVersion"];
        if !asked.is_null() && asked != &now["metadata"]["resourceVersion"] {
            return Err(conflict(key.kind.plural(), key.kind.group(), &key.name));
        }
        match part {
            Part::Main => wanted["status"] = now["status"].clone(),
            Part::Status => {
                let status = wanted["status"].take();
                wanted = now.clone();
                wanted["status"] = status;
            }
            Part::Whole => {}
        }
        for fixed in ["uid", "name", "namespace", "creationTimestamp", "generation", "resourceVersion"] {
            wanted["metadata"][fixed] = now["metadata"][fixed].clone();
        }
        without_nulls(&mut wanted);
        if &wanted == now {
            return Ok(wanted);
        }
        if wanted["spec"] != now["spec"] {
            wanted["metadata"]["generation"] = (now["metadata"]["generation"].as_i64().unwrap_or(0) + 1).into();
        }
        self.version += 1;
        wanted["metadata"]["resourceVersion"] = self.version.to_string().into();
        self.objects.insert(key.clone(), wanted.clone());
        self.tell(key.clone(), "MODIFIED", wanted.clone());
        Ok(wanted)
    }

    /// Takes an object away, and with it what it owns.
    pub(super) fn delete(&mut self, key: &Key) -> Result<Value, Refusal> {
        let mut object = self.objects.remove(key).ok_or_else(|| key.missing())?;
        self.version += 1;
        object["metadata"]["resourceVersion"] = self.version.to_string().into();
        self.tell(key.clone(), "DELETED", object.clone());
        let uid = object["metadata"]["uid"].clone();
        let owned: Vec<Key> = self
            .objects
            .iter()
            .filter(|(other, o)| {
                let inside = key.kind == Kind::Namespace && other.namespace == key.name;
                inside || o["metadata"]["ownerReferences"][0]["uid"] == uid
            })
            .map(|(key, _)| key.clone())
            .collect();
        for key in owned {
            // Deleting one may have taken another with it.
            let _ = self.delete(&key);
        }
        Ok(object)
    }
}

/// Letters as Kubernetes uses for generated names and hashes: no vowels, nothing that reads like another.
pub(super) fn letters(mut number: u64, n: usize) -> String {
    const ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
    (0..n)
        .map(|_| {
            let letter = ALPHABET[usize::try_from(number % 27).unwrap_or(0)];
            number /= 27;
            char::from(letter)
        })
        .collect()
}
