//! Who we are to the API server, and how that is renewed: before a credential expires, and after the server said 401.
//!
//! kube's own client runs an exec plugin when it is made (which blocks, and gives it our terminal) and again only for
//! tokens that say when they expire. So a client of our own stands in front: it makes kube's client when it is needed,
//! and makes it anew, from the kubeconfig as it is then, when its credential is spent.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::{Request, Response, StatusCode};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::ByteString;
use kube::client::Body;
use kube::config::{AuthInfo, ExecConfig};
use kube::{Client, Config};
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::client::{ConnectError, ConnectSettings, config_of};
use super::plugin::{self, Credential};

/// A credential is renewed so long before it expires.
const BEFORE: SignedDuration = SignedDuration::from_secs(60);

/// After a login that failed, or that the server did not accept, the next one waits so long.
const AGAIN: Duration = Duration::from_secs(10);

/// There is no login: nothing was sent.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct LoginError(pub String);

/// kube's client with the credential that it uses.
struct Open {
    client: Client,
    expires: Option<Timestamp>,
    /// Whether the server accepted the credential at least once.
    accepted: AtomicBool,
    /// Whether it said that it does not, or no longer.
    spent: AtomicBool,
    made: Instant,
}

#[derive(Default)]
struct State {
    open: Option<Arc<Open>>,
    /// A plugin that runs. It outlives the request that asked for it: a person may be busy in a browser.
    running: Option<JoinHandle<Result<Credential, String>>>,
    failed: Option<(Instant, LoginError)>,
}

/// The door to one context's API server.
pub(super) struct Door {
    settings: ConnectSettings,
    /// The address at the start: what leads elsewhere later is another cluster.
    url: String,
    state: Mutex<State>,
}

impl Door {
    /// Makes the client that stands in front. Runs no plugin yet.
    pub(super) fn client(settings: ConnectSettings, config: Config) -> Result<Client, kube::Error> {
        let namespace = config.default_namespace.clone();
        let url = config.cluster_url.to_string();
        let mut state = State::default();
        if config.auth_info.exec.is_none() {
            // What is wrong with it is said at once.
            state.open = Some(Arc::new(Open::new(Client::try_from(config)?, None)));
        }
        let door = Arc::new(Self { settings, url, state: Mutex::new(state) });
        let service = tower::service_fn(move |request: Request<Body>| {
            let door = door.clone();
            async move { door.send(request).await }
        });
        Ok(Client::new(service, namespace))
    }

    async fn send(&self, request: Request<Body>) -> Result<Response<Body>, tower::BoxError> {
        let open = self.open().await?;
        let answer = open.client.send(request).await?;
        if answer.status() == StatusCode::UNAUTHORIZED {
            open.spent.store(true, Ordering::Relaxed);
        } else {
            open.accepted.store(true, Ordering::Relaxed);
        }
        Ok(answer)
    }

    /// The client to use now; logs in where that is needed.
    async fn open(&self) -> Result<Arc<Open>, LoginError> {
        let mut state = self.state.lock().await;
        if let Some(open) = state.open.as_ref().filter(|open| open.usable()) {
            return Ok(open.clone());
        }
        if let Some((at, error)) = &state.failed
            && at.elapsed() < AGAIN
        {
            return Err(error.clone());
        }
        match self.login(&mut state).await {
            Ok(open) => {
                let open = Arc::new(open);
                state.open = Some(open.clone());
                state.failed = None;
                Ok(open)
            }
            Err(why) => {
                let error = LoginError(why);
                state.failed = Some((Instant::now(), error.clone()));
                Err(error)
            }
        }
    }

    /// Reads the kubeconfig as it is now: a person may have logged in outside.
    async fn login(&self, state: &mut State) -> Result<Open, String> {
        let mut config = config_of(&self.settings).await.map_err(|e: ConnectError| e.to_string())?;
        if config.cluster_url.to_string() != self.url {
            return Err("the kubeconfig's context leads to another server now; start again".to_owned());
        }
        let mut expires = None;
        if let Some(exec) = config.auth_info.exec.take() {
            let credential = run(state, exec).await?;
            expires = credential.expires;
            carry(&mut config.auth_info, credential)?;
        }
        let client = Client::try_from(config).map_err(|e| e.to_string())?;
        Ok(Open::new(client, expires))
    }
}

/// Runs the plugin off the runtime's threads. When the asker goes away it runs on, and the next one gets its answer.
async fn run(state: &mut State, exec: ExecConfig) -> Result<Credential, String> {
    let running = state.running.get_or_insert_with(|| tokio::task::spawn_blocking(move || plugin::run(&exec)));
    let done = running.await;
    state.running = None;
    done.map_err(|e| format!("the exec plugin's task ended: {e}"))?
}

/// Puts what the plugin gave where kube's client looks for it.
fn carry(auth: &mut AuthInfo, credential: Credential) -> Result<(), String> {
    auth.token = credential.token.map(Into::into);
    if let Some((certificate, key)) = credential.certificate {
        // As it stands in a kubeconfig: base64.
        let encoded = |pem: String| match serde_json::to_value(ByteString(pem.into_bytes())) {
            Ok(serde_json::Value::String(text)) => Ok(text),
            _ => Err("the exec plugin's certificate cannot be used".to_owned()),
        };
        auth.client_certificate_data = Some(encoded(certificate)?);
        auth.client_key_data = Some(encoded(key)?.into());
    }
    Ok(())
}

impl Open {
    fn new(client: Client, expires: Option<Timestamp>) -> Self {
        let (accepted, spent) = (AtomicBool::new(false), AtomicBool::new(false));
        Self { client, expires, accepted, spent, made: Instant::now() }
    }

    fn usable(&self) -> bool {
        if self.expires.is_some_and(|at| Timestamp::now() + BEFORE >= at) && self.made.elapsed() > AGAIN {
            return false;
        }
        // What was never accepted is not asked for over and over.
        let rest = self.accepted.load(Ordering::Relaxed) || self.made.elapsed() >= AGAIN;
        !(self.spent.load(Ordering::Relaxed) && rest)
    }
}
