//! Durations and sizes as people write them.

use std::time::Duration;

/// Units of a duration in milliseconds, longest suffix first.
const TIME_UNITS: [(&str, u64); 5] = [
    ("ms", 1),
    ("s", 1_000),
    ("m", 60_000),
    ("h", 3_600_000),
    ("d", 86_400_000),
];

/// Units of a size in bytes, longest suffix first.
const SIZE_UNITS: [(&str, u64); 7] = [
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("B", 1),
];

/// Reads `30s`, `500ms`, `2m`, `1h`, `1d`; a bare number is seconds, with a fraction if wanted.
/// What is too long to count in milliseconds comes out as the longest that can be counted.
pub(crate) fn duration(text: &str) -> Option<Duration> {
    for (unit, millis) in TIME_UNITS {
        if let Some(count) = text.strip_suffix(unit) {
            return Some(Duration::from_millis(whole(count)?.saturating_mul(millis)));
        }
    }
    seconds(text)
}

/// Reads `64MiB`, `1GB` or a number of bytes; saturates.
pub(crate) fn size(text: &str) -> Option<u64> {
    for (unit, bytes) in SIZE_UNITS {
        if let Some(count) = text.strip_suffix(unit) {
            return Some(whole(count.trim_end())?.saturating_mul(bytes));
        }
    }
    whole(text)
}

/// Reads digits and nothing else; saturates.
pub(crate) fn whole(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}

/// Reads a decimal number of seconds, exact to the millisecond.
fn seconds(text: &str) -> Option<Duration> {
    if let Some(count) = whole(text) {
        return Some(Duration::from_millis(count.saturating_mul(1_000)));
    }
    let number: f64 = text.parse().ok().filter(|number: &f64| *number >= 0.0)?;
    let exact = Duration::try_from_secs_f64(number).unwrap_or(Duration::MAX);
    let millis = u64::try_from(exact.as_millis()).unwrap_or(u64::MAX);
    Some(Duration::from_millis(millis))
}

/// A duration in the largest unit that keeps it whole, as in `30s`.
pub(crate) fn show_duration(duration: Duration) -> String {
    let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let fits = |(_, size): &&(&str, u64)| millis.is_multiple_of(*size);
    match TIME_UNITS.iter().rev().find(fits) {
        Some((unit, size)) if millis > 0 => format!("{}{unit}", millis / size),
        _ => "0s".into(),
    }
}

/// A size in the largest binary unit that keeps it whole, as in `64MiB`.
pub(crate) fn show_size(bytes: u64) -> String {
    let fits = |(_, size): &&(&str, u64)| bytes.is_multiple_of(*size);
    match SIZE_UNITS[..3].iter().rev().find(fits) {
        Some((unit, size)) if bytes > 0 => format!("{}{unit}", bytes / size),
        _ => format!("{bytes}B"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations_are_read() {
        let millis = |text| duration(text).map(|duration| duration.as_millis());
        let written = ["500ms", "30s", "2m", "1h", "1d", "0", "30", "0.25", "1e2"];
        let expected = [
            500, 30_000, 120_000, 3_600_000, 86_400_000, 0, 30_000, 250, 100_000,
        ];
        assert_eq!(written.map(millis), expected.map(Some));
    }

    #[test]
    fn other_texts_are_no_durations() {
        for text in [
            "", "s", "ms", "-1", "-1s", "1.5s", "1 s", "1m30s", "1w", "NaN", "+1s",
        ] {
            assert_eq!(duration(text), None, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_counted_saturates() {
        let longest = Some(Duration::from_millis(u64::MAX));
        let written = [
            "99999999999999999999s",
            "18446744073709551615",
            "213503982335d",
            "1e300",
        ];
        assert_eq!(written.map(duration), [longest; 4]);
        assert_eq!(
            ["99999999999GiB", "18446744073709551616"].map(size),
            [Some(u64::MAX); 2]
        );
    }

    #[test]
    fn sizes_are_read() {
        let written = ["0", "1024", "64MiB", "64 MiB", "2KB", "1GB", "5B", "1GiB"];
        let expected = [
            0,
            1024,
            67_108_864,
            67_108_864,
            2000,
            1_000_000_000,
            5,
            1 << 30,
        ];
        assert_eq!(written.map(size), expected.map(Some));
        for text in ["", "MiB", "-1", "1.5MiB", "1mib"] {
            assert_eq!(size(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_shown_quantity_reads_back(number: u64) {
            let time = Duration::from_millis(number);
            prop_assert_eq!(duration(&show_duration(time)), Some(time));
            prop_assert_eq!(size(&show_size(number)), Some(number));
        }
    }
}
