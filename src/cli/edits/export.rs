//! `mcpmux export`: the mux as a server of another program.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::args::ExportArgs;
use super::ask::agrees;
use super::backup;
use super::diff;
use super::open::{Files, edited, place};
use super::told::Mode;
use crate::cli::args::{Common, Form};
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::listing::pretty;
use crate::cli::output;
use crate::cli::report::{Finding, ticked, to_stderr};
use crate::cli::running;
use crate::cli::style::Style;
use crate::config::edit::{self, Draft, Edit, EntryText, Existing, Holder};
use crate::config::{Config, PROGRAMS, Program, Scope, Sources, System, Way};
use crate::printable;

/// The name under which the mux is registered.
pub(super) const NAME: &str = "mcpmux";
/// Where `serve --http` listens when nobody says otherwise.
const LISTEN: &str = "127.0.0.1:8808";

/// Registers the mux in a program, or takes that back.
pub(in crate::cli) fn run(args: &ExportArgs, common: &Common) -> Result<Exit, CliError> {
    let program = named(&args.program)?;
    let sources = running::sources(common, None)?;
    if args.instead.undo {
        let file = file_of(program, args, &sources)?;
        let export = Export::open(program, &file)?;
        return export.undo(args);
    }
    let way = way(args, common)?;
    let entry = program.entry(&way).ok_or_else(|| {
        let what = format!("{} cannot be told a URL in its file", program.title);
        CliError::Arguments(Finding::new(what).hint("leave out --http and --url"))
    })?;
    if args.instead.print {
        return print(program, &entry);
    }
    let file = file_of(program, args, &sources)?;
    Export::open(program, &file)?.register(&entry, args)
}

/// The program of this name.
pub(super) fn named(key: &str) -> Result<&'static Program, CliError> {
    Program::named(key).ok_or_else(|| {
        let known = PROGRAMS.iter().map(|program| program.key);
        let finding = Finding::new(format!("there is no program `{key}`"));
        CliError::Arguments(finding.hint(format!("known are {}", ticked(known))))
    })
}

/// Where the program's file is. A directory of the person's that is not there means that the program is not.
fn file_of(
    program: &'static Program,
    args: &ExportArgs,
    sources: &Sources,
) -> Result<PathBuf, CliError> {
    let wanted = if args.project {
        Scope::Project
    } else {
        Scope::User
    };
    let files = program.files(System::here(), sources);
    let file = files.into_iter().find(|(scope, _)| *scope == wanted);
    let Some((_, file)) = file else {
        let what = format!("{} has no such file", program.title);
        return Err(Finding::new(what).hint("leave out --project").into());
    };
    let directory = file.parent().unwrap_or(Path::new(""));
    if wanted == Scope::User && !directory.is_dir() {
        let directory = directory.display();
        let what = format!(
            "{} is not installed: there is no `{directory}`",
            program.title
        );
        let hint = "--print shows what would be registered; --project writes into this directory";
        return Err(CliError::Edit(Finding::new(what).hint(hint)));
    }
    Ok(file)
}

/// How the program is to reach the mux.
fn way(args: &ExportArgs, common: &Common) -> Result<Way, CliError> {
    if let Some(url) = &args.reach.url {
        return Ok(Way::Url(url.clone()));
    }
    if args.reach.http {
        let config = Config::load(&running::sources(common, None)?)?;
        let listen = config.settings.listen.map(|listen| listen.to_string());
        let address = listen.unwrap_or_else(|| LISTEN.to_owned());
        if address.starts_with("unix:") {
            let finding = Finding::new(format!("`{address}` is no address that has a URL"));
            return Err(finding.hint("give the URL: --url URL").into());
        }
        let address = address
            .replace("0.0.0.0", "127.0.0.1")
            .replace("[::]", "[::1]");
        return Ok(Way::Url(format!("http://{address}/mcp")));
    }
    let files = Files::of(common)?;
    if files.own.named.is_empty() {
        let finding = Finding::new("there is no configuration that the program could use");
        let hint = "make one with `mcpmux add` or `mcpmux import`, or name one: --config FILE";
        return Err(CliError::Edit(finding.hint(hint)));
    }
    let mut arguments = vec!["serve".to_owned()];
    for file in &files.own.named {
        let whole = files.sources.cwd.join(file);
        if !whole.is_file() {
            let finding = Finding::new(format!("there is no file `{}`", file.display()));
            return Err(CliError::Edit(finding));
        }
        arguments.extend(["--config".to_owned(), whole.display().to_string()]);
    }
    let command = std::env::current_exe()?;
    Ok(Way::Command {
        command: command.display().to_string(),
        args: arguments,
    })
}

fn print(program: &Program, entry: &EntryText) -> Result<Exit, CliError> {
    let name = Path::new(program.spots.first().map_or("", |spot| spot.path));
    let empty = Draft::empty(name);
    let edited = edited(&empty, &Holder::of(program.format), &put(entry))?;
    output::print(&edited.text)?;
    Ok(Exit::Ok)
}

fn put(entry: &EntryText) -> Edit<'_> {
    let (name, existing) = (NAME, Existing::Replace);
    Edit::Put {
        name,
        entry,
        existing,
    }
}

/// A program's file while it is changed.
struct Export {
    program: &'static Program,
    draft: Draft,
    holder: Holder,
}

/// What was done. The members are part of the contract with scripts.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Told<'a> {
    program: &'a str,
    file: &'a Path,
    line: usize,
    changed: bool,
    written: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    backup: Option<PathBuf>,
    diff: String,
}

impl Export {
    fn open(program: &'static Program, file: &Path) -> Result<Self, CliError> {
        Ok(Self {
            program,
            draft: Draft::open(file)?,
            holder: Holder::of(program.format),
        })
    }

    fn register(&self, entry: &EntryText, args: &ExportArgs) -> Result<Exit, CliError> {
        let title = self.program.title;
        let edited = edited(&self.draft, &self.holder, &put(entry))?;
        let before = edit::entry(self.draft.path(), self.draft.text(), &self.holder, NAME);
        let text = if before.as_ref() == Some(entry) {
            self.draft.text()
        } else {
            &edited.text
        };
        let question = format!("Register mcpmux in {title}?");
        let done = self.write(text, edited.line, (&question, Keep::Backup), args)?;
        let words = match done {
            Done::Same => format!("mcpmux is registered in {title} already"),
            Done::Shown => return Ok(Exit::Ok),
            Done::Written => format!("registered mcpmux in {title}"),
        };
        self.tell(&words, edited.line, args);
        Ok(Exit::Ok)
    }

    /// Puts the backup back, or removes the file that we made, if nothing else has changed since; else takes out our entry
    /// only.
    fn undo(&self, args: &ExportArgs) -> Result<Exit, CliError> {
        let (file, text) = (self.draft.path(), self.draft.text());
        let title = self.program.title;
        let Some((_, line)) = edit::find(file, text, NAME).ok().flatten() else {
            let finding = Finding::new(format!("mcpmux is not registered in {title}"));
            return Err(CliError::Edit(finding.at(Some(place(file, 0)))));
        };
        let entry = edit::entry(file, text, &self.holder, NAME).unwrap_or_default();
        if !self.program.is_ours(&entry) {
            let finding = Finding::new("the entry was changed since, and that would be lost");
            let finding = finding.at(Some(place(file, line)));
            return Err(CliError::Edit(finding.hint("take it out by hand")));
        }
        let backup = backup::latest(file);
        let before = backup.as_deref().map(Draft::open).transpose()?;
        let restored = before.as_ref().filter(|before| {
            let again = edit::edit(file, before.text(), &self.holder, &put(&entry));
            again.is_ok_and(|again| again.text == text)
        });
        let earlier = before.as_ref();
        let earlier = earlier.and_then(|b| edit::entry(file, b.text(), &self.holder, NAME));
        let made = before.is_none() && self.is_what_we_make(&entry);
        let wanted = match (restored, &earlier) {
            _ if made => String::new(),
            (Some(before), _) => before.text().to_owned(),
            (None, Some(earlier)) => edited(&self.draft, &self.holder, &put(earlier))?.text,
            (None, None) => edited(&self.draft, &self.holder, &Edit::Remove { name: NAME })?.text,
        };
        let question = format!("Take mcpmux out of {title}?");
        let keep = if made { Keep::NoFile } else { Keep::Nothing };
        if self.write(&wanted, line, (&question, keep), args)? != Done::Written {
            return Ok(Exit::Ok);
        }
        // What is restored needs no backup.
        if let Some(backup) = backup.filter(|_| restored.is_some()) {
            std::fs::remove_file(backup)?;
        }
        self.tell(&format!("took mcpmux out of {title}"), line, args);
        Ok(Exit::Ok)
    }

    /// Whether the file is as it would be if there had been none.
    fn is_what_we_make(&self, entry: &EntryText) -> bool {
        let made = edit::edit(self.draft.path(), "", &self.holder, &put(entry));
        made.is_ok_and(|made| made.text == self.draft.text())
    }

    /// Shows what would change, asks, and writes it.
    fn write(
        &self,
        text: &str,
        line: usize,
        (question, keep): (&str, Keep),
        args: &ExportArgs,
    ) -> Result<Done, CliError> {
        let form = args.output.form();
        let changed = text != self.draft.text();
        let diff = diff::unified(self.draft.path(), self.draft.text(), text);
        if form == Form::Text {
            output::print_ours(&diff::painted(&diff, Style::of_stdout()))?;
        }
        let write = changed && args.trial.mode() == Mode::Write;
        if write && !agrees(question, args.agreement.consent())? {
            to_stderr("nothing was written\n");
            return Ok(Done::Shown);
        }
        let mut backup = None;
        if write {
            if keep == Keep::Backup && self.draft.exists() {
                backup = Some(backup::make(&self.draft)?);
            }
            match keep {
                Keep::NoFile => self.draft.remove()?,
                Keep::Backup | Keep::Nothing => self.draft.save(text)?,
            }
        }
        if form == Form::Json {
            output::print_ours(&pretty(&Told {
                program: self.program.key,
                file: self.draft.path(),
                line,
                changed,
                written: write,
                backup: backup.clone(),
                diff,
            }))?;
        } else if let Some(backup) = backup {
            let backup = backup.display().to_string();
            to_stderr(&format!(
                "kept the old file as {}\n",
                printable::line(&backup)
            ));
        }
        Ok(match (changed, write) {
            (false, _) => Done::Same,
            (true, false) => Done::Shown,
            (true, true) => Done::Written,
        })
    }

    fn tell(&self, what: &str, line: usize, args: &ExportArgs) {
        if args.output.form() == Form::Text {
            let file = self.draft.path().display().to_string();
            to_stderr(&format!("{what}\n  at {}:{line}\n", printable::line(&file)));
        }
    }
}

/// What is kept of the old file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keep {
    Backup,
    Nothing,
    /// Not even the file.
    NoFile,
}

/// What became of a change.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Done {
    /// There was none.
    Same,
    /// It was only shown.
    Shown,
    Written,
}
