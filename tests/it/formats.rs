//! Files of other programs: a mux made from one lists what that program would show. The samples are read as
//! they are; the only folder in `PATH` has fakes under the names of their programs, and the addresses of their
//! servers become those of fakes.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::Value;

use crate::support::{FakeServer, MuxTest, fake};

/// A sample with fakes behind.
struct Sample {
    name: &'static str,
    test: MuxTest,
    text: String,
    /// Program → what it does for arguments that hold a word.
    programs: BTreeMap<&'static str, String>,
    fakes: Vec<FakeServer>,
}

fn samples() -> &'static Path {
    Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/fixtures/config/formats"
    ))
}

fn sample(name: &'static str) -> Sample {
    let test = MuxTest::new();
    for file in ["vars.env", "key.secret"] {
        fs::copy(samples().join(file), test.dir().join(file)).expect("a file beside the sample");
    }
    Sample {
        name,
        text: fs::read_to_string(samples().join(name)).expect("a sample"),
        programs: BTreeMap::new(),
        fakes: Vec::new(),
        test,
    }
}

impl Sample {
    /// This program, with a word in its arguments, is a server with these tools.
    fn program(mut self, program: &'static str, word: &str, tools: &[&str]) -> Self {
        let fake = fake::legacy().tools(tools).stdio();
        let entry = fake.entry();
        let (command, port) = (&entry["command"], &entry["args"][0]);
        let case = format!("*'{word}'*) exec {command} {port};;\n");
        self.programs.entry(program).or_default().push_str(&case);
        self.fakes.push(fake);
        self
    }

    /// What answers at this address is a server with these tools.
    fn address(self, url: &str, tools: &[&str]) -> Self {
        self.answered_by(url, fake::legacy().tools(tools).http())
    }

    fn answered_by(mut self, url: &str, fake: FakeServer) -> Self {
        assert!(self.text.contains(url), "{url} in {}", self.name);
        let answering = fake.entry()["url"].to_string();
        self.text = self.text.replace(&format!("{url}\""), &answering[1..]);
        self.fakes.push(fake);
        self
    }

    /// The names of the tools that a mux lists.
    #[track_caller]
    fn tools(self) -> Vec<String> {
        self.run().1
    }

    /// Runs a mux that lists tools.
    #[track_caller]
    fn run(self) -> (Vec<FakeServer>, Vec<String>) {
        let bin = self.test.dir().join("bin");
        fs::create_dir(&bin).expect("a folder");
        for (program, cases) in &self.programs {
            let script = format!("#!/bin/sh\ncase \"$*\" in\n{cases}esac\nexit 1\n");
            let path = bin.join(program);
            fs::write(&path, script).expect("a program");
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("a mode");
        }
        fs::write(self.test.dir().join(self.name), &self.text).expect("the sample");
        let secrets = ["SECRET", "GITHUB_TOKEN", "OLD_KEY", "PERPLEXITY_KEY"];
        let test = secrets
            .iter()
            .fold(self.test, |test, name| test.env(name, "s3cret"));
        let list = ["list", "tools", "--json", "--config", self.name];
        let ran = test
            .env("PATH", &bin.display().to_string())
            .env("HOST", "x")
            .run_bare(&list);
        assert_eq!(ran.code, 0, "{ran:?}");
        let listed: Vec<Value> = serde_json::from_str(&ran.stdout).expect("JSON");
        let name = |entry: &Value| entry["name"].as_str().expect("a name").to_owned();
        (self.fakes, listed.iter().map(name).collect())
    }
}

#[test]
fn claude_desktop() {
    let sample = sample("claude-desktop.json")
        .program(
            "npx",
            "server-filesystem /home/me/Desktop",
            &["read", "write"],
        )
        .program("npx", "server-memory", &["remember"]);
    assert_eq!(
        sample.tools(),
        ["filesystem__read", "filesystem__write", "memory__remember"]
    );
}

#[test]
fn claude_code() {
    let sample = sample("claude-code.json")
        .program("npx", "@bytebase/dbhub --dsn sqlite://local.db", &["query"])
        .address("${API_BASE_URL:-https://issues.example.com}/mcp", &["list"])
        .address("https://design.example.com/mcp", &["draw"]);
    assert_eq!(
        sample.tools(),
        ["db__query", "issues__list", "design__draw"]
    );
}

#[test]
fn cursor() {
    let sample = sample("cursor.json")
        .program("python", "/tools/tickets.py --home /", &["open"])
        .address("https://wiki.example.com/mcp", &["search"]);
    assert_eq!(sample.tools(), ["tickets__open", "wiki__search"]);
}

#[test]
fn windsurf() {
    let sample = sample("windsurf.json")
        .program(
            "docker",
            "run -i --rm",
            &["get_file", "delete_file", "push_files"],
        )
        .address("https://figma.example.com/mcp", &["export"])
        .address("https://parked.example.com/mcp", &["never"]);
    assert_eq!(sample.tools(), ["github__get_file", "figma__export"]);
}

#[test]
fn cline() {
    let sample = sample("cline.json")
        .program("node", "/path/to/server.js", &["tool1", "tool3"])
        .address("https://remote.example.com/mcp", &["tool1"])
        .program("node", "other.js", &["never"]);
    assert_eq!(
        sample.tools(),
        ["local__tool1", "local__tool3", "remote__tool1"]
    );
}

#[test]
fn gemini_cli() {
    let tools = ["safe_tool", "run_shell", "data_processor", "unlisted"];
    let sample = sample("gemini.json")
        .program("python", "-m my_mcp_server", &tools)
        .program("unlisted", "", &["never"])
        .address("https://excluded.example.com/sse", &["never"])
        .address("https://http.example.com/mcp", &["get"]);
    fs::create_dir_all(sample.test.dir().join("mcp-servers/python")).expect("a folder");
    assert_eq!(
        sample.tools(),
        ["python__safe_tool", "python__run_shell", "http__get"]
    );
}

#[test]
fn copilot_cli() {
    let sample = sample("copilot-cli.json")
        .program("npx", "@playwright/mcp@latest", &["click", "type"])
        .program(
            "npx",
            "@sentry/mcp-server",
            &["get_issue_details", "delete_issue"],
        )
        .address("https://docs.example.com/mcp", &["never"]);
    let tools = [
        "playwright__click",
        "playwright__type",
        "sentry__get_issue_details",
    ];
    assert_eq!(sample.tools(), tools);
}

#[test]
fn vs_code() {
    let sample = sample("vscode.json")
        .program("npx", "server-perplexity-ask", &["ask"])
        .address("https://fetch.example.com/mcp", &["fetch"]);
    assert_eq!(sample.tools(), ["perplexity__ask", "fetch__fetch"]);
    let sample = self::sample("vscode-settings.json")
        .program("uvx", "mcp-server-time", &["now"])
        .program("uvx", "beside", &["other"]);
    assert_eq!(sample.tools(), ["beside__other", "time__now"]);
}

#[test]
fn zed() {
    let sample = sample("zed.json")
        .program("some-command", "arg-1 arg-2", &["a"])
        .program("npx", "-y older-server", &["b"])
        .address("https://remote.example.com/mcp", &["c"])
        .program("parked", "", &["never"]);
    assert_eq!(sample.tools(), ["local__a", "older__b", "remote__c"]);
}

#[test]
fn codex() {
    let sample = sample("codex.toml")
        .program(
            "npx",
            "@upstash/context7-mcp",
            &["resolve", "get_docs", "delete_docs", "other"],
        )
        .program("parked", "", &["never"])
        .address("https://figma.example.com/mcp", &["export"]);
    assert_eq!(
        sample.tools(),
        ["context7__resolve", "context7__get_docs", "figma__export"]
    );
}

#[test]
fn vt_code() {
    let sample = sample("vtcode.toml")
        .program("uvx", "mcp-server-time", &["get_time", "set_time"])
        .program("uvx", "mcp-server-fetch", &["fetch", "get_time"])
        .program("parked", "", &["get_never"])
        .address("https://remote.example.com/api", &["list_all", "drop_all"]);
    assert_eq!(
        sample.tools(),
        ["time__get_time", "fetch__fetch", "remote__list_all"]
    );
    let sample = self::sample("vtcode-general.toml")
        .address("https://mcp.example.com/api", &["allowed_tool_1", "other"]);
    assert_eq!(sample.tools(), ["remote-api__allowed_tool_1"]);
    let sample = self::sample("vtcode-off.toml").program("uvx", "mcp-server-fetch", &["fetch"]);
    assert_eq!(sample.tools(), [""; 0]);
}

#[test]
fn mistral_rs() {
    let sample = sample("mistralrs.json")
        .address("https://api.example.com/mcp", &["search_web"])
        .answered_by(
            "wss://realtime.example.com/mcp",
            fake::legacy().tool("watch").websocket(),
        )
        .program("mcp-server-filesystem", "--root /tmp", &["read"])
        .program("x", "", &["never"]);
    assert_eq!(sample.tools(), ["web_search_web", "rt_watch", "read"]);
    let sample =
        self::sample("mistralrs-unregistered.json").program("mcp-server-quiet", "", &["never"]);
    assert_eq!(sample.tools(), [""; 0]);
}

#[test]
fn what_gateways_are_told_can_be_said_too() {
    let sample = sample("litellm.json")
        .address(
            "https://mcp.example.com/fs",
            &["read_file", "delete_file", "write_file"],
        )
        .address("https://mcp.example.com/db", &["query", "delete_all"])
        .address("https://mcp.example.com/reports", &["print"])
        .address("https://mcp.example.com/parked", &["never"]);
    let tools = ["filesystem__read_file", "database__query", "reports__print"];
    assert_eq!(sample.tools(), tools);
    let sample = self::sample("toolhive.json")
        .address("http://fetch.example.com:8080/mcp", &["fetch"])
        .address("https://mcp.context7.example.com/mcp", &["docs"])
        .address("https://mcp.example.com/slow", &["wait"]);
    assert_eq!(
        sample.tools(),
        ["fetch__fetch", "context7-proxy__docs", "slow-backend__wait"]
    );
    let sample = self::sample("vllora.json")
        .address("https://mcp.deepwiki.example.com/mcp", &["ask"])
        .address("https://mcp.tavily.example.com/mcp", &["search", "extract"])
        .program(
            "npx",
            "server-filesystem /data",
            &["read_file", "write_file"],
        );
    assert_eq!(
        sample.tools(),
        ["deepwiki__ask", "tavily__search", "files__read_file"]
    );
}

#[test]
fn credentials_arrive_as_the_file_says() {
    let sample = sample("codex.toml").address("https://figma.example.com/mcp", &["export"]);
    let (fakes, _) = sample.run();
    let head = fakes[0].seen().into_iter().find_map(|seen| seen.head);
    let head = head.expect("a request");
    let headers = ["authorization", "x-figma-region", "x-old-key", "x-nothing"];
    let sent = [
        Some("Bearer s3cret"),
        Some("us-east-1"),
        Some("s3cret"),
        None,
    ];
    assert_eq!(headers.map(|name| head.header(name)), sent);
}
