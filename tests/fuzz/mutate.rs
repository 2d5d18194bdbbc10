//! Inputs made of other inputs.

use serde_json::Value;

use super::random::Random;

/// No input is longer.
const LONGEST: usize = 1 << 18;

/// What tends to break things: numbers at their ends, text that a terminal obeys, text that is long or looks like
/// something else.
const TEXTS: [&str; 30] = [
    "",
    "0",
    "-1",
    "1e999",
    "9223372036854775807",
    "-9223372036854775808",
    "18446744073709551616",
    "NaN",
    "+Inf",
    "null",
    "true",
    "{}",
    "[]",
    "[0.01]",
    "2026-11-25T10:00:00Z",
    "0000-01-01T00:00:00Z",
    "9999-12-31T23:59:60Z",
    "100%",
    "1000000%",
    "5m",
    "999999999999h",
    "-5s",
    "\u{1b}[2J",
    "\u{1b}]52;c;x\u{7}",
    "\u{9b}31m",
    "\u{202e}abc",
    "a\u{200b}b\u{feff}",
    "e\u{301}\u{301}\u{301}\u{301}\u{301}\u{301}",
    "a/b:c@sha256:d",
    "👩‍👩‍👧‍👦\u{fffd}\u{10ffff}",
];

/// Makes the next input from the seeds.
pub(super) struct Mutator {
    seeds: Vec<Vec<u8>>,
    parsed: Vec<Value>,
    random: Random,
}

impl Mutator {
    pub(super) fn new(seeds: Vec<Vec<u8>>, json: bool, random: Random) -> Self {
        assert!(!seeds.is_empty(), "a target needs a seed");
        let parse = |seed: &Vec<u8>| serde_json::from_slice(seed).ok();
        let parsed = if json { seeds.iter().filter_map(parse).collect() } else { Vec::new() };
        Self { seeds, parsed, random }
    }

    pub(super) fn next(&mut self) -> Vec<u8> {
        let mut bytes = if !self.parsed.is_empty() && !self.random.once_in(4) {
            let mut value = self.random.pick(&self.parsed).clone();
            for _ in 0..=self.random.below(6) {
                self.change(&mut value);
            }
            value.to_string().into_bytes()
        } else {
            let mut bytes = self.random.pick(&self.seeds).clone();
            for _ in 0..=self.random.below(8) {
                self.scramble(&mut bytes);
            }
            bytes
        };
        bytes.truncate(LONGEST);
        bytes
    }

    fn scramble(&mut self, bytes: &mut Vec<u8>) {
        let random = &mut self.random;
        let at = random.below(bytes.len() + 1);
        let span = random.below(random_span(bytes.len() - at));
        match random.below(9) {
            0 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
            1 if at < bytes.len() => bytes[at] = u8::try_from(random.below(256)).unwrap_or(0),
            2 => drop(bytes.drain(at..at + span)),
            3 => {
                let part = bytes[at..at + span].to_vec();
                let to = random.below(bytes.len() + 1);
                bytes.splice(to..to, part);
            }
            4 => {
                let other = random.pick(&self.seeds);
                let from = random.below(other.len() + 1);
                let part = other[from..from + random.below(random_span(other.len() - from))].to_vec();
                bytes.splice(at..at + span, part);
            }
            5 => {
                let text = *random.pick(&TEXTS);
                bytes.splice(at..at + span.min(4), text.bytes());
            }
            6 => {
                let text = random.pick(&TEXTS).repeat(1 + random.below(300));
                bytes.splice(at..at, text.into_bytes());
            }
            7 => bytes.truncate(at),
            _ => {
                let lines: Vec<usize> =
                    bytes.iter().enumerate().filter(|(_, b)| **b == b'\n').map(|(n, _)| n).collect();
                if let Some(line) = lines.get(random.below(lines.len().max(1))) {
                    let begin = bytes[..*line].iter().rposition(|b| *b == b'\n').map_or(0, |n| n + 1);
                    let whole = bytes[begin..=*line].to_vec();
                    let to = lines[random.below(lines.len())] + 1;
                    bytes.splice(to..to, whole);
                }
            }
        }
    }

    fn change(&mut self, value: &mut Value) {
        let fresh = self.fresh();
        let random = &mut self.random;
        let place = somewhere(value, random);
        match random.below(8) {
            0 => match place {
                Value::Object(all) if !all.is_empty() => {
                    let key = all.keys().nth(random.below(all.len())).cloned().unwrap_or_default();
                    all.remove(&key);
                }
                Value::Array(all) if !all.is_empty() => drop(all.remove(random.below(all.len()))),
                other => *other = Value::Null,
            },
            1 => match place {
                Value::Object(all) => drop(all.insert((*random.pick(&TEXTS)).to_owned(), fresh)),
                Value::Array(all) if !all.is_empty() => {
                    let copy = all[random.below(all.len())].clone();
                    let times = 1 + random.below(40);
                    all.extend(std::iter::repeat_n(copy, times));
                }
                other => *other = Value::Array(vec![other.clone(), fresh]),
            },
            2 => match place {
                Value::String(text) => text.push_str(random.pick::<&str>(&TEXTS)),
                Value::Number(number) => {
                    let text = number.to_string();
                    *place = Value::String(text);
                }
                other => *other = fresh,
            },
            3 => match place {
                Value::String(text) => *text = text.repeat(2 + random.below(60)),
                other => *other = Value::Object([("a".to_owned(), other.clone())].into_iter().collect()),
            },
            _ => *place = fresh,
        }
    }

    /// A value of any kind, or one from another seed.
    fn fresh(&mut self) -> Value {
        let random = &mut self.random;
        match random.below(10) {
            0 => Value::Null,
            1 => Value::Bool(random.once_in(2)),
            2 => [i64::MAX, i64::MIN, 0, -1, 1 << 53, 1_000_000][random.below(6)].into(),
            3 => [f64::MAX, 0.1, -0.0, 1e-300, 1e300][random.below(5)].into(),
            4 => u64::MAX.into(),
            5 => {
                let depth = 1 + random.below(140);
                (0..depth).fold(Value::Null, |inner, _| Value::Array(vec![inner]))
            }
            6 if !self.parsed.is_empty() => {
                let mut other = random.pick(&self.parsed).clone();
                somewhere(&mut other, random).take()
            }
            _ => Value::String((*random.pick(&TEXTS)).to_owned()),
        }
    }
}

/// Mostly a few bytes, sometimes many.
fn random_span(most: usize) -> usize {
    most.min(64) + 1
}

/// Any place in a value, the deeper ones as likely as there are more of them.
fn somewhere<'a>(value: &'a mut Value, random: &mut Random) -> &'a mut Value {
    let count = match &*value {
        Value::Array(all) => all.len(),
        Value::Object(all) => all.len(),
        _ => 0,
    };
    if count == 0 || random.once_in(8) {
        return value;
    }
    let at = random.below(count);
    let inner = match value {
        Value::Array(all) => all.get_mut(at),
        Value::Object(all) => all.values_mut().nth(at),
        _ => None,
    };
    somewhere(inner.expect("it was counted"), random)
}
