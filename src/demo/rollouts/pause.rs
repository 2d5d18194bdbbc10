//! What becomes of pauses and of an abort by the end of one look.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::demo::store::time;

/// What one look decides about pauses and the abort.
#[derive(Clone, Debug, Default)]
pub(super) struct Pause {
    pub add: Vec<&'static str>,
    pub remove: Vec<&'static str>,
    pub clear: bool,
    /// An abort, with what is said of it.
    pub abort: Option<String>,
    pub remove_abort: bool,
}

impl Pause {
    pub(super) fn aborted(&self, flag: bool) -> bool {
        !self.remove_abort && (flag || self.abort.is_some())
    }

    /// Writes pauses and abort into `status`, from those of `old`.
    pub(super) fn apply(&self, old: &Value, status: &mut Value, now: Timestamp) {
        for field in ["pauseConditions", "controllerPause", "abort", "abortedAt"] {
            status[field] = Value::Null;
        }
        if self.abort.is_some() || self.aborted(old["abort"] == true) {
            status["abort"] = true.into();
            let since = &old["abortedAt"];
            status["abortedAt"] = if since.is_null() { time(now).into() } else { since.clone() };
            return;
        }
        if self.clear {
            return;
        }
        let mut controller = old["controllerPause"] == true;
        let before = old["pauseConditions"].as_array().cloned().unwrap_or_default();
        let mut all: Vec<Value> =
            before.iter().filter(|c| !self.remove.iter().any(|reason| c["reason"] == *reason)).cloned().collect();
        for reason in &self.add {
            if !before.iter().any(|c| c["reason"] == *reason) {
                all.push(json!({"reason": reason, "startTime": time(now)}));
                controller = true;
            }
        }
        if !all.is_empty() {
            status["pauseConditions"] = Value::Array(all);
            status["controllerPause"] = controller.into();
        }
    }
}
