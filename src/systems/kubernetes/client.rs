//! Clients for one kube context.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use serde::Deserialize;
use tokio::sync::OnceCell;

use super::call::{self, CallError};
use super::claims::Claims;
use super::login::Door;
use super::scope;
use crate::domain::ids::ClusterId;
use crate::domain::text::Clean;

/// How long making a connection may take.
const CONNECT: Duration = Duration::from_secs(3);

/// How long a small read may take.
pub(super) const READ: Duration = Duration::from_secs(5);

/// Where to connect to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConnectSettings {
    /// This kubeconfig instead of `$KUBECONFIG` or the default one.
    pub kubeconfig: Option<PathBuf>,
    /// This context instead of the current one.
    pub context: Option<String>,
    /// Only these namespaces; none = all.
    pub namespaces: Vec<String>,
    /// Where all may not be listed: these, without asking whether they may.
    pub candidates: Vec<String>,
    /// Act as this user (kubectl's `--as`), where the server allows it.
    pub impersonate: Option<String>,
    /// And as a member of these groups.
    pub impersonate_groups: Vec<String>,
}

/// There is nothing to connect to: a matter of configuration, not of reachability.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConnectError {
    /// No kubeconfig where one is looked for.
    #[error("no kubeconfig found ({0})")]
    NoKubeconfig(String),
    /// The kubeconfig cannot be used.
    #[error("kubeconfig, context {context}: {why}")]
    Unusable {
        /// The context asked for.
        context: String,
        /// What is wrong with it.
        why: String,
    },
}

/// One kube context.
pub struct Cluster {
    /// Its name: the label of the cluster.
    pub context: Clean,
    /// The one namespace in view, `None` = several or all.
    pub namespace: Option<String>,
    /// Only these namespaces, none = all.
    pub namespaces: Vec<String>,
    /// Where all may not be listed: these, without asking whether they may.
    pub candidates: Vec<String>,
    /// The namespace that the context names.
    pub home: String,
    /// The address of its API server.
    pub url: String,
    /// Whether the server's certificate is not checked.
    pub insecure: bool,
    client: Client,
    /// Who we are without impersonation is asked by these.
    unmasked: Option<ConnectSettings>,
    id: OnceCell<ClusterId>,
    claims: Arc<Claims>,
    place: usize,
}

/// Reads the kubeconfig; `Err(NoKubeconfig)` when there is none at all.
pub fn read_kubeconfig(settings: &ConnectSettings) -> Result<Kubeconfig, ConnectError> {
    let read = match &settings.kubeconfig {
        Some(path) => Kubeconfig::read_from(path),
        None => Kubeconfig::read(),
    };
    let read = read.map_err(|e| match &e {
        kube::config::KubeconfigError::ReadConfig(io, path) if io.kind() == std::io::ErrorKind::NotFound => {
            ConnectError::NoKubeconfig(path.display().to_string())
        }
        kube::config::KubeconfigError::FindPath => ConnectError::NoKubeconfig("no home directory".to_owned()),
        other => ConnectError::Unusable {
            context: settings.context.clone().unwrap_or_else(|| "(current)".to_owned()),
            why: other.to_string(),
        },
    })?;
    // Where nothing is named and the usual place is empty, kube reads an empty kubeconfig.
    if settings.kubeconfig.is_none() && read.contexts.is_empty() && read.clusters.is_empty() {
        return Err(ConnectError::NoKubeconfig("none of the usual places has one".to_owned()));
    }
    Ok(read)
}

/// The context's name: the one asked for, else the current one.
fn named(settings: &ConnectSettings, kubeconfig: &Kubeconfig) -> String {
    settings.context.clone().or_else(|| kubeconfig.current_context.clone()).unwrap_or_default()
}

fn context_of(settings: &ConnectSettings) -> Result<String, ConnectError> {
    Ok(named(settings, &read_kubeconfig(settings)?))
}

/// The exec plugin that logs in to a context, and what its author says about installing it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecPlugin {
    /// The command, as the kubeconfig names it.
    pub command: String,
    /// `installHint`.
    pub hint: Option<String>,
}

/// The exec plugin that the context asked for needs; `Ok(None)` = none. Runs nothing.
pub fn exec_plugin(settings: &ConnectSettings) -> Result<Option<ExecPlugin>, ConnectError> {
    let kubeconfig = read_kubeconfig(settings)?;
    let context = named(settings, &kubeconfig);
    let user = kubeconfig.contexts.iter().find(|c| c.name == context).and_then(|c| c.context.as_ref()?.user.clone());
    let info = kubeconfig.auth_infos.into_iter().find(|a| Some(&a.name) == user.as_ref()).and_then(|a| a.auth_info);
    let exec = info.and_then(|info| info.exec);
    Ok(exec.and_then(|exec| Some(ExecPlugin { command: exec.command?, hint: exec.install_hint })))
}

/// What the kubeconfig says of a context now, in the way that all our clients use it. Runs no exec plugin.
pub(super) async fn config_of(settings: &ConnectSettings) -> Result<Config, ConnectError> {
    let kubeconfig = read_kubeconfig(settings)?;
    let context = named(settings, &kubeconfig);
    let unusable = |why: String| ConnectError::Unusable { context: context.clone(), why };
    if !kubeconfig.contexts.iter().any(|c| c.name == context) {
        let known: Vec<_> = kubeconfig.contexts.iter().map(|c| c.name.as_str()).collect();
        let known = if known.is_empty() { "it has none".to_owned() } else { format!("it has {}", known.join(", ")) };
        let why = if context.is_empty() { "no current context is set".to_owned() } else { "not there".to_owned() };
        return Err(unusable(format!("{why}; {known}")));
    }
    let options = KubeConfigOptions { context: Some(context.clone()), ..KubeConfigOptions::default() };
    let mut config = Config::from_custom_kubeconfig(kubeconfig, &options).await.map_err(|e| unusable(e.to_string()))?;
    if let Some(user) = &settings.impersonate {
        config.auth_info.impersonate = Some(user.clone());
        config.auth_info.impersonate_groups =
            Some(settings.impersonate_groups.clone()).filter(|groups| !groups.is_empty());
    }
    // kube would send a write again on 429, 503 and 504, minutes later if need be. Reads have our own backoff.
    config.default_retry = false;
    config.connect_timeout = Some(CONNECT);
    // Watches are silent for a minute at a time; the watchdog in `watch` judges silence, every other call has a
    // deadline of its own.
    config.read_timeout = None;
    config.write_timeout = Some(Duration::from_secs(10));
    Ok(config)
}

impl Cluster {
    /// Makes the clients. Nothing is sent: the server need not be up.
    pub async fn connect(settings: &ConnectSettings) -> Result<Self, ConnectError> {
        Self::connect_among(settings, Arc::default(), 0).await
    }

    /// The same for one of several contexts, the `place`th; no two of them show the same cluster.
    pub async fn connect_among(
        settings: &ConnectSettings,
        claims: Arc<Claims>,
        place: usize,
    ) -> Result<Self, ConnectError> {
        let config = config_of(settings).await?;
        let context = context_of(settings)?;
        let unusable = |why: String| ConnectError::Unusable { context: context.clone(), why };
        if let Some(odd) = settings.namespaces.iter().chain(&settings.candidates).find(|n| !scope::is_name(n)) {
            return Err(unusable(format!("`{odd}` is no name of a namespace")));
        }
        let home = config.default_namespace.clone();
        let url = config.cluster_url.to_string();
        let insecure = config.accept_invalid_certs;
        let client = Door::client(settings.clone(), config).map_err(|e| unusable(e.to_string()))?;
        Ok(Self {
            context: Clean::new(&context),
            namespace: if let [one] = settings.namespaces.as_slice() { Some(one.clone()) } else { None },
            namespaces: settings.namespaces.clone(),
            candidates: settings.candidates.clone(),
            home,
            url,
            insecure,
            client,
            unmasked: settings.impersonate.is_some().then(|| ConnectSettings {
                impersonate: None,
                impersonate_groups: Vec::new(),
                ..settings.clone()
            }),
            id: OnceCell::new(),
            claims,
            place,
        })
    }

    /// The client; it never sends anything twice.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Who is behind an impersonated user; `None` = nobody is impersonated.
    pub async fn behind(&self) -> Option<Result<Clean, CallError>> {
        let settings = self.unmasked.as_ref()?;
        Some(match Self::connect(settings).await {
            Ok(cluster) => cluster.who().await,
            Err(e) => Err(CallError::NotConnected { why: Clean::new(&e.to_string()) }),
        })
    }

    /// The cluster's identity: the uid of `kube-system`, or its address where that may not be read.
    pub async fn id(&self) -> Result<ClusterId, CallError> {
        self.id
            .get_or_try_init(|| async {
                #[derive(Deserialize)]
                struct Namespace {
                    metadata: Meta,
                }
                #[derive(Deserialize)]
                struct Meta {
                    uid: Clean,
                }
                match call::get(&self.client, "/api/v1/namespaces/kube-system", READ).await {
                    Ok(body) => match serde_json::from_slice::<Namespace>(&body) {
                        Ok(namespace) => Ok(ClusterId(namespace.metadata.uid)),
                        Err(e) => Err(CallError::Foreign { code: 200, said: Clean::new(&e.to_string()) }),
                    },
                    Err(e) if matches!(e.code(), Some(403 | 404)) => {
                        Ok(ClusterId(Clean::new(&format!("url:{}", self.url))))
                    }
                    Err(e) => Err(e),
                }
            })
            .await
            .cloned()
    }

    /// The path of a namespaced resource under `base` (`/apis/…` or `/api/v1`): in the one namespace in view, or in all.
    pub fn scope(&self, base: &str, plural: &str) -> String {
        match &self.namespace {
            Some(namespace) => format!("{base}/namespaces/{namespace}/{plural}"),
            None => format!("{base}/{plural}"),
        }
    }

    /// Claims the cluster for this context; `Err` names the context that shows it already.
    pub async fn claim(&self, id: &ClusterId) -> Result<(), Clean> {
        let names = [id.0.clone(), Clean::new(&format!("url:{}", self.url))];
        self.claims.claim(&names, self.place, &self.context).await
    }

    /// The cluster cannot be told yet: no other context need wait for this one.
    pub fn unclaimed(&self) {
        self.claims.failed(self.place);
    }

    /// The server's version, e.g. `v1.34.4`.
    pub async fn version(&self) -> Result<Clean, CallError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Version {
            git_version: Clean,
        }
        let body = call::get(&self.client, "/version", READ).await?;
        serde_json::from_slice::<Version>(&body)
            .map(|v| v.git_version)
            .map_err(|e| CallError::Foreign { code: 200, said: Clean::new(&e.to_string()) })
    }

    /// How far the server's clock is ahead of ours; good to about a second. `None` = it does not tell.
    pub async fn ahead(&self) -> Result<Option<SignedDuration>, CallError> {
        let sent = Timestamp::now();
        let (_, date) = call::get_dated(&self.client, "/version", READ).await?;
        let waited = Timestamp::now().duration_since(sent);
        // The header is cut to whole seconds: the middle of its second against the middle of the wait.
        Ok(date.map(|date| date.duration_since(sent) + SignedDuration::from_millis(500) - waited / 2))
    }

    /// Whether the API server serves `resource` of the group and version at `base`.
    pub async fn serves(&self, base: &str, resource: &str) -> Result<bool, CallError> {
        #[derive(Deserialize)]
        struct Resources {
            #[serde(default)]
            resources: Vec<Resource>,
        }
        #[derive(Deserialize)]
        struct Resource {
            name: Clean,
        }
        match call::get(&self.client, base, READ).await {
            Ok(body) => serde_json::from_slice::<Resources>(&body)
                .map(|list| list.resources.iter().any(|r| r.name == resource))
                .map_err(|e| CallError::Foreign { code: 200, said: Clean::new(&e.to_string()) }),
            Err(e) if e.code() == Some(404) => Ok(false),
            Err(e) => Err(e),
        }
    }
}
