//! Configuration files, good and bad.

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

#[test]
fn errors_name_the_file_the_line_and_what_would_be_right() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, text, said) in [
        ("unknown key", "[policy]\nread_onyl = true\n", &["read_onyl", "line 2", "read_only"][..]),
        ("unknown section", "[polcy]\n", &["polcy", "line 1"]),
        ("wrong type", "[policy]\nread_only = \"yes\"\n", &["line 2", "boolean"]),
        ("no toml", "[policy\n", &["line 1"]),
        ("tier", "[[environment]]\nname = \"x\"\ntier = \"prod\"\ncontext = \"*\"\n", &["prod", "production"]),
        ("a rule that matches nothing it names", "[[environment]]\nname = \"x\"\ntier = \"staging\"\n", &["x"]),
        ("no address", "[[prometheus.context]]\ncontext = \"*\"\n", &["prometheus.context 1", "`url` or `service`"]),
        ("two addresses", "[[prometheus.context]]\nurl = \"http://a\"\nservice = \"a/b:1\"\n", &["both"]),
        ("no scheme", "[[prometheus.context]]\nurl = \"prometheus:9090\"\n", &["http://"]),
        ("a password", "[[prometheus.context]]\nurl = \"http://a:canary-4711@b\"\n", &["no password"]),
        ("no port", "[[prometheus.context]]\nservice = \"monitoring/prometheus\"\n", &["namespace/name:port"]),
        ("a path", "[[prometheus.context]]\nservice = \"monitoring/a:1/../x\"\n", &["namespace/name:port"]),
        ("a login twice", "[[prometheus.context]]\nservice = \"a/b:1\"\ntoken_env = \"X\"\n", &["kubeconfig's login"]),
        (
            "two tokens",
            "[[prometheus.context]]\nurl = \"http://a\"\ntoken_env = \"X\"\ntoken_file = \"y\"\n",
            &["one is enough"],
        ),
        ("a header", "[[prometheus.context]]\nurl = \"http://a\"\nheaders = { \"a b\" = \"canary-4711\" }\n", &["a b"]),
        ("a limit", "[prometheus]\nlimit = 500\n", &["line 2", "percent"]),
        ("a window", "[prometheus]\nwindows = [\"5\", \"1m\"]\n", &["line 2", "30s, 5m or 1h"]),
        ("windows", "[prometheus]\nwindows = [\"1m\", \"5m\"]\n", &["long one"]),
        ("nothing is enough", "[prometheus]\nminimum = 0\n", &["at least 1"]),
        (
            "a template",
            "[[prometheus.template]]\nname = \"x\"\nerrors = \"a\"\ntotal = \"b\"\nseries = \"c\"\n",
            &["\"x\"", "[{{window}}]"],
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
