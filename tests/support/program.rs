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

/// Fails the test unless a document says what it is, and is as the schema of its kind says.
pub fn as_its_schema_says(document: &Value) {
    assert_eq!(document["apiVersion"], "flightdeck/v1alpha1", "{document:#}");
    let kind = document["kind"].as_str().unwrap_or_default();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/schemas").join(format!("{kind}.json"));
    let text = std::fs::read_to_string(&file).unwrap_or_else(|e| panic!("no schema of {kind}: {e}\n{document:#}"));
    let schema = serde_json::from_str(&text).expect("a schema");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let wrong: Vec<String> = validator.iter_errors(document).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert!(wrong.is_empty(), "{kind}: {wrong:#?}\n{document:#}");
}

impl Ran {
    /// Standard output as JSON, which is as its schema says.
    pub fn json(&self) -> Value {
        let document = serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("not JSON: {e}\n{self:#?}"));
        as_its_schema_says(&document);
        document
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
