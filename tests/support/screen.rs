//! A program behind a terminal, with the time of everything it writes.

use std::io::{Read as _, Write};
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

/// What came out of the terminal, and when.
#[derive(Clone)]
pub struct Chunk {
    pub at: Instant,
    pub bytes: Vec<u8>,
}

pub struct Screen {
    pub started: Instant,
    child: Box<dyn Child + Send + Sync>,
    keyboard: Box<dyn Write + Send>,
    master: Box<dyn MasterPty + Send>,
    output: Receiver<Chunk>,
    parser: vt100::Parser,
    pub bytes: usize,
    /// Everything that was written, where it is wanted.
    pub raw: Option<Vec<u8>>,
    /// The same with its times.
    pub chunks: Option<Vec<Chunk>>,
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Screen {
    pub fn start(program: &Path, args: &[&str], env: &[(&str, &Path)], columns: u16, rows: u16) -> Self {
        let size = PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).expect("a pseudo-terminal");
        let mut command = CommandBuilder::new(program);
        command.args(args);
        command.env("TERM", "xterm-256color");
        command.env("LC_ALL", "C.UTF-8");
        for (key, value) in env {
            command.env(key, value);
        }
        let mut reader = pair.master.try_clone_reader().expect("a reader");
        let keyboard = pair.master.take_writer().expect("a writer");
        let (to, output) = channel();
        std::thread::spawn(move || {
            let mut buffer = vec![0; 1 << 16];
            while let Ok(n @ 1..) = reader.read(&mut buffer) {
                if to.send(Chunk { at: Instant::now(), bytes: buffer[..n].to_vec() }).is_err() {
                    return;
                }
            }
        });
        let started = Instant::now();
        let child = pair.slave.spawn_command(command).expect("the program starts");
        Self {
            started,
            child,
            keyboard,
            master: pair.master,
            output,
            parser: vt100::Parser::new(rows, columns, 0),
            bytes: 0,
            raw: None,
            chunks: None,
        }
    }

    pub fn pid(&self) -> u32 {
        self.child.process_id().expect("a process")
    }

    pub fn press(&mut self, keys: &str) -> Instant {
        let at = Instant::now();
        self.keyboard.write_all(keys.as_bytes()).expect("the keyboard");
        at
    }

    pub fn contents(&self) -> String {
        self.parser.screen().contents()
    }

    /// Takes the next output in, and says when it came.
    pub fn next(&mut self, wait: Duration) -> Option<Instant> {
        match self.output.recv_timeout(wait) {
            Ok(chunk) => {
                self.take(&chunk);
                Some(chunk.at)
            }
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => panic!("the program ended; its screen was\n{}", self.contents()),
        }
    }

    /// When the screen first showed what is asked for.
    pub fn until(&mut self, what: &str, shows: impl Fn(&str) -> bool) -> Instant {
        let deadline = Instant::now() + Duration::from_secs(30);
        let mut last = Instant::now();
        while !shows(&self.contents()) {
            assert!(Instant::now() < deadline, "no {what} on the screen\n{}", self.contents());
            if let Some(at) = self.next(Duration::from_millis(200)) {
                last = at;
            }
        }
        last
    }

    /// Gives the terminal another size.
    pub fn resize(&mut self, columns: u16, rows: u16) {
        let size = PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 };
        self.master.resize(size).expect("another size");
        self.parser.screen_mut().set_size(rows, columns);
    }

    /// Waits for the end of the program, takes in what it still says, and returns its exit code.
    pub fn ended(&mut self) -> u32 {
        let deadline = Instant::now() + Duration::from_secs(20);
        let code = loop {
            if let Some(status) = self.child.try_wait().expect("its state") {
                break status.exit_code();
            }
            assert!(Instant::now() < deadline, "it does not end\n{}", self.contents());
            if let Ok(chunk) = self.output.recv_timeout(Duration::from_millis(20)) {
                self.take(&chunk);
            }
        };
        while let Ok(chunk) = self.output.recv_timeout(Duration::from_millis(200)) {
            self.take(&chunk);
        }
        code
    }

    fn take(&mut self, chunk: &Chunk) {
        self.bytes += chunk.bytes.len();
        self.parser.process(&chunk.bytes);
        if let Some(raw) = &mut self.raw {
            raw.extend_from_slice(&chunk.bytes);
        }
        if let Some(chunks) = &mut self.chunks {
            chunks.push(chunk.clone());
        }
    }

    /// Takes in what comes until nothing has come for `quiet`.
    pub fn settle(&mut self, quiet: Duration) {
        while self.next(quiet).is_some() {}
    }
}

/// CPU time, context switches and memory of a process, from `/proc`.
#[derive(Clone, Copy, Debug)]
pub struct Usage {
    pub cpu: Duration,
    pub switches: u64,
    pub resident_kib: u64,
}

pub fn usage(pid: u32) -> Usage {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("stat");
    let fields: Vec<u64> = stat
        .rsplit_once(')')
        .expect("a name in brackets")
        .1
        .split_whitespace()
        .map(|field| field.parse().unwrap_or(0))
        .collect();
    // utime and stime, in ticks of 10 ms, are fields 14 and 15; the state is field 3 and comes first here.
    let ticks = fields[11] + fields[12];
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("status");
    let field = |text: &str, key: &str| {
        let line = text.lines().find_map(|l| l.strip_prefix(key));
        line.and_then(|l| l.split_whitespace().next()).and_then(|n| n.parse::<u64>().ok()).unwrap_or(0)
    };
    let mut switches = 0;
    for task in std::fs::read_dir(format!("/proc/{pid}/task")).expect("its threads").flatten() {
        let status = std::fs::read_to_string(task.path().join("status")).unwrap_or_default();
        switches += field(&status, "voluntary_ctxt_switches:");
    }
    Usage { cpu: Duration::from_millis(ticks * 10), switches, resident_kib: field(&status, "VmRSS:") }
}
