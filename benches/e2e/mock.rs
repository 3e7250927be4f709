//! The server behind everything: costs as little as possible, and echoes.

use std::io::{self, BufRead, Write};

use tokio::net::TcpListener;
use tokio_util::task::TaskTracker;

use crate::http::{Message, Wire, between};
use crate::process::announce;

/// Which revisions a mock speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Era {
    Legacy,
    Modern,
}

/// A mock: its era and how many tools it lists.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mock {
    pub(crate) era: Era,
    pub(crate) tools: usize,
}

impl Mock {
    /// Serves one server on each of so many ports of its own choice, until it is killed.
    pub(crate) async fn serve(self, servers: usize) -> io::Result<()> {
        let tasks = TaskTracker::new();
        let mut ports = Vec::new();
        for _ in 0..servers {
            let listener = TcpListener::bind("127.0.0.1:0").await?;
            ports.push(listener.local_addr()?.port());
            let of_listener = tasks.clone();
            tasks.spawn(async move {
                while let Ok((stream, _)) = listener.accept().await {
                    of_listener.spawn(self.attend(Wire::new(stream)));
                }
            });
        }
        announce(&ports)?;
        tasks.close();
        tasks.wait().await;
        Ok(())
    }

    async fn attend(self, mut wire: Wire) {
        while let Ok(Some(request)) = wire.read().await {
            let (status, session, body) = self.answer(&request);
            let session = if session {
                "mcp-session-id: 0123456789abcdef\r\n"
            } else {
                ""
            };
            let head = format!("HTTP/1.1 {status}\r\ncontent-type: application/json\r\n{session}");
            if wire.write(&head, &body).await.is_err() {
                return;
            }
        }
    }

    fn answer(self, request: &Message) -> (&'static str, bool, Vec<u8>) {
        if !request.head.starts_with(b"POST") {
            // No stream of its own, and nothing to delete.
            return ("405 Method Not Allowed", false, Vec::new());
        }
        let starts = between(&request.body, r#""method":"initialize""#, b",}").is_some();
        match self.reply(&request.body) {
            Some(body) => ("200 OK", starts, body),
            None => ("202 Accepted", false, Vec::new()),
        }
    }

    /// Answers lines on stdin until it ends.
    pub(crate) fn serve_stdio(self) -> io::Result<()> {
        let mut input = io::BufReader::with_capacity(64 * 1024, io::stdin().lock());
        let mut output = io::BufWriter::with_capacity(64 * 1024, io::stdout().lock());
        let mut line = Vec::new();
        loop {
            line.clear();
            if input.read_until(b'\n', &mut line)? == 0 {
                return Ok(());
            }
            if let Some(reply) = self.reply(&line) {
                output.write_all(&reply)?;
                output.write_all(b"\n")?;
            }
            if input.buffer().is_empty() {
                output.flush()?;
            }
        }
    }

    /// The response to a request; `None` to a notification.
    fn reply(self, message: &[u8]) -> Option<Vec<u8>> {
        // The mux writes the envelope first.
        let id = String::from_utf8_lossy(between(message, r#""id":"#, b",}")?);
        let method = between(message, r#""method":""#, b"\"")?;
        let result = match method {
            b"tools/call" => echo(message)?,
            b"tools/list" => self.list(),
            b"initialize" => r#"{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"mock","version":"1"}}"#.to_owned(),
            b"server/discover" if self.era == Era::Modern => r#"{"resultType":"complete","supportedVersions":["2026-07-28"],"capabilities":{"tools":{}},"ttlMs":0,"cacheScope":"private"}"#.to_owned(),
            _ => {
                let error = r#"{"code":-32601,"message":"Method not found"}"#;
                return Some(format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{error}}}"#).into());
            }
        };
        let complete = match (self.era, method) {
            (Era::Modern, b"tools/call" | b"tools/list") => {
                format!(r#"{{"resultType":"complete",{}"#, &result[1..])
            }
            _ => result,
        };
        Some(format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{complete}}}"#).into())
    }

    fn list(self) -> String {
        let tool = |name: &str| {
            format!(
                r#"{{"name":"{name}","description":"Gives back what it is given, to see what that costs.","inputSchema":{{"type":"object","properties":{{"text":{{"type":"string"}}}}}}}}"#
            )
        };
        let others = (1..self.tools).map(|number| tool(&format!("tool_{number}")));
        let tools: Vec<String> = std::iter::once(tool("echo")).chain(others).collect();
        format!(r#"{{"tools":[{}]}}"#, tools.join(","))
    }
}

/// The text of the arguments, which has nothing to be escaped in it.
fn echo(message: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(between(message, r#""text":""#, b"\"")?);
    Some(format!(
        r#"{{"content":[{{"type":"text","text":"{text}"}}],"isError":false}}"#
    ))
}
