//! The requests of one link that are under way. The link itself polls them, each when it was woken and at once when it begins: a
//! task for each would be filled, scheduled and thrown away again, which took 7 500 of the 42 000 instructions of a call.

use std::collections::HashMap;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use foldhash::fast::RandomState;
use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use tokio::task::coop::has_budget_remaining;

use crate::wire::RequestId;

/// How many places are kept for the next requests. What a place needs is allocated once, not for each request.
const KEPT: usize = 256;

/// What a request of this link needs done, in places that are used again.
pub(super) struct Running<J> {
    places: Vec<Option<Place<J>>>,
    /// Those without work. What was given back last is taken first, since its memory is still near.
    free: Vec<usize>,
    /// Those that are empty.
    empty: Vec<usize>,
    /// Those that can be cancelled by their id here; others are the session's. A client that chose its ids so that they collide
    /// would slow down nobody but itself.
    ids: HashMap<RequestId, usize, RandomState>,
    board: Arc<Board>,
    /// Woken, and not polled yet; the next one is the last.
    woken: Vec<usize>,
    busy: usize,
    over: bool,
    /// Whether it was seen that the client cannot be reached any more.
    gone: bool,
    work: Box<dyn Fn(Arc<Desk<J>>) -> BoxFuture<'static, ()> + Send>,
}

/// What is done for a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// It is answered.
    Request,
    /// It goes on until somebody ends it.
    Subscription,
}

struct Place<J> {
    desk: Arc<Desk<J>>,
    /// Takes one piece of work after the other from the desk. It ends when the client cannot be reached any more.
    work: BoxFuture<'static, ()>,
    bell: Arc<Bell>,
    waker: Waker,
    kind: Kind,
    id: Option<RequestId>,
}

/// Where a place finds its work.
pub(super) struct Desk<J>(Mutex<Work<J>>);

enum Work<J> {
    None,
    Given(J),
    Taken,
}

impl<J> Desk<J> {
    /// The next piece of work. Whoever asks for it has done the one before.
    pub(super) async fn next(&self) -> J {
        poll_fn(|_| {
            let mut work = self.0.lock();
            match std::mem::replace(&mut *work, Work::None) {
                Work::Given(given) => {
                    *work = Work::Taken;
                    Poll::Ready(given)
                }
                Work::None | Work::Taken => Poll::Pending,
            }
        })
        .await
    }

    fn is_clear(&self) -> bool {
        matches!(*self.0.lock(), Work::None)
    }
}

/// Which places were woken.
struct Board(Mutex<Rung>);

struct Rung {
    places: Vec<usize>,
    /// The task of the link.
    task: Waker,
}

/// Wakes one place.
struct Bell {
    place: usize,
    /// Whether it is on the board already.
    rung: AtomicBool,
    board: Arc<Board>,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.rung.swap(true, Ordering::AcqRel) {
            return;
        }
        let mut rung = self.board.0.lock();
        rung.places.push(self.place);
        if rung.places.len() == 1 {
            rung.task.wake_by_ref();
        }
    }
}

impl<J> Running<J> {
    /// Nothing yet. `work` goes on with one piece after the other, as long as the client can be reached.
    pub(super) fn new(
        work: impl Fn(Arc<Desk<J>>) -> BoxFuture<'static, ()> + Send + 'static,
    ) -> Self {
        let rung = Rung {
            places: Vec::new(),
            task: Waker::noop().clone(),
        };
        Self {
            places: Vec::new(),
            free: Vec::new(),
            empty: Vec::new(),
            ids: HashMap::default(),
            board: Arc::new(Board(Mutex::new(rung))),
            woken: Vec::new(),
            busy: 0,
            over: false,
            gone: false,
            work: Box::new(work),
        }
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.busy
    }

    /// Whether none are let in any more.
    pub(super) fn is_over(&self) -> bool {
        self.over
    }

    /// Begins this at once, unless all is over. With an id, it can be cancelled by that.
    pub(super) fn begin(&mut self, job: J, kind: Kind, id: Option<RequestId>) {
        if self.over {
            return;
        }
        let number = self.place();
        let Some(place) = self.places[number].as_mut() else {
            return;
        };
        *place.desk.0.lock() = Work::Given(job);
        place.kind = kind;
        place.id.clone_from(&id);
        self.busy += 1;
        if let Some(id) = id {
            self.ids.insert(id, number);
        }
        if has_budget_remaining() {
            self.look(number);
        } else {
            // The link has done enough for once, and goes on when it is its turn again.
            place.waker.wake_by_ref();
        }
    }

    /// Does what there is to do; ends when the client cannot be reached any more.
    pub(super) async fn work(&mut self) {
        poll_fn(|context| self.poll(context)).await;
    }

    /// Does what there is to do until nothing is left.
    pub(super) async fn all_done(&mut self) {
        poll_fn(|context| match self.poll(context) {
            Poll::Pending if self.busy > 0 => Poll::Pending,
            _ => Poll::Ready(()),
        })
        .await;
    }

    fn poll(&mut self, context: &Context<'_>) -> Poll<()> {
        while !self.gone {
            if self.woken.is_empty() {
                let mut rung = self.board.0.lock();
                rung.task.clone_from(context.waker());
                std::mem::swap(&mut rung.places, &mut self.woken);
                drop(rung);
                // In the order in which they were woken.
                self.woken.reverse();
            }
            if !self.woken.is_empty() && !has_budget_remaining() {
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            let Some(number) = self.woken.pop() else {
                return Poll::Pending;
            };
            self.look(number);
        }
        Poll::Ready(())
    }

    /// A place without work.
    fn place(&mut self) -> usize {
        if let Some(number) = self.free.pop() {
            return number;
        }
        let number = self.empty.pop().unwrap_or_else(|| {
            self.places.push(None);
            self.places.len() - 1
        });
        let desk = Arc::new(Desk(Mutex::new(Work::None)));
        let bell = Arc::new(Bell {
            place: number,
            rung: AtomicBool::new(false),
            board: self.board.clone(),
        });
        self.places[number] = Some(Place {
            work: (self.work)(desk.clone()),
            desk,
            waker: bell.clone().into(),
            bell,
            kind: Kind::Request,
            id: None,
        });
        number
    }

    /// Goes on with the work of a place.
    fn look(&mut self, number: usize) {
        let Some(Some(place)) = self.places.get_mut(number) else {
            return;
        };
        place.bell.rung.store(false, Ordering::Release);
        if place.desk.is_clear() {
            // Whoever was waited for before has come late.
            return;
        }
        let mut context = Context::from_waker(&place.waker);
        let work = place.work.as_mut();
        // What is wrong with one request must not end the others.
        match catch_unwind(AssertUnwindSafe(|| work.poll(&mut context))) {
            Ok(Poll::Pending) if !place.desk.is_clear() => {}
            Ok(Poll::Pending) => self.vacate(number),
            Ok(Poll::Ready(())) => {
                self.gone = true;
                self.clear(number);
            }
            Err(_) => self.clear(number),
        }
    }

    /// The work of a place is done.
    fn vacate(&mut self, number: usize) {
        let place = self.places[number].as_mut();
        let id = place.and_then(|place| place.id.take());
        self.busy -= 1;
        self.forget(id, number);
        if self.free.len() < KEPT {
            self.free.push(number);
        } else {
            self.places[number] = None;
            self.empty.push(number);
        }
    }

    /// Ends the work of a place.
    fn clear(&mut self, number: usize) {
        if let Some(place) = self.places[number].take() {
            self.busy -= 1;
            self.empty.push(number);
            self.forget(place.id, number);
        }
    }

    /// The id may be in use again.
    fn forget(&mut self, id: Option<RequestId>, number: usize) {
        if let Some(id) = id
            && self.ids.get(&id) == Some(&number)
        {
            self.ids.remove(&id);
        }
    }

    /// Ends what has this id, if there is such.
    pub(super) fn cancel(&mut self, id: &RequestId) {
        if let Some(number) = self.ids.remove(id) {
            self.clear(number);
        }
    }

    /// Ends all subscriptions.
    pub(super) fn end_subscriptions(&mut self) {
        for number in 0..self.places.len() {
            let place = self.places[number].as_ref();
            if place.is_some_and(|place| place.kind == Kind::Subscription && !place.desk.is_clear())
            {
                self.clear(number);
            }
        }
    }

    /// Ends all, and lets none in any more.
    pub(super) fn end(&mut self) {
        self.over = true;
        self.gone = false;
        self.busy = 0;
        self.ids.clear();
        self.free.clear();
        self.places.clear();
        self.empty.clear();
        self.woken.clear();
    }
}

#[cfg(test)]
#[path = "running_tests.rs"]
mod tests;
