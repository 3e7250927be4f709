//! Byte for byte: what a server or a client says arrives as it was written.

use serde_json::json;

use crate::support::matrix::matrix;
use crate::support::{Era, Msg, MuxTest, Pairing, Reply, fake};

matrix! {
    a_result_arrives_as_it_was_written,
    arguments_arrive_as_they_were_written,
    params_with_odd_metadata_arrive,
    definitions_arrive_as_they_were_written,
    any_json_is_structured_content,
    prompts_and_reads_arrive_as_they_were_written,
    ten_mebibytes_go_in_and_out,
}

/// Everything that a decoder would lose or change, as members of an object.
const ODD: &str = concat!(
    r#""vendor":{"z":1,"a":[ ],"deep":{"b":null,"a":{}}},"big":12345678901234567890123,"#,
    r#""huge":1e400,"tiny":1.0e-400,"one":1.0,"minus":-0,"exp":1E+2,"esc":"\u0000\u00e9\/\ud83d\ude00é","#,
    r#""same":1,"same":2, "spaced" : [ 1 , 2 ]"#
);

/// A tool's result in which everything is odd; the era's own member comes first.
fn odd_result(era: Era) -> String {
    let content = format!(
        r#"[{{"type":"text","text":"a\u0062\/","annotations":{{"x":1}},{ODD}}},{{"type":"vendor/none","x":[1e400]}},{{"text":"t","type":"text"}}]"#
    );
    let own = match era {
        Era::Legacy => "",
        Era::Modern => r#""resultType":"complete","#,
    };
    format!(r#"{{{own}"content":{content},"structuredContent":{{{ODD}}},"vendorTop":true,{ODD}}}"#)
}

/// The members of a result that no bridge has to touch.
fn untouched(msg: &Msg) -> Vec<Option<String>> {
    let members = [
        "content",
        "structuredContent",
        "vendorTop",
        "vendor",
        "big",
        "huge",
        "esc",
    ];
    members
        .iter()
        .map(|member| msg.raw(&format!("result/{member}")))
        .collect()
}

fn a_result_arrives_as_it_was_written(p: Pairing) {
    let result = odd_result(p.server);
    let said = result.clone();
    let t = p.start(
        p.fake()
            .tool_answering("odd", move |_| Reply::raw(said.clone())),
    );
    let answer = t.client.call("a__odd", &json!({}));
    let whole = Msg::parse(format!(r#"{{"id":0,"result":{result}}}"#).as_bytes());
    assert_eq!(untouched(&answer), untouched(&whole));
    if p.same_era() {
        assert_eq!(answer.raw("result"), Some(result));
    }
}

fn arguments_arrive_as_they_were_written(p: Pairing) {
    let t = p.start(p.fake().tool("echo"));
    let texts = [
        format!("{{{ODD}}}"),
        r#"{"name":"a__other","\u006eame":[{"name":"x"}],"_meta":{"progressToken":1}}"#.to_owned(),
        "{ }".to_owned(),
        "null".to_owned(),
        "[1e400]".to_owned(),
    ];
    for text in &texts {
        let ask = t
            .client
            .ask_call("a__echo")
            .member("arguments", text)
            .member("vendor", "[1.0]");
        ask.answer().result();
    }
    t.client.ask_call("a__echo").answer().result();
    let seen = t.fake.seen_of("tools/call");
    let arguments: Vec<_> = seen
        .iter()
        .map(|seen| seen.msg.raw("params/arguments"))
        .collect();
    let expected: Vec<_> = texts.into_iter().map(Some).chain([None]).collect();
    assert_eq!(arguments, expected);
    assert_eq!(seen[0].msg.raw("params/vendor").as_deref(), Some("[1.0]"));
}

/// What is no object says nothing, but it takes nothing else with it.
fn params_with_odd_metadata_arrive(p: Pairing) {
    if p.client == Era::Modern {
        return;
    }
    let t = p.start(p.fake().tool("echo"));
    let ask = t.client.ask_call("a__echo");
    ask.member("_meta", "null").answer().result();
    let name = t.fake.seen_of("tools/call")[0].msg.raw("params/name");
    assert_eq!(name.as_deref(), Some("\"echo\""));
}

fn definitions_arrive_as_they_were_written(p: Pairing) {
    let tool = format!(
        r#"{{ "title":"T","name":"t","icons":[{{"src":"i",{ODD}}}],"execution":{{"taskSupport":"optional"}},"annotations":{{"readOnlyHint":true,"x":1}},{ODD},"inputSchema":{{"type":"object","properties":{{"name":{{"const":1e400}}}}}}}}"#
    );
    let bare = r#"{"name":"no_schema","description":null}"#;
    let resource = format!(r#"{{"uri":"x://1","name":"n","size":1.0,{ODD}}}"#);
    let template = format!(r#"{{"name":"n","uriTemplate":"x://{{n}}",{ODD}}}"#);
    let prompt = format!(r#"{{"arguments":[{{"name":"n",{ODD}}}],"name":"p",{ODD}}}"#);
    let fake = p.fake().tool_defined(&tool).tool_defined(bare);
    let fake = fake
        .resource_defined(&resource)
        .template_defined(&template)
        .prompt_defined(&prompt);
    let t = p.start(fake);
    let raw = |method: &str, path: &str| t.client.ask(method).answer().raw(path);
    let prefixed = |text: &str, name: &str| {
        Some(text.replacen(
            &format!(r#""name":"{name}""#),
            &format!(r#""name":"a__{name}""#),
            1,
        ))
    };
    assert_eq!(raw("tools/list", "result/tools/0"), prefixed(&tool, "t"));
    assert_eq!(
        raw("tools/list", "result/tools/1"),
        prefixed(bare, "no_schema")
    );
    assert_eq!(raw("resources/list", "result/resources/0"), Some(resource));
    assert_eq!(
        raw("resources/templates/list", "result/resourceTemplates/0"),
        Some(template)
    );
    let expected = prompt.replace(r#""name":"p""#, r#""name":"a__p""#);
    assert_eq!(raw("prompts/list", "result/prompts/0"), Some(expected));
}

/// Clients of a legacy revision know objects only, so a modern server's others may be kept back.
fn any_json_is_structured_content(p: Pairing) {
    let fake = p.fake().tool_answering("any", |call| {
        let value = call.argument("value");
        Reply::raw(format!(r#"{{"content":[],"structuredContent":{value}}}"#))
    });
    let t = p.start(fake);
    for value in [
        json!({"a": 1}),
        json!([1, "x", null]),
        json!("s"),
        json!(0),
        json!(true),
        json!(null),
    ] {
        let answer = t.client.call("a__any", &json!({"value": value}));
        let got = answer.raw("result/structuredContent");
        if value.is_object() || p.server == Era::Legacy || p.client == Era::Modern {
            assert_eq!(got, Some(value.to_string()));
        }
    }
}

fn prompts_and_reads_arrive_as_they_were_written(p: Pairing) {
    let messages = format!(r#"[{{"role":"tool","content":{{"type":"odd",{ODD}}},{ODD}}}]"#);
    let contents = format!(r#"[{{"uri":"x://1","blob":"AA==",{ODD}}}]"#);
    let (prompt, read) = (
        format!(r#"{{"messages":{messages},{ODD}}}"#),
        format!(r#"{{"ttlMs":7,"cacheScope":"public","contents":{contents},{ODD}}}"#),
    );
    let fake = p
        .fake()
        .prompt("p")
        .resource("x://1")
        .on("prompts/get", move |_| Reply::raw(prompt.clone()))
        .on("resources/read", move |_| Reply::raw(read.clone()));
    let t = p.start(fake);
    let prompt = t.client.request("prompts/get", &json!({"name": "a__p"}));
    assert_eq!(prompt.raw("result/messages"), Some(messages));
    assert_eq!(prompt.raw("result/huge").as_deref(), Some("1e400"));
    let read = t.client.request("resources/read", &json!({"uri": "x://1"}));
    assert_eq!(read.raw("result/contents"), Some(contents));
    assert_eq!(read.raw("result/huge").as_deref(), Some("1e400"));
}

fn ten_mebibytes_go_in_and_out(p: Pairing) {
    let t = p.start(p.fake().tool("echo"));
    let text = format!(
        r#"{{"x":"{}"}}"#,
        "0123456789abcdef".repeat(10 * 1024 * 1024 / 16)
    );
    let answer = t
        .client
        .ask_call("a__echo")
        .member("arguments", &text)
        .answer();
    let said = answer.said();
    assert!(said.len() > 10 * 1024 * 1024 && said["echo ".len()..] == text);
    assert_eq!(t.client.ask_call("a__echo").answer().said(), "echo -");
}

#[test]
fn renaming_keeps_every_other_byte() {
    let tool =
        r#"{"inputSchema":{"type":"object"} , "n\u0061me" : "t" ,"description":"d","x":1e400}"#;
    let fake = fake::legacy().tool_defined(tool).http();
    let keys = json!({"tools": {"rename": {"t": "u"}, "describe": {"t": "e"}}});
    let mux = MuxTest::new().upstream_with("a", &fake, &keys).start();
    let listed = mux
        .legacy()
        .ask("tools/list")
        .answer()
        .raw("result/tools/0")
        .unwrap_or_default();
    assert!(
        listed.contains(r#"{"inputSchema":{"type":"object"} , "#),
        "{listed}"
    );
    assert!(
        listed.contains(r#""a__u" ,"description":"e","x":1e400}"#),
        "{listed}"
    );
}
