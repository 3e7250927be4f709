//! `mcpmux login` and `mcpmux logout`.

use std::io::{self, BufRead};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::sync::oneshot;
use tokio::time::timeout;
use url::Url;

use super::args::Common;
use super::error::CliError;
use super::exit::Exit;
use super::login_args::{LoginArgs, LogoutArgs, Way};
use super::output;
use super::report::{self, Finding};
use super::running::{self, ONE_SHOT_LOG, load, vault, warn};
use super::signals::Signals;
use crate::config::{Config, TransportConfig};
use crate::oauth::{Attempt, Device, Forgotten, Ledger, OAuthError, Redirect, Site};
use crate::printable;
use crate::protocol::ServerName;

/// How long a person may take in the browser, in minutes.
const PATIENCE: u64 = 10;

/// Logs in at a server.
pub(super) fn login(args: &LoginArgs, common: &Common) -> Result<Exit, CliError> {
    let config = load(common, None)?;
    running::log(common, &config, ONE_SHOT_LOG)?;
    warn(&config);
    let site = site(&config, &args.server)?;
    if site.is_unattended() {
        let finding = Finding::new(format!(
            "`{}` needs no login: its client acts for itself",
            args.server
        ));
        return Err(finding.hint("`mcpmux check` tries it").into());
    }
    finish(async {
        let done = match args.way() {
            Way::Device => on_another_device(&site, &args.scope).await,
            way => in_a_browser(&site, way, &args.scope).await,
        };
        done.map_err(|error| failed(&args.server, &error))
    })?;
    report::to_stderr(&format!("logged in at `{}`\n", args.server));
    Ok(Exit::Ok)
}

/// Forgets the login at a server.
pub(super) fn logout(args: &LogoutArgs, common: &Common) -> Result<Exit, CliError> {
    let config = load(common, None)?;
    running::log(common, &config, ONE_SHOT_LOG)?;
    warn(&config);
    let site = site(&config, &args.server)?;
    let forgotten = finish(async {
        let forgotten = site.forget().await;
        forgotten.map_err(|error| failed(&args.server, &error))
    })?;
    let server = &args.server;
    report::to_stderr(&match forgotten {
        Forgotten::Nothing => format!("there is no login at `{server}`\n"),
        Forgotten::Revoked => format!("logged out at `{server}`; its token was revoked\n"),
        Forgotten::NotRevoked(None) => format!(
            "logged out at `{server}`; its authorization server does not revoke tokens, so this one works until it ends\n"
        ),
        Forgotten::NotRevoked(Some(error)) => format!(
            "logged out at `{server}`; its token was not revoked and works until it ends: {error}\n"
        ),
    });
    Ok(Exit::Ok)
}

/// The place to log in at of the server that was typed.
fn site(config: &Config, server: &str) -> Result<Site, CliError> {
    let Some(entry) = config.servers.get(&ServerName::new(server)) else {
        let finding = Finding::new(format!("there is no server `{}`", printable::line(server)));
        let known = report::ticked(config.servers.keys());
        return Err(finding.hint(format!("there are {known}")).into());
    };
    let fixed = || Finding::new(format!("`{server}` is not a server that one logs in at"));
    let http = match &entry.transport {
        TransportConfig::Child(_) => {
            let hint = "it is a program on this machine; give it credentials in `env`";
            return Err(fixed().hint(hint).into());
        }
        TransportConfig::Http(http)
        | TransportConfig::Sse(http)
        | TransportConfig::WebSocket(http) => http,
    };
    let Some(vault) = vault(config) else {
        return Err(
            Finding::new("there is no folder to keep the login in: set `XDG_STATE_HOME`").into(),
        );
    };
    let ledger = Ledger::new(Arc::new(vault), entry.name.as_str(), &http.url);
    let site = Site::new(http, ledger);
    site.ok_or_else(|| {
        fixed()
            .hint("its entry says which `Authorization` to send")
            .into()
    })
}

/// Runs the work until it is done or a signal ends it.
fn finish<T>(work: impl Future<Output = Result<T, CliError>>) -> Result<T, CliError> {
    let runtime = Builder::new_multi_thread().enable_all().build()?;
    let done = runtime.block_on(async {
        let mut signals = Signals::catch()?;
        tokio::select! {
            done = work => done,
            exit = signals.next() => Err(CliError::Ended(exit)),
        }
    });
    // A thread may still wait for a line on stdin.
    runtime.shutdown_background();
    done
}

async fn on_another_device(site: &Site, more: &[String]) -> Result<(), OAuthError> {
    let (device, code) = Device::begin(site, more).await?;
    report::to_stderr(&format!(
        "Open this page on any device, and check that it shows the code {}:\n",
        printable::line(&code.code)
    ));
    drop(output::print_ours(&format!("{}\n", code.page)));
    device.finish().await
}

async fn in_a_browser(site: &Site, way: Way, more: &[String]) -> Result<(), OAuthError> {
    let redirect = listen(site).await?;
    let attempt = Attempt::begin(site, redirect.url(), more).await?;
    let opened = way == Way::Browser && open(attempt.url());
    let pasted = if opened {
        report::to_stderr(&format!(
            "Log in at {} in the browser that opens.\n",
            attempt.origin()
        ));
        None
    } else {
        report::to_stderr(
            "Open this page in a browser. If it cannot reach this machine afterwards, paste the address that it\n\
             was sent to here, and press Enter.\n",
        );
        drop(output::print_ours(&format!("{}\n", attempt.url())));
        Some(lines())
    };
    let came = timeout(
        Duration::from_secs(PATIENCE * 60),
        answer(&redirect, &attempt, pasted),
    );
    came.await.map_err(|_| OAuthError::NoAnswer(PATIENCE))?
}

/// The redirect: on the configured port; else on the one of the last time, whose client can be used again; else on any.
async fn listen(site: &Site) -> Result<Redirect, OAuthError> {
    let cannot = |_| OAuthError::Config("the port of the redirect in `auth` is taken");
    let url = site.redirect()?;
    if let Some(port) = site.fixed_port() {
        return Redirect::bind(&url, port).await.map_err(cannot);
    }
    if let Some(port) = site.last_port().await
        && let Ok(redirect) = Redirect::bind(&url, port).await
    {
        return Ok(redirect);
    }
    let none = |_| OAuthError::Config("no port of this machine is free for the answer");
    Redirect::bind(&url, 0).await.map_err(none)
}

/// Waits for the answer, from the browser or pasted.
async fn answer(
    redirect: &Redirect,
    attempt: &Attempt,
    pasted: Option<oneshot::Receiver<Url>>,
) -> Result<(), OAuthError> {
    let typed = async {
        match pasted {
            Some(pasted) => match pasted.await {
                Ok(url) => url,
                Err(_) => std::future::pending().await,
            },
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        visitor = redirect.next(|url| attempt.is_answer(url)) => {
            let broken = |_| OAuthError::Callback("the browser could not be answered");
            let visitor = visitor.map_err(broken)?;
            let done = attempt.finish(&visitor.answer).await;
            let page = match &done {
                Ok(()) => "You are logged in. This page can be closed.",
                Err(_) => "The login failed. The terminal says why.",
            };
            visitor.show(page).await;
            done
        }
        url = typed => attempt.finish(&url).await,
    }
}

/// The first address that is typed.
fn lines() -> oneshot::Receiver<Url> {
    let (tell, told) = oneshot::channel();
    std::thread::spawn(move || {
        let mut urls = io::stdin().lock().lines().map_while(Result::ok);
        if let Some(url) = urls.find_map(|line| Url::parse(line.trim()).ok()) {
            drop(tell.send(url));
        }
    });
    told
}

/// Has a browser open the page: the one that `BROWSER` names, else the system's. Whether one was found. No shell sees the
/// address.
fn open(url: &Url) -> bool {
    let own = std::env::var("BROWSER")
        .ok()
        .filter(|browser| !browser.trim().is_empty());
    let command = own.unwrap_or_else(|| {
        let system = if cfg!(target_os = "macos") {
            "open"
        } else if cfg!(windows) {
            "rundll32 url.dll,FileProtocolHandler"
        } else {
            "xdg-open"
        };
        system.to_owned()
    });
    let mut words = command.split_whitespace();
    let Some(program) = words.next() else {
        return false;
    };
    let mut command = Command::new(program);
    command.args(words).arg(url.as_str());
    let quiet = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let Ok(mut browser) = quiet.spawn() else {
        return false;
    };
    std::thread::spawn(move || browser.wait());
    true
}

fn failed(server: &str, error: &OAuthError) -> CliError {
    let finding = Finding::new(format!("no login at `{server}`: {error}"));
    let hint = match error {
        OAuthError::NoClient(_) => {
            "`auth` of the server takes `type: \"oauth\"`, `clientId` and `clientSecret`"
        }
        OAuthError::NoAuthority => {
            "does it want another kind of credentials? `auth` takes `bearer`, `apiKey` and `basic`"
        }
        OAuthError::Refused { code, .. } if code == "invalid_client" => {
            "is the client in `auth` right? one that mcpmux registered is registered anew the next time"
        }
        _ => return CliError::Login(finding),
    };
    CliError::Login(finding.hint(hint))
}
