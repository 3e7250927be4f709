//! What is remembered from run to run.

use serde_json::json;

use crate::support::{Gate, MuxTest, Reply, fake};

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
