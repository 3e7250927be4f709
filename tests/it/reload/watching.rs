//! Files that change under a running mux, in all the ways in which programs write them.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use serde_json::{Value, json};

use super::next;
use crate::support::{Client, FakeServer, Mux, MuxTest, eventually, fake};

/// The configuration with this prefix for its only server.
fn text(fake: &FakeServer, prefix: &str) -> String {
    let mut entry = fake.entry();
    entry["prefix"] = Value::from(prefix);
    json!({"mcpServers": {"a": entry}}).to_string()
}

fn until_listed(client: &Client, name: &str) {
    eventually(&format!("`{name}` is listed"), || {
        (client.names("tools") == [name]).then_some(())
    });
}

/// Writes beside the file and renames over it, as editors do.
fn replace(path: &Path, text: &str) {
    let beside = path.with_extension("new");
    fs::write(&beside, text).expect("a file");
    fs::rename(beside, path).expect("it is renamed");
}

fn path(mux: &Mux) -> std::path::PathBuf {
    mux.dir().path().join("mcp.json")
}

#[test]
fn a_file_that_is_written_renamed_over_or_removed_for_a_moment_is_followed() {
    let fake = fake::legacy().tool("x").stdio();
    let mux = MuxTest::new().upstream("a", &fake).start();
    let client = mux.legacy();
    let path = path(&mux);
    fs::write(&path, text(&fake, "written")).expect("a file");
    until_listed(&client, "written__x");
    replace(&path, &text(&fake, "renamed"));
    until_listed(&client, "renamed__x");
    fs::remove_file(&path).expect("it was there");
    fs::write(&path, text(&fake, "again")).expect("a file");
    until_listed(&client, "again__x");
    assert_eq!(fake.starts(), 1);
}

/// As Kubernetes mounts files: the file is a link through `..data`, and that is swapped.
#[test]
fn a_symbolic_link_that_is_swapped_is_followed() {
    let fake = fake::legacy().tool("x").stdio();
    let test = MuxTest::new();
    let mount = test.dir().join("mount");
    for (folder, prefix) in [("..one", "one"), ("..two", "two")] {
        fs::create_dir_all(mount.join(folder)).expect("a folder");
        fs::write(mount.join(folder).join("mcp.json"), text(&fake, prefix)).expect("a file");
    }
    symlink("..one", mount.join("..data")).expect("a link");
    symlink("..data/mcp.json", mount.join("mcp.json")).expect("a link");
    let include = ["--http", "127.0.0.1:0", "--config", "mount/mcp.json"];
    let mux = test.listed(1).start_listening(&include);
    let client = mux.legacy();
    assert_eq!(client.names("tools"), ["one__x"]);
    symlink("..two", mount.join("..tmp")).expect("a link");
    fs::rename(mount.join("..tmp"), mount.join("..data")).expect("it is swapped");
    until_listed(&client, "two__x");
}

#[test]
fn what_the_file_reads_is_watched_too() {
    let fake = fake::legacy().tool("x").stdio();
    let test = MuxTest::new();
    fs::write(test.dir().join("secret"), "one").expect("a file");
    let keys = json!({"env": {"SECRET": "${file:secret}"}});
    let mux = test.upstream_with("a", &fake, &keys).start();
    mux.legacy().call("a__x", &json!({})).result();
    replace(&mux.dir().path().join("secret"), "two");
    mux.wait_stderr("server `a` is replaced (env)");
    assert!(!mux.stderr().contains("two"), "{}", mux.stderr());
    eventually("the new process is there", || {
        (fake.starts() == 2).then_some(())
    });
}

#[test]
fn a_bad_file_is_told_and_the_next_good_one_followed() {
    let fake = fake::legacy().tool("x").stdio();
    let mux = MuxTest::new().upstream("a", &fake).start();
    let client = mux.legacy();
    replace(&path(&mux), "{ \"mcpServers\": {");
    mux.wait_stderr("mcp.json:1");
    assert_eq!(client.names("tools"), ["a__x"]);
    replace(&path(&mux), &text(&fake, "good"));
    until_listed(&client, "good__x");
}

/// The hang-up is a fence: had the change of the file been followed, that would be in the log as well.
#[test]
fn nothing_is_watched_where_that_is_switched_off() {
    let fake = fake::legacy().tool("x").stdio();
    let off = json!({"watchFiles": false});
    let mux = MuxTest::new().settings(&off).upstream("a", &fake).start();
    let client = mux.legacy();
    next(&mux)
        .settings(&off)
        .upstream_with("a", &fake, &json!({"prefix": "b"}))
        .write();
    next(&mux)
        .settings(&off)
        .upstream_with("a", &fake, &json!({"prefix": "c"}))
        .write();
    mux.process.signal(rustix::process::Signal::HUP);
    until_listed(&client, "c__x");
    assert_eq!(
        mux.stderr()
            .matches("the configuration was read again")
            .count(),
        1
    );
}

/// Files that are named before they are there: first an `envFile`, then a `${file:…}`, then one of a glob.
#[test]
fn what_was_missing_is_followed_once_it_is_there() {
    let fake = fake::legacy().tool("x").stdio();
    let mux = MuxTest::new().upstream("a", &fake).start();
    let client = mux.legacy();
    let at = |name: &str| mux.dir().path().join(name);
    let keys = json!({"prefix": "b", "envFile": "later.env", "env": {"SECRET": "${file:later}"}});
    let later = next(&mux).upstream_with("a", &fake, &keys);
    later.settings(&json!({"include": ["more*.json"]})).write();
    mux.wait_stderr("nothing was changed");
    fs::write(at("later.env"), "A=1\n").expect("a file");
    mux.wait_stderr_times("nothing was changed", 2);
    assert_eq!(client.names("tools"), ["a__x"]);
    fs::write(at("later"), "two").expect("a file");
    until_listed(&client, "b__x");
    let more = json!({"mcpServers": {"c": fake.entry()}}).to_string();
    fs::write(at("more.json"), more).expect("a file");
    eventually("the new file counts", || {
        (client.names("tools").len() == 2).then_some(())
    });
}
