//! Skills: folders of resources that tell a model how to do something (SEP-2640).

use serde_json::{Value, json};

use crate::support::matrix::matrix;
use crate::support::{Fake, MuxTest, Pairing, Reply};

matrix!(
    skills_of_all_servers_are_on_one_list,
    the_files_of_a_skill_come_from_its_own_server,
);

const SKILLS: &str = "io.modelcontextprotocol/skills";

fn skill(name: &str) -> Value {
    let file = format!("skill://{name}/SKILL.md");
    json!({
        "uri": file, "frontmatter": {"name": name, "description": "d", "v": 1e3},
        "resources": [{"uri": file, "digest": "sha256:0", "size": 1}],
    })
}

/// A server with these skills, on a page each, that says of every file and folder whose it is.
fn fake(pairing: Pairing, server: &'static str, skills: &'static [&'static str]) -> Fake {
    let capabilities = json!({"tools": {}, "resources": {}, "extensions": {SKILLS: {}}});
    pairing
        .fake()
        .tool("plain")
        .capable_of(capabilities)
        .on("skills/list", move |call| {
            let at = call.msg.str("params/cursor").parse().unwrap_or(0);
            let mut page = json!({"skills": [skill(skills[at])]});
            if at + 1 < skills.len() {
                page["nextCursor"] = json!((at + 1).to_string());
            }
            Reply::from(page)
        })
        .on("skills/get", move |call| {
            let mut got = json!({"skill": skill("pdf"), "whose": server});
            got["skill"]["uri"] = call.msg.get("params/uri");
            Reply::from(got)
        })
        .on("resources/directory/read", move |call| {
            let uri = format!("{}/x.txt", call.msg.str("params/uri"));
            let file = json!({"uri": uri, "name": "x.txt"});
            Reply::from(json!({"resources": [file], "whose": server}))
        })
        .on("resources/read", move |call| {
            let uri = call.msg.get("params/uri");
            let file = json!({"uri": uri, "text": server});
            Reply::from(json!({"contents": [file], "whose": server}))
        })
}

fn skills_of_all_servers_are_on_one_list(pairing: Pairing) {
    let one = fake(pairing, "a", &["pdf", "csv"]).over(pairing.back);
    let two = fake(pairing, "b", &["pdf"]).over(pairing.back);
    let none = pairing.fake().tool("plain").over(pairing.back);
    let mux = MuxTest::new().upstream("a", &one).upstream("b", &two);
    let mux = mux.upstream("c", &none).over(pairing.front);
    let client = mux.client(pairing.client);
    let answer = client.request("skills/list", &json!({}));
    let skills = answer.get("result/skills");
    let uris = |at: usize| [&skills[at]["uri"], &skills[at]["resources"][0]["uri"]];
    assert_eq!(uris(0), ["skill://pdf/SKILL.md"; 2], "{}", answer.text());
    assert_eq!(uris(1), ["skill://csv/SKILL.md"; 2]);
    assert_eq!(uris(2), ["b+skill://pdf/SKILL.md"; 2]);
    assert_eq!(skills[0], skill("pdf"));
    assert_eq!(skills.as_array().map(Vec::len), Some(3));
    let refused = client.request("skills/list", &json!({"cursor": "1"}));
    assert_eq!(refused.get("error/code"), -32602);
}

fn the_files_of_a_skill_come_from_its_own_server(pairing: Pairing) {
    let one = fake(pairing, "a", &["pdf"]).over(pairing.back);
    let two = fake(pairing, "b", &["pdf"]).over(pairing.back);
    let mux = MuxTest::new().upstream("a", &one).upstream("b", &two);
    let mux = mux.over(pairing.front);
    let client = mux.client(pairing.client);
    client.request("skills/list", &json!({})).result();
    for (added, server) in [("", "a"), ("b+", "b")] {
        for (method, path, answered) in [
            ("skills/get", "pdf/SKILL.md", "skill/uri"),
            ("resources/read", "pdf/deep/x.txt", "contents/0/uri"),
            ("resources/directory/read", "pdf/deep", "resources/0/uri"),
        ] {
            let uri = format!("{added}skill://{path}");
            let answer = client.request(method, &json!({"uri": &uri}));
            assert_eq!(answer.str("result/whose"), server, "{}", answer.text());
            assert!(answer.str(&format!("result/{answered}")).starts_with(&uri));
        }
    }
}
