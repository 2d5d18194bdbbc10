//! Records of the audit log as the screen shows them. The log is a file that anybody may have written to: its text is
//! cleaned like any other from outside.

use jiff::{RoundMode, Timestamp, TimestampRound, Unit};

use super::state::RecordLine;
use crate::domain::record::ActorRecord;
use crate::domain::text::Clean;
use crate::runtime::handle::{StoredRecord, VerifyReport};

/// How verbs are called so that they see this log and these clusters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verbs {
    /// The program with the flags that are needed.
    pub call: String,
    /// The clusters are there only as long as this cockpit.
    pub while_open: bool,
}

/// What a verification says that ended at `at`, and whether the log held then.
pub(super) fn verified(report: &VerifyReport, at: Timestamp, verbs: &Verbs) -> (bool, String) {
    let at = at.strftime("%H:%M:%SZ");
    let what = match report.findings.first() {
        None => {
            let unproven = format!("holds at {at}: {} records; not proven: {}", report.records, report.not_proven);
            if report.not_proven.contains("witness") {
                format!("{unproven}; {}", verbs.ask_witness())
            } else {
                unproven
            }
        }
        Some(found) => {
            format!(
                "DOES NOT HOLD at {at}: {} places, the first in {} line {}: {}",
                report.findings.len(),
                found.file,
                found.line,
                found.why
            )
        }
    };
    (report.holds(), what)
}

impl Verbs {
    /// The verb that asks a witness, which no key does.
    fn ask_witness(&self) -> String {
        let only = if self.while_open { "in another terminal, while this cockpit is open, " } else { "" };
        format!("{only}`{} audit verify --witness cluster` asks one", self.call)
    }
}

/// The longest line of a record that is shown.
const LONGEST: usize = 1 << 16;

/// One line of the list, and what its detail needs.
pub(super) fn record(stored: &StoredRecord) -> RecordLine {
    let said = &stored.record.said;
    let outcome = said.outcome.as_ref().map_or_else(
        || said.reason.clone().unwrap_or_default(),
        |outcome| format!("{}: {}", outcome.word, outcome.detail),
    );
    let target = said.target.as_ref();
    let plan = said.plan.as_ref().map_or_else(String::new, |plan| match plan.step {
        0 => plan.id.clone(),
        step => format!("{}, step {step} of {}", plan.id, plan.of),
    });
    RecordLine {
        seq: stored.record.seq,
        act: clean(&said.act),
        ts: time(&stored.record.ts),
        kind: said.kind.as_str(),
        op: clean(&said.op),
        target: target.map_or_else(String::new, |t| clean(&format!("{}/{}", t.namespace, t.name))),
        cluster: target.map_or_else(String::new, |t| clean(&t.cluster)),
        context: target.map_or_else(String::new, |t| clean(&t.context)),
        by: clean(said.actor.kube_user.as_ref().unwrap_or(&said.actor.os_user)),
        who: clean(&who(&said.actor)),
        plan: clean(&plan),
        reason: clean(said.reason.as_deref().unwrap_or_default()),
        outcome: clean(&outcome),
        whole: whole(stored),
    }
}

fn clean(text: &str) -> String {
    Clean::new(text).to_string()
}

/// To the second, cut off: what is rounded up is not yet.
fn time(ts: &str) -> String {
    let cut = TimestampRound::new().smallest(Unit::Second).mode(RoundMode::Trunc);
    let parsed = ts.parse::<Timestamp>();
    parsed.map_or_else(|_| clean(ts), |ts| ts.round(cut).unwrap_or(ts).to_string())
}

fn whole(stored: &StoredRecord) -> String {
    let text = serde_json::to_string_pretty(&stored.record).unwrap_or_else(|e| e.to_string());
    text.lines().map(|line| Clean::long(line, LONGEST).to_string()).collect::<Vec<_>>().join("\n")
}

/// Each name with how it is known.
fn who(actor: &ActorRecord) -> String {
    let proof = |field: &str| actor.proof.get(field).map_or_else(String::new, |how| format!(" ({how})"));
    let user = format!("{}{}", actor.os_user, proof("osUser"));
    let kube = actor.kube_user.as_ref().map(|name| format!("{name}{}, as ", proof("kubeUser")));
    format!("{}{user}, by {}", kube.unwrap_or_default(), actor.face)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_witness_is_asked_by_a_verb_that_reaches_it() {
        let report = VerifyReport {
            records: 3,
            not_proven: "whether records were cut off: that cannot be detected without a witness",
            ..VerifyReport::default()
        };
        let says = |call: &str, while_open| {
            verified(&report, Timestamp::UNIX_EPOCH, &Verbs { call: call.to_owned(), while_open }).1
        };
        let usual = says("flightdeck", false);
        assert!(usual.starts_with("holds at 00:00:00Z: 3 records; not proven: "), "{usual}");
        assert!(usual.ends_with("a witness; `flightdeck audit verify --witness cluster` asks one"), "{usual}");
        let brief = says("flightdeck --kubeconfig k", true);
        let wanted = "; in another terminal, while this cockpit is open, `flightdeck --kubeconfig k audit verify --witness \
                      cluster` asks one";
        assert!(brief.ends_with(wanted), "{brief}");
    }

    #[test]
    fn what_somebody_wrote_into_the_file_is_cleaned() {
        let bad = "x\u{1b}]52;c;eA==\u{7}\u{202e}";
        let record = serde_json::json!({
            "v": 1, "seq": 7, "ts": bad, "bootId": "", "boottimeNs": "", "pid": 1, "host": bad, "instance": "",
            "program": "", "prev": "", "kind": "outcome", "act": bad, "op": bad, "reason": bad,
            "actor": { "osUser": bad, "kubeUser": bad, "proof": { "kubeUser": bad }, "face": "tui" },
            "target": { "cluster": bad, "context": bad, "namespace": bad, "kind": "Rollout", "name": bad, "uid": "" },
            "outcome": { "word": bad, "detail": bad }, "plan": { "id": bad, "step": 2, "of": 3 },
        });
        let record = serde_json::from_value(record).expect("a record");
        let stored = StoredRecord { record, file: String::new(), line: 1, leaf: String::new() };
        let line = super::record(&stored);
        assert!(line.plan.ends_with("step 2 of 3") && line.who.ends_with("by tui"));
        let RecordLine {
            seq: _,
            kind: _,
            act,
            ts,
            op,
            target,
            cluster,
            context,
            by,
            who,
            plan,
            reason,
            outcome,
            whole,
        } = line;
        for text in [act, ts, op, target, cluster, context, by, who, plan, reason, outcome, whole] {
            assert!(!text.is_empty());
            assert!(!text.chars().any(|c| (c.is_control() && c != '\n') || c == '\u{202e}'), "{text:?}");
        }
    }
}
