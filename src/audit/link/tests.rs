//! What is read quickly is what the decoder of records reads.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::domain::record::{
    ActorRecord, Draft, OutcomeRecord, PlanRecord, PlanStepRecord, RequestRecord, TargetRecord,
};

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z/.-]{0,8}", Just("„quiet“ \u{1b}\"\\\u{e9}\u{1f680}".to_owned())]
}

fn texts() -> impl Strategy<Value = BTreeMap<String, String>> {
    proptest::collection::btree_map(text(), text(), 0..3)
}

fn maybe<T: std::fmt::Debug + Clone>(of: impl Strategy<Value = T>) -> impl Strategy<Value = Option<T>> {
    proptest::option::of(of)
}

fn target() -> impl Strategy<Value = TargetRecord> {
    (text(), text(), text()).prop_map(|(cluster, name, uid)| TargetRecord {
        cluster,
        name,
        uid,
        kind: "Rollout".to_owned(),
        ..TargetRecord::default()
    })
}

fn draft() -> impl Strategy<Value = Draft> {
    let kinds = [
        RecordKind::Intent,
        RecordKind::Outcome,
        RecordKind::Refusal,
        RecordKind::Plan,
        RecordKind::PlanEnd,
        RecordKind::Recovered,
        RecordKind::Segment,
    ];
    let actor = (text(), maybe(any::<u32>()), maybe(text()), proptest::collection::vec(text(), 0..3), texts())
        .prop_map(|(os_user, os_uid, kube_user, kube_groups, proof)| ActorRecord {
            os_user,
            os_uid,
            kube_user,
            kube_groups,
            proof,
            face: "tui".to_owned(),
        });
    let request = (text(), text()).prop_map(|(path, body)| RequestRecord {
        method: "PATCH".to_owned(),
        path,
        content_type: "application/json".to_owned(),
        body,
    });
    let step = (text(), maybe(target()), texts(), maybe(text())).prop_map(|(title, target, params, only_on)| {
        PlanStepRecord { title, op: "resume".to_owned(), target, params, only_on }
    });
    let outcome =
        (text(), texts()).prop_map(|(detail, evidence)| OutcomeRecord { word: "done".to_owned(), detail, evidence });
    let plan = (text(), any::<u32>()).prop_map(|(id, of)| PlanRecord { id, step: 1, of });
    let about = (proptest::sample::select(kinds.to_vec()), text(), actor, maybe(target()), texts());
    let acts = (
        proptest::collection::vec(request, 0..2),
        maybe(outcome),
        maybe(plan),
        proptest::collection::vec(step, 0..2),
        texts(),
    );
    (about, acts, maybe(text()), any::<bool>()).prop_map(
        |((kind, act, actor, target, seen), (requests, outcome, plan, steps, params), more, late)| Draft {
            act,
            actor,
            target,
            seen,
            requests,
            outcome,
            plan,
            steps,
            params,
            late,
            reason: more.clone(),
            digest: more.clone(),
            policy: more.clone(),
            meant_for: more.clone(),
            late_because: more,
            ..Draft::new(kind)
        },
    )
}

fn line() -> impl Strategy<Value = Vec<u8>> {
    (draft(), any::<u64>(), text()).prop_map(|(said, seq, prev)| {
        let record = Record {
            v: 1,
            seq,
            ts: "1970-01-01T00:00:00Z".to_owned(),
            boot_id: "boot".to_owned(),
            boottime_ns: "1".to_owned(),
            pid: 1,
            host: "host".to_owned(),
            instance: "one".to_owned(),
            program: "0".to_owned(),
            said,
            prev,
        };
        let mut line = super::super::chain::line(&record).expect("short enough");
        line.pop();
        line
    })
}

/// Something that may stand where it should not.
fn piece() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(vec![
        "null",
        "{}",
        "[]",
        "1e999",
        "-0",
        "1.0",
        "\"\\ud800\"",
        "\"x\":1e999,",
        "\"x\":\"\\ud800\",",
        "\"seq\":1,",
        "\"act\":\"\",",
        "\"kind\":\"segment\",",
        "{\"intent\":null}",
        "[\"a\",\"b\"]",
        " ",
        ",",
        "\"",
        "}",
        "{",
    ])
}

/// Where it was read quickly, the decoder of records says the same.
fn agrees(line: &[u8]) -> Result<bool, TestCaseError> {
    let Some(quick) = quick(line) else { return Ok(false) };
    let slow = Record::read(line).map(|(link, _)| (link.seq, link.prev.into_owned(), link.begins));
    prop_assert_eq!(slow.ok(), Some((quick.seq, quick.prev.into_owned(), quick.begins)));
    Ok(true)
}

proptest! {
    #[test]
    fn what_we_write_is_read_quickly(line in line()) {
        prop_assert!(agrees(&line)?, "{}", String::from_utf8_lossy(&line));
    }

    #[test]
    fn what_was_changed_is_read_as_the_decoder_reads_it(
        line in line(),
        at in any::<proptest::sample::Index>(),
        end in any::<proptest::sample::Index>(),
        byte in any::<u8>(),
        piece in piece(),
    ) {
        let at = at.index(line.len());
        let mut flipped = line.clone();
        flipped[at] = byte;
        agrees(&flipped)?;
        let mut cut = line.clone();
        cut.remove(at);
        agrees(&cut)?;
        // In the place of a whole value, or before a key.
        let text = String::from_utf8(line).expect("text");
        let places: Vec<usize> = text.match_indices([':', ',', '{', '[']).map(|(at, _)| at + 1).collect();
        let from = places[at % places.len()];
        let until = text[from..].find([',', '}', ']']).map_or(text.len(), |end| from + end);
        agrees(format!("{}{piece}{}", &text[..from], &text[from..]).as_bytes())?;
        agrees(format!("{}{piece}{}", &text[..from], &text[until..]).as_bytes())?;
        let end = places[end.index(places.len())];
        agrees(format!("{}{}", &text[..from.min(end)], &text[from.max(end)..]).as_bytes())?;
    }
}

#[test]
fn what_is_not_as_we_write_it_is_left_to_the_decoder() {
    let line = r#"{"actor":{"face":"tui","osUser":"o"},"bootId":"b","boottimeNs":"1","host":"h","instance":"i","kind":"intent","pid":1,"prev":"p","program":"x","seq":7,"ts":"t","v":1}"#;
    let link = quick(line.as_bytes()).expect("as we write it");
    assert_eq!(link, Link { seq: 7, prev: "p".into(), begins: false });
    for (from, to) in [
        ("\"v\":1", "\"v\":1,\"new\":1e999"),
        ("\"v\":1", "\"v\":1,\"new\":\"\\ud800\""),
        ("\"face\":\"tui\"", "\"face\":\"tui\",\"new\":1e999"),
        ("\"kind\":\"intent\"", "\"kind\":{\"intent\":null}"),
        ("\"kind\":\"intent\"", "\"kind\":\"another\""),
        ("\"seq\":7", "\"seq\":7,\"seq\":8"),
        ("\"pid\":1", "\"pid\":-1"),
        ("\"host\":\"h\"", "\"host\":null"),
        ("{\"actor\"", "[{\"actor\""),
    ] {
        let other = line.replace(from, to);
        assert_ne!(other, line);
        assert_eq!(quick(other.as_bytes()), None, "{other}");
    }
    // Of a newer program, and a record all the same.
    let newer = line.replace("\"v\":1", "\"v\":1,\"new\":1");
    assert_eq!(<() as Keep>::read(newer.as_bytes()).expect("a record").0.seq, 7);
}
