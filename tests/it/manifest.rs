//! What is remembered from run to run.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use serde_json::json;

use crate::support::{Gate, MuxTest, Reply, eventually, fake};

#[test]
fn a_server_at_another_address_is_another_server() {
    let first = fake::legacy().tool("echo").http();
    let mut mux = MuxTest::new().upstream("a", &first).start();
    assert_eq!(mux.legacy().names("tools"), ["a__echo"]);
    let dir = mux.dir();
    mux.stop();
    let other = fake::legacy().hanging().http();
    let mux = MuxTest::within(dir).upstream("a", &other).unready().start();
    assert_eq!(mux.legacy().names("tools"), [] as [&str; 0]);
}

#[test]
fn a_call_to_what_was_listed_last_time_waits_for_its_server() {
    let gate = Gate::new();
    let later = Gate::new();
    let (held, second) = (gate.clone(), later.clone());
    let fake = fake::legacy()
        .tool("echo")
        .on("initialize", move |_| {
            if second.is_open() {
                held.wait("the call is waiting");
            }
            Reply::Usual
        })
        .http();
    let mut mux = MuxTest::new().upstream("a", &fake).start();
    assert_eq!(mux.legacy().names("tools"), ["a__echo"]);
    let dir = mux.dir();
    mux.stop();
    drop(mux);
    later.open();

    let mux = MuxTest::within(dir).upstream("a", &fake).unready().start();
    let client = mux.legacy();
    assert_eq!(client.names("tools"), ["a__echo"]);
    assert_eq!(fake.count("tools/list"), 1);
    let call = client.start_call("a__echo", &json!({}));
    client.request("ping", &json!({})).result();
    gate.open();
    assert_eq!(call.answer().said(), "echo {}");
}

/// The only file of the manifest, and which one it is.
fn written(dir: &Path) -> io::Result<(u64, String)> {
    let folder = dir.join("cache_home/mcpmux/servers");
    let files: Vec<_> = fs::read_dir(&folder)?.collect::<io::Result<_>>()?;
    let [file] = files.as_slice() else {
        return Err(io::Error::other("one server has one file"));
    };
    let text = fs::read_to_string(file.path())?;
    Ok((file.metadata()?.ino(), text))
}

#[test]
fn only_what_is_new_is_written() {
    let fake = fake::legacy().tool("echo").http();
    let mut first = MuxTest::new().upstream("a", &fake).start();
    assert_eq!(first.legacy().names("tools"), ["a__echo"]);
    first.stop();
    let dir = first.dir();
    let known = written(dir.path()).unwrap();
    let mut second = MuxTest::within(dir.clone()).upstream("a", &fake).start();
    eventually("it is there again", || {
        second.stderr().contains("connected").then_some(())
    });
    second.stop();
    assert_eq!(written(dir.path()).unwrap(), known);
    fake.add_tool("other");
    let third = MuxTest::within(dir.clone()).upstream("a", &fake).start();
    eventually("the new tool is written", || {
        // While it is being written, there are two.
        let (file, text) = written(dir.path()).ok()?;
        (file != known.0 && text.contains("other")).then_some(())
    });
    drop(third);
}
