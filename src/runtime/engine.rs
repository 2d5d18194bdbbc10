//! The one owner of the world.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use crate::domain::observation::Arrived;
use crate::model::{Event, State, World, update};

/// Snapshots are published at most this often; the first change after quiet goes out at once.
const FRAME: Duration = Duration::from_millis(16);

/// How many events are taken in before a snapshot is due in any case.
const BURST: usize = 4096;

/// Merges what systems and control say into one order, applies it, and publishes snapshots. Ends when both queues
/// are closed.
pub async fn run(
    mut state: State,
    mut observations: mpsc::Receiver<Arrived>,
    mut events: mpsc::Receiver<Event>,
    world: watch::Sender<Arc<World>>,
) {
    let mut published = Instant::now().checked_sub(FRAME).unwrap_or_else(Instant::now);
    let mut dirty = false;
    loop {
        let next = tokio::select! {
            biased;
            () = tokio::time::sleep_until(published + FRAME), if dirty => None,
            Some(event) = events.recv() => Some(event),
            Some(arrived) = observations.recv() => Some(Event::Observed(arrived)),
            else => break,
        };
        if let Some(event) = next {
            dirty |= update(&mut state, event);
            for _ in 0..BURST {
                let event = match (events.try_recv(), observations.is_empty()) {
                    (Ok(event), _) => event,
                    (Err(_), false) => match observations.try_recv() {
                        Ok(arrived) => Event::Observed(arrived),
                        Err(_) => break,
                    },
                    (Err(_), true) => break,
                };
                dirty |= update(&mut state, event);
            }
        }
        if dirty && published.elapsed() >= FRAME {
            state.world.version += 1;
            world.send_replace(Arc::new(state.world.clone()));
            published = Instant::now();
            dirty = false;
        }
    }
    if dirty {
        state.world.version += 1;
        world.send_replace(Arc::new(state.world.clone()));
    }
}
