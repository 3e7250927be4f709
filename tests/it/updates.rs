//! Updates of resources: after a loss, of parts, and beside clients that do not read.

use serde_json::{Value, json};

use crate::support::client::Feed;
use crate::support::matrix::matrix;
use crate::support::{Client, Era, MuxTest, Pairing, Pipe, Reply, fake};

const LISTEN: &str = "subscriptions/listen";
const UPDATED: &str = "notifications/resources/updated";
const URI: &str = "x://1";

matrix! { a_loss_is_an_update, an_update_of_a_part_is_told }

/// Watches the resource, and the list of tools, in the client's own words.
fn watch<'c>(client: &'c Client, uri: &str) -> Feed<'c> {
    if client.era() == Era::Legacy {
        let feed = client.feed();
        let watched = client.request("resources/subscribe", &json!({"uri": uri}));
        assert_eq!(watched.result(), json!({}));
        return feed;
    }
    let filter = json!({"resourceSubscriptions": [uri], "toolsListChanged": true});
    let ask = client
        .ask(LISTEN)
        .member("notifications", &filter.to_string());
    let mut listen = ask.send();
    let granted = listen
        .next()
        .get("params/notifications/resourceSubscriptions");
    assert_eq!(granted, json!([uri]));
    Feed::Listen(Box::new(listen))
}

#[track_caller]
fn expect(feed: &mut Feed<'_>, uri: &str) {
    let told = feed.next();
    assert_eq!(
        (told.method(), told.str("params/uri").as_str()),
        (UPDATED, uri)
    );
}

/// What changed while the server was away was not told, so whoever watches is to look again.
fn a_loss_is_an_update(p: Pairing) {
    let t = p.start(p.fake().resource(URI).tool("echo"));
    t.fake.wait_stream();
    let mut feed = watch(&t.client, URI);
    if p.server == Era::Modern {
        t.fake.wait_listening(&json!([URI]));
    }
    t.fake.kill();
    t.fake.lose_sessions();
    t.fake.disconnect();
    expect(&mut feed, URI);
}

fn an_update_of_a_part_is_told(p: Pairing) {
    let t = p.start(p.fake().resource(URI).tool("echo"));
    t.fake.wait_stream();
    let mut feed = watch(&t.client, URI);
    if p.server == Era::Modern {
        t.fake.wait_listening(&json!([URI]));
    }
    for uri in ["x://12", "x://1/part", "x://2"] {
        t.fake.notify(UPDATED, &json!({"uri": uri}));
    }
    expect(&mut feed, "x://1/part");
}

/// A server that refuses the whole listen for one resource goes on telling of the others.
#[test]
fn a_refused_listen_is_an_error_at_once_and_harms_nobody() {
    for pipe in [Pipe::Stdio, Pipe::Http] {
        let fake = fake::modern()
            .resource(URI)
            .resource("x://bad")
            .on(LISTEN, |call| {
                let uris = call.msg.get("params/notifications/resourceSubscriptions");
                let has = |uris: &Vec<Value>| uris.contains(&json!("x://bad"));
                if uris.as_array().is_some_and(has) {
                    return Reply::error(-32602, "not that one");
                }
                Reply::Usual
            })
            .over(pipe);
        let mux = MuxTest::new().upstream("a", &fake).start();
        let client = mux.legacy();
        let mut feed = watch(&client, URI);
        fake.wait_listening(&json!([URI]));
        let refused = client.request("resources/subscribe", &json!({"uri": "x://bad"}));
        assert_eq!(refused.code(), -32602, "{}", refused.text());
        fake.notify(UPDATED, &json!({"uri": URI}));
        expect(&mut feed, URI);
    }
}

/// The news of one client do not wait for another that does not read, which finds the newest ones later.
#[test]
fn a_client_that_does_not_read_holds_nobody_up() {
    let uri = format!("x://{}", "a".repeat(60_000));
    let fake = fake::legacy().resource(&uri).tool("echo").stdio();
    let mux = MuxTest::new().upstream("a", &fake).start();
    let clients = [mux.legacy(), mux.modern(), mux.legacy()];
    let mut feeds = clients.each_ref().map(|client| watch(client, &uri));
    for _ in 0..200 {
        fake.notify(UPDATED, &json!({"uri": uri}));
        expect(&mut feeds[2], &uri);
    }
    fake.add_tool("two");
    fake.list_changed("tools");
    for feed in &mut feeds {
        let mut updates = 0;
        while feed.next().method() == UPDATED {
            updates += 1;
        }
        assert!(updates <= 200, "{updates} updates");
    }
}
