//! What the help of each verb shows last: examples, and the exit codes.

use clap::Command;

use crate::cli::plugin::spoken;
use crate::error::Kind;

/// By the words of the verb. Acts bring their own.
const EXAMPLES: &[(&str, &str)] = &[
    (
        "status",
        "  flightdeck status -n shop -l 'tier in (web,api)'\n  \
         flightdeck status --filter 'state:paused env:prod !label:team=web'\n  \
         flightdeck status -o name | xargs -n1 flightdeck get\n  \
         flightdeck status --oneline                   for tmux: set -g status-right '#(flightdeck status --oneline)'",
    ),
    ("get", "  flightdeck get shop/payments\n  flightdeck get shop/payments -o json | jq .weight"),
    (
        "watch",
        "  flightdeck watch shop/payments\n  flightdeck watch -o json --heartbeat 30s | jq -c 'select(.kind == \"Target\")'",
    ),
    (
        "wait",
        "  flightdeck wait shop/payments --for healthy --timeout 15m\n  flightdeck wait -l app=payments --for weight=50\n  \
         flightdeck wait shop/payments --for paused && flightdeck resume shop/payments --yes",
    ),
    (
        "rollback",
        "  flightdeck rollback shop/payments --plan-only\n  flightdeck rollback shop/payments --dry-run\n  \
         flightdeck rollback shop/payments --to-revision 7 --yes --reason 'errors since 8'",
    ),
    ("plan", "  flightdeck plan list\n  flightdeck plan resume 1f3a --yes"),
    ("plan list", "  flightdeck plan list -o json"),
    ("plan resume", "  flightdeck plan resume 1f3a --dry-run\n  flightdeck plan resume 1f3a --yes"),
    (
        "logs",
        "  flightdeck logs shop/payments -f --revision 8\n  flightdeck logs shop/payments --since 10m --search timeout",
    ),
    ("yaml", "  flightdeck yaml shop/payments\n  flightdeck yaml shop/payments --kind template --revision 7"),
    ("diff", "  flightdeck diff shop/payments 7\n  flightdeck diff shop/payments 7 8"),
    ("history", "  flightdeck history shop/payments"),
    ("events", "  flightdeck events shop/payments --no-headers"),
    ("audit", "  flightdeck audit list shop/payments\n  flightdeck audit verify --witness cluster"),
    ("audit list", "  flightdeck audit list shop/payments --limit 100\n  flightdeck audit list -o json"),
    ("audit show", "  flightdeck audit show 12"),
    ("audit verify", "  flightdeck audit verify --witness cluster\n  flightdeck audit verify --file day.jsonl"),
    ("audit export", "  flightdeck audit export --since 24h --out day.jsonl\n  flightdeck audit export --format csv"),
    ("audit reconcile", "  flightdeck audit reconcile shop/payments --since 2h"),
    ("config", "  flightdeck config init\n  flightdeck config show --changed\n  flightdeck config check"),
    ("config show", "  flightdeck config show --changed\n  flightdeck config show --context prod -o json"),
    ("config check", "  flightdeck config check\n  flightdeck config check ./new.toml"),
    ("config path", "  flightdeck config path --all"),
    ("config init", "  flightdeck config init"),
    ("config schema", "  flightdeck config schema > config.schema.json"),
    ("config env", "  flightdeck config env"),
    ("doctor", "  flightdeck doctor\n  flightdeck doctor -o json | jq '.checks[] | select(.verdict != \"ok\")'"),
    (
        "rbac",
        "  flightdeck rbac viewer --group developers | kubectl apply -f -\n  \
         flightdeck rbac operator -n shop --user anna | kubectl apply -f -",
    ),
    (
        "demo",
        "  flightdeck demo --scenario bad-canary\n  \
         flightdeck demo --serve > demo.env &          then, once the file is there:\n  \
         source demo.env && flightdeck status          in this terminal, and in any other",
    ),
    ("man", "  flightdeck man | man -l -\n  flightdeck man --out /usr/local/share/man/man1"),
    ("schema", "  flightdeck schema\n  flightdeck schema Status"),
    (
        "completions",
        "  source <(flightdeck completions bash)\n  flightdeck completions zsh > ~/.zfunc/_flightdeck\n  \
         flightdeck completions fish | source",
    ),
];

/// The exit codes, as help and README tell them.
pub(super) fn exit_codes() -> String {
    let lines = Kind::ALL.iter().map(|kind| format!("  {:>2}  {}", kind.code(), kind.meaning()));
    std::iter::once("Exit codes:\n   0  done".to_owned()).chain(lines).collect::<Vec<_>>().join("\n")
}

/// Ends a verb's help with these examples; its long help with the exit codes too.
pub(super) fn ended(verb: Command, examples: &str) -> Command {
    let text = spoken(&format!("Examples:\n{examples}"));
    let long = format!("{text}\n\n{}", exit_codes());
    verb.after_help(text).after_long_help(long)
}

/// Gives every verb in the tree its examples; `path` = the words that lead to this one.
pub(super) fn exampled(command: Command, path: &str) -> Command {
    let verbs: Vec<String> = command.get_subcommands().map(|verb| verb.get_name().to_owned()).collect();
    verbs.into_iter().fold(command, |command, name| {
        let words = if path.is_empty() { name.clone() } else { format!("{path} {name}") };
        command.mut_subcommand(&name, |verb| {
            let found = EXAMPLES.iter().find(|(of, _)| *of == words);
            let verb = found.map_or(verb.clone(), |(_, examples)| ended(verb, examples));
            exampled(verb, &words)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::super::command;

    #[test]
    fn every_verb_ends_its_help_with_examples_and_exit_codes() {
        fn check(command: &clap::Command, path: &str) {
            for verb in command.get_subcommands() {
                let path = format!("{path} {}", verb.get_name());
                let text = verb.get_after_long_help().map(ToString::to_string).unwrap_or_default();
                assert!(text.contains("Examples:") && text.contains("Exit codes:"), "{path}: {text}");
                assert!(text.contains(path.trim()), "{path}: {text}");
                check(verb, &path);
            }
        }
        check(&command(), "");
    }
}
