//! Where a configuration is looked for, and which source beats which.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::super::{
    Config, ConfigErrors, Environment, Flags, Health, Listen, Origin, Settings, Sources,
};

/// A directory with files, an environment and flags.
struct Case {
    folder: tempfile::TempDir,
    variables: Vec<(String, String)>,
    sources: Sources,
}

impl Case {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let cwd = folder.path().join("work");
        let home = folder.path().join("home");
        std::fs::create_dir_all(&cwd).unwrap();
        let sources = Sources {
            cwd,
            home: Some(home),
            ..Sources::default()
        };
        Self {
            folder,
            variables: Vec::new(),
            sources,
        }
    }

    /// Writes a file into the case's folder, where `work` is the working directory.
    fn file(self, path: &str, text: &str) -> Self {
        let path = self.folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        self
    }

    fn given(mut self, path: &str) -> Self {
        self.sources.files.push(path.into());
        self
    }

    fn var(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    fn path(&self, path: &str) -> String {
        self.folder.path().join(path).to_str().unwrap().to_owned()
    }

    fn flags(mut self, flags: Flags) -> Self {
        self.sources.flags = flags;
        self
    }

    fn load(&self) -> Result<Config, ConfigErrors> {
        let env = Environment::new(self.variables.clone());
        Config::load(&Sources {
            env,
            ..self.sources.clone()
        })
    }

    fn settings(&self) -> Settings {
        self.load().unwrap().settings
    }

    fn errors(&self) -> String {
        let folder = self.folder.path().to_str().unwrap();
        self.load()
            .unwrap_err()
            .to_string()
            .replace(folder, "<here>")
    }
}

#[test]
fn the_search_order_is_variable_then_directory_then_user() {
    let case = Case::new().file(
        "home/.config/mcpmux/config.json",
        r#"{ "mux": { "separator": "home" } }"#,
    );
    assert_eq!(case.settings().separator, "home");
    let case = case.file(
        "xdg/mcpmux/config.json",
        r#"{ "mux": { "separator": "xdg" } }"#,
    );
    let xdg = case.path("xdg");
    let case = case.var("XDG_CONFIG_HOME", &xdg);
    assert_eq!(case.settings().separator, "xdg");
    let case = case.file(
        "work/mcp-config.json",
        r#"{ "mux": { "separator": "work" } }"#,
    );
    assert_eq!(case.settings().separator, "work");
    assert_eq!(
        case.load().unwrap().files,
        [PathBuf::from("mcp-config.json")]
    );
    let case = case
        .file("named.toml", "mux.separator = 'named'")
        .var("MCPMUX_CONFIG", "../named.toml");
    assert_eq!(case.settings().separator, "named");
    let case = case
        .file("work/flag.json", r#"{ "mux": { "separator": "flag" } }"#)
        .given("flag.json");
    assert_eq!(case.settings().separator, "flag");
}

#[test]
fn no_file_at_all_says_where_it_was_looked_for() {
    assert_eq!(
        Case::new()
            .var("XDG_CONFIG_HOME", "relative/is/ignored")
            .errors(),
        "error: no configuration file was found\n  hint: name one with --config FILE; looked for \
         mcp-config.json and <here>/home/.config/mcpmux/config.json"
    );
}

#[test]
fn a_named_file_must_be_there() {
    let errors = Case::new().given("a.json").given("/").errors();
    assert_eq!(
        errors,
        "error: cannot read the file: it does not exist\n  at a.json\n\
         error: cannot read the file: it is a directory\n  at /"
    );
    let missing = Case::new().var("MCPMUX_CONFIG", "b.json").errors();
    assert_eq!(
        missing,
        "error: cannot read the file: it does not exist\n  at b.json"
    );
}

#[test]
fn defaults_yield_to_files_and_files_to_the_environment_and_that_to_flags() {
    let file = r#"{ "mux": { "listen": "1", "logLevel": "warn", "callTimeout": "2s" } }"#;
    let case = Case::new().file("work/mcp-config.json", file);
    let expected = Settings {
        listen: "1".parse().ok(),
        log_level: Some("warn".into()),
        call_timeout: Duration::from_secs(2),
        ..Settings::default()
    };
    assert_eq!(case.settings(), expected);

    let case = case
        .var("MCPMUX_LISTEN", "2")
        .var("MCPMUX_LOG_LEVEL", "info");
    let expected = Settings {
        listen: "2".parse().ok(),
        log_level: Some("info".into()),
        ..expected
    };
    assert_eq!(case.settings(), expected);

    let case = case.flags(Flags {
        listen: Some("0.0.0.0:3".into()),
        log_level: None,
    });
    let expected = Settings {
        listen: "0.0.0.0:3".parse().ok(),
        ..expected
    };
    assert_eq!(case.settings(), expected);

    let explained = case.load().unwrap().explained;
    let origin = |key: &str| {
        let found = explained.iter().find(|setting| setting.key == key).unwrap();
        (found.value.clone(), found.place.to_string())
    };
    let pair = |value: &str, place: &str| (value.to_owned(), place.to_owned());
    assert_eq!(origin("listen"), pair("0.0.0.0:3", "--http (mux.listen)"));
    let place = "environment variable MCPMUX_LOG_LEVEL (mux.logLevel)";
    assert_eq!(origin("logLevel"), pair("info", place));
    assert_eq!(
        origin("callTimeout"),
        pair("2s", "mcp-config.json:1 (mux.callTimeout)")
    );
    assert_eq!(origin("separator"), pair("__", "default"));
}

#[test]
fn every_sort_of_setting_can_come_from_the_environment() {
    let case = Case::new()
        .file(
            "work/mcp-config.json",
            r#"{ "mux": { "aliases": { "a": "x" } } }"#,
        )
        .var("MCPMUX_SEPARATOR", "5")
        .var("MCPMUX_MAX_NAME_LENGTH", " 100 ")
        .var("MCPMUX_ON_CONFLICT", "error")
        .var("MCPMUX_CALL_TIMEOUT", "90")
        .var("MCPMUX_STARTUP_TIMEOUT", "1m")
        .var("MCPMUX_HEALTH__INTERVAL", "5s")
        .var("MCPMUX_HEALTH__UNHEALTHY_THRESHOLD", "9")
        .var("MCPMUX_MAX_MESSAGE_SIZE", "1MiB")
        .var("MCPMUX_ALLOWED_HOSTS", "one.example, two.example,")
        .var("MCPMUX_ALIASES", "b = y, c=z")
        .var("MCPMUX_LISTEN", "localhost:0")
        .var("MCPMUX_LOG", "trace")
        .var("MCPMUX_TEST_ANYTHING", "1")
        .var("MCPMUX_TREE", "1")
        .var("MCPMUX_GRACE", "")
        .var("MCPMUX_LOG_LEVEL", "")
        .var("OTHER", "1");
    let config = case.load().unwrap();
    let pair = |(name, target): (&str, &str)| (name.to_owned(), target.to_owned());
    let expected = Settings {
        separator: "5".into(),
        max_name_length: 100,
        on_conflict: super::super::OnConflict::Error,
        call_timeout: Duration::from_secs(90),
        startup_timeout: Duration::from_secs(60),
        health: Health {
            interval: Duration::from_secs(5),
            unhealthy_threshold: 9,
            ..Health::default()
        },
        max_message_size: 1 << 20,
        allowed_hosts: vec!["one.example".into(), "two.example".into()],
        aliases: [("a", "x"), ("b", "y"), ("c", "z")].map(pair).into(),
        listen: Some(Listen::Tcp("127.0.0.1:0".parse().unwrap())),
        ..Settings::default()
    };
    assert_eq!((config.settings, config.warnings), (expected, Vec::new()));
}

#[test]
fn unknown_variables_are_warned_about() {
    let case = Case::new()
        .file("work/mcp-config.json", r#"{ "mcpServers": {} }"#)
        .var("MCPMUX_CALLTIMEOUT", "1s")
        .var("MCPMUX_FROBNICATE", "1")
        .var("MCPMUX_HEALTH", "1");
    let warnings = case.load().unwrap().warnings;
    let texts: Vec<String> = warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        texts,
        [
            "warning: unknown environment variable `MCPMUX_CALLTIMEOUT`\n  at environment variable \
         MCPMUX_CALLTIMEOUT\n  hint: did you mean `MCPMUX_CALL_TIMEOUT`?",
            "warning: unknown environment variable `MCPMUX_FROBNICATE`\n  at environment variable \
         MCPMUX_FROBNICATE\n  hint: settings from the environment are named after the keys of `mux`",
            "warning: unknown environment variable `MCPMUX_HEALTH`\n  at environment variable \
         MCPMUX_HEALTH\n  hint: settings from the environment are named after the keys of `mux`",
        ]
    );
}

#[test]
fn wrong_values_outside_files_are_errors_with_their_source() {
    let case = Case::new()
        .file("work/mcp-config.json", r#"{ "mcpServers": {} }"#)
        .var("MCPMUX_MAX_SESSIONS", "many")
        .var("MCPMUX_ALIASES", "a")
        .flags(Flags {
            listen: Some("everywhere".into()),
            log_level: Some(String::new()),
        });
    assert_eq!(
        case.errors(),
        "error: `maxSessions` must be a whole number, not `\"many\"`\n  at environment variable \
         MCPMUX_MAX_SESSIONS (mux.maxSessions)\n\
         error: `a` may not be empty\n  at environment variable MCPMUX_ALIASES (mux.aliases.a)\n\
         error: cannot listen on `everywhere`: the port is not a number from 0 to 65535\n  at \
         --http (mux.listen)\n  hint: write for example \"127.0.0.1:8808\", \"localhost:8808\" or \
         \"8808\"\n\
         error: `logLevel` may not be empty\n  at --log-level (mux.logLevel)"
    );
}

#[test]
fn references_in_the_environment_stay_as_they_are() {
    let case = Case::new()
        .file("work/mcp-config.json", r#"{ "mcpServers": {} }"#)
        .var("MCPMUX_SEPARATOR", "${HOME}");
    assert_eq!(case.settings().separator, "${HOME}");
}

#[test]
fn relative_paths_start_at_the_file_and_not_at_the_working_directory() {
    let entry =
        r#"{ "mcpServers": { "a": { "command": "a", "cwd": "sub", "args": ["${file:s}"] } } }"#;
    let case = Case::new()
        .file("etc/mux.json", entry)
        .file("etc/s", "secret\n\n")
        .given("../etc/mux.json");
    let config = case.load().unwrap();
    let super::super::TransportConfig::Child(child) = &config.servers["a"].transport else {
        panic!("not a child: {config:?}");
    };
    assert_eq!(child.args, ["secret\n"]);
    let cwd = Path::new(&case.path("work")).join("../etc/sub");
    assert_eq!(child.cwd.as_deref(), Some(cwd.as_path()));
}

#[test]
fn without_a_home_a_tilde_is_an_error() {
    let entry = r#"{ "mcpServers": { "a": { "command": "~/a", "cwd": "~", "envFile": "~/e" },
        "b": { "command": "~other/a" } } }"#;
    let mut case = Case::new().file("work/mcp-config.json", entry);
    case.sources.home = None;
    let lines: Vec<String> = case.errors().lines().map(str::to_owned).collect();
    let error = "error: `~` stands for the home directory, and there is none";
    let hint = "  hint: set HOME, or write the whole path";
    let at = |key: &str| format!("  at mcp-config.json:1 (mcpServers.a.{key})");
    let expected =
        ["envFile", "command", "cwd"].map(|key| [error.to_owned(), at(key), hint.into()]);
    assert_eq!(lines, expected.concat());
}

#[test]
fn the_explained_settings_are_all_settings() {
    let case = Case::new().file("work/mcp-config.json", "{}");
    let explained = case.load().unwrap().explained;
    assert!(
        explained
            .iter()
            .all(|setting| setting.place.origin == Origin::Default)
    );
    assert_eq!(explained.len(), 31);
}
