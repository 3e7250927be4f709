//! Edits: any text is edited or refused, what was added is there, what was removed is not. Input: syntax
//! and holder, text.

#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use mcpmux::config::Format;
use mcpmux::config::edit::{Edit, EditError, EntryText, Existing, Holder, Power, edit, masked};

const NAME: &str = "a";

fuzz_target!(|data: &[u8]| {
    let [kind, text @ ..] = data else {
        return;
    };
    let Ok(text) = std::str::from_utf8(text) else {
        return;
    };
    let file = Path::new(if kind % 2 == 0 { "x.json" } else { "x.toml" });
    let formats = [Format::McpServers, Format::MistralRs, Format::VtCode];
    let holder = Holder::of(formats[usize::from(kind / 2) % formats.len()]);
    masked(file, text);
    let run = |text: &str, wanted: &Edit<'_>| edit(file, text, &holder, wanted);
    for power in [Power::Off, Power::On] {
        let switch = Edit::Switch { name: NAME, power };
        if let Ok(switched) = run(text, &switch) {
            assert_eq!(run(&switched.text, &switch), Ok(switched), "{power:?}");
        }
    }
    let mut entry = EntryText::new();
    entry.insert("command".into(), "x\n\"'\\".into());
    let put = |existing| Edit::Put {
        name: NAME,
        entry: &entry,
        existing,
    };
    let Ok(written) = run(text, &put(Existing::Replace)) else {
        return;
    };
    let again = run(&written.text, &put(Existing::Keep));
    assert!(matches!(again, Err(EditError::Exists { .. })), "{again:?}");
    let remove = Edit::Remove { name: NAME };
    if let Ok(removed) = run(&written.text, &remove) {
        let again = run(&removed.text, &remove);
        assert!(matches!(again, Err(EditError::Missing { .. })), "{again:?}");
    }
});
