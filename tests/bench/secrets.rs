//! R13: what was secret stays so.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use super::random::Random;
use super::table::Row;
use super::terminal::{named, served};
use super::{Mode, program};

/// R13: planted secrets.
pub fn planted(_: Mode) -> Vec<Row> {
    let mut random = Random::new(99);
    let planted: Vec<String> =
        (0..20).map(|n| format!("canary{n:02}-{:016x}{:016x}", random.next(), random.next())).collect();
    let folder = tempfile::tempdir().expect("a folder");
    let (_runtime, server) = served(vec![named("svc", 0)]);
    let mut text = String::from("apiVersion: v1\nkind: Config\ncurrent-context: c0\ncontexts:\n");
    let mut users = String::from("users:\n");
    for (n, secret) in planted.iter().take(16).enumerate() {
        let _ = writeln!(text, "- {{name: c{n}, context: {{cluster: k{}, user: u{n}}}}}", n % 2);
        // Bearer tokens, and what is no usable login at all.
        let user = match n % 4 {
            0 | 1 => format!("token: {secret}"),
            2 => format!("username: anna, password: {secret}"),
            _ => format!("client-key-data: {secret}"),
        };
        let _ = writeln!(users, "- {{name: u{n}, user: {{{user}}}}}");
    }
    let (here, gone) = (server.url(), "http://127.0.0.1:1");
    let _ = writeln!(
        text,
        "clusters:\n- {{name: k0, cluster: {{server: \"{here}\"}}}}\n- {{name: k1, cluster: {{server: \"{gone}\"}}}}\n{users}"
    );
    let kubeconfig = folder.path().join("kubeconfig");
    std::fs::write(&kubeconfig, text).expect("written");
    let config = folder.path().join("config.toml");
    let token = folder.path().join("token");
    std::fs::write(&token, &planted[16]).expect("written");
    let prometheus = format!(
        "[log]\nlevel = \"trace\"\n\
         [[prometheus.context]]\ncontext = \"c1*\"\nurl = \"{}\"\ntoken_env = \"CANARY\"\n\
         [[prometheus.context]]\nurl = \"{}\"\ntoken_file = \"{}\"\nheaders = {{ X-Scope = \"{}\" }}\n",
        server.url(),
        server.url(),
        token.display(),
        planted[17]
    );
    std::fs::write(&config, prometheus).expect("written");
    let private = <std::fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o600);
    std::fs::set_permissions(&config, private).expect("its own");

    let state = folder.path().join("state");
    let mut said = Vec::new();
    let mut run = |args: &[&str]| {
        let out = Command::new(program())
            .args(args)
            .env("KUBECONFIG", &kubeconfig)
            .env("HOME", folder.path())
            .env("FLIGHTDECK_STATE_DIR", &state)
            .env("CANARY", &planted[18])
            .stdin(Stdio::null())
            .output()
            .expect("it runs");
        said.extend(out.stdout);
        said.extend(out.stderr);
    };
    let config_path = config.to_string_lossy().into_owned();
    let mut commands = 0;
    for n in 0..16 {
        let context = format!("c{n}");
        for words in [
            "status",
            "doctor",
            "get shop/svc-000 -o json",
            "abort shop/svc-000 --yes --reason proof",
            "yaml shop/svc-000",
        ] {
            let mut args = vec!["--context", &context, "--config", &config_path];
            args.extend(words.split(' '));
            run(&args);
            commands += 1;
        }
    }
    for words in ["audit list -o json", "audit verify", "doctor"] {
        run(&words.split(' ').collect::<Vec<_>>());
        commands += 1;
    }
    // A configuration that does not parse is quoted, but not its secrets.
    let broken = folder.path().join("broken.toml");
    std::fs::write(
        &broken,
        format!("[[prometheus.context]]\nurl = \"x\"\nheaders = {{ A = \"{}\", B = 3 }}\n", planted[19]),
    )
    .expect("written");
    run(&["--config", &broken.to_string_lossy(), "status"]);
    let mut files = Vec::new();
    gather(&state, &mut files);
    let mut found = BTreeSet::new();
    for bytes in files.iter().chain([&said]) {
        let text = String::from_utf8_lossy(bytes);
        found.extend(planted.iter().filter(|s| text.contains(s.as_str())).cloned());
    }
    vec![Row::judged(
        "R13",
        "planted secrets found in output, logs or records",
        format!(
            "{} of {} (tokens, passwords, keys, a Prometheus token and header); {commands} commands, most of which fail, {} files",
            found.len(),
            planted.len(),
            files.len()
        ),
        "0 of 20",
        "status, doctor, get, abort, yaml, audit, in 16 contexts, with the log at *trace* and a broken configuration",
        found.is_empty(),
    )]
}

fn gather(dir: &Path, found: &mut Vec<Vec<u8>>) {
    let Ok(entries) = std::fs::read_dir(dir) else { return };
    for entry in entries.flatten() {
        if entry.path().is_dir() {
            gather(&entry.path(), found);
        } else if let Ok(bytes) = std::fs::read(entry.path()) {
            found.push(bytes);
        }
    }
}
