//! What a path and its query are about.

use crate::demo::store::{Key, Kind};

/// A part of an object that has a path of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sub {
    None,
    Status,
    Scale,
    Log,
    Eviction,
}

/// What a path is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub kind: Kind,
    pub namespace: Option<String>,
    pub name: Option<String>,
    pub sub: Sub,
}

impl Place {
    pub(super) fn of(path: &str) -> Option<Self> {
        let parts: Vec<&str> = path.split('/').filter(|p| !p.is_empty()).collect();
        let (group, rest) = match parts.as_slice() {
            ["api", "v1", rest @ ..] => ("", rest),
            ["apis", group @ ("apps" | "coordination.k8s.io"), "v1", rest @ ..]
            | ["apis", group @ "argoproj.io", "v1alpha1", rest @ ..] => (*group, rest),
            _ => return None,
        };
        let kind = |plural: &str, namespaced: bool| {
            Kind::by_plural(group, plural).filter(|kind| kind.namespaced() || !namespaced)
        };
        let own = |s: &str| Some(s.to_owned());
        let place = |kind, namespace, name, sub| Some(Self { kind, namespace, name, sub });
        match rest {
            ["namespaces", ns, plural] => place(kind(plural, true)?, own(ns), None, Sub::None),
            ["namespaces", ns, plural, name] => place(kind(plural, true)?, own(ns), own(name), Sub::None),
            ["namespaces", ns, plural, name, sub] => {
                let kind = kind(plural, true)?;
                let sub = match *sub {
                    "status" if kind.has_status() => Sub::Status,
                    "scale" if matches!(kind, Kind::Rollout | Kind::ReplicaSet | Kind::Deployment) => Sub::Scale,
                    "log" if kind == Kind::Pod => Sub::Log,
                    "eviction" if kind == Kind::Pod => Sub::Eviction,
                    _ => return None,
                };
                place(kind, own(ns), own(name), sub)
            }
            [plural] => place(kind(plural, false)?, None, None, Sub::None),
            [plural, name] => {
                let kind = kind(plural, false).filter(|kind| !kind.namespaced())?;
                place(kind, own(""), own(name), Sub::None)
            }
            _ => None,
        }
    }

    pub(super) fn key(&self) -> Option<Key> {
        Some(Key::new(self.kind, self.namespace.as_deref()?, self.name.as_deref()?))
    }
}

/// The words behind the question mark.
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    pub(super) fn of(uri: &http::Uri) -> Self {
        let pairs = uri.query().unwrap_or_default().split('&').filter(|p| !p.is_empty());
        Self(pairs.map(|p| p.split_once('=').unwrap_or((p, ""))).map(|(k, v)| (decode(k), decode(v))).collect())
    }

    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(k, _)| k == key).map(|(_, v)| v.as_str())
    }

    pub(super) fn flag(&self, key: &str) -> bool {
        self.get(key).is_some_and(|v| v == "true" || v == "1")
    }
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(b) = rest.next() {
        bytes.push(match b {
            b'+' => b' ',
            b'%' => {
                let hex: Vec<u8> = rest.by_ref().take(2).collect();
                std::str::from_utf8(&hex).ok().and_then(|h| u8::from_str_radix(h, 16).ok()).unwrap_or(b'?')
            }
            b => b,
        });
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_understood() {
        let place = |path: &str| Place::of(path).map(|p| (p.kind, p.namespace, p.name, p.sub));
        let own = |s: &str| Some(s.to_owned());
        let rollouts = "/apis/argoproj.io/v1alpha1/namespaces/shop/rollouts";
        assert_eq!(place("/apis/argoproj.io/v1alpha1/rollouts"), Some((Kind::Rollout, None, None, Sub::None)));
        assert_eq!(
            place(&format!("{rollouts}/web/status")),
            Some((Kind::Rollout, own("shop"), own("web"), Sub::Status))
        );
        assert_eq!(place("/api/v1/namespaces"), Some((Kind::Namespace, None, None, Sub::None)));
        assert_eq!(
            place("/api/v1/namespaces/kube-system"),
            Some((Kind::Namespace, own(""), own("kube-system"), Sub::None))
        );
        assert_eq!(place("/api/v1/namespaces/shop/pods"), Some((Kind::Pod, own("shop"), None, Sub::None)));
        assert_eq!(
            place("/apis/coordination.k8s.io/v1/namespaces/shop/leases/x"),
            Some((Kind::Lease, own("shop"), own("x"), Sub::None))
        );
        // An AnalysisRun has no status path: the real server says 404.
        let run = "/apis/argoproj.io/v1alpha1/namespaces/shop/analysisruns/x";
        assert_eq!(place(run), Some((Kind::AnalysisRun, own("shop"), own("x"), Sub::None)));
        assert_eq!(place(&format!("{run}/status")), None);
        assert_eq!(place("/apis/apps/v1/namespaces/shop/rollouts"), None);
        assert_eq!(place("/apis/argoproj.io/v1alpha1/rollouts/web"), None);
        assert_eq!(place("/metrics"), None);
    }
}
