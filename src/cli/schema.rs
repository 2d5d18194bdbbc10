//! `schema`: what the JSON documents look like, as JSON Schema, made from the types that print them.
//!
//! `assets/schemas` holds what this prints; a test compares them, and every document that the tests see is checked
//! against its schema.

use std::path::Path;
use std::process::ExitCode;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde_json::Value;

use super::args::SchemaArgs;
use super::{audit, config, doctor, dto, dto_look, dto_plan, dto_watch, output, rehearse};
use crate::error::{Error, Kind};

/// The `kind` of a document, and its type's schema.
type Document = (&'static str, fn() -> Schema);

/// All of them.
const DOCUMENTS: &[Document] = &[
    ("AuditExportVerification", of::<audit::ExportVerificationDto>),
    ("AuditReconciliation", of::<audit::ReconciliationDto>),
    ("AuditRecords", of::<dto::RecordsDto>),
    ("AuditVerification", of::<audit::VerificationDto>),
    ("Config", of::<config::ConfigDto>),
    ("ConfigCheck", of::<config::CheckDto>),
    ("Diff", of::<dto_look::DiffDto>),
    ("Doctor", of::<doctor::DoctorDto>),
    ("Events", of::<dto_look::EventsDto>),
    ("Heartbeat", of::<dto_watch::Heartbeat>),
    ("History", of::<dto_look::HistoryDto>),
    ("Link", of::<dto_watch::LinkChanged>),
    ("LogLine", of::<dto_look::LogLineDto>),
    ("Outcome", of::<dto::OutcomeDto>),
    ("Plan", of::<dto_plan::PlanDto>),
    ("Plans", of::<dto_plan::PlansDto>),
    ("Rehearsal", of::<rehearse::RehearsalDto>),
    ("RollBackPlan", of::<dto_plan::RollBackDto>),
    ("Status", of::<dto::StatusDto>),
    ("Target", of::<dto::TargetDto>),
    ("TargetGone", of::<dto_watch::TargetGone>),
    ("Waited", of::<dto_watch::Waited>),
    ("Yaml", of::<dto_look::YamlDto>),
];

fn of<T: JsonSchema>() -> Schema {
    SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<T>()
}

/// The schema of the documents of one kind, as text.
fn text((kind, made): Document) -> Result<String, Error> {
    let mut schema: Value = made().into();
    schema["title"] = kind.into();
    for (field, says) in [("apiVersion", dto::API_VERSION), ("kind", kind)] {
        schema["properties"][field] = serde_json::json!({"const": says});
    }
    let text =
        serde_json::to_string_pretty(&schema).map_err(|e| Error::new(Kind::Failure, format!("schema {kind}: {e}")))?;
    Ok(format!("{text}\n"))
}

pub(super) fn run(args: &SchemaArgs) -> Result<ExitCode, Error> {
    match (&args.name, &args.out) {
        (_, Some(folder)) => write(folder)?,
        (None, None) => DOCUMENTS.iter().try_for_each(|(kind, _)| output::line(kind))?,
        (Some(name), None) => {
            let found = DOCUMENTS.iter().find(|(kind, _)| kind.eq_ignore_ascii_case(name)).ok_or_else(|| {
                Error::new(Kind::NotFound, format!("there is no document {name}"))
                    .hint("`flightdeck schema` lists them; the name is the document's `kind`")
            })?;
            output::raw(text(*found)?.as_bytes())?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn write(folder: &Path) -> Result<(), Error> {
    let broken = |e: std::io::Error| Error::new(Kind::Failure, format!("{}: {e}", folder.display()));
    std::fs::create_dir_all(folder).map_err(broken)?;
    for document in DOCUMENTS {
        std::fs::write(folder.join(format!("{}.json", document.0)), text(*document)?).map_err(broken)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schemas_that_are_kept_are_those_of_the_types() {
        let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/schemas");
        let names: Vec<String> = std::fs::read_dir(&kept)
            .expect("the folder")
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        assert_eq!(names.len(), DOCUMENTS.len(), "{names:?}");
        for document in DOCUMENTS {
            let file = kept.join(format!("{}.json", document.0));
            let text = text(*document).expect("a schema");
            let kept = std::fs::read_to_string(&file).unwrap_or_default();
            assert!(kept == text, "{} is old: `flightdeck schema --out assets/schemas` writes it", file.display());
        }
    }
}
