//! Which URIs a URI template (RFC 6570, all four levels) can have been expanded to.
//!
//! The whole URI must match. Matching is lenient where servers are: a simple variable takes any
//! character but `/`, `?` and `#`, and query parameters come in any order. Percent-encoding is
//! compared as RFC 3986 says: `%7e` is `~`, `%2f` is `%2F` and never `/`.
//!
//! Invariant: the work for one URI is bounded by a [`Budget`], whatever the template.

mod expression;
mod program;
mod symbol;
#[cfg(test)]
mod tests;

pub(super) use program::{Budget, Template};
pub(super) use symbol::{Symbol, symbols};

/// The longest URI, in bytes, that is matched with templates.
pub(super) const MAX_URI: usize = 16 * 1024;
