//! Frames whose payload is too big to be copied into them.

use bytes::Bytes;

/// How big a payload is, in bytes, that is worth a write of its own. Below, a copy costs less.
pub(super) const BIG: usize = 32 * 1024;

/// A frame in up to three pieces, which are written one after the other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pieces {
    left: [Bytes; 3],
}

impl Pieces {
    /// A big payload and what is around it.
    pub(super) fn around(payload: Bytes, head: impl Into<Bytes>, tail: &'static [u8]) -> Self {
        let left = [head.into(), payload, Bytes::from_static(tail)];
        Self { left }
    }

    /// How many bytes are left.
    pub fn len(&self) -> usize {
        self.left.iter().map(Bytes::len).sum()
    }

    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.left.iter().all(Bytes::is_empty)
    }
}

impl From<Bytes> for Pieces {
    fn from(frame: Bytes) -> Self {
        let left = [frame, Bytes::new(), Bytes::new()];
        Self { left }
    }
}

impl Iterator for Pieces {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        let next = self.left.iter_mut().find(|piece| !piece.is_empty());
        next.map(std::mem::take)
    }
}

impl bytes::Buf for Pieces {
    fn remaining(&self) -> usize {
        self.len()
    }

    fn chunk(&self) -> &[u8] {
        let next = self.left.iter().find(|piece| !piece.is_empty());
        next.map_or(&[], |piece| piece)
    }

    fn chunks_vectored<'a>(&'a self, slices: &mut [std::io::IoSlice<'a>]) -> usize {
        let pieces = self.left.iter().filter(|piece| !piece.is_empty());
        let places = slices.iter_mut().zip(pieces);
        places
            .map(|(slice, piece)| *slice = std::io::IoSlice::new(piece))
            .count()
    }

    fn advance(&mut self, mut count: usize) {
        for piece in &mut self.left {
            let some = count.min(piece.len());
            bytes::Buf::advance(piece, some);
            count -= some;
        }
    }
}
