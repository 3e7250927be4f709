//! Usual requests, from the socket to the service and back with nothing between (RFC 9112).
//!
//! Usual is HTTP/1.1 whose head comes at once and is no special case, with a body of known length that is not too long, from
//! somebody who may ask. Whatever else comes is left to hyper, and its connection with it from then on: other methods and
//! versions, chunks, upgrades, expectations, a wish to close, heads that come bit by bit, and all that is wrong. So
//! what HTTP says of special cases is for hyper alone.

mod head;
mod reply;
mod serving;
mod wire;

pub(super) use serving::{Unusual, Usual};
