//! The lines of a head (RFC 9112, section 5), as both sides of HTTP/1.1 write them.

use http::header::CONTENT_LENGTH;

/// Appends one header.
pub(super) fn line(name: &str, value: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

/// Appends the one that says how long the body is.
pub(super) fn length_line(length: usize, out: &mut Vec<u8>) {
    let mut digits = itoa::Buffer::new();
    let digits = digits.format(length);
    line(CONTENT_LENGTH.as_str(), digits.as_bytes(), out);
}
