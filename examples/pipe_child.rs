//! A child process without a mind of its own: it carries its stdin and stdout over a loopback
//! socket to the test that listens there, and misbehaves as the arguments tell it to.
//!
//! `pipe_child PORT [OPTION]…`. Every process opens a control connection that lives exactly as long
//! as the process, so that a test knows without process ids who is still there.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::process::{Command, ExitCode, Stdio};
use std::thread;

/// What the arguments ask for.
#[derive(Default)]
struct Options {
    port: u16,
    stderr: Vec<String>,
    ignore_term: bool,
    deaf: bool,
    grandchild: Option<String>,
    role: Option<String>,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match parse(&arguments).and_then(|options| run(&options, &arguments)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "pipe_child: {error}");
            ExitCode::from(70)
        }
    }
}

fn parse(arguments: &[String]) -> io::Result<Options> {
    let mut options = Options::default();
    let mut rest = arguments.iter();
    let bad = |what: &str| io::Error::new(io::ErrorKind::InvalidInput, what.to_owned());
    options.port = rest
        .next()
        .and_then(|port| port.parse().ok())
        .ok_or_else(|| bad("no port given"))?;
    while let Some(argument) = rest.next() {
        let mut value = || {
            rest.next()
                .cloned()
                .ok_or_else(|| bad("an option lacks its value"))
        };
        match argument.as_str() {
            "--stderr" => options.stderr.push(value()?),
            "--ignore-term" => options.ignore_term = true,
            "--deaf" => options.deaf = true,
            "--grandchild" => options.grandchild = Some(value()?),
            "--role" => options.role = Some(value()?),
            other => return Err(bad(other)),
        }
    }
    Ok(options)
}

fn run(options: &Options, arguments: &[String]) -> io::Result<()> {
    if options.ignore_term {
        return ignoring_term(arguments);
    }
    match options.role.as_deref() {
        Some("middle") => start_relative(options.port, "grandchild"),
        Some("leader") => {
            lead_session()?;
            stay(options.port)
        }
        Some(_) => stay(options.port),
        None => be_a_server(options),
    }
}

/// Starts itself anew under a shell's `trap`: an ignored signal stays ignored through `exec`.
#[cfg(unix)]
fn ignoring_term(arguments: &[String]) -> io::Result<()> {
    use std::os::unix::process::CommandExt;

    let left: Vec<&String> = arguments.iter().filter(|a| *a != "--ignore-term").collect();
    let script = "trap '' TERM INT HUP; exec \"$0\" \"$@\"";
    Err(Command::new("sh")
        .args(["-c", script])
        .arg(std::env::current_exe()?)
        .args(left)
        .exec())
}

#[cfg(not(unix))]
fn ignoring_term(_: &[String]) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(unix)]
fn lead_session() -> io::Result<()> {
    rustix::process::setsid()?;
    Ok(())
}

#[cfg(not(unix))]
fn lead_session() -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

fn be_a_server(options: &Options) -> io::Result<()> {
    for line in &options.stderr {
        writeln!(io::stderr(), "{line}")?;
    }
    match options.grandchild.as_deref() {
        Some("plain") => start_relative(options.port, "grandchild")?,
        Some("session") => start_relative(options.port, "leader")?,
        Some("daemon") => start_relative(options.port, "middle")?,
        _ => {}
    }
    let control = hello(options.port, "server")?;
    let data = hello(options.port, "data")?;
    thread::spawn(move || obey(control));
    if !options.deaf {
        let upwards = data.try_clone()?;
        thread::spawn(move || stdin_to(&upwards));
    }
    copy(&data, &mut io::stdout())
}

/// Starts this program again in another role; `middle` ends at once and leaves an orphan.
fn start_relative(port: u16, role: &str) -> io::Result<()> {
    let mut relative = Command::new(std::env::current_exe()?)
        .arg(port.to_string())
        .args(["--role", role])
        .stderr(Stdio::null())
        .spawn()?;
    if role == "middle" {
        relative.wait()?;
    }
    Ok(())
}

/// Lives until the test says otherwise or is gone itself.
fn stay(port: u16) -> io::Result<()> {
    obey(hello(port, "grandchild")?);
    Ok(())
}

fn hello(port: u16, role: &str) -> io::Result<TcpStream> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_nodelay(true)?;
    stream.write_all(format!("{role} {}\n", std::process::id()).as_bytes())?;
    Ok(stream)
}

/// Carries out one command a line; the end of the connection ends the process.
fn obey(control: TcpStream) {
    for line in BufReader::new(control).lines() {
        let Ok(line) = line else { break };
        match line.split_once(' ') {
            Some(("exit", code)) => std::process::exit(code.parse().unwrap_or(71)),
            Some(("stderr", text)) => drop(writeln!(io::stderr(), "{text}")),
            _ => std::process::exit(72),
        }
    }
    std::process::exit(0)
}

fn stdin_to(data: &TcpStream) {
    let _ = copy(io::stdin().lock(), &mut &*data);
    // The test hears of the end of stdin and decides whether the process goes.
    let _ = data.shutdown(std::net::Shutdown::Write);
}

fn copy(mut from: impl Read, to: &mut impl Write) -> io::Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match from.read(&mut buffer)? {
            0 => return Ok(()),
            count => {
                to.write_all(&buffer[..count])?;
                to.flush()?;
            }
        }
    }
}
