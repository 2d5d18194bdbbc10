//! Handing records out and checking what was handed out.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};

use super::demo;

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn an_export_is_a_new_private_file_that_verifies_anywhere() {
    let (_world, folder, program) = demo().await;
    for target in ["shop/payments", "other/payments", "shop/payments"] {
        program.run(&["--read-only", "resume", target, "--yes"]).expect(3);
    }
    let file = folder.path().join("export.jsonl");
    let path = file.to_str().expect("a path");
    let said = program.run(&["audit", "export", "--out", path]).expect(0);
    assert!(said.out.is_empty() && said.err.contains("4 records (0 withheld), 1 to 4"), "{said:?}");
    assert_eq!(std::fs::metadata(&file).expect("a file").permissions().mode() & 0o777, 0o600);
    let again = program.run(&["audit", "export", "--out", path]).expect(1);
    assert!(again.err.contains("--force"), "{again:?}");

    let held = program.run(&["audit", "verify", "--file", path]).expect(0);
    assert!(held.out.contains("holds: 4 records") && held.out.contains("the end of the log then"), "{held:?}");
    let held = program.run(&["audit", "verify", "--file", path, "-o", "json"]).expect(0).json();
    assert_eq!((&held["kind"], &held["holds"]), (&json!("AuditExportVerification"), &json!(true)));

    let one = &["audit", "export", "--target", "other/payments", "--out", path, "--force"];
    program.run(one).expect(0);
    let text = std::fs::read_to_string(&file).expect("the export");
    assert!(!text.contains("\"namespace\":\"shop\""), "what was not asked for is withheld: {text}");
    program.run(&["audit", "verify", "--file", path]).expect(0);
    std::fs::write(&file, text.replacen("\"refusal\"", "\"outcome\"", 1)).expect("written");
    let changed = program.run(&["audit", "verify", "--file", path]).expect(9);
    assert!(changed.out.contains("DOES NOT HOLD"), "{changed:?}");
    program.run(&["audit", "verify", "--file", "/nowhere"]).expect(10);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn an_export_to_the_standard_output_is_lines_or_a_table() {
    let (_world, _folder, program) = demo().await;
    program.run(&["--read-only", "resume", "shop/payments", "--yes"]).expect(3);
    let lines = program.run(&["audit", "export"]).expect(0).out;
    let lines: Vec<Value> = lines.lines().map(|l| serde_json::from_str(l).expect("JSON")).collect();
    assert_eq!((lines.len(), &lines[0]["format"]), (3, &json!("flightdeck-audit-export")));
    let table = program.run(&["audit", "export", "--format", "csv"]).expect(0).out;
    assert_eq!(table.lines().count(), 4, "{table}");
    let none = program.run(&["audit", "export", "--until", "2020-01-01"]).expect(0).out;
    assert_eq!(none.lines().count(), 1, "{none}");
    program.run(&["audit", "export", "--since", "whenever"]).expect(2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn records_that_never_reached_the_log_are_printed_at_the_end() {
    let (_world, _folder, program) = demo().await;
    program.run(&["--read-only", "resume", "shop/payments", "--yes"]).expect(3);
    let folder = program.state.path().join("state/audit");
    std::fs::remove_dir_all(&folder).expect("removed");
    std::fs::write(&folder, "no folder").expect("written");
    let refused = program.run(&["resume", "shop/payments", "--yes"]).expect(3);
    assert!(refused.err.contains("NOT in the audit log"), "{refused:?}");
    let line = refused.err.lines().find(|l| l.starts_with('{')).expect("the record");
    let record: Value = serde_json::from_str(line).expect("JSON");
    assert_eq!((&record["late"], &record["kind"]), (&json!(true), &json!("refusal")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn the_demo_world_is_a_witness_too_and_remembers_what_passed_here() {
    let (_world, _folder, program) = demo().await;
    let since = jiff::Timestamp::now().checked_sub(jiff::SignedDuration::from_secs(1)).expect("a time").to_string();
    program.run(&["resume", "shop/payments", "--yes"]).expect(0);
    let whole = program.run(&["audit", "verify", "--witness", "cluster"]).expect(0);
    assert!(whole.out.contains("nothing was cut off"), "{whole:?}");
    let account =
        program.run(&["audit", "reconcile", "shop/payments", "--since", &since, "-o", "json"]).expect(0).json();
    let found = account["targets"][0]["found"].as_array().expect("a list").clone();
    assert!(found.iter().any(|f| f["side"] == "recorded" && f["who"] == "flightdeck"), "{found:#?}");
    let file = program.state.path().join("state/audit/audit-000001.jsonl");
    let text = std::fs::read_to_string(&file).expect("the log");
    let cut: String = text.split_inclusive('\n').take(1).collect();
    std::fs::write(&file, cut).expect("written");
    program.run(&["audit", "verify"]).expect(0);
    let cut = program.run(&["audit", "verify", "--witness", "cluster"]).expect(9).out;
    assert!(cut.contains("IS MISSING") && cut.contains("NOT WHOLE") && !cut.contains("nothing was cut off"), "{cut}");
    let account = program.run(&["audit", "reconcile", "shop/payments", "--since", &since]).expect(1);
    assert!(account.out.contains("this log told the cluster"), "{account:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn the_list_keeps_reasons_and_outcomes_apart_and_finds_the_demos_log() {
    let (_world, _folder, program) = demo().await;
    let fresh = program.run(&["audit", "verify"]).expect(0).out;
    assert!(fresh.contains("there are no records yet") && !fresh.contains("head "), "{fresh}");
    // What a demo in this state directory left.
    let demos = program.state.path().join("state/demo/audit");
    std::fs::create_dir_all(&demos).expect("a folder");
    std::fs::write(demos.join("audit-000001.jsonl"), "").expect("a file");
    let empty = program.run(&["audit", "list"]).expect(0);
    assert!(empty.out.contains("no records") && empty.err.contains("state/demo audit list"), "{empty:?}");
    program.run(&["resume", "shop/payments", "--yes", "--reason", "error rate is flat"]).expect(0);
    let list = program.run(&["audit", "list"]).expect(0);
    assert!(!list.err.contains("demo"), "{list:?}");
    let heading = list.out.lines().next().expect("a heading");
    let column =
        |line: &str, title: &str| line.chars().skip(heading.find(title).expect("a column")).collect::<String>();
    let intent = list.out.lines().find(|line| line.contains(" intent ")).expect("an intent");
    assert!(column(intent, "OUTCOME").starts_with("   "), "an intent has no outcome: {}", list.out);
    assert!(column(intent, "REASON").starts_with("error rate is flat"), "{}", list.out);
}
