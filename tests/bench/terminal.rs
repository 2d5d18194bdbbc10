//! What reaches the terminal, and what is left of it: R10 to R12.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::fleet::Fleet;
use super::screen::Screen;
use super::scripted::{Reply, Server, list, rollout};
use super::speed::at_rest;
use super::table::{Row, thousands};
use super::{Mode, program};

/// Seconds until the screen says *stale*, of `most`.
fn stale_after(focused: bool, most: u64) -> f64 {
    let fleet = Fleet::start(20);
    let mut screen = at_rest(&fleet);
    if focused {
        screen.press("\r");
        screen.until("the target", |text| text.contains("svc-00000") && !text.contains("WHY HERE"));
        screen.settle(Duration::from_secs(1));
    }
    assert!(!screen.contents().contains("stale"), "it is stale before anything happens\n{}", screen.contents());
    fleet.fall_silent();
    let begun = Instant::now();
    let deadline = begun + Duration::from_secs(most + 20);
    while !screen.contents().contains("stale") {
        assert!(Instant::now() < deadline, "never said stale\n{}", screen.contents());
        screen.next(Duration::from_millis(100));
    }
    begun.elapsed().as_secs_f64()
}

/// R10: a network that swallows everything.
pub fn half_open(_: Mode) -> Vec<Row> {
    let (focused, board) = std::thread::scope(|scope| {
        let board = scope.spawn(|| stale_after(false, 75));
        (stale_after(true, 10), board.join().expect("measured"))
    });
    // A mark is drawn by a clock that looks once a second at most.
    let met = focused <= 11.0 && board <= 76.0;
    vec![Row::judged(
        "R10",
        "half-open connection → *stale* on the screen, focused target / board",
        format!("{focused:.1} s / {board:.1} s"),
        "≤ 10 s / ≤ 75 s",
        "the server goes silent and closes nothing; the program's own limits; 1 s for the harness and the clock on the screen",
        met,
    )]
}

/// Attacks on a terminal: each begins one of its sequences, or is a character that does not show what it is.
fn attacks() -> Vec<String> {
    let mut all = Vec::new();
    // CSI with every final byte, and with private markers.
    for last in 0x40..=0x7e_u8 {
        all.push(format!("\u{1b}[{}", char::from(last)));
        all.push(format!("\u{1b}[?1049;2;3{}", char::from(last)));
    }
    // Every single-character escape, C0 and C1.
    all.extend((0x30..=0x7e_u8).map(|last| format!("\u{1b}{}", char::from(last))));
    all.extend((0..=0x1f_u32).chain(0x7f..=0x9f).filter_map(char::from_u32).map(|c| format!("a{c}b")));
    // Strings: OSC, DCS, APC, PM, SOS, in 7 and 8 bits, ended by BEL, by ST, or not at all.
    for begin in
        ["\u{1b}]", "\u{1b}P", "\u{1b}_", "\u{1b}^", "\u{1b}X", "\u{9d}", "\u{90}", "\u{9f}", "\u{9e}", "\u{98}"]
    {
        for text in ["52;c;cm0gLXJmIC8=", "0;title", "8;;http://evil", "10;?", "$q\"p", "+q544e"] {
            for end in ["\u{7}", "\u{1b}\\", ""] {
                all.push(format!("{begin}{text}{end}"));
            }
        }
    }
    // What turns, hides or joins text, alone and many of them.
    for c in [
        "\u{202a}",
        "\u{202e}",
        "\u{2066}",
        "\u{2069}",
        "\u{200b}",
        "\u{200f}",
        "\u{feff}",
        "\u{ad}",
        "\u{2028}",
        "\u{e0001}",
    ] {
        all.push(format!("a{c}b"));
        all.push(c.repeat(40));
    }
    all.push("\u{1b}[31m".repeat(2_000));
    all.push(format!("Z{}", "\u{301}".repeat(60)));
    all.push("%s%n\\x1b[31m\r\nnext".to_owned());
    all
}

/// Which strings an object names things by: poisoned, it would not be found or not be shown at all.
const IDENTITY: [&str; 12] = [
    "/metadata/uid",
    "/metadata/name",
    "/metadata/namespace",
    "/metadata/resourceVersion",
    "/apiVersion",
    "/kind",
    "/status/currentPodHash",
    "/status/stableRS",
    "/status/observedGeneration",
    "/status/pauseConditions/0/startTime",
    "/metadata/creationTimestamp",
    "/spec/replicas",
];

/// Puts the payload behind every string, but those that identify; returns how many that were.
fn poison(value: &mut Value, payload: &str, at: &str) -> usize {
    match value {
        Value::String(text) if !IDENTITY.contains(&at) => {
            text.push_str(payload);
            1
        }
        Value::Array(all) => all.iter_mut().enumerate().map(|(n, v)| poison(v, payload, &format!("{at}/{n}"))).sum(),
        Value::Object(all) => all.iter_mut().map(|(key, v)| poison(v, payload, &format!("{at}/{key}"))).sum(),
        _ => 0,
    }
}

/// The control sequences of an output, without their numbers; and what should never be in text.
fn grammar(raw: &[u8]) -> (BTreeSet<String>, Vec<String>) {
    let mut shapes = BTreeSet::new();
    let mut bad = Vec::new();
    let text = String::from_utf8_lossy(raw).into_owned();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' => match chars.next() {
                Some('[') => {
                    let mut shape = String::from("CSI ");
                    for c in chars.by_ref() {
                        if ('\u{40}'..='\u{7e}').contains(&c) {
                            shape.push(c);
                            break;
                        }
                        if !(c.is_ascii_digit() || ";:".contains(c)) {
                            shape.push(c);
                        }
                    }
                    shapes.insert(shape);
                }
                Some(']') => {
                    // Up to BEL or ST; the number says what it does.
                    let mut said = String::new();
                    while let Some(c) = chars.next() {
                        if c == '\u{7}' {
                            break;
                        }
                        if c == '\u{1b}' {
                            chars.next();
                            break;
                        }
                        said.push(c);
                    }
                    shapes.insert(format!("OSC {}", said.split(';').next().unwrap_or_default()));
                }
                other => {
                    shapes.insert(format!("ESC {other:?}"));
                }
            },
            '\r' | '\n' => {}
            c if c.is_control()
                || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
                || matches!(c, '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}') =>
            {
                bad.push(format!("{:?} in {:?}", c, chars.clone().take(20).collect::<String>()));
            }
            _ => {}
        }
    }
    (shapes, bad)
}

/// Starts the cockpit on a server, walks through its screens, and returns every byte that it wrote.
fn walk(kubeconfig: &Path, names: &[String]) -> Vec<u8> {
    let state = tempfile::tempdir().expect("a folder");
    let env: [(&str, &Path); 3] =
        [("KUBECONFIG", kubeconfig), ("FLIGHTDECK_STATE_DIR", state.path()), ("HOME", state.path())];
    let mut screen = Screen::start(&program(), &["--namespace", "shop"], &env, 200, 60);
    screen.raw = Some(Vec::new());
    screen.until("a row", |text| text.contains(&names[0]));
    let rest = |screen: &mut Screen| screen.settle(Duration::from_millis(20));
    rest(&mut screen);
    for key in ["?", "\x1b", "L", "\x1b", "A", "\x1b"] {
        screen.press(key);
        rest(&mut screen);
    }
    for _ in names {
        // The target, its events, its history, its menu, and a box.
        for key in ["\r", "e", "\x1b", "v", "\x1b", "y", "\x1b", "a", "\x1b", "\x1b", "j"] {
            screen.press(key);
            rest(&mut screen);
        }
    }
    screen.press("\x03");
    screen.ended();
    screen.raw.take().unwrap_or_default()
}

pub fn served(objects: Vec<Value>) -> (tokio::runtime::Runtime, Server) {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let server = runtime.block_on(Server::start(move |asked| {
        if asked.lists("/rollouts") {
            return Some(Reply::Json(200, list(&objects, 1000, None)));
        }
        let name = asked.path.split('?').next().and_then(|p| p.split("/rollouts/").nth(1))?;
        let found = objects.iter().find(|o| o["metadata"]["name"] == name)?;
        (asked.method == "GET").then(|| Reply::Json(200, found.clone()))
    }));
    (runtime, server)
}

pub fn named(prefix: &str, number: usize) -> Value {
    let mut object = rollout(&format!("{prefix}-{number:03}"), 100 + number as u64);
    object["metadata"]["uid"] = format!("uid-{prefix}-{number}").into();
    object
}

/// R11: nothing of what a cluster says steers the terminal.
pub fn hostile(mode: Mode) -> Vec<Row> {
    let attacks = attacks();
    // The plain run shows which sequences are the program's own.
    let plain: Vec<Value> = (0..3).map(|n| named("svc", n)).collect();
    let names: Vec<String> = (0..3).map(|n| format!("svc-{n:03}")).collect();
    let (_runtime, server) = served(plain);
    let raw = walk(&server.kubeconfig(), &names);
    let (own, plain_bad) = grammar(&raw);
    assert!(plain_bad.is_empty() && !own.is_empty(), "the measure is wrong: {plain_bad:?}");

    let (mut fields, mut foreign, mut bytes, mut seen) = (0, Vec::new(), 0, 0);
    let step = mode.pick(1, 4);
    let chosen: Vec<String> = attacks.iter().step_by(step).cloned().collect();
    for (round, some) in chosen.chunks(60).enumerate() {
        let mut objects = Vec::new();
        for (n, payload) in some.iter().enumerate() {
            let mut object = named("bad", n);
            fields += poison(&mut object, payload, "");
            objects.push(object);
        }
        let names: Vec<String> = (0..some.len()).map(|n| format!("bad-{n:03}")).collect();
        let (_runtime, server) = served(objects);
        let raw = walk(&server.kubeconfig(), &names);
        bytes += raw.len();
        // The measure is one only if the texts are shown.
        assert!(raw.windows(3).any(|w| w == "␛".as_bytes()), "no attack came as far as the screen");
        seen += some.len();
        let (shapes, bad) = grammar(&raw);
        foreign.extend(shapes.difference(&own).map(|shape| format!("round {round}: {shape}")));
        foreign.extend(bad);
        // The verbs write to the same terminal.
        for words in [
            "status",
            "status -o json",
            "get shop/bad-000",
            "get shop/bad-001 -o json",
            "yaml shop/bad-000",
            "events shop/bad-000",
            "history shop/bad-000",
            "abort shop/bad-000",
        ] {
            let verb: Vec<&str> = words.split(' ').collect();
            let out = Command::new(program())
                .args(&verb)
                .args(["--namespace", "shop"])
                .env("KUBECONFIG", server.kubeconfig())
                .stdin(Stdio::null())
                .output()
                .expect("it runs");
            let (shapes, bad) = grammar(&[out.stdout, out.stderr].concat());
            foreign.extend(shapes.into_iter().map(|shape| format!("{verb:?}: {shape}")));
            foreign.extend(bad.into_iter().map(|what| format!("{verb:?}: {what}")));
        }
    }
    let figure = if foreign.is_empty() {
        format!(
            "0 of {} payloads, each in all strings of an object ({} places); {} bytes of output looked at",
            thousands(seen),
            thousands(fields),
            thousands(bytes)
        )
    } else {
        format!("{} sequences, the first: {:?}", foreign.len(), &foreign[..foreign.len().min(5)])
    };
    vec![Row::judged(
        "R11",
        "hostile texts that reach the terminal as more than text",
        figure,
        "0 of ≥ 300",
        "the program behind a pseudo-terminal on board, target, events, history, menu; six verbs; every control sequence must be one \
         that a run on plain texts writes too",
        foreign.is_empty() && (mode.quick || seen >= 300),
    )
    .quick(mode)]
}

/// Leaves by the key: it asks first, and one that comes at once is taken for held down.
fn leave(screen: &mut Screen) {
    screen.press("q");
    screen.until("the question", |text| text.contains("q again leaves"));
    screen.settle(Duration::from_millis(200));
    screen.press("q");
}

/// R12: the terminal after every way out.
pub fn exits(_: Mode) -> Vec<Row> {
    let ways: [(&str, &str); 7] = [
        ("q", "key q, and again"),
        ("\x03", "Ctrl-C"),
        ("-TERM", "SIGTERM"),
        ("-HUP", "SIGHUP"),
        ("-INT", "SIGINT"),
        ("-QUIT", "SIGQUIT"),
        ("-KILLSERVER", "the cluster goes away, then q twice"),
    ];
    let mut wrong = Vec::new();
    for (way, name) in ways {
        let fleet = Fleet::start(5);
        let state = fleet.state();
        let kubeconfig = fleet.kubeconfig();
        let env: [(&str, &Path); 2] = [("KUBECONFIG", &kubeconfig), ("FLIGHTDECK_STATE_DIR", &state)];
        let line = format!("stty -g; '{}'; echo; stty -g; echo the-end", program().display());
        let mut screen = Screen::start(Path::new("/bin/sh"), &["-c", &line], &env, 200, 60);
        screen.raw = Some(Vec::new());
        screen.until("a row", |text| text.contains("svc-00000"));
        screen.settle(Duration::from_millis(100));
        let pid = child_of(screen.pid());
        match way {
            "-KILLSERVER" => {
                fleet.fall_silent();
                leave(&mut screen);
            }
            "q" => leave(&mut screen),
            signal if signal.starts_with('-') => {
                let _ = Command::new("kill").args([signal, &pid.to_string()]).status();
            }
            key => {
                screen.press(key);
            }
        }
        let raw = {
            let deadline = Instant::now() + Duration::from_secs(10);
            while !screen.contents().contains("the-end") && Instant::now() < deadline {
                screen.next(Duration::from_millis(50));
            }
            String::from_utf8_lossy(screen.raw.as_deref().unwrap_or_default()).into_owned()
        };
        let settings: Vec<&str> = raw
            .split(['\n', '\r'])
            .filter(|l| l.matches(':').count() > 10 && l.chars().all(|c| c.is_ascii_hexdigit() || c == ':'))
            .collect();
        let same = settings.len() == 2 && settings[0] == settings[1];
        // What was switched on is off again: every private mode whose last word is "on".
        let left: Vec<&str> = ["?1049", "?2004", "?1000", "?1002", "?1003", "?1006", "?1004"]
            .into_iter()
            .filter(|mode| raw.rfind(&format!("\x1b[{mode}h")) > raw.rfind(&format!("\x1b[{mode}l")))
            .collect();
        let cursor = raw.rfind("\x1b[?25h") > raw.rfind("\x1b[?25l");
        if !(same && left.is_empty() && cursor) {
            wrong.push(format!("{name} (settings {same}, modes left on {left:?}, cursor {cursor})"));
        }
    }
    vec![Row::judged(
        "R12",
        "terminal restored after every way out",
        if wrong.is_empty() {
            format!("{} of {}", ways.len(), ways.len())
        } else {
            format!("not after: {}", wrong.join("; "))
        },
        "100 %",
        "`stty -g` before and after, and the modes that were switched on: q, Ctrl-C, SIGTERM, SIGHUP, SIGINT, SIGQUIT, a silent cluster",
        wrong.is_empty(),
    )]
}

/// The process that a shell started.
fn child_of(shell: u32) -> u32 {
    let text = std::fs::read_to_string(format!("/proc/{shell}/task/{shell}/children")).unwrap_or_default();
    text.split_whitespace().next().and_then(|pid| pid.parse().ok()).unwrap_or(shell)
}
