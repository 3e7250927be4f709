use std::io::BufReader;
use std::process::Stdio;

use tokio_util::task::TaskTracker;

use super::*;
use crate::transport::spawn;
use crate::transport::testing::{entry, eventually, is_alive, pid, shell, within};

const LIMIT: usize = 1024;

fn guard() -> Guard {
    Guard::running(Some(entry("transport::guard::tests::guard_process")))
}

fn process(guard: &Guard) -> u32 {
    guard.0.state.lock().process.as_ref().unwrap().child.id()
}

/// What `main` does when it is started as the guard.
#[test]
#[ignore = "run as a process by the other tests"]
fn guard_process() {
    run();
}

/// A mux that prints the numbers of its processes and then hangs until its stdin ends.
#[tokio::test]
#[ignore = "run as a process by the other tests"]
async fn mux_process() {
    let guard = guard();
    let script = shell(
        "trap '' TERM; echo $$; sleep 1000 & echo $!; setsid sleep 1000 & echo $!; \
         setsid sh -c 'trap \"\" TERM; echo $$; while :; do sleep 1000; done'",
    );
    let mut child = spawn(&script, LIMIT, &guard, &TaskTracker::new()).unwrap();
    for _ in 0..4 {
        println!("pid {}", pid(&mut child.duplex.incoming).await);
    }
    println!("pid {}", process(&guard));
    io::stdin().read_line(&mut String::new()).unwrap();
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_killed_mux_leaves_nobody_behind() {
    let (program, arguments) = entry("transport::guard::tests::mux_process");
    let mut command = Command::new(program);
    let mut mux = command
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(mux.stdout.take().unwrap()).lines();
    let numbers = lines.filter_map(|line| line.unwrap().strip_prefix("pid ")?.parse().ok());
    let pids: Vec<u32> = numbers.take(5).collect();
    assert_eq!(pids.iter().filter(|pid| is_alive(**pid)).count(), 5);
    mux.kill().unwrap();
    mux.wait().unwrap();
    eventually("the children and the guard are gone", || {
        !pids.iter().any(|pid| is_alive(*pid))
    })
    .await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_guard_has_a_name_and_a_group_of_its_own() {
    let guard = guard();
    let child = spawn(&shell("cat"), LIMIT, &guard, &TaskTracker::new()).unwrap();
    let id = process(&guard);
    let file = |name: &str| std::fs::read_to_string(format!("/proc/{id}/{name}")).unwrap();
    // Whoever starts a program goes on a moment before that has its arguments.
    eventually("it has its names", || {
        file("cmdline").starts_with("mux-guard\0") && file("comm") == "mux-guard\n"
    })
    .await;
    let group = file("stat").split(' ').nth(4).unwrap().to_owned();
    assert_eq!(group, id.to_string());
    assert_eq!(file("environ"), "");
    within(child.process.stop(Duration::from_secs(10))).await;
}

#[tokio::test]
async fn the_guard_lets_go_of_what_has_ended() {
    let guard = guard();
    let tracker = TaskTracker::new();
    let child = spawn(&shell("cat"), LIMIT, &guard, &tracker).unwrap();
    let other = spawn(&shell("cat"), LIMIT, &guard, &tracker).unwrap();
    let left = Pid::from_raw(other.process.id().cast_signed()).unwrap();
    within(child.process.stop(Duration::from_secs(10))).await;
    assert_eq!(guard.0.state.lock().groups, HashSet::from([left]));
    drop(other);
    tracker.close();
    within(tracker.wait()).await;
    assert_eq!(guard.0.state.lock().groups, HashSet::new());
}

#[tokio::test]
async fn a_lost_guard_is_replaced() {
    let guard = guard();
    let tracker = TaskTracker::new();
    let first = spawn(&shell("cat"), LIMIT, &guard, &tracker).unwrap();
    let lost = process(&guard);
    rustix::process::kill_process(Pid::from_raw(lost.cast_signed()).unwrap(), Signal::KILL)
        .unwrap();
    eventually("the guard is dead", || !is_alive(lost)).await;
    let second = spawn(&shell("cat"), LIMIT, &guard, &tracker).unwrap();
    assert_ne!(process(&guard), lost);
    assert!(is_alive(process(&guard)));
    let (first_id, second_id) = (first.process.id(), second.process.id());
    // Without a mux to stop them, only a guard that knows both can.
    std::mem::forget((first.process, second.process));
    drop((first.duplex.incoming, second.duplex.incoming));
    drop(guard);
    let _ = (first.duplex.outgoing, second.duplex.outgoing);
    eventually("both are gone", || {
        !is_alive(first_id) && !is_alive(second_id)
    })
    .await;
}

#[tokio::test]
async fn a_guard_that_cannot_start_is_no_reason_to_fail() {
    let guard = Guard::new("/no/such/program");
    let child = spawn(&shell("cat"), LIMIT, &guard, &TaskTracker::new()).unwrap();
    within(child.process.stop(Duration::from_secs(10))).await;
}

#[test]
fn no_mark_is_the_beginning_of_another() {
    let guard = Guard::none();
    let marks: Vec<String> = (0..20).map(|_| guard.next_mark()).collect();
    for one in &marks {
        assert_eq!(
            marks.iter().filter(|other| other.starts_with(one)).count(),
            1
        );
    }
}
