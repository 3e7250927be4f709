use std::pin::pin;
use std::sync::atomic::AtomicUsize;

use futures_util::poll;
use tokio::sync::oneshot;

use super::*;

enum Job {
    /// Waits for this.
    Wait(oneshot::Receiver<()>),
    Fails,
    FindsNobody,
}

async fn serve(desk: Arc<Desk<Job>>) {
    loop {
        match desk.next().await {
            Job::Wait(receiver) => drop(receiver.await),
            Job::Fails => panic!("one of the requests is wrong"),
            Job::FindsNobody => return,
        }
    }
}

fn running() -> Running<Job> {
    Running::new(|desk| Box::pin(serve(desk)))
}

/// Begins something that ends when the sender is used; the sender is closed once nobody waits.
fn begin(running: &mut Running<Job>, kind: Kind, id: u64) -> oneshot::Sender<()> {
    let (sender, receiver) = oneshot::channel();
    running.begin(Job::Wait(receiver), kind, Some(id.into()));
    sender
}

async fn is_reachable(running: &mut Running<Job>) -> bool {
    poll!(pin!(running.work())).is_pending()
}

#[tokio::test]
async fn a_request_is_cancelled_by_its_id_alone() {
    let mut running = running();
    let one = begin(&mut running, Kind::Request, 1);
    let two = begin(&mut running, Kind::Request, 2);
    running.cancel(&3.into());
    running.cancel(&1.into());
    assert!(one.is_closed());
    assert!(!two.is_closed());
    assert_eq!(running.count(), 1);
}

#[tokio::test]
async fn an_id_belongs_to_the_last_that_had_it() {
    let mut running = running();
    let one = begin(&mut running, Kind::Request, 7);
    let two = begin(&mut running, Kind::Request, 7);
    one.send(()).unwrap();
    assert!(is_reachable(&mut running).await);
    assert_eq!(running.count(), 1);
    running.cancel(&7.into());
    assert!(two.is_closed());
}

#[tokio::test]
async fn subscriptions_end_before_requests() {
    let mut running = running();
    let request = begin(&mut running, Kind::Request, 1);
    let subscription = begin(&mut running, Kind::Subscription, 2);
    running.end_subscriptions();
    assert!(subscription.is_closed());
    assert!(!request.is_closed());
    running.end();
    assert!(request.is_closed());
    let late = begin(&mut running, Kind::Request, 3);
    assert!(late.is_closed());
    assert!(is_reachable(&mut running).await);
}

#[tokio::test]
async fn a_place_is_used_again() {
    let mut running = running();
    for id in 0..10 {
        let sender = begin(&mut running, Kind::Subscription, id);
        assert!(is_reachable(&mut running).await);
        sender.send(()).unwrap();
        running.all_done().await;
    }
    assert_eq!(running.places.len(), 1);
    let request = begin(&mut running, Kind::Request, 11);
    running.end_subscriptions();
    assert!(!request.is_closed());
}

#[tokio::test]
async fn what_comes_late_wakes_nobody_else() {
    let mut running = running();
    let sender = begin(&mut running, Kind::Request, 1);
    let late = running.places[0].as_ref().unwrap().waker.clone();
    sender.send(()).unwrap();
    running.all_done().await;
    late.wake_by_ref();
    assert!(is_reachable(&mut running).await);
    running.end();
    late.wake();
    assert!(is_reachable(&mut running).await);
}

#[tokio::test]
async fn one_that_panics_ends_no_other() {
    let mut running = running();
    let one = begin(&mut running, Kind::Request, 1);
    running.begin(Job::Fails, Kind::Request, Some(2.into()));
    assert!(is_reachable(&mut running).await);
    assert_eq!(running.count(), 1);
    assert!(!one.is_closed());
}

#[tokio::test]
async fn it_is_seen_that_nobody_is_there() {
    let mut running = running();
    let one = begin(&mut running, Kind::Request, 1);
    running.begin(Job::FindsNobody, Kind::Request, None);
    assert!(!is_reachable(&mut running).await);
    running.end();
    assert!(one.is_closed());
}

#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn the_link_is_woken_once_for_many() {
    let mut running = running();
    let count = Arc::new(Count::default());
    let waker = count.clone().into();
    let mut context = Context::from_waker(&waker);
    let senders: Vec<_> = (0..3)
        .map(|id| begin(&mut running, Kind::Request, id))
        .collect();
    assert!(running.poll(&context).is_pending());
    for sender in senders {
        sender.send(()).unwrap();
    }
    assert_eq!(count.0.load(Ordering::SeqCst), 1);
    assert_eq!(running.count(), 3);
    assert!(pin!(running.all_done()).poll(&mut context).is_ready());
    assert_eq!(running.count(), 0);
}

#[tokio::test]
async fn who_has_done_enough_goes_on_later() {
    const MANY: usize = 1_000;
    let mut running = running();
    for id in 0..MANY as u64 {
        begin(&mut running, Kind::Request, id).send(()).unwrap();
    }
    assert!(running.count() > 0);
    running.all_done().await;
    assert!(running.free.len() <= KEPT);
    assert_eq!(
        running.free.len() + running.empty.len(),
        MANY.min(running.places.len())
    );
}
