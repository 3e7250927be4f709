//! Heads that come again and again on one connection, alike but for the length of the body.

use std::ops::Range;

use bytes::Bytes;

/// The most digits of a length that is known again.
const DIGITS: usize = 15;

/// The text of a head, to know it again.
pub(super) struct Alike {
    text: Bytes,
    /// Where the length of the body stands, if there is one.
    length: Option<Range<usize>>,
}

/// Where a head ends, and how long the body behind it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ends {
    pub(super) head: usize,
    pub(super) body: usize,
}

impl Alike {
    /// A complete head. `length`: the digits of its `Content-Length`, if it has any.
    pub(super) fn new(text: Bytes, length: Option<&[u8]>) -> Self {
        let place = |digits: &[u8]| {
            let start = digits.as_ptr() as usize - text.as_ptr() as usize;
            start..start + digits.len()
        };
        let length = length.map(place);
        Self { text, length }
    }

    /// Where it ends if it is at the start of what was read, with any length of the body.
    pub(super) fn again(&self, read: &[u8]) -> Option<Ends> {
        let Some(place) = &self.length else {
            let head = self.text.len();
            return read
                .starts_with(&self.text)
                .then_some(Ends { head, body: 0 });
        };
        let rest = read.strip_prefix(&self.text[..place.start])?;
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let body = length(&rest[..digits])?;
        let behind = &self.text[place.end..];
        let head = place.start + digits + behind.len();
        rest[digits..]
            .starts_with(behind)
            .then_some(Ends { head, body })
    }
}

/// A length that is nothing but digits.
pub(super) fn length(value: &[u8]) -> Option<usize> {
    let is_number =
        !value.is_empty() && value.len() <= DIGITS && value.iter().all(u8::is_ascii_digit);
    let text = std::str::from_utf8(value).ok().filter(|_| is_number)?;
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 007\r\nx: 2\r\n\r\n";

    fn head(text: &'static str) -> Alike {
        let text = Bytes::from_static(text.as_bytes());
        let at = HEAD.find("007").filter(|_| text.len() == HEAD.len());
        Alike::new(text.clone(), at.map(|at| &text[at..at + 3]))
    }

    #[test]
    fn a_head_is_known_again_with_any_length_and_nothing_else() {
        let head = head(HEAD);
        for (digits, body) in [("0", 0), ("12", 12), ("123456789", 123_456_789)] {
            let other = HEAD.replace("007", digits);
            let ends = Ends {
                head: other.len(),
                body,
            };
            assert_eq!(head.again(other.as_bytes()), Some(ends));
            assert_eq!(head.again(format!("{other}more").as_bytes()), Some(ends));
        }
        for digits in ["", "-1", "+1", "1 1", "1,1", "0x1", "9999999999999999"] {
            let other = HEAD.replace("007", digits);
            assert_eq!(head.again(other.as_bytes()), None, "{digits}");
        }
        let within = HEAD.find("007").unwrap();
        for at in 0..HEAD.len() {
            assert_eq!(head.again(&HEAD.as_bytes()[..at]), None, "{at}");
            let mut other = HEAD.as_bytes().to_vec();
            other[at] ^= 1;
            let is_length = (within..within + 3).contains(&at);
            assert_eq!(head.again(&other).is_some(), is_length, "{at}");
        }
    }

    #[test]
    fn a_head_without_a_length_is_known_as_it_is() {
        let text = "GET / HTTP/1.1\r\n\r\n";
        let ends = Ends {
            head: text.len(),
            body: 0,
        };
        assert_eq!(head(text).again(format!("{text}G").as_bytes()), Some(ends));
        assert_eq!(head(text).again(b"GET /"), None);
    }
}
