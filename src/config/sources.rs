//! `Sources`: where the configuration is read from.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use super::outside::Outside;
use super::policy::PolicyFile;

/// The files, environment and flags to read. The environment is an input, so that tests give a map.
#[derive(Clone, Default)]
pub struct Sources {
    /// The files of `--config`, in order; empty = the search order.
    pub files: Vec<PathBuf>,
    /// The environment.
    pub env: Environment,
    /// What the command line says.
    pub flags: Flags,
    /// The working directory.
    pub cwd: PathBuf,
    /// The home directory, for `~` and the search order.
    pub home: Option<PathBuf>,
    /// Who has what is neither in files nor in variables; `None` = nobody.
    pub outside: Option<Arc<dyn Outside>>,
    /// Where the managed policy is.
    pub policy: PolicyFile,
}

impl Sources {
    /// The sources of this process. Fails if the working directory is gone.
    pub fn of_process(files: Vec<PathBuf>, flags: Flags) -> std::io::Result<Self> {
        let env = Environment::of_process();
        let home = std::env::home_dir().filter(|home| !home.as_os_str().is_empty());
        Ok(Self {
            files,
            env,
            flags,
            cwd: std::env::current_dir()?,
            home,
            outside: None,
            policy: PolicyFile::default(),
        })
    }
}

/// Settings that have a command line flag; `None` = not given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// `--http ADDR`.
    pub listen: Option<String>,
    /// `--log-level LEVEL`.
    pub log_level: Option<String>,
}

/// The variables of the process, or a table of a test. `Debug` shows no value.
#[derive(Clone, Default)]
pub struct Environment(Arc<[(String, String)]>);

impl Environment {
    /// Takes the variables as they are.
    pub fn new(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        Self(variables.into_iter().collect())
    }

    /// The environment of this process; variables that are not Unicode are left out.
    pub fn of_process() -> Self {
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Self::new(std::env::vars_os().filter_map(text))
    }

    /// The value of a variable; set but empty is `Some("")`.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .rev()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// All variables whose names begin with `prefix`.
    pub fn with_prefix<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        let pairs = self
            .0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        pairs.filter(move |(name, _)| name.starts_with(prefix))
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|(name, _)| name))
            .finish()
    }
}

impl fmt::Debug for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sources")
            .field("files", &self.files)
            .field("flags", &self.flags)
            .field("cwd", &self.cwd)
            .field("home", &self.home)
            .finish_non_exhaustive()
    }
}
