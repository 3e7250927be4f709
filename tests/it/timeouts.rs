//! Time limits: of a call, of a start.

use serde_json::json;

use crate::support::matrix::matrix;
use crate::support::{Gate, MuxTest, Pairing, Reply, fake};

matrix! { a_call_that_takes_too_long_is_an_error_and_is_cancelled }

fn a_call_that_takes_too_long_is_an_error_and_is_cancelled(p: Pairing) {
    let heard = Gate::new();
    let told = heard.clone();
    let fake = p.fake().tool("echo").tool_answering("slow", move |call| {
        call.wait_cancelled();
        told.open();
        Reply::Nothing
    });
    let t = p.start_with(fake, |mux| mux.settings(&json!({"callTimeout": "400ms"})));
    let error = t.client.call("a__slow", &json!({})).error();
    assert_eq!(error["code"], -32011, "{error}");
    assert_eq!(error["data"]["mcpmux"]["server"], "a", "{error}");
    assert!(error["data"]["mcpmux"]["kind"].is_string(), "{error}");
    heard.wait("the server hears of it");
    assert_eq!(t.client.call("a__echo", &json!({})).said(), "echo {}");
}

#[test]
fn a_server_has_a_limit_of_its_own() {
    let patient = fake::legacy().tool("echo").http();
    let hasty = fake::legacy()
        .tool_answering("slow", |_| Reply::Nothing)
        .http();
    let mux = MuxTest::new()
        .upstream("a", &patient)
        .upstream_with("b", &hasty, &json!({"callTimeout": "200ms"}))
        .start();
    assert_eq!(mux.modern().call("b__slow", &json!({})).code(), -32011);
}

#[test]
fn the_environment_sets_the_limit_too() {
    let fake = fake::legacy()
        .tool_answering("slow", |_| Reply::Nothing)
        .http();
    let mux = MuxTest::new()
        .env("MCPMUX_CALL_TIMEOUT", "200ms")
        .upstream("a", &fake)
        .start();
    assert_eq!(mux.modern().call("a__slow", &json!({})).code(), -32011);
}

#[test]
fn reads_and_prompts_have_the_same_limit() {
    let fake = fake::legacy()
        .resource("x://1")
        .prompt("p")
        .on("resources/read", |_| Reply::Nothing)
        .on("prompts/get", |_| Reply::Nothing)
        .http();
    let settings = json!({"callTimeout": "200ms"});
    let mux = MuxTest::new()
        .settings(&settings)
        .upstream("a", &fake)
        .start();
    let client = mux.legacy();
    assert_eq!(
        client
            .request("resources/read", &json!({"uri": "x://1"}))
            .code(),
        -32011
    );
    assert_eq!(
        client
            .request("prompts/get", &json!({"name": "a__p"}))
            .code(),
        -32011
    );
}
