//! `doctor`: what Flightdeck needs, checked one by one, each with its fix.

use std::process::ExitCode;
use std::sync::Arc;

use serde::Serialize;

use super::args::{Format, Global};
use super::setup::{Ground, not_connected};
use super::{dto, output};
use crate::error::{Error, Kind};
use crate::systems::kubernetes::client::Cluster;
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
    ("patch", "argoproj.io", "rollouts", "", "acts on the spec fail"),
    ("patch", "argoproj.io", "rollouts", "status", "resume fails"),
    ("get", "", "configmaps", "", "the cluster is no witness of the audit log: a cut tail is not found"),
    ("create", "", "configmaps", "", "the cluster is no witness of the audit log: a cut tail is not found"),
    ("update", "", "configmaps", "", "the cluster is no witness of the audit log: a cut tail is not found"),
    ("create", "", "events", "", "acts are not told as Events on their targets"),
    ("list", "", "events", "", "`audit reconcile` does not know what was said about a target"),
];

pub(super) async fn run(global: &Global, format: Format) -> Result<ExitCode, Error> {
    let mut checks = Checks::default();
    match Ground::find(global) {
        Err(e) => checks.bad(Verdict::Fail, "configuration", e.message, e.hint.as_deref().unwrap_or("mend the file")),
        Ok(ground) => {
            checks.ok("configuration", "loads");
            local(&mut checks, &ground);
            match Cluster::connect(&ground.settings).await.map_err(|e| not_connected(&e)) {
                Err(e) => checks.bad(Verdict::Fail, "kubeconfig", e.message, e.hint.as_deref().unwrap_or_default()),
                Ok(cluster) => {
                    checks.ok("kubeconfig", format!("context {} at {}", cluster.context, cluster.url));
                    remote(&mut checks, &cluster).await;
                    rates(&mut checks, &ground, &Arc::new(cluster)).await;
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
    for (verb, group, resource, sub, without) in RIGHTS {
        let name = if sub.is_empty() { (*resource).to_owned() } else { format!("{resource}/{sub}") };
        let what = format!("may {verb} {name}");
        match cluster.may(verb, group, resource, sub).await {
            Ok(true) => checks.ok(&what, "yes"),
            Ok(false) => checks.bad(
                // Without what is read nothing is shown; what is written is each only one thing less.
                if matches!(*verb, "list" | "watch") && *resource != "events" { Verdict::Fail } else { Verdict::Warn },
                &what,
                format!("no: {without}"),
                &format!("a Role with apiGroups [{group:?}], resources [{name:?}], verbs [{verb:?}]"),
            ),
            Err(e) => checks.bad(Verdict::Warn, &what, e.to_string(), "the cluster would not say"),
        }
    }
}
