//! Recordings of the program behind a terminal, as asciicast v2 (<https://docs.asciinema.org/manual/asciicast/v2/>): a
//! header and one event a line, all of it text. Markers name the frames that README shows.

use std::fmt::Write as _;

use serde_json::{Value, json};

/// What README says before a frame: the recording, and the name of the frame.
const BEFORE: &str = "<!-- frame ";

/// One recording.
pub struct Recording {
    columns: u16,
    rows: u16,
    /// Seconds since the start, the kind (`o` = output, `m` = marker), and what was written or the marker's name.
    events: Vec<(f64, String, String)>,
}

impl Recording {
    pub fn new(columns: u16, rows: u16) -> Self {
        Self { columns, rows, events: Vec::new() }
    }

    pub fn push(&mut self, at: f64, kind: &str, text: &str) {
        self.events.push((at, kind.to_owned(), text.to_owned()));
    }

    pub fn parse(text: &str) -> Self {
        let mut lines = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON, line by line"));
        let header = lines.next().expect("a header");
        let size = |key: &str| header[key].as_u64().and_then(|n| u16::try_from(n).ok()).expect("a size");
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        let events = lines.map(|e| (e[0].as_f64().expect("a time"), text(&e[1]), text(&e[2]))).collect();
        Self { columns: size("width"), rows: size("height"), events }
    }

    pub fn print(&self, title: &str) -> String {
        let mut text = json!({
            "version": 2, "width": self.columns, "height": self.rows, "title": title, "idle_time_limit": 2.0,
            "env": {"TERM": "xterm-256color"},
        })
        .to_string();
        for (at, kind, what) in &self.events {
            let _ = write!(text, "\n{}", json!([(at * 1000.0).round() / 1000.0, kind, what]));
        }
        text + "\n"
    }

    /// The screen at each marker.
    pub fn frames(&self) -> Vec<(String, String)> {
        let mut screen = vt100::Parser::new(self.rows, self.columns, 0);
        let mut frames = Vec::new();
        for (_, kind, what) in &self.events {
            match kind.as_str() {
                "o" => screen.process(what.as_bytes()),
                _ => frames.push((what.clone(), screen.screen().contents())),
            }
        }
        frames
    }

    /// `page` with every frame of this recording as the recording has it.
    pub fn shown_in(&self, name: &str, page: &str) -> String {
        let mut out = String::new();
        let mut lines = page.lines().peekable();
        while let Some(line) = lines.next() {
            let _ = writeln!(out, "{line}");
            let Some(wanted) = line.strip_prefix(BEFORE).and_then(|l| l.strip_suffix(" -->")) else { continue };
            let Some(frame) = wanted.strip_prefix(name).and_then(|l| l.strip_prefix(": ")) else { continue };
            let frames = self.frames();
            let (_, cells) = frames.iter().find(|(marker, _)| marker == frame).expect("a frame that was recorded");
            while lines.peek().is_some_and(|l| l.is_empty() || l.starts_with("    ")) {
                lines.next();
            }
            out.push('\n');
            let cells = cells.trim_end();
            for row in cells.lines() {
                let _ = writeln!(out, "{}", format!("    {row}").trim_end());
            }
            out.push('\n');
        }
        out
    }
}
