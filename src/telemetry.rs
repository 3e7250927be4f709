//! The log: to stderr, never to stdout, with the control characters of servers' texts stripped.

use std::fmt;

use tracing::field::Field;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::field::MakeExt;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::{self, Writer};

use crate::config::Environment;
use crate::printable;

/// The variable that sets the log of mcpmux alone.
const OURS: &str = "MCPMUX_LOG";
/// The variable that sets the log of every Rust program.
const COMMON: &str = "RUST_LOG";

/// Who asked for how much log. The first that did so wins, in the order of the fields.
#[derive(Clone, Debug, Default)]
pub struct LogWishes {
    /// `--log-level`.
    pub flag: Option<String>,
    /// `MCPMUX_LOG`.
    pub ours: Option<String>,
    /// `RUST_LOG`.
    pub common: Option<String>,
    /// `mux.logLevel`.
    pub settings: Option<String>,
}

impl LogWishes {
    /// The wishes of the environment; the others are for the caller to fill in.
    pub fn of_environment(environment: &Environment) -> Self {
        let set = |name| {
            environment
                .get(name)
                .filter(|text| !text.is_empty())
                .map(str::to_owned)
        };
        Self {
            ours: set(OURS),
            common: set(COMMON),
            ..Self::default()
        }
    }

    /// The filter to use; `otherwise` where nobody asked for anything.
    pub fn filter(&self, otherwise: LevelFilter) -> Result<EnvFilter, BadLogLevel> {
        if let Some(text) = &self.flag {
            return parse("--log-level", text);
        }
        if let Some(text) = &self.ours {
            return parse(OURS, text);
        }
        if let Some(text) = &self.common {
            // Meant for many programs: what it says wrongly is not for us to refuse.
            return Ok(EnvFilter::builder().parse_lossy(text));
        }
        match &self.settings {
            Some(text) => parse("mux.logLevel", text),
            None => Ok(bare_level(otherwise)),
        }
    }
}

/// A text that says neither a level nor filter directives.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` in `{source_name}` is no log level")]
pub struct BadLogLevel {
    /// The flag, variable or setting.
    pub source_name: &'static str,
    /// What it said.
    pub text: String,
}

/// A level alone is about mcpmux; the libraries below it keep to warnings.
fn bare_level(level: LevelFilter) -> EnvFilter {
    let libraries = level.min(LevelFilter::WARN);
    EnvFilter::new(format!("{libraries},mcpmux={level}"))
}

fn parse(source_name: &'static str, text: &str) -> Result<EnvFilter, BadLogLevel> {
    if let Ok(level) = text.trim().parse::<LevelFilter>() {
        return Ok(bare_level(level));
    }
    let bad = || BadLogLevel {
        source_name,
        text: text.to_owned(),
    };
    // A bare word would be taken for the name of a module, and a typing error for silence.
    let words = text
        .split(',')
        .all(|word| word.contains('=') || word.trim().parse::<LevelFilter>().is_ok());
    if !words {
        return Err(bad());
    }
    EnvFilter::builder().parse(text).map_err(|_| bad())
}

/// Starts the log. A second start, as in tests, changes nothing.
pub fn start<W>(filter: EnvFilter, writer: W)
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let fields = format::debug_fn(field).delimited(" ");
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(writer)
        .with_ansi(false)
        .fmt_fields(fields);
    // Failing means that there is a log already.
    let _ = builder.try_init();
}

/// One field of an event. The text of a server must stay inside of its line.
fn field(writer: &mut Writer<'_>, field: &Field, value: &dyn fmt::Debug) -> fmt::Result {
    let text = format!("{value:?}");
    let text = printable::line(&text);
    match field.name() {
        "message" => writer.write_str(&text),
        name => write!(writer, "{name}={text}"),
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Arc;

    use parking_lot::Mutex;

    use super::*;

    #[derive(Clone, Default)]
    struct Memory(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Memory {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().write(bytes)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn wishes() -> LogWishes {
        LogWishes {
            flag: Some("debug".into()),
            ours: Some("info".into()),
            common: Some("mcpmux=trace".into()),
            settings: Some("off".into()),
        }
    }

    fn filter(wishes: &LogWishes) -> String {
        wishes.filter(LevelFilter::INFO).unwrap().to_string()
    }

    #[test]
    fn the_flag_beats_the_variables_and_they_beat_the_file() {
        assert_eq!(filter(&wishes()), "mcpmux=debug,warn");
        assert_eq!(
            filter(&LogWishes {
                flag: None,
                ..wishes()
            }),
            "mcpmux=info,warn"
        );
        let common = LogWishes {
            flag: None,
            ours: None,
            ..wishes()
        };
        assert_eq!(filter(&common), "mcpmux=trace");
        assert_eq!(
            filter(&LogWishes {
                common: None,
                ..common
            }),
            "mcpmux=off,off"
        );
        assert_eq!(filter(&LogWishes::default()), "mcpmux=info,warn");
    }

    #[test]
    fn directives_are_taken_as_they_are() {
        let wishes = LogWishes {
            flag: Some("warn,mcpmux=debug".into()),
            ..LogWishes::default()
        };
        assert_eq!(filter(&wishes), "mcpmux=debug,warn");
    }

    #[test]
    fn a_typing_error_is_not_taken_for_a_module() {
        let wishes = LogWishes {
            ours: Some("verbos".into()),
            ..LogWishes::default()
        };
        assert_eq!(
            wishes.filter(LevelFilter::INFO).unwrap_err().to_string(),
            "`verbos` in `MCPMUX_LOG` is no log level"
        );
        let wishes = LogWishes {
            flag: Some("mcpmux=loud".into()),
            ..LogWishes::default()
        };
        assert!(wishes.filter(LevelFilter::INFO).is_err());
    }

    #[test]
    fn a_field_cannot_forge_a_line() {
        let memory = Memory::default();
        let out = memory.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_writer(move || out.clone())
            .with_ansi(false)
            .without_time()
            .with_target(false)
            .fmt_fields(format::debug_fn(field).delimited(" "))
            .finish();
        tracing::subscriber::with_default(subscriber, || {
            let name = "evil\u{1b}[2J\nINFO forged";
            tracing::info!(%name, upstream = "a", "tool \u{7}{name}");
        });
        let text = String::from_utf8(memory.0.lock().clone()).unwrap();
        assert_eq!(
            text,
            " INFO tool evil[2J INFO forged name=evil[2J INFO forged upstream=\"a\"\n"
        );
    }
}
