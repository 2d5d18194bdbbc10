//! What holds, key by key, with where it is from. Secrets are hidden by the way they are written out.

use serde_json::Value as Json;

use super::file::ConfigFile;
use super::layers::Loaded;
use super::problem::{KeyPath, Origin};
use crate::domain::environment::glob;

/// One key.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Its path.
    pub key: KeyPath,
    /// Its value; null = not set.
    pub value: Json,
    /// Where it is from.
    pub origin: Origin,
}

impl Loaded {
    /// Every key. With a context: what holds there, and the rules that can count there.
    pub fn entries(&self, context: Option<&str>) -> Vec<Entry> {
        let mut found = Vec::new();
        match context {
            None => gather(&written(&self.config), &KeyPath::default(), &mut found),
            Some(name) => gather(&written(&self.config.at(name)), &KeyPath::default(), &mut found),
        }
        let rule = context.and_then(|name| self.config.context_rule(name));
        let entry = |(key, value): (KeyPath, Json)| {
            let by_rule = rule.map(|nth| KeyPath::new("context").index(nth).join(&key));
            let said = by_rule.filter(|path| self.origins.says(path)).unwrap_or_else(|| key.clone());
            Entry { origin: self.origins.of(&said), key, value }
        };
        let own = |key: &KeyPath| context.is_none() || *key != KeyPath::new("context");
        found
            .into_iter()
            .filter(|(key, _)| own(key))
            .filter(|(key, _)| context.is_none_or(|name| self.counts(key, name)))
            .map(entry)
            .collect()
    }

    /// Whether a rule of a list can count in this context.
    fn counts(&self, key: &KeyPath, context: &str) -> bool {
        let fits = |pattern: &Option<String>| pattern.as_ref().is_none_or(|p| glob(p, context));
        let within = |list: &str, nth: usize| key.behind(&KeyPath::new(list).index(nth)).is_some();
        let environment = self.config.environment.iter().enumerate().filter(|(_, e)| !fits(&e.context));
        let prometheus = &self.config.prometheus.context;
        let first = prometheus.iter().position(|c| fits(&c.context));
        !environment.into_iter().any(|(nth, _)| within("environment", nth))
            && !(0..prometheus.len()).any(|nth| Some(nth) != first && within("prometheus.context", nth))
    }
}

/// Never fails: there are only names, numbers and texts in it.
fn written(config: &ConfigFile) -> Json {
    serde_json::to_value(config).unwrap_or_default()
}

fn gather(value: &Json, path: &KeyPath, found: &mut Vec<(KeyPath, Json)>) {
    match value {
        Json::Object(table) => {
            for (key, inner) in table {
                gather(inner, &path.verbatim(key), found);
            }
        }
        Json::Array(list) if list.iter().any(Json::is_object) => {
            for (nth, inner) in list.iter().enumerate() {
                gather(inner, &path.index(nth), found);
            }
        }
        leaf => found.push((path.clone(), leaf.clone())),
    }
}
