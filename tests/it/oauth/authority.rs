//! An authorization server by hand, and a server that takes only its tokens.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use parking_lot::Mutex;
use serde_json::{Value, json};

use crate::support::head::{Framing, Head};
use crate::support::{Fake, FakeServer, fake};

/// The authorization server; clones are the same one.
#[derive(Clone)]
pub(super) struct Authority {
    addr: SocketAddr,
    state: Arc<Mutex<State>>,
}

/// What it knows, and how it behaves.
pub(super) struct State {
    /// Valid access tokens with their scopes.
    pub(super) tokens: BTreeMap<String, BTreeSet<String>>,
    /// Valid refresh tokens, each for one use.
    refreshes: BTreeSet<String>,
    /// Forms that came to the token endpoint.
    pub(super) asked: Vec<BTreeMap<String, String>>,
    /// What came to the other endpoints: the path and the query or the form.
    pub(super) visits: Vec<(String, BTreeMap<String, String>)>,
    /// Every secret that was ever given out or received.
    pub(super) secrets: BTreeSet<String>,
    /// Seconds that the next tokens live.
    pub(super) life: u64,
    /// What a request to the server must have.
    pub(super) needed: Vec<String>,
    /// Laid over the metadata of the authorization server.
    pub(super) metadata: Value,
    /// Laid over the metadata of the server.
    pub(super) resource: Value,
    /// The `iss` in the answer of the browser; `None`: the truth.
    pub(super) iss: Option<String>,
    /// A refused token request is answered with this text, too.
    pub(super) echo: bool,
    /// The error that the next token request is refused with.
    pub(super) refuses: Option<&'static str>,
    /// Clients that name scopes are not registered.
    pub(super) picky: bool,
    /// How often a device's code is said to be pending.
    pub(super) pending: usize,
    challenges: BTreeMap<String, String>,
    count: usize,
}

impl Authority {
    pub(super) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let addr = listener.local_addr().expect("an address");
        let state = State {
            tokens: BTreeMap::new(),
            refreshes: BTreeSet::new(),
            asked: Vec::new(),
            visits: Vec::new(),
            secrets: BTreeSet::new(),
            life: 3600,
            needed: vec!["read".to_owned()],
            metadata: json!({}),
            resource: json!({}),
            iss: None,
            echo: false,
            refuses: None,
            picky: false,
            pending: 1,
            challenges: BTreeMap::new(),
            count: 0,
        };
        let authority = Self {
            addr,
            state: Arc::new(Mutex::new(state)),
        };
        let serving = authority.clone();
        // Ends with the test.
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let serving = serving.clone();
                thread::spawn(move || serving.converse(&stream));
            }
        });
        authority
    }

    pub(super) fn with<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.state.lock())
    }

    pub(super) fn issuer(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Its address.
    pub(super) fn host(&self) -> SocketAddr {
        self.addr
    }

    /// The access tokens end now; their refresh tokens do not.
    pub(super) fn expire(&self) {
        self.with(|state| state.tokens.clear());
    }

    /// All is over.
    pub(super) fn revoke_all(&self) {
        self.with(|state| {
            state.tokens.clear();
            state.refreshes.clear();
        });
    }

    /// What came to one of the other endpoints.
    pub(super) fn visits(&self, path: &str) -> Vec<BTreeMap<String, String>> {
        let of = |visit: &&(String, BTreeMap<String, String>)| visit.0 == path;
        let forms = |state: &mut State| {
            let visits = state.visits.iter().filter(of);
            visits.map(|(_, form)| form.clone()).collect()
        };
        self.with(forms)
    }

    /// How many token requests had this grant.
    pub(super) fn grants(&self, grant: &str) -> usize {
        self.with(|state| {
            let of = |form: &&BTreeMap<String, String>| {
                form.get("grant_type").is_some_and(|kind| kind == grant)
            };
            state.asked.iter().filter(of).count()
        })
    }

    /// A server, not started yet, that takes only the tokens of this authority.
    pub(super) fn guard(&self, fake: Fake) -> Fake {
        let guard = self.clone();
        fake.http_answering(move |head| guard.gate(head))
    }

    /// What the guarded server says to those who may not come in, and about itself.
    fn gate(&self, head: &Head) -> Option<String> {
        let host = head.header("host").unwrap_or_default();
        if let Some(path) = head
            .word(1)
            .strip_prefix("/.well-known/oauth-protected-resource")
        {
            let mut metadata = json!({
                "resource": format!("http://{host}{path}"),
                "authorization_servers": [self.issuer()],
            });
            lay_over(&mut metadata, &self.with(|state| state.resource.clone()));
            return Some(reply("200 OK", &metadata));
        }
        let token = head
            .header("authorization")
            .and_then(|value| value.strip_prefix("Bearer "));
        let path = head.word(1);
        let place = format!(
            "resource_metadata=\"http://{host}/.well-known/oauth-protected-resource{path}\""
        );
        self.with(|state| {
            let scope = state.needed.join(" ");
            match token.and_then(|token| state.tokens.get(token)) {
                Some(scopes) if state.needed.iter().all(|needed| scopes.contains(needed)) => None,
                Some(_) => Some(challenge(
                    "403 Forbidden",
                    &format!("error=\"insufficient_scope\", scope=\"{scope}\", {place}"),
                )),
                None => Some(challenge(
                    "401 Unauthorized",
                    &format!("scope=\"{scope}\", {place}"),
                )),
            }
        })
    }

    fn converse(&self, stream: &TcpStream) {
        let mut reader = BufReader::new(stream);
        while let Ok(Some(head)) = Head::read(&mut reader) {
            let body = match head.framing() {
                Framing::Unknown => Vec::new(),
                mut framing => framing.rest(&mut reader).unwrap_or_default(),
            };
            let answer = self.answer(&head, &body);
            let mut writer = stream;
            if writer.write_all(answer.as_bytes()).is_err() {
                return;
            }
        }
    }

    fn answer(&self, head: &Head, body: &[u8]) -> String {
        let (path, query) = head.word(1).split_once('?').unwrap_or((head.word(1), ""));
        let form = if query.is_empty() {
            pairs(body)
        } else {
            pairs(query.as_bytes())
        };
        self.with(|state| state.visits.push((path.to_owned(), form.clone())));
        match path {
            "/.well-known/oauth-authorization-server" => reply("200 OK", &self.metadata()),
            "/register"
                if self.with(|state| state.picky)
                    && body.windows(7).any(|at| at == b"\"scope\"") =>
            {
                reply(
                    "400 Bad Request",
                    &json!({"error": "invalid_client_metadata"}),
                )
            }
            "/register" => reply(
                "201 Created",
                &json!({"client_id": "registered", "client_secret": self.new_secret("client")}),
            ),
            "/authorize" => self.authorize(&form),
            "/device" => {
                let code = self.new_secret("device");
                reply(
                    "200 OK",
                    &json!({"device_code": code, "user_code": "ABCD-EFGH", "verification_uri": format!("{}/activate", self.issuer()), "expires_in": 600, "interval": 1}),
                )
            }
            "/token" => self.token(head, &form),
            "/revoke" => {
                self.with(|state| {
                    let token = &form["token"];
                    state.tokens.remove(token);
                    state.refreshes.remove(token);
                });
                reply("200 OK", &json!({}))
            }
            _ => reply("404 Not Found", &json!({})),
        }
    }

    fn metadata(&self) -> Value {
        let at = |path: &str| format!("{}{path}", self.issuer());
        let mut metadata = json!({
            "issuer": self.issuer(),
            "authorization_endpoint": at("/authorize"),
            "token_endpoint": at("/token"),
            "registration_endpoint": at("/register"),
            "revocation_endpoint": at("/revoke"),
            "device_authorization_endpoint": at("/device"),
            "response_types_supported": ["code"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": true,
        });
        lay_over(&mut metadata, &self.with(|state| state.metadata.clone()));
        metadata
    }

    fn authorize(&self, query: &BTreeMap<String, String>) -> String {
        let code = self.new_secret("code");
        let iss = self.with(|state| {
            state
                .challenges
                .insert(code.clone(), query["scope"].clone());
            state.secrets.insert(query["state"].clone());
            state.iss.clone()
        });
        let iss = iss.unwrap_or_else(|| self.issuer());
        let there = format!(
            "{}?code={code}&state={}&iss={iss}",
            query["redirect_uri"], query["state"]
        );
        format!("HTTP/1.1 302 Found\r\nLocation: {there}\r\nContent-Length: 0\r\n\r\n")
    }

    fn token(&self, head: &Head, form: &BTreeMap<String, String>) -> String {
        let refuse = |code: &str| {
            let echo = self.with(|state| state.echo);
            let words = if echo {
                format!("{form:?} {head:?}")
            } else {
                String::new()
            };
            reply(
                "400 Bad Request",
                &json!({"error": code, "error_description": words}),
            )
        };
        let grant = form["grant_type"].clone();
        let known = self.with(|state| {
            state.asked.push(form.clone());
            let secrets = ["code_verifier", "client_secret", "refresh_token", "code"];
            state
                .secrets
                .extend(secrets.iter().filter_map(|name| form.get(*name).cloned()));
            match grant.as_str() {
                "authorization_code" => state.challenges.remove(&form["code"]),
                "refresh_token" => state
                    .refreshes
                    .remove(&form["refresh_token"])
                    .then(|| "read".to_owned()),
                "client_credentials" => Some(form.get("scope").cloned().unwrap_or_default()),
                _ if state.pending > 0 => {
                    state.pending -= 1;
                    Some("pending".to_owned())
                }
                _ => Some("read".to_owned()),
            }
        });
        if let Some(error) = self.with(|state| state.refuses.take()) {
            return refuse(error);
        }
        match known {
            None => refuse("invalid_grant"),
            Some(pending) if pending == "pending" => refuse("authorization_pending"),
            Some(scope) => self.grant(&scope, grant != "client_credentials"),
        }
    }

    fn grant(&self, scope: &str, lasting: bool) -> String {
        let (access, refresh) = (self.new_secret("access"), self.new_secret("refresh"));
        self.with(|state| {
            let scopes = scope.split(' ').map(str::to_owned).collect();
            state.tokens.insert(access.clone(), scopes);
            state.refreshes.insert(refresh.clone());
            let mut answer = json!({"access_token": access, "token_type": "Bearer", "expires_in": state.life, "scope": scope});
            if lasting {
                answer["refresh_token"] = refresh.into();
            }
            state.life = 3600;
            reply("200 OK", &answer)
        })
    }

    fn new_secret(&self, kind: &str) -> String {
        self.with(|state| {
            state.count += 1;
            let secret = format!("s3cret-{kind}-{}-{:08x}", state.count, self.addr.port());
            state.secrets.insert(secret.clone());
            secret
        })
    }
}

fn lay_over(value: &mut Value, over: &Value) {
    for (key, member) in over.as_object().into_iter().flatten() {
        value[key] = member.clone();
    }
}

fn reply(status: &str, body: &Value) -> String {
    let body = body.to_string();
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn challenge(status: &str, parameters: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\nWWW-Authenticate: Bearer {parameters}\r\nContent-Length: 0\r\n\r\n"
    )
}

/// A form or a query; other bodies come to nothing.
fn pairs(text: &[u8]) -> BTreeMap<String, String> {
    url::form_urlencoded::parse(text).into_owned().collect()
}

/// A modern server with the tool `echo` behind an authority.
pub(super) fn guarded() -> (Authority, FakeServer) {
    let authority = Authority::start();
    let fake = authority.guard(fake::modern().tool("echo")).http();
    (authority, fake)
}
