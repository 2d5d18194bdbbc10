//! Help, from the tables of keys and acts.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::words::{fit, wrap};
use super::{Ctx, scrolled};
use crate::actions::TABLE as ACTS;
use crate::model::filter::KEYS as FILTER;
use crate::tui::keys::{Command, PARTS};
use crate::tui::state::State;

const SIGNS: &[(&str, &str)] = &[
    ("■□", "steps that are over, and to come; the number is the step it stands on"),
    ("‖", "paused"),
    ("✓  ✗", "done, ready; failed, cannot, or not well"),
    ("▸  ○", "under way; still to come, or connecting"),
    ("●", "live: all was read and is watched"),
    (" 9 % (  5 %)", "the canary's actual traffic, in brackets what is wanted where that differs"),
    ("◆", "marked for an act on several targets"),
    ("OVER  over?", "the error rate is over its limit; it may be"),
    ("10s old", "how old the newest sample of an error rate is, where there is room; below ten seconds nothing"),
    (" 9 % old", "the traffic as it was when the connection was last heard: not of now"),
    ("[stale 1m]", "nothing was heard of it for so long; [down 1m]: its connection is broken since then"),
    ("OLD 2m", "an error rate that was read so long ago: not of now"),
    ("AGE", "for how long a target has stood as it does"),
    ("to all", "the steps are over, the rest of the traffic is on its way"),
    ("thin", "too few requests to judge an error rate by"),
    ("▁▂▅█", "CURVE: the curve of the error rate over the last minutes; the newest is on the right"),
    ("baking", "the new version has all traffic, and is watched a while longer"),
    ("0.42 % ?", "not enough data to say whether it is over its limit"),
    ("PROD?", "no rule of the configuration names this environment: it counts as production"),
    ("–  ?", "there is none; not known"),
];

const MOUSE: &[(&str, &str)] = &[
    ("click", "puts the cursor there; once more opens the row; never acts"),
    ("wheel", "scrolls what is under it"),
    ("Shift+drag", "selects text, as the terminal does by itself"),
];

pub(super) fn paint(ctx: &Ctx<'_>, state: &mut State, area: Rect, buffer: &mut Buffer) {
    let theme = ctx.theme;
    let width = usize::from(area.width).saturating_sub(20);
    let mut lines = vec![Line::styled(" keys: a bare key only looks", theme.strong())];
    let mut said: Vec<&str> = Vec::new();
    for (part, places) in PARTS {
        let here = lines.len();
        for bound in ctx.keys.rows().filter(|bound| bound.row.places.iter().any(|place| places.contains(place))) {
            let help = bound.row.help;
            if !help.is_empty() && !said.contains(&help) {
                said.push(help);
                for (n, text) in wrap(help, width).into_iter().enumerate() {
                    let label = if n == 0 { bound.label.as_ref() } else { "" };
                    lines.push(Line::from(vec![
                        Span::styled(format!("   {}", fit(label, 14)), theme.key()),
                        Span::raw(text),
                    ]));
                }
            }
        }
        if lines.len() > here {
            lines.insert(here, Line::styled(format!("  {part}"), theme.dim()));
        }
    }
    lines.push(Line::styled("  the mouse looks, too; `ui.mouse = false` or --no-mouse leaves it alone", theme.dim()));
    for (what, does) in MOUSE {
        lines.push(Line::from(vec![Span::styled(format!("   {}", fit(what, 14)), theme.key()), Span::raw(*does)]));
    }
    lines.push(Line::raw(""));
    let act = ctx.key(Command::Act);
    lines.push(Line::styled(format!(" acts: {act}, then the letter, then the confirmation"), theme.strong()));
    // The rollback is a plan made of acts, and stands among them in the menu.
    let plan = std::iter::once(('r', "rollback", crate::tui::rollback::HELP));
    for (key, verb, help) in ACTS.iter().map(|action| (action.key, action.verb, action.help)).chain(plan) {
        for (n, text) in wrap(help, width).into_iter().enumerate() {
            let (key, word) = if n == 0 { (key, verb) } else { (' ', "") };
            lines.push(Line::from(vec![
                Span::styled(format!("   {key}  "), theme.key()),
                Span::styled(fit(word, 13), theme.strong()),
                Span::raw(text),
            ]));
        }
        lines
            .push(Line::styled(format!("                   as a verb: flightdeck {verb} NAMESPACE/NAME"), theme.dim()));
    }
    for text in wrap(
        "In production the confirmation is the consequence, typed. What was typed before the box stood there, and pasted text, does not count.",
        usize::from(area.width).saturating_sub(4),
    ) {
        lines.push(Line::styled(format!("   {text}"), theme.dim()));
    }
    lines.push(Line::raw(""));
    let filter = ctx.key(Command::Filter);
    let head =
        format!(" filter: {filter}, then words that all must hold; ! negates, a,b is either, quotes keep spaces");
    lines.extend(wrap(&head, width + 19).into_iter().map(|text| Line::styled(text, theme.strong())));
    for (key, takes) in FILTER {
        for (n, text) in wrap(takes, width).into_iter().enumerate() {
            let key = if n == 0 { format!("{key}:") } else { String::new() };
            lines.push(Line::from(vec![Span::styled(format!("   {}", fit(&key, 14)), theme.key()), Span::raw(text)]));
        }
    }
    lines.push(Line::raw(""));
    lines.push(Line::styled(" signs", theme.strong()));
    for (sign, means) in SIGNS {
        for (n, text) in wrap(means, width).into_iter().enumerate() {
            lines.push(Line::from(vec![
                Span::styled(format!("   {}", fit(if n == 0 { sign } else { "" }, 14)), theme.strong()),
                Span::raw(text),
            ]));
        }
    }
    scrolled(ctx, lines, state, area, buffer);
}
