//! Where values come from that are neither in files nor in variables: commands, and whoever sits at the terminal.

use std::collections::HashMap;
use std::io::{self, IsTerminal};
use std::time::Duration;

use console::Term;
use parking_lot::Mutex;

use super::shell;
use crate::config::{Outside, Question, Secret, Typed};
use crate::printable;

/// How long a command may take.
const COMMAND: Duration = Duration::from_secs(30);

/// The machine and the person around this process.
#[derive(Default)]
pub(super) struct Beside {
    /// What was answered so far, so that nobody is asked twice.
    answers: Mutex<HashMap<String, Secret>>,
}

impl Outside for Beside {
    fn command(&self, line: &str) -> Result<Secret, String> {
        shell::output(line, COMMAND).map(Secret::new)
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
