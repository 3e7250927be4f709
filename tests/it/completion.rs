//! `completion/complete`: references are turned back into what the server knows.

use serde_json::{Value, json};

use crate::support::matrix::matrix;
use crate::support::{Client, MuxTest, Pairing, fake};

matrix! {
    a_prompts_argument_is_completed,
    a_templates_variable_is_completed,
    a_renamed_prompt_is_completed_under_its_old_name,
}

/// What the fake says it was asked about.
fn complete(client: &Client, reference: &Value) -> Value {
    let params = json!({"ref": reference, "argument": {"name": "n", "value": "va"}});
    client.request("completion/complete", &params).result()["completion"]["values"].clone()
}

fn a_prompts_argument_is_completed(p: Pairing) {
    let t = p.start(p.fake().prompt("greet"));
    let about = json!({"type": "ref/prompt", "name": "a__greet"});
    assert_eq!(complete(&t.client, &about), json!(["greet", "va"]));
}

fn a_templates_variable_is_completed(p: Pairing) {
    let t = p.start(p.fake().template("x://{n}").prompt("p"));
    let about = json!({"type": "ref/resource", "uri": "x://{n}"});
    assert_eq!(complete(&t.client, &about), json!(["x://{n}", "va"]));
}

fn a_renamed_prompt_is_completed_under_its_old_name(p: Pairing) {
    let fake = p.fake().prompt("greet").over(p.back);
    let keys = json!({"prefix": "my", "prompts": {"rename": {"greet": "hello"}}});
    let mux = MuxTest::new()
        .upstream_with("a", &fake, &keys)
        .over(p.front);
    let client = mux.client(p.client);
    let about = json!({"type": "ref/prompt", "name": "my__hello"});
    assert_eq!(complete(&client, &about), json!(["greet", "va"]));
}

#[test]
fn a_renamed_template_is_completed_under_its_old_name() {
    let first = fake::legacy().template("x://{n}").http();
    let second = fake::legacy().template("x://{n}").prompt("p").http();
    let mux = MuxTest::new()
        .upstream("a", &first)
        .upstream("b", &second)
        .start();
    let about = json!({"type": "ref/resource", "uri": "b+x://{n}"});
    assert_eq!(complete(&mux.legacy(), &about), json!(["x://{n}", "va"]));
    assert_eq!(
        (
            first.count("completion/complete"),
            second.count("completion/complete")
        ),
        (0, 1)
    );
}

#[test]
fn a_completion_of_nothing_known_is_refused() {
    let fake = fake::legacy().prompt("greet").http();
    let mux = MuxTest::new().upstream("a", &fake).start();
    let client = mux.legacy();
    for reference in [
        json!({"type": "ref/prompt", "name": "a__gret"}),
        json!({"type": "ref/resource", "uri": "x://{n}"}),
        json!({"type": "ref/else"}),
        Value::Null,
    ] {
        let params = json!({"ref": reference, "argument": {"name": "n", "value": "va"}});
        let answer = client.request("completion/complete", &params);
        assert_eq!(answer.code(), -32602, "{}", answer.text());
    }
    assert_eq!(fake.count("completion/complete"), 0);
}
