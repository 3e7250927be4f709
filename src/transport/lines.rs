//! What a child says on stderr.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::Notify;

/// How many lines are kept for a reader. The newest are the ones that tell why a child died, so the oldest go first.
const KEPT: usize = 128;
/// The longest line in bytes; the rest of it is dropped.
const LONGEST: usize = 4 * 1024;
const READ: usize = 4 * 1024;

/// The lines that a child writes to stderr, without control characters.
/// At most 128 lines of at most 4 KiB wait here; the child never does.
pub struct Lines(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    lines: VecDeque<String>,
    dropped: u64,
    ended: bool,
}

impl Lines {
    /// The lines, and the task that fills them: to be spawned by the caller.
    pub(super) fn of(stderr: impl AsyncRead + Unpin) -> (Self, impl Future<Output = ()>) {
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            changed: Notify::new(),
        });
        let end = End(shared.clone());
        (Self(shared), read(stderr, end))
    }

    /// The next line; `None` when the child has closed its stderr. Cancel safe.
    pub async fn next(&mut self) -> Option<String> {
        loop {
            let changed = self.0.changed.notified();
            {
                let mut state = self.0.state.lock();
                if let Some(line) = state.lines.pop_front() {
                    return Some(line);
                }
                if state.ended {
                    return None;
                }
            }
            changed.await;
        }
    }

    /// All lines that wait now.
    pub fn take(&mut self) -> Vec<String> {
        self.0.state.lock().lines.drain(..).collect()
    }

    /// How many lines were lost because nobody read them.
    pub fn dropped(&self) -> u64 {
        self.0.state.lock().dropped
    }
}

/// Marks the lines as ended, also when the reading task is aborted.
struct End(Arc<Shared>);

impl End {
    fn push(&self, line: &mut Vec<u8>) {
        let text = plain(&String::from_utf8_lossy(line));
        line.clear();
        let mut state = self.0.state.lock();
        if state.lines.len() == KEPT {
            state.lines.pop_front();
            state.dropped += 1;
        }
        state.lines.push_back(text);
        drop(state);
        self.0.changed.notify_one();
    }
}

impl Drop for End {
    fn drop(&mut self) {
        self.0.state.lock().ended = true;
        self.0.changed.notify_one();
    }
}

async fn read(mut stderr: impl AsyncRead + Unpin, end: End) {
    let mut buffer = vec![0; READ];
    let mut line = Vec::new();
    while let Ok(count @ 1..) = stderr.read(&mut buffer).await {
        for piece in buffer[..count].split_inclusive(|&byte| byte == b'\n') {
            let (text, complete) = match piece.split_last() {
                Some((b'\n', text)) => (text, true),
                _ => (piece, false),
            };
            let room = LONGEST - line.len();
            line.extend_from_slice(&text[..text.len().min(room)]);
            if complete {
                end.push(&mut line);
            }
        }
    }
    if !line.is_empty() {
        end.push(&mut line);
    }
}

/// Takes out what could steer a terminal: escape sequences, control characters, and the marks that reverse the
/// direction of text. A tab becomes a space.
fn plain(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        match char {
            '\u{1b}' => skip_escape(&mut chars),
            '\u{9b}' => skip_control_sequence(&mut chars),
            '\t' => clean.push(' '),
            '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {}
            char if char.is_control() => {}
            char => clean.push(char),
        }
    }
    clean
}

fn skip_escape(chars: &mut std::str::Chars<'_>) {
    match chars.next() {
        Some('[') => skip_control_sequence(chars),
        // A string sequence (title, link, …) goes to its terminator.
        Some(']' | 'P' | 'X' | '^' | '_') => {
            while let Some(char) = chars.next() {
                if char == '\u{1b}' {
                    chars.next();
                    return;
                }
                if matches!(char, '\u{7}' | '\u{9c}') {
                    return;
                }
            }
        }
        _ => {}
    }
}

/// Parameters and intermediates, then one final character from `@` to `~`.
fn skip_control_sequence(chars: &mut std::str::Chars<'_>) {
    for char in chars {
        if matches!(char, '@'..='~') {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn lines(stderr: &[u8]) -> Vec<String> {
        let (mut lines, reading) = Lines::of(stderr);
        reading.await;
        lines.take()
    }

    #[tokio::test]
    async fn nothing_that_steers_a_terminal_is_left() {
        let stderr = "\u{1b}[1;31mred\u{1b}[0m\ta\u{8}\u{7}b\r\n\
                      \u{1b}]0;title\u{7}c\u{1b}]8;;http://x\u{1b}\\d\u{9b}2Je\n\
                      \u{202e}f\u{1b}(Bg\u{0}h\u{7f}\n\u{1b}[\n\u{1b}";
        let expected = ["red ab", "cde", "fBgh", "", ""];
        assert_eq!(lines(stderr.as_bytes()).await, expected);
    }

    #[tokio::test]
    async fn bytes_that_are_no_text_are_replaced_and_the_last_line_needs_no_newline() {
        assert_eq!(lines(b"a\xffb\n\nc").await, ["a\u{fffd}b", "", "c"]);
    }

    #[tokio::test]
    async fn a_long_line_is_cut() {
        let stderr = format!("{}\nnext\n", "x".repeat(3 * LONGEST));
        assert_eq!(
            lines(stderr.as_bytes()).await,
            ["x".repeat(LONGEST), "next".to_owned()]
        );
    }

    #[tokio::test]
    async fn a_reader_gets_each_line_and_then_the_end() {
        let (mut lines, reading) = Lines::of(&b"a\nb\n"[..]);
        let all = async {
            let mut all = Vec::new();
            while let Some(line) = lines.next().await {
                all.push(line);
            }
            all
        };
        let (all, ()) = tokio::join!(all, reading);
        assert_eq!(all, ["a", "b"]);
    }

    #[tokio::test]
    async fn a_reading_task_that_is_dropped_ends_the_lines() {
        let (mut lines, reading) = Lines::of(&b"a\n"[..]);
        drop(reading);
        assert_eq!(lines.next().await, None);
    }
}
