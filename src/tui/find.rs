//! Finding text in a long screen: what is typed after `/`, and the next place that has it.

use tui_input::Input;

/// What is looked for.
#[derive(Clone, Debug, Default)]
pub(super) struct Find {
    pub input: Input,
    /// Whether keys go into it.
    pub open: bool,
    /// Which of the lines that have it was gone to, from 1, and how many have it.
    pub at: Option<(usize, usize)>,
    /// The line that was gone to; near the end the screen cannot begin with it.
    gone: Option<usize>,
    /// In lower case: letters are found in either.
    needle: String,
}

/// Finding on a screen whose lines are made while it is drawn: what stood there last.
#[derive(Debug, Default)]
pub(super) struct Painted {
    pub find: Find,
    pub lines: Vec<String>,
}

impl Painted {
    pub(super) fn next(&mut self, at: usize, forward: bool) -> Option<usize> {
        let found = self.find.next(self.lines.len(), at, forward, |n| self.lines.get(n).map(String::as_str))?;
        self.find.went_to(found, self.lines.iter().map(String::as_str));
        Some(found)
    }
}

impl Find {
    /// What was typed has changed.
    pub(super) fn changed(&mut self) {
        self.needle = self.input.value().to_lowercase();
        self.forget();
    }

    /// The lines are others now.
    pub(super) fn forget(&mut self) {
        (self.at, self.gone) = (None, None);
    }

    /// Where the search goes on from, on a screen of `page` lines that begins with line `top`.
    pub(super) fn from(&self, top: usize, page: usize) -> usize {
        self.gone.filter(|line| (top..top + page).contains(line)).unwrap_or(top)
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Whether anything is looked for.
    pub(super) fn active(&self) -> bool {
        !self.needle.is_empty()
    }

    /// Whether `text` has it.
    pub(super) fn hits(&self, text: &str) -> bool {
        self.active() && text.to_lowercase().contains(&self.needle)
    }

    /// Notes that the line `found` was gone to.
    pub(super) fn went_to<'a>(&mut self, found: usize, lines: impl Iterator<Item = &'a str>) {
        let (mut before, mut all) = (0, 0);
        for (n, _) in lines.enumerate().filter(|(_, text)| self.hits(text)) {
            all += 1;
            before += usize::from(n <= found);
        }
        (self.at, self.gone) = (Some((before, all)), Some(found));
    }

    /// A line came at the end.
    pub(super) fn came(&mut self, text: &str) {
        if let Some((_, all)) = self.at.filter(|_| self.hits(text))
            && let Some(at) = &mut self.at
        {
            at.1 = all + 1;
        }
    }

    /// The first line went.
    pub(super) fn went(&mut self, text: &str) {
        if let Some((at, all)) = self.at.filter(|_| self.hits(text)) {
            self.at = (at > 1).then(|| (at - 1, all - 1));
        }
    }

    /// `3 of 41 "error"`, once one was gone to; before that, what is looked for.
    pub(super) fn count(&self) -> Option<String> {
        let text = Some(self.input.value()).filter(|_| self.active())?;
        Some(self.at.map_or_else(|| format!("finds \"{text}\""), |(at, all)| format!("{at} of {all} \"{text}\"")))
    }

    /// The next line that has it, from `at` on (not itself) in the direction; around the end to the beginning.
    pub(super) fn next<'a>(
        &self,
        len: usize,
        at: usize,
        forward: bool,
        line: impl Fn(usize) -> Option<&'a str>,
    ) -> Option<usize> {
        if !self.active() || len == 0 {
            return None;
        }
        (1..=len)
            .map(|by| if forward { (at + by) % len } else { (at + len - by % len) % len })
            .find(|n| line(*n).is_some_and(|text| self.hits(text)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_goes_around_both_ways_and_minds_no_case() {
        let lines = ["one Error", "two", "an ERROR", "three"];
        let mut find = Find { input: Input::new("error".to_owned()), ..Find::default() };
        find.changed();
        let next = |at, forward| find.next(lines.len(), at, forward, |n| lines.get(n).copied());
        assert_eq!(next(0, true), Some(2));
        assert_eq!(next(2, true), Some(0));
        assert_eq!(next(0, false), Some(2));
        assert_eq!(next(3, false), Some(2));
        assert_eq!(Find::default().next(4, 0, true, |n| lines.get(n).copied()), None);
    }
}
