//! Samples with fakes behind them: the only folder in `PATH` has fakes under the names of their programs, and the
//! addresses of their servers become those of fakes.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::{FakeServer, MuxTest, Pipe, fake};

/// The value of every variable that a sample names.
const SECRETS: [&str; 4] = ["SECRET", "GITHUB_TOKEN", "OLD_KEY", "PERPLEXITY_KEY"];

/// One server of a sample.
pub(super) struct Server {
    at: At,
    /// What it must be given: variables, or headers of every request.
    given: &'static [(&'static str, &'static str)],
    /// All that it has; `None` if nobody may reach it.
    tools: Option<&'static [&'static str]>,
}

enum At {
    /// A program with a word in its arguments.
    Program(&'static str, &'static str),
    Address(&'static str, Pipe),
}

/// A program, with a word in its arguments, is a server.
pub(super) fn program(program: &'static str, word: &'static str) -> Server {
    server(At::Program(program, word))
}

/// What answers at this address is a server.
pub(super) fn address(url: &'static str) -> Server {
    server(At::Address(url, Pipe::Http))
}

/// The same, over another transport.
pub(super) fn address_over(pipe: Pipe, url: &'static str) -> Server {
    server(At::Address(url, pipe))
}

fn server(at: At) -> Server {
    Server {
        at,
        given: &[],
        tools: None,
    }
}

impl Server {
    pub(super) fn given(self, given: &'static [(&'static str, &'static str)]) -> Self {
        Self { given, ..self }
    }

    pub(super) fn tools(self, tools: &'static [&'static str]) -> Self {
        Self {
            tools: Some(tools),
            ..self
        }
    }

    /// Without a word about its tools: it is one that nobody may reach.
    pub(super) fn never(self) -> Self {
        Self {
            tools: None,
            ..self
        }
    }

    fn fake(&self) -> FakeServer {
        let fake = fake::legacy().tools(self.tools.unwrap_or(&["never"]));
        match &self.at {
            At::Program(..) => fake.stdio(),
            At::Address(_, pipe) => fake.over(*pipe),
        }
    }

    /// A program that is given something else ends, and so has no tools.
    fn case(&self, word: &str, fake: &FakeServer) -> String {
        let entry = fake.entry();
        let (command, port) = (&entry["command"], &entry["args"][0]);
        let test =
            |(name, value): &(&str, &str)| format!("[ \"${name}\" = '{value}' ] || exit 3; ");
        let tests = self.given.iter().map(test).collect::<Vec<_>>().concat();
        format!("*'{word}'*) {tests}exec {command} {port};;\n")
    }

    /// Whether it was reached as it should have been.
    fn verify(&self, sample: &str, fake: &FakeServer) {
        let seen = fake.seen();
        let with_message = seen.into_iter().filter_map(|seen| seen.head);
        let heads: Vec<_> = fake.heads().into_iter().chain(with_message).collect();
        match (&self.at, self.tools) {
            (At::Program(_, word), None) => assert_eq!(fake.starts(), 0, "{sample}: {word}"),
            (At::Address(url, _), None) => assert_eq!(heads.len(), 0, "{sample}: {url}"),
            (At::Program(..), Some(_)) => {}
            (At::Address(url, _), Some(_)) => {
                assert!(!heads.is_empty(), "{sample}: {url} is reached");
                for (name, value) in self.given {
                    for head in &heads {
                        let sent = head.header(name).unwrap_or("");
                        assert_eq!(sent, *value, "{sample}: {name} for {url}");
                    }
                }
            }
        }
    }
}

/// Runs a mux with a sample, and compares all tools that it lists and all that its servers get.
#[track_caller]
pub(super) fn check(name: &str, servers: &[Server], lists: &[&str]) {
    let fakes: Vec<FakeServer> = servers.iter().map(Server::fake).collect();
    let test = MuxTest::new();
    for beside in ["vars.env", "key.secret"] {
        fs::copy(folder().join(beside), test.dir().join(beside)).expect("a file beside the sample");
    }
    fs::create_dir_all(test.dir().join("mcp-servers/python")).expect("a folder");
    let sample = fs::read_to_string(folder().join(name)).expect("a sample");
    let behind = behind_fakes(&sample, servers, &fakes);
    fs::write(test.dir().join(name), behind).expect("the sample");
    let bin = test.dir().join("bin");
    programs(&bin, servers, &fakes);
    let test = SECRETS
        .iter()
        .fold(test, |test, name| test.env(name, "s3cret"));
    let ran = test
        .env("PATH", &bin.display().to_string())
        .env("HOST", "host.example.com")
        .run_bare(&["list", "tools", "--json", "--config", name]);
    assert_eq!(ran.code, 0, "{name}: {ran:?}");
    let listed: Vec<Value> = serde_json::from_str(&ran.stdout).expect("JSON");
    let names: Vec<&str> = listed
        .iter()
        .map(|entry| entry["name"].as_str().expect("a name"))
        .collect();
    assert_eq!(names, lists, "{name}: {}", ran.stderr);
    for (server, fake) in servers.iter().zip(&fakes) {
        server.verify(name, fake);
    }
}

/// The samples.
pub(super) fn folder() -> &'static Path {
    Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/fixtures/config/formats"
    ))
}

fn behind_fakes(text: &str, servers: &[Server], fakes: &[FakeServer]) -> String {
    let mut text = text.to_owned();
    for (server, fake) in servers.iter().zip(fakes) {
        if let At::Address(url, _) = server.at {
            let written = format!("{url}\"");
            assert!(text.contains(&written), "{url} in the sample");
            let answers = fake.entry()["url"].to_string();
            text = text.replace(&written, &answers[1..]);
        }
    }
    text
}

fn programs(bin: &PathBuf, servers: &[Server], fakes: &[FakeServer]) {
    let mut cases: BTreeMap<&str, String> = BTreeMap::new();
    for (server, fake) in servers.iter().zip(fakes) {
        if let At::Program(program, word) = server.at {
            let case = server.case(word, fake);
            cases.entry(program).or_default().push_str(&case);
        }
    }
    fs::create_dir(bin).expect("a folder");
    for (program, cases) in cases {
        let script = format!("#!/bin/sh\ncase \"$*\" in\n{cases}esac\nexit 1\n");
        let path = bin.join(program);
        fs::write(&path, script).expect("a program");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("a mode");
    }
}
