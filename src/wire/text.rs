//! The inside of JSON strings: searching, decoding and writing.

use std::borrow::Cow;

/// A decoded string.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unescaped {
    /// The text, with U+FFFD for each lone surrogate.
    pub(super) text: String,
    /// Whether there was a lone surrogate, so that the text does not tell the whole truth.
    pub(super) lossy: bool,
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = ONES << 7;

/// Most strings are shorter than this, in bytes; only for longer ones a search in great steps pays.
const SHORT: usize = 32;
/// How far such a search looks ahead at first.
const AHEAD: usize = 256;

/// The length of a string without escapes that begins here, if that is short; the quote that ends it is behind it.
/// Nearly all strings but texts are, and this is little enough code for every place that meets one.
#[inline]
pub(super) fn short_string(text: &[u8]) -> Option<usize> {
    let words = text.first_chunk::<16>()?;
    let (words, _) = words.as_chunks::<8>();
    for (at, word) in [0, 8].into_iter().zip(words) {
        let hits = specials(u64::from_le_bytes(*word));
        if hits != 0 {
            let end = at + first(hits);
            return (text[end] == b'"').then_some(end);
        }
    }
    None
}

/// Length of the longest prefix without a quote, a backslash or a control character.
pub(super) fn plain_prefix(text: &[u8]) -> usize {
    let mut at = 0;
    while let Some(word) = text[at..].first_chunk::<8>() {
        let hits = specials(u64::from_le_bytes(*word));
        if hits != 0 {
            return at + first(hits);
        }
        at += 8;
        if at >= SHORT {
            return at + plain_run(&text[at..]);
        }
    }
    let rest = &text[at..];
    at + rest
        .iter()
        .position(|byte| is_special(*byte))
        .unwrap_or(rest.len())
}

/// The same for what is probably long: two looks that each take a vector at a time are faster than one at words. They go
/// no further ahead than twice as far as they have come, so that whoever goes from one control character to the next
/// does not look at all the rest each time.
fn plain_run(text: &[u8]) -> usize {
    let (mut at, mut ahead) = (0, AHEAD);
    while at < text.len() {
        let block = &text[at..text.len().min(at + ahead)];
        let run = &block[..until_quote(block)];
        let lowest = run.iter().fold(u8::MAX, |lowest, byte| lowest.min(*byte));
        if lowest < b' ' {
            return at + run.iter().take_while(|byte| **byte >= b' ').count();
        }
        at += run.len();
        if run.len() < block.len() {
            break;
        }
        ahead = at;
    }
    at
}

/// Length of the longest prefix without a quote or a backslash.
pub(super) fn until_quote(text: &[u8]) -> usize {
    memchr::memchr2(b'"', b'\\', text).unwrap_or(text.len())
}

/// Sets the high bit of each byte that is zero. Borrows may set false bits above the lowest true one, which is all that
/// is read.
#[inline]
fn zeros(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word & HIGHS
}

/// The byte that the lowest of these bits is in.
#[inline]
fn first(hits: u64) -> usize {
    (hits.trailing_zeros() / 8) as usize
}

#[inline]
fn is_special(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

/// Sets the high bit of each special byte, as [`zeros`] does.
#[inline]
fn specials(word: u64) -> u64 {
    let control = word.wrapping_sub(ONES * 0x20) & !word & HIGHS;
    control | zeros(word ^ (ONES * 0x22)) | zeros(word ^ (ONES * 0x5c))
}

/// Decodes a valid JSON value, if it is a string; lone surrogates read as U+FFFD.
pub(super) fn decode(json: &[u8]) -> Option<Cow<'_, str>> {
    let raw = json.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    if raw.contains(&b'\\') {
        Some(Cow::Owned(unescape(raw).text))
    } else {
        Some(unicode(raw))
    }
}

/// A part of a text that is UTF-8; the checked reading is many times faster than the lossy one.
pub(super) fn unicode(raw: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(raw) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => String::from_utf8_lossy(raw),
    }
}

/// Decodes what stands between the quotes of a valid JSON string.
pub(super) fn unescape(raw: &[u8]) -> Unescaped {
    let mut text = String::with_capacity(raw.len());
    let mut lossy = false;
    let mut rest = raw;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        text.push_str(&String::from_utf8_lossy(&rest[..at]));
        let (char, length) = escape(&rest[at..]);
        lossy |= char.is_none();
        text.push(char.unwrap_or(char::REPLACEMENT_CHARACTER));
        rest = rest.get(at + length..).unwrap_or_default();
    }
    text.push_str(&String::from_utf8_lossy(rest));
    Unescaped { text, lossy }
}

/// Decodes the escape at the start of `raw`: the character, `None` for a lone surrogate, and its length in bytes.
fn escape(raw: &[u8]) -> (Option<char>, usize) {
    let simple = match raw.get(1) {
        Some(b'u') => return unicode_escape(raw),
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(other) => char::from(*other),
        None => return (None, 1),
    };
    (Some(simple), 2)
}

fn unicode_escape(raw: &[u8]) -> (Option<char>, usize) {
    let Some(high) = code_unit(raw) else {
        return (None, 2);
    };
    let pair = code_unit(&raw[6..]).and_then(|low| char::decode_utf16([high, low]).next());
    match (char::from_u32(u32::from(high)), pair) {
        (Some(char), _) => (Some(char), 6),
        (None, Some(Ok(char))) => (Some(char), 12),
        (None, _) => (None, 6),
    }
}

/// The code unit of a `\u` escape with its four digits, at the start of `raw`.
fn code_unit(raw: &[u8]) -> Option<u16> {
    let digits = raw.get(..6)?.strip_prefix(b"\\u")?;
    u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

/// Appends `text` as a JSON string, escaping only what must be escaped.
pub(super) fn quote(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let mut rest = text.as_bytes();
    loop {
        let plain = plain_prefix(rest);
        out.extend_from_slice(&rest[..plain]);
        let Some(special) = rest.get(plain) else {
            break;
        };
        match special {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', *special]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            control => out.extend_from_slice(format!("\\u{control:04x}").as_bytes()),
        }
        rest = &rest[plain + 1..];
    }
    out.push(b'"');
}

/// The most digits that an integer has.
pub(super) const MAX_DECIMAL: usize = 20;

/// Appends `integer` in decimal digits.
pub(super) fn decimal(mut integer: u64, out: &mut Vec<u8>) {
    let mut digits = [0; MAX_DECIMAL];
    let mut start = digits.len();
    loop {
        start -= 1;
        digits[start] = b'0' + (integer % 10) as u8;
        integer /= 10;
        if integer == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[start..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plain_prefix_ends_at_the_first_special_byte() {
        let plain = "abc \u{7f}\u{e9}\u{1f600}!#[]";
        for length in 0..=plain.len() {
            for special in [b'"', b'\\', 0, 0x1f, b'\n'] {
                let mut text = plain.as_bytes()[..length].to_vec();
                text.push(special);
                text.extend_from_slice(b"tail\x01 of a longer text \"\\");
                assert_eq!(plain_prefix(&text), length, "{special:#x} at {length}");
            }
        }
        assert_eq!(plain_prefix(plain.as_bytes()), plain.len());
    }

    #[test]
    fn long_plain_prefixes_end_at_the_first_special_byte() {
        for length in 0..3 * AHEAD {
            for special in [b'"', b'\\', 0, 0x1f] {
                let mut text = vec![b'x'; length];
                text.push(special);
                text.extend_from_slice(&[b'y'; 4 * SHORT]);
                assert_eq!(plain_prefix(&text), length, "{special:#x} at {length}");
                if special > 0x1f {
                    assert_eq!(until_quote(&text), length, "{special:#x} at {length}");
                }
            }
            assert_eq!(plain_prefix(&vec![b'x'; length]), length);
            assert_eq!(until_quote(&vec![0xc3; length]), length);
        }
    }

    #[test]
    fn short_strings_end_at_their_quote() {
        for length in 0..20 {
            for (special, found) in [(b'"', true), (b'\\', false), (0, false)] {
                let mut text = vec![b'x'; length];
                text.push(special);
                text.extend_from_slice(b"\"more text than is looked at");
                let expected = (found && length < 16).then_some(length);
                assert_eq!(short_string(&text), expected, "{special:#x} at {length}");
            }
        }
        assert_eq!(
            short_string(b"text\""),
            None,
            "too little is left to be seen at once"
        );
    }

    #[test]
    fn integers_are_written_as_the_standard_library_writes_them() {
        for integer in [0, 7, 10, 99, 100, 12_345, u64::MAX] {
            let mut out = Vec::new();
            decimal(integer, &mut out);
            assert_eq!(out, integer.to_string().into_bytes());
        }
    }

    #[test]
    fn escapes_are_decoded() {
        let raw = br#"\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00 x"#;
        let text = "\"\\/\u{8}\u{c}\n\r\t\u{e9}\u{1f600} x".to_owned();
        assert_eq!(unescape(raw), Unescaped { text, lossy: false });
    }

    #[test]
    fn lone_surrogates_become_replacement_characters() {
        let text = "\u{fffd}a\u{fffd}\u{fffd}\u{1f600}".to_owned();
        assert_eq!(
            unescape(br"\ud800a\udc00\ud83d\ud83d\ude00"),
            Unescaped { text, lossy: true }
        );
    }

    /// Of many control characters in a long text, each would cost a look at all the rest: minutes, for this one.
    #[test]
    fn quoting_looks_at_no_byte_often() {
        let text = format!("{}\n", "x".repeat(49)).repeat(40_000);
        let mut out = Vec::new();
        quote(&text, &mut out);
        assert_eq!(out.len(), text.len() + 40_000 + 2);
    }

    #[test]
    fn quoting_is_undone_by_serde_json() {
        let text: String = (0..0x250_u32).filter_map(char::from_u32).collect();
        let mut out = Vec::new();
        quote(&text, &mut out);
        assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), text);
    }
}
