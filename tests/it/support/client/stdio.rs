//! The client's end of a process's stdin and stdout.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::sync::Arc;
use std::thread;

use parking_lot::{Condvar, Mutex};

use crate::support::{Msg, patience};

/// A link over pipes; messages wait in an inbox until somebody takes them.
pub(crate) struct Stdio {
    stdin: Mutex<Option<Box<dyn Write + Send>>>,
    inbox: Mutex<Inbox>,
    arrived: Condvar,
}

#[derive(Default)]
struct Inbox {
    /// With numbers that grow: others may take messages from anywhere meanwhile.
    waiting: VecDeque<(usize, Msg)>,
    /// Every line that ever came, in order.
    all: Vec<String>,
    broken: Option<String>,
    ended: bool,
}

impl Stdio {
    pub(crate) fn new(
        stdin: impl Write + Send + 'static,
        stdout: impl Read + Send + 'static,
    ) -> Arc<Self> {
        let link = Arc::new(Self {
            stdin: Mutex::new(Some(Box::new(stdin))),
            inbox: Mutex::default(),
            arrived: Condvar::new(),
        });
        let reader = Arc::clone(&link);
        thread::spawn(move || reader.read(BufReader::new(stdout)));
        link
    }

    fn read(&self, mut stdout: impl BufRead) {
        let mut line = Vec::new();
        while stdout
            .read_until(b'\n', &mut line)
            .is_ok_and(|count| count > 0)
        {
            let mut inbox = self.inbox.lock();
            inbox
                .all
                .push(String::from_utf8_lossy(&line).trim_end().to_owned());
            match Msg::try_parse(&line) {
                Ok(msg) => {
                    let number = inbox.all.len();
                    inbox.waiting.push_back((number, msg));
                }
                // The answer to a batch; who sent one looks for it with `take_line`.
                Err(_) if line.starts_with(b"[") => {}
                Err(error) => inbox.broken = Some(error),
            }
            self.arrived.notify_all();
            line.clear();
        }
        self.inbox.lock().ended = true;
        self.arrived.notify_all();
    }

    /// Writes a line.
    #[track_caller]
    pub(crate) fn write(&self, line: &[u8]) {
        self.write_bytes(&[line, b"\n"].concat());
    }

    /// Writes bytes as they are.
    #[track_caller]
    pub(crate) fn write_bytes(&self, bytes: &[u8]) {
        let mut stdin = self.stdin.lock();
        let stdin = stdin.as_mut().expect("stdin is still open");
        stdin
            .write_all(bytes)
            .and_then(|()| stdin.flush())
            .expect("the process reads its stdin");
    }

    /// Ends the process's stdin.
    pub(crate) fn close(&self) {
        *self.stdin.lock() = None;
    }

    /// Takes the first message that fits, waiting for it if need be.
    #[track_caller]
    pub(crate) fn take(&self, what: &str, fits: impl Fn(&Msg) -> bool) -> Msg {
        let mut inbox = self.inbox.lock();
        // Only what has arrived since the last look is looked at.
        let mut looked = 0;
        let mut index = None;
        self.arrived.wait_while_for(
            &mut inbox,
            |inbox| {
                let from = inbox
                    .waiting
                    .partition_point(|(number, _)| *number <= looked);
                let mut new = inbox.waiting.iter().skip(from);
                index = new.position(|(_, msg)| fits(msg)).map(|at| at + from);
                looked = inbox.waiting.back().map_or(looked, |(number, _)| *number);
                index.is_none() && inbox.broken.is_none() && !inbox.ended
            },
            patience(),
        );
        assert!(inbox.broken.is_none(), "not a message: {:?}", inbox.broken);
        let found = index.and_then(|index| Some(inbox.waiting.remove(index)?.1));
        found.unwrap_or_else(|| {
            let ended = if inbox.ended {
                " (stdout has ended)"
            } else {
                ""
            };
            panic!("waited in vain for {what}{ended}; it said {:#?}", inbox.all)
        })
    }

    /// Waits for a line, whether or not it is a message.
    #[track_caller]
    pub(crate) fn take_line(&self, what: &str, fits: impl Fn(&str) -> bool) -> String {
        let mut inbox = self.inbox.lock();
        let find = |inbox: &Inbox| inbox.all.iter().find(|line| fits(line)).cloned();
        self.arrived.wait_while_for(
            &mut inbox,
            |inbox| find(inbox).is_none() && !inbox.ended,
            patience(),
        );
        find(&inbox).unwrap_or_else(|| panic!("waited in vain for {what} in {:#?}", inbox.all))
    }

    /// Takes every waiting message that fits, without waiting.
    pub(crate) fn take_all(&self, fits: impl Fn(&Msg) -> bool) -> Vec<Msg> {
        let mut inbox = self.inbox.lock();
        let (taken, left): (Vec<_>, _) = inbox.waiting.drain(..).partition(|(_, msg)| fits(msg));
        inbox.waiting = left.into();
        taken.into_iter().map(|(_, msg)| msg).collect()
    }

    /// Every line so far, in order.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.inbox.lock().all.clone()
    }

    /// Waits until the process has closed its stdout.
    #[track_caller]
    pub(crate) fn wait_end(&self) {
        let mut inbox = self.inbox.lock();
        self.arrived
            .wait_while_for(&mut inbox, |inbox| !inbox.ended, patience());
        assert!(inbox.ended, "waited in vain for the end of stdout");
    }
}
