//! Frames whose payload is too big to be copied into them.

use std::collections::VecDeque;
use std::io::IoSlice;
use std::ops::Range;

use bytes::{Buf, Bytes};

use super::Json;

/// How big a part is, in bytes, that is worth a write of its own. Below, a copy costs less.
pub(super) const BIG: usize = 32 * 1024;

/// A frame in pieces, which are written one after the other. Most frames are one piece.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pieces {
    /// Empty only if nothing is left.
    first: Bytes,
    /// Apart, since most frames have none; empty pieces are left out.
    rest: Option<Box<Rest>>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Rest(VecDeque<Bytes>);

impl Pieces {
    /// How many bytes are left.
    pub fn len(&self) -> usize {
        self.first.len() + self.behind().map(Bytes::len).sum::<usize>()
    }

    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.first.is_empty()
    }

    /// The frame in one; one piece is not copied.
    pub fn joined(self) -> Bytes {
        if self.rest.is_none() {
            return self.first;
        }
        let mut frame = Vec::with_capacity(self.len());
        for piece in self {
            frame.extend_from_slice(&piece);
        }
        frame.into()
    }

    fn behind(&self) -> impl Iterator<Item = &Bytes> {
        self.rest.iter().flat_map(|rest| &rest.0)
    }

    fn push(&mut self, piece: Bytes) {
        if piece.is_empty() {
            return;
        }
        if self.first.is_empty() {
            self.first = piece;
        } else {
            self.rest.get_or_insert_default().0.push_back(piece);
        }
    }
}

impl From<Bytes> for Pieces {
    fn from(frame: Bytes) -> Self {
        Self {
            first: frame,
            rest: None,
        }
    }
}

impl Iterator for Pieces {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        let next = self.rest.as_mut().and_then(|rest| rest.0.pop_front());
        let first = std::mem::replace(&mut self.first, next.unwrap_or_default());
        Some(first).filter(|piece| !piece.is_empty())
    }
}

/// What is left to be written.
impl Buf for Pieces {
    fn remaining(&self) -> usize {
        self.len()
    }

    fn chunk(&self) -> &[u8] {
        &self.first
    }

    fn chunks_vectored<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let pieces = std::iter::once(&self.first).chain(self.behind());
        let places = slices
            .iter_mut()
            .zip(pieces.filter(|piece| !piece.is_empty()));
        places
            .map(|(slice, piece)| *slice = IoSlice::new(piece))
            .count()
    }

    /// A piece that has been passed is held no longer.
    fn advance(&mut self, mut count: usize) {
        while count >= self.first.len() && !self.first.is_empty() {
            count -= self.first.len();
            self.next();
        }
        self.first.advance(count);
    }
}

/// Where a text is put together.
pub(super) trait Sink {
    /// Where the next bytes go that are no part of a value.
    fn own(&mut self) -> &mut Vec<u8>;
    /// Appends this part of the text of `json`.
    fn part(&mut self, json: &Json, range: Range<usize>);
}

impl Sink for Vec<u8> {
    fn own(&mut self) -> &mut Vec<u8> {
        self
    }

    fn part(&mut self, json: &Json, range: Range<usize>) {
        self.extend_from_slice(&json.as_bytes()[range]);
    }
}

/// A frame that is being put together without copying what is big.
pub(super) struct Bundle {
    sealed: Pieces,
    open: Vec<u8>,
}

impl Bundle {
    /// Begins with this text.
    pub(super) fn new(open: Vec<u8>) -> Self {
        Self {
            sealed: Pieces::default(),
            open,
        }
    }

    pub(super) fn finish(mut self) -> Pieces {
        if self.sealed.is_empty() {
            return Bytes::from(self.open).into();
        }
        self.seal();
        self.sealed
    }

    #[cold]
    fn share(&mut self, json: &Json, range: Range<usize>) {
        self.seal();
        self.sealed.push(json.clone().into_bytes().slice(range));
    }

    fn seal(&mut self) {
        self.sealed.push(std::mem::take(&mut self.open).into());
    }
}

impl Sink for Bundle {
    fn own(&mut self) -> &mut Vec<u8> {
        &mut self.open
    }

    #[inline]
    fn part(&mut self, json: &Json, range: Range<usize>) {
        if range.len() < BIG {
            self.open.extend_from_slice(&json.as_bytes()[range]);
        } else {
            self.share(json, range);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(texts: &[&'static str]) -> Pieces {
        let mut pieces = Pieces::default();
        for text in texts {
            pieces.push(Bytes::from_static(text.as_bytes()));
        }
        pieces
    }

    #[test]
    fn pieces_come_in_order_and_none_is_empty() {
        let all = pieces(&["", "ab", "", "c", "def", ""]);
        assert_eq!(all.len(), 6);
        assert_eq!(all.clone().joined(), "abcdef");
        assert!(all.eq(["ab", "c", "def"]));
        assert!(pieces(&[""]).is_empty());
        assert_eq!(pieces(&[]).next(), None);
    }

    #[test]
    fn what_has_been_written_is_gone_wherever_it_ends() {
        for written in 0..=6 {
            let mut left = pieces(&["ab", "c", "def"]);
            left.advance(written);
            let mut slices = [IoSlice::new(&[]); 4];
            let count = left.chunks_vectored(&mut slices);
            let seen: Vec<u8> = slices[..count]
                .iter()
                .flat_map(|slice| slice.to_vec())
                .collect();
            assert_eq!(seen, b"abcdef"[written..]);
            assert_eq!(left.remaining(), 6 - written);
            assert!(slices[..count].iter().all(|slice| !slice.is_empty()));
            assert!(seen.starts_with(left.chunk()) && left.chunk().is_empty() == seen.is_empty());
        }
    }

    #[test]
    fn one_piece_is_joined_without_a_copy() {
        let frame = Bytes::from(vec![b'x'; 10]);
        let joined = Pieces::from(frame.clone()).joined();
        assert_eq!(joined.as_ptr(), frame.as_ptr());
    }
}
