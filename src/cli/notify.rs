//! What the service manager is told: that we are ready, that we stop, that we live (systemd, `sd_notify(3)`).

use std::future::pending;
use std::io;
#[cfg(target_os = "linux")]
use std::os::linux::net::SocketAddrExt;
#[cfg(target_os = "linux")]
use std::os::unix::net::SocketAddr;
use std::os::unix::net::UnixDatagram;
use std::process;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use tokio::time::interval;

use crate::config::Environment;

/// The way to the service manager, if there is one.
pub(super) struct Notifier {
    socket: Option<UnixDatagram>,
    /// How often it wants to hear that we live.
    watchdog: Option<Duration>,
    /// Whether it has heard that clients can come.
    serves: AtomicBool,
}

/// Says that we stop, when it is dropped.
pub(super) struct Stopping<'a>(&'a Notifier);

impl Drop for Stopping<'_> {
    fn drop(&mut self) {
        self.0.tell("STOPPING=1");
    }
}

impl Notifier {
    /// What the environment says.
    pub(super) fn of(environment: &Environment) -> Self {
        let address = environment.get("NOTIFY_SOCKET");
        let socket = address.and_then(|address| match connect(address) {
            Ok(socket) => Some(socket),
            Err(error) => {
                tracing::warn!(%error, "the service manager cannot be told anything");
                None
            }
        });
        Self {
            watchdog: watchdog(environment).filter(|_| socket.is_some()),
            socket,
            serves: AtomicBool::new(false),
        }
    }

    /// Says that clients can come, and where to.
    pub(super) fn ready(&self, status: &str) {
        self.tell(&format!("READY=1\nSTATUS={status}"));
        self.serves.store(true, Ordering::Relaxed);
    }

    /// Says that the configuration is read again, while `work` lasts. Not before clients can come: that is a start.
    pub(super) async fn reloading<T>(&self, work: impl Future<Output = T>) -> T {
        let serves = self.serves.load(Ordering::Relaxed);
        if serves {
            let now = clock_gettime(ClockId::Monotonic);
            let micros = Duration::new(now.tv_sec.unsigned_abs(), 0)
                + Duration::from_nanos(now.tv_nsec.unsigned_abs());
            self.tell(&format!(
                "RELOADING=1\nMONOTONIC_USEC={}",
                micros.as_micros()
            ));
        }
        let done = work.await;
        if serves {
            self.tell("READY=1");
        }
        done
    }

    /// Says that we stop as soon as what it returns is dropped.
    pub(super) fn until_dropped(&self) -> Stopping<'_> {
        Stopping(self)
    }

    /// Says that we live, for ever, if somebody wants to know. `look` is done each time: what hangs in it is noticed.
    pub(super) async fn live(&self, look: impl Fn()) {
        let Some(every) = self.watchdog else {
            return pending().await;
        };
        let mut rounds = interval(every / 2);
        loop {
            rounds.tick().await;
            look();
            self.tell("WATCHDOG=1");
        }
    }

    fn tell(&self, state: &str) {
        if let Some(socket) = &self.socket
            && let Err(error) = socket.send(state.as_bytes())
        {
            tracing::debug!(%error, state, "the service manager was not told");
        }
    }
}

/// A path, or with an `@` a name in the abstract namespace that Linux has. Whoever does not read is not waited for.
fn connect(address: &str) -> io::Result<UnixDatagram> {
    let socket = UnixDatagram::unbound()?;
    socket.set_nonblocking(true)?;
    match address.strip_prefix('@') {
        #[cfg(target_os = "linux")]
        Some(name) => socket.connect_addr(&SocketAddr::from_abstract_name(name)?)?,
        _ => socket.connect(address)?,
    }
    Ok(socket)
}

/// How often this process is to say that it lives.
fn watchdog(environment: &Environment) -> Option<Duration> {
    let pid = environment.get("WATCHDOG_PID");
    if pid.is_some_and(|pid| pid != process::id().to_string()) {
        return None;
    }
    let micros = environment.get("WATCHDOG_USEC")?.parse().ok()?;
    (micros > 0).then(|| Duration::from_micros(micros))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(variables: &[(&str, String)]) -> Environment {
        let owned = |(name, value): &(&str, String)| ((*name).to_owned(), value.clone());
        Environment::new(variables.iter().map(owned))
    }

    #[test]
    fn the_watchdog_is_heeded_by_the_process_that_it_is_meant_for() {
        let usec = ("WATCHDOG_USEC", "3000000".to_owned());
        let of = |variables: &[_]| watchdog(&environment(variables));
        assert_eq!(
            of(std::slice::from_ref(&usec)),
            Some(Duration::from_secs(3))
        );
        let mine = ("WATCHDOG_PID", process::id().to_string());
        assert_eq!(of(&[usec.clone(), mine]), Some(Duration::from_secs(3)));
        assert_eq!(of(&[usec, ("WATCHDOG_PID", "1".to_owned())]), None);
        assert_eq!(of(&[("WATCHDOG_USEC", "0".to_owned())]), None);
        assert_eq!(of(&[]), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn an_abstract_name_is_reached_too() {
        let name = format!("mcpmux-test-{}", process::id());
        let address = SocketAddr::from_abstract_name(&name).unwrap();
        let manager = UnixDatagram::bind_addr(&address).unwrap();
        let notifier = Notifier::of(&environment(&[("NOTIFY_SOCKET", format!("@{name}"))]));
        drop(notifier.until_dropped());
        let mut heard = [0; 64];
        let count = manager.recv(&mut heard).unwrap();
        assert_eq!(&heard[..count], b"STOPPING=1");
    }
}
