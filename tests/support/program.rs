//! The built program as a child process with a state directory of its own.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// The program on one cluster, one namespace and one state directory.
pub struct Program {
    pub state: TempDir,
    pub kubeconfig: std::path::PathBuf,
    pub namespace: Option<String>,
    /// A configuration file; none = the program's defaults.
    pub config: Option<std::path::PathBuf>,
}

/// How a run ended.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Ran {
    /// Standard output as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("not JSON: {e}\n{self:#?}"))
    }

    /// Fails the test unless the exit code is `code`.
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:#?}");
        self
    }
}

impl Program {
    pub fn new(kubeconfig: &Path, namespace: Option<&str>) -> Self {
        let state = tempfile::tempdir().expect("a temporary folder");
        Self { state, kubeconfig: kubeconfig.to_owned(), namespace: namespace.map(ToOwned::to_owned), config: None }
    }

    /// A command with this environment, ready for arguments.
    pub fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_flightdeck"));
        command
            .env_clear()
            .env("HOME", self.state.path())
            .env("USER", "tester")
            .env("KUBECONFIG", &self.kubeconfig)
            .env("FLIGHTDECK_STATE_DIR", self.state.path().join("state"))
            .stdin(Stdio::null());
        if let Some(config) = &self.config {
            command.arg("--config").arg(config);
        }
        if let Some(namespace) = &self.namespace {
            command.arg("--namespace").arg(namespace);
        }
        command
    }

    /// Runs it to its end.
    pub fn run(&self, args: &[&str]) -> Ran {
        let Output { status, stdout, stderr } = self.command().args(args).output().expect("the program starts");
        Ran {
            code: status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&stdout).into_owned(),
            err: String::from_utf8_lossy(&stderr).into_owned(),
        }
    }

    /// The audit log, whole, oldest record first.
    pub fn records(&self) -> Vec<Value> {
        let listed = self.run(&["audit", "list", "--limit", "1000", "-o", "json"]).expect(0).json();
        let mut records: Vec<Value> =
            listed["records"].as_array().expect("records").iter().map(|r| r["record"].clone()).collect();
        records.reverse();
        records
    }
}
