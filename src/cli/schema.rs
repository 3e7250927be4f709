//! `mcpmux schema`: the JSON Schema of the configuration.

use std::io;

use super::listing::pretty;
use super::output;
use crate::config::Config;

/// Prints the schema.
pub(super) fn run() -> io::Result<()> {
    output::print_ours(&pretty(&Config::schema()))
}
