use std::pin::pin;

use bytes::Buf;
use futures_util::poll;

use super::*;
use crate::transport::testing::within;

fn frame(text: &'static str) -> Bytes {
    Bytes::from_static(text.as_bytes())
}

/// What is there now, as one text.
fn taken(outlet: &mut Outlet) -> (usize, String) {
    let mut batch = Batch::default();
    let frames = outlet.take(&mut batch);
    batch.seal();
    let mut text = Vec::new();
    while batch.has_remaining() {
        text.extend_from_slice(batch.chunk());
        batch.advance(batch.chunk().len());
    }
    batch.written();
    (frames, String::from_utf8(text).unwrap())
}

fn fill(inlet: &Inlet) {
    for _ in 0..QUEUE_FRAMES {
        inlet.try_send(&frame("x"), None).unwrap();
    }
    let full = inlet.try_send(&frame("x"), None);
    assert_eq!(full, Err(TransportError::Full));
}

#[tokio::test]
async fn frames_leave_together_and_in_order() {
    let (inlet, mut outlet) = outbox();
    let other = inlet.clone();
    inlet.send(&frame("1"), None).await.unwrap();
    let large = Bytes::from(vec![b'2'; 5_000]);
    other.send(&large, None).await.unwrap();
    inlet.send(&frame("3"), None).await.unwrap();
    assert!(within(outlet.ready()).await);
    let expected = format!("1\n{}\n3\n", "2".repeat(5_000));
    assert_eq!(taken(&mut outlet), (3, expected));
    assert!(poll!(pin!(outlet.ready())).is_pending());
}

#[tokio::test]
async fn who_finds_no_place_waits_until_some_are_taken() {
    let (inlet, mut outlet) = outbox();
    fill(&inlet);
    let last = frame("y");
    let mut waiting = pin!(inlet.send(&last, None));
    assert!(poll!(&mut waiting).is_pending());
    assert_eq!(taken(&mut outlet).0, QUEUE_FRAMES);
    within(waiting).await.unwrap();
    assert_eq!(taken(&mut outlet), (1, "y\n".to_owned()));
}

#[tokio::test]
async fn who_waits_learns_that_the_writer_is_gone() {
    let (inlet, outlet) = outbox();
    fill(&inlet);
    let last = frame("y");
    let mut waiting = pin!(inlet.send(&last, None));
    let written = inlet.flush().unwrap();
    let mut closed = pin!(inlet.closed());
    assert!(poll!(&mut waiting).is_pending());
    assert!(poll!(&mut closed).is_pending());
    drop(outlet);
    assert_eq!(within(waiting).await, Err(TransportError::Closed));
    assert!(within(written).await.is_err());
    within(closed).await;
    let late = inlet.try_send(&frame("z"), None);
    assert_eq!(late, Err(TransportError::Closed));
}

#[tokio::test]
async fn what_was_handed_in_before_the_end_is_still_there() {
    let (inlet, mut outlet) = outbox();
    inlet.send(&frame("1"), None).await.unwrap();
    outlet.close();
    let late = inlet.send(&frame("2"), None).await;
    assert_eq!(late, Err(TransportError::Closed));
    assert!(within(outlet.ready()).await);
    assert_eq!(taken(&mut outlet).0, 1);
    assert!(!within(outlet.ready()).await);
}

#[tokio::test]
async fn it_ends_with_the_last_who_sends() {
    let (inlet, mut outlet) = outbox();
    let other = inlet.clone();
    drop(inlet);
    {
        let mut ready = pin!(outlet.ready());
        assert!(poll!(&mut ready).is_pending());
        drop(other);
        assert!(!within(ready).await);
    }
}

#[tokio::test]
async fn a_flush_is_told_when_all_before_it_is_written() {
    let (inlet, mut outlet) = outbox();
    inlet.send(&frame("1"), None).await.unwrap();
    let mut written = pin!(inlet.flush().unwrap());
    assert!(poll!(&mut written).is_pending());
    taken(&mut outlet);
    within(written).await.unwrap();
    let written = inlet.flush().unwrap();
    assert!(within(outlet.ready()).await);
    assert_eq!(taken(&mut outlet).0, 0);
    within(written).await.unwrap();
}

#[tokio::test]
async fn the_room_of_a_large_frame_is_free_once_it_is_written() {
    let (inlet, mut outlet) = outbox();
    let bulk = Arc::new(Semaphore::new(1));
    let room = bulk.clone().try_acquire_owned().unwrap();
    inlet.send(&frame("1"), Some(room)).await.unwrap();
    assert_eq!(bulk.available_permits(), 0);
    taken(&mut outlet);
    assert_eq!(bulk.available_permits(), 1);
}
