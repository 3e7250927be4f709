//! Where a browser brings the answer to: an HTTP server on this machine for one request (RFC 8252, section 7.3).

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use url::Url;

/// Longest head of a request, in bytes.
const LONGEST: usize = 32 * 1024;
/// How long a browser may take to send it.
const PATIENCE: Duration = Duration::from_secs(5);

/// Waits for the answer to a login.
pub struct Redirect {
    listener: TcpListener,
    url: Url,
}

/// A browser that has brought an answer and waits for a page.
pub struct Visitor {
    /// The address that it was sent to.
    pub answer: Url,
    stream: TcpStream,
}

impl Redirect {
    /// The redirect of a client that has none.
    pub(super) const NOWHERE: &'static str = "http://127.0.0.1/callback";

    /// Listens for what a browser brings to `url`, an address of this machine, on this port, 0 being any that is free.
    pub async fn bind(url: &Url, port: u16) -> io::Result<Self> {
        let here = match url.host_str() {
            Some("[::1]") => IpAddr::from(Ipv6Addr::LOCALHOST),
            _ => IpAddr::from(Ipv4Addr::LOCALHOST),
        };
        let listener = TcpListener::bind((here, port)).await?;
        let mut url = url.clone();
        let port = listener.local_addr()?.port();
        let no_port = |()| io::Error::other("an address without a port");
        url.set_port(Some(port)).map_err(no_port)?;
        Ok(Self { listener, url })
    }

    /// What to register and to ask for as the redirect.
    pub fn url(&self) -> &str {
        self.url.as_str()
    }

    /// The next browser that brings what `is_answer` takes. All others are sent away. Cancel safe.
    pub async fn next(&self, is_answer: impl Fn(&Url) -> bool) -> io::Result<Visitor> {
        loop {
            let (mut stream, _) = self.listener.accept().await?;
            let Ok(Ok(target)) = timeout(PATIENCE, target(&mut stream)).await else {
                continue;
            };
            let answer = self.url.join(&target).ok();
            let mine = answer
                .filter(|url| url.origin() == self.url.origin() && url.path() == self.url.path());
            if let Some(answer) = mine.filter(&is_answer) {
                return Ok(Visitor { answer, stream });
            }
            let text = "This page belongs to no login.";
            say(&mut stream, "404 Not Found", text).await;
        }
    }
}

impl Visitor {
    /// Shows how it went.
    pub async fn show(mut self, text: &str) {
        say(&mut self.stream, "200 OK", text).await;
    }
}

/// The target of a GET request.
async fn target(stream: &mut TcpStream) -> io::Result<String> {
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        if head.len() > LONGEST || stream.read_buf(&mut head).await? == 0 {
            return Err(io::ErrorKind::InvalidData.into());
        }
    }
    let line = String::from_utf8_lossy(&head);
    let mut words = line.split(' ');
    match (words.next(), words.next()) {
        (Some("GET"), Some(target)) if target.starts_with('/') => Ok(target.to_owned()),
        _ => Err(io::ErrorKind::InvalidData.into()),
    }
}

/// `text` is ours: nothing that came in is shown.
async fn say(stream: &mut TcpStream, status: &str, text: &str) {
    let page = format!("<!doctype html><meta charset=utf-8><title>mcpmux</title><p>{text}</p>\n");
    let reply = format!(
        "HTTP/1.1 {status}\r\ncontent-type: text/html; charset=utf-8\r\ncontent-length: {}\r\n\
         cache-control: no-store\r\nreferrer-policy: no-referrer\r\nconnection: close\r\n\r\n{page}",
        page.len()
    );
    let sent = async {
        stream.write_all(reply.as_bytes()).await?;
        stream.shutdown().await
    };
    drop(timeout(PATIENCE, sent).await);
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn visit(redirect: &Redirect, path: &str) -> String {
        let address = redirect.listener.local_addr().unwrap();
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut reply = String::new();
        stream.read_to_string(&mut reply).await.unwrap();
        reply
    }

    #[tokio::test]
    async fn only_the_answer_is_taken_and_nothing_of_it_is_shown() {
        let nowhere = Url::parse(Redirect::NOWHERE).unwrap();
        let redirect = Redirect::bind(&nowhere, 0).await.unwrap();
        let served = async {
            let visitor = redirect
                .next(|url| url.query() == Some("state=a&code=hunter2"))
                .await
                .unwrap();
            visitor.show("Done.").await;
        };
        let visits = async {
            for path in [
                "/",
                "/callback?state=b",
                "//evil.example/callback?state=a&code=hunter2",
            ] {
                let reply = visit(&redirect, path).await;
                assert!(reply.starts_with("HTTP/1.1 404 "), "{path}: {reply}");
            }
            visit(&redirect, "/callback?state=a&code=hunter2").await
        };
        let ((), reply) = tokio::join!(served, visits);
        assert!(
            reply.starts_with("HTTP/1.1 200 ") && reply.contains("Done."),
            "{reply}"
        );
        assert!(!reply.contains("hunter2"));
    }

    #[tokio::test]
    async fn a_redirect_is_the_one_that_was_registered_but_for_its_port() {
        let registered = Url::parse("http://localhost/oauth/answer").unwrap();
        let redirect = Redirect::bind(&registered, 0).await.unwrap();
        let port = redirect.listener.local_addr().unwrap().port();
        assert_eq!(
            redirect.url(),
            format!("http://localhost:{port}/oauth/answer")
        );
    }
}
