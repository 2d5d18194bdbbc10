//! Asks one Prometheus: by its address, or through the API server's service proxy.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt as _, Limited};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};

use crate::config::prometheus::{PrometheusContext, Secret};
use crate::domain::text::Clean;
use crate::systems::kubernetes::call::{self, CallError};
use crate::systems::kubernetes::client::Cluster;

use super::decode::{self, Answer, Fault};
use super::query::Range;

/// The most that is read of one answer.
const LONGEST: usize = 4 << 20;

/// How long making a connection may take.
const CONNECT: Duration = Duration::from_secs(3);

/// One Prometheus.
pub(super) struct Api {
    way: Way,
    deadline: Duration,
}

enum Way {
    Direct { client: prometheus_http_query::Client, headers: HeaderMap, token: Option<Token> },
    Proxied { cluster: Arc<Cluster>, path: String },
}

enum Token {
    File(PathBuf),
    Env(String),
}

impl Token {
    async fn read(&self) -> Result<Secret, String> {
        let token = match self {
            Self::File(path) => {
                tokio::fs::read_to_string(path).await.map_err(|e| format!("token_file {}: {e}", path.display()))?
            }
            Self::Env(name) => std::env::var(name).map_err(|_| format!("token_env: {name} is not set"))?,
        };
        let token = token.trim();
        if token.is_empty() { Err("the token is empty".to_owned()) } else { Ok(Secret::new(token.to_owned())) }
    }
}

impl Api {
    /// Makes the client. Nothing is sent; errors are of configuration.
    pub(super) async fn new(
        settings: &PrometheusContext,
        deadline: Duration,
        cluster: &Arc<Cluster>,
    ) -> Result<Self, String> {
        let way = match (&settings.url, settings.proxied()) {
            (Some(url), _) => direct(settings, url).await?,
            (None, Some((namespace, service))) => {
                let path = format!("/api/v1/namespaces/{namespace}/services/{service}/proxy/api/v1/");
                Way::Proxied { cluster: cluster.clone(), path }
            }
            (None, None) => return Err("needs `url` or `service`".to_owned()),
        };
        Ok(Self { way, deadline })
    }

    /// Evaluates a query now, by Prometheus' own clock, or at each step of a range.
    pub(super) async fn query(&self, promql: &str, range: Option<Range>) -> Result<Answer, Fault> {
        let asked = async {
            match &self.way {
                Way::Direct { client, headers, token } => {
                    ask_directly(client, headers, token.as_ref(), promql, range).await
                }
                Way::Proxied { cluster, path } => ask_proxied(cluster, path, promql, range).await,
            }
        };
        let silent = || Fault::Silent { why: Clean::new(&format!("no answer within {} s", self.deadline.as_secs())) };
        let (code, body) = tokio::time::timeout(self.deadline, asked).await.map_err(|_| silent())??;
        decode::answer(code, &body)
    }
}

async fn direct(settings: &PrometheusContext, url: &str) -> Result<Way, String> {
    let mut builder = reqwest::Client::builder()
        .connect_timeout(CONNECT)
        .tls_backend_rustls()
        // A redirect is a login page, or would carry our headers elsewhere.
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("flightdeck/", env!("CARGO_PKG_VERSION")));
    if is_loopback(url) {
        builder = builder.no_proxy();
    }
    if let Some(path) = &settings.ca_file {
        let pem = tokio::fs::read(path).await.map_err(|e| format!("ca_file {}: {e}", path.display()))?;
        let certs = reqwest::Certificate::from_pem_bundle(&pem)
            .ok()
            .filter(|certs| !certs.is_empty())
            .ok_or_else(|| format!("ca_file {}: no certificate in it", path.display()))?;
        builder = builder.tls_certs_merge(certs);
    }
    let mut headers = HeaderMap::new();
    for (name, value) in &settings.headers {
        let name = HeaderName::try_from(name.as_str()).map_err(|_| format!("header {name:?} cannot be sent"))?;
        let mut value = HeaderValue::try_from(value.reveal()).map_err(|_| format!("header {name} cannot be sent"))?;
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    let client = builder.build().map_err(|e| chain(&e))?;
    let client = prometheus_http_query::Client::from(client, url).map_err(|e| format!("url {url}: {e}"))?;
    let token = match (&settings.token_file, &settings.token_env) {
        (Some(path), _) => Some(Token::File(path.clone())),
        (None, Some(name)) => Some(Token::Env(name.clone())),
        (None, None) => None,
    };
    Ok(Way::Direct { client, headers, token })
}

fn is_loopback(url: &str) -> bool {
    reqwest::Url::parse(url).is_ok_and(|url| {
        url.host_str().is_some_and(|host| host == "localhost" || host == "[::1]" || host.starts_with("127."))
    })
}

async fn ask_directly(
    client: &prometheus_http_query::Client,
    headers: &HeaderMap,
    token: Option<&Token>,
    promql: &str,
    range: Option<Range>,
) -> Result<(u16, Vec<u8>), Fault> {
    let mut all = headers.clone();
    if let Some(token) = token {
        let denied = |why: String| Fault::Denied { why: Clean::new(&why) };
        let token = token.read().await.map_err(denied)?;
        let mut value = HeaderValue::try_from(format!("Bearer {}", token.reveal()))
            .map_err(|_| denied("the token cannot be sent as a header".to_owned()))?;
        value.set_sensitive(true);
        all.insert(AUTHORIZATION, value);
    }
    let sent = match range {
        None => {
            let named = all.iter().map(|(name, value)| (name.clone(), value.clone()));
            named.fold(client.query(promql), |query, (name, value)| query.header(name, value)).post_raw().await
        }
        Some(Range { start, end, step }) => {
            let named = all.iter().map(|(name, value)| (name.clone(), value.clone()));
            let query = client.query_range(promql, start, end, step);
            named.fold(query, |query, (name, value)| query.header(name, value)).post_raw().await
        }
    };
    let mut answer = sent.map_err(|e| transport(&e))?;
    let code = answer.status().as_u16();
    let mut body = Vec::new();
    while let Some(piece) = answer.chunk().await.map_err(|e| Fault::unreachable(&chain(&e)))? {
        if body.len() + piece.len() > LONGEST {
            return Err(Fault::WrongQuery { why: Clean::new("the answer is longer than 4 MiB") });
        }
        body.extend_from_slice(&piece);
    }
    Ok((code, body))
}

async fn ask_proxied(
    cluster: &Cluster,
    path: &str,
    promql: &str,
    range: Option<Range>,
) -> Result<(u16, Vec<u8>), Fault> {
    // GET: it needs no more than the right to `get services/proxy`.
    let mut url = reqwest::Url::parse("http://api").map_err(|e| Fault::unreachable(&e.to_string()))?;
    url.query_pairs_mut().append_pair("query", promql);
    let mut endpoint = "query";
    if let Some(Range { start, end, step }) = range {
        endpoint = "query_range";
        for (key, value) in [("start", start.to_string()), ("end", end.to_string()), ("step", step.to_string())] {
            url.query_pairs_mut().append_pair(key, &value);
        }
    }
    let path = format!("{path}{endpoint}?{}", url.query().unwrap_or_default());
    let request = call::request("GET", &path, None, Vec::new()).map_err(|e| Fault::unreachable(&e.to_string()))?;
    let answer = cluster.client().send(request).await.map_err(|e| Fault::unreachable(&chain(&e)))?;
    let code = answer.status().as_u16();
    let body = Limited::new(answer.into_body(), LONGEST)
        .collect()
        .await
        .map_err(|e| Fault::unreachable(&format!("the answer broke off: {e}")))?
        .to_bytes();
    // The API server's own refusals are `Status` objects; Prometheus' answers are passed on as they are.
    let status = CallError::of_answer(http::StatusCode::from_u16(code).unwrap_or_default(), None, &body);
    match status {
        CallError::Status { code: 401 | 403, .. } => {
            Err(Fault::Denied { why: Clean::new(&format!("{status}; it needs the right to get services/proxy")) })
        }
        CallError::Status { .. } => Err(Fault::unreachable(&status.to_string())),
        _ => Ok((code, body.to_vec())),
    }
}

fn transport(error: &prometheus_http_query::Error) -> Fault {
    Fault::unreachable(&chain(error))
}

/// An error with its causes, each said once. An address with a query never stands in one: queries are sent in the body.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
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
