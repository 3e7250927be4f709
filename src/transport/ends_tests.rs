use std::fs::File;
use std::io::{PipeReader, PipeWriter, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;
use crate::transport::testing::within;

fn is_blocking(fd: impl AsFd) -> bool {
    let flags = rustix::fs::fcntl_getfl(fd).unwrap();
    !flags.contains(rustix::fs::OFlags::NONBLOCK)
}

#[tokio::test]
async fn a_pipe_is_read_and_written_and_stays_blocking_for_others() {
    let (theirs, mut to_us): (PipeReader, PipeWriter) = std::io::pipe().unwrap();
    let mut ours = reader(theirs.as_fd()).unwrap();
    to_us.write_all(b"abc").unwrap();
    drop(to_us);
    let mut all = String::new();
    within(ours.read_to_string(&mut all)).await.unwrap();
    assert_eq!(all, "abc");
    assert!(is_blocking(&theirs));

    let (mut from_us, theirs) = std::io::pipe().unwrap();
    let mut ours = writer(theirs.as_fd()).unwrap();
    within(ours.write_all(b"def")).await.unwrap();
    assert!(is_blocking(&theirs));
    drop((ours, theirs));
    from_us.read_to_string(&mut all).unwrap();
    assert_eq!(all, "abcdef");
}

#[tokio::test]
async fn a_pipe_that_has_ended_before_is_seen_to_have_ended() {
    let (theirs, to_us) = std::io::pipe().unwrap();
    drop(to_us);
    let mut ours = reader(theirs.as_fd()).unwrap();
    assert_eq!(within(ours.read(&mut [0])).await.unwrap(), 0);
}

#[tokio::test]
async fn a_socket_is_read_and_written_and_stays_blocking_for_others() {
    let (theirs, mut client) = UnixStream::pair().unwrap();
    let (mut input, mut output) = (
        reader(theirs.as_fd()).unwrap(),
        writer(theirs.as_fd()).unwrap(),
    );
    // More than fits, so that both wait.
    let much = vec![b'x'; 4 << 20];
    let sent = much.clone();
    let client = std::thread::spawn(move || {
        client.write_all(b"hello").unwrap();
        let mut all = vec![0; 4 << 20];
        client.read_exact(&mut all).unwrap();
        all
    });
    let mut heard = [0; 5];
    within(input.read_exact(&mut heard)).await.unwrap();
    within(output.write_all(&much)).await.unwrap();
    assert_eq!(&heard, b"hello");
    assert!(client.join().unwrap() == sent);
    assert!(is_blocking(&theirs));
    assert_eq!(within(input.read(&mut [0])).await.unwrap(), 0);
    assert!(within(output.write_all(b"x")).await.is_err());
}

#[tokio::test]
async fn what_cannot_be_waited_for_is_left_to_threads() {
    let file: File = tempfile::tempfile().unwrap();
    assert!(reader(file.as_fd()).is_none() && writer(file.as_fd()).is_none());
    let (near, _far) = std::os::unix::net::UnixDatagram::pair().unwrap();
    assert!(reader(near.as_fd()).is_none() && writer(near.as_fd()).is_none());
}
