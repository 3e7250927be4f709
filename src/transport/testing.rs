//! What the tests of this room share.

use std::process::Command;
use std::time::Duration;

use bytes::Bytes;
use indexmap::IndexMap;
use tokio::time::{Instant, sleep, timeout};

use super::{Incoming, TransportError};
use crate::config::ChildConfig;

/// How long anything may take before a test gives up.
const PATIENCE: Duration = Duration::from_secs(20);

/// What `future` gives, in good time.
#[track_caller]
pub(super) fn within<T>(future: impl Future<Output = T>) -> impl Future<Output = T> {
    let caller = std::panic::Location::caller();
    async move {
        let Ok(output) = timeout(PATIENCE, future).await else {
            panic!("nothing happened at {caller}");
        };
        output
    }
}

/// Waits for a condition.
pub(super) async fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < deadline, "it never came true: {what}");
        sleep(Duration::from_millis(5)).await;
    }
}

/// `sh -c SCRIPT` as a server.
pub(super) fn shell(script: &str) -> ChildConfig {
    ChildConfig {
        command: "sh".to_owned(),
        args: vec!["-c".to_owned(), script.to_owned()],
        env: IndexMap::new(),
        cwd: None,
    }
}

/// The next frame as text.
pub(super) async fn text(incoming: &mut Incoming) -> String {
    let frame: Result<Bytes, TransportError> = within(incoming.next()).await.unwrap();
    String::from_utf8(frame.unwrap().into()).unwrap()
}

/// The next frame as the number of a process.
pub(super) async fn pid(incoming: &mut Incoming) -> u32 {
    text(incoming).await.parse().unwrap()
}

/// Whether a process runs; one that waits to be reaped does not.
pub(super) fn is_alive(pid: u32) -> bool {
    let state = Command::new("ps")
        .args(["-o", "stat=", "-p", &pid.to_string()])
        .output()
        .unwrap();
    let state = String::from_utf8(state.stdout).unwrap();
    !state.is_empty() && !state.starts_with('Z')
}

/// This test program, to run one ignored test of it as a process of its own.
pub(super) fn entry(test: &str) -> (std::ffi::OsString, Vec<std::ffi::OsString>) {
    let arguments = [test, "--exact", "--ignored", "--nocapture"];
    (
        std::env::current_exe().unwrap().into(),
        arguments.map(Into::into).into(),
    )
}
