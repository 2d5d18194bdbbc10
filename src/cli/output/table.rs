//! Tables that fit the terminal.

use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

use super::look::width;

/// Between two columns.
const GAP: usize = 2;

/// A column is not cut to less.
const LEAST: usize = 6;

/// Sets a table: columns as wide as their widest cell. Where the terminal is too narrow the widest columns are cut, and
/// `…` says so; a file or another program gets whole cells.
pub(in crate::cli) fn table(rows: &[Vec<String>]) -> String {
    set(rows, width(), &[])
}

/// A table with a heading, which scripts may leave out. The columns in `keep` are cut last: what is in them is typed again.
pub(in crate::cli) fn headed(heading: &[&str], mut rows: Vec<Vec<String>>, no_headers: bool, keep: &[usize]) -> String {
    if !no_headers {
        rows.insert(0, heading.iter().map(|&title| title.to_owned()).collect());
    }
    set(&rows, width(), keep)
}

/// What gives way where a table has no room. Columns are named by their titles.
pub(in crate::cli) struct Fit<'a> {
    /// These are never cut while another column can give, and none is cut to less than its own width.
    pub whole: &'a [&'a str],
    /// These are not cut to less than so much.
    pub least: &'a [(&'a str, usize)],
    /// These are left out, the first first, before anything is cut to less.
    pub drop: &'a [&'a str],
}

/// A table with a heading that is narrowed as `fit` says; and which columns were left out.
pub(in crate::cli) fn fitted<'a>(
    heading: &[&'a str],
    rows: Vec<Vec<String>>,
    no_headers: bool,
    fit: &Fit<'_>,
) -> (String, Vec<&'a str>) {
    narrowed(heading, rows, no_headers, fit, width())
}

fn narrowed<'a>(
    heading: &[&'a str],
    mut rows: Vec<Vec<String>>,
    no_headers: bool,
    fit: &Fit<'_>,
    limit: Option<usize>,
) -> (String, Vec<&'a str>) {
    let mut heading = heading.to_vec();
    let mut left_out = Vec::new();
    let needs = |heading: &[&str], rows: &[Vec<String>]| {
        let wide = widths(rows);
        let all = heading.iter().enumerate().map(|(n, title)| {
            let wide = wide.get(n).copied().unwrap_or(0).max(if no_headers { 0 } else { title.width() });
            fit.least.iter().find(|(name, _)| name == title).map_or(wide, |(_, least)| wide.min(*least))
        });
        all.sum::<usize>() + GAP * heading.len().saturating_sub(1)
    };
    for title in fit.drop {
        if limit.is_none_or(|limit| needs(&heading, &rows) <= limit) {
            break;
        }
        if let Some(at) = heading.iter().position(|name| name == title) {
            left_out.push(heading.remove(at));
            rows.iter_mut().filter(|row| at < row.len()).for_each(|row| drop(row.remove(at)));
        }
    }
    let keep: Vec<usize> =
        heading.iter().enumerate().filter(|(_, title)| fit.whole.contains(title)).map(|(n, _)| n).collect();
    if !no_headers {
        rows.insert(0, heading.iter().map(|&title| title.to_owned()).collect());
    }
    (set(&rows, limit, &keep), left_out)
}

/// Sets names and what is to be said of them: a long text goes on under its own beginning.
pub(in crate::cli) fn facts(rows: &[Vec<String>]) -> String {
    wrapped(rows, width())
}

fn widths(rows: &[Vec<String>]) -> Vec<usize> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    (0..columns).map(|c| rows.iter().filter_map(|row| row.get(c)).map(|cell| cell.width()).max().unwrap_or(0)).collect()
}

fn set(rows: &[Vec<String>], limit: Option<usize>, keep: &[usize]) -> String {
    let mut widths = widths(rows);
    if let Some(limit) = limit {
        fit(&mut widths, limit, keep);
        fit(&mut widths, limit, &[]);
    }
    let mut out = String::new();
    for row in rows {
        let mut text = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            let cell = cut(cell, *width);
            text.push_str(&cell);
            text.push_str(&" ".repeat(width.saturating_sub(cell.width()) + GAP));
        }
        out.push_str(text.trim_end());
        out.push('\n');
    }
    out
}

/// Takes from the widest column that need not be kept, until all fit, or none can give.
fn fit(widths: &mut [usize], limit: usize, keep: &[usize]) {
    let gaps = GAP * widths.len().saturating_sub(1);
    while widths.iter().sum::<usize>() + gaps > limit {
        let free = widths.iter_mut().enumerate().filter(|(column, _)| !keep.contains(column));
        match free.map(|(_, width)| width).max_by_key(|width| **width) {
            Some(widest) if *widest > LEAST => *widest -= 1,
            _ => return,
        }
    }
}

fn cut(cell: &str, width: usize) -> String {
    if cell.width() <= width {
        return cell.to_owned();
    }
    let mut out = String::new();
    for letter in cell.graphemes(true) {
        if out.width() + letter.width() + 1 > width {
            break;
        }
        out.push_str(letter);
    }
    out.push('…');
    out
}

fn wrapped(rows: &[Vec<String>], limit: Option<usize>) -> String {
    let name = widths(rows).first().copied().unwrap_or(0) + GAP;
    let room = limit.map_or(usize::MAX, |limit| limit.saturating_sub(name).max(20));
    let mut out = String::new();
    for row in rows {
        let mut head = row.first().cloned().unwrap_or_default();
        for line in lines(row.get(1).map_or("", String::as_str), room) {
            let pad = " ".repeat(name.saturating_sub(head.width()));
            out.push_str(format!("{head}{pad}{line}").trim_end());
            out.push('\n');
            head.clear();
        }
    }
    out
}

/// Breaks between words; a word that is too long stands alone.
fn lines(text: &str, room: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let last = lines.last_mut().filter(|line| line.is_empty() || line.width() + 1 + word.width() <= room);
        match last {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) => {
                line.push(' ');
                line.push_str(word);
            }
            None => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(all: &[&[&str]]) -> Vec<Vec<String>> {
        all.iter().map(|row| row.iter().map(|&cell| cell.to_owned()).collect()).collect()
    }

    #[test]
    fn what_does_not_fit_is_cut_where_it_is_longest_and_says_so() {
        let table = rows(&[&["TARGET", "PHASE"], &["shop/payments", "Paused: a long message of the controller"]]);
        assert!(set(&table, None, &[]).contains("of the controller\n"));
        let narrow = set(&table, Some(30), &[]);
        assert!(narrow.lines().all(|line| line.width() <= 30), "{narrow}");
        assert!(narrow.contains("shop/payments  Paused: a long…"), "{narrow}");
        assert!(set(&table, Some(3), &[0]).contains("shop/…  Pause…"), "no column vanishes");
        let kept = rows(&[&["a long name", "short words"]]);
        assert_eq!(set(&kept, Some(20), &[0]), "a long name  short …\n");
    }

    #[test]
    fn columns_of_least_worth_go_before_anything_is_cut() {
        let heading = ["BAND", "TARGET", "PHASE", "WHY"];
        let all = || rows(&[&["needs you", "shop/payments", "Progressing", "more replicas need to be updated"]]);
        let fit = Fit { whole: &["TARGET", "PHASE"], least: &[("WHY", 10)], drop: &["BAND", "WHY"] };
        let at = |limit| narrowed(&heading, all(), false, &fit, limit);
        assert_eq!(at(None).1, [""; 0]);
        let (table, left_out) = at(Some(60));
        assert!(left_out.is_empty() && table.contains("needs you  shop/payments  Progressing  more repl"), "{table}");
        assert!(table.lines().all(|line| line.width() <= 60), "{table}");
        let (table, left_out) = at(Some(40));
        assert_eq!(left_out, ["BAND"]);
        assert!(table.contains("shop/payments  Progressing  more replic…\n"), "{table}");
        let (table, left_out) = at(Some(30));
        assert_eq!((table.lines().nth(1), left_out.len()), (Some("shop/payments  Progressing"), 2), "{table}");
        assert!(narrowed(&heading, all(), true, &fit, Some(60)).0.starts_with("needs you"));
    }

    #[test]
    fn a_long_text_goes_on_under_its_own_beginning() {
        let text = wrapped(&rows(&[&["Errors:", "one two three four five six"]]), Some(29));
        assert_eq!(text, "Errors:  one two three four\n         five six\n");
        assert_eq!(wrapped(&rows(&[&["a", ""]]), None), "a\n");
    }
}
