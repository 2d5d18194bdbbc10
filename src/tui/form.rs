//! What an act needs to be told before it can be confirmed: a revision, an analysis, an image, how long.

use crossterm::event::{Event, KeyCode, KeyEvent};
use jiff::{SignedDuration, Timestamp};
use tui_input::Input;
use tui_input::backend::crossterm::EventHandler as _;

use crate::actions::{Action, Needs, row};
use crate::domain::ids::TargetId;
use crate::domain::intent::{ActionId, Params};
use crate::domain::text::Clean;
use crate::model::choose::{self, Said};
use crate::model::rollback::Goal;
use crate::model::{Target, World};

/// What the answer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Act(ActionId),
    Rollback,
}

/// What is asked.
#[derive(Clone, Debug)]
pub(super) enum Ask {
    /// One of these revisions, by pod-template hash. They stand still while the box is open.
    Revision(List),
    /// One of these analyses.
    Run(List),
    /// A container and its image; the cursor is on the image.
    Image { container: Input, image: Input, on_image: bool },
    /// How long, and which version where there are several.
    Hold { versions: List, long: Input },
}

/// Things to pick from.
#[derive(Clone, Debug, Default)]
pub(super) struct List {
    pub all: Vec<Clean>,
    pub cursor: usize,
}

impl List {
    fn new(all: Vec<Clean>) -> Self {
        Self { all, cursor: 0 }
    }

    fn step(&mut self, code: KeyCode) -> bool {
        let by = match code {
            KeyCode::Down | KeyCode::Char('j') | KeyCode::Tab => 1,
            KeyCode::Up | KeyCode::Char('k') | KeyCode::BackTab => -1,
            _ => return false,
        };
        self.cursor = self.cursor.saturating_add_signed(by).min(self.all.len().saturating_sub(1));
        true
    }

    fn here(&self) -> Option<&Clean> {
        self.all.get(self.cursor)
    }
}

/// The box.
#[derive(Clone, Debug)]
pub(super) struct Form {
    pub purpose: Purpose,
    pub target: TargetId,
    pub ask: Ask,
    /// Why what was chosen does not do.
    pub notice: Option<String>,
}

/// What was chosen.
#[derive(Clone, Debug)]
pub(super) enum Chosen {
    Act(ActionId, Params),
    Goal(Goal),
}

/// What a key led to.
#[derive(Debug)]
pub(super) enum Move {
    Stay,
    Leave,
    Chosen(Chosen),
}

impl Form {
    /// The parameters of `action` where nothing must be asked, else the box that asks for them.
    pub(super) fn for_act(action: &Action, target: &Target, now: Timestamp) -> Result<Result<Params, Self>, String> {
        let ask = match action.needs {
            Needs::Nothing => None,
            Needs::Revision => Some(Ask::Revision(revisions(action.id, target)?)),
            Needs::Run => {
                let running: Vec<Clean> = target
                    .rollout
                    .runs()
                    .filter(|(_, run)| !run.phase.completed())
                    .map(|(_, run)| run.name.clone())
                    .collect();
                (running.len() > 1).then(|| Ask::Run(List::new(running)))
            }
            Needs::Image => Some(image(target)),
            Needs::Duration => {
                let up = target.sets.iter().filter(|s| s.desired > 0 && s.scale_down_deadline.is_some());
                let versions = List::new(up.map(|set| set.pod_hash.clone()).collect());
                Some(Ask::Hold { versions, long: Input::new("1h".to_owned()) })
            }
        };
        Ok(match ask {
            None => Ok(choose::params(action, target, &Said::default(), now)?),
            Some(ask) => Err(Self { purpose: Purpose::Act(action.id), target: target.id().clone(), ask, notice: None }),
        })
    }

    /// Asks to which revision to go back.
    pub(super) fn for_rollback(target: &Target) -> Result<Self, String> {
        let list = revisions(ActionId::Undo, target)?;
        Ok(Self { purpose: Purpose::Rollback, target: target.id().clone(), ask: Ask::Revision(list), notice: None })
    }

    /// Pasted text may be an image: it is confirmed afterwards.
    pub(super) fn paste(&mut self, text: &str) {
        if let Ask::Image { container, image, on_image } = &mut self.ask {
            let field = if *on_image { image } else { container };
            for c in Clean::new(text.trim()).as_str().chars().take(500) {
                field.handle(tui_input::InputRequest::InsertChar(c));
            }
        }
    }

    pub(super) fn key(&mut self, key: KeyEvent, world: &World, now: Timestamp) -> Move {
        self.notice = None;
        match key.code {
            KeyCode::Esc => return Move::Leave,
            KeyCode::Enter => {
                let Some(target) = world.targets.get(&self.target) else { return Move::Leave };
                return match self.choose(target, now) {
                    Ok(chosen) => Move::Chosen(chosen),
                    Err(why) => {
                        self.notice = Some(why);
                        Move::Stay
                    }
                };
            }
            _ => {}
        }
        match &mut self.ask {
            Ask::Revision(list) | Ask::Run(list) => {
                list.step(key.code);
            }
            Ask::Image { container, image, on_image } => match key.code {
                KeyCode::Tab | KeyCode::BackTab | KeyCode::Up | KeyCode::Down => *on_image = !*on_image,
                _ => {
                    let field = if *on_image { image } else { container };
                    field.handle_event(&Event::Key(key));
                }
            },
            Ask::Hold { versions, long } => match key.code {
                KeyCode::Tab | KeyCode::BackTab | KeyCode::Up | KeyCode::Down => {
                    versions.step(key.code);
                }
                _ => {
                    long.handle_event(&Event::Key(key));
                }
            },
        }
        Move::Stay
    }

    fn choose(&self, target: &Target, now: Timestamp) -> Result<Chosen, String> {
        let mut said = Said::default();
        match &self.ask {
            Ask::Revision(list) => said.revision = list.here().map(ToString::to_string),
            Ask::Run(list) => said.run = list.here().map(ToString::to_string),
            Ask::Image { container, image, .. } => {
                let container = container.value().trim();
                said.container = (!container.is_empty()).then(|| container.to_owned());
                said.image = Some(image.value().to_owned());
            }
            Ask::Hold { versions, long } => {
                said.revision = versions.here().map(ToString::to_string);
                let wrong = |_| format!("{:?} is no length of time: write it as 30m or 2h", long.value());
                said.hold = Some(long.value().trim().parse::<SignedDuration>().map_err(wrong)?);
            }
        }
        match self.purpose {
            Purpose::Rollback => {
                let set = choose::revision(target, said.revision.as_deref(), true)?;
                Ok(Chosen::Goal(Goal { hash: set.pod_hash.clone(), revision: set.revision }))
            }
            Purpose::Act(id) => {
                let action = row(id);
                let params = choose::params(action, target, &said, now)?;
                (action.applies)(&target.sight(), &params)?;
                Ok(Chosen::Act(id, params))
            }
        }
    }
}

/// The revisions that an act may be about; the likeliest first under the cursor.
pub(super) fn revisions(action: ActionId, target: &Target) -> Result<List, String> {
    let meant = target.sets.iter().filter(|set| match action {
        ActionId::Undo => set.pod_hash != target.rollout.pod_hash,
        ActionId::Allow => set.do_not_promote.is_some(),
        _ => set.do_not_promote.is_none(),
    });
    let all: Vec<Clean> = meant.map(|set| set.pod_hash.clone()).collect();
    if all.is_empty() {
        return Err(match action {
            ActionId::Undo => "there is no other revision",
            ActionId::Allow => "no revision is marked",
            _ => "every revision is marked already",
        }
        .to_owned());
    }
    let likely = if action == ActionId::Undo { &target.rollout.stable_hash } else { &target.rollout.pod_hash };
    let cursor = all.iter().position(|hash| hash == likely).unwrap_or(0);
    Ok(List { all, cursor })
}

fn image(target: &Target) -> Ask {
    let first = target.rollout.containers.first();
    let of = |text: Option<&Clean>| Input::new(text.map(ToString::to_string).unwrap_or_default());
    let known = first.is_some();
    Ask::Image { container: of(first.map(|c| &c.name)), image: of(first.map(|c| &c.image)), on_image: known }
}
