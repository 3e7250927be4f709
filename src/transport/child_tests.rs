use std::time::{Duration, Instant};

use super::*;
use crate::transport::testing::{entry, eventually, is_alive, pid, shell, text, within};

const LIMIT: usize = 16 * 1024 * 1024;
const LONG: Duration = Duration::from_secs(15);
const SHORT: Duration = Duration::from_millis(100);

fn start(script: &str) -> Child {
    spawn(&shell(script), LIMIT, &Guard::none(), &TaskTracker::new()).unwrap()
}

#[tokio::test]
async fn frames_go_to_the_child_and_back_in_order() {
    let mut child = start("cat");
    for number in 0..1000 {
        child
            .duplex
            .outgoing
            .send(number.to_string().into())
            .await
            .unwrap();
    }
    for number in 0..1000 {
        assert_eq!(text(&mut child.duplex.incoming).await, number.to_string());
    }
    within(child.process.stop(LONG)).await;
    assert_eq!(within(child.duplex.incoming.next()).await, None);
    assert_eq!(
        child.duplex.outgoing.send("x".into()).await,
        Err(TransportError::Closed)
    );
}

#[tokio::test]
async fn a_frame_of_ten_mebibytes_passes_whole() {
    let mut child = start("cat");
    let frame = bytes::Bytes::from(vec![b'x'; 10 * 1024 * 1024]);
    child.duplex.outgoing.send(frame.clone()).await.unwrap();
    assert!(within(child.duplex.incoming.next()).await == Some(Ok(frame)));
    within(child.process.stop(LONG)).await;
}

#[tokio::test]
async fn a_frame_over_the_limit_is_reported_once_and_the_link_lives() {
    let script =
        "head -c 100000 /dev/zero | tr '\\0' x; echo; echo next; echo '\u{fffd}garbage'; cat";
    let mut child = spawn(&shell(script), 1000, &Guard::none(), &TaskTracker::new()).unwrap();
    let first = within(child.duplex.incoming.next()).await;
    assert_eq!(first, Some(Err(TransportError::TooLarge { limit: 1000 })));
    assert_eq!(text(&mut child.duplex.incoming).await, "next");
    assert_eq!(text(&mut child.duplex.incoming).await, "\u{fffd}garbage");
    within(child.process.stop(LONG)).await;
}

#[tokio::test]
async fn what_is_queued_is_still_written_before_the_end_of_file() {
    let mut child = start("cat");
    for number in 0..100 {
        child
            .duplex
            .outgoing
            .send(number.to_string().into())
            .await
            .unwrap();
    }
    let all = async {
        let mut frames = Vec::new();
        while let Some(frame) = child.duplex.incoming.next().await {
            frames.push(frame.unwrap());
        }
        frames
    };
    let (frames, ()) = within(async { tokio::join!(all, child.process.stop(LONG)) }).await;
    let expected: Vec<bytes::Bytes> = (0..100)
        .map(|number: u32| number.to_string().into())
        .collect();
    assert_eq!(frames, expected);
}

#[tokio::test]
async fn dropping_all_senders_ends_the_stdin_of_the_child() {
    let mut child = start("cat; echo over");
    drop(child.duplex.outgoing);
    assert_eq!(text(&mut child.duplex.incoming).await, "over");
    assert!(within(child.process.exited()).await.success());
}

#[tokio::test]
async fn a_child_that_does_not_read_makes_its_senders_wait_and_no_others() {
    let stuck = start("exec sleep 1000");
    let outgoing = stuck.duplex.outgoing.clone();
    let frame = bytes::Bytes::from(vec![b'x'; 1000]);
    while outgoing.try_send(frame.clone()).is_ok() {
        tokio::task::yield_now().await;
    }
    assert_eq!(outgoing.try_send(frame.clone()), Err(TransportError::Full));
    let waiting = outgoing.send(frame);

    let mut other = start("cat");
    other.duplex.outgoing.send("through".into()).await.unwrap();
    assert_eq!(text(&mut other.duplex.incoming).await, "through");

    let (sent, ()) = within(async { tokio::join!(waiting, stuck.process.stop(SHORT)) }).await;
    assert_eq!(sent, Err(TransportError::Closed));
    within(other.process.stop(LONG)).await;
}

#[tokio::test]
async fn a_flood_on_stderr_blocks_nothing_and_its_last_lines_are_kept() {
    let script =
        "i=0; while [ $i -lt 5000 ]; do echo \"line $i\" >&2; i=$((i+1)); done; echo done; cat";
    let mut child = start(script);
    assert_eq!(text(&mut child.duplex.incoming).await, "done");
    within(child.process.stop(LONG)).await;
    assert_eq!(child.stderr.dropped(), 5000 - 128);
    let expected: Vec<String> = (5000 - 128..5000)
        .map(|number| format!("line {number}"))
        .collect();
    assert_eq!(child.stderr.take(), expected);
    assert_eq!(within(child.stderr.next()).await, None);
}

#[tokio::test]
async fn a_child_that_ends_by_itself_is_noticed_with_its_status() {
    let mut child = start("echo why >&2; exit 7");
    assert_eq!(within(child.process.exited()).await.code(), Some(7));
    assert_eq!(within(child.stderr.next()).await.as_deref(), Some("why"));
    let mut child = start("kill -9 $$");
    let status = within(child.process.exited()).await;
    assert_eq!(
        std::os::unix::process::ExitStatusExt::signal(&status),
        Some(9)
    );
}

#[tokio::test]
async fn a_polite_child_is_stopped_by_the_end_of_file_alone() {
    let mut child = start("trap 'echo signalled' TERM; cat; echo bye");
    let started = Instant::now();
    let (last, ()) =
        within(async { tokio::join!(text(&mut child.duplex.incoming), child.process.stop(LONG)) })
            .await;
    assert_eq!(last, "bye");
    assert!(started.elapsed() < LONG / 2);
    assert_eq!(within(child.duplex.incoming.next()).await, None);
}

#[tokio::test]
async fn a_child_that_ignores_the_end_of_file_is_asked_once_to_terminate() {
    let mut child = start("trap 'echo asked; exit 0' TERM; echo up; while :; do sleep 0.01; done");
    assert_eq!(text(&mut child.duplex.incoming).await, "up");
    within(child.process.stop(Duration::from_secs(4))).await;
    assert_eq!(text(&mut child.duplex.incoming).await, "asked");
    assert_eq!(within(child.duplex.incoming.next()).await, None);
}

#[tokio::test]
async fn a_child_that_ignores_the_request_to_terminate_is_killed() {
    let mut child = start("trap '' TERM; echo up; while :; do sleep 1000; done");
    assert_eq!(text(&mut child.duplex.incoming).await, "up");
    let leader = child.process.id();
    within(child.process.stop(SHORT)).await;
    assert!(!is_alive(leader));
}

#[tokio::test]
async fn grandchildren_are_stopped_too() {
    let mut child = start("sleep 1000 & echo $!; (trap '' TERM; sleep 1000) & echo $!; cat");
    let polite = pid(&mut child.duplex.incoming).await;
    let stubborn = pid(&mut child.duplex.incoming).await;
    assert!(is_alive(polite) && is_alive(stubborn));
    within(child.process.stop(SHORT)).await;
    assert_eq!((is_alive(polite), is_alive(stubborn)), (false, false));
}

#[tokio::test]
async fn grandchildren_do_not_survive_a_child_that_died_first() {
    let mut child = start("trap '' TERM; sleep 1000 & echo $!; exit 3");
    let grandchild = pid(&mut child.duplex.incoming).await;
    assert_eq!(within(child.process.exited()).await.code(), Some(3));
    assert!(is_alive(grandchild));
    within(child.process.stop(SHORT)).await;
    assert!(!is_alive(grandchild));
}

/// The others have no way to find them.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn grandchildren_in_a_session_of_their_own_are_found() {
    let mut child = start(
        "trap '' TERM; setsid sleep 1000 & echo $!; setsid setsid -f sh -c 'echo $$; sleep 1000'; cat",
    );
    let mut strays = [
        pid(&mut child.duplex.incoming).await,
        pid(&mut child.duplex.incoming).await,
    ];
    strays.sort_unstable();
    assert_eq!(strays.map(is_alive), [true, true]);
    within(child.process.stop(SHORT)).await;
    assert_eq!(strays.map(is_alive), [false, false]);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn one_child_is_stopped_without_its_neighbours() {
    let guard = Guard::none();
    let tracker = TaskTracker::new();
    let script = shell("setsid sleep 1000 & echo $!; cat");
    let mut children: Vec<Child> = (0..12)
        .map(|_| spawn(&script, LIMIT, &guard, &tracker).unwrap())
        .collect();
    let mut strays = Vec::new();
    for child in &mut children {
        strays.push(pid(&mut child.duplex.incoming).await);
    }
    let first = children.remove(1);
    within(first.process.stop(SHORT)).await;
    let alive: Vec<bool> = strays.iter().map(|stray| is_alive(*stray)).collect();
    let expected: Vec<bool> = (0..12).map(|number| number != 1).collect();
    assert_eq!(alive, expected);
    within(futures_util::future::join_all(
        children.into_iter().map(|child| child.process.stop(SHORT)),
    ))
    .await;
    assert!(!strays.into_iter().any(is_alive));
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn dropping_kills_everything() {
    let tracker = TaskTracker::new();
    let script = shell("trap '' TERM; sleep 1000 & echo $!; setsid sleep 1000 & echo $!; cat");
    let mut child = spawn(&script, LIMIT, &Guard::none(), &tracker).unwrap();
    let leader = child.process.id();
    let grandchild = pid(&mut child.duplex.incoming).await;
    let stray = pid(&mut child.duplex.incoming).await;
    drop(child);
    eventually("all are gone", || {
        ![leader, grandchild, stray].into_iter().any(is_alive)
    })
    .await;
    tracker.close();
    within(tracker.wait()).await;
}

#[tokio::test]
async fn a_dropped_stop_kills_at_once() {
    let mut child = start("trap '' TERM; echo up; while :; do sleep 1000; done");
    assert_eq!(text(&mut child.duplex.incoming).await, "up");
    let leader = child.process.id();
    let stopped = tokio::time::timeout(SHORT, child.process.stop(Duration::from_secs(1000))).await;
    assert!(stopped.is_err());
    eventually("it is gone", || !is_alive(leader)).await;
}

#[tokio::test]
async fn what_cannot_be_started_says_why() {
    let fails = |config: &ChildConfig| {
        spawn(config, LIMIT, &Guard::none(), &TaskTracker::new())
            .err()
            .unwrap()
            .to_string()
    };
    let missing = ChildConfig {
        command: "no-such-program-here".to_owned(),
        ..shell("")
    };
    assert_eq!(
        fails(&missing),
        "command `no-such-program-here` was not found"
    );
    let nowhere = ChildConfig {
        cwd: Some("/no/such/directory".into()),
        ..shell("")
    };
    assert_eq!(
        fails(&nowhere),
        "directory `/no/such/directory` was not found"
    );
    let no_program = ChildConfig {
        command: "/etc/passwd".to_owned(),
        ..shell("")
    };
    let denied = "command `/etc/passwd` could not be started: Permission denied (os error 13)";
    assert_eq!(fails(&no_program), denied);
}

#[tokio::test]
async fn directory_and_environment_are_the_configured_ones() {
    let directory = tempfile::tempdir().unwrap();
    let mut config = shell("pwd -P; echo $GREETING; echo ${MCPMUX_TREE:+marked}; cat");
    config.cwd = Some(directory.path().to_owned());
    config
        .env
        .insert("GREETING".to_owned(), crate::config::Secret::new("hello"));
    let mut child = spawn(&config, LIMIT, &Guard::none(), &TaskTracker::new()).unwrap();
    let path = directory.path().canonicalize().unwrap();
    assert_eq!(
        text(&mut child.duplex.incoming).await,
        path.to_str().unwrap()
    );
    assert_eq!(text(&mut child.duplex.incoming).await, "hello");
    assert_eq!(text(&mut child.duplex.incoming).await, "marked");
    within(child.process.stop(LONG)).await;
}

/// In a process of its own, where nobody else opens anything.
#[cfg(target_os = "linux")]
#[test]
fn two_hundred_children_leave_no_descriptor_behind() {
    let (program, arguments) = entry("transport::child::tests::spawn_many");
    let output = std::process::Command::new(program)
        .args(arguments)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
}

#[cfg(target_os = "linux")]
#[tokio::test]
#[ignore = "run by `two_hundred_children_leave_no_descriptor_behind`"]
async fn spawn_many() {
    let open = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    let tracker = TaskTracker::new();
    let guard = Guard::none();
    let one = async || {
        let mut child = spawn(&shell("cat"), LIMIT, &guard, &tracker).unwrap();
        child.duplex.outgoing.send("x".into()).await.unwrap();
        assert_eq!(text(&mut child.duplex.incoming).await, "x");
        child.process
    };
    within(one().await.stop(LONG)).await;
    let before = open();
    for number in 0..200 {
        let process = one().await;
        if number % 2 == 0 {
            within(process.stop(LONG)).await;
        } else {
            drop(process);
        }
    }
    tracker.close();
    within(tracker.wait()).await;
    assert_eq!(open(), before);
}
