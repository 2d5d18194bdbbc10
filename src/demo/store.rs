//! The objects, their versions, and what changed since which.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use jiff::{Timestamp, Unit};
use serde_json::{Value, json};

use super::answer::{Refusal, conflict, exists, must_say_version, not_found, token_expired, too_old};
use super::held::Held;
pub(super) use super::kinds::Kind;
use super::managed;
use super::patch::without_nulls;

/// How many changes can be watched back; older versions are gone (`410`).
const KEPT: usize = 5_000;

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

    /// The object that owns `object`, if it is of a kind that this world has.
    pub(super) fn owner(object: &Value) -> Option<Self> {
        let owner = &object["metadata"]["ownerReferences"][0];
        let namespace = object["metadata"]["namespace"].as_str().unwrap_or_default();
        Some(Self::new(Kind::by_word(owner["kind"].as_str()?)?, namespace, owner["name"].as_str()?))
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
    pub object: Arc<Value>,
    /// The object as it was before: a watch with a selector must know whether it showed it.
    pub before: Option<Arc<Value>>,
}

/// What a write is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Everything but the status, which is ignored where it has a path of its own.
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
    objects: BTreeMap<Key, Held>,
    /// What each object owns, by its uid.
    owned: BTreeMap<String, BTreeSet<Key>>,
    changes: VecDeque<Change>,
    /// What changed since the controllers looked.
    touched: Vec<Change>,
    random: u64,
    now: Timestamp,
    writer: String,
    /// Events before this moment would be gone by the time anybody can ask: they are not kept.
    pub events_from: Timestamp,
}

/// RFC 3339 with whole seconds, as Kubernetes writes times.
pub(super) fn time(now: Timestamp) -> String {
    now.round(jiff::TimestampRound::new().smallest(Unit::Second).mode(jiff::RoundMode::Trunc))
        .unwrap_or(now)
        .to_string()
}

fn uid_of(object: &Value) -> &str {
    object["metadata"]["uid"].as_str().unwrap_or_default()
}

impl Store {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            version: 1_000,
            objects: BTreeMap::new(),
            owned: BTreeMap::new(),
            changes: VecDeque::new(),
            touched: Vec::new(),
            random: seed ^ 0x9e37_79b9_7f4a_7c15,
            now: Timestamp::UNIX_EPOCH,
            writer: "kubectl".to_owned(),
            events_from: Timestamp::MIN,
        }
    }

    /// Who writes from here on, and when.
    pub(super) fn begin(&mut self, now: Timestamp, writer: &str) -> &mut Self {
        self.now = now;
        if self.writer != writer {
            writer.clone_into(&mut self.writer);
        }
        self
    }

    pub(super) fn now(&self) -> Timestamp {
        self.now
    }

    pub(super) fn writer(&self) -> &str {
        &self.writer
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

    pub(super) fn uid(&mut self) -> String {
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

    pub(super) fn get(&self, key: &Key) -> Result<&Arc<Value>, Refusal> {
        self.objects.get(key).map(Held::value).ok_or_else(|| key.missing())
    }

    /// A copy to change.
    pub(super) fn copy(&self, key: &Key) -> Option<Value> {
        self.objects.get(key).map(|object| Value::clone(object.value()))
    }

    /// The objects of a kind, in all namespaces or one, in the order of the server.
    pub(super) fn list<'a>(
        &'a self,
        kind: Kind,
        namespace: Option<&'a str>,
    ) -> impl Iterator<Item = (&'a Key, &'a Arc<Value>)> {
        self.held(kind, namespace).map(|(key, object)| (key, object.value()))
    }

    /// The same, as they are held: a text that nobody needs as a value stays one.
    pub(super) fn held<'a>(
        &'a self,
        kind: Kind,
        namespace: Option<&'a str>,
    ) -> impl Iterator<Item = (&'a Key, &'a Held)> {
        self.objects
            .range(Key::new(kind, namespace.unwrap_or_default(), "")..)
            .take_while(move |(key, _)| key.kind == kind && namespace.is_none_or(|wanted| key.namespace == wanted))
    }

    /// The same as it was at an earlier version: pages of different moments would skip or repeat objects.
    pub(super) fn held_at(&self, version: u64, kind: Kind, namespace: Option<&str>) -> Result<Vec<Held>, Refusal> {
        let mut then: BTreeMap<&Key, Option<Held>> = BTreeMap::new();
        for change in self.since(version).map_err(|_| token_expired())? {
            let here = change.key.kind == kind && namespace.is_none_or(|wanted| change.key.namespace == wanted);
            if here {
                then.entry(&change.key).or_insert_with(|| change.before.clone().map(Held::Value));
            }
        }
        let now = self.held(kind, namespace);
        if then.is_empty() {
            return Ok(now.map(|(_, object)| object.clone()).collect());
        }
        for (key, object) in now {
            then.entry(key).or_insert_with(|| Some(object.clone()));
        }
        Ok(then.into_values().flatten().collect())
    }

    /// What the object owns, of one kind.
    pub(super) fn owned_by<'a>(&'a self, owner: &Value, kind: Kind) -> impl Iterator<Item = (&'a Key, &'a Arc<Value>)> {
        let keys = self.owned.get(uid_of(owner)).into_iter().flatten();
        let found = keys.filter(move |key| key.kind == kind).filter_map(|key| self.objects.get_key_value(key));
        found.map(|(key, object)| (key, object.value()))
    }

    /// What changed after `version`.
    pub(super) fn since(&self, version: u64) -> Result<impl Iterator<Item = &Change>, Refusal> {
        let oldest = self.changes.front().map_or(self.version, |c| c.version - 1);
        if version < oldest {
            return Err(too_old(version, oldest));
        }
        let from = self.changes.partition_point(|c| c.version <= version);
        Ok(self.changes.range(from..))
    }

    /// Forgets what changed, as a compaction does: older versions can no longer be watched from.
    pub(super) fn compact(&mut self) {
        self.changes.clear();
    }

    /// What changed since this was asked last.
    pub(super) fn take_touched(&mut self) -> Vec<Change> {
        std::mem::take(&mut self.touched)
    }

    fn tell(&mut self, key: Key, what: &'static str, object: Arc<Value>, before: Option<Arc<Value>>) {
        let change = Change { version: self.version, key, what, object, before };
        self.touched.push(change.clone());
        self.changes.push_back(change);
        if self.changes.len() > KEPT {
            self.changes.pop_front();
        }
    }

    fn keep(&mut self, key: &Key, object: Value, what: &'static str) -> Arc<Value> {
        let object = Arc::new(object);
        let before = self.objects.insert(key.clone(), Held::Value(object.clone()));
        self.link(key, &object, true);
        self.tell(key.clone(), what, object.clone(), before.map(|held| held.value().clone()));
        object
    }

    /// Puts an object in as the text that it is sent as. Nobody is told: it was always there.
    pub(super) fn stamp(&mut self, key: Key, text: String, owner: Option<&str>) {
        self.version += 1;
        if let Some(uid) = owner {
            self.owned.entry(uid.to_owned()).or_default().insert(key.clone());
        }
        self.objects.insert(key, Held::text(text));
    }

    fn link(&mut self, key: &Key, object: &Value, here: bool) {
        for owner in object["metadata"]["ownerReferences"].as_array().into_iter().flatten() {
            let uid = owner["uid"].as_str().unwrap_or_default();
            if here {
                self.owned.entry(uid.to_owned()).or_default().insert(key.clone());
            } else if let Some(all) = self.owned.get_mut(uid) {
                all.remove(key);
                if all.is_empty() {
                    self.owned.remove(uid);
                }
            }
        }
    }

    /// Makes an object; the server fills in what is its own.
    pub(super) fn create(&mut self, key: &Key, mut object: Value) -> Result<Arc<Value>, Refusal> {
        if self.objects.contains_key(key) {
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
        meta["creationTimestamp"] = time(self.now).into();
        if key.kind.counts_generations() {
            meta["generation"] = 1.into();
        }
        meta["resourceVersion"] = self.version.to_string().into();
        without_nulls(&mut object);
        if key.kind.keeps_managers() {
            managed::note(&Value::Null, &mut object, &self.writer, false, &time(self.now));
        }
        Ok(self.keep(key, object, "ADDED"))
    }

    /// Puts `wanted` in the place of an object, as far as `part` goes. What changes nothing makes no version.
    pub(super) fn put(&mut self, key: &Key, part: Part, mut wanted: Value) -> Result<Arc<Value>, Refusal> {
        let now = self.get(key)?.clone();
        let asked = &wanted["metadata"]["resourceVersion"];
        if !asked.is_null() && asked != &now["metadata"]["resourceVersion"] {
            return Err(conflict(key.kind.plural(), key.kind.group(), &key.name));
        }
        match part {
            Part::Main if key.kind.has_status() => wanted["status"] = now["status"].clone(),
            Part::Status => {
                let status = wanted["status"].take();
                wanted = Value::clone(&now);
                wanted["status"] = status;
            }
            Part::Main | Part::Whole => {}
        }
        let fixed =
            ["uid", "name", "namespace", "creationTimestamp", "generation", "resourceVersion", "deletionTimestamp"];
        for fixed in fixed {
            wanted["metadata"][fixed] = now["metadata"][fixed].clone();
        }
        wanted["metadata"]["managedFields"] = now["metadata"]["managedFields"].clone();
        for said in ["apiVersion", "kind"] {
            wanted[said] = now[said].clone();
        }
        without_nulls(&mut wanted);
        if wanted == *now {
            return Ok(now);
        }
        let counted = wanted["spec"] != now["spec"] || (!key.kind.has_status() && wanted["status"] != now["status"]);
        if counted && key.kind.counts_generations() {
            wanted["metadata"]["generation"] = (now["metadata"]["generation"].as_i64().unwrap_or(0) + 1).into();
        }
        self.version += 1;
        wanted["metadata"]["resourceVersion"] = self.version.to_string().into();
        if key.kind.keeps_managers() {
            let status = key.kind.has_status() && wanted["status"] != now["status"];
            managed::note(&now, &mut wanted, &self.writer, status, &time(self.now));
        }
        let freed = !now["metadata"]["deletionTimestamp"].is_null() && finalizers(&wanted) == 0;
        let kept = self.keep(key, wanted, "MODIFIED");
        if freed {
            self.remove(key)?;
        }
        Ok(kept)
    }

    /// Puts a whole object in the place of another, as `PUT` does.
    pub(super) fn replace(&mut self, key: &Key, part: Part, wanted: Value) -> Result<Arc<Value>, Refusal> {
        self.get(key)?;
        if key.kind.custom() && wanted["metadata"]["resourceVersion"].is_null() {
            return Err(must_say_version(key.kind.plural(), key.kind.group(), &key.name));
        }
        self.put(key, part, wanted)
    }

    /// Asks for an object to go. With finalizers it stays, marked, until the last one is taken off.
    pub(super) fn delete(&mut self, key: &Key) -> Result<Arc<Value>, Refusal> {
        let object = self.get(key)?.clone();
        if finalizers(&object) == 0 {
            return self.remove(key);
        }
        if !object["metadata"]["deletionTimestamp"].is_null() {
            return Ok(object);
        }
        let mut marked = Value::clone(&object);
        self.version += 1;
        marked["metadata"]["deletionTimestamp"] = time(self.now).into();
        marked["metadata"]["deletionGracePeriodSeconds"] = 0.into();
        marked["metadata"]["resourceVersion"] = self.version.to_string().into();
        if key.kind.counts_generations() {
            marked["metadata"]["generation"] = (object["metadata"]["generation"].as_i64().unwrap_or(0) + 1).into();
        }
        Ok(self.keep(key, marked, "MODIFIED"))
    }

    /// Takes an object away, and with it what it owns.
    fn remove(&mut self, key: &Key) -> Result<Arc<Value>, Refusal> {
        let before = self.objects.remove(key).ok_or_else(|| key.missing())?.value().clone();
        self.link(key, &before, false);
        self.version += 1;
        let mut object = Value::clone(&before);
        object["metadata"]["resourceVersion"] = self.version.to_string().into();
        let object = Arc::new(object);
        self.tell(key.clone(), "DELETED", object.clone(), Some(before));
        let mut gone: Vec<Key> = self.owned.remove(uid_of(&object)).into_iter().flatten().collect();
        if key.kind == Kind::Namespace {
            gone.extend(self.objects.keys().filter(|k| k.namespace == key.name).cloned());
        }
        for key in gone {
            // Deleting one may have taken another with it.
            let _ = self.delete(&key);
        }
        Ok(object)
    }
}

fn finalizers(object: &Value) -> usize {
    object["metadata"]["finalizers"].as_array().map_or(0, Vec::len)
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
