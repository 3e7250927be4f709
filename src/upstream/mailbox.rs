//! What reaches one exchange, in order: nearly always one response, so that room for more is made only when more comes.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use parking_lot::{Mutex, MutexGuard};
use tokio::sync::Notify;
use tokio::task::coop::poll_proceed;

use super::pending::Delivery;

/// How many events of one call wait for a slow client before further ones are dropped, or wait themselves.
const EVENTS: usize = 1024;

/// The place between the reader of a connection and one exchange.
pub(super) struct Mailbox {
    state: Mutex<State>,
    /// Told when there is room again, or nobody reads any more.
    room: Notify,
}

#[derive(Default)]
struct State {
    /// What came before `rest`.
    first: Option<Delivery>,
    rest: VecDeque<Delivery>,
    /// Nothing more comes.
    ended: bool,
    /// Nobody reads.
    abandoned: bool,
    reader: Option<Waker>,
}

impl State {
    fn len(&self) -> usize {
        usize::from(self.first.is_some()) + self.rest.len()
    }

    fn push(&mut self, delivery: Delivery) {
        if self.len() == 0 {
            self.first = Some(delivery);
        } else {
            self.rest.push_back(delivery);
        }
    }

    fn pop(&mut self) -> Option<Delivery> {
        self.first.take().or_else(|| self.rest.pop_front())
    }
}

impl Mailbox {
    /// An empty one, and its reader.
    pub(super) fn new() -> (Arc<Self>, Inbox) {
        let mailbox = Arc::new(Self {
            state: Mutex::default(),
            room: Notify::new(),
        });
        (mailbox.clone(), Inbox(mailbox))
    }

    /// Puts in an event if there is room at once and somebody reads; else gives it back.
    pub(super) fn offer(&self, event: Delivery) -> Result<(), Delivery> {
        let mut state = self.state.lock();
        if state.abandoned || state.len() >= EVENTS {
            return Err(event);
        }
        state.push(event);
        wake(state.reader.take(), state);
        Ok(())
    }

    /// Puts in an event, and waits for room while somebody reads.
    pub(super) async fn deliver(&self, mut event: Delivery) {
        loop {
            // Before the look: room that is made after it is not missed.
            let room = self.room.notified();
            match self.offer(event) {
                Ok(()) => return,
                Err(back) => event = back,
            }
            if self.state.lock().abandoned {
                return;
            }
            room.await;
        }
    }

    /// Puts in the response, for which there is always room.
    pub(super) fn finish(&self, last: Delivery) {
        let mut state = self.state.lock();
        if !state.abandoned {
            state.push(last);
            wake(state.reader.take(), state);
        }
    }

    /// Nothing more comes.
    pub(super) fn end(&self) {
        let mut state = self.state.lock();
        state.ended = true;
        wake(state.reader.take(), state);
    }
}

/// Wakes the reader once the mailbox is unlocked.
fn wake(reader: Option<Waker>, unlocked: impl Sized) {
    drop(unlocked);
    if let Some(reader) = reader {
        reader.wake();
    }
}

/// Where an exchange reads. Dropping it throws away what is left.
pub(super) struct Inbox(Arc<Mailbox>);

impl Inbox {
    /// The next delivery; `None` when nothing more comes. Cancel safe.
    pub(super) async fn recv(&mut self) -> Option<Delivery> {
        poll_fn(|context| self.poll_recv(context)).await
    }

    /// The same for a future that waits for something else too.
    pub(super) fn poll_recv(&mut self, context: &mut Context<'_>) -> Poll<Option<Delivery>> {
        let turn = ready!(poll_proceed(context));
        let mut state = self.0.state.lock();
        if state.len() == 0 && !state.ended {
            let known = state.reader.as_ref();
            if !known.is_some_and(|known| known.will_wake(context.waker())) {
                state.reader = Some(context.waker().clone());
            }
            return Poll::Pending;
        }
        let next = self.next(state);
        turn.made_progress();
        Poll::Ready(next)
    }

    /// What is there already. The reader is awake: until it polls again, it is not woken for what comes. Else one that
    /// itself brings about what it waits for would be polled once more for nothing, some 2 500 instructions for each call.
    pub(super) fn take(&mut self) -> Option<Delivery> {
        let mut state = self.0.state.lock();
        state.reader = None;
        self.next(state)
    }

    fn next(&self, mut state: MutexGuard<'_, State>) -> Option<Delivery> {
        let was_full = state.len() >= EVENTS;
        let next = state.pop();
        drop(state);
        if was_full {
            self.0.room.notify_waiters();
        }
        next
    }
}

impl Drop for Inbox {
    fn drop(&mut self) {
        let left = {
            let mut state = self.0.state.lock();
            state.abandoned = true;
            (state.first.take(), std::mem::take(&mut state.rest))
        };
        self.0.room.notify_waiters();
        drop(left);
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    use futures_util::poll;
    use tokio_util::task::TaskTracker;

    use super::*;
    use crate::protocol::CallEvent;
    use crate::wire::Json;

    fn number(number: usize) -> Delivery {
        Delivery::Event(CallEvent::Log(Json::encode(&number)))
    }

    async fn read(inbox: &mut Inbox) -> Option<String> {
        match inbox.recv().await? {
            Delivery::Event(CallEvent::Log(json)) => Some(json.to_string()),
            other => Some(format!("{other:?}")),
        }
    }

    #[tokio::test]
    async fn deliveries_keep_their_order_and_the_end_comes_last() {
        let (mailbox, mut inbox) = Mailbox::new();
        for event in 0..3 {
            mailbox.offer(number(event)).unwrap();
        }
        assert_eq!(read(&mut inbox).await.as_deref(), Some("0"));
        mailbox.offer(number(3)).unwrap();
        mailbox.finish(number(4));
        mailbox.end();
        for event in ["1", "2", "3", "4"] {
            assert_eq!(read(&mut inbox).await.as_deref(), Some(event));
        }
        assert_eq!(read(&mut inbox).await, None);
    }

    #[tokio::test]
    async fn a_reader_that_waits_is_woken() {
        let (mailbox, mut inbox) = Mailbox::new();
        let reading = async move { (read(&mut inbox).await, read(&mut inbox).await) };
        let reading = TaskTracker::new().spawn(reading);
        tokio::task::yield_now().await;
        mailbox.offer(number(7)).unwrap();
        tokio::task::yield_now().await;
        mailbox.end();
        let read = reading.await.unwrap();
        assert_eq!(read, (Some("7".to_owned()), None));
    }

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[test]
    fn a_reader_that_is_awake_is_not_woken() {
        let (mailbox, mut inbox) = Mailbox::new();
        let count = Arc::new(Count::default());
        let waker = count.clone().into();
        let mut context = Context::from_waker(&waker);
        assert!(inbox.poll_recv(&mut context).is_pending());
        assert!(inbox.take().is_none());
        mailbox.offer(number(1)).unwrap();
        assert!(inbox.take().is_some());
        assert_eq!(count.0.load(Ordering::SeqCst), 0);
        assert!(inbox.poll_recv(&mut context).is_pending());
        mailbox.offer(number(2)).unwrap();
        assert_eq!(count.0.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn a_full_one_has_room_for_the_response_alone_until_it_is_read() {
        let (mailbox, mut inbox) = Mailbox::new();
        for event in 0..EVENTS {
            mailbox.offer(number(event)).unwrap();
        }
        assert!(mailbox.offer(number(EVENTS)).is_err());
        let mut waiting = pin!(mailbox.deliver(number(EVENTS)));
        assert!(poll!(&mut waiting).is_pending());
        assert_eq!(read(&mut inbox).await.as_deref(), Some("0"));
        assert!(poll!(&mut waiting).is_ready());
        mailbox.finish(number(EVENTS + 1));
        for event in 1..EVENTS + 2 {
            assert_eq!(read(&mut inbox).await, Some(event.to_string()));
        }
    }

    #[tokio::test]
    async fn who_waits_for_room_is_let_go_when_nobody_reads() {
        let (mailbox, inbox) = Mailbox::new();
        for event in 0..EVENTS {
            mailbox.offer(number(event)).unwrap();
        }
        let mut waiting = pin!(mailbox.deliver(number(EVENTS)));
        assert!(poll!(&mut waiting).is_pending());
        drop(inbox);
        assert!(poll!(&mut waiting).is_ready());
        assert!(mailbox.offer(number(0)).is_err());
    }
}
