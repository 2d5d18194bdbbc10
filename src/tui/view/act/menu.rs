//! The act menu: every act with its letter, what it leads to, and why it cannot where it cannot.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::super::Ctx;
use super::super::words::{count, fit, popup, popup_width, wrap};
use super::title;
use crate::actions::{Action, Needs, TABLE};
use crate::domain::decision::Decision;
use crate::domain::ids::ActId;
use crate::domain::intent::{Actor, Confirmed, Intent, Params};
use crate::domain::seen::Seen;
use crate::domain::text::Clean;
use crate::model::Target;
use crate::model::{query, rollback};
use crate::policy;
use crate::tui::form::revisions;
use crate::tui::rollback::HELP;
use crate::tui::state::{Popup, State};

/// Letter and verb.
const HEAD: usize = 17;

pub(in crate::tui::view) fn menu(ctx: &Ctx<'_>, state: &mut State, area: Rect, buffer: &mut Buffer) {
    let width = popup_width(area);
    let room = usize::from(area.height).saturating_sub(2);
    let group = state.acts_on_group();
    let (title, blocks) = if group {
        (group_title(ctx, state), group_blocks(ctx, state, width))
    } else {
        let Some(target) = state.selected.as_ref().and_then(|id| ctx.world.targets.get(id)) else {
            popup(ctx, Line::raw(" gone "), &[Line::raw("It is no longer there.")], area, buffer);
            return;
        };
        (title(ctx, "act on", target), blocks(ctx, target, width))
    };
    // The help of each act gives way where there is no room for it.
    let foot = 2;
    let with_help: usize = blocks.iter().map(|(lines, _)| lines.len() + 1).sum();
    let help = with_help + foot <= room;
    let mut lines: Vec<Line<'static>> = Vec::new();
    for (block, about) in blocks {
        lines.extend(block);
        if help {
            lines.push(Line::styled(format!("   {about}"), ctx.theme.dim()));
        }
    }
    let fits = lines.len() < room;
    let Some(Popup::Menu(scroll)) = &mut state.popup else { return };
    let shown = if fits {
        *scroll = 0;
        lines
    } else {
        *scroll = (*scroll).min(lines.len().saturating_sub(room.saturating_sub(1)));
        lines.into_iter().skip(*scroll).take(room.saturating_sub(1)).collect()
    };
    let mut shown = shown;
    if fits && shown.len() + foot <= room {
        shown.push(Line::raw(""));
    }
    let more = if fits { "" } else { "↓ ↑ more acts; " };
    let mut foot = format!("{more}a letter opens the confirmation; esc closes");
    if foot.chars().count() > width {
        foot = format!("{more}a letter goes on; esc closes");
    }
    shown.push(Line::styled(foot, ctx.theme.dim()));
    popup(ctx, title, &shown, area, buffer);
}

type Block = (Vec<Line<'static>>, &'static str);

fn blocks(ctx: &Ctx<'_>, target: &Target, width: usize) -> Vec<Block> {
    let mut blocks: Vec<Block> = TABLE.iter().map(|action| (one(ctx, target, action, width), action.help)).collect();
    let lines = match rollback::plan(target, None, ctx.now) {
        Ok(plan) => can(ctx, 'r', "roll back …", &format!("{}: {}", plan.goal.word(), plan.way), width),
        Err(why) if target.sets.len() > 1 && !target.rollout.deleting => can(ctx, 'r', "roll back …", &why, width),
        Err(why) => cannot(ctx, 'r', "roll back …", &why, width),
    };
    blocks.insert(beside_abort(), (lines, HELP));
    blocks
}

/// Where the rollback stands: beside the abort, for both are for when it goes wrong.
fn beside_abort() -> usize {
    TABLE.iter().position(|a| a.id == crate::domain::intent::ActionId::Abort).map_or(0, |at| at + 1)
}

fn one(ctx: &Ctx<'_>, target: &Target, action: &Action, width: usize) -> Vec<Line<'static>> {
    let sight = target.sight();
    if let Err(why) = (action.applies)(&sight, &Params::None) {
        return cannot(ctx, action.key, action.verb, &why, width);
    }
    if let Some(why) = refused(ctx, target, action) {
        return cannot(ctx, action.key, action.verb, &why, width);
    }
    let mut leads = (action.consequence)(&sight, &Params::None).text;
    if leads.is_empty() {
        action.help.clone_into(&mut leads);
    }
    if matches!(action.needs, Needs::Image | Needs::Revision) {
        leads = match action.needs {
            Needs::Image => "asks for container and image".to_owned(),
            _ => match revisions(action.id, target).map_or(0, |list| list.all.len()) {
                1 => "asks for the revision: there is one to choose".to_owned(),
                several => format!("asks which of {several} revisions"),
            },
        };
    }
    let chord = if action.id == crate::domain::intent::ActionId::Abort { "   also ^K" } else { "" };
    let mut lines = can(ctx, action.key, action.verb, &format!("{leads}{chord}"), width);
    let permissions = ctx.world.permissions.get(&(target.context.clone(), target.rollout.id.namespace.clone()));
    let rights = (action.rights)(&sight);
    for right in rights.into_iter().filter(|right| permissions.is_some_and(|p| p.has(*right) == Some(false))) {
        let text = format!("{}! the server says you may not {}", " ".repeat(HEAD), right.words());
        lines.push(Line::styled(text, ctx.theme.warn()));
    }
    lines
}

/// Why the policy would say no, whatever is chosen and typed.
fn refused(ctx: &Ctx<'_>, target: &Target, action: &Action) -> Option<String> {
    let intent = Intent {
        act: ActId(String::new()),
        action: action.id,
        params: Params::None,
        plan: None,
        target: target.id().clone(),
        context: target.context.clone(),
        seen: Seen::of(&target.rollout, ctx.now),
        actor: Actor { os_user: Clean::default(), kube_user: None, face: "tui" },
        reason: Some(Clean::from("to be typed")),
        confirmed: Confirmed::No,
    };
    let facts = query::facts(ctx.world, target, &target.rollout, action.id, &Params::None, None);
    match policy::decide(&intent, &facts, ctx.mandate, ctx.now) {
        Decision::Deny { rule, why, .. } => Some(format!("{why} ({rule})")),
        Decision::Allow | Decision::Confirm(_) => None,
    }
}

fn can(ctx: &Ctx<'_>, key: char, verb: &str, leads: &str, width: usize) -> Vec<Line<'static>> {
    let lines = wrap(leads, width.saturating_sub(HEAD + 2));
    lines
        .into_iter()
        .enumerate()
        .map(|(n, text)| {
            let head = if n == 0 {
                vec![
                    Span::styled(format!("{key}  "), ctx.theme.key()),
                    Span::styled(fit(verb, HEAD - 3), ctx.theme.strong()),
                    Span::raw("→ "),
                ]
            } else {
                vec![Span::raw(" ".repeat(HEAD + 2))]
            };
            Line::from([head, vec![Span::raw(text)]].concat())
        })
        .collect()
}

fn cannot(ctx: &Ctx<'_>, key: char, verb: &str, why: &str, width: usize) -> Vec<Line<'static>> {
    let lines = wrap(why, width.saturating_sub(HEAD + 2));
    let head = format!("{key}  {}✗ ", fit(verb, HEAD - 3));
    lines
        .into_iter()
        .enumerate()
        .map(|(n, text)| {
            let head = if n == 0 { head.clone() } else { " ".repeat(HEAD + 2) };
            Line::styled(format!("{head}{text}"), ctx.theme.dim())
        })
        .collect()
}

fn group_title(ctx: &Ctx<'_>, state: &State) -> Line<'static> {
    let targets = state.group();
    let mut tiers: Vec<&'static str> =
        targets.iter().filter_map(|id| ctx.world.targets.get(id)).map(|t| t.environment.badge()).collect();
    tiers.sort_unstable();
    tiers.dedup();
    let style = if tiers.iter().any(|badge| badge.starts_with("PROD")) {
        ctx.theme.tier(crate::domain::environment::Tier::Production)
    } else {
        Style::new()
    };
    let what = format!(" act on {} ", count(targets.len(), "marked target"));
    let mut title = vec![Span::styled(what, ctx.theme.strong())];
    title.extend(ctx.corner());
    title.extend([Span::styled(format!(" {} ", tiers.join(" ")), style), Span::raw(" ")]);
    Line::from(title)
}

fn group_blocks(ctx: &Ctx<'_>, state: &State, width: usize) -> Vec<Block> {
    let ids = state.group();
    let targets: Vec<&Target> = ids.iter().filter_map(|id| ctx.world.targets.get(id)).map(AsRef::as_ref).collect();
    let block = |key, verb: &str, help, fit: usize, single: bool| {
        let lines = if single {
            cannot(ctx, key, verb, "on one target at a time", width)
        } else if fit == 0 {
            cannot(ctx, key, verb, "none of them", width)
        } else {
            can(ctx, key, verb, &format!("{fit} of {}", targets.len()), width)
        };
        (lines, help)
    };
    let mut blocks: Vec<Block> = TABLE
        .iter()
        .map(|action| {
            let fit = targets.iter().filter(|t| (action.applies)(&t.sight(), &Params::None).is_ok()).count();
            let single = action.needs == Needs::Image || action.id == crate::domain::intent::ActionId::Undo;
            block(action.key, action.verb, action.help, fit, single)
        })
        .collect();
    let back = targets.iter().filter(|target| rollback::plan(target, None, ctx.now).is_ok()).count();
    let back = block('r', "roll back …", "each to its last good version, where that is proven", back, false);
    blocks.insert(beside_abort(), back);
    blocks
}
