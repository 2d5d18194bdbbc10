//! The layers: what the program brings along, the system's file, the user's file, the environment, flags.
//!
//! A later layer wins, key by key; a list is one value. There is no layer for the working directory, on purpose: what
//! may be done to a cluster must not depend on the folder that somebody stands in at night, and a file that came with a
//! cloned repository could send a token elsewhere (`prometheus.context.url`) or open another kubeconfig, whose login
//! runs programs. A repository's own file is read when it is named: `--config FILE`.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::env::{self, Said};
use super::file::ConfigFile;
use super::problem::{ConfigError, KeyPath, Origin, Problem, Severity, Step};
use super::tree::{Node, Value};
use super::{check, schema};

/// A file of a layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayerFile {
    /// Where it is.
    pub path: PathBuf,
    /// It was asked for by name, so it must be there.
    pub asked_for: bool,
}

/// What flags say. Built by the command line.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    set: Vec<(&'static str, FlagValue, Origin)>,
    unset: Vec<&'static str>,
}

#[derive(Clone, Debug)]
enum FlagValue {
    Bool(bool),
    Text(String),
    Texts(Vec<String>),
}

impl Flags {
    /// A switch that was given.
    pub fn switch(&mut self, key: &'static str, value: bool, flag: &'static str) {
        self.set.push((key, FlagValue::Bool(value), Origin::Flag(flag)));
    }

    /// A text that was given.
    pub fn text(&mut self, key: &'static str, value: &str, flag: &'static str) {
        self.set.push((key, FlagValue::Text(value.to_owned()), Origin::Flag(flag)));
    }

    /// Texts that were given.
    pub fn texts(&mut self, key: &'static str, value: &[String], flag: &'static str) {
        self.set.push((key, FlagValue::Texts(value.to_vec()), Origin::Flag(flag)));
    }

    /// A variable that everyone knows, not by our naming, stands for a switch.
    pub fn custom(&mut self, key: &'static str, value: bool, variable: &'static str) {
        self.set.push((key, FlagValue::Bool(value), Origin::Env(variable.into())));
    }

    /// A flag speaks instead of this key.
    pub fn instead_of(&mut self, key: &'static str) {
        self.unset.push(key);
    }

    fn said(&self) -> impl Iterator<Item = Said> {
        self.set.iter().map(|(key, value, by)| {
            let by = by.clone();
            let value = match value {
                FlagValue::Bool(b) => Value::Bool(*b),
                FlagValue::Text(text) => Value::Text(text.clone()),
                FlagValue::Texts(all) => {
                    Value::List(all.iter().map(|text| Node::said(Value::Text(text.clone()), by.clone())).collect())
                }
            };
            Said { path: steps(key), value, by }
        })
    }
}

fn steps(key: &str) -> Vec<String> {
    key.split('.').map(ToOwned::to_owned).collect()
}

/// Where the layers are.
#[derive(Clone, Debug, Default)]
pub struct Layers {
    /// The files, the later one over the earlier.
    pub files: Vec<LayerFile>,
    /// The environment.
    pub environment: Vec<(String, String)>,
    /// The flags.
    pub flags: Flags,
}

/// A configuration and where each key is from.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// What holds.
    pub config: ConfigFile,
    /// Where it is from.
    pub origins: Origins,
    /// What may not do what was meant.
    pub warnings: Vec<Problem>,
    /// The files that were there, and whether each held anything.
    pub found: Vec<(PathBuf, bool)>,
}

/// Where each key is from.
#[derive(Clone, Default)]
pub struct Origins(Node);

impl std::fmt::Debug for Origins {
    // What is below was written as it is, secrets too.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Origins")
    }
}

impl Origins {
    /// Where the value of this key is from.
    pub fn of(&self, key: &KeyPath) -> Origin {
        self.0.find(key).map_or(Origin::Default, |node| node.at.clone())
    }

    /// Whether any layer says this key.
    pub fn says(&self, key: &KeyPath) -> bool {
        self.0.find(key).is_some()
    }

    /// Puts a problem where its key stands, or the table that it is missing from.
    pub fn locate(&self, problem: Problem) -> Problem {
        if problem.at == Origin::Default { Problem { at: self.0.place(&problem.key), ..problem } } else { problem }
    }
}

impl Layers {
    /// Lays them over each other and checks the whole. Every problem of every layer at once.
    pub fn load(&self) -> Result<Loaded, ConfigError> {
        match self.examine() {
            (wrong, Some(loaded)) if wrong.is_empty() => Ok(loaded),
            (problems, _) => Err(ConfigError { problems }),
        }
    }

    /// The errors, and what is left of the whole once they are taken out of it: more can be said of that.
    pub fn examine(&self) -> (Vec<Problem>, Option<Loaded>) {
        let (mut wrong, mut warnings) = (Vec::new(), Vec::new());
        let mut all = Node::default();
        let mut found = Vec::new();
        for file in &self.files {
            match read(file) {
                Ok(None) => {}
                Ok(Some(text)) => {
                    found.push((file.path.clone(), !text.trim().is_empty()));
                    match Node::read(&file.path, &text) {
                        Ok(node) => {
                            schema::check(&node, &mut wrong);
                            all.lay_over(node);
                        }
                        Err(problems) => wrong.extend(problems),
                    }
                }
                Err(problem) => wrong.push(problem),
            }
        }
        let mut outside = Node::default();
        let environment = env::read(&self.environment, &mut warnings, &mut wrong);
        let mut say = |Said { path, value, by }: Said, all: &mut Node| {
            outside.set(&path, value.clone(), &by);
            not_by_context(all, &path);
            all.set(&path, value, &by);
        };
        for said in environment {
            say(said, &mut all);
        }
        for key in &self.flags.unset {
            all.unset(&steps(key));
        }
        for said in self.flags.said() {
            say(said, &mut all);
        }
        schema::check(&outside, &mut wrong);
        let out: Vec<KeyPath> = wrong.iter().map(|p| p.key.clone()).filter(|key| !key.0.is_empty()).collect();
        // From behind, so that places in lists still are what they were.
        out.iter().rev().for_each(|key| all.remove(&key.0));
        let config = match typed(&all) {
            Ok(config) => config,
            // The shapes are good, so this is a gap in their check; where they are not, it may come of what was taken out.
            Err(e) => {
                wrong.extend(e.problems.into_iter().filter(|_| out.is_empty()));
                return (in_order(wrong).problems, None);
            }
        };
        let origins = Origins(all);
        let mut said = Vec::new();
        check::types_cannot(&config, &mut said);
        said.retain(|problem| !rests_on(&problem.key, &out));
        let (errors, more): (Vec<_>, Vec<_>) =
            said.into_iter().map(|p| origins.locate(p)).partition(|p| p.severity == Severity::Error);
        wrong.extend(errors);
        warnings.extend(more);
        (in_order(wrong).problems, Some(Loaded { config, origins, warnings, found }))
    }
}

/// Whether what is said of `key` may come of something that was taken out: out of it, or out of the list that it stands in.
fn rests_on(key: &KeyPath, out: &[KeyPath]) -> bool {
    out.iter().any(|gone| {
        let list = match gone.0.split_last() {
            Some((Step::Index(_), list)) => Some(KeyPath(list.to_vec())),
            _ => None,
        };
        gone.behind(key).is_some() || list.is_some_and(|list| key.behind(&list).is_some())
    })
}

/// What the environment or a flag says holds in every context: it is the later layer.
fn not_by_context(all: &mut Node, path: &[String]) {
    if let Value::Table(table) = &mut all.value
        && let Some(Value::List(contexts)) = table.get_mut("context").map(|node| &mut node.value)
    {
        for context in contexts {
            context.unset(path);
        }
    }
}

/// The shapes were checked, so what is left to say is a gap in the check; it is said all the same.
fn typed(all: &Node) -> Result<ConfigFile, ConfigError> {
    all.plain()
        .try_into()
        .map_err(|e: toml::de::Error| ConfigError { problems: vec![Problem::error(KeyPath::default(), e.message())] })
}

/// As a person goes through the files: one after the other, line by line.
pub fn in_order(mut problems: Vec<Problem>) -> ConfigError {
    let mut files: Vec<std::sync::Arc<Path>> = Vec::new();
    for problem in &problems {
        if let Origin::File { path, .. } = &problem.at
            && !files.contains(path)
        {
            files.push(path.clone());
        }
    }
    problems.sort_by_key(|problem| match &problem.at {
        Origin::File { path, line, column } => (files.iter().position(|f| f == path), *line, *column),
        // What stands in no file comes behind all that does.
        _ => (Some(files.len()), 0, 0),
    });
    ConfigError { problems }
}

fn read(file: &LayerFile) -> Result<Option<String>, Problem> {
    let bad = |why: String| Problem::error(KeyPath::default(), why).at(Origin::whole(&file.path));
    match std::fs::read_to_string(&file.path) {
        Ok(text) => Ok(Some(text)),
        Err(e) if e.kind() == ErrorKind::NotFound && !file.asked_for => Ok(None),
        Err(e) if e.kind() == ErrorKind::NotFound => Err(bad(
            "no such file; --config or FLIGHTDECK_CONFIG names it. A `demo --serve` that has ended took its file along: \
             unset FLIGHTDECK_CONFIG"
                .to_owned(),
        )),
        Err(e) if e.kind() == ErrorKind::InvalidData => Err(bad("is no text in UTF-8".to_owned())),
        Err(e) => Err(bad(e.to_string())),
    }
}

/// One file by itself; one that was not asked for by name may be missing.
pub fn load(path: &Path, asked_for: bool) -> Result<ConfigFile, ConfigError> {
    let files = vec![LayerFile { path: path.to_owned(), asked_for }];
    Layers { files, ..Layers::default() }.load().map(|loaded| loaded.config)
}

/// A text by itself.
pub fn parse(text: &str) -> Result<ConfigFile, ConfigError> {
    let mut wrong = Vec::new();
    let node = Node::read(Path::new("configuration"), text).map_err(|problems| ConfigError { problems })?;
    schema::check(&node, &mut wrong);
    if !wrong.is_empty() {
        return Err(in_order(wrong));
    }
    let (config, origins) = (typed(&node)?, Origins(node));
    check::types_cannot(&config, &mut wrong);
    let errors: Vec<_> =
        wrong.into_iter().filter(|p| p.severity == Severity::Error).map(|p| origins.locate(p)).collect();
    if errors.is_empty() { Ok(config) } else { Err(ConfigError { problems: errors }) }
}
