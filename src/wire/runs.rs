//! Where a long text is plain, seen once when it comes in.
//!
//! A big message is one long string as a rule. Who scans it, and all who walk through it later, would each look at every
//! byte of it for its end: so one look at all bytes, block by block, notes where there is nothing to be found.

use std::sync::Arc;

use super::text::until_quote;

/// From this length on, in bytes, a text is looked at in blocks.
pub(super) const LONG: usize = 32 * 1024;
/// How long a block is. The notes take a hundredth of the text at most.
pub(super) const BLOCK: usize = 1024;

/// Where a text is plain: without quotes, backslashes and control characters.
///
/// They hold for the bytes themselves, wherever a slice of them begins; they must not outlive those.
#[derive(Clone, Debug, Default)]
pub(super) struct Runs(Option<Arc<Found>>);

/// In the order of their addresses, and not touching each other.
#[derive(Debug)]
struct Found(Vec<Run>);

/// The addresses of the first byte, and of the one behind the last.
#[derive(Debug)]
struct Run {
    start: usize,
    end: usize,
}

impl Runs {
    /// Of a text of which nothing is known.
    pub(super) const NONE: &'static Self = &Self(None);

    /// The runs of a text, and how many of its first bytes are certain to be ASCII.
    pub(super) fn of(text: &[u8]) -> (Self, usize) {
        let mut runs: Vec<Run> = Vec::new();
        let (mut at, mut ascii) = (0, 0);
        for block in text.as_chunks::<BLOCK>().0 {
            let look = look(block);
            if look.ascii && ascii == at {
                ascii += BLOCK;
            }
            if look.plain {
                let start = text.as_ptr().addr() + at;
                let end = start + BLOCK;
                match runs.last_mut() {
                    Some(last) if last.end == start => last.end = end,
                    _ => runs.push(Run { start, end }),
                }
            }
            at += BLOCK;
        }
        let found = (!runs.is_empty()).then(|| Arc::new(Found(runs)));
        (Self(found), ascii)
    }

    /// What is worth to be kept for a part of the text that has this length.
    #[inline]
    pub(super) fn for_part(&self, length: usize) -> Option<Self> {
        (self.0.is_some() && length >= LONG).then(|| self.clone())
    }

    /// The length that `find` gives for `text`, a slice of what was looked at: that of its longest prefix without certain
    /// bytes, of which none is in a run. Nothing that is in one is shown to `find`.
    #[inline]
    pub(super) fn prefix(&self, text: &[u8], find: impl Fn(&[u8]) -> usize) -> usize {
        match &self.0 {
            None => find(text),
            Some(found) => found.prefix(text, find),
        }
    }
}

impl Found {
    #[cold]
    fn prefix(&self, text: &[u8], find: impl Fn(&[u8]) -> usize) -> usize {
        let mut at = 0;
        while at < text.len() {
            let block = &text[at..text.len().min(at + BLOCK)];
            let length = find(block);
            at += length;
            if length < block.len() {
                break;
            }
            at += self.plain(&text[at..]);
        }
        at
    }

    /// So many bytes at the start of `text` are known to be plain.
    fn plain(&self, text: &[u8]) -> usize {
        let at = text.as_ptr().addr();
        let next = self.0.partition_point(|run| run.end <= at);
        match self.0.get(next) {
            Some(run) if run.start <= at => text.len().min(run.end - at),
            _ => 0,
        }
    }
}

/// What a look at a block shows.
struct Look {
    plain: bool,
    ascii: bool,
}

/// Both ways of looking take a vector at a time, and the second one finds the block near at hand.
fn look(block: &[u8; BLOCK]) -> Look {
    let (mut lowest, mut all) = (u8::MAX, 0);
    for byte in block {
        lowest = lowest.min(*byte);
        all |= byte;
    }
    Look {
        plain: lowest >= b' ' && until_quote(block) == BLOCK,
        ascii: all.is_ascii(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::text::plain_prefix;
    use super::*;

    #[test]
    fn a_run_is_known_from_wherever_one_looks() {
        let mut text = vec![b'x'; LONG + 10];
        text[2 * BLOCK] = b'"';
        text[7 * BLOCK - 1] = b'\n';
        text[LONG - 1] = 0xc3;
        let (runs, ascii) = Runs::of(&text);
        assert_eq!(ascii, LONG - BLOCK);
        let known = [
            (0, 2 * BLOCK),
            (1, 2 * BLOCK - 1),
            (2 * BLOCK, 0),
            (3 * BLOCK - 1, 0),
            (3 * BLOCK, 3 * BLOCK),
            (6 * BLOCK, 0),
            (7 * BLOCK, LONG - 7 * BLOCK),
            (LONG, 0),
            (LONG + 10, 0),
        ];
        let plain = |runs: &Runs, text| runs.0.as_ref().map_or(0, |found| found.plain(text));
        for (at, length) in known {
            assert_eq!(plain(&runs, &text[at..]), length, "{at}");
        }
        assert_eq!(plain(&runs, &text[5..9]), 4, "no more than there is");
        assert!(runs.for_part(LONG - 1).is_none());
        assert_eq!(plain(&runs.for_part(LONG).unwrap(), &text), 2 * BLOCK);
        assert!(Runs::NONE.for_part(LONG).is_none());
        assert!(Runs::of(&b"\n.".repeat(LONG)).0.0.is_none());
    }

    #[test]
    fn what_is_known_of_a_text_changes_no_length() {
        let mut text = vec![b'x'; LONG + 100];
        for special in [b'"', b'\\', 0, 0x1f] {
            for at in [0, 1, BLOCK - 1, BLOCK, 9 * BLOCK, LONG - 1, LONG, LONG + 99] {
                text[at] = special;
                let (runs, _) = Runs::of(&text);
                for start in [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 8 * BLOCK + 5, LONG - 9] {
                    let rest = &text[start..];
                    let expected = plain_prefix(rest);
                    assert_eq!(runs.prefix(rest, plain_prefix), expected, "{at} {start}");
                    let expected = until_quote(rest);
                    assert_eq!(runs.prefix(rest, until_quote), expected, "{at} {start}");
                }
                text[at] = b'x';
            }
        }
    }

    /// Whoever goes from one quote to the next does not look at all the rest each time, nor at all runs.
    #[test]
    fn nothing_is_looked_at_often() {
        let text = format!("{}\"{}", "x".repeat(3 * BLOCK), "\"x".repeat(20)).repeat(5_000);
        let (runs, _) = Runs::of(text.as_bytes());
        let looked = std::cell::Cell::new(0);
        let find = |text: &[u8]| {
            let length = until_quote(text);
            looked.set(looked.get() + length);
            length
        };
        let (mut at, mut quotes) = (0, 0);
        while at < text.len() {
            at += runs.prefix(&text.as_bytes()[at..], find) + 1;
            quotes += 1;
        }
        assert_eq!(quotes, 5_000 * 21 + 1);
        assert!(looked.get() < text.len());
    }
}
