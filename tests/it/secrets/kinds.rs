//! Every way in which a configuration may hold a secret.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::{Value, json};

use crate::support::tls::Authority;
use crate::support::{FakeServer, MuxTest, Pipe, fake};

/// A part of every secret here but for those of the next two.
const SECRET: &str = "s3cret";
/// `me:s3cret` as it is sent, and what is behind it is longer.
const BASIC: &str = "bWU6czNjcmV0";

/// One kind of credential or value that its server gets.
pub(super) struct Kind {
    pub(super) name: &'static str,
    /// Keys of the entry.
    keys: Value,
    /// The header that it comes to.
    pub(super) header: &'static str,
    pub(super) value: &'static str,
}

/// All of them. That of `user` is in the address, and that of `asked` in a file of another program.
pub(super) fn kinds() -> Vec<Kind> {
    let kind = |name, keys: Value, header, value| Kind {
        name,
        keys,
        header,
        value,
    };
    let mine = |name, written: &str, value| {
        let keys = json!({"headers": {"X-Mine": written}});
        kind(name, keys, "x-mine", value)
    };
    let auth = |name, auth: Value, header, value| kind(name, json!({"auth": auth}), header, value);
    let bearer = json!({"type": "bearer", "token": "${BEARER}"});
    let key = json!({"type": "apiKey", "key": "${cmd:cat key}", "header": "X-Mine"});
    let basic = json!({"type": "basic", "username": "me", "password": "${file:basic}"});
    let named = json!({"envHeaders": {"X-Mine": "NAMED"}});
    let own = json!({"envFile": "own", "headers": {"X-Mine": "${OWN}"}});
    let helped = json!({"headersHelper": "cat helped"});
    vec![
        auth("bearer", bearer, "authorization", "Bearer s3cret-bearer"),
        auth("api_key", key, "x-mine", "s3cret-key"),
        auth(
            "basic",
            basic,
            "authorization",
            "Basic bWU6czNjcmV0LWJhc2lj",
        ),
        mine("literal", "s3cret-literal", "s3cret-literal"),
        mine("default", "${UNSET:-s3cret-default}", "s3cret-default"),
        mine("kept", "${keychain:mcp/me}", "s3cret-kept"),
        kind("named", named, "x-mine", "s3cret-named"),
        kind("own", own, "x-mine", "s3cret-own"),
        kind("helped", helped, "x-mine", "s3cret-helped"),
        kind(
            "user",
            json!({}),
            "authorization",
            "Basic bWU6czNjcmV0LXVzZXI=",
        ),
        kind("asked", json!({}), "x-mine", "s3cret-asked"),
    ]
}

/// Files with secrets, as the entries name them.
const FILES: [(&str, &str); 5] = [
    ("key", "s3cret-key\n"),
    ("basic", "s3cret-basic"),
    ("own", "OWN=s3cret-own"),
    ("helped", "{ \"X-Mine\": \"s3cret-helped\" }"),
    (
        "private",
        "-----BEGIN PRIVATE KEY-----\ns3cret\n-----END PRIVATE KEY-----\n",
    ),
];

/// The servers behind all kinds, and a child.
pub(super) struct Scene {
    pub(super) fakes: Vec<FakeServer>,
    child: FakeServer,
    /// A line of the key that a server is shown.
    pem: String,
}

impl Scene {
    pub(super) fn new() -> Self {
        let pipes = [Pipe::Http, Pipe::WebSocket, Pipe::Sse];
        let over = |(kind, pipe): (Kind, &Pipe)| match kind.name {
            "user" | "asked" => fake::legacy().tool("echo").http(),
            _ => fake::legacy().tool("echo").over(*pipe),
        };
        Self {
            fakes: kinds()
                .into_iter()
                .zip(pipes.iter().cycle())
                .map(over)
                .collect(),
            child: fake::legacy().tool("echo").stdio(),
            pem: String::new(),
        }
    }

    /// A mux with all of them, and with servers that are away, or have other credentials than what they are shown.
    pub(super) fn test(&mut self) -> MuxTest {
        let settings = json!({"allowCommands": true, "include": ["asked.json"]});
        let mut test = MuxTest::new().settings(&settings);
        for (name, value) in [
            ("BEARER", "s3cret-bearer"),
            ("NAMED", "s3cret-named"),
            ("ASKED", "s3cret-asked"),
        ] {
            test = test.env(name, value);
        }
        self.write_files(test.dir());
        let all = kinds();
        let count = all.len() + 1;
        for (kind, fake) in all.iter().zip(&self.fakes) {
            test = match kind.name {
                "asked" => test,
                "user" => {
                    let url = fake.url().replace("://", "://me:s3cret-user@");
                    test.upstream_with(kind.name, fake, &json!({"url": url}))
                }
                _ => test.upstream_with(kind.name, fake, &kind.keys),
            };
        }
        let env = json!({"env": {"A": "s3cret-env", "B": "${BEARER}"}});
        test = test.upstream_with("child", &self.child, &env);
        for (name, entry) in away() {
            test = test.entry(name, entry);
        }
        test.listed(count)
    }

    fn write_files(&mut self, dir: &Path) {
        let write = |name: &str, content: &str| fs::write(dir.join(name), content).expect("a file");
        for (name, text) in FILES {
            write(name, text);
        }
        let keychain = dir.join("state_home/mcpmux/keychain/mcp");
        fs::create_dir_all(&keychain).expect("a folder");
        fs::write(keychain.join("me"), "s3cret-kept").expect("a file");
        let private = fs::Permissions::from_mode(0o600);
        fs::set_permissions(keychain.join("me"), private).expect("a mode");
        let identity = Authority::new().identity("me");
        let line = identity.key.lines().nth(1).expect("a line");
        line.clone_into(&mut self.pem);
        identity.write(dir, &mut json!({}));
        let asked = self.fakes.last().expect("a fake").url();
        write(
            "asked.json",
            &format!(
                r#"{{ "inputs": [{{ "type": "promptString", "id": "asked", "password": true }}], "servers":
                    {{ "asked": {{ "type": "http", "url": "{asked}", "headers": {{ "X-Mine": "${{input:asked}}" }} }} }} }}"#
            ),
        );
    }

    /// Whether a text holds one of the secrets.
    pub(super) fn leaks(&self, text: &str) -> bool {
        [SECRET, BASIC, &self.pem]
            .iter()
            .any(|secret| text.contains(secret))
    }

    /// The names of the files below a folder that hold one, in order.
    pub(super) fn leaking_files(&self, folder: &Path) -> Vec<String> {
        let mut leaks = Vec::new();
        for entry in fs::read_dir(folder).expect("a folder").flatten() {
            let path = entry.path();
            let name = entry.file_name().to_string_lossy().into_owned();
            if path.is_dir() {
                leaks.extend(self.leaking_files(&path));
            } else if self.leaks(&String::from_utf8_lossy(&fs::read(&path).expect("a file"))) {
                leaks.push(name);
            }
        }
        leaks.sort();
        leaks
    }
}

/// Servers that nobody reaches, over every transport and with every credential.
pub(super) fn away() -> [(&'static str, Value); 7] {
    let at = |scheme: &str| {
        let url = format!("{scheme}://me:s3cret-url@127.0.0.1:1/s3cret-path?key=s3cret-query");
        json!({"url": url, "headers": {"X-Mine": "${cmd:cat key}"}})
    };
    let mut sse = at("http");
    sse["type"] = json!("sse");
    let mut tls = at("https");
    tls["tls"] = json!({"cert": "me.pem", "key": "me.key"});
    let child = json!({"command": "sh", "args": ["-c", "exit 1", "--token=s3cret-argument"],
        "env": {"A": "${BEARER}"}});
    let client = |key: &str, value: &str| {
        json!({"url": "http://127.0.0.1:1/mcp", "auth": {"type": "oauth", "clientId": "c",
            key: value, "grant": "clientCredentials"}})
    };
    [
        ("away", at("http")),
        ("away_websocket", at("ws")),
        ("away_sse", sse),
        ("away_tls", tls),
        ("away_child", child),
        ("away_client", client("clientSecret", "s3cret-client")),
        ("away_signed", client("privateKey", "${file:private}")),
    ]
}
