//! Sparing a server that fails every call, and those who call it.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use crate::config::CircuitBreaker;

/// How a call to a server went, as far as the server is to blame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It answered, be it with an error of its own.
    Answered,
    /// It did not answer in time, or not sensibly.
    Failed,
}

/// Lets calls through until so many have failed in a row; from then on one in each period, until one succeeds.
pub(super) struct Breaker {
    limits: Mutex<CircuitBreaker>,
    state: Mutex<State>,
}

enum State {
    Closed {
        failures: u32,
    },
    /// No call passes before this moment; the one that passes then moves it on.
    Open {
        until: Instant,
    },
}

impl Breaker {
    pub(super) fn new(limits: CircuitBreaker) -> Self {
        Self {
            limits: Mutex::new(limits),
            state: Mutex::new(State::Closed { failures: 0 }),
        }
    }

    /// From now on, these limits hold. What was counted stays.
    pub(super) fn limit(&self, limits: CircuitBreaker) {
        *self.limits.lock() = limits;
    }

    /// Whether a call may pass. `Err`: how long it is until the next one may.
    pub(super) fn admit(&self) -> Result<(), Duration> {
        let mut state = self.state.lock();
        let State::Open { until } = &mut *state else {
            return Ok(());
        };
        let now = Instant::now();
        if *until > now {
            return Err(*until - now);
        }
        *until = now + self.limits.lock().timeout;
        Ok(())
    }

    /// Takes note of how a call went.
    pub(super) fn note(&self, verdict: Verdict) {
        let mut state = self.state.lock();
        if verdict == Verdict::Answered {
            *state = State::Closed { failures: 0 };
            return;
        }
        let limits = self.limits.lock().clone();
        *state = match &*state {
            State::Closed { failures } if failures + 1 < limits.failure_threshold => {
                State::Closed {
                    failures: failures + 1,
                }
            }
            _ => State::Open {
                until: Instant::now() + limits.timeout,
            },
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breaker(timeout: Duration) -> Breaker {
        Breaker::new(CircuitBreaker {
            failure_threshold: 2,
            timeout,
        })
    }

    #[test]
    fn it_opens_after_failures_in_a_row_and_closes_with_an_answer() {
        let period = Duration::from_secs(3600);
        let breaker = breaker(period);
        breaker.note(Verdict::Failed);
        breaker.note(Verdict::Answered);
        breaker.note(Verdict::Failed);
        assert_eq!(breaker.admit(), Ok(()));
        breaker.note(Verdict::Failed);
        assert!(breaker.admit().is_err_and(|remaining| remaining <= period));
        breaker.note(Verdict::Answered);
        assert_eq!(breaker.admit(), Ok(()));
    }

    #[test]
    fn a_trial_that_is_never_heard_of_again_does_not_keep_it_open() {
        let breaker = breaker(Duration::ZERO);
        breaker.note(Verdict::Failed);
        breaker.note(Verdict::Failed);
        assert_eq!(breaker.admit(), Ok(()));
        assert_eq!(breaker.admit(), Ok(()));
    }
}
