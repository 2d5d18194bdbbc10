//! From flags, variables and files to what the runtime is told, at the start and again when a file changes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::args::Global;
use super::setup::Ground;
use crate::config::{
    ConfigError, ConfigFile, Face, Flags, KeyPath, KeysSection, Layers, Loaded, Origins, Paths, Problem, Severity,
    UiSection, theme,
};
use crate::domain::text::Clean;
use crate::error::{Error, Kind};
use crate::policy::Mandate;
use crate::runtime::control::WitnessSettings;
use crate::runtime::settings::{Reload, Reread, Settings};
use crate::systems::Connected;
use crate::tui;

/// Where the layers are, and what flags say.
pub(super) fn layers(global: &Global, paths: &Paths) -> Layers {
    let environment = std::env::vars_os();
    let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
        (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned())
    };
    let files = if global.no_config { Vec::new() } else { paths.files() };
    Layers { files, environment: environment.map(text).collect(), flags: flags(global) }
}

fn flags(global: &Global) -> Flags {
    let mut flags = Flags::default();
    if std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty()) {
        flags.custom("ui.no_color", true, "NO_COLOR");
    }
    if !global.context.is_empty() {
        flags.instead_of("kubernetes.context");
        flags.texts("kubernetes.contexts", &global.context, "--context");
        flags.switch("kubernetes.all_contexts", false, "--context");
    }
    if !global.namespace.is_empty() {
        // Several are kept beside the configuration, which knows one; here they are only shown.
        flags.text("kubernetes.namespace", &global.namespace.join(", "), "--namespace");
    }
    if let Some(path) = &global.kubeconfig {
        flags.text("kubernetes.kubeconfig", &path.to_string_lossy(), "--kubeconfig");
    }
    for (given, key, flag) in [
        (global.all_contexts, "kubernetes.all_contexts", "--all-contexts"),
        (global.read_only, "policy.read_only", "--read-only"),
        (global.no_color, "ui.no_color", "--no-color"),
        (global.ascii, "ui.ascii", "--ascii"),
    ] {
        if given {
            flags.switch(key, true, flag);
        }
    }
    if global.no_mouse {
        flags.switch("ui.mouse", false, "--no-mouse");
    }
    if global.no_config {
        // Nobody knows what the files forbid: never looser than any of them, but that what stops harm goes.
        for (key, value) in [
            ("policy.stop_only", true),
            ("policy.reason_in_production", true),
            ("policy.set_image_in_production", false),
            ("policy.act_on_insecure", false),
            ("audit.required", true),
        ] {
            flags.switch(key, value, "--no-config");
        }
    }
    flags
}

/// What is said when the configuration cannot be used.
#[expect(clippy::needless_pass_by_value, reason = "it is what map_err hands over")]
pub(super) fn unusable(error: ConfigError) -> Error {
    let hint = "`flightdeck config check` says it again with warnings; config.example.toml lists every key. An abort need not \
                wait: `--no-config` reads no file, and lets only acts go that stop harm";
    Error::new(Kind::Usage, format!("configuration: {error}")).hint(hint)
}

/// What the runtime is told of a configuration.
pub(super) fn settings(config: &ConfigFile, origins: &Origins, themes: &Path, insecure: Vec<Clean>) -> Settings {
    Settings {
        mandate: Arc::new(Mandate { insecure, ..config.mandate(origins) }),
        environments: config.environments(),
        face: face(config, themes),
        prometheus: Arc::new(config.prometheus.clone()),
    }
}

/// What the cockpit is told of its looks and keys.
pub(super) fn face(config: &ConfigFile, themes: &Path) -> Face {
    Face { themes: themes.to_owned(), ..config.face() }
}

/// What nobody understands of looks and keys; each key as it stands in the file.
pub(super) fn face_problems(face: &Face) -> Vec<Problem> {
    let mut said = Vec::new();
    if let Err(why) = theme::load(&face.ui.theme, &face.themes) {
        said.push(Problem::error(KeyPath::new("ui.theme"), why));
    }
    // Key by key, so that each is said where it stands.
    let ui = |change: &dyn Fn(&mut UiSection)| {
        let mut ui = UiSection::default();
        change(&mut ui);
        tui::check(&Face { ui, ..Face::default() })
    };
    for (key, done) in [
        ("ui.columns", ui(&|alone| alone.columns.clone_from(&face.ui.columns))),
        ("ui.sort", ui(&|alone| alone.sort.clone_from(&face.ui.sort))),
    ] {
        if let Err(why) = done {
            said.push(Problem::error(KeyPath::new(key), without(&why, &format!("{key}: "))));
        }
    }
    let before = said.len();
    for (name, keys) in &face.keys.0 {
        let alone = KeysSection(BTreeMap::from([(name.clone(), keys.clone())]));
        if let Err(why) = tui::check(&Face { keys: alone, ..Face::default() }) {
            let why = without(without(&why, "[keys] "), &format!("{name}: "));
            said.push(Problem::error(KeyPath::new("keys").verbatim(name), why));
        }
    }
    // Each may be good by itself and two of them want one key.
    let together = tui::check(&Face { keys: face.keys.clone(), ..Face::default() });
    if let (Err(why), true) = (together, said.len() == before) {
        said.push(Problem::error(KeyPath::new("keys"), without(&why, "[keys] ")));
    }
    said
}

fn without<'a>(text: &'a str, beginning: &str) -> &'a str {
    text.strip_prefix(beginning).unwrap_or(text)
}

/// A problem a line, for a screen.
fn brief(error: &ConfigError) -> String {
    error.problems.iter().map(Problem::brief).collect::<Vec<_>>().join("\n")
}

/// How the configuration is read again.
pub(super) fn reload(ground: &Ground) -> Reload {
    let (layers, adjust, start) = (ground.layers.clone(), ground.adjust.clone(), ground.config.clone());
    let themes = ground.themes.clone();
    let held: Mutex<BTreeSet<PathBuf>> = Mutex::new(ground.held.iter().cloned().collect());
    let files = layers.files.iter().map(|file| file.path.clone()).collect();
    let read = move || {
        let Loaded { mut config, origins, warnings, found } = layers.load().map_err(|e| brief(&e))?;
        let now: BTreeSet<PathBuf> = found.into_iter().filter(|(_, held)| *held).map(|(path, _)| path).collect();
        let mut held = held.lock().unwrap_or_else(PoisonError::into_inner);
        // Nobody loosens a policy by a file that is away, or empty, while an editor writes it.
        if let Some(gone) = held.difference(&now).next() {
            return Err(format!("{} is gone or empty; start again to go without it", gone.display()));
        }
        held.extend(now);
        adjust(&mut config);
        let settings = settings(&config, &origins, &themes, Vec::new());
        if let Some(problem) = face_problems(&settings.face).into_iter().find(|p| p.severity == Severity::Error) {
            return Err(origins.locate(problem).brief());
        }
        Ok(Reread {
            restart: config.needs_restart(&start),
            settings,
            warnings: warnings.iter().map(|warning| format!("configuration: {warning}")).collect(),
        })
    };
    Reload { files, read: Arc::new(read) }
}

/// Where each context's witness keeps heads; a context in which it is turned off loses its own.
pub(super) fn witness(config: &ConfigFile, systems: &mut [Connected]) -> WitnessSettings {
    let mut by_context = BTreeMap::new();
    for system in systems {
        let here = config.at(system.context.as_str()).audit.witness;
        if !here.enabled {
            system.witness = None;
        }
        by_context.insert(system.context.clone(), here.namespace);
    }
    WitnessSettings { namespace: config.audit.witness.namespace.clone(), by_context }
}
