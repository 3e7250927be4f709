//! Configurations: any text comes to a configuration or to errors, the same each time, and what a
//! variable holds is in no message. Input: syntax, text.

#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use mcpmux::config::{Config, Environment, Sources};

const SECRET: &str = "hunter2hunter2";

fuzz_target!(|data: &[u8]| {
    let [syntax, text @ ..] = data else {
        return;
    };
    let Ok(text) = std::str::from_utf8(text) else {
        return;
    };
    // Nothing on this machine is to be read.
    if ["${file", "envFile", SECRET]
        .iter()
        .any(|word| text.contains(word))
    {
        return;
    }
    let name = if syntax % 2 == 0 { "x.json" } else { "x.toml" };
    let told = tell(name, text);
    assert!(!told.contains(SECRET), "{told}");
    assert_eq!(tell(name, text), told);
});

fn tell(name: &str, text: &str) -> String {
    let variable = |name: &str| (name.to_owned(), SECRET.to_owned());
    let sources = Sources {
        env: Environment::new(["A", "SECRET"].map(variable)),
        cwd: "/nowhere".into(),
        home: Some("/home/somebody".into()),
        ..Sources::default()
    };
    match Config::from_text(Path::new(name), text, &sources) {
        Ok(config) => {
            for name in config.servers.keys() {
                assert!(!config.disabled.contains(name));
            }
            config
                .warnings
                .iter()
                .map(|warning| format!("{warning}\n"))
                .collect()
        }
        Err(errors) => {
            assert!(!errors.errors.is_empty());
            errors.to_string()
        }
    }
}
