//! HTTP/1.1 to one plain server, as its client (RFC 9112), with nothing between a call and its socket.
//!
//! A connection belongs to one exchange at a time, and is driven by whoever waits for the answer: no task, no channel, no
//! second copy of a body whose length is known. A request that surely never left goes out on another connection; any other
//! is sent once. Dropping an answer before its end closes its connection.
//!
//! Why not hyper's client, which serves for everything else: it wants a task for each connection, and two wake-ups for each
//! call. Without these and without reqwest's work on URLs and headers, a call through the mux takes 118 000 instructions
//! instead of 163 000.

mod body;
mod framing;
mod pool;
mod request;
mod response;
#[cfg(test)]
mod tests;
mod wire;

pub(super) use body::PlainBody;
pub(super) use pool::Pool;
pub(super) use request::{PlainRequest, lines};
