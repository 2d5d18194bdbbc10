//! `config …`, and what a context's own policy does to a verb.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::json;

use crate::program::Program;
use crate::scripted::Server;

fn program() -> Program {
    Program::new(std::path::Path::new("/nowhere/kubeconfig"), None)
}

/// The user's file of a program.
fn user_file(program: &Program) -> std::path::PathBuf {
    let at = program.run(&["config", "path"]).expect(0).out;
    let path = std::path::PathBuf::from(at.trim());
    assert!(path.starts_with(program.state.path()), "{}", path.display());
    path
}

#[test]
fn a_configuration_is_begun_shown_and_checked() {
    let program = program();
    let path = user_file(&program);
    program.run(&["config", "init"]).expect(0);
    let begun = fs::read_to_string(&path).expect("the file");
    assert!(begun.starts_with("#:schema ./config.schema.json\n"), "{begun}");
    assert!(path.with_file_name("config.schema.json").exists());
    let again = program.run(&["config", "init"]).expect(1);
    assert!(again.err.contains("is there already"), "{again:?}");
    assert_eq!(fs::read_to_string(&path).expect("the file"), begun, "left alone");
    let changed = program.run(&["config", "show", "--changed"]).expect(0);
    assert_eq!(changed.out, "", "what was begun changes nothing");
    let sound = program.run(&["config", "check"]).expect(0);
    assert!(sound.out.contains("sound") && sound.out.contains("config.toml"), "{sound:?}");
    let edited = format!("{begun}\n[log]\nlevel = \"debug\"\n").replace("\n[log]\n# level", "\n# level");
    fs::write(&path, edited).expect("written");
    let shown = program.run(&["config", "show", "-o", "json", "--read-only"]).expect(0).json();
    assert_eq!((&shown["apiVersion"], &shown["kind"]), (&json!("flightdeck/v1alpha1"), &json!("Configuration")));
    let key = |name: &str| {
        let keys = shown["keys"].as_array().expect("keys");
        keys.iter().find(|k| k["key"] == name).unwrap_or_else(|| panic!("{name} in {shown:#}")).clone()
    };
    assert_eq!(key("log.level")["value"], "debug");
    assert_eq!(key("log.level")["origin"]["path"], path.to_str().expect("a path"));
    assert!(key("log.level")["origin"]["line"].is_u64());
    assert_eq!(key("policy.read_only")["origin"], json!({"kind": "flag", "name": "--read-only"}));
    assert_eq!(key("ui.mouse")["origin"], json!({"kind": "default"}));
}

#[test]
fn the_check_says_errors_and_warnings_apart() {
    let program = program();
    let path = program.state.path().join("mine.toml");
    let token = program.state.path().join("token");
    fs::write(&token, "canary-4711").expect("written");
    let text = format!(
        "[[environment]]\nname = \"a\"\ntier = \"staging\"\ncontext = \"stag*\"\n\
         [[environment]]\nname = \"b\"\ntier = \"staging\"\ncontext = \"staging-eu\"\n\
         [[prometheus.context]]\nurl = \"http://a\"\ntoken_file = \"{}\"\nca_file = \"/nowhere/ca.pem\"\n\
         [[prometheus.context]]\nurl = \"http://b\"\ntoken_env = \"NOT_THERE\"\n\
         [[prometheus.target]]\ntarget = \"*\"\ntemplate = \"istio-servce\"\n",
        token.display()
    );
    fs::write(&path, &text).expect("written");
    fs::set_permissions(&token, fs::Permissions::from_mode(0o644)).expect("permissions");
    let file = path.to_str().expect("a path");
    let checked = program.run(&["config", "check", file, "-o", "json"]).expect(0).json();
    assert_eq!((&checked["kind"], &checked["errors"]), (&json!("ConfigCheck"), &json!([])));
    let warnings: Vec<String> = checked["warnings"]
        .as_array()
        .expect("warnings")
        .iter()
        .map(|w| format!("{}: {}", w["at"]["line"], w["why"].as_str().expect("a reason")))
        .collect();
    let said =
        |line: u64, words: &str| warnings.iter().any(|w| w.starts_with(&format!("{line}: ")) && w.contains(words));
    assert!(said(5, "never counts: environment[0]"), "{warnings:#?}");
    assert!(said(11, "everyone on this machine can read"), "{warnings:#?}");
    assert!(said(12, "/nowhere/ca.pem"), "{warnings:#?}");
    assert!(said(13, "never counts: prometheus.context[0]"), "{warnings:#?}");
    assert!(said(15, "NOT_THERE is not set"), "{warnings:#?}");
    assert!(said(18, "did you mean `istio-service`?"), "{warnings:#?}");
    assert_eq!(warnings.len(), 6, "{warnings:#?}");
    fs::set_permissions(&token, fs::Permissions::from_mode(0o600)).expect("permissions");
    fs::write(&path, format!("{text}[log]\nlevel = \"flightdeck=lout\"\n")).expect("written");
    let bad = program.run(&["config", "check", file]).expect(2);
    assert!(bad.out.contains("error: ") && bad.out.contains("mine.toml:20:9: log.level"), "{bad:?}");
    assert!(!bad.out.contains("everyone on this machine"), "{bad:?}");
    fs::write(&path, "[policy]\nred_only = true\nreasn_in_production = true\n").expect("written");
    let bad = program.run(&["config", "check", file, "-o", "json"]).expect(2).json();
    assert_eq!(bad["errors"].as_array().map(Vec::len), Some(2), "{bad:#}");
    assert_eq!(bad["errors"][0]["at"]["line"], 2);
    let refused = program.run(&["--config", file, "status"]).expect(2);
    assert!(refused.err.contains("mine.toml:2:1") && refused.err.contains("mine.toml:3:1"), "{refused:?}");
}

#[test]
fn contexts_that_the_kubeconfig_does_not_have_are_said() {
    let program = program();
    let kubeconfig = program.state.path().join("kubeconfig");
    let text = "apiVersion: v1\nkind: Config\ncurrent-context: prod-eu\n\
        contexts: [{name: prod-eu, context: {cluster: c, user: u}}]\n\
        clusters: [{name: c, cluster: {server: \"http://127.0.0.1:1\"}}]\nusers: [{name: u, user: {}}]\n";
    fs::write(&kubeconfig, text).expect("written");
    let path = program.state.path().join("mine.toml");
    fs::write(
        &path,
        "[kubernetes]\ncontext = \"prod-ue\"\n[[context]]\nname = \"stage-*\"\n[[context]]\nname = \"prod-*\"\n",
    )
    .expect("written");
    let kubeconfig = kubeconfig.to_str().expect("a path");
    let said = program.run(&["--kubeconfig", kubeconfig, "config", "check", path.to_str().expect("a path")]).expect(2);
    assert!(said.out.contains("no context \"prod-ue\"; did you mean `prod-eu`?"), "{said:?}");
    assert!(said.out.contains("mine.toml:4:8: context[0].name: \"stage-*\" matches no context"), "{said:?}");
    assert!(!said.out.contains("context[1]"), "{said:?}");
}

#[test]
fn the_check_says_what_counts_as_production() {
    let program = program();
    let kubeconfig = program.state.path().join("kubeconfig");
    let context = |name: &str| format!("{{name: {name}, context: {{cluster: c, user: u}}}}");
    let contexts = ["prod-eu", "prod-us", "staging", "kind"].map(context).join(", ");
    let text = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: prod-eu\ncontexts: [{contexts}]\n\
         clusters: [{{name: c, cluster: {{server: \"http://127.0.0.1:1\"}}}}]\nusers: [{{name: u, user: {{}}}}]\n"
    );
    fs::write(&kubeconfig, text).expect("written");
    let path = program.state.path().join("mine.toml");
    let rules = "[[environment]]\nname = \"live\"\ntier = \"production\"\ncontext = \"prod-*\"\n\
        [[environment]]\nname = \"staging\"\ntier = \"staging\"\ncontext = \"staging\"\n\
        [[environment]]\nname = \"sandbox\"\ntier = \"development\"\nnamespace = \"dev-*\"\nlabel = \"tier=sand*\"\n";
    fs::write(&path, rules).expect("written");
    let (kubeconfig, file) = (kubeconfig.to_str().expect("a path"), path.to_str().expect("a path"));
    let check = |more: &[&str], code| {
        let args = [&["--kubeconfig", kubeconfig, "config", "check", file], more].concat();
        program.run(&args).expect(code)
    };
    let said = check(&[], 0).out;
    for line in [
        "contexts prod-eu, prod-us: live (production)",
        "context staging: staging",
        "context kind: namespace dev-* with label tier=sand* is sandbox (development); else production (no rule names it)",
    ] {
        assert!(said.lines().any(|one| one == line), "{line}: {said}");
    }
    let checked = check(&["-o", "json"], 0).json();
    let kind = &checked["contexts"].as_array().expect("contexts").iter().find(|c| c["context"] == "kind").cloned();
    let sandbox = json!({"name": "sandbox", "tier": "development", "named": true});
    assert_eq!(
        kind.as_ref().expect("it"),
        &json!({
            "context": "kind",
            "parts": [{"namespace": "dev-*", "label": "tier=sand*", "environment": sandbox}],
            "rest": {"name": "production", "tier": "production", "named": false},
        })
    );
    fs::write(&path, format!("{rules}[policy]\nred_only = true\n")).expect("written");
    assert!(!check(&[], 2).out.contains("context "), "what cannot be used decides nothing");
}

#[test]
fn the_systems_file_holds_for_everyone_under_their_own() {
    let program = program();
    let system = program.state.path().join("system.toml");
    fs::write(&system, "[policy]\nread_only = true\nreason_in_production = true\n").expect("written");
    let path = user_file(&program);
    fs::create_dir_all(path.parent().expect("a folder")).expect("the folder");
    fs::write(&path, "[policy]\nread_only = false\n").expect("written");
    // A file of the working directory is of no account: it may have come with somebody's repository.
    fs::write(program.state.path().join(".flightdeck.toml"), "[policy]\nact_on_insecure = true\n").expect("written");
    let mut command = program.command();
    command.current_dir(program.state.path()).env("FLIGHTDECK_SYSTEM_CONFIG", &system);
    let out = command.args(["config", "show", "--changed"]).output().expect("it runs");
    let out = String::from_utf8_lossy(&out.stdout).into_owned();
    let line = |key: &str| out.lines().find(|l| l.starts_with(key)).unwrap_or_default().to_owned();
    assert!(
        line("policy.read_only").contains("false") && line("policy.read_only").contains("config.toml:2:13"),
        "{out}"
    );
    assert!(line("policy.reason_in_production").contains("system.toml:3:24"), "{out}");
    assert_eq!(line("policy.act_on_insecure"), "", "{out}");
}

#[test]
fn looks_and_keys_are_checked_where_they_stand() {
    let program = program();
    let path = program.state.path().join("mine.toml");
    let file = path.to_str().expect("a path");
    let text = "[ui]\ntheme = \"drak\"\ncolumns = [\"service\", \"erors\"]\nsort = \"tiem\"\n\
        [keys]\nhelpp = [\"f1\"]\nhelp = [\"no-such-key\"]\n";
    fs::write(&path, text).expect("written");
    let said = program.run(&["config", "check", file]).expect(2).out;
    for (place, word) in [
        ("2:9: ui.theme", "no theme \"drak\""),
        ("3:11: ui.columns", "no column `erors`"),
        ("4:8: ui.sort", "tiem"),
        ("6:9: keys.helpp", "no command `helpp`"),
        ("7:8: keys.help", "no-such-key"),
    ] {
        let line = said.lines().find(|l| l.contains(&format!("mine.toml:{place}: ")));
        assert!(line.is_some_and(|l| l.contains(word)), "{place} {word}: {said}");
    }
    fs::write(&path, "[keys]\nhelp = [\"f9\"]\nlinks = [\"f9\"]\n").expect("written");
    let said = program.run(&["config", "check", file]).expect(2).out;
    assert!(said.contains("keys: ") && said.contains("give one of them another key"), "{said}");
}

/// Two clusters behind one kubeconfig, and a program on them.
struct Two {
    prod: Server,
    stage: Server,
    program: Program,
    folder: tempfile::TempDir,
}

impl Two {
    async fn start() -> Self {
        let (prod, stage) = (Server::start(|_| None).await, Server::start(|_| None).await);
        let folder = tempfile::tempdir().expect("a temporary folder");
        let kubeconfig = folder.path().join("kubeconfig");
        let text = format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: prod-eu\nusers: [{{name: u, user: {{}}}}]\ncontexts:\n\
             - {{name: prod-eu, context: {{cluster: p, user: u}}}}\n\
             - {{name: stage-eu, context: {{cluster: s, user: u}}}}\n\
             clusters:\n- {{name: p, cluster: {{server: \"{}\"}}}}\n- {{name: s, cluster: {{server: \"{}\"}}}}\n",
            prod.url(),
            stage.url()
        );
        fs::write(&kubeconfig, text).expect("a kubeconfig");
        let mut program = Program::new(&kubeconfig, None);
        program.config = Some(folder.path().join("config.toml"));
        Self { prod, stage, program, folder }
    }

    fn configure(&self, text: &str) {
        fs::write(self.folder.path().join("config.toml"), text).expect("written");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn one_context_is_read_only_and_the_other_is_not() {
    let two = Two::start().await;
    two.configure("[[context]]\nname = \"prod-*\"\npolicy.read_only = true\n");
    let refused = two.program.run(&["pause", "shop/payments", "--yes"]).expect(3);
    let said = format!("{}{}", refused.out, refused.err);
    assert!(said.contains("read-only") && said.contains("prod-*") && said.contains("config.toml:3:20"), "{said}");
    assert_eq!(two.prod.count("PATCH", ""), 0, "nothing was sent");
    // The scripted server knows no patch, so nothing comes of it there; but it was sent.
    two.program.run(&["pause", "shop/payments", "--yes", "--context", "stage-eu"]).expect(4);
    assert_eq!((two.prod.count("PATCH", ""), two.stage.count("PATCH", "")), (0, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_context_has_its_own_namespace_and_its_own_witness() {
    let two = Two::start().await;
    two.configure("[[context]]\nname = \"stage-*\"\nkubernetes.namespace = \"shop\"\naudit.witness.enabled = false\n");
    let pause = |context: &str| two.program.run(&["pause", "shop/payments", "--yes", "--context", context]);
    pause("prod-eu").expect(4);
    pause("stage-eu").expect(4);
    let listed = |server: &Server| {
        let asked = server.asked().into_iter().find(|a| a.lists("/rollouts")).expect("a list");
        asked.path.contains("/namespaces/shop/")
    };
    assert_eq!((listed(&two.prod), listed(&two.stage)), (false, true));
    let told = |server: &Server| server.count("POST", "/events") > 0;
    assert_eq!((told(&two.prod), told(&two.stage)), (true, false), "only the one is a witness");
}

#[test]
fn an_unknown_key_hides_no_other_error_and_an_unfinished_heading_is_one() {
    let program = program();
    let path = program.state.path().join("mine.toml");
    let file = path.to_str().expect("a path");
    let check = |text: &str| {
        fs::write(&path, text).expect("written");
        let checked = program.run(&["config", "check", file, "-o", "json"]).expect(2).json();
        let said = |e: &serde_json::Value| format!("{}: {}", e["at"]["line"], e["why"].as_str().expect("a reason"));
        checked["errors"].as_array().expect("errors").iter().map(said).collect::<Vec<_>>()
    };
    let all = check(
        "[policy]\nred_only = true\n[ui]\ntheme = \"lihgt\"\n[log]\nlevel = \"flightdeck=lout\"\n\
         [[environment]]\nname = \"\"\ntier = \"staging\"\nnamespace = \"a\"\n",
    );
    let begins = |n: usize, line: &str, word: &str| all[n].starts_with(line) && all[n].contains(word);
    assert!(all.len() == 4 && begins(0, "2: ", "unknown key") && begins(1, "4: ", "no theme"), "{all:#?}");
    assert!(begins(2, "6: ", "lout") && begins(3, "8: ", "is empty"), "{all:#?}");
    // What is odd only because something was taken out is no error.
    let all = check("[[environment]]\nname = \"a\"\ntier = \"staging\"\nnamespace = 7\n");
    assert!(all.len() == 1 && all[0].starts_with("4: "), "{all:#?}");
    let all = check("[ui]\ntheme = \"light\"\n[ui");
    assert!(all.len() == 1 && all[0].starts_with("3: ") && !all[0].contains("duplicate"), "{all:#?}");
}
