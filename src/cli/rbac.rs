//! `rbac`: Kubernetes roles for people who use Flightdeck. The rules stand in `assets/rbac`; they are tried on a real
//! cluster (`tests/real/roles.rs`).

use std::fmt::Write as _;
use std::process::ExitCode;

use super::args::{Global, RbacArgs, Role};
use super::call::shell;
use super::output;
use crate::error::{Error, Kind};

const IDENTITY: &str = include_str!("../../assets/rbac/identity.yaml");

impl Role {
    const fn rules(self) -> &'static str {
        match self {
            Self::Viewer => include_str!("../../assets/rbac/viewer.yaml"),
            Self::Operator => include_str!("../../assets/rbac/operator.yaml"),
            Self::Releaser => include_str!("../../assets/rbac/releaser.yaml"),
        }
    }

    /// Its name here.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Releaser => "releaser",
        }
    }
}

pub(super) fn run(global: &Global, args: &RbacArgs) -> Result<ExitCode, Error> {
    output::raw(manifests(args.role, &global.namespace, &subjects(args)?)?.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

/// The role and its bindings: in these namespaces, else in the whole cluster.
fn manifests(role: Role, namespaces: &[String], subjects: &str) -> Result<String, Error> {
    let name = format!("flightdeck-{}", role.word());
    let mut out = String::new();
    if namespaces.is_empty() {
        out.push_str(role.rules());
        if !subjects.is_empty() {
            binding(&mut out, "ClusterRole", &name, None, subjects);
        }
    }
    for namespace in namespaces {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if namespace.is_empty() || !namespace.chars().all(plain) {
            return Err(Error::new(Kind::Usage, format!("`{namespace}` is no name of a namespace")));
        }
        if !out.is_empty() {
            out.push_str("---\n");
        }
        let rules = role.rules().replace("kind: ClusterRole\n", "kind: Role\n");
        out.push_str(
            &rules.replace(&format!("  name: {name}\n"), &format!("  name: {name}\n  namespace: {namespace}\n")),
        );
        if !subjects.is_empty() {
            binding(&mut out, "Role", &name, Some(namespace), subjects);
        }
    }
    out.push_str("---\n");
    out.push_str(IDENTITY);
    if !subjects.is_empty() {
        // One for each who is bound, so that the next one does not take it from the last.
        binding(&mut out, "ClusterRole", "flightdeck-identity", None, subjects);
    }
    Ok(out)
}

/// What binds a role: named after role and subjects, so that two calls do not overwrite each other's.
fn binding(out: &mut String, kind: &str, role: &str, namespace: Option<&str>, subjects: &str) {
    let place = namespace.map(|namespace| format!("  namespace: {namespace}\n")).unwrap_or_default();
    let _ = write!(
        out,
        "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: {kind}Binding\nmetadata:\n  name: {role}-{}\n{place}roleRef:\n  \
         apiGroup: rbac.authorization.k8s.io\n  kind: {kind}\n  name: {role}\nsubjects:\n{subjects}",
        mark(subjects)
    );
}

/// A short name for a set of subjects.
fn mark(subjects: &str) -> String {
    use sha2::{Digest as _, Sha256};
    Sha256::digest(subjects.as_bytes()).iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}

fn subjects(args: &RbacArgs) -> Result<String, Error> {
    let mut out = String::new();
    let group = "rbac.authorization.k8s.io";
    for (kind, names) in [("User", &args.user), ("Group", &args.group)] {
        for name in names {
            let _ = write!(out, "  - apiGroup: {group}\n    kind: {kind}\n    name: {}\n", quoted(name));
        }
    }
    for account in &args.serviceaccount {
        let (namespace, name) = account.split_once(':').ok_or_else(|| {
            Error::new(Kind::Usage, format!("`{account}` is no service account")).hint("write NAMESPACE:NAME")
        })?;
        let (name, namespace) = (quoted(name), quoted(namespace));
        let _ = write!(out, "  - kind: ServiceAccount\n    name: {name}\n    namespace: {namespace}\n");
    }
    Ok(out)
}

/// As YAML takes any name.
fn quoted(name: &str) -> String {
    serde_json::Value::from(name).to_string()
}

/// The command that grants `role` to the user whom the server sees, to be run by somebody who may.
pub(super) fn command(role: Role, namespace: &str, user: &str) -> String {
    let place = if namespace.is_empty() { String::new() } else { format!(" --namespace {namespace}") };
    let who = match user.strip_prefix("system:serviceaccount:") {
        Some(account) => format!(" --serviceaccount {}", shell(account)),
        None if user.is_empty() => " --user NAME".to_owned(),
        None => format!(" --user {}", shell(user)),
    };
    format!("flightdeck rbac {}{place}{who} | kubectl apply -f -", role.word())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Vec<serde_json::Value> {
        text.split("---\n").map(|one| serde_saphyr::from_str(one).expect(one)).collect()
    }

    #[test]
    fn a_role_is_bound_in_its_namespaces_or_everywhere() {
        let anna = "  - apiGroup: rbac.authorization.k8s.io\n    kind: User\n    name: \"anna\"\n";
        let all = parsed(&manifests(Role::Operator, &[], anna).expect("manifests"));
        let kinds: Vec<_> = all.iter().map(|m| m["kind"].as_str().expect("a kind")).collect();
        assert_eq!(kinds, ["ClusterRole", "ClusterRoleBinding", "ClusterRole", "ClusterRoleBinding"]);
        let two = parsed(&manifests(Role::Viewer, &["shop".into(), "pay".into()], anna).expect("manifests"));
        assert_eq!((&two[0]["kind"], &two[0]["metadata"]["namespace"]), (&"Role".into(), &"shop".into()));
        assert_eq!((&two[3]["kind"], &two[3]["metadata"]["namespace"]), (&"RoleBinding".into(), &"pay".into()));
        assert_eq!(two[3]["subjects"][0]["name"], "anna");
        assert!(manifests(Role::Viewer, &["Shop: x".into()], "").is_err());
    }

    #[test]
    fn the_fix_can_be_run_as_it_stands() {
        let account = command(Role::Viewer, "shop", "system:serviceaccount:ci:bot");
        assert_eq!(account, "flightdeck rbac viewer --namespace shop --serviceaccount ci:bot | kubectl apply -f -");
        assert!(command(Role::Operator, "", "o'neill x").contains(r"--user 'o'\''neill x'"));
    }
}
