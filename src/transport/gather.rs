//! A body of bounded size from its chunks.

use bytes::Bytes;

use super::TransportError;
use super::place::Place;

/// Collects chunks up to a limit. A body that comes in one chunk is not copied.
pub(super) struct Gather {
    limit: usize,
    first: Bytes,
    /// All that came, once there was a second chunk.
    all: Place,
}

impl Gather {
    /// For a body of at most `limit` bytes; `announced` is the length that the peer claims, if it does.
    pub(super) fn new(limit: usize, announced: Option<u64>) -> Result<Self, TransportError> {
        let expected = usize::try_from(announced.unwrap_or(0)).unwrap_or(usize::MAX);
        if expected > limit {
            return Err(TransportError::TooLarge { limit });
        }
        Ok(Self {
            limit,
            first: Bytes::new(),
            all: Place::new(expected),
        })
    }

    /// Takes the next chunk.
    pub(super) fn push(&mut self, chunk: Bytes) -> Result<(), TransportError> {
        let held = self.first.len().max(self.all.len());
        if chunk.len() > self.limit - held {
            return Err(TransportError::TooLarge { limit: self.limit });
        }
        if held == 0 {
            self.first = chunk;
            return Ok(());
        }
        if !self.first.is_empty() {
            self.all.extend(&std::mem::take(&mut self.first));
        }
        self.all.extend(&chunk);
        Ok(())
    }

    /// The whole body.
    pub(super) fn finish(self) -> Bytes {
        if self.first.is_empty() {
            self.all.finish()
        } else {
            self.first
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gather(
        limit: usize,
        announced: Option<u64>,
        chunks: &[&'static str],
    ) -> Result<Bytes, TransportError> {
        let mut gather = Gather::new(limit, announced)?;
        for chunk in chunks {
            gather.push(Bytes::from_static(chunk.as_bytes()))?;
        }
        Ok(gather.finish())
    }

    #[test]
    fn chunks_are_joined_up_to_the_limit() {
        assert_eq!(gather(6, None, &[]), Ok(Bytes::new()));
        assert_eq!(
            gather(6, Some(6), &["ab", "", "cd", "ef"]),
            Ok("abcdef".into())
        );
        let too_large = Err(TransportError::TooLarge { limit: 5 });
        assert_eq!(gather(5, None, &["ab", "cd", "ef"]), too_large);
        assert_eq!(gather(5, None, &["abcdef"]), too_large);
    }

    #[test]
    fn an_announced_length_is_refused_before_anything_is_read() {
        assert_eq!(
            Gather::new(5, Some(6)).err(),
            Some(TransportError::TooLarge { limit: 5 })
        );
        assert_eq!(
            Gather::new(5, Some(u64::MAX)).err(),
            Some(TransportError::TooLarge { limit: 5 })
        );
    }

    #[test]
    fn a_single_chunk_is_not_copied() {
        let chunk = Bytes::from(vec![b'x'; 10]);
        let mut gather = Gather::new(10, None).unwrap();
        gather.push(chunk.clone()).unwrap();
        assert_eq!(gather.finish().as_ptr(), chunk.as_ptr());
    }
}
