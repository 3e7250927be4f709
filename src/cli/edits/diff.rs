//! The difference between two texts, as it is shown.

use std::path::Path;

use similar::TextDiff;

use crate::cli::style::{Paint, Style};
use crate::config::edit::masked;
use crate::printable;

/// Lines around each difference.
const CONTEXT: usize = 3;

/// A unified difference. Neither side shows a secret; where only a secret changes, nothing is shown.
pub(super) fn unified(file: &Path, before: &str, after: &str) -> String {
    let [before, after] = [before, after].map(|text| {
        let text = masked(file, text);
        // A line end of another system is no difference to look at.
        printable::block(&text.replace('\r', "")).into_owned()
    });
    let name = file.display().to_string();
    let diff = TextDiff::from_lines(&before, &after);
    let mut unified = diff.unified_diff();
    unified
        .context_radius(CONTEXT)
        .header(&name, &name)
        .to_string()
}

/// The difference in colours.
pub(super) fn painted(diff: &str, style: Style) -> String {
    let line = |line: &str| {
        let paint = match line.as_bytes().first() {
            Some(b'+') => Paint::Good,
            Some(b'-') => Paint::Bad,
            Some(b'@') => Paint::Faint,
            _ => Paint::None,
        };
        style.paint(paint, line) + "\n"
    };
    diff.lines().map(line).collect()
}
