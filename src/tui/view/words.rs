//! Words and small drawings that several screens share.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Clear, Widget as _};
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::Ctx;
use super::draw::draw;
use crate::domain::ids::TargetId;
use crate::domain::link::{Link, LinkState};
use crate::domain::rollout::{ActualWeight, Rollout, WeightBasis};
use crate::domain::text::Clean;
use crate::domain::workload::ReplicaSet;
use crate::model::query::weight_is_old;
use crate::model::{Target, World};
use crate::tui::plain::wide;

/// How many lines at the end of a box always stand there: notice, reason and what confirms.
const FOOT: usize = 4;

/// The most steps that are drawn one by one.
const LADDER: usize = 8;

/// `text` in exactly `width` columns: cut with `…`, or padded.
pub(in crate::tui) fn fit(text: &str, width: usize) -> String {
    let all = wide(text);
    if all <= width {
        let mut fitted = String::with_capacity(text.len() + width - all);
        fitted.push_str(text);
        fitted.extend(std::iter::repeat_n(' ', width - all));
        return fitted;
    }
    let mut cut = String::new();
    let mut used = 0;
    for c in text.chars() {
        let wide = c.width().unwrap_or(0);
        if used + wide + 1 > width {
            break;
        }
        used += wide;
        cut.push(c);
    }
    if width > 0 {
        cut.push('…');
        used += 1;
    }
    cut.push_str(&" ".repeat(width.saturating_sub(used)));
    cut
}

/// A line in its one row of the screen.
pub(super) trait Put {
    /// Draws it; what there is no room for ends in `…`.
    fn put(self, ctx: &Ctx<'_>, place: Rect, buffer: &mut Buffer);
}

impl Put for Line<'static> {
    fn put(self, ctx: &Ctx<'_>, place: Rect, buffer: &mut Buffer) {
        draw(&cut(spelled(ctx, self), usize::from(place.width)), place, buffer);
    }
}

/// Where only ASCII is shown, the key that has no sign there has its name.
pub(super) fn spelled(ctx: &Ctx<'_>, mut line: Line<'static>) -> Line<'static> {
    for span in line.spans.iter_mut().filter(|span| ctx.look.ascii && span.content.contains('↵')) {
        span.content = span.content.replace('↵', "enter").into();
    }
    line
}

/// The line in at most `width` columns; where that is less than it takes, its end is `…`.
fn cut(line: Line<'static>, width: usize) -> Line<'static> {
    // No text is wider than its bytes are many: most lines need no closer look.
    if line.spans.iter().map(|span| span.content.len()).sum::<usize>() <= width {
        return line;
    }
    let mut all: usize = line.spans.iter().map(|span| wide(&span.content)).sum();
    if all <= width {
        return line;
    }
    let blank = |span: &Span<'_>| wide(&span.content) - wide(span.content.trim_end());
    for span in line.spans.iter().rev() {
        all -= blank(span);
        if blank(span) < wide(&span.content) {
            break;
        }
    }
    if all <= width {
        return line;
    }
    let mut left = width;
    let mut spans = Vec::new();
    for span in line.spans {
        if span.width() < left {
            left -= span.width();
            spans.push(span);
            continue;
        }
        // `fit` leaves text alone that is as wide as there is room: one more makes it end in `…`.
        let text = fit(&format!("{}…", span.content), left);
        spans.push(Span::styled(text.trim_end().to_owned(), span.style));
        break;
    }
    Line { spans, ..Line::default().style(line.style) }
}

/// Breaks `text` at spaces into lines of at most `width` columns; a per cent sign stays with its number.
pub(super) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match words.last_mut() {
            Some(number) if word.starts_with('%') => {
                number.push(' ');
                number.push_str(word);
            }
            _ => words.push(word.to_owned()),
        }
    }
    let mut lines = Vec::new();
    let mut line = String::new();
    for mut word in words {
        if !line.is_empty() && line.width() + 1 + word.width() > width {
            lines.push(std::mem::take(&mut line));
        }
        while word.width() > width.max(1) {
            let at = word.char_indices().nth(width.max(1)).map_or(word.len(), |(at, _)| at);
            let rest = word.split_off(at);
            lines.push(std::mem::replace(&mut word, rest));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(&word);
    }
    lines.push(line);
    lines
}

/// The first `rows` pieces of `text`, each of at most `width` columns: nothing is lost at the breaks, unlike with [`wrap`].
/// What is not looked at is not laid out.
pub(super) fn chop(text: &str, width: usize, rows: usize) -> Vec<String> {
    let mut pieces = vec![String::new()];
    let mut used = 0;
    for c in text.chars() {
        let wide = c.width().unwrap_or(0);
        if used + wide > width {
            if pieces.len() == rows {
                break;
            }
            pieces.push(String::new());
            used = 0;
        }
        used += wide;
        if let Some(piece) = pieces.last_mut() {
            piece.push(c);
        }
    }
    pieces
}

/// `■□□ 2/3 ‖`: how many steps are over (if drawn), where it stands, and whether it waits.
pub(super) fn ladder(rollout: &Rollout, drawn: bool) -> String {
    let steps = rollout.steps().len();
    if rollout.strategy.blue_green().is_some() {
        let waits = !rollout.pause_conditions.is_empty() || rollout.spec_paused;
        let word = super::why::stage(rollout);
        return match (word, waits) {
            ("done", true) => "paused ‖".to_owned(),
            (word, true) => format!("{word} ‖"),
            (word, false) => word.to_owned(),
        };
    }
    if steps == 0 {
        return rollout.strategy.word().to_owned();
    }
    // The controller goes back to the first step then: where it stood is on no object.
    if rollout.abort {
        return "aborted".to_owned();
    }
    let over = rollout.current_step().map_or(steps, |(index, _)| index);
    let at = rollout.current_step().map_or(steps, |(index, _)| index + 1);
    let boxes = if drawn && steps <= LADDER {
        format!("{}{} ", "■".repeat(over), "□".repeat(steps - over))
    } else {
        String::new()
    };
    let waits = if !rollout.pause_conditions.is_empty() || rollout.spec_paused { " ‖" } else { "" };
    if rollout.current_step().is_some() {
        return format!("{boxes}{at}/{steps}{waits}");
    }
    let word = match (rollout.fully_promoted(), waits) {
        (true, "") => "done",
        (true, _) => "paused",
        // The steps are over, the rest of the traffic is on its way.
        (false, _) => "to all",
    };
    format!("{boxes}{word}{waits}")
}

/// `  9 % (  5 %)`: actual, and in brackets desired where it differs; never one for the other.
pub(super) fn traffic(ctx: &Ctx<'_>, target: &Target, tight: bool) -> String {
    if target.rollout.strategy.blue_green().is_some() {
        return super::why::live(target);
    }
    let Some(desired) = target.rollout.desired_weight() else { return "–".to_owned() };
    let gap = if tight { "" } else { " " };
    let wanted = format!("({desired:>3}{gap}%)");
    match target.actual_weight() {
        Some(ActualWeight { basis: WeightBasis::RouterSilent, .. }) | None => format!("  ?{gap}% {wanted}"),
        Some(actual) if weight_is_old(ctx.world, target, &actual) => format!("{:>3}{gap}% old", actual.weight),
        Some(actual) if actual.weight == desired => format!("{desired:>3}{gap}%"),
        Some(actual) => format!("{:>3}{gap}% {wanted}", actual.weight),
    }
}

/// How the actual weight is known, as a sentence.
pub(super) fn basis(ctx: &Ctx<'_>, target: &Target, actual: &ActualWeight) -> String {
    let old = if weight_is_old(ctx.world, target, actual) { "; OLD: not heard of now" } else { "" };
    format!("{}{old}", how(actual))
}

fn how(actual: &ActualWeight) -> String {
    match actual.basis {
        WeightBasis::FullyPromoted => "all steps are done".to_owned(),
        WeightBasis::NoPods => "no pod is available".to_owned(),
        WeightBasis::Router { verified: Some(true) } => "set at the router, which confirmed it".to_owned(),
        WeightBasis::Router { verified: Some(false) } => "set at the router, NOT confirmed by it".to_owned(),
        WeightBasis::Router { verified: None } => "set at the router".to_owned(),
        WeightBasis::RouterSilent => "the router has not been told yet: not known".to_owned(),
        WeightBasis::Pods { canary, all } => format!("{canary} of {all} pods, no router: not exact"),
    }
}

/// What stands behind the last `:` or `@` of an image.
pub(super) fn tag(image: &str) -> String {
    if let Some((_, digest)) = image.split_once("@sha256:") {
        return digest.chars().take(12).collect();
    }
    let name = image.rsplit('/').next().unwrap_or(image);
    name.split_once(':').map_or_else(|| name.to_owned(), |(_, tag)| tag.to_owned())
}

pub(super) fn tags(set: &ReplicaSet) -> String {
    set.images.iter().map(|i| tag(i.as_str())).collect::<Vec<_>>().join(",")
}

/// `1f3c9d2 → 8ab41e0` while a version is under way, else the one that runs.
pub(super) fn version(target: &Target) -> String {
    let wanted = target.rollout.images().map(|i| tag(i.as_str())).collect::<Vec<_>>().join(",");
    match target.stable_set() {
        Some(stable) if !target.rollout.fully_promoted() => format!("{} → {wanted}", tags(stable)),
        _ => wanted,
    }
}

/// A version as people know it: `rev 7`, else its hash.
pub(super) fn revision_of(target: &Target, hash: &Clean) -> String {
    let revision = target.set(hash).and_then(|set| set.revision);
    revision.map_or_else(|| hash.to_string(), |n| format!("rev {n}"))
}

/// What a ReplicaSet is to its rollout; a word of its own for each strategy.
pub(super) fn role(target: &Target, set: &ReplicaSet) -> &'static str {
    let rollout = &target.rollout;
    let blue_green = rollout.strategy.blue_green().is_some();
    if blue_green && !rollout.blue_green.active.is_empty() && set.pod_hash == rollout.blue_green.active {
        "active"
    } else if set.pod_hash == rollout.stable_hash {
        "stable"
    } else if set.pod_hash == rollout.pod_hash {
        if blue_green { "preview" } else { "canary" }
    } else {
        ""
    }
}

/// `shop/cart`; where several clusters are connected, `shop/cart (prod-eu)`: nobody takes one for the other.
pub(super) fn name(world: &World, id: &TargetId) -> String {
    let several = several_clusters(world);
    let seen = world.targets.get(id).map(|target| &target.context);
    let context = seen.or_else(|| world.clusters.iter().find(|(_, cluster)| **cluster == id.cluster).map(|(c, _)| c));
    match context.filter(|_| several) {
        Some(context) => format!("{id} ({context})"),
        None => id.to_string(),
    }
}

/// Whether a name alone may be that of two targets.
pub(super) fn several_clusters(world: &World) -> bool {
    world.clusters.values().any(|cluster| Some(cluster) != world.clusters.values().next())
}

/// `1 target`, `2 targets`.
pub(super) fn count(n: usize, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}

/// A link's state in a few words.
pub(super) fn link(ctx: &Ctx<'_>, link: &Link) -> (String, Style) {
    match &link.state {
        LinkState::Live if link.id.what != "prometheus" && ctx.world.unanswered.contains(&link.id.context) => {
            let heard = link.heard.map_or_else(String::new, |heard| format!(", heard {} ago", ctx.age(heard)));
            (format!("? the server does not answer{heard}"), ctx.theme.warn())
        }
        LinkState::Live => ("● live".to_owned(), ctx.theme.good()),
        LinkState::Connecting => ("○ connecting".to_owned(), ctx.theme.busy()),
        LinkState::Off => ("○ off: no target is open".to_owned(), ctx.theme.dim()),
        LinkState::Stale { since } => (format!("✗ stale {}", ctx.age(*since)), ctx.theme.bad()),
        LinkState::Denied { .. } => ("✗ denied".to_owned(), ctx.theme.bad()),
        LinkState::Backoff { .. } => {
            let heard = link.heard.map_or_else(String::new, |heard| format!(", heard {} ago", ctx.age(heard)));
            (format!("✗ down{heard}"), ctx.theme.bad())
        }
    }
}

/// Why a link is not live, for people.
pub(super) const fn off(state: &LinkState) -> &'static str {
    match state {
        LinkState::Live => "live",
        LinkState::Connecting => "connecting",
        LinkState::Off => "not asked for",
        LinkState::Stale { .. } => "the server is silent",
        LinkState::Denied { .. } => "the server denies it",
        LinkState::Backoff { .. } => "no connection, tried again",
    }
}

/// A box in the middle of `area`, as wide as it may be and as high as its lines; returns what is inside.
pub(super) fn popup(
    ctx: &Ctx<'_>,
    title: Line<'static>,
    lines: &[Line<'static>],
    area: Rect,
    buffer: &mut Buffer,
) -> Rect {
    let width = area.width.saturating_sub(2).min(96);
    let height = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_add(2).min(area.height);
    let place = Rect { x: area.x + (area.width - width) / 2, y: area.y + (area.height - height) / 2, width, height };
    Clear.render(place, buffer);
    let block = Block::bordered().border_type(BorderType::Plain).border_style(ctx.theme.strong()).title(title);
    let inner = block.inner(place);
    block.render(place, buffer);
    let inner = Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner };
    for (y, line) in (inner.y..inner.bottom()).zip(whole(ctx, lines, usize::from(inner.height))) {
        line.put(ctx, Rect { y, height: 1, ..inner }, buffer);
    }
    inner
}

/// As many lines as there is room for: what does not fit is left out above the last ones, for they say what is asked.
fn whole(ctx: &Ctx<'_>, lines: &[Line<'static>], room: usize) -> Vec<Line<'static>> {
    if lines.len() <= room {
        return lines.to_vec();
    }
    let last = FOOT.min(room.saturating_sub(2));
    let first = room.saturating_sub(last + 1);
    let mut shown = lines[..first].to_vec();
    let text = format!("… {}: the window is too low", count(lines.len() - first - last, "line"));
    shown.push(Line::styled(text, ctx.theme.warn()));
    shown.extend_from_slice(&lines[lines.len() - last..]);
    shown
}

/// How wide the text of a popup in `area` may be.
pub(super) fn popup_width(area: Rect) -> usize {
    usize::from(area.width.saturating_sub(2).min(96).saturating_sub(4))
}

/// Lines with a title, in a frame.
pub(super) fn panel(ctx: &Ctx<'_>, title: &str, lines: Vec<Line<'static>>, area: Rect, buffer: &mut Buffer) {
    panel_from(ctx, title, lines, 0, area, buffer);
}

/// The same, scrolled by so many lines as far as there are more than fit.
pub(super) fn panel_from(
    ctx: &Ctx<'_>,
    title: &str,
    mut lines: Vec<Line<'static>>,
    from: usize,
    area: Rect,
    buffer: &mut Buffer,
) {
    if area.height < 3 {
        return;
    }
    let title = Line::styled(format!(" {title} "), ctx.theme.strong());
    let block = Block::bordered().border_type(BorderType::Plain).border_style(ctx.theme.dim()).title(title);
    let inner = block.inner(area);
    block.render(area, buffer);
    let inner = Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner };
    let room = usize::from(inner.height);
    let from = from.min(lines.len().saturating_sub(room));
    lines.drain(..from);
    let all = lines.len();
    for (n, (y, line)) in (inner.y..inner.bottom()).zip(lines).enumerate() {
        let last = n + 1 == room && all > room;
        let line = if last { Line::styled(format!("… {} more", all - room + 1), ctx.theme.dim()) } else { line };
        line.put(ctx, Rect { y, height: 1, ..inner }, buffer);
    }
}

/// A label in a column of its own, and what it names.
pub(super) fn field(ctx: &Ctx<'_>, label: &str, value: Vec<Span<'static>>) -> Line<'static> {
    let mut spans = vec![Span::styled(fit(label, 9), ctx.theme.dim())];
    spans.extend(value);
    Line::from(spans)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_fits_to_the_column() {
        assert_eq!(fit("abc", 5), "abc  ");
        assert_eq!(fit("abcdef", 5), "abcd…");
        assert_eq!(fit("日本語", 4), "日… ");
        assert_eq!(fit("abc", 0), "");
    }

    #[test]
    fn what_is_cut_off_ends_in_an_ellipsis() {
        let line =
            |texts: &[&str]| Line::from(texts.iter().map(|text| Span::raw((*text).to_owned())).collect::<Vec<_>>());
        let cut = |texts: &[&str], width| cut(line(texts), width).to_string();
        assert_eq!(cut(&["done: ", "1 of 1 steps"], 18), "done: 1 of 1 steps");
        assert_eq!(cut(&["done: ", "1 of 1 steps"], 15), "done: 1 of 1 s…");
        assert_eq!(cut(&["done: ", "1 of 1"], 6), "done:…");
        assert_eq!(cut(&["done: ", "1 of 1"], 7), "done: …");
        assert_eq!(cut(&["done   ", "  "], 4), "done   ".to_owned() + "  ", "blanks are no text");
        assert_eq!(cut(&["日本語", "x"], 4), "日…");
        assert_eq!(cut(&["ab"], 0), "");
    }

    #[test]
    fn lines_break_at_spaces_and_nothing_is_lost() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("abcdefgh ij", 3), ["abc", "def", "gh", "ij"]);
        assert_eq!(wrap("", 5), [""]);
        assert_eq!(wrap("limit of 5 %, then", 10), ["limit of", "5 %, then"]);
    }

    #[test]
    fn chopped_text_is_whole_as_far_as_there_are_rows() {
        assert_eq!(chop("abcdefgh", 3, 9), ["abc", "def", "gh"]);
        assert_eq!(chop("abcdefgh", 3, 2), ["abc", "def"]);
        assert_eq!(chop("日本語", 4, 9), ["日本", "語"]);
        assert_eq!(chop("", 4, 9), [""]);
    }

    #[test]
    fn tags_are_what_tells_versions_apart() {
        assert_eq!(tag("registry.example:5000/shop/app:1.2.3"), "1.2.3");
        assert_eq!(tag("shop/app"), "app");
        assert_eq!(tag("shop/app@sha256:0123456789abcdef"), "0123456789ab");
    }
}
