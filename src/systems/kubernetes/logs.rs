//! The log of one container of one pod, line by line.

use std::fmt::Write as _;
use std::time::Duration;

use bytes::BytesMut;
use http_body_util::BodyExt;
use jiff::Timestamp;
use kube::Client;

use super::call::{self, CallError};
use super::watch::encode;
use crate::domain::text::Clean;

/// How long the first byte of an answer may take.
const OPEN: Duration = Duration::from_secs(10);

/// How long a log that is not followed may say nothing before it counts as broken.
const SILENCE: Duration = Duration::from_secs(30);

/// Which log.
#[derive(Clone, Debug)]
pub struct Log {
    /// The pod's namespace.
    pub namespace: Clean,
    /// The pod.
    pub pod: Clean,
    /// The container.
    pub container: Clean,
    /// Go on with what comes.
    pub follow: bool,
    /// Of the container before its last restart.
    pub previous: bool,
    /// At most so many lines of the past.
    pub tail: Option<u32>,
    /// Not older than this.
    pub since: Option<Duration>,
    /// Only what came after this; says no line twice after a break.
    pub after: Option<Timestamp>,
}

/// One line as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// When, by the clock of its node.
    pub at: Option<Timestamp>,
    /// What it says.
    pub text: Clean,
}

impl Log {
    fn path(&self) -> String {
        let mut path = format!(
            "/api/v1/namespaces/{}/pods/{}/log?timestamps=true&container={}",
            self.namespace,
            self.pod,
            encode(self.container.as_str())
        );
        if self.follow {
            path.push_str("&follow=true");
        }
        if self.previous {
            path.push_str("&previous=true");
        }
        if let Some(lines) = self.tail {
            let _ = write!(path, "&tailLines={lines}");
        }
        match (self.after, self.since) {
            (Some(after), _) => {
                let _ = write!(path, "&sinceTime={}", encode(&after.to_string()));
            }
            (None, Some(since)) => {
                let _ = write!(path, "&sinceSeconds={}", since.as_secs().max(1));
            }
            (None, None) => {}
        }
        path
    }

    /// Reads it; `tell` gets each line and says `false` when nobody listens. `Ok` = it ended.
    pub async fn read<F, Fut>(&self, client: &Client, longest: usize, mut tell: F) -> Result<(), CallError>
    where
        F: FnMut(Line) -> Fut,
        Fut: Future<Output = bool>,
    {
        let request = call::request("GET", &self.path(), None, Vec::new())?;
        let broken = |why: &str| CallError::Broken { why: Clean::new(why) };
        let opened = tokio::time::timeout(OPEN, call::open(client, request)).await;
        let mut body = opened.map_err(|_| broken("the log was not answered"))??.into_body();
        let mut cutter = Cutter::new(longest);
        loop {
            let frame = if self.follow {
                body.frame().await
            } else {
                tokio::time::timeout(SILENCE, body.frame()).await.map_err(|_| broken("the log broke off"))?
            };
            let data = match frame {
                None => break,
                Some(Err(e)) => return Err(broken(&e.to_string())),
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => data,
                    Err(_) => continue,
                },
            };
            for line in cutter.put(&data) {
                if self.is_new(&line) && !tell(line).await {
                    return Ok(());
                }
            }
        }
        if let Some(line) = cutter.rest()
            && self.is_new(&line)
        {
            tell(line).await;
        }
        Ok(())
    }

    /// `sinceTime` counts whole seconds, so some lines come again.
    fn is_new(&self, line: &Line) -> bool {
        match (self.after, line.at) {
            (Some(after), Some(at)) => at > after,
            _ => true,
        }
    }
}

/// Cuts a stream of bytes into lines; of a line that is too long it keeps the beginning and counts the rest.
pub(crate) struct Cutter {
    longest: usize,
    buffer: BytesMut,
    lost: usize,
}

impl Cutter {
    pub(crate) fn new(longest: usize) -> Self {
        Self { longest, buffer: BytesMut::new(), lost: 0 }
    }

    pub(crate) fn put(&mut self, mut data: &[u8]) -> Vec<Line> {
        let mut lines = Vec::new();
        while let Some(end) = data.iter().position(|b| *b == b'\n') {
            self.keep(&data[..end]);
            lines.push(self.line());
            data = &data[end + 1..];
        }
        self.keep(data);
        lines
    }

    fn keep(&mut self, part: &[u8]) {
        // Room for the time in front of the line.
        let room = (self.longest + 64).saturating_sub(self.buffer.len());
        self.buffer.extend_from_slice(&part[..part.len().min(room)]);
        self.lost += part.len().saturating_sub(room);
    }

    fn line(&mut self) -> Line {
        let bytes = self.buffer.split();
        let lost = std::mem::take(&mut self.lost);
        let text = String::from_utf8_lossy(&bytes);
        let text = text.trim_end_matches('\r');
        let (at, text) = match text.split_once(' ') {
            Some((at, rest)) => at.parse::<Timestamp>().map_or((None, text), |at| (Some(at), rest)),
            None => text.parse::<Timestamp>().map_or((None, text), |at| (Some(at), "")),
        };
        let mut clean = Clean::long(text, self.longest);
        if lost > 0 {
            clean = Clean::long(&format!("{clean} … {lost} bytes more"), self.longest + 64);
        }
        Line { at, text: clean }
    }

    pub(crate) fn rest(&mut self) -> Option<Line> {
        (!self.buffer.is_empty()).then(|| self.line())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_cut_into_lines_wherever_they_come_apart() {
        let text =
            "2026-01-01T00:00:01.5Z hello\r\n2026-01-01T00:00:02Z größer\nno time here\n2026-01-01T00:00:03Z\nlast";
        for size in [1, 2, 7, 1000] {
            let mut cutter = Cutter::new(100);
            let mut lines: Vec<Line> = text.as_bytes().chunks(size).flat_map(|c| cutter.put(c)).collect();
            lines.extend(cutter.rest());
            let said: Vec<&str> = lines.iter().map(|l| l.text.as_str()).collect();
            assert_eq!(said, ["hello", "größer", "no time here", "", "last"]);
            assert_eq!(lines[0].at, "2026-01-01T00:00:01.5Z".parse().ok());
            assert_eq!(lines[2].at, None);
        }
    }

    #[test]
    fn a_line_that_is_too_long_is_cut_and_says_so() {
        let mut cutter = Cutter::new(10);
        let mut lines = Vec::new();
        for _ in 0..1000 {
            lines.extend(cutter.put(&[b'x'; 1000]));
        }
        assert!(lines.is_empty() && cutter.buffer.len() <= 74);
        let lines = cutter.put(b"\nnext\n");
        assert!(lines[0].text.as_str().contains("bytes more") && lines[0].text.as_str().len() < 100, "{lines:?}");
        assert_eq!(lines[1].text, "next");
    }

    #[test]
    fn what_a_terminal_obeys_does_not_come_through() {
        let mut cutter = Cutter::new(1000);
        let lines = cutter.put(b"2026-01-01T00:00:01Z a\x1b[2J\x07\xff\n");
        assert!(!lines[0].text.as_str().chars().any(char::is_control), "{lines:?}");
    }
}
