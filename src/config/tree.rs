//! A configuration as it was said: values that know where they stand, laid over each other.
//!
//! It holds secrets as they were written, so it neither prints nor leaves this room.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::problem::{KeyPath, Origin, Problem, Step};

/// A value and where it stands.
#[derive(Clone)]
pub(super) struct Node {
    pub value: Value,
    /// Where the value stands.
    pub at: Origin,
    /// Where its key stands; as the value where it has none.
    pub key_at: Origin,
}

#[derive(Clone)]
pub(super) enum Value {
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    /// A date or a number that no key takes; what it is called.
    Other(&'static str),
    List(Vec<Node>),
    Table(BTreeMap<String, Node>),
}

impl Value {
    /// What it is called in messages.
    pub(super) const fn word(&self) -> &'static str {
        match self {
            Self::Bool(_) => "a boolean",
            Self::Int(..0) => "a negative number",
            Self::Int(_) => "an integer",
            Self::Float(_) => "a number",
            Self::Text(_) => "a string",
            Self::Other(what) => what,
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
        }
    }
}

impl Default for Node {
    fn default() -> Self {
        Self::said(Value::Table(BTreeMap::new()), Origin::Default)
    }
}

impl Node {
    /// A value without a key of its own.
    pub(super) fn said(value: Value, at: Origin) -> Self {
        Self { value, key_at: at.clone(), at }
    }

    /// Reads a file's text; every place where it is no TOML is one problem.
    pub(super) fn read(path: &Path, text: &str) -> Result<Self, Vec<Problem>> {
        let file = File { path: path.into(), text };
        let (table, wrong) = DeTable::parse_recoverable(text);
        if wrong.is_empty() {
            let at = file.place(&table.span());
            return Ok(Self { key_at: at.clone(), value: file.table(table.get_ref()), at });
        }
        // The message alone: the error's full text repeats the line, and the line may hold a secret.
        let problem = |e: toml::de::Error| {
            let at = e.span().map_or_else(|| Origin::whole(path), |span| file.place(&span));
            Problem::error(KeyPath::default(), e.message()).at(at)
        };
        Err(without_echoes(wrong.into_iter().map(problem).collect()))
    }

    /// Lays another layer over this one: tables key by key, all else whole.
    pub(super) fn lay_over(&mut self, over: Self) {
        match (&mut self.value, over.value) {
            (Value::Table(below), Value::Table(above)) => {
                for (key, node) in above {
                    match below.get_mut(&key) {
                        Some(known) => known.lay_over(node),
                        None => {
                            below.insert(key, node);
                        }
                    }
                }
            }
            (value, above) => *value = above,
        }
        (self.at, self.key_at) = (over.at, over.key_at);
    }

    /// Sets one key, and makes the tables on the way.
    pub(super) fn set(&mut self, path: &[String], value: Value, at: &Origin) {
        let Some((first, rest)) = path.split_first() else {
            *self = Self { value, at: at.clone(), key_at: at.clone() };
            return;
        };
        if !matches!(self.value, Value::Table(_)) {
            self.value = Value::Table(BTreeMap::new());
        }
        if let Value::Table(table) = &mut self.value {
            table.entry(first.clone()).or_default().set(rest, value, at);
        }
    }

    /// Takes one key away.
    pub(super) fn unset(&mut self, path: &[String]) {
        let (Some((first, rest)), Value::Table(table)) = (path.split_first(), &mut self.value) else { return };
        if rest.is_empty() {
            table.remove(first);
        } else if let Some(node) = table.get_mut(first) {
            node.unset(rest);
        }
    }

    /// Takes away what stands at this path.
    pub(super) fn remove(&mut self, path: &[Step]) {
        match (path, &mut self.value) {
            ([Step::Key(key)], Value::Table(table)) => drop(table.remove(key)),
            ([Step::Index(nth)], Value::List(list)) if *nth < list.len() => drop(list.remove(*nth)),
            ([Step::Key(key), rest @ ..], Value::Table(table)) => {
                if let Some(node) = table.get_mut(key) {
                    node.remove(rest);
                }
            }
            ([Step::Index(nth), rest @ ..], Value::List(list)) => {
                if let Some(node) = list.get_mut(*nth) {
                    node.remove(rest);
                }
            }
            _ => {}
        }
    }

    /// Its child at this step.
    fn child(&self, step: &Step) -> Option<&Self> {
        match (&self.value, step) {
            (Value::Table(table), Step::Key(key)) => table.get(key),
            (Value::List(list), Step::Index(index)) => list.get(*index),
            _ => None,
        }
    }

    /// What stands at this path.
    pub(super) fn find(&self, path: &KeyPath) -> Option<&Self> {
        path.0.iter().try_fold(self, |node, step| node.child(step))
    }

    /// Where this path stands, or as much of it as there is.
    pub(super) fn place(&self, path: &KeyPath) -> Origin {
        let mut place = (self, &self.at);
        for step in &path.0 {
            match place.0.child(step) {
                Some(child) => place = (child, &child.at),
                None => break,
            }
        }
        place.1.clone()
    }

    /// As the deserialiser takes it.
    pub(super) fn plain(&self) -> toml::Value {
        match &self.value {
            Value::Bool(b) => toml::Value::Boolean(*b),
            Value::Int(n) => toml::Value::Integer(*n),
            Value::Float(x) => toml::Value::Float(*x),
            Value::Text(text) => toml::Value::String(text.clone()),
            Value::Other(what) => toml::Value::String((*what).to_owned()),
            Value::List(list) => toml::Value::Array(list.iter().map(Self::plain).collect()),
            Value::Table(table) => {
                toml::Value::Table(table.iter().map(|(key, node)| (key.clone(), node.plain())).collect())
            }
        }
    }
}

/// A heading that was not finished (`[ui`) is read as far as it goes, and may then stand for the second time: no news beside
/// what is wrong in that line.
fn without_echoes(mut wrong: Vec<Problem>) -> Vec<Problem> {
    let echo = |problem: &Problem| problem.why.starts_with("duplicate key");
    let line = |problem: &Problem| match &problem.at {
        Origin::File { line, .. } => Some(*line),
        _ => None,
    };
    let others: Vec<_> = wrong.iter().filter(|problem| !echo(problem)).map(line).collect();
    wrong.retain(|problem| !echo(problem) || !others.contains(&line(problem)));
    wrong
}

/// A text and its name, to say where things stand in it.
struct File<'a> {
    path: Arc<Path>,
    text: &'a str,
}

impl File<'_> {
    fn place(&self, span: &Range<usize>) -> Origin {
        let before = self.text.get(..span.start).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Origin::File {
            path: self.path.clone(),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }

    fn table(&self, table: &DeTable<'_>) -> Value {
        let entry = |(key, value): (&Spanned<_>, &Spanned<DeValue<'_>>)| {
            let key: &Spanned<std::borrow::Cow<'_, str>> = key;
            let node = Node { key_at: self.place(&key.span()), ..self.node(value) };
            (key.get_ref().clone().into_owned(), node)
        };
        Value::Table(table.iter().map(entry).collect())
    }

    fn node(&self, value: &Spanned<DeValue<'_>>) -> Node {
        let at = self.place(&value.span());
        let value = match value.get_ref() {
            DeValue::String(text) => Value::Text(text.clone().into_owned()),
            DeValue::Boolean(b) => Value::Bool(*b),
            DeValue::Integer(n) => {
                i64::from_str_radix(n.as_str(), n.radix()).map_or(Value::Other("an integer out of range"), Value::Int)
            }
            DeValue::Float(x) => x.as_str().parse().map_or(Value::Other("a number out of range"), Value::Float),
            DeValue::Datetime(_) => Value::Other("a date"),
            DeValue::Array(list) => Value::List(list.iter().map(|value| self.node(value)).collect()),
            DeValue::Table(table) => self.table(table),
        };
        Node { value, key_at: at.clone(), at }
    }
}
