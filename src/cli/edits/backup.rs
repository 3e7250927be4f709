//! Copies of files, beside them, from before we changed them.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::config::edit::{Draft, DraftError};

/// Stands between a file's name and the date of its copy.
const MARK: &str = ".mcpmux-";
/// How the name of a copy ends.
const ENDING: &str = ".bak";
/// Copies of one second.
const MOST: u32 = 100;

/// Makes a copy with the mode of the file.
pub(super) fn make(draft: &Draft) -> Result<PathBuf, DraftError> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let date = date(now.unwrap_or(Duration::ZERO).as_secs());
    let mut name = draft.path().file_name().unwrap_or_default().to_owned();
    name.push(MARK);
    name.push(&date);
    let mut result = Ok(PathBuf::new());
    for copy in 0..MOST {
        let mut name = name.clone();
        name.push(format!("-{copy:02}{ENDING}"));
        let path = draft.path().with_file_name(name);
        if path.exists() {
            continue;
        }
        result = draft.copy_to(&path).map(|()| path);
        break;
    }
    result
}

/// The youngest copy.
pub(super) fn latest(file: &Path) -> Option<PathBuf> {
    let start = format!("{}{MARK}", file.file_name()?.to_str()?);
    let directory = file.parent().filter(|parent| *parent != Path::new(""));
    let entries = std::fs::read_dir(directory.unwrap_or(Path::new("."))).ok()?;
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let copies = names.filter(|name| name.starts_with(&start) && name.ends_with(ENDING));
    Some(file.with_file_name(copies.max()?))
}

/// Seconds since 1970 as a date that sorts, in UTC.
fn date(seconds: u64) -> String {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    // Days since the first of March of the year 0, so that a leap day ends its year.
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, turn) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    let year = year + era * 400 + turn;
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::date;

    #[test]
    fn dates_are_those_of_the_calendar() {
        assert_eq!(date(0), "19700101T000000Z");
        assert_eq!(date(951_782_399), "20000228T235959Z");
        assert_eq!(date(951_782_400), "20000229T000000Z");
        assert_eq!(date(1_795_244_400), "20261121T070000Z");
    }
}
