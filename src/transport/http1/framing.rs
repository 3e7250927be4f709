//! Where the body of an answer ends (RFC 9112, section 6).

use bytes::{Buf, Bytes, BytesMut};
use httparse::{Status, parse_chunk_size};

/// How long the line before a chunk may be, and all lines behind the last one.
const LONGEST_LINE: usize = 16 * 1024;

/// What has not been read of a body.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// So many bytes.
    Length(u64),
    /// Chunks.
    Chunked(Chunk),
    /// All until the server closes.
    Closing,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Chunk {
    /// The line with the size of the next one.
    Size,
    /// So many bytes of one.
    Data(u64),
    /// The line end behind one.
    After,
    /// The lines behind the last one, of which there were so many bytes.
    Trailer(usize),
    /// Nothing.
    Over,
}

/// What a buffer holds of a body.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Data(Bytes),
    /// Nothing yet.
    More,
    End,
}

impl Framing {
    /// Takes the next piece out of what was read. An error says what is wrong.
    pub(super) fn next(&mut self, buffer: &mut BytesMut) -> Result<Piece, &'static str> {
        match self {
            Self::Length(0) => Ok(Piece::End),
            _ if buffer.is_empty() && !matches!(self, Self::Chunked(Chunk::Over)) => {
                Ok(Piece::More)
            }
            Self::Length(left) => Ok(Piece::Data(cut(buffer, left))),
            Self::Closing => Ok(Piece::Data(buffer.split().freeze())),
            Self::Chunked(chunk) => chunk.next(buffer),
        }
    }

    /// How long the rest is, if that is known.
    pub(super) fn left(&self) -> Option<u64> {
        match self {
            Self::Length(left) => Some(*left),
            _ => None,
        }
    }
}

fn cut(buffer: &mut BytesMut, left: &mut u64) -> Bytes {
    let length = usize::try_from(*left)
        .unwrap_or(usize::MAX)
        .min(buffer.len());
    *left -= length as u64;
    buffer.split_to(length).freeze()
}

impl Chunk {
    fn next(&mut self, buffer: &mut BytesMut) -> Result<Piece, &'static str> {
        loop {
            match self {
                Self::Size => {
                    if buffer
                        .first()
                        .is_some_and(|first| !first.is_ascii_hexdigit())
                    {
                        return Err("a chunk without a size");
                    }
                    match parse_chunk_size(buffer) {
                        Ok(Status::Complete((line, size))) => {
                            buffer.advance(line);
                            *self = if size == 0 {
                                Self::Trailer(0)
                            } else {
                                Self::Data(size)
                            };
                        }
                        Ok(Status::Partial) if buffer.len() <= LONGEST_LINE => {
                            return Ok(Piece::More);
                        }
                        _ => return Err("a chunk with an unusable size"),
                    }
                }
                Self::Data(_) if buffer.is_empty() => return Ok(Piece::More),
                Self::Data(left) => {
                    let data = cut(buffer, left);
                    if *left == 0 {
                        *self = Self::After;
                    }
                    return Ok(Piece::Data(data));
                }
                Self::After if buffer.len() < 2 => return Ok(Piece::More),
                Self::After => {
                    if !buffer.starts_with(b"\r\n") {
                        return Err("a chunk that is longer than its size");
                    }
                    buffer.advance(2);
                    *self = Self::Size;
                }
                Self::Trailer(read) => match trailer(read, buffer)? {
                    Piece::End => *self = Self::Over,
                    other => return Ok(other),
                },
                Self::Over => return Ok(Piece::End),
            }
        }
    }
}

/// Passes over the lines behind the last chunk.
fn trailer(read: &mut usize, buffer: &mut BytesMut) -> Result<Piece, &'static str> {
    while let Some(at) = memchr::memchr(b'\n', buffer) {
        let is_last = matches!(&buffer[..at], b"" | b"\r");
        buffer.advance(at + 1);
        *read += at + 1;
        if is_last {
            return Ok(Piece::End);
        }
    }
    if *read + buffer.len() > LONGEST_LINE {
        return Err("too much behind the last chunk");
    }
    Ok(Piece::More)
}
