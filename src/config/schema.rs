//! The shape of the file as JSON Schema, and the check of what was written against it: every problem at once, each where
//! it stands, with the nearest known word.

use std::sync::LazyLock;

use serde_json::Value as Json;

use super::file::ConfigFile;
use super::problem::{KeyPath, Problem, Step};
use super::prometheus::{LENGTH, Length};
use super::tree::{Node, Value};
use crate::domain::nearest::did_you_mean;

static SCHEMA: LazyLock<Json> = LazyLock::new(|| {
    let mut schema = schemars::schema_for!(ConfigFile).to_value();
    schema["title"] = "Flightdeck's configuration".into();
    schema
});

/// The JSON Schema of the file.
pub fn schema() -> &'static Json {
    &SCHEMA
}

/// A key that takes no table: what can be set by itself.
#[derive(Clone, Debug)]
pub struct Leaf {
    /// Its path; `[]` behind a name stands for each entry of a list.
    pub path: Vec<String>,
    /// What it takes.
    pub takes: Takes,
}

impl Leaf {
    /// The path, with dots.
    pub fn dotted(&self) -> String {
        self.path.join(".")
    }

    /// Whether it stands in a list of tables or a table of the user's own names, so that no single name leads to it.
    pub fn in_list(&self) -> bool {
        self.path.iter().any(|step| step.ends_with("[]") || step == "*")
    }
}

/// What a key takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// true or false.
    Bool,
    /// A whole number.
    Int,
    /// A number.
    Number,
    /// Text.
    Text,
    /// A list of texts.
    Texts,
}

/// Every key there is.
pub fn leaves() -> &'static [Leaf] {
    static LEAVES: LazyLock<Vec<Leaf>> = LazyLock::new(|| {
        let mut found = Vec::new();
        gather(schema(), &mut Vec::new(), &mut found);
        found
    });
    &LEAVES
}

fn gather(shape: &Json, path: &mut Vec<String>, found: &mut Vec<Leaf>) {
    let shape = resolved(shape);
    let mut leaf = |takes| found.push(Leaf { path: path.clone(), takes });
    match kind(shape) {
        "boolean" => leaf(Takes::Bool),
        "integer" => leaf(Takes::Int),
        "number" => leaf(Takes::Number),
        "array" => {
            let entry = shape.get("items").or_else(|| shape["prefixItems"].get(0)).map_or(&Json::Null, resolved);
            if kind(entry) != "object" {
                return leaf(Takes::Texts);
            }
            if let Some(name) = path.last_mut() {
                name.push_str("[]");
            }
            gather(entry, path, found);
        }
        "object" => {
            for (key, inner) in shape["properties"].as_object().into_iter().flatten() {
                path.push(key.clone());
                gather(inner, path, found);
                path.pop();
            }
            if let Some(inner) = shape.get("additionalProperties").filter(|inner| inner.is_object()) {
                path.push("*".to_owned());
                gather(inner, path, found);
                path.pop();
            }
        }
        _ => leaf(Takes::Text),
    }
}

/// The shape behind a reference, and of what may be left out.
fn resolved(shape: &Json) -> &Json {
    if let Some(name) = shape["$ref"].as_str().and_then(|at| at.strip_prefix("#/$defs/")) {
        return schema()["$defs"].get(name).map_or(shape, resolved);
    }
    let some = shape["anyOf"].as_array().and_then(|any| any.iter().find(|one| one["type"] != "null"));
    some.map_or(shape, resolved)
}

/// Its type, without `null`.
fn kind(shape: &Json) -> &str {
    match &shape["type"] {
        Json::String(kind) => kind,
        Json::Array(kinds) => kinds.iter().filter_map(Json::as_str).find(|kind| *kind != "null").unwrap_or_default(),
        _ => "",
    }
}

/// Checks what was written against the shape.
pub(super) fn check(node: &Node, wrong: &mut Vec<Problem>) {
    walk(schema(), node, &KeyPath::default(), wrong);
}

fn walk(shape: &Json, node: &Node, path: &KeyPath, wrong: &mut Vec<Problem>) {
    let shape = resolved(shape);
    let expected = match (kind(shape), &node.value) {
        ("object", Value::Table(_)) => return table(shape, node, path, wrong),
        ("array", Value::List(list)) => return entries(shape, node, list, path, wrong),
        ("boolean", Value::Bool(_)) | ("integer", Value::Int(0..)) | ("", _) if choices(shape).is_empty() => return,
        ("number", Value::Int(_) | Value::Float(_)) => return number(shape, node, path, wrong),
        (_, Value::Text(text)) if kind(shape) == "string" || !choices(shape).is_empty() => {
            return text_value(shape, node, text, path, wrong);
        }
        ("object", _) => "a table",
        ("array", _) => "a list, as [\"a\", \"b\"]",
        ("boolean", _) => "a boolean: true or false",
        ("integer", _) => "a whole number, 0 or more",
        ("number", _) => "a number",
        _ => "a string, in quotes",
    };
    let why = format!("is {}; it takes {expected}", node.value.word());
    wrong.push(Problem::error(path.clone(), why).at(node.at.clone()));
}

fn table(shape: &Json, node: &Node, path: &KeyPath, wrong: &mut Vec<Problem>) {
    let Value::Table(table) = &node.value else { return };
    let none = serde_json::Map::new();
    let known = shape["properties"].as_object().unwrap_or(&none);
    let more = shape.get("additionalProperties").filter(|more| more.is_object());
    for (key, inner) in table {
        let here = path.verbatim(key);
        if let Some(shape) = known.get(key).or(more) {
            walk(shape, inner, &here, wrong);
            continue;
        }
        let hint = match did_you_mean(key, known.keys().map(String::as_str)) {
            hint if hint.is_empty() => elsewhere(key, path),
            hint => hint,
        };
        wrong.push(Problem::error(here, format!("unknown key{hint}")).at(inner.key_at.clone()));
    }
    for key in shape["required"].as_array().into_iter().flatten().filter_map(Json::as_str) {
        if !table.contains_key(key) {
            wrong.push(Problem::error(path.clone(), format!("needs `{key}`")).at(node.at.clone()));
        }
    }
}

/// A key that is known in another table. Where none is, a hint at what is known here.
fn elsewhere(key: &str, path: &KeyPath) -> String {
    let same = leaves().iter().filter(|leaf| leaf.path.last().is_some_and(|last| last == key));
    match same.min_by_key(|leaf| leaf.in_list()) {
        Some(leaf) => format!("; did you mean `{}`?", leaf.dotted()),
        None if path.0.is_empty() => {
            let sections = schema()["properties"].as_object().into_iter().flat_map(|all| all.keys());
            format!("; known here: {}", sections.cloned().collect::<Vec<_>>().join(", "))
        }
        None => String::new(),
    }
}

fn entries(shape: &Json, node: &Node, list: &[Node], path: &KeyPath, wrong: &mut Vec<Problem>) {
    let tuple = shape["prefixItems"].as_array();
    if let Some(tuple) = tuple
        && tuple.len() != list.len()
    {
        let why = format!("has {}; it takes exactly {}", list.len(), tuple.len());
        wrong.push(Problem::error(path.clone(), why).at(node.at.clone()));
        return;
    }
    for (nth, inner) in list.iter().enumerate() {
        if let Some(shape) = tuple.and_then(|tuple| tuple.get(nth)).or_else(|| shape.get("items")) {
            walk(shape, inner, &path.index(nth), wrong);
        }
    }
}

fn number(shape: &Json, node: &Node, path: &KeyPath, wrong: &mut Vec<Problem>) {
    #[expect(clippy::cast_precision_loss, reason = "it is only compared with a small limit")]
    let given = match node.value {
        Value::Int(n) => n as f64,
        Value::Float(x) => x,
        _ => return,
    };
    let (low, high) = (shape["minimum"].as_f64(), shape["maximum"].as_f64());
    let fits = low.is_none_or(|low| given >= low) && high.is_none_or(|high| given <= high);
    if !fits || given.is_nan() {
        let why =
            format!("is {given}; it takes {} to {}, in percent", low.unwrap_or_default(), high.unwrap_or_default());
        wrong.push(Problem::error(path.clone(), why).at(node.at.clone()));
    }
}

fn text_value(shape: &Json, node: &Node, text: &str, path: &KeyPath, wrong: &mut Vec<Problem>) {
    let choices = choices(shape);
    let why = if !choices.is_empty() && !choices.contains(&text) {
        let hint = did_you_mean(text, choices.iter().copied());
        format!("{text:?} is none of {}{hint}", choices.join(", "))
    } else if shape["x-kind"] == LENGTH {
        match Length::parse(text) {
            Ok(_) => return,
            Err(why) => why,
        }
    } else {
        return;
    };
    wrong.push(Problem::error(path.clone(), why).at(node.at.clone()));
}

/// The words that it takes, where they are few.
fn choices(shape: &Json) -> Vec<&str> {
    let words = |list: &'static str| shape[list].as_array().into_iter().flatten();
    words("enum").filter_map(Json::as_str).chain(words("oneOf").filter_map(|one| one["const"].as_str())).collect()
}

/// The shape's description of a key, one line.
pub fn describe(path: &KeyPath) -> Option<&'static str> {
    let mut shape = schema();
    let mut said = None;
    for step in &path.0 {
        let inner = resolved(shape);
        shape = match step {
            Step::Key(key) => inner["properties"].get(key).or_else(|| inner.get("additionalProperties"))?,
            Step::Index(_) => inner.get("items")?,
        };
        said = shape["description"].as_str();
    }
    said.and_then(|text| text.lines().next())
}
