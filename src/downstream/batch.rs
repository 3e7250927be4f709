//! Batches, which only revision 2025-03-26 has.

use bytes::{BufMut, Bytes, BytesMut};
use futures_util::stream::{FuturesUnordered, StreamExt};

use super::reply::{Item, Reply};

/// The requests of one batch.
#[derive(Default)]
pub(super) struct Batch {
    replies: Vec<Reply>,
    responses: Vec<Bytes>,
}

impl Batch {
    /// Adds the reply to a request.
    pub(super) fn add(&mut self, reply: Reply) {
        self.replies.push(reply);
    }

    /// Adds the response to something that was no message.
    pub(super) fn refuse(&mut self, frame: Bytes) {
        self.responses.push(frame);
    }

    /// Whether there is nothing to answer.
    pub(super) fn is_empty(&self) -> bool {
        self.replies.is_empty() && self.responses.is_empty()
    }

    /// Runs all requests at once; what is said before the responses goes to `tell`. The responses, as one
    /// array; `None` if there is nothing to answer.
    pub(super) async fn run<F: Future<Output = ()> + Send>(
        self,
        tell: impl Fn(Bytes) -> F + Sync,
    ) -> Option<Bytes> {
        let Self {
            replies,
            mut responses,
        } = self;
        let tell = &tell;
        let mut running: FuturesUnordered<_> = replies
            .into_iter()
            .map(|mut reply| async move {
                loop {
                    match reply.next().await {
                        Item::Message(frame) => tell(frame).await,
                        Item::Last(last) => return Some(last.frame()),
                        Item::Cancelled => return None,
                    }
                }
            })
            .collect();
        while let Some(response) = running.next().await {
            responses.extend(response);
        }
        if responses.is_empty() {
            return None;
        }
        let mut array = BytesMut::new();
        for (index, response) in responses.iter().enumerate() {
            array.put_u8(if index == 0 { b'[' } else { b',' });
            array.extend_from_slice(response);
        }
        array.put_u8(b']');
        Some(array.freeze())
    }
}
