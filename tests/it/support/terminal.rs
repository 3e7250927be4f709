//! A program on a terminal, with a person in front of it.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::process::{Child, Command};

use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, tcgetattr};

use super::process::{Text, code};
use super::{MuxTest, eventually};

/// The terminal and what runs on it; dropping it ends both.
pub(crate) struct Terminal {
    child: Child,
    keyboard: File,
    screen: Text,
}

impl Terminal {
    /// Runs a command whose stdin, stdout and stderr are one new terminal.
    #[track_caller]
    pub(crate) fn run(mut command: Command) -> Self {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY;
        let master = openpt(flags).expect("a terminal");
        grantpt(&master).expect("a terminal of ours");
        unlockpt(&master).expect("an unlocked terminal");
        let name = ptsname(&master, Vec::new()).expect("a name");
        let name = name.into_string().expect("a readable name");
        let inner = OpenOptions::new().read(true).write(true).open(name);
        let inner = inner.expect("the program's side");
        let again = || inner.try_clone().expect("the same side");
        let child = command
            .env("TERM", "xterm")
            .stdin(again())
            .stdout(again())
            .stderr(again())
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let keyboard = File::from(master);
        let screen = Text::fill(keyboard.try_clone().expect("the screen"));
        // Ours are closed here with the command, so that the screen ends with the program.
        drop(command);
        Self {
            child,
            keyboard,
            screen,
        }
    }

    /// Waits until the screen shows a text.
    #[track_caller]
    pub(crate) fn sees(&self, text: &str) {
        self.screen
            .wait(text, |all| all.contains(text).then_some(()));
    }

    /// Types a line once its prompt is there, in the open.
    #[track_caller]
    pub(crate) fn answers(&mut self, prompt: &str, line: &str) {
        self.sees(prompt);
        self.types(line);
    }

    /// Types a line once its prompt is there and the terminal shows nothing of what is typed.
    #[track_caller]
    pub(crate) fn answers_hidden(&mut self, prompt: &str, line: &str) {
        self.sees(prompt);
        eventually("the terminal hides what is typed", || {
            let modes = tcgetattr(&self.keyboard).expect("the modes of the terminal");
            (!modes.local_modes.contains(LocalModes::ECHO)).then_some(())
        });
        self.types(line);
    }

    /// Sends what Ctrl-C sends.
    pub(crate) fn interrupt(&self) {
        let id = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        kill_process(id.expect("a process id"), Signal::INT).expect("it runs");
    }

    fn types(&mut self, line: &str) {
        let typed = format!("{line}\n");
        self.keyboard.write_all(typed.as_bytes()).expect("typing");
    }

    /// Waits for the end of the program; its exit code, and all that the screen has shown.
    #[track_caller]
    pub(crate) fn ends(mut self) -> (i32, String) {
        let status = eventually("a program ends", || self.child.try_wait().expect("ours"));
        (code(status), self.screen.whole())
    }
}

impl MuxTest {
    /// Runs the binary with these arguments and no more, on a terminal.
    #[track_caller]
    pub(crate) fn on_terminal(&self, line: &str) -> Terminal {
        let mut command = self.command_of(env!("CARGO_BIN_EXE_mcpmux"));
        command.args(line.split(' '));
        Terminal::run(command)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
