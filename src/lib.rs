//! Flightdeck: a release cockpit for the terminal.
//!
//! One screen for what a release needs, keys to act on it, and a record of every act. This page is the map: rooms,
//! what may import what, and the rules that hold everywhere. `tests/architecture` reads the source and enforces it.
//!
//! # Data flow
//!
//! ```text
//! systems ──Observation──▶ runtime/engine ──Arc<World>──▶ tui/view · cli/output
//! keys · verbs ──Intent{action, target, seen, actor, reason}──▶ runtime/control:
//!     decide (policy, pure) ▶ prepare (reads afresh, exact requests) ▶ record (audit, durable)
//!     ▶ apply (each request once) ▶ observe (the effect) ──Outcome──▶ engine, audit
//! faces ──Query──▶ runtime ──answer──▶ that face alone     (a dry run is a query: decide ▶ prepare ▶ ask with dryRun=All)
//! ```
//!
//! Read [`runtime::control`] next: the safety story stands there on one page. Then [`systems::argo_rollouts`] shows
//! what a system looks like. A new act is an [`domain::intent::ActionId`] (also in its `ALL`), one row in
//! [`actions::TABLE`] with its functions in a file beside it, one arm in `systems/…/prepare`, and one arm in
//! [`model::settle`]; the compiler lists the arms, and tests that walk `ALL` the rest. Key, verb, help and confirmation
//! come from the row.
//!
//! A new flag of a verb: `cli/args` with its example (a test asks for one), the verb's file and `cli/oneline` where it
//! narrows, the document in `cli/dto` (`flightdeck schema --out assets/schemas`), a test in `tests/cli`, CHANGELOG and README.
//! A new key of the configuration: `config/file` (its doc comment is its help), `config/check` for what its type cannot say,
//! `cli/settings` or `config::needs_restart` for what happens to it while the program runs, `config.example.toml`.
//!
//! A rollback, or one act on several targets, is a [`domain::plan::Plan`]: `runtime::control::plans` sends its steps as
//! intents by the same queue as everyone's, one after another, and puts the plan itself on record before and after.
//!
//! # Rooms
//!
//! | folder | what | may import | outside world |
//! |---|---|---|---|
//! | `domain` | nouns: plain data | – | none |
//! | `actions` | verbs: the table of acts | domain | none |
//! | `model` | world, update, query, filter, sort, settle (which observation proves which act) | domain, actions | none |
//! | `policy` | decide and its named rules; the mandate | domain, actions | none |
//! | `audit` | the log: chain, the only writer, recovery, verification | domain | files |
//! | `effects` | the effector contract; sends a plan's steps once each | domain, audit | timers |
//! | `systems` | one folder per outside system; `kubernetes` is the transport they may share | domain, effects, audit, config | network |
//! | `config` | layers, validation, typed sections, paths | domain, actions, policy | files, env |
//! | `demo` | the embedded world on loopback, speaking the real wire protocols | domain, config | sockets |
//! | `runtime` | engine, control, supervision, handle | all above but demo | tasks, log files |
//! | `tui` | the cockpit | domain, actions, model, policy (preview), runtime, config | terminal |
//! | `cli` | verbs and wiring | all above (of tui only its entry) | stdout |
//!
//! `error` belongs to everyone: a kind, which fixes the exit code, and a hint.
//!
//! # Invariants
//!
//! 1. No act without a record first: [`effects::Effector::apply`] takes [`audit::Authorized`] by value; only `audit`
//!    makes one. While the log takes no records an act that stops harm may go on a record kept in memory
//!    ([`audit::Standing::Degraded`]), after one more confirmation; it is written late, or printed at the end. Writes
//!    that are no acts stand in one list, [`systems::kubernetes::housekeeping::Write`].
//! 2. `domain`, `actions`, `model`, `policy` read no clock and do no I/O. Time arrives as data.
//! 3. The engine alone changes the [`model::World`]. Views take shared references.
//! 4. Intents and outcomes wait on bounded queues and are never dropped.
//! 5. A write is sent once. Reads may be repeated, with backoff and jitter. Every call has a deadline.
//! 6. Policy decides on the snapshot current at execution; an intent whose target moved on is *superseded*.
//! 7. No face has a private path: keys and verbs pass the same steps.
//! 8. Text from outside is [`domain::text::Clean`] before it reaches a terminal or a log line.
//! 9. Secrets stay in the systems' clients.
//! 10. One malformed object becomes one visible warning, never an empty screen and never a dead watch.
//! 11. Identity is cluster + namespace + kind + name (+ uid for a write).
//! 12. Read-only forbids in `policy`, not by hiding keys.
//! 13. Files stay small: under 400 lines, and a test ends at 500; one `use crate::room` a line, so that the same test can
//!     read who imports whom.
//!
//! # Where this differs from the first design
//!
//! - Lists and watches are our own loop over kube's client instead of `kube::runtime::watcher`: the watcher swallows
//!   bookmarks (quiet and dead look alike) and one malformed object ends it.
//! - `systems/kubernetes` may be imported by the other systems behind the same API server; none of them by another.
//! - Views paint cells and compute what must be said as they go, the time of the next visible change of an age among
//!   it; the loop sends the difference of two frames in one write, and nothing when there is none.
//! - The demo world shares no code with the systems that talk to it; the parity test (`tests/parity`) plays one script
//!   on it and on a real cluster and compares every line.
//! - Roll back is no act of its own but a plan made of acts ([`model::rollback`]): so its steps need no second path, and a
//!   group act is the same thing with other targets.
//! - A dry run is no act: it has types of its own ([`domain::rehearsal`]), no authorisation, and no record.
//! - *Do not promote* is a mark on the revision's ReplicaSet, not a list of ours: every cockpit sees it by the watch that it
//!   has anyway, and the controller leaves a ReplicaSet's annotations alone (a Rollout's it copies around).
//! - What acts are judged by is a [`domain::sight::Sight`]: the rollout with its ReplicaSets and analyses. An abort without a
//!   router, say, is proven by a ReplicaSet, not by the Rollout.
//! - Promoting a manually paused rollout sends the promotion first and ends the pause then; resuming one ends the pause by
//!   hand first. In the other order the real controller leaves it hanging, or pauses again at the same step.
//! - No configuration file of the working directory is read: what may be done must not depend on the folder, and a cloned
//!   repository could send tokens elsewhere ([`config::Layers`]). Settings change while the program runs
//!   ([`runtime::settings`]), so whoever decides takes the mandate of the moment; it holds per kube context
//!   ([`policy::Mandate::at`]).
//! - Silence: a link is *stale* after 75 s (the API server breaks its silence with a bookmark about every minute), the one
//!   of the open target after 10 s. Until then the corner says from 30 s on when a context was last heard of, in steps of
//!   15 s and a calm colour ([`model::query::quiet`]): a quiet cluster costs a few bytes four times a minute, and no
//!   request. An active probe would know sooner and cost requests for ever from every cockpit; whoever needs to know opens
//!   the target. A timed pause that is over and stands says *the controller does not act* only where something was heard
//!   of the link since; after a minute it needs a person ([`model::query::overdue`]).
//! - A link through which nothing is asked is *off*, neither live nor missing ([`domain::link::LinkState::Off`]); the age of
//!   what is shown never becomes younger because somebody begins to ask in the silence.
//! - Whoever says yes beforehand has not seen the rates. What is over its limit, may be, or was within the past hour and was
//!   not proven fine since is not brought forward so, nor what a configured Prometheus cannot be asked about
//!   ([`domain::signal::Signals::was_over`]): an abort empties the windows, and a verb that starts later knows of nothing else.
//! - Observations and the stages of acts reach the engine by two bounded queues that the engine itself merges into
//!   one order, so that a system need not know the model's event type.

pub mod actions;
pub mod audit;
pub mod cli;
pub mod config;
pub mod demo;
pub mod domain;
pub mod effects;
pub mod error;
pub mod model;
pub mod policy;
pub mod runtime;
pub mod systems;
pub mod tui;

#[cfg(test)]
#[path = "../tests/fuzz/mod.rs"]
mod fuzz;
