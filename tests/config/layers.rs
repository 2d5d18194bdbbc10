//! Which layer wins, and where each value is said to be from.

use std::path::{Path, PathBuf};

use flightdeck::config::{Flags, KeyPath, LayerFile, Layers, Loaded, variables};
use flightdeck::domain::text::Clean;

/// A system's file and a user's file with these texts.
fn files(folder: &Path, system: &str, user: &str) -> Vec<LayerFile> {
    let write = |(name, text): (&str, &str)| {
        let path: PathBuf = folder.join(name);
        std::fs::write(&path, text).expect("written");
        LayerFile { path, asked_for: false }
    };
    [("system.toml", system), ("user.toml", user)].map(write).to_vec()
}

fn environment(all: &[(&str, &str)]) -> Vec<(String, String)> {
    all.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn from(loaded: &Loaded, key: &str) -> String {
    let origin = loaded.origins.of(&KeyPath::new(key)).to_string();
    origin.rsplit('/').next().unwrap_or_default().to_owned()
}

#[test]
fn the_later_layer_wins_key_by_key_and_every_key_knows_where_it_is_from() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let system = "[policy]\nread_only = true\nreason_in_production = true\n[ui]\ntheme = \"light\"\n\
        [[environment]]\nname = \"a\"\ntier = \"staging\"\ncontext = \"a\"\n";
    let user = "[ui]\ntheme = \"contrast\"\n[[environment]]\nname = \"b\"\ntier = \"staging\"\ncontext = \"b\"\n\
        [kubernetes]\ncontext = \"prod\"\n";
    let mut flags = Flags::default();
    flags.switch("policy.act_on_insecure", true, "--test");
    flags.instead_of("kubernetes.context");
    flags.texts("kubernetes.contexts", &["one".to_owned(), "two".to_owned()], "--context");
    let layers = Layers {
        files: files(folder.path(), system, user),
        environment: environment(&[
            ("FLIGHTDECK_POLICY_READ_ONLY", "false"),
            ("FLIGHTDECK_PROMETHEUS_WINDOWS", "10m, 2m"),
            ("FLIGHTDECK_PROMETHEUS_LIMIT", "2.5"),
            ("FLIGHTDECK_KUBERNETES_CONTEXT", "from-env"),
            ("FLIGHTDECK_UI_THEME", ""),
            ("FLIGHTDECK_CONFIG", "/somewhere"),
            ("FLIGHTDECK_SERVICE_HOST", "10.0.0.1"),
            ("PATH", "/bin"),
        ]),
        flags,
    };
    let loaded = layers.load().unwrap_or_else(|e| panic!("{e}"));
    let config = &loaded.config;
    assert!(!config.policy.read_only && config.policy.reason_in_production && config.policy.act_on_insecure);
    assert_eq!(config.ui.theme, "contrast", "an empty variable says nothing");
    assert_eq!(config.environment.len(), 1, "a list is one value");
    assert_eq!(config.environment[0].name, "b");
    assert_eq!((config.kubernetes.context.as_deref(), config.kubernetes.contexts.len()), (None, 2));
    assert!(loaded.warnings.is_empty(), "{:?}", loaded.warnings);
    for (key, place) in [
        ("policy.read_only", "FLIGHTDECK_POLICY_READ_ONLY"),
        ("policy.reason_in_production", "system.toml:3:24"),
        ("policy.set_image_in_production", "default"),
        ("policy.act_on_insecure", "--test"),
        ("ui.theme", "user.toml:2:9"),
        ("ui.ascii", "default"),
        ("kubernetes.contexts", "--context"),
        ("prometheus.limit", "FLIGHTDECK_PROMETHEUS_LIMIT"),
    ] {
        assert_eq!(from(&loaded, key), place, "{key}");
    }
    assert_eq!(from(&loaded, "environment"), "user.toml:3:1");
}

#[test]
fn a_variable_that_is_no_key_warns_and_one_of_another_kind_is_an_error() {
    let said = |all: &[(&str, &str)]| Layers { environment: environment(all), ..Layers::default() }.load();
    let loaded = said(&[("FLIGHTDECK_UI_TEME", "dark")]).expect("it can be used");
    let warning = loaded.warnings.iter().map(ToString::to_string).collect::<String>();
    assert!(warning.contains("did you mean `FLIGHTDECK_UI_THEME`?"), "{warning}");
    for slip in ["FLIGHTDECK_POLICY_RED_ONLY", "FLIGHTDECK_READ_ONLY"] {
        let error = said(&[(slip, "true")]).expect_err("whoever wrote it would act without it").to_string();
        assert!(error.contains("did you mean `FLIGHTDECK_POLICY_READ_ONLY`?"), "{error}");
    }
    let error = said(&[("FLIGHTDECK_POLICY_READ_ONLY", "yes"), ("FLIGHTDECK_PROMETHEUS_MINIMUM", "many")])
        .expect_err("no booleans")
        .to_string();
    assert!(
        error.contains("FLIGHTDECK_POLICY_READ_ONLY: policy.read_only: is a string; it takes a boolean"),
        "{error}"
    );
    assert!(error.contains("FLIGHTDECK_PROMETHEUS_MINIMUM"), "both at once: {error}");
    let mut names: Vec<String> = variables().map(|(name, _)| name).collect();
    let all = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), all, "one variable for one key");
}

#[test]
fn what_differs_for_a_context_holds_there_until_a_variable_or_a_flag_says_otherwise() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let user = "[[context]]\nname = \"prod-*\"\npolicy.read_only = true\nkubernetes.namespace = \"shop\"\n\
        audit.required = true\n[[context]]\nname = \"*\"\npolicy.reason_in_production = true\n";
    let with = |all: &[(&str, &str)]| {
        let layers =
            Layers { files: files(folder.path(), "", user), environment: environment(all), flags: Flags::default() };
        layers.load().unwrap_or_else(|e| panic!("{e}"))
    };
    let loaded = with(&[]);
    let mandate = loaded.config.mandate(&loaded.origins);
    let at = |context: &str| mandate.at(&Clean::new(context)).into_owned();
    let (prod, other) = (at("prod-eu"), at("staging"));
    assert!(prod.read_only && prod.audit_required && !prod.reason_in_production, "the first that matches: {prod:?}");
    assert!(prod.read_only_by.contains("prod-*") && prod.read_only_by.contains("user.toml:3:20"), "{prod:?}");
    assert!(!other.read_only && !other.audit_required && other.reason_in_production, "{other:?}");
    let here = loaded.config.at("prod-eu");
    assert_eq!((here.kubernetes.namespace.as_deref(), here.context.len()), (Some("shop"), 0));
    assert_eq!(loaded.config.at("staging").kubernetes.namespace, None);
    let entry = |loaded: &Loaded, context: &str, key: &str| {
        let all = loaded.entries(Some(context));
        let found = all.into_iter().find(|e| e.key.to_string() == key).expect("the key");
        (found.value.to_string(), found.origin.to_string().rsplit('/').next().unwrap_or_default().to_owned())
    };
    assert_eq!(entry(&loaded, "prod-eu", "policy.read_only"), ("true".into(), "user.toml:3:20".into()));
    assert_eq!(entry(&loaded, "staging", "policy.read_only"), ("false".into(), "default".into()));
    let said = with(&[("FLIGHTDECK_POLICY_READ_ONLY", "false")]);
    assert_eq!(entry(&said, "prod-eu", "policy.read_only"), ("false".into(), "FLIGHTDECK_POLICY_READ_ONLY".into()));
    assert_eq!(entry(&said, "prod-eu", "audit.required").0, "true", "the rest of the rule stands");
}

#[test]
fn secrets_are_in_nothing_that_prints() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let user = "[[prometheus.context]]\nurl = \"http://a\"\nheaders = { Authorization = \"Bearer canary-4711\" }\n";
    let layers = Layers { files: files(folder.path(), "", user), ..Layers::default() };
    let loaded = layers.load().expect("sound");
    let shown = format!("{:?} {:?} {:?}", loaded.entries(None), loaded.config, loaded.origins);
    assert!(!shown.contains("canary-4711") && shown.contains("***"), "{shown}");
}
