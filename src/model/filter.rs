//! Which targets a person wants to see: the words after `/` on the board, alike for the screen and for verbs.
//!
//! All words must hold. A plain word is looked for in everything that names a target; `key:value` asks one thing of it;
//! `a,b` after a key is either; `!` before a word negates it; quotes keep spaces, and a colon, as they are.
//!
//! What is not understood is an error with its fix, never a filter that matches nothing.

#[cfg(test)]
mod tests;
mod words;

use jiff::Timestamp;

pub use words::{Word, words};

use super::query::{Band, baking, band};
use super::world::Target;
use crate::domain::environment::{Tier, glob};
use crate::domain::nearest::hint;

/// The keys, and what each asks.
pub const KEYS: &[(&str, &str)] = &[
    ("state", "paused, degraded, progressing, healthy, unknown, aborted or baking"),
    ("env", "prod, staging, dev, or the name of an environment"),
    ("band", "needs, moving or steady"),
    ("ns", "the namespace; * stands for any text"),
    ("context", "the kube context; * stands for any text"),
    ("label", "key=value, or a key that is there; * stands for any text"),
    ("image", "a part of an image"),
    ("version", "a part of a version's tag, hash or revision"),
];

const STATES: &[&str] = &["paused", "degraded", "progressing", "healthy", "unknown", "aborted", "baking"];
const BANDS: &[&str] = &["needs", "moving", "steady"];

/// The words that a key takes; none where it takes any.
pub fn values(key: &str) -> &'static [&'static str] {
    match key {
        "state" => STATES,
        "band" => BANDS,
        "env" => &["prod", "staging", "dev"],
        _ => &[],
    }
}

/// A filter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter(Vec<Term>);

/// One word: any of these, or none of them.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Term {
    negated: bool,
    any: Vec<Test>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Test {
    /// In lower case.
    Text(String),
    State(&'static str),
    Environment(String),
    Band(Band),
    Namespace(String),
    Context(String),
    Label(String, Option<String>),
    Image(String),
    Version(String),
}

impl Filter {
    /// Reads what a person typed. Errors name the fix.
    pub fn parse(text: &str) -> Result<Self, String> {
        words(text).into_iter().map(term).collect::<Result<_, _>>().map(Self)
    }

    /// Reads what a person is typing: what is understood of it, and the first error of what is not.
    pub fn so_far(text: &str) -> (Self, Option<String>) {
        let (mut terms, mut wrong) = (Vec::new(), None);
        for word in words(text) {
            match term(word) {
                Ok(term) => terms.push(term),
                Err(why) => wrong = wrong.or(Some(why)),
            }
        }
        (Self(terms), wrong)
    }

    /// Whether it lets everything through.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether it asks what only error rates tell: a band rests on them, so who asks must have read them first.
    pub fn rests_on_rates(&self) -> bool {
        self.0.iter().flat_map(|term| &term.any).any(|test| matches!(test, Test::Band(_)))
    }

    /// Whether `target` has all that is asked for. Bands depend on the time.
    pub fn matches(&self, target: &Target, now: Timestamp) -> bool {
        self.0.iter().all(|term| term.any.iter().any(|test| test.holds(target, now)) != term.negated)
    }
}

fn term(word: Word) -> Result<Term, String> {
    let Word { negated, key, value } = word;
    let Some(key) = key else {
        if value.is_empty() {
            return Err("`!` negates the word behind it: write !state:healthy".to_owned());
        }
        return Ok(Term { negated, any: vec![Test::Text(value.to_lowercase())] });
    };
    let known: Vec<&str> = KEYS.iter().map(|(key, _)| *key).collect();
    let Some((_, takes)) = KEYS.iter().find(|(name, _)| *name == key) else {
        return Err(format!("no key `{key}:`{} (quotes make it text)", hint(&key, &known)));
    };
    if value.is_empty() {
        return Err(format!("{key}: takes {takes}"));
    }
    let parts = value.split(',').filter(|part| !part.is_empty());
    let any = parts.map(|part| test(&key, part)).collect::<Result<Vec<_>, _>>()?;
    if any.is_empty() {
        return Err(format!("{key}: takes {takes}"));
    }
    Ok(Term { negated, any })
}

fn test(key: &str, value: &str) -> Result<Test, String> {
    let lower = value.to_lowercase();
    Ok(match key {
        "state" => Test::State(one_of(key, &lower, STATES)?),
        // As the board writes it, too.
        "band" if matches!(lower.as_str(), "needs you" | "needs-you") => Test::Band(Band::NeedsYou),
        "band" => Test::Band(match one_of(key, &lower, BANDS)? {
            "needs" => Band::NeedsYou,
            "moving" => Band::Moving,
            _ => Band::Steady,
        }),
        "env" => Test::Environment(lower),
        "ns" => Test::Namespace(lower),
        "context" => Test::Context(lower),
        "label" => match value.split_once('=') {
            Some((name, value)) => Test::Label(name.to_owned(), Some(value.to_owned())),
            None => Test::Label(value.to_owned(), None),
        },
        "image" => Test::Image(lower),
        _ => Test::Version(lower),
    })
}

/// The word that `value` begins, where it is one.
fn one_of(key: &str, value: &str, names: &'static [&'static str]) -> Result<&'static str, String> {
    let mut begins = names.iter().filter(|name| name.starts_with(value));
    match (names.iter().find(|name| **name == value), begins.next(), begins.next()) {
        (Some(name), ..) | (None, Some(name), None) => Ok(name),
        _ => Err(format!("{key}: is one of {}, not {value:?}", names.join(", "))),
    }
}

impl Test {
    fn holds(&self, target: &Target, now: Timestamp) -> bool {
        let rollout = &target.rollout;
        let has = |text: &str, part: &str| text.to_lowercase().contains(part);
        let fits = |pattern: &str, text: &str| glob(pattern, &text.to_lowercase());
        match self {
            Self::Text(part) => {
                has(&rollout.id.to_string(), part)
                    || has(target.context.as_str(), part)
                    || target.sets.iter().any(|set| has(set.pod_hash.as_str(), part))
                    || images(target).any(|image| has(image, part))
            }
            Self::State("aborted") => rollout.abort,
            Self::State("baking") => baking(target, now).is_some(),
            Self::State(word) => rollout.status().0.as_str().eq_ignore_ascii_case(word),
            Self::Environment(name) => is_environment(target, name),
            Self::Band(wanted) => band(target, now).0 == *wanted,
            Self::Namespace(pattern) => fits(pattern, rollout.id.namespace.as_str()),
            Self::Context(pattern) => fits(pattern, target.context.as_str()),
            Self::Label(key, value) => rollout.labels.iter().any(|(name, has)| {
                name.as_str() == key && value.as_ref().is_none_or(|value| glob(value, has.as_str()))
            }),
            Self::Image(part) => images(target).any(|image| has(image, part)),
            Self::Version(part) => {
                let tag = |image: &str| image.rsplit(['/', ':', '@']).next().is_some_and(|tag| has(tag, part));
                images(target).any(tag)
                    || target.sets.iter().any(|set| {
                        has(set.pod_hash.as_str(), part) || set.revision.is_some_and(|n| n.to_string() == *part)
                    })
            }
        }
    }
}

/// The images of the version in the spec, and of those that run.
fn images(target: &Target) -> impl Iterator<Item = &str> {
    let up = target.sets.iter().filter(|set| set.desired > 0 || set.current > 0);
    let running = up.flat_map(|set| set.images.iter());
    target.rollout.images().chain(running).map(crate::domain::text::Clean::as_str)
}

fn is_environment(target: &Target, said: &str) -> bool {
    let words: &[&str] = match target.environment.tier {
        Tier::Production => &["prod", "production"],
        Tier::Staging => &["stage", "staging"],
        Tier::Development => &["dev", "development"],
    };
    words.contains(&said) || glob(said, &target.environment.name.as_str().to_lowercase())
}
