//! Data on stdout.

use std::io::{self, ErrorKind, IsTerminal, Write};

use crate::printable;

/// Writes the text; a terminal gets it without control characters, a pipe or a file as it is.
/// A reader that went away, as `head` does, has what it wanted.
pub(super) fn print(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    let shown = if stdout.is_terminal() {
        printable::block(text)
    } else {
        text.into()
    };
    quietly(
        stdout
            .write_all(shown.as_bytes())
            .and_then(|()| stdout.flush()),
    )
}

/// Writes text of our own, which may have colours in it.
pub(super) fn print_ours(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    quietly(
        stdout
            .write_all(text.as_bytes())
            .and_then(|()| stdout.flush()),
    )
}

fn quietly(written: io::Result<()>) -> io::Result<()> {
    match written {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_reader_that_went_away_is_forgiven() {
        assert!(quietly(Err(ErrorKind::BrokenPipe.into())).is_ok());
        assert!(quietly(Err(ErrorKind::StorageFull.into())).is_err());
    }
}
