//! A configuration as text, with everything in it, for comparing it as a whole.

use std::fmt::Write;
use std::path::Path;

use super::super::{
    Config, HttpConfig, OAuthConfig, Origin, Patterns, Rules, Secret, SectionRules, ServerConfig,
    TransportConfig,
};

/// The whole configuration. Secrets are shown: the tests must see that they arrive.
pub(super) fn render(config: &Config, here: &Path) -> String {
    let mut text = String::new();
    for setting in &config.explained {
        if setting.place.origin != Origin::Default {
            writeln!(
                text,
                "{} = {}   # {}",
                setting.key, setting.value, setting.place
            )
            .unwrap();
        }
    }
    for server in config.servers.values() {
        text.push_str(&render_server(server));
    }
    for name in &config.disabled {
        writeln!(text, "disabled {name}").unwrap();
    }
    for warning in &config.warnings {
        writeln!(text, "{warning}").unwrap();
    }
    text.replace(here.to_str().unwrap(), "<here>")
}

fn render_server(server: &ServerConfig) -> String {
    let mut text = format!("server {} at {}\n", server.name, server.place);
    match &server.transport {
        TransportConfig::Child(child) => {
            writeln!(text, "  stdio {} {:?}", child.command, child.args).unwrap();
            for (name, value) in &child.env {
                writeln!(text, "    {name}={}", value.expose()).unwrap();
            }
            if let Some(cwd) = &child.cwd {
                writeln!(text, "    in {}", cwd.display()).unwrap();
            }
        }
        TransportConfig::Http(http) => text.push_str(&render_http("http", http)),
        TransportConfig::Sse(http) => text.push_str(&render_http("sse", http)),
        TransportConfig::WebSocket(http) => text.push_str(&render_http("websocket", http)),
    }
    text.push_str(&render_rules(&server.rules));
    let required = if server.required { "required, " } else { "" };
    writeln!(
        text,
        "  {required}up in {:?}, call in {:?}, {} at once, {:?}",
        server.startup_timeout, server.call_timeout, server.max_concurrent_calls, server.sharing
    )
    .unwrap();
    text
}

fn render_http(word: &str, http: &HttpConfig) -> String {
    let mut text = format!("  {word} {}\n", http.url);
    for (name, value) in &http.headers {
        writeln!(text, "    {name}: {}", value.expose()).unwrap();
    }
    if let Some(oauth) = http
        .oauth
        .as_ref()
        .filter(|oauth| **oauth != OAuthConfig::default())
    {
        let shown =
            |secret: &Option<Secret>| secret.as_ref().map(|secret| secret.expose().to_owned());
        let (secret, key) = (shown(&oauth.client_secret), shown(&oauth.private_key));
        writeln!(text, "    {oauth:?} {secret:?} {key:?}").unwrap();
    }
    text
}

fn render_rules(rules: &Rules) -> String {
    let mut text = format!("  prefix {:?}, aliases {:?}\n", rules.prefix, rules.aliases);
    if let Some(separator) = &rules.separator {
        writeln!(text, "  separator {separator:?}").unwrap();
    }
    let sections = [
        ("tools", &rules.tools),
        ("prompts", &rules.prompts),
        ("resources", &rules.resources),
        ("templates", &rules.templates),
    ];
    for (name, section) in sections {
        if *section != SectionRules::default() {
            let texts = |patterns: &Patterns| patterns.texts().collect::<Vec<_>>().join(" ");
            let allow = section.allow.as_ref().map_or("all".into(), texts);
            writeln!(
                text,
                "  {name}: allow [{allow}] deny [{}] rename {:?} describe {:?}",
                texts(&section.deny),
                section.rename,
                section.describe
            )
            .unwrap();
        }
    }
    text
}
