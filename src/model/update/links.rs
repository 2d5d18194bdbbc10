//! What is known of the links, and of the servers behind them.

use jiff::Timestamp;

use crate::domain::link::{Link, LinkId, LinkState};
use crate::model::index::State;
use crate::model::query::{FOCUS, lists};

/// Takes in how a link stands; true when that is news.
pub(super) fn set_link(state: &mut State, id: LinkId, link: LinkState, at: Timestamp) -> bool {
    let live = link.is_live();
    let old = state.world.links.get(&id).cloned();
    let link = match link {
        // Who begins to ask in the silence has heard nothing yet: the silence began before.
        LinkState::Stale { since } if id.what == FOCUS => {
            LinkState::Stale { since: last_heard(state, &id).map_or(since, |heard| heard.min(since)) }
        }
        link => link,
    };
    let new = Link {
        heard: if live { Some(at) } else { old.as_ref().and_then(|l| l.heard) },
        listed: live || old.as_ref().is_some_and(|l| l.listed),
        state: link,
        notice: old.as_ref().map(|l| l.notice.clone()).unwrap_or_default(),
        id: id.clone(),
    };
    let changed = old.as_ref() != Some(&new);
    state.world.links.insert(id, new);
    changed
}

/// When anything was last heard of a context's API server.
fn last_heard(state: &State, id: &LinkId) -> Option<Timestamp> {
    let links = state.world.links.values().filter(|l| l.id.context == id.context && l.id.what != "prometheus");
    links.filter_map(|link| link.heard).max()
}

/// Takes in whether a server answers; true when that is news. That the focus is let go of says nothing of it.
pub(super) fn unanswered(state: &mut State, id: &LinkId, link: &LinkState) -> bool {
    let silent = &mut state.world.unanswered;
    match link {
        LinkState::Stale { .. } if id.what == FOCUS => silent.insert(id.context.clone()).is_none(),
        LinkState::Live if lists(id) => silent.remove(&id.context).is_some(),
        _ => false,
    }
}

/// Something was heard by a link.
pub(super) fn heard(state: &mut State, id: &LinkId, at: Timestamp, listed: bool) {
    if id.what != "prometheus" {
        state.world.unanswered.remove(&id.context);
    }
    if let Some(link) = state.world.links.get_mut(id) {
        link.heard = Some(at);
        link.listed |= listed;
    }
}
