use super::*;

fn check(allowed: &Allowed, host: &str, origin: Option<&str>) -> Result<(), Refused> {
    let mut headers = HeaderMap::new();
    headers.insert(HOST, host.parse().unwrap());
    if let Some(origin) = origin {
        headers.insert(ORIGIN, origin.parse().unwrap());
    }
    allowed.check(&Uri::from_static("/mcp"), &headers)
}

fn allowed(listen: &str, hosts: &[&str], origins: &[&str]) -> Allowed {
    let owned = |texts: &[&str]| {
        texts
            .iter()
            .map(|text| (*text).to_owned())
            .collect::<Vec<_>>()
    };
    Allowed::new(&listen.parse().unwrap(), &owned(hosts), &owned(origins))
}

/// Those of `texts` that pass.
fn passing<'a>(texts: &[&'a str], passes: impl Fn(&str) -> bool) -> Vec<&'a str> {
    texts.iter().copied().filter(|text| passes(text)).collect()
}

const HOSTS: &[&str] = &[
    "localhost",
    "LocalHost:9000",
    "localhost.",
    "127.0.0.1:8808",
    "127.9.9.9",
    "[::1]:8808",
    "10.0.0.5:8808",
    "10.0.0.6",
    "0.0.0.0",
    "[fe80::1]",
    "example.com",
    "mux.example.com:443",
    "a.mux.example.com",
    "localhost.example.com",
    "127.0.0.1.example.com",
    "user@localhost",
    "",
];

fn hosts(allowed: &Allowed) -> Vec<&'static str> {
    passing(HOSTS, |host| check(allowed, host, None).is_ok())
}

const LOOPBACK: [&str; 6] = [
    "localhost",
    "LocalHost:9000",
    "localhost.",
    "127.0.0.1:8808",
    "127.9.9.9",
    "[::1]:8808",
];

#[test]
fn loopback_is_always_a_host_and_so_is_the_own_address() {
    assert_eq!(hosts(&allowed("127.0.0.1:8808", &[], &[])), LOOPBACK);
    let with_own = [&LOOPBACK[..], &["10.0.0.5:8808"]].concat();
    assert_eq!(hosts(&allowed("10.0.0.5:8808", &[], &[])), with_own);
}

#[test]
fn who_listens_on_all_addresses_may_be_called_by_any_of_them() {
    let literals = [
        &LOOPBACK[..],
        &["10.0.0.5:8808", "10.0.0.6", "0.0.0.0", "[fe80::1]"],
    ]
    .concat();
    assert_eq!(hosts(&allowed("0.0.0.0:8808", &[], &[])), literals);
    assert_eq!(hosts(&allowed("[::]:8808", &[], &[])), literals);
}

#[test]
fn configured_hosts_are_names_with_or_without_port_or_whole_domains() {
    let more = |hosts_allowed: &[&str]| {
        hosts(&allowed("127.0.0.1:8808", hosts_allowed, &[])).split_off(LOOPBACK.len())
    };
    assert_eq!(more(&["Example.com"]), ["example.com"]);
    assert_eq!(more(&["mux.example.com"]), ["mux.example.com:443"]);
    assert_eq!(more(&["mux.example.com:443"]), ["mux.example.com:443"]);
    assert_eq!(more(&["mux.example.com:80"]), [""; 0]);
    assert_eq!(more(&["*.mux.example.com"]), ["a.mux.example.com"]);
    let all_but_nonsense = HOSTS.len() - LOOPBACK.len() - 2;
    assert_eq!(more(&["*"]).len(), all_but_nonsense);
}

const ORIGINS: &[&str] = &[
    "http://localhost:6274",
    "https://127.0.0.1",
    "http://[::1]:8808",
    "http://10.0.0.5:8808",
    "http://10.0.0.6:8808",
    "https://mux.example.com",
    "https://app.example.com",
    "https://app.example.com:444",
    "http://localhost.evil.com",
    "http://localhost@evil.com",
    "ftp://localhost",
    "vscode-webview://abc",
    "null",
    "",
];

fn origins(allowed: &Allowed, host: &str) -> Vec<&'static str> {
    passing(ORIGINS, |origin| check(allowed, host, Some(origin)).is_ok())
}

#[test]
fn pages_of_this_machine_and_of_the_same_host_are_allowed() {
    let loopback = [
        "http://localhost:6274",
        "https://127.0.0.1",
        "http://[::1]:8808",
    ];
    assert_eq!(
        origins(&allowed("127.0.0.1:8808", &[], &[]), "localhost"),
        loopback
    );
    let own = allowed("10.0.0.5:8808", &[], &[]);
    assert_eq!(
        origins(&own, "localhost"),
        [&loopback[..], &["http://10.0.0.5:8808"]].concat()
    );
    let named = allowed("0.0.0.0:8808", &["mux.example.com"], &[]);
    let same = [&loopback[..], &["https://mux.example.com"]].concat();
    assert_eq!(origins(&named, "mux.example.com"), same);
    assert_eq!(origins(&named, "10.0.0.5"), loopback);
}

#[test]
fn configured_origins_are_compared_whole() {
    let app = allowed(
        "127.0.0.1:8808",
        &[],
        &["https://App.example.com", "vscode-webview://abc"],
    );
    let more = ["https://app.example.com", "vscode-webview://abc"];
    assert_eq!(origins(&app, "localhost")[3..], more);
    assert_eq!(
        origins(&allowed("127.0.0.1:1", &[], &["*"]), "localhost"),
        ORIGINS
    );
}

#[test]
fn what_is_missing_double_or_hidden_in_the_target_is_refused() {
    let allowed = allowed("127.0.0.1:8808", &[], &[]);
    let check = |target: &'static str, hosts: &[&str], origins: &[&str]| {
        let mut headers = HeaderMap::new();
        for host in hosts {
            headers.append(HOST, host.parse().unwrap());
        }
        for origin in origins {
            headers.append(ORIGIN, origin.parse().unwrap());
        }
        allowed.check(&Uri::from_static(target), &headers)
    };
    assert_eq!(check("/", &[], &[]), Err(Refused::Host));
    assert_eq!(
        check("/", &["localhost", "localhost"], &[]),
        Err(Refused::Host)
    );
    assert_eq!(check("http://localhost/", &[], &[]), Ok(()));
    assert_eq!(
        check("http://localhost/", &["evil.com"], &[]),
        Err(Refused::Host)
    );
    assert_eq!(
        check("http://evil.com/", &["localhost"], &[]),
        Err(Refused::Host)
    );
    let own = "http://localhost";
    assert_eq!(
        check("/", &["localhost"], &[own, own]),
        Err(Refused::Origin)
    );
}

#[test]
fn on_a_unix_socket_only_origins_count_unless_hosts_are_named() {
    let any = allowed("unix:/m", &[], &[]);
    assert!(check(&any, "whatever", None).is_ok() && check(&any, "a@b", None).is_ok());
    assert!(
        any.check(&Uri::from_static("/mcp"), &HeaderMap::new())
            .is_ok()
    );
    assert!(check(&any, "evil.com", Some("http://evil.com")).is_err());
    assert!(check(&any, "x", Some("http://localhost:3000")).is_ok());
    let named = allowed("unix:/m", &["mux.example.com"], &["https://good.example"]);
    assert!(check(&named, "evil.com", None).is_err());
    assert!(check(&named, "mux.example.com", Some("https://mux.example.com")).is_ok());
    assert!(check(&named, "localhost", Some("https://good.example")).is_ok());
}
