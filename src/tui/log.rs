//! A log on the screen: a bounded part of what came, followed or scrolled, and whose it is.

use std::collections::VecDeque;

use super::find::Find;
use crate::domain::ids::TargetId;
use crate::domain::text::Clean;
use crate::model::Target;
use crate::runtime::handle::{LogLine, LogsOf, Pods};

/// The most lines kept; the oldest go first.
pub(super) const MOST_LINES: usize = 5_000;

/// The most bytes of text kept.
const MOST_BYTES: usize = 8 << 20;

/// How many lines of the past are asked for, of each container.
const TAIL: u32 = 500;

/// The screen.
#[derive(Debug)]
pub(super) struct Log {
    pub target: TargetId,
    pub pods: Pods,
    pub container: Option<Clean>,
    pub previous: bool,
    /// Whether the newest line stays on the screen.
    pub follow: bool,
    /// Whether long lines go on in the next row.
    pub wrap: bool,
    pub lines: VecDeque<LogLine>,
    bytes: usize,
    /// How many lines went because there was no room for them.
    pub gone: usize,
    /// Whether nothing more will come.
    pub ended: bool,
    /// The first line on the screen, where it is not followed.
    pub top: usize,
    pub find: Find,
}

impl Log {
    /// Of the version in flight where there is one, else of all pods.
    pub(super) fn of(target: &Target) -> Self {
        let rollout = &target.rollout;
        let up = target.canary_set().is_none_or(|set| set.current > 0 || set.desired > 0);
        let in_flight = !rollout.fully_promoted() && !rollout.pod_hash.is_empty() && up;
        let pods = if in_flight { Pods::Revision(rollout.pod_hash.clone()) } else { Pods::All };
        Self {
            target: target.id().clone(),
            pods,
            container: None,
            previous: false,
            follow: true,
            wrap: true,
            lines: VecDeque::new(),
            bytes: 0,
            gone: 0,
            ended: false,
            top: 0,
            find: Find::default(),
        }
    }

    /// What is to be asked for.
    pub(super) fn query(&self) -> LogsOf {
        LogsOf {
            target: self.target.clone(),
            pods: self.pods.clone(),
            container: self.container.clone(),
            // What a container said before its restart has an end.
            follow: !self.previous,
            previous: self.previous,
            tail: Some(TAIL),
            since: None,
        }
    }

    /// It is asked for anew.
    pub(super) fn begin(&mut self) {
        self.lines.clear();
        self.find.forget();
        (self.bytes, self.gone, self.ended, self.top) = (0, 0, false, 0);
        self.follow = true;
    }

    pub(super) fn take(&mut self, lines: Vec<LogLine>) {
        for line in lines {
            self.bytes += line.text.as_str().len();
            self.find.came(line.text.as_str());
            self.lines.push_back(line);
            while self.lines.len() > MOST_LINES || (self.bytes > MOST_BYTES && self.lines.len() > 1) {
                let Some(oldest) = self.lines.pop_front() else { break };
                self.bytes -= oldest.text.as_str().len();
                self.find.went(oldest.text.as_str());
                self.gone += 1;
                self.top = self.top.saturating_sub(1);
            }
        }
    }

    /// The pods in words.
    pub(super) fn whose(&self, target: Option<&Target>) -> String {
        match &self.pods {
            Pods::All => "all pods".to_owned(),
            Pods::One(name) => format!("pod {name}"),
            Pods::Revision(hash) => {
                let number = target.and_then(|t| t.set(hash)).and_then(|set| set.revision);
                number.map_or_else(|| format!("pods of {hash}"), |n| format!("all pods of rev {n}"))
            }
        }
    }

    /// Goes on to the next: each revision that has pods, all of them, each pod.
    pub(super) fn next_pods(&mut self, target: &Target) {
        let mut all: Vec<Pods> = target
            .sets
            .iter()
            .filter(|set| set.desired > 0 || set.current > 0)
            .map(|set| Pods::Revision(set.pod_hash.clone()))
            .collect();
        all.push(Pods::All);
        all.extend(target.pods.iter().flat_map(|pods| pods.iter()).map(|pod| Pods::One(pod.name.clone())));
        self.pods = after(&all, &self.pods).cloned().unwrap_or(Pods::All);
    }

    /// Goes on to the next container; after the last, all of them.
    pub(super) fn next_container(&mut self, target: &Target) {
        let mut all: Vec<Option<Clean>> = vec![None];
        all.extend(target.rollout.containers.iter().map(|c| Some(c.name.clone())));
        let seen = self.lines.iter().map(|line| &line.container).filter(|name| !name.is_empty());
        for name in seen {
            if !all.iter().flatten().any(|known| known == name) {
                all.push(Some(name.clone()));
            }
        }
        self.container = after(&all, &self.container).cloned().unwrap_or(None);
    }

    /// Scrolls; at the newest line it is followed again.
    pub(super) fn step(&mut self, by: isize, page: usize) {
        let most = self.lines.len().saturating_sub(1);
        if self.follow {
            if by >= 0 {
                return;
            }
            self.follow = false;
            self.top = self.lines.len().saturating_sub(page);
        }
        self.top = self.top.saturating_add_signed(by).min(most);
        if by > 0 && self.top + page >= self.lines.len() {
            self.follow = true;
        }
    }

    /// Goes to the next line that has what is looked for.
    pub(super) fn find_next(&mut self, forward: bool, page: usize) -> bool {
        let at = if self.follow { self.lines.len().saturating_sub(page) } else { self.top };
        let found = self.find.next(self.lines.len(), at, forward, |n| self.lines.get(n).map(|l| l.text.as_str()));
        if let Some(found) = found {
            self.follow = false;
            self.top = found;
            self.find.went_to(found, self.lines.iter().map(|l| l.text.as_str()));
        }
        found.is_some()
    }
}

fn after<'a, T: PartialEq>(all: &'a [T], here: &T) -> Option<&'a T> {
    let at = all.iter().position(|one| one == here).map_or(0, |at| (at + 1) % all.len().max(1));
    all.get(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> LogLine {
        LogLine { pod: "p".into(), container: "app".into(), at: None, text: text.into(), note: false }
    }

    #[test]
    fn memory_is_bounded_and_the_place_stays() {
        let target = crate::tui::tests::worlds::payments();
        let mut log = Log::of(&target);
        log.take((0..MOST_LINES).map(|n| line(&n.to_string())).collect());
        log.step(-100, 20);
        assert!(!log.follow);
        let shown = log.lines[log.top].text.clone();
        log.take((0..50).map(|n| line(&n.to_string())).collect());
        assert_eq!((log.lines.len(), log.gone), (MOST_LINES, 50));
        assert_eq!(log.lines[log.top].text, shown);
        let long = "x".repeat(4000);
        log.take((0..4000).map(|_| line(&long)).collect());
        assert!(log.lines.iter().map(|l| l.text.as_str().len()).sum::<usize>() <= MOST_BYTES);
    }

    #[test]
    fn scrolling_to_the_end_follows_again() {
        let target = crate::tui::tests::worlds::payments();
        let mut log = Log::of(&target);
        log.take((0..100).map(|n| line(&n.to_string())).collect());
        log.step(-1, 20);
        assert!(!log.follow);
        log.step(isize::MAX, 20);
        assert!(log.follow);
    }

    #[test]
    fn whose_goes_around() {
        let mut target = (*crate::tui::tests::worlds::payments()).clone();
        target.pods = None;
        let mut log = Log::of(&target);
        let mut seen = Vec::new();
        for _ in 0..3 {
            seen.push(log.whose(Some(&target)));
            log.next_pods(&target);
        }
        assert_eq!(seen, ["all pods of rev 8", "all pods of rev 7", "all pods"]);
        assert_eq!(log.whose(Some(&target)), "all pods of rev 8");
    }
}
