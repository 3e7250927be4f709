//! Exit codes.

use std::process::ExitCode;

/// How the program ends. The numbers are part of its contract with scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// All went well.
    Ok,
    /// Something failed while running.
    Failed,
    /// The arguments or the configuration are wrong.
    Usage,
    /// A server that must be there is not.
    Unavailable,
    /// The called tool answered with `isError`.
    ToolError,
    /// Ended by SIGINT, after a clean shutdown.
    Interrupted,
    /// Ended by SIGTERM, after a clean shutdown.
    Terminated,
}

impl Exit {
    /// The number that the parent process sees.
    pub fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Unavailable => 3,
            Self::ToolError => 4,
            Self::Interrupted => 130,
            Self::Terminated => 143,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
