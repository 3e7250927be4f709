//! The unit of `timeout` in the files of Cline and Roo Code: seconds, which are milliseconds elsewhere.

use std::path::Path;
use std::time::Duration;

use super::super::error::{Findings, Problem};
use super::super::keys::TIMEOUT_RANGE;
use super::super::quantity;
use super::super::tree::{Node, Value};
use super::dialect::{Around, Fate};
use super::entry::Entry;

/// Parts of the paths of their files.
const PLACES: [&str; 5] = [
    "cline_mcp_settings.json",
    ".cline",
    "saoudrizwan.claude-dev",
    ".roo",
    "rooveterinaryinc.roo-cline",
];

/// From here on a number is one of milliseconds in other files, so it is said how it was read.
const MUCH: u64 = 1_000;

/// The longest that their dialogs offer. Where only the words of an entry look like theirs, more is milliseconds.
const MOST: Duration = Duration::from_secs(60 * 60);

/// Makes our own timeout of theirs.
pub(super) fn count_seconds(
    _: &str,
    entry: &mut Entry,
    around: &Around<'_>,
    findings: &mut Findings,
) -> Fate {
    let in_place = around.place.file().is_some_and(is_place);
    let most = if in_place { TIMEOUT_RANGE.1 } else { MOST };
    if (in_place || is_theirs(entry))
        && let Some(Value::Number(digits)) = entry.get("timeout").map(|node| &node.value)
        && let Some(read) = quantity::duration(digits)
        && (TIMEOUT_RANGE.0..=most).contains(&read)
        && let Some(node) = entry.take("timeout")
    {
        let seconds = node.scalar().and_then(quantity::whole);
        if seconds.is_some_and(|seconds| seconds >= MUCH) && !in_place {
            let problem = Problem::Timeout {
                written: node.shown(),
                read: quantity::show_duration(read),
            };
            findings.warning(&node.place, problem);
        }
        entry.put("callTimeout", node);
    }
    Fate::Kept
}

fn is_place(path: &Path) -> bool {
    path.iter()
        .any(|part| PLACES.iter().any(|place| part == *place))
}

/// `autoApprove` is a key of others, too; but not together with this word for streamable HTTP.
fn is_theirs(entry: &Entry) -> bool {
    let kind = entry.get("type").and_then(Node::text);
    entry.has("alwaysAllow") || (entry.has("autoApprove") && kind == Some("streamableHttp"))
}
