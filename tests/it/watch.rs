//! Resources that clients watch: asked for once upstream, told to each, and watched again after a loss.

use serde_json::{Value, json};

use crate::support::fake::Fake;
use crate::support::matrix::matrix;
use crate::support::{
    Client, Era, Exchange, FakeServer, Gate, Msg, MuxTest, Pairing, Pipe, Reply, eventually, fake,
};

matrix! {
    a_change_is_told,
    what_is_watched_is_watched_again,
    a_refusal_is_passed_on,
}

const LISTEN: &str = "subscriptions/listen";
const ACKNOWLEDGED: &str = "notifications/subscriptions/acknowledged";
const UPDATED: &str = "notifications/resources/updated";

/// What a client has that watches one resource.
enum Watch<'c> {
    Session(&'c Client, crate::support::client::Feed<'c>, String),
    Listen(Exchange<'c>),
}

impl<'c> Watch<'c> {
    /// What the server granted of it is an error, or an acknowledgement.
    fn ask(client: &'c Client, uri: &str) -> (Msg, Self) {
        if client.era() == Era::Modern {
            let filter = json!({"resourceSubscriptions": [uri]}).to_string();
            let mut listen = client.ask(LISTEN).member("notifications", &filter).send();
            return (listen.next(), Self::Listen(listen));
        }
        let feed = client.feed();
        let answer = client.request("resources/subscribe", &json!({"uri": uri}));
        (answer.msg, Self::Session(client, feed, uri.to_owned()))
    }

    fn begin(client: &'c Client, uri: &str) -> Self {
        let (answer, watch) = Self::ask(client, uri);
        match &watch {
            Self::Session(..) => assert_eq!(answer.result(), json!({})),
            Self::Listen(_) => {
                assert_eq!(answer.method(), ACKNOWLEDGED);
                let granted = answer.get("params/notifications/resourceSubscriptions");
                assert_eq!(granted, json!([uri]));
            }
        }
        watch
    }

    fn hears(&mut self, uri: &str) {
        let next = |watch: &mut Self| match watch {
            Self::Session(_, feed, _) => feed.next(),
            Self::Listen(listen) => listen.next(),
        };
        let mut heard = next(self);
        while heard.method().ends_with("list_changed") {
            heard = next(self);
        }
        assert_eq!(
            (heard.method(), heard.str("params/uri").as_str()),
            (UPDATED, uri)
        );
    }

    fn end(self) {
        match self {
            Self::Session(client, _, uri) => {
                let ended = client.request("resources/unsubscribe", &json!({"uri": uri}));
                assert_eq!(ended.result(), json!({}));
            }
            Self::Listen(listen) => listen.cancel(),
        }
    }
}

/// The server says that a resource has changed, once it has been asked to.
fn change(fake: &FakeServer, era: Era, uri: &str) {
    if era == Era::Modern {
        fake.wait_listening(&json!([uri]));
    }
    fake.notify(UPDATED, &json!({"uri": uri}));
}

fn two(fake: Fake) -> Fake {
    fake.resource("x://1").resource("x://2")
}

fn a_change_is_told(p: Pairing) {
    let t = p.start(two(p.fake()));
    t.fake.wait_stream();
    let mut watch = Watch::begin(&t.client, "x://2");
    change(&t.fake, p.server, "x://2");
    watch.hears("x://2");
}

fn what_is_watched_is_watched_again(p: Pairing) {
    let t = p.start(two(p.fake()).tool("t"));
    t.fake.wait_stream();
    let mut watch = Watch::begin(&t.client, "x://1");
    let method = if p.server == Era::Legacy {
        "resources/subscribe"
    } else {
        LISTEN
    };
    let before = t.fake.count(method);
    t.fake.kill();
    t.fake.lose_sessions();
    if p.server == Era::Modern || matches!(p.back, Pipe::WebSocket | Pipe::Sse) {
        t.fake.disconnect();
    } else {
        t.client.call("a__t", &json!({}));
    }
    t.fake.wait_seen(method, before + 1);
    t.fake.wait_stream();
    change(&t.fake, p.server, "x://1");
    watch.hears("x://1");
}

/// An acknowledgement of nothing, on a listen that stays open.
fn grants_nothing(fake: Fake) -> Fake {
    fake.on(LISTEN, |call| {
        let id: Value = serde_json::from_str(call.msg.id().expect("a request")).expect("JSON");
        let meta = json!({"io.modelcontextprotocol/subscriptionId": id});
        call.notify(ACKNOWLEDGED, &json!({"_meta": meta, "notifications": {}}));
        Reply::Nothing
    })
}

fn a_refusal_is_passed_on(p: Pairing) {
    let fake = grants_nothing(two(p.fake())).on("resources/subscribe", |_| {
        Reply::Error(r#"{"code":-32602,"message":"not that one"}"#.to_owned())
    });
    let t = p.start(fake);
    let (answer, _watch) = Watch::ask(&t.client, "x://1");
    match p.client {
        Era::Legacy => assert_eq!(answer.code(), -32602, "{}", answer.text()),
        Era::Modern => assert_eq!(answer.get("params/notifications"), json!({})),
    }
    assert_eq!(t.fake.count("resources/unsubscribe"), 0);
}

fn asked_for(fake: &FakeServer, uri: &str) -> usize {
    let listens = fake.seen_of(LISTEN).into_iter().filter(|seen| {
        let uris = seen.msg.get("params/notifications/resourceSubscriptions");
        uris.as_array()
            .is_some_and(|uris| uris.contains(&json!(uri)))
    });
    fake.count("resources/subscribe") + listens.count()
}

#[test]
fn two_watchers_are_one_to_the_server() {
    let eras = [Era::Legacy, Era::Modern];
    for (server, pipe) in eras
        .iter()
        .flat_map(|era| [(*era, Pipe::Stdio), (*era, Pipe::Http)])
    {
        for (one, two) in eras
            .iter()
            .flat_map(|era| [(*era, Era::Legacy), (*era, Era::Modern)])
        {
            let fake = match server {
                Era::Legacy => fake::legacy(),
                Era::Modern => fake::modern(),
            };
            let fake = fake.resource("x://1").over(pipe);
            let mux = MuxTest::new().upstream("a", &fake).start();
            let (one, two) = (mux.client(one), mux.client(two));
            fake.wait_stream();
            let mut first = Watch::begin(&one, "x://1");
            let mut second = Watch::begin(&two, "x://1");
            change(&fake, server, "x://1");
            first.hears("x://1");
            second.hears("x://1");
            first.end();
            one.request("resources/list", &json!({})).result();
            change(&fake, server, "x://1");
            second.hears("x://1");
            assert_eq!(fake.count("resources/unsubscribe"), 0);
            second.end();
            match server {
                Era::Legacy => drop(fake.wait_seen("resources/unsubscribe", 1)),
                Era::Modern => fake.wait_listening(&json!([])),
            }
            assert_eq!(asked_for(&fake, "x://1"), 1);
        }
    }
}

/// The new listen is open before the old one ends, so that nothing is missed in between.
#[test]
fn a_listen_is_replaced_without_a_gap() {
    for pipe in [Pipe::Stdio, Pipe::Http] {
        let gate = Gate::new();
        let held = gate.clone();
        let fake = fake::modern()
            .resource("x://1")
            .resource("x://2")
            .on(LISTEN, move |call| {
                let uris = call.msg.get("params/notifications/resourceSubscriptions");
                if uris.as_array().is_some_and(|uris| uris.len() == 2) {
                    held.wait("the old listen has spoken");
                }
                Reply::Usual
            })
            .over(pipe);
        let mux = MuxTest::new().upstream("a", &fake).start();
        let (one, two) = (mux.modern(), mux.modern());
        let mut first = Watch::begin(&one, "x://1");
        fake.wait_listening(&json!(["x://1"]));
        let filter = json!({"resourceSubscriptions": ["x://2"]}).to_string();
        let mut second = two.ask(LISTEN).member("notifications", &filter).send();
        eventually("the new listen is asked for", || {
            (asked_for(&fake, "x://2") == 1).then_some(())
        });
        fake.notify(UPDATED, &json!({"uri": "x://1"}));
        first.hears("x://1");
        // This may still be on its way when the new listen is acknowledged.
        fake.notify(UPDATED, &json!({"uri": "x://1"}));
        gate.open();
        assert_eq!(second.next().method(), ACKNOWLEDGED);
        first.hears("x://1");
        fake.wait_listening(&json!(["x://1", "x://2"]));
        fake.notify(UPDATED, &json!({"uri": "x://2"}));
        assert_eq!(second.next().str("params/uri"), "x://2");
    }
}

/// Whether it answers the listen or cancels it, a server that ends it is asked for a new one.
#[test]
fn a_listen_that_the_server_ends_is_opened_again() {
    for cancels in [false, true] {
        for pipe in [Pipe::Stdio, Pipe::Http] {
            let fake = fake::modern()
                .tool("t")
                .once(LISTEN, move |call| {
                    let id: Value = call.msg.get("id");
                    let meta = json!({"io.modelcontextprotocol/subscriptionId": id});
                    call.notify(ACKNOWLEDGED, &json!({"_meta": meta, "notifications": {}}));
                    if !cancels {
                        return Reply::raw("{}");
                    }
                    call.notify("notifications/cancelled", &json!({"requestId": id}));
                    Reply::Nothing
                })
                .over(pipe);
            let mux = MuxTest::new().upstream("a", &fake).start();
            let client = mux.legacy();
            let mut feed = client.feed();
            fake.wait_stream();
            fake.add_tool("u");
            fake.list_changed("tools");
            assert_eq!(feed.next().method(), "notifications/tools/list_changed");
        }
    }
}

/// Nobody is told that a resource is watched before the server has said so.
#[test]
fn the_second_watcher_waits_for_the_answer_to_the_first() {
    let gate = Gate::new();
    let held = gate.clone();
    let fake = fake::legacy()
        .resource("x://1")
        .on("resources/subscribe", move |_| {
            held.wait("both clients have asked");
            Reply::error(-32602, "not that one")
        })
        .stdio();
    let mux = MuxTest::new().upstream("a", &fake).start();
    let clients = [mux.legacy(), mux.legacy()];
    let ask = |client| Client::ask(client, "resources/subscribe");
    let asked = clients
        .each_ref()
        .map(|c| ask(c).member("uri", "\"x://1\"").send());
    fake.wait_seen("resources/subscribe", 1);
    clients[1].request("ping", &json!({})).result();
    gate.open();
    for answer in asked {
        assert_eq!(answer.answer().code(), -32602);
    }
}
