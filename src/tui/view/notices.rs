//! What a person should know before they look at anything else: one line each, above the board.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::Ctx;
use super::words::{Put as _, count, fit};
use crate::domain::plan::StageState;
use crate::tui::keys::Command;

/// The most lines above the board; the links screen has them all.
const MOST: usize = 3;

/// From so many milliseconds on a clock is said to be wrong: ages and countdowns rest on it.
const SKEW: i64 = 2000;

/// Everything there is to say, most urgent first.
pub(super) fn all(ctx: &Ctx<'_>) -> Vec<String> {
    let world = ctx.world;
    let mut said: Vec<String> = world.configuration.iter().map(ToString::to_string).collect();
    for run in ctx.left_unfinished(None) {
        said.push(format!("left unfinished: {}; {} goes on with it", run.plan.title, ctx.key(Command::GoOn)));
    }
    for run in world.plans.iter().filter(|run| run.running()) {
        let over = run.stages.iter().filter(|stage| matches!(stage, StageState::Ended { .. })).count();
        let (steps, key) = (run.stages.len(), ctx.key(Command::Plan));
        said.push(format!("under way: {}, {over} of {steps} steps over; {key} shows it", run.plan.title));
    }
    if world.audit.late > 0 {
        let late = usize::try_from(world.audit.late).unwrap_or(usize::MAX);
        said.push(format!(
            "{} of acts not yet in the audit log: written as soon as it takes them",
            count(late, "record")
        ));
    }
    for (context, ahead) in &world.clocks {
        if ahead.abs() >= SKEW {
            let way = if *ahead > 0 { "ahead of" } else { "behind" };
            said.push(format!(
                "the clock of {context} is {} s {way} ours: ages and countdowns are off by that",
                ahead.abs() / 1000
            ));
        }
    }
    said.extend(
        world.links.values().filter(|link| !link.notice.is_empty()).map(|link| format!("{}: {}", link.id, link.notice)),
    );
    said
}

/// Draws them at the top of `area` and returns what is left of it.
pub(super) fn paint(ctx: &Ctx<'_>, area: Rect, buffer: &mut Buffer) -> Rect {
    let said = all(ctx);
    let room = MOST.min(usize::from(area.height) / 5);
    let shown = said.len().min(room);
    for (n, (y, text)) in (area.y..).zip(said.iter().take(shown)).enumerate() {
        let more = if n + 1 == shown && said.len() > shown {
            format!("  and {} more, {}", said.len() - shown, ctx.key(Command::Links))
        } else {
            String::new()
        };
        let width = usize::from(area.width).saturating_sub(3 + more.len());
        let line = Line::from(vec![
            Span::styled(" ! ", ctx.theme.warn().patch(ctx.theme.strong())),
            Span::styled(fit(text, width), ctx.theme.warn()),
            Span::styled(more, ctx.theme.dim()),
        ]);
        line.put(ctx, Rect { y, height: 1, ..area }, buffer);
    }
    let high = u16::try_from(shown).unwrap_or(0);
    Rect { y: area.y + high, height: area.height - high, ..area }
}
