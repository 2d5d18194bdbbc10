//! The terminal, taken over and always given back: on leaving, on a panic, on SIGTERM and SIGHUP.
//!
//! Nothing is asked of it: an answer that comes late, or from a terminal that nobody thought of, reads like keys. What it
//! may not know ([`Modes`]) is switched on unasked, where its name does not say that it would print it.

mod cells;
mod changes;

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::os::fd::AsFd as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread::ThreadId;

use crossterm::clipboard::CopyToClipboard;
use crossterm::cursor::{Hide, Show};
use crossterm::event::{
    DisableBracketedPaste, DisableFocusChange, EnableBracketedPaste, EnableFocusChange, KeyboardEnhancementFlags,
    PopKeyboardEnhancementFlags, PushKeyboardEnhancementFlags,
};
use crossterm::style::{Attribute, Print, SetAttribute};
use crossterm::terminal::{
    BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen,
    SetTitle, disable_raw_mode, enable_raw_mode, size,
};
use crossterm::{execute, queue};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// A whole frame at 200x60 fits, so that it leaves in one write.
const FRAME: usize = 1 << 16;

/// Clicks and the wheel, in the encoding without a limit; movement would wake us for nothing.
const MOUSE: (&str, &str) = ("\x1b[?1000h\x1b[?1006h", "\x1b[?1006l\x1b[?1000l");

/// Keeps the title that was there, and brings it back.
const TITLE: (&str, &str) = ("\x1b[22;0t", "\x1b[23;0t");

/// What of a terminal is used where the person and the terminal allow it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Modes {
    /// Clicks and the wheel are ours.
    pub mouse: bool,
    /// The window's title is ours.
    pub title: bool,
    /// Esc and Alt are told apart (kitty's keyboard protocol); terminals that do not know it pass over it.
    pub keyboard: bool,
    /// What is erased gets the colour that is set (*bce* of terminfo), so that a ground need not be written cell by cell.
    pub erase: bool,
}

/// What those terminals are called whose terminfo has *bce*; GNU screen is none of them.
const ERASE_IN_COLOR: [&str; 7] = ["xterm", "tmux", "alacritty", "foot", "wezterm", "konsole", "rxvt"];

impl Modes {
    /// What is asked for, as far as the terminal of this name (`TERM`) takes it: some consoles print what they do not know.
    pub(super) fn of(mouse: bool, title: bool, term: Option<&str>) -> Self {
        let plain = term.is_none_or(|term| matches!(term, "" | "linux" | "dumb" | "vt100" | "cons25"));
        let erase = term.is_some_and(|term| ERASE_IN_COLOR.iter().any(|name| term.starts_with(name)));
        Self { mouse, title: title && !plain, keyboard: !plain, erase }
    }
}

/// Whether there is anything to give back.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// What was switched on, for whoever gives it back.
static MODES: Mutex<Modes> = Mutex::new(Modes { mouse: false, title: false, keyboard: false, erase: false });

/// The thread that draws.
static OWNER: Mutex<Option<ThreadId>> = Mutex::new(None);

/// The terminal while it is ours.
pub(super) struct Terminal {
    out: BufWriter<File>,
    shown: Buffer,
    next: Buffer,
    modes: Modes,
    title: String,
}

impl Terminal {
    /// Takes it over. It is given back when this is dropped, or before a panic of the thread that draws is reported.
    pub(super) fn enter(modes: Modes) -> io::Result<Self> {
        hook();
        let out = File::from(io::stdout().as_fd().try_clone_to_owned()?);
        let mut out = BufWriter::with_capacity(FRAME, out);
        take(&mut out, modes)?;
        let area = area()?;
        let (shown, next) = (Buffer::empty(area), Buffer::empty(area));
        Ok(Self { out, shown, next, modes, title: String::new() })
    }

    /// Takes another size in; everything is drawn anew.
    pub(super) fn resize(&mut self) -> io::Result<()> {
        let area = area()?;
        self.shown = Buffer::empty(area);
        self.next = Buffer::empty(area);
        queue!(self.out, Clear(ClearType::All))
    }

    /// Lets `paint` fill a frame and sends what is different, in one write; nothing when nothing is.
    pub(super) fn draw(&mut self, paint: impl FnOnce(&mut Buffer)) -> io::Result<()> {
        self.next.reset();
        paint(&mut self.next);
        let changes = changes::changes(&self.shown, &self.next);
        if !changes.is_empty() {
            queue!(self.out, BeginSynchronizedUpdate)?;
            let edge = self.modes.erase.then(|| self.next.area.right().saturating_sub(1));
            cells::write(&mut self.out, &changes, edge)?;
            queue!(self.out, EndSynchronizedUpdate)?;
            self.out.flush()?;
        }
        std::mem::swap(&mut self.shown, &mut self.next);
        Ok(())
    }

    /// Hands the terminal a text for its clipboard (OSC 52). Whether it takes it, it does not say.
    pub(super) fn copy(&mut self, text: &str) -> io::Result<()> {
        execute!(self.out, CopyToClipboard::to_clipboard_from(text))
    }

    /// Gives the terminal back, stops the process as the shell expects, and takes the terminal again.
    pub(super) fn suspend(&mut self) -> io::Result<()> {
        restore();
        rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::TSTP)?;
        take(&mut self.out, self.modes)?;
        if self.modes.title && !self.title.is_empty() {
            queue!(self.out, SetTitle(&self.title))?;
        }
        self.resize()
    }

    /// Switches on and off what is wanted now and was not before, or the other way round.
    pub(super) fn change(&mut self, modes: Modes) -> io::Result<()> {
        if self.modes == modes {
            return Ok(());
        }
        let before = std::mem::replace(&mut self.modes, modes);
        *MODES.lock().unwrap_or_else(PoisonError::into_inner) = modes;
        for (was, is, (on, off)) in [(before.mouse, modes.mouse, MOUSE), (before.title, modes.title, TITLE)] {
            if was != is {
                queue!(self.out, Print(if is { on } else { off }))?;
            }
        }
        self.title.clear();
        self.out.flush()
    }

    /// Another title, where titles are ours and this is another one.
    pub(super) fn title(&mut self, title: &str) -> io::Result<()> {
        if self.modes.title && self.title != title {
            title.clone_into(&mut self.title);
            execute!(self.out, SetTitle(title))?;
        }
        Ok(())
    }

    /// Rings once.
    pub(super) fn bell(&mut self) -> io::Result<()> {
        execute!(self.out, Print('\x07'))
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

fn take(out: &mut BufWriter<File>, modes: Modes) -> io::Result<()> {
    enable_raw_mode()?;
    TAKEN.store(true, Ordering::SeqCst);
    *OWNER.lock().unwrap_or_else(PoisonError::into_inner) = Some(std::thread::current().id());
    *MODES.lock().unwrap_or_else(PoisonError::into_inner) = modes;
    queue!(out, EnterAlternateScreen, EnableBracketedPaste, EnableFocusChange, Hide)?;
    if modes.title {
        queue!(out, Print(TITLE.0))?;
    }
    if modes.mouse {
        queue!(out, Print(MOUSE.0))?;
    }
    // Each of the two screens has flags of its own, so they are put on this one and taken off it.
    if modes.keyboard {
        queue!(out, PushKeyboardEnhancementFlags(KeyboardEnhancementFlags::DISAMBIGUATE_ESCAPE_CODES))?;
    }
    execute!(out, Clear(ClearType::All))
}

/// Gives the terminal back, once. Whether that can be written or not, the program is leaving.
fn restore() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        let modes = *MODES.lock().unwrap_or_else(PoisonError::into_inner);
        let mut out = io::stdout();
        let _ = queue!(out, EndSynchronizedUpdate, SetAttribute(Attribute::Reset));
        if modes.keyboard {
            let _ = queue!(out, PopKeyboardEnhancementFlags);
        }
        if modes.mouse {
            let _ = queue!(out, Print(MOUSE.1));
        }
        if modes.title {
            let _ = queue!(out, Print(TITLE.1));
        }
        let _ = queue!(out, DisableFocusChange, DisableBracketedPaste, Show, LeaveAlternateScreen);
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

    const ALL: Modes = Modes { mouse: true, title: true, keyboard: true, erase: true };

    #[test]
    fn a_console_that_would_print_it_is_spared() {
        for (term, all) in [(Some("xterm-256color"), true), (Some("tmux"), true), (Some("linux"), false), (None, false)]
        {
            let modes = Modes::of(true, true, term);
            assert_eq!((modes.mouse, modes.title, modes.keyboard), (true, all, all), "{term:?}");
        }
        for (term, erase) in
            [("xterm-kitty", true), ("tmux-256color", true), ("screen-256color", false), ("linux", false)]
        {
            assert_eq!(Modes::of(true, true, Some(term)).erase, erase, "{term}");
        }
        assert!(!Modes::of(false, true, Some("xterm")).mouse);
        assert!(!Modes::of(true, false, Some("xterm")).title);
    }

    #[test]
    fn a_panic_is_reported_on_a_terminal_that_was_given_back() {
        if std::env::var_os(CHILD).is_some() {
            let _terminal = Terminal::enter(ALL).expect("a terminal");
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
        for (on, off) in [
            ("\x1b[?2004h", "\x1b[?2004l"),
            ("\x1b[?1004h", "\x1b[?1004l"),
            ("\x1b[?1000h", "\x1b[?1000l"),
            ("\x1b[?1006h", "\x1b[?1006l"),
            ("\x1b[>1u", "\x1b[<1u"),
            ("\x1b[22;0t", "\x1b[23;0t"),
        ] {
            let (on, off) = (said.find(on).expect("it was switched on"), said.find(off).expect("and off"));
            // The keyboard's flags belong to the screen that is left.
            assert!(taken < on && on < off && off < given, "{said:?}");
        }
        let reported = said.find("of the cockpit itself").expect("the panic was reported");
        assert!(taken < given && given < reported, "{said:?}");
        assert!(!said.contains("of a background task"), "the screen was in use: {said:?}");
    }
}
