//! What a service manager hands over and wants to hear.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::process::Command;

use serde_json::{Value, json};
use tokio::net::TcpSocket;

use crate::support::{MuxTest, eventually, fake, patience};

/// A service manager's socket, and the variable that leads to it.
fn manager(test: &MuxTest) -> (UnixDatagram, String) {
    let path = test.dir().join("notify");
    let socket = UnixDatagram::bind(&path).expect("a socket");
    socket.set_read_timeout(Some(patience())).expect("a socket");
    (socket, path.display().to_string())
}

fn heard(manager: &UnixDatagram) -> String {
    let mut text = vec![0; 4096];
    let count = manager.recv(&mut text).expect("a word");
    String::from_utf8_lossy(&text[..count]).into_owned()
}

#[test]
fn a_socket_that_was_opened_for_us_is_served() {
    let fake = fake::legacy().tool("echo").stdio();
    let socket = TcpListener::bind("127.0.0.1:0").expect("a socket");
    let addr = socket.local_addr().expect("an address");
    let test = MuxTest::new().upstream("a", &fake);
    // What the file says must give way.
    let test = test.settings(&json!({"listen": "127.0.0.1:1"}));
    let mux = test.start_activated(socket.into());
    assert_eq!(mux.addr(), addr);
    mux.wait_stderr("web");
    for client in [mux.legacy(), mux.modern()] {
        assert_eq!(client.call("a__echo", &json!({})).said(), "echo {}");
    }
}

#[test]
fn a_unix_socket_that_was_opened_for_us_is_served_and_left() {
    let test = MuxTest::new();
    let path = test.dir().join("activated.sock");
    let socket = UnixListener::bind(&path).expect("a socket");
    let mut mux = test.start_activated(socket.into());
    assert_eq!(mux.legacy().names("tools"), [""; 0]);
    assert_eq!(mux.stop(), 143);
    assert!(path.exists(), "it is the service manager's");
}

#[test]
fn sockets_that_others_can_reach_or_that_are_another_process_s_are_not_served() {
    let open = TcpListener::bind("0.0.0.0:0").expect("a socket");
    let test = MuxTest::new();
    let mut process = test.activated(open.into(), "$$");
    assert_eq!(process.wait(), 2);
    process.wait_stderr("refusing to listen on `0.0.0.0:");
    let other = TcpListener::bind("127.0.0.1:0").expect("a socket");
    let test = MuxTest::new();
    // With stdio as its only client, at whose end it ends.
    let mut process = test.activated(other.into(), "1");
    assert_eq!(process.wait(), 0);
    process.wait_stderr("serving the client on stdin");
}

#[test]
fn the_manager_hears_when_we_are_ready_live_and_stop() {
    let test = MuxTest::new();
    let (manager, path) = manager(&test);
    let test = test
        .env("NOTIFY_SOCKET", &path)
        .env("WATCHDOG_USEC", "100000");
    let mut mux = test.start();
    let mut words = vec![heard(&manager)];
    // READY, and life twice, in whatever order.
    while words.iter().filter(|word| *word == "WATCHDOG=1").count() < 2 || words.len() < 3 {
        words.push(heard(&manager));
    }
    let ready = format!("READY=1\nSTATUS=serving http://{}/mcp", mux.addr());
    assert!(words.contains(&ready), "{words:?}");
    assert_eq!(mux.stop(), 143);
    while heard(&manager) != "STOPPING=1" {}
}

#[test]
fn servers_get_nothing_of_it() {
    let test = MuxTest::new();
    let (_manager, path) = manager(&test);
    let file = test.dir().join("seen");
    let script = format!(
        "{{ env; ls -l /proc/$$/fd; }} > {0}.new; mv {0}.new {0}; cat",
        file.display()
    );
    let entry: Value = json!({"command": "sh", "args": ["-c", script]});
    let socket = TcpListener::bind("127.0.0.1:0").expect("a socket");
    let test = test.entry("a", entry).unready();
    let test = test
        .env("NOTIFY_SOCKET", &path)
        .env("WATCHDOG_USEC", "60000000");
    let _mux = test.start_activated(socket.into());
    let seen = eventually("the server has looked", || fs::read_to_string(&file).ok());
    assert!(seen.contains("PATH="), "{seen}");
    for word in ["NOTIFY_SOCKET", "WATCHDOG", "LISTEN_", "socket:"] {
        assert!(!seen.contains(word), "{word} in {seen}");
    }
}

#[test]
fn the_manager_hears_that_the_files_are_read_again() {
    let test = MuxTest::new();
    let (manager, path) = manager(&test);
    let mux = test.env("NOTIFY_SOCKET", &path).start();
    assert!(heard(&manager).starts_with("READY=1\nSTATUS="));
    mux.process.signal(rustix::process::Signal::HUP);
    let word = heard(&manager);
    let micros = word.strip_prefix("RELOADING=1\nMONOTONIC_USEC=");
    let micros: i64 = micros.expect("the time").parse().expect("a number");
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic).tv_sec;
    assert!(
        (now - 60..=now).contains(&(micros / 1_000_000)),
        "{word}, now {now}"
    );
    assert_eq!(heard(&manager), "READY=1");
}

/// Whether this tool of systemd is here. Where everything is to be tried, it must be.
#[expect(
    clippy::print_stderr,
    reason = "who reads the run must know what was not tried"
)]
fn has(tool: &str) -> bool {
    let there = Command::new(tool).arg("--version").output();
    let there = there.is_ok_and(|ran| ran.status.success());
    let wanted = std::env::var_os("MCPMUX_TOOLS").is_some_and(|value| value == "1");
    assert!(there || !wanted, "`{tool}` is not installed");
    if !there {
        eprintln!("skipped: no `{tool}` here");
    }
    there
}

/// A port that nobody else is given while it is held. Who allows addresses to be used again, as systemd does, can listen there.
fn held() -> (TcpSocket, SocketAddr) {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_reuseaddr(true).expect("a socket to share");
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    socket.bind(any).expect("a port");
    let port = socket.local_addr().expect("an address");
    (socket, port)
}

#[test]
fn systemds_own_tool_starts_us_with_the_first_client() {
    if !has("systemd-socket-activate") {
        return;
    }
    let (_held, port) = held();
    let test = MuxTest::new();
    let file = test.dir().join("real.sock").display().to_string();
    for listen in [port.to_string(), file] {
        let fake = fake::legacy().tool("echo").stdio();
        let mux = MuxTest::new()
            .upstream("a", &fake)
            .start_by_systemd(&listen);
        for client in [mux.legacy(), mux.modern()] {
            assert_eq!(client.call("a__echo", &json!({})).said(), "echo {}");
        }
    }
}

#[test]
fn the_example_units_are_what_systemd_understands() {
    if !has("systemd-analyze") {
        return;
    }
    let test = MuxTest::new();
    let mut command = Command::new("systemd-analyze");
    command.args(["verify", "--man=no"]);
    for name in ["mcpmux.service", "mcpmux.socket"] {
        let unit = format!("{}/examples/systemd/{name}", env!("CARGO_MANIFEST_DIR"));
        let unit = fs::read_to_string(unit).expect("a unit");
        let unit = unit.replace("/usr/local/bin/mcpmux", env!("CARGO_BIN_EXE_mcpmux"));
        let copy = test.dir().join(name);
        fs::write(&copy, unit).expect("a file");
        command.arg(copy);
    }
    let ran = command.output().expect("it runs");
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success() && !said.contains("mcpmux"), "{said}");
}
