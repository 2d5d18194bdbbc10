//! `config …`: what holds and where it is from, what is wrong with it, how to begin one.

mod tiers;

use std::io::{ErrorKind, Write as _};
use std::path::Path;
use std::process::ExitCode;

use schemars::JsonSchema;
use serde::Serialize;

use super::args::{ConfigVerb, Format, Global};
use super::settings;
use super::setup::Ground;
use super::{dto, output};
use crate::config::{
    self, ConfigFile, Entry, LayerFile, Loaded, Origin, Origins, Paths, Problem, Severity, Step, Surroundings,
    look_closely,
};
use crate::error::{Error, Kind};
use crate::runtime::telemetry;
use crate::systems::kubernetes::client::{ConnectSettings, read_kubeconfig};
use crate::systems::prometheus;

/// The commented example, which `config init` begins with.
const EXAMPLE: &str = include_str!("../../config.example.toml");

/// The schema's file beside a configuration that `config init` wrote.
const SCHEMA: &str = "config.schema.json";

pub(super) fn run(global: &Global, verb: ConfigVerb) -> Result<ExitCode, Error> {
    let paths = Paths::find(global.config.clone(), global.state_dir.clone());
    match verb {
        ConfigVerb::Show { changed, output } => show(global, &paths, changed, output),
        ConfigVerb::Check { file, output } => {
            let config = file.map_or(paths.config, |file| (file, true));
            check(global, &Paths { config, ..Paths::find(None, None) }, output)
        }
        ConfigVerb::Path { all } => path(&paths, all),
        ConfigVerb::Init => init(&paths.config.0),
        ConfigVerb::Schema => {
            output::json(config::schema())?;
            Ok(ExitCode::SUCCESS)
        }
        ConfigVerb::Env => {
            let key = |(name, leaf): (String, &config::Leaf)| vec![name, leaf.dotted()];
            output::raw(output::table(&config::variables().map(key).collect::<Vec<_>>()).as_bytes())?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// A place in a configuration, for scripts.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct PlaceDto {
    /// default, file, environment or flag.
    kind: &'static str,
    /// The file.
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    /// From 1; absent = the whole file.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    /// From 1, in characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<usize>,
    /// The variable or the flag.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
}

impl From<&Origin> for PlaceDto {
    fn from(origin: &Origin) -> Self {
        let plain = Self { kind: origin.kind(), path: None, line: None, column: None, name: None };
        match origin {
            Origin::Default => plain,
            Origin::File { path, line, column } => {
                let whole = *line == 0;
                let (line, column) = ((!whole).then_some(*line), (!whole).then_some(*column));
                Self { path: Some(path.display().to_string()), line, column, ..plain }
            }
            Origin::Env(name) => Self { name: Some(name.to_string()), ..plain },
            Origin::Flag(name) => Self { name: Some((*name).to_owned()), ..plain },
        }
    }
}

/// A file of a layer.
#[derive(Serialize, JsonSchema)]
pub(super) struct FileDto {
    /// Where it is.
    path: String,
    /// Whether it is there.
    found: bool,
}

fn files(layers: &[LayerFile]) -> Vec<FileDto> {
    layers.iter().map(|f| FileDto { path: f.path.display().to_string(), found: f.path.exists() }).collect()
}

/// One key.
#[derive(Serialize, JsonSchema)]
pub(super) struct KeyDto {
    /// Its path.
    key: String,
    /// Its value; null = not set.
    value: serde_json::Value,
    /// Where it is from.
    origin: PlaceDto,
}

/// `config show -o json`
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ConfigDto {
    api_version: &'static str,
    kind: &'static str,
    /// The context for which it holds; absent = the configuration as it is written.
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<String>,
    /// The files, later ones over earlier ones.
    files: Vec<FileDto>,
    /// Every key.
    keys: Vec<KeyDto>,
}

fn show(global: &Global, paths: &Paths, changed: bool, format: Format) -> Result<ExitCode, Error> {
    if let [_, _, ..] = global.context.as_slice() {
        return Err(Error::new(Kind::Usage, "`config show` takes one --context"));
    }
    // The context is the question here, not a setting.
    let context = global.context.first().map(String::as_str);
    let plain = Global { context: Vec::new(), ..global.clone() };
    let layers = settings::layers(&plain, paths);
    let loaded: Loaded = layers.load().map_err(settings::unusable)?;
    let mut entries = loaded.entries(context);
    entries.retain(|entry| !changed || entry.origin != Origin::Default);
    match format {
        Format::Json => output::json(&ConfigDto {
            api_version: dto::API_VERSION,
            kind: "Configuration",
            context: context.map(ToOwned::to_owned),
            files: files(&layers.files),
            keys: entries
                .into_iter()
                .map(|Entry { key, value, origin }| KeyDto { key: key.to_string(), value, origin: (&origin).into() })
                .collect(),
        })?,
        Format::Human => {
            let row = |entry: &Entry| {
                let value = if entry.value.is_null() { "(not set)".to_owned() } else { entry.value.to_string() };
                vec![entry.key.to_string(), value, entry.origin.to_string()]
            };
            // What a rule leaves out is no news; a script gets it all the same.
            let left_out = |e: &Entry| e.value.is_null() && e.key.0.iter().any(|s| matches!(s, Step::Index(_)));
            output::raw(
                output::table(&entries.iter().filter(|e| !left_out(e)).map(row).collect::<Vec<_>>()).as_bytes(),
            )?;
        }
    }
    for warning in &loaded.warnings {
        output::note(&format!("flightdeck: {warning}"));
    }
    Ok(ExitCode::SUCCESS)
}

/// One thing that is wrong.
#[derive(Serialize, JsonSchema)]
pub(super) struct ProblemDto {
    /// Where.
    at: PlaceDto,
    /// Which key; absent = it is about none.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    /// What is wrong and what would be right.
    why: String,
}

impl From<&Problem> for ProblemDto {
    fn from(problem: &Problem) -> Self {
        let key = Some(problem.key.to_string()).filter(|key| !key.is_empty());
        Self { at: (&problem.at).into(), key, why: problem.why.clone() }
    }
}

/// `config check -o json`
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct CheckDto {
    api_version: &'static str,
    kind: &'static str,
    /// The files, later ones over earlier ones.
    files: Vec<FileDto>,
    /// With any of these the configuration is not used.
    errors: Vec<ProblemDto>,
    /// It is used, but may not do what was meant.
    warnings: Vec<ProblemDto>,
    /// What counts as production, by kube context; none with errors, or where the kubeconfig cannot be read.
    contexts: Vec<tiers::ContextDto>,
}

fn check(global: &Global, paths: &Paths, format: Format) -> Result<ExitCode, Error> {
    // What is asked is how the files are, whoever goes without them.
    let layers = settings::layers(&Global { no_config: false, ..global.clone() }, paths);
    let (said, loaded) = layers.examine();
    let mut contexts = Vec::new();
    let said = match loaded {
        None => said,
        Some(Loaded { config, origins, warnings, .. }) => {
            let settings = ConnectSettings {
                kubeconfig: global.kubeconfig.clone().or_else(|| config.kubernetes.kubeconfig.clone()),
                ..ConnectSettings::default()
            };
            contexts = tiers::of(&config, &settings);
            let mut more = warnings;
            let themes = paths.config.0.parent().map(|folder| folder.join("themes")).unwrap_or_default();
            more.extend(all_checks(&config, &origins, &settings, &themes));
            // Without what is wrong, the rest may look odd without being so.
            more.retain(|problem| said.is_empty() || problem.severity == Severity::Error);
            config::in_order(said.into_iter().chain(more).collect()).problems
        }
    };
    let (errors, warnings): (Vec<_>, Vec<_>) = said.iter().partition(|p| p.severity == Severity::Error);
    if !errors.is_empty() {
        contexts.clear();
    }
    match format {
        Format::Json => output::json(&CheckDto {
            api_version: dto::API_VERSION,
            kind: "ConfigCheck",
            files: files(&layers.files),
            errors: errors.iter().map(|p| (*p).into()).collect(),
            warnings: warnings.iter().map(|p| (*p).into()).collect(),
            contexts,
        })?,
        Format::Human => {
            for (word, problems) in [("error", &errors), ("warning", &warnings)] {
                for problem in problems {
                    output::line(&format!("{word}: {problem}"))?;
                }
            }
            let read: Vec<String> =
                files(&layers.files).into_iter().filter(|file| file.found).map(|file| file.path).collect();
            let read = if read.is_empty() { "no file is there, defaults hold".to_owned() } else { read.join(", ") };
            output::line(&match (errors.len(), warnings.len()) {
                (0, 0) => format!("sound: {read}"),
                (0, n) => format!("can be used, with warnings ({n}): {read}"),
                (n, 0) => format!("cannot be used, errors: {n}"),
                (n, m) => format!("cannot be used, errors: {n}, warnings: {m}"),
            })?;
            tiers::print(&contexts)?;
        }
    }
    Ok(if errors.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(Kind::Usage.code()) })
}

/// Everything that a closer look at the configuration in use finds.
pub(super) fn closely(ground: &Ground) -> Vec<Problem> {
    let mut said = ground.warnings.clone();
    said.extend(all_checks(&ground.config, &ground.origins, &ground.settings, &ground.themes));
    said
}

fn all_checks(config: &ConfigFile, origins: &Origins, settings: &ConnectSettings, themes: &Path) -> Vec<Problem> {
    let contexts = read_kubeconfig(settings).ok().map(|known| known.contexts.into_iter().map(|c| c.name).collect());
    let around = Surroundings {
        contexts,
        templates: prometheus::templates(&[]).into_iter().map(|template| template.name).collect(),
        face: &|_| settings::face_problems(&settings::face(config, themes)),
        log_level: &telemetry::check,
        is_set: &|name| std::env::var_os(name).is_some(),
    };
    look_closely(config, origins, &around)
}

fn path(paths: &Paths, all: bool) -> Result<ExitCode, Error> {
    let files = paths.files();
    if all {
        for LayerFile { path, .. } in &files {
            let there = if path.exists() { "" } else { "  (not there)" };
            output::line(&format!("{}{there}", path.display()))?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    match files.last() {
        Some(file) => output::line(&file.path.display().to_string())?,
        None => return Err(homeless()),
    }
    Ok(ExitCode::SUCCESS)
}

fn homeless() -> Error {
    Error::new(Kind::Usage, "there is no place for a configuration").hint("set HOME, or give --config FILE")
}

/// Writes the example, with all of its keys as comments, and the schema beside it.
fn init(path: &Path) -> Result<ExitCode, Error> {
    let Some(folder) = path.parent() else { return Err(homeless()) };
    let broken = |path: &Path, e: std::io::Error| match e.kind() {
        ErrorKind::AlreadyExists => Error::new(Kind::Failure, format!("{} is there already", path.display()))
            .hint("`flightdeck config show` prints what holds; --config FILE names another place"),
        _ => Error::new(Kind::Failure, format!("{}: {e}", path.display())),
    };
    std::fs::create_dir_all(folder).map_err(|e| broken(folder, e))?;
    // Headers in it may be secrets.
    write_new(path, &beginning()).map_err(|e| broken(path, e))?;
    let schema = folder.join(SCHEMA);
    let text = serde_json::to_string_pretty(config::schema()).unwrap_or_default() + "\n";
    std::fs::write(&schema, text).map_err(|e| broken(&schema, e))?;
    output::line(&path.display().to_string())?;
    output::note("every key is a comment that says its default; `flightdeck config check` checks what you change");
    Ok(ExitCode::SUCCESS)
}

fn write_new(path: &Path, text: &str) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// The example so that it changes nothing as it stands: sections stay, keys and lists of tables become comments.
fn beginning() -> String {
    let line = |line: &str| {
        if line.starts_with("#:schema") {
            format!("#:schema ./{SCHEMA}\n")
        } else if line.is_empty() || line.starts_with('#') || (line.starts_with('[') && !line.starts_with("[[")) {
            format!("{line}\n")
        } else {
            format!("# {line}\n")
        }
    };
    EXAMPLE.lines().map(line).collect()
}
