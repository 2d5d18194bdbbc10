//! A document on the screen: an object as YAML, or how two revisions differ.

use super::find::Find;
use super::state::Loaded;
use crate::domain::ids::TargetId;
use crate::domain::text::Clean;
use crate::model::Target;
use crate::runtime::handle::{DiffKind, RevisionName, TemplateDiff, What, YamlOf};

/// What is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Yaml {
        what: What,
        managed_fields: bool,
    },
    /// From one revision to another; `None` = the one in the spec.
    Diff {
        from: Clean,
        to: Option<Clean>,
    },
}

/// A line and what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TextLine {
    pub kind: DiffKind,
    pub text: Clean,
}

/// The screen.
#[derive(Debug)]
pub(super) struct Text {
    pub target: TargetId,
    pub source: Source,
    /// What stands above it.
    pub head: String,
    pub lines: Loaded<Vec<TextLine>>,
    /// Whether long lines go on in the next row.
    pub wrap: bool,
    pub find: Find,
}

impl Text {
    pub(super) fn yaml(target: TargetId, what: What) -> Self {
        Self::new(target, Source::Yaml { what, managed_fields: false })
    }

    /// From the stable version to the one in flight, else from the revision before.
    pub(super) fn diff(target: &Target) -> Result<Self, String> {
        let rollout = &target.rollout;
        let before = if rollout.fully_promoted() || rollout.first_release() {
            target.sets.iter().find(|set| set.pod_hash != rollout.pod_hash).map(|set| set.pod_hash.clone())
        } else {
            Some(rollout.stable_hash.clone())
        };
        let from = before.ok_or("there is no other revision to compare with")?;
        Ok(Self::new(target.id().clone(), Source::Diff { from, to: None }))
    }

    pub(super) fn diff_from(target: TargetId, from: Clean) -> Self {
        Self::new(target, Source::Diff { from, to: None })
    }

    fn new(target: TargetId, source: Source) -> Self {
        let mut text =
            Self { target, source, head: String::new(), lines: Loaded::Waiting, wrap: true, find: Find::default() };
        text.head = text.title();
        text
    }

    fn title(&self) -> String {
        match &self.source {
            Source::Diff { from, .. } => format!("difference from {from} to what is in the spec"),
            Source::Yaml { what, managed_fields } => {
                let what = match what {
                    What::Rollout => "Rollout".to_owned(),
                    What::ReplicaSet(RevisionName::Hash(hash)) => format!("ReplicaSet of {hash}"),
                    What::ReplicaSet(RevisionName::Number(n)) => format!("ReplicaSet of revision {n}"),
                    What::AnalysisRun(name) => format!("AnalysisRun {name}"),
                    What::Experiment(name) => format!("Experiment {name}"),
                    What::Workload => "what the workloadRef names".to_owned(),
                };
                format!("{what}{}", if *managed_fields { ", with managedFields" } else { "" })
            }
        }
    }

    pub(super) fn is_diff(&self) -> bool {
        matches!(self.source, Source::Diff { .. })
    }

    /// The question behind a YAML screen.
    pub(super) fn query(&self) -> Option<YamlOf> {
        let Source::Yaml { what, managed_fields } = &self.source else { return None };
        Some(YamlOf { target: self.target.clone(), what: what.clone(), managed_fields: *managed_fields })
    }

    /// The same object, with or without `managedFields`.
    pub(super) fn toggle_managed(&mut self) {
        if let Source::Yaml { managed_fields, .. } = &mut self.source {
            *managed_fields = !*managed_fields;
        }
        self.again();
    }

    /// The next object of the target.
    pub(super) fn next_object(&mut self, target: &Target) {
        let Source::Yaml { what, .. } = &mut self.source else { return };
        let mut all = vec![What::Rollout];
        if target.rollout.workload_ref.is_some() {
            all.push(What::Workload);
        }
        let up = target.sets.iter().filter(|set| set.desired > 0 || set.current > 0);
        all.extend(up.map(|set| What::ReplicaSet(RevisionName::Hash(set.pod_hash.clone()))));
        all.extend(target.runs.iter().flat_map(|r| r.iter()).take(5).map(|run| What::AnalysisRun(run.name.clone())));
        all.extend(target.experiments.iter().flat_map(|e| e.iter()).take(3).map(|e| What::Experiment(e.name.clone())));
        let at = all.iter().position(|one| one == what).map_or(0, |at| (at + 1) % all.len());
        *what = all[at].clone();
        self.again();
    }

    fn again(&mut self) {
        self.lines = Loaded::Waiting;
        self.find.forget();
        self.head = self.title();
    }

    pub(super) fn take_yaml(&mut self, of: &YamlOf, answer: Result<Vec<Clean>, String>) {
        if self.query().as_ref() == Some(of) {
            self.lines = answer.map_or_else(Loaded::Failed, |lines| {
                Loaded::Here(lines.into_iter().map(|text| TextLine { kind: DiffKind::Same, text }).collect())
            });
        }
    }

    pub(super) fn take_diff(&mut self, target: &TargetId, from: &Clean, answer: Result<TemplateDiff, String>) {
        let wanted = matches!(&self.source, Source::Diff { from: of, .. } if of == from) && self.target == *target;
        if !wanted {
            return;
        }
        self.lines = match answer {
            Err(why) => Loaded::Failed(why),
            Ok(diff) => {
                self.head = format!("{} → {}", diff.from, diff.to);
                Loaded::Here(diff.lines.into_iter().map(|l| TextLine { kind: l.kind, text: l.text }).collect())
            }
        };
    }

    pub(super) fn find_next(&mut self, top: usize, page: usize, forward: bool) -> Option<usize> {
        let Loaded::Here(lines) = &self.lines else { return None };
        let at = self.find.from(top, page);
        let found = self.find.next(lines.len(), at, forward, |n| lines.get(n).map(|l| l.text.as_str()))?;
        self.find.went_to(found, lines.iter().map(|l| l.text.as_str()));
        Some(found)
    }
}
