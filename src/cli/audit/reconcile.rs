//! `audit reconcile`.

use std::process::ExitCode;

use futures::StreamExt as _;
use futures::stream;
use schemars::JsonSchema;
use serde::Serialize;

use super::super::args::{Format, ReconcileArgs};
use super::super::setup::{Ground, not_connected};
use super::super::{dto, output};
use super::broken;
use crate::audit::{Account, AuditLog, Found, Side, reconcile};
use crate::domain::ids::TargetId;
use crate::domain::text::Clean;
use crate::error::{Error, Kind};
use crate::systems::argo_rollouts::history;
use crate::systems::kubernetes::call::CallError;
use crate::systems::kubernetes::client::Cluster;

/// How many targets are read at once.
const AT_ONCE: usize = 8;

/// What this cannot see.
const NOT_SEEN: &str = "of each writer only the last write; a field that was cleared leaves no writer behind; Events are \
                        kept for about an hour by most clusters, and a controller drops them after some dozens on one object";

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::cli) struct ReconciliationDto<'a> {
    api_version: &'static str,
    kind: &'static str,
    context: &'a str,
    since: String,
    /// Whether nothing happened that did not pass here.
    explained: bool,
    targets: Vec<TargetDto<'a>>,
    not_seen: &'static str,
}

#[derive(Serialize, JsonSchema)]
struct TargetDto<'a> {
    target: &'a str,
    unexplained: usize,
    unclear: usize,
    found: &'a [Found],
    unread: &'a [String],
}

pub(super) async fn run(ground: &Ground, log: &AuditLog, args: &ReconcileArgs) -> Result<ExitCode, Error> {
    let records = log.all().map_err(broken)?;
    let key = log.head("", "").map_err(broken)?.map(|(head, _)| head.key()).unwrap_or_default();
    if ground.everywhere().map_err(|e| not_connected(&e))?.len() > 1 {
        return Err(Error::new(Kind::Usage, "reconcile looks at one cluster, and several contexts are named")
            .hint("run it once for each: --context NAME"));
    }
    let cluster = Cluster::connect(&ground.settings).await.map_err(|e| not_connected(&e))?;
    let wanted = wanted(&cluster, &args.targets).await?;
    let read = stream::iter(wanted)
        .map(|target| {
            let cluster = &cluster;
            async move { (target.clone(), history::history(cluster, target).await) }
        })
        .buffered(AT_ONCE)
        .collect::<Vec<_>>()
        .await;
    let mut accounts = Vec::new();
    for (target, history) in read {
        match history {
            Ok(history) => accounts.push(reconcile(&history, &records, &key, args.since)),
            // Deleted since it was listed.
            Err(CallError::Status { code: 404, .. }) => {}
            Err(error) => accounts.push(Account {
                target: target.to_string(),
                found: Vec::new(),
                unread: vec![error.to_string()],
            }),
        }
    }
    report(cluster.context.as_str(), args, &accounts)
}

async fn wanted(cluster: &Cluster, asked: &[String]) -> Result<Vec<TargetId>, Error> {
    let all = history::targets(cluster).await.map_err(|e| {
        Error::new(Kind::Unreachable, format!("the rollouts cannot be listed: {e}"))
            .hint("`flightdeck doctor` checks the connection step by step")
    })?;
    if asked.is_empty() {
        return Ok(all);
    }
    let is = |target: &TargetId, text: &String| target.name == text.as_str() || target.to_string() == *text;
    if let Some(missing) = asked.iter().find(|text| !all.iter().any(|target| is(target, text))) {
        return Err(
            Error::new(Kind::NotFound, format!("there is no rollout {missing}")).hint("`flightdeck status` lists them")
        );
    }
    Ok(all.into_iter().filter(|target| asked.iter().any(|text| is(target, text))).collect())
}

fn report(context: &str, args: &ReconcileArgs, accounts: &[Account]) -> Result<ExitCode, Error> {
    let open = |account: &Account| {
        account.count(Side::Unexplained) + if args.strict { account.count(Side::Unclear) } else { 0 }
    };
    let explained = accounts.iter().all(|account| open(account) == 0);
    let unread = accounts.iter().any(|account| !account.unread.is_empty());
    if args.output == Format::Json {
        output::json(&ReconciliationDto {
            api_version: dto::API_VERSION,
            kind: "AuditReconciliation",
            context,
            since: args.since.to_string(),
            explained,
            targets: accounts
                .iter()
                .map(|account| TargetDto {
                    target: &account.target,
                    unexplained: account.count(Side::Unexplained),
                    unclear: account.count(Side::Unclear),
                    found: &account.found,
                    unread: &account.unread,
                })
                .collect(),
            not_seen: NOT_SEEN,
        })?;
    } else {
        print(context, args, accounts, &open)?;
    }
    Ok(if !explained {
        ExitCode::from(Kind::Failure.code())
    } else if unread {
        ExitCode::from(Kind::Partial.code())
    } else {
        ExitCode::SUCCESS
    })
}

fn print(
    context: &str,
    args: &ReconcileArgs,
    accounts: &[Account],
    open: &dyn Fn(&Account) -> usize,
) -> Result<(), Error> {
    let say = |text: String| output::line(Clean::new(&text).as_str());
    let mut quiet = 0;
    for account in accounts {
        if account.found.is_empty() && account.unread.is_empty() {
            quiet += 1;
            continue;
        }
        say(match open(account) {
            0 => format!("{}: all explained", account.target),
            n => format!("{}: {n} that did not pass here", account.target),
        })?;
        for found in &account.found {
            let at = found.at.map_or_else(|| "time unknown".to_owned(), |at| at.to_string());
            let side = match found.side {
                Side::Recorded => "recorded  ",
                Side::Elsewhere => "elsewhere ",
                Side::Controller => "controller",
                Side::Unclear => "unclear   ",
                Side::Unexplained => "NOT HERE  ",
            };
            say(format!("  {at}  {side}  {}: {} [{}]", found.who, found.what, found.because))?;
        }
        for why in &account.unread {
            say(format!("  not read: {why}"))?;
        }
    }
    if quiet > 0 {
        say(format!("{quiet} of {} rollouts on {context}: nothing since {}", accounts.len(), args.since))?;
    }
    say(format!("not seen: {NOT_SEEN}"))
}
