//! Log messages on their way to clients.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::protocol::{LogLevel, LogWish, ServerName};
use crate::wire::{Json, Splice};

use super::hub::Mux;

/// What a client hears that has set no level, once others want to know more.
const USUAL: LogLevel = LogLevel::Info;

/// Whether anybody has asked for chattier messages than [`USUAL`]: from then on, what servers send is not what they
/// like to send.
#[derive(Default)]
pub(super) struct Chatter(AtomicBool);

impl Chatter {
    pub(super) fn wished(&self, level: LogLevel) {
        if level < USUAL {
            self.0.store(true, Ordering::Relaxed);
        }
    }
}

impl Mux {
    /// What a client hears that has set no level: what the servers like, but not what they say because others have
    /// asked for it.
    pub fn usual_logs(&self) -> LogWish {
        if self.chatter.0.load(Ordering::Relaxed) {
            LogWish::AtLeast(USUAL)
        } else {
            LogWish::AsTheServerLikes
        }
    }

    /// Some client wants messages of this level and graver ones, also outside its calls. Servers are told in the
    /// background; those that are away, when they are back.
    pub fn log_at_least(&self, level: LogLevel) {
        self.chatter.wished(level);
        for upstream in self.pool.all().values() {
            let upstream = upstream.clone();
            self.tracker
                .spawn(async move { upstream.log_at_least(level).await });
        }
    }
}

/// The params of a log message with a `logger`: the server, where it names none itself.
pub(super) fn with_logger(server: &ServerName, params: Json) -> Json {
    if params.get("logger").is_some() {
        return params;
    }
    match Splice::new(&params) {
        Some(mut splice) => splice.set("logger", Json::string(server.as_str())).finish(),
        None => params,
    }
}
