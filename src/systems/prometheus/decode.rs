//! From the bytes of an answer to numbers, or to what is wrong with it.

use std::collections::BTreeMap;

use prometheus_http_query::response::{Data, PromqlResult};
use serde::Deserialize;

use crate::domain::signal::Value;
use crate::domain::text::Clean;

use super::query::KEY;

/// Why an answer is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Not there, not well, or not a Prometheus: tried again.
    Unreachable { why: Clean },
    /// Nothing came within the deadline.
    Silent { why: Clean },
    /// We are not let in.
    Denied { why: Clean },
    /// It understood the request, and not the query.
    WrongQuery { why: Clean },
}

impl Fault {
    pub(crate) fn unreachable(why: &str) -> Self {
        Self::Unreachable { why: Clean::new(why) }
    }

    pub(crate) const fn why(&self) -> &Clean {
        match self {
            Self::Unreachable { why } | Self::Silent { why } | Self::Denied { why } | Self::WrongQuery { why } => why,
        }
    }
}

/// An answer: numbers by key, at one evaluation time.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Answer {
    /// The evaluation time, in seconds, by Prometheus' clock; `None` when there are no numbers.
    pub at: Option<f64>,
    /// What Prometheus warned of.
    pub notes: Vec<Clean>,
    values: BTreeMap<String, Value>,
    /// Of a range query: by key, times in seconds and numbers, oldest first.
    pub past: BTreeMap<String, Vec<(f64, f64)>>,
}

impl Answer {
    pub(crate) fn value(&self, key: &str) -> Value {
        self.values.get(key).copied().unwrap_or_default()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    status: String,
    #[serde(default)]
    data: serde_json::Value,
    #[serde(default)]
    error_type: String,
    #[serde(default)]
    error: Clean,
    #[serde(default)]
    warnings: Vec<Clean>,
}

/// How many warnings are kept.
const NOTES: usize = 3;

/// Reads the answer to an instant query, or to one over a range.
pub(crate) fn answer(code: u16, body: &[u8]) -> Result<Answer, Fault> {
    let Ok(envelope) = serde_json::from_slice::<Envelope>(body) else { return Err(foreign(code, body)) };
    match envelope.status.as_str() {
        "success" => numbers(envelope),
        "error" => Err(refused(code, &envelope)),
        _ => Err(foreign(code, body)),
    }
}

fn refused(code: u16, envelope: &Envelope) -> Fault {
    let why = Clean::new(&format!("{}: {}", envelope.error_type, envelope.error));
    match (envelope.error_type.as_str(), code) {
        (_, 401 | 403) => Fault::Denied { why: Clean::new(&format!("{code}: {why}")) },
        ("bad_data" | "execution", _) | (_, 422) => Fault::WrongQuery { why },
        _ => Fault::Unreachable { why: Clean::new(&format!("Prometheus answers {code}, {why}")) },
    }
}

/// What something that is not a Prometheus means.
fn foreign(code: u16, body: &[u8]) -> Fault {
    let said = String::from_utf8_lossy(&body[..body.len().min(120)]);
    let said = Clean::new(said.trim());
    match code {
        401 | 403 => Fault::Denied { why: Clean::new(&format!("{code}: {said}; a token or header may be missing")) },
        300..=399 => Fault::unreachable(&format!("{code}: it leads elsewhere; is the address right, and the login?")),
        _ => Fault::unreachable(&format!("{code} from something that is not a Prometheus: {said}")),
    }
}

fn numbers(envelope: Envelope) -> Result<Answer, Fault> {
    let wrong = |why: &str| Fault::WrongQuery { why: Clean::new(why) };
    let kind = envelope.data["resultType"].as_str().unwrap_or_default().to_owned();
    if kind == "vector"
        && envelope.data["result"].as_array().is_some_and(|all| all.iter().any(|s| s.get("value").is_none()))
    {
        return Err(wrong("the result holds native histograms where numbers are expected"));
    }
    let data: PromqlResult = serde_json::from_value(envelope.data)
        .map_err(|e| Fault::unreachable(&format!("an answer that Prometheus does not give: {e}")))?;
    let mut answer = Answer { notes: envelope.warnings.into_iter().take(NOTES).collect(), ..Answer::default() };
    let vector = match data.data() {
        Data::Vector(vector) => vector,
        Data::Matrix(ranges) => {
            for range in ranges {
                let Some(key) = range.metric().get(KEY) else { return Err(wrong("a number that was not asked for")) };
                let points = range.samples().iter().map(|s| (s.timestamp(), s.value())).collect();
                answer.past.insert(key.clone(), points);
            }
            return Ok(answer);
        }
        Data::Scalar(_) => return Err(wrong(&format!("a {kind} where a vector is expected"))),
    };
    for series in vector {
        let Some(key) = series.metric().get(KEY) else {
            return Err(wrong("a number that was not asked for"));
        };
        answer.at = Some(series.sample().timestamp());
        answer.values.entry(key.clone()).or_default().add(series.sample().value());
    }
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vector(values: &[(&str, &str)]) -> Vec<u8> {
        let all: Vec<_> = values
            .iter()
            .map(|(key, value)| serde_json::json!({"metric": {"flightdeck": key}, "value": [1_700_000_000.5, value]}))
            .collect();
        serde_json::json!({"status": "success", "data": {"resultType": "vector", "result": all},
            "warnings": ["partial \u{1b}[2J response"]})
        .to_string()
        .into_bytes()
    }

    #[test]
    fn numbers_come_by_their_keys_and_warnings_are_kept_and_cleaned() {
        let all = [("a", "1.5"), ("b", "NaN"), ("c", "+Inf"), ("d", "1"), ("d", "2")];
        let answer = answer(200, &vector(&all)).expect("sound");
        assert_eq!(answer.value("a"), Value::One(1.5));
        assert!(matches!(answer.value("b"), Value::One(n) if n.is_nan()));
        assert_eq!(answer.value("c"), Value::One(f64::INFINITY));
        assert_eq!(answer.value("d"), Value::Many(2));
        assert_eq!(answer.value("e"), Value::Absent);
        assert_eq!(answer.at, Some(1_700_000_000.5));
        assert_eq!(answer.notes, vec![Clean::new("partial ␛[2J response")]);
    }

    #[test]
    fn what_is_no_answer_says_what_it_is() {
        let html = "<html><title>502 Bad Gateway</title>";
        for (code, body, word) in [
            (502, html, "unreachable"),
            (200, html, "unreachable"),
            (302, "", "unreachable"),
            (404, "404 page not found", "unreachable"),
            (401, "Unauthorized", "denied"),
            (403, html, "denied"),
            (503, r#"{"status":"error","errorType":"timeout","error":"query timed out"}"#, "unreachable"),
            (400, r#"{"status":"error","errorType":"bad_data","error":"parse error"}"#, "wrong"),
            (422, r#"{"status":"error","errorType":"execution","error":"many-to-many"}"#, "wrong"),
            (200, r#"{"status":"success","data":{"resultType":"scalar","result":[1,"2"]}}"#, "wrong"),
            (
                200,
                r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,"2"]}]}}"#,
                "wrong",
            ),
            (
                200,
                r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"histogram":[1,{}]}]}}"#,
                "wrong",
            ),
            (
                200,
                r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{"flightdeck":"a"},"value":"x"}]}}"#,
                "unreachable",
            ),
            (200, r#"{"status":"success"}"#, "unreachable"),
            (200, r#"{"status":"maybe"}"#, "unreachable"),
            (200, "[]", "unreachable"),
            (200, "", "unreachable"),
        ] {
            let fault = answer(code, body.as_bytes()).expect_err(body);
            let is = match fault {
                Fault::Unreachable { .. } | Fault::Silent { .. } => "unreachable",
                Fault::Denied { .. } => "denied",
                Fault::WrongQuery { .. } => "wrong",
            };
            assert_eq!(is, word, "{code} {body}: {fault:?}");
            assert!(!fault.why().is_empty());
        }
    }
}
