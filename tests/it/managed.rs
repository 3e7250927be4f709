//! The managed policy at its real place, which only administrators can write to.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::{MuxTest, eventually, fake};

/// Whether this machine lets tests have mount namespaces; containers often do not.
fn has_namespaces() -> bool {
    let probe = [
        "--mount",
        "--map-root-user",
        "mount",
        "-t",
        "tmpfs",
        "none",
        "/etc",
    ];
    let ran = Command::new("unshare").args(probe).output();
    ran.is_ok_and(|ran| ran.status.success())
}

/// A mux under this policy, and the policy's file.
#[expect(
    clippy::print_stderr,
    reason = "who reads the run must know what was not tried"
)]
fn managed(policy: &str) -> Option<(MuxTest, PathBuf)> {
    if !has_namespaces() {
        eprintln!("skipped: no mount namespaces here");
        return None;
    }
    let test = MuxTest::new();
    let folder = test.dir().join("managed");
    fs::create_dir(&folder).expect("a folder");
    let file = folder.join("managed.json");
    fs::write(&file, policy).expect("a file");
    Some((test, file))
}

#[test]
fn check_says_what_is_blocked_and_no_flag_or_variable_changes_that() {
    let policy = "{\"deniedMcpServers\": [\n{\"serverCommand\": \"evil\"}]}";
    let Some((test, _)) = managed(policy) else {
        return;
    };
    let other = test.dir().join("other.json");
    let good = json!({"mcpServers": {"good": {"command": "true"}}});
    fs::write(&other, good.to_string()).expect("a file");
    let test = test
        .entry("bad", json!({"command": "/opt/evil"}))
        .env("MCPMUX_POLICY", "/dev/null")
        .env("MCPMUX_MANAGED", "/dev/null");
    let ran = test.run(&["check", "--offline", "--json", "--config", "other.json"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let told: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    let names: Vec<&str> = { told["servers"].as_array().expect("servers").iter() }
        .filter_map(|server| server["name"].as_str())
        .collect();
    assert_eq!(names, ["good"]);
    let blocked = "server `bad` is blocked by the managed policy: it is denied";
    assert!(ran.stderr.contains(blocked), "{ran:?}");
    let place = "at /etc/mcpmux/managed.json:2 (deniedMcpServers[0])";
    assert!(ran.stderr.contains(place), "{ran:?}");
}

#[test]
fn under_a_broken_policy_nothing_starts() {
    let Some((test, _)) = managed("{\"deniedMcpServers\": 1}") else {
        return;
    };
    let fake = fake::legacy().tool("x").stdio();
    let test = test.upstream("a", &fake);
    for command in [&["serve", "--stdio"][..], &["check"], &["list", "tools"]] {
        let ran = test.run(command);
        assert_eq!(ran.code, 2, "{ran:?}");
        let told = "error: the managed policy cannot be used: the list is not an array\n  at /etc/mcpmux/managed.json:1 (deniedMcpServers)";
        assert!(ran.stderr.contains(told), "{ran:?}");
    }
    assert_eq!(fake.starts(), 0);
}

#[test]
fn a_fixed_set_needs_no_file_of_the_user() {
    let fake = fake::legacy().tool("x").stdio();
    let policy = json!({"mcpServers": {"m": fake.entry()}}).to_string();
    let Some((test, _)) = managed(&policy) else {
        return;
    };
    let ran = test.run_bare(&["call", "m__x"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "x {}\n"), "{ran:?}");
}

/// The policy is watched like all other files, and a broken one changes nothing.
#[test]
fn a_running_mux_follows_its_policy() {
    let (a, b) = (
        fake::legacy().tool("x").stdio(),
        fake::legacy().tool("y").stdio(),
    );
    let all = "{\"allowedMcpServers\": [{\"serverName\": \"*\"}]}";
    let Some((test, file)) = managed(all) else {
        return;
    };
    let mux = test.upstream("a", &a).upstream("b", &b).start();
    let client = mux.legacy();
    assert_eq!(client.names("tools"), ["a__x", "b__y"]);
    fs::write(&file, "{").expect("a file");
    mux.wait_stderr("nothing was changed");
    assert_eq!(client.call("a__x", &json!({})).said(), "x {}");
    fs::write(&file, "{\"allowedMcpServers\": [{\"serverName\": \"b\"}]}").expect("a file");
    eventually("one server is left", || {
        (client.names("tools") == ["b__y"]).then_some(())
    });
    mux.wait_stderr("server `a` is blocked by the managed policy: it is not allowed");
    a.lives().wait_for_none();
    assert_eq!(b.starts(), 1);
}

/// What a user writes is written, and said to be in vain.
#[test]
fn edits_say_what_the_policy_will_not_let_in() {
    let policy = "{\"deniedMcpServers\": [\n{\"serverCommand\": \"evil\"}]}";
    let Some((test, _)) = managed(policy) else {
        return;
    };
    let theirs = json!({"mcpServers": {"other": {"command": "/opt/evil"}}}).to_string();
    fs::write(test.dir().join("theirs.json"), theirs).expect("a file");
    for (line, name) in [
        ("add bad --config own.json -- /opt/evil", "bad"),
        ("disable bad --config own.json", ""),
        ("enable bad --config own.json --dry-run", "bad"),
        ("enable bad --config own.json", "bad"),
        ("import theirs.json --yes --config own.json", "other"),
        ("add good --config own.json -- true", ""),
    ] {
        let ran = test.run_bare(&line.split(' ').collect::<Vec<_>>());
        assert_eq!(ran.code, 0, "{ran:?}");
        let blocked = format!(
            "warning: server `{name}` is blocked by the managed policy: it is denied\n  at /etc/mcpmux/managed.json:2"
        );
        assert_eq!(
            ran.stderr.contains(&blocked),
            !name.is_empty(),
            "{line}: {ran:?}"
        );
        assert_eq!(
            ran.stderr.contains("blocked"),
            !name.is_empty(),
            "{line}: {ran:?}"
        );
    }
}
