//! The floor: what a proxy costs that does the least that can be done. It forwards messages between the same two
//! transports and cuts the prefix off the tool's name. It knows no era, no list, no second server, no limit and no error.

use std::collections::HashMap;
use std::io::{self, BufRead, Write};
use std::process::ChildStdin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use memchr::memmem;
use parking_lot::Mutex;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio_util::task::TaskTracker;

use crate::http::{Wire, between};
use crate::process::{Child, announce};
use crate::{PREFIX, Shape};

/// The message with the server's own name of the tool.
fn renamed(message: &[u8]) -> Vec<u8> {
    let public = format!(r#""name":"{PREFIX}"#);
    match memmem::find(message, public.as_bytes()) {
        Some(at) => {
            let prefix = at + public.len() - PREFIX.len();
            [&message[..prefix], &message[prefix + PREFIX.len()..]].concat()
        }
        None => message.to_vec(),
    }
}

/// HTTP on both sides: each client has a connection of its own to the server.
pub(crate) async fn http(upstream: u16) -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    announce(&[listener.local_addr()?.port()])?;
    let tasks = TaskTracker::new();
    loop {
        let client = Wire::new(listener.accept().await?.0);
        tasks.spawn(async move { drop(between_two(client, upstream).await) });
    }
}

async fn between_two(mut client: Wire, upstream: u16) -> io::Result<()> {
    let mut server = Wire::connect(upstream).await?;
    while let Some(mut request) = client.read().await? {
        let length = request.body.len();
        request.body = renamed(&request.body).into();
        if request.body.len() != length {
            // A modern client repeats the name in a header, which the mock does not read.
            let head = String::from_utf8_lossy(&request.head);
            let head = head.replace(
                &format!("content-length: {length}"),
                &format!("content-length: {}", request.body.len()),
            );
            request.head = head.into();
        }
        server.pass_on(&request).await?;
        match server.read().await? {
            Some(answer) => client.pass_on(&answer).await?,
            None => return Ok(()),
        }
    }
    Ok(())
}

/// HTTP in front of a child: ids are replaced by numbers, and the answers find their way back by these.
pub(crate) async fn http_to_child() -> io::Result<()> {
    let mut child = Child::mock_on_stdio(Shape::HttpToChild.mock())?;
    let pipe = Arc::new(Pipe {
        input: Mutex::new(child.take_input()?),
        waiting: Mutex::default(),
        numbers: AtomicU64::new(1),
    });
    let (output, of_reader) = (child.take_output()?, pipe.clone());
    thread::spawn(move || {
        for line in output.split(b'\n').map_while(Result::ok) {
            of_reader.deliver(&line);
        }
    });
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    announce(&[listener.local_addr()?.port()])?;
    let tasks = TaskTracker::new();
    loop {
        let client = Wire::new(listener.accept().await?.0);
        let pipe = pipe.clone();
        tasks.spawn(async move { drop(pipe.attend(client).await) });
    }
}

struct Pipe {
    input: Mutex<ChildStdin>,
    waiting: Mutex<HashMap<u64, Waiting>>,
    numbers: AtomicU64,
}

/// The id that the client gave, and where its answer goes.
type Waiting = (Vec<u8>, oneshot::Sender<Vec<u8>>);

impl Pipe {
    async fn attend(&self, mut client: Wire) -> io::Result<()> {
        const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";
        while let Some(request) = client.read().await? {
            let body = renamed(&request.body);
            let Some(id) = between(&body, r#""id":"#, b",}").map(<[u8]>::to_vec) else {
                self.say(&body)?;
                client.write("HTTP/1.1 202 Accepted\r\n", b"").await?;
                continue;
            };
            let number = self.numbers.fetch_add(1, Ordering::Relaxed);
            let (sender, answer) = oneshot::channel();
            let sent = with_id(&body, &id, number.to_string().as_bytes());
            self.waiting.lock().insert(number, (id, sender));
            self.say(&sent)?;
            let answer = answer.await.map_err(io::Error::other)?;
            client.write(HEAD, &answer).await?;
        }
        Ok(())
    }

    fn say(&self, message: &[u8]) -> io::Result<()> {
        self.input.lock().write_all(&[message, b"\n"].concat())
    }

    fn deliver(&self, line: &[u8]) {
        let number = between(line, r#""id":"#, b",}");
        let number = number.and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
        let Some((number, waiting)): Option<(u64, _)> =
            number.and_then(|number| Some((number, self.waiting.lock().remove(&number)?)))
        else {
            return;
        };
        let (id, sender) = waiting;
        drop(sender.send(with_id(line, number.to_string().as_bytes(), &id)));
    }
}

/// The message with another id.
fn with_id(message: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    let key = br#""id":"#;
    let Some(at) = memmem::find(message, key) else {
        return message.to_vec();
    };
    let at = at + key.len();
    [&message[..at], new, &message[at + old.len()..]].concat()
}

/// Pipes on both sides: lines are passed on, as many at once as there are.
pub(crate) fn pipe_to_child() -> io::Result<()> {
    let mut child = Child::mock_on_stdio(Shape::PipeToChild.mock())?;
    let (mut input, mut output) = (child.take_input()?, child.take_output()?);
    let answers = thread::spawn(move || io::copy(&mut output, &mut io::stdout().lock()));
    let mut client = io::BufReader::with_capacity(64 * 1024, io::stdin().lock());
    let (mut line, mut batch) = (Vec::new(), Vec::new());
    while client.read_until(b'\n', &mut line)? > 0 {
        batch.extend_from_slice(&renamed(&line));
        line.clear();
        if client.buffer().is_empty() {
            input.write_all(&batch)?;
            batch.clear();
        }
    }
    drop(input);
    drop(answers.join());
    Ok(())
}
