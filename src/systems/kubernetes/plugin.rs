//! The kubeconfig's exec plugin, run so that it can never ask anything on our terminal: it gets no standard input and
//! a process group of its own, what it says to standard error is kept for the reason, and it has a deadline.

use std::io::Read;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use kube::config::{ExecConfig, ExecInteractiveMode};
use serde::Deserialize;

use crate::domain::text::Clean;

/// How long a plugin may take. Some open a browser and wait for a person.
const DEADLINE: Duration = Duration::from_mins(2);

/// The most that is kept of what it prints.
const OUTPUT: u64 = 1 << 20;

/// The most characters shown of what it complains about.
const COMPLAINT: usize = 300;

/// What the plugin gave. Secrets: no `Debug`.
pub(super) struct Credential {
    pub(super) token: Option<String>,
    pub(super) certificate: Option<(String, String)>,
    pub(super) expires: Option<Timestamp>,
}

#[derive(Deserialize)]
struct ExecCredential {
    status: Option<Status>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    #[serde(default)]
    expiration_timestamp: Option<String>,
    #[serde(default)]
    token: Option<String>,
    #[serde(default)]
    client_certificate_data: Option<String>,
    #[serde(default)]
    client_key_data: Option<String>,
}

/// Runs it and waits; blocks. Errors name the command, and what it said.
pub(super) fn run(exec: &ExecConfig) -> Result<Credential, String> {
    let program = exec.command.as_deref().ok_or("the exec plugin of the kubeconfig names no command")?;
    let name = Clean::new(program);
    if exec.interactive_mode == Some(ExecInteractiveMode::Always) {
        return Err(format!(
            "exec plugin {name} asks for a terminal (interactiveMode: Always), which it does not get here; \
             log in with it outside, or use another user in the kubeconfig"
        ));
    }
    let mut command = command(exec, program)?;
    let child = command.spawn().map_err(|e| {
        let hint = exec.install_hint.as_deref().map(|h| format!("; {}", Clean::new(h))).unwrap_or_default();
        format!("exec plugin {name} cannot be started: {e}{hint}")
    })?;
    let (ended, out, complaint) = wait(child);
    let complaint = complaint.trim();
    let said = if complaint.is_empty() { String::new() } else { format!(": {}", Clean::long(complaint, COMPLAINT)) };
    match ended {
        None => return Err(format!("exec plugin {name} did not end within {} s{said}", DEADLINE.as_secs())),
        Some(status) if !status.success() => return Err(format!("exec plugin {name} failed ({status}){said}")),
        Some(_) => {}
    }
    // Plugins print JSON or YAML. What they printed may hold a secret, so the error does not show it.
    let credential: ExecCredential = serde_saphyr::from_slice(&out)
        .map_err(|_| format!("exec plugin {name} did not print an ExecCredential{said}"))?;
    let status = credential.status.ok_or_else(|| format!("exec plugin {name} gave no credential{said}"))?;
    let certificate = status.client_certificate_data.zip(status.client_key_data);
    if status.token.is_none() && certificate.is_none() {
        return Err(format!("exec plugin {name} gave neither token nor certificate{said}"));
    }
    let expires = status.expiration_timestamp.map(|t| t.parse());
    let expires = expires.transpose().map_err(|_| format!("exec plugin {name}: its expirationTimestamp is no time"))?;
    Ok(Credential { token: status.token, certificate, expires })
}

fn command(exec: &ExecConfig, program: &str) -> Result<Command, String> {
    let mut spec = serde_json::json!({"interactive": false});
    if exec.provide_cluster_info {
        spec["cluster"] = serde_json::to_value(&exec.cluster).map_err(|e| e.to_string())?;
    }
    let info = serde_json::json!({"kind": "ExecCredential", "apiVersion": exec.api_version, "spec": spec});
    let mut command = Command::new(program);
    command
        .args(exec.args.iter().flatten())
        .env("KUBERNETES_EXEC_INFO", info.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
    for variable in exec.env.iter().flatten() {
        if let (Some(name), Some(value)) = (variable.get("name"), variable.get("value")) {
            command.env(name, value);
        }
    }
    for name in exec.drop_env.iter().flatten() {
        command.env_remove(name);
    }
    Ok(command)
}

/// Waits for its end or the deadline; `None` = it was ended. Also what it printed, and what it complained about.
fn wait(mut child: Child) -> (Option<std::process::ExitStatus>, Vec<u8>, String) {
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let group = rustix::process::Pid::from_child(&child);
    std::thread::scope(|scope| {
        let out = scope.spawn(move || drain(stdout));
        let err = scope.spawn(move || drain(stderr));
        let until = Instant::now() + DEADLINE;
        let ended = loop {
            match child.try_wait() {
                Ok(Some(status)) => break Some(status),
                Ok(None) if Instant::now() < until => std::thread::sleep(Duration::from_millis(20)),
                Ok(None) | Err(_) => break None,
            }
        };
        // Also those that it started and that would hold its output open.
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        let _ = child.wait();
        let text = String::from_utf8_lossy(&err.join().unwrap_or_default()).into_owned();
        (ended, out.join().unwrap_or_default(), text)
    })
}

fn drain(from: Option<impl Read>) -> Vec<u8> {
    let mut kept = Vec::new();
    if let Some(mut from) = from {
        let _ = from.by_ref().take(OUTPUT).read_to_end(&mut kept);
        let _ = std::io::copy(&mut from, &mut std::io::sink());
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> ExecConfig {
        let exec = serde_json::json!({"apiVersion": "client.authentication.k8s.io/v1", "command": "/bin/sh",
            "args": ["-c", script], "env": [{"name": "WHO", "value": "anna"}]});
        serde_json::from_value(exec).expect("an exec section")
    }

    fn error(script: &str) -> String {
        run(&shell(script)).err().expect("it fails")
    }

    #[test]
    fn it_gives_a_token_in_json_or_yaml() {
        let json =
            run(&shell(r#"echo '{"status": {"token": "t-'$WHO'", "expirationTimestamp": "2030-01-01T00:00:00Z"}}'"#));
        let Ok(json) = json else { panic!("no credential") };
        assert_eq!((json.token.as_deref(), json.expires), (Some("t-anna"), "2030-01-01T00:00:00Z".parse().ok()));
        let Ok(yaml) = run(&shell("printf 'status:\\n  token: abc\\n'")) else { panic!("no credential") };
        assert_eq!((yaml.token.as_deref(), yaml.expires), (Some("abc"), None));
    }

    #[test]
    fn it_has_no_terminal_and_is_told_so() {
        let script = r#"read line && exit 9; case "$KUBERNETES_EXEC_INFO" in *'"interactive":false'*) ;; *) exit 8;; esac
            echo '{"status": {"token": "x"}}'"#;
        assert!(run(&shell(script)).is_ok());
        let mut always = shell("exit 0");
        always.interactive_mode = Some(ExecInteractiveMode::Always);
        assert!(run(&always).err().expect("refused").contains("interactiveMode: Always"));
    }

    #[test]
    fn what_it_complains_about_is_shown_clean_and_what_it_prints_is_not() {
        let said = error("echo secret-token; printf '\\033[2Jtoken \\a expired\\n' >&2; exit 3");
        assert!(said.contains("exit status: 3") && said.contains("expired"), "{said}");
        assert!(!said.chars().any(char::is_control) && !said.contains("secret-token"), "{said}");
        assert!(!error("echo secret-token").contains("secret-token"));
        assert!(error("echo '{}'").contains("no credential"));
        assert!(error("echo '{\"status\": {}}'").contains("neither token nor certificate"));
        let missing: ExecConfig = serde_json::from_value(serde_json::json!({"command": "/no/such/plugin",
            "installHint": "install it"}))
        .expect("an exec section");
        assert!(run(&missing).err().expect("it fails").contains("install it"));
    }

    #[test]
    fn what_it_leaves_behind_does_not_hold_us() {
        let begun = Instant::now();
        assert!(run(&shell("sleep 60 & echo '{\"status\": {\"token\": \"x\"}}'")).is_ok());
        assert!(begun.elapsed() < Duration::from_secs(30));
    }
}
