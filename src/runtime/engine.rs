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
    loop {
        let next = tokio::select! {
            biased;
            Some(event) = events.recv() => event,
            Some(arrived) = observations.recv() => Event::Observed(arrived),
            else => break,
        };
        let mut dirty = update(&mut state, next);
        dirty |= drain(&mut state, &mut observations, &mut events);
        if !dirty {
            continue;
        }
        // Nobody sees more before it is due: what comes until then waits in the queues and wakes nobody up.
        if published.elapsed() < FRAME {
            tokio::time::sleep_until(published + FRAME).await;
            drain(&mut state, &mut observations, &mut events);
        }
        state.world.version += 1;
        world.send_replace(Arc::new(state.world.clone()));
        published = Instant::now();
    }
}

/// Takes in what waits, up to a burst; true when a face could see the difference.
fn drain(state: &mut State, observations: &mut mpsc::Receiver<Arrived>, events: &mut mpsc::Receiver<Event>) -> bool {
    let mut dirty = false;
    for _ in 0..BURST {
        let event = match events.try_recv() {
            Ok(event) => event,
            Err(_) => match observations.try_recv() {
                Ok(arrived) => Event::Observed(arrived),
                Err(_) => break,
            },
        };
        dirty |= update(state, event);
    }
    dirty
}
