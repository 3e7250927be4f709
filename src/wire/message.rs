//! The four messages of JSON-RPC 2.0 (section 4 and 5), and how they are written.

use std::sync::Arc;

use bytes::Bytes;

use super::pieces::{BIG, Bundle, Sink};
use super::text;
use super::{Json, Pieces, RequestId, Splice};

const PARAMS: &str = r#","params":"#;
const RESULT: &str = r#","result":"#;

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// Wants an answer.
    Request(Request),
    /// Wants none.
    Notification(Notification),
    /// The answer to a request.
    Response(Response),
}

/// A request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Pairs the request with its response.
    pub id: RequestId,
    /// What to do.
    pub method: Arc<str>,
    /// With what; an explicit `null` is `Some`.
    pub params: Option<Json>,
}

/// A notification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// What happened.
    pub method: Arc<str>,
    /// The details; an explicit `null` is `Some`.
    pub params: Option<Json>,
}

/// A response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The id of the request; `None` only in an error about a request whose id could not be read.
    pub id: Option<RequestId>,
    /// The result (any value, `null` too), or the error object.
    pub body: Result<Json, Json>,
}

impl Message {
    /// The message as one frame, without whitespace; payloads verbatim.
    pub fn encode(&self) -> Bytes {
        match self {
            Self::Request(request) => request.encode(),
            Self::Notification(notification) => notification.encode(),
            Self::Response(response) => response.encode(),
        }
    }
}

impl Request {
    /// The request as one frame.
    pub fn encode(&self) -> Bytes {
        Self::frame(&self.id, &self.method, self.params.as_ref())
    }

    /// The frame of a request of these parts.
    pub fn frame(id: &RequestId, method: &str, params: Option<&Json>) -> Bytes {
        let mut writer = Writer::with_room_for(method.len() + length(params));
        writer.id(Some(id));
        writer.method(method);
        writer.params(params);
        writer.finish()
    }

    /// The same with edited params, which are woven straight into the frame; what stays of big ones is not copied.
    pub fn pieces_of_edited(id: &RequestId, method: &str, params: &Splice) -> Pieces {
        let mut writer = Writer::with_room_for(method.len() + params.room().min(BIG));
        writer.id(Some(id));
        writer.method(method);
        writer.member(PARAMS, b"");
        let mut bundle = Bundle::new(writer.0);
        params.write(&mut bundle);
        bundle.own().push(b'}');
        bundle.finish()
    }
}

impl Notification {
    /// The notification as one frame.
    pub fn encode(&self) -> Bytes {
        let mut writer = Writer::with_room_for(self.method.len() + length(self.params.as_ref()));
        writer.method(&self.method);
        writer.params(self.params.as_ref());
        writer.finish()
    }
}

impl Response {
    /// The response as one frame.
    pub fn encode(&self) -> Bytes {
        let (key, body) = self.payload();
        let mut writer = Writer::with_room_for(body.len());
        writer.id(self.id.as_ref());
        writer.member(key, body.as_bytes());
        writer.finish()
    }

    /// The response in the pieces of one frame: a big payload is not copied.
    pub fn pieces(&self) -> Pieces {
        let (key, body) = self.payload();
        if body.len() < BIG {
            return self.encode().into();
        }
        let mut writer = Writer::with_room_for(0);
        writer.id(self.id.as_ref());
        writer.member(key, b"");
        let mut bundle = Bundle::new(writer.0);
        bundle.part(body, 0..body.len());
        bundle.own().push(b'}');
        bundle.finish()
    }

    /// The same with an edited result, which is woven straight into the frame; what stays of a big one is not copied.
    pub fn pieces_of_edited(id: &RequestId, result: &Splice) -> Pieces {
        let mut writer = Writer::with_room_for(result.room().min(BIG));
        writer.id(Some(id));
        writer.member(RESULT, b"");
        let mut bundle = Bundle::new(writer.0);
        result.write(&mut bundle);
        bundle.own().push(b'}');
        bundle.finish()
    }

    fn payload(&self) -> (&'static str, &Json) {
        match &self.body {
            Ok(result) => (RESULT, result),
            Err(error) => (r#","error":"#, error),
        }
    }
}

impl From<Request> for Message {
    fn from(request: Request) -> Self {
        Self::Request(request)
    }
}

impl From<Notification> for Message {
    fn from(notification: Notification) -> Self {
        Self::Notification(notification)
    }
}

impl From<Response> for Message {
    fn from(response: Response) -> Self {
        Self::Response(response)
    }
}

fn length(params: Option<&Json>) -> usize {
    params.map_or(0, Json::len)
}

/// Writes an envelope.
struct Writer(Vec<u8>);

impl Writer {
    /// Room for the envelope itself and a usual id beside `payload` bytes.
    fn with_room_for(payload: usize) -> Self {
        let mut out = Vec::with_capacity(payload + 112);
        out.extend_from_slice(br#"{"jsonrpc":"2.0""#);
        Self(out)
    }

    fn id(&mut self, id: Option<&RequestId>) {
        match id {
            Some(id) => {
                self.member(r#","id":"#, b"");
                id.write(&mut self.0);
            }
            None => self.member(r#","id":"#, b"null"),
        }
    }

    fn method(&mut self, method: &str) {
        self.member(r#","method":"#, b"");
        text::quote(method, &mut self.0);
    }

    fn params(&mut self, params: Option<&Json>) {
        if let Some(params) = params {
            self.member(PARAMS, params.as_bytes());
        }
    }

    fn member(&mut self, key: &str, value: &[u8]) {
        self.0.extend_from_slice(key.as_bytes());
        self.0.extend_from_slice(value);
    }

    fn finish(mut self) -> Bytes {
        self.0.push(b'}');
        self.0.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pieces_of_a_response_are_its_frame() {
        for length in [1, BIG - 3, BIG - 2, BIG] {
            let text = Json::string(&"x".repeat(length));
            for body in [Ok(text.clone()), Err(text.clone())] {
                let response = Response {
                    id: Some(7.into()),
                    body,
                };
                let pieces = response.pieces();
                assert_eq!(pieces.len(), response.encode().len());
                let payload = pieces.clone().nth(1).map(|piece| piece.as_ptr());
                let copied = payload != Some(text.as_bytes().as_ptr());
                assert_eq!(copied, text.len() < BIG, "{length}");
                let joined: Vec<u8> = pieces.flatten().collect();
                assert_eq!(joined, response.encode());
            }
        }
    }

    #[test]
    fn edited_params_are_written_as_they_would_be_by_themselves() {
        let params = Json::from_static(r#"{"a": 1, "b":2}"#);
        let mut splice = Splice::new(&params).unwrap();
        splice.remove("a").set("c", Json::null());
        let written = Request::pieces_of_edited(&7.into(), "m", &splice);
        let expected = Request::frame(&7.into(), "m", Some(&splice.finish()));
        assert_eq!(written.clone().joined(), expected);
        assert_eq!(written.count(), 1);
    }

    #[test]
    fn what_stays_of_big_params_is_not_copied() {
        let big = "x".repeat(BIG);
        let text = format!(r#"{{"name":"a","arguments":"{big}","_meta":{{}},"more":"{big}"}}"#);
        let params = Json::parse(text).unwrap();
        let mut splice = Splice::new(&params).unwrap();
        splice.set("name", Json::string("b"));
        splice.set("_meta", Json::null());
        let written = Request::pieces_of_edited(&7.into(), "m", &splice);
        let expected = Request::frame(&7.into(), "m", Some(&splice.finish()));
        assert_eq!(written.clone().joined(), expected);
        let own = params.as_bytes().as_ptr_range();
        let shared = written.map(|piece| own.contains(&piece.as_ptr()));
        assert!(shared.eq([false, true, false, true, false]));
    }

    #[test]
    fn an_edited_result_is_written_as_it_would_be_by_itself() {
        let big = "x".repeat(BIG);
        for content in ["small", &big] {
            let text =
                format!(r#"{{"resultType":"complete", "content":"{content}","_meta":{{}} }}"#);
            let result = Json::parse(text).unwrap();
            let mut splice = Splice::new(&result).unwrap();
            splice.remove("resultType").set("_meta", Json::null());
            let response = Response {
                id: Some(7.into()),
                body: Ok(splice.finish()),
            };
            let written = Response::pieces_of_edited(&7.into(), &splice);
            assert_eq!(written.clone().joined(), response.encode());
            let own = result.as_bytes().as_ptr_range();
            let shared = written.filter(|piece| own.contains(&piece.as_ptr()));
            assert_eq!(shared.count(), usize::from(content.len() == BIG));
        }
    }

    #[test]
    fn messages_are_written_compactly_and_payloads_verbatim() {
        let params = Json::from_static("{ \"big\": 1e400,\t\"a\":[ ] }");
        let request = Request {
            id: 7.into(),
            method: "tools/call".into(),
            params: Some(params.clone()),
        };
        assert_eq!(
            request.encode(),
            "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"tools/call\",\"params\":{ \"big\": 1e400,\t\"a\":[ ] }}"
        );
        let notification = Notification {
            method: "a\"b".into(),
            params: None,
        };
        assert_eq!(
            notification.encode(),
            r#"{"jsonrpc":"2.0","method":"a\"b"}"#
        );
        let answer = Response {
            id: Some(7.into()),
            body: Ok(Json::null()),
        };
        assert_eq!(answer.encode(), r#"{"jsonrpc":"2.0","id":7,"result":null}"#);
        let error = Response {
            id: None,
            body: Err(Json::from_static(r#"{"code":-1}"#)),
        };
        assert_eq!(
            error.encode(),
            r#"{"jsonrpc":"2.0","id":null,"error":{"code":-1}}"#
        );
    }
}
