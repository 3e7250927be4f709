//! One call of a client, with its questions, until it ends.

use serde_json::{Value, json};

use super::books::Books;
use super::servers::text;
use crate::support::client::Exchange;
use crate::support::{Client, Era, Msg};

/// A call under way. Its word is in everything that belongs to it.
pub(super) struct Talk<'c> {
    client: &'c Client,
    pub(super) word: String,
    tool: &'static str,
    public: String,
    arguments: Value,
    /// The id of the request that is under way.
    id: String,
    exchange: Exchange<'c>,
    /// What this client has answered so far.
    answers: Vec<String>,
    tries: usize,
}

/// Where a call is.
pub(super) enum Turn {
    /// The server wants to know something.
    Asked(Question),
    /// It has ended.
    Ended(Box<Msg>),
}

/// How a question is answered.
pub(super) enum Question {
    /// A request of the server's.
    Request(Box<Msg>),
    /// The state that the retry must carry, as JSON text, and the key of the question.
    Retry(String, String),
}

impl<'c> Talk<'c> {
    pub(super) fn start(
        client: &'c Client,
        server: &str,
        tool: &'static str,
        mut arguments: Value,
        books: &Books,
    ) -> Self {
        let word = books.fresh();
        arguments["n"] = json!(word);
        let (public, id) = (format!("{server}__{tool}"), json!(word).to_string());
        let exchange = client
            .ask_call(&public)
            .id(&id)
            .token(&id)
            .member("arguments", &arguments.to_string())
            .send();
        Self {
            client,
            word,
            tool,
            public,
            arguments,
            id,
            exchange,
            answers: Vec::new(),
            tries: 0,
        }
    }

    /// Waits for a question or the end.
    pub(super) fn next(&mut self) -> Turn {
        loop {
            let msg = self.message();
            if msg.is_request() {
                self.own(&msg.str("params/message"));
                return Turn::Asked(Question::Request(Box::new(msg)));
            }
            if !msg.is_response() {
                let token = msg.str("params/progressToken");
                assert!(
                    token.is_empty() || token == self.word,
                    "progress of another call reached {}: {}",
                    self.word,
                    msg.text()
                );
                continue;
            }
            assert_eq!(msg.id(), Some(self.id.as_str()), "{}", msg.text());
            self.nothing_follows();
            if msg.str("result/resultType") != "input_required" {
                return Turn::Ended(Box::new(msg));
            }
            let asked = msg.get("result/inputRequests");
            let asked = asked.as_object().expect("questions");
            let (key, question) = asked.iter().next().expect("a question");
            self.own(question["params"]["message"].as_str().unwrap_or_default());
            let state = msg.raw("result/requestState").expect("a state");
            return Turn::Asked(Question::Retry(state, key.clone()));
        }
    }

    /// The next message of this call.
    fn message(&mut self) -> Msg {
        if self.client.is_http() {
            let found = self.exchange.try_next();
            return found.unwrap_or_else(|| panic!("the answer to {} was lost", self.id));
        }
        let (id, token) = (self.id.clone(), json!(self.word).to_string());
        let question = format!("{}/", self.word);
        let mine = |msg: &Msg| {
            if msg.is_request() {
                return msg
                    .str("params/message")
                    .split(' ')
                    .any(|it| it.starts_with(&question));
            }
            let tokens = msg.raw("params/progressToken");
            msg.is_response() && msg.id() == Some(&id) || tokens.as_ref() == Some(&token)
        };
        self.client
            .stdio()
            .take(&format!("the answer to {id}"), mine)
    }

    /// An answer comes once.
    fn nothing_follows(&mut self) {
        if self.client.is_http() {
            let more = self.exchange.try_next();
            assert!(more.is_none(), "{} was answered twice: {more:?}", self.id);
        }
    }

    /// A question must be about this call, and about the round that it is in.
    fn own(&self, message: &str) {
        let asked = message.rsplit(' ').next().unwrap_or_default();
        let expected = format!("{}/{}", self.word, self.answers.len());
        assert_eq!(asked, expected, "a question reached another call");
    }

    /// Answers a question.
    pub(super) fn reply(&mut self, question: Question, salt: u32) {
        let said = format!("{}:{}:{salt}", self.word, self.answers.len());
        let answer = json!({"action": "accept", "content": {"said": said}});
        self.answers.push(said);
        match question {
            Question::Request(request) => self.client.respond(&request, &answer.to_string()),
            Question::Retry(state, key) => {
                self.tries += 1;
                self.id = json!(format!("{}+{}", self.word, self.tries)).to_string();
                self.exchange = self
                    .client
                    .ask_call(&self.public)
                    .id(&self.id)
                    .member("arguments", &self.arguments.to_string())
                    .member("inputResponses", &json!({ key: answer }).to_string())
                    .member("requestState", &state)
                    .send();
            }
        }
    }

    /// Takes the call back.
    pub(super) fn cancel(self) {
        self.exchange.cancel();
    }

    /// The end: the call's own answer, or an error. Returns the error's code.
    pub(super) fn judge(&self, end: &Msg) -> Option<i64> {
        if end.raw("error").is_some() {
            return Some(end.code());
        }
        let expected = text(self.tool, &self.word, &self.answers);
        let said = end.str("result/content/0/text");
        assert_eq!(said, expected, "the answer of another call");
        None
    }

    pub(super) fn is_modern(&self) -> bool {
        self.client.era == Era::Modern
    }
}
