//! The keychain of a desktop: GNOME's, on a message bus of its own, unlocked, without a desktop.

use std::path::Path;
use std::process::Command;

use serde_json::json;
use tempfile::TempDir;

use super::peer::installed;
use super::place::Place;
use crate::support::process::Process;
use crate::support::{MuxTest, eventually, fake, files};

/// Reads and writes as other programs do: `python keychain.py get|set SERVICE ACCOUNT [SECRET]`.
const OTHERS: &str = "import keyring, sys; what, *words = sys.argv[1:]; print(getattr(keyring, what + '_password')(*words))";

/// A user's session: a bus with a keychain on it.
struct Session {
    _ring: Process,
    _bus: Process,
    bus: String,
    home: TempDir,
}

impl Session {
    #[track_caller]
    fn start() -> Self {
        let home = tempfile::tempdir().expect("a folder");
        let mut bus = Command::new("dbus-daemon");
        bus.args(["--session", "--nofork", "--print-address=1"]);
        let bus = Process::start(bus);
        let address = bus
            .stdio()
            .take_line("an address", |line| line.starts_with("unix:"));
        let mut ring = command("gnome-keyring-daemon", &address, home.path());
        ring.args(["--foreground", "--unlock", "--components=secrets"]);
        let ring = Process::start(ring);
        ring.stdio().write_bytes(b"pa55word-of-the-keychain");
        ring.stdio().close();
        let session = Self {
            _ring: ring,
            _bus: bus,
            bus: address,
            home,
        };
        // Who asks for the keychain itself would have the bus start another one.
        let mut asking = command("dbus-send", &session.bus, session.home.path());
        asking.args([
            "--print-reply",
            "--dest=org.freedesktop.DBus",
            "/",
            "org.freedesktop.DBus.NameHasOwner",
            "string:org.freedesktop.secrets",
        ]);
        eventually("the keychain is there", || {
            let told = asking.output().expect("it runs").stdout;
            String::from_utf8_lossy(&told)
                .contains("boolean true")
                .then_some(())
        });
        session
    }

    /// A mux of this user.
    fn known_to(&self, test: MuxTest) -> MuxTest {
        test.env("DBUS_SESSION_BUS_ADDRESS", &self.bus)
            .settings(&json!({"credentialStore": "keychain"}))
    }

    /// Another program at the keychain.
    #[track_caller]
    fn other(&self, words: &[&str]) -> String {
        let python = installed("python-fastmcp/bin/python");
        let mut command = command(&python, &self.bus, self.home.path());
        command.args(["-c", OTHERS]).args(words);
        let ran = Process::run(command);
        assert_eq!(ran.code, 0, "{ran:?}");
        ran.stdout
    }
}

fn command(program: &str, bus: &str, home: &Path) -> Command {
    let mut command = Command::new(program);
    command.env("DBUS_SESSION_BUS_ADDRESS", bus);
    for name in ["HOME", "XDG_RUNTIME_DIR", "XDG_DATA_HOME"] {
        command.env(name, home);
    }
    command
}

#[test]
#[ignore = "needs .ci/peers"]
fn a_login_is_kept_in_the_keychain() {
    let session = Session::start();
    let mut place = Place::new(&json!({"opaque": true}), &json!({}));
    place.test = session.known_to(place.again());
    place.log_in();
    assert_eq!(place.state().0, "ready");
    let names = files(place.test.dir()).into_iter();
    let record = names
        .filter(|file| {
            file.parent()
                .is_some_and(|at| at.ends_with("mcpmux/logins"))
        })
        .find_map(|file| {
            Some(
                file.file_name()?
                    .to_str()?
                    .strip_suffix(".json")?
                    .to_owned(),
            )
        })
        .expect("a file says that it is in the keychain");
    let kept = || session.other(&["get", "mcpmux", &record]);
    assert!(kept().contains(&place.server.shown()[0]));
    let mux = session.known_to(place.again()).listed(2).start();
    place.authority.order("revoke", "access");
    let called = mux.modern().call("a__read", &json!({}));
    assert_eq!(called.said(), "read done");
    assert!(kept().contains(&place.server.shown()[1]));
    let secrets = place.authority.secrets();
    for file in files(place.test.dir()) {
        let bytes = std::fs::read(&file).expect("a file");
        let text = String::from_utf8_lossy(&bytes);
        assert!(
            !secrets.iter().any(|secret| text.contains(secret)),
            "{file:?}"
        );
    }
    assert_eq!(place.test.run(&["logout", "a"]).code, 0);
    assert_eq!(kept().trim(), "None");
    assert_eq!(place.state().0, "needs-login");
}

#[test]
#[ignore = "needs .ci/peers"]
fn what_another_program_put_into_the_keychain_is_shown_to_a_server() {
    let session = Session::start();
    session.other(&["set", "wiki", "alice", "s3cret-of-the-wiki"]);
    let fake = fake::modern().tool("echo").http();
    let keys = json!({"headers": {"X-Key": "${keychain:wiki/alice}"}});
    let test = session.known_to(MuxTest::new().upstream_with("a", &fake, &keys));
    let ran = test.run(&["call", "a__echo"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let shown =
        |head: &crate::support::head::Head| head.header("x-key") == Some("s3cret-of-the-wiki");
    assert!(fake.heads().iter().all(shown));
}
