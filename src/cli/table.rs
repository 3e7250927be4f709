//! Columns of text.

use console::{measure_text_width, truncate_str};

use super::style::{Paint, Style};
use crate::printable;

/// Blanks between two columns.
const GAP: usize = 2;
/// The last column is never cut to less than this, however narrow the terminal.
const LEAST: usize = 20;

/// One cell of a table.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    text: String,
    paint: Paint,
}

impl Cell {
    /// A cell in the terminal's own colour. Control characters are stripped.
    pub(crate) fn plain(text: impl AsRef<str>) -> Self {
        Self::painted(text, Paint::None)
    }

    /// A cell in the colour of its meaning.
    pub(crate) fn painted(text: impl AsRef<str>, paint: Paint) -> Self {
        Self {
            text: printable::line(text.as_ref()).into_owned(),
            paint,
        }
    }
}

/// A head and rows of as many cells.
#[derive(Debug)]
pub(crate) struct Table {
    head: &'static [&'static str],
    rows: Vec<Vec<Cell>>,
}

impl Table {
    /// A table without rows.
    pub(crate) fn new(head: &'static [&'static str]) -> Self {
        Self {
            head,
            rows: Vec::new(),
        }
    }

    /// Adds a row.
    pub(crate) fn row(&mut self, cells: Vec<Cell>) {
        debug_assert_eq!(
            cells.len(),
            self.head.len(),
            "a row has a cell for each column"
        );
        self.rows.push(cells);
    }

    /// The table as lines, the last column cut at `width` columns of the terminal if there is one.
    pub(crate) fn render(&self, style: Style, width: Option<usize>) -> String {
        let head: Vec<Cell> = self
            .head
            .iter()
            .map(|t| Cell::painted(t, Paint::Head))
            .collect();
        let widths: Vec<usize> = (0..self.head.len())
            .map(|column| {
                let cells = self
                    .rows
                    .iter()
                    .chain([&head])
                    .filter_map(|row| row.get(column));
                cells
                    .map(|cell| measure_text_width(&cell.text))
                    .max()
                    .unwrap_or(0)
            })
            .collect();
        let mut text = String::new();
        for row in [&head].into_iter().chain(&self.rows) {
            let mut at = 0;
            let mut line = String::new();
            for (column, cell) in row.iter().enumerate() {
                let last = column + 1 == row.len();
                let room = width
                    .filter(|_| last)
                    .map(|w| w.saturating_sub(at).max(LEAST));
                let shown = truncate_str(&cell.text, room.unwrap_or(usize::MAX), "…");
                let pad = widths[column] - measure_text_width(&cell.text).min(widths[column]);
                line.push_str(&style.paint(cell.paint, &shown));
                line.push_str(&" ".repeat(if last { 0 } else { pad + GAP }));
                at += widths[column] + GAP;
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}

/// Columns of the terminal that stdout is, if it is one.
pub(crate) fn terminal_width() -> Option<usize> {
    console::Term::stdout()
        .size_checked()
        .map(|(_, columns)| usize::from(columns))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new(&["NAME", "STATE", "DESCRIPTION"]);
        table.row(vec![
            Cell::plain("fs__read"),
            Cell::painted("ready", Paint::Good),
            Cell::plain("Read a\nfile\u{1b}[2J from the disk"),
        ]);
        table.row(vec![Cell::plain("日本"), Cell::plain("x"), Cell::plain("")]);
        table
    }

    #[test]
    fn columns_are_aligned_and_stripped() {
        assert_eq!(
            table().render(Style::Plain, None),
            "NAME      STATE  DESCRIPTION\n\
             fs__read  ready  Read a file[2J from the disk\n\
             日本      x\n"
        );
    }

    #[test]
    fn the_last_column_is_cut_at_the_edge_of_the_terminal() {
        assert_eq!(
            table().render(Style::Plain, Some(40)),
            "NAME      STATE  DESCRIPTION\n\
             fs__read  ready  Read a file[2J from th…\n\
             日本      x\n"
        );
    }

    #[test]
    fn colours_do_not_move_columns() {
        let text = table().render(Style::Coloured, None);
        assert_eq!(
            text.lines().nth(1),
            Some("fs__read  \u{1b}[32mready\u{1b}[0m  Read a file[2J from the disk")
        );
    }
}
