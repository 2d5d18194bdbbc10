//! The query templates, in the order in which they are tried. Where the search for one that fits a target stands is
//! [`Search`](super::book::Search); `source` asks for what fits, `answers` picks.

use crate::config::prometheus::QueryTemplate;

/// The templates that come along, in the order in which they are tried.
pub(super) const SHIPPED: [&str; 10] = [
    include_str!("../../../assets/queries/10-linkerd.toml"),
    include_str!("../../../assets/queries/20-istio-revision.toml"),
    include_str!("../../../assets/queries/21-istio-workload.toml"),
    include_str!("../../../assets/queries/22-istio-service.toml"),
    include_str!("../../../assets/queries/30-http-hash.toml"),
    include_str!("../../../assets/queries/31-http-pod.toml"),
    include_str!("../../../assets/queries/32-http-pod-status.toml"),
    include_str!("../../../assets/queries/33-otel-pod.toml"),
    include_str!("../../../assets/queries/40-nginx-ingress.toml"),
    include_str!("../../../assets/queries/41-nginx-ingress-exported.toml"),
];

/// The user's templates, then those that come along.
pub fn templates(own: &[QueryTemplate]) -> Vec<QueryTemplate> {
    let shipped = SHIPPED.iter().filter_map(|text| match QueryTemplate::parse(text) {
        Ok(template) => Some(template),
        Err(why) => {
            // A test reads them all.
            tracing::error!(%why, "a query template that comes along is broken");
            None
        }
    });
    own.iter().cloned().chain(shipped).collect()
}
