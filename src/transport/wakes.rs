//! Who is polled when the task of a connection is woken.
//!
//! That task waits for much at once, and each wake-up costs a poll of all of it. So whatever can do without is told apart
//! here: wake-ups that a task gives itself for nothing, some 2 500 instructions each, and futures that were not meant.

use std::cell::Cell;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use parking_lot::Mutex;

thread_local! {
    static HEARING: Cell<Hearing> = const { Cell::new(Hearing::Open) };
}

/// What becomes of wake-ups that this thread gives.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Hearing {
    Open,
    Covered,
    /// There was one meanwhile.
    Missed,
}

/// Does this without waking a [`Task`] on this thread. Says whether one would have been woken.
pub(super) fn unheard<T>(act: impl FnOnce() -> T) -> (T, bool) {
    struct Uncover;
    impl Drop for Uncover {
        fn drop(&mut self) {
            HEARING.set(Hearing::Open);
        }
    }
    HEARING.set(Hearing::Covered);
    let _uncover = Uncover;
    let done = act();
    (done, HEARING.get() == Hearing::Missed)
}

/// A task, as those see it who are to wake it: the same for as long as it lives.
#[derive(Clone)]
pub(super) struct Task {
    bell: Arc<Bell>,
    waker: Waker,
}

struct Bell(Mutex<Waker>);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        match HEARING.get() {
            Hearing::Open => self.0.lock().wake_by_ref(),
            Hearing::Covered | Hearing::Missed => HEARING.set(Hearing::Missed),
        }
    }
}

impl Task {
    /// One that nobody runs yet.
    pub(super) fn new() -> Self {
        let bell = Arc::new(Bell(Mutex::new(Waker::noop().clone())));
        let waker = bell.clone().into();
        Self { bell, waker }
    }

    /// Polls a future of this task, which `context` belongs to.
    pub(super) fn poll<F: Future>(
        &self,
        future: Pin<&mut F>,
        context: &Context<'_>,
    ) -> Poll<F::Output> {
        self.bell.0.lock().clone_from(context.waker());
        future.poll(&mut Context::from_waker(&self.waker))
    }
}

/// A future of a task that is polled only if it was itself woken.
pub(super) struct Apart<F> {
    future: F,
    call: Arc<Call>,
    waker: Waker,
}

struct Call {
    came: AtomicBool,
    task: Arc<Bell>,
}

impl Wake for Call {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.came.store(true, Ordering::Release);
        self.task.wake_by_ref();
    }
}

impl<F: Future + Unpin> Apart<F> {
    pub(super) fn new(future: F, task: &Task) -> Self {
        let call = Arc::new(Call {
            came: AtomicBool::new(true),
            task: task.bell.clone(),
        });
        let waker = call.clone().into();
        Self {
            future,
            call,
            waker,
        }
    }

    /// Polls it if there is a reason. Its task is being polled, with [`Task::poll`].
    pub(super) fn poll(&mut self) -> Poll<F::Output> {
        if !self.call.came.swap(false, Ordering::Acquire) {
            return Poll::Pending;
        }
        Pin::new(&mut self.future).poll(&mut Context::from_waker(&self.waker))
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, poll_fn};
    use std::pin::pin;
    use std::sync::atomic::AtomicUsize;

    use super::*;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// A task that was polled once, how often it was woken since, and the waker that it gave away.
    fn task() -> (Task, Arc<Count>, Waker) {
        let count = Arc::new(Count::default());
        let task = Task::new();
        let mut given = None;
        let future = pin!(poll_fn(|context| {
            given = Some(context.waker().clone());
            Poll::<()>::Pending
        }));
        let waker = Waker::from(count.clone());
        assert!(task.poll(future, &Context::from_waker(&waker)).is_pending());
        (task, count, given.unwrap())
    }

    #[test]
    fn a_wake_up_that_is_not_to_be_heard_is_told_instead() {
        let (_task, count, given) = task();
        given.wake_by_ref();
        assert_eq!(count.0.load(Ordering::SeqCst), 1);
        assert_eq!(unheard(|| given.wake_by_ref()), ((), true));
        assert_eq!(unheard(|| 7), (7, false));
        assert_eq!(count.0.load(Ordering::SeqCst), 1);
        given.wake();
        assert_eq!(count.0.load(Ordering::SeqCst), 2);
    }

    #[test]
    fn a_panic_leaves_no_thread_deaf() {
        let (_task, count, given) = task();
        let panics = || unheard(|| panic!("as it should"));
        assert!(std::panic::catch_unwind(panics).is_err());
        given.wake();
        assert_eq!(count.0.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn whoever_polls_last_is_woken() {
        let (task, before, given) = task();
        let after = Arc::new(Count::default());
        let waker = Waker::from(after.clone());
        let never = pin!(pending::<()>());
        assert!(task.poll(never, &Context::from_waker(&waker)).is_pending());
        given.wake();
        assert_eq!(before.0.load(Ordering::SeqCst), 0);
        assert_eq!(after.0.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn a_future_apart_is_polled_once_and_then_when_it_is_woken() {
        let (task, count, _given) = task();
        let (polls, waker) = (Cell::new(0), Mutex::new(None));
        let mut apart = Apart::new(
            poll_fn(|context| {
                polls.set(polls.get() + 1);
                *waker.lock() = Some(context.waker().clone());
                Poll::<()>::Pending
            }),
            &task,
        );
        for _ in 0..3 {
            assert!(apart.poll().is_pending());
        }
        assert_eq!(polls.get(), 1);
        waker.lock().take().unwrap().wake();
        assert_eq!(count.0.load(Ordering::SeqCst), 1);
        for _ in 0..3 {
            assert!(apart.poll().is_pending());
        }
        assert_eq!(polls.get(), 2);
    }
}
