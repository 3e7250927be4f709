//! `mcpmux serve`: the mux itself.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};
use tracing::level_filters::LevelFilter;

use super::args::{Common, ServeArgs};
use super::error::CliError;
use super::exit::Exit;
use super::notify::Notifier;
use super::running::{Purpose, log, sources, warn, with_app};
use super::signals::{HangUp, HangUps};
use crate::app::{App, AppError};
use crate::catalog::{Conflict, Resolution};
use crate::config::{Config, Environment, Listen, OnConflict};
use crate::mux::Mux;
use crate::reload::{Reloader, watch};
use crate::transport::Inherited;
use crate::upstream::ServerState;

/// The port where nobody says another.
const DEFAULT_ADDRESS: &str = "127.0.0.1:8808";
/// Time between two looks at the required servers while they come up.
const LOOK: Duration = Duration::from_millis(50);

/// Runs the mux until its last client or a signal ends it.
pub(super) fn run(args: &ServeArgs, common: &Common) -> Result<Exit, CliError> {
    let address = args.http.clone().filter(|address| !address.is_empty());
    let sources = sources(common, address)?;
    let config = Config::load(&sources)?;
    log(common, &config, LevelFilter::INFO)?;
    warn(&config);
    let fronts = Fronts::of(args, config.settings.listen.clone());
    let fronts = fronts.with(sockets(args)?);
    // Before any server is started for nothing.
    if let Some(open) = fronts.http.as_ref().and_then(Listen::open_address) {
        return Err(AppError::Exposed(open).into());
    }
    let manager = Notifier::of(&Environment::of_process());
    with_app(&config, fronts.purpose(), async |app| {
        let reloader = app.reloader(sources.clone(), config.clone());
        // Before anybody hears that we are there, and hangs up.
        let hang_ups = HangUps::catch()?;
        let _stopping = manager.until_dropped();
        tokio::select! {
            served = fronts.serve(app, &manager) => served?,
            failed = must_stop(app.hub(), &config) => return Err(failed),
            ended = heed(hang_ups, &reloader, &manager) => return Err(ended),
            () = watch(reloader.clone()) => {}
            // A hub that hangs would hang here.
            () = manager.live(|| drop(app.hub().servers())) => {}
        }
        Ok(Exit::Ok)
    })
}

/// Follows the files whenever there is a hang-up, until the terminal is gone. What comes of it is in the log.
async fn heed(mut hang_ups: HangUps, reloader: &Arc<Reloader>, manager: &Notifier) -> CliError {
    while hang_ups.next().await == HangUp::Reload {
        drop(manager.reloading(reloader.reload()).await);
    }
    CliError::Ended(Exit::Terminated)
}

/// The sockets that the service manager opened for us; none for a mux that is on stdio alone.
fn sockets(args: &ServeArgs) -> Result<Vec<Inherited>, CliError> {
    if args.stdio && args.http.is_none() {
        return Ok(Vec::new());
    }
    Inherited::take().map_err(|error| AppError::Inherited(error).into())
}

/// Where clients come from.
#[derive(Debug)]
struct Fronts {
    stdio: bool,
    http: Option<Listen>,
    /// Sockets that were opened for us.
    sockets: Vec<Inherited>,
}

impl Fronts {
    /// What the flags say; where they are silent, the configuration; where that is too, stdio.
    fn of(args: &ServeArgs, configured: Option<Listen>) -> Self {
        let default = || DEFAULT_ADDRESS.parse().ok();
        match (&args.http, args.stdio) {
            (Some(_), stdio) => Self {
                stdio,
                http: configured.or_else(default),
                sockets: Vec::new(),
            },
            (None, true) => Self {
                stdio: true,
                http: None,
                sockets: Vec::new(),
            },
            (None, false) => Self {
                stdio: configured.is_none(),
                http: configured,
                sockets: Vec::new(),
            },
        }
    }

    /// Sockets that were opened for us take the place of an address, and of stdio where that was not asked for.
    fn with(self, sockets: Vec<Inherited>) -> Self {
        if sockets.is_empty() {
            return self;
        }
        Self {
            stdio: self.stdio && self.http.is_some(),
            http: None,
            sockets,
        }
    }

    /// What a mux with these fronts is for.
    fn purpose(&self) -> Purpose {
        if self.http.is_none() && self.sockets.is_empty() {
            Purpose::Client
        } else {
            Purpose::Clients
        }
    }

    /// Serves until stdin ends, if stdio is all there is; else for ever.
    async fn serve(self, app: &App, manager: &Notifier) -> Result<(), CliError> {
        let mut places = Vec::new();
        if let Some(place) = &self.http {
            places.push(App::url(&app.listen(place).await?));
        }
        for socket in self.sockets {
            let name = socket.name.clone();
            places.push(App::url(&app.adopt(socket)?));
            tracing::info!(name, "a socket of the service manager is used");
        }
        for place in &places {
            tracing::info!("listening on {place}");
        }
        manager.ready(&format!("serving {}", places.join(" and ")));
        if self.stdio {
            tracing::info!("serving the client on stdin and stdout");
            app.serve_stdio().await?;
        }
        if !places.is_empty() {
            return pending().await;
        }
        Ok(())
    }
}

/// Waits for a reason not to go on: a required server that does not come up in time, or conflicts
/// where there may be none.
async fn must_stop(mux: &Mux, config: &Config) -> CliError {
    let servers = required(mux, config);
    let conflicts = conflicts(mux, config);
    tokio::select! {
        error = servers => error,
        error = conflicts => error,
    }
}

async fn required(mux: &Mux, config: &Config) -> CliError {
    let started = Instant::now();
    let mut waiting: Vec<_> = config
        .servers
        .values()
        .filter(|server| server.required)
        .collect();
    while !waiting.is_empty() {
        let reports = mux.servers();
        let mut missing = Vec::new();
        waiting.retain(|server| {
            let report = reports.iter().find(|report| report.name == server.name);
            // It is up, or not wanted any more.
            if report.is_none_or(|report| report.state == ServerState::Ready || !report.required) {
                return false;
            }
            if started.elapsed() >= server.startup_timeout {
                let limit = server.startup_timeout.as_secs_f64();
                let error = report.and_then(|report| report.error.clone());
                let why = error.unwrap_or_else(|| format!("it is not ready within {limit}s"));
                missing.push((server.name.clone(), why));
            }
            true
        });
        if !missing.is_empty() {
            return CliError::Missing(missing);
        }
        sleep(LOOK).await;
    }
    pending().await
}

async fn conflicts(mux: &Mux, config: &Config) -> CliError {
    let longest = config
        .servers
        .values()
        .map(|server| server.startup_timeout)
        .max();
    if config.settings.on_conflict == OnConflict::Error {
        mux.settled(longest.unwrap_or_default()).await;
        let fatal = |conflict: &Conflict| conflict.resolution == Resolution::Dropped;
        let conflicts: Vec<_> = mux.problems().conflicts.into_iter().filter(fatal).collect();
        if !conflicts.is_empty() {
            return CliError::Conflicts(conflicts);
        }
    }
    pending().await
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::args::{Cli, Command};

    fn fronts(line: &str, configured: Option<&str>) -> (bool, Option<String>) {
        let Command::Serve(args) = Cli::try_parse_from(line.split(' ')).unwrap().command else {
            panic!("the line is about serving");
        };
        // What `load` does with the flag.
        let flag = args.http.clone().filter(|address| !address.is_empty());
        let configured = flag
            .or(configured.map(str::to_owned))
            .map(|text| text.parse().unwrap());
        let fronts = Fronts::of(&args, configured);
        let alone = fronts.purpose() == Purpose::Client;
        assert_eq!(alone, fronts.http.is_none());
        (fronts.stdio, fronts.http.map(|listen| listen.to_string()))
    }

    #[test]
    fn flags_beat_the_configuration() {
        let configured = Some("127.0.0.1:9000");
        let on = |address: &str| Some(address.to_owned());
        assert_eq!(fronts("mcpmux serve", None), (true, None));
        assert_eq!(
            fronts("mcpmux serve", configured),
            (false, on("127.0.0.1:9000"))
        );
        assert_eq!(fronts("mcpmux serve --stdio", configured), (true, None));
        assert_eq!(
            fronts("mcpmux serve --http", None),
            (false, on("127.0.0.1:8808"))
        );
        assert_eq!(
            fronts("mcpmux serve --http", configured),
            (false, on("127.0.0.1:9000"))
        );
        assert_eq!(
            fronts("mcpmux serve --stdio --http 127.0.0.1:1", configured),
            (true, on("127.0.0.1:1"))
        );
    }
}
