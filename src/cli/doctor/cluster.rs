//! One kube context: the way there, who we are there, what it serves, and who works in it.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::super::setup::{Ground, not_connected};
use super::{Checks, here, rights};
use crate::domain::ids::ClusterId;
use crate::domain::steps::Span;
use crate::domain::text::Clean;
use crate::systems::argo_rollouts::controller::{self, Signs};
use crate::systems::kubernetes::call::CallError;
use crate::systems::kubernetes::client::{Cluster, ConnectSettings};
use crate::systems::kubernetes::feed::INSECURE;
use crate::systems::kubernetes::scope;
use crate::systems::prometheus;

/// Since this minor version (of 1) servers say who one is to them: `SelfSubjectReview` is stable from 1.28 on.
const SAYS_WHO: u32 = 28;

/// The minor version that the tests run on.
const TRIED: u32 = 34;

/// A controller renews its Lease every two seconds.
const LEASE_OLD: SignedDuration = SignedDuration::from_secs(60);

/// `known` = which context leads to which cluster, so far.
pub(super) async fn context(
    checks: &mut Checks,
    ground: &Ground,
    settings: &ConnectSettings,
    known: &mut BTreeMap<ClusterId, Clean>,
) {
    let cluster = match Cluster::connect(settings).await.map_err(|e| not_connected(&e)) {
        Ok(cluster) => Arc::new(cluster),
        Err(e) => {
            return checks.fail("kubeconfig", "kubeconfig", e.message, e.hint.as_deref().unwrap_or_default());
        }
    };
    checks.context = Some(cluster.context.to_string());
    checks.ok("kubeconfig", "kubeconfig", format!("context {} at {}", cluster.context, cluster.url));
    here::plugin(checks, settings);
    if cluster.insecure {
        checks.warn(
            "tls",
            "certificate",
            INSECURE,
            "put certificate-authority-data into the kubeconfig; until then acts are refused, unless \
             `policy.act_on_insecure` lets them",
        );
    }
    if !reachable(checks, &cluster).await {
        return;
    }
    let user = user(checks, &cluster).await;
    identity(checks, &cluster).await;
    clock(checks, &cluster).await;
    let served = resources(checks, &cluster).await;
    let namespace = scopes(checks, &cluster, &user).await;
    rights::check(checks, &cluster, &namespace, &user).await;
    if served {
        controller(checks, &cluster).await;
    }
    rates(checks, ground, &cluster).await;
    same(checks, &cluster, known).await;
}

/// Whether the server answers; and in which version.
async fn reachable(checks: &mut Checks, cluster: &Cluster) -> bool {
    let error = match cluster.version().await {
        Ok(version) => {
            version_of(checks, version.as_str());
            return true;
        }
        Err(error) => error,
    };
    checks.unreachable = true;
    let said = error.to_string();
    if matches!(error, CallError::NoLogin { .. }) {
        checks.fail("login", "login", said, "run the exec plugin of the kubeconfig by hand and log in");
    } else if said.contains("certificate") || said.contains("UnknownIssuer") {
        let fix = "put the CA of the server into certificate-authority-data of the kubeconfig; `kubectl get --raw /version` \
                   says the same";
        checks.fail("tls", "certificate", said, fix);
    } else if error.code() == Some(401) {
        checks.fail("login", "login", said, "log in again; `kubectl auth whoami` shows whether it worked");
    } else {
        let fix = format!("is the cluster up, the VPN on? `kubectl --context {} get --raw /version`", cluster.context);
        checks.fail("api-server", "api server", said, &fix);
    }
    false
}

fn version_of(checks: &mut Checks, version: &str) {
    let (id, what) = ("api-server", "api server");
    let minor = version
        .strip_prefix("v1.")
        .and_then(|rest| rest.chars().take_while(char::is_ascii_digit).collect::<String>().parse::<u32>().ok());
    match minor {
        Some(minor) if minor < SAYS_WHO => checks.warn(
            id,
            what,
            format!("{version}: it may not say who we are, so records hold the operating system's user only"),
            "upgrade the cluster to 1.28 or later",
        ),
        Some(minor) if minor > TRIED + 2 => {
            checks.ok(id, what, format!("{version} (newer than what this version was tried on: 1.{TRIED})"));
        }
        _ => checks.ok(id, what, version),
    }
}

async fn user(checks: &mut Checks, cluster: &Cluster) -> String {
    match cluster.who().await {
        Ok(user) => {
            checks.ok("user", "user", user.to_string());
            user.to_string()
        }
        Err(e) => {
            checks.warn("user", "user", e.to_string(), "records will hold the operating system's user only");
            String::new()
        }
    }
}

async fn identity(checks: &mut Checks, cluster: &Cluster) {
    let (id, what) = ("cluster-identity", "cluster identity");
    match cluster.id().await {
        Ok(found) if found.0.as_str().starts_with("url:") => checks.warn(
            id,
            what,
            "kube-system may not be read: the address stands in",
            "`flightdeck rbac viewer --user NAME | kubectl apply -f -` grants `get` on that one namespace",
        ),
        Ok(found) => checks.ok(id, what, found.0.to_string()),
        Err(e) => checks.fail(id, what, e.to_string(), "ask for `get` on namespaces"),
    }
}

/// How far the server's clock is ahead.
async fn clock(checks: &mut Checks, cluster: &Cluster) {
    let (id, what) = ("clock", "clock");
    match cluster.ahead().await {
        Ok(Some(ahead)) if ahead.abs() > SignedDuration::from_secs(2) => {
            let way = if ahead.is_negative() { "behind" } else { "ahead of" };
            checks.warn(
                id,
                what,
                format!("the server's is {:.0} s {way} ours", ahead.abs().as_secs_f64()),
                "set this machine's clock (NTP): ages and countdowns are off by as much",
            );
        }
        Ok(Some(_)) => checks.ok(id, what, "as the server's"),
        Ok(None) => checks.ok(id, what, "the server does not tell its own"),
        Err(e) => checks.warn(id, what, e.to_string(), "the server would not say"),
    }
}

/// Whether Rollouts are served at all.
async fn resources(checks: &mut Checks, cluster: &Cluster) -> bool {
    const INSTALL: &str = "install Argo Rollouts (`kubectl create namespace argo-rollouts; kubectl apply -n argo-rollouts -f \
                           https://github.com/argoproj/argo-rollouts/releases/latest/download/install.yaml`), or pick another \
                           context with --context";
    let (id, what) = ("crd.rollouts", "argo rollouts");
    let served = match cluster.serves("/apis/argoproj.io/v1alpha1", "rollouts").await {
        Ok(true) => {
            checks.ok(id, what, "its CRD is there");
            true
        }
        Ok(false) => {
            checks.fail(id, what, "the cluster has no Rollout resource", INSTALL);
            false
        }
        Err(e) => {
            checks.fail(id, what, e.to_string(), "ask for the right to read API discovery (system:discovery)");
            false
        }
    };
    for resource in ["analysisruns", "experiments"] {
        if let (true, Ok(false)) = (served, cluster.serves("/apis/argoproj.io/v1alpha1", resource).await) {
            let said = format!("the cluster has no {resource}.argoproj.io: targets are shown without them");
            checks.warn(&format!("crd.{resource}"), what, said, "install all CRDs of Argo Rollouts");
        }
    }
    served
}

/// Whether somebody carries out what Rollouts say.
async fn controller(checks: &mut Checks, cluster: &Cluster) {
    let (id, what) = ("controller", "rollouts controller");
    let start =
        "`kubectl get deploy -A -l app.kubernetes.io/name=argo-rollouts` shows it; start it, or look into its log";
    match controller::signs(cluster).await {
        Ok(Signs::Lease { holder, renewed }) => {
            let age = renewed.map(|at| Timestamp::now().duration_since(at));
            match age {
                Some(age) if age > LEASE_OLD => {
                    let said = format!("{holder} has not renewed its Lease for {}", Span(age.as_secs()));
                    checks.fail(id, what, said, start);
                }
                _ => checks.ok(id, what, format!("{holder} holds the Lease")),
            }
        }
        Ok(Signs::Follows { rollouts }) => {
            let said = format!("no Lease can be seen; all of {rollouts} rollouts looked at are observed as they stand");
            checks.ok(id, what, said);
        }
        Ok(Signs::Behind { rollouts }) => {
            let said = format!("changed, and not observed since: {}", rollouts.join(", "));
            checks.warn(id, what, said, start);
        }
        Ok(Signs::None) => checks.ok(id, what, "cannot be known: no Lease can be seen, and there is no rollout"),
        Err(e) => checks.warn(id, what, e.to_string(), "the cluster would not say"),
    }
}

/// Error rates are a help, not a need: their absence is no failure.
async fn rates(checks: &mut Checks, ground: &Ground, cluster: &Arc<Cluster>) {
    let (id, what) = ("prometheus", "prometheus");
    match prometheus::check(&ground.config.prometheus, cluster).await {
        None => checks.ok(id, what, "not configured for this context: no error rates"),
        Some(Ok(())) => {
            checks.ok(
                id,
                what,
                "answers queries; `flightdeck status` shows in ERRORS whether a template matches each target",
            );
        }
        Some(Err(why)) => checks.warn(
            id,
            what,
            why.to_string(),
            "look at [[prometheus.context]] in the configuration: address, token, headers, authorities",
        ),
    }
}

/// Two contexts may lead to one cluster.
async fn same(checks: &mut Checks, cluster: &Cluster, known: &mut BTreeMap<ClusterId, Clean>) {
    let Ok(id) = cluster.id().await else { return };
    if let Some(other) = known.get(&id) {
        checks.warn(
            "same-cluster",
            "cluster identity",
            format!("context {} leads to the same cluster as {other}", cluster.context),
            "leave one of them out: it is shown once, through the first",
        );
    } else {
        known.insert(id, cluster.context.clone());
    }
}

/// Which namespaces can be watched; one of them, to ask for rights in (empty = in all).
async fn scopes(checks: &mut Checks, cluster: &Cluster, user: &str) -> String {
    let (id, what) = ("namespaces", "namespaces");
    if let Some(first) = cluster.namespaces.first() {
        checks.ok(id, what, cluster.namespaces.join(", "));
        return first.clone();
    }
    match cluster.may_in("", "list", "argoproj.io", "rollouts", "").await {
        Ok(true) => {
            checks.ok(id, what, "all");
            return String::new();
        }
        Ok(false) => {}
        Err(e) => {
            checks.warn(id, what, e.to_string(), "the cluster would not say");
            return String::new();
        }
    }
    let viewer = |namespace: &str| super::super::rbac::command(super::super::args::Role::Viewer, namespace, user);
    match scope::find(cluster, "argoproj.io", "rollouts").await {
        Ok(found) if found.namespaces.is_empty() => checks.fail(
            id,
            what,
            "no right to list rollouts in any namespace that can be found",
            &format!("name the namespace with -n, or have somebody run `{}`", viewer(&cluster.home)),
        ),
        Ok(found) => {
            let names: Vec<&str> = found.namespaces.iter().map(String::as_str).collect();
            checks.warn(
                id,
                what,
                format!("{} ({})", found.notice(), names.join(", ")),
                &format!("go on with these, or have somebody run `{}`", viewer("")),
            );
            return found.namespaces.into_iter().next().unwrap_or_default();
        }
        Err(e) => checks.warn(id, what, e.to_string(), "the cluster would not say"),
    }
    cluster.home.clone()
}
