//! What can be typed behind `login` and `logout`.

use clap::Args;

use super::args::Common;

/// Arguments of `login`.
#[derive(Args, Debug)]
pub(super) struct LoginArgs {
    /// Name of the server, as in the configuration
    pub(super) server: String,
    /// Log in on another device, with a code
    #[arg(long, conflicts_with = "no_browser")]
    device: bool,
    /// Print the page to open, and take the address that it leads to on stdin, too
    #[arg(long)]
    no_browser: bool,
    /// Ask for this scope, too; may be repeated
    #[arg(long, value_name = "SCOPE")]
    pub(super) scope: Vec<String>,
    /// The common options.
    #[command(flatten)]
    pub(super) common: Common,
}

/// How a person logs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// In the browser of this machine.
    Browser,
    /// In any browser, by a page that is printed.
    Printed,
    /// On another device, with a code.
    Device,
}

impl LoginArgs {
    /// How it was asked for.
    pub(super) fn way(&self) -> Way {
        match (self.device, self.no_browser) {
            (true, _) => Way::Device,
            (false, true) => Way::Printed,
            (false, false) => Way::Browser,
        }
    }
}

/// Arguments of `logout`.
#[derive(Args, Debug)]
pub(super) struct LogoutArgs {
    /// Name of the server, as in the configuration
    pub(super) server: String,
    /// The common options.
    #[command(flatten)]
    pub(super) common: Common,
}
