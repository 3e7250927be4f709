//! The mux as systemd starts it: with sockets that are open already.

use std::net::TcpStream;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;

use super::mux::listening;
use super::process::Process;
use super::{Mux, MuxTest};

impl MuxTest {
    /// Runs `mcpmux serve` as systemd does for a socket that it has opened, and waits until it listens.
    #[track_caller]
    pub(crate) fn start_activated(self, socket: OwnedFd) -> Mux {
        let process = self.activated(socket, "$$");
        let door = Some(process.stderr.wait("the address", listening));
        self.running(process, door)
    }

    /// Has the mux started by `systemd-socket-activate`, which does so with the first connection to the address or path.
    #[track_caller]
    pub(crate) fn start_by_systemd(self, listen: &str) -> Mux {
        let mut command = self.command_of("systemd-socket-activate");
        // It hands nothing on that it is not told to.
        let kept: Vec<_> = command
            .get_envs()
            .map(|(name, _)| name.to_owned())
            .collect();
        for name in kept {
            command.arg("-E").arg(name);
        }
        let mux = env!("CARGO_BIN_EXE_mcpmux");
        command
            .args(["-l", listen, mux, "serve", "--config"])
            .arg(self.write());
        let process = Process::start(command);
        process.wait_stderr("Listening on");
        if listen.starts_with('/') {
            drop(UnixStream::connect(listen).expect("a connection"));
        } else {
            drop(TcpStream::connect(listen).expect("a connection"));
        }
        let door = Some(process.stderr.wait("the address", listening));
        self.running(process, door)
    }

    /// The same, where the socket is meant for the process with this id; `$$` is its own.
    #[track_caller]
    pub(crate) fn activated(&self, socket: OwnedFd, pid: &str) -> Process {
        let mut command = self.command_of("sh");
        let mux = env!("CARGO_BIN_EXE_mcpmux");
        let config = self.write();
        // A process can be handed a socket as its stdin; systemd counts from 3.
        let script = format!(
            "exec 3<&0 </dev/null; LISTEN_PID={pid} LISTEN_FDS=1 LISTEN_FDNAMES=web exec {mux} serve --config {}",
            config.display()
        );
        command.arg("-c").arg(script);
        Process::start_with_stdin(command, socket)
    }
}
