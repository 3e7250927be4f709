//! `mcpmux list`: the merged catalog.

use super::args::{Common, Form, ListArgs, Listed};
use super::error::CliError;
use super::exit::Exit;
use super::findings;
use super::listing::{self, pretty};
use super::output;
use super::report::{self, Finding, Severity};
use super::running::{ONE_SHOT_LOG, Purpose, lines, load, log, settle, warn, with_app};
use super::servers;
use super::style::Style;
use super::table::terminal_width;
use crate::mux::Mux;
use crate::protocol::Kind;

/// Prints a list.
pub(super) fn run(args: &ListArgs, common: &Common) -> Result<Exit, CliError> {
    let config = load(common, None)?;
    log(common, &config, ONE_SHOT_LOG)?;
    warn(&config);
    with_app(&config, Purpose::Errand, async |app| {
        let mux = app.hub();
        settle(mux, &config).await;
        match args.what {
            Some(Listed::Servers) => print_servers(mux, args.output.form())?,
            Some(Listed::Tools) => print_entries(mux, &[Kind::Tool], args.output.form())?,
            Some(Listed::Resources) => print_entries(mux, &[Kind::Resource], args.output.form())?,
            Some(Listed::Templates) => print_entries(mux, &[Kind::Template], args.output.form())?,
            Some(Listed::Prompts) => print_entries(mux, &[Kind::Prompt], args.output.form())?,
            None => print_entries(mux, &Kind::ALL, args.output.form())?,
        }
        report::print(&oddities(mux), Severity::Warning);
        Ok(Exit::Ok)
    })
}

fn print_servers(mux: &Mux, form: Form) -> Result<(), CliError> {
    let lines = lines(mux);
    Ok(match form {
        Form::Json => output::print(&pretty(&lines)),
        Form::Text => output::print_ours(&servers::table(
            &lines,
            Style::of_stdout(),
            terminal_width(),
        )),
    }?)
}

fn print_entries(mux: &Mux, kinds: &[Kind], form: Form) -> Result<(), CliError> {
    let catalog = mux.catalog();
    Ok(match form {
        Form::Json => output::print(&listing::json(&catalog, kinds)),
        Form::Text => {
            let style = Style::of_stdout();
            output::print_ours(&listing::tables(&catalog, kinds, style, terminal_width()))
        }
    }?)
}

/// What keeps entries out of the list.
fn oddities(mux: &Mux) -> Vec<Finding> {
    let away = lines(mux).into_iter().filter(|server| !server.is_ready());
    let mut oddities: Vec<Finding> = away.map(|server| Finding::new(server.trouble())).collect();
    oddities.extend(mux.problems().conflicts.iter().map(findings::of_conflict));
    oddities
}
