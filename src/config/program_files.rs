//! Where a program's files are on this machine.

use std::path::{Path, PathBuf};

use super::programs::{Base, Program, Scope};
use super::sources::Sources;

/// A system, as far as it decides where files are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum System {
    /// Linux, and whatever is like it.
    Linux,
    /// macOS.
    Mac,
    /// Windows.
    Windows,
}

impl System {
    /// The one that this runs on.
    pub fn here() -> Self {
        if cfg!(windows) {
            Self::Windows
        } else if cfg!(target_os = "macos") {
            Self::Mac
        } else {
            Self::Linux
        }
    }
}

impl Program {
    /// Its files, be they there or not. Those whose directory nobody knows are left out.
    pub fn files(&self, system: System, sources: &Sources) -> Vec<(Scope, PathBuf)> {
        let file = |spot: &super::programs::Spot| {
            let base = directory(spot.base, system, sources)?;
            let parts = spot.path.split('/');
            Some((spot.scope, parts.fold(base, |path, part| path.join(part))))
        };
        self.spots.iter().filter_map(file).collect()
    }
}

fn directory(base: Base, system: System, sources: &Sources) -> Option<PathBuf> {
    let home = || sources.home.clone().filter(|home| home != Path::new(""));
    let variable = |name: &str| {
        let value = sources.env.get(name).map(PathBuf::from);
        value.filter(|path| path.has_root() || path.is_absolute())
    };
    let app_data = || {
        let roaming = || home().map(|home| home.join("AppData").join("Roaming"));
        sources
            .env
            .get("APPDATA")
            .map(PathBuf::from)
            .or_else(roaming)
    };
    let xdg = || variable("XDG_CONFIG_HOME").or_else(|| home().map(|home| home.join(".config")));
    match (base, system) {
        (Base::Here, _) => Some(sources.cwd.clone()),
        (Base::Home(name, default), _) => {
            let own = if name.is_empty() {
                None
            } else {
                variable(name)
            };
            let at_home = || match default {
                "" => home(),
                default => home().map(|home| home.join(default)),
            };
            own.or_else(at_home)
        }
        (Base::Programs | Base::Config, System::Windows) => app_data(),
        (Base::Programs, System::Mac) => {
            home().map(|home| home.join("Library").join("Application Support"))
        }
        (Base::Programs | Base::Config, _) => xdg(),
    }
}
