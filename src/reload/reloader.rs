//! Reading the configuration again, and making the mux follow it.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, error, info, warn};

use crate::catalog::Conflict;
use crate::config::{
    Config, ConfigError, ConfigErrors, ConfigWarning, Place, Plan, ServerConfig, Sources, Watching,
};
use crate::mux::{Change, Hub};
use crate::protocol::ServerName;

/// Why the mux goes on as before.
#[derive(Debug, thiserror::Error)]
pub enum ReloadError {
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigErrors),
    /// Required servers that are new or replaced do not come up, each with what is wrong.
    #[error("{}", .0.iter().map(missing).collect::<Vec<_>>().join("\n"))]
    Missing(Vec<(ServerName, String)>),
    /// `onConflict` is `error`, and there would be some.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Conflicts(Vec<Conflict>),
    /// The mux is shutting down.
    #[error("the mux is shutting down")]
    Stopped,
}

fn missing((name, why): &(ServerName, String)) -> String {
    format!("required server `{name}` is not available: {why}")
}

/// What reading the configuration again came to.
#[derive(Debug)]
pub struct Reloaded {
    /// What was different.
    pub plan: Plan,
    /// What is odd about the configuration.
    pub warnings: Vec<ConfigWarning>,
    /// New servers that are not up yet, and are tried on, each with what is wrong.
    pub missing: Vec<(ServerName, String)>,
}

/// How the work is ended.
#[derive(Clone)]
pub struct Shutdown {
    /// Runs the work.
    pub tracker: TaskTracker,
    /// Ends it.
    pub stop: CancellationToken,
}

/// The files of a configuration that cannot be used.
#[derive(Clone, Default)]
struct Refused {
    all: Vec<PathBuf>,
    /// Those of them that were not there.
    absent: BTreeSet<PathBuf>,
}

/// Makes a mux follow its files.
pub struct Reloader {
    sources: Sources,
    hub: Hub,
    changes: mpsc::Sender<Change>,
    shutdown: Shutdown,
    /// What the mux follows now: of settings that need a restart, the values that hold.
    current: Mutex<Config>,
    /// What the last reading looked at, if it failed: one of these may mend it.
    refused: Mutex<Refused>,
    /// Had by who changes it.
    turn: Semaphore,
}

impl Reloader {
    /// For a mux that was started with this configuration, which came from these sources.
    pub fn new(
        (sources, config): (Sources, Config),
        hub: Hub,
        changes: mpsc::Sender<Change>,
        shutdown: Shutdown,
    ) -> Arc<Self> {
        Arc::new(Self {
            sources,
            hub,
            changes,
            shutdown,
            current: Mutex::new(config),
            refused: Mutex::default(),
            turn: Semaphore::new(1),
        })
    }

    /// The files that what the mux follows comes from, or would come from if it could.
    pub(super) fn files(&self) -> BTreeSet<PathBuf> {
        let current = self.current.lock();
        let files = current.files.iter();
        let files = files.map(|file| self.sources.cwd.join(file));
        let refused = self.refused.lock().all.clone();
        let watched = current.watched.iter().cloned().chain(refused);
        // It need not be there yet.
        let policy = self.sources.policy.path().to_owned();
        files.chain(watched).chain([policy]).collect()
    }

    /// Those of them that were not there when they were looked for.
    pub(super) fn absent(&self) -> BTreeSet<PathBuf> {
        self.refused.lock().absent.clone()
    }

    /// Whether they are to be watched.
    pub(super) fn watching(&self) -> Watching {
        self.current.lock().settings.watch_files
    }

    /// Resolves when the mux shuts down.
    pub(super) async fn stopping(&self) {
        self.shutdown.stop.cancelled().await;
    }

    /// What [`reload`](Self::reload) would do now. Nothing is done.
    pub async fn plan(self: &Arc<Self>) -> Result<Reloaded, ReloadError> {
        let config = self.read().await?;
        let plan = Plan::between(&self.current.lock(), &config);
        Ok(Reloaded {
            plan,
            warnings: config.warnings,
            missing: Vec::new(),
        })
    }

    /// Makes the mux follow its files as they are now, in one step, and says so in the log. One at a time; once begun
    /// it is not cancelled by dropping the future.
    pub async fn reload(self: &Arc<Self>) -> Result<Reloaded, ReloadError> {
        let reloader = self.clone();
        let work = self.shutdown.tracker.spawn(async move {
            let stop = reloader.shutdown.stop.clone();
            let done = tokio::select! {
                done = reloader.follow() => done,
                () = stop.cancelled() => Err(ReloadError::Stopped),
            };
            tell(&done);
            done
        });
        work.await.unwrap_or(Err(ReloadError::Stopped))
    }

    async fn read(self: &Arc<Self>) -> Result<Config, ReloadError> {
        let reloader = self.clone();
        let read = move || {
            let read = Config::load(&reloader.sources);
            let refused = read.as_ref().err().map(Refused::of);
            *reloader.refused.lock() = refused.unwrap_or_default();
            read
        };
        match self.shutdown.tracker.spawn_blocking(read).await {
            Ok(config) => Ok(config?),
            Err(_) => Err(ReloadError::Stopped),
        }
    }

    async fn follow(self: &Arc<Self>) -> Result<Reloaded, ReloadError> {
        let _turn = self.turn.acquire().await;
        let config = self.read().await?;
        let (plan, running) = {
            let current = self.current.lock();
            (Plan::between(&current, &config), current.settings.clone())
        };
        let mut reloaded = Reloaded {
            plan,
            warnings: config.warnings.clone(),
            missing: Vec::new(),
        };
        if reloaded.plan.is_empty() {
            return Ok(reloaded);
        }
        let settings = Arc::new(config.settings.followed_from(&running));
        let succession = self.hub.prepare(config.servers.values(), &settings);
        succession.tried().await;
        let (required, other): (Vec<_>, Vec<_>) =
            { succession.missing().into_iter() }.partition(|(entry, _)| entry.required);
        let named = |(entry, why): (Arc<ServerConfig>, String)| (entry.name.clone(), why);
        if !required.is_empty() {
            return Err(ReloadError::Missing(
                required.into_iter().map(named).collect(),
            ));
        }
        reloaded.missing = other.into_iter().map(named).collect();
        let (made, answer) = oneshot::channel();
        let change = Change {
            succession,
            settings: settings.clone(),
            made,
        };
        if self.changes.send(change).await.is_err() {
            return Err(ReloadError::Stopped);
        }
        match answer.await {
            Ok(Ok(())) => {}
            Ok(Err(conflicts)) => return Err(ReloadError::Conflicts(conflicts)),
            Err(_) => return Err(ReloadError::Stopped),
        }
        *self.current.lock() = Config {
            settings: settings.as_ref().clone(),
            ..config
        };
        Ok(reloaded)
    }
}

impl Refused {
    fn of(errors: &ConfigErrors) -> Self {
        let all = errors.watched.clone();
        let absent = all.iter().filter(|file| !file.exists()).cloned();
        Self {
            absent: absent.collect(),
            all,
        }
    }
}

fn tell(done: &Result<Reloaded, ReloadError>) {
    match done {
        Ok(reloaded) if reloaded.plan.is_empty() => {
            debug!("the configuration was read again, and nothing is different");
        }
        Ok(reloaded) => {
            info!("the configuration was read again");
            for line in reloaded.plan.to_string().lines() {
                info!("{line}");
            }
            for ConfigWarning { place, problem } in &reloaded.warnings {
                warn!("{problem}{}", at(place.as_ref()));
            }
            for (name, why) in &reloaded.missing {
                warn!(upstream = %name, "the server is new and not up yet: {why}");
            }
        }
        Err(ReloadError::Stopped) => {}
        Err(error) => {
            error!("the configuration cannot be followed, and nothing was changed");
            tell_why(error);
        }
    }
}

fn tell_why(error: &ReloadError) {
    match error {
        ReloadError::Config(errors) => {
            for ConfigError { place, problem } in &errors.errors {
                error!("{problem}{}", at(place.as_ref()));
            }
        }
        other => {
            for line in other.to_string().lines() {
                error!("{line}");
            }
        }
    }
}

fn at(place: Option<&Place>) -> String {
    place.map_or(String::new(), |place| format!(" at {place}"))
}
