//! Where values come from that are neither in files nor in variables: commands, the keychain, and whoever sits at the
//! terminal.

use std::collections::HashMap;
use std::fs::{File, Metadata};
use std::io::{self, IsTerminal, Read};
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use console::Term;
use parking_lot::Mutex;

use super::shell;
use crate::config::{Outside, Question, Secret, Typed};
use crate::printable;
use crate::vault::keychain;

/// How long a command may take.
const COMMAND: Duration = Duration::from_secs(30);
/// Longest secret in a file, in bytes.
const MOST: u64 = 64 << 10;

/// The machine and the person around this process.
#[derive(Default)]
pub(super) struct Beside {
    /// What was answered so far, so that nobody is asked twice.
    answers: Mutex<HashMap<String, Secret>>,
    /// Where secrets lie that the keychain does not have.
    files: Option<PathBuf>,
}

impl Beside {
    /// What the keychain does not have may be in files of this folder.
    pub(super) fn new(files: Option<PathBuf>) -> Self {
        Self {
            files,
            ..Self::default()
        }
    }
}

impl Outside for Beside {
    fn command(&self, line: &str, variables: &[(&str, &str)]) -> Result<Secret, String> {
        shell::output(line, variables, COMMAND).map(Secret::new)
    }

    fn keychain(&self, service: &str, account: &str) -> Result<Option<Secret>, String> {
        let found = if keychain::is_likely() {
            keychain::get(service, account).map_err(|error| error.to_string())
        } else {
            Err("there is none".to_owned())
        };
        match (found, &self.files) {
            (Ok(Some(secret)), _) => Ok(Some(Secret::new(secret))),
            (found, None) => found.map(|_| None),
            (found, Some(folder)) => match private_file(folder, service, account)? {
                Some(secret) => Ok(Some(secret)),
                None => found.map(|_| None).map_err(|reason| {
                    format!("{reason}, and no file for it in `{}`", folder.display())
                }),
            },
        }
    }

    fn ask(&self, question: &Question<'_>) -> Option<Secret> {
        // Both, since a client that is a terminal program has the terminal for itself.
        if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
            return None;
        }
        let known = self.answers.lock().get(question.id).cloned();
        let answer = match known {
            Some(answer) => answer,
            None => prompt(question).ok()?,
        };
        let mut answers = self.answers.lock();
        answers.insert(question.id.to_owned(), answer.clone());
        Some(answer)
    }
}

/// What `FOLDER/SERVICE/ACCOUNT` holds, which must be the user's alone, without the newline at its end.
fn private_file(folder: &Path, service: &str, account: &str) -> Result<Option<Secret>, String> {
    let inner = Path::new(service).join(account);
    let is_name = |part: Component<'_>| matches!(part, Component::Normal(_));
    if !inner.components().all(is_name) {
        return Ok(None);
    }
    let path = folder.join(inner);
    let told = |reason: String| format!("`{}`: {reason}", path.display());
    let refused = |error: io::Error| told(error.kind().to_string());
    let file = match File::open(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file.map_err(refused)?,
    };
    if others_may_read(&file.metadata().map_err(refused)?) {
        return Err(told("others can read it: `chmod 600` it".to_owned()));
    }
    let mut text = String::new();
    let read = file.take(MOST + 1).read_to_string(&mut text);
    read.map_err(refused)?;
    if text.len() as u64 > MOST {
        return Err(told("it is larger than 64KiB".to_owned()));
    }
    Ok(Some(Secret::new(text.trim_end_matches(['\r', '\n']))))
}

#[cfg(unix)]
fn others_may_read(metadata: &Metadata) -> bool {
    std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o077 != 0
}

#[cfg(not(unix))]
fn others_may_read(_: &Metadata) -> bool {
    false
}

fn prompt(question: &Question<'_>) -> io::Result<Secret> {
    let terminal = Term::stderr();
    terminal.write_str(&shown(question))?;
    let line = match question.typed {
        Typed::Hidden => terminal.read_secure_line()?,
        Typed::Shown => terminal.read_line()?,
    };
    Ok(Secret::new(line))
}

/// The question as it stands on the terminal.
fn shown(question: &Question<'_>) -> String {
    let text = match question.text {
        "" => question.id,
        text => text,
    };
    let options = match question.options {
        [] => String::new(),
        options => format!(" ({})", options.join(", ")),
    };
    format!("{}: ", printable::line(&format!("{text}{options}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_file_is_for_its_user_alone() {
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mcp/me");
        std::fs::create_dir(folder.path().join("mcp")).unwrap();
        std::fs::write(&path, "s3cret\n").unwrap();
        let mode = |mode| std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode));
        let read = |service| private_file(folder.path(), service, "me");
        mode(0o600).unwrap();
        assert_eq!(read("mcp").unwrap().unwrap().expose(), "s3cret");
        mode(0o640).unwrap();
        assert!(read("mcp").unwrap_err().contains("others can read it"));
        assert!(read("no").unwrap().is_none());
        for outside in ["..", "/etc", "a/../.."] {
            assert!(read(outside).unwrap().is_none());
        }
    }

    #[test]
    fn a_question_is_shown_with_its_options_and_without_controls() {
        let options = ["eu".to_owned(), "us".to_owned()];
        let mut question = Question {
            id: "region",
            text: "Re\u{1b}[1mgion",
            options: &options,
            typed: Typed::Shown,
        };
        assert!(!shown(&question).contains('\u{1b}'));
        assert!(shown(&question).ends_with("gion (eu, us): "));
        question.text = "";
        question.options = &[];
        assert_eq!(shown(&question), "region: ");
    }
}
