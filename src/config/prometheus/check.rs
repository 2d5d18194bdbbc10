//! What the types of `[prometheus]` cannot check.

use super::{PrometheusContext, PrometheusSection, QueryTemplate};
use crate::config::problem::{KeyPath, Problem};
use crate::domain::nearest::did_you_mean;

impl PrometheusSection {
    /// Checks what the types cannot.
    pub(in crate::config) fn check(&self, here: &KeyPath, wrong: &mut Vec<Problem>) {
        if self.windows.0.0 <= self.windows.1.0 {
            let why = "the first is the long one, the second the short one, as [\"5m\", \"1m\"]";
            wrong.push(Problem::error(here.key("windows"), why));
        }
        if self.minimum == 0 {
            wrong.push(Problem::error(here.key("minimum"), "0 would call no data enough; it is at least 1"));
        }
        for (nth, context) in self.context.iter().enumerate() {
            context.check(&here.key("context").index(nth), wrong);
        }
        for (nth, template) in self.template.iter().enumerate() {
            template.check(&here.key("template").index(nth), wrong);
        }
        for (nth, target) in self.target.iter().enumerate() {
            if target.minimum == Some(0) {
                let key = here.key("target").index(nth).key("minimum");
                wrong.push(Problem::error(key, "0 would call no data enough; it is at least 1"));
            }
        }
    }
}

impl PrometheusContext {
    fn check(&self, here: &KeyPath, wrong: &mut Vec<Problem>) {
        let mut say = |key: &str, why: &str| wrong.push(Problem::error(here.key(key), why));
        match (&self.url, &self.service) {
            (None, None) => say("", "needs `url` or `service`"),
            (Some(_), Some(_)) => say("service", "stands beside `url`; one is enough"),
            (Some(url), None) if !url.starts_with("http://") && !url.starts_with("https://") => {
                say("url", "begins with http:// or https://");
            }
            (Some(url), None) if url.split('/').nth(2).is_some_and(|host| host.contains('@')) => {
                say("url", "may hold no password; give a token or a header");
            }
            (Some(_), None) => {}
            (None, Some(_)) => {
                if !self.is_sound_service() {
                    say("service", "is written namespace/name:port");
                }
                for (key, given) in [
                    ("token_file", self.token_file.is_some()),
                    ("token_env", self.token_env.is_some()),
                    ("ca_file", self.ca_file.is_some()),
                ] {
                    if given {
                        say(key, "belongs to `url`; behind a `service` the kubeconfig's login is used");
                    }
                }
            }
        }
        if self.token_file.is_some() && self.token_env.is_some() {
            say("token_env", "stands beside `token_file`; one is enough");
        }
        for (name, value) in &self.headers {
            let good = http::HeaderName::try_from(name.as_str()).is_ok()
                && http::HeaderValue::try_from(value.reveal()).is_ok();
            if !good {
                let key = here.key("headers").verbatim(name);
                wrong.push(Problem::error(key, "cannot be sent as it is written"));
            }
        }
    }

    fn is_sound_service(&self) -> bool {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | ':');
        self.proxied().is_some_and(|(namespace, rest)| {
            !namespace.is_empty() && rest.contains(':') && !rest.ends_with(':') && rest.chars().all(plain)
        })
    }
}

/// What a template may name, beside `{{window}}`.
const PLACES: [&str; 5] = ["namespace", "rollout", "pod_hash", "replica_set", "service"];

impl QueryTemplate {
    /// Reads a template file.
    pub fn parse(text: &str) -> Result<Self, String> {
        let template: Self = toml::from_str(text).map_err(|e| e.to_string())?;
        let mut wrong = Vec::new();
        template.check(&KeyPath::default(), &mut wrong);
        wrong.first().map_or(Ok(template), |problem| Err(problem.to_string()))
    }

    fn check(&self, here: &KeyPath, wrong: &mut Vec<Problem>) {
        if self.name.trim().is_empty() {
            wrong.push(Problem::error(here.key("name"), "is empty"));
        }
        let mut all =
            vec![("errors", &self.errors, true), ("total", &self.total, true), ("series", &self.series, false)];
        if let Some(stable) = &self.stable {
            all.push(("stable.errors", &stable.errors, true));
            all.push(("stable.total", &stable.total, true));
            all.push(("stable.series", &stable.series, false));
        }
        for (key, query, windowed) in all {
            if let Err(why) = check_query(query, windowed) {
                wrong.push(Problem::error(here.key(key), why));
            }
        }
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
                let known = PLACES.into_iter().chain(["window"]);
                let hint = did_you_mean(name, known);
                return Err(format!("{{{{{name}}}}} is none of window, {}{hint}", PLACES.join(", ")));
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
        let mut wrong = Vec::new();
        t.check(&KeyPath::default(), &mut wrong);
        wrong.first().map_or(Ok(()), |problem| Err(problem.to_string()))
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
