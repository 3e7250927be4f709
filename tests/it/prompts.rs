//! `prompts/get` in every pairing.

use serde_json::json;

use crate::support::matrix::matrix;
use crate::support::{MuxTest, Pairing, fake};

matrix! { a_prompt_is_got, an_unknown_prompt_is_refused }

fn a_prompt_is_got(p: Pairing) {
    let t = p.start(p.fake().prompt("greet"));
    let params = json!({"name": "a__greet", "arguments": {"topic": "rain"}});
    let answer = t.client.request("prompts/get", &params);
    assert_eq!(
        answer.str("result/messages/0/content/text"),
        r#"greet {"topic":"rain"}"#
    );
    let answer = t
        .client
        .request("prompts/get", &json!({"name": "a__greet"}));
    assert_eq!(answer.str("result/messages/0/content/text"), "greet -");
}

fn an_unknown_prompt_is_refused(p: Pairing) {
    let t = p.start(p.fake().prompt("greet"));
    let error = t
        .client
        .request("prompts/get", &json!({"name": "a__gret"}))
        .error();
    assert_eq!(error["code"], -32602);
    assert!(
        error["message"]
            .as_str()
            .unwrap_or_default()
            .contains("a__greet"),
        "{error}"
    );
    assert_eq!(t.fake.count("prompts/get"), 0);
}

#[test]
fn tools_and_prompts_of_one_name_do_not_meet() {
    let fake = fake::legacy().tool("x").prompt("x").http();
    let mux = MuxTest::new().upstream("a", &fake).start();
    let client = mux.legacy();
    assert_eq!(client.call("a__x", &json!({})).said(), "x {}");
    let answer = client.request("prompts/get", &json!({"name": "a__x"}));
    assert_eq!(answer.str("result/messages/0/content/text"), "x -");
}
