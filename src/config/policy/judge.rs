//! Whether a server is let in.

use std::path::Path;

use url::Url;

use crate::config::{Environment, Place, ServerConfig, TransportConfig};

use super::address::Address;
use super::glob::{matches, matches_any_case};
use super::program::{Launch, Program};

/// What a pattern is for. To allow, it must be certain; to deny, possible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Allowed,
    Denied,
}

/// One element of a list.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    pub(super) what: What,
    pub(super) place: Place,
}

/// What a pattern is about.
#[derive(Clone, Debug)]
pub(super) enum What {
    Name(String),
    Command(Program),
    Url(Address),
}

/// The lists.
#[derive(Clone, Debug, Default)]
pub(super) struct Lists {
    pub(super) denied: Vec<Pattern>,
    /// `None`: there is no such list, and all is allowed that is not denied.
    pub(super) allowed: Option<(Vec<Pattern>, Place)>,
}

/// Why a server is not let in, and where that is written.
#[derive(Debug)]
pub(crate) struct Verdict {
    pub(crate) why: String,
    /// Whether a pattern forbids it, and not only none allows it.
    pub(crate) is_denial: bool,
    pub(crate) place: Place,
}

impl Lists {
    /// `None`: it is let in.
    pub(super) fn judge(
        &self,
        server: &ServerConfig,
        (cwd, env): (&Path, &Environment),
    ) -> Option<Verdict> {
        let launch = match &server.transport {
            TransportConfig::Child(child) => Some(Launch::new(child, cwd, env)),
            _ => None,
        };
        let url = url_of(&server.transport);
        let subject = Subject {
            name: server.name.as_str(),
            launch,
            url,
        };
        if let Some(pattern) = self
            .denied
            .iter()
            .find(|pattern| subject.is_denied(&pattern.what))
        {
            return Some(Verdict {
                why: "it is denied".to_owned(),
                is_denial: true,
                place: pattern.place.clone(),
            });
        }
        let (allowed, place) = self.allowed.as_ref()?;
        let why = subject.refusal(allowed)?;
        let place = place.clone();
        Some(Verdict {
            why,
            is_denial: false,
            place,
        })
    }
}

fn url_of(transport: &TransportConfig) -> Option<Url> {
    match transport {
        TransportConfig::Child(_) => None,
        TransportConfig::Http(http)
        | TransportConfig::Sse(http)
        | TransportConfig::WebSocket(http) => Url::parse(&http.url).ok(),
    }
}

/// A server as policies see it.
struct Subject<'a> {
    name: &'a str,
    launch: Option<Launch<'a>>,
    url: Option<Url>,
}

impl Subject<'_> {
    fn is_denied(&self, what: &What) -> bool {
        match what {
            What::Name(name) => matches_any_case(name, self.name),
            What::Command(program) => self.launch.as_ref().is_some_and(|l| program.forbids(l)),
            What::Url(address) => {
                let passed_on = self.launch.iter().flat_map(Launch::urls);
                let mut urls = self.url.iter().cloned().chain(passed_on);
                urls.any(|url| address.is_about(&url, Side::Denied))
            }
        }
    }

    /// Why no pattern allows it. Names are what users choose: they count only where the list says nothing of commands,
    /// for a child, or of URLs, for all else.
    fn refusal(&self, allowed: &[Pattern]) -> Option<String> {
        let (mut certain, mut said) = (false, false);
        let mut named = false;
        for pattern in allowed {
            match (&pattern.what, &self.launch, &self.url) {
                (What::Name(name), ..) => named |= matches(name, self.name),
                (What::Command(program), Some(launch), _) => {
                    said = true;
                    certain |= program.allows(launch);
                }
                (What::Url(address), _, Some(url)) => {
                    said = true;
                    certain |= address.is_about(url, Side::Allowed);
                }
                _ => {}
            }
        }
        if !(certain || named && !said) {
            return Some("it is not allowed".to_owned());
        }
        let loader = self
            .launch
            .as_ref()
            .and_then(Launch::loader)
            .filter(|_| said);
        loader.map(|name| format!("it sets `{name}`, which would make the program run other code"))
    }
}
