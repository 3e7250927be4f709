//! How much a mux holds.

use std::fs;

/// Memory and descriptors of one process.
#[derive(Clone, Copy, Debug)]
pub(super) struct Vitals {
    kib: u64,
    descriptors: usize,
}

/// Rounds that a mux has to reach its size.
const WARM_UP: usize = 2;

impl Vitals {
    pub(super) fn of(pid: u32) -> Self {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let resident = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .and_then(|rest| rest.split_whitespace().next()?.parse().ok());
        Self {
            kib: resident.unwrap_or_default(),
            descriptors: fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, Iterator::count),
        }
    }
}

/// Compares the last third of the rounds with the first: what was reached then is enough. Says what grew.
pub(super) fn grown(records: &[Vitals]) -> Option<String> {
    let rounds = records.get(WARM_UP..).unwrap_or_default();
    let third = rounds.len() / 3;
    let (early, late) = (&rounds[..third], &rounds[rounds.len() - third..]);
    let change = |of: fn(&Vitals) -> u64| {
        let before = early.iter().map(of).max()?;
        Some((before, late.iter().map(of).min()?))
    };
    let (before, after) = change(|it| it.kib)?;
    if after > before + before / 5 + 4096 {
        return Some(format!("memory went from {before} KiB to {after} KiB"));
    }
    let (before, after) = change(|it| it.descriptors as u64)?;
    (after > before + 8).then(|| format!("descriptors went from {before} to {after}"))
}

#[test]
fn what_grows_is_found() {
    let records = |kib: u64, descriptors: usize| -> Vec<Vitals> {
        let at = |round: usize| Vitals {
            kib: 30_000 + kib * round as u64,
            descriptors: 20 + descriptors * round,
        };
        (0..12).map(at).collect()
    };
    assert_eq!(grown(&records(0, 0)), None);
    let memory = "memory went from 42000 KiB to 57000 KiB";
    assert_eq!(grown(&records(3_000, 0)).as_deref(), Some(memory));
    let descriptors = "descriptors went from 28 to 38";
    assert_eq!(grown(&records(0, 2)).as_deref(), Some(descriptors));
}
