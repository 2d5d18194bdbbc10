//! The box of a plan that was left unfinished: how far it came, and what is left.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::super::Ctx;
use super::super::words::{popup, popup_width};
use super::confirm::audit;
use super::prompt::{self, label, labelled};
use crate::domain::decision::Confirmation;
use crate::tui::resume::Resume;

pub(in crate::tui::view) fn resume(ctx: &Ctx<'_>, resume: &Resume, area: Rect, buffer: &mut Buffer) {
    let theme = ctx.theme;
    let width = popup_width(area);
    let plan = &resume.run.plan;
    let left = resume.run.rest();
    let done = plan.stages.len() - left.len();
    let mut lines = Vec::new();
    labelled(ctx, "plan", &plan.title, width, &mut lines);
    let began = format!("{} ago by {}; its process is gone", ctx.age(resume.run.began), plan.actor.os_user);
    labelled(ctx, "began", &began, width, &mut lines);
    if let Some(reason) = &plan.reason {
        labelled(ctx, "because", reason.as_str(), width, &mut lines);
    }
    if done > 0 {
        lines.push(label(ctx, "done", format!("{done} of {} steps", plan.stages.len())));
    }
    for (n, stage) in left.iter().enumerate() {
        labelled(ctx, &format!("step {}", done + n + 1), &stage.title, width, &mut lines);
        if !ctx.world.targets.contains_key(&stage.target) {
            lines.push(Line::styled(format!("        {} is not there now", stage.target), theme.warn()));
        }
    }
    lines.push(label(ctx, "", "each step is looked at afresh when its turn comes, and recorded".to_owned()));
    audit(ctx, &mut lines);
    lines.push(Line::raw(""));
    if resume.gone {
        lines.push(Line::styled("it is no longer unfinished: somebody went on with it; esc closes", theme.warn()));
    } else {
        let asked = Confirmation::Type { text: resume.typed() };
        prompt::lines(ctx, &resume.prompt, &asked, "go on with it", width, &mut lines);
    }
    let mut title = vec![Span::styled(" go on with a plan ", theme.strong())];
    title.extend(ctx.corner());
    popup(ctx, Line::from(title), &lines, area, buffer);
}
