//! A mux that runs for one command.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::time::{MissedTickBehavior, interval};
use tracing::level_filters::LevelFilter;

use super::args::Common;
use super::beside::Beside;
use super::error::CliError;
use super::report::{self, Finding, Severity};
use super::servers::ServerLine;
use super::signals::Signals;
use super::spinner::Spinner;
use crate::app::{App, Keeping};
use crate::catalog::{Catalog, Route};
use crate::config::{Config, Environment, Flags, PolicyFile, Sources};
use crate::mux::Mux;
use crate::telemetry::{self, LogWishes};
use crate::transport::Guard;
use crate::transport::guard::own_program;
use crate::upstream::{Manifest, ServerState};
use crate::vault::Vault;

/// The log of a command that does one thing: what it has to say, it prints.
pub(super) const ONE_SHOT_LOG: LevelFilter = LevelFilter::ERROR;
/// Time between two looks at the servers while they connect.
const LOOK: Duration = Duration::from_millis(50);
/// What is left at the end, such as a name that is being resolved, gets no longer than this.
const LAST: Duration = Duration::from_secs(1);

/// Reads the configuration that the flags name. Warnings go to the caller.
pub(super) fn load(common: &Common, listen: Option<String>) -> Result<Config, CliError> {
    Ok(Config::load(&sources(common, listen)?)?)
}

/// Where the configuration that the flags name comes from.
pub(super) fn sources(common: &Common, listen: Option<String>) -> Result<Sources, CliError> {
    Ok(Sources {
        files: common.config.clone(),
        env: Environment::of_process(),
        flags: Flags {
            listen,
            log_level: common.log_level.clone(),
        },
        cwd: std::env::current_dir()?,
        home: std::env::home_dir(),
        outside: Some(Arc::new(Beside::new(secrets()))),
        policy: PolicyFile::default(),
    })
}

/// Where secrets lie that the keychain does not have.
fn secrets() -> Option<PathBuf> {
    Some(state()?.join("mcpmux/keychain"))
}

/// The user's folder for state.
fn state() -> Option<PathBuf> {
    folder("XDG_STATE_HOME", ".local/state")
}

/// The folder that a variable names, or the usual one at home.
fn folder(variable: &str, usual: &str) -> Option<PathBuf> {
    match Environment::of_process().get(variable) {
        Some(folder) if !folder.is_empty() => Some(PathBuf::from(folder)),
        _ => Some(std::env::home_dir()?.join(usual)),
    }
}

/// Prints the warnings of a configuration.
pub(super) fn warn(config: &Config) {
    let warnings: Vec<Finding> = config.warnings.iter().map(Finding::from).collect();
    report::print(&warnings, Severity::Warning);
}

/// Starts the log.
pub(super) fn log(
    common: &Common,
    config: &Config,
    otherwise: LevelFilter,
) -> Result<(), CliError> {
    let wishes = LogWishes {
        flag: common.log_level.clone(),
        settings: config.settings.log_level.clone(),
        ..LogWishes::of_environment(&Environment::of_process())
    };
    telemetry::start(wishes.filter(otherwise)?, io::stderr);
    Ok(())
}

/// What a mux is started for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// For one thing, and then it ends.
    Errand,
    /// For clients. It keeps what its servers offer, and a hang-up is for the work to heed.
    Clients,
    /// The same for the one client on stdin and stdout.
    Client,
}

impl Purpose {
    /// The runtime for it. What one client sends leaves one worker time to spare. A second one would be woken by each frame,
    /// find nothing to do and sleep again (60 µs of CPU a call, one call at a time, instead of 48).
    fn runtime(self) -> io::Result<Runtime> {
        let mut runtime = Builder::new_multi_thread();
        if self == Self::Client {
            runtime.worker_threads(1);
        }
        runtime.enable_all().build()
    }
}

/// Starts the mux, does the work with it, and shuts it down, whatever comes of the work. A signal ends
/// the work, a second one the shutdown.
pub(super) fn with_app<T>(
    config: &Config,
    purpose: Purpose,
    work: impl AsyncFnOnce(&App) -> Result<T, CliError>,
) -> Result<T, CliError> {
    let runtime = purpose.runtime()?;
    let result = runtime.block_on(async {
        let (mut signals, manifest) = match purpose {
            Purpose::Errand => (Signals::catch()?, None),
            Purpose::Clients | Purpose::Client => (Signals::but_hang_up()?, manifest()),
        };
        let vault = vault(config).map(Arc::new);
        let app = App::start(config, guard(), Keeping { vault, manifest });
        let result = tokio::select! {
            result = work(&app) => result,
            exit = signals.next() => Err(CliError::Ended(exit)),
        };
        tokio::select! {
            () = app.stop() => result,
            exit = signals.next() => Err(CliError::Ended(exit)),
        }
    });
    end(runtime);
    result
}

fn end(runtime: Runtime) {
    runtime.shutdown_timeout(LAST);
}

/// Where logins are kept: in the keychain, and in the user's folder for state.
pub(super) fn vault(config: &Config) -> Option<Vault> {
    let keep = config.settings.credential_store;
    Some(Vault::new(state()?.join("mcpmux/logins"), keep))
}

/// Where a mux that serves keeps what its servers offer: in the user's folder for what can be lost.
fn manifest() -> Option<Manifest> {
    let caches = folder("XDG_CACHE_HOME", ".cache")?;
    Some(Manifest::new(caches.join("mcpmux/servers")))
}

fn guard() -> Guard {
    match own_program() {
        Ok(program) => Guard::new(program),
        Err(error) => {
            tracing::warn!(%error, "this program's own file is not known: no guard process");
            Guard::none()
        }
    }
}

/// The servers as they are now.
pub(super) fn lines(mux: &Mux) -> Vec<ServerLine> {
    mux.servers().iter().map(ServerLine::of).collect()
}

/// Waits until every server has been tried, and shows their states meanwhile.
pub(super) async fn settle(mux: &Mux, config: &Config) {
    settle_unless(mux, config, || false).await;
}

/// Waits until the name leads somewhere for good, or every server has been tried. A name is not
/// good while a server that comes earlier in the file could still claim it.
pub(super) async fn settle_for(
    mux: &Mux,
    config: &Config,
    route: impl Fn(&Catalog) -> Option<Route>,
) {
    settle_unless(mux, config, || {
        let Some(Route { server, .. }) = route(&mux.catalog()) else {
            return false;
        };
        // Only a server with the same prefix could claim the name, and only an earlier one would get it.
        let prefix = |name| config.servers.get(name).map(|server| &server.rules.prefix);
        let servers = mux.servers();
        let mut rivals = servers
            .iter()
            .take_while(|earlier| earlier.name != server)
            .filter(|earlier| prefix(&earlier.name) == prefix(&server));
        rivals.all(|rival| rival.state != ServerState::Connecting)
    })
    .await;
}

async fn settle_unless(mux: &Mux, config: &Config, is_enough: impl Fn() -> bool) {
    let longest = config
        .servers
        .values()
        .map(|server| server.startup_timeout)
        .max();
    let settled = mux.settled(longest.unwrap_or_default() + LAST);
    tokio::pin!(settled);
    let mut spinner = None;
    let mut looks = interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        tokio::select! {
            _ = &mut settled => return,
            _ = looks.tick() => {}
        }
        if is_enough() {
            return;
        }
        let lines = lines(mux);
        let spinner = spinner.get_or_insert_with(|| Spinner::start(lines.len()));
        if let Some(spinner) = spinner {
            spinner.show(&lines);
        }
    }
}
