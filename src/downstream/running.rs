//! The requests of one link that are under way, and how they are ended. A tree of tokens would do the same, with a lock
//! that all requests share each time that one of them waits.

use std::collections::HashMap;
use std::sync::Arc;

use fnv::FnvHashMap;
use parking_lot::Mutex;
use tokio::task::AbortHandle;

use crate::wire::RequestId;

/// The tasks of a link.
#[derive(Clone, Default)]
pub(super) struct Running(Arc<Mutex<Table>>);

#[derive(Default)]
struct Table {
    next: u64,
    tasks: FnvHashMap<u64, Task>,
    /// Those that can be cancelled by their id here; others are the session's.
    ids: HashMap<RequestId, u64>,
    over: bool,
}

struct Task {
    kind: Kind,
    /// None until it has been spawned.
    handle: Option<AbortHandle>,
}

/// What a task does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// It answers a request.
    Request,
    /// It goes on until somebody ends it.
    Subscription,
}

/// A place among the tasks, to be held by the task itself; dropping it gives it back.
pub(super) struct Place {
    running: Running,
    number: u64,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.running.0.lock().tasks.remove(&self.number);
    }
}

impl Running {
    /// A place for a task that is about to be spawned; `None`: the link is over.
    pub(super) fn enter(&self, kind: Kind) -> Option<Place> {
        let mut table = self.0.lock();
        if table.over {
            return None;
        }
        table.next += 1;
        let number = table.next;
        table.tasks.insert(number, Task { kind, handle: None });
        Some(Place {
            running: self.clone(),
            number,
        })
    }

    /// From now on the task can be cancelled by this id.
    pub(super) fn name(&self, place: &Place, id: RequestId) {
        self.0.lock().ids.insert(id, place.number);
    }

    /// It cannot be cancelled by its id any more, which may be used again.
    pub(super) fn forget(&self, id: &RequestId) {
        self.0.lock().ids.remove(id);
    }

    /// Starts the task of a place.
    pub(super) fn start(&self, place: Place, spawn: impl FnOnce(Place) -> AbortHandle) {
        let number = place.number;
        let handle = spawn(place);
        let mut table = self.0.lock();
        if table.over {
            drop(table);
            handle.abort();
        } else if let Some(task) = table.tasks.get_mut(&number) {
            task.handle = Some(handle);
        }
    }

    /// Ends the task with this id, if there is one.
    pub(super) fn cancel(&self, id: &RequestId) {
        let mut table = self.0.lock();
        let number = table.ids.remove(id);
        let task = number.and_then(|number| table.tasks.get(&number));
        let handle = task.and_then(|task| task.handle.clone());
        drop(table);
        if let Some(handle) = handle {
            handle.abort();
        }
    }

    /// Ends all subscriptions.
    pub(super) fn end_subscriptions(&self) {
        let table = self.0.lock();
        let tasks = table.tasks.values();
        let subscriptions = tasks.filter(|task| task.kind == Kind::Subscription);
        let handles: Vec<_> = subscriptions
            .filter_map(|task| task.handle.clone())
            .collect();
        drop(table);
        for handle in handles {
            handle.abort();
        }
    }

    /// Ends all, and lets none in any more.
    pub(super) fn end(&self) {
        let tasks = {
            let mut table = self.0.lock();
            table.over = true;
            table.ids.clear();
            std::mem::take(&mut table.tasks)
        };
        for handle in tasks.into_values().filter_map(|task| task.handle) {
            handle.abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use tokio::task::JoinHandle;
    use tokio_util::task::TaskTracker;

    use super::*;

    /// A task that never ends by itself.
    fn started(running: &Running, kind: Kind, id: u64) -> JoinHandle<()> {
        let place = running.enter(kind).unwrap();
        running.name(&place, id.into());
        let mut task = None;
        running.start(place, |place| {
            let spawned = TaskTracker::new().spawn(async move {
                pending::<()>().await;
                drop(place);
            });
            let handle = spawned.abort_handle();
            task = Some(spawned);
            handle
        });
        task.unwrap()
    }

    #[tokio::test]
    async fn a_request_is_cancelled_by_its_id_alone() {
        let running = Running::default();
        let (one, two) = (
            started(&running, Kind::Request, 1),
            started(&running, Kind::Request, 2),
        );
        running.cancel(&3.into());
        running.cancel(&1.into());
        assert!(one.await.unwrap_err().is_cancelled());
        assert!(!two.is_finished());
        assert_eq!(running.0.lock().tasks.len(), 1);
    }

    #[tokio::test]
    async fn subscriptions_end_before_requests() {
        let running = Running::default();
        let request = started(&running, Kind::Request, 1);
        let subscription = started(&running, Kind::Subscription, 2);
        running.end_subscriptions();
        assert!(subscription.await.unwrap_err().is_cancelled());
        assert!(!request.is_finished());
        running.end();
        assert!(request.await.unwrap_err().is_cancelled());
        assert!(running.enter(Kind::Request).is_none());
    }

    #[tokio::test]
    async fn a_task_that_is_started_while_the_link_ends_is_ended() {
        let running = Running::default();
        let place = running.enter(Kind::Request).unwrap();
        running.end();
        let task = TaskTracker::new().spawn(pending::<()>());
        let handle = task.abort_handle();
        running.start(place, |_| handle);
        assert!(task.await.unwrap_err().is_cancelled());
    }
}
