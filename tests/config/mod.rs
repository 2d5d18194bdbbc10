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
        ("label", "[[environment]]\nname = \"x\"\ntier = \"staging\"\nlabel = \"tier\"\n", &["label", "="]),
    ] {
        let path = folder.path().join("config.toml");
        std::fs::write(&path, text).expect("written");
        let error = config::load(&path, true).expect_err(name).to_string();
        assert!(error.contains("config.toml"), "{name}: {error}");
        for word in said {
            assert!(error.contains(word), "{name}: {word:?} in {error}");
        }
    }
}
