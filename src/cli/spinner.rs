//! The servers' states while they connect, for somebody who watches.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::report::count;
use super::servers::{CONNECTING, READY, ServerLine};
use crate::printable;

/// Time between two pictures.
const FRAME: Duration = Duration::from_millis(100);
/// Lines that stay free below and above, so that the picture does not scroll.
const MARGIN: usize = 2;

/// One line per server on stderr, gone when dropped.
pub(super) struct Spinner {
    picture: MultiProgress,
    bars: Vec<ProgressBar>,
    rest: Option<ProgressBar>,
}

impl Spinner {
    /// Begins to draw, if stderr is a terminal.
    pub(super) fn start(servers: usize) -> Option<Self> {
        if !std::io::stderr().is_terminal() || servers == 0 {
            return None;
        }
        let height = console::Term::stderr()
            .size_checked()
            .map_or(24, |(rows, _)| usize::from(rows));
        let lines = servers.min(height.saturating_sub(MARGIN).max(1));
        let picture = MultiProgress::new();
        let line = || {
            let bar = picture.add(ProgressBar::new_spinner().with_style(look(CONNECTING)));
            bar.enable_steady_tick(FRAME);
            bar
        };
        let bars = (0..lines).map(|_| line()).collect();
        let rest = (servers > lines).then(line);
        Some(Self {
            picture,
            bars,
            rest,
        })
    }

    /// Draws the states.
    pub(super) fn show(&self, servers: &[ServerLine]) {
        for (bar, server) in self.bars.iter().zip(servers) {
            bar.set_style(look(server.state));
            bar.set_message(line(server));
        }
        if let Some(bar) = &self.rest {
            bar.set_message(rest(&servers[self.bars.len().min(servers.len())..]));
        }
    }
}

impl Drop for Spinner {
    fn drop(&mut self) {
        // A terminal that went away needs no cleaning.
        let _ = self.picture.clear();
    }
}

/// A line that moves while the server connects, and has a mark afterwards.
fn look(state: &str) -> ProgressStyle {
    let marks: &[&str] = match state {
        CONNECTING => &["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏", " "],
        READY => &["✓", "✓"],
        _ => &["✗", "✗"],
    };
    // Cut at the edge of the terminal: a line that wraps is not cleared as one.
    let style = ProgressStyle::with_template("{spinner} {wide_msg}");
    style
        .unwrap_or_else(|_| ProgressStyle::default_spinner())
        .tick_strings(marks)
}

/// One server in few words.
fn line(server: &ServerLine) -> String {
    let name = printable::line(&server.name);
    match (&server.error, server.is_ready()) {
        (_, true) => format!("{name}: ready, {}", count(server.tools, "tool")),
        (Some(error), false) => format!("{name}: {}, {}", server.state, printable::line(error)),
        (None, false) => format!("{name}: {}", server.state),
    }
}

/// The servers for which there is no line.
fn rest(servers: &[ServerLine]) -> String {
    let ready = servers.iter().filter(|server| server.is_ready()).count();
    format!("and {}, {ready} ready", count(servers.len(), "more server"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::servers::tests::two;

    #[test]
    fn a_line_tells_the_state() {
        let mut servers = two();
        assert_eq!(line(&servers[0]), "files: ready, 14 tools");
        assert_eq!(
            line(&servers[1]),
            "git[2J: unavailable, command `uvx` was not found"
        );
        servers[1].state = "connecting";
        servers[1].error = None;
        assert_eq!(line(&servers[1]), "git[2J: connecting");
        assert_eq!(rest(&servers), "and 2 more servers, 1 ready");
    }
}
