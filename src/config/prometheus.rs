//! `[prometheus]`: where each context's Prometheus is, which queries are tried, and what is too many errors.

mod check;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::domain::environment::glob;
use crate::domain::signal::Rules;

/// `[prometheus]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PrometheusSection {
    /// The share of requests that may fail, in percent.
    pub limit: Percent,
    /// Below so many requests in the long window there is not enough data.
    pub minimum: u64,
    /// The long and the short window; both count.
    pub windows: (Length, Length),
    /// How often series are scraped, where the samples do not tell.
    pub scrape_interval: Option<Length>,
    /// How long one query may take.
    pub timeout: Length,
    /// Where it is, by context; the first that matches.
    pub context: Vec<PrometheusContext>,
    /// Query templates of the user's own, tried before those that come along.
    pub template: Vec<QueryTemplate>,
    /// What differs for some targets; the first that matches.
    pub target: Vec<PrometheusTarget>,
}

impl Default for PrometheusSection {
    fn default() -> Self {
        Self {
            limit: Percent(500),
            minimum: 100,
            windows: (Length(300), Length(60)),
            scrape_interval: None,
            timeout: Length(5),
            context: Vec::new(),
            template: Vec::new(),
            target: Vec::new(),
        }
    }
}

/// `[[prometheus.context]]`
#[derive(Clone, Default, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PrometheusContext {
    /// Pattern on the kube context; absent = any.
    pub context: Option<String>,
    /// Its address.
    pub url: Option<String>,
    /// Or the Service it is behind, through the API server: `namespace/name:port`, `namespace/https:name:port`.
    pub service: Option<String>,
    /// A file that holds a bearer token; read for every query, so that it may change.
    pub token_file: Option<PathBuf>,
    /// An environment variable that holds a bearer token.
    pub token_env: Option<String>,
    /// Authorities to trust beside the system's, PEM.
    pub ca_file: Option<PathBuf>,
    /// More headers, e.g. `X-Scope-OrgID`.
    #[serde(default)]
    pub headers: BTreeMap<String, Secret>,
}

/// `[[prometheus.template]]`, and the files in `assets/queries`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct QueryTemplate {
    /// Its name, shown beside what it gives.
    pub name: String,
    /// Failed requests in a window: one number.
    pub errors: String,
    /// All requests in a window: one number.
    pub total: String,
    /// The series that `total` counts, without a window: how fresh they are, how often they are scraped.
    pub series: String,
    /// Other queries for the stable version, where it is told apart by something else than its hash.
    pub stable: Option<StableQueries>,
}

/// `[prometheus.template.stable]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StableQueries {
    /// As in the template.
    pub errors: String,
    /// As in the template.
    pub total: String,
    /// As in the template.
    pub series: String,
}

/// `[[prometheus.target]]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PrometheusTarget {
    /// Pattern on `namespace/name`.
    pub target: String,
    /// Only this template.
    pub template: Option<String>,
    /// Its own limit, in percent.
    pub limit: Option<Percent>,
    /// Its own minimum.
    pub minimum: Option<u64>,
    /// What `{{service}}` stands for.
    pub service: Option<String>,
}

/// A share in percent, 0.01 to 100, kept in hundredths of a percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Percent(pub u32);

impl Percent {
    /// The share, 0 to 1.
    pub fn share(self) -> f64 {
        f64::from(self.0) / 10_000.0
    }
}

impl<'de> Deserialize<'de> for Percent {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be 0.01 to 100")]
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let percent = f64::deserialize(deserializer)?;
        if !(0.01..=100.0).contains(&percent) {
            return Err(serde::de::Error::custom("a limit is 0.01 to 100, in percent"));
        }
        Ok(Self((percent * 100.0).round() as u32))
    }
}

impl Serialize for Percent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(f64::from(self.0) / 100.0)
    }
}

impl JsonSchema for Percent {
    fn schema_name() -> Cow<'static, str> {
        "Percent".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A share in percent.", "type": "number", "minimum": 0.01, "maximum": 100.0,
        })
    }
}

/// A length of time, `1s` to a day, as `30s`, `5m`, `1h`; whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Length(pub u32);

impl Length {
    /// From `30s`, `5m` or `1h`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let span: Option<jiff::SignedDuration> = text.parse().ok();
        let seconds = span.and_then(|span| u32::try_from(span.as_secs()).ok());
        seconds
            .filter(|s| (1..=86_400).contains(s))
            .map(Self)
            .ok_or_else(|| format!("{text:?}: write a length of time as 30s, 5m or 1h, up to a day"))
    }
}

impl<'de> Deserialize<'de> for Length {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

impl Serialize for Length {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&match self.0 {
            s if s % 3600 == 0 => format!("{}h", s / 3600),
            s if s % 60 == 0 => format!("{}m", s / 60),
            s => format!("{s}s"),
        })
    }
}

/// By this the check of a file knows a [`Length`].
pub(super) const LENGTH: &str = "length";

impl JsonSchema for Length {
    fn schema_name() -> Cow<'static, str> {
        "Length".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A length of time, as 30s, 5m or 1h; up to a day.", "type": "string",
            "minLength": 2, "x-kind": LENGTH,
        })
    }
}

/// A value that is never printed.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Wraps it.
    pub const fn new(value: String) -> Self {
        Self(value)
    }

    /// The value, to be sent and not to be shown.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("***")
    }
}

impl JsonSchema for Secret {
    fn schema_name() -> Cow<'static, str> {
        "Secret".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "description": "Never shown.", "type": "string", "writeOnly": true })
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl PrometheusSection {
    /// Where the Prometheus of `context` is; `None` = not configured.
    pub fn of_context(&self, context: &str) -> Option<&PrometheusContext> {
        self.context.iter().find(|c| c.context.as_ref().is_none_or(|pattern| glob(pattern, context)))
    }

    /// What differs for the target called `namespace/name`.
    pub fn of_target(&self, target: &str) -> Option<&PrometheusTarget> {
        self.target.iter().find(|t| glob(&t.target, target))
    }

    /// What the target's readings are judged by.
    pub fn rules(&self, target: &str) -> Rules {
        let own = self.of_target(target);
        Rules {
            limit: own.and_then(|t| t.limit).unwrap_or(self.limit).share(),
            minimum: own.and_then(|t| t.minimum).unwrap_or(self.minimum),
            long: self.windows.0.0,
            short: self.windows.1.0,
        }
    }

    /// The same with the limits and minimums of another: what may change while queries are under way.
    #[must_use]
    pub fn judged_by(&self, other: &Self) -> Self {
        let mut new = Self { limit: other.limit, minimum: other.minimum, ..self.clone() };
        if self.asks_as(other) {
            new.target.clone_from(&other.target);
        }
        new
    }

    /// Whether targets differ from another's in no more than limits and minimums.
    pub fn asks_as(&self, other: &Self) -> bool {
        let asked = |t: &PrometheusTarget| PrometheusTarget { limit: None, minimum: None, ..t.clone() };
        self.target.iter().filter(|t| t.asks()).map(asked).eq(other.target.iter().filter(|t| t.asks()).map(asked))
    }

    /// How long one query may take.
    pub fn deadline(&self) -> Duration {
        Duration::from_secs(u64::from(self.timeout.0))
    }
}

impl PrometheusTarget {
    /// Whether it changes what is asked, and not only how the answer is judged.
    fn asks(&self) -> bool {
        self.template.is_some() || self.service.is_some()
    }
}

impl PrometheusContext {
    /// The Service as namespace and `name:port`.
    pub fn proxied(&self) -> Option<(&str, &str)> {
        self.service.as_deref().and_then(|s| s.split_once('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_change_while_it_runs_and_what_is_asked_does_not() {
        let target = |limit, template: Option<&str>| PrometheusTarget {
            target: "shop/*".to_owned(),
            template: template.map(ToOwned::to_owned),
            limit: Some(Percent(limit)),
            minimum: None,
            service: None,
        };
        let start = PrometheusSection { target: vec![target(100, Some("a"))], ..PrometheusSection::default() };
        let limits = PrometheusSection {
            limit: Percent(200),
            target: vec![target(300, Some("a"))],
            windows: (Length(600), Length(60)),
            ..PrometheusSection::default()
        };
        let now = start.judged_by(&limits);
        assert_eq!((now.limit, now.target[0].limit, now.windows), (Percent(200), Some(Percent(300)), start.windows));
        let asks = PrometheusSection { target: vec![target(400, Some("b"))], ..PrometheusSection::default() };
        assert!(start.asks_as(&limits) && !start.asks_as(&asks));
        assert_eq!(start.judged_by(&asks).target, start.target, "another template needs another start");
    }
}
