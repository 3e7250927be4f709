//! `mcpmux import`: the servers of other programs.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::args::ImportArgs;
use super::ask::agrees;
use super::diff;
use super::export::{NAME, named};
use super::open::{Files, of_edit};
use super::told::Mode;
use crate::cli::args::{Common, Form};
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::listing::pretty;
use crate::cli::output;
use crate::cli::report::{self, Finding, Severity, count, to_stderr};
use crate::cli::style::{Paint, Style};
use crate::cli::table::{Cell, Table, terminal_width};
use crate::config::edit::{self, Draft, Edit, EntryText, Existing, Holder};
use crate::config::{PROGRAMS, Program, System, Taken, taken};
use crate::printable;

/// Takes servers out of other programs' files into ours. Theirs are only read.
pub(in crate::cli) fn run(args: &ImportArgs, common: &Common) -> Result<Exit, CliError> {
    let files = Files::of(common)?;
    let draft = files.for_new()?;
    let offers = Offers::find(&files, args)?;
    let text = offers.written(&draft)?;
    let changed = text != draft.text();
    let form = args.output.form();
    if form == Form::Text {
        offers.show();
        if args.trial.mode() == Mode::Show {
            let diff = diff::unified(draft.path(), draft.text(), &text);
            output::print_ours(&diff::painted(&diff, Style::of_stdout()))?;
        }
    }
    let new = offers
        .lines
        .iter()
        .filter(|line| line.state.is_taken())
        .count();
    let names: Vec<&str> = offers
        .chosen
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    files.warn_of_policy(&draft, &text, &names);
    let path = draft.path().display().to_string();
    let question = format!(
        "Take {} into {}?",
        count(new, "server"),
        printable::line(&path)
    );
    let write =
        changed && args.trial.mode() == Mode::Write && agrees(&question, args.agreement.consent())?;
    if write {
        draft.save(&text)?;
    }
    if form == Form::Json {
        output::print_ours(&pretty(&Told {
            file: draft.path(),
            written: write,
            servers: &offers.lines,
        }))?;
    } else if write {
        to_stderr(&format!(
            "took {} into {}\n",
            count(new, "server"),
            printable::line(&path)
        ));
        report::print(&offers.secrets, Severity::Warning);
    } else if new == 0 {
        to_stderr("there is nothing new to take\n");
    } else {
        to_stderr("nothing was written\n");
    }
    Ok(Exit::Ok)
}

/// The files to look at: those that there are of all programs or of one, or the file that was named.
fn places(
    args: &ImportArgs,
    files: &Files,
) -> Result<Vec<(Option<&'static Program>, PathBuf)>, CliError> {
    let of = |program: &'static Program| {
        let all = program.files(System::here(), &files.sources).into_iter();
        all.map(move |(_, path)| (Some(program), path))
            .filter(|(_, path)| path.is_file())
    };
    match &args.from {
        None => Ok(PROGRAMS.iter().flat_map(of).collect()),
        Some(word) if Program::named(word).is_some() => Ok(of(named(word)?).collect()),
        Some(path) if Path::new(path).is_file() => Ok(vec![(None, path.into())]),
        Some(path) if path.contains(['/', '\\', '.']) => {
            let finding = Finding::new(format!("there is no file `{path}`"));
            Err(CliError::Arguments(finding))
        }
        Some(word) => named(word).map(|program| of(program).collect()),
    }
}

/// What becomes of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    New,
    /// It takes the place of ours.
    Replaced,
    /// We have it already.
    Same,
    /// We have another one of this name.
    Conflict,
    /// It is the mux itself.
    Skipped,
}

impl State {
    fn is_taken(self) -> bool {
        matches!(self, Self::New | Self::Replaced)
    }

    fn cell(self) -> Cell {
        match self {
            Self::New => Cell::painted("new", Paint::Good),
            Self::Replaced => Cell::painted("replaces ours", Paint::Doubtful),
            Self::Same => Cell::painted("the same", Paint::Faint),
            Self::Conflict => Cell::painted("another one has the name", Paint::Doubtful),
            Self::Skipped => Cell::painted("mcpmux itself", Paint::Faint),
        }
    }
}

/// One server. The members are part of the contract with scripts.
#[derive(Debug, Serialize)]
struct Line {
    program: &'static str,
    file: PathBuf,
    #[serde(skip_serializing_if = "Option::is_none")]
    project: Option<String>,
    server: String,
    state: State,
}

/// What was done. The members are part of the contract with scripts.
#[derive(Serialize)]
struct Told<'a> {
    file: &'a Path,
    written: bool,
    servers: &'a [Line],
}

/// All servers that were found.
struct Offers {
    /// What we have, and what we take: the entries by their names.
    known: HashMap<String, EntryText>,
    /// What to write, in order.
    chosen: Vec<(String, EntryText)>,
    lines: Vec<Line>,
    secrets: Vec<Finding>,
    /// Servers of ours may be replaced, each once.
    replaceable: Vec<String>,
}

impl Offers {
    /// Everything that is offered, each file once: in the home directory, a program's two may be one.
    fn find(files: &Files, args: &ImportArgs) -> Result<Self, CliError> {
        let mut offers = Self::of(files, args)?;
        let places = places(args, files)?;
        let mut seen = HashSet::new();
        for (program, path) in &places {
            if seen.insert(path) {
                let program = program.map_or("file", |program| program.key);
                offers.look(program, path, files, args)?;
            }
        }
        Ok(offers)
    }

    /// With what our own files have.
    fn of(files: &Files, args: &ImportArgs) -> Result<Self, CliError> {
        let mut known = HashMap::new();
        for path in &files.own.all {
            let draft = Draft::open(path)?;
            if draft.text().trim().is_empty() {
                continue;
            }
            let (servers, _) = taken(path, draft.text(), &files.sources)?;
            known.extend(
                servers
                    .into_iter()
                    .map(|server| (server.name, server.entry)),
            );
        }
        let replaceable = if args.force {
            known.keys().cloned().collect()
        } else {
            Vec::new()
        };
        Ok(Self {
            known,
            chosen: Vec::new(),
            lines: Vec::new(),
            secrets: Vec::new(),
            replaceable,
        })
    }

    /// Looks at one file. A broken one does not hide the others, unless it was named.
    fn look(
        &mut self,
        program: &'static str,
        path: &Path,
        files: &Files,
        args: &ImportArgs,
    ) -> Result<(), CliError> {
        let theirs = Draft::open(path)?;
        if theirs.text().trim().is_empty() || files.own.all.iter().any(|own| own == path) {
            return Ok(());
        }
        match taken(path, theirs.text(), &files.sources) {
            Ok((servers, warnings)) => {
                let warnings: Vec<Finding> = warnings.iter().map(Finding::from).collect();
                report::print(&warnings, Severity::Warning);
                for server in servers {
                    self.take(program, path, server);
                }
                Ok(())
            }
            Err(errors) if args.from.is_some() => Err(CliError::Config(errors)),
            Err(errors) => {
                let errors: Vec<Finding> = errors.errors.iter().map(Finding::from).collect();
                report::print(&errors, Severity::Warning);
                Ok(())
            }
        }
    }

    fn take(&mut self, program: &'static str, path: &Path, server: Taken) {
        let Taken {
            name,
            entry,
            place,
            project,
        } = server;
        let state = match self.known.get(&name) {
            _ if is_mux(&name, &entry) => State::Skipped,
            None => State::New,
            Some(ours) if *ours == entry => State::Same,
            Some(_) => match self.replaceable.iter().position(|own| *own == name) {
                Some(index) => {
                    self.replaceable.swap_remove(index);
                    State::Replaced
                }
                None => State::Conflict,
            },
        };
        if state.is_taken() {
            for key in edit::secrets_of(&entry) {
                let what = format!("`{key}` of server `{name}` is copied, and looks like a secret");
                let finding = Finding::new(what).at(Some(place.clone()));
                self.secrets
                    .push(finding.hint("move it into a variable and write '${VARIABLE}'"));
            }
            self.known.insert(name.clone(), entry.clone());
            self.chosen.push((name.clone(), entry));
        }
        self.lines.push(Line {
            program,
            file: path.to_owned(),
            project,
            server: name,
            state,
        });
    }

    /// Our file with what is taken.
    fn written(&self, draft: &Draft) -> Result<String, CliError> {
        let mut text = draft.text().to_owned();
        let holder = Holder::in_text(draft.path(), &text);
        for (name, entry) in &self.chosen {
            let existing = Existing::Replace;
            let put = Edit::Put {
                name,
                entry,
                existing,
            };
            let edited = edit::edit(draft.path(), &text, &holder, &put);
            text = edited.map_err(|error| of_edit(error, draft.path()))?.text;
        }
        Ok(text)
    }

    fn show(&self) {
        if self.lines.is_empty() {
            to_stderr("no file of another program has servers\n");
            return;
        }
        let mut table = Table::new(&["PROGRAM", "SERVER", "STATE", "FILE"]);
        for line in &self.lines {
            let file = line.file.display().to_string();
            let file = match &line.project {
                Some(project) => format!("{file} ({project})"),
                None => file,
            };
            table.row(vec![
                Cell::plain(line.program),
                Cell::plain(&line.server),
                line.state.cell(),
                Cell::plain(file),
            ]);
        }
        // A reader that went away has seen enough of the table.
        let _ = output::print_ours(&table.render(Style::of_stdout(), terminal_width()));
    }
}

/// Whether this is an entry that leads back to us.
fn is_mux(name: &str, entry: &EntryText) -> bool {
    let command = entry.get("command").and_then(|command| command.as_str());
    let stem = command.and_then(|command| Path::new(command).file_stem());
    name == NAME || stem.is_some_and(|stem| stem == NAME)
}
