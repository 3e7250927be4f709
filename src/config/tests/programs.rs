//! Where programs' files are on each system, and how the mux is registered in them.

use std::path::Path;

use super::super::edit::{self, Edit, Existing, Holder};
use super::super::{Config, Environment, PROGRAMS, Sources, System, Way};

fn sources(env: &[(&str, &str)], home: &str) -> Sources {
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Sources {
        env: Environment::new(env.iter().map(own)),
        home: Some(home.into()),
        cwd: "/work".into(),
        ..Sources::default()
    }
}

fn told(system: System, sources: &Sources) -> String {
    let mut lines = Vec::new();
    for program in PROGRAMS {
        for (scope, path) in program.files(system, sources) {
            lines.push(format!("{} {scope:?} {}", program.key, path.display()));
        }
    }
    lines.join("\n")
}

#[test]
fn files_of_linux() {
    insta::assert_snapshot!(told(System::Linux, &sources(&[("CODEX_HOME", "/codex")], "/home/me")), @"
    claude-desktop User /home/me/.config/Claude/claude_desktop_config.json
    claude-code User /home/me/.claude.json
    claude-code Project /work/.mcp.json
    cursor User /home/me/.cursor/mcp.json
    cursor Project /work/.cursor/mcp.json
    windsurf User /home/me/.codeium/windsurf/mcp_config.json
    cline User /home/me/.config/Code/User/globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json
    gemini User /home/me/.gemini/settings.json
    gemini Project /work/.gemini/settings.json
    copilot User /home/me/.copilot/mcp-config.json
    vscode User /home/me/.config/Code/User/mcp.json
    vscode Project /work/.vscode/mcp.json
    zed User /home/me/.config/zed/settings.json
    zed Project /work/.zed/settings.json
    codex User /codex/config.toml
    codex Project /work/.codex/config.toml
    vtcode User /home/me/.vtcode/vtcode.toml
    vtcode Project /work/vtcode.toml
    ");
}

#[test]
fn files_of_macos_and_windows() {
    let mac = told(System::Mac, &sources(&[], "/Users/me"));
    let windows = told(
        System::Windows,
        &sources(&[("APPDATA", "/Roaming")], "/Users/me"),
    );
    let users = |text: &str| -> String {
        let lines = text.lines().filter(|line| line.contains(" User "));
        lines.collect::<Vec<_>>().join("\n") + "\n"
    };
    insta::assert_snapshot!(users(&mac) + &users(&windows), @"
    claude-desktop User /Users/me/Library/Application Support/Claude/claude_desktop_config.json
    claude-code User /Users/me/.claude.json
    cursor User /Users/me/.cursor/mcp.json
    windsurf User /Users/me/.codeium/windsurf/mcp_config.json
    cline User /Users/me/Library/Application Support/Code/User/globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json
    gemini User /Users/me/.gemini/settings.json
    copilot User /Users/me/.copilot/mcp-config.json
    vscode User /Users/me/Library/Application Support/Code/User/mcp.json
    zed User /Users/me/.config/zed/settings.json
    codex User /Users/me/.codex/config.toml
    vtcode User /Users/me/.vtcode/vtcode.toml
    claude-desktop User /Roaming/Claude/claude_desktop_config.json
    claude-code User /Users/me/.claude.json
    cursor User /Users/me/.cursor/mcp.json
    windsurf User /Users/me/.codeium/windsurf/mcp_config.json
    cline User /Roaming/Code/User/globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json
    gemini User /Users/me/.gemini/settings.json
    copilot User /Users/me/.copilot/mcp-config.json
    vscode User /Roaming/Code/User/mcp.json
    zed User /Roaming/zed/settings.json
    codex User /Users/me/.codex/config.toml
    vtcode User /Users/me/.vtcode/vtcode.toml
    ");
}

/// Our own reader understands every entry that we write into a program's file.
#[test]
fn every_entry_is_read_as_it_is_meant() {
    let stdio = Way::Command {
        command: "/bin/mcpmux".into(),
        args: vec!["serve".into()],
    };
    let http = Way::Url("http://127.0.0.1:8808/mcp".into());
    for program in PROGRAMS {
        for (way, word) in [(&stdio, "stdio"), (&http, "http")] {
            let Some(entry) = program.entry(way) else {
                assert_eq!((program.key, word), ("claude-desktop", "http"));
                continue;
            };
            assert!(program.is_ours(&entry));
            let name = Path::new(program.spots[0].path);
            let put = Edit::Put {
                name: "mcpmux",
                entry: &entry,
                existing: Existing::Keep,
            };
            let text = edit::edit(name, "", &Holder::of(program.format), &put)
                .unwrap()
                .text;
            let config = Config::from_text(name, &text, &sources(&[], "/home/me")).unwrap();
            assert_eq!(config.warnings, [], "{text}");
            assert_eq!(config.servers[0].transport.word(), word, "{text}");
        }
    }
}
