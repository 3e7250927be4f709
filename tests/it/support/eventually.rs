//! Waiting for what another process does.

use std::time::{Duration, Instant};

/// How long a test waits for something that must happen; `MCPMUX_TEST_PATIENCE_MS` changes it.
pub(crate) fn patience() -> Duration {
    let millis = std::env::var("MCPMUX_TEST_PATIENCE_MS").ok();
    Duration::from_millis(millis.and_then(|text| text.parse().ok()).unwrap_or(20_000))
}

/// Asks again and again until the probe answers, or panics when the patience is over.
#[track_caller]
pub(crate) fn eventually<T>(what: &str, mut probe: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + patience();
    loop {
        if let Some(found) = probe() {
            return found;
        }
        assert!(Instant::now() < end, "waited in vain until {what}");
        std::thread::park_timeout(Duration::from_millis(5));
    }
}
