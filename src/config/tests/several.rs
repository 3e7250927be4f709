//! Several files, and the files that they pull in.

use std::path::PathBuf;

use super::super::{Config, ConfigErrors, Environment, Explained, Origin, Sources};

/// A folder with files, of which the first is the one that is named.
struct Case {
    folder: tempfile::TempDir,
    sources: Sources,
}

impl Case {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let sources = Sources {
            files: vec![PathBuf::from(files[0].0)],
            cwd: folder.path().to_owned(),
            ..Sources::default()
        };
        Self { folder, sources }
    }

    fn variables(mut self, variables: &[(&str, &str)]) -> Self {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        self.sources.env = Environment::new(variables.iter().map(owned));
        self
    }

    fn load(&self) -> Result<Config, ConfigErrors> {
        Config::load(&self.sources)
    }

    /// The errors, each on a line of its own without its hint.
    fn errors(&self) -> Vec<String> {
        let errors = self.load().unwrap_err().errors;
        let line = |text: String| text.lines().take(2).collect::<Vec<_>>().join("");
        errors.iter().map(|error| line(error.to_string())).collect()
    }
}

fn commands(config: &Config) -> Vec<String> {
    let shown = |server: &super::super::ServerConfig| format!("{:?}", server.transport);
    let command = |text: String| text.split('"').nth(1).unwrap_or_default().to_owned();
    let pair = |server| format!("{}={}", server_name(server), command(shown(server)));
    config.servers.values().map(pair).collect()
}

fn server_name(server: &super::super::ServerConfig) -> &str {
    server.name.as_str()
}

const MAIN: &str = r#"{
    "mux": { "include": ["parts/*.json", "last.toml"], "separator": "main" },
    "mcpServers": { "b": { "command": "main" }, "m": { "command": "main" } }
}"#;

#[test]
fn what_is_pulled_in_comes_first_and_yields() {
    let part = r#"{ "mux": { "separator": "x", "callTimeout": "7s" }, "mcpServers": {
        "a": { "command": "one" }, "b": { "command": "one", "args": ["x"] } } }"#;
    let case = Case::new(&[
        ("main.json", MAIN),
        ("parts/1.json", part),
        (
            "parts/2.json",
            r#"{ "servers": { "a": { "command": "two" } } }"#,
        ),
        ("parts/ignored.toml", "x = "),
        ("last.toml", "[mcp_servers.z]\ncommand = 'last'"),
    ]);
    let config = case.load().unwrap();
    assert_eq!(commands(&config), ["a=two", "b=main", "z=last", "m=main"]);
    assert_eq!(config.settings.separator, "main");
    assert_eq!(config.settings.call_timeout.as_secs(), 7);
    let files = ["parts/1.json", "parts/2.json", "last.toml", "main.json"];
    assert_eq!(config.files, files.map(PathBuf::from));
    assert!(config.watched.contains(&case.folder.path().join("parts")));
}

#[test]
fn paths_start_at_the_file_that_has_them() {
    let case = Case::new(&[
        (
            "a/main.json",
            r#"{ "mux": { "include": ["../b/next.json"] } }"#,
        ),
        (
            "b/next.json",
            r#"{ "mux": { "include": ["deep/${NAME}.json"] } }"#,
        ),
        (
            "b/deep/x.json",
            r#"{ "mcpServers": { "x": { "command": "x", "cwd": "." } } }"#,
        ),
    ])
    .variables(&[("NAME", "x")]);
    let config = case.load().unwrap();
    assert_eq!(commands(&config), ["x=x"]);
    assert_eq!(
        config.servers["x"].place.to_string(),
        "a/../b/deep/x.json:1 (mcpServers.x)"
    );
}

#[test]
fn a_circle_is_refused() {
    let case = Case::new(&[
        ("a.json", r#"{ "mux": { "include": ["b.json"] } }"#),
        ("b.json", "{ \"mux\":\n{ \"include\": [\"./a.json\"] } }"),
    ]);
    assert_eq!(
        case.errors(),
        ["error: `./a.json` includes itself  at b.json:2 (mux.include[0])"]
    );
}

#[test]
fn a_file_is_read_once_however_often_it_is_pulled_in() {
    let case = Case::new(&[
        (
            "a.json",
            r#"{ "mux": { "include": ["b.json", "c.json"] } }"#,
        ),
        (
            "b.json",
            r#"{ "mux": { "include": ["d.json"] }, "mcpServers": { "s": { "command": "b" } } }"#,
        ),
        ("c.json", r#"{ "mux": { "include": ["d.json"] } }"#),
        ("d.json", r#"{ "mcpServers": { "s": { "command": "d" } } }"#),
    ]);
    let config = case.load().unwrap();
    assert_eq!(
        config.files,
        ["d.json", "b.json", "c.json", "a.json"].map(PathBuf::from)
    );
    assert_eq!(commands(&config), ["s=b"]);
}

#[test]
fn a_file_that_is_missing_is_an_error_and_a_glob_without_files_a_warning() {
    let case = Case::new(&[(
        "a.json",
        r#"{ "mux": { "include": ["no.json", "no/*.json"] } }"#,
    )]);
    let errors = case.load().unwrap_err();
    assert_eq!(
        case.errors(),
        ["error: cannot read `no.json`: it does not exist  at a.json:1 (mux.include[0])"]
    );
    assert_eq!(
        errors.warnings[0].to_string(),
        "warning: no file matches `no/*.json`\n  at a.json:1 (mux.include[1])"
    );
}

#[test]
fn a_file_may_match_its_own_glob() {
    let case = Case::new(&[
        ("a.json", r#"{ "mux": { "include": ["*.json"] } }"#),
        ("b.json", r#"{ "mcpServers": { "s": { "command": "b" } } }"#),
    ]);
    assert_eq!(commands(&case.load().unwrap()), ["s=b"]);
}

#[test]
fn the_environment_pulls_in_too() {
    let case = Case::new(&[
        ("a.json", r#"{ "mcpServers": { "s": { "command": "a" } } }"#),
        ("b.json", r#"{ "mcpServers": { "s": { "command": "b" } } }"#),
    ]);
    let case = case.variables(&[("MCPMUX_INCLUDE", "b.json")]);
    assert_eq!(commands(&case.load().unwrap()), ["s=b"]);
    let case = case.variables(&[("MCPMUX_INCLUDE", "c.json")]);
    assert_eq!(
        case.errors(),
        ["error: cannot read `c.json`: it does not exist  at environment variable MCPMUX_INCLUDE"]
    );
}

#[test]
fn every_key_of_a_server_is_told_with_its_place_and_no_secret() {
    let text = "{ \"mcpServers\": {\n\"a\": { \"url\": \"https://u:pw@x.example/mcp?key=1\",\n\"headers\": { \"A\": \"lit\", \"B\": \"${T}\" },\n\
        \"auth\": { \"type\": \"bearer\", \"token\": \"${T:-lit}\" }, \"tools\": [\"x*\"], \"callTimeout\": \"5s\" },\n\
        \"off\": { \"command\": \"x\", \"disabled\": true },\n\"c\": { \"command\": \"c\", \"args\": [\"--token\", \"${T}\"], \"prefix\": null } } }";
    let case = Case::new(&[("a.json", text)]).variables(&[("T", "s3cret")]);
    let told = |explained: &Explained| {
        format!(
            "{}={} {}",
            explained.key, explained.value, explained.place.line
        )
    };
    let config = case.load().unwrap();
    let written = |explained: &&Explained| explained.place.line > 0;
    let servers = config.explained_servers.iter().filter(written);
    assert_eq!(
        servers.map(told).collect::<Vec<String>>(),
        [
            "mcpServers.a.url=https://x.example/… 2",
            "mcpServers.a.headers.A=*** 3",
            "mcpServers.a.headers.B=${T} 3",
            "mcpServers.a.auth.type=bearer 4",
            "mcpServers.a.auth.token=*** 4",
            "mcpServers.a.tools=x* 4",
            "mcpServers.a.callTimeout=5s 4",
            "mcpServers.off.disabled=true 5",
            "mcpServers.c.command=c 6",
            "mcpServers.c.args=*** ${T} 6",
            "mcpServers.c.prefix=null 6",
        ]
    );
}

#[test]
fn what_an_entry_does_not_say_is_explained_too() {
    let text = "{ \"mux\": { \"separator\": \".\",\n\"maxConcurrentCalls\": 7 }, \"mcpServers\": {\n\
        \"a\": { \"command\": \"a\", \"timeout\": 5000, \"prefix\": null },\n\
        \"b\": { \"command\": \"b\", \"maxConcurrentCalls\": 2 } } }";
    let case = Case::new(&[("a.json", text)]).variables(&[("MCPMUX_CALL_TIMEOUT", "9s")]);
    let config = case.load().unwrap();
    let told = |explained: &Explained| {
        let from = match explained.place.origin {
            Origin::File(_) => explained.place.line.to_string(),
            _ => explained.place.to_string(),
        };
        format!("{}={} {from}", explained.key, explained.value)
    };
    let told: Vec<String> = config.explained_servers.iter().map(told).collect();
    let expected = [
        "a.command=a 3",
        "a.timeout=5000 3",
        "a.prefix=null 3",
        "a.separator=. 1",
        "a.required=false default",
        "a.startupTimeout=30s default",
        "a.maxConcurrentCalls=7 2",
        "a.sharing=auto default",
        "a.replace=start-first default",
        "b.command=b 4",
        "b.maxConcurrentCalls=2 4",
        "b.prefix=b default",
        "b.separator=. 1",
        "b.required=false default",
        "b.startupTimeout=30s default",
        "b.callTimeout=9s environment variable MCPMUX_CALL_TIMEOUT (mux.callTimeout)",
        "b.sharing=auto default",
        "b.replace=start-first default",
    ];
    assert_eq!(told, expected.map(|line| format!("mcpServers.{line}")));
}
