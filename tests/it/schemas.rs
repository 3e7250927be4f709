//! What old clients cannot read of new servers' schemas and results is adapted for them, and nothing else.

use serde_json::json;

use crate::support::matrix::matrix;
use crate::support::{Era, Pairing, Reply};

const ODD: &str = r##"{"name":"list","inputSchema":{"type":"object","allOf":[{"$ref":"#/$defs/x"}],"$defs":{"x":{}}},"outputSchema":{"type":"array","items":{}},"x":1e400}"##;
const ANY: &str = r#"{"name":"any","inputSchema":{"type":"object"},"outputSchema":true}"#;
const USUAL: &str = r#"{"name":"usual","inputSchema":{"type":"object"},"outputSchema":{"type":"object","x":1e400}}"#;

matrix!(
    schemas_of_anything_but_objects_stay_away_from_old_clients,
    structured_results_of_anything_but_objects_become_text_for_old_clients,
);

fn schemas_of_anything_but_objects_stay_away_from_old_clients(pairing: Pairing) {
    let fake = pairing
        .fake()
        .tool_defined(ODD)
        .tool_defined(USUAL)
        .tool_defined(ANY);
    let bench = pairing.start(fake);
    let public = |text: &str| text.replacen(r#""name":""#, r#""name":"a__"#, 1);
    let [mut odd, usual, mut any] = [ODD, USUAL, ANY].map(public);
    if pairing.client == Era::Legacy {
        odd = odd.replace(r#""outputSchema":{"type":"array","items":{}},"#, "");
        any = any.replace(r#","outputSchema":true"#, "");
    }
    assert_eq!(bench.client.list_raw("tools"), [odd, usual, any]);
}

fn structured_results_of_anything_but_objects_become_text_for_old_clients(pairing: Pairing) {
    let bare = r#"{"content":[],"structuredContent":[1,1e400,"\u0041"]}"#;
    let beside = r#"{"content":[{"type":"text","text":"t"}],"structuredContent":7}"#;
    let usual = r#"{"content":[],"structuredContent":{"a":1e400}}"#;
    let mut fake = pairing.fake();
    for (name, result) in [("bare", bare), ("beside", beside), ("usual", usual)] {
        let result = match pairing.server {
            Era::Legacy => result.to_owned(),
            Era::Modern => result.replacen('{', r#"{"resultType":"complete","#, 1),
        };
        fake = fake.tool_answering(name, move |_| Reply::raw(result.clone()));
    }
    let bench = pairing.start(fake);
    let structured = |tool| {
        let answer = bench.client.call(tool, &json!({}));
        (
            answer.raw("result/structuredContent"),
            answer.get("result/content"),
        )
    };
    let text = |text: &str| json!([{"type": "text", "text": text}]);
    // What an old server says is its own affair.
    if pairing.client == Era::Legacy && pairing.server == Era::Modern {
        assert_eq!(structured("a__bare"), (None, text(r#"[1,1e400,"\u0041"]"#)));
        assert_eq!(structured("a__beside"), (None, text("t")));
    } else {
        let bare = Some(r#"[1,1e400,"\u0041"]"#.to_owned());
        assert_eq!(structured("a__bare"), (bare, json!([])));
        assert_eq!(structured("a__beside"), (Some("7".to_owned()), text("t")));
    }
    let usual = Some(r#"{"a":1e400}"#.to_owned());
    assert_eq!(structured("a__usual"), (usual, json!([])));
}

/// A list that an old client has read is not news to it only because it was adapted.
#[test]
fn an_adapted_list_is_no_news() {
    use crate::support::{MuxTest, fake};
    let fake = fake::modern().tool_defined(ODD).prompt("q").http();
    let mux = MuxTest::new().upstream("a", &fake).start();
    let client = mux.legacy();
    let mut feed = client.feed();
    client.list_raw("tools");
    fake.add_prompt("p");
    fake.list_changed("prompts");
    assert_eq!(feed.next().method(), "notifications/prompts/list_changed");
}
