use std::io::{Read, Write, pipe};
use std::pin::pin;

use futures_util::poll;

use super::*;
use crate::transport::stdio::{read_on_thread, write_on_thread};
use crate::transport::testing::{text, within};

const LIMIT: usize = 100;

fn bytes(text: &'static str) -> Bytes {
    Bytes::from_static(text.as_bytes())
}

#[tokio::test]
async fn a_pair_connects_both_ways_within_the_limit() {
    let (mut left, mut right) = Duplex::pair(3);
    left.outgoing.send(bytes("abc")).await.unwrap();
    left.outgoing.send(bytes("abcd")).await.unwrap();
    right.outgoing.send(bytes("def")).await.unwrap();
    assert_eq!(text(&mut right.incoming).await, "abc");
    assert_eq!(
        right.incoming.next().await,
        Some(Err(TransportError::TooLarge { limit: 3 }))
    );
    assert_eq!(text(&mut left.incoming).await, "def");
    drop(left);
    assert_eq!(within(right.incoming.next()).await, None);
    assert_eq!(
        right.outgoing.send(bytes("x")).await,
        Err(TransportError::Closed)
    );
}

#[tokio::test]
async fn line_breaks_between_tokens_do_not_break_a_frame() {
    let (left, mut right) = Duplex::pair(LIMIT);
    left.outgoing
        .send(bytes("{\r\n\t\"a\":\n1}"))
        .await
        .unwrap();
    left.outgoing.try_send(bytes("[\n]")).unwrap();
    assert_eq!(text(&mut right.incoming).await, "{  \t\"a\": 1}");
    assert_eq!(text(&mut right.incoming).await, "[ ]");
}

#[tokio::test]
async fn a_frame_without_line_breaks_is_not_copied() {
    let (left, mut right) = Duplex::pair(LIMIT);
    let frame = Bytes::from(vec![b'x'; 100]);
    left.outgoing.send(frame.clone()).await.unwrap();
    assert_eq!(
        right.incoming.next().await.unwrap().unwrap().as_ptr(),
        frame.as_ptr()
    );
}

#[tokio::test]
async fn few_large_frames_fill_the_queue() {
    let (left, mut right) = Duplex::pair(usize::MAX);
    let frame = Bytes::from(vec![b'x'; BULK / 2]);
    left.outgoing.try_send(frame.clone()).unwrap();
    left.outgoing.try_send(frame.clone()).unwrap();
    assert_eq!(
        left.outgoing.try_send(frame.clone()),
        Err(TransportError::Full)
    );
    left.outgoing.try_send(bytes("small")).unwrap();
    let mut waiting = pin!(left.outgoing.send(frame.clone()));
    assert!(poll!(&mut waiting).is_pending());
    assert!(right.incoming.next().await == Some(Ok(frame)));
    within(waiting).await.unwrap();
}

#[tokio::test]
async fn a_sender_that_waits_for_room_learns_that_the_link_is_closed() {
    let (left, right) = Duplex::pair(usize::MAX);
    let frame = Bytes::from(vec![b'x'; BULK]);
    left.outgoing.try_send(frame.clone()).unwrap();
    let mut waiting = pin!(left.outgoing.send(frame));
    assert!(poll!(&mut waiting).is_pending());
    drop(right);
    assert_eq!(within(waiting).await, Err(TransportError::Closed));
    within(left.outgoing.closed()).await;
}

#[tokio::test]
async fn dropping_the_future_of_next_loses_nothing() {
    let (near, mut far) = tokio::io::duplex(64);
    let mut incoming = Incoming::lines(near, LIMIT);
    for piece in ["{\"a\"", ":1}\n[", "2]\n"] {
        assert!(poll!(pin!(incoming.next())).is_pending());
        tokio::io::AsyncWriteExt::write_all(&mut far, piece.as_bytes())
            .await
            .unwrap();
        if piece.ends_with('[') {
            assert_eq!(text(&mut incoming).await, "{\"a\":1}");
        }
    }
    assert_eq!(text(&mut incoming).await, "[2]");
}

#[tokio::test]
async fn the_last_frame_needs_no_newline() {
    let mut incoming = Incoming::lines(&b"one\ntwo"[..], LIMIT);
    assert_eq!(text(&mut incoming).await, "one");
    assert_eq!(text(&mut incoming).await, "two");
    assert_eq!(incoming.next().await, None);
    assert_eq!(incoming.next().await, None);
}

#[tokio::test]
async fn a_failing_stream_is_reported_and_over() {
    let broken = tokio_test_reader();
    let mut incoming = Incoming::lines(broken, LIMIT);
    let detail = "it broke".to_owned();
    assert_eq!(
        incoming.next().await,
        Some(Err(TransportError::Io {
            what: "reading",
            detail
        }))
    );
    assert_eq!(incoming.next().await, None);
}

/// A reader that fails at once.
fn tokio_test_reader() -> impl AsyncRead + Send + Unpin {
    struct Broken;
    impl AsyncRead for Broken {
        fn poll_read(
            self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
            _: &mut tokio::io::ReadBuf<'_>,
        ) -> std::task::Poll<std::io::Result<()>> {
            std::task::Poll::Ready(Err(std::io::Error::other("it broke")))
        }
    }
    Broken
}

#[tokio::test]
async fn a_stream_of_bytes_carries_small_and_large_frames_in_order() {
    let tracker = TaskTracker::new();
    let (near, far) = tokio::io::duplex(1000);
    let (reader, writer) = tokio::io::split(near);
    let left = Duplex::over(reader, writer, usize::MAX, &tracker);
    let (reader, writer) = tokio::io::split(far);
    let mut right = Duplex::over(reader, writer, usize::MAX, &tracker);
    let sizes = [1, 5000, 3, 4096, 4097, 100_000, 2, 70_000, 1];
    let sending = async {
        for size in sizes {
            left.outgoing.send(vec![b'x'; size].into()).await.unwrap();
        }
        left.outgoing.flushed().await.unwrap();
    };
    let receiving = async {
        for size in sizes {
            assert_eq!(right.incoming.next().await.unwrap().unwrap().len(), size);
        }
    };
    within(async { tokio::join!(sending, receiving) }).await;
}

fn threads(
    reader: impl Read + Send + 'static,
    writer: impl Write + Send + 'static,
    limit: usize,
) -> Duplex {
    Duplex {
        incoming: read_on_thread(reader, limit).unwrap(),
        outgoing: write_on_thread(writer).unwrap(),
    }
}

#[tokio::test]
async fn threads_serve_blocking_pipes() {
    let (their_input, mut to_us) = pipe().unwrap();
    let (mut from_us, their_output) = pipe().unwrap();
    let mut link = threads(their_input, their_output, 10);
    to_us
        .write_all(b"one\n\nthis is too long\r\ntwo\r\nthree")
        .unwrap();
    drop(to_us);
    assert_eq!(text(&mut link.incoming).await, "one");
    let too_large = Some(Err(TransportError::TooLarge { limit: 10 }));
    assert_eq!(within(link.incoming.next()).await, too_large);
    assert_eq!(text(&mut link.incoming).await, "two");
    assert_eq!(text(&mut link.incoming).await, "three");
    assert_eq!(within(link.incoming.next()).await, None);

    link.outgoing.send(bytes("a")).await.unwrap();
    link.outgoing
        .send(Bytes::from(vec![b'b'; 5000]))
        .await
        .unwrap();
    link.outgoing.send(bytes("c")).await.unwrap();
    within(link.outgoing.flushed()).await.unwrap();
    drop(link.outgoing);
    let mut written = String::new();
    from_us.read_to_string(&mut written).unwrap();
    assert_eq!(written, format!("a\n{}\nc\n", "b".repeat(5000)));
}

#[tokio::test]
async fn a_reader_that_is_gone_closes_the_link() {
    let (their_input, _to_us) = pipe().unwrap();
    let (from_us, their_output) = pipe().unwrap();
    let link = threads(their_input, their_output, LIMIT);
    drop(from_us);
    link.outgoing.send(bytes("x")).await.unwrap();
    within(link.outgoing.closed()).await;
    assert_eq!(
        link.outgoing.send(bytes("x")).await,
        Err(TransportError::Closed)
    );
    assert_eq!(link.outgoing.flushed().await, Err(TransportError::Closed));
}
