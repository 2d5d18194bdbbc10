//! A window that is too small: how large it must be, and the one line that matters most.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::Ctx;
use super::why::why;
use super::words::{Put as _, name, wrap};
use crate::model::Target;
use crate::model::query::{Band, complete, link_of_target, lists, rank};
use crate::tui::SMALLEST;
use crate::tui::state::State;

pub(super) fn paint(ctx: &Ctx<'_>, state: &State, area: Rect, buffer: &mut Buffer) {
    let width = usize::from(area.width);
    let mut lines: Vec<Line<'static>> = Vec::new();
    // What needs somebody comes before what the window needs.
    for text in wrap(&worst(ctx), width) {
        lines.push(Line::styled(text, ctx.theme.strong()));
    }
    for text in state.notice.iter().flat_map(|notice| wrap(notice, width)) {
        lines.push(Line::styled(text, ctx.theme.warn()));
    }
    let (columns, rows) = SMALLEST;
    let need = format!("this is {}x{}; keys are off until it is {columns}x{rows}", area.width, area.height);
    let need = if width < 24 { format!("needs {columns}x{rows}") } else { need };
    let said: Vec<Line<'static>> =
        wrap(&need, width).into_iter().map(|text| Line::styled(text, ctx.theme.dim())).collect();
    let room = usize::from(area.height);
    if lines.len() + said.len() > room {
        lines.truncate(room.saturating_sub(said.len()).max(1));
    }
    for (y, line) in (area.y..area.bottom()).zip(lines.into_iter().chain(said)) {
        line.put(ctx, Rect { y, height: 1, ..area }, buffer);
    }
}

/// The most urgent target and how it stands, or that nothing needs anybody.
fn worst(ctx: &Ctx<'_>) -> String {
    let world = ctx.world;
    let urgent: Option<&std::sync::Arc<Target>> = world.targets.values().min_by_key(|t| rank(t, ctx.now));
    match urgent.filter(|target| rank(target, ctx.now).0 == Band::NeedsYou) {
        Some(target) => {
            let link = link_of_target(world, target);
            format!("{}: {}", name(world, target.id()), why(ctx, target, &link, 0))
        }
        None if !complete(world) => "not all was read yet".to_owned(),
        None if world.links.values().filter(|link| lists(&link.id)).all(|link| link.state.is_live()) => {
            "nothing needs you".to_owned()
        }
        None => "nothing was seen to need you; not live".to_owned(),
    }
}
