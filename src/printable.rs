//! Text from servers, made fit for a terminal or a log.
//!
//! A server's text is untrusted: an escape sequence in a tool's name could move the cursor, change
//! the window title or forge a line of the log.

use std::borrow::Cow;

/// The text on one line: control characters gone, every run of white space one blank.
pub fn line(text: &str) -> Cow<'_, str> {
    if text.chars().any(|c| is_hostile(c) || c.is_control()) || text.contains("  ") {
        let kept: String = text
            .chars()
            .filter(|c| c.is_whitespace() || !is_hostile(*c))
            .collect();
        return Cow::Owned(kept.split_whitespace().collect::<Vec<_>>().join(" "));
    }
    Cow::Borrowed(text.trim())
}

/// The text with its lines and tabs kept and all other control characters gone.
pub fn block(text: &str) -> Cow<'_, str> {
    if text.chars().any(is_hostile) {
        return Cow::Owned(text.chars().filter(|c| !is_hostile(*c)).collect());
    }
    Cow::Borrowed(text)
}

/// Whether a terminal could obey the character instead of showing it, or show the text around it
/// in an order that is not the one that it has.
pub fn is_hostile(c: char) -> bool {
    let reorders = matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    reorders || (c.is_control() && c != '\n' && c != '\t')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_loses_escapes_and_line_ends() {
        assert_eq!(line("plain text"), "plain text");
        assert_eq!(
            line("  a\r\n\tb \u{1b}[31mred\u{7}\u{9b}2J  c "),
            "a b [31mred2J c"
        );
        assert_eq!(line("x\u{202e}cod.exe"), "xcod.exe");
        assert_eq!(line("größe 日本"), "größe 日本");
    }

    #[test]
    fn a_block_keeps_its_lines() {
        assert_eq!(block("a\n\tb\n"), "a\n\tb\n");
        assert_eq!(block("a\r\nb\u{1b}]0;title\u{7}\u{0}"), "a\nb]0;title");
    }
}
