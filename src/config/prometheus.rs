//! `[prometheus]`: where each context's Prometheus is, which queries are tried, and what is too many errors.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Deserializer};

use crate::domain::environment::glob;
use crate::domain::signal::Rules;

/// `[prometheus]`
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PrometheusSection {
    /// The share of requests that may fail, in percent (5).
    pub limit: Option<Percent>,
    /// Below so many requests in the long window there is not enough data (100).
    pub minimum: Option<u64>,
    /// The long and the short window (`["5m", "1m"]`).
    pub windows: Option<(Length, Length)>,
    /// How often series are scraped, where the samples do not tell.
    pub scrape_interval: Option<Length>,
    /// How long one query may take (`5s`).
    pub timeout: Option<Length>,
    /// Where it is, by context; the first that matches.
    pub context: Vec<PrometheusContext>,
    /// Query templates of the user's own, tried before those that come along.
    pub template: Vec<QueryTemplate>,
    /// What differs for some targets; the first that matches.
    pub target: Vec<PrometheusTarget>,
}

/// `[[prometheus.context]]`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
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

/// A length of time, `1s` to a day, as `30s`, `5m`, `1h`; whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Length(pub u32);

impl<'de> Deserialize<'de> for Length {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let wrong = || serde::de::Error::custom(format!("{text:?}: write a length of time as 30s, 5m or 1h"));
        let span: jiff::SignedDuration = text.parse().map_err(|_| wrong())?;
        u32::try_from(span.as_secs()).ok().filter(|s| (1..=86_400).contains(s)).map(Self).ok_or_else(wrong)
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
        let usual = Rules::default();
        let (long, short) = self.windows.map_or((usual.long, usual.short), |(long, short)| (long.0, short.0));
        Rules {
            limit: own.and_then(|t| t.limit).or(self.limit).map_or(usual.limit, Percent::share),
            minimum: own.and_then(|t| t.minimum).or(self.minimum).unwrap_or(usual.minimum),
            long,
            short,
        }
    }

    /// How long one query may take.
    pub fn deadline(&self) -> Duration {
        Duration::from_secs(self.timeout.map_or(5, |t| u64::from(t.0)))
    }

    /// Checks what the types cannot.
    pub(super) fn check(&self) -> Result<(), String> {
        if let Some((long, short)) = self.windows
            && long.0 <= short.0
        {
            return Err("prometheus: `windows` is the long one and the short one, as [\"5m\", \"1m\"]".to_owned());
        }
        if self.minimum == Some(0) {
            return Err("prometheus: `minimum` = 0 would call no data enough; it is at least 1".to_owned());
        }
        for (n, context) in self.context.iter().enumerate() {
            context.check().map_err(|why| format!("prometheus.context {}: {why}", n + 1))?;
        }
        for template in &self.template {
            template.check().map_err(|why| format!("prometheus.template {:?}: {why}", template.name))?;
        }
        for target in &self.target {
            if target.minimum == Some(0) {
                return Err(format!("prometheus.target {:?}: `minimum` is at least 1", target.target));
            }
        }
        Ok(())
    }
}

impl PrometheusContext {
    /// The Service as namespace and `name:port`.
    pub fn proxied(&self) -> Option<(&str, &str)> {
        self.service.as_deref().and_then(|s| s.split_once('/'))
    }

    fn check(&self) -> Result<(), String> {
        match (&self.url, &self.service) {
            (None, None) => return Err("needs `url` or `service`".to_owned()),
            (Some(_), Some(_)) => return Err("has both `url` and `service`; one is enough".to_owned()),
            (Some(url), None) if !url.starts_with("http://") && !url.starts_with("https://") => {
                return Err("`url` begins with http:// or https://".to_owned());
            }
            (Some(url), None) if url.split('/').nth(2).is_some_and(|host| host.contains('@')) => {
                return Err("`url` may hold no password; give a token or a header".to_owned());
            }
            (None, Some(_)) => {
                let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | ':');
                let sound = |(namespace, rest): (&str, &str)| {
                    !namespace.is_empty() && rest.contains(':') && !rest.ends_with(':') && rest.chars().all(plain)
                };
                if !self.proxied().is_some_and(sound) {
                    return Err("`service` is written namespace/name:port".to_owned());
                }
                if self.token_file.is_some() || self.token_env.is_some() || self.ca_file.is_some() {
                    return Err(
                        "behind a `service` the kubeconfig's login is used; a token or `ca_file` belongs to `url`"
                            .to_owned(),
                    );
                }
            }
            _ => {}
        }
        if self.token_file.is_some() && self.token_env.is_some() {
            return Err("has both `token_file` and `token_env`; one is enough".to_owned());
        }
        for (name, value) in &self.headers {
            let good = http::HeaderName::try_from(name.as_str()).is_ok()
                && http::HeaderValue::try_from(value.reveal()).is_ok();
            if !good {
                return Err(format!("header {name:?} cannot be sent as it is written"));
            }
        }
        Ok(())
    }
}

/// What a template may name, beside `{{window}}`.
const PLACES: [&str; 5] = ["namespace", "rollout", "pod_hash", "replica_set", "service"];

impl QueryTemplate {
    /// Reads a template file.
    pub fn parse(text: &str) -> Result<Self, String> {
        let template: Self = toml::from_str(text).map_err(|e| e.to_string())?;
        template.check()?;
        Ok(template)
    }

    fn check(&self) -> Result<(), String> {
        if self.name.trim().is_empty() {
            return Err("`name` is empty".to_owned());
        }
        let mut all =
            vec![("errors", &self.errors, true), ("total", &self.total, true), ("series", &self.series, false)];
        if let Some(stable) = &self.stable {
            all.push(("stable.errors", &stable.errors, true));
            all.push(("stable.total", &stable.total, true));
            all.push(("stable.series", &stable.series, false));
        }
        all.into_iter()
            .try_for_each(|(key, query, windowed)| check_query(query, windowed).map_err(|e| format!("`{key}`: {e}")))
    }
}

fn check_query(query: &str, windowed: bool) -> Result<(), String> {
    match (query.matches("{{window}}").count(), query.matches("[{{window}}]").count()) {
        (0, _) if windowed => return Err("must count over [{{window}}]".to_owned()),
        (all, bracketed) if all != bracketed => {
            return Err("{{window}} is written in brackets, [{{window}}]".to_owned());
        }
        (1.., _) if !windowed => return Err("names series alone, without a window".to_owned()),
        _ => {}
    }
    let mut rest = query;
    while let Some((before, behind)) = rest.split_once("{{") {
        let Some((name, after)) = behind.split_once("}}") else { return Err("{{ without }}".to_owned()) };
        if name != "window" {
            if !PLACES.contains(&name) {
                return Err(format!("{{{{{name}}}}} is none of window, {}", PLACES.join(", ")));
            }
            let so_far = query.len() - rest.len() + before.len();
            if query[..so_far].matches('"').count().is_multiple_of(2) {
                return Err(format!("{{{{{name}}}}} must stand inside double quotes"));
            }
        }
        rest = after;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template(errors: &str, series: &str) -> Result<(), String> {
        let t = QueryTemplate {
            name: "t".to_owned(),
            errors: errors.to_owned(),
            total: "sum(increase(a[{{window}}]))".to_owned(),
            series: series.to_owned(),
            stable: None,
        };
        t.check()
    }

    #[test]
    fn a_template_says_what_is_wrong_with_it() {
        let good = "sum(increase(a{namespace=\"{{namespace}}\"}[{{window}}]))";
        assert_eq!(template(good, "a"), Ok(()));
        for (errors, series, said) in [
            ("sum(a)", "a", "must count over"),
            ("sum(increase(a[{{window}}])) or {{window}}", "a", "in brackets"),
            (good, "a[{{window}}]", "without a window"),
            ("sum(increase(a{x=\"{{pod}}\"}[{{window}}]))", "a", "none of window, namespace"),
            ("sum(increase(a{x={{rollout}}}[{{window}}]))", "a", "inside double quotes"),
            ("sum(increase(a{x=\"{{rollout\"}[{{window}}]))", "a", "none of"),
        ] {
            let error = template(errors, series).expect_err(errors);
            assert!(error.contains(said), "{errors}: {error}");
        }
    }

    #[test]
    fn secrets_do_not_print() {
        let context: PrometheusContext =
            toml::from_str("url = \"http://x\"\nheaders = { Authorization = \"Basic canary-4711\" }").expect("sound");
        let shown = format!("{context:?}");
        assert!(!shown.contains("canary-4711") && shown.contains("Authorization"), "{shown}");
    }
}
