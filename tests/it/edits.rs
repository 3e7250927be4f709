//! `add`, `remove`, `enable` and `disable`: the bytes of the files before and after.

use std::fs;

use serde_json::{Value, json};

use crate::support::{MuxTest, Ran, normalize};

const FILE: &str = "// mine\r\n{\r\n\t\"mcpServers\": {\r\n\t\t\"a\": { \"command\": \"x\" }, // first\r\n\t\t/* b */ \"b\": { \"url\": \"http://127.0.0.1:1/mcp\", \"disabled\": true },\r\n\t},\r\n}";

/// A directory with this content as the configuration.
fn with(content: &str) -> MuxTest {
    let test = MuxTest::new();
    fs::write(test.dir().join("mcp-config.json"), content).expect("a file");
    test
}

fn written(test: &MuxTest) -> String {
    fs::read_to_string(test.dir().join("mcp-config.json")).expect("the file")
}

#[track_caller]
fn run(test: &MuxTest, line: &str) -> Ran {
    test.run_bare(&line.split(' ').collect::<Vec<_>>())
}

#[track_caller]
fn done(test: &MuxTest, line: &str) -> String {
    let ran = run(test, line);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, ""), "{ran:?}");
    normalize(&ran.stderr, test.dir())
}

#[track_caller]
fn refused(test: &MuxTest, line: &str, code: i32) -> String {
    let before = fs::read(test.dir().join("mcp-config.json")).ok();
    let ran = run(test, line);
    assert_eq!((ran.code, ran.stdout.as_str()), (code, ""), "{ran:?}");
    let after = fs::read(test.dir().join("mcp-config.json")).ok();
    assert_eq!(before, after, "{ran:?}");
    normalize(&ran.stderr, test.dir())
}

#[test]
fn a_server_is_added_and_nothing_else_changes() {
    let test = with(FILE);
    let told = done(&test, "add new --env A=b --prefix n -- npx -y server");
    assert_eq!(told, "added server `new`\n  at mcp-config.json:6\n");
    let entry = "\t\t\"new\": {\r\n\t\t\t\"command\": \"npx\",\r\n\t\t\t\"args\": [\"-y\", \"server\"],\r\n\t\t\t\"env\": {\r\n\t\t\t\t\"A\": \"b\"\r\n\t\t\t},\r\n\t\t\t\"prefix\": \"n\"\r\n\t\t},\r\n\t},";
    assert_eq!(written(&test), FILE.replace("\t},", entry));
    let told = done(&test, "remove new");
    assert_eq!(told, "removed server `new`\n  at mcp-config.json:6\n");
    assert_eq!(written(&test), FILE);
}

#[test]
fn a_server_is_switched_in_its_own_spelling() {
    let test = with(FILE);
    assert_eq!(
        done(&test, "enable b"),
        "enabled server `b`\n  at mcp-config.json:5\n"
    );
    assert_eq!(written(&test), FILE.replace("true", "false"));
    done(&test, "disable b");
    assert_eq!(written(&test), FILE);
    assert_eq!(
        done(&test, "disable b"),
        "server `b` is disabled already\n  at mcp-config.json:5\n"
    );
    done(&test, "disable a");
    let off = FILE.replace("\"x\" }", "\"x\", \"disabled\": true }");
    assert_eq!(written(&test), off);
}

#[test]
fn a_file_is_made_where_there_is_none() {
    let test = MuxTest::new();
    let told = done(&test, "add docs https://example.com/mcp");
    assert_eq!(
        told,
        "added server `docs`\n  at [DIR]/config_home/mcpmux/config.json:3\n"
    );
    let made = test.dir().join("config_home/mcpmux/config.json");
    assert_eq!(
        fs::read_to_string(&made).expect("the file"),
        "{\n  \"mcpServers\": {\n    \"docs\": {\n      \"url\": \"https://example.com/mcp\"\n    }\n  }\n}\n"
    );
    let ran = run(&test, "add x --config new/x.toml -- y");
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(
        fs::read_to_string(test.dir().join("new/x.toml")).expect("the file"),
        "[mcpServers.x]\ncommand = \"y\"\n"
    );
}

#[test]
fn what_was_added_works() {
    let test = MuxTest::new();
    done(&test, "add gone -- there-is-no-such-command");
    let header = ["add", "web", "http://127.0.0.1:1/mcp", "--header", "X: y"];
    assert_eq!(test.run_bare(&header).code, 0);
    for value in [
        "T=${NO_SUCH_VARIABLE}",
        "T=${file:/no/such/file}",
        "T=${cmd:no-such-program}",
    ] {
        let ran = test.run_bare(&["add", "later", "--dry-run", "--env", value, "--", "x"]);
        assert_eq!(ran.code, 0, "{ran:?}");
    }
    let ran = run(&test, "list servers --json");
    let listed: Vec<Value> = serde_json::from_str(&ran.stdout).expect("JSON");
    let names: Vec<&Value> = listed.iter().map(|server| &server["name"]).collect();
    assert_eq!(names, ["gone", "web"]);
}

#[test]
fn the_last_of_several_files_is_edited() {
    let test = with(FILE);
    let other = test.dir().join("other.toml");
    fs::write(&other, "# theirs\n[mcp_servers.a]\ncommand = 'z'\n").expect("a file");
    let both = "--config mcp-config.json --config other.toml";
    done(&test, &format!("disable a {both}"));
    let toml = "# theirs\n[mcp_servers.a]\ncommand = 'z'\nenabled = false\n";
    assert_eq!(fs::read_to_string(&other).expect("the file"), toml);
    let told = done(&test, &format!("remove a {both}"));
    assert_eq!(
        told,
        "removed server `a`\n  at other.toml:2\nwarning: server `a` is in an earlier file too, and counts there\n  at mcp-config.json:4\n  hint: run it once more to remove that one\n"
    );
    assert_eq!(fs::read_to_string(&other).expect("the file"), "# theirs\n");
    done(&test, &format!("remove b {both}"));
    assert!(!written(&test).contains("\"b\""));
}

#[test]
fn a_server_of_a_file_that_is_pulled_in_is_edited_there() {
    let test = with(
        "{\"mux\": {\"include\": [\"more/*.json\"]}, \"mcpServers\": {\"b\": {\"command\": \"${NO_SUCH_VARIABLE}\"}}}",
    );
    let more = test.dir().join("more/a.json");
    fs::create_dir_all(test.dir().join("more")).expect("a directory");
    fs::write(&more, FILE).expect("a file");
    done(&test, "disable a");
    let off = FILE.replace("\"x\" }", "\"x\", \"disabled\": true }");
    assert_eq!(fs::read_to_string(&more).expect("the file"), off);
    done(&test, "add c -- z");
    assert!(written(&test).contains("\"c\": {\"command\": \"z\"}"));
}

#[test]
fn a_name_that_is_there_needs_force() {
    let test = with(FILE);
    assert_eq!(
        refused(&test, "add a -- y", 1),
        "error: there is a server `a` already\n  at mcp-config.json:4\n  hint: choose another name, or replace it with --force\n"
    );
    let told = done(&test, "add a --force -- y");
    assert_eq!(told, "replaced server `a`\n  at mcp-config.json:4\n");
    assert!(written(&test).contains("\"command\": \"y\""));
}

#[test]
fn a_dry_run_shows_the_difference_and_no_secret() {
    let test = with(
        "{\"mcpServers\": {\n  \"a\": {\"env\": {\"T\": \"hidden-1\"}, \"command\": \"x\"}\n}}\n",
    );
    let ran = run(&test, "add b --dry-run --env TOKEN=hidden-2 -- y");
    assert_eq!(ran.code, 0, "{ran:?}");
    insta::assert_snapshot!(ran.stdout, @r#"
    --- mcp-config.json
    +++ mcp-config.json
    @@ -1,3 +1,9 @@
     {"mcpServers": {
    -  "a": {"env": {"T": "***"}, "command": "x"}
    +  "a": {"env": {"T": "***"}, "command": "x"},
    +  "b": {
    +    "command": "y",
    +    "env": {
    +      "TOKEN": "***"
    +    }
    +  }
     }}
    "#);
    insta::assert_snapshot!(ran.stderr, @"
    would add server `b`
      at mcp-config.json:3
    warning: the value of `env.TOKEN` looks like a secret, and stands in the file as it is
      hint: set a variable and write '${TOKEN}' in its place
    ");
    assert!(!written(&test).contains("\"b\""));
}

#[test]
fn scripts_are_told_in_json() {
    let test = with(FILE);
    let ran = run(&test, "enable b --json");
    let told: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert_eq!(
        told,
        json!({"action": "enable", "server": "b", "file": "mcp-config.json", "line": 5, "changed": true, "written": true})
    );
    let ran = run(&test, "enable b --json --dry-run");
    let told: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert_eq!(
        (&told["changed"], &told["diff"]),
        (&json!(false), &json!(""))
    );
}

#[test]
fn what_cannot_be_done_is_told_and_nothing_is_written() {
    let test = with(FILE);
    assert_eq!(
        refused(&test, "remove nobody", 1),
        "error: there is no server `nobody`\n  hint: looked for in mcp-config.json\n"
    );
    for (line, told) in [
        ("add x", "neither a URL nor a command is given"),
        ("add x npx", "`npx` is not a URL"),
        ("add x ftp://example.com", "does not fit the type"),
        ("add x http://a.example/ -- y", "not both"),
        (
            "add x http://a.example/ --env A=b",
            "`--env` is for a server that is a command",
        ),
        (
            "add x --header A:b -- y",
            "`--header` is for a server with a URL",
        ),
        ("add x --env s3cr3t -- y", "is not NAME=VALUE"),
        (
            "add x http://a.example/ --header s3cr3t",
            "is not NAME: VALUE",
        ),
    ] {
        let stderr = refused(&test, line, 2);
        assert!(
            stderr.contains(told) && !stderr.contains("s3cr3t"),
            "{line}: {stderr}"
        );
    }
    let test = with("{\n  \"mcpServers\": {\n    oops\n");
    for line in ["add x -- y", "remove x", "enable x"] {
        let stderr = refused(&test, line, 2);
        assert!(stderr.contains("at mcp-config.json:3"), "{line}: {stderr}");
    }
    let test = with("{\"mcpServers\": []}");
    assert_eq!(
        refused(&test, "add x -- y", 1),
        "error: `mcpServers` must be an object\n  at mcp-config.json:1\n"
    );
}

/// Whoever is late is told so; nothing that was reported as added is lost.
#[test]
fn edits_at_the_same_time_lose_nothing() {
    let test = with(FILE);
    let run = &|index: usize| {
        let name = format!("n{index}");
        let ran = test.run_bare(&["add", &name, "--", "x"]);
        let late = ran.code == 1 && ran.stderr.contains("was changed meanwhile");
        assert!(ran.code == 0 || late, "{ran:?}");
        (ran.code == 0).then_some(name)
    };
    let added: Vec<String> = std::thread::scope(|scope| {
        let runs: Vec<_> = (0..8)
            .map(|index| scope.spawn(move || run(index)))
            .collect();
        let ended = runs.into_iter().map(|run| run.join().expect("no panic"));
        ended.flatten().collect()
    });
    let content = written(&test);
    assert!(!added.is_empty());
    for index in 0..8 {
        let name = format!("n{index}");
        let has = content.contains(&format!("\"{name}\": {{"));
        assert_eq!(has, added.contains(&name), "{name}: {content}");
    }
}

#[test]
fn odd_names_are_names() {
    let test = with(FILE);
    for name in ["ü", "a.b", "\"", "\\", "a b", "${X}"] {
        assert_eq!(test.run_bare(&["add", name, "--", "x"]).code, 0, "{name}");
        assert_eq!(test.run_bare(&["disable", name]).code, 0, "{name}");
        assert_eq!(test.run_bare(&["remove", name]).code, 0, "{name}");
        assert_eq!(written(&test), FILE, "{name}");
    }
    refused(&test, "add  -- x", 2);
}

#[cfg(unix)]
#[test]
fn a_read_only_file_stays() {
    use std::os::unix::fs::PermissionsExt;
    let test = with(FILE);
    let path = test.dir().join("mcp-config.json");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o444)).expect("a mode");
    assert_eq!(
        refused(&test, "remove a", 1),
        "error: cannot write `mcp-config.json`: it is read-only\n"
    );
}
