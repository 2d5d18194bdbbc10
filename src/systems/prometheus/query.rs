//! From templates and versions to PromQL. One query carries many numbers, each under its own key, so that all are of
//! one evaluation time and one request serves several targets.

use std::fmt::Write as _;

use jiff::Timestamp;

use crate::config::prometheus::{PrometheusTarget, QueryTemplate};
use crate::domain::ids::TargetId;
use crate::domain::signal::interest::Question;
use crate::domain::signal::{Counts, KEPT, Raw, Role, Rules, Value};
use crate::domain::text::Clean;

use super::decode::Answer;

/// The label that carries a number's key.
pub(super) const KEY: &str = "flightdeck";

/// One version of one target, as the placeholders see it.
pub(super) struct Subject<'a> {
    pub target: &'a TargetId,
    pub question: &'a Question,
    pub own: Option<&'a PrometheusTarget>,
}

impl Subject<'_> {
    fn service(&self) -> Option<&str> {
        // A configured Service is the new version's; the stable one is the rollout's own.
        let configured = self.own.and_then(|own| own.service.as_deref());
        let named = self.question.service.as_ref().map(Clean::as_str);
        match self.question.role {
            Role::New => configured.or(named),
            _ => named.or(configured),
        }
    }

    fn place(&self, name: &str) -> Option<&str> {
        match name {
            "namespace" => Some(self.target.namespace.as_str()),
            "rollout" => Some(self.target.name.as_str()),
            "pod_hash" => Some(self.question.pod_hash.as_str()),
            "replica_set" => Some(self.question.replica_set.as_str()),
            "service" => self.service(),
            _ => None,
        }
    }
}

/// The three queries of a template that apply to a version.
struct Three<'a> {
    errors: &'a str,
    total: &'a str,
    series: &'a str,
}

fn three(template: &QueryTemplate, role: Role) -> Three<'_> {
    match &template.stable {
        Some(stable) if role != Role::New => {
            Three { errors: &stable.errors, total: &stable.total, series: &stable.series }
        }
        _ => Three { errors: &template.errors, total: &template.total, series: &template.series },
    }
}

/// Fills a query in; `None` when it names what this version does not have.
fn fill(query: &str, subject: &Subject<'_>, window: u32, offset: u64) -> Option<String> {
    let mut out = String::with_capacity(query.len() + 64);
    let mut rest = query;
    while let Some((before, behind)) = rest.split_once("{{") {
        let (name, after) = behind.split_once("}}")?;
        out.push_str(before);
        if name == "window" {
            // The brackets are in the template; an offset stands behind them.
            let after = after.strip_prefix(']')?;
            let _ = write!(out, "{window}s]");
            if offset > 0 {
                let _ = write!(out, " offset {offset}s");
            }
            rest = after;
            continue;
        }
        let regex = out.rfind('"').is_some_and(|quote| out[..quote].ends_with('~'));
        escape(&mut out, subject.place(name).filter(|v| !v.is_empty())?, regex);
        rest = after;
    }
    out.push_str(rest);
    Some(out)
}

/// Writes a value so that it means itself inside a double-quoted PromQL string, and inside a regular expression.
fn escape(out: &mut String, value: &str, regex: bool) {
    for c in value.chars() {
        if regex && "\\.+*?()|[]{}^$".contains(c) {
            // One backslash for the expression, itself escaped for the string.
            out.push_str("\\\\");
        }
        match c {
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            '\n' => out.push_str("\\n"),
            c => out.push(c),
        }
    }
}

/// How far the past is looked back to, in seconds: whoever brings a version forward should know how it was.
const HOUR: i64 = 3600;

/// The times at which a query is evaluated, in Unix seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Range {
    pub start: i64,
    pub end: i64,
    /// Seconds from one to the next.
    pub step: f64,
}

impl Range {
    /// The last hour, or as many steps as are kept where that is more, up to now.
    pub(super) fn back(now: Timestamp, step: u32) -> Self {
        let kept = i64::from(step) * i64::try_from(KEPT).unwrap_or(0);
        // In whole steps: the last one is the newest.
        let back = kept.max(HOUR / i64::from(step.max(1)) * i64::from(step));
        Self { start: now.as_second() - back, end: now.as_second(), step: f64::from(step) }
    }

    /// The time of the nth step.
    pub(super) fn at(self, nth: usize) -> Option<Timestamp> {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_precision_loss,
            reason = "at most some thousand seconds"
        )]
        let after = (nth as f64 * self.step) as i64;
        Timestamp::from_second(self.start.checked_add(after)?).ok()
    }

    fn times(self) -> impl Iterator<Item = f64> {
        #[expect(clippy::cast_precision_loss, reason = "seconds of our century")]
        let (start, end) = (self.start as f64, self.end as f64);
        std::iter::successors(Some(start), move |at| Some(at + self.step)).take_while(move |at| *at < end)
    }
}

/// Adds the counts of the long window alone, under `prefix`: what the past is drawn from.
pub(super) fn past(
    joined: &mut Joined,
    prefix: &str,
    template: &QueryTemplate,
    subject: &Subject<'_>,
    rules: &Rules,
) -> bool {
    let Three { errors, total, .. } = three(template, subject.question.role);
    let filled = (|| Some([fill(errors, subject, rules.long, 0)?, fill(total, subject, rules.long, 0)?]))();
    let Some(all) = filled else { return false };
    for (number, expression) in NUMBERS.iter().zip(&all) {
        joined.add(&format!("{prefix}.{number}"), expression);
    }
    true
}

/// The counts of the version under `prefix` at each step, oldest first; `None` = there were none.
pub(super) fn before(answer: &Answer, prefix: &str, range: Range) -> Vec<Option<Counts>> {
    let none = Vec::new();
    let points = |number: &str| answer.past.get(&format!("{prefix}.{number}")).unwrap_or(&none);
    let (errors, total) = (points("el"), points("tl"));
    let near = |all: &[(f64, f64)], at: f64| all.iter().find(|(t, _)| (t - at).abs() < range.step / 2.0).map(|p| p.1);
    range
        .times()
        .map(|at| {
            // As of an instant query: where requests are counted and no errors are, there were none.
            let total = near(total, at).filter(|total| *total >= 1.0)?;
            let errors = near(errors, at).unwrap_or(0.0);
            (0.0..=total).contains(&errors).then_some(Counts { errors, total })
        })
        .collect()
}

/// Joins expressions, each under its key, into one query.
#[derive(Default)]
pub(super) struct Joined(String);

impl Joined {
    fn add(&mut self, key: &str, expression: &str) {
        if !self.0.is_empty() {
            self.0.push_str(" or ");
        }
        let _ = write!(self.0, "label_replace({expression}, \"{KEY}\", \"{key}\", \"\", \"\")");
    }

    pub(super) fn text(&self) -> &str {
        &self.0
    }
}

/// Which number of a version.
const NUMBERS: [&str; 6] = ["el", "tl", "es", "ts", "at", "n"];

/// Adds all numbers of one version under `prefix`; false when the template cannot be filled in for it.
pub(super) fn measure(
    joined: &mut Joined,
    prefix: &str,
    template: &QueryTemplate,
    subject: &Subject<'_>,
    rules: &Rules,
    now: Timestamp,
) -> bool {
    let Three { errors, total, series } = three(template, subject.question.role);
    let offset = offset(subject.question.until, now);
    let long = rules.long;
    let filled = (|| {
        let series = fill(series, subject, 0, 0)?;
        let mut all = vec![
            fill(errors, subject, long, offset)?,
            fill(total, subject, long, offset)?,
            fill(errors, subject, rules.short, offset)?,
            fill(total, subject, rules.short, offset)?,
        ];
        if offset == 0 {
            // Where the series has ended there is no instant value any more, but its last sample still has a time.
            all.push(format!("max(timestamp({series})) or max(max_over_time(timestamp({series})[{long}s:10s]))"));
            all.push(format!("max(count_over_time({series}[{long}s]))"));
        }
        Some(all)
    })();
    let Some(all) = filled else { return false };
    for (number, expression) in NUMBERS.iter().zip(&all) {
        joined.add(&format!("{prefix}.{number}"), expression);
    }
    true
}

/// Adds what tells whether a template gives anything for a version.
pub(super) fn probe(
    joined: &mut Joined,
    key: &str,
    template: &QueryTemplate,
    subject: &Subject<'_>,
    rules: &Rules,
    now: Timestamp,
) -> bool {
    let query = three(template, subject.question.role).total;
    let Some(expression) = fill(query, subject, rules.long, offset(subject.question.until, now)) else { return false };
    joined.add(key, &expression);
    true
}

/// How far back the windows end.
fn offset(until: Option<Timestamp>, now: Timestamp) -> u64 {
    until.map_or(0, |until| u64::try_from(now.as_second() - until.as_second()).unwrap_or(0).max(1))
}

/// The numbers of the version under `prefix`.
pub(crate) fn raw(answer: &Answer, prefix: &str) -> Raw {
    let value = |number: &str| answer.value(&format!("{prefix}.{number}"));
    Raw {
        errors_long: value("el"),
        total_long: value("tl"),
        errors_short: value("es"),
        total_short: value("ts"),
        newest: value("at"),
        samples: value("n"),
    }
}

/// Whether a probe found anything.
pub(super) fn found(answer: &Answer, key: &str) -> bool {
    answer.value(key) != Value::Absent
}

#[cfg(test)]
mod tests {
    use super::super::templates::{SHIPPED, templates};
    use super::*;
    use crate::domain::fixture;

    fn question(role: Role) -> Question {
        Question {
            role,
            pod_hash: "778b5d6c7f".into(),
            replica_set: "pay.ments-778b5d6c7f".into(),
            service: None,
            until: None,
        }
    }

    fn filled(query: &str, question: &Question) -> Option<String> {
        let target = fixture::id("pay.ments");
        fill(query, &Subject { target: &target, question, own: None }, 300, 0)
    }

    #[test]
    fn the_templates_that_come_along_are_sound_and_have_names_of_their_own() {
        let all = templates(&[]);
        assert_eq!(all.len(), SHIPPED.len());
        let names: std::collections::BTreeSet<_> = all.iter().map(|t| &t.name).collect();
        assert_eq!(names.len(), all.len());
        for template in &all {
            let mut joined = Joined::default();
            let target = fixture::id("payments");
            let mut question = question(Role::New);
            question.service = Some("payments-canary".into());
            let subject = Subject { target: &target, question: &question, own: None };
            assert!(measure(&mut joined, "0", template, &subject, &Rules::default(), Timestamp::UNIX_EPOCH));
            assert!(!joined.text().contains("{{"), "{}", joined.text());
        }
    }

    #[test]
    fn what_is_filled_in_means_itself() {
        let q = question(Role::New);
        assert_eq!(filled("a{r=\"{{replica_set}}\"}", &q).as_deref(), Some("a{r=\"pay.ments-778b5d6c7f\"}"));
        assert_eq!(
            filled("a{r=~\"{{replica_set}}-.+\",n=\"{{rollout}}\"}", &q).as_deref(),
            Some("a{r=~\"pay\\\\.ments-778b5d6c7f-.+\",n=\"pay.ments\"}")
        );
        let hostile = Question { pod_hash: "x\"} or vector(1) #\\".into(), ..q };
        assert_eq!(filled("a{h=\"{{pod_hash}}\"}", &hostile).as_deref(), Some("a{h=\"x\\\"} or vector(1) #\\\\\"}"));
        assert_eq!(
            filled("a{h!~\"{{pod_hash}}\"}", &hostile).as_deref(),
            Some("a{h!~\"x\\\"\\\\} or vector\\\\(1\\\\) #\\\\\\\\\"}")
        );
    }

    #[test]
    fn what_a_version_does_not_have_is_not_asked() {
        assert_eq!(filled("a{s=\"{{service}}\"}", &question(Role::New)), None);
        let empty = Question { pod_hash: "".into(), ..question(Role::New) };
        assert_eq!(filled("a{h=\"{{pod_hash}}\"}", &empty), None, "every version would match");
    }

    #[test]
    fn a_window_before_is_the_same_query_with_an_offset() {
        let target = fixture::id("payments");
        let now = Timestamp::from_second(10_000).expect("a time");
        let question = Question { until: Timestamp::from_second(9_000).ok(), ..question(Role::Before) };
        let subject = Subject { target: &target, question: &question, own: None };
        let mut joined = Joined::default();
        let template = &templates(&[])[4];
        assert!(measure(&mut joined, "0", template, &subject, &Rules::default(), now));
        assert!(joined.text().contains("[300s] offset 1000s)"), "{}", joined.text());
        assert!(!joined.text().contains("timestamp("), "a past window does not age");
    }
}
