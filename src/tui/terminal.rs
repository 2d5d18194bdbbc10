//! The terminal, taken over and always given back: on leaving, on a panic, on SIGTERM and SIGHUP.

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::os::fd::AsFd as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread::ThreadId;

use crossterm::clipboard::CopyToClipboard;
use crossterm::cursor::{Hide, Show};
use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use crossterm::style::ResetColor;
use crossterm::terminal::{
    BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen,
    SetTitle, disable_raw_mode, enable_raw_mode, size,
};
use crossterm::{execute, queue};
use ratatui::backend::{Backend as _, CrosstermBackend};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// A whole frame at 200x60 fits, so that it leaves in one write.
const FRAME: usize = 1 << 16;

/// Whether there is anything to give back.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// The thread that draws.
static OWNER: Mutex<Option<ThreadId>> = Mutex::new(None);

/// The terminal while it is ours.
pub(super) struct Terminal {
    backend: CrosstermBackend<BufWriter<File>>,
    shown: Buffer,
    next: Buffer,
}

impl Terminal {
    /// Takes it over. It is given back when this is dropped, or before a panic of the thread that draws is reported.
    pub(super) fn enter() -> io::Result<Self> {
        hook();
        let out = File::from(io::stdout().as_fd().try_clone_to_owned()?);
        let mut backend = CrosstermBackend::new(BufWriter::with_capacity(FRAME, out));
        take(&mut backend)?;
        let area = area()?;
        Ok(Self { backend, shown: Buffer::empty(area), next: Buffer::empty(area) })
    }

    /// Takes another size in; everything is drawn anew.
    pub(super) fn resize(&mut self) -> io::Result<()> {
        let area = area()?;
        self.shown = Buffer::empty(area);
        self.next = Buffer::empty(area);
        queue!(self.backend, Clear(ClearType::All))
    }

    /// Lets `paint` fill a frame and sends what is different, in one write; nothing when nothing is.
    pub(super) fn draw(&mut self, paint: impl FnOnce(&mut Buffer)) -> io::Result<()> {
        self.next.reset();
        paint(&mut self.next);
        let changes = self.shown.diff(&self.next);
        if !changes.is_empty() {
            queue!(self.backend, BeginSynchronizedUpdate)?;
            self.backend.draw(changes.into_iter())?;
            queue!(self.backend, EndSynchronizedUpdate)?;
            io::Write::flush(&mut self.backend)?;
        }
        std::mem::swap(&mut self.shown, &mut self.next);
        Ok(())
    }

    /// Hands the terminal a text for its clipboard (OSC 52). Whether it takes it, it does not say.
    pub(super) fn copy(&mut self, text: &str) -> io::Result<()> {
        execute!(self.backend, CopyToClipboard::to_clipboard_from(text))
    }

    /// Gives the terminal back, stops the process as the shell expects, and takes the terminal again.
    pub(super) fn suspend(&mut self) -> io::Result<()> {
        restore();
        rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::TSTP)?;
        take(&mut self.backend)?;
        self.resize()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        restore();
    }
}

fn area() -> io::Result<Rect> {
    let (columns, rows) = size()?;
    Ok(Rect::new(0, 0, columns, rows))
}

fn take(backend: &mut CrosstermBackend<BufWriter<File>>) -> io::Result<()> {
    enable_raw_mode()?;
    TAKEN.store(true, Ordering::SeqCst);
    *OWNER.lock().unwrap_or_else(PoisonError::into_inner) = Some(std::thread::current().id());
    execute!(backend, EnterAlternateScreen, EnableBracketedPaste, Hide, SetTitle("flightdeck"), Clear(ClearType::All))
}

/// Gives the terminal back, once. Whether that can be written or not, the program is leaving.
fn restore() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        let mut out = io::stdout();
        let _ = execute!(out, EndSynchronizedUpdate, ResetColor, DisableBracketedPaste, Show, LeaveAlternateScreen);
        let _ = out.flush();
        let _ = disable_raw_mode();
    }
}

/// A panic of the cockpit's own thread is reported on a terminal that can show it. One in a background task is
/// supervised: it goes to the log, for the screen is still in use.
fn hook() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let owner = *OWNER.lock().unwrap_or_else(PoisonError::into_inner);
        let own = owner == Some(std::thread::current().id());
        if own || !TAKEN.load(Ordering::SeqCst) {
            restore();
            before(panic);
        } else {
            tracing::error!(%panic, "a background task panicked");
        }
    }));
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use portable_pty::{CommandBuilder, PtySize, native_pty_system};

    use super::*;

    /// Set for the process that is to panic: this very test, run once more behind a terminal.
    const CHILD: &str = "FLIGHTDECK_TEST_PANIC_BEHIND_A_TERMINAL";

    #[test]
    fn a_panic_is_reported_on_a_terminal_that_was_given_back() {
        if std::env::var_os(CHILD).is_some() {
            let _terminal = Terminal::enter().expect("a terminal");
            let background = std::thread::spawn(|| panic!("of a background task"));
            assert!(background.join().is_err());
            panic!("of the cockpit itself");
        }
        let pair = native_pty_system().openpty(PtySize::default()).expect("a pseudo-terminal");
        let mut command = CommandBuilder::new(std::env::current_exe().expect("this program"));
        let name = "tui::terminal::tests::a_panic_is_reported_on_a_terminal_that_was_given_back";
        command.args(["--exact", name, "--nocapture"]);
        command.env(CHILD, "1");
        command.env("RUST_BACKTRACE", "0");
        let mut reader = pair.master.try_clone_reader().expect("a reader");
        let mut child = pair.slave.spawn_command(command).expect("it starts");
        drop(pair.slave);
        let mut said = Vec::new();
        // The other end closes with an error on Linux.
        let _ = reader.read_to_end(&mut said);
        assert!(!child.wait().expect("it ends").success());
        let said = String::from_utf8_lossy(&said).into_owned();
        let taken = said.find("\x1b[?1049h").expect("the terminal was taken");
        let given = said.find("\x1b[?1049l").expect("the terminal was given back");
        let reported = said.find("of the cockpit itself").expect("the panic was reported");
        assert!(taken < given && given < reported, "{said:?}");
        assert!(!said.contains("of a background task"), "the screen was in use: {said:?}");
    }
}
