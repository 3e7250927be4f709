//! Every file in `tests/fixtures/config`: the valid ones beside the configuration that they make,
//! the invalid ones beside the whole text of their errors.
//!
//! After a wanted change, run the tests with `MCPMUX_TEST_BLESS=1` and review the difference.

use std::path::{Path, PathBuf};

use super::super::{Config, Environment, Sources};
use super::render::render;

/// The environment of the fixtures. Every value that may not show up in an error has `s3cret` in it.
pub(super) fn environment() -> Environment {
    let variables = [
        ("GITHUB_TOKEN", "s3cret-github"),
        ("DOCS_TOKEN", "s3cret-docs"),
        ("OLD_KEY", "s3cret-old"),
        ("SECRET", "s3cret"),
        ("PERPLEXITY_KEY", "s3cret-perplexity"),
        ("LINES", "s3cret\nline"),
        ("TRICK", "${SECRET}"),
        ("EMPTY", ""),
        ("HOST", "example.com"),
        ("COUNT", "7"),
        ("TIME", "9s"),
        ("NO", "false"),
    ];
    Environment::new(variables.map(|(name, value)| (name.to_owned(), value.to_owned())))
}

pub(super) fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/config")
        .join(name)
}

/// The configurations in a folder: files, and folders of files to be merged, in the order of names.
pub(super) fn fixtures(folder: &Path) -> Vec<PathBuf> {
    let is_config = |path: &PathBuf| {
        path.is_dir()
            || path
                .extension()
                .is_some_and(|ending| ending == "json" || ending == "toml")
    };
    let entries = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut paths: Vec<PathBuf> = entries.filter(is_config).collect();
    paths.sort();
    paths
}

fn load(folder: &Path, fixture: &Path) -> Result<Config, String> {
    let files = if fixture.is_dir() {
        fixtures(fixture)
    } else {
        vec![fixture.to_owned()]
    };
    let relative = |path: PathBuf| path.strip_prefix(folder).unwrap().to_owned();
    let sources = Sources {
        files: files.into_iter().map(relative).collect(),
        env: environment(),
        cwd: folder.to_owned(),
        home: Some("/home/somebody".into()),
        ..Sources::default()
    };
    Config::load(&sources).map_err(|errors| errors.to_string())
}

pub(super) fn compare(expected: &Path, text: &str) -> Result<(), String> {
    if std::env::var_os("MCPMUX_TEST_BLESS").is_some() {
        std::fs::write(expected, text).unwrap();
    }
    let wanted = std::fs::read_to_string(expected).unwrap_or_default();
    if wanted == text {
        return Ok(());
    }
    Err(format!(
        "=== {}\n--- wanted\n{wanted}\n--- found\n{text}",
        expected.display()
    ))
}

fn check(name: &str, outcome: impl Fn(&Path, &Path) -> Result<(), String>) {
    let folder = folder(name);
    let fixtures = fixtures(&folder);
    assert!(
        fixtures.len() > 5,
        "only {} fixtures in {}",
        fixtures.len(),
        folder.display()
    );
    let failed: Vec<String> = fixtures
        .iter()
        .filter_map(|fixture| outcome(&folder, fixture).err())
        .collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn valid_files_make_the_expected_configuration() {
    check("valid", |folder, fixture| {
        let config = load(folder, fixture)
            .map_err(|errors| format!("=== {}\n{errors}", fixture.display()))?;
        compare(&fixture.with_extension("txt"), &render(&config, folder))
    });
}

#[test]
fn other_programs_files_make_what_they_mean_there() {
    check("formats", |folder, fixture| {
        let config = load(folder, fixture)
            .map_err(|errors| format!("=== {}\n{errors}", fixture.display()))?;
        compare(&fixture.with_extension("txt"), &render(&config, folder))
    });
}

#[test]
fn invalid_files_make_the_expected_errors() {
    check("invalid", |folder, fixture| match load(folder, fixture) {
        Ok(_) => Err(format!("{} was accepted", fixture.display())),
        Err(errors) => {
            let text = errors.replace(folder.to_str().unwrap(), "<here>") + "\n";
            compare(&fixture.with_extension("stderr"), &text)
        }
    });
}

#[test]
fn no_error_shows_a_secret() {
    check("invalid", |folder, fixture| {
        let config = load(folder, fixture);
        let text = config.map_or_else(|errors| errors, |config| format!("{config:?}"));
        if text.contains("s3cret") {
            Err(text)
        } else {
            Ok(())
        }
    });
}

#[test]
fn no_debug_output_shows_a_secret() {
    for name in ["valid", "formats"] {
        check(name, |folder, fixture| {
            let text = format!("{:?}", load(folder, fixture)?);
            if text.contains("s3cret") {
                Err(text)
            } else {
                Ok(())
            }
        });
    }
}

#[test]
fn both_syntaxes_say_the_same() {
    let folder = folder("valid");
    let json = load(&folder, &folder.join("product.json")).unwrap();
    let toml = load(&folder, &folder.join("tables.toml")).unwrap();
    assert_eq!(json.settings, toml.settings);
    assert_eq!(
        json.servers.into_values().collect::<Vec<_>>(),
        toml.servers.into_values().collect::<Vec<_>>()
    );
}

#[test]
fn a_whole_file_on_one_line_is_read_in_no_time() {
    // Counting columns from the start of the line for every value would take minutes here.
    let many = "[0],".repeat(100_000);
    let text = format!(r#"{{ "history": [{many}], "mux": {{ "separator": 5 }} }}"#);
    let sources = Sources {
        env: environment(),
        ..Sources::default()
    };
    let errors = Config::from_text(Path::new("x.json"), &text, &sources).unwrap_err();
    let place = errors.errors[0].place.clone().unwrap();
    assert_eq!(
        (place.line, place.column),
        (1, text.find("\"separator").unwrap() + 1)
    );
}

#[test]
fn deep_values_of_other_programs_are_read_and_dropped() {
    let depth = 500;
    let text = format!(
        r#"{{ "other": {}{}, "mcpServers": {{}} }}"#,
        "[".repeat(depth),
        "]".repeat(depth)
    );
    let sources = Sources {
        env: environment(),
        ..Sources::default()
    };
    assert!(Config::from_text(Path::new("x.json"), &text, &sources).is_ok());
}
