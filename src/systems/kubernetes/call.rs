//! One HTTP call to an API server, and what its failures mean.

use std::error::Error as _;
use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use jiff::Timestamp;
use kube::Client;
use kube::client::Body;
use serde::Deserialize;

use super::login::LoginError;
use crate::domain::text::Clean;

/// Why a call failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallError {
    /// The API server answered with a `Status`.
    Status {
        /// The HTTP status.
        code: u16,
        /// `reason`, e.g. `Invalid`.
        reason: Clean,
        /// `message`.
        message: Clean,
        /// `Retry-After` or `details.retryAfterSeconds`.
        retry_after: Option<Duration>,
    },
    /// Something answered, but not an API server: a proxy, a login page.
    Foreign {
        /// The HTTP status.
        code: u16,
        /// The beginning of what it said.
        said: Clean,
    },
    /// No connection was made: nothing was sent.
    NotConnected {
        /// Why.
        why: Clean,
    },
    /// Credentials could not be had: nothing was sent.
    NoLogin {
        /// Why.
        why: Clean,
    },
    /// The connection broke, or the time was up, after the request may have left.
    Broken {
        /// Why.
        why: Clean,
    },
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status { code, reason, message, .. } if reason.is_empty() => write!(f, "{code}: {message}"),
            Self::Status { code, reason, message, .. } => write!(f, "{code} {reason}: {message}"),
            Self::Foreign { code, said } => write!(f, "{code} from something that is not an API server: {said}"),
            Self::NotConnected { why } => write!(f, "could not connect: {why}"),
            Self::NoLogin { why } => write!(f, "no login: {why}"),
            Self::Broken { why } => write!(f, "connection broke: {why}"),
        }
    }
}

#[derive(Deserialize)]
struct Status {
    #[serde(default)]
    kind: String,
    #[serde(default)]
    message: Clean,
    #[serde(default)]
    reason: Clean,
    #[serde(default)]
    details: Option<Details>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Details {
    retry_after_seconds: Option<u64>,
}

impl CallError {
    /// What an answer that is no success means.
    pub fn of_answer(code: StatusCode, retry_after: Option<Duration>, body: &[u8]) -> Self {
        match serde_json::from_slice::<Status>(body) {
            Ok(status) if status.kind == "Status" => Self::Status {
                code: code.as_u16(),
                reason: status.reason,
                message: status.message,
                retry_after: retry_after
                    .or_else(|| status.details.and_then(|d| d.retry_after_seconds).map(Duration::from_secs)),
            },
            _ => {
                let said = String::from_utf8_lossy(&body[..body.len().min(200)]);
                Self::Foreign { code: code.as_u16(), said: Clean::new(said.trim()) }
            }
        }
    }

    /// What an `ERROR` frame of a watch means.
    pub fn of_frame(object: &str) -> Self {
        #[derive(Deserialize)]
        struct Coded {
            #[serde(default)]
            code: u16,
        }
        let code = serde_json::from_str::<Coded>(object).map_or(0, |c| c.code);
        Self::of_answer(
            StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            None,
            object.as_bytes(),
        )
    }

    pub(super) fn of_transport(error: &kube::Error) -> Self {
        let why = Clean::new(&chain(error));
        // Our own client stands in front of kube's, so its errors come wrapped; a login that failed did so before
        // anything was sent.
        let mut source: Option<&(dyn std::error::Error + 'static)> = Some(error);
        while let Some(inner) = source {
            if let Some(LoginError(why)) = inner.downcast_ref::<LoginError>() {
                return Self::NoLogin { why: Clean::new(why) };
            }
            let auth = inner.downcast_ref::<kube::Error>().is_some_and(|e| matches!(e, kube::Error::Auth(_)));
            if auth || inner.downcast_ref::<kube::client::AuthError>().is_some() {
                return Self::NoLogin { why };
            }
            let refused = inner
                .downcast_ref::<hyper_util::client::legacy::Error>()
                .is_some_and(hyper_util::client::legacy::Error::is_connect);
            if refused {
                return Self::NotConnected { why };
            }
            source = inner.source();
        }
        Self::Broken { why }
    }

    /// The HTTP status, if anything answered.
    pub fn code(&self) -> Option<u16> {
        match self {
            Self::Status { code, .. } | Self::Foreign { code, .. } => Some(*code),
            Self::NotConnected { .. } | Self::NoLogin { .. } | Self::Broken { .. } => None,
        }
    }
}

/// An error with its causes, each said once.
fn chain(error: &kube::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        let more = inner.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        source = inner.source();
    }
    text
}

/// Builds a request. `path` begins with `/` and may have a query.
pub fn request(
    method: &str,
    path: &str,
    content_type: Option<&str>,
    body: Vec<u8>,
) -> Result<Request<Body>, CallError> {
    let mut builder = Request::builder().method(method).uri(path).header("accept", "application/json");
    if let Some(content_type) = content_type {
        builder = builder.header("content-type", content_type);
    }
    builder.body(Body::from(body)).map_err(|e| CallError::NotConnected { why: Clean::new(&e.to_string()) })
}

/// Sends `request` and waits for the head of a successful answer.
pub async fn open(client: &Client, request: Request<Body>) -> Result<Response<Body>, CallError> {
    let answer = client.send(request).await.map_err(|e| CallError::of_transport(&e))?;
    if answer.status().is_success() {
        return Ok(answer);
    }
    let code = answer.status();
    let retry_after = answer
        .headers()
        .get("retry-after")
        .and_then(|v| v.to_str().ok())
        .and_then(|v| v.parse().ok())
        .map(Duration::from_secs);
    let body = answer.into_body().collect_bytes().await.unwrap_or_default();
    Err(CallError::of_answer(code, retry_after, &body))
}

/// Sends `request` and reads the whole answer, all within `deadline`.
pub async fn whole(client: &Client, request: Request<Body>, deadline: Duration) -> Result<Bytes, CallError> {
    let answer = async {
        let answer = open(client, request).await?;
        answer.into_body().collect_bytes().await.map_err(|e| CallError::of_transport(&e))
    };
    within(deadline, answer).await
}

/// Gives an answer up that takes longer than `deadline`.
pub async fn within<T>(deadline: Duration, answer: impl Future<Output = Result<T, CallError>>) -> Result<T, CallError> {
    let late = |_| CallError::Broken { why: Clean::new(&format!("no answer within {} s", deadline.as_secs_f32())) };
    tokio::time::timeout(deadline, answer).await.map_err(late)?
}

/// Reads `path`; also what the server's clock said when it answered (`Date`, whole seconds).
pub async fn get_dated(
    client: &Client,
    path: &str,
    deadline: Duration,
) -> Result<(Bytes, Option<Timestamp>), CallError> {
    let request = request("GET", path, None, Vec::new())?;
    let answer = async {
        let answer = open(client, request).await?;
        let date = answer.headers().get("date").and_then(|v| v.to_str().ok()).and_then(date);
        let body = answer.into_body().collect_bytes().await.map_err(|e| CallError::of_transport(&e))?;
        Ok((body, date))
    };
    within(deadline, answer).await
}

/// Reads an HTTP date.
fn date(text: &str) -> Option<Timestamp> {
    jiff::fmt::rfc2822::parse(text).ok().map(|zoned| zoned.timestamp())
}

/// Reads `path`.
pub async fn get(client: &Client, path: &str, deadline: Duration) -> Result<Bytes, CallError> {
    whole(client, request("GET", path, None, Vec::new())?, deadline).await
}
