//! Writes that are no acts: they change nothing that anybody runs. All of them stand in [`Write`], and nothing else in
//! `systems` writes without an authorisation; a test reads the source and holds it to that.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use super::call::{self, CallError};
use super::client::Cluster;
use crate::domain::record::KubeIdentity;
use crate::domain::text::Clean;

/// How long a housekeeping write may take.
const DEADLINE: Duration = Duration::from_secs(5);

/// The name of the `ConfigMap` that keeps the heads of audit logs.
pub const WITNESS: &str = "flightdeck-witness";

/// Every housekeeping write there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Write {
    /// Asks whether this user may do something.
    AccessReview,
    /// Asks who this user is.
    SubjectReview,
    /// Makes the witness in a namespace.
    CreateWitness,
    /// Replaces the witness, at the version that was read.
    ReplaceWitness,
    /// Tells an act as an Event on its target.
    CreateEvent,
}

impl Write {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::AccessReview, Self::SubjectReview, Self::CreateWitness, Self::ReplaceWitness, Self::CreateEvent];

    /// Its method.
    pub const fn method(self) -> &'static str {
        match self {
            Self::AccessReview | Self::SubjectReview | Self::CreateWitness | Self::CreateEvent => "POST",
            Self::ReplaceWitness => "PUT",
        }
    }

    /// Its path; `{}` stands for the namespace.
    pub const fn path(self) -> &'static str {
        match self {
            Self::AccessReview => "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
            Self::SubjectReview => "/apis/authentication.k8s.io/v1/selfsubjectreviews",
            Self::CreateWitness => "/api/v1/namespaces/{}/configmaps?fieldManager=flightdeck",
            Self::ReplaceWitness => "/api/v1/namespaces/{}/configmaps/flightdeck-witness?fieldManager=flightdeck",
            Self::CreateEvent => "/api/v1/namespaces/{}/events?fieldManager=flightdeck",
        }
    }
}

/// An answer that does not decode.
fn foreign(error: &serde_json::Error) -> CallError {
    CallError::Foreign { code: 200, said: Clean::new(&error.to_string()) }
}

impl Cluster {
    /// Sends one housekeeping write, once. `namespace` fills its place in the path.
    pub(super) async fn housekeep(
        &self,
        write: Write,
        namespace: &str,
        body: &Value,
    ) -> Result<bytes::Bytes, CallError> {
        let path = write.path().replace("{}", namespace);
        let body = body.to_string().into_bytes();
        let request = call::request(write.method(), &path, Some("application/json"), body)?;
        call::whole(self.client(), request, DEADLINE).await
    }

    /// Whether this user may `verb` the resource in the namespace in view, or in all.
    pub async fn may(&self, verb: &str, group: &str, resource: &str, subresource: &str) -> Result<bool, CallError> {
        self.may_in(self.namespace.as_deref().unwrap_or_default(), verb, group, resource, subresource).await
    }

    /// Whether this user may `verb` the resource in `namespace`; empty = in all of them.
    pub async fn may_in(
        &self,
        namespace: &str,
        verb: &str,
        group: &str,
        resource: &str,
        subresource: &str,
    ) -> Result<bool, CallError> {
        let mut attributes = serde_json::json!({"verb": verb, "group": group, "resource": resource});
        for (key, value) in [("subresource", subresource), ("namespace", namespace)] {
            if !value.is_empty() {
                attributes[key] = value.into();
            }
        }
        self.review(attributes).await
    }

    /// Whether this user may `verb` the one object of the core group that is called `name`.
    pub async fn may_named(&self, namespace: &str, verb: &str, resource: &str, name: &str) -> Result<bool, CallError> {
        let mut attributes = serde_json::json!({"verb": verb, "group": "", "resource": resource, "name": name});
        if !namespace.is_empty() {
            attributes["namespace"] = namespace.into();
        }
        self.review(attributes).await
    }

    async fn review(&self, attributes: Value) -> Result<bool, CallError> {
        #[derive(Deserialize)]
        struct Review {
            status: Allowed,
        }
        #[derive(Deserialize)]
        struct Allowed {
            #[serde(default)]
            allowed: bool,
        }
        let body = serde_json::json!({
            "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": attributes},
        });
        let answer = self.housekeep(Write::AccessReview, "", &body).await?;
        serde_json::from_slice::<Review>(&answer).map(|r| r.status.allowed).map_err(|e| foreign(&e))
    }

    /// The user that the server knows us as, with its groups.
    pub async fn identity(&self) -> Result<KubeIdentity, CallError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Review {
            status: Status,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Status {
            user_info: UserInfo,
        }
        #[derive(Deserialize)]
        struct UserInfo {
            #[serde(default)]
            username: Clean,
            #[serde(default)]
            groups: Vec<Clean>,
        }
        let body = serde_json::json!({"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"});
        let answer = self.housekeep(Write::SubjectReview, "", &body).await?;
        let review: Review = serde_json::from_slice(&answer).map_err(|e| foreign(&e))?;
        let UserInfo { username, groups } = review.status.user_info;
        Ok(KubeIdentity { name: username, groups })
    }

    /// The name of that user.
    pub async fn who(&self) -> Result<Clean, CallError> {
        self.identity().await.map(|identity| identity.name)
    }
}
