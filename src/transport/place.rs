//! Where the bytes of a body come to lie.

use std::io;
use std::pin::pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use bytes::buf::Limit;
use bytes::{BufMut, Bytes, BytesMut};
use memmap2::MmapMut;
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncReadExt};

/// What is set aside at most before anything is there, whatever length the peer announces.
const AHEAD: usize = 256 * 1024;
/// How long a body is, in bytes, that has a mapping of its own.
const LARGE: usize = 4 * 1024 * 1024;
/// How long a huge page is.
const HUGE: usize = 2 * 1024 * 1024;
/// The longest mapping that is kept for the next large body: to be given 10 MiB anew takes a seventh of such a call, since
/// the system clears them.
const LONGEST_SPARE: usize = 16 * 1024 * 1024;
/// How long it is kept while no such body comes.
const IDLE: Duration = Duration::from_secs(10);

static SPARE: Spare = Spare(Mutex::new(None));

/// Gives memory back that no body has needed lately.
pub(super) fn sweep() {
    SPARE.sweep_older(IDLE);
}

/// The mapping of the last large body, and since when it is free.
struct Spare(Mutex<Option<(MmapMut, Instant)>>);

impl Spare {
    fn keep(&self, map: MmapMut) {
        let before = self.0.lock().replace((map, Instant::now()));
        drop(before);
    }

    /// The mapping that is kept, if it is as long as this, and not much longer.
    fn take(&self, length: usize) -> Option<MmapMut> {
        let fits = |(map, _): &mut (MmapMut, Instant)| (length..=2 * length).contains(&map.len());
        let taken = self.0.lock().take_if(fits);
        taken.map(|(map, _)| map)
    }

    fn sweep_older(&self, age: Duration) {
        let unused = |(_, since): &mut (MmapMut, Instant)| since.elapsed() >= age;
        let swept = self.0.lock().take_if(unused);
        drop(swept);
    }
}

/// The bytes of a body, one after the other.
///
/// Who has sent [`AHEAD`] is believed to send the rest: room for all of it is made then, and what is there is moved once.
/// A large body gets a mapping of its own, in huge pages: to be given the memory for 10 MiB in small ones takes 10 ms
/// instead of 1, and one mapping is kept for the next such body, the others are given back.
pub(super) struct Place {
    announced: usize,
    heap: BytesMut,
    mapped: Option<Mapped>,
}

/// Where the next bytes can be put.
enum Room<'a> {
    Heap(Limit<&'a mut BytesMut>),
    Mapped(&'a mut [u8]),
}

impl Place {
    /// For a body of this length, of which nothing is known if it is 0.
    pub(super) fn new(announced: usize) -> Self {
        Self {
            announced,
            heap: BytesMut::new(),
            mapped: None,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.mapped
            .as_ref()
            .map_or(self.heap.len(), |mapped| mapped.length)
    }

    pub(super) fn extend(&mut self, bytes: &[u8]) {
        if let Some(mapped) = &self.mapped
            && mapped.room() < bytes.len()
        {
            // More than was announced.
            self.heap = BytesMut::from(mapped.as_ref());
            self.mapped = None;
        }
        self.make_room(bytes.len());
        match &mut self.mapped {
            Some(mapped) => mapped.extend(bytes),
            None => self.heap.extend_from_slice(bytes),
        }
    }

    /// Reads on, no further than to the end of a body that is not whole, and gives how much; 0 at the end of the stream.
    pub(super) fn poll_fill(
        &mut self,
        reader: &mut (impl AsyncRead + Unpin),
        context: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        let read = match self.room() {
            Room::Heap(mut room) => pin!(reader.read_buf(&mut room)).poll(context),
            Room::Mapped(mut room) => pin!(reader.read_buf(&mut room)).poll(context),
        };
        let count = ready!(read)?;
        self.filled(count);
        Poll::Ready(Ok(count))
    }

    /// Room for at least one byte, and for no more than what is left.
    fn room(&mut self) -> Room<'_> {
        self.make_room(1);
        let left = self.announced - self.len();
        match &mut self.mapped {
            Some(mapped) => Room::Mapped(&mut mapped.map[mapped.length..][..left]),
            None => Room::Heap((&mut self.heap).limit(left)),
        }
    }

    /// So many bytes have been put where there was room.
    fn filled(&mut self, count: usize) {
        if let Some(mapped) = &mut self.mapped {
            mapped.length += count;
        }
    }

    /// The whole body.
    pub(super) fn finish(self) -> Bytes {
        match self.mapped {
            Some(mapped) => Bytes::from_owner(mapped),
            None => self.heap.freeze(),
        }
    }

    fn make_room(&mut self, more: usize) {
        let held = self.heap.len();
        if self.mapped.is_some() || self.heap.capacity() - held >= more {
            return;
        }
        let wanted = match held {
            0..AHEAD => self.announced.min(AHEAD),
            _ => self.announced,
        };
        if wanted >= LARGE.max(held + more)
            && let Some(mut mapped) = Mapped::new(wanted)
        {
            mapped.extend(&std::mem::take(&mut self.heap));
            self.mapped = Some(mapped);
        } else {
            self.heap.reserve(wanted.max(held + more) - held);
        }
    }
}

/// A mapping whose first bytes are the body. What is behind them may be of another body.
struct Mapped {
    map: MmapMut,
    length: usize,
}

impl Drop for Mapped {
    fn drop(&mut self) {
        if self.map.len() > LONGEST_SPARE {
            return;
        }
        // One of no use takes its place here.
        if let Ok(empty) = MmapMut::map_anon(0) {
            SPARE.keep(std::mem::replace(&mut self.map, empty));
        }
    }
}

impl Mapped {
    /// Room for so many bytes; `None` if the system has none.
    fn new(room: usize) -> Option<Self> {
        let length = room.next_multiple_of(HUGE);
        if let Some(map) = SPARE.take(length) {
            return Some(Self { map, length: 0 });
        }
        // The system puts a mapping where huge pages fit, if some of them fill it.
        let map = MmapMut::map_anon(length).ok()?;
        // Not the last one if it would be mostly empty. A system that has no such pages does without.
        #[cfg(target_os = "linux")]
        drop(map.advise_range(
            memmap2::Advice::HugePage,
            0,
            (room + HUGE / 2) / HUGE * HUGE,
        ));
        Some(Self { map, length: 0 })
    }

    fn room(&self) -> usize {
        self.map.len() - self.length
    }

    fn extend(&mut self, bytes: &[u8]) {
        self.map[self.length..][..bytes.len()].copy_from_slice(bytes);
        self.length += bytes.len();
    }
}

impl AsRef<[u8]> for Mapped {
    fn as_ref(&self) -> &[u8] {
        &self.map[..self.length]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHUNK: usize = AHEAD / 2;

    /// A body of so many bytes in chunks, each of its own letter; every other chunk is read in place.
    fn filled(announced: usize, length: usize) -> Place {
        let mut place = Place::new(announced);
        let mut letters = (b'a'..=b'z').cycle();
        while place.len() < length {
            let letter = letters.next().unwrap();
            let count = CHUNK.min(length - place.len());
            if (place.len() / CHUNK).is_multiple_of(2) || announced < length {
                place.extend(&vec![letter; count]);
                continue;
            }
            let count = match place.room() {
                Room::Heap(mut heap) => {
                    let count = heap.chunk_mut().len().min(count);
                    heap.put_bytes(letter, count);
                    count
                }
                Room::Mapped(room) => {
                    let count = room.len().min(count);
                    room[..count].fill(letter);
                    count
                }
            };
            place.filled(count);
        }
        place
    }

    #[test]
    fn every_byte_comes_to_its_place() {
        for length in [1, CHUNK, LARGE - 1, LARGE, LARGE + 1, 5 * HUGE + 7] {
            for announced in [0, length / 2, length] {
                let body = filled(announced, length).finish();
                assert_eq!(body.len(), length);
                let expected = (b'a'..=b'z').cycle();
                let chunks = body.chunks(CHUNK).zip(expected);
                for (chunk, letter) in chunks {
                    assert!(chunk.iter().all(|byte| *byte == letter), "{length}");
                }
            }
        }
    }

    #[test]
    fn a_mapping_is_kept_for_the_next_body_that_fits_it_or_for_a_while() {
        let spare = Spare(Mutex::new(None));
        let keep = |length| spare.keep(MmapMut::map_anon(length).unwrap());
        let take = |length| spare.take(length).map(|map| map.len());
        assert_eq!(take(HUGE), None);
        keep(4 * HUGE);
        assert_eq!((take(5 * HUGE), take(HUGE)), (None, None));
        assert_eq!((take(3 * HUGE), take(3 * HUGE)), (Some(4 * HUGE), None));
        keep(2 * HUGE);
        keep(3 * HUGE);
        spare.sweep_older(Duration::from_secs(60));
        assert_eq!(take(3 * HUGE), Some(3 * HUGE));
        keep(2 * HUGE);
        spare.sweep_older(Duration::ZERO);
        assert_eq!(take(2 * HUGE), None);
    }

    /// What is announced is believed only when some of it is there.
    #[test]
    fn there_is_no_room_for_what_may_never_come() {
        let place = filled(64 * LARGE, AHEAD);
        assert_eq!(
            (place.heap.capacity(), place.mapped.is_none()),
            (AHEAD, true)
        );
        let place = filled(LARGE - 1, AHEAD + 1);
        assert_eq!(place.heap.capacity(), LARGE - 1);
        let place = filled(64 * LARGE, AHEAD + 1);
        let mapped = place.mapped.map(|mapped| mapped.map.len());
        assert_eq!((place.heap.capacity(), mapped), (0, Some(64 * LARGE)));
    }
}
