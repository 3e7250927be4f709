//! Files of other programs: a mux made from one lists what that program would show, and its servers get what they
//! would get there. The samples are read as they are.

mod sample;

use std::fs;
use std::path::PathBuf;

use crate::support::Pipe;
use sample::{address, address_over, check, folder, program};

/// One test for each sample: its servers, and the names of all tools that are to be listed.
macro_rules! samples {
    ($($test:ident $file:literal: [$($server:expr),* $(,)?] => [$($tool:literal),* $(,)?];)*) => {
        const SAMPLES: &[&str] = &[$($file),*];

        $(#[test]
        fn $test() {
            check($file, &[$($server),*], &[$($tool),*]);
        })*
    };
}

samples! {
    claude_desktop "claude-desktop.json": [
        program("npx", "server-filesystem /home/me/Desktop").tools(&["read", "write"]),
        program("npx", "server-memory").tools(&["remember"]).given(&[("MEMORY_FILE_PATH", "/home/me/memory.json")]),
    ] => ["filesystem__read", "filesystem__write", "memory__remember"];

    claude_code "claude-code.json": [
        program("npx", "@bytebase/dbhub --dsn sqlite://local.db").tools(&["query"]),
        address("${API_BASE_URL:-https://issues.example.com}/mcp").tools(&["list"]).given(&[("authorization", "Bearer s3cret")]),
        address("https://design.example.com/mcp").tools(&["draw"]),
        address("https://tracker.example.com/mcp").tools(&["track"]).given(&[("authorization", "")]),
        // Commands are off.
        address("https://internal.example.com/mcp").tools(&["ask"]).given(&[("x-team", "a")]),
    ] => ["db__query", "issues__list", "design__draw", "tracker__track", "internal__ask"];

    cursor "cursor.json": [
        program("python", "/tools/tickets.py --home /").tools(&["open"]).given(&[("API_KEY", "s3cret"), ("LEVEL", "file")]),
        address("https://wiki.example.com/mcp").tools(&["search"]).given(&[("authorization", "Bearer s3cret")]),
        address("https://crm.example.com/mcp").tools(&["find"]),
    ] => ["tickets__open", "wiki__search", "crm__find"];

    windsurf "windsurf.json": [
        program("docker", "run -i --rm").tools(&["get_file", "delete_file", "push_files"]).given(&[("GITHUB_PERSONAL_ACCESS_TOKEN", "s3cret")]),
        address("https://figma.example.com/mcp").tools(&["export"]).given(&[("api_key", "Bearer s3cret from a file")]),
        address("https://parked.example.com/mcp").never(),
    ] => ["github__get_file", "figma__export"];

    cline "cline.json": [
        program("node", "/path/to/server.js").tools(&["tool1", "tool3"]).given(&[("API_KEY", "x")]),
        address("https://remote.example.com/mcp").tools(&["tool1"]).given(&[("authorization", "Bearer x")]),
        program("node", "other.js").never(),
    ] => ["local__tool1", "local__tool3", "remote__tool1"];

    gemini_cli "gemini.json": [
        program("python", "-m my_mcp_server").tools(&["safe_tool", "run_shell", "data_processor", "unlisted"])
            .given(&[("DATABASE_URL", "host.example.com"), ("API_KEY", "s3cret"), ("PRICE", "$UNSET")]),
        address("https://http.example.com/mcp").tools(&["get"]).given(&[("x-custom-header", "custom-value")]),
        address("https://sheets.example.com/mcp").tools(&["sum"]),
        address("https://cloud.example.com/mcp").tools(&["run"]),
        address("https://excluded.example.com/sse").never(),
        program("unlisted", "").never(),
    ] => ["python__safe_tool", "python__run_shell", "http__get", "sheets__sum", "cloud__run"];

    copilot_cli "copilot-cli.json": [
        program("npx", "@playwright/mcp@latest").tools(&["click", "type"]),
        program("npx", "@sentry/mcp-server").tools(&["get_issue_details", "delete_issue"]).given(&[("SENTRY_ACCESS_TOKEN", "s3cret")]),
        address("https://docs.example.com/mcp").tools(&["hidden"]).given(&[("x-api-key", "s3cret")]),
        address("https://tracker.example.com/mcp").tools(&["track"]),
    ] => ["playwright__click", "playwright__type", "sentry__get_issue_details", "tracker__track"];

    vs_code "vscode.json": [
        program("npx", "server-perplexity-ask").tools(&["ask"])
            .given(&[("PERPLEXITY_API_KEY", "s3cret"), ("REGION", "eu"), ("LIMIT", "5"), ("LEVEL", "file"), ("NOTHING", "")]),
        address("https://fetch.example.com/mcp").tools(&["fetch"]).given(&[("authorization", "Bearer s3cret")]),
        address("https://chat.example.com/mcp").tools(&["send"]),
    ] => ["perplexity__ask", "fetch__fetch", "chat__send"];

    vs_code_settings "vscode-settings.json": [
        program("uvx", "mcp-server-time").tools(&["now"]),
        program("uvx", "beside").tools(&["other"]),
    ] => ["beside__other", "time__now"];

    zed "zed.json": [
        program("some-command", "arg-1 arg-2").tools(&["a"]).given(&[("A", "1")]),
        program("npx", "-y older-server").tools(&["b"]).given(&[("B", "2")]),
        address("https://remote.example.com/mcp").tools(&["c"]).given(&[("authorization", "Bearer s3cret")]),
        address("https://login.example.com/mcp").tools(&["d"]),
        program("parked", "").never(),
    ] => ["local__a", "older__b", "remote__c", "login__d"];

    codex "codex.toml": [
        program("npx", "@upstash/context7-mcp").tools(&["resolve", "get_docs", "delete_docs", "other"]).given(&[("MY_ENV_VAR", "MY_ENV_VALUE")]),
        address("https://figma.example.com/mcp").tools(&["export"])
            .given(&[("authorization", "Bearer s3cret"), ("x-figma-region", "us-east-1"), ("x-old-key", "s3cret"), ("x-nothing", "")]),
        address("https://drive.example.com/mcp").tools(&["list"]),
        address("https://helped.example.com/mcp").tools(&["help"]),
        program("parked", "").never(),
    ] => ["context7__resolve", "context7__get_docs", "figma__export", "drive__list", "helped__help"];

    vt_code "vtcode.toml": [
        program("uvx", "mcp-server-time").tools(&["get_time", "set_time"]).given(&[("TZ", "UTC")]),
        program("uvx", "mcp-server-fetch").tools(&["fetch", "get_time"]).given(&[("PWD", "/tmp")]),
        address("https://remote.example.com/api").tools(&["list_all", "drop_all"])
            .given(&[("authorization", "Bearer s3cret"), ("x-a", "a"), ("x-b", "s3cret")]),
        program("parked", "").never(),
    ] => ["time__get_time", "fetch__fetch", "remote__list_all"];

    vt_code_with_a_general_list "vtcode-general.toml": [
        address("https://mcp.example.com/api").tools(&["allowed_tool_1", "other"]),
    ] => ["remote-api__allowed_tool_1"];

    vt_code_as_documented "vtcode-runtime.toml": [
        program("uvx", "mcp-server-fetch").tools(&["fetch"]),
    ] => ["fetch__fetch"];

    vt_code_switched_off "vtcode-off.toml": [
        program("uvx", "mcp-server-fetch").never(),
    ] => [];

    mistral_rs "mistralrs.json": [
        address("https://api.example.com/mcp").tools(&["search_web"]).given(&[("authorization", "Bearer your-api-token"), ("x-api-version", "v1")]),
        address_over(Pipe::WebSocket, "wss://realtime.example.com/mcp").tools(&["watch"]).given(&[("authorization", "Bearer s3cret")]),
        program("mcp-server-filesystem", "--root /tmp").tools(&["read"]).given(&[("MCP_LOG_LEVEL", "debug"), ("PWD", "/tmp")]),
        program("x", "").never(),
    ] => ["web_search_web", "rt_watch", "read"];

    mistral_rs_as_documented "mistralrs-quickstart.json": [
        address("https://api.example.com/mcp").tools(&["search_web"]),
    ] => ["web_search_web"];

    mistral_rs_that_registers_nothing "mistralrs-unregistered.json": [
        program("mcp-server-quiet", "").tools(&["hidden"]),
    ] => [];

    what_litellm_is_told "litellm.json": [
        address("https://mcp.example.com/fs").tools(&["read_file", "delete_file", "write_file"]).given(&[("authorization", "Bearer your-token")]),
        address("https://mcp.example.com/db").tools(&["query", "delete_all"]).given(&[("x-api-key", "your-api-key"), ("x-team", "a")]),
        address("https://mcp.example.com/reports").tools(&["print"]).given(&[("authorization", "Basic dXNlcm5hbWU6cGFzc3dvcmQ=")]),
        address_over(Pipe::Sse, "https://mcp.example.com/events").tools(&["follow"]),
        address_over(Pipe::WebSocket, "wss://mcp.example.com/live").tools(&["watch"]),
        program("local-server", "--quiet").tools(&["run"]),
        address("https://mcp.example.com/tickets").tools(&["open"]),
        address("https://mcp.example.com/parked").never(),
    ] => ["filesystem__read_file", "database__query", "reports__print", "events__follow", "live__watch", "local__run", "tickets__open"];

    what_toolhive_is_told "toolhive.json": [
        address("http://fetch.example.com:8080/mcp").tools(&["fetch"]),
        address("https://mcp.context7.example.com/mcp").tools(&["docs"]),
        address_over(Pipe::Sse, "https://mcp.example.com/mcp").tools(&["far"]),
        address("https://mcp.example.com/slow").tools(&["wait"]),
        address("https://mcp.example.com/fast").tools(&["go"]),
    ] => ["fetch__fetch", "context7-proxy__docs", "my-remote-tool__far", "slow-backend__wait", "fast-backend__go"];

    what_vllora_is_told "vllora.json": [
        address("https://mcp.deepwiki.example.com/mcp").tools(&["ask"]),
        address("https://mcp.tavily.example.com/mcp").tools(&["search", "extract"]).given(&[("authorization", "Bearer s3cret")]),
        address_over(Pipe::Sse, "https://mcp.example.com/sse").tools(&["listen"]).given(&[("x-api-key", "s3cret")]),
        address_over(Pipe::WebSocket, "wss://mcp.example.com/ws").tools(&["talk"]).given(&[("x-custom", "value")]),
        program("npx", "server-filesystem /data").tools(&["read_file", "write_file"]).given(&[("LOG", "1")]),
    ] => ["deepwiki__ask", "tavily__search", "events__listen", "live__talk", "files__read_file"];
}

#[test]
fn every_sample_has_a_test() {
    let paths = fs::read_dir(folder()).expect("the samples");
    let paths = paths.map(|entry| entry.expect("a file").path());
    let is_sample = |path: &PathBuf| {
        path.extension()
            .is_some_and(|ending| ending == "json" || ending == "toml")
    };
    let name = |path: PathBuf| Some(path.file_name()?.to_string_lossy().into_owned());
    let mut files: Vec<String> = paths.filter(is_sample).filter_map(name).collect();
    let mut tested = SAMPLES.to_vec();
    files.sort_unstable();
    tested.sort_unstable();
    assert_eq!(files, tested);
}
