//! A program under a managed policy.

use std::path::Path;
use std::process::Command;

/// Puts the folder `$0` where the policy belongs, in an `/etc` that has nothing else, and runs the rest.
const POLICY: &str =
    r#"mount -t tmpfs none /etc; mkdir /etc/mcpmux; mount --bind "$0" /etc/mcpmux; exec "$@""#;

/// A program; if there is such a folder, in a mount namespace where it is that of the policy. Nothing that users have can
/// name another one.
pub(super) fn program(program: &str, folder: &Path) -> Command {
    if !folder.is_dir() {
        return Command::new(program);
    }
    let mut command = Command::new("unshare");
    command.args(["--mount", "--map-root-user", "sh", "-ec", POLICY]);
    command.arg(folder).arg(program);
    command
}
