//! How a verb is called in another terminal so that it sees the same log and the same clusters.

use std::ffi::OsStr;
use std::path::Path;

use super::args::Global;

/// The program with the flags that this start was given; what variables say holds there, too.
pub(super) fn again(global: &Global) -> String {
    let from_variable = |name: &str, path: &Path| std::env::var_os(name).is_some_and(|said| said == path.as_os_str());
    let mut call = "flightdeck".to_owned();
    let mut say = |flag: &str, path: &Path| call = format!("{call} {flag} {}", written(path, home().as_deref()));
    if let Some(path) = global.config.as_ref().filter(|path| !from_variable("FLIGHTDECK_CONFIG", path)) {
        say("--config", path);
    }
    if let Some(path) = global.state_dir.as_ref().filter(|path| !from_variable("FLIGHTDECK_STATE_DIR", path)) {
        say("--state-dir", path);
    }
    if let Some(path) = &global.kubeconfig {
        say("--kubeconfig", path);
    }
    for context in &global.context {
        call = format!("{call} --context {}", shell(context));
    }
    call
}

/// The same for a world that `state` and `kubeconfig` lead to, whatever else is configured.
pub(super) fn to(state: &Path, kubeconfig: &Path, no_config: bool) -> String {
    let home = home();
    let path = |path: &Path| written(path, home.as_deref());
    let files = if no_config { " --no-config" } else { "" };
    format!("flightdeck{files} --state-dir {} --kubeconfig {}", path(state), path(kubeconfig))
}

fn home() -> Option<std::path::PathBuf> {
    std::env::home_dir().filter(|home| home.is_absolute())
}

/// A path as every folder and every shell takes it, short where it is below `home`.
fn written(path: &Path, home: Option<&Path>) -> String {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let below = home.and_then(|home| path.strip_prefix(home).ok()).map(Path::as_os_str).and_then(OsStr::to_str);
    match below {
        Some(rest) if shell(rest) == rest => format!("~/{rest}"),
        _ => shell(&path.to_string_lossy()),
    }
}

/// As a shell takes any name.
pub(super) fn shell(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.:@/+".contains(c);
    if !name.is_empty() && name.chars().all(plain) {
        name.to_owned()
    } else {
        format!("'{}'", name.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_written_so_that_it_can_be_pasted() {
        let home = Some(Path::new("/home/anna"));
        for (path, home, said) in [
            ("/home/anna/.local/state/flightdeck", home, "~/.local/state/flightdeck"),
            ("/home/anna/my log", home, "'/home/anna/my log'"),
            ("/var/log/it's", home, r"'/var/log/it'\''s'"),
            ("/var/log", None, "/var/log"),
        ] {
            assert_eq!(written(Path::new(path), home), said);
        }
        let demo = to(Path::new("/s/demo"), Path::new("/s/demo/kubeconfig-1"), true);
        assert_eq!(demo, "flightdeck --no-config --state-dir /s/demo --kubeconfig /s/demo/kubeconfig-1");
    }

    #[test]
    fn the_flags_of_this_start_go_along() {
        let global = Global {
            state_dir: Some("/s".into()),
            context: vec!["prod-eu".to_owned(), "a b".to_owned()],
            ..Global::default()
        };
        assert_eq!(again(&global), "flightdeck --state-dir /s --context prod-eu --context 'a b'");
        assert_eq!(again(&Global::default()), "flightdeck");
    }
}
