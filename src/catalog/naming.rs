//! From the name that a server gave to the name that we offer: rename, prefix, shorten.
//!
//! Everything here depends on one server's rules and one name only, so that a further server can
//! rename nothing that stood before it.

use std::borrow::Cow;

/// The digits of the hash in a shortened name: legal in tool names, one case only.
const DIGITS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// The length of that hash: 40 bits, so that two long names of one catalog hardly ever meet.
const HASH_LENGTH: usize = 8;

/// `prefix`, `separator` and `name` in one; the name alone where the prefix is off or empty.
///
/// Characters of the prefix that tool names may not have (2026-07-28, "Tool Names") become `_`.
pub fn prefixed(prefix: Option<&str>, separator: &str, name: &str) -> String {
    let Some(prefix) = prefix.filter(|prefix| !prefix.is_empty()) else {
        return name.to_owned();
    };
    let mut full = String::with_capacity(prefix.len() + separator.len() + name.len());
    full.extend(prefix.chars().map(|c| if is_legal(c) { c } else { '_' }));
    full.push_str(separator);
    full.push_str(name);
    full
}

/// The name itself if it has at most `limit` characters, else its head, `_` and a hash of all of it.
///
/// The same name gives the same result in every process and every version.
pub fn shortened(full: &str, limit: usize) -> Cow<'_, str> {
    // A name with few bytes has few characters: nothing to count.
    if full.len() <= limit || full.chars().count() <= limit {
        return Cow::Borrowed(full);
    }
    let hash = digits(stable_hash(full.as_bytes()));
    match limit.checked_sub(HASH_LENGTH + 1) {
        Some(head) if head > 0 => {
            let mut short: String = full.chars().take(head).collect();
            short.push('_');
            short.push_str(&hash);
            Cow::Owned(short)
        }
        _ => Cow::Owned(hash.chars().take(limit).collect()),
    }
}

/// A prefix (or a server's key) made fit to stand at the start of a URI's scheme (RFC 3986, 3.1):
/// lower case, other characters `-`, a letter first.
pub fn scheme_safe(prefix: &str) -> String {
    let fit = prefix
        .chars()
        .flat_map(char::to_lowercase)
        .map(|c| match c {
            'a'..='z' | '0'..='9' | '+' | '.' | '-' => c,
            _ => '-',
        });
    let mut scheme = String::with_capacity(prefix.len() + 1);
    scheme.extend(fit);
    if !scheme.starts_with(|c: char| c.is_ascii_lowercase()) {
        scheme.insert(0, 'x');
    }
    scheme
}

/// A hash that never changes: FNV-1a with the finaliser of `MurmurHash3`, which spreads the last bytes.
pub(super) fn stable_hash(bytes: &[u8]) -> u64 {
    let mut hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}

fn digits(hash: u64) -> String {
    (0..HASH_LENGTH)
        .map(|place| char::from(DIGITS[(hash >> (5 * place)) as usize & 31]))
        .collect()
}

fn is_legal(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_prefix_stands_before_the_name_and_loses_illegal_characters() {
        for (prefix, name, public) in [
            (Some("gh"), "create_issue", "gh__create_issue"),
            (Some("my server/2"), "x", "my_server_2__x"),
            (Some("a.b-c_D9"), "x y", "a.b-c_D9__x y"),
            (Some("größe"), "x", "gr__e__x"),
            (Some(""), "x", "x"),
            (None, "x", "x"),
        ] {
            assert_eq!(prefixed(prefix, "__", name), public);
        }
    }

    #[test]
    fn only_a_name_over_the_limit_is_shortened() {
        let long = "a_rather_long_name_of_a_tool";
        for (full, limit, short) in [
            ("short", 64, "short"),
            (long, 28, long),
            (long, 27, "a_rather_long_name_vuyfhd3x"),
            (long, 11, "a__vuyfhd3x"),
            (long, 9, "vuyfhd3x"),
            (long, 3, "vuy"),
            (long, 0, ""),
            ("ßßß", 3, "ßßß"),
            ("ßßßßßßßßßßßß", 11, "ßß_vwlji3qm"),
        ] {
            assert_eq!(shortened(full, limit), short, "{full} in {limit}");
        }
    }

    #[test]
    fn a_scheme_starts_with_a_letter_and_is_lower_case() {
        for (prefix, scheme) in [
            ("gh", "gh"),
            ("My_Server 2", "my-server-2"),
            ("9lives", "x9lives"),
            ("_a", "x-a"),
            ("a.b+c", "a.b+c"),
            ("ÄB", "x-b"),
            ("", "x"),
        ] {
            assert_eq!(scheme_safe(prefix), scheme);
        }
    }

    proptest! {
        #[test]
        fn a_shortened_name_fits_and_stays_legal(full in "[A-Za-z0-9_.-]{0,200}", limit in 1_usize..150) {
            let short = shortened(&full, limit);
            prop_assert!(short.len() <= limit);
            prop_assert!(short.chars().all(is_legal));
            prop_assert_eq!(full.len() <= limit, short == full.as_str());
        }

        #[test]
        fn a_scheme_is_one_by_its_grammar(prefix in ".{0,20}") {
            let scheme = scheme_safe(&prefix);
            prop_assert!(scheme.starts_with(|c: char| c.is_ascii_lowercase()));
            prop_assert!(scheme.chars().all(|c| matches!(c, 'a'..='z' | '0'..='9' | '+' | '.' | '-')));
        }
    }
}
