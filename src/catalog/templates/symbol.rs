//! The characters of a URI with percent-encoding made comparable.

/// One character of a URI: a byte that stands for itself, or one that must be (or was) encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::catalog) enum Symbol {
    /// A reserved or unreserved character of RFC 3986, with its syntactic meaning.
    Plain(u8),
    /// A byte that has no syntactic meaning: `%2F`, a space, a byte of a letter beyond ASCII.
    Encoded(u8),
}

/// The symbols of a text. Equal URIs (RFC 3986, 6.2.2.1 and 6.2.2.2 without case of scheme and
/// host) have equal symbols.
pub(in crate::catalog) fn symbols(text: &str) -> Vec<Symbol> {
    let bytes = text.as_bytes();
    let mut symbols = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        if let Some(decoded) = triplet(&bytes[at..]) {
            symbols.push(if is_unreserved(decoded) {
                Symbol::Plain(decoded)
            } else {
                Symbol::Encoded(decoded)
            });
            at += 3;
        } else {
            symbols.push(if is_unreserved(*byte) || is_reserved(*byte) {
                Symbol::Plain(*byte)
            } else {
                Symbol::Encoded(*byte)
            });
            at += 1;
        }
    }
    symbols
}

/// The byte that a leading `%XX` stands for.
fn triplet(bytes: &[u8]) -> Option<u8> {
    let [b'%', high, low, ..] = bytes else {
        return None;
    };
    let high = char::from(*high).to_digit(16)?;
    let low = char::from(*low).to_digit(16)?;
    u8::try_from(high * 16 + low).ok()
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}

fn is_reserved(byte: u8) -> bool {
    b":/?#[]@!$&'()*+,;=".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::symbols;

    #[test]
    fn percent_encoding_is_compared_by_meaning() {
        for (one, other, equal) in [
            ("a%7Eb", "a~b", true),
            ("%2f", "%2F", true),
            ("%2F", "/", false),
            ("a b", "a%20b", true),
            ("ß", "%c3%9F", true),
            ("%", "%25", true),
            ("%4", "%254", true),
            ("A", "a", false),
        ] {
            assert_eq!(symbols(one) == symbols(other), equal, "{one} and {other}");
        }
    }
}
