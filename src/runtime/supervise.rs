//! Keeps the links' tasks alive: a crash is shown on the link and the task is started again.

use std::time::Duration;

use jiff::Timestamp;
use tokio::task::JoinSet;

use crate::domain::link::LinkState;
use crate::domain::observation::{Arrived, Observation};
use crate::domain::text::Clean;
use crate::systems::{LinkTask, Observations, Wants};

/// The first wait after a crash; doubles up to [`LONGEST`].
const SHORTEST: Duration = Duration::from_secs(1);

/// The longest wait after a crash.
const LONGEST: Duration = Duration::from_mins(1);

/// Spawns every link's task under supervision; the set ends them when it is dropped.
pub(super) fn spawn(links: Vec<LinkTask>, observations: &Observations, wants: &Wants) -> JoinSet<()> {
    let mut set = JoinSet::new();
    for link in links {
        set.spawn(keep_alive(link, observations.clone(), wants.clone()));
    }
    set
}

async fn keep_alive(link: LinkTask, observations: Observations, wants: Wants) {
    let mut wait = SHORTEST;
    let mut tries = 0;
    loop {
        // In a set of its own, so that the task ends with its supervisor.
        let mut task = JoinSet::new();
        task.spawn((link.start)(observations.clone(), wants.clone()));
        let ended = task.join_next().await;
        if observations.is_closed() {
            return;
        }
        tries += 1;
        let why = match ended {
            Some(Err(crash)) => {
                tracing::error!(link = %link.id, %crash, "a link's task crashed");
                "its task crashed; this is a bug (the log file says where)"
            }
            _ => "its task ended; this is a bug",
        };
        let now = Timestamp::now();
        let until = now.checked_add(wait).unwrap_or(now);
        let state = LinkState::Backoff { why: Clean::new(why), tries, until };
        let said = Arrived { at: now, what: Observation::Link { id: link.id.clone(), state } };
        if observations.send(said).await.is_err() {
            return;
        }
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(LONGEST);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use tokio::sync::{mpsc, watch};

    use super::*;
    use crate::domain::link::LinkId;

    #[tokio::test(start_paused = true)]
    async fn a_crashed_link_says_so_and_starts_again() {
        let starts = Arc::new(AtomicU32::new(0));
        let counted = starts.clone();
        let link = LinkTask {
            id: LinkId::new(&"c".into(), "rollouts"),
            start: Box::new(move |_, _| {
                let nth = counted.fetch_add(1, Ordering::SeqCst);
                Box::pin(async move {
                    assert!(nth != 0, "the first run crashes");
                    std::future::pending::<()>().await;
                })
            }),
        };
        let (observations, mut said) = mpsc::channel(4);
        let (_focus, focus) = watch::channel(None);
        let (_interest, interest) = watch::channel(Arc::default());
        let (_judge, judgement) = watch::channel(Arc::default());
        let _set = spawn(vec![link], &observations, &Wants { focus, interest, judgement });
        let first = said.recv().await.expect("a link state");
        assert!(matches!(first.what, Observation::Link { state: LinkState::Backoff { tries: 1, .. }, .. }));
        tokio::time::timeout(Duration::from_secs(5), async {
            while starts.load(Ordering::SeqCst) < 2 {
                tokio::task::yield_now().await;
                tokio::time::advance(Duration::from_millis(100)).await;
            }
        })
        .await
        .expect("started again");
    }
}
