//! Colours, where somebody looks.

use std::env;
use std::io::IsTerminal;

/// Whether a stream of ours is coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// For pipes, files, and people who set `NO_COLOR`.
    Plain,
    /// For a terminal.
    Coloured,
}

/// What a piece of text means; the colour follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Paint {
    /// No colour.
    None,
    /// Something failed.
    Bad,
    /// Something is not as it should be.
    Doubtful,
    /// All is well.
    Good,
    /// A head line.
    Head,
    /// Less important than the rest.
    Faint,
}

impl Style {
    /// The style of our standard output.
    pub(crate) fn of_stdout() -> Self {
        Self::of(&std::io::stdout())
    }

    /// The style of our standard error.
    pub(crate) fn of_stderr() -> Self {
        Self::of(&std::io::stderr())
    }

    fn of(stream: &impl IsTerminal) -> Self {
        let unwanted = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let unable = env::var_os("TERM").is_some_and(|value| value == "dumb");
        if stream.is_terminal() && !unwanted && !unable {
            Self::Coloured
        } else {
            Self::Plain
        }
    }

    /// The text in the colour of its meaning.
    pub(crate) fn paint(self, paint: Paint, text: &str) -> String {
        let code = match (self, paint) {
            (Self::Plain, _) | (_, Paint::None) => return text.to_owned(),
            (_, Paint::Bad) => "1;31",
            (_, Paint::Doubtful) => "33",
            (_, Paint::Good) => "32",
            (_, Paint::Head) => "1",
            (_, Paint::Faint) => "2",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_has_no_escapes() {
        assert_eq!(Style::Plain.paint(Paint::Bad, "error"), "error");
        assert_eq!(
            Style::Coloured.paint(Paint::Bad, "error"),
            "\u{1b}[1;31merror\u{1b}[0m"
        );
        assert_eq!(Style::Coloured.paint(Paint::None, "error"), "error");
    }
}
