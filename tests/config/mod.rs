//! Configuration files, good and bad.

mod layers;
mod reload;
mod verbs;

use std::path::Path;

use flightdeck::config;

#[test]
fn the_example_loads_and_its_commented_keys_are_keys() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("config.example.toml");
    config::load(&path, true).unwrap_or_else(|e| panic!("{e}"));
    let text = std::fs::read_to_string(&path).expect("the example");
    // `# key = value` is the default, or an example of a value.
    let open: String = text
        .lines()
        .map(|line| match line.strip_prefix("# ") {
            Some(rest)
                if rest
                    .split_once(" = ")
                    .is_some_and(|(key, _)| key.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')) =>
            {
                rest
            }
            _ => line,
        })
        .fold(String::new(), |all, line| all + line + "\n");
    assert_ne!(open, text);
    config::parse(&open).unwrap_or_else(|e| panic!("{e}\n{open}"));
}

#[test]
fn no_file_is_fine_unless_it_was_asked_for() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let missing = folder.path().join("config.toml");
    assert!(config::load(&missing, false).is_ok());
    let error = config::load(&missing, true).expect_err("it was asked for").to_string();
    assert!(error.contains("config.toml"), "{error}");
}

/// Every key of the example, commented or not, with its section: `prometheus.context.url`.
fn keys_of(example: &str) -> std::collections::BTreeSet<String> {
    let mut section = String::new();
    let mut found = std::collections::BTreeSet::new();
    for line in example.lines() {
        let line = line.trim_start_matches(['#', ' ']);
        let line = line.strip_prefix("or ").unwrap_or(line);
        if let Some(header) = line.strip_prefix('[') {
            header.trim_matches(['[', ']']).clone_into(&mut section);
        } else if let Some((key, _)) = line.split_once(" = ")
            && key.bytes().all(|b| b.is_ascii_lowercase() || matches!(b, b'_' | b'.'))
        {
            found.insert(format!("{section}.{key}"));
        }
    }
    found
}

#[test]
fn the_example_has_every_key() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("config.example.toml");
    let text = std::fs::read_to_string(&path).expect("the example");
    assert!(text.starts_with("#:schema "), "editors look for it in the first line");
    let there = keys_of(&text);
    let missing: Vec<String> = config::leaves()
        .iter()
        .map(|leaf| leaf.dotted().replace("[]", "").replace(".*", ""))
        .filter(|key| key != "keys" && !there.contains(key))
        .collect();
    assert!(missing.is_empty(), "not in config.example.toml: {missing:?}");
}

#[test]
fn the_schema_in_assets_is_that_of_the_program() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/config.schema.json");
    let text = std::fs::read_to_string(&path).expect("the schema");
    let stored: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(&stored, config::schema(), "flightdeck config schema > assets/config.schema.json");
    for leaf in config::leaves().iter().filter(|leaf| !leaf.in_list()) {
        let described = config::describe(&config::KeyPath::new(&leaf.dotted()));
        assert!(described.is_some_and(|text| !text.is_empty()), "{} is not described", leaf.dotted());
    }
}

#[test]
fn every_error_of_a_file_is_said_at_once_where_it_stands_with_the_nearest_word() {
    let text = "read_only = true\n[policy]\nread_onyl = true\nreason_in_production = \"yes\"\n\
        [[environment]]\nname = \"x\"\ntier = \"prod\"\ncontxt = \"*\"\n\
        [prometheus]\nlimit = 500\nminimum = -3\nwindows = [\"5\", \"1m\"]\n\
        [[prometheus.template]]\nname = \"a\"\nerors = \"x\"\n\
        [[context]]\nname = \"p\"\npolicy.readonly = true\n\
        [zebra]\n";
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("config.toml");
    std::fs::write(&path, text).expect("written");
    let said = config::load(&path, true).expect_err("it is full of errors").to_string();
    let said: Vec<&str> =
        said.lines().map(|line| line.trim().rsplit_once("config.toml:").expect("a place").1).collect();
    let expected = [
        "1:1: read_only: unknown key; did you mean `policy.read_only`?",
        "3:1: policy.read_onyl: unknown key; did you mean `read_only`?",
        "4:24: policy.reason_in_production: is a string; it takes a boolean: true or false",
        "7:8: environment[0].tier: \"prod\" is none of production, staging, development; did you mean `production`?",
        "8:1: environment[0].contxt: unknown key; did you mean `context`?",
        "10:9: prometheus.limit: is 500; it takes 0.01 to 100, in percent",
        "11:11: prometheus.minimum: is a negative number; it takes a whole number, 0 or more",
        "12:12: prometheus.windows[0]: \"5\": write a length of time as 30s, 5m or 1h, up to a day",
        "13:1: prometheus.template[0]: needs `errors`",
        "13:1: prometheus.template[0]: needs `total`",
        "13:1: prometheus.template[0]: needs `series`",
        "15:1: prometheus.template[0].erors: unknown key; did you mean `errors`?",
        "18:8: context[0].policy.readonly: unknown key; did you mean `read_only`?",
    ];
    assert_eq!(said[..expected.len()], expected, "{said:#?}");
    let rest = &said[expected.len()..];
    assert!(rest.len() == 1 && rest[0].starts_with("19:2: zebra: unknown key; known here: "), "{rest:?}");
}

#[test]
fn errors_name_the_file_the_line_and_what_would_be_right() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, text, said) in [
        ("unknown key", "[policy]\nread_onyl = true\n", &["2:1", "read_onyl", "read_only"][..]),
        ("unknown section", "[polcy]\n", &["1:2", "polcy", "`policy`"]),
        ("wrong type", "[policy]\nread_only = \"yes\"\n", &["2:13", "boolean"]),
        ("no toml", "[policy\n", &["1:8"]),
        ("tier", "[[environment]]\nname = \"x\"\ntier = \"prod\"\ncontext = \"*\"\n", &["prod", "production"]),
        ("a rule that matches nothing it names", "[[environment]]\nname = \"x\"\ntier = \"staging\"\n", &["x"]),
        (
            "no address",
            "[[prometheus.context]]\ncontext = \"*\"\n",
            &["1:1", "prometheus.context[0]", "`url` or `service`"],
        ),
        (
            "two addresses",
            "[[prometheus.context]]\nurl = \"http://a\"\nservice = \"a/b:1\"\n",
            &["3:11", "beside `url`"],
        ),
        ("no scheme", "[[prometheus.context]]\nurl = \"prometheus:9090\"\n", &["http://"]),
        ("a password", "[[prometheus.context]]\nurl = \"http://a:canary-4711@b\"\n", &["no password"]),
        (
            "half a login in a line that is no TOML",
            "[[prometheus.context]]\nheaders = { A = \"canary-4711 }\n",
            &["2:"],
        ),
        (
            "a placeholder",
            "[[prometheus.template]]\nname = \"x\"\nerrors = 'a{n=\"{{namspace}}\"}[{{window}}]'\ntotal = \"b[{{window}}]\"\nseries = \"c\"\n",
            &["3:10", "did you mean `namespace`?"],
        ),
        ("no port", "[[prometheus.context]]\nservice = \"monitoring/prometheus\"\n", &["namespace/name:port"]),
        ("a path", "[[prometheus.context]]\nservice = \"monitoring/a:1/../x\"\n", &["namespace/name:port"]),
        ("a login twice", "[[prometheus.context]]\nservice = \"a/b:1\"\ntoken_env = \"X\"\n", &["kubeconfig's login"]),
        (
            "two tokens",
            "[[prometheus.context]]\nurl = \"http://a\"\ntoken_env = \"X\"\ntoken_file = \"y\"\n",
            &["one is enough"],
        ),
        ("a header", "[[prometheus.context]]\nurl = \"http://a\"\nheaders = { \"a b\" = \"canary-4711\" }\n", &["a b"]),
        ("a limit", "[prometheus]\nlimit = 500\n", &["2:9", "percent"]),
        ("a window", "[prometheus]\nwindows = [\"5\", \"1m\"]\n", &["2:12", "30s, 5m or 1h"]),
        ("windows", "[prometheus]\nwindows = [\"1m\", \"5m\"]\n", &["long one"]),
        ("nothing is enough", "[prometheus]\nminimum = 0\n", &["at least 1"]),
        (
            "a template",
            "[[prometheus.template]]\nname = \"x\"\nerrors = \"a\"\ntotal = \"b\"\nseries = \"c\"\n",
            &["3:10", "[{{window}}]"],
        ),
        ("label", "[[environment]]\nname = \"x\"\ntier = \"staging\"\nlabel = \"tier\"\n", &["label", "="]),
    ] {
        let path = folder.path().join("config.toml");
        std::fs::write(&path, text).expect("written");
        let error = config::load(&path, true).expect_err(name).to_string();
        assert!(error.contains("config.toml"), "{name}: {error}");
        assert!(!error.contains("canary-4711"), "{name}: {error}");
        for word in said {
            assert!(error.contains(word), "{name}: {word:?} in {error}");
        }
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(512))]

    /// Whatever stands in a file: an answer, and never a crash.
    #[test]
    fn no_text_makes_the_reading_crash(pieces in proptest::collection::vec(PIECES, 0..24)) {
        let _ = config::parse(&pieces.concat());
    }
}

/// Bits of configurations, whole and broken.
const PIECES: &str = "\\[\\[?(policy|environment|prometheus\\.context|context|keys|ui)\\]?\\]?\n|\
    (name|tier|url|windows|limit|read_only|headers|policy\\.read_only) = |\
    \"[a-zé*=/:{}\\\\]{0,6}\"?\n|true\n|-?[0-9_.e]{1,20}\n|1979-05-27\n|[\\[\\]{},=#'\n]{1,3}";
