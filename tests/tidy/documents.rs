//! Rules for the documents: they say what is so.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use mcpmux::config::{self, Config, Environment, Sources};

use crate::project::{none, project, read};

/// The flags of a command, but for those that every command has.
fn flags(command: &clap::Command, common: &BTreeSet<String>) -> BTreeSet<String> {
    let long = command
        .get_arguments()
        .filter_map(|arg| Some(format!("--{}", arg.get_long()?)));
    long.filter(|flag| !common.contains(flag)).collect()
}

/// All words of a text that look like flags.
fn flags_in(text: &str) -> BTreeSet<String> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-')
        .filter(|word| word.len() > 2 && word.starts_with("--") && !word.starts_with("---"))
        .map(str::to_owned)
        .collect()
}

/// The part of a document below a heading, up to the next one of that level.
fn section<'a>(text: &'a str, heading: &str) -> &'a str {
    let Some((_, rest)) = text.split_once(&format!("\n{heading}\n")) else {
        panic!("README.md has no section `{heading}`");
    };
    rest.split_once("\n## ")
        .map_or(rest, |(section, _)| section)
}

/// Where a text and the command line disagree.
fn disagreements(section: &str, command: &clap::Command) -> Vec<String> {
    let common = flags(command, &BTreeSet::new());
    let mut offences = Vec::new();
    let mut rows: Vec<&str> = section
        .lines()
        .filter(|line| line.starts_with("| `"))
        .collect();
    for sub in command.get_subcommands() {
        let name = sub.get_name();
        let Some(at) = rows.iter().position(|row| {
            row.strip_prefix("| `")
                .is_some_and(|row| row.split([' ', '`']).next() == Some(name))
        }) else {
            offences.push(format!("README.md: command `{name}` has no row"));
            continue;
        };
        let (told, real) = (flags_in(rows.remove(at)), flags(sub, &common));
        let missing = real
            .difference(&told)
            .map(|flag| format!("README.md: `{name}` has `{flag}`"));
        let excess = told
            .difference(&real)
            .map(|flag| format!("README.md: `{name}` has no `{flag}`"));
        offences.extend(missing.chain(excess));
    }
    offences.extend(
        rows.iter()
            .map(|row| format!("README.md: no such command: {row}")),
    );
    let told = flags_in(section);
    let missing = common
        .difference(&told)
        .map(|flag| format!("README.md: `{flag}` is not told"));
    offences.extend(missing);
    offences
}

#[test]
fn the_readme_and_the_help_agree() {
    none(disagreements(
        section(&read("README.md"), "## Commands"),
        &mcpmux::cli::command(),
    ));
}

#[test]
fn a_readme_that_lies_is_found() {
    let command = clap::Command::new("x")
        .arg(clap::Arg::new("config").long("config"))
        .subcommand(clap::Command::new("run").arg(clap::Arg::new("fast").long("fast")))
        .subcommand(clap::Command::new("walk"));
    assert_eq!(
        disagreements("| `run --slow` | runs |\n| `fly` | flies |", &command),
        [
            "README.md: `run` has `--fast`",
            "README.md: `run` has no `--slow`",
            "README.md: command `walk` has no row",
            "README.md: no such command: | `fly` | flies |",
            "README.md: `--config` is not told",
        ]
    );
}

/// Where the part of a README between two marks is not what it should be.
fn stale_lines(readme: &str, part: &str, real: &str) -> Vec<String> {
    let lines: Vec<&str> = readme.lines().collect();
    let mark = |mark: String| lines.iter().position(|line| *line == mark);
    let marks = (
        mark(format!("<!-- {part} -->")),
        mark(format!("<!-- /{part} -->")),
    );
    let (Some(begin), Some(end)) = marks else {
        return vec![format!("README.md: the marks of `{part}` are gone")];
    };
    let mut offences = Vec::new();
    let mut told = (begin + 2..).zip(lines[begin + 1..end].iter());
    for real in real.trim_end().lines() {
        match told.next() {
            Some((_, told)) if *told == real => {}
            Some((number, _)) => offences.push(format!("README.md:{number}: should be {real}")),
            None => offences.push(format!("README.md:{}: missing: {real}", end + 1)),
        }
    }
    offences.extend(told.map(|(number, told)| format!("README.md:{number}: excess: {told}")));
    offences
}

#[test]
fn the_reference_in_the_readme_is_the_one_of_the_code() {
    none(stale_lines(
        &read("README.md"),
        "reference",
        &config::reference_markdown(),
    ));
}

#[test]
fn a_stale_reference_is_found() {
    let readme = "x\n<!-- reference -->\na\nb\n<!-- /reference -->\n";
    assert_eq!(stale_lines(readme, "reference", "a\nb\n"), [""; 0]);
    assert_eq!(
        stale_lines(readme, "reference", "a\nc\nd\n"),
        ["README.md:4: should be c", "README.md:5: missing: d",]
    );
    assert_eq!(
        stale_lines(readme, "reference", "a\n"),
        ["README.md:4: excess: b"]
    );
    assert_eq!(
        stale_lines("", "reference", "a"),
        ["README.md: the marks of `reference` are gone"]
    );
}

/// The table of what the conformance suite may not pass.
fn exceptions() -> String {
    let file = read("tests/peers/conformance/exceptions.json");
    let data: Value = serde_json::from_str(&file).expect("the exceptions are JSON");
    let row = |role: &str, entry: &Value| {
        let text = |key: &str| entry[key].as_str().unwrap_or("all").to_owned();
        let (scenario, why) = (format!("`{}`", text("scenario")), text("why"));
        let server = match entry["leg"].as_str() {
            Some(leg) => format!("{} over {leg}", text("fixture")),
            None => text("fixture"),
        };
        [role.to_owned(), text("revision"), server, scenario, why].join(" | ")
    };
    let rows = [("server", "fail"), ("client", "leftOut")].map(|(role, list)| {
        let entries = data[list].as_array().expect("a list of exceptions");
        entries.iter().map(move |entry| row(role, entry))
    });
    let head = "| role | revision | server | scenario | why |\n|---|---|---|---|---|".to_owned();
    let rows = rows.into_iter().flatten().map(|row| format!("| {row} |"));
    let lines: Vec<String> = std::iter::once(head).chain(rows).collect();
    lines.join("\n")
}

#[test]
fn the_exceptions_in_the_readme_are_those_of_the_conformance_runs() {
    none(stale_lines(&read("README.md"), "exceptions", &exceptions()));
}

/// Names of the source tree in a document that are not there.
fn dead_paths(document: &str, text: &str) -> Vec<String> {
    let mut offences = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let quoted = line.split('`').skip(1).step_by(2);
        let ours = ["src/", "tests/", "examples/", "benches/", "fuzz/"];
        for path in quoted.filter(|path| ours.iter().any(|ours| path.starts_with(ours))) {
            if !path.contains('*') && !project().join(path).exists() {
                offences.push(format!("{document}:{}: `{path}` does not exist", index + 1));
            }
        }
    }
    offences
}

#[test]
fn documents_name_what_exists_and_every_room() {
    let architecture = read("ARCHITECTURE.md");
    let mut offences = dead_paths("ARCHITECTURE.md", &architecture);
    offences.extend(dead_paths("README.md", &read("README.md")));
    for entry in fs::read_dir(project().join("src")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let shown = if path.is_dir() {
            format!("`src/{name}/`")
        } else {
            format!("`src/{name}`")
        };
        if !architecture.contains(&shown) {
            offences.push(format!("ARCHITECTURE.md: {shown} is not in the code map"));
        }
    }
    none(offences);
    assert_eq!(
        dead_paths("x", "a `src/nowhere.rs`"),
        ["x:1: `src/nowhere.rs` does not exist"]
    );
}

#[test]
fn the_example_configuration_loads() {
    let sources = Sources {
        files: vec!["mcp-config.example.json".into()],
        env: Environment::default(),
        cwd: project().to_owned(),
        ..Sources::default()
    };
    let config = Config::load(&sources).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(config.warnings, [], "the example is a good one");
    assert!(config.servers.len() >= 2, "the example has servers");
}
