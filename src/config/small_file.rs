//! Small files that a configuration names.

use std::io::Read;
use std::path::Path;

use super::error::Problem;

/// Largest file that a `${file:…}` or an `envFile` may name, in bytes.
const MAX_FILE: u64 = 1 << 20;

/// Reads a file of at most 1 MiB.
pub(crate) fn read_small(path: &Path) -> Result<String, Problem> {
    let failed = |reason: String| Problem::SecretFile {
        path: path.to_owned(),
        reason,
    };
    let file = std::fs::File::open(path).map_err(|error| failed(plain_reason(&error)))?;
    let mut bytes = Vec::new();
    let read = file.take(MAX_FILE + 1).read_to_end(&mut bytes);
    read.map_err(|error| failed(plain_reason(&error)))?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(failed("it is larger than 1MiB".into()));
    }
    String::from_utf8(bytes).map_err(|_| failed("it is not UTF-8 text".into()))
}

/// Why the system refused, without the number.
pub(crate) fn plain_reason(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "it does not exist".into(),
        std::io::ErrorKind::PermissionDenied => "permission denied".into(),
        std::io::ErrorKind::IsADirectory => "it is a directory".into(),
        kind => kind.to_string(),
    }
}
