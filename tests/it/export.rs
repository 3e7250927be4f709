//! `export`: other programs' files, before and after.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::support::{MuxTest, Ran, normalize};

/// A home with a configuration, and with these files of programs.
fn home(files: &[(&str, &str)]) -> MuxTest {
    let test = MuxTest::new();
    write(&test, "mcp.json", "{\"mcpServers\": {}}");
    for (path, content) in files {
        write(&test, path, content);
    }
    test
}

fn write(test: &MuxTest, path: &str, content: &str) {
    let path = test.dir().join(path);
    fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
    fs::write(path, content).expect("a file");
}

fn read(test: &MuxTest, path: &str) -> String {
    fs::read_to_string(test.dir().join(path)).expect("the file")
}

#[track_caller]
fn export(test: &MuxTest, line: &str) -> Ran {
    let mut args = vec!["export", "--config", "mcp.json"];
    args.extend(line.split(' '));
    test.run_bare(&args)
}

#[track_caller]
fn done(test: &MuxTest, line: &str) -> String {
    let ran = export(test, line);
    assert_eq!(ran.code, 0, "{ran:?}");
    told(test, &ran.stderr)
}

/// What was told, without what differs from run to run.
fn told(test: &MuxTest, content: &str) -> String {
    let program = env!("CARGO_BIN_EXE_mcpmux");
    let content = normalize(&content.replace(program, "[MCPMUX]"), test.dir());
    let mut parts = content.split(".mcpmux-");
    let mut whole = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        whole += ".mcpmux-[DATE]";
        whole += part.split_once(".bak").map_or(part, |(_, rest)| rest);
    }
    whole
}

/// The copies that were left beside a file.
fn copies(test: &MuxTest, directory: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(test.dir().join(directory)).expect("the directory");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths
        .filter(|path| path.to_string_lossy().ends_with(".bak"))
        .collect()
}

const ZED: &str = "// Zed\r\n{\r\n  \"theme\": \"One\", // mine\r\n  \"context_servers\": {\r\n    \"a\": { \"command\": \"x\", \"env\": { \"KEY\": \"hidden\" } },\r\n  },\r\n}\r\n";
const CODEX: &str = "model = \"m\" # mine\n\n[mcp_servers.a]\ncommand = \"x\"\n\n[tui]\n# end";

#[test]
fn the_difference_is_shown_and_a_copy_is_kept() {
    let test = home(&[("config_home/zed/settings.json", ZED)]);
    let ran = export(&test, "zed --yes");
    assert_eq!(ran.code, 0, "{ran:?}");
    insta::assert_snapshot!(told(&test, &ran.stdout), @r#"
    --- [DIR]/config_home/zed/settings.json
    +++ [DIR]/config_home/zed/settings.json
    @@ -3,5 +3,9 @@
       "theme": "One", // mine
       "context_servers": {
         "a": { "command": "x", "env": { "KEY": "***" } },
    +    "mcpmux": {
    +      "command": "[MCPMUX]",
    +      "args": ["serve", "--config", "[DIR]/mcp.json"]
    +    },
       },
     }
    "#);
    insta::assert_snapshot!(told(&test, &ran.stderr), @"
    kept the old file as [DIR]/config_home/zed/settings.json.mcpmux-[DATE]
    registered mcpmux in Zed
      at [DIR]/config_home/zed/settings.json:6
    ");
    let after = read(&test, "config_home/zed/settings.json");
    assert!(after.starts_with(ZED.split("  },").next().expect("a start")));
    let copies = copies(&test, "config_home/zed");
    assert_eq!(fs::read_to_string(&copies[0]).expect("the copy"), ZED);
    assert_eq!(
        done(&test, "zed --yes"),
        "mcpmux is registered in Zed already\n  at [DIR]/config_home/zed/settings.json:6\n"
    );
}

#[test]
fn undo_brings_the_old_file_back() {
    for (program, file, before) in [
        ("zed", "config_home/zed/settings.json", ZED),
        ("codex", ".codex/config.toml", CODEX),
        ("claude-code", ".claude.json", "{\"projects\":{},\"x\":1}"),
        ("vtcode", ".vtcode/vtcode.toml", "[mcp]\nenabled = true\n"),
    ] {
        let test = home(&[(file, before)]);
        done(&test, &format!("{program} --yes"));
        assert_ne!(read(&test, file), before);
        done(&test, &format!("{program} --undo --yes"));
        assert_eq!(read(&test, file), before);
        let directory = file.rsplit_once('/').map_or("", |(directory, _)| directory);
        assert_eq!(copies(&test, directory), Vec::<PathBuf>::new());
        let ran = export(&test, &format!("{program} --undo --yes"));
        assert!(
            ran.code == 1 && ran.stderr.contains("is not registered"),
            "{ran:?}"
        );
    }
}

#[test]
fn undo_removes_a_file_that_was_made_for_the_entry() {
    for (program, file) in [
        ("cursor", ".cursor/mcp.json"),
        ("codex", ".codex/config.toml"),
        ("vtcode", ".vtcode/vtcode.toml"),
        ("zed", "config_home/zed/settings.json"),
    ] {
        let test = home(&[]);
        let path = test.dir().join(file);
        fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
        done(&test, &format!("{program} --yes"));
        assert!(path.is_file());
        let ran = export(&test, &format!("{program} --undo --dry-run"));
        assert!(ran.code == 0 && path.is_file(), "{ran:?}");
        done(&test, &format!("{program} --undo --yes"));
        assert!(!path.exists(), "{program}");
        // Somebody else's line keeps the file.
        done(&test, &format!("{program} --yes"));
        let more = format!("{}\n", read(&test, file));
        write(&test, file, &more);
        done(&test, &format!("{program} --undo --yes"));
        assert!(path.is_file(), "{program}");
    }
}

#[test]
fn undo_takes_only_our_entry_where_more_has_changed() {
    let test = home(&[(".codex/config.toml", CODEX)]);
    done(&test, "codex --yes");
    let theirs = read(&test, ".codex/config.toml").replace("# end", "# more");
    write(&test, ".codex/config.toml", &theirs);
    done(&test, "codex --undo --yes");
    assert_eq!(
        read(&test, ".codex/config.toml"),
        CODEX.replace("# end", "# more")
    );
}

#[test]
fn undo_does_not_lose_what_somebody_wrote() {
    let test = home(&[(".codex/config.toml", CODEX)]);
    done(&test, "codex --yes");
    let theirs =
        read(&test, ".codex/config.toml").replace("args = [", "env = { A = \"b\" }\nargs = [");
    write(&test, ".codex/config.toml", &theirs);
    let ran = export(&test, "codex --undo --yes");
    assert!(
        ran.code == 1 && ran.stderr.contains("the entry was changed since"),
        "{ran:?}"
    );
    assert_eq!(read(&test, ".codex/config.toml"), theirs);
}

#[test]
fn an_entry_that_was_there_comes_back() {
    let before =
        "{\n  \"mcpServers\": {\n    \"mcpmux\": { \"command\": \"old\", \"args\": [] }\n  }\n}\n";
    let test = home(&[(".cursor/mcp.json", before)]);
    done(&test, "cursor --yes");
    assert!(!read(&test, ".cursor/mcp.json").contains("old"));
    done(&test, "cursor --undo --yes");
    assert_eq!(read(&test, ".cursor/mcp.json"), before);
}

#[test]
fn nothing_is_written_without_consent() {
    let test = home(&[(".cursor/mcp.json", "{}\n")]);
    for (line, code) in [
        ("cursor", 2),
        ("cursor --dry-run", 0),
        ("cursor --print", 0),
    ] {
        let ran = export(&test, line);
        assert_eq!(ran.code, code, "{ran:?}");
        assert!(ran.stdout.contains("\"serve\""), "{ran:?}");
        assert_eq!(read(&test, ".cursor/mcp.json"), "{}\n");
    }
    assert_eq!(copies(&test, ".cursor"), Vec::<PathBuf>::new());
    let ran = export(&test, "cursor");
    assert!(ran.stderr.contains("repeat it with --yes"), "{ran:?}");
}

#[test]
fn a_program_that_is_not_there_is_told() {
    let test = home(&[]);
    for (line, what) in [
        ("windsurf --yes", "Windsurf is not installed"),
        (
            "claude-desktop --url http://127.0.0.1:1/mcp --yes",
            "cannot be told a URL",
        ),
        ("claude-desktop --project --yes", "has no such file"),
        ("emacs --yes", "`emacs` is no value for `PROGRAM`"),
    ] {
        let ran = export(&test, line);
        assert!(
            ran.code != 0 && ran.stderr.contains(what),
            "{line}: {ran:?}"
        );
    }
    let ran = test.run_bare(&["export", "cursor", "--project", "--config", "gone.json"]);
    assert!(ran.code == 1 && ran.stderr.contains("gone.json"), "{ran:?}");
}

#[test]
fn a_mux_that_runs_is_told_as_a_url() {
    let test = home(&[]);
    write(
        &test,
        "mcp.json",
        "{\"mux\": {\"listen\": \"127.0.0.1:9000\"}, \"mcpServers\": {}}",
    );
    done(&test, "vscode --project --http --yes");
    assert_eq!(
        read(&test, ".vscode/mcp.json"),
        "{\n  \"servers\": {\n    \"mcpmux\": {\n      \"type\": \"http\",\n      \"url\": \"http://127.0.0.1:9000/mcp\"\n    }\n  }\n}\n"
    );
    let ran = export(&test, "codex --print --url https://mux.example/mcp");
    assert_eq!(
        ran.stdout,
        "[mcp_servers.mcpmux]\nurl = \"https://mux.example/mcp\"\n"
    );
}

#[test]
fn a_broken_file_is_left_alone() {
    let test = home(&[(".cursor/mcp.json", "{\n oops")]);
    let ran = export(&test, "cursor --yes --json");
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{ran:?}");
    assert!(ran.stderr.contains(".cursor/mcp.json:2"), "{ran:?}");
    write(&test, ".cursor/mcp.json", "");
    let ran = export(&test, "cursor --yes --json");
    let told: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert_eq!(
        (&told["program"], &told["written"]),
        (&"cursor".into(), &true.into())
    );
}
