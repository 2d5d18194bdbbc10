//! What the user may do, right by right, and the role that this amounts to.

use super::super::args::Role;
use super::super::rbac;
use super::Checks;
use crate::systems::kubernetes::client::Cluster;

/// How the ids of these checks begin.
pub(super) const PREFIX: &str = "right.";

/// A right, and what is lost without it.
struct Right {
    role: Role,
    verb: &'static str,
    group: &'static str,
    resource: &'static str,
    sub: &'static str,
    without: &'static str,
    /// Without these there is no picture at all.
    needed: bool,
}

const fn look(verb: &'static str, group: &'static str, resource: &'static str, without: &'static str) -> Right {
    Right { role: Role::Viewer, verb, group, resource, sub: "", without, needed: false }
}

const fn needed(verb: &'static str, group: &'static str, resource: &'static str, without: &'static str) -> Right {
    Right { needed: true, ..look(verb, group, resource, without) }
}

const fn act(
    role: Role,
    verb: &'static str,
    group: &'static str,
    resource: &'static str,
    without: &'static str,
) -> Right {
    Right { role, ..look(verb, group, resource, without) }
}

const ARGO: &str = "argoproj.io";
const NO_WITNESS: &str = "the cluster is no witness of the audit log: a cut tail is not found";

const RIGHTS: &[Right] = &[
    needed("list", ARGO, "rollouts", "no rollout is shown"),
    needed("watch", ARGO, "rollouts", "no rollout is shown live"),
    needed("list", "apps", "replicasets", "no weights and revisions"),
    needed("watch", "apps", "replicasets", "no weights and revisions"),
    needed("list", "", "pods", "no pods"),
    needed("watch", "", "pods", "no pods"),
    look("list", ARGO, "analysisruns", "no measurements of the focused target"),
    look("list", ARGO, "experiments", "no experiments of the focused target"),
    look("list", "", "events", "`audit reconcile` does not know what was said about a target"),
    Right { sub: "log", ..look("get", "", "pods", "no logs") },
    Right {
        sub: "status",
        ..act(Role::Operator, "patch", ARGO, "rollouts", "resume, skip-step, promote-full, abort and retry fail")
    },
    act(Role::Operator, "patch", "apps", "replicasets", "hold, forbid and allow fail"),
    act(Role::Operator, "patch", ARGO, "analysisruns", "terminate fails"),
    act(Role::Operator, "get", "", "configmaps/flightdeck-witness", NO_WITNESS),
    act(Role::Operator, "create", "", "configmaps", NO_WITNESS),
    act(Role::Operator, "update", "", "configmaps/flightdeck-witness", NO_WITNESS),
    act(Role::Operator, "create", "", "events", "acts are not told as Events on their targets"),
    act(Role::Releaser, "patch", ARGO, "rollouts", "pause, restart, set-image and undo fail"),
    act(
        Role::Releaser,
        "patch",
        "apps",
        "deployments",
        "undo and set-image fail where a workloadRef names a Deployment",
    ),
];

const ROLES: [Role; 3] = [Role::Viewer, Role::Operator, Role::Releaser];

/// Asks for every right in `namespace` (empty = in all).
pub(super) async fn check(checks: &mut Checks, cluster: &Cluster, namespace: &str, user: &str) {
    let place = if namespace.is_empty() { "everywhere".to_owned() } else { format!("in {namespace}") };
    let mut missing = ROLES.map(|_| 0);
    for right in RIGHTS {
        let name =
            if right.sub.is_empty() { right.resource.to_owned() } else { format!("{}/{}", right.resource, right.sub) };
        let what = format!("may {} {name} {place}", right.verb);
        let id = format!("{PREFIX}{}.{name}", right.verb);
        let fix = rbac::command(right.role, namespace, user);
        // A name of one object is no subresource.
        let (resource, one) =
            right.resource.split_once('/').map_or((right.resource, ""), |(plural, one)| (plural, one));
        let may = if one.is_empty() {
            cluster.may_in(namespace, right.verb, right.group, resource, right.sub).await
        } else {
            cluster.may_named(namespace, right.verb, resource, one).await
        };
        match may {
            Ok(true) => checks.ok(&id, &what, "yes"),
            Ok(false) => {
                missing[place_of(right.role)] += 1;
                let said = format!("no: {}", right.without);
                if right.needed { checks.fail(&id, &what, said, &fix) } else { checks.warn(&id, &what, said, &fix) }
            }
            Err(e) => {
                missing[place_of(right.role)] += 1;
                checks.warn(&id, &what, e.to_string(), "the cluster would not say");
            }
        }
    }
    role(checks, &place, missing);
}

fn place_of(role: Role) -> usize {
    ROLES.iter().position(|one| *one == role).unwrap_or(0)
}

/// Which role the rights amount to.
fn role(checks: &mut Checks, place: &str, missing: [usize; 3]) {
    let held = match missing {
        [0, 0, 0] => "releaser: every act",
        [0, 0, _] => "operator: steers what is under way; pause, restart, set-image and undo are the releaser's",
        [0, ..] => "viewer, with some rights of an operator at most",
        _ => "less than a viewer",
    };
    checks.ok("role", "rights", format!("{held} ({place})"));
}
