//! `call`, `read`, `prompt`: one request from a terminal.

use serde_json::{Value, json};

use crate::support::{FakeServer, MuxTest, Ran, Reply, fake};

fn typed() -> FakeServer {
    let tool = r#"{"name":"add","inputSchema":{"type":"object","properties":{"n":{"type":"integer"},"s":{"type":"string"},"b":{"type":"boolean"},"l":{"type":"array"}}}}"#;
    fake::legacy().tool_defined(tool).tool("free").http()
}

fn run(fake: &FakeServer, args: &[&str]) -> Ran {
    MuxTest::new().upstream("a", fake).run(args)
}

#[test]
fn call_prints_the_text() {
    let fake = typed();
    let ran = run(&fake, &["call", "a__free", r#"{"x": 1e2}"#]);
    assert_eq!(
        (ran.code, ran.stdout.as_str()),
        (0, "free {\"x\": 1e2}\n"),
        "{ran:?}"
    );
    let ran = run(&fake, &["call", "a__free"]);
    assert_eq!(ran.code, 0, "{ran:?}");
}

#[test]
fn pairs_follow_the_schema_and_else_are_json_or_text() {
    let fake = typed();
    let ran = run(
        &fake,
        &[
            "call", "a__add", "n=7", "s=7", "b=true", "l=[1]", "x=8", "y=eight",
        ],
    );
    let expected = r#"add {"n":7,"s":"7","b":true,"l":[1],"x":8,"y":"eight"}"#;
    assert_eq!((ran.code, ran.stdout.trim_end()), (0, expected), "{ran:?}");
}

#[test]
fn call_prints_the_result_as_json() {
    let result = r#"{"content":[{"type":"text","text":"t"}],"big":12345678901234567890123}"#;
    let fake = fake::legacy()
        .tool_answering("odd", move |_| Reply::raw(result))
        .http();
    let ran = run(&fake, &["call", "a__odd", "--json"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(
        ran.stdout.contains("12345678901234567890123"),
        "{}",
        ran.stdout
    );
    let told: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert_eq!(told["content"], json!([{"type": "text", "text": "t"}]));
}

#[test]
fn a_tool_that_fails_is_exit_code_4() {
    let result = json!({"content": [{"type": "text", "text": "no such file"}], "isError": true});
    let fake = fake::modern()
        .tool_answering("fails", move |_| Reply::from(result.clone()))
        .stdio();
    let ran = run(&fake, &["call", "a__fails"]);
    assert_eq!(ran.code, 4, "{ran:?}");
    assert!([ran.stdout, ran.stderr].concat().contains("no such file"));
}

#[test]
fn an_unknown_name_is_exit_code_1_with_the_nearest() {
    let fake = fake::legacy()
        .tool("create_issue")
        .prompt("greet")
        .resource("x://1")
        .http();
    let ran = run(&fake, &["call", "a__create_isue"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{ran:?}");
    assert!(
        ran.stderr.starts_with("error: ") && ran.stderr.contains("`a__create_issue`"),
        "{ran:?}"
    );
    let ran = run(&fake, &["prompt", "a__gret"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.stderr.contains("`a__greet`"), "{ran:?}");
    let ran = run(&fake, &["read", "y://1"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(
        ran.stderr.starts_with("error: ") && ran.stderr.contains("Resource not found"),
        "{ran:?}"
    );
}

#[test]
fn an_error_of_the_server_is_exit_code_1() {
    let fake = fake::legacy()
        .tool_answering("fails", |_| Reply::error(-31999, "out of ink"))
        .http();
    let ran = run(&fake, &["call", "a__fails"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(
        ran.stderr.starts_with("error: ") && ran.stderr.contains("out of ink"),
        "{ran:?}"
    );
}

#[test]
fn arguments_that_are_neither_json_nor_pairs_are_exit_code_2() {
    let fake = typed();
    for bad in ["{", "[1]", "nonsense"] {
        let ran = run(&fake, &["call", "a__add", bad]);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{ran:?}");
        assert!(ran.stderr.starts_with("error: "), "{ran:?}");
    }
    assert_eq!(fake.count("tools/call"), 0);
}

#[test]
fn read_prints_the_text() {
    let fake = fake::legacy().resource("x://1").template("x://{n}").http();
    let ran = run(&fake, &["read", "x://1"]);
    assert_eq!(
        (ran.code, ran.stdout.as_str()),
        (0, "content of x://1\n"),
        "{ran:?}"
    );
    let ran = run(&fake, &["read", "x://7", "--json"]);
    let told: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert_eq!(told["contents"][0]["text"], "content of x://7");
}

#[test]
fn prompt_prints_the_messages() {
    let fake = fake::modern().prompt("greet").http();
    let ran = run(&fake, &["prompt", "a__greet", "topic=7"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(ran.stdout, "[user]\ngreet {\"topic\":\"7\"}\n");
}

#[test]
fn one_dead_server_does_not_hold_up_a_call_to_another() {
    let (fake, hanging) = (typed(), fake::legacy().hanging().stdio());
    let test = MuxTest::new()
        .upstream("hanging", &hanging)
        .upstream("a", &fake);
    let begun = std::time::Instant::now();
    let ran = test.run(&["call", "a__free", "{}"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "free {}\n"), "{ran:?}");
    assert!(
        begun.elapsed().as_secs() < 5,
        "it took {:?}",
        begun.elapsed()
    );
}
