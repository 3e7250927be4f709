//! MCP Apps: tools with a user interface (SEP-1865).

use serde_json::{Value, json};

use crate::support::matrix::matrix;
use crate::support::{Era, Front, MuxTest, Pairing, fake};

matrix!(
    an_interface_can_be_read_though_nobody_lists_it,
    interfaces_of_one_uri_are_told_apart,
    the_extension_is_declared_on_both_sides,
);

const UI: &str = "io.modelcontextprotocol/ui";

/// A tool with a user interface, in the newer and the older form.
fn tool(name: &str) -> String {
    format!(
        r#"{{"name":"{name}","inputSchema":{{"type":"object"}},"_meta":{{ "ui":{{"visibility":["app"],"resourceUri":"ui://x/{name}"}},"ui/resourceUri":"ui://x/{name}","v":1.50}}}}"#
    )
}

fn an_interface_can_be_read_though_nobody_lists_it(pairing: Pairing) {
    let page = json!({"contents": [{"uri": "ui://x/shown", "mimeType": "text/html;profile=mcp-app", "text": "<p>"}]});
    let fake = pairing
        .fake()
        .tool_defined(&tool("shown"))
        .on("resources/read ui://x/shown", move |_| page.clone().into());
    let bench = pairing.start(fake.resource("file:///other"));
    let listed = bench.client.list_raw("tools");
    assert_eq!(listed, [tool("shown").replacen("shown", "a__shown", 1)]);
    assert_eq!(bench.client.names("resources"), ["file:///other"]);
    let read = bench
        .client
        .request("resources/read", &json!({"uri": "ui://x/shown"}));
    assert_eq!(read.str("result/contents/0/text"), "<p>", "{}", read.text());
}

fn interfaces_of_one_uri_are_told_apart(pairing: Pairing) {
    let answering = |server: &'static str| {
        pairing
            .fake()
            .tool_defined(&tool("shown"))
            .on("resources/read ui://x/shown", move |_| {
                let page = json!({"uri": "ui://x/shown", "text": server});
                json!({"contents": [page]}).into()
            })
            .over(pairing.back)
    };
    let (one, two) = (answering("one"), answering("two"));
    let mux = MuxTest::new().upstream("a", &one).upstream("b", &two);
    let mux = mux.over(pairing.front);
    let client = mux.client(pairing.client);
    let tools = client.list("tools");
    let uris = tools.iter().map(|tool| {
        assert_eq!(tool["_meta"]["ui"]["visibility"], json!(["app"]));
        let uri = &tool["_meta"]["ui"]["resourceUri"];
        assert_eq!(uri, &tool["_meta"]["ui/resourceUri"]);
        uri.clone()
    });
    let uris: Vec<Value> = uris.collect();
    assert_eq!(uris, ["ui://x/shown", "b+ui://x/shown"]);
    for (uri, server) in uris.iter().zip(["one", "two"]) {
        let read = client.request("resources/read", &json!({"uri": uri}));
        assert_eq!(read.str("result/contents/0/text"), server);
        assert_eq!(read.get("result/contents/0/uri"), *uri);
    }
}

fn the_extension_is_declared_on_both_sides(pairing: Pairing) {
    let settings = json!({"v": 1});
    let capabilities = json!({"tools": {}, "extensions": {UI: settings.clone()}});
    let fake = pairing.fake().tool("plain").capable_of(capabilities);
    let fake = fake.over(pairing.back);
    let mux = MuxTest::new().upstream("a", &fake).over(pairing.front);
    let client = mux.client(pairing.client);
    // On stdio the handshake may come before anything is known of the server.
    if pairing.client == Era::Modern || pairing.front == Front::Http {
        let said = match &client.handshake {
            Some(hello) => hello.clone(),
            None => client.request("server/discover", &json!({})).msg,
        };
        let extensions = said.get("result/capabilities/extensions");
        assert_eq!(extensions[UI], settings, "{}", said.text());
    }
    let declared = match pairing.server {
        Era::Legacy => fake.seen_of("initialize")[0].msg.get("params/capabilities"),
        Era::Modern => {
            let asked = fake.seen_of("tools/list")[0].msg.get("params/_meta");
            asked["io.modelcontextprotocol/clientCapabilities"].clone()
        }
    };
    let types = &declared["extensions"][UI]["mimeTypes"];
    assert_eq!(types, &json!(["text/html;profile=mcp-app"]));
}

#[test]
fn a_legacy_client_that_shows_interfaces_says_so_to_modern_servers() {
    let fake = fake::modern().tool("plain").http();
    let mux = MuxTest::new().upstream("a", &fake).start();
    let apps = json!({"mimeTypes": ["text/html;profile=mcp-app"]});
    let connect = crate::support::client::Connect::new(Era::Legacy);
    let client = mux.connect(connect.capable_of(json!({"extensions": {UI: apps.clone()}})));
    client.call("a__plain", &json!({}));
    let meta = fake.seen_of("tools/call")[0].msg.get("params/_meta");
    let declared = &meta["io.modelcontextprotocol/clientCapabilities"];
    assert_eq!(declared["extensions"], json!({UI: apps}));
}
