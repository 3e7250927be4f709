//! The nearest of some known words.

/// The known word that was probably meant; `None` if no word is near. Case counts little.
pub(crate) fn nearest<'a>(wanted: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    // Long garbage is near to nothing, and comparing it would take long.
    if wanted.len() > 64 {
        return None;
    }
    let plain = |text: &str| text.to_lowercase().replace(['-', '_'], "");
    let wanted = plain(wanted);
    let distance = |word: &&str| strsim::damerau_levenshtein(&wanted, &plain(word));
    let nearest = known.min_by_key(distance)?;
    let limit = nearest.chars().count().max(3) / 3;
    (distance(&nearest) <= limit).then_some(nearest)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [&str; 5] = ["command", "args", "env", "envFile", "callTimeout"];

    fn near(wanted: &str) -> Option<&'static str> {
        nearest(wanted, KNOWN.into_iter())
    }

    #[test]
    fn typing_errors_are_recognised() {
        let written = [
            "comand",
            "commnad",
            "arg",
            "call_timeout",
            "CALLTIMEOUT",
            "envfile",
            "evn",
        ];
        let meant = [
            "command",
            "command",
            "args",
            "callTimeout",
            "callTimeout",
            "envFile",
            "env",
        ];
        assert_eq!(written.map(near), meant.map(Some));
    }

    #[test]
    fn other_words_are_left_alone() {
        assert_eq!(["", "x", "description", "icon"].map(near), [None; 4]);
        assert_eq!(near(&"args".repeat(100)), None);
    }
}
