//! What `copy` takes: what the screen is about. The text goes to the terminal, which may or may not take it.

use super::{Effect, Loaded, State};
use crate::domain::text::Clean;
use crate::model::{Target, World};
use crate::tui::keys::Place;

/// The most bytes handed to a terminal; some cut or refuse more.
const MOST: usize = 16 * 1024;

/// What can be named in the palette.
pub(super) const WHAT: &[(&str, &str)] = &[
    ("name", "namespace and name, as verbs take it"),
    ("image", "the image of the version in the spec"),
    ("version", "the pod-template hash of the version in the spec"),
    ("line", "the line of the log or the document at the top"),
    ("record", "the audit record under the cursor, as JSON"),
];

impl State {
    /// Copies what is named, or what this screen is about.
    pub(super) fn copy(&mut self, what: Option<&str>, world: &World) -> Vec<Effect> {
        let what = what.unwrap_or(match self.place {
            Place::Log | Place::Text => "line",
            Place::Audit => "record",
            Place::History => "revision",
            _ => "name",
        });
        let clean =
            |text: String| text.lines().map(|line| Clean::long(line, MOST).to_string()).collect::<Vec<_>>().join("\n");
        match self.copied(what, world).map(clean) {
            Ok(text) if text.len() > MOST => {
                self.notice = Some(format!("not copied: {} bytes are more than terminals take ({MOST})", text.len()));
                Vec::new()
            }
            Ok(text) => {
                let short: String = text.lines().next().unwrap_or_default().chars().take(60).collect();
                let more = if short.len() < text.len() { "…" } else { "" };
                let said = match self.audit.selected() {
                    Some(record) if what == "record" => format!("record {}", record.seq),
                    _ => format!("{short}{more}"),
                };
                self.notice = Some(format!("handed to the terminal's clipboard: {said}"));
                vec![Effect::Copy(text)]
            }
            Err(why) => {
                self.notice = Some(why);
                Vec::new()
            }
        }
    }

    fn copied(&self, what: &str, world: &World) -> Result<String, String> {
        let target = || -> Result<&Target, String> {
            let target = self.selected.as_ref().and_then(|id| world.targets.get(id));
            target.map(AsRef::as_ref).ok_or_else(|| "there is no target to copy from".to_owned())
        };
        match what {
            "name" => target().map(|target| target.id().to_string()),
            "image" => {
                let images: Vec<&str> = target()?.rollout.images().map(Clean::as_str).collect();
                if images.is_empty() { Err("its images are not known".to_owned()) } else { Ok(images.join("\n")) }
            }
            "version" => match target()?.rollout.pod_hash.as_str() {
                "" => Err("its version is not known".to_owned()),
                hash => Ok(hash.to_owned()),
            },
            "revision" => match &self.past.cursor {
                Some(hash) => Ok(hash.to_string()),
                None => target().map(|target| target.rollout.pod_hash.to_string()),
            },
            "record" => {
                let record = self.audit.selected().filter(|_| self.place == Place::Audit);
                record.map(|record| record.whole.clone()).ok_or_else(|| "no record is under the cursor".to_owned())
            }
            _ => self.line().ok_or_else(|| "there is no line here to copy".to_owned()),
        }
    }

    /// The line at the top of a document, or of a log; of one that is followed its newest.
    fn line(&self) -> Option<String> {
        match self.place {
            Place::Text => match &self.text.as_ref()?.lines {
                Loaded::Here(lines) => lines.get(self.scroll).map(|line| line.text.to_string()),
                Loaded::Waiting | Loaded::Failed(_) => None,
            },
            Place::Log => {
                let log = self.log.as_ref()?;
                let at = if log.follow { log.lines.len().checked_sub(1)? } else { log.top };
                log.lines.get(at).map(|line| line.text.to_string())
            }
            _ => None,
        }
    }
}
