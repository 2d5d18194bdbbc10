//! What the shapes cannot say: errors that every start meets, and what `config check` warns of besides.

use std::path::Path;

use super::file::{ConfigFile, EnvironmentSection};
use super::problem::{KeyPath, Problem};
use super::{Face, Origins};
use crate::domain::environment::glob;
use crate::domain::nearest::did_you_mean;

/// Checks what a cockpit is to be told of its looks and keys; only the cockpit's room knows what it understands.
pub type FaceCheck<'a> = &'a dyn Fn(&Face) -> Vec<Problem>;

/// What is known outside of the configuration.
pub struct Surroundings<'a> {
    /// The contexts of the kubeconfig; `None` = it cannot be read.
    pub contexts: Option<Vec<String>>,
    /// The query templates that come along.
    pub templates: Vec<String>,
    /// Looks and keys.
    pub face: FaceCheck<'a>,
    /// The log file's filter.
    pub log_level: &'a dyn Fn(&str) -> Result<(), String>,
    /// Looks a variable up; only whether it is there is of interest.
    pub is_set: &'a dyn Fn(&str) -> bool,
}

/// Checks what the types cannot.
pub(super) fn types_cannot(config: &ConfigFile, said: &mut Vec<Problem>) {
    for (nth, rule) in config.environment.iter().enumerate() {
        let here = KeyPath::new("environment").index(nth);
        if rule.name.trim().is_empty() {
            said.push(Problem::error(here.key("name"), "is empty"));
        }
        if rule.context.is_none() && rule.namespace.is_none() && rule.label.is_none() {
            let why = format!(
                "{:?} needs at least one of `context`, `namespace`, `label`, or it would match everything",
                rule.name
            );
            said.push(Problem::error(here.clone(), why));
        }
        if rule.label.as_ref().is_some_and(|label| !label.contains('=')) {
            said.push(Problem::error(here.key("label"), "is written `key=pattern`"));
        }
    }
    for (nth, rule) in config.context.iter().enumerate() {
        if rule.name.trim().is_empty() {
            let key = KeyPath::new("context").index(nth).key("name");
            said.push(Problem::error(key, "is empty; `*` stands for every context"));
        }
    }
    config.prometheus.check(&KeyPath::new("prometheus"), said);
}

/// Everything else that deserves a look, each where it stands.
pub fn look_closely(config: &ConfigFile, origins: &Origins, around: &Surroundings<'_>) -> Vec<Problem> {
    let mut said = Vec::new();
    shadowed(config, &mut said);
    if let Some(contexts) = &around.contexts {
        strangers(config, contexts, &mut said);
    }
    files(config, around.is_set, &mut said);
    templates(config, &around.templates, &mut said);
    unread(config, &mut said);
    fractions(config, &mut said);
    if let Err(why) = (around.log_level)(&config.log.level) {
        said.push(Problem::error(KeyPath::new("log.level"), why));
    }
    said.extend((around.face)(&config.face()));
    said.into_iter().map(|problem| origins.locate(problem)).collect()
}

/// Whether everything that `narrow` matches is matched by `wide` too. No pattern = anything.
fn covers(wide: Option<&String>, narrow: Option<&String>) -> bool {
    match (wide, narrow) {
        (None, _) => true,
        (Some(wide), None) => wide.chars().all(|c| c == '*') && !wide.is_empty(),
        // A `*` of the narrow one can only fall to a `*` of the wide one, which then takes whatever it stands for.
        (Some(wide), Some(narrow)) => glob(wide, narrow),
    }
}

fn covers_rule(wide: &EnvironmentSection, narrow: &EnvironmentSection) -> bool {
    let split = |label: &Option<String>| {
        label.as_ref().and_then(|l| l.split_once('=').map(|(k, v)| (k.to_owned(), v.to_owned())))
    };
    let label = match (split(&wide.label), split(&narrow.label)) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some((key, wide)), Some((same, narrow))) => key == same && glob(&wide, &narrow),
    };
    label
        && covers(wide.context.as_ref(), narrow.context.as_ref())
        && covers(wide.namespace.as_ref(), narrow.namespace.as_ref())
}

/// Rules that never get their turn, because an earlier one matches all that they match.
fn shadowed(config: &ConfigFile, said: &mut Vec<Problem>) {
    shadows("environment", &config.environment, covers_rule, said);
    shadows("context", &config.context, |wide, narrow| glob(&wide.name, &narrow.name), said);
    let prometheus = &config.prometheus;
    let by_context = |wide: &super::prometheus::PrometheusContext, narrow: &super::prometheus::PrometheusContext| {
        covers(wide.context.as_ref(), narrow.context.as_ref())
    };
    shadows("prometheus.context", &prometheus.context, by_context, said);
    shadows("prometheus.target", &prometheus.target, |wide, narrow| glob(&wide.target, &narrow.target), said);
}

fn shadows<T>(list: &str, rules: &[T], covers: impl Fn(&T, &T) -> bool, said: &mut Vec<Problem>) {
    for (nth, rule) in rules.iter().enumerate() {
        if let Some(first) = rules[..nth].iter().position(|earlier| covers(earlier, rule)) {
            let key = KeyPath::new(list).index(nth);
            let why = format!("never counts: {list}[{first}] stands before it and matches all that it matches");
            said.push(Problem::warning(key, why));
        }
    }
}

/// Patterns and names of contexts that the kubeconfig does not have.
fn strangers(config: &ConfigFile, contexts: &[String], said: &mut Vec<Problem>) {
    let list = |name: &str| KeyPath::new(name);
    let patterns = (config.environment.iter().enumerate())
        .filter_map(|(n, rule)| Some((list("environment").index(n).key("context"), rule.context.as_ref()?)))
        .chain(config.context.iter().enumerate().map(|(n, rule)| (list("context").index(n).key("name"), &rule.name)))
        .chain(config.prometheus.context.iter().enumerate().filter_map(|(n, rule)| {
            Some((list("prometheus.context").index(n).key("context"), rule.context.as_ref()?))
        }));
    for (key, pattern) in patterns {
        if !contexts.iter().any(|context| glob(pattern, context)) {
            let hint = did_you_mean(pattern, contexts.iter().map(String::as_str));
            said.push(Problem::warning(key, format!("{pattern:?} matches no context of the kubeconfig{hint}")));
        }
    }
    let kubernetes = &config.kubernetes;
    let named = (kubernetes.context.iter().map(|name| (KeyPath::new("kubernetes.context"), name))).chain(
        kubernetes.contexts.iter().enumerate().map(|(n, name)| (KeyPath::new("kubernetes.contexts").index(n), name)),
    );
    for (key, name) in named {
        if !contexts.contains(name) {
            let hint = did_you_mean(name, contexts.iter().map(String::as_str));
            said.push(Problem::error(key, format!("the kubeconfig has no context {name:?}{hint}")));
        }
    }
}

/// Files and variables that are named and not there, and tokens that everyone on this machine can read.
fn files(config: &ConfigFile, is_set: &dyn Fn(&str) -> bool, said: &mut Vec<Problem>) {
    let mut look = |key: KeyPath, path: &Path| {
        let gone = std::fs::File::open(path).err();
        if let Some(e) = &gone {
            said.push(Problem::warning(key, format!("{}: {e}", path.display())));
        }
        gone.is_none()
    };
    if let Some(path) = &config.kubernetes.kubeconfig {
        look(KeyPath::new("kubernetes.kubeconfig"), path);
    }
    let mut open_tokens = Vec::new();
    let mut unset = Vec::new();
    for (nth, context) in config.prometheus.context.iter().enumerate() {
        let here = KeyPath::new("prometheus.context").index(nth);
        if let Some(path) = &context.ca_file {
            look(here.key("ca_file"), path);
        }
        if let Some(path) = &context.token_file
            && look(here.key("token_file"), path)
            && readable_by_all(path)
        {
            open_tokens.push((here.key("token_file"), path));
        }
        if let Some(name) = context.token_env.as_ref().filter(|name| !is_set(name)) {
            unset.push((here.key("token_env"), name));
        }
    }
    for (key, path) in open_tokens {
        let why = format!("everyone on this machine can read {0}: `chmod 600 {0}`", path.display());
        said.push(Problem::warning(key, why));
    }
    for (key, name) in unset {
        said.push(Problem::warning(key, format!("the variable {name} is not set here")));
    }
}

fn readable_by_all(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).is_ok_and(|meta| meta.permissions().mode() & 0o004 != 0)
}

/// Error rates that are judged by rules, and read nowhere.
fn unread(config: &ConfigFile, said: &mut Vec<Problem>) {
    let (own, usual) = (&config.prometheus, super::prometheus::PrometheusSection::default());
    let judged = [
        ("prometheus.limit", own.limit != usual.limit),
        ("prometheus.minimum", own.minimum != usual.minimum),
        ("prometheus.windows", own.windows != usual.windows),
        ("prometheus.target", !own.target.is_empty()),
        ("prometheus.template", !own.template.is_empty()),
    ];
    if own.context.is_empty()
        && let Some((key, _)) = judged.iter().find(|(_, set)| *set)
    {
        let why = "does nothing: no [[prometheus.context]] says where a Prometheus is, so no error rates are read";
        said.push(Problem::warning(KeyPath::new(key), why.to_owned()));
    }
}

/// A share where percent are meant: 0.02 is a fiftieth of a percent.
fn fractions(config: &ConfigFile, said: &mut Vec<Problem>) {
    let own = config.prometheus.target.iter().enumerate();
    let own = own.filter_map(|(nth, t)| Some((KeyPath::new("prometheus.target").index(nth).key("limit"), t.limit?)));
    for (key, limit) in std::iter::once((KeyPath::new("prometheus.limit"), config.prometheus.limit)).chain(own) {
        if (1..10).contains(&limit.0) {
            let why = "is less than 0.1 %: limits are percent, so 2 means 2 %, and 0.02 one request in five thousand";
            said.push(Problem::warning(key, why.to_owned()));
        }
    }
}

/// Targets that are given a template which nobody has.
fn templates(config: &ConfigFile, along: &[String], said: &mut Vec<Problem>) {
    let own = config.prometheus.template.iter().map(|t| t.name.as_str());
    let known: Vec<&str> = own.chain(along.iter().map(String::as_str)).collect();
    for (nth, target) in config.prometheus.target.iter().enumerate() {
        if let Some(name) = target.template.as_deref().filter(|name| !known.contains(name)) {
            let key = KeyPath::new("prometheus.target").index(nth).key("template");
            let hint = did_you_mean(name, known.iter().copied());
            said.push(Problem::warning(key, format!("no template is called {name:?}{hint}")));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_covers_what_it_matches_whatever_that_stands_for() {
        let some = |text: &str| Some(text.to_owned());
        for (wide, narrow, yes) in [
            (None, some("a"), true),
            (some("*"), None, true),
            (some("prod-*"), None, false),
            (some("prod-*"), some("prod-eu-*"), true),
            (some("prod-*"), some("prod*"), false),
            (some("*"), some("*a*"), true),
            (some("a"), some("*"), false),
            (some("a*b"), some("a*cb"), true),
        ] {
            assert_eq!(covers(wide.as_ref(), narrow.as_ref()), yes, "{wide:?} over {narrow:?}");
        }
    }

    #[test]
    fn rules_for_error_rates_that_nobody_reads_are_told_of() {
        let said = |config: &ConfigFile| {
            let mut said = Vec::new();
            unread(config, &mut said);
            said.len()
        };
        let mut config = ConfigFile::default();
        assert_eq!(said(&config), 0, "nobody asked for rates");
        config.prometheus.limit = super::super::prometheus::Percent(200);
        assert_eq!(said(&config), 1);
        let shares = |hundredths| {
            let mut said = Vec::new();
            let mut config = ConfigFile::default();
            config.prometheus.limit = super::super::prometheus::Percent(hundredths);
            fractions(&config, &mut said);
            said.len()
        };
        assert_eq!((shares(2), shares(10), shares(500)), (1, 0, 0), "0.02 is hardly meant");
        config.prometheus.context.push(super::super::prometheus::PrometheusContext {
            url: Some("http://prometheus:9090".to_owned()),
            ..Default::default()
        });
        assert_eq!(said(&config), 0);
    }
}
