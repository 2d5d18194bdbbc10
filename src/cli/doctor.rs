//! `doctor`: what Flightdeck needs, checked one by one, each with its fix.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Arc;

use jiff::SignedDuration;
use serde::Serialize;

use super::args::{Format, Global};
use super::setup::{Ground, not_connected};
use super::{dto, output};
use crate::config::Severity;
use crate::domain::ids::ClusterId;
use crate::domain::text::Clean;
use crate::error::{Error, Kind};
use crate::systems::kubernetes::call::CallError;
use crate::systems::kubernetes::client::{Cluster, ConnectSettings};
use crate::systems::kubernetes::scope;
use crate::systems::prometheus;

#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    Ok,
    Warn,
    Fail,
}

#[derive(Serialize)]
struct Check {
    what: String,
    verdict: Verdict,
    said: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<String>,
}

#[derive(Default)]
struct Checks {
    all: Vec<Check>,
    unreachable: bool,
}

impl Checks {
    fn ok(&mut self, what: &str, said: impl Into<String>) {
        self.all.push(Check { what: what.to_owned(), verdict: Verdict::Ok, said: said.into(), fix: None });
    }

    fn bad(&mut self, verdict: Verdict, what: &str, said: impl Into<String>, fix: &str) {
        self.all.push(Check { what: what.to_owned(), verdict, said: said.into(), fix: Some(fix.to_owned()) });
    }
}

/// What is read and written, and what is lost without the right.
const RIGHTS: &[(&str, &str, &str, &str, &str)] = &[
    ("list", "argoproj.io", "rollouts", "", "no rollout is shown"),
    ("watch", "argoproj.io", "rollouts", "", "no rollout is shown live"),
    ("list", "apps", "replicasets", "", "no weights and revisions"),
    ("watch", "apps", "replicasets", "", "no weights and revisions"),
    ("list", "", "pods", "", "no pods"),
    ("watch", "", "pods", "", "no pods"),
    ("list", "argoproj.io", "analysisruns", "", "no measurements of the focused target"),
    ("list", "argoproj.io", "experiments", "", "no experiments of the focused target"),
    ("get", "", "pods", "log", "no logs"),
    ("patch", "argoproj.io", "rollouts", "", "acts on the spec fail"),
    ("patch", "argoproj.io", "rollouts", "status", "resume, skip and abort fail"),
    ("patch", "apps", "replicasets", "", "hold, forbid and allow fail"),
    ("patch", "argoproj.io", "analysisruns", "", "terminate fails"),
    ("patch", "apps", "deployments", "", "undo and set-image fail where a workloadRef names a Deployment"),
    ("get", "", "configmaps", "", "the cluster is no witness of the audit log: a cut tail is not found"),
    ("create", "", "configmaps", "", "the cluster is no witness of the audit log: a cut tail is not found"),
    ("update", "", "configmaps", "", "the cluster is no witness of the audit log: a cut tail is not found"),
    ("create", "", "events", "", "acts are not told as Events on their targets"),
    ("list", "", "events", "", "`audit reconcile` does not know what was said about a target"),
];

/// Without these there is no picture at all.
const NEEDED: &[&str] = &["rollouts", "replicasets", "pods"];

pub(super) async fn run(global: &Global, format: Format) -> Result<ExitCode, Error> {
    let mut checks = Checks::default();
    match Ground::find(global) {
        Err(e) => checks.bad(Verdict::Fail, "configuration", e.message, e.hint.as_deref().unwrap_or("mend the file")),
        Ok(ground) => {
            configuration(&mut checks, &ground);
            local(&mut checks, &ground);
            match ground.everywhere().map_err(|e| not_connected(&e)) {
                Err(e) => checks.bad(Verdict::Fail, "kubeconfig", e.message, e.hint.as_deref().unwrap_or_default()),
                Ok(contexts) => {
                    let mut known = BTreeMap::new();
                    for settings in &contexts {
                        context(&mut checks, &ground, settings, &mut known).await;
                    }
                }
            }
        }
    }
    match format {
        Format::Json => {
            output::json(&serde_json::json!({"apiVersion": dto::API_VERSION, "kind": "Doctor", "checks": checks.all}))?;
        }
        Format::Human => {
            for check in &checks.all {
                let word = match check.verdict {
                    Verdict::Ok => "ok  ",
                    Verdict::Warn => "warn",
                    Verdict::Fail => "FAIL",
                };
                output::line(&format!("{word}  {}: {}", check.what, check.said))?;
                if let Some(fix) = &check.fix {
                    output::line(&format!("      fix: {fix}"))?;
                }
            }
        }
    }
    let failed = checks.all.iter().any(|c| c.verdict == Verdict::Fail);
    Ok(match (checks.unreachable, failed) {
        (true, _) => ExitCode::from(Kind::Unreachable.code()),
        (false, true) => ExitCode::from(Kind::Failure.code()),
        (false, false) => ExitCode::SUCCESS,
    })
}

fn configuration(checks: &mut Checks, ground: &Ground) {
    let said = super::config::closely(ground);
    if said.is_empty() {
        checks.ok("configuration", "sound");
    }
    for problem in said {
        let verdict = if problem.severity == Severity::Error { Verdict::Fail } else { Verdict::Warn };
        checks.bad(verdict, "configuration", problem.to_string(), "`flightdeck config check` says it all");
    }
}

fn local(checks: &mut Checks, ground: &Ground) {
    match ground.audit() {
        Err(why) => checks.bad(Verdict::Fail, "audit log", why, "give --state-dir a folder that is yours alone"),
        Ok(log) => match log.verify(false) {
            Err(e) => checks.bad(Verdict::Fail, "audit log", e.to_string(), "make the folder readable"),
            Ok(report) if report.holds() => {
                checks.ok("audit log", format!("{} records hold, in {}", report.records, log.dir().display()));
            }
            Ok(report) => checks.bad(
                Verdict::Fail,
                "audit log",
                format!("{} findings in {}", report.findings.len(), log.dir().display()),
                "`flightdeck audit verify` lists them; keep a copy as evidence, then start a new folder (--state-dir)",
            ),
        },
    }
}

/// Error rates are a help, not a need: their absence is no failure.
async fn rates(checks: &mut Checks, ground: &Ground, cluster: &Arc<Cluster>) {
    match prometheus::check(&ground.config.prometheus, cluster).await {
        None => checks.ok("prometheus", "not configured for this context: no error rates"),
        Some(Ok(())) => checks.ok("prometheus", "answers queries"),
        Some(Err(why)) => checks.bad(
            Verdict::Warn,
            "prometheus",
            why.to_string(),
            "look at [[prometheus.context]] in the configuration: address, token, headers, authorities",
        ),
    }
}

/// One context. `known` = which context leads to which cluster, so far.
async fn context(
    checks: &mut Checks,
    ground: &Ground,
    settings: &ConnectSettings,
    known: &mut BTreeMap<ClusterId, Clean>,
) {
    let cluster = match Cluster::connect(settings).await.map_err(|e| not_connected(&e)) {
        Ok(cluster) => Arc::new(cluster),
        Err(e) => return checks.bad(Verdict::Fail, "kubeconfig", e.message, e.hint.as_deref().unwrap_or_default()),
    };
    checks.ok("kubeconfig", format!("context {} at {}", cluster.context, cluster.url));
    remote(checks, &cluster).await;
    rates(checks, ground, &cluster).await;
    let Ok(id) = cluster.id().await else { return };
    if let Some(other) = known.get(&id) {
        checks.bad(
            Verdict::Warn,
            "cluster identity",
            format!("context {} leads to the same cluster as {other}", cluster.context),
            "leave one of them out: it is shown once, through the first",
        );
    } else {
        known.insert(id, cluster.context.clone());
    }
}

/// Which namespaces can be watched; one of them, to ask for rights in (empty = in all).
async fn scopes(checks: &mut Checks, cluster: &Cluster) -> String {
    if let Some(first) = cluster.namespaces.first() {
        checks.ok("namespaces", cluster.namespaces.join(", "));
        return first.clone();
    }
    match cluster.may_in("", "list", "argoproj.io", "rollouts", "").await {
        Ok(true) => {
            checks.ok("namespaces", "all");
            return String::new();
        }
        Ok(false) => {}
        Err(e) => {
            checks.bad(Verdict::Warn, "namespaces", e.to_string(), "the cluster would not say");
            return String::new();
        }
    }
    match scope::find(cluster, "argoproj.io", "rollouts").await {
        Ok(found) if found.namespaces.is_empty() => checks.bad(
            Verdict::Fail,
            "namespaces",
            "no right to list rollouts in any namespace that can be found",
            "ask for `list` and `watch` on rollouts.argoproj.io; name the namespace with -n or in kubernetes.namespaces",
        ),
        Ok(found) => {
            let names: Vec<&str> = found.namespaces.iter().map(String::as_str).collect();
            checks.bad(
                Verdict::Warn,
                "namespaces",
                format!("{} ({})", found.notice(), names.join(", ")),
                "ask for `list` on rollouts.argoproj.io in all namespaces, or go on with these",
            );
            return found.namespaces.into_iter().next().unwrap_or_default();
        }
        Err(e) => checks.bad(Verdict::Warn, "namespaces", e.to_string(), "the cluster would not say"),
    }
    cluster.home.clone()
}

/// How far the server's clock is ahead.
async fn clock(checks: &mut Checks, cluster: &Cluster) {
    match cluster.ahead().await {
        Ok(Some(ahead)) if ahead.abs() > SignedDuration::from_secs(2) => checks.bad(
            Verdict::Warn,
            "clock",
            format!(
                "the server's is {:.0} s {} ours",
                ahead.abs().as_secs_f64(),
                if ahead.is_negative() { "behind" } else { "ahead of" }
            ),
            "set this machine's clock (NTP): ages and countdowns are off by as much",
        ),
        Ok(Some(_)) => checks.ok("clock", "as the server's"),
        Ok(None) => checks.ok("clock", "the server does not tell its own"),
        Err(e) => checks.bad(Verdict::Warn, "clock", e.to_string(), "the server would not say"),
    }
}

async fn remote(checks: &mut Checks, cluster: &Cluster) {
    if cluster.insecure {
        checks.bad(
            Verdict::Warn,
            "certificate",
            "the server's certificate is not checked (insecure-skip-tls-verify)",
            "put certificate-authority-data into the kubeconfig",
        );
    }
    match cluster.version().await {
        Ok(version) => checks.ok("api server", version.to_string()),
        Err(e @ CallError::NoLogin { .. }) => {
            checks.unreachable = true;
            checks.bad(
                Verdict::Fail,
                "login",
                e.to_string(),
                "run the exec plugin of the kubeconfig by hand and log in",
            );
            return;
        }
        Err(e) => {
            checks.unreachable = true;
            checks.bad(Verdict::Fail, "api server", e.to_string(), "is the cluster up, the VPN on, the login fresh?");
            return;
        }
    }
    match cluster.who().await {
        Ok(user) => checks.ok("user", user.to_string()),
        Err(e) => {
            checks.bad(Verdict::Warn, "user", e.to_string(), "records will hold the operating system's user only");
        }
    }
    match cluster.id().await {
        Ok(id) if id.0.as_str().starts_with("url:") => checks.bad(
            Verdict::Warn,
            "cluster identity",
            "kube-system may not be read: the address stands in",
            "ask for `get` on the namespace kube-system",
        ),
        Ok(id) => checks.ok("cluster identity", id.0.to_string()),
        Err(e) => checks.bad(Verdict::Fail, "cluster identity", e.to_string(), "ask for `get` on namespaces"),
    }
    clock(checks, cluster).await;
    match cluster.serves("/apis/argoproj.io/v1alpha1", "rollouts").await {
        Ok(true) => checks.ok("argo rollouts", "its CRD is there"),
        Ok(false) => checks.bad(
            Verdict::Fail,
            "argo rollouts",
            "the cluster has no Rollout resource",
            "install Argo Rollouts, or pick another context with --context",
        ),
        Err(e) => checks.bad(Verdict::Fail, "argo rollouts", e.to_string(), "ask for the right to read API discovery"),
    }
    for resource in ["analysisruns", "experiments"] {
        if let Ok(false) = cluster.serves("/apis/argoproj.io/v1alpha1", resource).await {
            let said = format!("the cluster has no {resource}.argoproj.io: targets are shown without them");
            checks.bad(Verdict::Warn, "argo rollouts", said, "install all CRDs of Argo Rollouts");
        }
    }
    let namespace = scopes(checks, cluster).await;
    for (verb, group, resource, sub, without) in RIGHTS {
        let name = if sub.is_empty() { (*resource).to_owned() } else { format!("{resource}/{sub}") };
        let place = if namespace.is_empty() { String::new() } else { format!(" in {namespace}") };
        let what = format!("may {verb} {name}{place}");
        match cluster.may_in(&namespace, verb, group, resource, sub).await {
            Ok(true) => checks.ok(&what, "yes"),
            Ok(false) => checks.bad(
                // Without what is read nothing is shown; what is written is each only one thing less.
                if matches!(*verb, "list" | "watch") && NEEDED.contains(resource) {
                    Verdict::Fail
                } else {
                    Verdict::Warn
                },
                &what,
                format!("no: {without}"),
                &format!("a Role with apiGroups [{group:?}], resources [{name:?}], verbs [{verb:?}]"),
            ),
            Err(e) => checks.bad(Verdict::Warn, &what, e.to_string(), "the cluster would not say"),
        }
    }
}
