use futures_util::{SinkExt, StreamExt};
use tokio::io::DuplexStream;
use tokio_tungstenite::tungstenite::Message::{Binary, Close, Text};

use super::*;
use crate::transport::testing::{text, within};

type Peer = WebSocketStream<DuplexStream>;

fn ends() -> Ends {
    Ends {
        limit: 100,
        farewell: CloseCode::Away,
        closing: CancellationToken::new(),
        pulse: Pulse::default(),
    }
}

/// Our end with a limit of 100 bytes, and a client at the other.
async fn linked() -> (Duplex, Peer, TaskTracker) {
    let (ours, theirs) = tokio::io::duplex(4_096);
    let tracker = TaskTracker::new();
    let duplex = websocket(ours, Role::Server, ends(), &tracker);
    let peer = WebSocketStream::from_raw_socket(theirs, Role::Client, None).await;
    (duplex, peer, tracker)
}

/// The code with which we close.
async fn closed(peer: &mut Peer) -> CloseCode {
    loop {
        match within(peer.next()).await {
            Some(Ok(Close(Some(frame)))) => return frame.code,
            Some(Ok(_)) => {}
            other => panic!("no close frame but {other:?}"),
        }
    }
}

async fn next(peer: &mut Peer) -> Message {
    within(peer.next()).await.unwrap().unwrap()
}

#[tokio::test]
async fn messages_go_both_ways_in_order_and_fragments_are_one() {
    let (mut ours, mut peer, _) = linked().await;
    for frame in ["{\n1}", "2", "3"] {
        ours.outgoing
            .send(Bytes::from_static(frame.as_bytes()))
            .await
            .unwrap();
    }
    for expected in ["{ 1}", "2", "3"] {
        assert_eq!(next(&mut peer).await, Text(expected.into()));
    }
    peer.send(Text("a".into())).await.unwrap();
    let theirs = peer.get_mut();
    // "bc" in two frames, masked with nothing.
    theirs
        .write_all(&[0x01, 0x81, 0, 0, 0, 0, b'b'])
        .await
        .unwrap();
    theirs
        .write_all(&[0x80, 0x81, 0, 0, 0, 0, b'c'])
        .await
        .unwrap();
    assert_eq!(text(&mut ours.incoming).await, "a");
    assert_eq!(text(&mut ours.incoming).await, "bc");
}

#[tokio::test]
async fn a_message_beyond_the_limit_is_refused_by_its_header() {
    let (mut ours, mut peer, tracker) = linked().await;
    let mut header = vec![0x81, 0xff];
    header.extend(101_u64.to_be_bytes());
    header.extend([0; 4]);
    peer.get_mut().write_all(&header).await.unwrap();
    assert_eq!(closed(&mut peer).await, CloseCode::Size);
    let told = Some(Err(TransportError::TooLarge { limit: 100 }));
    assert_eq!(within(ours.incoming.next()).await, told);
    assert_eq!(within(ours.incoming.next()).await, None);
    drop(peer);
    tracker.close();
    within(tracker.wait()).await;
}

#[tokio::test]
async fn what_is_no_text_ends_the_link_with_its_code() {
    let (_ours, mut peer, _) = linked().await;
    peer.send(Binary(Bytes::from_static(b"{}"))).await.unwrap();
    assert_eq!(closed(&mut peer).await, CloseCode::Unsupported);
    for (frame, code) in [
        (&[0x81, 0x81, 0, 0, 0, 0, 0xff][..], CloseCode::Invalid),
        (&[0x83, 0x80, 0, 0, 0, 0], CloseCode::Protocol),
        (&[0x81, 0x01, b'x'], CloseCode::Protocol),
    ] {
        let (_ours, mut peer, _) = linked().await;
        peer.get_mut().write_all(frame).await.unwrap();
        assert_eq!(closed(&mut peer).await, code, "{frame:?}");
    }
}

#[tokio::test]
async fn a_ping_is_answered_though_nobody_listens() {
    let (_ours, mut peer, _) = linked().await;
    peer.send(Message::Ping(Bytes::from_static(b"x")))
        .await
        .unwrap();
    assert_eq!(
        next(&mut peer).await,
        Message::Pong(Bytes::from_static(b"x"))
    );
}

#[tokio::test]
async fn what_was_sent_is_written_before_the_farewell() {
    let (ours, mut peer, tracker) = linked().await;
    for _ in 0..500 {
        let sent = ours.outgoing.send(Bytes::from_static(b"{}"));
        tokio::select! {
            sent = sent => sent.unwrap(),
            _ = async { loop { next(&mut peer).await; } } => {}
        }
    }
    drop(ours);
    assert_eq!(closed(&mut peer).await, CloseCode::Away);
    drop(peer);
    tracker.close();
    within(tracker.wait()).await;
}

#[tokio::test]
async fn a_peer_that_closes_ends_both_directions() {
    let (mut ours, mut peer, _) = linked().await;
    peer.close(None).await.unwrap();
    assert_eq!(within(ours.incoming.next()).await, None);
    within(ours.outgoing.closed()).await;
}

#[tokio::test]
async fn a_peer_that_does_not_read_is_waited_for_with_a_bound() {
    let (ours, _peer, _) = linked().await;
    let large = Bytes::from(vec![b' '; 1024 * 1024]);
    let mut sent = 0;
    while timeout(
        Duration::from_millis(300),
        ours.outgoing.send(large.clone()),
    )
    .await
    .is_ok()
    {
        sent += 1;
    }
    assert!((1..=16).contains(&sent), "{sent} MiB");
}

#[tokio::test]
async fn a_peer_without_a_sign_of_life_is_given_up() {
    let (ours, theirs) = tokio::io::duplex(16);
    let io = Sieve::new(ours, None);
    let long_ago = Instant::now()
        .checked_sub(Pulse::default().silence)
        .unwrap();
    let mut driver = Driver {
        socket: WebSocketStream::from_raw_socket(io, Role::Server, None).await,
        ends: ends(),
        error: None,
        taken: Vec::new(),
        permits: Vec::new(),
        flushes: Vec::new(),
        flushing: false,
        heard: long_ago,
        moved: (0, long_ago),
    };
    assert!(
        driver.round(false).is_none() && driver.flushing,
        "nobody listened"
    );
    (driver.heard, driver.flushing) = (long_ago, false);
    assert!(driver.round(true).is_some(), "it said nothing");
    (driver.heard, driver.flushing, driver.moved) = (long_ago, true, (0, long_ago));
    assert!(driver.round(true).is_some(), "it took nothing");
    driver.moved.0 = 1;
    assert!(driver.round(true).is_none(), "it took something");
    drop(theirs);
}

const HASTY: Pulse = Pulse {
    ping: Duration::from_millis(20),
    silence: Duration::from_millis(500),
};

/// A link of ours with this limit, and the other side as a bare stream of bytes.
fn client(tracker: &TaskTracker) -> (Duplex, DuplexStream) {
    let (near, far) = tokio::io::duplex(64 * 1024);
    let ends = Ends {
        limit: 1000,
        farewell: CloseCode::Normal,
        closing: CancellationToken::new(),
        pulse: HASTY,
    };
    (websocket(near, Role::Client, ends, tracker), far)
}

async fn server(far: DuplexStream) -> WebSocketStream<DuplexStream> {
    WebSocketStream::from_raw_socket(far, Role::Server, None).await
}

#[tokio::test]
async fn who_answers_no_ping_is_given_up() {
    let (mut ours, _far) = client(&TaskTracker::new());
    let begun = Instant::now();
    let end = ours.incoming.next().await;
    assert!(
        matches!(&end, Some(Err(TransportError::NoWebSocket { detail })) if detail.contains("no life")),
        "{end:?}"
    );
    assert_eq!(ours.incoming.next().await, None);
    assert!(begun.elapsed() >= HASTY.silence);
}

#[tokio::test]
async fn who_answers_pings_may_be_silent_for_long() {
    let (mut ours, far) = client(&TaskTracker::new());
    let mut peer = server(far).await;
    let answering = async {
        let mut pings = 0;
        while pings < 50 {
            let heard = peer.next().await;
            pings += u32::from(matches!(heard, Some(Ok(Message::Ping(_)))));
        }
    };
    tokio::select! {
        () = answering => {}
        end = ours.incoming.next() => panic!("{end:?}"),
    }
}

#[tokio::test]
async fn a_close_is_reported_with_its_code_unless_all_is_well() {
    for (code, expected) in [
        (CloseCode::Normal, None),
        (CloseCode::Library(4001), Some(4001)),
    ] {
        let (mut ours, far) = client(&TaskTracker::new());
        let mut peer = server(far).await;
        let reason = "why".into();
        peer.close(Some(CloseFrame { code, reason })).await.unwrap();
        let reported = match ours.incoming.next().await {
            Some(Err(TransportError::WebSocket { code, reason })) if reason == "why" => Some(code),
            None => None,
            other => panic!("{other:?}"),
        };
        assert_eq!(reported, expected);
    }
}

#[tokio::test]
async fn what_is_queued_is_sent_before_the_farewell() {
    let tracker = TaskTracker::new();
    let (near, far) = tokio::io::duplex(64 * 1024);
    let closing = CancellationToken::new();
    let ends = Ends {
        limit: 1000,
        farewell: CloseCode::Away,
        closing: closing.clone(),
        pulse: Pulse::default(),
    };
    let ours = websocket(near, Role::Client, ends, &tracker);
    for n in 0..100 {
        ours.outgoing
            .send(Bytes::from(format!("[{n}]")))
            .await
            .unwrap();
    }
    closing.cancel();
    let mut peer = server(far).await;
    for n in 0..100 {
        let text = peer.next().await.unwrap().unwrap();
        assert_eq!(text, Message::text(format!("[{n}]")));
    }
    let Some(Ok(Message::Close(Some(frame)))) = peer.next().await else {
        panic!("no farewell");
    };
    assert_eq!(frame.code, CloseCode::Away);
    tracker.close();
    drop(peer);
    tracker.wait().await;
}
